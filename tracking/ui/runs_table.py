"""The runs page: its controls, and the table with what can be done with the ticked runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from tracking.records import ExperimentRecord
from tracking.ui import cache, format, grid, navigation, state, tables
from tracking.ui.runs_frame import (
    METRIC,
    PARAM,
    automatic_columns,
    candidate_columns,
    keep_rows,
    order_term,
)
from tracking.ui.zone import reader_zone

if TYPE_CHECKING:
    import pandas as pd

    from tracking.store import Store

PAGE_SIZE = 100
TABLE_ROWS = 17
FILTER_HELP = """\
An expression over `metrics.<key>` (last value), `params.<key>`, `status`, `name`, `tags`, `created`,
`duration` (seconds), `group`, `notes`:

- `metrics.val_accuracy > 0.9 and params.lr < 0.01`
- `metrics["val/loss"] < 0.3`, `max(metrics.accuracy) > 0.95`
- `status in ("failed", "lost")`, `"baseline" in tags`
- `matches(name, "mlp-*")`, `created > "2026-01-31"`
"""


@dataclass(frozen=True, slots=True)
class RunsControls:
    """What the reader asked for.

    Attributes:
        experiment: Only runs of this one, None for all.
        where: The filter as typed.
        order_by: In the filter language.
        columns: Metric and param columns chosen, empty for the automatic choice.
        candidates: Columns to look at for the automatic choice.
        error_place: Where an error of the filter belongs.
    """

    experiment: str | None
    where: str
    order_by: str
    columns: tuple[str, ...]
    candidates: tuple[str, ...]
    error_place: Any

    def query(self, after: str | None) -> cache.RunsQuery:
        """Return what to ask the store, for the page of the table that begins after a run."""
        return cache.RunsQuery(
            where=self.where,
            experiment=self.experiment,
            order_by=self.order_by,
            limit=PAGE_SIZE,
            after=after,
            columns=self.columns or self.candidates,
        )


def controls(store: Store, experiments: Mapping[str, ExperimentRecord]) -> RunsControls:
    """Draw the controls over the table; every one is in the address."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        experiment = st.selectbox(
            "Experiment",
            list(experiments),
            index=None,
            placeholder="All experiments",
            key=state.EXPERIMENT,
            bind="query-params",
            on_change=_first_page,
            width=240,
        )
        where = st.text_input(
            "Filter",
            key=state.WHERE,
            bind="query-params",
            on_change=_first_page,
            placeholder="metrics.accuracy > 0.9 and params.lr < 0.01",
            icon="",
            autocomplete="off",
            help=FILTER_HELP,
        )
    error_place = st.container()
    catalogue = cache.keys(store, experiment)
    keys = [*(METRIC + key for key in catalogue.metrics), *(PARAM + key for key in catalogue.params)]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        sort = st.selectbox(
            "Sort by",
            ["created", "duration", "name", "status", *keys],
            key=state.SORT,
            bind="query-params",
            on_change=_first_page,
            help="Over all pages of the table. Missing values and NaN come last either way.",
            width=240,
        )
        order = st.segmented_control(
            "Order",
            ["desc", "asc"],
            default="desc",
            required=True,
            key=state.ORDER,
            bind="query-params",
            on_change=_first_page,
            help="Largest or newest first (desc), or last (asc)",
        )
        columns = st.multiselect(
            "Columns",
            keys,
            key=state.COLUMNS,
            bind="query-params",
            placeholder="Automatic: metrics with a goal, params that differ",
            help="Which metrics and params to show. Empty: those that tell the runs apart.",
        )
    goals = cache.goals(store, None if experiment is None else [experiment])
    return RunsControls(
        experiment=experiment,
        where=(where or "").strip(),
        order_by=f"{order_term(sort or 'created')} {'asc' if order == 'asc' else 'desc'}",
        columns=tuple(columns),
        candidates=candidate_columns(catalogue, goals),
        error_place=error_place,
    )


def draw(store: Store, query: cache.RunsQuery, columns: tuple[str, ...]) -> None:
    """Draw one page of the table, the ticked runs' actions above and the other pages below.

    While rows are ticked the table keeps its rows in their places, with their values
    as they are now: ticks are positions, and a new run on top would move them to others.
    """
    key = table_key(query, _generation())
    fresh = cache.search(store, query)
    shown = _shown_before(key)
    held = shown is not None and bool(grid.chosen_before(key))
    rows = keep_rows(shown, fresh) if held and shown is not None else fresh
    arrived = len(fresh[~fresh["run"].isin(rows["run"])]) if held else 0
    goals = cache.goals(store, None if query.experiment is None else [query.experiment])
    ids = rows["run"].tolist()
    actions = st.container(horizontal=True, vertical_alignment="center", gap="small")
    chosen = grid.choose(
        tables.runs_table(
            rows,
            columns or automatic_columns(rows, goals),
            goals,
            zone=reader_zone(),
            with_experiment=query.experiment is None,
        ),
        alt="Runs with their status, metrics and params",
        key=key,
        rows=TABLE_ROWS,
        on_open=lambda row: navigation.open_run(ids[row]),
    )
    st.session_state[state.SHOWN_RUNS] = (key, rows)
    with actions:
        _actions([ids[row] for row in chosen], arrived)
        navigation.follow()
    _pages(store, query, rows)


def any_live(store: Store, query: cache.RunsQuery) -> bool:
    """Whether a run of the experiment, or of any, is live."""
    return any(
        experiment.live
        for experiment in cache.experiments(store)
        if query.experiment in (None, experiment.name)
    )


def _actions(chosen: list[str], arrived: int) -> None:
    count = len(chosen)
    too_many = count > state.MAX_RUNS
    if st.button(
        f"Compare {count} runs" if count > 1 else "Compare",
        type="primary" if count > 1 else "secondary",
        disabled=count < 2 or too_many,
        key="runs.compare",
        help=f"Tick two to {state.MAX_RUNS} runs at the left of the table",
    ):
        navigation.open_compare(chosen)
    if count == 1 and st.button("Open the run", key="runs.open", type="primary"):
        navigation.open_run(chosen[0])
    if count:
        st.button("Clear", key="runs.clear", on_click=_forget)
    if too_many:
        st.caption(f"{count} are ticked; a comparison takes up to {state.MAX_RUNS}.")
    elif not count:
        st.caption("Click a name to open a run; tick two or more to compare them.")
    if arrived:
        st.caption(f"{format.plural(arrived, 'new run')} on this page: clear the ticks to see.")


def _pages(store: Store, query: cache.RunsQuery, rows: pd.DataFrame) -> None:
    """Say which part of the runs is shown, and lead to the others."""
    total = cache.count(store, query)
    before: list[str | None] = st.session_state.get(state.PAGES_BEFORE, [])
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"Showing {format.count(len(rows))} of {format.plural(total, 'run')}")
        if query.after is not None:
            if st.button("First page", key="runs.first"):
                _first_page()
                st.rerun()
            if before and st.button("Previous", key="runs.previous"):
                state.set_after(before[-1])
                st.session_state[state.PAGES_BEFORE] = before[:-1]
                st.rerun()
        if _has_next(store, query, rows) and st.button(f"Next {PAGE_SIZE}", key="runs.next"):
            st.session_state[state.PAGES_BEFORE] = [*before, query.after]
            state.set_after(rows["run"].iloc[-1])
            st.rerun()


def _has_next(store: Store, query: cache.RunsQuery, rows: pd.DataFrame) -> bool:
    if len(rows) < query.limit:
        return False
    following = replace(query, after=str(rows["run"].iloc[-1]), limit=1, columns=())
    return not cache.search(store, following).empty


def _first_page() -> None:
    state.set_after(None)
    st.session_state.pop(state.PAGES_BEFORE, None)


def _forget() -> None:
    """Untick everything: the table gets a new identity."""
    st.session_state[state.TABLE_GENERATION] = _generation() + 1


def _generation() -> int:
    return int(st.session_state.get(state.TABLE_GENERATION, 0))


def table_key(query: cache.RunsQuery, generation: int) -> str:
    """Return the key of the table: other runs or another order are another table, with no ticks."""
    asked = (query.where, query.experiment, query.order_by, query.after, generation)
    return f"runs.table.{hashlib.blake2b(repr(asked).encode(), digest_size=6).hexdigest()}"


def _shown_before(key: str) -> pd.DataFrame | None:
    held = st.session_state.get(state.SHOWN_RUNS)
    return held[1] if held is not None and held[0] == key else None
