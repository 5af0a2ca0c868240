"""Runs by the beginning of their id, and searches in pages."""

from __future__ import annotations

import math

import pytest

import tracking
from tracking.store import Store


def start(store: Store, name: str, **metrics: float) -> str:
    with tracking.start_run("listing", name=name, store=store.location.root, capture=False) as run:
        if metrics:
            run.log(metrics)
    return run.id


def test_pages_hold_what_a_search_finds(store: Store) -> None:
    ids = [start(store, f"run-{number}", loss=float(number)) for number in range(7)]
    start(store, "without")
    pages = list(store.search_pages(order_by="metrics.loss", columns=["metrics.loss"], rows=3))
    assert [len(page["run"]) for page in pages] == [3, 3, 2]
    assert [run for page in pages for run in page["run"]][:7] == ids
    assert [value for page in pages for value in page["metrics.loss"]] == [*map(float, range(7)), None]


def test_nan_is_a_value_and_absence_is_none(store: Store) -> None:
    start(store, "bad", loss=math.nan)
    start(store, "none")
    (page,) = store.search_pages(order_by="created", columns=["metrics.loss"])
    assert math.isnan(page["metrics.loss"][0]) and page["metrics.loss"][1] is None


@pytest.mark.parametrize(("limit", "sizes"), [(1, [1]), (3, [3]), (4, [3, 1]), (6, [3, 3]), (None, [3, 3])])
def test_limit_bounds_all_pages_together(store: Store, limit: int | None, sizes: list[int]) -> None:
    for number in range(6):
        start(store, f"run-{number}")
    assert [len(page["run"]) for page in store.search_pages(limit=limit, rows=3)] == sizes


@pytest.mark.parametrize("limit", [0, -1, True, 1.5])
def test_a_limit_that_is_none_is_refused(store: Store, limit: object) -> None:
    with pytest.raises(tracking.InvalidValue, match="limit"):
        list(store.search_pages(limit=limit))  # type: ignore[arg-type]


def test_a_run_is_found_by_the_beginning_of_its_id(store: Store) -> None:
    run_id = start(store, "one")
    for length in (1, 5, len(run_id)):
        assert store.find_run(run_id[:length]) == run_id
    assert store.find_run(run_id.upper()) == run_id
    second = start(store, "two")
    common = next(at for at in range(len(run_id)) if run_id[at] != second[at])
    assert store.find_run(second[: common + 1]) == second
    with pytest.raises(tracking.InvalidValue, match=second):
        store.find_run(run_id[:common])


@pytest.mark.parametrize("given", ["", " ", "zzzz", "%", "_", "\0", "\ud800", "\U0010ffff", "a" * 10_000])
def test_an_unknown_beginning_is_not_found(store: Store, given: str) -> None:
    start(store, "one")
    with pytest.raises(tracking.NotFound) as raised:
        store.find_run(given)
    assert len(str(raised.value)) < 300
