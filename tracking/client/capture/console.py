"""A tee on `sys.stdout` and `sys.stderr`: what Python prints while a run is active goes to the run's console too.

The streams stay the objects they are. Only their `write` is replaced, so that `isatty`, `fileno`, `encoding` and
every `isinstance` answer as before, and that handlers of `logging` which hold an older reference are heard too. What
goes around Python (a C library, a child process, `sys.stdout.buffer`) is not seen.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from typing import Any, TextIO

from tracking.client import active
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


def _record(text: object) -> None:
    run = active.current()
    writer = None if run is None else _writers.get(run.id)
    if writer is not None and isinstance(text, str):
        writer.write(text)


def begin(run_id: str, writer: ConsoleWriter) -> None:
    """From now on, what is printed while the run is active goes to `writer` as well."""
    _writers[run_id] = writer
    for stream in (sys.stdout, sys.stderr):
        if stream is None or any(_is_teed(stream, tee) for tee in _tees):
            continue
        try:
            tee = _Tee(stream)
            stream.write = tee  # type: ignore[method-assign]
        except (AttributeError, TypeError):
            continue  # an exotic stream that cannot be listened to
        _tees.append(tee)


def end(run_id: str) -> None:
    """Stop for this run; the last one gives the streams their own `write` back."""
    writer = _writers.pop(run_id, None)
    if writer is not None:
        writer.close()
    if not _writers:
        for tee in _tees:
            with contextlib.suppress(Exception):
                tee.restore()
        _tees.clear()


def forked() -> None:
    """In a forked child: what it prints is not recorded, and nothing it inherited is waited for."""
    for writer in _writers.values():
        writer.forget()
    _writers.clear()


def _is_teed(stream: TextIO, tee: _Tee) -> bool:
    return tee.stream is stream and vars(stream).get("write") is tee
