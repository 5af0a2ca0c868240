"""Another store comes home: whole, once, and whatever it holds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import tracking
from tests.conftest import script_environment
from tests.database.stores import alter, contents, copy_of, log_run, merge
from tracking.records import RunStatus


def test_everything_comes_over_and_a_second_time_nothing(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    ids = [log_run(there, seed) for seed in range(3)]
    report = merge(there, here)
    assert list(report.added) == ids and report.refused == report.missing == ()
    assert report.objects > 0
    first = contents(here)
    assert first == contents(there)
    again = merge(there, here)
    assert (again.added, again.updated, again.unchanged, again.objects) == ((), (), 3, 0)
    assert contents(here) == first


def test_a_repeated_merge_moves_no_revision(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    run_id = log_run(there, 1)
    merge(there, here)
    with tracking.open_store(here) as store:
        before = store.revisions(), store.run_revision(run_id)
        store.merge(there)
        assert (store.revisions(), store.run_revision(run_id)) == before
        log_run(there, 2)
        store.merge(there)
        assert store.revisions() != before[0]


def test_what_is_here_stays_and_both_end_equal(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    log_run(a, 1)
    log_run(b, 2)
    merge(a, b)
    merge(b, a)
    assert contents(a) == contents(b) and len(contents(a)["runs"]) == 2
    merge(a, b)
    assert contents(a) == contents(b)


def test_a_run_that_went_on_is_brought_up_to_date(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    run_id = log_run(there, 1, steps=20)
    merge(there, here)
    with tracking.open_store(here) as store:
        store.set_notes(run_id, "mine")
        store.set_tags(run_id, ["kept"])
        store.set_name(run_id, "my name")
    with tracking.start_run(resume=run_id, store=there, capture=False) as run:
        for step in range(10, 30):
            run.log({"loss": 100.0 + step}, step=step)
        run.log_params({"later": True})
        run.set_tags(["theirs"])
    report = merge(there, here)
    assert list(report.updated) == [run_id]
    with tracking.open_store(here) as store, tracking.open_store(there) as other:
        record = store.run(run_id)
        assert (record.name, record.notes, record.tags) == ("my name", "mine", ("kept",))
        assert record.params["later"] is True
        assert record.metrics["loss"] == other.run(run_id).metrics["loss"]
        for superseded in (False, True):
            ours = store.history(run_id, "loss", superseded=superseded)
            assert ours.equals(other.history(run_id, "loss", superseded=superseded))
    assert merge(there, here).updated == ()


def test_a_run_that_goes_on_on_both_sides_has_both_sessions(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    run_id = log_run(a, 1, steps=10)
    merge(a, b)
    for folder, value in ((a, 1000.0), (b, 2000.0)):
        with tracking.start_run(resume=run_id, store=folder, capture=False) as run:
            for step in range(5, 15):
                run.log({"loss": value + step}, step=step)
    merge(a, b)
    merge(b, a)
    assert contents(a) == contents(b)
    with tracking.open_store(a) as store:
        # The session that began last shows.
        assert store.run(run_id).metrics["loss"].last == 2014.0
        assert len(store.history(run_id, "loss", superseded=True)) == 30


def test_a_live_run_is_lost_here_until_it_ends_there(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    run = tracking.start_run("live", store=there, capture=False)
    for step in range(5):
        run.log({"loss": float(step)}, step=step)
    merge(there, here)
    with tracking.open_store(here) as store:
        record = store.run(run.id)
        assert record.status is RunStatus.LOST and "had not ended" in (record.error or "")
        assert record.metrics["loss"].count == 5
    run.log({"loss": 9.0}, step=9)
    run.set_notes("at last")
    run.finish()
    assert list(merge(there, here).updated) == [run.id]
    with tracking.open_store(here) as store:
        record = store.run(run.id)
        assert (record.status, record.error, record.notes) == (RunStatus.FINISHED, None, "at last")
        assert record.metrics["loss"].last == 9.0
    assert contents(here) == contents(there)


def test_a_merge_back_never_touches_a_run_that_is_live_here(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    run = tracking.start_run("live", store=here, capture=False)
    run.log({"loss": 1.0}, step=1)
    merge(here, there)
    # A copy of our own spool, read in over there, is ahead of our own database.
    copied = copy_of(here, tmp_path / "copied")
    run.log({"loss": 2.0}, step=2)
    for source in (there, copied):
        assert merge(source, here).updated == ()
    run.log({"loss": 3.0}, step=3)
    run.finish()
    with tracking.open_store(here) as store:
        assert store.run(run.id).status is RunStatus.FINISHED
        assert store.history(run.id, "loss")["value"].tolist() == [1.0, 2.0, 3.0]


def test_the_other_store_is_not_touched(tmp_path: Path) -> None:
    there = tmp_path / "there"
    log_run(there, 1)
    run = tracking.start_run("dead", store=there, capture=False)
    run.log({"loss": 1.0})
    copied = copy_of(there, tmp_path / "copied")
    run.finish()

    def state() -> dict[str, tuple[int, bytes]]:
        return {
            str(path.relative_to(copied)): (path.stat().st_mtime_ns, path.read_bytes())
            for path in sorted(copied.rglob("*"))
            if path.is_file()
        }

    before = state()
    assert any(name.endswith(".spool") for name in before)
    report = merge(copied, tmp_path / "here")
    assert len(report.added) == 2
    assert state() == before
    assert list((tmp_path / "here").glob(".merge-*")) == []


def test_ranks_of_one_run_on_two_machines_become_one_run(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    run_id = log_run(here, 1)
    other = log_run(there, 2)
    alter(
        f"DROP TRIGGER runs_uid_is_fixed; UPDATE runs SET uid = '{run_id}' WHERE uid = '{other}';"
        f"UPDATE sessions SET spool = '{run_id}.0123456789ab', owner = 0, rank = 1"
    )(there)
    assert list(merge(there, here).updated) == [run_id]
    with tracking.open_store(here) as store:
        assert store.run(run_id).metrics["loss"].count == 100
        assert len(store.artifacts(run_id, superseded=True)) == 6


def test_the_trash_is_respected_on_both_sides(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    gone, kept = log_run(there, 1), log_run(there, 2)
    alter(f"UPDATE runs SET deleted = 1 WHERE uid = '{gone}'")(there)
    assert list(merge(there, here).added) == [kept]
    alter(f"UPDATE runs SET deleted = 1 WHERE uid = '{kept}'")(here)
    assert merge(there, here).unchanged == 1
    with tracking.open_store(here) as store:
        assert store.run(kept).deleted


def test_goals_and_repeats_given_here_stay(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    log_run(here, 1)
    log_run(there, 2)
    for folder, goal, vary in ((here, "minimize", ["a"]), (there, "maximize", ["b"])):
        with tracking.start_run("exp", store=folder, capture=False) as run:
            run.define_metric("shared", goal=goal)
            run.define_repeat(vary)
            if folder == there:
                run.define_metric("new", goal="maximize")
    merge(there, here)
    with tracking.open_store(here) as store:
        (experiment,) = store.experiments()
        assert experiment.goals["shared"] == "minimize" and experiment.goals["new"] == "maximize"
        assert experiment.vary == ("a",)


def test_a_store_that_this_process_logs_to_keeps_its_locks(tmp_path: Path) -> None:
    """Closing a copied database's file would let go of the locks on it, and its newest rows with them."""
    here, there = tmp_path / "here", tmp_path / "there"
    with tracking.open_store(there) as other, tracking.start_run("live", store=there, capture=False) as run:
        run.log({"loss": 1.0}, step=1)
        assert other.run(run.id).metrics["loss"].count == 1
        merge(there, here)
        run.log({"loss": 2.0}, step=2)
        assert other.run(run.id).metrics["loss"].count == 2
        # Another process that opens and closes the store takes the log away when it believes to be the last one.
        subprocess.run(
            [sys.executable, "-m", "tracking", "runs", "--store", str(there)],
            env=script_environment(),
            check=True,
            capture_output=True,
        )
        assert (there / "tracking.db-wal").exists()
        run.log({"loss": 3.0}, step=3)
        assert other.run(run.id).metrics["loss"].count == 3
