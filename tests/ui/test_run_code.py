"""What the page of a run says of its code, packages and console."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tracking.records import CaptureRecord
from tracking.ui import captured, run_code, run_console, run_environment, run_system

COMMIT = "3f2a9c1d5e7b8a90123456789abcdef012345678"


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("https://github.com/a/b.git", f"https://github.com/a/b/commit/{COMMIT}"),
        ("git@github.com:a/b.git", f"https://github.com/a/b/commit/{COMMIT}"),
        ("ssh://git@gitlab.com/g/sub/b", f"https://gitlab.com/g/sub/b/-/commit/{COMMIT}"),
        ("https://evil.example/a/b", None),
        ("https://github.com.evil.example/a/b", None),
        ("https://github.com@evil.example/a/b", None),
        ("javascript:alert(1)//github.com/a/b", None),
        ("https://github.com/a/../b", None),
        ("https://github.com/a/b?x=)[y](z", None),
        ("https://github.com/a/b\n", f"https://github.com/a/b/commit/{COMMIT}"),
        ("/srv/git/a/b", None),
        ("", None),
    ],
)
def test_only_a_commit_on_a_known_host_is_linked(remote: str, address: str | None) -> None:
    found = run_code.commit_address(remote, COMMIT)
    assert (found and found[1]) == address


def test_what_is_no_commit_is_not_linked() -> None:
    assert run_code.commit_address("https://github.com/a/b", "x](javascript:alert(1)") is None


@pytest.mark.parametrize(
    ("script", "command"),
    [
        (
            {"entry": "file", "path": "/a b/x.py", "arguments": ["--n", "$(rm x)"]},
            "python '/a b/x.py' --n '$(rm x)'",
        ),
        (
            {"entry": "module", "module": "pkg.train", "path": "/x.py", "arguments": ["1"]},
            "python -m pkg.train 1",
        ),
        ({"entry": "command", "arguments": ["1"]}, "python -c '…' 1"),
        ({"entry": "notebook", "path": "/n.ipynb"}, ""),
        ({"entry": "function", "path": "/x.py", "arguments": []}, ""),
        ({"path": "train.py", "arguments": "not a list"}, "python train.py"),
        ({}, ""),
    ],
)
def test_the_command_can_be_pasted_into_a_shell(script: dict[str, object], command: str) -> None:
    assert run_code.command_line(script) == command


def test_cells_of_a_notebook_have_their_marks() -> None:
    text = "# %% In [3]\na = 1\n\n# %% In [4]\n# %% no mark\nb\n"
    assert run_code.notebook_cells(text) == [("In [3]", "a = 1"), ("In [4]", "# %% no mark\nb")]
    assert run_code.notebook_cells("anything") == [("", "anything")]


def capture(
    section: str, spool: str, rank: int | None = None, owner: bool = True, **data: object
) -> CaptureRecord:
    return CaptureRecord(section, data, None, 0, spool, rank, owner, datetime(2026, 1, 1, tzinfo=UTC))


def test_sessions_are_told_apart_by_rank_and_order() -> None:
    labels = captured.session_labels([("a", None), ("b", None), ("c", 0), ("d", 1), ("e", 0)])
    assert labels == {
        "a": "session 1",
        "b": "session 2",
        "c": "rank 0, session 1",
        "d": "rank 1",
        "e": "rank 0, session 2",
    }


def test_a_session_without_the_section_is_left_out_and_a_failed_one_has_no_data() -> None:
    records = [
        capture("git", "a", branch="main"),
        capture("python", "b"),
        capture("git", "c", error="no git"),
    ]
    first, second = captured.sessions(records, "git", "diff")
    assert (first.spool, first.data("git")) == ("a", {"branch": "main"})
    assert (second.spool, second.data("git"), second.has("git")) == ("c", {}, True)


def test_packages_are_found_by_any_spelling() -> None:
    packages = {"scikit-learn": "1.9", "Torch": "2.9", "typing_extensions": "4"}
    assert run_environment.matching(packages, "SCIKIT_L") == [("scikit-learn", "1.9")]
    assert [name for name, _ in run_environment.matching(packages, "")] == [
        "scikit-learn",
        "Torch",
        "typing_extensions",
    ]


def test_console_search_counts_all_and_shows_the_last_with_their_numbers() -> None:
    lines = [f"step {n} " + ("LOSS nan" if n % 10 == 0 else "ok") for n in range(5_000)]
    found = run_console.matches(lines, "loss", limit=3)
    assert (found.total, [number for number, _ in found.lines]) == (500, [4971, 4981, 4991])
    assert (
        run_console.numbered([(9, "a"), (10, "b" * 3_000)])
        == f" 9  a\n10  {'b' * 2_000}… (1,000 more characters)"
    )
    assert run_console.numbered([]) == ""


def test_system_metrics_by_rank() -> None:
    keys = [
        "system/cpu_percent",
        "system/rank1/cpu_percent",
        "system/rank10/x",
        "system/rank2/x",
        "system/ranking",
    ]
    assert run_system.by_rank(keys) == {
        None: ["system/cpu_percent", "system/ranking"],
        1: ["system/rank1/cpu_percent"],
        2: ["system/rank2/x"],
        10: ["system/rank10/x"],
    }
