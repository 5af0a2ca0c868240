"""Edits of sweeps that nobody runs: what they change, what they refuse, and what a next study takes over."""

from __future__ import annotations

import threading
from pathlib import Path

import optuna
import pytest

import tracking
from tests.conftest import RunScript
from tests.tuning.sweeping import SCRIPT, TEXT, made, wait_for
from tracking.config import StoreLocation
from tracking.study_records import RETRY_OF, RUN
from tracking.sweep_records import SweepState
from tracking.tuning import sweeps
from tracking.tuning.definition import ParamKind, ParamSpace
from tracking.tuning.definition_file import read_definition
from tracking.tuning.next_study import take_over_rest
from tracking.tuning.sweep_state import editing

optuna.logging.set_verbosity(optuna.logging.ERROR)


@pytest.fixture
def location(store_folder: Path, tmp_path: Path) -> StoreLocation:
    (tmp_path / "train.py").write_text(SCRIPT)
    found = StoreLocation(store_folder, named=True)
    made(found, tmp_path, 6)
    return found


def test_other_bounds_stay_in_the_study(location: StoreLocation) -> None:
    edited = sweeps.narrow(location, "s", "lr", high=0.15)
    assert edited.sweep.studies == ("s",) and edited.sweep.edition == 2
    assert edited.sentence.startswith("lr: 0.01 to 0.3 became 0.01 to 0.15.")
    with tracking.open_store(location.root) as store:
        outside = sum(each.params["lr"] > 0.15 for each in store.sweep_trials("s"))
    assert outside and f"{outside} trial" in edited.sentence and "history" in edited.sentence
    edited = sweeps.widen(location, "s", "lr", low=0.001, high=0.4)
    assert "low = 0.001" in edited.sweep.text and edited.sweep.edition == 3
    assert [each.what for each in edited.sweep.edits] == ["space", "space"]
    assert [each.trial for each in edited.sweep.edits] == [6, 6]
    # Optuna goes on in that study with them.
    study = optuna.load_study(study_name="s", storage=tracking.study_storage(location.root))
    study.optimize(lambda trial: trial.suggest_float("lr", 0.001, 0.4), n_trials=2)


@pytest.mark.parametrize("sampler", ["nsga2", "qmc", "gp", "cmaes"])
def test_samplers_that_look_at_params_together_get_a_next_study(
    sampler: str, store_folder: Path, tmp_path: Path
) -> None:
    found = StoreLocation(store_folder, named=True)
    (tmp_path / "train.py").write_text(SCRIPT)
    text = TEXT.replace('choices = ["sgd", "adam"]', "value = 1") if sampler in ("cmaes",) else TEXT
    text = text.replace("value = 1", 'value = "sgd"').replace('name = "random"', f'name = "{sampler}"')
    try:
        read_definition(text)
    except tracking.InvalidDefinition as error:
        pytest.skip(str(error))
    made(found, tmp_path, 0, text=text)
    assert sweeps.widen(found, "s", "lr", high=0.4).sweep.studies == ("s", "s (2)")


def test_a_new_choice_opens_the_next_study_with_all_trials(location: StoreLocation) -> None:
    with tracking.open_store(location.root) as store:
        before = store.sweep_trials("s")
        runs = store.count(children=True)
    edited = sweeps.add_choice(location, "s", "opt", "rms")
    record = edited.sweep
    assert record.studies == ("s", "s (2)") and record.state is SweepState.STOPPED
    assert "next one" in edited.sentence and "5 trials of before are known" in edited.sentence
    assert (record.taken_over, record.done, record.trials["complete"]) == (5, 6, 5)
    assert record.best[0].study == "s"
    with tracking.open_store(location.root) as store:
        after = store.sweep_trials("s")
        assert store.count(children=True) == runs  # no new runs
        assert store.sweep("s (2)").name == "s" and len(store.sweeps()) == 1
        assert store.sweep_trials("s", study="s") == before
    complete = [each for each in before if each.state == "complete"]
    assert [each.values for each in after] == [each.values for each in complete]
    assert [each.params for each in after] == [each.params for each in complete]
    assert [each.run for each in after] == [each.run for each in complete]
    assert [each.attributes[RUN] for each in after] == [each.run for each in complete]
    study = optuna.load_study(study_name="s (2)", storage=tracking.study_storage(location.root))
    study.sampler = optuna.samplers.TPESampler(n_startup_trials=0, seed=1)
    study.optimize(lambda trial: len(trial.suggest_categorical("opt", ["sgd", "adam", "rms"])), n_trials=2)


def test_linear_becomes_log_and_what_does_not_fit_stays(location: StoreLocation) -> None:
    edited = sweeps.change_param(location, "s", "lr", low=0.1, high=0.3, log=True)
    with tracking.open_store(location.root) as store:
        first, second = store.sweep_trials("s", study="s"), store.sweep_trials("s")
    fitting = [each for each in first if each.state == "complete" and each.params["lr"] >= 0.1]
    assert 0 < len(fitting) < 5
    assert [each.run for each in second] == [each.run for each in fitting]
    assert f"{5 - len(fitting)} do not fit" in edited.sentence
    study = optuna.load_study(study_name="s (2)", storage=tracking.study_storage(location.root))
    assert all(trial.distributions["lr"].log for trial in study.trials)  # type: ignore[attr-defined]


def test_a_third_study_takes_over_from_both(location: StoreLocation) -> None:
    sweeps.add_choice(location, "s", "opt", "rms")
    study = optuna.load_study(study_name="s (2)", storage=tracking.study_storage(location.root))
    trial = study.ask()
    trial.suggest_float("lr", 0.01, 0.3)
    trial.suggest_categorical("opt", ["sgd", "adam", "rms"])
    study.tell(trial, 0.1)
    edited = sweeps.add_choice(location, "s", "opt", "lion")
    assert edited.sweep.studies == ("s", "s (2)", "s (3)")
    assert (edited.sweep.taken_over, edited.sweep.done) == (6, 7)


def test_a_new_param_is_looked_up_in_what_the_runs_logged(
    location: StoreLocation, run_script: RunScript
) -> None:
    with tracking.open_store(location.root) as store:
        trials = store.sweep_trials("s")
    # Two of the trials' scripts logged which momentum they took; one of them lies outside.
    for number, momentum in ((0, 0.5), (2, 7.0)):
        done = run_script(
            f"import tracking; tracking.start_run('x', params={{'momentum': {momentum}}}, capture=False).finish()",
            env={"TRACKING_TRIAL": str(trials[number].run), "TRACKING_STORE": str(location.root)},
        )
        assert done.returncode == 0, done.stderr
    with tracking.open_store(location.root) as store:
        wait_for(lambda: "momentum" in store.run(str(trials[2].run)).params)
    param = ParamSpace("momentum", ParamKind.FLOAT, low=0.0, high=0.9)
    edited = sweeps.add_param(location, "s", param)
    assert edited.sweep.taken_over == 1
    with tracking.open_store(location.root) as store:
        (taken,) = store.sweep_trials("s")
    assert taken.run == trials[0].run and taken.params["momentum"] == 0.5


def test_what_ends_later_in_the_earlier_study_is_taken_over_once(location: StoreLocation) -> None:
    sweeps.add_choice(location, "s", "opt", "rms")
    study = optuna.load_study(study_name="s", storage=tracking.study_storage(location.root))
    trial = study.ask({"lr": optuna.distributions.FloatDistribution(0.01, 0.3)})
    trial.suggest_categorical("opt", ["sgd", "adam"])
    study.tell(trial, 0.9)
    with editing(location, "s") as sweep:
        assert take_over_rest(sweep) == 1
        assert take_over_rest(sweep) == 0
    with tracking.open_store(location.root) as store:
        assert store.sweep("s").taken_over == 6


def test_waiting_trials_move_to_the_next_study(location: StoreLocation) -> None:
    study = optuna.load_study(study_name="s", storage=tracking.study_storage(location.root))
    study.enqueue_trial({"lr": 0.2})
    study.enqueue_trial({"lr": 9.0})
    edited = sweeps.add_choice(location, "s", "opt", "rms")
    assert "Of 2 trials that waited, 1 wait here." in edited.sentence
    assert (edited.sweep.trials["waiting"], edited.sweep.done) == (1, 6)
    following = optuna.load_study(study_name="s (2)", storage=tracking.study_storage(location.root))
    (waiting,) = following.get_trials(states=[optuna.trial.TrialState.WAITING])
    assert waiting.system_attrs["fixed_params"] == {"lr": 0.2}


def test_failed_trials_are_enqueued_again_once(location: StoreLocation) -> None:
    with pytest.raises(tracking.InvalidValue, match="Trial 0 is complete"):
        sweeps.retry(location, "s", [0])
    with pytest.raises(tracking.NotFound, match="no trial 77"):
        sweeps.retry(location, "s", [77])
    with editing(location, "s") as sweep:
        sweep.set_attributes({"podium:outcome": None, "podium:wanted": {"state": "pause", "at": "x"}})
    edited = sweeps.retry(location, "s", seconds=60, memory=10**9)
    assert edited.sweep.state is SweepState.PAUSED and "paused" in edited.sentence
    assert 'time = "1m"' in edited.sweep.text or "time = 60" in edited.sweep.text
    assert edited.sweep.failures[0].retried == 1
    with tracking.open_store(location.root) as store:
        first, again = store.sweep_trials("s")[1], store.sweep_trials("s")[-1]
    assert again.state == "waiting" and again.attributes[RETRY_OF] == 1
    study = optuna.load_study(study_name="s", storage=tracking.study_storage(location.root))
    assert study.trials[-1].system_attrs["fixed_params"] == first.params
    with pytest.raises(tracking.InvalidValue, match="No failed trial"):
        sweeps.retry(location, "s")


def test_concurrent_edits_are_all_kept(location: StoreLocation) -> None:
    problems: list[BaseException] = []

    def add() -> None:
        try:
            for _ in range(5):
                sweeps.add_budget(location, "s", trials=1)
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    with tracking.open_store(location.root) as store:
        record = store.sweep("s")
    assert (record.budget_trials, record.edition, len(record.edits)) == (30, 21, 20)
    assert [edit.edition for edit in record.edits] == list(range(2, 22))


def test_an_edit_of_what_was_seen_is_refused_when_it_changed(location: StoreLocation) -> None:
    sweeps.set_workers(location, "s", 2, edition=1)
    with pytest.raises(tracking.RunStateError, match="at edition 2, and you saw 1"):
        sweeps.set_workers(location, "s", 3, edition=1)
    assert sweeps.set_workers(location, "s", by=1, edition=2).sweep.workers == 3


def test_a_rewritten_definition_keeps_its_comments(location: StoreLocation) -> None:
    text = TEXT.replace("trials = 10", "trials = 12  # more")
    assert sweeps.rewrite(location, "s", text, edition=1).sweep.text == text
    for old, new, why in (
        ('name = "s"', 'name = "t"', "keeps its name"),
        ('"maximize"', '"minimize"', "keeps its objectives"),
        ('script = "train.py"', 'script = "other.py"', "keeps its target"),
    ):
        with pytest.raises(tracking.RunStateError, match=why):
            sweeps.rewrite(location, "s", text.replace(old, new))
    with pytest.raises(tracking.InvalidValue, match="said before"):
        sweeps.rewrite(location, "s", text)


def test_edits_that_make_no_sense_change_nothing(location: StoreLocation) -> None:
    for edit, message in (
        (lambda: sweeps.widen(location, "s", "lr", high=0.2), "wider"),
        (lambda: sweeps.narrow(location, "s", "lr", high=0.5), "narrower"),
        (lambda: sweeps.widen(location, "s", "lr"), "Give the new bounds"),
        (lambda: sweeps.widen(location, "s", "opt", low=1), "has no bounds"),
        (lambda: sweeps.widen(location, "s", "rl", low=0), "Did you mean 'lr'"),
        (lambda: sweeps.narrow(location, "s", "lr", low=0.5), "low"),
        (lambda: sweeps.add_choice(location, "s", "opt", "sgd"), "already"),
        (lambda: sweeps.add_choice(location, "s", "lr", 1), "only a param with choices"),
        (lambda: sweeps.change_param(location, "s", "lr", low=0.0, log=True), "log"),
        (lambda: sweeps.change_param(location, "s", "lr", low=0.01), "is so already"),
        (lambda: sweeps.add_param(location, "s", ParamSpace("lr", ParamKind.FIXED, value=1)), "already"),
        (lambda: sweeps.add_param(location, "s", ParamSpace("depth", ParamKind.INT, low=1, high=2)), "depth"),
        (lambda: sweeps.set_workers(location, "s", 0), "at least one"),
        (lambda: sweeps.add_budget(location, "s", trials=0), "more than 0"),
        (lambda: sweeps.add_budget(location, "s", seconds=5), "no bound of time"),
        (lambda: sweeps.pause(location, "s"), "has ended"),
        (lambda: sweeps.stop(location, "s"), "has ended"),
        (lambda: sweeps.stop_worker(location, "s", 0), "No worker 0"),
        (lambda: sweeps.pause(location, "nobody"), "no sweep 'nobody'"),
    ):
        with pytest.raises(tracking.TrackingError, match=message):
            edit()
    with tracking.open_store(location.root) as store:
        record = store.sweep("s")
    assert (record.text, record.edition, record.edits, record.studies) == (TEXT, 1, (), ("s",))


def test_an_edit_that_fails_half_way_leaves_the_sweep_as_it_was(
    location: StoreLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tracking.tuning import next_study

    def broken(*arguments: object) -> str:
        raise tracking.StoreBusy("locked")

    with tracking.open_store(location.root) as store:
        before = store.sweep("s")
    monkeypatch.setattr(next_study, "_write", broken)
    with pytest.raises(tracking.StoreBusy):
        sweeps.add_choice(location, "s", "opt", "rms")
    with tracking.open_store(location.root) as store:
        after = store.sweep("s")
    assert (after.state, after.reason, after.studies, after.text) == (
        before.state,
        before.reason,
        before.studies,
        before.text,
    )
