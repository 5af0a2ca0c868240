"""Marks of runs whose models are registered: which versions they are, and which aliases those hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from tracking.registry_records import CHAMPION, VersionRecord
from tracking.ui import format
from tracking.ui.markdown import escape

MOST = 6
NAME = 40
REASON = 300


@dataclass(frozen=True, slots=True)
class Mark:
    """A badge.

    Attributes:
        label: What it says.
        about: Its help.
        colour: Orange for what was promoted against its gates.
    """

    label: str
    about: str
    colour: Literal["green", "orange", "gray", "blue"]


def marks(versions: Sequence[VersionRecord]) -> list[Mark]:
    """Return a mark for each alias that a run's versions hold, then one for each version that holds none."""
    found = [_holding(version, alias) for version in versions for alias in version.aliases]
    found += [
        Mark(
            f"{format.shorten_middle(version.model, NAME)}, version {version.number}",
            f"Its model is version {version.number} of {version.model}, which holds no alias now.",
            "gray",
        )
        if not version.overridden
        else _before(version)
        for version in versions
        if not version.aliases
    ]
    return found


def _before(version: VersionRecord) -> Mark:
    """Return the mark of a version that got aliases against its gates and holds none any more."""
    why = "; ".join(f"{alias}: {format.shorten(said, REASON)}" for alias, said in version.overridden.items())
    return Mark(
        f"{format.shorten_middle(version.model, NAME)}, version {version.number}, overridden",
        f"It holds no alias now. It was promoted before against the gates of {version.model}. The reason given for "
        f"{why}",
        "orange",
    )


def _holding(version: VersionRecord, alias: str) -> Mark:
    said = f"{alias} of {format.shorten_middle(version.model, NAME)}, version {version.number}"
    reason = version.overridden.get(alias)
    if reason is not None:
        why = format.shorten(reason, REASON)
        about = f"It was promoted against the gates of {version.model}. The reason given: {why}"
        return Mark(f"{said}, overridden", about, "orange")
    if version.overridden:
        others = ", ".join(version.overridden)
        about = f"It got {others} against the gates of {version.model}, at one time or another."
        return Mark(f"{said}, overridden for {others}", about, "orange")
    return Mark(
        said,
        f"load_model(“{version.model}@{alias}”) gives its model.",
        "green" if alias == CHAMPION else "blue",
    )


def draw(versions: Sequence[VersionRecord]) -> None:
    """Draw the badges of a run's versions, for a row that there is already."""
    found = marks(versions)
    for mark in found[:MOST]:
        # The badge escapes the brackets itself.
        label = escape(mark.label).replace("\\[", "[").replace("\\]", "]")
        st.badge(label, color=mark.colour, help=escape(mark.about))
    if len(found) > MOST:
        st.caption(f"and {format.plural(len(found) - MOST, 'version')} more", width="content")


def in_table(champions: Mapping[str, Sequence[VersionRecord]], runs: Sequence[str]) -> list[str]:
    """Return which models the runs of a table are champion of, as cells; all empty where none of them is.

    Args:
        champions: Holders of `champion` by the id of their run.
        runs: Ids, in the order of the table.
    """
    return [
        ", ".join(
            f"★ {format.shorten_middle(version.model, NAME)}"
            + " (overridden)" * (CHAMPION in version.overridden)
            for version in champions.get(run, ())
        )
        for run in runs
    ]
