"""What is drawn of a large sweep while trials come in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.ui.test_sweep_tables import RECORD
from tracking.sweep_records import SweepRecord, SweepState
from tracking.ui import sweep_snapshots
from tracking.ui.sweep_snapshots import Snapshots

LIVE = replace(RECORD, state=SweepState.RUNNING)


def at(revision: int, record: SweepRecord = LIVE) -> SweepRecord:
    return replace(record, revision=revision)


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


@pytest.fixture
def dear(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything counts as dear to make, and nothing rests."""
    monkeypatch.setattr(sweep_snapshots, "CHEAP_SECONDS", 0.0)
    monkeypatch.setattr(sweep_snapshots, "REST", 0)


def test_a_thing_is_made_once_for_each_revision() -> None:
    snapshots, made = Snapshots(), []
    for revision in (1, 1, 2, 1):
        snapshots.of(at(revision)).made("x", lambda now: made.append(now.revision), again=True)
    assert made == [1, 2]


def test_a_later_revision_finds_what_was_made_of_an_earlier_one() -> None:
    snapshots = Snapshots()
    assert snapshots.before(at(3), "x") is None
    for revision in (1, 2, 5):
        snapshots.of(at(revision)).made("x", lambda now: now.revision, again=True)
    assert [snapshots.before(at(revision), "x") for revision in (1, 3, 9)] == [None, 2, 5]
    assert snapshots.before(at(9), "y") is None


def test_what_is_cheap_is_drawn_as_it_is_now() -> None:
    snapshots = Snapshots()
    snapshots.of(at(1)).made("x", lambda now: now, again=True)
    assert snapshots.shown(at(2)).revision == 2


def test_what_is_dear_is_drawn_as_it_was_until_the_same_things_are_made_again(dear: None) -> None:
    snapshots, go_on = Snapshots(), threading.Event()

    def slow(now: SweepRecord) -> int:
        assert now.revision == 1 or go_on.wait(60)
        return now.revision

    snapshots.of(at(1)).made("slow", slow, again=True)
    snapshots.of(at(1)).made("page 3 of a table", lambda now: now.revision, again=False)
    assert snapshots.shown(at(2)).revision == 1 and snapshots.shown(at(3)).revision == 1
    assert snapshots.age(at(1)) >= 0
    go_on.set()
    wait_for(lambda: snapshots.shown(at(2)).revision == 2)
    held = snapshots.of(at(2))
    assert set(held.recipes) == {"slow"} and held.made("slow", slow, again=True) == 2


def test_a_sweep_that_has_ended_is_never_behind(dear: None) -> None:
    snapshots = Snapshots()
    snapshots.of(at(1)).made("x", lambda now: now, again=True)
    ended = at(2, replace(LIVE, state=SweepState.FINISHED))
    assert snapshots.shown(ended) is ended


def test_what_cannot_be_made_again_says_so_where_it_is_drawn(dear: None) -> None:
    snapshots = Snapshots()

    def breaks(now: SweepRecord) -> int:
        if now.revision > 1:
            raise ValueError("no")
        return now.revision

    snapshots.of(at(1)).made("x", breaks, again=True)
    wait_for(lambda: snapshots.shown(at(2)).revision == 2)
    with pytest.raises(ValueError, match="no"):
        snapshots.of(at(2)).made("x", breaks, again=True)


def test_few_snapshots_are_kept() -> None:
    snapshots = Snapshots()
    for revision in range(50):
        snapshots.of(at(revision))
    assert len(snapshots._held) == sweep_snapshots.KEPT
