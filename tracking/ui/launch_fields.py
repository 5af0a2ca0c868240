"""Draws the fields of the launch form, each with what is wrong in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import pandas as pd
import streamlit as st

from tracking.records import Goal
from tracking.ui import grid, launch_plan, launch_state
from tracking.ui.launch_problems import Unsaid
from tracking.ui.launch_space import COLUMNS, TYPES
from tracking.ui.launch_state import Form, key
from tracking.ui.launch_values import SAME
from tracking.ui.markdown import escape
from tracking.ui.tables import LETTER, PADDING

if TYPE_CHECKING:
    from tracking.ui.launch_facts import Facts
    from tracking.ui.launch_targets import Offer

_ROWS: Final = 14
_NAMED: Final = 12
_NAME_WIDTHS: Final = (120, 260)
_AT: Final = {
    "last": "last value",
    "best": "best value",
    "min": "smallest value",
    "max": "largest value",
    "mean": "mean",
}


# Numbers have no bounds here: a browser keeps one that is out of them to itself, and what was typed before would start.


def name_and_notes(unsaid: Unsaid) -> None:
    """Draw what the sweep is called."""
    left, right = st.columns([1, 2], gap="medium")
    with left:
        st.text_input("Name", key=key("name"), help="The sweep is found by it, and so are its runs.")
        unsaid.say("The name", "name")
    with right:
        st.text_input("Notes", key=key("notes"), placeholder="What is to be found out")
        unsaid.say("The notes", "notes")


def space(form: Form, left_out: Sequence[str], unsaid: Unsaid) -> None:
    """Draw the table of params, and name the options that are not in it."""
    st.subheader("Params", anchor=False)
    st.caption(
        "Proposed from the target's own options and defaults. Change any cell, add a row at the end, or tick rows "
        "and delete them. A param that is not here keeps its default."
    )
    frame = pd.DataFrame(list(form.rows), columns=list(COLUMNS)).astype(
        {name: "bool" if name == "log" else "object" for name in COLUMNS}
    )
    text = st.column_config.TextColumn
    st.data_editor(
        frame,
        key=launch_state.space_key(form),
        num_rows="dynamic",
        hide_index=True,
        width="stretch",
        height=grid.height(len(frame) + 1, _ROWS),
        row_height=grid.ROW_HEIGHT,
        placeholder="",
        alt="The search space, a param in each row",
        column_config={
            "param": text(
                "Param",
                width=_name_width(form),
                help="As the target calls it: learning_rate for --learning-rate",
            ),
            "type": st.column_config.SelectboxColumn("Type", options=list(TYPES), width=110),
            "low": text("Low", width=90, help="The least value, itself included; 1e-4 is fine"),
            "high": text("High", width=90, help="The greatest value, itself included"),
            "log": st.column_config.CheckboxColumn(
                "Log",
                width=60,
                default=False,
                help="Draw factors evenly: 0.001 to 0.01 as often as 0.01 to 0.1",
            ),
            "step": text("Step", width=70, help="Between two values; blank for every one"),
            "choices": text("Choices", width=190, help="Of a categorical param, with commas: sgd, adam"),
            "value": text("Fixed value", width=100, help="The same in every trial"),
            "only_if": text(
                "Only if",
                width=190,
                help="The param exists only then: optimizer = sgd, adam; nesterov = true",
            ),
        },
    )
    unsaid.say_of_space()
    if said := left_out_text(left_out):
        st.caption(escape(said))


def left_out_text(names: Sequence[str]) -> str:
    """Return which options of a target are not in the space, and why seeds are not proposed; empty of none."""
    seeds = [name for name in names if name in launch_state.SEEDS]
    others = [name for name in names if name not in seeds]
    said = []
    if seeds:
        many = "are" if len(seeds) > 1 else "is"
        said.append(
            f"{', '.join(seeds)} {many} not proposed, since a lucky one would win: "
            "choose it below at Repeat each trial over."
        )
    if others:
        more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        said.append(f"Not in the table, so at the default: {', '.join(others[:_NAMED])}{more}.")
    return " ".join(said)


def _name_width(form: Form) -> int:
    """Return the pixels of the column of names: cells are cut without an ellipsis."""
    longest = max((len(str(row.get("param") or "")) for row in form.rows), default=0)
    return min(_NAME_WIDTHS[1], max(_NAME_WIDTHS[0], LETTER * longest + PADDING))


def objectives(form: Form, facts: Facts, unsaid: Unsaid) -> None:
    """Draw which metrics are to become better."""
    st.subheader("Objectives", anchor=False)
    count = len(form.values.objectives)
    for place in range(count):
        _objective(place, facts, last=count == 1)
        unsaid.say("The metric", f"objectives[{place}].metric")
        unsaid.say("The objective", f"objectives[{place}]")
    if count < 4:
        st.button("Add an objective", key=key("add"), on_click=launch_state.add_objective, type="tertiary")
    unsaid.say("The list of objectives", "objectives")


def _objective(place: int, facts: Facts, *, last: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        metric = st.selectbox(
            "Metric",
            _options(facts.metrics, f"objective.{place}"),
            index=None,
            key=key(f"objective.{place}"),
            accept_new_options=True,
            placeholder="Choose or write a metric",
            help="As it is logged, or as the function returns it. Those of earlier runs of the target come first.",
            on_change=launch_state.take_goal,
            args=(place, facts.goals),
            width=320,
        )
        goal = launch_state.goal_key(place, metric or "")
        st.segmented_control("Goal", [each.value for each in Goal], key=goal, required=True)
        st.selectbox(
            "What counts",
            list(_AT),
            key=key(f"at.{place}"),
            format_func=lambda at: _AT[at],
            help="Which of the points that a trial logs is its result. The best one follows the goal.",
            width=170,
        )
        if not last:
            st.button(
                "Remove",
                key=key(f"remove.{place}"),
                on_click=launch_state.remove_objective,
                args=(place,),
                type="tertiary",
            )


def _options(known: Sequence[str], name: str) -> list[str]:
    """Return what a field offers: what it holds is there too, also where somebody wrote it."""
    held = st.session_state.get(key(name))
    return list(dict.fromkeys([*known, held])) if isinstance(held, str) and held else list(known)


def data(offer: Offer, columns: Sequence[str], unsaid: Unsaid) -> None:
    """Draw what of a table is learned, and by which models."""
    from tracking.tuning.tables.estimators import NAMES, USUAL
    from tracking.tuning.tables.task import METRICS

    st.subheader("Data and models", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.selectbox(
            "Column to predict",
            _options(columns, "column"),
            index=None,
            key=key("column"),
            accept_new_options=offer.kind == "file",
            placeholder="Choose or write a column",
            width=240,
        )
        st.multiselect(
            "Models",
            list(NAMES),
            key=key("estimators"),
            placeholder=", ".join(USUAL),
            help="linear: logistic or ridge regression; boosting: gradient boosted trees. Their params are below.",
            on_change=_take_models,
            args=(offer,),
            width=420,
        )
        st.selectbox(
            "Metric",
            list(METRICS),
            key=key("metric"),
            help="A scorer of scikit-learn; greater is always better. It decides between classes and numbers.",
            on_change=_take_models,
            args=(offer,),
            width=260,
        )
        st.number_input("Folds", step=1, value=None, key=key("folds"), width=110)
        st.number_input("Seed of the folds", step=1, value=None, key=key("table_seed"), width=150)
    unsaid.say("The column", "target.column")
    unsaid.say("The models", "target.estimators")
    unsaid.say("The metric", "target.metric", "objectives")
    unsaid.say("The number of folds", "target.folds")
    unsaid.say("The seed", "target.seed")


def _take_models(offer: Offer) -> None:
    """Propose the params of the models that were chosen; a callback."""
    from dataclasses import replace

    from tracking.errors import InvalidValue
    from tracking.tuning.definition import TableTarget
    from tracking.tuning.tables.configurations import default_space
    from tracking.ui.launch_space import rows_of

    form = launch_state.kept_form()
    if form is None or form.target != offer.id:
        return
    values = launch_state.read_fields(form, table=True)
    table = values.table
    try:
        found = default_space(TableTarget(table.column, table.metric, "digits", estimators=table.estimators))
    except InvalidValue:
        return  # the field says why
    launch_state.fill(form, replace(values, rows=tuple(rows_of(found))))


def search(unsaid: Unsaid) -> None:
    """Draw how configurations are chosen, and how poor trials are ended."""
    from tracking.tuning.definition_options import LISTED, PRUNERS, SAMPLERS

    st.subheader("Search", anchor=False)
    left, right = st.columns(2, gap="medium")
    with left:
        held = st.session_state.get(key("sampler"))
        samplers = [name for name in SAMPLERS if name != LISTED or held == LISTED]
        _named("Sampler", "sampler", samplers, launch_plan.SAMPLERS, unsaid)
    with right:
        _named("Pruner", "pruner", list(PRUNERS), launch_plan.PRUNERS, unsaid)


def _named(label: str, name: str, names: list[str], about: dict[str, str], unsaid: Unsaid) -> None:
    from tracking.tuning.definition_options import PRUNERS, SAMPLERS

    chosen = st.selectbox(label, names, key=key(name), on_change=_forget_options, args=(name,))
    st.caption(escape(about.get(chosen, "")))
    known = (SAMPLERS if name == "sampler" else PRUNERS).get(chosen, {})
    if known:
        st.text_input(
            f"Options of {chosen}",
            key=key(f"{name}_options"),
            placeholder=f"{next(iter(known))} = …, several with commas",
            help="Blank for Optuna's defaults. There are: "
            + escape("; ".join(f"{option}: {each.expected()}" for option, each in known.items())),
        )
    unsaid.say(f"The {name}", f"{name}.name")
    for each in unsaid.take(name):
        option = each.field.removeprefix(f"{name}.")
        unsaid_text = f"The option {option}" if option != "options" else "The line"
        st.markdown(f":red[{escape(unsaid_text)} {escape(each.sentence)}]")


def _forget_options(name: str) -> None:
    """Options are those of one sampler or pruner; a callback."""
    needed = launch_plan.NEEDED if name == "pruner" else {}
    st.session_state[key(f"{name}_options")] = needed.get(str(st.session_state.get(key(name))), "")


def budget(form: Form, names: Sequence[str], unsaid: Unsaid) -> None:
    """Draw how much is done, how much of it at once, and how often each."""
    st.subheader("Budget", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.number_input("Trials", step=1, value=None, key=key("trials"), width=120)
        st.text_input("Time", key=key("time"), placeholder="No bound", help="90s, 30m, 2h, 1d", width=120)
        st.number_input(
            "Workers",
            step=1,
            value=None,
            key=key("workers"),
            width=120,
            help="Trials that run at once. Half of this machine's cores, since most training uses several.",
        )
        st.selectbox(
            "Repeat each trial over",
            _options(names, "vary"),
            index=None,
            key=key("vary"),
            accept_new_options=True,
            placeholder="One run per trial",
            help="Each trial runs once for every value of this param, and its result is the mean: a lucky seed wins "
            "less often.",
            width=220,
        )
        if form.values.vary:
            label = "Numbers of the repeats" if form.values.vary == SAME else f"Values of {form.values.vary}"
            st.text_input(escape(label), key=key("repeats"), placeholder="0, 1, 2", width=180)
    unsaid.say("The number of trials", "budget.trials")
    unsaid.say("The time", "budget.time")
    unsaid.say("The budget", "budget")
    unsaid.say("The number of workers", "workers")
    unsaid.say("The repeated param", "repeats.vary")
    unsaid.say("The list of its values", "repeats")


def more(offer: Offer, facts: Facts, unsaid: Unsaid) -> None:
    """Draw what most sweeps leave as it is."""
    wrong = unsaid.take("limits", "prior", "seed", "experiment", "environment", "target.arguments")
    said = Unsaid(wrong, tried=True)
    with st.expander("Limits, earlier runs, seed and more", expanded=bool(wrong)):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            st.text_input(
                "Time of one run", key=key("limit_time"), placeholder="No limit", help="30m, 2h", width=150
            )
            st.text_input(
                "Memory of one run",
                key=key("limit_memory"),
                placeholder="No limit",
                help="512MB, 4GB",
                width=150,
            )
            st.number_input(
                "Failures in a row that end it",
                step=1,
                value=None,
                key=key("failures"),
                placeholder="Never",
                width=200,
            )
            st.number_input("Retries when a worker dies", step=1, value=None, key=key("retries"), width=200)
        said.say("The time of one run", "limits.time")
        said.say("The memory of one run", "limits.memory")
        said.say("The number of failures", "limits.failures")
        said.say("The number of retries", "limits.retries")
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            st.selectbox(
                "Learn from earlier runs of",
                _options(facts.experiments, "prior"),
                index=None,
                key=key("prior"),
                accept_new_options=True,
                placeholder="None",
                help="Finished runs of this experiment that have the params and the metric: the sampler knows them "
                "from the start.",
                width=300,
            )
            st.text_input(
                "Only those with", key=key("prior_filter"), placeholder="params.lr < 0.1", width=260
            )
            st.number_input("At most", step=1, value=None, key=key("prior_limit"), width=150)
        said.say("The experiment", "prior.experiment")
        said.say("The filter", "prior.filter")
        said.say("The number of runs", "prior.limit")
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            st.number_input(
                "Seed of the sampler",
                step=1,
                value=None,
                key=key("seed"),
                placeholder="Another each time",
                width=220,
            )
            st.text_input(
                "Experiment of the runs", key=key("experiment"), placeholder="Named like the sweep", width=220
            )
            if offer.kind == "script":
                st.text_input(
                    "Arguments that are always given",
                    key=key("arguments"),
                    placeholder="--epochs 20",
                    width=280,
                )
            st.text_input(
                "Environment variables",
                key=key("environment"),
                placeholder="HF_HOME DATA_ROOT",
                help="Names, without values: what the dashboard has them set to is passed on besides the usual ones.",
                width=240,
            )
        said.say("The seed", "seed")
        said.say("The experiment of the runs", "experiment")
        said.say("The arguments", "target.arguments")
        said.say("A variable", "environment")
