"""What changes who holds an alias, or what is asked for it, without any gate: rollback, retire, new gates."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from tracking.artifacts.objects import Objects
from tracking.database import registry_queries, registry_writes
from tracking.database.engine import Engines
from tracking.database.registry_queries import Holding
from tracking.errors import NotFound, RunStateError
from tracking.registry.names import key_of
from tracking.registry.registering import verify_version
from tracking.registry_records import Gate, JournalEntry, JournalKind

TRIES = 20


def before(steps: Sequence[Holding]) -> int | None:
    """Return which version a rollback of an alias goes back to, None when there is none.

    A rollback undoes the last promotion that is still in force: after one to the version before, the next one goes
    one further back, not forth again. Of an alias that was retired it is the version that had it last.

    Args:
        steps: Who got the alias, in order.
    """
    held: list[int] = []
    for step in steps:
        if step.version is None:
            continue
        if step.kind is JournalKind.ROLLBACK and step.version in held:
            while held[-1] != step.version:
                held.pop()
        elif not held or held[-1] != step.version:
            held.append(step.version)
    if steps and steps[-1].version is None:
        return held[-1] if held else None
    return held[-2] if len(held) > 1 else None


def rollback(
    engines: Engines, objects: Objects, model: str, alias: str, *, reason: str, by: str
) -> JournalEntry:
    """Give an alias back to the version that held it before; see `Store.rollback`.

    Raises:
        NotFound: Nobody held it before, or the bytes of who did are missing.
        ArtifactDamaged: They are not those that were registered.
        RunStateError: The alias changed hands all the time.
    """
    for _ in range(TRIES):
        with engines.reading() as connection, connection.begin():
            steps = registry_queries.holdings(connection, [model]).get((model, alias), [])
            target = before(steps)
            if target is None:
                raise NotFound(_nobody_before(model, alias, steps))
            version = registry_queries.version_records(connection, model, number=target)[0]
        verify_version(objects, version)
        position, holder = steps[-1].position, steps[-1].version

        def work(connection: Any) -> JournalEntry | None:
            now = registry_queries.holder(connection, model, alias)
            if now is None or now.position != position:  # noqa: B023
                return None
            return registry_writes.append(
                connection,
                at=_now(),
                kind=JournalKind.ROLLBACK,
                model=model,
                alias=alias,
                version=target,  # noqa: B023
                previous=holder,  # noqa: B023
                by=by,
                reason=reason,
                details={"digest": version.digest},  # noqa: B023
            )

        if (entry := engines.write_durably(work)) is not None:
            return entry
    raise RunStateError(
        f"{alias} of {model} changed hands {TRIES} times while it was rolled back. See who promotes, then try again."
    )


def retire(engines: Engines, model: str, alias: str, *, reason: str, by: str) -> JournalEntry:
    """Take an alias from whoever holds it; see `Store.retire`.

    Raises:
        NotFound: Nobody holds it.
    """

    def work(connection: Any) -> JournalEntry:
        held = registry_queries.holder(connection, model, alias)
        if held is None or held.version is None:
            raise NotFound(f"Nobody holds {alias} of {model}: there is nothing to retire.")
        return registry_writes.append(
            connection,
            at=_now(),
            kind=JournalKind.RETIRE,
            model=model,
            alias=alias,
            previous=held.version,
            by=by,
            reason=reason,
        )

    return engines.write_durably(work)


def set_gates(engines: Engines, model: str, gates: Sequence[Gate], *, reason: str, by: str) -> JournalEntry:
    """Replace what promotions of a model have to meet; see `Store.set_gates`."""

    def work(connection: Any) -> JournalEntry:
        row = registry_queries.model_row(connection, key_of(model))
        assert row is not None, "models are kept for good"
        details = registry_writes.set_gates(connection, (row.id, row.name), gates)
        return registry_writes.append(
            connection,
            at=_now(),
            kind=JournalKind.GATES,
            model=row.name,
            by=by,
            reason=reason,
            details=details,
        )

    return engines.write_durably(work)


def _nobody_before(model: str, alias: str, steps: Sequence[Holding]) -> str:
    if not steps:
        return f"Nobody has ever held {alias} of {model}: there is nothing to roll back. Promote a version."
    return (
        f"Nobody held {alias} of {model} before version {steps[-1].version}: there is nothing to go back to. "
        "store.retire takes the alias from it."
    )


def _now() -> int:
    return time.time_ns() // 1000
