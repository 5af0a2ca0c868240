"""Artifacts and files of a folder as a tree, one level at a time."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from tracking.records import ArtifactFile, ArtifactKind, ArtifactRecord
from tracking.ui import artifact_tree
from tracking.ui.run_downloads import file_name

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def record(
    name: str,
    step: int | None = None,
    kind: ArtifactKind = ArtifactKind.FILE,
    size: int = 1,
    **details: object,
) -> ArtifactRecord:
    return ArtifactRecord("r", name, kind, step, f"{step}-{name}", size, 3, "text/plain", NOW, details)


RECORDS = [
    record("a"),
    record("a/b"),
    record("reports/part-10.csv", size=10),
    record("reports/part-9.csv", size=9),
    record("reports/deep/er/x"),
    record("sample", 5),
    record("sample", 100),
    record("checkpoint", kind=ArtifactKind.FOLDER, size=30),
]


def test_a_level_has_folders_first_and_each_name_once() -> None:
    entries = artifact_tree.level(RECORDS, "")
    assert [(entry.label, entry.target) for entry in entries] == [
        ("a/", "a/"),
        ("reports/", "reports/"),
        ("a", "a"),
        ("checkpoint/", "checkpoint"),
        ("sample", "sample"),
    ]
    reports, checkpoint, sample = entries[1], entries[3], entries[4]
    assert (reports.kind, reports.size) == ("3 artifacts", 20)
    assert (checkpoint.kind, checkpoint.size) == ("3 files", 30)
    assert sample.steps == (5, 100)


def test_a_deeper_level_is_in_the_order_of_its_numbers() -> None:
    entries = artifact_tree.level(RECORDS, "reports/")
    assert [entry.label for entry in entries] == ["deep/", "part-9.csv", "part-10.csv"]
    assert artifact_tree.level(RECORDS, "nowhere/") == []


def test_a_search_looks_at_all_levels() -> None:
    assert [entry.label for entry in artifact_tree.found(RECORDS, "PART")] == [
        "reports/part-9.csv",
        "reports/part-10.csv",
    ]


def test_the_version_without_a_step_is_shown_first_of_all() -> None:
    records = [record("x"), record("x", 7), record("x", -1)]
    assert [version.step for version in artifact_tree.versions(records, "x")] == [-1, 7, None]


def test_ten_thousand_files_are_listed_at_once() -> None:
    files = [ArtifactFile(f"folder-{n % 7}/part-{n}.bin", "d" * 64, n, 0o644) for n in range(10_000)]
    start = time.perf_counter()
    assert [entry.kind for entry in artifact_tree.file_level(files, "")] == ["1,429 files"] * 4 + [
        "1,428 files"
    ] * 3
    inside = artifact_tree.file_level(files, "folder-3/")
    assert [entry.label for entry in inside[:2]] == ["part-3.bin", "part-10.bin"]
    assert len(artifact_tree.files_found(files, "part-99")) == 111
    table = artifact_tree.table(inside[: artifact_tree.SHOWN])
    assert table.shown("size")[1] == "10 B" and "steps" not in table.columns
    assert time.perf_counter() - start < 2


def test_names_from_elsewhere_never_break_the_tree() -> None:
    names = [
        "../../etc/passwd",
        "/abs",
        "a//b",
        "x" * 10_000,
        "\x00",
        "..",
        "<script>alert(1)</script>",
        "\u202e",
    ]
    records = [record(name) for name in names]
    entries = artifact_tree.level(records, "")
    assert len(entries) == len(names)
    assert artifact_tree.table(entries).frame["name"].notna().all()


@pytest.mark.parametrize(
    ("artifact", "saved"),
    [
        (record("reports/report.csv"), "report.csv"),
        (record("roc", 12, extension=".png"), "roc-step12.png"),
        (record("roc.png", extension=".png"), "roc.png"),
        (record("checkpoint", 3, kind=ArtifactKind.FOLDER), "checkpoint-step3.zip"),
        (record("../../etc/passwd"), "passwd"),
        (record(".bashrc"), "bashrc"),
        (record("-rf *;\r\nX: y"), "rf_X_y"),
        (record('a"b\\c:d'), "a_b_c_d"),
        (record("..."), "artifact"),
        (record("x" * 300 + ".csv"), "x" * 116 + ".csv"),
        (record("a", extension="/../../b"), "a....b"),
        (record("名前.txt"), "名前.txt"),
    ],
)
def test_a_download_has_a_name_that_is_one_everywhere(artifact: ArtifactRecord, saved: str) -> None:
    assert file_name(artifact) == saved


def test_a_file_of_a_folder_keeps_its_last_part() -> None:
    inside = ArtifactFile("optimizer/state.bin", "d" * 64, 1, 0o644)
    assert file_name(record("checkpoint", 3, kind=ArtifactKind.FOLDER), inside) == "state.bin"
