"""The forms behind a sweep's actions: more trials, failed ones again, other bounds, another sweep like it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from tracking.errors import InvalidValue
from tracking.study_records import CAUSES, RETRY_OF
from tracking.sweep_records import SweepRecord
from tracking.ui import format, navigation, sweep_cache
from tracking.ui.markdown import escape

if TYPE_CHECKING:
    from tracking.store import Store
    from tracking.tuning.definition import ParamSpace, SweepDefinition

Act = Callable[[SweepRecord, Callable[[Any], Any]], None]
MINUTE = 60.0
MEGABYTE = 1 << 20
FIRST_TRIALS = 20


def add(store: Store, record: SweepRecord, act: Act) -> None:
    """Draw the form that adds to the budget."""
    with st.form("sweep.add", border=False):
        trials = minutes = None
        if record.budget_trials is not None or record.budget_seconds is None:
            trials = st.number_input("More trials", 1, 100_000, FIRST_TRIALS, key="sweep.add.trials")
        if record.budget_seconds is not None:
            minutes = st.number_input("More minutes", 0.0, 100_000.0, 0.0, key="sweep.add.minutes")
        st.caption("A finished sweep goes on.")
        if not st.form_submit_button("Add", type="primary", key="sweep.add.do"):
            return
    seconds = minutes * MINUTE if minutes else None
    act(
        record,
        lambda sweeps: sweeps.add_budget(
            store.location, record.name, trials=None if trials is None else int(trials), seconds=seconds
        ),
    )


def retry(store: Store, record: SweepRecord, act: Act) -> None:
    """Draw the form that tries failed trials again, of all causes or of one, with larger limits if wanted."""
    causes = {group.cause: group for group in record.failures if group.trials}
    with st.form("sweep.retry", border=False):
        chosen = st.selectbox(
            "Which",
            ["", *causes],
            format_func=lambda cause: (
                "All that were not tried again"
                if not cause
                else f"{CAUSES.get(cause, cause)} ({format.count(len(causes[cause].trials))})"
            ),
            key="sweep.retry.cause",
        )
        minutes = st.number_input(
            "Time limit of a trial from now on (minutes)",
            0.0,
            100_000.0,
            value=None,
            placeholder="as it is",
            key="sweep.retry.minutes",
        )
        megabytes = st.number_input(
            "Memory limit of a trial from now on (MB)",
            1,
            10_000_000,
            value=None,
            placeholder="as it is",
            key="sweep.retry.memory",
        )
        st.caption("With the same params. Trials that are tried again do not count twice.")
        if not st.form_submit_button("Try again", type="primary", key="sweep.retry.do"):
            return
    numbers = _not_tried(store, record, chosen) if chosen else None
    act(
        record,
        lambda sweeps: sweeps.retry(
            store.location,
            record.name,
            numbers,
            seconds=minutes * MINUTE if minutes else None,
            memory=int(megabytes) * MEGABYTE if megabytes else None,
        ),
    )


def _not_tried(store: Store, record: SweepRecord, cause: str) -> list[int]:
    again = {each.attributes.get(RETRY_OF) for each in sweep_cache.trials(store, record)}
    group = next(group for group in record.failures if group.cause == cause)
    return [number for number in group.trials if number not in again]


def change(store: Store, record: SweepRecord, act: Act) -> None:
    """Draw the forms that change workers and the search space."""
    with st.form("sweep.workers", border=False):
        count = st.number_input(
            "Trials at once", 1, 256, record.workers or 1, key=f"sweep.workers.{record.edition}"
        )
        if st.form_submit_button("Set", key="sweep.workers.do"):
            act(record, lambda sweeps: sweeps.set_workers(store.location, record.name, int(count)))
    definition = sweep_cache.definition(store, record)
    if definition is None:
        return
    params = {param.name: param for param in definition.space if str(param.kind) != "fixed"}
    if not params:
        return
    chosen = st.selectbox(
        "Param", list(params), key="sweep.change.param", help="Widen, narrow, or add a choice"
    )
    param = params[chosen]
    # Named after edition and param: another one's bounds are another form.
    place = f"sweep.change.{record.edition}.{chosen}"
    with st.form(place, border=False):
        if param.choices:
            _add_choice(store, record, param, place, act)
        else:
            _move_bounds(store, record, param, place, act)


def _move_bounds(store: Store, record: SweepRecord, param: ParamSpace, place: str, act: Act) -> None:
    low = st.text_input("Low", value=_number_text(param.low), key=f"{place}.low", placeholder="as it is")
    high = st.text_input("High", value=_number_text(param.high), key=f"{place}.high", placeholder="as it is")
    st.caption("Trials outside of the new bounds stay as history.")
    if not st.form_submit_button("Move the bounds", type="primary", key=f"{place}.do"):
        return

    def work(sweeps: Any) -> Any:
        least, most = _or_before(low, "Low", param.low), _or_before(high, "High", param.high)
        given = {
            name: value
            for name, value, before in (("low", least, param.low), ("high", most, param.high))
            if value != before
        }
        if not given:
            raise InvalidValue(f"{param.name} has these bounds already.")
        return sweeps.change_param(store.location, record.name, param.name, **given, edition=record.edition)

    act(record, work)


def _add_choice(store: Store, record: SweepRecord, param: ParamSpace, place: str, act: Act) -> None:
    st.caption(f"Now: {escape(format.shorten(', '.join(map(format.param, param.choices)), 200))}")
    text = st.text_input("Another choice", key=f"{place}.choice")
    st.caption("Opens the sweep's next study, which knows the trials so far.")
    if not st.form_submit_button("Add the choice", type="primary", key=f"{place}.do"):
        return

    def work(sweeps: Any) -> Any:
        if not text.strip():
            raise InvalidValue("Say which choice to add.")
        return sweeps.add_choice(
            store.location, record.name, param.name, choice_of(text, param.choices), edition=record.edition
        )

    act(record, work)


def duplicate(store: Store, record: SweepRecord, act: Act) -> None:
    """Draw the form that starts another sweep with the same definition."""
    definition = sweep_cache.definition(store, record)
    if definition is None:
        st.caption("Its definition cannot be read by this version.")
        return
    name_offered = sweep_cache.made(
        store, record, "next name", lambda now: next_name(now, store), again=False
    )
    with st.form("sweep.duplicate", border=False):
        name = st.text_input("Name", value=name_offered, key=f"sweep.duplicate.name.{record.name}")
        trials = st.number_input(
            "Trials",
            1,
            1_000_000,
            value=definition.budget.trials,
            placeholder="no bound",
            key="sweep.duplicate.trials",
        )
        seed = st.number_input(
            "Seed of the sampler",
            0,
            2**31 - 1,
            value=None,
            placeholder="as it is",
            key="sweep.duplicate.seed",
        )
        learn = st.checkbox("Begin with what this one found", key="sweep.duplicate.learn")
        if not st.form_submit_button("Start it", type="primary", key="sweep.duplicate.do"):
            return

    def changed(old: SweepDefinition) -> SweepDefinition:
        budget = replace(old.budget, trials=None if trials is None else int(trials))
        return replace(old, budget=budget, seed=old.seed if seed is None else int(seed))

    def work(sweeps: Any) -> Any:
        # Named by what it makes: pressed twice, one sweep is started.
        key = f"duplicate of {record.studies[0]} as {name.strip()}"
        made = sweeps.duplicate(
            store.location, record.name, name.strip(), change=changed, learn=learn, key=key
        )
        navigation.open_sweep(made.name)
        return made

    act(record, work)


def next_name(record: SweepRecord, store: Store) -> str:
    """Return a name that no study of the store has: `digits-2`, `digits-3`, …"""
    taken = {study.name for study in store.studies()}
    stem, number = re.sub(r"-\d{1,6}$", "", record.name), 2
    while f"{stem}-{number}" in taken:
        number += 1
    return f"{stem}-{number}"


def number_of(text: str, label: str) -> float | int:
    """Return a number: an int where it is written as one; raises InvalidValue."""
    for kind in (int, float):
        try:
            found = kind(text.strip())
        except ValueError:
            continue
        if math.isfinite(found):
            return found
    raise InvalidValue(f"{label}: {text!r:.80} is no number.")


def choice_of(text: str, others: tuple[Any, ...]) -> Any:
    """Return a choice as what it looks like (true, null, a number), as text where the others all are text."""
    stripped = text.strip()
    if others and all(isinstance(other, str) for other in others):
        return stripped
    try:
        found = json.loads(stripped)
    except ValueError:
        return stripped
    return found if found is None or isinstance(found, bool | int | float | str) else stripped


def _or_before(text: str, label: str, before: float | int | None) -> float | int | None:
    """Return the number in a field; a blank one leaves what was there."""
    return number_of(text, label) if text.strip() else before


def _number_text(value: float | int | None) -> str:
    return "" if value is None else repr(value)
