"""What a trial costs beside the work in it: quick scripts, functions and tables, one after another by one worker."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.report import Row
from benchmarks.workloads import Bench, median_of, script_seconds

NAME = "quick"
PATIENCE = 300.0
PLAIN = """
import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
print(1 - parser.parse_args().lr)
"""
SCRIPT = """
import argparse

import tracking

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
args = parser.parse_args()
with tracking.start_run("quick", params=vars(args)) as run:
    run.log({"accuracy": 1 - args.lr})
"""
FUNCTION = """
import tracking


@tracking.tunable
def objective(lr: float = 0.1) -> dict[str, float]:
    return {"accuracy": 1 - lr}
"""
PLAIN_TABLE = """
from sklearn.datasets import load_iris
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier

print(cross_val_score(KNeighborsClassifier(), *load_iris(return_X_y=True), cv=3).mean())
"""
SPACE = """
[space.lr]
low = 0.01
high = 0.5

[[objectives]]
metric = "accuracy"
goal = "maximize"
"""
TABLE = """dataset = "iris"
column = "target"
estimators = ["knn"]
metric = "accuracy"
folds = 3
"""
KINDS = {
    "a script": ('script = "train.py"\n' + SPACE, SCRIPT, PLAIN),
    "a function": ('function = "train.py:objective"\n' + SPACE, FUNCTION, PLAIN),
    "nearest neighbours on iris": (TABLE, "", PLAIN_TABLE),
}


def trial_seconds(project: Path, target: str, text: str, trials: int) -> list[float]:
    """Run a sweep by one worker; returns the seconds between the ends of its trials."""
    import tracking
    from tracking.config import StoreLocation
    from tracking.sweep_records import SweepState
    from tracking.tuning import sweeps
    from tracking.tuning.definition_file import read_definition

    project.mkdir(parents=True)
    (project / "train.py").write_text(text)
    definition = (
        f'name = "{NAME}"\n[target]\n{target}\n[sampler]\nname = "random"\n[budget]\ntrials = {trials}\n'
    )
    location = StoreLocation(project / ".tracking", named=True)
    sweeps.start(location, read_definition(definition), project=project)
    give_up = time.monotonic() + PATIENCE
    with tracking.open_store(location.root) as store:
        while store.sweep(NAME).state is not SweepState.FINISHED:
            if time.monotonic() > give_up:
                raise SystemExit(f"The sweep in {project} has not finished: {store.sweep(NAME).reason}")
            time.sleep(0.2)
        ends = [each.completed for each in store.sweep_trials(NAME) if each.state == "complete"]
    assert len(ends) == trials
    return [
        (later - earlier).total_seconds()
        for earlier, later in itertools.pairwise(ends)
        if earlier is not None and later is not None
    ]


def trials(bench: Bench) -> Iterator[Row]:
    count = bench.scaled(13, 4)
    for what, (target, text, plain) in KINDS.items():
        alone = median_of(bench.scaled(7, 3), lambda plain=plain: script_seconds(plain))  # type: ignore[misc]
        spent = trial_seconds(bench.place("trials"), target, text, count)
        yield Row(
            f"a trial of {what} that is over at once",
            1000 * statistics.median(spent),
            "ms",
            reference=1000 * alone,
            note="The reference is the same in a plain Python process, without Podium.",
        )
