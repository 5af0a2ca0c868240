"""Artifacts, datasets and captured sections go through the spool into rows and come back as records."""

from __future__ import annotations

from pathlib import Path

import tracking
from tracking.client.carrying import carry_bytes


def artifact(name: str, step: int | None = None, **details: object) -> dict[str, object]:
    return {
        "t": "artifact",
        "name": name,
        "kind": "text",
        "step": step,
        "media": "text/plain",
        "details": details,
    }


def test_an_artifact_comes_back_with_all_that_was_said(store_folder: Path) -> None:
    with tracking.start_run(store=store_folder, capture=False) as run:
        carry_bytes(run._session, artifact("notes/a.txt", 3, lines=2), b"a\nb")
    with tracking.open_store(store_folder) as store:
        (record,) = store.artifacts(run.id)
        assert (record.run, record.name, record.step, record.size) == (run.id, "notes/a.txt", 3, 3)
        assert record.kind is tracking.ArtifactKind.TEXT
        assert record.details == {"lines": 2}
        assert store.run(run.id).artifacts == (record,)
        assert not record.superseded


def test_of_one_name_and_step_the_last_one_shows_and_the_others_stay(store_folder: Path) -> None:
    with tracking.start_run(store=store_folder, capture=False) as run:
        for text in (b"1", b"2", b"3"):
            carry_bytes(run._session, artifact("same"), text)
        carry_bytes(run._session, artifact("same", 1), b"4")
    with tracking.open_store(store_folder) as store:
        shown = store.artifacts(run.id)
        assert [(record.step, record.superseded) for record in shown] == [(None, False), (1, False)]
        every = store.artifacts(run.id, superseded=True)
        assert [record.superseded for record in every] == [True, True, False, False]
        assert len({record.digest for record in every}) == 4


def test_a_dataset_of_several_runs_is_one(store_folder: Path) -> None:
    event = {"t": "dataset", "digest": "d" * 64, "kind": "frame", "rows": 3, "columns": 2, "time": 1}
    runs = []
    for name in ("train", "train", "test"):
        with tracking.start_run(store=store_folder, capture=False) as run:
            run._session.say({**event, "name": name, "schema": {"a": "int64"}})
        runs.append(run.id)
    with tracking.open_store(store_folder) as store:
        (record,) = store.datasets(runs[2])
        assert (record.name, record.rows, record.runs, record.schema) == ("test", 3, 3, {"a": "int64"})
        assert store.dataset_users("d" * 64) == runs[::-1]


def test_the_last_word_of_a_captured_section_holds(store_folder: Path) -> None:
    with tracking.start_run(store=store_folder, capture=False) as run:
        for branch in ("old", "new"):
            run._session.say({"t": "capture", "section": "git", "data": {"branch": branch}, "time": 5})
    with tracking.open_store(store_folder) as store:
        (record,) = [one for one in store.captures(run.id) if one.section == "git"]
        assert record.data == {"branch": "new"}
        assert record.owner and record.rank is None
