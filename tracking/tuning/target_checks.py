"""A definition held against its target, in the project that it names."""

from __future__ import annotations

from pathlib import Path

from tracking.config import StoreLocation
from tracking.errors import Problem
from tracking.tuning.definition import SweepDefinition, TableTarget


def check_target(
    definition: SweepDefinition, project: Path, *, location: StoreLocation | None = None
) -> list[Problem]:
    """Return what does not fit between a definition and its target; nothing of the project is executed.

    Args:
        definition: Checked by itself already.
        project: The folder that the target's path is relative to.
        location: Of the store; where it is given, a table is opened too, by a process of its own. That takes
            seconds.
    """
    from tracking.tuning.targets.checks import check_against

    problems = list(check_against(definition, project))
    if not problems and location is not None and isinstance(definition.target, TableTarget):
        from tracking.tuning.targets.table_checks import table_problem

        problem = table_problem(definition.target, project, location)
        problems += [] if problem is None else [problem]
    return problems
