"""Gates judge a version by the metrics of its own model, and only where the run has come to its end."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

import tracking
from tracking import GateResult, Store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with tracking.open_store(tmp_path_factory.mktemp("measured") / "store") as opened:
        yield opened


def run_of(store: Store, seed: int = 0, **more: object) -> tracking.Run:
    return tracking.start_run(
        "measured", params={"seed": seed}, store=store.location.root, capture=False, strict=True, **more
    )


def asked(store: Store, model: str, number: int, *lines: str) -> list[GateResult]:
    store.set_gates(model, lines)
    return list(store.check_promotion(model, number).gates)


def test_what_a_resumed_run_logs_is_not_the_versions(store: Store) -> None:
    with run_of(store) as run:
        run.log({"acc": 0.5, "bad": float("nan")}, step=0)
        run.log_text("one", "model")
    store.register("resumed", run.id)
    assert [each.passed for each in asked(store, "resumed", 1, "acc >= 0.5", "repeats >= 1")] == [True, True]
    with run_of(store, resume=run.id) as again:
        again.log(
            {"acc": 0.99, "late": 1.0}, step=0
        )  # in the place of the first: the number of points is the same
        again.log_text("two", "model")
    store.promote("resumed", store.register("resumed", run.id).number)
    lines = ("acc >= 0.9", "best(acc) >= 0.9", "late >= 0", "bad >= 0", "better(acc)", "repeats >= 1")
    metric, best, late, bad, better, repeats = asked(store, "resumed", 1, *lines)
    assert not metric.passed
    assert metric.found == "0.5 when it was registered; the run has logged 0.99 since"
    assert not best.passed
    assert not late.passed and "logged no late before it was registered" in late.found
    assert not bad.passed and "last is NaN" in bad.found
    for each in (better, repeats):
        assert not each.passed and "since resumed/1 was registered" in each.found
        assert "register it again" in each.found
    assert [each.passed for each in asked(store, "resumed", 2, "acc >= 0.9", "repeats >= 1")] == [True, True]
    card = store.model_card("resumed", 1)
    assert "When it was registered" in card and "| 0.5 |" in card


def test_a_version_with_a_step_is_judged_at_its_step(store: Store) -> None:
    with run_of(store, 1) as run:
        run.define_metric("acc", goal="maximize")
        for step, value in ((0, 0.3), (1, 0.2), (10, 0.99)):
            run.log({"acc": value}, step=step)
        run.log({"end": 1.0}, step=10)
        run.log_text("early", "model", step=4)
        run.log_text("late", "model", step=10)
    early = store.register("stepped", run.id, step=4)
    assert early.lineage["metrics"] == {"acc": 0.2}
    late = store.register("stepped", run.id, step=10)
    store.promote("stepped", late.number)
    lines = ("acc >= 0.9", "best(acc) >= 0.3", "end >= 0", "better(acc)", "repeats >= 1")
    last, best, end, better, repeats = asked(store, "stepped", early.number, *lines)
    assert not last.passed
    assert last.found == "0.2 up to step 4, which the version is of; over the whole run 0.99"
    assert best.passed and best.found.startswith("0.3 up to step 4")
    assert not end.passed and "logged no end up to step 4" in end.found
    assert not better.passed and "over the whole run" in better.found
    assert repeats.passed
    (last,) = asked(store, "stepped", late.number, "acc >= 0.9")
    assert last.passed and last.found == "0.99"
    card = store.model_card("stepped", early.number)
    assert "Up to step 4" in card and "| 0.2 |" in card


def test_repeats_without_the_metric_are_told(store: Store) -> None:
    for seed, key in ((10, "acc"), (11, "acc"), (12, "other")):
        with tracking.start_run(
            "repeated", params={"seed": seed, "lr": 1}, store=store.location.root, capture=False
        ) as run:
            run.log({key: 0.9})
            run.log_text("one", "model")
    store.register("repeated", run.id)
    (alone,) = asked(store, "repeated", 1, "repeats >= 3")
    assert alone.passed and alone.found == "3"
    repeats, _ = asked(store, "repeated", 1, "repeats >= 3", "acc >= 0.9")
    assert repeats.found == "3; 2 of 3 runs logged acc"


def test_a_run_that_did_not_come_to_its_end_passes_no_gate_on_metrics(store: Store) -> None:
    lines = ("acc >= 0.5", "better(acc)")
    with pytest.raises(ZeroDivisionError), run_of(store, 2) as run:
        run.log({"acc": 0.9})
        run.log_text("early", "model")
        store.register("ended", run.id)
        for each in asked(store, "ended", 1, *lines):
            assert not each.passed and "the run is still running: its metrics may change" in each.found
        raise ZeroDivisionError
    for each in asked(store, "ended", 1, *lines):
        assert not each.passed and "the run failed" in each.found
    assert asked(store, "ended", 1, "acc >= 0.5")[0].found.startswith("0.9; ")


def test_a_version_of_a_store_from_before_is_judged_by_what_there_is(store: Store) -> None:
    """Its lineage has last values only."""
    with run_of(store, 3) as run:
        run.log({"acc": 0.5})
        run.log_text("one", "model")
    store.register("old", run.id)

    with closing(sqlite3.connect(store.location.database)) as database:
        database.execute("DROP TRIGGER model_versions_are_fixed")
        before = "UPDATE model_versions SET lineage = ? WHERE run_id = (SELECT id FROM runs WHERE uid = ?)"
        database.execute(before, ('{"metrics":{"acc":0.5}}', run.id))
        database.commit()
    last, top, repeats = asked(store, "old", 1, "acc >= 0.5", "max(acc) >= 0.5", "repeats >= 1")
    assert (last.passed, last.found) == (True, "0.5")
    assert top.passed and "was not kept" in top.found
    assert repeats.passed
    with run_of(store, resume=run.id) as again:
        again.log({"acc": 0.99})
    last, repeats = asked(store, "old", 1, "acc >= 0.9", "repeats >= 1")
    assert not last.passed and last.found.startswith("0.5 when it was registered; the run has logged 0.99")
    assert not repeats.passed
