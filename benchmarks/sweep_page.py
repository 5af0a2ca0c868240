"""The page of a sweep of 10,000 trials: how long the server takes to draw it, at rest and while 4 workers run."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.dashboard import drawn, first_answer_seconds, served, session
from benchmarks.drawing import browser, drawn_seconds
from benchmarks.report import Row
from benchmarks.workloads import Bench

if TYPE_CHECKING:
    from tracking.config import StoreLocation

NAME = "large"
WORKERS = 4
DRAWS = 9
SCRIPT = """
import argparse, random, time

import tracking

parser = argparse.ArgumentParser()
for name in "abcdef":
    parser.add_argument("--" + name, type=float, default=0.5)
args = parser.parse_args()
time.sleep(1)
with tracking.start_run("large", capture=False) as run:
    run.log({"score": args.a + random.random()}, step=0)
"""
DEFINITION = f"""
name = "{NAME}"
workers = {WORKERS}

[target]
script = "train.py"

{"".join(f"[space.{name}]{chr(10)}low = 0.0{chr(10)}high = 1.0{chr(10)}" for name in "abcdef")}
[[objectives]]
metric = "score"
goal = "maximize"

[sampler]
name = "random"

[budget]
trials = 100000
"""


def fill(project: Path, trials: int) -> None:
    """Write a project with a stopped sweep of so many finished trials."""
    import optuna

    from tracking.config import StoreLocation
    from tracking.sweep_records import PROJECT
    from tracking.tuning.definition_file import read_definition
    from tracking.tuning.study_draft import StudyDraft
    from tracking.tuning.sweep_state import definition_attribute, opened, stopped, wanted

    project.mkdir(parents=True)
    (project / "train.py").write_text(SCRIPT)
    definition = read_definition(DEFINITION)
    draft = StudyDraft([optuna.study.StudyDirection.MAXIMIZE])
    about = {**definition_attribute(definition, 1, DEFINITION), PROJECT: str(project)}
    draft.set_attributes({**about, **wanted("run"), **stopped()})
    space = {name: optuna.distributions.FloatDistribution(0.0, 1.0) for name in "abcdef"}
    draw = random.Random(0)
    for _ in range(trials):
        params = {name: draw.random() for name in space}
        value = params["a"] + draw.random()
        draft.add(optuna.trial.create_trial(params=params, distributions=space, value=value))
    with opened(StoreLocation(project / ".tracking")) as engines:
        draft.write(engines, NAME, NAME)


def page_seconds(port: int, draws: int, rest: float = 0.0) -> list[float]:
    """Return how long the page of the sweep takes, each time from the list of sweeps in one session."""
    found = []
    with session(port) as open_session:
        for _ in range(draws):
            drawn(open_session, "sweeps")
            time.sleep(rest)
            found.append(drawn(open_session, "sweep", f"sweep={NAME}")[0])
    return found


def sweep_page(bench: Bench) -> Iterator[Row]:
    from tracking.config import StoreLocation
    from tracking.tuning import sweeps

    project = bench.place("sweep")
    trials = bench.scaled(10_000, 500)
    fill(project, trials)
    location = StoreLocation(project / ".tracking")
    began = time.perf_counter()
    with served(location.root) as (process, port):
        first_answer_seconds(process, port, began)
        cold, *warm = page_seconds(port, 1 + DRAWS)
        yield Row(
            f"sweep page, {trials:,} trials, server side",
            statistics.median(warm),
            "s",
            target=0.1,
            note=f"From another page, with everything in the cache; {cold:.2f} s without.",
        )
        yield from in_a_browser(port, f"sweep page, {trials:,} trials, drawn in Chromium")
        sweeps.resume(location, NAME)
        try:
            while len(_active(location)) < WORKERS:
                time.sleep(0.2)
            page_seconds(port, 1)
            before = _active(location)
            found = page_seconds(port, DRAWS, rest=1.0)
            yield Row(
                f"the same while {WORKERS} workers run",
                statistics.median(found),
                "s",
                target=0.1,
                note=f"The slowest of {DRAWS}: {max(found):.2f} s, a second apart, trials {_span(before, location)}.",
            )
            yield from in_a_browser(port, f"drawn in Chromium while {WORKERS} workers run")
        finally:
            sweeps.stop(location, NAME, now=True)
            while _active(location):
                time.sleep(0.2)


def in_a_browser(port: int, what: str) -> Iterator[Row]:
    """Draw the page in the system's browser, where there is one."""
    with browser() as page:
        if page is None:
            return
        address = f"http://127.0.0.1:{port}/sweep?sweep={NAME}"
        typical, longest = drawn_seconds(page, address, NAME, "all sweeps", DRAWS)
    yield Row(
        what,
        typical,
        "s",
        target=1,
        note=f"From the list of sweeps until the charts in sight stand; the slowest of {DRAWS}: {longest:.2f} s.",
    )


def _active(location: StoreLocation) -> list[int]:
    """Return the trials that run."""
    import tracking

    with tracking.open_store(location.root) as store:
        return [each.trial for each in store.sweep(NAME).active if each.trial is not None]


def _span(before: list[int], location: StoreLocation) -> str:
    return f"{min(before, default=0):,} to {max(_active(location), default=0):,}"
