"""The sweeps page: the list of sweeps, and what it says where there is none."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pandas as pd
import streamlit as st

from tracking.config import StoreLocation
from tracking.sweep_records import SweepRecord
from tracking.ui import feedback, format, grid, navigation, state, sweep_format
from tracking.ui.markdown import escape
from tracking.ui.tables import MAX_HEADING, MAX_NAME, Cells, Table, TableColumn

if TYPE_CHECKING:
    from tracking.store import Store

ROWS: Final = 20
SHOWN: Final = 500
"""Sweeps in the table; more than anybody reads through."""
SHELL: Final = """\
tracking sweep targets                      # what can be tuned in this project
tracking sweep init train.py > sweep.toml   # a definition to edit
tracking sweep start sweep.toml
"""


def show_empty(location: StoreLocation) -> None:
    """Say that there is no sweep, and how to start one."""
    feedback.empty(
        "No sweeps yet",
        "A sweep tries out options of your own training script, a function marked @tracking.tunable, or a model "
        "on a table, and looks for the best. Each trial is a run. Start one here with New sweep, "
        "or in a terminal in the project's folder:",
    )
    named = f"export TRACKING_STORE={shlex.quote(str(location.root))}\n" if location.named else ""
    st.code(named + SHELL, language="bash")


def draw(store: Store) -> bool:
    """Draw the list as it is now; returns whether one of them is live."""
    records = store.sweeps()
    shown = records[:SHOWN]
    grid.show(
        table(shown, datetime.now(UTC)),
        alt="Sweeps with their state, progress and best result",
        key="sweeps.table",
        rows=ROWS,
        on_open=lambda row: navigation.open_sweep(shown[row].name),
    )
    st.caption(
        f"Showing {format.count(len(shown))} of {format.plural(len(records), 'sweep')}. Click a name to open one."
    )
    return any(record.state.is_live for record in records)


def table(records: Sequence[SweepRecord], now: datetime) -> Table:
    """Return the list of sweeps as a table."""
    cells = Cells()
    opens = TableColumn("Sweep", help="Click the name to open the sweep", pinned=True)
    cells.put_names("name", [format.shorten_middle(each.name, MAX_NAME) for each in records], opens)
    cells.put_text(
        "state", [sweep_format.state(record.state) for record in records], TableColumn("State", width=116)
    )
    cells.put_numbers(
        "done",
        [record.done for record in records],
        TableColumn("Trials", help="That count against the budget, and the budget"),
        [sweep_format.done(record) for record in records],
    )
    failed = [sweep_format.failed(record) for record in records]
    cells.put_numbers("failed", failed, TableColumn("Failed"), list(map(format.count, failed)))
    best = [sweep_format.best(record) for record in records]
    said = TableColumn("Best", help="Of several objectives: how many trials no other one is better than")
    cells.put_names("best", best, replace(said, align="right"))
    wanted = [
        format.shorten(", ".join(sweep_format.objective(each) for each in record.objectives), MAX_HEADING)
        for record in records
    ]
    cells.put_names("metric", wanted, TableColumn("Of", help="↑ more is better, ↓ less is better"))
    rates = [sweep_format.pace(record) for record in records]
    if any(rate is not None for rate in rates):
        said = TableColumn("Rate", help="Trials that count: of late, and on average of one that does not run")
        cells.put_numbers("rate", rates, said, list(map(sweep_format.rate_text, rates)))
    if any(record.state.is_live for record in records):
        left = [record.eta if record.state.is_live else None for record in records]
        cells.put_numbers("left", left, TableColumn("Left", help="About"), list(map(format.duration, left)))
    created = [record.created for record in records]
    cells.put("created", pd.Series(pd.to_datetime(created, utc=True)), TableColumn("Started"))
    cells.texts["created"] = [format.ago(when, now) for when in created]
    if any(record.confirms for record in records):
        confirmed = [format.shorten_middle(each.confirms or format.ABSENT, MAX_HEADING) for each in records]
        about = "The sweep whose best configurations it runs again"
        cells.put_names("confirms", confirmed, TableColumn("Confirms", help=about), MAX_HEADING)
    cells.put_names("target", [record.target for record in records], TableColumn("Target"), MAX_HEADING)
    samplers = [record.sampler or format.ABSENT for record in records]
    cells.put_names("sampler", samplers, TableColumn("Sampler"), MAX_HEADING)
    return cells.table()


def going_on(store: Store) -> None:
    """Draw the sweeps that are live, for the overview: name, progress, best so far."""
    live = [record for record in store.sweeps() if record.state.is_live]
    if not live:
        return
    st.subheader("Sweeps going on")
    with st.container(border=True, gap="small"):
        for record in live[:6]:
            name, progress, best = st.columns([3, 4, 4], vertical_alignment="center")
            with name:
                sweep_link(record.name)
            with progress:
                show_progress(record, brief=True)
            text = (
                f"best {sweep_format.best_values(record, record.best[0])}" if record.best else "no result yet"
            )
            best.caption(escape(text))
        if len(live) > 6:
            st.caption(f"and {format.count(len(live) - 6)} more")


def sweep_link(name: str, label: str | None = None) -> None:
    """Draw a link to the page of a sweep."""
    st.page_link(
        state.SWEEP_PAGE,
        label=escape(format.shorten_middle(label or name, 60)),
        query_params={state.SWEEP: name},
    )


def show_progress(record: SweepRecord, *, brief: bool = False) -> None:
    """Draw how far a sweep is: a bar where it has a budget."""
    share = sweep_format.share(record)
    text = sweep_format.progress(record, brief=brief)
    if share is None:
        st.caption(escape(text))
        return
    with st.container(key=f"sweep.progress.{record.study}"):
        st.progress(share, escape(text))
