"""`tracking sweep` on sweeps that nobody runs, on files, and once on a real one."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest

import tracking
from tests.cli.conftest import Command
from tests.conftest import ROOT, script_environment
from tests.tuning.sweeping import TEXT, end_all, made, processes_of, project
from tracking.config import StoreLocation

optuna.logging.set_verbosity(optuna.logging.ERROR)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that is the working directory."""
    found = project(tmp_path)
    monkeypatch.chdir(found)
    return found


@pytest.fixture
def sweep(folder: Path, store_folder: Path) -> str:
    """The name of a stopped sweep with six trials; trial 1 failed."""
    return made(StoreLocation(store_folder, named=True), folder, 6).name


def rows(text: str) -> list[dict[str, object]]:
    def refuse(name: str) -> float:
        raise AssertionError(f"{name} is no JSON")

    return [json.loads(line, parse_constant=refuse) for line in text.splitlines()]


def test_check_says_what_would_happen(folder: Path, command: Command) -> None:
    (folder / "s.toml").write_text(TEXT)
    done = command("sweep", "check", "s.toml")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "s would run up to 10 trials of train.py, 1 at a time: random over 2 params (lr, opt), to maximize accuracy.\n"
    )
    assert rows(command("sweep", "check", "s.toml", "--json").out)[0]["ok"] is True


def test_check_lists_every_problem_with_its_place(folder: Path, command: Command) -> None:
    text = TEXT.replace("low = 0.01", "low = 1").replace("trials = 10", 'trials = "x"')
    (folder / "s.toml").write_text(text)
    done = command("sweep", "check", "s.toml")
    assert done.code == 2
    lines = done.out.splitlines()
    assert len(lines) == 2 and all(re.match(r"s\.toml:\d+: [\w.]+: .+", line) for line in lines)
    assert lines[0].startswith("s.toml:9: space.lr") or lines[0].startswith("s.toml:10: space.lr")
    found = rows(command("sweep", "check", "s.toml", "--json").out)[0]
    assert found["ok"] is False and len(found["problems"]) == 2  # type: ignore[arg-type]
    started = command("sweep", "start", "s.toml")
    assert started.code == 2 and started.err == done.out and started.out == ""


def test_check_holds_the_file_against_its_target(folder: Path, command: Command) -> None:
    (folder / "s.toml").write_text(TEXT.replace("[space.lr]", "[space.learning_rate]"))
    done = command("sweep", "check", "s.toml")
    assert done.code == 2 and "learning_rate" in done.out
    (folder / "s.toml").write_text(TEXT.replace("train.py", "../train.py"))
    assert command("sweep", "check", "s.toml").code == 2


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"name = [", b"\x00", b"name = 1e999\n" * 30_000])
def test_check_of_what_is_no_definition(data: bytes, folder: Path, command: Command) -> None:
    (folder / "s.toml").write_bytes(data)
    done = command("sweep", "check", "s.toml")
    assert done.code == 2 and done.out.startswith("s.toml") and "Traceback" not in done.err
    assert command("sweep", "check", "none.toml").err.startswith("error: ")


def test_a_name_that_is_taken_is_said(sweep: str, folder: Path, command: Command) -> None:
    (folder / "s.toml").write_text(TEXT)
    assert "take another name" in command("sweep", "check", "s.toml").err
    done = command("sweep", "start", "s.toml")
    assert done.code == 2 and "'s-2'" in done.err and "sweep resume s" in done.err


def test_targets_and_a_first_definition(folder: Path, command: Command) -> None:
    done = command("sweep", "targets")
    assert done.code == 0 and "train.py" in done.out and "lr, opt, momentum, wait" in done.out
    (found,) = rows(command("sweep", "targets", "--json").out)
    assert found["target"] == "train.py" and found["description"] == "Train a little."
    options = {option["name"]: option for option in found["options"]}  # type: ignore[attr-defined]
    assert options["lr"]["type"] == "float" and options["lr"]["default"] == 0.1
    made_file = command("sweep", "init", "train.py", "--metric", "accuracy", "--goal", "maximize")
    assert made_file.code == 0
    (folder / "first.toml").write_text(made_file.out)
    assert command("sweep", "check", "first.toml").code == 0, command("sweep", "check", "first.toml").out
    missing = command("sweep", "init", "trian.py")
    assert missing.code == 2 and "Did you mean train.py" in missing.err


def test_numbers_of_hundreds_of_digits_in_a_script(folder: Path, command: Command) -> None:
    options = [f'"--lr", type=float, default={"9" * 400}', f'"--n", type=int, default={"9" * 400}']
    options += [f'"--k", type=int, choices=[1, 2, {"9" * 400}]', f'"--m", type=int, default="{"9" * 5000}"']
    options += ['"--p", type=int, default=10**64 * 10**64 * 10**64 * 10**64 * 10**64']
    lines = [f"parser.add_argument({each})" for each in [*options, '"--depth", type=int, default=3']]
    (folder / "big.py").write_text(
        "\n".join(["import argparse", "parser = argparse.ArgumentParser()", *lines, "parser.parse_args()"])
    )
    listed = command("sweep", "targets", "--json")
    assert listed.code == 0 and {each["target"] for each in rows(listed.out)} == {"big.py", "train.py"}
    first = command("sweep", "init", "big.py", "--metric", "loss")
    assert first.code == 0 and "[space.depth]" in first.out, first
    (folder / "s.toml").write_text(first.out)
    assert command("sweep", "check", "s.toml").code == 0
    for field in ("space.depth.low", "space.depth.high"):
        text = re.sub(rf"(?m)^{field[12:]} = .*$", f"{field[12:]} = {'9' * 400}", first.out)
        (folder / "s.toml").write_text(text)
        done = command("sweep", "check", "s.toml")
        assert done.code == 2 and field in done.out, done


def test_list_and_status(sweep: str, command: Command) -> None:
    done = command("sweep", "list")
    assert done.code == 0 and done.out.splitlines()[1].split()[:3] == ["s", "stopped", "6/10"]
    status = command("sweep", "status", sweep)
    assert status.code == 0 and "6 of 10 trials" in status.out and "5 complete" in status.out
    assert "1 × error (trial 1)" in status.out and "ValueError: too large" in status.out
    assert "best  accuracy 0." in status.out
    assert "[#" not in status.out and "\x1b" not in status.out  # this is no terminal
    (found,) = rows(command("sweep", "status", sweep, "--json").out)
    assert found["state"] == "stopped" and found["done"] == 6 and found["eta"] is None
    assert rows(command("sweep", "list", "--json").out) == [found]
    followed = command("sweep", "status", sweep, "--follow")
    assert followed.code == 0 and len(followed.out.splitlines()) == 1


def test_show_trials_and_definition(sweep: str, command: Command) -> None:
    assert command("sweep", "show", sweep, "--toml").out == TEXT.rstrip("\n") + "\n"
    assert "definition" in command("sweep", "show", sweep).out
    whole = json.loads(command("sweep", "show", sweep, "--json").out)
    assert whole["text"] == TEXT and whole["edits"] == []
    trials = rows(command("sweep", "trials", sweep, "--json").out)
    assert [each["number"] for each in trials] == list(range(6))
    assert trials[2]["params"] == {"lr": 0.2, "opt": "adam"}
    table = command("sweep", "trials", sweep, "--limit", "2")
    assert len(table.out.splitlines()) == 3 and "2 of 6 trials" in table.err
    assert command("sweep", "show", sweep, "--toml", "--json").code == 2


def test_edits_are_told_in_a_sentence(sweep: str, command: Command) -> None:
    for arguments, said in (
        (["widen", sweep, "lr", "--high", "0.5"], "lr: 0.01 to 0.3 became 0.01 to 0.5."),
        (["narrow", sweep, "lr", "--low", "0.02"], "became 0.02 to 0.5"),
        (["add", sweep, "--trials", "5"], "15 trials in place of 10"),
        (["workers", sweep, "3"], "Workers: 3"),
        (["workers", sweep, "-"], "Workers: 2"),
        (["choice", sweep, "opt", "rms"], "next one"),
    ):
        done = command("sweep", *arguments)
        assert done.code == 0 and said in done.out, done
    shown = command("sweep", "show", sweep).out
    assert "edition     7" in shown and "s, s (2)" in shown and shown.count("before trial") == 6


def test_what_does_not_exist_is_named_with_what_is_close(sweep: str, command: Command) -> None:
    for name in ("status", "show", "trials", "pause", "resume", "stop", "retry"):
        done = command("sweep", name, "ss")
        assert done.code == 2 and "Did you mean 's'" in done.err, (name, done)
    for arguments, said in (
        (["widen", sweep, "rl", "--low", "0"], "Did you mean 'lr'"),
        (["widen", sweep, "lr", "--low", "x"], "no number"),
        (["workers", sweep, "many"], "no number of workers"),
        (["add", sweep, "--time", "soon"], "must be a time"),
        (["retry", sweep, "0"], "Trial 0 is complete"),
        (["log", sweep, "99"], "no trial 99"),
        (["log", sweep, "0"], "nothing that was kept"),
    ):
        done = command("sweep", *arguments)
        assert done.code == 2 and said in done.err and "Traceback" not in done.err, done


def test_the_logs_of_repeats_are_found_by_their_numbers(
    folder: Path, store_folder: Path, sweep: str, command: Command
) -> None:
    logs = StoreLocation(store_folder, named=True).logs / "sweeps" / "1"
    logs.mkdir(parents=True)
    for repeat in (0, 1, 10):
        (logs / f"trial-0.{repeat}.log").write_text(f"repeat {repeat}\n")
    assert command("sweep", "log", sweep, "0", "--repeat", "10").out == "repeat 10\n"
    without, wrong = command("sweep", "log", sweep, "0"), command("sweep", "log", sweep, "0", "--repeat", "7")
    assert "Trial 0 was run several times: there are --repeat 0, 1, 10." in without.err
    assert "Trial 0 has no log of a repeat 7: there are --repeat 0, 1, 10." in wrong.err


def test_reading_makes_no_store(tmp_path: Path, store_folder: Path, command: Command) -> None:
    assert command("sweep", "list").code == 2
    assert command("sweep", "pause", "s").code == 2
    assert not store_folder.exists()


def test_a_hostile_sweep_commands_no_terminal(folder: Path, store_folder: Path, command: Command) -> None:
    location = StoreLocation(store_folder, named=True)
    made(location, folder, 2)
    study = optuna.load_study(study_name="s", storage=tracking.study_storage(store_folder))
    trial = study.ask()
    trial.set_user_attr("podium:cause", "\x1b]0;owned\x07")
    trial.set_user_attr("podium:reason", "\x1b[31mred\x9b1m\x07")
    trial.suggest_categorical("\x1b[2J", ["\x1b[31m"])
    study.tell(trial, state=optuna.trial.TrialState.FAIL)
    log = location.logs / "sweeps" / "1" / "trial-0.log"
    log.parent.mkdir(parents=True)
    log.write_bytes(b"fine\n\x1b[2J\xff\x07\n")
    for name in ("list", "status", "show", "trials", "log"):
        for extra in ([], ["--json"]) if name != "log" else ([],):
            arguments = [] if name == "list" else ["s", *(["0"] if name == "log" else [])]
            done = command("sweep", name, *arguments, *extra)
            assert done.code == 0, done
            assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", done.out + done.err), (name, done)
    assert command("sweep", "log", "s", "0").out.startswith("fine\n")


def on_a_terminal(*arguments: str, **environment: str) -> tuple[int, str]:
    """Run `tracking sweep` on a terminal of 60 columns; returns the exit code and what it showed."""
    main, side = pty.openpty()
    termios.tcsetwinsize(side, (20, 60))
    process = subprocess.Popen(
        [sys.executable, "-m", "tracking", "sweep", *arguments],
        # Its size is what counts, not the one that whoever runs the tests may have told.
        env=script_environment(TERM="xterm", COLUMNS="", LINES="", **environment),
        stdin=side,
        stdout=side,
        stderr=side,
    )
    os.close(side)
    shown = b""
    with contextlib.suppress(OSError):  # the other side is closed
        while data := os.read(main, 1 << 16):
            shown += data
    os.close(main)
    return process.wait(timeout=60), shown.decode()


@pytest.mark.parametrize("plain", [False, True])
def test_a_terminal_gets_a_bar_that_fits(plain: bool, sweep: str, store_folder: Path) -> None:
    extra = {"NO_COLOR": "1"} if plain else {}
    for follow in ([], ["-f"]):
        code, shown = on_a_terminal("status", sweep, *follow, "--store", str(store_folder), **extra)
        assert code == 0
        assert ("\x1b" in shown) is not plain
        if not (plain and follow):
            assert "[##################------------]" in shown
            lines = re.sub(r"\x1b\[\d*m", "", shown).splitlines()
            # What follows the bar is not wrapped by us: a command to copy stays whole, however long its path.
            assert all(len(line) <= 60 for line in lines if "/" not in line), "\n".join(lines)


@pytest.fixture
def ended(tmp_path: Path) -> Iterator[Path]:
    """A copy of the README's project, whose processes are ended."""
    place = tmp_path / "home"
    (place / ".tracking").mkdir(parents=True)
    yield place
    end_all(place / ".tracking")
    assert processes_of(place / ".tracking") == []


def shell(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tracking", "sweep", *arguments],
        cwd=place,
        env=script_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=250,
    )


def test_the_readme_s_sweep_runs(ended: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^```toml\n(.*?)^```$", readme, flags=re.MULTILINE | re.DOTALL)
    kept = (ROOT / "examples" / "digits_sweep.toml").read_text()
    assert kept.endswith(text)  # the file is the README's, below a line of comment
    (ended / "examples").mkdir()
    script = (ROOT / "examples" / "digits_sklearn.py").read_text()
    (ended / "examples" / "digits_sklearn.py").write_text(script)
    short = text.replace("trials = 16", "trials = 2").replace('"--epochs", "10"', '"--epochs", "2"')
    (ended / "s.toml").write_text(short)
    assert shell(ended, "check", "s.toml").returncode == 0
    done = shell(ended, "start", "s.toml", "--follow")
    assert done.returncode == 0, done.stderr + done.stdout
    assert "digits-sweep: finished, 2 of 2 trials" in done.stdout.splitlines()[-1]
    log = shell(ended, "log", "digits-sweep", "1")
    assert log.returncode == 0 and "images held back" in log.stdout
    with tracking.open_store(ended / ".tracking") as store:
        runs = store.search(experiment="digits-sweep")
    assert list(runs["status"]) == ["finished"] * 2 and runs["metrics.val_accuracy"].notna().all()
