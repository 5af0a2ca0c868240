"""What versions of models need, and therefore neither trash nor clean-up may take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select

from tracking.database.registry_queries import models, standings, versions
from tracking.database.run_writes import runs
from tracking.database.search_columns import chunks, rows_in
from tracking.database.study_rows import trials
from tracking.errors import StillNeeded

_LISTED = 5


def refuse_needed(connection: Connection, numbers: Iterable[int], what: str) -> None:
    """Refuse to remove runs of which a version was made, and those that such a run is a part of, or that are its parts.

    Args:
        connection: In the transaction that removes them.
        numbers: The runs' internal numbers, with those of all their parts.
        what: The thing that was to go, for the message.

    Raises:
        StillNeeded: With the versions and their aliases.
    """
    needed = versions_of(connection, _with_parents(connection, numbers))
    if not needed:
        return
    some = ", ".join(_named(name, aliases) for name, _, aliases in needed[:_LISTED])
    some += f" and {len(needed) - _LISTED} more" if len(needed) > _LISTED else ""
    made = sorted({uid for _, uid, _ in needed})
    of = f"run {made[0]}" if len(made) == 1 else f"{len(made)} of the runs"
    count = f"the version {some} was" if len(needed) == 1 else f"the versions {some} were"
    raise StillNeeded(
        f"{what} is still needed: {count} made from {of}. A version keeps its run for good, with its "
        "parts and what it is a part of, so that it can be rolled back to. Nothing was deleted."
    )


def refuse_needed_study(connection: Connection, study: int) -> None:
    """Refuse to delete a study of which a trial's run, or a repeat of it, became a version; raises StillNeeded."""
    mine = select(trials.c.run_id).where(trials.c.study_id == study, trials.c.run_id.is_not(None))
    uids = select(runs.c.uid).where(runs.c.id.in_(mine))
    made = (
        select(versions.c.run_id)
        .join(runs, runs.c.id == versions.c.run_id)
        .where(runs.c.id.in_(mine) | runs.c.parent.in_(uids))
    )
    if numbers := list(connection.execute(made).scalars()):
        refuse_needed(connection, numbers, "The study")


def versions_of(connection: Connection, numbers: Iterable[int]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return the versions made from runs: as `digits/3`, with the run's id and the aliases that it holds."""
    query = (
        select(models.c.name, versions.c.number, runs.c.uid)
        .join_from(versions, models, models.c.id == versions.c.model_id)
        .join(runs, runs.c.id == versions.c.run_id)
        .order_by(models.c.key, versions.c.number)
    )
    rows = list(rows_in(connection, query, versions.c.run_id, sorted(set(numbers))))
    held = standings(connection, sorted({row.name for row in rows})) if rows else {}
    return [
        (
            f"{row.name}/{row.number}",
            row.uid,
            tuple(
                sorted(
                    alias
                    for (model, alias), stands in held.items()
                    if model == row.name and stands.version == row.number
                )
            ),
        )
        for row in rows
    ]


def _with_parents(connection: Connection, numbers: Iterable[int]) -> Sequence[int]:
    found = set(numbers)
    newest = sorted(found)
    while newest:
        above: set[int] = set()
        for part in chunks(newest):
            parents = select(runs.c.parent).where(runs.c.id.in_(part), runs.c.parent.is_not(None))
            above.update(connection.execute(select(runs.c.id).where(runs.c.uid.in_(parents))).scalars())
        newest = sorted(above - found)
        found |= above
    return sorted(found)


def _named(name: str, aliases: Sequence[str]) -> str:
    return f"{name} ({', '.join(aliases)})" if aliases else name
