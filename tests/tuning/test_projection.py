"""Whatever happens to a study, its runs are what Optuna replays; and they can be made again from the journal."""

from __future__ import annotations

import math
import sqlite3
import tempfile
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import optuna
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.storages.journal._storage import JournalOperation
from optuna.trial import TrialState, create_trial

import tracking
from tests.tuning.projection import differences
from tracking.database import study_fold, study_ops

DISTRIBUTIONS: list[tuple[BaseDistribution, float]] = [
    (FloatDistribution(0, 1), 0.25),
    (FloatDistribution(1e-5, 1, log=True), 0.5),
    (IntDistribution(1, 10), 3.0),
    (CategoricalDistribution(["a", None, True, 2.5]), 1),
    (CategoricalDistribution(["a", None, True, 2.5]), 3),
    (CategoricalDistribution(["b"]), 0),
    (CategoricalDistribution([float("nan"), 1]), 0),
]
NUMBERS = st.sampled_from([0.5, -1.0, 1e300, math.inf, -math.inf, math.nan, 3])
TEMPLATES = [
    create_trial(state=TrialState.WAITING),
    create_trial(state=TrialState.WAITING, params={"x": 0.5}, distributions={"x": FloatDistribution(0, 1)}),
    create_trial(
        value=2.0,
        params={"x": 3, "y": "a"},
        distributions={"x": IntDistribution(1, 5), "y": CategoricalDistribution(["a", "b"])},
        intermediate_values={0: 1.0, 5: math.nan},
        user_attrs={"k": [1, {"a": None}]},
    ),
    create_trial(state=TrialState.PRUNED, intermediate_values={1: 0.5}),
    create_trial(state=TrialState.FAIL),
]
NUMBER = st.integers(0, 5)
OPERATIONS = st.one_of(
    st.tuples(st.just("create"), st.one_of(st.none(), st.sampled_from(TEMPLATES))),
    st.tuples(st.just("param"), NUMBER, st.sampled_from("xy"), st.sampled_from(DISTRIBUTIONS)),
    st.tuples(st.just("state"), NUMBER, st.sampled_from(list(TrialState)), st.one_of(st.none(), NUMBERS)),
    st.tuples(st.just("report"), NUMBER, st.integers(0, 3), NUMBERS),
    st.tuples(st.just("attribute"), NUMBER, st.sampled_from("kl"), st.sampled_from([1, "é", [None]])),
    st.tuples(st.just("system"), NUMBER, st.sampled_from("kl"), st.sampled_from([1, {"a": [2]}])),
)


def apply(storage: BaseStorage, study: int, operation: tuple[Any, ...]) -> None:
    kind, *rest = operation
    if kind == "create":
        storage.create_new_trial(study, rest[0])
        return
    trial = storage.get_trial_id_from_study_id_trial_number(study, rest[0])
    if kind == "param":
        name, (distribution, value) = rest[1:]
        storage.set_trial_param(trial, name, value, distribution)
    elif kind == "state":
        storage.set_trial_state_values(trial, rest[1], None if rest[2] is None else [rest[2]])
    elif kind == "report":
        storage.set_trial_intermediate_value(trial, rest[1], rest[2])
    elif kind == "attribute":
        storage.set_trial_user_attr(trial, rest[1], rest[2])
    else:
        storage.set_trial_system_attr(trial, rest[1], rest[2])


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.booleans(), OPERATIONS), min_size=5, max_size=60))
def test_runs_are_what_a_replay_arrives_at(operations: list[tuple[bool, tuple[Any, ...]]]) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "store"
        workers = tracking.study_storage(folder), tracking.study_storage(folder)
        study = workers[0].create_new_study([optuna.study.StudyDirection.MINIMIZE], "s")
        for first, operation in operations:
            with suppress(KeyError, ValueError, UpdateFinishedTrialError):
                apply(workers[first], study, operation)
        assert differences(folder, "s") == []
        # Replayed step by step, and from the shortened reading: the same.
        stepwise = workers[0].get_all_trials(study)
        assert repr(tracking.study_storage(folder).get_all_trials(study)) == repr(stepwise)
        damage(folder)
        with tracking.open_store(folder) as store:
            store.rebuild_study("s")
        assert differences(folder, "s") == []
        assert repr(tracking.study_storage(folder).get_all_trials(study)) == repr(stepwise)


def damage(folder: Path) -> None:
    """Change rows that follow from the journal."""
    with closing(sqlite3.connect(folder / "tracking.db", timeout=30)) as database, database:
        database.execute("UPDATE study_trials SET state = 'fail', params = '{}', objectives = NULL")
        database.execute("UPDATE runs SET status = 'lost', seconds = 77")
        database.execute("DELETE FROM params")
        database.execute("DELETE FROM metric_summaries")


def test_a_rebuild_that_stopped_half_way_is_finished_by_whoever_appends(store_folder: Path) -> None:
    study = tracking.create_study("s", store=store_folder)
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=8)
    with closing(sqlite3.connect(store_folder / "tracking.db")) as database, database:
        database.execute("UPDATE studies SET folded = 0")
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    assert differences(store_folder, "s") == []


def test_the_journal_cannot_be_changed(store_folder: Path) -> None:
    tracking.create_study("s", store=store_folder).ask()
    with closing(sqlite3.connect(store_folder / "tracking.db")) as database:
        for statement in ("UPDATE study_journal SET op = '{}'", "DELETE FROM study_journal"):
            try:
                database.execute(statement)
            except sqlite3.IntegrityError as error:
                assert "the journal of a study" in str(error)
            else:
                raise AssertionError(statement)


def test_a_trial_ends_without_a_scan_of_its_study(store_folder: Path) -> None:
    tracking.create_study("s", store=store_folder)
    statement = str(study_fold._TRIAL_OPS._statement).replace(":study", "?").replace(":number", "?")
    with closing(sqlite3.connect(store_folder / "tracking.db")) as database:
        plan = database.execute(f"EXPLAIN QUERY PLAN {statement}", (1, 1)).fetchall()
    assert "ix_study_journal_trial" in plan[0][3]


def test_the_numbers_of_operations_and_states_are_optunas() -> None:
    ours = {code.name: code.value for code in study_ops.OpCode}
    assert ours == {code.name: code.value for code in JournalOperation}
    assert [state.name.lower() for state in sorted(TrialState)] == list(study_ops.STATES)
    directions = optuna.study.StudyDirection
    assert {number: goal.value.upper() for number, goal in study_ops.GOALS.items()} == {
        each.value: each.name for each in (directions.MINIMIZE, directions.MAXIMIZE)
    }
