"""Register, promote, delete, clean up, merge and log again in any order: no alias ever loses its model.

What holds an alias, and every version there is, loads and predicts as on the day it was registered.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import tracking
from tests.conftest import SOAK
from tests.registry.making import CHOICES, fitted, logged, predicts

EXPERIMENTS = ("digits", "letters")
ALIASES = ("champion", "staging")
choices = st.integers(0, CHOICES - 1)
picks = st.integers(0, 20)


class Logged(NamedTuple):
    """The model that a run logged last.

    Attributes:
        experiment: Of the run.
        choice: Which model.
        when: Grows with every model that is logged in any of the stores.
    """

    experiment: str
    choice: int
    when: int


class Safety(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.place = Path(tempfile.mkdtemp())
        self.folder = self.place / "store"
        self.elsewhere = self.place / "elsewhere"
        self.store = tracking.open_store(self.folder)
        self.clock = itertools.count()
        self.runs: dict[str, Logged] = {}
        """What each run there is has logged."""
        self.trashed: set[str] = set()
        self.versions: dict[tuple[str, int], tuple[str, int]] = {}
        """Run and choice of each version."""
        self.held: dict[tuple[str, str], int | None] = {}
        """Who holds each alias of each model."""
        self.past: dict[tuple[str, str], list[int]] = {}
        """The promotions of each that are in force: a rollback takes the last one away."""
        self.there: dict[str, Logged] = {}
        """The same, of the other store."""

    @initialize(first=choices, second=choices)
    def begin(self, first: int, second: int) -> None:
        for choice in (first, second):
            self.log(choice, "digits")
            self.register(len(self.versions), "digits")
        self.promote(0, "champion")

    # Runs and their models

    @rule(choice=choices, experiment=st.sampled_from(EXPERIMENTS))
    def log(self, choice: int, experiment: str) -> None:
        run = logged(self.folder, choice, experiment=experiment)
        self.runs[run] = Logged(experiment, choice, next(self.clock))

    @precondition(lambda self: self.alive())
    @rule(pick=picks, choice=choices)
    def log_again(self, pick: int, choice: int) -> None:
        """A resumed run logs another model under the same name: versions stay what they are."""
        run = self.of(self.alive(), pick)
        with tracking.start_run(resume=run, store=self.folder, capture=False, strict=True) as resumed:
            resumed.log_model(fitted(choice), "model")
        self.runs[run] = Logged(self.runs[run].experiment, choice, next(self.clock))

    # The registry

    @precondition(lambda self: self.alive())
    @rule(pick=picks, model=st.sampled_from(("digits", "Digits", "letters")))
    def register(self, pick: int, model: str) -> None:
        run = self.of(self.alive(), pick)
        version = self.store.register(model, run)
        self.versions[version.model, version.number] = (run, self.runs[run].choice)

    @precondition(lambda self: self.versions)
    @rule(pick=picks, alias=st.sampled_from(ALIASES))
    def promote(self, pick: int, alias: str) -> None:
        model, number = self.of(self.versions, pick)
        entry = self.store.promote(model, number, alias=alias)
        past = self.past.setdefault((model, alias), [])
        assert entry.previous == self.held.get((model, alias))
        self.held[model, alias] = number
        if past[-1:] != [number]:
            past.append(number)

    @precondition(lambda self: self.held)
    @rule(pick=picks)
    def retire(self, pick: int) -> None:
        model, alias = self.of(self.held, pick)
        holder = self.held[model, alias]
        if holder is None:
            with pytest.raises(tracking.NotFound):
                self.store.retire(model, alias=alias)
        else:
            assert self.store.retire(model, alias=alias).previous == holder
            self.held[model, alias] = None

    @precondition(lambda self: self.held)
    @rule(pick=picks)
    def roll_back(self, pick: int) -> None:
        model, alias = self.of(self.held, pick)
        past = self.past[model, alias]
        if self.held[model, alias] is not None:
            if len(past) < 2:
                with pytest.raises(tracking.NotFound):
                    self.store.rollback(model, alias=alias)
                return
            past.pop()
        assert self.store.rollback(model, alias=alias).version == past[-1]
        self.held[model, alias] = past[-1]

    # What tidies up

    @precondition(lambda self: self.runs)
    @rule(pick=picks)
    def delete_run(self, pick: int) -> None:
        run = self.of(self.runs, pick)
        if run in self.needed() and run not in self.trashed:
            with pytest.raises(tracking.StillNeeded, match="(?i)digits|letters"):
                self.store.delete_run(run)
        else:
            self.trashed.update(self.store.delete_run(run))

    @rule(experiment=st.sampled_from(EXPERIMENTS))
    def delete_experiment(self, experiment: str) -> None:
        inside = {run for run, said in self.runs.items() if said.experiment == experiment}
        if inside & self.needed():
            with pytest.raises(tracking.StillNeeded, match="(?i)digits|letters"):
                self.store.delete_experiment(experiment)
        elif inside:
            self.trashed.update(self.store.delete_experiment(experiment))

    @precondition(lambda self: self.trashed)
    @rule(pick=picks)
    def restore(self, pick: int) -> None:
        self.trashed.difference_update(self.store.restore(self.of(self.trashed, pick)))

    @rule(all_old=st.booleans())
    def collect(self, all_old: bool) -> None:
        if all_old:
            for path in (self.folder / "objects").glob("??/*"):
                os.utime(path, (1, 1))
        report = self.store.gc(older_than=timedelta(0))
        gone = {run.id for run in report.runs}
        assert gone <= self.trashed
        self.trashed -= gone
        self.runs = {run: said for run, said in self.runs.items() if run not in gone}

    # Another store, which begins as nothing or as a copy of this one

    @precondition(lambda self: not self.elsewhere.exists() and self.alive())
    @rule()
    def copy(self) -> None:
        with tracking.open_store(self.elsewhere) as store:
            store.merge(self.folder)
        self.there = {run: self.runs[run] for run in self.alive()}

    @precondition(lambda self: self.elsewhere.exists())
    @rule(choice=choices, pick=picks, registered=st.booleans())
    def go_on_there(self, choice: int, pick: int, registered: bool) -> None:
        """A run goes on over there, and may be a champion there."""
        run = self.of(self.there, pick)
        with tracking.start_run(resume=run, store=self.elsewhere, capture=False, strict=True) as resumed:
            resumed.log_model(fitted(choice), "model")
        self.there[run] = Logged(self.there[run].experiment, choice, next(self.clock))
        if registered:
            with tracking.open_store(self.elsewhere) as store:
                store.promote("digits", store.register("digits", run).number)

    @precondition(lambda self: self.elsewhere.exists())
    @rule()
    def merge(self) -> None:
        before = self.store.journal_head()
        report = self.store.merge(self.elsewhere)
        assert not report.missing
        for run in (*report.added, *report.updated):
            # A run that went on in both has, of what was logged under one name, what was logged last.
            both = [store[run] for store in (self.runs, self.there) if run in store]
            self.runs[run] = max(both, key=lambda said: said.when)
        # Promotions of another store say nothing here.
        assert self.store.journal_head() == before

    # What always holds

    @invariant()
    def aliases_have_their_versions(self) -> None:
        for (model, alias), holder in self.held.items():
            if holder is None:
                with pytest.raises(tracking.NotFound):
                    self.store.resolve(f"{model}@{alias}")
            else:
                version = self.store.resolve(f"{model}@{alias}")
                assert (version.model, version.number) == (model, holder)
                self.check(version)

    def check(self, version: tracking.VersionRecord) -> None:
        run, choice = self.versions[version.model, version.number]
        assert version.run == run
        loaded = tracking.load_model(version.name, store=self.folder)
        assert predicts(loaded) == predicts(fitted(choice))

    def teardown(self) -> None:
        try:
            for model, number in self.versions:
                self.check(self.store.version(model, number))
            assert self.store.verify() == []
            assert self.store.verify_registry().problems == ()
        finally:
            self.store.close()
            shutil.rmtree(self.place)

    def alive(self) -> list[str]:
        return [run for run in self.runs if run not in self.trashed]

    def needed(self) -> set[str]:
        return {run for run, _ in self.versions.values()}

    def of(self, things: object, pick: int) -> object:
        listed = sorted(things)  # type: ignore[call-overload]
        return listed[pick % len(listed)]


# Without shrinking: every try opens a store, and the steps that failed are printed anyway.
TestSafety = Safety.TestCase
TestSafety.settings = settings(
    phases=[Phase.generate],
    max_examples=60 if SOAK else 6,
    stateful_step_count=50 if SOAK else 20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def test_a_backup_brings_the_models_back(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    run = logged(folder, 1)
    with tracking.open_store(folder) as store:
        store.register("digits", run)
        store.promote("digits", 1, reason="the first")
        store.backup(tmp_path / "store.zip")
    tracking.restore_backup(tmp_path / "store.zip", tmp_path / "back")
    with tracking.open_store(tmp_path / "back") as back:
        assert back.verify_registry().problems == ()
        assert [entry.reason for entry in back.journal()][-1] == "the first"
    loaded = tracking.load_model("digits@champion", store=tmp_path / "back")
    assert predicts(loaded) == predicts(fitted(1))
