"""How many configurations a sampler goes through that takes each of them once."""

from __future__ import annotations

from tracking.tuning.definition import SweepDefinition
from tracking.tuning.definition_options import ENUMERATED, LISTED
from tracking.tuning.space import configurations, is_finite


def count_configurations(definition: SweepDefinition, most: int) -> int | None:
    """Return how many there are, None where there is no end of them, or no telling.

    Args:
        definition: Whose sampler it is.
        most: More of them than this are not counted.
    """
    if definition.sampler.name == LISTED:
        return len(definition.start_with)
    space = definition.space
    if definition.sampler.name not in ENUMERATED or not space or not all(map(is_finite, space)):
        return None
    found = sum(1 for _ in configurations(space, most + 1))
    return found if found <= most else None
