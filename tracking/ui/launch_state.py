"""What the session keeps of a launch form: the fields as they were filled, and the name of this very form."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from tracking.records import Goal
from tracking.ui import state
from tracking.ui.launch_space import Row, rows_of
from tracking.ui.launch_values import ObjectiveValues, TableValues, Values

if TYPE_CHECKING:
    from tracking.tuning.definition import Target
    from tracking.tuning.targets.options import FoundTarget
    from tracking.ui.launch_facts import Facts
    from tracking.ui.launch_targets import Offer

FORM: Final = "form"
"""In the address: names the form, so that the same one in two tabs starts one sweep."""
LIKE: Final = "like"
"""In the address: the sweep whose definition fills the form."""
CHOOSING: Final = "target"
"""In place of a target in the address: it is to be chosen from the list."""

SEEDS: Final = ("seed", "random_state", "fold")
_KEPT: Final = "launch.form"
_TOKEN: Final = re.compile(r"[0-9a-f]{32}")
_MOST_WORKERS: Final = 8
_TEXTS: Final = (
    "name notes arguments sampler sampler_options pruner pruner_options time repeats limit_time limit_memory "
    "prior_filter experiment environment"
).split()
_NUMBERS: Final = "trials workers failures retries prior_limit seed".split()
_CHOSEN: Final = ("vary", "prior")
_UP: Final = frozenset("acc accuracy auc f1 r2 score precision recall reward map iou bleu".split())


@dataclass(slots=True)
class Form:
    """One form, from its opening to its start.

    Attributes:
        target: Id of what it tunes.
        token: Names what it starts: drawn when it was opened, or given by the address.
        values: All fields as they are.
        rows: Of the space, before the edits in its table.
        generation: Counts how often they were filled anew: a table with other rows is another table.
        probed: The target with the options it said itself, where it was asked.
        tried: Whether somebody pressed Start: fields that are merely blank are told then.
        started: Name of the sweep that it started.
        like: Name of the sweep that it was filled from by its address.
        whole: Whether all fields were drawn since they were filled, so that the browser has them.
        named: What the address called it when it was opened.
    """

    target: str
    token: str
    values: Values
    rows: tuple[Row, ...] = ()
    generation: int = 0
    probed: FoundTarget | None = None
    tried: bool = False
    started: str | None = None
    like: str | None = None
    whole: bool = False
    named: str | None = None


def key(name: str) -> str:
    """Return the key of a field."""
    return f"launch.{name}"


def draw_token() -> str:
    """Return a name for a form that is opened."""
    return secrets.token_hex(16)


def kept_form() -> Form | None:
    """Return the form of this session, if one was opened."""
    kept: Form | None = st.session_state.get(_KEPT)
    return kept


def form_in_address() -> str | None:
    """Return the name of the form that the address gives, if it is one."""
    given = st.query_params.get(FORM, "")
    return given if _TOKEN.fullmatch(given) else None


def is_drawn() -> bool:
    """Whether the fields hold what the user typed: they forget it when another page is drawn."""
    return key("name") in st.session_state


def open_form(target: str, values: Values, *, like: str | None = None) -> Form:
    """Begin a form: a new name, its fields filled."""
    last, named = kept_form(), form_in_address()
    token = named or draw_token()
    if last is not None and last.started is not None and named is not None and last.named == named:
        # Somebody came back from the sweep that it started: what begins here is another one.
        token = hashlib.sha256(f"{last.token}\n{last.started}".encode()).hexdigest()[:32]
    form = Form(target, token, values, like=like, named=named)
    form.generation = 0 if last is None else last.generation + 1
    st.session_state[_KEPT] = form
    fill(form, values)
    return form


def fill(form: Form, values: Values) -> None:
    """Write values into the fields; not after they were drawn."""
    form.values, form.rows, form.whole = values, values.rows, False
    form.generation += 1
    written: dict[str, Any] = {name: getattr(values, name) for name in (*_TEXTS, *_NUMBERS)}
    written |= {name: getattr(values, name) or None for name in _CHOSEN}
    for place, each in enumerate(values.objectives):
        written |= _objective_fields(place, each)
    table = values.table
    written |= {"column": table.column or None, "metric": table.metric, "estimators": list(table.estimators)}
    written |= {"folds": table.folds, "table_seed": table.seed}
    for name, value in written.items():
        st.session_state[key(name)] = value


def space_key(form: Form) -> str:
    """Return the key of the table of the space."""
    return key(f"space.{form.generation}")


def read_fields(form: Form, *, table: bool) -> Values:
    """Return what stands in the fields now, and keep it; `table` for a target whose objective is its metric."""
    found = st.session_state
    read: dict[str, Any] = {name: str(found.get(key(name)) or "") for name in (*_TEXTS, *_CHOSEN)}
    read |= {name: _whole(found.get(key(name))) for name in _NUMBERS}
    values = replace(form.values, **read, rows=tuple(edited(form.rows, found.get(space_key(form)))))
    if table:
        values = replace(values, table=_table_fields())
        values = replace(values, objectives=(ObjectiveValues(values.table.metric, "maximize"),))
    else:
        objectives = tuple(_objective_values(place) for place in range(len(values.objectives)))
        values = replace(values, objectives=objectives)
    form.values = values
    return values


def edited(rows: Sequence[Row], edits: object) -> list[Row]:
    """Return rows with what was edited, added and deleted in their table."""
    if not isinstance(edits, Mapping):
        return list(rows)
    changed = {int(place): cells for place, cells in dict(edits.get("edited_rows") or {}).items()}
    gone = {int(place) for place in edits.get("deleted_rows") or ()}
    kept = [{**row, **changed.get(place, {})} for place, row in enumerate(rows) if place not in gone]
    added = [dict(cells) for cells in edits.get("added_rows") or () if isinstance(cells, Mapping)]
    return [*kept, *added]


def add_objective() -> None:
    """Give the form one more objective; a callback."""
    form = kept_form()
    if form is not None:
        place = len(form.values.objectives)
        form.values = replace(form.values, objectives=(*form.values.objectives, ObjectiveValues()))
        for name, value in _objective_fields(place, ObjectiveValues()).items():
            st.session_state[key(name)] = value


def remove_objective(place: int) -> None:
    """Take an objective away; a callback."""
    form = kept_form()
    if form is None:
        return
    now = [_objective_values(each) for each in range(len(form.values.objectives))]
    del now[place]
    form.values = replace(form.values, objectives=tuple(now))
    for new, each in enumerate(now):
        for name, value in _objective_fields(new, each).items():
            st.session_state[key(name)] = value


def take_goal(place: int, goals: Mapping[str, Goal]) -> None:
    """Choose the goal that a metric has, or is likely to have, once it is chosen; a callback."""
    metric = str(st.session_state.get(key(f"objective.{place}")) or "")
    st.session_state[goal_key(place, metric)] = likely_goal(metric, goals)


def goal_key(place: int, metric: str) -> str:
    """Return the key of the goal of an objective, each metric's its own.

    A browser says what all of its fields hold with each thing that is done. Whoever is quicker than the answer
    to the metric's choice would set the goal back to the one before, were it the same field.
    """
    return key(f"goal.{place}.{metric}")


def likely_goal(metric: str, goals: Mapping[str, Goal]) -> str:
    """Return a metric's goal as it was defined, else what its name suggests."""
    if metric in goals:
        return goals[metric].value
    words = set(re.split(r"[^a-z0-9]+", metric.lower()))
    return (Goal.MAXIMIZE if words & _UP else Goal.MINIMIZE).value


def first_values(offer: Offer, facts: Facts) -> Values:
    """Return what a form begins with: ranges around the target's defaults, its metric, half of the cores."""
    from tracking.tuning.definition import TableTarget
    from tracking.tuning.tables.configurations import default_space
    from tracking.tuning.targets.ranges import space_of

    name = free_name(offer, facts.studies)
    workers = max(1, min(_MOST_WORKERS, (os.cpu_count() or 1) // 2))
    if offer.is_table:
        numbers = offer.id == "dataset:diabetes"
        table = TableValues(
            column="target" if offer.kind == "dataset" else "", metric="r2" if numbers else "accuracy"
        )
        space = default_space(TableTarget(column="target", metric=table.metric, dataset="digits"))
        return Values(name=name, rows=tuple(rows_of(space)), workers=workers, table=table)
    assert offer.found is not None
    metric = next((each for each in facts.metrics[: facts.own] if each in facts.goals), "")
    if not metric:
        metric = facts.metrics[0] if facts.own == 1 else "value" if offer.kind == "objective" else ""
    objective = ObjectiveValues(metric, likely_goal(metric, facts.goals))
    rows = () if offer.kind == "objective" else tuple(rows_of(space_of(offer.found)))
    return Values(name=name, rows=rows, objectives=(objective,), workers=workers)


def free_name(offer: Offer, taken: frozenset[str]) -> str:
    """Return a name for a sweep of a target that no study has yet."""
    if offer.kind in ("script", "file"):
        stem = PurePosixPath(offer.label).stem
    else:
        stem = offer.label.rpartition(":")[2]
    return next_name(stem, taken)


def next_name(name: str, taken: frozenset[str]) -> str:
    """Return a name, or with the next free number behind it: `train`, `train-2`."""
    stem, number, found = re.sub(r"-\d{1,6}$", "", name), 2, name
    while found in taken:
        found, number = f"{stem}-{number}", number + 1
    return found


def target_of(offer: Offer) -> Target:
    """Return what a definition calls an offer; of a table its source alone."""
    from tracking.tuning.definition import FunctionTarget, ScriptTarget, TableTarget

    if offer.found is None:
        source = {offer.kind: offer.label}
        return TableTarget(column="", metric="", **source)  # type: ignore[arg-type]
    if offer.kind == "script":
        return ScriptTarget(offer.found.path)
    return FunctionTarget(offer.found.path, offer.found.name, objective=offer.kind == "objective")


def choose(target: str | None) -> None:
    """Name a target in the address, and the form that opens for it; a callback. None: back to the list."""
    # At once: each of several changes would be a step of the browser's history.
    form = {} if target is None else {FORM: draw_token()}
    st.query_params.from_dict({state.NEW_SWEEP: target or CHOOSING, **form})


def _objective_fields(place: int, values: ObjectiveValues) -> dict[str, Any]:
    return {
        f"objective.{place}": values.metric or None,
        f"goal.{place}.{values.metric}": values.goal,
        f"at.{place}": values.at,
    }


def _objective_values(place: int) -> ObjectiveValues:
    found = st.session_state
    metric = str(found.get(key(f"objective.{place}")) or "")
    return ObjectiveValues(
        metric,
        str(found.get(goal_key(place, metric)) or "minimize"),
        str(found.get(key(f"at.{place}")) or "last"),
    )


def _table_fields() -> TableValues:
    found = st.session_state
    estimators = found.get(key("estimators"))
    return TableValues(
        column=str(found.get(key("column")) or ""),
        metric=str(found.get(key("metric")) or ""),
        estimators=tuple(map(str, estimators)) if isinstance(estimators, list | tuple) else (),
        folds=_whole(found.get(key("folds"))),
        seed=_whole(found.get(key("table_seed"))),
    )


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
