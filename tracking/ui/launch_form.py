"""The form that starts a sweep on something of the user's own project.

What can be started is what `launch_targets` finds there: the address, the fields and an uploaded definition only
choose among it. `launch_start` holds everything against that again before it starts anything.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import streamlit as st

from tracking.errors import InvalidDefinition, InvalidValue, Problem, TrackingError
from tracking.ui import (
    access,
    feedback,
    launch_choice,
    launch_facts,
    launch_fields,
    launch_plan,
    launch_start,
    launch_state,
    launch_targets,
    navigation,
    state,
)
from tracking.ui.launch_problems import SHOWN, Unsaid, is_blank
from tracking.ui.launch_state import Form, key
from tracking.ui.launch_values import SAME, Values, read_values
from tracking.ui.markdown import escape

if TYPE_CHECKING:
    from tracking.store import Store
    from tracking.tuning.definition import SweepDefinition
    from tracking.tuning.targets.options import FoundTarget
    from tracking.ui.launch_facts import Facts
    from tracking.ui.launch_targets import Offer, Offers

_PROBE_FAILED: Final = "launch.probe_failed"


def show(store: Store) -> None:
    """Draw the page of a new sweep: the list of targets, or the form of the one that the address names."""
    st.title("New sweep")
    offers = launch_targets.offers(store.location.project)
    asked = st.query_params.get(state.NEW_SWEEP, "")
    like = st.query_params.get(launch_state.LIKE)
    begin: Values | None = None
    if like is not None:
        asked, begin = _like(store, offers, like)
    offer = offers.by_id.get(asked)
    if offer is not None and not offer.cannot:
        _form(store, offers, offer, begin)
        return
    if offer is not None:
        st.warning(f"{escape(offer.label)} cannot be tuned as it is: {escape(offer.cannot)}")
    elif asked not in ("", launch_state.CHOOSING):
        st.warning(
            f"{escape(asked[:200])} is none of the targets that were found in this project, and nothing else is "
            "started from here. Choose one of these."
        )
    launch_choice.show(store, offers)


def _like(store: Store, offers: Offers, name: str) -> tuple[str, Values | None]:
    """Return the target of a sweep, and the fields that its definition fills."""
    form = launch_state.kept_form()
    if form is not None and form.like == name and launch_state.is_drawn():
        return form.target, None
    try:
        offer, values = launch_choice.read_text(store, offers, store.sweep(name).text)
    except TrackingError as error:
        st.warning(escape(error))
        return launch_state.CHOOSING, None
    return offer.id, values


def _form(store: Store, offers: Offers, offer: Offer, begin: Values | None) -> None:
    facts = launch_facts.facts(store, offer)
    form = _opened(offer, facts, begin)
    _heading(offer, offers, store, form)
    found = form.probed or offer.found
    values = launch_state.read_fields(form, table=offer.is_table)
    definition, problems = _read(values, offers, offer, store, found)
    taken = definition.name in facts.studies and form.started is None
    unsaid = Unsaid(problems, tried=form.tried)

    launch_fields.name_and_notes(unsaid)
    if taken:
        free = launch_state.next_name(definition.name, facts.studies)
        st.markdown(f":red[The name is taken by an earlier study. {escape(free)} is free.]")
    if offer.is_table:
        launch_fields.data(offer, _columns(store, offer), unsaid)
    if offer.kind == "objective":
        st.caption("The objective draws its params itself, so there is no table of them here.")
        unsaid.say_of_space()
    else:
        launch_fields.space(form, [name for name in _repeatable(found, values) if name != SAME], unsaid)
    if not offer.is_table:
        launch_fields.objectives(form, facts, unsaid)
    launch_fields.search(unsaid)
    launch_fields.budget(form, _repeatable(found, values), unsaid)
    launch_fields.more(offer, facts, unsaid)
    unsaid.say_rest()
    form.whole = True
    _start(store, offers, offer, form, definition, problems, facts)
    launch_choice.definition_file(store, offers)
    navigation.follow()


def _opened(offer: Offer, facts: Facts, begin: Values | None) -> Form:
    """Return the form of a target: the one that is open, the one that was left, or a new one."""
    form, like = launch_state.kept_form(), st.query_params.get(launch_state.LIKE)
    waiting = launch_choice.pending(offer.id)
    if waiting is not None:
        return launch_state.open_form(offer.id, waiting)
    named = launch_state.form_in_address()
    same = form is not None and (form.target, form.like) == (offer.id, like) and named in (None, form.named)
    if form is None or not same or (form.started is not None and not launch_state.is_drawn()):
        values = begin or launch_state.first_values(offer, facts)
        return launch_state.open_form(offer.id, values, like=like)
    if not launch_state.is_drawn():
        launch_state.fill(form, form.values)
    elif not form.whole:
        # Somebody was faster than the page: a field that the browser has not seen yet would begin blank there.
        launch_state.fill(form, launch_state.read_fields(form, table=offer.is_table))
    return form


def _heading(offer: Offer, offers: Offers, store: Store, form: Form) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{escape(offer.label)}**", width="content")
        if not offer.logs:
            st.badge("does not log to Podium", color="orange")
        st.button(
            "Another target", key=key("another"), on_click=launch_state.choose, args=(None,), type="tertiary"
        )
    if offer.about:
        st.caption(escape(offer.about))
    if not offer.logs and offer.kind == "script":
        st.caption(
            "Nothing in its source imports tracking. Where it logs no metric that an objective can name, every trial "
            "fails; a library that it uses may log for it."
        )
    if offer.kind != "script" or offer.found is None or offer.found.literal or form.probed is not None:
        return
    with st.container(border=True):
        st.markdown("**Its options could not all be read from its source.**")
        for each in offer.found.why_not:
            st.caption(escape(each))
        if offer.found.reader not in ("", "argparse"):
            return
        st.button(
            "Ask the script for its options",
            key=key("probe"),
            on_click=_probe,
            args=(store, offers),
            disabled=not access.may_act(),
            help="This runs the script up to the line that reads its command line, and ends it there. Nothing is "
            "logged meanwhile.",
        )
        if failed := st.session_state.pop(_PROBE_FAILED, None):
            st.error(escape(failed))


def _probe(store: Store, offers: Offers) -> None:
    """Ask the script, and propose ranges for what it says; a callback."""
    from tracking.tuning.targets.ranges import space_of
    from tracking.ui.launch_space import rows_of

    form = launch_state.kept_form()
    if form is None:
        return
    try:
        form.probed = launch_start.ask_for_options(offers, form.target, store.location.project)
    except TrackingError as error:
        st.session_state[_PROBE_FAILED] = str(error)
        return
    values = launch_state.read_fields(form, table=False)
    there = {row.get("param") for row in values.rows}
    new = [row for row in rows_of(space_of(form.probed)) if row["param"] not in there]
    launch_state.fill(form, replace(values, rows=(*values.rows, *new)))


def _read(
    values: Values, offers: Offers, offer: Offer, store: Store, found: FoundTarget | None
) -> tuple[SweepDefinition, list[Problem]]:
    definition, problems = read_values(values, launch_state.target_of(offer))
    if not problems:
        problems = launch_start.problems_of(definition, offers, store.location.project, found=found)
    return definition, problems


def _columns(store: Store, offer: Offer) -> list[str]:
    from tracking.tuning.tables.project_tables import csv_columns

    if offer.kind == "dataset":
        return ["target"]
    try:
        return csv_columns(store.location.project, offer.label)
    except InvalidValue as error:
        st.warning(escape(error))
        return []


def _repeatable(found: FoundTarget | None, values: Values) -> list[str]:
    """Return the params that can tell repeats apart, seeds first: those that are not in the space."""
    if found is None:
        return [SAME]
    there = {row.get("param") for row in values.rows}
    names = [option.name for option in found.options if option.name not in there]
    return [*sorted(names, key=lambda name: name not in launch_state.SEEDS), SAME]


def _start(
    store: Store,
    offers: Offers,
    offer: Offer,
    form: Form,
    definition: SweepDefinition,
    problems: list[Problem],
    facts: Facts,
) -> None:
    st.subheader("What will happen", anchor=False)
    mistakes = [each for each in problems if not is_blank(each)]
    if not problems:
        st.markdown(escape(launch_plan.sentence(definition, facts.pace)))
    elif mistakes:
        places = len({each.field for each in mistakes})
        many = "a field above wants" if places == 1 else f"{places} fields above want"
        st.markdown(f"Nothing yet: {many} mending.")
    else:
        st.markdown(
            "Nothing yet: say which metric is to become better." if not offer.is_table else "Nothing yet."
        )
    allowed = access.gate("start a sweep", key=key("gate"))
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(
            "Start the sweep",
            type="primary",
            key=key("start"),
            disabled=not allowed,
        )
        _download(definition, problems)
    st.caption("It runs by itself: it goes on when this page is closed, and when the dashboard is.")
    if not pressed:
        return
    if problems:
        form.tried = True
        if not mistakes:
            st.rerun()  # what is blank is a mistake from now on
        st.error("Nothing was started: mend the fields that say so in red.")
        return
    with st.spinner("Starting the sweep"):
        try:
            record = launch_start.start(store, offers, definition, form=form.token, found=form.probed)
        except InvalidDefinition as error:
            st.error("\n".join(f"- {escape(each)}" for each in error.problems[:SHOWN]))
            return
        except TrackingError as error:
            feedback.show_error(error)
            return
    form.started = record.name
    if launch_start.is_started_as(record, definition, offers):
        st.success(f"{escape(record.name)} has started.")
    else:
        said = f"This form has started {record.name} before, so nothing else was started."
        st.warning(escape(said))
        st.toast(escape(f"{said} For another one, open New sweep."), duration="long")
    navigation.open_sweep(record.name)


def _download(definition: SweepDefinition, problems: list[Problem]) -> None:
    from tracking.tuning.definition_text import definition_text

    name = "".join(
        char if char.isascii() and (char.isalnum() or char in "-_") else "-" for char in definition.name
    )
    st.download_button(
        "Download as TOML",
        "" if problems else definition_text(definition),
        file_name=f"{name[:80] or 'sweep'}.toml",
        mime="application/toml",
        key=key("download"),
        on_click="ignore",
        disabled=bool(problems),
        help="The same as a file: for `tracking sweep start`, for a colleague, or to come back to here.",
    )
