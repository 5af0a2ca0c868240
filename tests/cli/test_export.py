"""Exports: the same table in every format, whole or not at all, never over another file."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pandas as pd
import pytest

import tracking
from tests.cli.conftest import HOSTILE, Command
from tracking.store_listing import StoreListing

ALL = ["csv", "parquet", "json", "jsonl"]


def read(path: Path) -> pd.DataFrame:
    if path.suffix == ".csv":
        return pd.read_csv(path)
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    text = path.read_text()
    rows = json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.splitlines()]
    return pd.DataFrame(rows)


@pytest.mark.parametrize("ending", ALL)
def test_runs_come_back_from_every_format(
    command: Command, three_runs: list[str], tmp_path: Path, ending: str
) -> None:
    target = tmp_path / f"runs.{ending}"
    done = command("export", str(target), "--order-by", "created")
    assert (done.code, done.out) == (0, "") and "3 runs" in done.err
    frame = read(target)
    assert frame["run"].tolist() == three_runs
    assert frame["metrics.loss"].tolist() == [0.0, 1.0, 2.0]
    assert frame["params.depth"].tolist() == [-1, 0, 1]
    assert frame["params.optimizer.name"].tolist() == ["'=cmd()" if ending == "csv" else "=cmd()"] * 3
    assert [path.name for path in tmp_path.glob(".*.part")] == []


@pytest.mark.parametrize("ending", ALL)
def test_histories_come_back_from_every_format(
    command: Command, three_runs: list[str], tmp_path: Path, ending: str
) -> None:
    target = tmp_path / f"points.{ending}"
    assert command("export", str(target), "metrics.loss > 0.5", "--history").code == 0
    frame = read(target)
    assert list(frame.columns) == ["run", "key", "step", "value", "time"]
    assert set(frame["run"]) == set(three_runs[1:])
    assert len(frame) == 101
    loss = frame[(frame["key"] == "loss") & (frame["run"] == three_runs[1])]
    assert loss["value"].astype(float).tolist() == [50.0 - step for step in range(50)]


def test_parquet_keeps_types_nan_and_absence(command: Command, three_runs: list[str], tmp_path: Path) -> None:
    import pyarrow.parquet as parquet

    command("export", str(tmp_path / "runs.parquet"), "--order-by", "created")
    table = parquet.read_table(tmp_path / "runs.parquet")
    types = {field.name: str(field.type) for field in table.schema}
    assert types["created"] == "timestamp[us, tz=UTC]" and types["params.depth"] == "int64"
    absent, _, nan = table["metrics.val/acc"].to_pylist()
    assert absent is None and math.isnan(nan)


def test_params_of_several_types_are_text(command: Command, store_folder: Path, tmp_path: Path) -> None:
    for value in (1, "two", [3], True, 2**70, 1.5):
        tracking.start_run("mixed", params={"x": value}, store=store_folder, capture=False).finish()
    command("export", str(tmp_path / "runs.parquet"), "--order-by", "created")
    assert pd.read_parquet(tmp_path / "runs.parquet")["params.x"].tolist() == [
        "1", "two", "[3]", "true", str(2**70), "1.5",
    ]  # fmt: skip


def test_a_file_that_is_there_stays(command: Command, three_runs: list[str], tmp_path: Path) -> None:
    target = tmp_path / "runs.csv"
    target.write_text("precious")
    done = command("export", str(target))
    assert done.code == 2 and "--force" in done.err
    assert target.read_text() == "precious"
    assert command("export", str(target), "--force").code == 0
    assert target.read_text().startswith("run,name")


def test_a_failed_export_leaves_nothing(command: Command, three_runs: list[str], tmp_path: Path) -> None:
    target = tmp_path / "runs.csv"
    target.write_text("precious")
    done = command("export", str(target), "metrics.loss >", "--force")
    assert done.code == 2
    assert target.read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs.csv", "store"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["x.xlsx"], "--format"),
        (["nowhere/x.csv"], "no folder"),
        (["store.csv"], "folder"),
        (["-", "--key", "loss"], "--history"),
        (["-", "--history", "--run", "nobody"], "no run"),
    ],
)
def test_mistakes_are_explained(
    command: Command,
    three_runs: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "store.csv").mkdir()
    done = command("export", *arguments)
    assert done.code == 2 and says in done.err and done.err.count("\n") == 1


def test_standard_output_takes_any_format(command: Command, three_runs: list[str]) -> None:
    assert command("export", "-", "--columns", "name,params.depth").out.splitlines() == [
        "name,params.depth", "run 2,1", "run 1,0", "run 0,-1",
    ]  # fmt: skip
    assert len(json.loads(command("export", "-", "--format", "json").out)) == 3
    assert command("export", "-", "metrics.loss > 99", "--format", "json").out == "[]\n"


def test_formulas_are_quoted_also_in_headers(command: Command, store_folder: Path, tmp_path: Path) -> None:
    params = {"=key()": "+1+1", "fine": "-1.5", "at": "@x", "tab": "\t=1"}
    tracking.start_run("=experiment", name="-name", params=params, store=store_folder, capture=False).finish()
    command("export", str(tmp_path / "runs.csv"))
    with open(tmp_path / "runs.csv", newline="") as file:
        header, row = list(csv.reader(file))
    found = dict(zip(header, row, strict=True))
    assert found["experiment"] == "'=experiment" and found["name"] == "'-name"
    assert found["params.=key()"] == "'+1+1" and found["params.fine"] == "-1.5"
    assert found["params.at"] == "'@x" and found["params.tab"] == "'\t=1"


def test_a_file_holds_names_as_they_are(command: Command, hostile_store: list[str], tmp_path: Path) -> None:
    command("export", str(tmp_path / "runs.json"))
    assert json.loads((tmp_path / "runs.json").read_text())[0]["name"] == HOSTILE


def test_all_pages_are_written(
    command: Command, three_runs: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(7):
        tracking.start_run("more", params={f"p{number}": 1}, store=tmp_path / "store", capture=False).finish()
    small = (StoreListing.search_pages.__kwdefaults__ or {}) | {"rows": 2}
    monkeypatch.setattr(StoreListing.search_pages, "__kwdefaults__", small)
    assert command("export", str(tmp_path / "runs.csv")).code == 0
    frame = pd.read_csv(tmp_path / "runs.csv")
    assert len(frame) == 10
    assert [f"params.p{number}" in frame.columns for number in range(7)] == [True] * 7
