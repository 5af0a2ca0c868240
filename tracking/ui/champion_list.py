"""Who is champion of which model, since when: a section of the Overview page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

import pandas as pd
import streamlit as st

from tracking.registry_records import CHAMPION, ModelRecord, VersionRecord
from tracking.ui import format, grid, navigation, registry_cache, state
from tracking.ui.overview import MAX_EXPERIMENT, MAX_RUN
from tracking.ui.tables import Cells, Table, TableColumn

if TYPE_CHECKING:
    from tracking.store import Store

ROWS: Final = 10


def draw(store: Store, now: datetime) -> None:
    """Draw the champions, the one that came last first; nothing where there is none."""
    found = holders(registry_cache.models(store), registry_cache.champions(store))
    if not found:
        return
    shown = found[:ROWS]
    st.subheader("Champions")
    grid.show(
        table(shown, now),
        alt="The champion of each model, with its run and since when",
        key="overview.champions",
        on_open=lambda row: navigation.open_model(shown[row][0].name),
    )
    if len(found) > len(shown):
        st.page_link(state.MODELS_PAGE, label=f"All {format.count(len(found))} models with a champion")


def holders(
    models: Sequence[ModelRecord], champions: Mapping[str, Sequence[VersionRecord]]
) -> list[tuple[ModelRecord, VersionRecord]]:
    """Return each model that has a champion with its version, the one that came last first."""
    by_model = {version.model: version for versions in champions.values() for version in versions}
    found = [(model, by_model[model.name]) for model in models if model.name in by_model]
    return sorted(found, key=lambda each: each[0].since[CHAMPION], reverse=True)


def table(found: Sequence[tuple[ModelRecord, VersionRecord]], now: datetime) -> Table:
    """Return the table of champions."""
    cells = Cells()
    opens = TableColumn("Model", help="Click the name to see its versions and journal", pinned=True)
    cells.put_names("name", [model.name for model, _ in found], opens, MAX_EXPERIMENT)
    numbers = [version.number for _, version in found]
    cells.put_numbers("version", numbers, TableColumn("Version"), list(map(str, numbers)))
    overridden = [CHAMPION in model.overridden for model, _ in found]
    if any(overridden):
        about = "It was promoted against the gates of the model; the journal has the reason"
        cells.put_text(
            "gates", ["overridden" if each else "" for each in overridden], TableColumn("Gates", help=about)
        )
    cells.put_names("run", [version.run_name for _, version in found], TableColumn("Run"), MAX_RUN)
    cells.put_names(
        "experiment", [version.experiment for _, version in found], TableColumn("Experiment"), MAX_EXPERIMENT
    )
    since = [model.since[CHAMPION] for model, _ in found]
    cells.put(
        "since",
        pd.Series(pd.to_datetime(since, utc=True)),
        TableColumn("Since", help="Since when it has been champion"),
    )
    cells.texts["since"] = [format.ago(when, now) for when in since]
    return cells.table()
