"""A script that cannot be read is asked: it runs up to `parse_args`, logs nothing, and is gone afterwards."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.tuning.targets.argparse_script import FULL
from tracking.errors import InvalidValue
from tracking.tuning.targets.describe import describe_script
from tracking.tuning.targets.options import Option
from tracking.tuning.targets.probe import probe_script

BUILT = """
import argparse, atexit, os, pathlib, sys, tracking
pathlib.Path("before").touch()
atexit.register(pathlib.Path("atexit").touch)
with tracking.start_run("probed") as run:
    run.log({"loss": 1.0})
parser = argparse.ArgumentParser()
for name in ("lr", "decay"):
    parser.add_argument(f"--{name}", type=float, default=0.1 * len(name))
parser.add_argument("--threads", type=int, default=os.cpu_count())
parser.add_argument("--path", default=str(pathlib.Path(sys.argv[0]).name))
try:
    args = parser.parse_args()
finally:
    pathlib.Path("after").touch()
"""


def write(project: Path, text: str, name: str = "train.py") -> None:
    (project / name).write_text(text)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def test_it_tells_what_the_source_does_not(project: Path) -> None:
    write(project, BUILT)
    assert not describe_script(project, "train.py").complete
    options = {option.name: option for option in probe_script(project, "train.py", 60)}
    assert {name: (option.flag, option.type) for name, option in options.items()} == {
        "lr": ("--lr", "float"),
        "decay": ("--decay", "float"),
        "threads": ("--threads", "int"),
        "path": ("--path", "str"),
    }
    assert (options["lr"].default, options["threads"].default) == (0.2, os.cpu_count())
    assert options["path"].default == "train.py"


def test_nothing_behind_the_parser_runs_and_nothing_is_logged(project: Path) -> None:
    write(project, BUILT)
    probe_script(project, "train.py", 60)
    assert sorted(file.name for file in project.iterdir()) == ["before", "train.py"]


def test_it_agrees_with_the_source_where_that_is_literal(project: Path) -> None:
    write(project, FULL)

    def plain(option: Option) -> Option:
        # Lines, other names and which options exclude each other: only the source is asked for them.
        return replace(option, line=None, aliases=(), exclusive=None)

    read = [plain(option) for option in describe_script(project, "train.py").options]
    assert [plain(option) for option in probe_script(project, "train.py", 60)] == read


def test_modules_beside_the_script_are_imported_and_arguments_given(project: Path) -> None:
    (project / "inner").mkdir()
    write(
        project,
        "import argparse, sys\ndef make():\n    p = argparse.ArgumentParser()\n"
        "    p.add_argument('--' + sys.argv[1])\n    return p\n",
        "inner/common.py",
    )
    write(
        project,
        "from common import make\nif __name__ == '__main__':\n    make().parse_known_args()\n",
        "inner/train.py",
    )
    (option,) = probe_script(project, "inner/train.py", 60, arguments=["width"])
    assert option.flag == "--width"


def test_options_of_subcommands_are_told(project: Path) -> None:
    write(
        project,
        "import argparse\np = argparse.ArgumentParser()\ns = p.add_subparsers()\n"
        "t = s.add_parser('train')\nt.add_argument('--lr', type=float)\np.parse_args()\n",
    )
    (option,) = probe_script(project, "train.py", 60)
    assert (option.name, option.command) == ("lr", "train")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("raise ImportError('no torch')", "it raised ImportError: no torch"),
        ("print('hello')", r"it ran to its end without \(it printed last: hello\)"),
        ("import sys; sys.exit(3)", "it ended with 3 before"),
        ("import os; os._exit(5)", "it ended with exit code 5"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "it was ended by SIGKILL"),
    ],
)
def test_a_script_that_never_gets_there_says_why(project: Path, text: str, sentence: str) -> None:
    write(project, text)
    with pytest.raises(InvalidValue, match=f"train.py never came to read its command line .*: {sentence}"):
        probe_script(project, "train.py", 60)


def test_a_script_that_hangs_is_killed_with_all_it_started(project: Path) -> None:
    write(
        project,
        "import pathlib, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "pathlib.Path('pids').write_text(str(child.pid))\nwhile True: print('x' * 1000)\n",
    )
    began = time.monotonic()
    with pytest.raises(InvalidValue, match="after 3 s it was still running"):
        probe_script(project, "train.py", 3)
    assert time.monotonic() - began < 30
    pid = int((project / "pids").read_text())
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("path", ["../x.py", "missing.py"])
def test_only_scripts_of_the_project_are_run(project: Path, path: str) -> None:
    write(project.parent, "import pathlib; pathlib.Path('ran').touch()", "x.py")
    with pytest.raises(InvalidValue, match="project"):
        probe_script(project, path)
    assert not (project / "ran").exists()


def test_scripts_of_click_are_not_run(project: Path) -> None:
    write(
        project,
        "import click, pathlib\npathlib.Path('ran').touch()\n@click.command()\n@click.option('--lr')\n"
        "def main(lr): ...\nmain()\n",
    )
    with pytest.raises(InvalidValue, match="does not use argparse"):
        probe_script(project, "train.py")
    assert not (project / "ran").exists()


def test_it_gets_the_environment_of_a_trial(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKING_KEY", "secret")
    monkeypatch.setenv("LD_PRELOAD", "")
    monkeypatch.setenv("MINE", "asked")
    write(
        project,
        "import argparse, os\np = argparse.ArgumentParser()\n"
        "p.add_argument('--' + '+'.join(n for n in ('TRACKING_KEY', 'LD_PRELOAD', 'MINE') if n in os.environ))\n"
        "p.parse_args()\n",
    )
    (option,) = probe_script(project, "train.py", 60, environment=["MINE"])
    assert option.flag == "--MINE"
