"""`tracking sweep init` prints a definition that is nearly ready, and says what it could not know."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tracking.tuning.definition_file import read_definition
from tracking.tuning.targets.logged import goal_of, likely_metric

NEEDY = """
import argparse, tracking
parser = argparse.ArgumentParser()
parser.add_argument("--data", required=True)
parser.add_argument("where")
group = parser.add_mutually_exclusive_group()
group.add_argument("--fast", action="store_true")
group.add_argument("--slow", action="store_true")
parser.add_argument("--lr", type=float, default=0.1)
args = parser.parse_args()
with tracking.start_run("x") as run:
    run.log({"train_loss": 1, "val/accuracy": 2, "epoch": 3}, step=0)
"""
COMMANDS = """
import argparse
parser = argparse.ArgumentParser()
commands = parser.add_subparsers()
train = commands.add_parser("train")
train.add_argument("--lr", type=float, default=0.1)
other = commands.add_parser("evaluate")
other.add_argument("--k", type=int, default=5)
parser.parse_args()
"""
LOOP = """
import argparse
from dataclasses import dataclass, fields

@dataclass
class Config:
    lr: float = 0.1
    depth: int = 3

parser = argparse.ArgumentParser()
for each in fields(Config):
    parser.add_argument("--" + each.name, type=each.type, default=each.default)
args = parser.parse_args()
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that is the working directory."""
    for name, text in (("needy.py", NEEDY), ("sub.py", COMMANDS)):
        (tmp_path / name).write_text(text)
    rows = [f"{n},{n * 0.37:.2f},{n % 2}" for n in range(40)]
    (tmp_path / "data.csv").write_text("\n".join(["a,b,label", *rows]))
    (tmp_path / "numbers.csv").write_text(
        "\n".join(["a,label_,z", *(f"{n},{n % 3},{n * 0.37}" for n in range(40))])
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_only_the_user_knows_is_a_comment(folder: Path, command: Command) -> None:
    text = command("sweep", "init", "needy.py").out
    definition = read_definition(text)
    assert [param.name for param in definition.space] == ["fast", "lr"]
    assert "--slow does not go together with --fast" in text
    assert "# [space.data]\n# value = " in text and "# where is required" in text
    (objective,) = definition.objectives
    assert (objective.metric, objective.goal.value) == ("val/accuracy", "maximize")
    (folder / "s.toml").write_text(text)
    refused = command("sweep", "check", "s.toml")
    assert refused.code == 2 and "--data" in refused.out
    filled = text.replace("# [space.data]\n# value", "[space.data]\nvalue")
    (folder / "s.toml").write_text(filled.replace('"needy.py"', '"needy.py"\narguments = ["here"]'))
    done = command("sweep", "check", "s.toml")
    assert done.code == 0, done


def test_a_subcommand_is_chosen(folder: Path, command: Command) -> None:
    first = command("sweep", "init", "sub.py")
    assert first.code == 0 and "--command evaluate" in first.out and "[space." not in first.out
    text = command("sweep", "init", "sub.py", "--command", "train", "--metric", "loss").out
    (folder / "s.toml").write_text(text)
    assert 'arguments = ["train"]' in text and "[space.lr]" in text and "space.k" not in text
    assert command("sweep", "check", "s.toml").code == 0
    wrong = command("sweep", "init", "sub.py", "--command", "trian")
    assert wrong.code == 2 and "Did you mean 'train'?" in wrong.err


@pytest.mark.parametrize(
    ("target", "column", "metric"),
    [
        ("digits", "target", "accuracy"),
        ("diabetes", "target", "r2"),
        ("data.csv", "label", "accuracy"),
        ("numbers.csv", "z", "r2"),
    ],
)
def test_a_table_needs_no_code(folder: Path, command: Command, target: str, column: str, metric: str) -> None:
    done = command("sweep", "init", target)
    assert done.code == 0 and f'column = "{column}"' in done.out and f'metric = "{metric}"' in done.out, done
    (folder / "s.toml").write_text(done.out)
    assert command("sweep", "check", "s.toml").code == 0
    assert "tracking sweep init data.csv" in command("sweep", "targets").err


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        (("loss", "acc"), "acc"),
        (("loss", "val_loss"), "val_loss"),
        (("epoch", "valAUC", "loss"), "valAUC"),
        (("val/error", "test/f1"), "test/f1"),
        (("epoch", "x"), None),
    ],
)
def test_the_likely_metric(metrics: tuple[str, ...], expected: str | None) -> None:
    assert likely_metric(metrics) == expected


def test_goals_follow_names() -> None:
    names = {
        "val_loss": "minimize",
        "RMSE": "minimize",
        "top1_acc": "maximize",
        "r2": "maximize",
        "roc_auc": "maximize",
    }
    for name, goal in names.items():
        found = goal_of(name)
        assert found is not None and found.value == goal, name
    assert goal_of("thing") is None


def test_options_declared_in_a_loop_are_a_target_that_is_asked(folder: Path, command: Command) -> None:
    (folder / "dc.py").write_text(LOOP)
    assert "dc.py" in command("sweep", "targets").out
    first = command("sweep", "init", "dc.py", "--metric", "loss")
    assert first.code == 0 and "--probe" in first.err and "line 12" in first.out, first
    asked = command("sweep", "init", "dc.py", "--metric", "loss", "--probe")
    assert asked.code == 0 and "[space.lr]" in asked.out and "[space.depth]" in asked.out, asked
    (folder / "s.toml").write_text(asked.out)
    assert command("sweep", "check", "s.toml").code == 0
