"""`tracking sweep confirm` and what it says of the fresh runs; no process is started."""

from __future__ import annotations

import json
from pathlib import Path

import optuna
import pytest

import tracking
from tests.cli.conftest import Command
from tests.tuning.confirmed import confirmation, end, give
from tests.tuning.sweeping import SCRIPT, made, project
from tracking.config import StoreLocation
from tracking.tuning import sweep_start

optuna.logging.set_verbosity(optuna.logging.ERROR)


@pytest.fixture
def location(tmp_path: Path, store_folder: Path, monkeypatch: pytest.MonkeyPatch) -> StoreLocation:
    """A store with the sweep `s` of six trials; trial 1 failed."""
    monkeypatch.setattr(sweep_start, "spawn", lambda *_: 0)
    folder = project(tmp_path)
    seed = 'parser.add_argument("--seed", type=int, default=0)\nargs = parser'
    (folder / "train.py").write_text(SCRIPT.replace("args = parser", seed))
    found = StoreLocation(store_folder, named=True)
    made(found, folder, 6)
    return found


def test_the_best_are_confirmed_and_ranked_by_their_fresh_runs(
    location: StoreLocation, command: Command
) -> None:
    said = command("sweep", "confirmations", "s")
    assert (said.code, said.out) == (0, "") and "tracking sweep confirm s" in said.err
    done = command("sweep", "confirm", "s", "--top", "2", "--repeats", "3")
    assert (done.code, done.err) == (0, "")
    trials = [each.trial for each in confirmation(location, "s").trials]
    assert done.out.splitlines()[0] == (
        f"s confirmed has started: trials {trials[0]}, {trials[1]}, 3 fresh runs each (seed 1, 2, 3)."
    )
    waiting = command("sweep", "confirmations", "s")
    assert "nothing is confirmed" in waiting.out
    give(location, "s confirmed", [[0.5, 0.6, 0.7], [0.6, 0.7, 0.8]])
    end(location, "s confirmed")
    told = command("sweep", "confirmations", "s")
    lines = told.out.splitlines()
    assert lines[0].startswith("s confirmed  stopped")
    assert lines[1].split() == [
        "rank",
        "trial",
        "accuracy",
        "confirmed",
        "interval",
        "runs",
        "luck",
        "params",
    ]
    # The second one comes out first.
    assert lines[2].split()[:2] == ["1", str(trials[1])] and lines[3].split()[:2] == ["2", str(trials[0])]
    assert f"The sweep's best, trial {trials[0]}, comes out in place 2." in lines[4]
    assert "On average the 2 were better by" in lines[4]
    (found,) = [
        json.loads(line) for line in command("sweep", "confirmations", "s", "--json").out.splitlines()
    ]
    assert (found["name"], found["vary"], found["values"]) == ("s confirmed", "seed", [1, 2, 3])
    assert [each["fresh"] for each in found["trials"]] == [[[0.5], [0.6], [0.7]], [[0.6], [0.7], [0.8]]]
    assert found["objectives"][0]["trials"][0]["mean"] == pytest.approx(0.7)


def test_what_failed_is_told(location: StoreLocation, command: Command) -> None:
    command("sweep", "confirm", "s", "--trial", "2", "--trial", "3", "--values", "7, 8")
    assert confirmation(location, "s").values == (7, 8)
    give(location, "s confirmed", [[0.5, None], None])
    told = command("sweep", "confirmations", "s").out
    assert "1 configuration without a fresh value so far" in told and "A repeat is missing: no luck." in told


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--repeats", "1"], "repeats=1"),
        (["--trial", "1"], "Trial 1 failed"),
        (["--trial", "77"], "no trial 77"),
        (["--values", "7"], "There are 1 values"),
    ],
)
def test_what_cannot_be_confirmed_is_refused(
    location: StoreLocation, command: Command, options: list[str], says: str
) -> None:
    done = command("sweep", "confirm", "s", *options)
    assert done.code == 2 and says in done.err and done.out == ""


def test_a_run_is_repeated_by_the_beginning_of_its_id(location: StoreLocation, command: Command) -> None:
    with tracking.open_store(location.root) as store:
        run = next(each.run for each in store.sweep_trials("s") if each.number == 2)
    done = command("sweep", "repeat", str(run), "--runs", "2")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[0].startswith(
        "s confirmed has started. Runs the best trial of s again, 2 times"
    )
    assert done.out.splitlines()[1] == "What came of it: tracking sweep confirmations s"
    assert [each.trial for each in confirmation(location, "s").trials] == [2]
    with tracking.start_run("x", store=location.root, capture=False) as bare:
        bare.log({"accuracy": 1.0})
    told = command("sweep", "repeat", bare.id)
    assert told.code == 2 and "nothing was captured with it" in told.err and "Traceback" not in told.err
