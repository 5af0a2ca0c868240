"""Every trial of a study is a run of its experiment, from the moment it exists."""

from __future__ import annotations

import math
from datetime import timedelta
from pathlib import Path

import optuna
import pytest

import tracking
from tracking.records import Goal
from tracking.study_records import REASON, RUN

optuna.logging.set_verbosity(optuna.logging.ERROR)


def run_of(store: tracking.Store, study: str, number: int) -> tracking.RunRecord:
    run = store.trials(study, first=number, limit=1)[0].run
    assert run is not None
    return store.run(run)


def test_a_trial_is_a_run_while_it_runs(store_folder: Path) -> None:
    study = tracking.create_study("digits", direction="maximize", store=store_folder)
    with tracking.open_store(store_folder) as store:
        trial = study.ask()
        run = run_of(store, "digits", 0)
        assert (run.experiment, run.name, run.status) == ("digits", "trial 0", "running")
        trial.suggest_float("optimizer.lr", 0.1, 0.1)
        trial.suggest_categorical("kind", ["svm"])
        trial.suggest_int("depth", 3, 3)
        trial.report(0.5, 10)
        trial.report(math.nan, 11)
        trial.set_user_attr("note", {"why": [1, None]})
        run = run_of(store, "digits", 0)
        assert run.flat_params == {"optimizer.lr": 0.1, "kind": "svm", "depth": 3}
        assert run.params == {"optimizer.lr": 0.1, "kind": "svm", "depth": 3}
        history = store.history(run.id, "intermediate_value")
        assert history["step"].tolist() == [10, 11]
        assert history["value"].tolist()[0] == 0.5 and history["value"].isna().tolist() == [False, True]
        assert dict(store.trials("digits")[0].attributes) == {"note": {"why": [1, None]}}
        study.tell(trial, 0.75)
        run = run_of(store, "digits", 0)
        assert (run.status, run.metrics["value"].last) == ("finished", 0.75)
        assert run.ended is not None and run.duration > 0
        (found,) = store.search('metrics.value > 0.7 and params.kind == "svm"', experiment="digits")["run"]
        assert found == run.id
        (experiment,) = store.experiments()
        assert experiment.goals == {"value": Goal.MAXIMIZE, "intermediate_value": Goal.MAXIMIZE}
        assert store.trial_of_run(run.id) == ("digits", 0)


def test_states_become_statuses(store_folder: Path) -> None:
    study = tracking.create_study("s", store=store_folder, experiment="shared")

    def objective(trial: optuna.Trial) -> float:
        if trial.number == 1:
            trial.report(3.0, 0)
            raise optuna.TrialPruned
        if trial.number == 2:
            raise RuntimeError("no")
        return 1.0

    study.optimize(objective, n_trials=3, catch=(RuntimeError,))
    study.enqueue_trial({"x": 1})
    study.add_trial(optuna.trial.create_trial(value=9.0))
    with tracking.open_store(store_folder) as store:
        statuses = [run_of(store, "s", number).status.value for number in range(5)]
        assert statuses == ["finished", "pruned", "failed", "waiting", "finished"]
        assert run_of(store, "s", 1).metrics["value"].last == 3.0
        assert {run_of(store, "s", number).experiment for number in range(5)} == {"shared"}
        (about,) = store.studies()
        assert about.trials == {"running": 0, "complete": 2, "pruned": 1, "fail": 1, "waiting": 1}
        assert (about.experiment, about.directions, about.metrics) == ("shared", (Goal.MINIMIZE,), ("value",))


def test_objectives_are_metrics_by_their_names(store_folder: Path) -> None:
    plain = tracking.create_study("plain", directions=["minimize", "maximize"], store=store_folder)
    plain.optimize(lambda trial: (1.0, 2.0), n_trials=1)
    named = tracking.create_study(
        "named", directions=["minimize", "maximize"], metric_names=["loss", "val/acc"], store=store_folder
    )
    named.optimize(lambda trial: (1.0, 2.0), n_trials=1)
    with tracking.open_store(store_folder) as store:
        assert {key: each.last for key, each in run_of(store, "plain", 0).metrics.items()} == {
            "values.0": 1.0,
            "values.1": 2.0,
        }
        assert {key: each.last for key, each in run_of(store, "named", 0).metrics.items()} == {
            "loss": 1.0,
            "val/acc": 2.0,
        }
        goals = {each.name: dict(each.goals) for each in store.experiments()}
        assert goals["named"]["val/acc"] is Goal.MAXIMIZE and goals["named"]["loss"] is Goal.MINIMIZE
        assert store.history(run_of(store, "named", 0).id, "loss")["value"].tolist() == [1.0]


def test_deleting_a_run_hides_it_and_the_trial_stays(store_folder: Path) -> None:
    study = tracking.create_study("s", store=store_folder)
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=3)
    with tracking.open_store(store_folder) as store:
        run = run_of(store, "s", 1)
        store.delete_run(run.id)
        assert store.count(experiment="s") == 2
        assert len(study.trials) == len(store.trials("s")) == 3
        store.rebuild_study("s")
        assert store.count(experiment="s") == 2
        store.restore(run.id)
        assert store.count(experiment="s") == 3
        store.delete_experiment("s")
        assert len(store.gc(older_than=timedelta(0)).runs) == 3
        assert [trial.run for trial in store.trials("s")] == [None, None, None]
        assert [trial.value for trial in study.trials] == [trial.values[0] for trial in store.trials("s")]
        study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
        store.rebuild_study("s")
        assert store.count(experiment="s") == 1


def test_a_script_attaches_and_never_ends_a_trial(store_folder: Path) -> None:
    study = tracking.create_study("s", store=store_folder)
    trial = study.ask()
    trial.suggest_float("x", 0.5, 0.5)
    with tracking.open_store(store_folder) as store:
        run_id = run_of(store, "s", 0).id
        with (
            pytest.raises(RuntimeError),
            tracking.start_run(
                "s", resume=run_id, params={"x": 1, "y": 2}, store=store_folder, capture=False
            ) as run,
        ):
            run.log({"loss": 0.25}, step=1)
            raise RuntimeError("the script fails")
        store.recover()
        record = store.run(run_id)
        assert (record.status, record.name, record.error) == ("running", "trial 0", None)
        assert record.metrics["loss"].last == 0.25 and record.flat_params["y"] == 2
        study.tell(trial, 1.0)
        store.rebuild_study("s")
        record = store.run(run_id)
        assert (record.status, record.flat_params["x"]) == ("finished", 0.5)
        assert {key: each.last for key, each in record.metrics.items()} == {"loss": 0.25, "value": 1.0}


def test_deleting_a_study_puts_its_runs_into_the_trash(store_folder: Path) -> None:
    study = tracking.create_study("s", store=store_folder)
    study.optimize(lambda trial: 1.0, n_trials=2)
    study.ask()
    optuna.delete_study(study_name="s", storage=tracking.study_storage(store_folder))
    with tracking.open_store(store_folder) as store:
        assert store.studies() == [] and store.count() == 0
        assert {each.experiment for each in store.trash()} == {"s"}
        again = tracking.create_study("s", store=store)
        again.optimize(lambda trial: 2.0, n_trials=1)
        assert [trial.values for trial in store.trials("s")] == [(2.0,)]
        assert store.count() == 1
        with pytest.raises(tracking.NotFound, match="no study 'other'"):
            store.trials("other")


def test_names_that_nothing_can_hold_are_refused_and_odd_ones_kept(store_folder: Path) -> None:
    for name in ("a\0b", "\ud800", "x" * 513, 5):
        with pytest.raises(tracking.InvalidValue, match="name"):
            tracking.create_study(name, store=store_folder)  # type: ignore[arg-type]
    for name in ("", "'; DROP TABLE studies; --", "größe/日本", "<b>x</b>", " \n"):
        study = tracking.create_study(name, store=store_folder)
        trial = study.ask()
        trial.suggest_float("p\0\ud800", 0, 1)
        trial.set_user_attr("\0", "\ud800")
        study.tell(trial, 1.0)
        assert [each.state for each in tracking.open_store(store_folder).trials(name)] == ["complete"]


def taken_over(run: str, value: float) -> optuna.trial.FrozenTrial:
    return optuna.trial.create_trial(
        params={"lr": 0.2},
        distributions={"lr": optuna.distributions.FloatDistribution(0, 1)},
        value=value,
        intermediate_values={1: 0.5},
        user_attrs={RUN: run},
    )


def test_a_trial_may_take_over_the_outcome_of_a_run_that_was_there_before(store_folder: Path) -> None:
    with tracking.start_run("digits", params={"lr": 0.2}, store=store_folder, capture=False) as earlier:
        earlier.log({"accuracy": 0.9})
    study = tracking.create_study("again", experiment="digits", store=store_folder)
    with tracking.open_store(store_folder) as store:
        before = store.run(earlier.id)
        study.add_trial(taken_over(earlier.id, 0.9))
        study.add_trial(taken_over("gone", 0.8))
        own = study.ask()
        for _ in range(2):
            first, second, third = store.trials("again")
            assert (first.run, first.state, first.values) == (earlier.id, "complete", (0.9,))
            assert (second.run, second.values) == (None, (0.8,))
            assert third.run not in (None, earlier.id)
            after = store.run(earlier.id)
            assert (after.metrics.keys(), after.revision) == (before.metrics.keys(), before.revision)
            assert store.trial_of_run(earlier.id) is None
            assert set(store.search(experiment="digits")["run"]) == {earlier.id, third.run}
            store.rebuild_study("again")
        assert [trial.value for trial in study.trials] == [0.9, 0.8, None]
        study.tell(own, 1.0)
        tracking.study_storage(store).delete_study(study._study_id)
        assert set(store.search(experiment="digits")["run"]) == {earlier.id}


def test_the_run_says_why_its_trial_failed(store_folder: Path) -> None:
    study = tracking.create_study("reasons", store=store_folder)
    trial = study.ask()
    trial.set_user_attr(REASON, "train.py ended with exit code 1: ValueError: \ud800 no such file")
    study.tell(trial, state=optuna.trial.TrialState.FAIL)
    with tracking.open_store(store_folder) as store:
        for _ in range(2):
            run = run_of(store, "reasons", 0)
            assert run.status == "failed"
            assert str(run.error).startswith("train.py ended with exit code 1: ValueError")
            store.rebuild_study("reasons")
