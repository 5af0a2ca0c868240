"""The head of a model's page: name, description, tags, and who holds which alias, with the way back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from tracking.errors import RunStateError
from tracking.registry_records import CHAMPION, JournalEntry, JournalKind, ModelRecord, VersionRecord
from tracking.ui import (
    access,
    facts,
    format,
    model_acts,
    model_health,
    model_journal,
    model_notes,
    model_timeline,
    registry_cache,
    state,
)
from tracking.ui.markdown import escape
from tracking.ui.model_timeline import Holding
from tracking.ui.models_list import OVERRIDDEN
from tracking.ui.zone import reader_zone

if TYPE_CHECKING:
    from tracking.store import Store

MOST_ALIASES = 12
_MOVES = (JournalKind.PROMOTE, JournalKind.ROLLBACK, JournalKind.RETIRE)


def heading(store: Store, record: ModelRecord, versions: Sequence[VersionRecord]) -> None:
    """Draw name, counts, tags and description, which can be edited."""
    st.page_link(state.MODELS_PAGE, label="← all models")
    st.title(escape(record.name), anchor=False)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(escape(_about(record, versions)), width="content")
        for tag in record.tags:
            # The badge escapes the brackets itself.
            label = escape(format.shorten(tag, 40)).replace("\\[", "[").replace("\\]", "]")
            st.badge(label, color="gray")
        _verified(store)
        if access.may_act():
            with st.popover("Describe", key="model.describe.open", type="tertiary"):
                _describe(store, record)
    if record.description:
        facts.text_block(record.description)


def _verified(store: Store) -> None:
    """Draw what the last look at the registry found, where this session took one and nothing was written since."""
    checked = model_journal.verified(store)
    if checked is None:
        return
    report, when = checked
    if report.problems:
        st.badge(
            f"✕ {format.plural(len(report.problems), 'problem')} in the registry",
            color="red",
            help="Journal below names them",
        )
    else:
        said = f"Every row and the bytes of every version, {format.moment(when, reader_zone())}"
        st.badge("✓ verified", color="green", help=said)


def _about(record: ModelRecord, versions: Sequence[VersionRecord]) -> str:
    names = sorted({version.experiment for version in versions})
    of = f"runs of {format.shorten(', '.join(names[:3]), 80)}{', …' * (len(names) > 3)}" if names else ""
    since = f"since {format.moment(record.created, reader_zone())}"
    return " · ".join(filter(None, [format.plural(record.versions, "version"), of, since]))


def _describe(store: Store, record: ModelRecord) -> None:
    def save(text: str, tags: Sequence[str]) -> None:
        store.describe_model(record.name, description=text, tags=tags)

    model_notes.edit("model.describe", record.description, record.tags, save, height=160)


def holders(
    store: Store, record: ModelRecord, versions: Sequence[VersionRecord], journal: Sequence[JournalEntry]
) -> None:
    """Draw a line for each alias: who holds it since when and why, what is wrong with it, and the way back."""
    now = datetime.now(UTC)
    current = {each.alias: each for each in model_timeline.holdings(journal) if each.until is None}
    known = [alias for alias in model_timeline.aliases(journal) if alias in current or alias == CHAMPION]
    with st.container(border=True, gap="small", key="model.holders"):
        if CHAMPION not in known:
            _nobody(store, record, CHAMPION, journal)
        for alias in known[:MOST_ALIASES]:
            if alias in current:
                _holder(store, record, current[alias], journal, now)
            else:
                _nobody(store, record, alias, journal)
        for problem in _problems(store, record, versions):
            (st.error if problem.grave else st.warning)(escape(problem.sentence))
        if len(known) > MOST_ALIASES:
            st.caption(f"and {format.count(len(known) - MOST_ALIASES)} more aliases")
        model_acts.show_error("holder")


def _problems(
    store: Store, record: ModelRecord, versions: Sequence[VersionRecord]
) -> list[model_health.Problem]:
    held = [version for version in versions if version.number in set(record.holders.values())]
    runs = registry_cache.runs_of(store, held)
    return [
        problem
        for version in held
        for problem in model_health.problems(store, version, runs.get(version.run))
    ]


def _nobody(store: Store, record: ModelRecord, alias: str, journal: Sequence[JournalEntry]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(escape(alias), color="gray")
        st.markdown("nobody", width="content")
        said = (
            f"{escape(record.name)}@{alias} loads nothing until a version is promoted: press Promote… beside one."
            if record.versions
            else "There is no version yet."
        )
        st.caption(said, width="content")
        if access.may_act():
            _back(store, record, alias, None, journal)


def _holder(
    store: Store, record: ModelRecord, held: Holding, journal: Sequence[JournalEntry], now: datetime
) -> None:
    against = held.alias in record.overridden
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(escape(held.alias), color="orange" if against else "green")
        st.page_link(
            state.MODEL_PAGE,
            label=f"**v{held.version}**",
            query_params={state.MODEL: record.name, state.VERSION: str(held.version)},
        )
        if against:
            st.badge(
                OVERRIDDEN,
                color="orange",
                help=escape(f"It got {held.alias} against a gate: {_why(record, held, journal)}"),
            )
        st.caption(escape(_since(held, now)), width="content")
        if access.may_act():
            # Side by side also where the row is too narrow for them: then both stand below.
            with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
                _back(store, record, held.alias, held, journal)
                _retire(store, record, held, journal)
    if held.entry.reason:
        facts.text_block(held.entry.reason)


def _since(held: Holding, now: datetime) -> str:
    lasted = format.ago(held.since, now)
    said = f"since {format.moment(held.since, reader_zone())} ({lasted})"
    if held.entry.by:
        said += f", by {format.shorten(held.entry.by, 60)}"
    return said


def _why(record: ModelRecord, held: Holding, journal: Sequence[JournalEntry]) -> str:
    """Return the reason that was typed when the holder got the alias against a gate, which may be long ago."""
    for entry in reversed(journal):
        if entry.overridden and entry.alias == held.alias and entry.version == held.version:
            return format.shorten(entry.reason, 300)
    return "the journal says why"


def rollback_target(journal: Sequence[JournalEntry], alias: str) -> int | None:
    """Return which version a rollback of an alias goes back to, as the store does it; None when there is none."""
    from tracking.registry import moves

    rows = [entry for entry in journal if entry.alias == alias and entry.kind in _MOVES]
    return moves.before(cast(Any, rows))  # of a row it reads only what an entry has too


def _back(
    store: Store, record: ModelRecord, alias: str, held: Holding | None, journal: Sequence[JournalEntry]
) -> None:
    """Draw the way back: to the version before the holder, or where nobody holds the alias, to who had it last."""
    target = rollback_target(journal, alias)
    if target is None:
        return
    # Named after the row before it: a second click of a double click finds no button.
    place = f"model.rollback.{alias}.{_last(journal, alias)}"
    with st.popover(f"Roll back to v{target}", key=f"{place}.open"):
        from_whom = "nobody" if held is None else f"v{held.version}"
        st.markdown(
            f"**{escape(alias)}** goes from {from_whom} back to **v{target}**, which held it before. "
            "Its bytes are verified first; gates are not asked again. The journal keeps both."
        )
        reason = st.text_input("Reason", key=f"{place}.reason", placeholder="may be left out")
        if st.button(f"Roll back to v{target}", type="primary", key=f"{place}.do"):

            def work() -> str:
                _still(store, record, alias, journal)
                entry = store.rollback(record.name, alias=alias, reason=reason)
                # The version that was shown may be the one that lost the alias.
                st.query_params[state.VERSION] = str(entry.version)
                return f"v{entry.version} is {alias} of {record.name} again."

            model_acts.act("holder", work)
            st.rerun()


def _retire(store: Store, record: ModelRecord, held: Holding, journal: Sequence[JournalEntry]) -> None:
    place = f"model.retire.{held.alias}.{held.entry.position}"
    with st.popover("Retire", key=f"{place}.open", type="tertiary"):
        st.markdown(
            f"Nobody will hold **{escape(held.alias)}**: {escape(record.name)}@{escape(held.alias)} loads nothing "
            f"until a version is promoted. v{held.version} stays as it is."
        )
        reason = st.text_input("Reason", key=f"{place}.reason", placeholder="may be left out")
        if st.button(f"Retire {held.alias}", key=f"{place}.do"):

            def work() -> str:
                _still(store, record, held.alias, journal)
                store.retire(record.name, alias=held.alias, reason=reason)
                return f"Nobody holds {held.alias} of {record.name} now."

            model_acts.act("holder", work)
            st.rerun()


def _last(journal: Sequence[JournalEntry], alias: str) -> int:
    """Return the position of the row that says who holds an alias, 0 where none does."""
    rows = [entry.position for entry in journal if entry.alias == alias and entry.kind in _MOVES]
    return rows[-1] if rows else 0


def _still(store: Store, record: ModelRecord, alias: str, journal: Sequence[JournalEntry]) -> None:
    """Raise if the alias is no longer as the page showed it: nothing is done that nobody looked at."""
    if _last(store.journal(record.name), alias) == _last(journal, alias):
        return
    holder = store.model(record.name).holders.get(alias)
    who = "nobody has it any more" if holder is None else f"v{holder} has it now"
    raise RunStateError(f"{alias} has changed hands meanwhile: {who}. Nothing was done; look again.")
