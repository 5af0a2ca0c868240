"""Runs that evidence names may be deleted for good: the journal stays, and who reads it is told which ones are gone."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from tests.registry.making import logged
from tracking.store import Store


def promoted(store: Store, folder: Path) -> tuple[list[str], list[str]]:
    """Promote one of three runs over one of three others; return the ids of both sides."""
    sides = [
        [logged(folder, 0, accuracy=accuracy + 0.001 * seed, seed=seed, lr=lr) for seed in range(3)]
        for accuracy, lr in ((0.8, 0.1), (0.9, 0.2))
    ]
    for runs in sides:
        store.register("digits", runs[0])
    store.promote("digits", 1)
    store.promote("digits", 2)
    return sides[1], sides[0]


def test_the_runs_that_are_gone_are_told(store: Store, store_folder: Path) -> None:
    ours, theirs = promoted(store, store_folder)
    last = store.journal()[-1]
    assert last.evidence_runs == (*ours, *theirs)
    store.delete_run(theirs[2])
    store.delete_run(ours[1])
    assert store.gone_evidence(store.journal()) == {}  # they lie in the trash, and can be looked at
    head = store.journal_head()
    store.gc(older_than=timedelta(0))
    first = store.journal()[2]
    assert store.gone_evidence(store.journal()) == {
        first.position: (theirs[2],),
        last.position: (ours[1], theirs[2]),
    }
    assert store.gone_evidence([]) == store.gone_evidence(store.journal()[:2]) == {}
    # Nothing of the journal has changed by it.
    assert store.journal_head() == head and store.journal()[-1] == last
    assert store.verify_registry().problems == ()


def test_evidence_that_somebody_rewrote_is_read_as_far_as_it_can_be(store: Store, store_folder: Path) -> None:
    promoted(store, store_folder)
    points = [None, 5, {"run": 7}, {"value": 1.0}, {"run": "\ud800"}, {"run": "x"}, {"run": "x"}]
    with closing(sqlite3.connect(store_folder / "tracking.db")) as database:
        database.execute("DROP TRIGGER registry_journal_is_fixed")
        for position, evidence in ((3, {"candidate": points, "champion": "none"}), (4, [])):
            text = json.dumps(evidence)
            database.execute("UPDATE registry_journal SET evidence = ? WHERE position = ?", (text, position))
        database.commit()
    assert store.gone_evidence(store.journal()) == {3: ("\ud800", "x")}
