"""What was made of a sweep at one revision, and how a large live sweep is drawn without waiting for the next one.

While trials come in, each of them is a new revision. What is drawn of ten thousand trials takes longer to make than
the next trial takes to come, so a page of a live sweep draws what is there and says how old it is, while a thread
makes the same things of the revision of now.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

from tracking.sweep_records import SweepRecord

CHEAP_SECONDS: Final = 0.1
"""What takes less of a processor to make than this is made when it is drawn."""
REST: Final = 9
"""So many times as long as making it took, nothing is made anew: at most a tenth of a processor goes into it."""
AFTER_SECONDS: Final = 0.3
"""The page that asks is drawn first: both at once would take twice as long."""
KEPT: Final = 8
"""Snapshots in memory: two each of the sweeps that are looked at."""

Recipe = Callable[[SweepRecord], Any]


class Snapshot:
    """What was made of a sweep at one revision, each thing once."""

    def __init__(self, record: SweepRecord) -> None:
        self.record = record
        self.read = time.monotonic()
        self.cost = 0.0
        self.recipes: dict[str, Recipe] = {}
        self._made: dict[str, Any] = {}
        self._lock = threading.RLock()  # one thing may be made of another
        self._depth = 0

    def made(self, what: str, recipe: Recipe, *, again: bool) -> Any:
        """Return the thing of this name; `again`: it is wanted of the next revision too."""
        with self._lock:
            if what not in self._made:
                began, self._depth = time.thread_time(), self._depth + 1
                try:
                    self._made[what] = recipe(self.record)
                finally:
                    self._depth -= 1
                    if not self._depth:
                        self.cost += time.thread_time() - began
            if again:
                self.recipes.setdefault(what, recipe)
            return self._made[what]

    def held(self, what: str) -> Any:
        """Return the thing of this name where it was made, None else; waits for nothing."""
        return self._made.get(what)


class Snapshots:
    """The snapshots of a store's sweeps, the ones used last."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[str, int], Snapshot] = OrderedDict()
        self._latest: dict[str, Snapshot] = {}
        self._building: set[str] = set()
        self._lock = threading.Lock()

    def of(self, record: SweepRecord) -> Snapshot:
        """Return the snapshot of the record's revision, where nothing was made yet a new one."""
        key = record.study, record.revision
        with self._lock:
            found = self._held.get(key)
            if found is None:
                found = self._put(Snapshot(record))
                self._latest[record.study] = found
            self._held.move_to_end(key)
            return found

    def before(self, record: SweepRecord, what: str) -> Any:
        """Return the thing of this name that was made last of an earlier revision of a sweep, None where none is."""
        with self._lock:
            there = {
                revision: found
                for (study, revision), each in self._held.items()
                if study == record.study
                and revision < record.revision
                and (found := each.held(what)) is not None
            }
        return there[max(there)] if there else None

    def shown(self, record: SweepRecord) -> SweepRecord:
        """Return the record to draw a sweep from: this one, or for a moment an earlier one of a large live sweep."""
        with self._lock:
            latest = self._latest.get(record.study)
            if latest is None or not record.state.is_live or latest.cost < CHEAP_SECONDS:
                return record
            if latest.record.revision >= record.revision:
                return record if latest.record.revision == record.revision else latest.record
            resting = time.monotonic() - latest.read < REST * latest.cost
            if not resting and record.study not in self._building:
                self._building.add(record.study)
                later = threading.Timer(AFTER_SECONDS, self._build, args=(latest, record))
                later.daemon = True
                later.start()
            return latest.record

    def age(self, record: SweepRecord) -> float:
        """Return how many seconds ago the record of a snapshot was read."""
        with self._lock:
            found = self._held.get((record.study, record.revision))
        return 0.0 if found is None else time.monotonic() - found.read

    def _build(self, before: Snapshot, record: SweepRecord) -> None:
        made = Snapshot(record)
        with self._lock:
            self._put(made)  # what one thing is made of, such as the frame, is looked up here
        try:
            for what, recipe in list(before.recipes.items()):
                made.made(what, recipe, again=True)
        except Exception:  # it is made again where it is drawn, which says what is wrong
            made.cost = 0.0
        finally:
            with self._lock:
                self._building.discard(record.study)
                self._latest[record.study] = made

    def _put(self, snapshot: Snapshot) -> Snapshot:
        self._held[snapshot.record.study, snapshot.record.revision] = snapshot
        while len(self._held) > KEPT:
            self._held.popitem(last=False)
        studies = {study for study, _ in self._held}
        self._latest = {study: each for study, each in self._latest.items() if study in studies}
        return snapshot
