"""A project with something of every kind that a sweep can be started on, for the tests of the launch form."""

from __future__ import annotations

from pathlib import Path

TRAIN = '''
"""Train *a lot* of [things](http://x.y)."""
import argparse
import tracking

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.01)
parser.add_argument("--layers", type=int, default=2)
parser.add_argument("--optimizer", choices=["sgd", "adam"], default="sgd")
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--seed", type=int, default=0)
if __name__ == "__main__":
    args = parser.parse_args()
    with tracking.start_run("toy", params=vars(args)) as run:
        tracking.define_metric("accuracy", goal="maximize")
        run.log({"accuracy": 1 - args.lr, "loss": args.lr}, step=0)
'''
DYNAMIC = """
import argparse, pathlib

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
for name in pathlib.Path("names.txt").read_text().split():
    parser.add_argument("--" + name, type=float, default=1.0)
if __name__ == "__main__":
    parser.parse_args()
    pathlib.Path("ran-on").touch()
"""
FUNCTIONS = '''
import tracking

@tracking.tunable
def train(lr: float = 0.01, depth: int = 3) -> float:
    """Grow a tree."""
    return lr * depth

def objective(trial):
    return trial.suggest_float("x", -1, 1) ** 2
'''
NO_TARGET = 'import pathlib\n\npathlib.Path("ran-on").touch()\n'


def make_project(folder: Path) -> Path:
    """Write the project; returns its folder."""
    (folder / "data").mkdir(parents=True)
    files = {
        "train.py": TRAIN,
        "dynamic.py": DYNAMIC,
        "names.txt": "alpha beta",
        "functions.py": FUNCTIONS,
        "other.py": NO_TARGET,
        "broken.py": "parser.add_argument(",
        "data/people.csv": "age;height;label\n"
        + "".join(f"{row};{row * 7 % 11};{'ab'[row % 2]}\n" for row in range(40)),
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def definition_text(target: str = 'script = "train.py"', **more: str) -> str:
    """Return a definition file for the project; `more` replaces the bodies of its tables."""
    space = more.get("space", "[space.lr]\nlow = 1e-3\nhigh = 0.1\nlog = true")
    return (
        f'name = "from-file"\nseed = 7\nworkers = 2\n[target]\n{target}\n{space}\n'
        '[[objectives]]\nmetric = "accuracy"\ngoal = "maximize"\n[budget]\ntrials = 3\n'
    )
