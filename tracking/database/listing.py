"""Runs by the beginning of their id, and searches of any length in bounded memory."""

from __future__ import annotations

from sqlalchemy import Connection, select

from tracking.database.run_writes import runs
from tracking.errors import InvalidValue, NotFound
from tracking.validation import storable

_LISTED = 5


def find_run(connection: Connection, beginning: str) -> str:
    """Return the id of the one run whose id is, or begins with, `beginning`; also from the trash.

    Raises:
        NotFound: There is none.
        InvalidValue: There are several.
    """
    wanted = storable(beginning.strip()) if isinstance(beginning, str) else ""
    if not wanted:
        raise NotFound(f"There is no run {beginning!r:.80}: give its id, or the beginning of it.")
    for text in dict.fromkeys((wanted, wanted.lower())):
        after = text[:-1] + chr(min(ord(text[-1]) + 1, 0x10FFFF))
        matching = select(runs.c.uid).where(runs.c.uid >= text, runs.c.uid < after)
        found = list(connection.execute(matching.order_by(runs.c.uid).limit(_LISTED + 1)).scalars())
        if text in found or len(found) == 1:
            return text if text in found else found[0]
        if found:
            listed = ", ".join(found[:_LISTED]) + (", …" if len(found) > _LISTED else "")
            raise InvalidValue(
                f"{text!r:.80} is the beginning of several runs: {listed}. Give more of the id."
            )
    raise NotFound(f"There is no run {beginning!r:.80} in this store. List its runs: python -m tracking runs")
