"""Histories on the command line: every point, or few of them with the extremes kept."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

import tracking
from tests.cli.conftest import Command


def test_a_table_of_one_metric(command: Command, three_runs: list[str]) -> None:
    done = command("history", three_runs[0], "loss")
    header, *rows = done.out.splitlines()
    assert header.split() == ["step", "value", "time"]
    assert len(rows) == 50 and rows[0].split()[:2] == ["0", "49"] and rows[-1].split()[:2] == ["49", "0"]


def test_several_metrics_say_which_is_which(command: Command, three_runs: list[str]) -> None:
    done = command("history", three_runs[2], "val/acc", "loss")
    assert done.out.splitlines()[0].split()[0] == "key"
    assert [line.split()[0] for line in done.out.splitlines()[1:3]] == ["val/acc", "loss"]
    assert "NaN" in done.out.splitlines()[1]


def test_few_points_keep_the_extremes(command: Command, store_folder: Path) -> None:
    with tracking.start_run("spiky", store=store_folder, capture=False) as run:
        for step in range(3_000):
            run.log({"loss": 1e6 if step == 1_234 else 1.0}, step=step)
    done = command("history", run.id, "loss", "--max-points", "10")
    assert len(done.out.splitlines()) <= 11 and "1,234" in done.out
    assert "of 3,000 points" in done.err
    assert len(command("history", run.id, "loss").out.splitlines()) <= 101
    assert len(command("history", run.id, "loss", "--csv").out.splitlines()) == 3_001


def test_csv_and_json_hold_the_same_points(command: Command, three_runs: list[str]) -> None:
    rows = list(csv.DictReader(io.StringIO(command("history", three_runs[2], "loss", "--csv").out)))
    points = [
        json.loads(line) for line in command("history", three_runs[2], "loss", "--json").out.splitlines()
    ]
    assert len(rows) == len(points) == 50
    assert [(int(row["step"]), float(row["value"]), row["time"]) for row in rows] == [
        (point["step"], point["value"], point["time"]) for point in points
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["lozz"], "It has: loss"),
        (["loss", "--csv", "--json"], "one of them"),
        (["loss", "--max-points", "3"], "at least 8"),
    ],
)
def test_mistakes_are_explained(
    command: Command, three_runs: list[str], arguments: list[str], says: str
) -> None:
    done = command("history", three_runs[0], *arguments)
    assert done.code == 2 and says in done.err and done.out == ""
