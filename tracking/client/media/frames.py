"""Data frames of pandas, which is not imported: who holds a frame has it."""

from __future__ import annotations

from typing import Any

INDEX = "__index_level_"
"""How pandas calls an unnamed index in a file."""


def is_pandas(value: Any) -> bool:
    """Whether a value is a frame or a series of pandas."""
    return type(value).__module__.split(".")[0] == "pandas" and hasattr(value, "iloc")


def columns_of_frame(frame: Any) -> list[tuple[str, Any]]:
    """Return name and series of each column of a frame or series, before them the levels of its index that have names.

    An index without a name says nothing but the row's number or what a filter left of it, and is not kept.
    """
    if not hasattr(frame, "columns"):
        frame = frame.to_frame(name="value" if frame.name is None else frame.name)
    index = frame.index
    levels = [
        (_name(name), index.get_level_values(at).to_series(index=range(len(index))))
        for at, name in enumerate(index.names)
        if name is not None
    ]
    return levels + [(_name(name), frame.iloc[:, at]) for at, name in enumerate(frame.columns)]


def _name(name: Any) -> str:
    return ".".join(map(str, name)) if isinstance(name, tuple) else str(name)
