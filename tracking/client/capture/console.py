"""A tee on `sys.stdout` and `sys.stderr`: what Python prints while a run is active goes to the run's console too.

The streams stay the objects they are. Only their `write` is replaced, so that `isatty`, `fileno`, `encoding` and
every `isinstance` answer as before, and that handlers of `logging` which hold an older reference are heard too. What
goes around Python (a C library, a child process, `sys.stdout.buffer`) is not seen.

IPython replaces `write` too, for each cell, and puts back afterwards what it found before: it takes away what a cell
installed. So the streams are looked at again before each cell, and after it.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable
from typing import Any, TextIO

from tracking.client import active
from tracking.client.capture import notebook
from tracking.spool.console import ConsoleWriter


class _Tee:
    """Takes the place of a stream's `write`."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.own = "write" in vars(stream)
        self.write: Callable[..., Any] = stream.write
        self.left_behind = False

    def __call__(self, text: str, *rest: Any) -> Any:
        result = self.write(text, *rest)
        if _writers and not self.left_behind:
            with contextlib.suppress(Exception):
                _record(text)
        return result

    def restore(self) -> None:
        """Give the stream its own `write` back, unless somebody else replaced it meanwhile."""
        if vars(self.stream).get("write") is not self:
            # Whoever wrapped it calls this one, which only passes everything through from now on: the next
            # run listens around the wrapping.
            self.left_behind = True
            return
        if self.own:
            self.stream.write = self.write
        else:
            del self.stream.write


_writers: dict[str, ConsoleWriter] = {}
"""By the id of the run they are for."""
_tees: list[_Tee] = []
_shells: list[Any] = []
"""IPython's, whose cells are watched."""


def _record(text: object) -> None:
    run = active.current()
    writer = None if run is None else _writers.get(run.id)
    if writer is not None and isinstance(text, str):
        writer.write(text)


def begin(run_id: str, writer: ConsoleWriter) -> None:
    """From now on, what is printed while the run is active goes to `writer` as well."""
    _writers[run_id] = writer
    _listen()
    shell = notebook.shell()
    if shell is not None and shell not in _shells:
        with contextlib.suppress(Exception):  # a shell that is not IPython's, or an old one
            shell.events.register("pre_execute", _before_cell)
            shell.events.register("post_execute", _after_cell)
            _shells.append(shell)


def end(run_id: str) -> None:
    """Stop for this run; the last one gives the streams their own `write` back."""
    writer = _writers.pop(run_id, None)
    if writer is not None:
        writer.close()
    if not _writers:
        _let_go()


def forked() -> None:
    """In a forked child: what it prints is not recorded, and nothing it inherited is waited for."""
    for writer in _writers.values():
        writer.forget()
    _writers.clear()


def _listen() -> None:
    """Be the one whom the streams of now call first, once."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, TypeError):  # none, or an exotic one: cannot be listened to
            write = vars(stream).get("write")
            for tee in [one for one in _tees if one.stream is stream and one is not write]:
                # Wrapped by somebody, who may call it or not: it passes everything through from now on.
                tee.left_behind = True
                _tees.remove(tee)
            if isinstance(write, _Tee):
                write.left_behind = False
            else:
                write = _Tee(stream)
                stream.write = write  # type: ignore[method-assign]
            if write not in _tees:
                _tees.append(write)


def _let_go() -> None:
    for tee in _tees:
        with contextlib.suppress(Exception):
            tee.restore()
    _tees.clear()


def _before_cell() -> None:
    if _writers:
        _listen()


def _after_cell() -> None:
    # IPython puts its `write` back when this has returned. Where a loop runs, as in a kernel, what is printed between
    # two cells (by a thread, by a task) is heard too.
    with contextlib.suppress(RuntimeError):
        asyncio.get_running_loop().call_soon(_between_cells)


def _between_cells() -> None:
    _listen()
    if not _writers:
        _let_go()
