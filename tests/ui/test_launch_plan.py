"""What will happen is said in plain words, with a length of time where runs of the target are known."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import tracking
from tests.conftest import script_environment
from tests.ui.launch_project import definition_text, make_project
from tracking.records import Goal
from tracking.tuning.definition_file import read_definition
from tracking.tuning.definition_options import PRUNERS, SAMPLERS
from tracking.ui import launch_facts, launch_plan, launch_targets
from tracking.ui.launch_plan import Pace, duration_in_words, sentence


def plan(more: str = "", pace: Pace | None = None, **changes: str) -> str:
    text = definition_text() + more
    for old, new in changes.items():
        text = text.replace(old, new)
    return sentence(read_definition(text), pace)


def test_the_plan_names_trials_repeats_workers_and_time() -> None:
    said = plan('[repeats]\nvary = "seed"\ncount = 3\n', pace=Pace(25.0, 5), **{"trials = 3": "trials = 40"})
    assert said == (
        "40 trials of train.py, 3 values of seed each, 2 at a time, about 25 minutes by its last 5 runs. "
        "The sampler tpe chooses lr, to maximize accuracy."
    )


def test_the_plan_without_earlier_runs_says_no_time() -> None:
    assert plan(**{"workers = 2": "workers = 1"}).startswith("3 trials of train.py, one at a time. ")


@pytest.mark.parametrize(
    ("budget", "beginning"),
    [
        ('time = "2h"', "As many trials as fit into 2 hours of train.py, 2 at a time. "),
        (
            'trials = 9\ntime = "2h"',
            "9 trials or at most 2 hours of train.py, 2 at a time, about 50 seconds by its last run. ",
        ),
        ('trials = 9\ntime = "2s"', "9 trials or at most 2 seconds of train.py, 2 at a time. "),
    ],
)
def test_the_plan_says_what_bounds_it(budget: str, beginning: str) -> None:
    assert plan(pace=Pace(10.0, 1), **{"trials = 3": budget}).startswith(beginning)


def test_a_grid_has_no_more_trials_than_configurations() -> None:
    text = definition_text(
        space='[space.optimizer]\nchoices = ["sgd", "adam"]\n[space.layers]\nlow = 1\nhigh = 3'
    )
    definition = read_definition(text.replace("trials = 3", "trials = 50") + '[sampler]\nname = "grid"\n')
    assert launch_plan.count_of_trials(definition) == 6


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 second"),
        (8.4, "8 seconds"),
        (42, "40 seconds"),
        (95, "2 minutes"),
        (1500, "25 minutes"),
        (3 * 3600, "3 hours"),
        (4 * 86400, "4 days"),
    ],
)
def test_lengths_of_time_are_round(seconds: float, words: str) -> None:
    assert duration_in_words(seconds) == words


def test_every_sampler_and_pruner_has_its_line() -> None:
    assert launch_plan.SAMPLERS.keys() == SAMPLERS.keys()
    assert PRUNERS.keys() <= launch_plan.PRUNERS.keys()


def test_the_last_runs_of_a_script_say_its_metrics_and_how_long_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(tmp_path / "project")
    monkeypatch.chdir(project)
    with tracking.start_run("other", store=project / ".tracking", capture=False) as other:
        other.log({"perplexity": 3.0}, step=0)
    offers = launch_targets.find_offers(project)
    with tracking.open_store(project / ".tracking") as store:
        before = launch_facts.facts(store, offers.by_id["script:train.py"])
        assert (before.metrics, before.own, before.pace) == (("perplexity",), 0, None)
        for seed in "01":
            subprocess.run(
                [sys.executable, "train.py", "--seed", seed],
                cwd=project,
                env=script_environment(TRACKING_STORE=str(project / ".tracking")),
                check=True,
            )
        after = launch_facts.facts(store, offers.by_id["script:train.py"])
        assert after.metrics == ("accuracy", "loss", "perplexity")
        assert (after.own, after.goals) == (2, {"accuracy": Goal.MAXIMIZE})
        assert after.pace is not None and after.pace.runs == 2 and 0 < after.pace.seconds < 60
        assert launch_facts.facts(store, offers.by_id["script:dynamic.py"]).pace is None
