"""What is known of the trials of a running sweep is brought up to date as if all of them were read each time."""

from __future__ import annotations

import random
from pathlib import Path

import optuna
import pytest

import tracking
from tests.tuning.sweeping import TEXT, made
from tracking.config import StoreLocation
from tracking.database import sweep_digest
from tracking.study_records import CAUSE, CONSTRAINTS, REASON, RETRY_OF, RUN
from tracking.sweep_records import STOPPED

optuna.logging.set_verbosity(optuna.logging.ERROR)


@pytest.fixture
def location(store_folder: Path) -> StoreLocation:
    return StoreLocation(store_folder, named=True)


def go_on(study: optuna.Study, running: list[optuna.Trial], draw: random.Random) -> None:
    """Let one thing happen to a study of two objectives."""
    kind = draw.choice(
        ["ask", "ask", "complete", "complete", "fail", "stop", "retry", "prune", "wait", "link"]
    )
    if kind == "ask":
        running.append(study.ask())
        running[-1].suggest_float("lr", 0.01, 0.3)
    elif kind == "wait":
        study.enqueue_trial({"lr": 0.1})
    elif kind == "link":
        values = [draw.random(), draw.random()]
        study.add_trial(optuna.trial.create_trial(values=values, user_attrs={RUN: "r"}))
    elif running:
        trial = running.pop(draw.randrange(len(running)))
        if kind == "complete":
            if draw.random() < 0.3:
                trial.set_user_attr(CONSTRAINTS, {"c": draw.choice([-1.0, 1.0])})
            study.tell(trial, [draw.randrange(6), draw.randrange(6)])
        elif kind == "prune":
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            trial.set_user_attr(CAUSE, STOPPED if kind == "stop" else draw.choice(["error", "killed"]))
            trial.set_user_attr(REASON, f"exit code {draw.randrange(3)}")
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
            if kind == "retry":
                study.enqueue_trial({"lr": 0.1}, user_attrs={RETRY_OF: trial.number})


def fresh_record(store: tracking.Store) -> tracking.sweep_records.SweepRecord:
    """Return the record as a process that knows nothing would read it, which then knows what it knew."""
    kept = dict(sweep_digest._kept)
    sweep_digest._kept.clear()
    try:
        return store.sweep("s")
    finally:
        sweep_digest._kept.clear()
        sweep_digest._kept.update(kept)


@pytest.mark.parametrize("seed", range(3))
def test_a_record_brought_up_to_date_is_that_of_all_trials(
    location: StoreLocation, tmp_path: Path, seed: int
) -> None:
    made(location, tmp_path, text=TEXT + '\n[[objectives]]\nmetric = "cost"\ngoal = "minimize"\n')
    study = optuna.load_study(
        study_name="s",
        storage=tracking.study_storage(location.root),
        sampler=optuna.samplers.RandomSampler(seed=seed),
    )
    draw, running = random.Random(seed), []
    known: list[tracking.study_records.TrialRecord] = []
    with tracking.open_store(location.root) as store:
        for step in range(120):
            go_on(study, running, draw)
            if step % 3 == 0:
                assert store.sweep("s") == fresh_record(store)
                known = store.sweep_trials("s", known=known)
                assert known == store.sweep_trials("s")
        record = store.sweep("s")
    assert record.failures and record.best and record.taken_over


def test_of_trials_that_were_known_only_those_that_go_on_are_read(
    location: StoreLocation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tracking.database import study_queries

    made(location, tmp_path, 6)
    study = optuna.load_study(study_name="s", storage=tracking.study_storage(location.root))
    read: list[int] = []
    records = study_queries._records
    monkeypatch.setattr(
        study_queries, "_records", lambda rows: (read.extend(row[0] for row in rows), records(rows))[1]
    )
    with tracking.open_store(location.root) as store:
        known = store.sweep_trials("s")
        going = study.ask()
        known = store.sweep_trials("s", known=known)
        read.clear()
        assert store.sweep_trials("s", known=known) == known and read == [5, 6]
        study.tell(going, 0.5)
        assert [each.state for each in store.sweep_trials("s", known=known)][-1] == "complete"


def test_a_run_removed_for_good_is_no_longer_that_of_its_trial(
    location: StoreLocation, tmp_path: Path
) -> None:
    made(location, tmp_path, 4)
    with tracking.open_store(location.root) as store:
        known = store.sweep_trials("s")
        assert known[2].run is not None
        store.delete_run(known[2].run)
        store.gc()
        now = store.sweep_trials("s", known=known)
    assert now[2].run is None and now[:2] == known[:2] and now[3:] == known[3:]


def test_trials_of_another_study_of_that_name_are_not_taken_for_known(
    location: StoreLocation, tmp_path: Path
) -> None:
    made(location, tmp_path, 4)
    other = StoreLocation(tmp_path / "other", named=True)
    made(other, tmp_path / "there", 4)
    with tracking.open_store(location.root) as store, tracking.open_store(other.root) as second:
        known = store.sweep_trials("s")
        assert second.sweep_trials("s", known=known) == second.sweep_trials("s") != known
