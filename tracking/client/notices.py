"""Telling a training script something without ever raising into it."""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from pathlib import Path

from tracking.errors import TrackingWarning


class Notices:
    """Warnings of one run, each kind once."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def once(self, kind: str, message: str) -> None:
        """Warn with `message` unless something of this `kind` was said before."""
        if kind not in self._told:
            self._told.add(kind)
            tell(message)


def tell(message: str) -> None:
    """Warn, also where warnings are errors: the training goes on."""
    try:
        warnings.warn(f"Podium: {message}", TrackingWarning, stacklevel=_depth_of_caller())
    except Exception:
        with contextlib.suppress(Exception):
            print(f"Podium: {message}", file=sys.stderr)


_PACKAGE = str(Path(__file__).parents[1]) + os.sep


def _depth_of_caller() -> int:
    """Return the `stacklevel` of the user's own line: the first frame outside this package."""
    frame = sys._getframe(1)
    depth = 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
        depth += 1
    return depth
