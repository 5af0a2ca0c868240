"""The order in which people read names with numbers in them."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"([0-9]{1,18})")

NaturalKey = tuple[list[tuple[bool, int, str]], str]


def natural(name: str) -> NaturalKey:
    """Return a sort key under which `layer.9` comes before `layer.10`, and capitals beside small letters."""
    parts = _NUMBER.split(name.casefold())
    # Numbers are at the odd places: two keys never compare a number with a word.
    return [(bool(place % 2), int(part) if place % 2 else 0, part) for place, part in enumerate(parts)], name
