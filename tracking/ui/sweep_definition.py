"""A sweep's definition as values, for what is drawn and asked of its space."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracking.errors import InvalidDefinition
from tracking.sweep_records import SweepRecord

if TYPE_CHECKING:
    from tracking.tuning.definition import SweepDefinition


def definition_of(record: SweepRecord) -> SweepDefinition | None:
    """Return a sweep's definition, None where this version cannot read it."""
    from tracking.tuning.definition_file import read_definition

    try:
        return read_definition(record.text)
    except InvalidDefinition:
        return None
