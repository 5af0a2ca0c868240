"""Where a sweep stands, decided from what was asked of it, how it ended, and who lives."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tracking.database.sweep_standing import Standing
from tracking.sweep_records import OUTCOME, WANTED, SweepState

STARTING = timedelta(seconds=20)
"""How long a supervisor may take until it holds its lock."""


def state_of(
    attributes: Mapping[str, Any], standings: Sequence[Standing], running: int, name: str
) -> tuple[SweepState, str]:
    """Return a sweep's state and a sentence about it.

    Args:
        attributes: Of its present study.
        standings: Who works on each of its studies, the present one last.
        running: How many trials of the present study run.
        name: Of the sweep.
    """
    now = standings[-1]
    outcome = attributes.get(OUTCOME)
    if isinstance(outcome, dict) and outcome.get("state") in ("finished", "stopped", "failed"):
        return SweepState(outcome["state"]), str(outcome.get("reason") or "")
    wanted = attributes.get(WANTED)
    wanted = wanted if isinstance(wanted, dict) else {}
    working = sum(len(each.workers) for each in standings)
    lives = now.supervised or now.awaited or working > 0
    match wanted.get("state"):
        case "pause":
            still = f"{_trials(running)}; no new one starts." if running and lives else ""
            return SweepState.PAUSED, still
        case "drain":
            if lives:
                still = f"{_trials(running)} to the end; then it stops."
                return SweepState.STOPPING, still if running else "It is about to stop."
            return SweepState.STOPPED, "It was asked to stop."
        case "stop":
            if lives:
                return SweepState.STOPPING, "Its trials are being ended."
            return SweepState.STOPPED, "It was asked to stop."
    if now.supervised:
        return SweepState.RUNNING, ""
    if now.awaited:
        return SweepState.WAITING, "It goes on when the trials of its earlier study have ended."
    if not now.died and _just_now(wanted.get("at")):
        return SweepState.WAITING, "Its supervisor is starting."
    still = f" {_trials(running)}." if working and running else ""
    return (
        SweepState.INTERRUPTED,
        "Its supervisor is gone: it was killed, or the machine went down."
        f"{still} To go on: tracking sweep resume {shlex.quote(name)}",
    )


def _trials(count: int) -> str:
    return "1 trial still runs" if count == 1 else f"{count} trials still run"


def _just_now(at: Any) -> bool:
    try:
        since = datetime.now(UTC) - datetime.fromisoformat(at)
    except (TypeError, ValueError):
        return False
    return timedelta(seconds=-5) < since < STARTING
