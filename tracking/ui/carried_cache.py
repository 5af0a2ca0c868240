"""What the page of a run keeps between reruns of what a run carries; see `cache`.

Rows are keyed on the run's revision. Bytes are keyed on their digest: those
entries hold for ever, and only their number is bounded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from tracking.records import ArtifactFile, ArtifactRecord, CaptureRecord, DatasetRecord, RunRecord

if TYPE_CHECKING:
    from tracking.store import Store
    from tracking.store import preview_records as previews


def captures(store: Store, run: RunRecord) -> tuple[CaptureRecord, ...]:
    """Return what was captured around a run's sessions."""
    return _captures(_root(store), run.id, run.revision, store)


def datasets(store: Store, run: RunRecord) -> tuple[DatasetRecord, ...]:
    """Return the datasets that a run used."""
    return _datasets(_root(store), run.id, run.revision, store)


def object_text(store: Store, digest: str, limit: int) -> str:
    """Return the beginning of an object as text, at most `limit` bytes of it.

    Raises:
        NotFound: The object is gone.
        ArtifactDamaged: Its bytes are not what they were.
    """
    return _object_text(_root(store), digest, limit, store)


def artifact_files(store: Store, record: ArtifactRecord) -> tuple[ArtifactFile, ...]:
    """Return the files of an artifact that is a folder; raises as `Store.artifact_files`."""
    return _artifact_files(_root(store), record.run, record.name, record.step, record.digest, store)


def preview(store: Store, record: ArtifactRecord, path: str | None) -> previews.Preview:
    """Return what can be shown of an artifact or of a file inside; raises as `Store.preview`."""
    return _preview(_root(store), record.run, record.name, record.step, record.digest, path, store)


def _root(store: Store) -> str:
    return str(store.location.root)


@st.cache_resource(max_entries=64, show_spinner=False)
def _captures(root: str, run_id: str, revision: int, _store: Store) -> tuple[CaptureRecord, ...]:
    return tuple(_store.captures(run_id))


@st.cache_resource(max_entries=64, show_spinner=False)
def _datasets(root: str, run_id: str, revision: int, _store: Store) -> tuple[DatasetRecord, ...]:
    return tuple(_store.datasets(run_id))


@st.cache_resource(max_entries=16, show_spinner=False)
def _object_text(root: str, digest: str, limit: int, _store: Store) -> str:
    with _store.open_object(digest) as file:
        return file.read(limit).decode("utf-8", errors="replace")


@st.cache_resource(max_entries=16, show_spinner=False)
def _artifact_files(
    root: str, run_id: str, name: str, step: int | None, digest: str, _store: Store
) -> tuple[ArtifactFile, ...]:
    return tuple(_store.artifact_files(run_id, name, step=step))


@st.cache_resource(max_entries=8, show_spinner="Reading")
def _preview(
    root: str, run_id: str, name: str, step: int | None, digest: str, path: str | None, _store: Store
) -> previews.Preview:
    return _store.preview(run_id, name, step=step, path=path)
