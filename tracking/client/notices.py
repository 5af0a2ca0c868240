"""Telling a training script something without ever raising into it."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import warnings
from pathlib import Path
from types import FrameType
from typing import Any

from tracking.errors import TrackingWarning


class Notices:
    """Warnings of one run, each kind once.

    What a thread of ours has to say is said of the line that made this object: the script's own `start_run`.
    """

    def __init__(self) -> None:
        self._told: set[str] = set()
        frame = _caller()
        self._place = None if frame is None else (frame.f_code.co_filename, frame.f_lineno)

    def once(self, kind: str, message: str) -> None:
        """Warn with `message` unless something of this `kind` was said before."""
        if kind not in self._told:
            self._told.add(kind)
            tell(message, self._place)


def tell(message: str, place: tuple[str, int] | None = None) -> None:
    """Warn of the user's own line, also where warnings are errors: the training goes on.

    Args:
        message: What to say.
        place: File and line to name where none of the user's is being run, as in a thread of ours.
    """
    frame = _caller()
    where: tuple[str, int] = place or ("podium", 1)
    module = "tracking"
    registry: dict[Any, Any] | None = None  # of what was warned of before, line by line
    if frame is not None:
        where = frame.f_code.co_filename, frame.f_lineno
        module = str(frame.f_globals.get("__name__"))
        registry = frame.f_globals.setdefault("__warningregistry__", {})
    try:
        warnings.warn_explicit(f"Podium: {message}", TrackingWarning, *where, module, registry)
    except Exception:
        with contextlib.suppress(Exception):
            print(f"Podium: {message}", file=sys.stderr)


_PACKAGE = str(Path(__file__).parents[1]) + os.sep


def _caller() -> FrameType | None:
    """Return the user's own frame, the first outside this package; None in a thread that is ours."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return None if frame is None or frame.f_code.co_filename == threading.__file__ else frame
