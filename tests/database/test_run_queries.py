"""Records of runs and experiments, names in use, revisions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, event, insert, select, update

from tests.database.run_rows import CREATED, TABLES, Run, add_runs, empty_database, set_goal, set_repeats
from tracking.database.run_queries import (
    experiment_records,
    key_catalogue,
    owner_spool,
    revisions,
    run_record,
    run_records,
    run_revision,
)
from tracking.errors import NotFound
from tracking.records import Goal, RunStatus


@pytest.fixture
def connection() -> Iterator[Connection]:
    with empty_database().connect() as connection:
        yield connection


def test_a_record_holds_everything_of_a_run(connection: Connection) -> None:
    params = {
        "lr": 0.1,
        "opt": {"name": "adam", "betas": [0.9, 0.99]},
        "none": None,
        "nan": math.nan,
        "n": 2**60,
    }
    add_runs(
        connection,
        Run(
            "r1",
            "digits",
            "baseline",
            "failed",
            seconds=2.5,
            group="g",
            notes="# hello",
            parent="r0",
            tags=["z", "a"],
            params=params,
            metrics={"loss": [2.0, math.nan, 1.0, math.nan], "bad": [math.inf]},
        ),
    )
    record = run_record(connection, "r1")
    assert (record.id, record.experiment, record.name, record.group, record.parent) == (
        *("r1", "digits", "baseline", "g", "r0"),
    )
    assert record.status is RunStatus.FAILED
    assert record.created == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert record.ended is None
    assert (record.duration, record.notes, record.revision, record.deleted) == (2.5, "# hello", 7, False)
    assert record.tags == ("z", "a")
    assert record.params["opt"] == {"name": "adam", "betas": [0.9, 0.99]}
    assert record.flat_params["opt.name"] == "adam"
    assert record.params["none"] is None and math.isnan(record.params["nan"]) and record.params["n"] == 2**60
    loss = record.metrics["loss"]
    assert (loss.key, loss.count, loss.non_finite, loss.first, loss.last_step) == ("loss", 4, 2, 2.0, 3)
    assert (loss.min, loss.min_step, loss.max, loss.max_step, loss.mean) == (1.0, 2, 2.0, 0, 1.5)
    assert math.isnan(loss.last)
    bad = record.metrics["bad"]
    assert (bad.first, bad.last, bad.min, bad.mean) == (math.inf, math.inf, None, None)


def test_records_come_in_the_order_asked_for(connection: Connection) -> None:
    add_runs(
        connection, *(Run(f"r{n}", params={"n": n}, metrics={"m": [n]}, tags=[f"t{n}"]) for n in range(4))
    )
    records = run_records(connection, ["r2", "r0", "r2"])
    assert [record.id for record in records] == ["r2", "r0", "r2"]
    assert [record.params["n"] for record in records] == [2, 0, 2]
    assert [record.metrics["m"].last for record in records] == [2, 0, 2]
    assert records[1].tags == ("t0",)
    assert run_records(connection, []) == []


def test_more_runs_than_one_query_can_name(connection: Connection) -> None:
    add_runs(connection, *(Run(f"r{n}", params={"n": n}) for n in range(1_001)))
    asked: list[str] = []
    event.listen(connection, "before_cursor_execute", lambda *event: asked.append(event[2]))
    uids = [f"r{n}" for n in reversed(range(1_001))]
    records = run_records(connection, uids)
    assert [record.id for record in records] == uids
    assert [record.params["n"] for record in records] == list(reversed(range(1_001)))
    assert len(asked) == 3 * 5


@pytest.mark.parametrize("uid", ["r9", "", "\ud800", "a\0b", "%", None, 3])
def test_an_unknown_run_is_named(connection: Connection, uid: str) -> None:
    add_runs(connection, Run("r1"))
    with pytest.raises(NotFound) as caught:
        run_records(connection, ["r1", uid])
    assert repr(uid) in str(caught.value)


def test_a_run_in_the_trash_can_still_be_read(connection: Connection) -> None:
    add_runs(connection, Run("r1", deleted=True))
    assert run_record(connection, "r1").deleted


def test_revisions_follow_the_counters(connection: Connection) -> None:
    add_runs(connection, Run("r1", "digits"), Run("r2", "faces"))
    assert revisions(connection) == {"digits": (3, 5), "faces": (3, 5)}
    runs, experiments = TABLES["runs"], TABLES["experiments"]
    connection.execute(update(experiments).where(experiments.c.name == "faces").values(activity=6))
    connection.execute(update(runs).where(runs.c.uid == "r1").values(revision=8))
    assert revisions(connection) == {"digits": (3, 5), "faces": (3, 6)}
    assert (run_revision(connection, "r1"), run_revision(connection, "r2")) == (8, 7)
    with pytest.raises(NotFound, match="'r3'"):
        run_revision(connection, "r3")


def test_experiments_come_with_counts_goals_and_repeats(connection: Connection) -> None:
    add_runs(
        connection,
        Run("a", "old", status="running", created=CREATED),
        Run("b", "old", created=CREATED + 1),
        Run("c", "old", parent="b", status="running", created=CREATED + 2),
        Run("d", "old", deleted=True, created=CREATED + 10**12),
        Run("e", "new", created=CREATED + 10**9),
    )
    set_goal(connection, "old", "acc", "maximize")
    set_repeats(connection, "old", ["fold"], ["out"])
    new, old = experiment_records(connection)
    assert (new.name, new.runs, new.live, new.structure, new.activity) == ("new", 1, 0, 3, 5)
    assert (new.goals, new.vary, new.ignore) == ({}, ("seed", "random_state", "fold"), ())
    assert (old.name, old.runs, old.live) == ("old", 2, 1)
    assert (old.goals, old.vary, old.ignore) == ({"acc": Goal.MAXIMIZE}, ("fold",), ("out",))
    assert old.last_activity == datetime.fromtimestamp((CREATED + 2) / 1e6 + 1, UTC)


def test_an_experiment_wholly_in_the_trash_is_not_listed(connection: Connection) -> None:
    add_runs(connection, Run("a", "gone", deleted=True), Run("b", "here"))
    set_goal(connection, "planned", "acc", "maximize")
    names = {record.name: record.runs for record in experiment_records(connection)}
    assert names == {"here": 1, "planned": 0}


def test_the_catalogue_holds_the_names_in_use(connection: Connection) -> None:
    add_runs(
        connection,
        Run(
            "a",
            "digits",
            tags=["x"],
            params={"lr": 1, "opt": {"name": "a"}},
            metrics={"loss": [1.0], "acc": [1.0]},
        ),
        Run("b", "faces", tags=["y", "x"], params={"lr": 1}, metrics={"f1": [1.0]}),
        Run("c", "faces", tags=["z"], params={"gone": 1}, metrics={"gone": [1.0]}, deleted=True),
    )
    everything = key_catalogue(connection)
    assert everything.metrics == ("acc", "f1", "loss")
    assert everything.params == ("lr", "opt.name")
    assert everything.tags == ("x", "y")
    faces = key_catalogue(connection, "faces")
    assert (faces.metrics, faces.params, faces.tags) == (("f1",), ("lr",), ("x", "y"))
    nothing = key_catalogue(connection, "unknown")
    assert (nothing.metrics, nothing.params, nothing.tags) == ((), (), ())


def test_the_owner_is_the_last_session_that_may_end_the_run(connection: Connection) -> None:
    add_runs(connection, Run("r1"), Run("r2"))
    run_id = connection.execute(select(TABLES["runs"].c.id).where(TABLES["runs"].c.uid == "r1")).scalar_one()
    for ordinal, (spool, owner) in enumerate([("first", True), ("resumed", True), ("rank", False)]):
        row = {"spool": spool, "owner": owner, "ordinal": ordinal, "run_id": run_id, "started": CREATED}
        defaults = {"host": "", "process": 0, "ingested": 0, "sealed": False, "dropped_points": 0}
        connection.execute(insert(TABLES["sessions"]).values(**row, **defaults))
    assert owner_spool(connection, "r1") == "resumed"
    assert owner_spool(connection, "r2") is None
    assert owner_spool(connection, "nobody") is None
