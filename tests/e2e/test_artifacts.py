"""Artifacts in a real browser: walked by clicks, looked at, downloaded, a step back by the browser's button."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Response, expect

import tracking
from tests.pages import carried
from tracking.ui import artifact_tree

from .conftest import Dashboard

ROW = 33


def open_row(table: Locator, row: int) -> None:
    table.click(position={"x": 40, "y": 32 + ROW * row + 16})


@pytest.mark.parametrize("live", [pytest.param(False, marks=pytest.mark.soak), True])
def test_a_click_on_any_place_of_a_name_cell_opens_it(
    page: Page, shared_dashboard: Dashboard, live: bool
) -> None:
    """Of a button in a table only the text takes clicks: beside a short name they were lost."""
    folder = shared_dashboard.store
    run = tracking.start_run("digits", store=folder, capture=False)
    carried.artifact(run, "d/e", b"inside", "text")
    carried.artifact(run, "f", b"below", "text")
    if not live:
        run.finish()
    page.goto(f"{shared_dashboard.base}/run?run={run.id}&tab=Artifacts")
    tree = page.get_by_test_id("stDataFrame").first
    expect(tree.get_by_test_id("glide-cell-0-1")).to_have_text("f")
    tree.click(position={"x": artifact_tree.NAME_WIDTH - 8, "y": 32 + ROW + 16})
    expect(page.get_by_text("below")).to_be_visible()
    tree.click(position={"x": artifact_tree.NAME_WIDTH // 2, "y": 32 + 16})
    expect(tree.get_by_test_id("glide-cell-0-0")).to_have_text("e")
    tree.click(position={"x": 20, "y": 32 + 16})
    expect(page.get_by_text("inside")).to_be_visible()
    run.finish()


def test_a_folder_is_downloaded_as_an_archive(
    page: Page, shared_dashboard: Dashboard, tmp_path: Path
) -> None:
    source = tmp_path / "checkpoint"
    (source / "optimizer").mkdir(parents=True)
    (source / "model.bin").write_bytes(b"\0weights")
    (source / "optimizer" / "state.txt").write_text("state")
    folder = shared_dashboard.store
    with tracking.start_run("digits", store=folder, capture=False) as run:
        run.log_artifact(source, step=3)
    page.goto(f"{shared_dashboard.base}/run?run={run.id}&tab=Artifacts&artifact=checkpoint")
    with page.expect_download() as waiting:
        page.get_by_role("button", name=re.compile(r"^Download \(")).click()
    assert waiting.value.suggested_filename == "checkpoint-step3.zip"
    with zipfile.ZipFile(waiting.value.path()) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    assert contents == {"model.bin": b"\0weights", "optimizer/state.txt": b"state"}


def test_walk_look_download_and_back(page: Page, shared_dashboard: Dashboard) -> None:
    folder = shared_dashboard.store
    with tracking.start_run("digits", name="rich", store=folder, capture=False) as run:
        carried.rich(run)
    page.goto(f"{shared_dashboard.base}/run?run={run.id}&tab=Artifacts")
    tree = page.get_by_test_id("stDataFrame").first
    expect(page.get_by_text("11 artifacts")).to_be_visible()

    open_row(tree, 0)  # reports/
    page.wait_for_url(re.compile(r"artifact=reports%2F$"))
    expect(page.get_by_role("button", name="reports", exact=True)).to_be_visible()
    open_row(tree, 1)  # scores.csv
    page.wait_for_url(re.compile(r"artifact=reports%2Fscores.csv$"))
    expect(page.get_by_text("2 rows × 2 columns")).to_be_visible()

    def is_file(answer: Response) -> bool:
        return "/media/" in answer.url and "/static/" not in answer.url

    with page.expect_response(is_file) as answer, page.expect_download() as waiting:
        page.get_by_role("button", name=re.compile(r"^Download \(")).click()
    assert waiting.value.suggested_filename == "scores.csv"
    assert Path(waiting.value.path()).read_bytes() == b"name,score\na,1\nb,2\n"
    headers = answer.value.headers
    assert headers["content-disposition"].startswith("attachment")
    assert headers["content-type"] == "application/octet-stream"

    page.go_back()
    page.wait_for_url(re.compile(r"artifact=reports%2F$"))
    expect(page.get_by_text("2 rows × 2 columns")).to_have_count(0)

    page.goto(f"{shared_dashboard.base}/run?run={run.id}&tab=Artifacts&artifact=sample")
    slider = page.get_by_role("slider")
    expect(page.get_by_text("step 20")).to_be_visible()
    slider.press("ArrowLeft")
    page.wait_for_url(re.compile(r"step=5$"))
    expect(page.get_by_text("step 5")).to_be_visible()
    expect(page.get_by_role("img", name="sample")).to_be_visible()


def test_a_dataset_leads_to_its_runs_and_an_artifact_to_its_preview(
    page: Page, shared_dashboard: Dashboard
) -> None:
    folder = shared_dashboard.store
    ids = []
    for name in ("first", "second"):
        with tracking.start_run("digits", name=name, store=folder, capture=False) as run:
            carried.dataset(run, "train", "ab" * 32)
            carried.artifact(run, "out.txt", b"what it wrote", "text")
        ids.append(run.id)
    page.goto(f"{shared_dashboard.base}/run?run={ids[0]}&tab=Data")
    page.get_by_role("link", name="second · digits").click()
    expect(page.get_by_role("heading", name="second")).to_be_visible()
    page.goto(f"{shared_dashboard.base}/run?run={ids[1]}&tab=Data")
    artifacts = page.get_by_test_id("stDataFrame").last
    expect(page.get_by_text("Artifacts out")).to_be_visible()
    artifacts.scroll_into_view_if_needed()
    open_row(artifacts, 0)
    page.wait_for_url(re.compile(r"tab=Artifacts.*artifact=out.txt"))
    expect(page.get_by_text("what it wrote")).to_be_visible()
