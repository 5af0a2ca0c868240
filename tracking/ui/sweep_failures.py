"""Why trials of a sweep failed: by cause, each with its traceback and what the trial printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import streamlit as st

from tracking.errors import NotFound
from tracking.study_records import CAUSES, REASON, TRACEBACK, TrialRecord
from tracking.sweep_records import FailureGroup, SweepRecord
from tracking.ui import ansi, format, state, sweep_cache
from tracking.ui.markdown import escape

if TYPE_CHECKING:
    from tracking.store import Store

MOST_GROUPS: Final = 8
MOST_TRIALS: Final = 200
LOG_LINES: Final = 200
LINE: Final = 2_000
REPEATS: Final = 64
"""Logs of so many repeats of a trial are looked for."""


def draw(store: Store, record: SweepRecord) -> None:
    """Draw the failed trials by cause, the most frequent first; nothing where none failed."""
    if not record.failures:
        return
    total = sum(len(group.trials) + group.earlier for group in record.failures)
    st.subheader(f"Failures ({format.count(total)})")
    for group in record.failures[:MOST_GROUPS]:
        _group(store, record, group)
    if len(record.failures) > MOST_GROUPS:
        st.caption(f"and {format.plural(len(record.failures) - MOST_GROUPS, 'other cause')}")


def heading(group: FailureGroup) -> str:
    """Return a group in one line: how many, why, which, how many were tried again."""
    count = len(group.trials) + group.earlier
    parts = [f"{format.count(count)} × {CAUSES.get(group.cause, group.cause)}"]
    if group.trials:
        numbers = ", ".join(map(str, group.trials[:8])) + (", …" if len(group.trials) > 8 else "")
        parts.append(f"trial{'s' if len(group.trials) != 1 else ''} {numbers}")
    if group.earlier:
        parts.append(f"{format.count(group.earlier)} in earlier studies")
    if group.retried:
        parts.append(f"{format.count(group.retried)} tried again")
    return " · ".join(parts)


def _group(store: Store, record: SweepRecord, group: FailureGroup) -> None:
    with st.expander(escape(heading(group)), key=f"sweep.failure.{group.cause}", on_change="rerun") as box:
        if not box.open:
            return
        if group.sentence:
            st.markdown(escape(format.shorten(group.sentence, 1_000)))
        if not group.trials:
            return
        newest = list(reversed(group.trials))[:MOST_TRIALS]
        chosen = newest[0]
        if len(newest) > 1:
            chosen = st.selectbox(
                "Trial", newest, key=f"sweep.failure.{group.cause}.trial", width=140, help="The newest first"
            )
        trial = next((each for each in sweep_cache.trials(store, record) if each.number == chosen), None)
        if trial is not None:
            _trial(store, record, trial, group)


def _trial(store: Store, record: SweepRecord, trial: TrialRecord, group: FailureGroup) -> None:
    reason, traceback = trial.attributes.get(REASON), trial.attributes.get(TRACEBACK)
    if reason and str(reason) != group.sentence:
        st.markdown(escape(format.shorten(str(reason), 1_000)))
    if trial.run is not None:
        st.page_link(
            state.RUN_PAGE, label=f"Open the run of trial {trial.number}", query_params={state.RUN: trial.run}
        )
    if traceback:
        st.caption("Traceback")
        st.code(str(traceback), language="python", height=_height(str(traceback)))
    lines = log_lines(store, record, trial.number)
    if lines is None:
        st.caption("It has printed nothing that was kept.")
        return
    shown = [line if len(line) <= LINE else f"{line[:LINE]}…" for line in lines[-LOG_LINES:]]
    left = f", the last {LOG_LINES} of {format.count(len(lines))} lines" if len(lines) > LOG_LINES else ""
    st.caption(f"What it printed{left}")
    text = "\n".join(shown)
    st.code(text or "(nothing)", language=None, wrap_lines=True, height=_height(text))


def log_lines(store: Store, record: SweepRecord, number: int) -> list[str] | None:
    """Return what a trial printed, its repeats one after the other; None where nothing was kept."""
    from tracking.tuning.execution.logs import read_log

    found: list[str] = []
    kept = False
    for repeat in (None, *range(REPEATS)):
        try:
            path, _ = store.trial_log(record.name, number, repeat)
            text = ansi.plain(read_log(path).decode("utf-8", "replace"))
        except (NotFound, FileNotFoundError, NotADirectoryError):
            if repeat is None:
                continue
            break
        kept = True
        found += [*([] if repeat is None else [f"--- repeat {repeat}"]), *text.splitlines()]
        if repeat is None:
            break
    return found if kept else None


def _height(text: str) -> int | Literal["content"]:
    return 360 if text.count("\n") > 16 else "content"
