"""In the browser: a sweep of a script is started, goes on without a dashboard, and its winners are confirmed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import BrowserContext, Page, expect

import tracking
from tests.tuning.sweeping import end_all, processes_of, wait_for
from tracking.sweep_records import SweepState
from tracking.ui import format

from .conftest import StartDashboard
from .pressing import press_row

LONG_MS = 120_000
TRIALS = 20
SCRIPT = '''
"""Walk down a noisy valley."""
import argparse
import random
import time
from pathlib import Path

import tracking

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.01, help="length of a step")
parser.add_argument("--momentum", type=float, default=0.9)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()

folder = Path(__file__).parent
with (folder / "begun").open("a") as file:
    file.write(".")
while (folder / "begun").stat().st_size > 6 and not (folder / "go").exists():
    time.sleep(0.05)  # so that the sweep is not over before the dashboard is killed
noise = random.Random(args.seed)
with tracking.start_run("valley", params=vars(args), capture=False) as run:
    place, speed = 1.0, 0.0
    for step in range(5):
        speed = args.momentum * speed - args.lr * 2 * place
        place += speed
        run.log({"score": -place * place + noise.gauss(0, 0.05)}, step=step)
'''


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A folder with one training script, in which nothing goes on afterwards."""
    made = tmp_path / "project"
    made.mkdir()
    (made / "train.py").write_text(SCRIPT)
    yield made
    end_all(made / ".tracking")


def working_in(project: Path) -> list[str]:
    """Return the command lines that name the store of a project or run in its folder: trials name no store."""
    found = [process.pid for process in processes_of(project / ".tracking")]
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.cwd() == str(project):
                found.append(process.pid)
    lines = []
    for pid in set(found):
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            if process.status() != psutil.STATUS_ZOMBIE:
                lines.append(" ".join(process.cmdline()))
    return lines


def write(page: Page, label: str, text: str) -> None:
    """Write into a field, and leave it."""
    page.get_by_label(label, exact=True).fill(text)
    page.keyboard.press("Tab")


def test_from_a_script_to_a_confirmed_winner_with_the_dashboard_killed_on_the_way(
    context: BrowserContext, start_dashboard: StartDashboard, project: Path
) -> None:
    location = project / ".tracking"
    dashboard = start_dashboard(location, project=project)
    page = context.new_page()
    page.goto(dashboard.address)
    page.goto(f"{dashboard.base}/sweeps")
    expect(page.get_by_text("No sweeps yet")).to_be_visible()
    page.get_by_role("link", name="New sweep").click()
    expect(page.get_by_text("Scripts and functions of the project")).to_be_visible()
    press_row(page, page.get_by_test_id("stDataFrame").first, row=0, until="new=script.*train.py.*form=")

    # The form is filled from the script's own options; the seed is left to tell repeats apart.
    expect(page.get_by_text("Walk down a noisy valley.")).to_be_visible()
    expect(page.get_by_role("textbox", name="Name", exact=True)).to_have_value("train")
    params = page.locator("canvas td[aria-colindex='1']")
    expect(params.filter(has_text="lr")).to_be_attached()
    expect(params.filter(has_text="momentum")).to_be_attached()
    page.get_by_role("combobox", name="Metric").fill("score")
    page.keyboard.press("Enter")
    write(page, "Trials", str(TRIALS))
    write(page, "Workers", "2")
    expect(page.get_by_text("20 trials of train.py, 2 at a time")).to_be_visible()
    expect(page.get_by_text("chooses lr, momentum, to maximize score")).to_be_visible()
    page.get_by_role("button", name="Start the sweep").click()
    page.wait_for_url("**/sweep?sweep=train")
    expect(page.get_by_text(re.compile(r"^[1-9]\d* of 20 trials")).first).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_text("best score").first).to_be_visible(timeout=LONG_MS)

    page.close()
    dashboard.process.kill()
    dashboard.process.wait()
    with tracking.open_store(location) as store:
        done = store.sweep("train").done
        assert done < TRIALS, "all of it was over before the dashboard was killed: nothing is shown by this"
        (project / "go").touch()
        wait_for(lambda: store.sweep("train").done > done, location)

    dashboard = start_dashboard(location, project=project)
    with tracking.open_store(location) as store:
        wait_for(lambda: store.sweep("train").done == TRIALS, location)
    page = context.new_page()
    page.goto(dashboard.address)
    page.goto(f"{dashboard.base}/sweeps")
    press_row(page, page.get_by_test_id("stDataFrame").first, row=0, until="sweep=train")
    expect(page.get_by_text("20 of 20 trials").first).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_text("✓ finished").first).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_text("20 complete").first).to_be_visible()
    with tracking.open_store(location) as store:
        record = store.sweep("train")
        runs = store.search("", experiment=record.experiment, columns=[])
    assert (record.state, record.done, len(runs)) == (SweepState.FINISHED, TRIALS, TRIALS)
    expect(page.get_by_text("best score", exact=True)).to_be_visible()
    expect(page.get_by_text(format.number(record.best[0].values[0]), exact=True).first).to_be_visible()

    write(page, "Fresh runs of each", "2")
    confirm = page.get_by_role("button", name="Confirm the top 3")
    confirm.click()
    expect(page.get_by_text("3 configurations, 2 fresh runs each, with seed")).to_be_visible(timeout=LONG_MS)
    expect(confirm).to_have_count(0)
    sentence = page.get_by_text(re.compile(r"^Trial \d+ has \S+ over 2 fresh runs"))
    expect(sentence).to_be_visible(timeout=LONG_MS)
    expect(sentence).to_contain_text("On average the 3 were", timeout=LONG_MS)
    expect(confirm).to_be_visible(timeout=LONG_MS)  # there is none while fresh runs go on
    expect(page.get_by_text("● running")).to_have_count(0)
    with tracking.open_store(location) as store:
        (confirmation,) = store.confirmations("train")
    assert len(confirmation.trials) == 3
    assert all(len(each.fresh) == 2 and None not in each.fresh for each in confirmation.trials)
    assert 0 not in confirmation.values, "every trial of the sweep ran with seed 0"

    page.close()
    dashboard.process.terminate()
    dashboard.process.wait()
    wait_for(lambda: not working_in(project), location)
