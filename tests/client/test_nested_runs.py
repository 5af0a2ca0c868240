"""A run that is started while another one is active: independent, a part of it, in threads, resumed."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import tracking
from tracking.records import RunStatus


def test_without_parent_it_is_a_run_of_its_own_and_hears_the_verbs(store_folder: Path) -> None:
    outer = tracking.start_run("outer", store=store_folder, capture=False)
    inner = tracking.start_run("inner", store=store_folder, capture=False)
    tracking.log({"loss": 1.0})
    outer.log({"loss": 2.0})
    tracking.finish()
    tracking.log({"loss": 3.0})
    tracking.finish()
    with tracking.open_store(store_folder) as store:
        assert store.run(inner.id).parent is None
        assert store.history(inner.id, "loss")["value"].tolist() == [1.0]
        assert store.history(outer.id, "loss")["value"].tolist() == [2.0, 3.0]


@pytest.mark.parametrize("by_id", [True, False])
def test_a_parent_is_given_as_a_run_or_its_id(by_id: bool, store_folder: Path) -> None:
    with tracking.start_run(store=store_folder, capture=False) as parent:
        given = parent.id if by_id else parent
        children = []
        for seed in range(3):
            with tracking.start_run(
                parent=given, params={"seed": seed}, store=store_folder, capture=False
            ) as child:
                tracking.log({"loss": float(seed)})
            children.append(child.id)
    with tracking.open_store(store_folder) as store:
        assert [store.run(child).parent for child in children] == [parent.id] * 3
        assert store.search()["run"].tolist() == [parent.id]
        assert store.count(children=True) == 4


def test_a_parent_that_is_none_is_refused(store_folder: Path) -> None:
    with pytest.raises(tracking.InvalidValue, match="is no run and no run's id"):
        tracking.start_run(parent="../x", store=store_folder)
    with pytest.raises(tracking.InvalidValue, match="is no run and no run's id"):
        tracking.start_run(parent=3, store=store_folder)  # type: ignore[arg-type]


def test_children_in_threads_with_one_parent(store_folder: Path) -> None:
    started: list[str] = []

    def train(parent: tracking.Run, seed: int) -> None:
        with tracking.start_run(parent=parent, store=store_folder, capture=False) as child:
            for step in range(20):
                tracking.log({"loss": float(seed)}, step=step)
        started.append(child.id)

    with tracking.start_run(store=store_folder, capture=False) as parent:
        threads = [threading.Thread(target=train, args=(parent, seed)) for seed in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert tracking.active_run() is parent
    with tracking.open_store(store_folder) as store:
        records = store.runs(started)
    assert {record.parent for record in records} == {parent.id}
    assert all(record.metrics["loss"].count == 20 for record in records)
    assert all(record.metrics["loss"].min == record.metrics["loss"].max for record in records)


def test_a_resumed_run_shows_the_later_value_at_any_step(store_folder: Path) -> None:
    with tracking.start_run(store=store_folder, capture=False) as run:
        for step in range(10):
            run.log({"loss": float(step)}, step=step)
    with tracking.start_run(resume=run.id, store=store_folder, capture=False) as resumed:
        resumed.log({"loss": -1.0}, step=4)
        resumed.log({"loss": -2.0}, step=-7)
        resumed.log({"loss": -3.0})
    with tracking.open_store(store_folder) as store:
        shown = store.history(run.id, "loss")
        every = store.history(run.id, "loss", superseded=True)
        record = store.run(run.id)
    assert shown["step"].tolist() == [-7, *range(11)]
    assert shown["value"].tolist() == [-2.0, 0.0, 1.0, 2.0, 3.0, -1.0, 5.0, 6.0, 7.0, 8.0, 9.0, -3.0]
    assert sorted(every[every["step"] == 4]["value"]) == [-1.0, 4.0]
    assert record.status is RunStatus.FINISHED
    assert record.metrics["loss"].count == 12


def test_a_child_of_a_run_lands_in_the_store_of_its_parent(
    store_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKING_STORE", str(tmp_path / "another"))
    with tracking.start_run(store=store_folder, capture=False) as parent:
        with tracking.start_run(parent=parent, capture=False) as child:
            child.log({"loss": 1.0})
    with tracking.open_store(store_folder) as store:
        assert store.run(child.id).parent == parent.id
    assert not (tmp_path / "another").exists()


def test_a_child_whose_parent_is_nowhere_is_found_until_the_parent_is_there(store_folder: Path) -> None:
    unknown = "01m7zk1axscef2mwkm8b"
    with tracking.start_run("orphans", parent=unknown, store=store_folder, capture=False) as orphan:
        orphan.log({"loss": 1.0})
    with tracking.start_run("orphans", parent=orphan, store=store_folder, capture=False) as grandchild:
        grandchild.log({"loss": 2.0})
    with tracking.open_store(store_folder) as store:
        assert store.run(orphan.id).parent == unknown
        assert store.search()["run"].tolist() == [orphan.id]
        assert store.search("metrics.loss < 3", experiment="orphans")["run"].tolist() == [orphan.id]
        assert (store.count(), store.count(children=True)) == (1, 2)
        assert store.experiments()[0].runs == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRACKING_RUN_ID", unknown)  # the parent, brought in late
        with tracking.start_run("orphans", store=store_folder, capture=False) as parent:
            assert parent.id == unknown
    with tracking.open_store(store_folder) as store:
        assert store.search()["run"].tolist() == [unknown]
        assert store.experiments()[0].runs == 1
