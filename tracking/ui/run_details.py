"""The parts of the page of one run, but its charts and what can be edited."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

import streamlit as st

from tracking.records import Goal, RunRecord, RunStatus
from tracking.registry_records import VersionRecord
from tracking.ui import cache, champion_marks, feedback, format, frame, grid, state, tables
from tracking.ui.markdown import escape
from tracking.ui.overview import show_progress
from tracking.ui.runs_frame import is_system
from tracking.ui.zone import reader_zone

if TYPE_CHECKING:
    from tracking.store import Store

Colour = Literal["red", "orange", "yellow", "blue", "green", "violet", "gray", "primary"]

QUIET_SECONDS: Final = 5.0
"""A live run that has said nothing for longer is said to be quiet."""

LONG_NAME: Final = 80
"""Characters of a run's name that its title shows."""

LONG_TEXT: Final = 2_000
"""Characters from which a text scrolls in a box of its own."""

_STATUS_COLOURS: Final[Mapping[RunStatus, Colour]] = {
    RunStatus.RUNNING: "blue",
    RunStatus.FINISHED: "green",
    RunStatus.FAILED: "red",
    RunStatus.INTERRUPTED: "orange",
    RunStatus.LOST: "red",
    RunStatus.PRUNED: "violet",
    RunStatus.WAITING: "gray",
}


def heading(run: RunRecord, versions: Sequence[VersionRecord] = ()) -> None:
    """Draw name, status, times, progress, tags, and what went wrong if something did.

    Args:
        run: As it is now.
        versions: That its models are in the registry.
    """
    st.page_link(
        state.RUNS_PAGE,
        label="← runs of " + escape(format.shorten_middle(run.experiment, 60)),
        query_params=state.runs_query(run.experiment),
    )
    shown = format.shorten_middle(run.name, LONG_NAME)
    st.title(escape(shown), anchor=False, help=escape(run.name) if shown != run.name else None)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(
            format.status(run.status),
            color=_STATUS_COLOURS[run.status],
            help=f"{run.status}: {format.status_meaning(run.status)}",
        )
        st.caption(_times(run), width="content")
        champion_marks.draw(versions)
        for tag in run.tags:
            # The badge escapes the brackets itself.
            label = escape(format.shorten(tag, 40)).replace("\\[", "[").replace("\\]", "]")
            st.badge(label, color="gray")
    if not run.status.is_final and run.total_steps:
        show_progress(run)
    if run.dropped_points:
        st.warning(
            f"{format.plural(run.dropped_points, 'point')} could not be written because the disk was full. "
            "They are missing from the charts and summaries."
        )
    if run.error:
        _error(run, run.error)


def section(
    draw: Callable[[Store, RunRecord], None], store: Store, run_id: str, *, every: float | None
) -> None:
    """Draw a part of the page as a live section: `draw` is given the run as it is at each redraw."""

    @functools.wraps(draw)  # a section is known by the name of its function
    def latest() -> None:
        draw(store, cache.run(store, run_id))

    frame.live(every=every)(latest)()


def params(run: RunRecord) -> None:
    """Draw the params as logged, long values cut with the whole ones below."""
    if not run.flat_params:
        feedback.empty("No params", "Log them with start_run(..., params={...}) or run.log_params({...}).")
        return
    grid.show(tables.params_table(run.flat_params), alt="Params of the run", key="run.params", rows=24)
    long = tables.long_params(run.flat_params)
    if long:
        chosen = st.selectbox("Whole value of", long, key="run.param", help="Values that the table cuts")
        text = format.param(run.flat_params[chosen])
        st.code(text, language=None, wrap_lines=True, height=420 if len(text) > LONG_TEXT else "content")
    with st.expander("Nested, as logged", on_change="rerun", key="run.nested") as nested:
        if nested.open:
            st.json(run.params, expanded=2)


def metrics(run: RunRecord, goals: Mapping[str, Goal]) -> None:
    """Draw the summary of every metric."""
    own = {key: summary for key, summary in run.metrics.items() if not is_system(key)}
    if not own:
        feedback.empty("No metrics", 'Log them with run.log({"loss": 0.3}, step=1).')
        return
    grid.show(
        tables.summary_table(own, goals),
        alt="Metrics of the run: last, best, extremes, mean",
        key="run.metrics",
        rows=24,
    )
    if not any(key in goals for key in own):
        st.caption('No metric has a goal. tracking.define_metric("accuracy", goal="maximize") gives one.')


def what_was_raised(lines: list[str]) -> str:
    """Return the line of a traceback that names the exception, where its message goes on over several lines."""
    frames = [place for place, line in enumerate(lines) if line.startswith('  File "')]
    if not frames:
        return lines[-1]
    return next((line for line in lines[frames[-1] + 1 :] if line[:1].strip()), lines[-1])


def _times(run: RunRecord) -> str:
    began = format.moment(run.created, reader_zone())
    parts = [began, format.duration(run.duration), run.id]
    if run.group:
        parts.insert(0, f"group {format.shorten(run.group, 40)}")
    if not run.status.is_final:
        silent = datetime.now(UTC).timestamp() - run.created.timestamp() - run.duration
        if silent > QUIET_SECONDS:
            parts.append(f"said nothing for {format.duration(silent)}")
    return escape(" · ".join(parts))


def _error(run: RunRecord, error: str) -> None:
    lines = error.strip().splitlines() or [""]
    if len(lines) == 1:
        st.error(escape(lines[0]))
        return
    st.error(escape(format.shorten(what_was_raised(lines), 300)))
    with st.expander("Traceback", expanded=run.status is RunStatus.FAILED):
        st.code(error, language="python", height=420 if len(lines) > 18 else "content")
