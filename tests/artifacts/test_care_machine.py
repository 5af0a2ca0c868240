"""Log, delete, restore, clean up and merge in any order, beside live runs and leftover spools.

No live reference ever loses its bytes, and of what nobody refers to nothing stays once it is old.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    precondition,
    rule,
)

import tracking
from tests.conftest import SOAK
from tracking.artifacts.merging import ObjectsCopy
from tracking.client.artifact_verbs import ArtifactVerbs
from tracking.client.description import RunDescription, now_us
from tracking.client.notices import Notices
from tracking.client.run import Run
from tracking.client.session import Session
from tracking.config import locate_store
from tracking.spool.files import new_run_id

CONTENTS = [f"content {number}".encode() for number in range(6)]
some_contents = st.lists(st.sampled_from(CONTENTS), min_size=1, max_size=3, unique=True)
Logged = list[tuple[str, list[bytes]]]
"""Name and contents in the order of logging. What is logged again under a name stays readable."""


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def age(store: Path) -> None:
    for path in (store / "objects").glob("??/*"):
        os.utime(path, (1, 1))


class ForeignProcess:
    """A run of a process that cannot reach the database: all it says stays in its spool."""

    def __init__(self, folder: Path) -> None:
        created = now_us()
        description = RunDescription(
            location=locate_store(folder),
            run_id=new_run_id(created),
            experiment="foreign",
            name="foreign",
            created=created,
        )
        self.id = description.run_id
        self._session = Session(description, Notices(), owner=True)
        self._session._open([])
        self.run: ArtifactVerbs = Run(description, self._session, strict=True)

    def die(self) -> None:
        """What the kernel does to a killed process: descriptors and locks go, files stay."""
        writer = self._session.writer
        assert writer is not None
        os.close(writer._descriptor)
        writer._descriptor, writer._closed = -1, True
        writer.release()


class Care(RuleBasedStateMachine):
    live = Bundle("live")
    foreign = Bundle("foreign")
    ended = Bundle("ended")
    trash = Bundle("trash")

    def __init__(self) -> None:
        super().__init__()
        self.place = Path(tempfile.mkdtemp())
        self.folder = self.place / "store"
        self.store = tracking.open_store(self.folder)
        self.logged: dict[str, Logged] = {}
        self.trashed: set[str] = set()
        self.spooled: set[str] = set()
        self.open_runs: list[Any] = []
        self.elsewhere = self.place / "elsewhere"
        self.there: dict[str, Logged] = {}
        """Runs of another store, as they are over there."""
        self.trashed_there: set[str] = set()

    # Runs

    @rule(target=live, contents=some_contents, folder=st.booleans())
    def start(self, contents: list[bytes], folder: bool) -> Any:
        run = tracking.start_run(store=self.folder, capture=False, strict=True)
        self.logged[run.id] = []
        self.open_runs.append(run)
        self._log(run.id, run, "a", contents, folder)
        return run

    @rule(target=foreign, contents=some_contents, folder=st.booleans())
    def start_elsewhere(self, contents: list[bytes], folder: bool) -> Any:
        process = ForeignProcess(self.folder)
        self.logged[process.id] = []
        self.spooled.add(process.id)
        self._log(process.id, process.run, "a", contents, folder)
        return process

    @rule(run=live, name=st.sampled_from("ab"), contents=some_contents, folder=st.booleans())
    def log(self, run: Any, name: str, contents: list[bytes], folder: bool) -> None:
        self._log(run.id, run, name, contents, folder)

    @rule(process=foreign, name=st.sampled_from("ab"), contents=some_contents, folder=st.booleans())
    def log_elsewhere(self, process: Any, name: str, contents: list[bytes], folder: bool) -> None:
        self._log(process.id, process.run, name, contents, folder)

    @rule(target=ended, run=consumes(live))
    def finish(self, run: Any) -> str:
        run.finish()
        return str(run.id)

    @rule(target=ended, process=consumes(foreign))
    def die(self, process: Any) -> str:
        process.die()
        self.spooled.discard(process.id)
        return str(process.id)

    # Care

    @rule(target=trash, run_id=consumes(ended))
    def delete(self, run_id: str) -> str:
        assert self.store.delete_run(run_id) == [run_id]
        self.trashed.add(run_id)
        return run_id

    @rule(run=live)
    def delete_live(self, run: Any) -> None:
        with pytest.raises(tracking.RunStateError):
            self.store.delete_run(run.id)

    @rule(target=ended, run_id=consumes(trash))
    def restore(self, run_id: str) -> Any:
        if run_id not in self.trashed:
            # Removed for good, after which a merge may have brought it again.
            if run_id not in self.logged:
                with pytest.raises(tracking.NotFound):
                    self.store.restore(run_id)
            return multiple()
        assert self.store.restore(run_id) == [run_id]
        self.trashed.discard(run_id)
        return run_id

    # Another store

    @rule(contents=some_contents, folder=st.booleans())
    def log_there(self, contents: list[bytes], folder: bool) -> None:
        with tracking.start_run(store=self.elsewhere, capture=False, strict=True) as run:
            self.there[run.id] = []
            self._log(run.id, run, "a", contents, folder, into=self.there)

    @precondition(lambda self: self.there)
    @rule(pick=st.integers(0, 9), name=st.sampled_from("ab"), contents=some_contents, folder=st.booleans())
    def go_on_there(self, pick: int, name: str, contents: list[bytes], folder: bool) -> None:
        run_id = list(self.there)[pick % len(self.there)]
        if run_id not in self.trashed_there:
            with tracking.start_run(resume=run_id, store=self.elsewhere, capture=False, strict=True) as run:
                self._log(run_id, run, name, contents, folder, into=self.there)

    @precondition(lambda self: self.there)
    @rule(pick=st.integers(0, 9))
    def delete_or_restore_there(self, pick: int) -> None:
        run_id = list(self.there)[pick % len(self.there)]
        with tracking.open_store(self.elsewhere) as store:
            if run_id in self.trashed_there:
                store.restore(run_id)
            else:
                store.delete_run(run_id)
        self.trashed_there ^= {run_id}

    @precondition(lambda self: self.there)
    @rule(target=ended, all_old=st.booleans(), collecting=st.booleans())
    def merge(self, all_old: bool, collecting: bool) -> Any:
        if all_old:
            self.age()
        coming = {run: logged for run, logged in self.there.items() if run not in self.trashed_there}
        new = coming.keys() - self.logged.keys()
        report = self._merge(collecting)
        # What a clean-up in the middle removed for good was in the trash here, and then came or did not.
        assert set(report.added) >= new
        assert not report.refused and not report.missing
        for run_id in new | set(report.updated) | set(report.added):
            self.logged[run_id] = list(coming[run_id])
        again = self._merge(False)
        assert (again.added, again.updated, again.objects) == ((), (), 0)
        assert not again.refused and not again.missing
        return multiple(*sorted(report.added))

    @rule()
    def merge_away(self) -> None:
        """A third store takes all of it over, the spools too, and needs nothing that it cleans up."""
        third = self.place / "third"
        with tracking.open_store(third) as store:
            assert not store.merge(self.folder).missing
            age(third)
            store.gc()
            assert store.verify() == []
            wanted = {run for run, logged in self.logged.items() if logged} - self.trashed
            assert wanted == {run for run in wanted if store.artifacts(run)}
        shutil.rmtree(third)

    def _merge(self, collecting: bool) -> Any:
        bring = ObjectsCopy.bring

        def bring_and_collect(copy: ObjectsCopy, run: Any) -> None:
            bring(copy, run)
            # The bytes are here, and nothing refers to them yet.
            self._collect()

        with patch.object(ObjectsCopy, "bring", bring_and_collect if collecting else bring):
            return self.store.merge(self.elsewhere)

    @rule()
    def age(self) -> None:
        age(self.folder)

    @rule()
    def collect(self) -> None:
        self._collect()

    @rule()
    def collect_when_all_is_old(self) -> None:
        self.age()
        self._collect()
        left = {content for content in CONTENTS if self._is_stored(content)}
        assert left == {content for contents in self._alive() for content in contents}

    @invariant()
    def every_reference_has_its_bytes(self) -> None:
        for contents in self._alive():
            for content in contents:
                assert self._is_stored(content)

    def teardown(self) -> None:
        try:
            for run in self.open_runs:
                run.finish()
            assert self.store.verify() == []
            for run_id, logged in self.logged.items():
                if run_id not in self.spooled:
                    self._check_run(run_id, logged)
        finally:
            self.store.close()
            shutil.rmtree(self.place)

    def _log(
        self,
        run_id: str,
        run: Any,
        name: str,
        contents: list[bytes],
        folder: bool,
        into: dict[str, Logged] | None = None,
    ) -> None:
        logged = (self.logged if into is None else into)[run_id]
        place = self.place / name
        if folder:
            place.mkdir()
            for content in contents:
                (place / content.decode()).write_bytes(content)
            run.log_artifact(place, "folder " + name)
            shutil.rmtree(place)
            logged.append(("folder " + name, contents))
        else:
            place.write_bytes(contents[0])
            run.log_artifact(place, name)
            place.unlink()
            logged.append((name, contents[:1]))

    def _collect(self) -> None:
        plan = self.store.gc(dry_run=True)
        done = self.store.gc()
        assert (plan.runs, plan.objects, plan.bytes) == (done.runs, done.objects, done.bytes)
        purged = {run.id for run in done.runs}
        assert purged <= self.trashed
        for run_id in purged:
            self.trashed.discard(run_id)
            del self.logged[run_id]
            with pytest.raises(tracking.NotFound):
                self.store.run(run_id)

    def _alive(self) -> list[list[bytes]]:
        return [contents for logged in self.logged.values() for _, contents in logged]

    def _is_stored(self, content: bytes) -> bool:
        try:
            with self.store.open_object(digest_of(content)) as file:
                return file.read() == content
        except tracking.NotFound:
            return False

    def _check_run(self, run_id: str, logged: Logged) -> None:
        for name, contents in dict(logged).items():
            if name.startswith("folder"):
                files = self.store.artifact_files(run_id, name)
                assert {file.path.encode() for file in files} == set(contents)
                for file in files:
                    with self.store.open_artifact(run_id, name, path=file.path) as stored:
                        assert stored.read() == file.path.encode()
            else:
                with self.store.open_artifact(run_id, name) as stored:
                    assert [stored.read()] == contents
        assert len(self.store.artifacts(run_id, superseded=True)) == len(logged)


# Without shrinking: every try opens a store, and the steps that failed are printed anyway.
TestCare = Care.TestCase
TestCare.settings = settings(
    phases=[Phase.generate],
    max_examples=60 if SOAK else 10,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def test_bytes_that_a_clean_up_is_about_to_free_stay_for_a_run_that_a_merge_brings() -> None:
    state = Care()
    state.delete(state.finish(state.start(CONTENTS[:1], False)))
    state.log_there(CONTENTS[:1], False)
    state.merge(all_old=True, collecting=True)
    assert state.store.trash() == []
    state.every_reference_has_its_bytes()
    state.teardown()
