"""In the browser: a sweep's winner is repeated, promoted on that evidence, seen everywhere, and rolled back."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest
from playwright.sync_api import BrowserContext, Page, expect

import tracking
from tests.registry.making import X, fitted
from tests.tuning.sweeping import end_all, made
from tracking.config import StoreLocation
from tracking.registry_records import Gate, GateKind, JournalKind

from .conftest import StartDashboard

LONG_MS = 120_000
SCRIPT = '''
"""Walk down a noisy valley."""
import argparse
import random

import tracking

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.01, help="length of a step")
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
with tracking.start_run("valley", params=vars(args), capture=False) as run:
    run.log({"score": 0.5 + args.lr + random.Random(f"{args.seed} {args.lr}").gauss(0, 0.01)})
'''
SWEEP = """
name = "valley"

[target]
script = "train.py"

[space.lr]
low = 0.1
high = 0.4

[[objectives]]
metric = "score"
goal = "maximize"

[sampler]
name = "random"

[budget]
trials = 3
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project with a sweep that has ended, and an earlier champion of the model `valley` that has five runs."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "train.py").write_text(SCRIPT)
    location = StoreLocation(folder / ".tracking", named=True)
    made(location, folder, text=SWEEP)
    monkeypatch.setenv("TRACKING_STORE", str(location.root))
    study = optuna.load_study(
        study_name="valley",
        storage=tracking.study_storage(location.root),
        sampler=optuna.samplers.RandomSampler(),
    )
    with tracking.open_store(location.root) as store:
        for number, lr in enumerate((0.1, 0.3, 0.4)):
            study.enqueue_trial({"lr": lr})
            trial = study.ask()
            trial.suggest_float("lr", 0.1, 0.4)
            # As a trial's script does, which joins the run of its trial.
            monkeypatch.setenv("TRACKING_TRIAL", str(store.sweep_trials("valley")[number].run))
            study.tell(trial, logged(lr, 0, model=True)[1])
        monkeypatch.delenv("TRACKING_TRIAL")
        before = [logged(0.0, seed, model=not seed)[0] for seed in range(5)]
        store.register("valley", before[0])
        store.promote("valley", 1, reason="There was no other one")
        store.set_gates("valley", [Gate(GateKind.BETTER, metric="score"), Gate(GateKind.REPEATS, count=3)])
    yield folder
    end_all(location.root)


def logged(lr: float, seed: int, *, model: bool) -> tuple[str, float]:
    """Log a run as the script does, with a model too; returns its id and its score."""
    score = 0.5 + lr + random.Random(f"{seed} {lr}").gauss(0, 0.01)
    with tracking.start_run("valley", params={"lr": lr, "seed": seed}, capture=False) as run:
        run.define_metric("score", goal="maximize")
        run.log({"score": score})
        if model:
            run.log_model(fitted(0), "model", input_example=X[:3])
    return run.id, score


def cell(page: Page, text: str) -> None:
    """Wait for a cell of a table with this text: it is on a canvas, and beside it for screen readers."""
    expect(
        page.locator("canvas td").filter(has_text=re.compile(rf"^\s*{re.escape(text)}\s*$")).first
    ).to_be_attached()


def test_a_winner_becomes_champion_on_evidence_and_is_rolled_back(
    context: BrowserContext, start_dashboard: StartDashboard, project: Path
) -> None:
    location = project / ".tracking"
    with tracking.open_store(location) as store:
        (best,) = store.sweep("valley").best
        holder = store.resolve("valley@champion").run
    dashboard = start_dashboard(location, project=project)
    page = context.new_page()
    page.goto(dashboard.address)

    # The score that it was picked for is no evidence: fresh runs are.
    page.goto(f"{dashboard.base}/sweep?sweep=valley")
    expect(page.get_by_text(f"The winner, trial {best.number}")).to_be_visible()
    expect(
        page.get_by_text("Nothing to compare: the candidate has no run with score that counts")
    ).to_be_visible()
    page.get_by_label("Fresh runs", exact=True).fill("3")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Repeat it 3 times").click()
    expect(page.get_by_role("link", name="Fresh runs: valley confirmed")).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_text(re.compile("Better: score is 0.[34]"))).to_be_visible(timeout=LONG_MS)

    page.get_by_role("button", name="Promote…").first.click()
    page.get_by_role("button", name="Make it a version").click()
    expect(page.get_by_text("2 of 2 passed")).to_be_visible()
    page.get_by_role("button", name="Promote v2 to champion").click()
    badge = page.get_by_text("champion of valley, version 2").first
    expect(badge).to_be_visible()
    with tracking.open_store(location) as store:
        version = store.resolve("valley@champion")
        assert (version.number, version.run) == (2, best.run)

    page.goto(f"{dashboard.base}/run?run={best.run}")
    expect(badge).to_be_visible()
    page.goto(f"{dashboard.base}/compare?runs={holder}")
    page.get_by_role("button", name="Add champion valley/2").click()
    page.wait_for_url(re.compile(str(best.run)))
    expect(page.get_by_text(re.compile("Worse: score is"))).to_be_visible()
    expect(badge).to_be_visible()
    page.goto(dashboard.base)
    expect(page.get_by_role("heading", name="Champions")).to_be_visible()
    cell(page, f"trial {best.number}")
    page.goto(f"{dashboard.base}/models")
    cell(page, "valley")
    cell(page, "v2")

    page.goto(f"{dashboard.base}/model?model=valley")
    back = page.get_by_role("button", name="Roll back to v1")
    back.click()
    expect(back).to_have_count(2)  # the one that opens, and the one that does it
    back.last.click()
    expect(page.get_by_text("v1 is champion of valley again").first).to_be_visible()
    page.goto(f"{dashboard.base}/model?model=valley&tab=Journal")
    cell(page, "↩ rolled back")
    cell(page, "v2 → v1")
    cell(page, "▲ promoted")
    cell(page, "✓ better")
    with tracking.open_store(location) as store:
        assert store.resolve("valley@champion").number == 1
        promoted, undone = store.journal("valley")[-2:]
        assert (promoted.kind, undone.kind) == (JournalKind.PROMOTE, JournalKind.ROLLBACK)
        assert promoted.evidence["verdict"] == "better" and len(promoted.gates) == 2
        assert store.verify_registry().problems == ()
