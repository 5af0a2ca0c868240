"""A sweep of several objectives ends trials that another one is better than in all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import tracking
from tests.processes.sweep_processes import SweepProcesses
from tracking.study_records import REASON, REPEATS

COST = '[[objectives]]\nmetric = "cost"\ngoal = "minimize"\n'
PRUNED = '[pruner]\nname = "dominated"\nn_startup_trials = 1\nn_warmup_steps = 0\n'
LISTED = '[sampler]\nname = "listed"\n[[start_with]]\nx = 0.75\n[[start_with]]\nx = 0.5\n[[start_with]]\nx = 0.25\n'


@pytest.fixture
def sweep(tmp_path: Path) -> Iterator[SweepProcesses]:
    found = SweepProcesses(tmp_path)
    yield found
    found.end()


def test_a_dominated_trial_is_ended_while_it_runs(sweep: SweepProcesses) -> None:
    # x=0.5 is worse than x=0.75 in both, and would never end; x=0.25 is the cheapest.
    sweep.write(
        """
import argparse, time, tracking
parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float)
x = parser.parse_args().x
cost = {0.75: 2.0, 0.5: 3.0, 0.25: 1.0}[x]
with tracking.start_run() as run:
    for step in range(10):
        run.log({"accuracy": x * (step + 1)}, step=step)
        run.log({"cost": cost}, step=step)
    while x == 0.5:
        time.sleep(0.05)
"""
    )
    sweep.make(more=COST + PRUNED + LISTED)
    assert sweep.run()["state"] == "finished"
    good, dominated, cheap = sweep.trials()
    assert (good.state, good.values) == ("complete", (7.5, 2.0))
    assert (dominated.state, dominated.values) == ("pruned", None)
    assert (cheap.state, cheap.values) == ("complete", (2.5, 1.0))
    reason = str(dominated.attributes[REASON])
    assert "trial 0 was better in every objective by more than 25% of its range: accuracy" in reason
    assert "cost 2 against 3" in reason and "The pruner ended it after" in reason
    with tracking.open_store(sweep.location.root) as store:
        assert store.run(str(dominated.run)).status == "pruned"
        # Optuna takes no reports of several objectives: nothing was reported.
        assert "intermediate_value" not in store.run(str(good.run)).metrics


def test_repeats_are_compared_by_their_means_so_far(sweep: SweepProcesses) -> None:
    sweep.write(
        """
import argparse, tracking
parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float)
parser.add_argument("--seed", type=int)
options = parser.parse_args()
with tracking.start_run() as run:
    run.log({"accuracy": options.x + options.seed, "cost": {0.75: 2.0, 0.5: 3.0, 0.25: 1.0}[options.x]})
"""
    )
    sweep.make(more=f'{COST}{PRUNED}[repeats]\nvary = "seed"\nvalues = [4, 5]\n{LISTED}')
    assert sweep.run()["state"] == "finished"
    good, dominated, cheap = sweep.trials()
    assert (good.state, good.values) == ("complete", (5.25, 2.0))
    assert good.attributes[REPEATS] == [[4.75, 2.0], [5.75, 2.0]]
    assert (dominated.state, dominated.attributes[REPEATS]) == ("pruned", [[4.5, 3.0], None])
    assert dominated.attributes[REASON] == "The pruner ended it after 1 of 2 repeats (seed=4: 4.5, 3)."
    assert cheap.state == "complete"
