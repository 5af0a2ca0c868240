"""The best trials of a sweep are run again on fresh seeds, by a small sweep of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest

import tracking
from tests.tuning.sweeping import TEXT, end_all, made, processes_of, wait_for
from tracking.analysis.confirmed import outcome
from tracking.config import StoreLocation
from tracking.sweep_records import ConfirmationRecord, SweepState
from tracking.tuning import sweeps

optuna.logging.set_verbosity(optuna.logging.ERROR)

SCRIPT = '''
"""Noise on what lr does."""
import argparse, os, time
import tracking

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--opt", default="sgd")
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
with tracking.start_run("x", params=vars(args), capture=False) as run:
    run.log({"accuracy": 0.5 + args.seed / 100, "cost": float(args.seed)})
    while args.seed == 3 and not os.path.exists("go"):
        time.sleep(0.05)
    if args.seed == 4 and os.path.exists("broken"):
        raise ValueError("no luck with four")
'''


class Place:
    """A project with a store, and the sweep `s` of six trials in it, that ended; trial 1 failed."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "project"
        self.project.mkdir()
        (self.project / "train.py").write_text(SCRIPT)
        self.location = StoreLocation(self.project / ".tracking", named=True)

    def confirmations(self) -> list[ConfirmationRecord]:
        with tracking.open_store(self.location.root) as store:
            return store.confirmations("s")

    def until(self, *states: SweepState) -> ConfirmationRecord:
        def there() -> ConfirmationRecord | None:
            (found,) = self.confirmations()
            return found if found.own.state in states else None

        found = wait_for(there, self.location.root)
        assert isinstance(found, ConfirmationRecord)
        return found


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path)
    yield found
    end_all(found.location.root)
    assert processes_of(found.location.root) == []


def best_of(location: StoreLocation) -> list[int]:
    with tracking.open_store(location.root) as store:
        complete = [each for each in store.sweep_trials("s") if each.values]
    return [each.number for each in sorted(complete, key=lambda each: -(each.values or (0.0,))[0])]


def test_the_best_are_run_on_fresh_seeds_stopped_and_resumed(place: Place) -> None:
    made(place.location, place.project, 6)
    best = best_of(place.location)
    started = sweeps.confirm(place.location, "s", top=2, repeats=3, key="once")
    again = sweeps.confirm(place.location, "s", top=2, repeats=3, key="once")
    assert started.name == again.name == "s confirmed" and started.confirms == "s"
    assert started.experiment == "s confirmed" and started.budget_trials == 2
    # Seed 0 is the script's default, which the sweep used; the run of seed 3 waits for us.
    record = wait_for(lambda: (found := place.confirmations()[0]).trials[0].fresh[1:] and found)
    assert (record.vary, record.values) == ("seed", (1, 2, 3))
    assert [each.trial for each in record.trials] == best[:2]
    assert record.trials[0].fresh == ((0.51,), (0.52,)) and record.trials[0].state == "running"
    assert outcome(record).trials[0].missing == 0  # it has not come yet, which is not missing
    sweeps.stop(place.location, "s confirmed", now=True)
    stopped = place.until(SweepState.STOPPED)
    assert [each.state for each in stopped.trials] == ["fail", "waiting"]
    (place.project / "go").touch()
    sweeps.resume(place.location, "s confirmed")
    done = place.until(SweepState.FINISHED)
    assert [each.state for each in done.trials] == ["complete"] * 2
    assert [each.fresh for each in done.trials] == [((0.51,), (0.52,), (0.53,))] * 2
    assert done.own.trials["complete"] == 2 and done.own.done == 2
    found = outcome(done)
    assert [each.mean for each in found.trials] == [pytest.approx(0.52)] * 2
    assert found.luck is not None and found.luck > 0.2 and "which was luck" in found.sentence
    with tracking.open_store(place.location.root) as store:
        (child,) = store.runs([f"{done.trials[0].fresh_run}-r2"])
        assert (child.params["seed"], child.experiment) == (3, "s confirmed")
        assert [each.confirms for each in store.sweeps()] == ["s", None]
    wait_for(lambda: not processes_of(place.location.root))
    # What confirms used is not fresh any more.
    more = sweeps.confirm(place.location, "s", top=1, repeats=2)
    assert more.name == "s confirmed-2"
    assert place.confirmations()[0].values == (4, 5)
    with pytest.raises(tracking.InvalidValue, match="confirms 's' itself"):
        sweeps.confirm(place.location, "s confirmed")


def test_a_run_that_fails_leaves_its_configuration_unconfirmed_and_the_others_go_on(place: Place) -> None:
    made(place.location, place.project, 6)
    (place.project / "go").touch()
    (place.project / "broken").touch()
    sweeps.confirm(place.location, "s", trials=[0, 2], values=[4, 5])
    done = place.until(SweepState.FINISHED)
    assert [each.state for each in done.trials] == ["fail", "fail"]
    assert all("seed=4" in each.reason and "no luck with four" in each.reason for each in done.trials)
    assert "nothing is confirmed" in outcome(done).sentence


def test_several_objectives_and_targets_without_a_seed(place: Place) -> None:
    (place.project / "train.py").write_text(
        SCRIPT.replace('parser.add_argument("--seed", type=int, default=0)\n', "").replace(
            "args = parser.parse_args()", "args = parser.parse_args(); args.seed = 1"
        )
    )
    two = TEXT.replace("[sampler]", '[[objectives]]\nmetric = "cost"\ngoal = "minimize"\n\n[sampler]')
    made(place.location, place.project, 6, text=two)
    sweeps.confirm(place.location, "s", top=2, repeats=2)
    done = place.until(SweepState.FINISHED)
    assert (done.vary, done.values) == (None, (0, 1))
    assert [each.fresh for each in done.trials] == [((0.51, 1.0), (0.51, 1.0))] * 2
    assert [len(outcome(done, index).trials) for index in (0, 1)] == [2, 2]
