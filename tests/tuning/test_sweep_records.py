"""What a sweep's record says, from rows of studies that were made here: nobody runs them."""

from __future__ import annotations

import math
import time
from pathlib import Path

import optuna
import pytest

import tracking
from tests.tuning.sweeping import TEXT, made
from tracking.config import StoreLocation
from tracking.database.sweep_digest import Digest, Failures, Found, better
from tracking.database.sweep_progress import progress
from tracking.records import Goal
from tracking.spool.lock import try_lock
from tracking.study_records import CAUSE, RETRY_OF
from tracking.sweep_records import OUTCOME, SweepState, planned_trials
from tracking.tuning.sweep_state import append, attribute_op, opened, wanted

optuna.logging.set_verbosity(optuna.logging.ERROR)


@pytest.fixture
def location(store_folder: Path) -> StoreLocation:
    return StoreLocation(store_folder, named=True)


def set_attributes(location: StoreLocation, **values: object) -> None:
    with opened(location) as engines:
        append(engines, 1, [attribute_op(key.replace("_", ":", 1), value) for key, value in values.items()])


def test_a_record_counts_trials_and_names_the_best(location: StoreLocation, tmp_path: Path) -> None:
    made(location, tmp_path, 6)
    with tracking.open_store(location.root) as store:
        record = store.sweep("s")
        trials = store.sweep_trials("s")
    values = {each.number: each.values[0] for each in trials if each.values}
    assert record.trials == {"running": 0, "complete": 5, "pruned": 0, "fail": 1, "waiting": 0}
    assert (record.done, record.budget_trials, record.budget_seconds, record.taken_over) == (6, 10, None, 0)
    (best,) = record.best
    assert (best.number, best.values) == (max(values, key=values.__getitem__), (max(values.values()),))
    assert best.run == trials[best.number].run and best.params == trials[best.number].params
    (failed,) = record.failures
    assert (failed.cause, failed.trials, failed.retried) == ("error", (1,), 0)
    assert "too large" in failed.sentence
    assert (record.name, record.studies, record.study, record.edition) == ("s", ("s",), "s", 1)
    assert (record.target, record.sampler, record.text, record.project) == (
        "train.py",
        "random",
        TEXT,
        str(tmp_path),
    )
    assert [(each.metric, each.goal, each.at) for each in record.objectives] == [
        ("accuracy", Goal.MAXIMIZE, "last")
    ]


def test_retried_and_stopped_trials_do_not_count(location: StoreLocation, tmp_path: Path) -> None:
    made(location, tmp_path, 4)
    study = optuna.load_study(study_name="s", storage=tracking.study_storage(location.root))
    study.enqueue_trial({"lr": 0.1, "opt": "sgd"}, user_attrs={RETRY_OF: 1})
    stopped = study.add_trial(
        optuna.trial.create_trial(state=optuna.trial.TrialState.FAIL, user_attrs={CAUSE: "stopped"})
    )
    assert stopped is None
    with tracking.open_store(location.root) as store:
        record = store.sweep("s")
    assert record.done == 3  # 0, 2 and 3
    assert record.trials["waiting"] == 1 and record.trials["fail"] == 2
    assert [(each.cause, each.trials, each.retried) for each in record.failures] == [("error", (1,), 1)]


def test_several_objectives_have_a_pareto_set(location: StoreLocation, tmp_path: Path) -> None:
    text = TEXT + '\n[[objectives]]\nmetric = "cost"\ngoal = "minimize"\n'
    made(location, tmp_path, 8, text=text.replace('name = "s"', 'name = "two"'))
    study = optuna.load_study(study_name="two", storage=tracking.study_storage(location.root))
    with tracking.open_store(location.root) as store:
        record = store.sweep("two")
    assert {each.number for each in record.best} == {trial.number for trial in study.best_trials}
    firsts = [each.values[0] for each in record.best]
    assert firsts == sorted(firsts, reverse=True)


def test_the_pareto_set_is_that_of_a_plain_comparison() -> None:
    import random

    source = random.Random(0)
    for _ in range(50):
        found = [Found(number, tuple(float(source.randrange(5)) for _ in range(3))) for number in range(40)]
        found.append(Found(40, (math.nan, 9.0, 9.0)))
        signs = (1, -1, 1)
        goals = [Goal.MINIMIZE if sign == 1 else Goal.MAXIMIZE for sign in signs]
        losses = {
            each.number: [s * v for s, v in zip(signs, each.values, strict=True)] for each in found[:40]
        }
        front = {
            one
            for one, mine in losses.items()
            if not any(
                all(a <= b for a, b in zip(theirs, mine, strict=True)) and theirs != mine
                for theirs in losses.values()
            )
        }
        kept = better(found, goals)
        assert {each.values for each in kept} == {found[number].values for number in front}
        assert len({each.values for each in kept}) == len(kept)


def test_states_follow_from_what_was_asked_and_who_lives(location: StoreLocation, tmp_path: Path) -> None:
    made(location, tmp_path, 3)

    def state() -> tuple[SweepState, str]:
        with tracking.open_store(location.root) as store:
            record = store.sweep("s")
        return record.state, record.reason

    assert state() == (SweepState.STOPPED, "It was asked to stop.")
    set_attributes(location, podium_outcome=None)
    assert state()[0] is SweepState.WAITING  # it was asked to run just now
    long_ago = {"state": "run", "at": "2026-01-01T00:00:00+00:00"}
    set_attributes(location, podium_wanted=long_ago)
    assert state()[0] is SweepState.INTERRUPTED and "tracking sweep resume s" in state()[1]
    folder = location.sweeps / "1"
    folder.mkdir(parents=True)
    lock = try_lock(folder / "supervisor.lock")
    assert lock is not None
    try:
        assert state()[0] is SweepState.RUNNING
        set_attributes(location, **{"podium_wanted": wanted("pause")["podium:wanted"]})
        assert state()[0] is SweepState.PAUSED
        set_attributes(location, **{"podium_wanted": wanted("drain")["podium:wanted"]})
        assert state()[0] is SweepState.STOPPING
    finally:
        lock.release()
    assert state()[0] is SweepState.STOPPED
    set_attributes(location, podium_outcome={"state": "failed", "reason": "5 in a row", "at": "x"})
    assert state() == (SweepState.FAILED, "5 in a row")
    assert OUTCOME == "podium:outcome"


def test_what_nothing_says_is_none(location: StoreLocation, tmp_path: Path) -> None:
    made(location, tmp_path, 2)
    with tracking.open_store(location.root) as store:
        record = store.sweep("s")
    assert (record.rate, record.eta, record.elapsed, record.active) == (None, None, None, ())


def test_rate_and_time_left_are_those_of_the_latest_trials(location: StoreLocation, tmp_path: Path) -> None:
    made(location, tmp_path, text=TEXT.replace("trials = 10", "trials = 1000"), ended=False)
    study = optuna.load_study(study_name="s", storage=tracking.study_storage(location.root))
    for _ in range(4):
        study.tell(study.ask(), 0.5)
        time.sleep(0.25)
    folder = location.sweeps / "1"
    folder.mkdir(parents=True)
    lock = try_lock(folder / "supervisor.lock")
    assert lock is not None
    (folder / "clock.json").write_text('{"seconds": 12.5}')
    try:
        with tracking.open_store(location.root) as store:
            record = store.sweep("s")
            ended = [each.completed for each in store.sweep_trials("s") if each.completed]
    finally:
        lock.release()
    span = (ended[-1] - ended[0]).total_seconds()
    assert record.rate == pytest.approx(3 / span * 3600)
    assert record.eta is not None and 0 < record.eta <= 996 / 3 * span
    assert record.elapsed == 12.5


def test_a_grid_is_measured_by_its_size_where_the_budget_is_larger(
    location: StoreLocation, tmp_path: Path
) -> None:
    space = '[space.lr]\nchoices = [0.1, 0.2, 0.3]\n[space.momentum]\ntype = "int"\nlow = 0\nhigh = 1\n'
    start, end = TEXT.index("[space.lr]"), TEXT.index("[[objectives]]")
    grid = (TEXT[:start] + space + TEXT[end:]).replace('"random"', '"grid"').replace("10", "100")
    made(location, tmp_path, text=grid, ended=False)
    with tracking.open_store(location.root) as store:
        record = store.sweep("s")
    assert (record.size, record.budget_trials, record.planned, record.done) == (6, 100, 6, 0)
    set_attributes(
        location, **{OUTCOME.replace(":", "_", 1): {"state": "finished", "sentence": "Every one."}}
    )
    with tracking.open_store(location.root) as store:
        record = store.sweep("s")
    assert (record.state, record.planned) == (SweepState.FINISHED, 0), "there were none more"


@pytest.mark.parametrize(
    ("budget", "size", "done", "planned"),
    [(10, None, 3, 10), (None, None, 3, None), (10, 6, 3, 6), (4, 6, 3, 4), (None, 6, 3, 6), (10, 6, 7, 7)],
)
def test_what_a_sweep_comes_to_is_never_less_than_what_it_has_done(
    budget: int | None, size: int | None, done: int, planned: int | None
) -> None:
    assert planned_trials(budget, size, done) == planned


def test_a_study_of_ones_own_is_no_sweep(location: StoreLocation, tmp_path: Path) -> None:
    made(location, tmp_path, 2)
    tracking.create_study("mine", store=location.root)
    with tracking.open_store(location.root) as store:
        assert [each.name for each in store.sweeps()] == ["s"]
        with pytest.raises(tracking.NotFound, match="no sweep 'mine'"):
            store.sweep("mine")
        with pytest.raises(tracking.NotFound, match="Did you mean 's'"):
            store.sweep("ss")
        with pytest.raises(tracking.NotFound, match="no study 'mine'"):
            store.sweep_trials("s", study="mine")


def test_many_trials_are_counted_without_a_replay_of_the_study(
    location: StoreLocation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tracking.study_records import RUN
    from tracking.tuning.study_draft import StudyDraft
    from tracking.tuning.sweep_state import definition_attribute

    definition = made(location, tmp_path)
    draft = StudyDraft([optuna.study.StudyDirection.MAXIMIZE])
    draft.set_attributes(definition_attribute(definition, 1))
    for number in range(1_000):
        draft.add(
            optuna.trial.create_trial(value=number % 97, user_attrs={RUN: f"r{number}"} if number % 2 else {})
        )
    with opened(location) as engines:
        draft.write(engines, "large", "large")

    def replay(*_: object) -> None:
        raise AssertionError("the study was replayed")

    monkeypatch.setattr(optuna.storages.JournalStorage, "__init__", replay)
    with tracking.open_store(location.root) as store:
        record = store.sweep("large")
        assert store.sweep("large") == record
    assert (record.trials["complete"], record.taken_over) == (500, 500)


def going(
    *ended: tuple[float, float], trials: int | None = 10, workers: int = 1, now: float = 0.0, **budget: float
) -> tuple[float | None, float | None]:
    """Return rate and time left of a sweep by when its trials began and ended, in seconds."""
    latest = tuple((int(began * 1e6), int(end * 1e6)) for began, end in ended)
    said = {"trials": trials, "seconds": budget.get("seconds")}
    found = progress(
        SweepState.RUNNING,
        {},
        digests=[Digest({}, 0, len(ended), (), {}, latest[-20:], len(ended))],
        done=len(ended),
        budget=said,
        seconds=budget.get("spent"),
        workers=workers,
        now=now or ended[-1][1],
    )
    return found.rate, found.eta


def test_the_rate_of_a_handful_of_trials_counts_from_their_beginning() -> None:
    assert going((0, 60)) == (60, 9 * 60)
    # Four began together and end together: not three in a tenth of a second.
    rate, left = going((0, 60), (0, 60), (0, 60), (0, 60.1), workers=4)
    assert rate == pytest.approx(4 / 60.1 * 3600) and left == pytest.approx(6 / 4 * 60.1)
    # Of many in turn it is the time between their ends, whatever passed before the first one.
    assert going((0, 5), (5, 10), (10, 15), (15, 20))[0] == pytest.approx(720)
    # Of thirty workers the latest twenty ended within a moment.
    many = [(place / 3, 60 + place / 3) for place in range(20)]
    assert going(*many, trials=1000, workers=30)[0] == pytest.approx(1800)


def test_no_time_left_is_said_of_trials_that_hang_nor_of_what_should_be_over() -> None:
    ended = [(0.0, 60.0), (60.0, 120.0)]
    assert going(*ended, now=150)[1] == 8 * 60 - 30
    assert going(*ended, now=239)[1] == 8 * 60 - 119
    assert going(*ended, now=241)[1] is None
    assert going(*ended, trials=3, now=190)[1] is None
    assert going(*ended, trials=2)[1] is None
    assert going(*ended, trials=None, seconds=100, spent=40)[1] == 60
    assert going(*ended, trials=None, seconds=100, spent=101)[1] is None


def test_failures_of_one_cause_are_told_apart_by_what_they_say() -> None:
    found = Failures([1, 2, 3, 4, 5, 6])
    assert found.sentence == ""
    found.say("It logged nothing after 3.5 s in 'a' (0123456789abcdefghjk).")
    found.say("It logged nothing after 12 s in 'b' (abcdefghjk0123456789).")
    assert found.sentence == "It logged nothing after 12 s in 'b' (abcdefghjk0123456789)."
    found.say("No run was started.")
    found.say("Something else.")
    found.say("No run was started.")
    found.say("No run was started.")
    assert found.sentence == (
        "3 of 6: No run was started. 2 of 6: It logged nothing after 12 s in 'b' (abcdefghjk0123456789)."
    )
