"""Runs listed and shown: fitted, filtered, as JSON, and never able to command the terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tracking
from tests.cli.conftest import HOSTILE, Command
from tests.conftest import script_environment
from tracking.cli.runs import split_columns
from tracking.cli.terminal import cut, fitted, width_of
from tracking.client.description import RunDescription, now_us
from tracking.client.run import attach

UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]")


def test_runs_come_newest_first_with_their_metrics(command: Command, three_runs: list[str]) -> None:
    done = command("runs")
    assert done.code == 0
    header, *rows = done.out.splitlines()
    assert header.split() == [
        "run", "name", "experiment", "status", "duration", "metrics.loss", "metrics.val/acc", "created",
    ]  # fmt: skip
    assert [row.split()[0] for row in rows] == three_runs[::-1]
    assert rows[0].split()[-4:-2] == ["2", "NaN"] and rows[1].split()[-3] == "1"


def test_the_value_of_a_trial_is_not_shown_beside_the_metric_that_it_is_of(
    command: Command, store_folder: Path
) -> None:
    with tracking.open_store(store_folder) as store:
        study = tracking.create_study("s", store=store, experiment="e")
        for value in (0.25, 0.5):
            trial = study.ask()
            trial.report(value, 0)
            (record,) = store.trials("s")[-1:]
            with attach(RunDescription(store.location, str(record.run), "e", "", now_us())) as run:
                run.log({"accuracy": value})
            study.tell(trial, value)
    done = command("runs", "-e", "e")
    assert [name for name in done.out.splitlines()[0].split() if "." in name] == ["metrics.accuracy"]
    asked = command(
        "runs", "-e", "e", "--columns", "metrics.value,metrics.intermediate_value,metrics.accuracy"
    )
    assert [line.split() for line in asked.out.splitlines()[1:]] == [["0.5"] * 3, ["0.25"] * 3]


def test_a_filter_an_order_and_a_limit(command: Command, three_runs: list[str]) -> None:
    done = command("runs", "metrics.loss < 2", "--order-by", "metrics.loss", "--columns", "run,params.lr")
    assert [line.split() for line in done.out.splitlines()] == [
        ["run", "params.lr"], [three_runs[0], "0"], [three_runs[1], "0.1"],
    ]  # fmt: skip
    done = command("runs", "--limit", "1", "--columns", "name")
    assert done.out.splitlines() == ["name", "run 2"]
    assert "1 of 3 runs" in done.err
    assert command("runs", "--limit", "3").err == ""
    assert command("runs", "-e", "other").err == "No runs.\n"


def test_columns_stand_as_asked_for(command: Command, three_runs: list[str]) -> None:
    done = command("runs", "--columns", "params.optimizer.name,run", "--columns", "max(metrics.loss),tags")
    assert done.out.splitlines()[0].split() == ["params.optimizer.name", "run", "max(metrics.loss)", "tags"]
    assert done.out.splitlines()[1].split() == ["=cmd()", three_runs[2], "51", "a,", "b"]


def test_json_is_one_object_a_line_or_one_list(command: Command, three_runs: list[str]) -> None:
    lines = [json.loads(line) for line in command("runs", "--json").out.splitlines()]
    assert [line["run"] for line in lines] == three_runs[::-1]
    assert lines[0]["metrics.val/acc"] == "NaN" and "metrics.val/acc" not in lines[1]
    assert lines[0]["params.optimizer.name"] == "=cmd()"
    assert json.loads(command("runs", "--json-list").out) == lines
    assert json.loads(command("runs", "--json-list", "-e", "none").out) == []


def test_show_says_what_a_run_is(command: Command, three_runs: list[str]) -> None:
    done = command("show", three_runs[2])
    assert done.code == 0
    for text in ("run 2", "finished", "optimizer.name", "val/acc", "a, b", "  second"):
        assert text in done.out
    assert not UNSAFE.search(done.out)
    whole = json.loads(command("show", three_runs[2], "--json").out)
    assert whole["params"]["optimizer"] == {"name": "=cmd()"}
    assert whole["metrics"]["val/acc"]["last"] == "NaN"
    assert (whole["status"], whole["tags"]) == ("finished", ["a", "b"])


def test_show_takes_the_beginning_of_an_id(command: Command, three_runs: list[str]) -> None:
    first, second = three_runs[:2]
    common = next(at for at in range(len(first)) if first[at] != second[at])
    assert first in command("show", first[: common + 1]).out
    done = command("show", first[:common])
    assert done.code == 2 and done.err.startswith("error: ") and first in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "nobody"],
        ["history", "nobody", "loss"],
        ["runs", "metrics.loss >"],
        ["runs", "--order-by", "nonsense"],
        ["runs", "--columns", "nonsense"],
        ["show", "\x1b[31mred"],
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    command: Command, three_runs: list[str], arguments: list[str]
) -> None:
    done = command(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: ") and done.err.count("\n") == 1
    assert not UNSAFE.search(done.err)


def test_asking_makes_no_store(command: Command, store_folder: Path) -> None:
    for arguments in (["runs"], ["show", "a"], ["history", "a", "b"], ["export", "-"]):
        done = command(*arguments)
        assert done.code == 2 and "no store" in done.err
    assert not store_folder.exists()


@pytest.mark.parametrize("width", [1, 20, 80, 300])
def test_a_table_fits_its_terminal(command: Command, three_runs: list[str], width: int) -> None:
    done = command("runs", width=width)
    assert done.code == 0
    assert max(map(len, done.out.splitlines())) <= width
    assert width < 20 or all(run in done.out for run in three_runs)
    assert ("do not fit" in done.err) == (width < 100)
    assert command("show", three_runs[0], width=width).code == 0


def test_names_never_command_the_terminal(command: Command, hostile_store: list[str]) -> None:
    for arguments in (
        ["runs"],
        ["runs", "--json"],
        ["runs", "--columns", "notes,tags,name"],
        ["show", hostile_store[0]],
        ["show", hostile_store[0], "--json"],
        ["history", hostile_store[0], f"loss{HOSTILE}"],
        ["history", hostile_store[0], f"loss{HOSTILE}", "--csv"],
        ["history", hostile_store[0], f"{HOSTILE}nope"],
        ["export", "-"],
        ["export", "-", "--format", "json"],
    ):
        done = command(*arguments)
        assert done.code == (2 if arguments[-1].endswith("nope") else 0), done.err
        assert not UNSAFE.search(done.out + done.err), arguments


def on_a_terminal(folder: Path, **settings: str) -> str:
    """Return what `tracking runs` writes to a terminal of 100 columns."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tracking", "runs", "--store", str(folder)],
        env=script_environment(COLUMNS="100", TERM="xterm", **settings),
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.STDOUT,
    )
    os.close(theirs)
    written = b""
    try:
        while chunk := os.read(ours, 65536):
            written += chunk
    except OSError:  # how a terminal says that its other end is closed
        pass
    finally:
        os.close(ours)
    assert process.wait(timeout=60) == 0
    return written.decode()


def test_colour_is_for_terminals_that_want_it(store_folder: Path, three_runs: list[str]) -> None:
    assert "\x1b[32mfinished\x1b[0m" in on_a_terminal(store_folder)
    assert "\x1b" not in on_a_terminal(store_folder, NO_COLOR="1")


def test_a_reader_that_leaves_ends_the_command_in_peace(store_folder: Path) -> None:
    with tracking.start_run("long", store=store_folder, capture=False) as run:
        for step in range(60_000):
            run.log({"loss": step / 7}, step=step)
    for extra in (["--csv"], ["--json"], ["--max-points", "0"]):
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tracking",
                "history",
                run.id,
                "loss",
                "--store",
                str(store_folder),
                *extra,
            ],
            env=script_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=60) == 0


def test_commas_within_a_name_do_not_part_columns() -> None:
    assert split_columns(['name, metrics["a,b"],max(metrics.x)', "params.y"]) == [
        "name", 'metrics["a,b"]', "max(metrics.x)", "params.y",
    ]  # fmt: skip
    assert split_columns([","]) is None and split_columns(None) is None


def test_widths_are_those_of_a_terminal() -> None:
    assert (width_of("漢字"), width_of("e\u0301"), width_of("abc")) == (4, 1, 3)
    assert cut("漢字漢字", 5) == "漢字…" and cut("abc", 3) == "abc"
    assert fitted([10, 40, 10], 40) == [10, 16, 10]
    assert fitted([3, 90], None) == [3, 80]
    assert fitted([20, 40, 40], 45, whole=1) == [20, 10, 11]
    assert fitted([20, 40], 8, whole=1) == [8]
    assert fitted([10, 40, 10], 9) == [9]
    assert sum(fitted([50] * 30, 20)) <= 20


def test_names_are_shown_as_they_are_and_guarded_in_csv_only(
    command: Command, store_folder: Path, tmp_path: Path
) -> None:
    with tracking.start_run(
        "digits", name="=1+1", params={"formula": "-1+1"}, store=store_folder, capture=False
    ):
        pass
    done = command("runs", "--columns", "name,params.formula")
    assert done.out.split() == ["name", "params.formula", "=1+1", "-1+1"]
    command("export", str(tmp_path / "runs.csv"), "--columns", "name,params.formula")
    assert (tmp_path / "runs.csv").read_text().split()[-1] == "'=1+1,'-1+1"


@pytest.mark.parametrize("redirection", ["> /dev/full", ">&-", ">&- 2>&-"])
@pytest.mark.parametrize(
    "arguments",
    ["runs", *(pytest.param(each, marks=pytest.mark.soak) for each in ("runs --json", "show {run}"))],
)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_an_output_that_takes_nothing_ends_in_one_line(
    redirection: str, arguments: str, three_runs: list[str], store_folder: Path
) -> None:
    words = arguments.format(run=three_runs[0])
    line = f"exec {sys.executable} -m tracking {words} --store {store_folder} {redirection}"
    done = subprocess.run(
        ["sh", "-c", line],
        env=script_environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    if "2>" in redirection:
        assert done.stderr == ""
    else:
        assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    with tracking.open_store(store_folder) as store:
        assert store.count() == 3
