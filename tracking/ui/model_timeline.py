"""Who held which alias when, read from the journal, and its chart. Pure."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from tracking.registry_records import CHAMPION, JournalEntry, JournalKind
from tracking.ui import format
from tracking.ui.charts import Figure
from tracking.ui.colours import PALETTE, on

LANE: Final = 46
"""Pixels of an alias."""
AROUND: Final = 96
MOST_BARS: Final = 400
_BAR: Final = 0.6
_MARK: Final = 0.41
"""Of a lane, from its middle up to a try that was refused: beside the bars, whose names stay readable."""
NARROW: Final = 0.002
"""Share of the time in view below which a bar cannot be seen."""
LONGEST_REASON: Final = 160
_GIVES: Final = {JournalKind.PROMOTE: "promoted", JournalKind.ROLLBACK: "rolled back to"}
AGAINST: Final = "against its gates"


@dataclass(frozen=True, slots=True)
class Holding:
    """A stretch of time in which a version held an alias.

    Attributes:
        alias: Which one.
        version: Number of the holder.
        since: When it got the alias (UTC).
        until: When it lost it, None while it holds it.
        entry: The row of the journal that gave it.
        overridden: It got the alias against a gate, now or at an earlier time.
    """

    alias: str
    version: int
    since: datetime
    until: datetime | None
    entry: JournalEntry
    overridden: bool = False


def holdings(journal: Sequence[JournalEntry]) -> list[Holding]:
    """Return who held which alias when, in the order of the journal.

    Args:
        journal: Rows of one model, oldest first.
    """
    found: list[Holding] = []
    current: dict[str, JournalEntry] = {}
    against: set[tuple[str, int | None]] = set()

    def held(entry: JournalEntry, until: datetime | None) -> None:
        if entry.alias is not None and entry.version is not None:
            marked = (entry.alias, entry.version) in against
            found.append(Holding(entry.alias, entry.version, entry.at, until, entry, marked))

    for entry in journal:
        if entry.alias is None or entry.kind not in (*_GIVES, JournalKind.RETIRE):
            continue
        if (before := current.pop(entry.alias, None)) is not None:
            held(before, entry.at)
        if entry.overridden:
            against.add((entry.alias, entry.version))
        if entry.kind is not JournalKind.RETIRE:
            current[entry.alias] = entry
    for entry in current.values():
        held(entry, None)
    return sorted(found, key=lambda each: each.entry.position)


def chart(journal: Sequence[JournalEntry], now: datetime, zone_offset: float) -> tuple[Figure, str]:
    """Return a lane for each alias with a bar for each holder, and the line that says what is drawn.

    Args:
        journal: Rows of one model, oldest first.
        now: Where the bars of present holders end.
        zone_offset: Seconds that the reader's clock is ahead of UTC.
    """
    held = holdings(journal)
    refused = [entry for entry in journal if entry.kind is JournalKind.REFUSE and entry.alias is not None]
    lanes = aliases(journal)
    shown = held[-MOST_BARS:]
    traces = []
    for overridden in (False, True):
        here = [each for each in shown if each.overridden is overridden]
        if here:
            traces.append(_bars(here, lanes, overridden, now, zone_offset))
    if refused:
        traces.append(_refusals(refused[-MOST_BARS:], lanes, zone_offset))
    among = "1 alias" if len(lanes) == 1 else f"{format.count(len(lanes))} aliases"
    holders = len({(each.alias, each.version) for each in held})
    note = f"{format.plural(holders, 'holder')} of {among}"
    if holders < len(held):
        note += f", {format.plural(len(held), 'term')}"
    if len(shown) < len(held):
        note += f" · drawn: the newest {format.count(len(shown))}"
    if tiny := _tiny(shown, now):
        note += f" · {format.count(tiny)} held it too shortly to be seen before you zoom in"
    if refused:
        tries = "1 try" if len(refused) == 1 else f"{format.count(len(refused))} tries"
        note += f" · ✕ {tries} refused"
    return {"data": traces, "layout": _layout(lanes)}, note


def _tiny(shown: Sequence[Holding], now: datetime) -> int:
    """Return how many bars are narrower than a pixel or two while everything is in view."""
    if not shown:
        return 0
    lasted = [((each.until or now) - each.since).total_seconds() for each in shown]
    span = (max(each.until or now for each in shown) - min(each.since for each in shown)).total_seconds()
    return sum(each < span * NARROW for each in lasted)


def height(journal: Sequence[JournalEntry]) -> int:
    """Return the pixels that the chart takes."""
    return AROUND + LANE * max(1, len(aliases(journal)))


def aliases(journal: Sequence[JournalEntry]) -> list[str]:
    """Return the aliases that the journal speaks of, `champion` first."""
    found = {entry.alias for entry in journal if entry.alias is not None}
    return sorted(found, key=lambda alias: (alias != CHAMPION, alias))


def alt(journal: Sequence[JournalEntry]) -> str:
    """Return what the chart shows, for those who cannot see it."""
    current = [each for each in holdings(journal) if each.until is None]
    said = ", ".join(
        f"v{each.version} holds {each.alias} since {each.since:%Y-%m-%d %H:%M} UTC" for each in current
    )
    return f"Which version held each alias when. Now: {said or 'nobody holds one'}."


def _bars(
    here: Sequence[Holding], lanes: Sequence[str], overridden: bool, now: datetime, zone_offset: float
) -> dict[str, Any]:
    ends = [each.until or max(now, each.since) for each in here]
    return {
        "type": "bar",
        "orientation": "h",
        "name": AGAINST if overridden else "as its gates ask",
        "showlegend": overridden,
        "base": [_milliseconds(each.since, zone_offset) for each in here],
        "x": [
            max(1.0, (end - each.since).total_seconds() * 1e3) for each, end in zip(here, ends, strict=True)
        ],
        "y": [lanes.index(each.alias) for each in here],
        "width": _BAR,
        "text": [_on_bar(each) for each in here],
        "textposition": "inside",
        "insidetextanchor": "middle",
        "textangle": 0,
        "textfont": {"color": [on(_colour(each)) for each in here]},
        "marker": {
            "color": [_colour(each) for each in here],
            "line": {"width": 1, "color": "rgba(255,255,255,0.7)"},
            "pattern": {
                "shape": "/" if overridden else "",
                "fillmode": "overlay",
                "fgcolor": "#ffffff",
                "fgopacity": 0.5,
                "size": 8,
                "solidity": 0.15,
            },
        },
        "customdata": [
            f"v{each.version} {_GIVES[each.entry.kind]}{f' {AGAINST}' * each.entry.overridden}, "
            f"{format.duration((end - each.since).total_seconds())}{' so far' * (each.until is None)}"
            f"<br>{_by(each.entry)}"
            for each, end in zip(here, ends, strict=True)
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _colour(held: Holding) -> str:
    return PALETTE[(held.version - 1) % len(PALETTE)]


def _on_bar(held: Holding) -> str:
    back = "↩ " if held.entry.kind is JournalKind.ROLLBACK else ""
    return f"{back}v{held.version}{' !' * held.overridden}"


def _refusals(entries: Sequence[JournalEntry], lanes: Sequence[str], zone_offset: float) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "refused",
        "x": [_milliseconds(entry.at, zone_offset) for entry in entries],
        "y": [lanes.index(entry.alias or "") - _MARK for entry in entries],
        "marker": {
            "symbol": "x",
            "size": 8,
            "color": "#c1007c",
            "line": {"width": 1, "color": "#ffffff"},
        },
        "customdata": [f"v{entry.version} refused<br>{_by(entry)}" for entry in entries],
        "hovertemplate": "%{customdata}<extra></extra>",
        "cliponaxis": False,
    }


def _by(entry: JournalEntry) -> str:
    said = f"by {format.shorten(entry.by, 60)}" if entry.by else "by nobody known"
    if entry.reason:
        said += f": {format.shorten(entry.reason, LONGEST_REASON)}"
    return "<br>".join(_lines(said))


def _lines(said: str, width: int = 70) -> list[str]:
    """Return the text in lines for a hover label, which wraps nothing itself; no markup in it."""
    lines = [""]
    for word in said.split(" "):
        if lines[-1] and len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word[:width]
    return [html.escape(line, quote=False) for line in lines]


def _milliseconds(when: datetime, zone_offset: float) -> float:
    # Plotly's date axes take milliseconds and know no zones.
    return when.timestamp() * 1e3 + zone_offset * 1e3


def _layout(lanes: Sequence[str]) -> Figure:
    return {
        "barmode": "overlay",
        "margin": {"l": 8, "r": 12, "t": 8, "b": 40},
        "showlegend": True,
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "hovermode": "closest",
        "uniformtext": {"mode": "hide", "minsize": 9},
        "xaxis": {"type": "date", "title": {"text": "time", "standoff": 6}, "zeroline": False},
        "yaxis": {
            "type": "linear",
            "tickmode": "array",
            "tickvals": list(range(len(lanes))),
            "ticktext": [html.escape(alias, quote=False) for alias in lanes],
            "range": [len(lanes) - 0.5, -0.5],
            "zeroline": False,
            "title": {"text": "alias", "standoff": 6},
            "fixedrange": True,
            "automargin": True,
            "showgrid": False,
        },
    }
