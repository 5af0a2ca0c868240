"""A definition held against its target, in the project that it names."""

from __future__ import annotations

from pathlib import Path

from tracking.errors import Problem
from tracking.tuning.definition import SweepDefinition


def check_target(definition: SweepDefinition, project: Path) -> list[Problem]:
    """Return what does not fit between a definition and its target; nothing is executed."""
    from tracking.tuning.targets.checks import check_against

    return list(check_against(definition, project))
