"""Sweeps: what pages, the command line and scripts start and steer them by. Reading them is `Store.sweep`.

Everything takes the store's location and the sweep's name. What changes a sweep waits for whoever changes it at the
same moment, writes a new edition of its definition where it changes that, and an entry in its history.
"""

from __future__ import annotations

from tracking.tuning.confirmation import confirm
from tracking.tuning.repeating import repeat
from tracking.tuning.sweep_control import pause, resume, stop, stop_worker
from tracking.tuning.sweep_edits import (
    Edited,
    add_budget,
    add_choice,
    add_param,
    change_param,
    narrow,
    rewrite,
    set_limits,
    set_workers,
    widen,
)
from tracking.tuning.sweep_retry import retry
from tracking.tuning.sweep_start import duplicate, start

__all__ = [
    "Edited",
    "add_budget",
    "add_choice",
    "add_param",
    "change_param",
    "confirm",
    "duplicate",
    "narrow",
    "pause",
    "repeat",
    "resume",
    "retry",
    "rewrite",
    "set_limits",
    "set_workers",
    "start",
    "stop",
    "stop_worker",
    "widen",
]
