"""Merges in any order beside logging, resuming and editing: twice equals once, and stores converge."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import tracking
from tests.database.stores import contents, log_run

NAMES = st.sampled_from(["a", "b", "c"])
EDITED = ("name", "tags", "notes")
"""What belongs to each store by itself."""


class Merges(RuleBasedStateMachine):
    """Three stores that merge each other."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.seed = 0
        self.runs: dict[str, list[str]] = {"a": [], "b": [], "c": []}
        """The ids that each store must have, as a model."""
        self.notes: dict[tuple[str, str], str] = {}

    @initialize()
    def begin(self) -> None:
        for name in self.runs:
            tracking.open_store(self.folder / name).close()

    @rule(name=NAMES, steps=st.integers(0, 6))
    def log(self, name: str, steps: int) -> None:
        self.seed += 1
        run = log_run(self.folder / name, self.seed, steps=steps)
        self.runs[name].append(run)
        self.notes[name, run] = f"notes {self.seed}"

    @rule(name=NAMES, pick=st.integers(0, 5), first=st.integers(0, 4), value=st.integers(0, 9))
    def go_on(self, name: str, pick: int, first: int, value: int) -> None:
        if not self.runs[name]:
            return
        run_id = self.runs[name][pick % len(self.runs[name])]
        with tracking.start_run(resume=run_id, store=self.folder / name, capture=False) as run:
            run.log_params({"resumed": value})
            for step in range(first, first + 3):
                run.log({"loss": float(value), "late": float(step)}, step=step)

    @rule(name=NAMES, pick=st.integers(0, 5), text=st.sampled_from(["", "x", "y"]))
    def edit(self, name: str, pick: int, text: str) -> None:
        if not self.runs[name]:
            return
        run_id = self.runs[name][pick % len(self.runs[name])]
        with tracking.open_store(self.folder / name) as store:
            store.set_notes(run_id, text)
        self.notes[name, run_id] = text

    @rule(source=NAMES, into=NAMES)
    def merge(self, source: str, into: str) -> None:
        if source == into:
            return
        self._merge(source, into)
        first = contents(self.folder / into)
        again = self._merge(source, into)
        assert (again.added, again.updated, again.objects, again.refused, again.missing) == (
            (),
            (),
            0,
            (),
            (),
        )
        assert contents(self.folder / into) == first

    @invariant()
    def every_store_has_its_runs_and_its_notes(self) -> None:
        for name, ids in self.runs.items():
            with tracking.open_store(self.folder / name) as store:
                assert {record.id: record.notes for record in store.runs(ids)} == {
                    run: self.notes[name, run] for run in ids
                }

    def teardown(self) -> None:
        try:
            if self.seed:
                for source, target in ("ab", "bc", "ca", "ab", "cb"):
                    self._merge(source, target)
                a, b, c = (self._machine_part(name) for name in "abc")
                assert a == b == c
                assert len(a["runs"]) == self.seed
        finally:
            shutil.rmtree(self.folder)

    def _merge(self, source: str, target: str) -> Any:
        with tracking.open_store(self.folder / target) as store:
            report = store.merge(self.folder / source)
        for run in self.runs[source]:
            if run not in self.runs[target]:
                self.runs[target].append(run)
                self.notes[target, run] = self.notes[source, run]
        return report

    def _machine_part(self, name: str) -> dict[str, Any]:
        found = contents(self.folder / name)
        for run in found["runs"].values():
            for key in EDITED:
                run.pop(key)
        return found


TestMerges = Merges.TestCase
TestMerges.settings = settings(
    max_examples=6, stateful_step_count=8, deadline=None, suppress_health_check=list(HealthCheck)
)
