"""Tags and notes of a run, to edit: what is typed stays, and nothing saved elsewhere is overwritten unseen."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import streamlit as st

from tracking.records import RunRecord
from tracking.ui import access, cache, format
from tracking.ui.markdown import escape

if TYPE_CHECKING:
    from tracking.store import Store

SHOWN_CHARACTERS: Final = 300
"""Of notes saved elsewhere, as they are quoted beside the form."""


@dataclass(frozen=True, slots=True)
class _Begun:
    """What the form was filled with when the reader began, and the tags it offers."""

    number: int
    tags: tuple[str, ...]
    notes: str
    offered: tuple[str, ...]


def edit(store: Store, run: RunRecord) -> None:
    """Draw tags and notes, to edit where this session may act.

    The form is filled once and then belongs to the reader: what a script or another
    tab saves meanwhile is said beside it, and can be taken over.
    """
    if not access.gate("edit tags and notes", key="run.gate"):
        st.markdown(f"**Tags** {escape(', '.join(run.tags)) or 'none'}")
        st.markdown("**Notes**" if run.notes else "**Notes** none")
        if run.notes:
            st.text(run.notes)
        return
    begun = _begun(store, run)
    # Beside the form, not above: a form that is moved down the page loses what is typed into it.
    here, elsewhere = st.columns([2, 1])
    if (run.tags, run.notes) != (begun.tags, begun.notes):
        with elsewhere:
            _say_what_changed(store, run, begun)
    # The button is that of the version beside it: a click made before the reader could see a change saves nothing.
    version = hashlib.blake2b(repr((run.tags, run.notes)).encode(), digest_size=6).hexdigest()
    with here, st.form(f"run.edit.{run.id}.{begun.number}", border=False):
        tags = st.multiselect(
            "Tags",
            begun.offered,
            default=list(begun.tags),
            accept_new_options=True,
            key=_field(run, begun, "tags"),
            placeholder="Choose, or type a new one",
        )
        text = st.text_area(
            "Notes", begun.notes, key=_field(run, begun, "notes"), height=200, max_chars=100_000
        )
        saved = st.form_submit_button("Save", type="primary", key=f"run.save.{version}")
    if not saved:
        return
    access.require_key()
    if tuple(tags) != begun.tags:
        store.set_tags(run.id, tags)
    if text != begun.notes:
        store.set_notes(run.id, text)
    _begin(store, cache.run(store, run.id), begun.number + 1)
    st.toast("Saved")
    st.rerun()


def is_begun(run: RunRecord) -> bool:
    """Whether the form of this run is on the page as it was drawn last."""
    begun: _Begun | None = st.session_state.get(_place(run))
    return begun is not None and _field(run, begun, "notes") in st.session_state


def _begun(store: Store, run: RunRecord) -> _Begun:
    """Return what the form was filled with; a form that is not on the page begins with what is saved."""
    begun: _Begun | None = st.session_state.get(_place(run))
    if begun is None or not is_begun(run):
        return _begin(store, run, begun.number + 1 if begun else 0)
    return begun


def _begin(store: Store, run: RunRecord, number: int) -> _Begun:
    offered = sorted({*cache.keys(store, run.experiment).tags, *run.tags})
    begun = _Begun(number, run.tags, run.notes, tuple(offered))
    st.session_state[_place(run)] = begun
    return begun


def _place(run: RunRecord) -> str:
    return f"run.begun.{run.id}"


def _field(run: RunRecord, begun: _Begun, name: str) -> str:
    return f"run.{name}.{run.id}.{begun.number}"


def _say_what_changed(store: Store, run: RunRecord, begun: _Begun) -> None:
    def take() -> None:
        _begin(store, run, begun.number + 1)

    with st.container(border=True, key="run.elsewhere"):
        st.markdown(
            "**Changed elsewhere since you began.** What you typed here is kept; "
            "Save writes only what you changed, over what is saved now:"
        )
        if run.tags != begun.tags:
            st.markdown(f"Tags: {escape(', '.join(run.tags)) or 'none'}")
        if run.notes != begun.notes:
            quoted = "Notes: " + (format.shorten(run.notes, SHOWN_CHARACTERS) or "none")
            st.text(quoted)
        st.button(
            "Take the other version",
            key="run.take",
            help="Drops what you typed here",
            on_click=take,
        )
