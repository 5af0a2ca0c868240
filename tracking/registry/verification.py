"""Proves the registry: the chain of the journal, the versions that it tells of, and their bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tracking.artifacts.objects import Objects
from tracking.database import registry_queries, registry_stored
from tracking.database.engine import Engines
from tracking.database.registry_chain import canonical, content_digest, row_digest
from tracking.database.registry_values import read_json
from tracking.errors import TrackingError
from tracking.registry.registering import stored_artifact, verify_bytes
from tracking.registry_records import GENESIS, JournalKind, RegistryReport

Row = Mapping[str, Any]


def verify_registry(
    engines: Engines, objects: Objects, *, head: str | None, progress: Callable[[int], None] | None
) -> RegistryReport:
    """Return what is wrong with the registry; see `Store.verify_registry`."""
    with engines.reading() as connection, connection.begin():
        rows = list(registry_stored.journal_rows(connection))
        versions = registry_stored.version_rows(connection)
        models = registry_stored.model_rows(connection)
        guards = registry_stored.broken_guards(connection)
    problems = [
        *chain_problems(rows),
        *head_problems(rows, head),
        *holder_problems(rows),
        *version_problems(rows, versions),
        *gates_problems(rows, models),
        *(
            f"The guard {name} of the database is gone or was changed, which keeps the registry from being rewritten."
            for name in guards
        ),
    ]
    states: dict[str, str | None] = {}
    examples: dict[str, str | None] = {}
    for row in versions:
        digest, name = row["digest"], f"{row['model']}/{row['number']}"
        if digest not in states:
            states[digest] = _bytes_problem(objects, row)
            if progress is not None:
                progress(len(states))
        if (state := states[digest]) is not None:
            problems.append(f"The bytes of {name} cannot be relied on: {state}")
        example = read_json(row["details"], dict).get("example_digest")
        if isinstance(example, str):
            if example not in examples:
                examples[example] = _object_problem(objects, example)
            if (state := examples[example]) is not None:
                problems.append(f"The example of {name} cannot be relied on: {state}")
        if row["run"] is not None and not row["linked"]:
            problems.append(
                f"The run of {name}, {row['run']}, has no artifact {row['artifact']!r} with the version's bytes: what "
                "it says it logged was changed."
            )
    last = rows[-1]["digest"] if rows else GENESIS
    return RegistryReport(
        rows=len(rows), versions=len(versions), head=str(last), problems=tuple(dict.fromkeys(problems))
    )


def chain_problems(rows: Sequence[Row]) -> Iterator[str]:
    """Yield what is wrong with rows of the journal, a sentence each that names the row.

    Args:
        rows: Columns of the rows as stored, in order of position.
    """
    after = {row["digest"]: row["position"] + 1 for row in rows} | {GENESIS: 1}
    expected, digest = 1, GENESIS
    for row in rows:
        position = row["position"]
        if position != expected:
            missing = (
                f"Row {expected} of the journal is"
                if position == expected + 1
                else f"Rows {expected} to {position - 1} of the journal are"
            )
            yield f"{missing} missing."
        whole = _row_digest(row) == row["digest"]
        if not whole:
            place = after.get(row["previous_digest"])
            if place is not None and _row_digest({**row, "position": place}) == row["digest"]:
                yield f"Row {position} of the journal was written as row {place}: rows were put into another order."
            else:
                yield f"Row {position} of the journal was changed: its digest is not that of what it says."
        elif row["previous_digest"] != digest and position == expected:
            yield f"Row {position} of the journal does not follow row {position - 1}, which is not the one before it."
        expected, digest = position + 1, row["digest"]


def head_problems(rows: Sequence[Row], head: str | None) -> Iterator[str]:
    """Yield what is wrong with the end of the journal, known from a head that was kept elsewhere."""
    if head is None or head == GENESIS or any(row["digest"] == head for row in rows):
        return
    yield (
        f"The row with the digest {head}, which was the journal's last one, is not in it: rows at its end are missing, "
        "or all were written anew."
    )


def holder_problems(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the rows that tell of another holder before them than the rows before do."""
    held: dict[tuple[str, str | None], int | None] = {}
    for row in rows:
        if row["kind"] in (JournalKind.REGISTER, JournalKind.GATES):
            continue
        about = (row["model"], row["alias"])
        if row["previous"] != held.get(about):
            yield (
                f"Row {row['position']} of the journal says that {_holder(row['previous'])} held {row['alias']} of "
                f"{row['model']}; by the rows before it was {_holder(held.get(about))}."
            )
        if row["kind"] in registry_queries.HOLDING:
            held[about] = row["version"]


def version_problems(rows: Sequence[Row], versions: Sequence[Row]) -> Iterator[str]:
    """Yield the versions that are not what the journal says was registered."""
    told = {(row["model"], row["version"]): row for row in rows if row["kind"] == JournalKind.REGISTER}
    found = {(row["model"], row["number"]): row for row in versions}
    for (model, number), row in found.items():
        name = f"{model}/{number}"
        registered = told.get((model, number))
        if row["run"] is None or model is None:
            yield f"The version {number} of {model or 'a model that is gone'} has lost its run or its model."
        elif registered is None:
            yield f"The version {name} is there, but no row of the journal tells of its registration."
        elif read_json(registered["details"], dict).get("content") != _content(row):
            yield f"The version {name} is not what row {registered['position']} of the journal says was registered."
    for (model, number), row in told.items():
        if (model, number) not in found:
            yield f"The version {model}/{number} is missing, which row {row['position']} of the journal registered."
    for row in rows:
        named = {row["version"], row["previous"]} - {None}
        for number in sorted((each for each in named if (row["model"], each) not in told), key=str):
            name = f"{row['model']}/{number}"
            yield f"Row {row['position']} of the journal names {name}, of whose registration no row tells."


def gates_problems(rows: Sequence[Row], models: Sequence[Row]) -> Iterator[str]:
    """Yield the models whose gates, or which themselves, are not what the journal says."""
    said: dict[str, tuple[int, str]] = {}
    named: dict[str, int] = {}
    for row in rows:
        named.setdefault(row["model"], row["position"])
        if row["kind"] == JournalKind.GATES:
            said[row["model"]] = (
                row["position"],
                canonical(read_json(row["details"], dict).get("gates")),
            )
    known = {row["name"] for row in models}
    for row in models:
        position, gates = said.get(row["name"], (0, "[]"))
        if row["gates"] != gates:
            where = f"row {position} of the journal set" if position else "the journal tells of: none"
            yield f"The gates of the model {row['name']!r} are not those that {where}."
    for name, position in named.items():
        if name not in known:
            yield f"The model {name!r} is missing, which row {position} of the journal tells of."


def _row_digest(row: Row) -> str | None:
    try:
        return row_digest(row)
    except (TypeError, ValueError, KeyError):  # a blob, say, that somebody put into a column
        return None


def _content(row: Row) -> str | None:
    try:
        return content_digest(row)
    except (TypeError, ValueError, KeyError):
        return None


def _bytes_problem(objects: Objects, row: Row) -> str | None:
    try:
        verify_bytes(objects, stored_artifact(row))
    except (TrackingError, OSError) as error:
        return str(error)
    return None


def _object_problem(objects: Objects, digest: str) -> str | None:
    try:
        objects.open(digest).close()
    except (TrackingError, OSError) as error:
        return str(error)
    return None


def _holder(number: int | None) -> str:
    return "nobody" if number is None else f"version {number}"
