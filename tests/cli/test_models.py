"""`tracking models`, `registry` and `package`: what they print, write and refuse."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import tracking
from tests.cli.conftest import HOSTILE, Command
from tests.registry.making import fitted, logged, predicts


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two runs; the second one is better. Nothing is registered yet."""
    folder = tmp_path_factory.mktemp("models") / "store"
    logged(folder, 0, accuracy=0.8)
    logged(folder, 1, accuracy=0.95, lr=0.2)
    return folder


@pytest.fixture
def runs(original: Path, store_folder: Path) -> list[str]:
    """Ids of the two runs, in the test's own copy of the store."""
    shutil.copytree(original, store_folder)
    with tracking.open_store(store_folder) as store:
        return list(store.search(order_by="created")["run"])


@pytest.fixture(scope="module")
def registered(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with both runs as versions of `digits`, the first one is the champion."""
    folder = Path(shutil.copytree(original, tmp_path_factory.mktemp("registered") / "store"))
    with tracking.open_store(folder) as store:
        for run in store.search(order_by="created")["run"]:
            store.register("digits", run)
        store.promote("digits", 1, reason="the first")
    return folder


@pytest.fixture
def model(registered: Path, store_folder: Path) -> list[str]:
    """Ids of the two runs, in the test's own copy of that store."""
    shutil.copytree(registered, store_folder)
    with tracking.open_store(store_folder) as store:
        return [version.run for version in reversed(store.versions("digits"))]


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_model_is_registered_and_listed(runs: list[str], command: Command) -> None:
    empty = command("models", "list")
    assert (empty.code, empty.out) == (0, "") and "tracking models register" in empty.err
    done = command(
        "models", "register", "digits", runs[0][:18], "--description", "small", "--tag", "a", "--tag", "b"
    )
    assert done.code == 0, done.err
    assert done.out.startswith(f"digits/1  model of run {runs[0]}  sha256 ")
    (made,) = rows(command("models", "register", "Digits", runs[1], "--json").out)
    assert (made["name"], made["run"], made["model"]) == ("digits/2", runs[1], "digits")
    assert done.err == ""
    again = command("models", "register", "digits", runs[1])  # as elsewhere, one more version; it is said
    assert (again.code, again.out.split()[0]) == (0, "digits/3")
    assert "The same model of the same run is already digits/2; digits/3 is one more version." in again.err
    assert command("models", "register", "others", runs[1]).err == ""
    listed = command("models", "list").out.splitlines()
    assert listed[0].split()[:2] == ["name", "versions"] and listed[1].split()[:2] == ["digits", "3"]
    found = rows(command("models", "list", "--json").out)[0]
    assert (found["versions"], found["latest"], found["holders"]) == (3, 3, {})
    versions = command("models", "versions", "digits").out.splitlines()
    assert [line.split()[0] for line in versions] == ["version", "3", "2", "1"] and versions[3].endswith(
        "small"
    )
    shown = command("models", "show", "digits/1").out
    for part in (runs[0], "digits/1", "a, b", "small", "accuracy=0.8", "LogisticRegression"):
        assert part in shown
    for shown in ("digits", "digits/1"):  # one object on one line, as everywhere
        (said,) = rows(command("models", "show", shown, "--json").out)
        assert said["name"] == shown
    whole = command("models", "show", "digits").out
    assert "nobody holds an alias" in whole and "none: whatever is promoted" in whole


def test_a_run_whose_children_logged_the_models_names_them(store_folder: Path, command: Command) -> None:
    with tracking.start_run("digits", store=store_folder, capture=False, strict=True) as parent:
        parent.log({"accuracy": 0.9})
    children = [logged(store_folder, seed, seed=seed, parent=parent.id) for seed in (1, 2)]
    done = command("models", "register", "digits", parent.id)
    assert (done.code, done.out) == (2, "") and done.err.count("\n") == 1
    for seed, child in enumerate(children, 1):
        assert child in done.err and f"seed={seed}" in done.err
    assert command("models", "register", "digits", children[1]).code == 0


def test_gates_are_lines(model: list[str], command: Command) -> None:
    assert "No gates" in command("models", "gates", "digits").err
    lines = ["accuracy >= 0.9", "better(accuracy, margin=0.01, confidence=0.95)", "repeats >= 5"]
    done = command("models", "gates", "digits", *(part for line in lines for part in ("--set", line)))
    assert (done.code, done.out.splitlines()) == (0, lines)
    done = command("models", "gates", "digits", "--add", "clean git", "--reason", "for audits")
    assert done.out.splitlines() == [*lines, "clean git"]
    assert rows(command("models", "gates", "digits", "--json").out)[0]["gates"] == [*lines, "clean git"]
    for line in lines:
        assert line in command("models", "show", "digits").out
    wrong = command("models", "gates", "digits", "--set", "accuracy => 0.9")
    assert wrong.code == 2 and "accuracy => 0.9" in wrong.err and wrong.out == ""
    assert command("models", "gates", "digits", "--set", "loads", "--clear").code == 2
    assert command("models", "gates", "digits", "--clear").code == 0
    assert command("models", "gates", "digits").out == ""
    last = rows(command("models", "history", "digits", "--json").out)[-2:]
    assert [(row["kind"], row["reason"]) for row in last] == [("gates", "for audits"), ("gates", "")]


def test_a_refusal_lists_every_gate_and_ends_with_1(model: list[str], command: Command) -> None:
    command(
        "models",
        "gates",
        "digits",
        "--set",
        "accuracy >= 0.9",
        "--set",
        "repeats >= 3",
        "--set",
        "accuracy < 2",
    )
    look = command("models", "promote", "digits", "2", "--check")
    assert look.code == 1 and look.out.startswith("digits/2 would not get champion: 1 of 3 gates is not met.")
    done = command("models", "promote", "digits/2", "--reason", "better")
    assert done.code == 1
    lines = done.out.splitlines()
    assert lines[0] == "digits/2 does not get champion: 1 of 3 gates is not met."
    assert [line.strip()[0] for line in lines[1:4]] == ["✓", "✗", "✓"]
    assert "0.95" in lines[1] and "1" in lines[2]
    assert "Single run, noise unknown" in lines[4]
    assert "--override --reason" in done.err
    (found,) = rows(command("models", "promote", "digits", "2", "--json").out)
    assert (found["passed"], found["holder"]) == (False, 1)
    assert [gate["passed"] for gate in found["gates"]] == [True, False, True]
    # Who looks leaves no trace; who tries does.
    kinds = [row["kind"] for row in rows(command("registry", "history", "--json").out)]
    assert kinds == ["register", "register", "promote", "gates", "refuse", "refuse"]
    table = command("models", "history", "digits").out.splitlines()
    assert "champion refused to 2: 1 of 3 gates not met (holder: 1)" in table[-1]


def test_an_override_needs_a_reason_and_stays_visible(model: list[str], command: Command) -> None:
    command("models", "gates", "digits", "--set", "accuracy >= 0.99")
    none = command("models", "promote", "digits", "2", "--override")
    assert none.code == 2 and '--reason "…"' in none.err
    done = command("models", "promote", "digits", "2", "--override", "--reason", "the audit is over")
    assert done.code == 0
    assert done.out.splitlines()[0] == "digits/2 has champion now against its gates; before: digits/1."
    for said in (
        command("models", "list"),
        command("models", "show", "digits"),
        command("models", "show", "digits/2"),
    ):
        assert "against its gates" in said.out
    assert "the audit is over" in command("models", "show", "digits@champion").out
    assert "champion: 1 → 2, against its gates" in command("models", "history", "digits").out


def test_roll_back_and_retire(model: list[str], command: Command) -> None:
    command("models", "promote", "digits", "2", "--alias", "staging")
    command("models", "promote", "digits", "2")
    done = command("models", "rollback", "digits", "--reason", "slow")
    assert done.out.splitlines()[0] == "digits/1 has champion now; before: digits/2."
    (entry,) = rows(command("models", "retire", "digits", "--json", "--reason", "the end").out)
    assert (entry["kind"], entry["version"], entry["previous"]) == ("retire", None, 1)
    told = command("models", "history", "digits").out
    assert "champion: 2 → 1, rolled back" in told and "champion: 1 → nobody" in told and "slow" in told
    now = command("registry", "holder").out.splitlines()
    assert [line.split()[:2] for line in now[1:]] == [
        ["digits@champion", "nobody"],
        ["digits@staging", "digits/2"],
    ]


def test_the_history_tells_which_runs_of_the_evidence_are_gone(
    model: list[str], store_folder: Path, command: Command
) -> None:
    more = logged(store_folder, 1, accuracy=0.96, lr=0.2, seed=1)
    command("models", "promote", "digits", "2")
    assert "gone" not in command("models", "history", "digits").out
    with tracking.open_store(store_folder) as store:
        store.delete_run(more)
        store.gc(older_than=timedelta(0))
    told = command("models", "history", "digits").out.splitlines()
    assert "champion: 1 → 2; gone: 1 of the 3 runs of its evidence" in told[-1] and "gone" not in told[-2]
    said = rows(command("registry", "history", "--json").out)
    assert [row["evidence_gone"] for row in said] == [[], [], [], [more]]


def test_the_holder_on_a_day(model: list[str], store_folder: Path, command: Command) -> None:
    done = command("registry", "holder", "--at", "2026-03-03")
    assert done.code == 0 and done.out.splitlines()[1].split() == ["digits@champion", "nobody"]
    (found,) = rows(command("registry", "holder", "digits@champion", "--json").out)
    assert found["version"]["name"] == "digits/1"
    (found,) = rows(command("registry", "holder", "digits", "--at", "2099-01-01", "--json").out)
    assert found["version"]["name"] == "digits/1"
    assert command("registry", "holder", "--at", "someday").code == 2


def test_the_journal_is_proved(
    model: list[str], store_folder: Path, tmp_path: Path, command: Command
) -> None:
    done = command("registry", "verify")
    assert done.code == 0 and done.out.startswith("The journal is whole: 3 rows, 2 versions. Head ")
    head = done.out.split()[-1]
    file = tmp_path / "journal.jsonl"
    written = command("registry", "export", str(file))
    assert (written.code, written.out) == (0, f"{head}\n") and "3 rows" in written.err
    assert command("registry", "export", "-").out == file.read_text()
    assert command("registry", "export", str(file)).code == 2  # it is there
    assert command("registry", "verify", "--file", str(file), "--head", head).code == 0
    assert command("registry", "verify", "--head", head).code == 0
    assert command("registry", "verify", "--head", "f" * 64).code == 1
    file.write_text(file.read_text().replace("the first", "the last"))
    assert command("registry", "verify", "--file", str(file)).code == 1
    with closing(sqlite3.connect(store_folder / "tracking.db")) as database:
        (guard,) = database.execute(
            "SELECT sql FROM sqlite_master WHERE name = 'registry_journal_is_fixed'"
        ).fetchone()
        database.execute("DROP TRIGGER registry_journal_is_fixed")
        database.execute("UPDATE registry_journal SET reason = ? WHERE position = 3", (HOSTILE,))
        database.execute(guard)
        database.commit()
    wrong = command("registry", "verify")
    assert wrong.code == 1 and "row 3" in wrong.out.lower() and "1 problem; 3 rows were read." in wrong.err
    (report,) = rows(command("registry", "verify", "--json").out)
    assert report["ok"] is False and len(report["problems"]) == 1
    for said in (command("models", "history", "digits"), command("registry", "history", "--json"), wrong):
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(said.out)


@pytest.mark.parametrize("column", ["reason", "alias", "gates"])
def test_a_blob_in_the_journal_is_a_sentence_not_a_traceback(
    column: str, model: list[str], store_folder: Path, command: Command
) -> None:
    with closing(sqlite3.connect(store_folder / "tracking.db")) as database:
        database.execute("DROP TRIGGER registry_journal_is_fixed")
        database.execute(f"UPDATE registry_journal SET {column} = x'ff00' WHERE position = 3")
        database.commit()
    for arguments in (["models", "list"], ["models", "show", "digits"], ["models", "history", "digits"]):
        assert "Traceback" not in command(*arguments).err
    assert command("registry", "verify").code == 1
    refused = command("registry", "export", "-")
    assert refused.code == 2 and "Row 3" in refused.err and "registry verify" in refused.err


def test_a_card_and_a_package(model: list[str], store_folder: Path, tmp_path: Path, command: Command) -> None:
    done = command("models", "card", "digits")
    assert done.code == 0 and done.out.startswith("# ") and "digits" in done.out and model[0] in done.out
    card = tmp_path / "card.md"
    assert command("models", "card", "digits@champion", "--out", str(card)).code == 0
    assert card.read_text().rstrip("\n") == done.out.rstrip("\n")
    folder = tmp_path / "handed over"
    packed = command("package", "digits@champion", "--out", str(folder))
    assert packed.code == 0, packed.err
    assert "digits/1" in packed.out and "predict.py" in packed.out
    assert (folder / "predict.py").is_file()
    assert command("package", "digits@champion", "--out", str(folder)).code == 2
    assert predicts(tracking.load_model("digits@champion", store=store_folder)) == predicts(fitted(0))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["models", "show", "letters"], "letters"),
        (["models", "show", "digits/7"], "7"),
        (["models", "show", "digits@staging"], "staging"),
        (["models", "versions", "letters"], "letters"),
        (["models", "history", "letters"], "letters"),
        (["models", "card", "letters"], "letters"),
        (["models", "register", "digits", "absent"], "absent"),
        (["models", "register", "a/b", "RUN"], "a/b"),
        (["models", "register", "digits", "RUN", "--artifact", "weights"], "weights"),
        (["models", "promote", "digits"], "tracking models versions digits"),
        (["models", "promote", "digits", "7"], "7"),
        (["models", "promote", "digits/1", "2"], "once"),
        (["models", "promote", "digits", "2", "--alias", "latest"], "latest"),
        (["models", "rollback", "digits"], "before"),
        (["models", "rollback", "digits", "--alias", "staging"], "staging"),
        (["models", "retire", "digits", "--alias", "staging"], "staging"),
        (["package", "digits@staging", "--out", "x"], "staging"),
        (["registry", "verify", "--file", "absent.jsonl"], "absent.jsonl"),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], says: str, model: list[str], command: Command) -> None:
    done = command(*(model[0] if part == "RUN" else part for part in arguments))
    assert (done.code, done.out) == (2, ""), done
    assert says in done.err and done.err.count("\n") == 1 and "Traceback" not in done.err


@pytest.fixture
def opposed(store_folder: Path) -> list[str]:
    """Runs of two experiments that say the opposite of each other; the first one is the champion."""
    runs = [
        logged(store_folder, experiment=experiment, accuracy=accuracy + noise * seed, seed=seed)
        for experiment, accuracy, noise in (("digits", 0.8, 0.001), ("letters", 0.9, -0.001))
        for seed in (1, 2, 3)
    ]
    with tracking.open_store(store_folder) as store:
        for run in (runs[0], runs[3]):
            store.register("digits", run)
        store.promote("digits", 1)
    with tracking.start_run("letters", store=store_folder, capture=False, strict=True) as run:
        run.define_metric("accuracy", goal="minimize")
    return [runs[0], runs[3]]


def test_two_versions_are_compared_and_a_goal_ends_a_contradiction(
    opposed: list[str], command: Command
) -> None:
    done = command("models", "compare", "digits/2")
    assert done.code == 0, done.err
    assert done.out.startswith("digits/2 against digits/1, accuracy\n")
    assert "the goals contradict each other" in done.out and "Say goal=" in done.out
    done = command("models", "compare", "digits/2", "--goal", "maximize")
    lines = done.out.splitlines()
    assert lines[0] == "digits/2 against digits/1, accuracy, maximize"
    assert any("3 against 3 runs" in line and "difference 0.096" in line for line in lines[1:])
    (more,) = rows(command("models", "compare", "digits/2", "digits/1", "--goal", "maximize", "--json").out)
    (less,) = rows(command("models", "compare", opposed[1], opposed[0], "--goal", "minimize", "--json").out)
    assert (more["candidate_name"], more["champion_name"]) == ("digits/2", "digits/1")
    assert (more["verdict"], less["verdict"]) == ("better", "worse")
    assert less["candidate_name"] == f"run {opposed[1]}" and more["difference"] == less["difference"]
    # The journal has no row of who only looked.
    kinds = [row["kind"] for row in rows(command("registry", "history", "--json").out)]
    assert kinds == ["register", "register", "promote"]
    # Of a promotion the gate says it: a goal that is typed with the promotion would decide it.
    command("models", "gates", "digits", "--set", "better(accuracy)")
    assert command("models", "promote", "digits", "2", "--check").code == 1
    command("models", "gates", "digits", "--set", "better(accuracy, goal=maximize)")
    assert command("models", "promote", "digits", "2", "--check").code == 0


def test_what_is_compared_with_whom(model: list[str], store_folder: Path, command: Command) -> None:
    assert command("models", "compare", model[1]).out.startswith(f"run {model[1]} against digits/1, accuracy")
    command("models", "register", "others", model[0])
    command("models", "promote", "others", "1")
    several = command("models", "compare", model[1])
    assert several.code == 2 and "digits/1, others/1" in several.err
    command("models", "retire", "digits")
    nobody = command("models", "compare", "digits/2", "--metric", "accuracy", "--at", "best")
    assert nobody.code == 0 and nobody.out.startswith("digits/2 against nobody, best(accuracy)\n")
    for arguments, says in (
        (["digits/2", "digits@champion"], "champion"),
        (["digits/7"], "7"),
        (["absent"], "absent"),
        (["digits/2", "--goal", "more"], "more"),
        (["digits/2", "digits/1", "--at", "end"], "end"),
        (["digits/2", "digits/1", "--confidence", "2"], "confidence"),
    ):
        wrong = command("models", "compare", *arguments)
        assert (wrong.code, wrong.out) == (2, "") and says in wrong.err and "Traceback" not in wrong.err
