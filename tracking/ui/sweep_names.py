"""Names of params where there is little room: cut so that they can still be told apart. Pure."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence

from tracking.ui import format

KEPT_BEFORE = 3
"""So many characters of what names have in common are left before what tells them apart, at most a third."""


def short(names: Sequence[str], limit: int) -> dict[str, str]:
    """Return names of at most `limit` characters for those given, different ones where that can be.

    A dotted name keeps its end, another one its beginning and its end. Where names would become the same, what they
    have in common at their beginning and their end is left out first.

    Args:
        names: Of params that are shown beside each other.
        limit: At least 6.
    """
    found = {name: _cut(name, limit) for name in names}
    alike = defaultdict(list)
    for name, cut in found.items():
        alike[cut].append(name)
    for group in alike.values():
        if len(group) > 1:
            before = len(os.path.commonprefix(group))
            found.update(
                {name: _around(" ".join(format.readable(name).split()), before, limit) for name in group}
            )
    return found


def _cut(name: str, limit: int) -> str:
    if "." in name:
        return format.shorten_key(name, limit)
    return format.shorten_middle(name, limit, end=limit // 2)


def _around(name: str, place: int, limit: int) -> str:
    """Return the part of a name around the place from which it differs from others."""
    start = 0 if place <= limit - 4 else place - min(KEPT_BEFORE, limit // 3)
    mark = "…" if start else ""
    part = name[start:]
    room = limit - len(mark)
    return mark + (part if len(part) <= room else part[: room - 1] + "…")
