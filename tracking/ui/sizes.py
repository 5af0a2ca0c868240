"""Sizes in bytes as text. Pure."""

from __future__ import annotations


def size(count: int) -> str:
    """Return a number of bytes in decimal units, as file managers show it: `0 B`, `1.5 kB`, `12 MB`."""
    if count < 1000:
        return f"{count} B"
    value, units = count / 1000, ["kB", "MB", "GB", "TB", "PB"]
    while value >= 999.5 and len(units) > 1:
        value /= 1000
        del units[0]
    return f"{value:,.1f} {units[0]}" if value < 9.95 else f"{value:,.0f} {units[0]}"


def memory(count: int) -> str:
    """Return an amount of main memory in the binary unit it is sold in: `15.6 GiB`."""
    return f"{count / 2**30:,.1f} GiB"
