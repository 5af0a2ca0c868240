"""A version that is a folder is whole only with the files of its list."""

from __future__ import annotations

import os

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.pages.contents import OpenPage, start
from tracking.registry_records import VersionRecord
from tracking.store import Store
from tracking.ui import model_health, registry_cache


def folder_version(store: Store, files: int = 3) -> VersionRecord:
    """Register a folder of small files, each with bytes of its own."""
    folder = store.location.root.parent / "checkpoint"
    folder.mkdir(exist_ok=True)
    for number in range(files):
        (folder / f"part-{number:04}.bin").write_bytes(f"part {number}".encode())
    with start("digits", "folder", {}, store) as run:
        run.log_artifact(folder, "model")
        run.log({"accuracy": 0.9})
    return store.register("digits", run.id)


def lose(store: Store, version: VersionRecord, *numbers: int) -> None:
    files = store.artifact_files(version.run, "model")
    for number in numbers:
        digest = files[number].digest
        os.unlink(store.location.root / "objects" / digest[:2] / digest[2:])


def said(app: AppTest) -> str:
    lists = (app.markdown, app.text, app.error)
    return "\n".join(str(each.value) for found in lists for each in found).replace("\\", "")


def test_a_file_of_a_folder_that_is_gone_is_said(open_page: OpenPage, store: Store) -> None:
    version = folder_version(store)
    app = open_page("model", model="digits")
    assert list(app.dataframe[0].value["health"]) == ["✓ bytes there"] and not app.error
    lose(store, version, 1)
    st.cache_resource.clear()
    app = open_page("model", model="digits")
    assert not app.exception
    assert list(app.dataframe[0].value["health"]) == ["✕ files missing"]
    assert "The bytes of part-0001.bin of v1 are not in the store" in said(app)
    lose(store, version, 0, 2)
    st.cache_resource.clear()
    (problem,) = model_health.problems(store, version, store.run(version.run))
    assert problem.grave and "part-0000.bin and 2 other files of v1 are not in" in problem.sentence


def test_of_many_files_the_first_are_looked_for_and_so_it_is_said(
    open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = folder_version(store)
    assert model_health.looked_for(store, version) == "3"
    st.cache_resource.clear()
    monkeypatch.setattr(registry_cache, "FILES_LOOKED_FOR", 2)
    lose(store, version, 2)
    app = open_page("model", model="digits")
    assert list(app.dataframe[0].value["health"]) == ["✓ bytes there"]
    assert "3, the first 2 looked for" in said(app)
    lose(store, version, 0)
    st.cache_resource.clear()
    (problem,) = model_health.problems(store, version, store.run(version.run))
    assert "It has 3 files, of which the first 2 were looked for." in problem.sentence
    monkeypatch.setattr(registry_cache, "LONGEST_LIST", 10)
    assert "not looked for" in str(model_health.looked_for(store, version))
    assert model_health.problems(store, version, store.run(version.run)) == []


def test_a_list_that_is_no_longer_what_was_logged(store: Store) -> None:
    version = folder_version(store)
    st.cache_resource.clear()
    place = store.location.root / "objects" / version.digest[:2] / version.digest[2:]
    place.chmod(0o644)
    place.write_bytes(b"{}")
    (problem,) = model_health.problems(store, version, store.run(version.run))
    assert problem.short == "bytes damaged" and "The list of the files of v1" in problem.sentence
    place.unlink()
    (problem,) = model_health.problems(store, version, store.run(version.run))
    assert problem.short == "bytes missing"
