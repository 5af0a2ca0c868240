"""In a notebook the kernel outlives the cell: a cell that starts a run may be run again and again."""

from __future__ import annotations

import sys
import threading
import types
from pathlib import Path

import pytest

import tracking
from tracking.records import RunStatus


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look like a notebook's kernel, by what is asked of it: IPython is there and has a shell."""
    module = types.ModuleType("IPython")
    module.get_ipython = object  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", module)


def test_a_cell_run_again_finishes_the_run_it_left_open(notebook: None, store_folder: Path) -> None:
    first = tracking.start_run("notebook", store=store_folder)
    tracking.log({"loss": 1.0})
    with pytest.warns(tracking.TrackingWarning, match="is finished now"):
        second = tracking.start_run("notebook", store=store_folder)
    tracking.log({"loss": 2.0})
    tracking.finish()
    with tracking.open_store(store_folder) as store:
        assert [record.status for record in store.runs([first.id, second.id])] == [RunStatus.FINISHED] * 2
        assert [record.metrics["loss"].last for record in store.runs([first.id, second.id])] == [1.0, 2.0]


def test_a_run_inside_a_block_is_left_alone(notebook: None, store_folder: Path) -> None:
    with tracking.start_run("notebook", store=store_folder) as outer:
        with tracking.start_run("notebook", store=store_folder, parent=outer) as inner:
            tracking.log({"loss": 1.0})
        tracking.log({"loss": 2.0})
    with tracking.open_store(store_folder) as store:
        assert store.run(inner.id).parent == outer.id
        assert store.run(outer.id).metrics["loss"].last == 2.0
        assert store.search()["run"].tolist() == [outer.id]
        assert set(store.search(children=True)["run"]) == {outer.id, inner.id}


def test_nested_runs_in_a_script_come_back_to_the_outer_one(store_folder: Path) -> None:
    outer = tracking.start_run("nested", store=store_folder)
    inner = tracking.start_run("nested", store=store_folder, parent=outer.id)
    assert tracking.active_run() is inner
    tracking.finish()
    assert tracking.active_run() is outer
    tracking.finish()
    assert tracking.active_run() is None


def test_a_cell_that_goes_on_with_a_run_may_be_run_again(notebook: None, store_folder: Path) -> None:
    first = tracking.start_run("notebook", store=store_folder, capture=False)
    tracking.log({"loss": 1.0})
    again = tracking.start_run(resume=first.id, store=store_folder, capture=False)
    tracking.log({"loss": 2.0})
    tracking.finish()
    assert (first.status, again.id) == (RunStatus.FINISHED, first.id)
    with tracking.open_store(store_folder) as store:
        assert store.history(first.id, "loss")["value"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize("thread", [False, True])
def test_a_script_cannot_take_over_its_own_live_run(store_folder: Path, thread: bool) -> None:
    first = tracking.start_run("script", store=store_folder, capture=False)
    first.log({"loss": 1.0})
    errors: list[Exception] = []

    def resume() -> None:
        try:
            tracking.start_run(resume=first.id, store=store_folder, capture=False)
        except tracking.RunStateError as error:
            errors.append(error)

    if thread:
        worker = threading.Thread(target=resume)
        worker.start()
        worker.join()
    else:
        resume()
    assert len(errors) == 1 and "live process" in str(errors[0])
    assert first.status is RunStatus.RUNNING and tracking.active_run() is first
    first.log({"loss": 2.0})
    first.finish()
    with tracking.open_store(store_folder) as store:
        assert store.history(first.id, "loss")["value"].tolist() == [1.0, 2.0]
    with tracking.start_run(resume=first.id, store=store_folder, capture=False) as later:
        assert later.id == first.id
