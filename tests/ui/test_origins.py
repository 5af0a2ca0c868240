"""Code, data and environment of several runs side by side."""

from __future__ import annotations

from datetime import UTC, datetime

from tracking.records import CaptureRecord, RunRecord, RunStatus
from tracking.ui import origins

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def capture(
    section: str, spool: str = "s", *, digest: str | None = None, owner: bool = True, **data: object
) -> CaptureRecord:
    return CaptureRecord(section, data, digest, 0, spool, None, owner, NOW)


def run(name: str) -> RunRecord:
    return RunRecord(name, "e", name, RunStatus.FINISHED, NOW, NOW, 1.0)


def test_only_what_differs_is_shown_with_what_a_run_lacks() -> None:
    first = origins.origin(
        [
            capture("git", commit="a" * 40, branch="main", dirty=True),
            capture("diff", digest="d" * 64),
            capture("packages", packages={"torch": "2.8", "numpy": "2.4"}),
        ],
        [],
    )
    second = origins.origin(
        [
            capture("git", commit="b" * 40, branch="main", dirty=False),
            capture("packages", packages={"numpy": "2.4"}),
            capture("python", error="gone"),
        ],
        [],
    )
    table = origins.comparison([run("one"), run("two")], [first, second])
    assert table.frame.to_numpy().tolist() == [
        ["code commit", "a" * 10, "b" * 10],
        ["code uncommitted changes", "yes (dddddddddd)", "none"],
        ["package torch", "2.8", "–"],
    ]
    assert table.columns["param"].label == "What differs"


def test_what_was_not_recorded_of_a_run_is_no_difference() -> None:
    full = {"code commit": "a", "package numpy": "2.4", "data train": "d"}
    table = origins.comparison(
        [run("one"), run("two"), run("three")], [full, {}, {**full, "package numpy": "2.5"}]
    )
    assert table.frame.to_numpy().tolist() == [
        ["data train", "d", "–", "d"],
        ["package numpy", "2.4", "–", "2.5"],
    ]


def test_the_newest_session_of_the_owner_counts() -> None:
    records = [
        capture("git", "a", branch="old"),
        capture("git", "b", branch="new"),
        capture("host", "c", owner=False, hostname="worker"),
    ]
    assert origins.origin(records, [])["code branch"] == "new"
    assert origins.origin([], []) == {}
