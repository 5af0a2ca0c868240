"""Stored times, microseconds since 1970-01-01 UTC, as dates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = 253_402_214_400_000_000
"""The last day of the year 9999, which is as far as Python's dates go."""


def moment(microseconds: int) -> datetime:
    """Return the date of a stored time."""
    # A clock that ran wild must not make a store unreadable.
    return _EPOCH + timedelta(microseconds=min(max(microseconds, 0), _LAST))
