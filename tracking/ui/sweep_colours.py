"""The colours of a sweep's page: what a trial came to has the same one on every chart and in the table. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tracking.sweep_records import STOPPED

TRIAL: Final = "var(--st-primary-color)"
"""Of a trial that is complete. The theme's: a blue that is dark on a light page and light on a dark one."""
BEST: Final = "#f06c0c"
"""Of the best trial, of several objectives of those on the front."""
FAINT: Final = "#9c84b4"
"""Of a trial that does not count as a result: it was pruned, or breaks a constraint."""
RUNNING: Final = "#44a56e"
NEUTRAL: Final = "#84898f"
"""Of what is no trial: intervals, lines to hold trials against, the worst end of a scale."""

STATES: Final[Mapping[str, str]] = {
    "complete": TRIAL,
    "pruned": FAINT,
    "fail": "#c1007c",
    STOPPED: "#d9a514",
    "running": RUNNING,
}
_IN_TABLES: Final = "#3f83c9"
"""The blue of complete trials where the theme's cannot be named; it stands out on a light and on a dark page."""


def mark(state: str, *, best: bool, feasible: bool) -> str:
    """Return the colour that stands before a trial in a table.

    Args:
        state: Of the trial, `stopped` for one that somebody ended.
        best: Whether it is the best one, of several objectives whether it is on the front.
        feasible: Whether it breaks no constraint.
    """
    if best:
        return BEST
    if state == "complete":
        return _IN_TABLES if feasible else FAINT
    return STATES.get(state, NEUTRAL)
