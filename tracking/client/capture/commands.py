"""Other programs, asked in the background: nothing they do can hang, ask the user or outlive its time."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tracking.spool.forking import working

LOOK = 0.05
"""Seconds between two looks at whether the time is over."""


class CommandFailed(Exception):
    """A program is missing, said no, or ran out of time; the text is for the user."""


@dataclass(frozen=True, slots=True)
class Output:
    """What a program printed; `cut` says that it had more to say than was wanted."""

    data: bytes
    cut: bool = False


class Command:
    """A program that was started; `finish` is to be called.

    Args:
        arguments: The program and its arguments.
        folder: Where it works.
        environment: Its environment, None for that of this process.
        limit: Bytes of its output that are wanted; with more it is stopped.

    Raises:
        CommandFailed: There is no such program, or it cannot be started.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        folder: str | None = None,
        environment: dict[str, str] | None = None,
        limit: int = 1 << 20,
    ) -> None:
        self.name = arguments[0]
        self._limit = limit
        try:
            # Not while a fork is on: the child would inherit the pipe that says whether exec worked, and this
            # thread would wait for the child's end.
            with working():
                self._process = subprocess.Popen(
                    list(arguments),
                    cwd=folder,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    # Away from the terminal: it can neither ask there nor get its Ctrl-C.
                    start_new_session=True,
                    bufsize=0,
                )
        except FileNotFoundError:
            raise CommandFailed(f"{self.name} is not installed.") from None
        except OSError as error:
            raise CommandFailed(f"{self.name} cannot be started: {error}") from error

    def finish(self, deadline: Callable[[], float]) -> Output:
        """Return the output once the program has ended.

        Args:
            deadline: The moment of `time.monotonic()` at which it is killed; asked again and again, as it may
                come nearer when the run ends.

        Raises:
            CommandFailed: It ended with an error, or was killed because its time was over.
        """
        process = self._process
        assert process.stdout is not None and process.stderr is not None
        texts = {process.stdout.fileno(): bytearray(), process.stderr.fileno(): bytearray()}
        out, err = texts.values()
        waiting = select.poll()
        for descriptor in texts:
            waiting.register(descriptor, select.POLLIN)
        try:
            left = len(texts)
            while left and len(out) <= self._limit:
                if time.monotonic() >= deadline():
                    raise CommandFailed(f"{self.name} ran out of time.")
                for descriptor, _ in waiting.poll(LOOK * 1000):
                    part = os.read(descriptor, 1 << 16)
                    texts[descriptor] += part
                    if not part:
                        waiting.unregister(descriptor)
                        left -= 1
            if len(out) > self._limit:
                return Output(bytes(out[: self._limit]), cut=True)
            code = self._wait(deadline)
        finally:
            self.stop()
        if code:
            said = err.decode("utf-8", "replace").strip().partition("\n")[0]
            raise CommandFailed(f"{self.name} failed: {said or f'exit code {code}'}"[:500])
        return Output(bytes(out))

    def stop(self) -> None:
        """Kill the program with all it started, if it is still there, and let its pipes go."""
        process = self._process
        if process.returncode is None:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.2)
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()

    def _wait(self, deadline: Callable[[], float]) -> int:
        while True:
            try:
                return self._process.wait(timeout=LOOK)
            except subprocess.TimeoutExpired:
                if time.monotonic() >= deadline():
                    raise CommandFailed(f"{self.name} ran out of time.") from None
