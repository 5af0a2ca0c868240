"""What the pages of models keep between reruns, keyed on the registry's revision as in `tracking.ui.cache`.

What also speaks of runs (metrics of versions, gates, evidence) hangs on the revisions of experiments too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import streamlit as st

from tracking.records import ArtifactFile, ArtifactKind, RunRecord
from tracking.registry_records import (
    CHAMPION,
    JournalEntry,
    ModelRecord,
    PromotionCheck,
    VersionRecord,
)
from tracking.ui import cache

if TYPE_CHECKING:
    from tracking.store import Store


LOOKED_AT: Final = 200
"""So many of the newest runs are looked through for models."""
FILES_LOOKED_FOR: Final = 1_000
"""Of a version that is a folder: a table asks for each of its versions."""
LONGEST_LIST: Final = 1 << 24
"""Bytes of a folder's list of files that is read for it."""
_LOOKED_AGAIN: Final = 30


@dataclass(frozen=True, slots=True)
class FolderFiles:
    """What is on disk of a version that is a folder.

    Attributes:
        count: How many files it has.
        looked_for: How many of them were looked for, from the first one on.
        missing: Paths of those that are not there.
    """

    count: int
    looked_for: int
    missing: tuple[str, ...]


def revision(store: Store) -> int:
    """Return what all of the registry hangs on. One query, uncached."""
    return store.registry_revision()


def models(store: Store) -> Sequence[ModelRecord]:
    """Return all models in order of name. Shared: read only."""
    return _models(_root(store), revision(store), store)


def model(store: Store, name: str) -> ModelRecord:
    """Return a model by its name or a look-alike of it; raises NotFound."""
    return _model(_root(store), revision(store), name, store)


def versions(store: Store, name: str) -> Sequence[VersionRecord]:
    """Return the versions of a model, the newest first. Shared: read only."""
    return _versions(_root(store), revision(store), name, store)


def journal(store: Store, name: str | None = None) -> Sequence[JournalEntry]:
    """Return the journal of one model or of all, oldest first. Shared: read only."""
    return _journal(_root(store), revision(store), name, store)


def head(store: Store) -> str:
    """Return the digest of the journal's last row."""
    return _head(_root(store), revision(store), store)


def run_versions(store: Store, run_id: str) -> Sequence[VersionRecord]:
    """Return the versions that a run's models are. Shared: read only."""
    return _run_versions(_root(store), revision(store), run_id, store)


def champions(store: Store) -> Mapping[str, Sequence[VersionRecord]]:
    """Return the holders of `champion` by the id of their run. Shared: read only."""
    return _champions(_root(store), revision(store), store)


def runs_of(store: Store, found: Sequence[VersionRecord]) -> Mapping[str, RunRecord]:
    """Return the runs of versions by their id; one that is not in the store is left out."""
    known, _ = cache.known_runs(store, tuple(dict.fromkeys(version.run for version in found)))
    return {run.id: run for run in known}


def runs_seen(store: Store, found: Sequence[VersionRecord]) -> tuple[tuple[str, int, bool], ...]:
    """Return what is another once a run of these versions logs more, ends, or goes to the trash. Uncached."""
    states = store.run_states(version.run for version in found)
    return tuple(sorted((run, *state) for run, state in states.items()))


def runs_with_models(store: Store) -> Sequence[RunRecord]:
    """Return those of the newest runs that logged a model, the newest first. Shared: read only."""
    return _runs_with_models(_root(store), cache.revisions(store), store)


def children_with_models(store: Store, run_id: str, limit: int | None = None) -> list[RunRecord]:
    """Return the child runs of a run that logged a model, the oldest first. Shared: read only."""
    return _children_with_models(_root(store), cache.revisions(store), run_id, limit, store)


def check(store: Store, name: str, number: int, alias: str) -> PromotionCheck:
    """Return what a promotion would meet: gates may load the model in a process of their own, so it is kept."""
    now = revision(store)  # before what it stands for
    compared = {number, *model(store, name).holders.values()}
    return _check(_root(store), now, _runs(store, name, compared), name, number, alias, store)


def card(store: Store, name: str, number: int) -> str:
    """Return the model card of a version as Markdown."""
    return _card(_root(store), revision(store), _runs(store, name, {number}), name, number, store)


def folder_files(store: Store, digest: str) -> FolderFiles | None:
    """Return which files of a folder are on disk, as of half a minute ago at most; None where its list is too long.

    Nothing but the list is read, which is kept by its digest.

    Args:
        store: That has it.
        digest: Of its list of files, which is there.

    Raises:
        NotFound: The list is gone.
        ArtifactDamaged: It is not what was logged, or no list of files.
    """
    if (store.object_size(digest) or 0) > LONGEST_LIST:
        return None
    return _folder_files(_root(store), digest, store)


def _runs(store: Store, name: str, numbers: set[int]) -> cache.Revisions:
    """Return the revisions of the experiments that versions come from: others' runs tell nothing of them."""
    named = {version.experiment for version in versions(store, name) if version.number in numbers}
    return tuple(each for each in cache.revisions(store) if each[0] in named)


def _root(store: Store) -> str:
    return str(store.location.root)


@st.cache_resource(max_entries=4, show_spinner=False)
def _models(root: str, revision: int, _store: Store) -> Sequence[ModelRecord]:
    return tuple(_store.models())


@st.cache_resource(max_entries=64, show_spinner=False)
def _model(root: str, revision: int, name: str, _store: Store) -> ModelRecord:
    return _store.model(name)


@st.cache_resource(max_entries=64, show_spinner=False)
def _versions(root: str, revision: int, name: str, _store: Store) -> Sequence[VersionRecord]:
    return tuple(_store.versions(name))


@st.cache_resource(max_entries=32, show_spinner=False)
def _journal(root: str, revision: int, name: str | None, _store: Store) -> Sequence[JournalEntry]:
    return tuple(_store.journal(name))


@st.cache_resource(max_entries=4, show_spinner=False)
def _head(root: str, revision: int, _store: Store) -> str:
    return _store.journal_head()


@st.cache_resource(max_entries=128, show_spinner=False)
def _run_versions(root: str, revision: int, run_id: str, _store: Store) -> Sequence[VersionRecord]:
    return tuple(_store.run_versions(run_id))


@st.cache_resource(max_entries=4, show_spinner=False)
def _champions(root: str, revision: int, _store: Store) -> Mapping[str, Sequence[VersionRecord]]:
    found: dict[str, list[VersionRecord]] = defaultdict(list)
    for record in _store.models():
        if CHAMPION in record.holders:
            holder = _store.version(record.name, record.holders[CHAMPION])
            found[holder.run].append(holder)
    return dict(found)


@st.cache_resource(max_entries=4, show_spinner=False)
def _runs_with_models(root: str, runs: cache.Revisions, _store: Store) -> Sequence[RunRecord]:
    newest = _store.search(order_by="created desc", limit=LOOKED_AT, columns=[])["run"].tolist()
    return [
        run
        for run in _store.runs(newest)
        if any(each.kind is ArtifactKind.MODEL and not each.superseded for each in run.artifacts)
    ]


@st.cache_resource(max_entries=128, show_spinner=False)
def _children_with_models(
    root: str, runs: cache.Revisions, run_id: str, limit: int | None, _store: Store
) -> list[RunRecord]:
    return _store.children_with_models(run_id, limit=limit)


@st.cache_resource(max_entries=32, show_spinner=False)
def _check(
    root: str,
    revision: int,
    runs: cache.Revisions,
    name: str,
    number: int,
    alias: str,
    _store: Store,
) -> PromotionCheck:
    return _store.check_promotion(name, number, alias=alias)


@st.cache_resource(max_entries=32, show_spinner=False)
def _card(root: str, revision: int, runs: cache.Revisions, name: str, number: int, _store: Store) -> str:
    return _store.model_card(name, number)


@st.cache_resource(max_entries=512, ttl=_LOOKED_AGAIN, show_spinner=False)
def _folder_files(root: str, digest: str, _store: Store) -> FolderFiles:
    count, some = _folder_list(root, digest, _store)
    there = {each: _store.object_size(each) is not None for each in {file.digest for file in some}}
    return FolderFiles(count, len(some), tuple(file.path for file in some if not there[file.digest]))


@st.cache_resource(max_entries=128, show_spinner=False)
def _folder_list(root: str, digest: str, _store: Store) -> tuple[int, Sequence[ArtifactFile]]:
    """Return how many files a folder has, and those that are looked for."""
    files = _store.folder_files(digest)
    return len(files), tuple(files[:FILES_LOOKED_FOR])
