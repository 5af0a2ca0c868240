"""Tidying up refuses what a version needs, and says which; so do a study's end and a merge."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import optuna
import pytest

import tracking
from tests.registry.grouping import Place
from tests.registry.test_versions import logged
from tracking.database.study_journal import catch_up
from tracking.errors import RunStateError, StillNeeded, TrackingError
from tracking.store import Store


def part_of(folder: Path, parent: str | None) -> str:
    with tracking.start_run("digits", parent=parent, store=folder, capture=False) as run:
        run.log_text(f"model of {run.id}", "model")
    return run.id


def aged(folder: Path) -> None:
    """Let every object be older than a clean-up spares."""
    old = time.time() - 3 * 24 * 3600
    for path in (folder / "objects").glob("??/*"):
        os.utime(path, (old, old))


def test_a_run_its_parents_and_its_parts_stay(store: Store, store_folder: Path) -> None:
    top = part_of(store_folder, None)
    made = part_of(store_folder, top)
    below = part_of(store_folder, made)
    beside = part_of(store_folder, top)
    store.register("digits", made)
    store.promote("digits", 1)
    store.promote("digits", 1, alias="staging")
    said = rf"the version digits/1 \(champion, staging\) was made from run {made}.*Nothing was deleted"
    for run in (top, made, below):
        with pytest.raises(StillNeeded, match=said):
            store.delete_run(run)
    with pytest.raises(StillNeeded, match=f"The experiment 'digits' is still needed.*{made}"):
        store.delete_experiment("digits")
    assert store.trash() == []
    assert store.delete_run(beside) == [beside]
    store.retire("digits")
    with pytest.raises(StillNeeded, match="digits/1"):
        store.delete_run(made)


def test_a_clean_up_leaves_what_a_version_needs(store: Store, store_folder: Path) -> None:
    with tracking.start_run("digits", store=store_folder, capture=False) as run:
        run.log_text("the first", "model")
    version = store.register("digits", run.id)
    loose = logged(store_folder, "nobody needs this")
    with tracking.start_run(resume=run.id, store=store_folder, capture=False) as resumed:
        resumed.log_text("the second", "model")
    # As a store would be that somebody changed by hand, or with a tool that knows nothing of models.
    with store._engines.writers.begin() as connection:
        connection.exec_driver_sql("UPDATE runs SET deleted = 1 WHERE uid = ?", (run.id,))
    store.delete_run(loose)
    aged(store_folder)
    report = store.gc(older_than=timedelta(0))
    assert [gone.id for gone in report.runs] == [loose]
    assert any("digits/1" in spared.why for spared in report.spared)
    assert store.open_object(version.digest).read() == b"the first"
    with pytest.raises(RunStateError, match="lies in the trash"):
        store.register("digits", run.id)
    assert store.verify_registry().problems == ()


def test_deleting_and_registering_at_once_one_of_both_wins(store: Store, store_folder: Path) -> None:
    ids = [logged(store_folder, f"m{number}", seed=number) for number in range(12)]

    def attempt(work: Callable[[], object]) -> bool:
        try:
            work()
        except TrackingError:
            return False
        return True

    with (
        tracking.open_store(store_folder) as one,
        tracking.open_store(store_folder) as other,
        ThreadPoolExecutor(2) as pool,
    ):
        for run in ids:
            deleted = pool.submit(attempt, lambda run=run: one.delete_run(run))
            made = pool.submit(attempt, lambda run=run: other.register("digits", run))
            assert deleted.result() != made.result()
    kept = {version.run for version in store.versions("digits")} if store.models() else set()
    assert kept == set(ids) - {gone.id for gone in store.trash()}
    assert store.verify_registry().problems == ()


def test_a_study_whose_winner_is_a_version_stays(store: Store, store_folder: Path) -> None:
    study = tracking.create_study("tpe", store=store_folder)
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=3)
    (first, *_) = (trial.run for trial in store.trials("tpe"))
    assert first is not None
    with tracking.start_run(resume=first, store=store_folder, capture=False) as run:
        run.log_text("the winner", "model")
    version = store.register("winner", first)
    assert (version.lineage["study"], version.lineage["trial"], version.lineage["picked_from"]) == (
        "tpe",
        0,
        3,
    )
    with pytest.raises(StillNeeded, match=r"The study is still needed.*winner/1"):
        optuna.delete_study(study_name="tpe", storage=tracking.study_storage(store_folder))
    assert [each.name for each in store.studies()] == ["tpe"]
    assert store.trash() == []
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    assert len(store.trials("tpe")) == 4


def test_folding_a_deleted_study_again_spares_what_became_a_version(store: Store, store_folder: Path) -> None:
    study = tracking.create_study("tpe", store=store_folder)
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
    first, second = (trial.run for trial in store.trials("tpe"))
    assert first is not None and second is not None
    optuna.delete_study(study_name="tpe", storage=tracking.study_storage(store_folder))
    store.restore(first)
    store.restore(second)
    with tracking.start_run(resume=first, store=store_folder, capture=False) as run:
        run.log_text("the winner", "model")
    store.register("winner", first)
    with store._engines.writers.begin() as connection:
        connection.exec_driver_sql("UPDATE studies SET folded = 0")
        catch_up(connection, 1)
    assert [gone.id for gone in store.trash()] == [second]


def test_a_merge_leaves_both_registries_as_they_are(store: Store, store_folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    there = logged(elsewhere, "theirs")
    with tracking.open_store(elsewhere) as other:
        other.register("digits", there)
        other.register("letters", there)
        other.promote("digits", 1)
        theirs = other.journal()
    store.register("digits", logged(store_folder, "ours"))
    ours = store.journal()
    report = store.merge(elsewhere)
    assert (report.models, list(report.added), report.refused) == (2, [there], ())
    assert store.journal() == ours
    assert store.run_versions(there) == []
    assert store.register("digits", there).number == 2
    assert store.merge(elsewhere).models == 2
    with tracking.open_store(elsewhere) as other:
        assert other.journal() == theirs
        assert other.merge(store_folder).models == 1
        assert other.verify_registry().problems == ()
    assert store.verify_registry().problems == ()


def test_a_backup_keeps_the_journal_provable(store: Store, store_folder: Path, tmp_path: Path) -> None:
    store.register("digits", logged(store_folder))
    store.promote("digits", 1)
    head = store.journal_head()
    store.backup(tmp_path / "store.zip")
    tracking.restore_backup(tmp_path / "store.zip", tmp_path / "again")
    with tracking.open_store(tmp_path / "again") as again:
        report = again.verify_registry(head=head)
        assert (report.head, report.problems, report.rows) == (head, (), 2)
        assert again.resolve("digits@champion").number == 1


def test_a_winner_that_was_confirmed_knows_its_search_and_what_to_be_compared_with(tmp_path: Path) -> None:
    place = Place(tmp_path)
    folder = place.location.root
    winner, other, _ = place.sweep("search", [{"lr": 0.1}, {"lr": 0.2}, {"lr": 0.3}])
    (mean,) = place.confirm("search", [(winner, {"lr": 0.1})], [10, 11])
    fresh = place.child(mean, 0, 0.95, experiment="search confirmed", lr=0.1, seed=10)
    for run in (winner, fresh):
        with tracking.start_run(resume=run, store=folder, capture=False) as resumed:
            resumed.log_text(f"model of {run}", "model")
    with tracking.open_store(folder) as store:
        champion = store.register("digits", winner)
        challenger = store.register("letters", fresh)
        assert (champion.lineage["study"], champion.lineage["picked_from"]) == ("search", 3)
        told = {key: challenger.lineage[key] for key in ("study", "trial", "parent", "picked_from")}
        assert told == {"study": "search confirmed", "trial": 0, "parent": mean, "picked_from": 3}
        store.promote("digits", 1)
        for run in (winner, other, fresh):
            assert [version.name for version in store.champion_of(run)] == ["digits/1"]
        store.promote("letters", 1)
        assert {version.name for version in store.champion_of(fresh)} == {"digits/1", "letters/1"}
        with pytest.raises(StillNeeded, match="letters/1"):
            store.delete_run(mean)
