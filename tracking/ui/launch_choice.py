"""The list of what a sweep can be started on, and filling a form from a definition file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pandas as pd
import streamlit as st

from tracking.errors import InvalidDefinition, TrackingError
from tracking.ui import access, format, grid, launch_facts, launch_state, launch_targets
from tracking.ui.launch_state import key
from tracking.ui.launch_values import Values, values_of
from tracking.ui.markdown import escape
from tracking.ui.tables import LETTER, PADDING, Table, TableColumn

if TYPE_CHECKING:
    from tracking.store import Store
    from tracking.ui.launch_targets import Offer, Offers

_UPLOADS: Final = "launch.uploads"
_REFUSED: Final = "launch.refused"
_PENDING: Final = "launch.pending"
_SHOWN: Final = 20
_NARROWEST: Final = 110
_KINDS: Final = {
    "script": "script",
    "function": "function",
    "objective": "Optuna objective",
    "dataset": "data set of scikit-learn",
    "file": "table",
}


def show(store: Store, offers: Offers) -> None:
    """Draw the list of targets."""
    everything = list(offers.by_id.values())
    code = [each for each in everything if not each.is_table]
    tables = [each for each in everything if each.is_table]
    st.subheader("Scripts and functions of the project", anchor=False)
    if code:
        st.caption("Click one to set up a sweep of it. Those that log to Podium themselves come first.")
        _table(code, name="code", alt="Scripts and functions that can be tuned")
    else:
        st.markdown(
            "None was found: no script that declares options with argparse, click or typer, no function marked "
            "`@tracking.tunable`, no Optuna objective."
        )
    _left_out(offers.problems)
    st.subheader("Models of scikit-learn on a table", anchor=False)
    _table(tables, name="tables", alt="Tables that models can be tuned on")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Look again",
            key=key("again"),
            on_click=launch_targets.read_again,
            help="Read the project's files anew. By itself this happens every 15 seconds.",
        )
        st.caption(f"Looked through {escape(store.location.project)}. Nothing there was run.")
    definition_file(store, offers)


def table_of(found: Sequence[Offer]) -> Table:
    """Return the list of targets as a table."""
    rows = [
        {
            "name": each.label,
            "kind": _KINDS[each.kind],
            "logs": "✓" if each.logs else "",
            "params": _params(each),
            "about": format.shorten(each.cannot or each.about, 140),
        }
        for each in found
    ]
    frame = pd.DataFrame(rows, columns=["name", "kind", "logs", "params", "about"])
    columns = {
        "name": TableColumn(
            "Target", width=_width(frame["name"], 300), help="Press a name to set up a sweep of it"
        ),
        "kind": TableColumn("Kind", width=_width(frame["kind"], 170)),
        "logs": TableColumn(
            "Logs here",
            align="center",
            width=80,
            help="✓: its source imports tracking, so what it logs can be an objective",
        ),
        "params": TableColumn("Options", width=_width(frame["params"], 260)),
        "about": TableColumn("About", width=_width(frame["about"], 520)),
    }
    if all(each.is_table for each in found):
        frame = frame.drop(columns=["params", "logs"])
    return Table(frame, {name: columns[name] for name in frame.columns})


def _width(texts: pd.Series[str], most: int) -> int:
    """Return the pixels that hold the longest text, so that on a narrow page the line about it is seen too."""
    longest = int(texts.str.len().max()) if len(texts) else 0
    return min(most, max(_NARROWEST, LETTER * longest + PADDING))


def _params(offer: Offer) -> str:
    if offer.found is None:
        return ""
    names = ", ".join(option.name for option in offer.found.options)
    return format.shorten(names, 34) + ("" if offer.found.complete else ", …")


def _table(found: Sequence[Offer], *, name: str, alt: str) -> None:
    ids = [each.id for each in found]
    grid.show(
        table_of(found),
        alt=alt,
        key=key(f"targets.{name}"),
        rows=12,
        on_open=lambda row: launch_state.choose(ids[row]) if 0 <= row < len(ids) else None,
        whole_cell=True,
    )


def _left_out(problems: Sequence[str]) -> None:
    if not problems:
        return
    with st.expander(f"What could not be read: {len(problems):,}"):
        for each in problems[:_SHOWN]:
            st.text(each)
        if len(problems) > _SHOWN:
            st.caption(f"… and {len(problems) - _SHOWN:,} more.")


def definition_file(store: Store, offers: Offers) -> None:
    """Draw the way in for a definition file, and what was wrong with the last one."""
    refused: tuple[str, ...] = st.session_state.get(_REFUSED, ())
    with st.expander("Fill the form from a definition file", expanded=bool(refused)):
        if access.may_upload():
            st.file_uploader(
                "Definition, as `tracking sweep` takes it and this page offers it for download",
                type="toml",
                key=f"{_UPLOADS}.{st.session_state.get(_UPLOADS, 0)}",
                on_change=_take_file,
                args=(store, offers),
            )
        else:
            st.caption(
                "To choose a file, open the dashboard by the address that was printed in the terminal."
            )
        st.text_area("Its text", key=key("pasted"), height=100, placeholder='name = "digits-tpe"')
        st.button("Fill the form", key=key("fill"), on_click=_take_pasted, args=(store, offers))
        for each in refused[:_SHOWN]:
            st.error(escape(each))
        if len(refused) > _SHOWN:
            st.error(f"… and {len(refused) - _SHOWN:,} more problems.")


def read_text(store: Store, offers: Offers, text: str) -> tuple[Offer, Values]:
    """Return what a definition is for and what it puts into the fields, under a name that is free.

    Raises:
        InvalidDefinition: It has problems.
        InvalidValue: Its target is not offered.
    """
    from tracking.tuning.definition_file import read_definition

    definition = read_definition(text)
    offer = offers.offer_of(definition.target)
    free = launch_state.next_name(definition.name, launch_facts.facts(store, offer).studies)
    return offer, values_of(replace(definition, name=free))


def _take_text(store: Store, offers: Offers, text: str) -> None:
    """Fill the form from a definition; what is wrong with it is kept for the page to say, and nothing is filled."""
    st.session_state[_REFUSED] = ()
    try:
        offer, values = read_text(store, offers, text)
    except InvalidDefinition as error:
        st.session_state[_REFUSED] = tuple(str(each) for each in error.problems)
    except TrackingError as error:
        st.session_state[_REFUSED] = (str(error),)
    else:
        st.session_state[_PENDING] = (offer.id, values)
        launch_state.choose(offer.id)


def pending(target: str) -> Values | None:
    """Return, once, what a definition file wants in the form of a target."""
    waiting: tuple[str, Values] | None = st.session_state.get(_PENDING)
    if waiting is None or waiting[0] != target:
        return None
    del st.session_state[_PENDING]
    return waiting[1]


def _take_file(store: Store, offers: Offers) -> None:
    number = st.session_state.get(_UPLOADS, 0)
    file = st.session_state.get(f"{_UPLOADS}.{number}")
    if file is None:
        return
    st.session_state[_UPLOADS] = number + 1  # the next file comes into an empty field
    try:
        text = file.getvalue().decode("utf-8")
    except UnicodeDecodeError:
        st.session_state[_REFUSED] = ("The file is not UTF-8. Save it as UTF-8.",)
        return
    _take_text(store, offers, text)


def _take_pasted(store: Store, offers: Offers) -> None:
    _take_text(store, offers, str(st.session_state.get(key("pasted")) or ""))
