"""The reader's time zone, as the browser tells it."""

from __future__ import annotations

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

import streamlit as st


def reader_zone() -> tzinfo:
    """Return the zone of the browser, UTC where it is unknown."""
    name = st.context.timezone
    try:
        return ZoneInfo(name) if name else UTC
    except (KeyError, OSError, ValueError):  # no such zone in this machine's database
        return UTC


def reader_offset() -> float:
    """Return the seconds that the reader's clock is ahead of UTC."""
    minutes_behind = st.context.timezone_offset
    return 0.0 if minutes_behind is None else -60.0 * minutes_behind
