"""Tables from everywhere, and what is said where one cannot be learned from."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import tracking
from tests.tuning.tables.mixed_table import mixed_table
from tracking.errors import ArtifactDamaged, InvalidValue, NotFound, TrackingError
from tracking.tuning.definition import TableTarget
from tracking.tuning.tables import Task, load_table, sources
from tracking.tuning.tables.sources import DATASETS

KIND = TableTarget(column="kind", metric="accuracy", file="data.csv")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def written(project: Path, **columns: object) -> Path:
    pd.DataFrame(columns).to_csv(project / "data.csv", index=False)
    return project


@pytest.mark.parametrize("name", DATASETS)
def test_the_sets_of_scikit_learn(name: str) -> None:
    metric = "r2" if name == "diabetes" else "balanced_accuracy"
    table = load_table(TableTarget(column="target", metric=metric, dataset=name))
    assert table.task is (Task.REGRESSION if name == "diabetes" else Task.CLASSIFICATION)
    assert table.source == f"sklearn:{name}"
    assert len(table.features) == len(table.values) >= 150
    assert table.labels == {"digits": 10, "iris": 3, "wine": 3, "breast_cancer": 2, "diabetes": None}[name]
    if name == "digits":
        assert any("the same value in every row" in note and "pixel_0_0" in note for note in table.notes)


@pytest.mark.parametrize("form", ["csv", "semicolons.csv", "tsv", "parquet"])
def test_columns_are_used_by_what_they_hold(project: Path, form: str) -> None:
    frame = mixed_table()
    path = project / f"data.{form}"
    if form == "parquet":
        frame.assign(since=pd.to_datetime(frame.since), city=frame.city.astype("category")).to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep={"csv": ",", "tsv": "\t"}.get(form, ";"))
    table = load_table(replace(KIND, file=path.name), project=project)
    assert table.numbers == ("age", "income", "member", "trial", "price")
    assert table.categories == ("city", "answer")
    assert (table.features.age.isna() == frame.age.isna()).all()
    assert (table.features.city.isna() == frame.city.isna()).all()
    assert set(table.features.trial.dropna()) == {0.0, 1.0}
    assert table.values.tolist() == frame.kind.tolist()
    assert set(table.notes) == {
        "Left out, numbers of the rows: id.",
        "Left out, texts or ids that differ in most rows: name.",
        "Left out, dates and times: since.",
        "Left out, the same value in every row: currency.",
    }


def test_rows_without_a_target_are_left_out_and_said(project: Path) -> None:
    frame = mixed_table()
    frame.loc[:9, "price"] = np.nan
    frame.loc[20, "income"] = np.inf
    frame.to_csv(project / "data.csv", index=False)
    table = load_table(replace(KIND, column="price", metric="r2"), project=project)
    assert len(table.values) == 290 and table.values.dtype == float
    assert table.notes[0] == "Left out, without a value of price: 10 of 300 rows."
    assert "Infinite values count as missing: income." in table.notes
    assert table.features.income.isna().sum() == 1


def test_a_table_that_a_run_logged(project: Path, store: tracking.Store, store_folder: Path) -> None:
    frame = mixed_table()
    frame.to_csv(project / "data.csv", index=False)
    with tracking.start_run(store=store_folder, capture=False) as run:
        run.log_table(frame, "tables/customers")
        run.log_artifact(project / "data.csv", "plain")
        run.log_artifact(project, "folder")
        run.log_text("a,b", "notes")
    for name in ("tables/customers", "plain"):
        table = load_table(replace(KIND, file=None, artifact=f"{run.id}/{name}"), store=store)
        assert table.categories == ("city", "answer") and len(table.values) == 300
    for name, error, message in (
        ("nothing", NotFound, "has no artifact 'nothing'"),
        ("folder", InvalidValue, "is a folder"),
        ("notes", InvalidValue, "neither CSV nor Parquet"),
    ):
        with pytest.raises(error, match=message):
            load_table(replace(KIND, file=None, artifact=f"{run.id}/{name}"), store=store)
    with pytest.raises(InvalidValue, match="<run id>/<artifact name>"):
        load_table(replace(KIND, file=None, artifact=run.id), store=store)
    for kept in (store_folder / "objects").glob("??/*"):
        os.chmod(kept, 0o644)
        kept.write_bytes(b"changed")
    with pytest.raises(ArtifactDamaged):
        load_table(replace(KIND, file=None, artifact=f"{run.id}/plain"), store=store)


ROWS = {"size": [1.5, 2.5] * 20, "Colour": ["red", "green"] * 20, "two": ["a", "b"] * 20, "number": range(40)}


@pytest.mark.parametrize(
    ("column", "metric", "message"),
    [
        ("colour", "accuracy", "has no column 'colour'. Did you mean 'Colour'"),
        ("weight", "accuracy", "has no column 'weight'. It has: size, Colour, two, number."),
        (
            "size",
            "accuracy",
            "is for classes, and the column 'size' holds numbers .2 different ones.. Take 'r2'",
        ),
        ("number", "accuracy", "is for classes, and the column 'number' holds numbers"),
        (
            "two",
            "r2",
            "is for numbers, and the column 'two' holds others, such as 'a'. For classes take 'accuracy'",
        ),
        ("two", "top_k_accuracy", "always 1"),
        ("number", "neg_mean_gamma_deviance", "for numbers above zero, .* down to 0"),
    ],
)
def test_columns_that_do_not_fit(project: Path, column: str, metric: str, message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        load_table(replace(KIND, column=column, metric=metric), project=written(project, **ROWS))


@pytest.mark.parametrize(
    ("values", "metric", "message"),
    [
        ([None] * 12, "accuracy", "no value in any row"),
        (["a"] * 12, "accuracy", "one class only, 'a'"),
        (
            ["a"] * 9 + ["b"] * 3,
            "accuracy",
            "5 folds need 5 rows of every class; .* has 3 of 'b'. Take fewer folds",
        ),
        (["a", "b", "c"] * 4, "f1", "for two classes, .* has 3. Take 'f1_macro'"),
        (["a", "b", "c"] * 4, "roc_auc", "Take 'roc_auc_ovr'"),
        (["a", "b", "c"] * 4, "average_precision", "Take 'balanced_accuracy'"),
        ([2.5] * 12, "r2", "one value only"),
        ([1.0, 2.0, 3.5], "r2", "5 folds need at least 10 rows; there are 3"),
        ([1.0, np.inf] * 6, "r2", "infinite"),
    ],
)
def test_targets_that_cannot_be_learned(
    project: Path, values: list[object], metric: str, message: str
) -> None:
    written(project, kind=values, size=np.arange(len(values)) % 3)
    with pytest.raises(InvalidValue, match=message):
        load_table(replace(KIND, metric=metric), project=project)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"kind,size\n", "has no rows"),
        (b"kind\na\nb\n", "nothing to learn from"),
        (b"kind,size\n\xff\xfe\x00,1\n", "no text in UTF-8"),
        (b'kind,size\n"a,1\n', "cannot be read as CSV"),
        (b"kind,one\n" + b"a,1\nb,1\n" * 9, "no column to learn from.*the same value in every row: one"),
    ],
)
def test_files_that_are_no_table(project: Path, content: bytes, message: str) -> None:
    (project / "data.csv").write_bytes(content)
    with pytest.raises(InvalidValue, match=message):
        load_table(KIND, project=project)


def test_files_that_are_not_taken(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(project, **ROWS)
    (tmp_path / "outside.csv").write_text("kind,size\n")
    (project / "link.csv").symlink_to(tmp_path / "outside.csv")
    (project / "broken.parquet").write_bytes(b"PAR1 and no more")
    (project / "model.pkl").write_bytes(b"x")
    (project / "folder.csv").mkdir()
    for file, message in (
        ("../outside.csv", "outside of the project"),
        (str(tmp_path / "outside.csv"), "outside of the project"),
        ("link.csv", "outside of the project"),
        ("broken.parquet", "cannot be read as Parquet"),
        ("model.pkl", "neither CSV nor Parquet"),
        ("folder.csv", "is no file"),
    ):
        with pytest.raises(InvalidValue, match=message):
            load_table(replace(KIND, file=file), project=project)
    with pytest.raises(NotFound, match="no file 'dta.csv'. Tables beside it: data.csv"):
        load_table(replace(KIND, file="dta.csv"), project=project)
    monkeypatch.setattr(sources, "LIMIT", 100)
    with pytest.raises(InvalidValue, match="up to .* are loaded. Take a sample"):
        load_table(KIND, project=project)


def test_a_parquet_file_counts_as_large_as_it_becomes(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame({"kind": ["a", "b"] * 50_000, "size": np.arange(100_000) % 7})
    frame.to_parquet(project / "data.parquet")
    size = (project / "data.parquet").stat().st_size
    monkeypatch.setattr(sources, "LIMIT", size + 100)
    with pytest.raises(InvalidValue, match="Take a sample"):
        load_table(replace(KIND, file="data.parquet"), project=project)


def test_definitions_that_name_no_table() -> None:
    for target, message in (
        (TableTarget(column="y", metric="r2"), "exactly one"),
        (TableTarget(column="y", metric="r2", dataset="iris", file="a.csv"), "exactly one"),
        (TableTarget(column="target", metric="accuracy", dataset="irises"), "Did you mean 'iris'"),
        (TableTarget(column="label", metric="accuracy", dataset="iris"), "column to predict is 'target'"),
        (TableTarget(column="target", metric="accuracy", dataset="iris", folds=1), "two or more"),
        (TableTarget(column="target", metric="acc", dataset="iris"), "is no metric"),
        (TableTarget(column="y", metric="r2", file="a.csv"), "say which folder"),
    ):
        with pytest.raises(TrackingError, match=message):
            load_table(target)
