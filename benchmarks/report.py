"""One measured row, and the table of all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Row:
    """What was measured, in one unit, with what it is held against.

    `target` bounds the value, `ratio_target` the value divided by `reference`; both
    are upper bounds unless `more_is_better`.
    """

    what: str
    value: float
    unit: str
    target: float | None = None
    reference: float | None = None
    ratio_target: float | None = None
    more_is_better: bool = False
    peers: dict[str, float] = field(default_factory=dict)
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.value / self.reference if self.reference else None

    @property
    def reached(self) -> bool | None:
        """Whether every bound holds, None when there is none to hold."""
        held = [(self.value, self.target), (self.ratio, self.ratio_target)]
        bounds = [(value, bound) for value, bound in held if value is not None and bound is not None]
        if not bounds:
            return None
        return all(value >= bound if self.more_is_better else value <= bound for value, bound in bounds)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio, "reached": self.reached}


def number(value: float | None, unit: str = "") -> str:
    """Return three significant digits, with thousands separated."""
    if value is None:
        return ""
    if value == 0 or abs(value) >= 100:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.3g}"
    return f"{text} {unit}".strip()


def target_text(row: Row) -> str:
    sign = "≥" if row.more_is_better else "≤"
    parts = []
    if row.target is not None:
        parts.append(f"{sign} {number(row.target, row.unit)}")
    if row.ratio_target is not None:
        parts.append(f"{sign} {number(row.ratio_target)} × ref")
    return ", ".join(parts)


def table(rows: Iterable[Row], peers: Iterable[str]) -> str:
    """Return the rows as aligned text: a line each, notes below their row."""
    peers = list(peers)
    mark = {True: "yes", False: "NO", None: ""}
    head = ["what", "here", "to reach", "reached", "reference", "ratio", *peers]
    lines = [head]
    notes: dict[int, str] = {}
    for row in rows:
        if row.note:
            notes[len(lines)] = row.note
        lines.append(
            [
                row.what,
                number(row.value, row.unit),
                target_text(row),
                mark[row.reached],
                number(row.reference, row.unit),
                number(row.ratio),
                *(number(row.peers.get(peer), row.unit) for peer in peers),
            ]
        )
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    text = []
    for index, line in enumerate(lines):
        cells = [line[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        text.append("  ".join(cells).rstrip())
        if index == 0:
            text.append("-" * len(text[0]))
        if index in notes:
            text.append(f"    {notes[index]}")
    return "\n".join(text)
