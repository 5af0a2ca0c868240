"""A search that cannot be read is refused within 50 ms, however long or deep it is."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

import tracking
from tracking.errors import FilterError
from tracking.store import Store

PROMISED_S = 0.05
TRIES = 20

MONSTERS = [
    "x" * 1_000_000,
    "name == '" + "x" * 1_000_000 + "'",
    "(" * 10_000 + ")" * 10_000,
    "(" * 2_000 + "metrics.a > 1" + ")" * 2_000,
    "[" * 4_000,
    "not " * 1_000 + "metrics.a > 1",
    "metrics.a > " + "-" * 4_000 + "1",
    "metrics." + "a." * 2_000 + "a > 1",
    "1 < " * 1_000 + "metrics.a",
    "metrics.a > 1 and " * 200 + "metrics.a > 1",
    "metrics.a > " + "9" * 4_000,
    "x" * 4_096,
    "'" * 4_095,
    "\\" * 4_096,
    "metrics." * 500,
    "in " * 1_300,
]


MISTAKES = [
    "metrics.loss >",
    "metrics.loss > 'high'",
    "metrics.loss = 0.5",
    "status == 'finshed'",
    "statis == 'finished'",
    "created >= 'yesterday'",
    "median(metrics.loss) > 1",
    "best(metrics.loss) > 1",
    "matches(name, 5)",
    "params.f1-score > 0.5",
]
ORDERS = ["metrics.loss sideways", "median(metrics.loss)", "best(metrics.loss) desc", "x" * 1_000_000]


@pytest.fixture(scope="module")
def warm_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with runs, metrics and params that has answered a search before."""
    folder = tmp_path_factory.mktemp("filters") / "store"
    for number in range(5):
        with tracking.start_run("digits", params={"lr": number}, store=folder, capture=False) as run:
            run.log({"loss": 1.0 / (number + 1), "val/loss": 2.0})
    with tracking.open_store(folder) as store:
        assert len(store.search("metrics.loss > 0 and params.lr < 4", order_by="metrics.loss desc")) == 4
        yield store


def shortest_refusal(store: Store, where: str = "", order_by: str | None = None) -> tuple[float, FilterError]:
    """Return the shortest time of some tries: what else the machine does makes single ones longer."""
    shortest = float("inf")
    for _ in range(TRIES):
        started = time.perf_counter()
        with pytest.raises(FilterError) as caught:
            store.search(where, order_by=order_by)
        shortest = min(shortest, time.perf_counter() - started)
        if shortest < PROMISED_S:
            break
    return shortest, caught.value


@pytest.mark.parametrize("source", MONSTERS, ids=lambda source: f"{source[:12]}…{len(source)}")
def test_monsters_are_refused_at_once(source: str, warm_store: Store) -> None:
    seconds, error = shortest_refusal(warm_store, source)
    assert seconds < PROMISED_S
    assert len(str(error)) < 1_500
    assert len(error.source) <= 4_096


@pytest.mark.parametrize("source", MISTAKES)
def test_mistakes_are_refused_at_once(source: str, warm_store: Store) -> None:
    assert shortest_refusal(warm_store, source)[0] < PROMISED_S


@pytest.mark.parametrize("order_by", ORDERS, ids=lambda order: order[:30])
def test_orders_are_refused_at_once(order_by: str, warm_store: Store) -> None:
    assert shortest_refusal(warm_store, order_by=order_by)[0] < PROMISED_S
