"""A project's targets are found by reading it: nothing runs, nothing is followed out of it, all is bounded."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tracking.errors import InvalidValue
from tracking.tuning.targets import discovery, project_files
from tracking.tuning.targets.describe import describe_function, describe_script
from tracking.tuning.targets.discovery import discover
from tracking.tuning.targets.options import Discovery, TargetKind

MARKER = "import pathlib\npathlib.Path({marker!r}).touch()\n"
SCRIPT = (
    "import argparse\nparser = argparse.ArgumentParser()\n"
    "parser.add_argument('--lr', type=float, default=0.1)\nargs = parser.parse_args()\n"
)
FUNCTION = "import tracking\n@tracking.tunable\ndef train(lr: float = 0.1): ...\n"
OBJECTIVE = "def objective(trial):\n    return trial.suggest_float('x', 0, 1)\n"


def write(project: Path, name: str, text: str | bytes) -> Path:
    file = project / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def git(project: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(project), *arguments], check=True, capture_output=True, timeout=60)


def paths(found: Discovery) -> list[str]:
    return [target.path for target in found.targets]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("with_git", [True, False])
def test_nothing_is_executed(project: Path, tmp_path: Path, with_git: bool) -> None:
    marker = tmp_path / "executed"
    head = MARKER.format(marker=str(marker))
    for name in (
        "train.py",
        "setup.py",
        "conftest.py",
        "package/__init__.py",
        "package/__main__.py",
        "sitecustomize.py",
    ):
        write(project, name, head + SCRIPT + FUNCTION + OBJECTIVE)
    write(project, "usercustomize.pth", f"import os; open({str(marker)!r}, 'w')")
    if with_git:
        git(project, "init", "-q")
        hook = write(project, ".git/hooks/fsmonitor", f"#!/bin/sh\ntouch {marker}\n")
        hook.chmod(0o755)
        git(project, "config", "core.fsmonitor", str(hook))
        git(project, "config", "filter.mark.clean", f"touch {marker}; cat")
        write(project, ".gitattributes", "*.py filter=mark\n")
    found = discover(project)
    assert {target.kind for target in found.targets} == set(TargetKind)
    assert "train.py" in paths(found)
    assert not marker.exists()


def test_every_example_is_found_with_its_options() -> None:
    found = {target.path: target for target in discover(ROOT).targets}
    examples = sorted(file.name for file in (ROOT / "examples").glob("*.py"))
    assert examples
    for name in examples:
        target = found[f"examples/{name}"]
        assert target.kind is TargetKind.SCRIPT
        assert target.literal and target.logs and target.description
        shown = subprocess.run(
            ["grep", "-c", "add_argument(", ROOT / "examples" / name], capture_output=True, text=True
        )
        assert len(target.options) == int(shown.stdout)


def test_those_that_log_come_first(project: Path) -> None:
    write(project, "a.py", SCRIPT)
    write(project, "b.py", "import tracking\n" + SCRIPT)
    write(project, "c.py", OBJECTIVE)
    write(project, "d.py", FUNCTION)
    assert paths(discover(project)) == ["b.py", "d.py", "a.py", "c.py"]


def test_what_is_no_target_is_left_out(project: Path) -> None:
    for name in (
        "setup.py",
        "tests/train.py",
        "test_train.py",
        "train_test.py",
        "conftest.py",
        "notebook.ipynb",
        "x.pyc",
    ):
        write(project, name, SCRIPT)
    write(project, "options.py", "def add(parser):\n    parser.add_argument('--lr')\n")
    write(project, "package/part.py", "from . import more\n" + SCRIPT)
    write(project, "plain.py", "import argparse\nprint('add_argument')\n")
    assert discover(project) == Discovery(())


def test_folders_of_others_are_not_searched_without_git(project: Path) -> None:
    folders = [
        ".hidden",
        "node_modules/x",
        "site-packages",
        "build",
        "dist",
        "venv",
        "__pycache__",
        ".tracking",
        "a/.b",
    ]
    for folder in folders:
        write(project, f"{folder}/train.py", SCRIPT)
    write(project, "named/pyvenv.cfg", "home = /usr")
    write(project, "named/lib/train.py", SCRIPT)
    write(project, "runs/tracking.db", "")
    write(project, "runs/train.py", SCRIPT)
    write(project, "deep/er/train.py", SCRIPT)
    assert paths(discover(project)) == ["deep/er/train.py"]


def test_git_says_what_belongs_to_the_project(project: Path) -> None:
    git(project, "init", "-q")
    write(project, ".gitignore", "ignored/\ngenerated.py\n")
    for name in ("tracked.py", "build/tracked.py", "gone.py"):
        write(project, name, SCRIPT)
    git(project, "add", ".")
    (project / "gone.py").unlink()
    for name in ("new.py", "ignored/x.py", "generated.py", "lib/site-packages/x.py", ".hidden/x.py"):
        write(project, name, SCRIPT)
    write(project, "inner/ünï code.py", SCRIPT)
    assert paths(discover(project)) == ["build/tracked.py", "inner/ünï code.py", "new.py", "tracked.py"]
    assert paths(discover(project / "inner")) == ["ünï code.py"]


@pytest.mark.parametrize("with_git", [True, False])
def test_symlinks_out_of_the_project_are_said_and_not_followed(
    project: Path, tmp_path: Path, with_git: bool
) -> None:
    outside = write(tmp_path, "outside/secret.py", SCRIPT)
    inside = write(project, "real.py", SCRIPT)
    (project / "linked.py").symlink_to(outside)
    (project / "again.py").symlink_to(inside)
    (project / "nowhere.py").symlink_to(project / "missing.py")
    (project / "folder").symlink_to(outside.parent)
    (project / "loop").symlink_to(project)
    if with_git:
        git(project, "init", "-q")
    found = discover(project)
    assert paths(found) == ["real.py"]
    said = ["linked.py is a symlink out of the project, and is not followed."]
    if not with_git:
        said.insert(0, "folder is a symlink out of the project, and is not followed.")
    assert list(found.problems) == said


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (SCRIPT + "def broken(:\n", "bad.py:5: "),
        (SCRIPT.encode() + b"x = '\0'\n", "null bytes"),
        (b"# p.add_argument()\nx = '\xff\xfe'\n", "bad.py:"),
        (b"# -*- coding: nonsense -*-\n# p.add_argument()\n", "unknown encoding"),
        ("# p.add_argument()\nx = " + "(" * 5000 + ")" * 5000, "bad.py:"),
        ("# p.add_argument()\nx = " + "-" * 200_000 + "1", "bad.py:"),
        ("# p.add_argument()\nx = " + "a." * 100_000 + "b", "bad.py:"),
        ("# p.add_argument()\nx = " + "1+" * 100_000 + "1", "bad.py:"),
        (SCRIPT + "".join(f"{' ' * n}if x:\n" for n in range(150)) + " " * 150 + "x\n", "bad.py:"),
        (SCRIPT + "if x: pass\n" + "elif x: pass\n" * 3000, "bad.py:"),
    ],
    ids=["syntax", "null", "bytes", "encoding", "brackets", "signs", "dots", "sums", "indents", "elifs"],
)
def test_source_that_cannot_be_read_is_said_with_its_file(
    project: Path, source: str | bytes, sentence: str
) -> None:
    write(project, "bad.py", source)
    write(project, "good.py", SCRIPT)
    found = discover(project)
    assert paths(found) == ["good.py"]
    (problem,) = found.problems
    assert sentence in problem
    assert problem.startswith("bad.py:")
    with pytest.raises(InvalidValue, match=r"bad\.py"):
        describe_script(project, "bad.py")


def test_10_mb_of_source_are_said_and_not_read(project: Path) -> None:
    write(project, "big.py", SCRIPT + "#" * 10_000_000)
    found = discover(project)
    assert found == Discovery((), ("big.py has 10.0 MB; files over 1 MB are not read.",))
    with pytest.raises(InvalidValue, match="files over 1 MB are not read"):
        describe_script(project, "big.py")


def test_a_pipe_does_not_hold_it_up(project: Path) -> None:
    os.mkfifo(project / "pipe.py")
    write(project, "dir.py/x.py", SCRIPT)
    assert paths(discover(project)) == ["dir.py/x.py"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_what_may_not_be_read_is_said(project: Path) -> None:
    write(project, "closed.py", SCRIPT).chmod(0)
    assert discover(project).problems == ("closed.py cannot be read: Permission denied.",)


def test_names_that_are_no_text_are_said(project: Path) -> None:
    file = os.fsencode(project) + b"/bad\xff.py"
    with open(file, "w") as made:
        made.write(SCRIPT)
    write(project, "two\nlines.py", SCRIPT)
    found = discover(project)
    assert paths(found) == ["two\nlines.py"]
    assert "no valid Unicode" in found.problems[0]
    found.problems[0].encode()


def test_too_many_files_and_too_deep_ones_are_said(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project_files, "FILE_LIMIT", 3)
    monkeypatch.setattr(project_files, "DEPTH_LIMIT", 2)
    for name in ("a.py", "b.py", "1/2/x.py", "1/2/3/x.py"):
        write(project, name, SCRIPT)
    assert paths(discover(project)) == ["1/2/x.py", "a.py", "b.py"]
    assert discover(project).problems == ("1/2/3 is more than 2 folders deep; left out.",)
    write(project, "c.py", SCRIPT)
    assert any("more than 3 Python files" in problem for problem in discover(project).problems)


def test_a_walk_through_millions_of_files_ends(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project_files, "ENTRY_LIMIT", 5)
    for number in range(9):
        write(project, f"data/{number}.txt", "")
    write(project, "data/deeper/a.py", SCRIPT)
    write(project, "a.py", SCRIPT)
    found = discover(project)
    assert (paths(found), found.problems) == (
        ["a.py"],
        ("The project has more than 5 files; the rest is left out.",),
    )


def test_it_ends_in_time_and_says_so(project: Path) -> None:
    write(project, "a.py", SCRIPT)
    found = discover(project, seconds=-1)
    assert found.targets == ()
    assert "left out" in found.problems[0]


def test_many_problems_are_counted(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "PROBLEM_LIMIT", 2)
    for number in range(5):
        write(project, f"bad{number}.py", "p.add_argument(:")
    found = discover(project)
    assert len(found.problems) == 3
    assert found.problems[-1] == "There are 3 further problems."


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/etc/passwd", "no path inside"),
        ("../outside/secret.py", "no path inside"),
        ("a/../../outside/secret.py", "no path inside"),
        ("-c import os", "no path inside"),
        ("", "no path inside"),
        ("a\0.py", "no path inside"),
        ("missing.py", "There is no missing.py"),
        ("linked.py", "symlink"),
        ("linked/secret.py", "symlink"),
        ("data.csv", "no Python file"),
        ("folder.py", "no file that can be read"),
    ],
)
def test_a_path_that_is_no_file_of_the_project_is_refused(
    project: Path, tmp_path: Path, path: str, sentence: str
) -> None:
    outside = write(tmp_path, "outside/secret.py", SCRIPT)
    (project / "linked.py").symlink_to(outside)
    (project / "linked").symlink_to(outside.parent)
    write(project, "data.csv", "1")
    (project / "folder.py").mkdir()
    with pytest.raises(InvalidValue, match=sentence):
        describe_script(project, path)


def test_a_link_inside_the_project_is_the_file_it_names(project: Path) -> None:
    write(project, "inner/real.py", SCRIPT)
    (project / "train.py").symlink_to("inner/real.py")
    target = describe_script(project, "train.py")
    assert (target.path, [option.name for option in target.options]) == ("train.py", ["lr"])


def test_a_script_that_reads_its_command_line_elsewhere_is_not_complete(project: Path) -> None:
    write(project, "train.py", "from common import parse_args\nargs = parse_args()\n")
    target = describe_script(project, "train.py")
    assert (target.options, target.complete) == ((), False)
    assert "declares no options itself" in target.why_not[0]
    write(project, "plain.py", "print(1)\n")
    assert describe_script(project, "plain.py").complete


def test_a_function_that_is_not_offered_is_refused_by_name(project: Path) -> None:
    write(project, "train.py", FUNCTION + "def helper(): ...\n")
    assert describe_function(project, "train.py", "train").options[0].name == "lr"
    with pytest.raises(InvalidValue, match="helper in train.py is neither marked"):
        describe_function(project, "train.py", "helper")
    with pytest.raises(InvalidValue, match="no function other. It offers train"):
        describe_function(project, "train.py", "other")
