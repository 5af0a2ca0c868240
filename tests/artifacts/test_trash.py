"""Deleting is to the trash and back; parts go with their run; nothing live is deleted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import pytest

import tracking

StartScript = Callable[..., "Popen[str]"]


def run_of(store_folder: Path, experiment: str = "default", parent: str | None = None) -> str:
    with tracking.start_run(experiment, store=store_folder, capture=False, parent=parent) as run:
        run.log({"loss": 1.0}, step=1)
    return run.id


def test_a_run_goes_and_comes_back_with_its_parts(store: tracking.Store, store_folder: Path) -> None:
    top = run_of(store_folder)
    child = run_of(store_folder, parent=top)
    grandchild = run_of(store_folder, "other", parent=child)
    alone = run_of(store_folder)
    assert sorted(store.delete_run(top)) == sorted([top, child, grandchild])
    assert store.search(children=True)["run"].tolist() == [alone]
    assert {one.id: one.parent for one in store.trash()} == {top: None, child: top, grandchild: child}
    assert store.delete_run(top) == []
    assert store.run(top).deleted
    with pytest.raises(tracking.RunStateError, match=f"part of run {top}"):
        store.restore(child)
    assert sorted(store.restore(top)) == sorted([top, child, grandchild])
    assert store.trash() == []
    assert set(store.search(children=True)["run"]) == {top, child, grandchild, alone}
    assert store.history(top, "loss")["value"].tolist() == [1.0]


def test_a_part_that_was_deleted_before_stays_in_the_trash(store: tracking.Store, store_folder: Path) -> None:
    top = run_of(store_folder)
    first, second = run_of(store_folder, parent=top), run_of(store_folder, parent=top)
    store.delete_run(first)
    store.delete_run(top)
    assert sorted(store.restore(top)) == sorted([top, second])
    assert [one.id for one in store.trash()] == [first]
    assert store.restore(first) == [first]


def test_an_experiment_goes_and_comes_back(store: tracking.Store, store_folder: Path) -> None:
    runs = {run_of(store_folder, "digits") for _ in range(3)}
    other = run_of(store_folder, "other")
    assert set(store.delete_experiment("digits")) == runs
    assert [one.name for one in store.experiments()] == ["other"]
    assert set(store.restore("digits")) == runs
    assert {one.name for one in store.experiments()} == {"digits", "other"}
    store.delete_experiment("digits")
    store.gc()
    assert [one.name for one in store.experiments()] == ["other"]
    with pytest.raises(tracking.NotFound, match="digits"):
        store.restore("digits")
    assert store.search()["run"].tolist() == [other]


@pytest.mark.parametrize("given", ["absent", "../x", "", "a\0b", "🏴"])
def test_what_is_not_there_is_said(given: str, store: tracking.Store) -> None:
    for act in (store.delete_run, store.delete_experiment, store.restore):
        with pytest.raises(tracking.NotFound):
            act(given)


def test_a_live_run_is_refused_and_a_lost_one_is_not(
    store: tracking.Store, store_folder: Path, start_script: StartScript
) -> None:
    process = start_script(
        """
        import sys, tracking
        run = tracking.start_run("live", store=sys.argv[1], capture=False)
        tracking.open_store(sys.argv[1]).run(run.id)  # waits until it is in the database
        print(run.id, flush=True)
        sys.stdin.read()
        """,
        str(store_folder),
    )
    assert process.stdout is not None
    live = process.stdout.readline().strip()
    finished = run_of(store_folder, "live")
    with pytest.raises(tracking.RunStateError, match=live):
        store.delete_run(live)
    with pytest.raises(tracking.RunStateError, match=live):
        store.delete_experiment("live")
    assert store.trash() == []
    process.kill()
    process.wait()
    assert store.delete_run(live) == [live]
    assert store.search()["run"].tolist() == [finished]


def test_a_run_in_the_trash_cannot_be_gone_on_with(store: tracking.Store, store_folder: Path) -> None:
    run_id = run_of(store_folder)
    store.delete_run(run_id)
    with pytest.raises(tracking.RunStateError, match="restore"):
        tracking.start_run(resume=run_id, store=store_folder, capture=False)
    store.restore(run_id)
    with tracking.start_run(resume=run_id, store=store_folder, capture=False) as run:
        run.log({"loss": 0.5})
    assert store.run(run_id).metrics["loss"].count == 2
