"""The runs page: its controls, and the table with what can be done with the ticked runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from tracking.errors import FilterError
from tracking.records import ExperimentRecord
from tracking.ui import cache, champion_marks, format, grid, navigation, registry_cache, state, tables
from tracking.ui.runs_frame import (
    METRIC,
    PARAM,
    automatic_columns,
    candidate_columns,
    goals_with_stand_ins,
    keep_rows,
    order_term,
)
from tracking.ui.zone import reader_zone

if TYPE_CHECKING:
    import pandas as pd

    from tracking.store import Store

PAGE_SIZE = 100
HIGHEST_FIRST, LOWEST_FIRST = "highest first", "lowest first"
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
            help="Orders all runs, on all pages; missing values and NaN come last either way. "
            "A click on the heading of a column sorts only the runs of the page shown.",
            width=240,
        )
        order = st.segmented_control(
            "Order",
            [HIGHEST_FIRST, LOWEST_FIRST],
            default=HIGHEST_FIRST,
            required=True,
            key=state.ORDER,
            bind="query-params",
            on_change=_first_page,
            help="Highest first is also newest, longest and Z first",
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
        order_by=f"{order_term(sort or 'created')} {'asc' if order == LOWEST_FIRST else 'desc'}",
        columns=tuple(columns),
        candidates=candidate_columns(catalogue, goals),
        error_place=error_place,
    )


def draw(store: Store, query: cache.RunsQuery, columns: tuple[str, ...]) -> None:
    """Draw one page of the table, the ticked runs' actions above and the other pages below.

    While rows are ticked the table keeps its rows in their places, with their values
    as they are now: a new run on top would move the ticks while somebody sets them.
    """
    key = table_key(query, _generation())
    fresh = cache.search(store, query)
    shown = _shown_before(key)
    held = shown is not None and bool(grid.chosen_before(key))
    rows = keep_rows(shown, fresh) if held and shown is not None else fresh
    arrived = len(fresh[~fresh["run"].isin(rows["run"])]) if held else 0
    goals = goals_with_stand_ins(
        rows, cache.goals(store, None if query.experiment is None else [query.experiment])
    )
    ids = rows["run"].tolist()
    before = _ticked()
    places = [place for place, run_id in enumerate(ids) if run_id in before]
    if shown is not None and not held and (new := _new_ticks(ids, shown["run"].tolist(), places)):
        # A ticked run of another page came to this one: only now does the table learn of it.
        st.session_state[key] = {"selection": {"rows": new, "columns": [], "cells": []}}
    actions = st.container(horizontal=True, vertical_alignment="center", gap="small")
    chosen = grid.choose(
        tables.runs_table(
            rows,
            columns or automatic_columns(rows, goals),
            goals,
            zone=reader_zone(),
            with_experiment=query.experiment is None,
            champions=champion_marks.in_table(registry_cache.champions(store), ids),
        ),
        alt="Runs with their status, metrics and params",
        key=key,
        ticked=places,
        rows=TABLE_ROWS,
        on_open=lambda row: navigation.open_run(ids[row]),
    )
    st.session_state[state.SHOWN_RUNS] = (key, rows)
    here = [ids[row] for row in chosen]
    elsewhere = [run_id for run_id in before if run_id not in ids]
    ticked = [run_id for run_id in before if run_id in elsewhere or run_id in here]
    ticked += [run_id for run_id in here if run_id not in before]
    st.session_state[state.TICKED] = ticked
    with actions:
        _actions(ticked, len(elsewhere), arrived)
        navigation.follow()
    _pages(store, query, rows, ", metrics with their last value" if _with_metrics(rows, columns) else "")


def _with_metrics(rows: pd.DataFrame, columns: Sequence[str]) -> bool:
    return any(column.startswith(METRIC) for column in columns or rows.columns)


def _new_ticks(ids: Sequence[str], shown: Sequence[str], places: Sequence[int]) -> list[int]:
    """Return the places to tick if a ticked run is among those that were not shown before."""
    return list(places) if any(ids[place] not in shown for place in places) else []


def readable_query(store: Store, query: cache.RunsQuery) -> cache.RunsQuery | None:
    """Return the query with the last filter of this session that could be read, else without; None if none helps."""
    where = st.session_state.get(state.READABLE_WHERE, "")
    if where == query.where:
        return None
    before = replace(query, where=where, after=None)
    try:
        cache.search(store, before)
    except FilterError:
        return None  # it is the order that cannot be read
    return before


def any_live(store: Store, query: cache.RunsQuery) -> bool:
    """Whether a run of the experiment, or of any, is live."""
    return any(
        experiment.live
        for experiment in cache.experiments(store)
        if query.experiment in (None, experiment.name)
    )


def _actions(ticked: list[str], elsewhere: int, arrived: int) -> None:
    count = len(ticked)
    too_many = count > state.MAX_RUNS
    if st.button(
        f"Compare {count} runs" if count > 1 else "Compare",
        type="primary" if count > 1 else "secondary",
        disabled=count < 2 or too_many,
        key="runs.compare",
        help=f"Tick two to {state.MAX_RUNS} runs at the left of the table",
    ):
        navigation.open_compare(ticked)
    if count == 1 and st.button("Open the run", key="runs.open", type="primary"):
        navigation.open_run(ticked[0])
    if too_many and st.button(f"Compare the first {state.MAX_RUNS}", key="runs.compare_first"):
        navigation.open_compare(ticked[: state.MAX_RUNS])
    if count:
        st.button("Clear", key="runs.clear", on_click=_forget)
        notes = [f"{format.plural(count, 'run')} ticked"]
        if elsewhere:
            notes.append(f"{format.count(elsewhere)} not on this page")
        if too_many:
            notes.append(f"a comparison takes up to {state.MAX_RUNS}")
        st.caption(", ".join(notes) + ".")
    else:
        st.caption("Click a name to open a run; tick two or more to compare them.")
    if arrived:
        st.caption(f"{format.plural(arrived, 'new run')} on this page: clear the ticks to see.")


def _pages(store: Store, query: cache.RunsQuery, rows: pd.DataFrame, with_what: str) -> None:
    """Say which part of the runs is shown and with what, and lead to the others."""
    total = cache.count(store, query)
    pages = _pages_turned(query.after)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(_part_shown(len(rows), total, pages) + with_what)
        if query.after is not None:
            if st.button("First page", key="runs.first"):
                _first_page()
                st.rerun()
            if pages and st.button("Previous", key="runs.previous"):
                state.set_after(pages[-2])
                st.rerun()
        if _has_next(store, query, rows) and st.button(f"Next {PAGE_SIZE}", key="runs.next"):
            following = str(rows["run"].iloc[-1])
            st.session_state[state.PAGES] = [*(pages or [query.after]), following]
            state.set_after(following)
            st.rerun()


def _pages_turned(after: str | None) -> list[str | None]:
    """Return where the pages up to the one shown begin; empty where a link led into the middle.

    Somebody may have gone back and forth in the browser's history since.
    """
    turned: list[str | None] = st.session_state.get(state.PAGES) or [None]
    if turned[0] is not None or after not in turned:
        return [None] if after is None else []
    return turned[: turned.index(after) + 1]


def _part_shown(count: int, total: int, pages: Sequence[str | None]) -> str:
    if count == total or not pages:
        return f"Showing {format.count(count)} of {format.plural(total, 'run')}"
    first = (len(pages) - 1) * PAGE_SIZE + 1
    return f"Showing {format.count(first)}–{format.count(first + count - 1)} of {format.plural(total, 'run')}"


def _has_next(store: Store, query: cache.RunsQuery, rows: pd.DataFrame) -> bool:
    if len(rows) < query.limit:
        return False
    following = replace(query, after=str(rows["run"].iloc[-1]), limit=1, columns=())
    return not cache.search(store, following).empty


def _first_page() -> None:
    state.set_after(None)
    st.session_state.pop(state.PAGES, None)


def _ticked() -> list[str]:
    return list(st.session_state.get(state.TICKED, []))


def _forget() -> None:
    """Untick everything: the table gets a new identity."""
    st.session_state.pop(state.TICKED, None)
    st.session_state[state.TABLE_GENERATION] = _generation() + 1


def _generation() -> int:
    return int(st.session_state.get(state.TABLE_GENERATION, 0))


def table_key(query: cache.RunsQuery, generation: int) -> str:
    """Return the key of the table: other runs or another order are another table, where ticks are set anew."""
    asked = (query.where, query.experiment, query.order_by, query.after, generation)
    return f"runs.table.{hashlib.blake2b(repr(asked).encode(), digest_size=6).hexdigest()}"


def _shown_before(key: str) -> pd.DataFrame | None:
    held = st.session_state.get(state.SHOWN_RUNS)
    return held[1] if held is not None and held[0] == key else None
