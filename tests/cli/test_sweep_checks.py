"""`tracking sweep check` and `start` open what a sweep works on before anything starts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import tracking
from tests.cli.conftest import Command
from tests.tuning.sweeping import TEXT, project

TABLE = """name = "t"
[target]
{source}
column = "{column}"
metric = "{metric}"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that is the working directory, with tables."""
    found = project(tmp_path)
    monkeypatch.chdir(found)
    rows = [f"{n},{n * 7 % 11},{n % 2}" for n in range(40)]
    (found / "data.csv").write_text("\n".join(["a,b,label", *rows]))
    (found / "one.csv").write_text("a,label\n1,x\n2,x\n3,x\n4,x\n5,x\n")
    (found / "few.csv").write_text("a,label\n1,x\n2,y\n3,x\n")
    (found / "empty.csv").write_text("")
    (found / "broken.parquet").write_bytes(b"PAR1" + bytes(200) + b"PAR1")
    return found


@pytest.mark.parametrize(
    ("source", "column", "metric", "line", "field", "says"),
    [
        ('file = "data.csv"', "lable", "accuracy", 4, "target.column", "Did you mean 'label'?"),
        ('file = "empty.csv"', "label", "accuracy", 3, "target.file", "is empty"),
        ('file = "one.csv"', "label", "accuracy", 4, "target.column", "one class only"),
        ('file = "few.csv"', "label", "accuracy", 2, "target.folds", "5 folds need 5 rows"),
        ('file = "data.csv"', "a", "accuracy", 5, "target.metric", "is for classes"),
        ('file = "broken.parquet"', "a", "r2", 3, "target.file", "cannot be read as Parquet"),
        ('dataset = "iris"', "target", "f1", 5, "target.metric", "Take 'f1_macro'"),
        ('artifact = "01m7zd94x015ay4b2c38/x"', "a", "r2", 3, "target.artifact", "01m7zd94x015ay4b2c38"),
    ],
)
def test_a_table_is_opened(
    folder: Path, command: Command, source: str, column: str, metric: str, line: int, field: str, says: str
) -> None:
    (folder / "t.toml").write_text(TABLE.format(source=source, column=column, metric=metric))
    done = command("sweep", "check", "t.toml")
    assert done.code == 2 and done.out.startswith(f"t.toml:{line}: {field}: ") and says in done.out, done
    started = command("sweep", "start", "t.toml")
    assert (started.code, started.out, started.err) == (2, "", done.out)


def test_an_unknown_artifact_of_a_run_that_is_there(
    folder: Path, store_folder: Path, command: Command, three_runs: list[str]
) -> None:
    (folder / "t.toml").write_text(
        TABLE.format(source=f'artifact = "{three_runs[0]}/nothing"', column="a", metric="r2")
    )
    done = command("sweep", "check", "t.toml")
    assert done.code == 2 and "target.artifact" in done.out and "nothing" in done.out, done


def test_a_good_table_passes(folder: Path, command: Command) -> None:
    (folder / "t.toml").write_text(
        TABLE.format(source='file = "data.csv"', column="label", metric="accuracy")
    )
    assert command("sweep", "check", "t.toml").code == 0


def test_of_a_large_table_the_column_is_looked_for(folder: Path) -> None:
    from tracking.tuning.definition import TableTarget
    from tracking.tuning.targets import table_child

    with open(folder / "large.csv", "w") as file:
        file.write("a,label\n")
        file.truncate(table_child.WHOLE_LIMIT + 1)
    target = TableTarget("lable", "accuracy", file="large.csv")
    assert table_child.problem(target, folder, "")["field"] == "column"
    assert table_child.problem(TableTarget("label", "accuracy", file="large.csv"), folder, "") == {}


def test_prior_runs_of_no_experiment(
    folder: Path, store_folder: Path, command: Command, three_runs: list[str]
) -> None:
    (folder / "s.toml").write_text(TEXT + '[prior]\nexperiment = "digit"\n')
    checked = command("sweep", "check", "s.toml")
    assert checked.code == 0 and "prior.experiment is 'digit'" in checked.err
    done = command("sweep", "start", "s.toml")
    assert (
        done.code == 2 and "s.toml:25: prior.experiment" in done.err and "Did you mean 'digits'?" in done.err
    )
    plain = json.loads(command("sweep", "start", "s.toml", "--json").out)
    assert plain["ok"] is False and plain["problems"][0]["field"] == "prior.experiment"
    with tracking.open_store(store_folder) as store:
        assert store.sweeps() == []


@pytest.mark.parametrize(
    ("old", "new", "place", "says"),
    [
        ("[space.lr]", "[space.l]", "s.toml:8: space.l: ", "Did you mean 'lr'?"),
        ("[space.lr]", "[space.momentu]", "s.toml:8: space.momentu: ", "Did you mean 'momentum'?"),
        (
            '"train.py"',
            '"train.py"\narguments = ["--mom", "0.1"]',
            "s.toml:7: target.arguments[0]: ",
            "'--momentum'",
        ),
        (
            '"train.py"',
            '"train.py"\narguments = ["--bogus=1"]',
            "s.toml:7: target.arguments[0]: ",
            "no option",
        ),
        ('name = "random"', 'name = "random"\nseed = 3', "s.toml:21: sampler.seed: ", "at the top"),
        ("low = 0.01", "low = " + "1" * 5000, "s.toml:9: space.lr.low: ", "thousands of digits"),
    ],
)
def test_what_the_target_refuses_has_its_line(
    folder: Path, command: Command, old: str, new: str, place: str, says: str
) -> None:
    (folder / "s.toml").write_text(TEXT.replace(old, new))
    done = command("sweep", "check", "s.toml")
    assert done.code == 2 and done.out.startswith(place) and says in done.out, done.out


def test_arguments_that_are_options_pass(folder: Path, command: Command) -> None:
    given = 'arguments = ["--momentum=-0.5", "--wait", "x", "-1"]'
    (folder / "s.toml").write_text(TEXT.replace('"train.py"', f'"train.py"\n{given}'))
    assert command("sweep", "check", "s.toml").code == 0


def test_a_script_that_hands_arguments_on_takes_any(folder: Path, command: Command) -> None:
    script = (
        (folder / "train.py")
        .read_text()
        .replace("args = parser.parse_args()", "args, _ = parser.parse_known_args()")
    )
    (folder / "train.py").write_text(script)
    (folder / "s.toml").write_text(TEXT.replace('"train.py"', '"train.py"\narguments = ["--other", "1"]'))
    assert command("sweep", "check", "s.toml").code == 0


def test_the_size_of_a_large_file_is_its_own(folder: Path, command: Command) -> None:
    (folder / "s.toml").write_bytes(b"#" * 3_000_001)
    done = command("sweep", "check", "s.toml")
    assert done.code == 2 and "3,000,001 bytes" in done.out
