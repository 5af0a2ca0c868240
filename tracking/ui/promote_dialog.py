"""The dialog that promotes a version: every gate with what was found, the evidence drawn, then the button.

A page that offers it calls `open_for_run` or `open_for_version` when its button is pressed, and `show` once at its
end, outside of live sections. What is open stands in the session: the page may be drawn again under the dialog, and
a reason that is being typed stays.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import streamlit as st

from tracking.errors import InvalidValue, NotFound, RunStateError
from tracking.records import ArtifactRecord, RunRecord
from tracking.registry_records import (
    CHAMPION,
    ModelRecord,
    PromotionCheck,
    VersionRecord,
)
from tracking.ui import (
    access,
    cache,
    child_models,
    dialogs,
    evidence_view,
    feedback,
    format,
    gate_results,
    model_acts,
    model_candidates,
    registry_cache,
)
from tracking.ui.markdown import escape
from tracking.ui.zone import reader_zone

if TYPE_CHECKING:
    from tracking.store import Store

LONGEST_REASON: Final = 10_000
_PLACE: Final = "promote"
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the dialog is about.

    Attributes:
        page: Address of the page that opened it: on another one it is closed.
        number: Of this opening, for the keys of its fields.
        run: Id of the run whose model is to become a version, None where it is one.
        artifact: Name of the run's artifact, None to choose.
        model: Name of the model, empty while it is chosen.
        version: Number of the version, 0 while there is none.
        alias: What it is to get, as offered first.
    """

    page: str
    number: int
    run: str | None = None
    artifact: str | None = None
    model: str = ""
    version: int = 0
    alias: str = CHAMPION


def can_promote(store: Store, run: RunRecord) -> bool:
    """Whether a run or a child run of it logged a model: whether a page offers the dialog for it."""
    return bool(model_candidates.models_of(run)) or child_models.are_there(store, run)


def open_for_run(store: Store, run: RunRecord, artifact: str | None = None) -> None:
    """Open the dialog for a run's model, and draw the page again; a version of it is made first where there is none."""
    version = model_candidates.only_version(run, registry_cache.run_versions(store, run.id), artifact)
    asked = Asked(dialogs.page(), next(_numbers), run.id, artifact)
    if version is not None:
        asked = replace(asked, model=version.model, version=version.number)
    _open(asked)


def open_for_version(store: Store, model: str, number: int, alias: str = CHAMPION) -> None:
    """Open the dialog for a version, and draw the page again."""
    _open(Asked(dialogs.page(), next(_numbers), None, None, model, number, alias))


def show(store: Store) -> None:
    """Draw the dialog while it is open, and once what it came to; each page that offers it calls this at its end."""
    model_acts.say_what_came_of_it()
    asked = dialogs.opened(Asked)
    if asked is None:
        return
    if asked.version:
        title = f"Promote {escape(asked.model)} v{asked.version}"
    else:
        title = "Promote a run's model"

    def body() -> None:
        """Everything of the dialog; a section of its own, which redraws when something in it is used."""
        with feedback.boundary():
            now = dialogs.opened(Asked)
            if now is None or bool(now.version) is not bool(asked.version):
                st.rerun()  # it is done, or goes on under another title
            if now.version:
                _promotion(store, now)
            else:
                _registration(store, now)

    st.dialog(title, width="large", on_dismiss=dialogs.close)(body)()


def _open(asked: Asked) -> None:
    model_acts.clear_error()
    dialogs.open(asked)
    st.rerun()


# A run's model becomes a version


def _registration(store: Store, asked: Asked) -> None:
    run = cache.run(store, asked.run or "")
    if asked.artifact is None and not model_candidates.models_of(run):
        run = child_models.choose(store, run, key=f"promote.child.{asked.number}")
    found = model_candidates.models_of(run, asked.artifact)
    if not found:
        feedback.empty(
            "This run logged no model",
            'Log one with run.log_model(estimator, "model", input_example=X[:5]) and promote that run.',
        )
        return
    st.markdown(
        f"The model of **{escape(format.shorten_middle(run.name, 80))}** becomes a version: its bytes are verified and "
        "kept for good, with where they come from. Nothing is promoted yet."
    )
    artifact, there = _chosen(store, asked, run, found)
    known = [record.name for record in registry_cache.models(store)]
    offered = there[0].model if there else model_candidates.name_offered(store, run, known)
    options = list(dict.fromkeys([*([offered] if offered else []), *known]))
    name = st.selectbox(
        "Name of the model",
        options,
        index=0 if options else None,
        accept_new_options=True,
        key=f"promote.name.{asked.number}",
        on_change=model_acts.clear_error,
        placeholder="Choose one, or type a new name",
        help="Letters, digits, and . _ - between them. Names that look alike are one model.",
    )
    problem = _problem(name)
    usable = name if name and problem is None else ""
    already = next((each for each in there if model_candidates.alike(each.model, usable)), None)
    model = next((each for each in known if model_candidates.alike(each, usable)), None)
    if problem is not None:
        feedback.show_error(problem)
    elif already is not None:
        st.caption(f"It is version {already.number} of {escape(already.model)}: nothing is registered anew.")
    elif model is not None:
        record = registry_cache.model(store, model)
        st.caption(f"It becomes version {record.latest + 1} of {escape(record.name)}.")
    elif name:
        st.caption(f"It becomes version 1 of the new model {escape(format.shorten(name, 100))}.")
    model_acts.show_error(_PLACE)
    if access.gate("register a model", key="promote.access"):
        st.button(
            "Make it a version" if already is None else f"Go on to v{already.number}",
            type="primary",
            key=f"promote.register.{asked.number}",
            disabled=not name or problem is not None,
            on_click=_register,
            args=(store, asked, artifact),
        )


def _chosen(
    store: Store, asked: Asked, run: RunRecord, found: Sequence[ArtifactRecord]
) -> tuple[ArtifactRecord, Sequence[VersionRecord]]:
    """Draw which of a run's models is meant, where it has several; return it, and the versions that it is already."""
    versions = registry_cache.run_versions(store, run.id)
    place = 0
    if len(found) > 1:
        named = [model_candidates.label(each, versions) for each in found]
        place = st.selectbox(
            "Model of the run",
            range(len(found)),
            index=model_candidates.first_offered(found, versions),
            format_func=named.__getitem__,
            key=f"promote.artifact.{asked.number}.{run.id}",
        )
    there = model_candidates.made_of(found[place], versions)
    if there:
        st.caption(escape(f"This model is registered already: {model_candidates.named(there)}."))
    elif old := model_candidates.logged_over(run, versions):
        st.caption(
            escape(f"The run has logged its model anew since {model_candidates.named(old)} was registered.")
        )
    return found[place], there


def _problem(name: str | None) -> InvalidValue | None:
    """Return why a model cannot be called so, None where it can, or where nothing is typed yet."""
    from tracking.registry.names import checked_model

    try:
        checked_model(name) if name else None
    except InvalidValue as error:
        return error
    return None


def _register(store: Store, asked: Asked, artifact: ArtifactRecord) -> None:
    name = st.session_state.get(f"promote.name.{asked.number}") or ""
    if not dialogs.take(asked):
        return

    made: list[VersionRecord] = []

    def work() -> str:
        there = [
            version
            for version in model_candidates.made_of(artifact, store.run_versions(artifact.run))
            if model_candidates.alike(version.model, name)
        ]
        made.append(
            there[0]
            if there
            else store.register(name, artifact.run, artifact=artifact.name, step=artifact.step)
        )
        return f"{made[0].model} v{made[0].number} is registered."

    model_acts.act(_PLACE, work)
    if made:
        asked = replace(asked, model=made[0].model, version=made[0].number)
    dialogs.open(asked)


# A version gets an alias


def _promotion(store: Store, asked: Asked) -> None:
    try:
        record = registry_cache.model(store, asked.model)
    except NotFound:
        raise NotFound(f"There is no model {asked.model!r} any more.") from None
    alias = st.selectbox(
        "Alias",
        _aliases(record, asked),
        accept_new_options=True,
        key=f"promote.alias.{asked.number}",
        width=320,
        help="What load_model names: digits@champion. A new one may be typed.",
    )
    if not alias:
        st.caption("Choose an alias, or type one.")
        return
    with st.spinner(gate_results.asking(record.gates, alias, asked.version)):
        check = registry_cache.check(store, record.name, asked.version, alias)
    candidate = f"v{asked.version}"
    _now(record, check)
    if check.holder == asked.version:
        st.info(escape(f"{candidate} holds {check.alias} already."))
        return
    _gates(check)
    st.markdown("**Evidence**")
    if check.evidence is None:
        st.caption(
            "No metric decides: a gate such as better(accuracy), or a goal by define_metric, says which one does."
        )
    else:
        evidence_view.draw(
            check.evidence,
            candidate=candidate,
            champion=_rival(check),
            key=f"promote.evidence.{record.name}.{asked.version}.{check.alias}",
        )
    if not access.gate("promote a version", key="promote.access"):
        model_acts.show_error(_PLACE)
        return
    if check.passed:
        _press(store, asked, check)
    else:
        _override(store, asked, check)


def _aliases(record: ModelRecord, asked: Asked) -> list[str]:
    named = [gate.alias for gate in record.gates if gate.alias is not None]
    return list(dict.fromkeys([asked.alias, CHAMPION, *record.holders, *named]))


def _rival(check: PromotionCheck) -> str:
    """Return what the other side of the evidence is called."""
    if check.rival is None:
        return f"nobody, {check.alias}"
    return f"v{check.rival}, {'the last ' if check.holder is None else ''}{check.alias}"


def _now(record: ModelRecord, check: PromotionCheck) -> None:
    if check.holder is None:
        last = f" It is compared with v{check.rival}, the last that did." if check.rival is not None else ""
        st.markdown(f"Nobody holds **{escape(check.alias)}** of {escape(record.name)} now.{last}")
        return
    since = record.since.get(check.alias)
    ago = (
        f", since {format.moment(since, reader_zone())} ({format.ago(since, datetime.now(UTC))})"
        if since
        else ""
    )
    against = " It got there against a gate (overridden)." if check.alias in record.overridden else ""
    st.markdown(f"**v{check.holder}** holds **{escape(check.alias)}** now{ago}.{against}")


def _gates(check: PromotionCheck) -> None:
    if not check.gates:
        st.markdown("**Gates**")
        st.caption(
            "None: any version may get this alias. They are set on the page of the model, under Gates."
        )
        return
    passed = sum(each.passed for each in check.gates)
    st.markdown(f"**Gates**: {passed} of {len(check.gates)} passed")
    gate_results.draw(check.gates, check.evidence)


def _press(store: Store, asked: Asked, check: PromotionCheck) -> None:
    st.text_area(
        "Reason",
        key=f"promote.reason.{asked.number}",
        max_chars=LONGEST_REASON,
        height=80,
        placeholder="For the journal; may be left out",
    )
    model_acts.show_error(_PLACE)  # above: below the button it would be out of sight in a long dialog
    st.button(
        f"Promote v{asked.version} to {check.alias}",
        type="primary",
        key=f"promote.do.{asked.number}",
        on_click=_promote,
        args=(store, asked, check),
    )


def _override(store: Store, asked: Asked, check: PromotionCheck) -> None:
    refused = sum(not each.passed for each in check.gates)
    with st.container(border=True, key="promote.override"):
        st.markdown(
            f":orange[**Against the gates**]  \n{format.plural(refused, 'gate')} refused: v{asked.version} does not "
            f"get {escape(check.alias)}. An override gives it all the same; it is marked for ever in the journal and "
            "on every page that shows the version."
        )
        st.text_area(
            "Why all the same",
            key=f"promote.reason.{asked.number}",
            max_chars=LONGEST_REASON,
            height=80,
            placeholder="Has to be said; kept in the journal",
        )
        model_acts.show_error(_PLACE)
        st.button(
            f"Override and promote v{asked.version}",
            key=f"promote.override.{asked.number}",
            on_click=_promote,
            args=(store, asked, check),
            kwargs={"override": True},
        )


def _promote(store: Store, asked: Asked, check: PromotionCheck, *, override: bool = False) -> None:
    reason = str(st.session_state.get(f"promote.reason.{asked.number}") or "").strip()
    if not dialogs.take(asked):
        return
    done = False

    def work() -> str:
        nonlocal done
        if override and not reason:
            raise InvalidValue("Say why it is promoted all the same: the journal keeps it.")
        # What was looked at is what is promoted over: another holder asks for another look.
        holder = store.model(asked.model).holders.get(check.alias)
        if holder != check.holder:
            who = "nobody holds it" if holder is None else f"v{holder} holds it"
            raise RunStateError(
                f"{check.alias} has changed hands meanwhile: {who} now. Nothing was promoted; look again."
            )
        entry = store.promote(asked.model, asked.version, alias=check.alias, reason=reason, override=override)
        done = True
        against = ", against its gates" if entry.overridden else ""
        return f"v{entry.version} is {entry.alias} of {entry.model} now{against}."

    model_acts.act(_PLACE, work)
    if not done:
        dialogs.open(asked)
