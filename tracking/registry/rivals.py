"""Whom a version has to beat that is to get an alias."""

from __future__ import annotations

from typing import Any

from tracking.database.registry_queries import Holding, holdings
from tracking.registry_records import VersionRecord


def number_of(connection: Any, candidate: VersionRecord, alias: str, held: Holding | None) -> int | None:
    """Return the version that a candidate is compared with: who holds the alias, or had it when it was retired.

    To retire a version does not clear the way for a worse one. One that was retired itself and comes back has nobody
    to beat, but where it had got the alias against its gates: then it is who was there before.

    Args:
        connection: For reading.
        candidate: What is to be promoted.
        alias: As stored.
        held: The last change of who holds it, None where nobody ever did.
    """
    if held is None or held.version is not None:
        return None if held is None else held.version
    if held.previous != candidate.number:
        return held.previous
    if alias not in candidate.overridden:
        return None
    steps = holdings(connection, [candidate.model])[candidate.model, alias]
    earlier = [step.version for step in steps if step.version not in (None, candidate.number)]
    return earlier[-1] if earlier else None
