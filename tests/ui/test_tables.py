"""Tables of runs, params and metrics as text."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from tracking.records import Goal, MetricSummary, RunRecord, RunStatus
from tracking.ui import tables
from tracking.ui.colours import run_colour


def summary(key: str = "acc", **values: Any) -> MetricSummary:
    known: dict[str, Any] = {
        "key": key, "count": 10, "first": 0.1, "first_step": 0, "last": 0.8, "last_step": 9,
        "min": 0.1, "min_step": 0, "max": 0.9, "max_step": 7, "mean": 0.5, "non_finite": 0,
    }  # fmt: skip
    return MetricSummary(**(known | values))


def run(run_id: str, params: dict[str, Any] | None = None, **metrics: MetricSummary) -> RunRecord:
    return RunRecord(
        id=run_id,
        experiment="e",
        name=f"name {run_id}",
        status=RunStatus.FINISHED,
        created=datetime(2026, 1, 1, tzinfo=UTC),
        ended=None,
        duration=12.0,
        flat_params=params or {},
        metrics=metrics,
    )


def frame(**columns: list[Any]) -> pd.DataFrame:
    length = len(next(iter(columns.values())))
    first = {
        "run": [f"r{n}" for n in range(length)],
        "name": [f"run {n}" for n in range(length)],
        "experiment": ["e"] * length,
        "status": ["finished"] * length,
        "created": pd.Series([datetime(2026, 1, 2, 3, 4, tzinfo=UTC)] * length),
        "duration": [1.5] * length,
    }
    return pd.DataFrame(first | {name.replace("__", "."): values for name, values in columns.items()})


def test_runs_table_tells_nan_from_absent_and_marks_the_best() -> None:
    values = pd.Series([0.9, math.nan, None, 0.95], dtype="object")
    rows = frame(status=["finished"] * 4).assign(**{"metrics.acc": values})
    table = tables.runs_table(rows, ["metrics.acc"], {"acc": Goal.MAXIMIZE}, with_experiment=False)
    assert table.shown("metrics.acc") == ["0.9000", "NaN", "–", "0.9500"]
    assert table.frame["metrics.acc"].isna().tolist() == [False, False, True, False]
    assert table.frame["metrics.acc"][1] == -math.inf  # sorted as the worst; a blank is drawn as absent
    assert table.bold == {(3, "metrics.acc")}
    assert table.columns["metrics.acc"].label == "acc ↑"
    assert table.colours == tuple(run_colour(f"r{n}") for n in range(4))


def test_runs_of_several_experiments_are_no_rivals() -> None:
    table = tables.runs_table(frame(metrics__acc=[0.9, 0.8]), ["metrics.acc"], {"acc": Goal.MAXIMIZE})
    assert table.bold == frozenset()
    assert table.frame["experiment"].tolist() == ["e", "e"]


def test_params_are_written_as_logged_and_numbers_stand_right() -> None:
    rows = frame(params__lr=[0.1, 0.0029045013691953434], params__opt=["adam", None])
    table = tables.runs_table(rows, ["params.lr", "params.opt", "params.gone"], {})
    assert table.shown("params.lr") == ["0.1", "0.0029045"]
    assert table.frame["params.opt"].tolist() == ["adam", "–"]
    assert table.shown("params.gone") == ["–", "–"]
    assert table.columns["params.lr"].align == "right" and table.columns["params.opt"].align == "left"


def test_a_metric_and_a_param_of_one_name_are_told_apart() -> None:
    rows = frame(metrics__lr=[0.1], params__lr=[0.1], params__seed=[1])
    columns = tables.runs_table(rows, ["metrics.lr", "params.lr", "params.seed"], {}).columns
    assert [columns[name].label for name in ("metrics.lr", "params.lr", "params.seed")] == [
        "lr",
        "params.lr",
        "seed",
    ]


def test_every_cell_is_text_also_in_an_empty_table() -> None:
    table = tables.runs_table(frame(metrics__acc=[0.9]).iloc[:0], ["metrics.acc"], {})
    assert len(table.frame) == 0 and set(table.frame) == set(table.columns)


def test_nan_and_infinity_are_never_the_best() -> None:
    assert tables.best_rows([math.nan, 1.0, 2.0, math.inf], Goal.MAXIMIZE) == [2]
    assert tables.best_rows([math.nan, 1.0, 2.0, -math.inf], Goal.MINIMIZE) == [1]
    assert tables.best_rows([1.0, 1.0, 0.5], Goal.MAXIMIZE) == [0, 1]
    assert tables.best_rows([1.0, 2.0], None) == []
    assert tables.best_rows([1.0, None], Goal.MAXIMIZE) == []


def test_summary_has_the_best_by_goal_with_its_step() -> None:
    table = tables.summary_table({"acc": summary(), "loss": summary("loss")}, {"acc": Goal.MAXIMIZE})
    assert table.shown("metric") == ["acc ↑", "loss"]
    assert (table.shown("best"), table.shown("best_step")) == (["0.9", "–"], ["7", "–"])


def test_summary_of_a_diverged_metric() -> None:
    diverged = summary(
        last=math.nan, min=None, min_step=None, max=None, max_step=None, mean=None, non_finite=10
    )
    table = tables.summary_table({"acc": diverged}, {"acc": Goal.MAXIMIZE})
    assert [table.shown(name)[0] for name in ("last", "best", "min", "other")] == ["NaN", "–", "–", "10"]


def test_a_run_that_diverged_late_has_extremes_and_no_best() -> None:
    table = tables.summary_table({"acc": summary(last=math.nan, non_finite=1)}, {"acc": Goal.MAXIMIZE})
    shown = [table.shown(name)[0] for name in ("last", "best", "best_step", "max", "max_step")]
    assert shown == ["NaN", "–", "–", "0.9", "7"]
    assert "its last value is not finite" in (table.columns["best"].help or "")
    recovered = tables.summary_table({"acc": summary(non_finite=3)}, {"acc": Goal.MAXIMIZE})
    assert recovered.shown("best") == ["0.9"]


@pytest.mark.parametrize("end", [math.nan, math.inf, -math.inf])
def test_a_run_that_diverged_late_never_stands_out_in_a_comparison(end: float) -> None:
    diverged = summary(max=0.99, mean=0.9, last=end)
    runs = [run("a", acc=summary(max=0.9)), run("b", acc=summary(max=0.8)), run("c", acc=diverged)]
    goals = {"acc": Goal.MAXIMIZE}
    best = tables.metric_comparison(runs, ["acc"], goals, "best")
    assert best.shown("metrics.acc") == ["0.9000", "0.8000", "–"]
    assert best.bold == {(0, "metrics.acc")}
    most = tables.metric_comparison(runs, ["acc"], goals, "max")
    assert most.shown("metrics.acc")[2] == "0.9900" and most.bold == {(0, "metrics.acc")}
    assert (2, "metrics.acc") not in tables.metric_comparison(runs, ["acc"], goals, "mean").bold


def test_param_comparison_shows_what_differs_or_everything() -> None:
    runs = [run("a", {"lr": 0.1, "n": 3, "x": None}), run("b", {"lr": 0.2, "n": 3})]
    differing = tables.param_comparison(runs)
    assert differing.frame["param"].tolist() == ["lr", "x"]
    assert differing.frame["a"].tolist() == ["0.1", "None"] and differing.frame["b"].tolist() == ["0.2", "–"]
    assert tables.param_comparison(runs, only_differing=False).frame["param"].tolist() == ["lr", "n", "x"]
    assert differing.columns["a"].label == "name a"


def test_compared_params_have_the_digits_that_tell_them_apart() -> None:
    runs = [run("a", {"lr": 0.0003829867318970853}), run("b", {"lr": 0.5})]
    table = tables.param_comparison(runs)
    assert table.frame.loc[0, ["a", "b"]].tolist() == ["0.000382987", "0.5"]
    close = [
        run("a", {"lr": 0.0003829867318970853}),
        run("b", {"lr": 0.0003829867318970854}),
        run("c", {"lr": 0.1}),
    ]
    assert tables.param_comparison(close).frame.loc[0, ["a", "b", "c"]].tolist() == [
        "0.0003829867318970853",
        "0.0003829867318970854",
        "0.1",
    ]


def test_a_control_that_turns_letters_around_is_a_sign() -> None:
    assert "\u202e" not in tables.param_comparison(
        [run("a", {"p\u202ex": "a\u202eb"}), run("b", {"p\u202ex": "c"})]
    ).frame.to_string(columns=["a", "b"])
    table = tables.params_table({"key\u202egpj": "evil\u2066x"})
    assert table.shown("param") == ["key\ufffdgpj"] and table.shown("value") == ["evil\ufffdx"]


def test_metric_comparison_takes_the_value_asked_for() -> None:
    runs = [run("a", acc=summary(max=0.9, last=0.5)), run("b", acc=summary(max=0.8, last=0.7)), run("c")]
    goals = {"acc": Goal.MAXIMIZE}
    best = tables.metric_comparison(runs, ["acc"], goals, "best")
    assert best.shown("metrics.acc") == ["0.9000", "0.8000", "–"]
    assert best.bold == {(0, "metrics.acc")}
    last = tables.metric_comparison(runs, ["acc"], goals, "last")
    assert last.bold == {(1, "metrics.acc")}
    assert best.columns["metrics.acc"].label == "acc ↑"


def test_compared_runs_of_one_colour_have_the_marker_of_their_curves() -> None:
    runs = [run(f"run-{n}", acc=summary()) for n in range(20)]
    table = tables.metric_comparison(runs, ["acc"], {}, "last")
    looks = list(zip(table.colours, table.shown("mark"), strict=True))
    assert len(set(looks)) == 20
    assert tables.metric_comparison(runs[:1], ["acc"], {}, "last").shown("mark") == [""]


def test_the_best_of_a_metric_without_a_goal_is_marked_as_its_last_value() -> None:
    runs = [run("a", acc=summary(max=0.9, last=0.5)), run("b", acc=summary(max=0.8, last=0.7))]
    best = tables.metric_comparison(runs, ["acc"], {}, "best")
    assert best.shown("metrics.acc") == ["0.5000", "0.7000"]
    assert best.columns["metrics.acc"].label == "acc (last)"
    assert "no goal" in (best.columns["metrics.acc"].help or "")
    assert tables.metric_comparison(runs, ["acc"], {}, "last").columns["metrics.acc"].label == "acc"


def test_columns_are_sorted_by_what_they_mean() -> None:
    """The browser sorts by the values of the frame and shows the texts."""
    created = [datetime(2026, 1, 2, 3, 4, second, tzinfo=UTC) for second in (2, 1, 3)]
    rows = frame(
        created=created,
        duration=[100.0, 20.0, 3.0],
        metrics__loss=[9.0, 1000.0, 10.0],
        params__n=[9, 1000, 10],
    ).assign(created=pd.Series(created))
    table = tables.runs_table(rows, ["metrics.loss", "params.n"], {})
    shown = pd.DataFrame({name: table.shown(name) for name in table.frame})
    order = {name: shown[name][table.frame[name].sort_values().index].tolist() for name in shown}
    assert order["metrics.loss"] == ["9", "10", "1,000"]
    assert order["params.n"] == ["9", "10", "1000"]
    assert order["duration"] == ["3.0 s", "20 s", "1 min 40 s"]
    assert table.frame["created"].sort_values().index.tolist() == [1, 0, 2]


def test_numbers_beyond_what_a_browser_holds_keep_their_text_and_side() -> None:
    rows = frame(metrics__loss=[1e299, 2.0, -1e20], params__seed=[2**63, 1, 2])
    table = tables.runs_table(rows, ["metrics.loss", "params.seed"], {})
    assert table.shown("metrics.loss") == ["1e+299", "2", "-1e+20"]
    assert table.frame["metrics.loss"].tolist() == [math.inf, 2.0, -math.inf]
    assert table.shown("params.seed") == [str(2**63), "1", "2"]
    assert table.frame["params.seed"].dtype == "str"


def test_a_number_is_given_the_width_of_its_longest_text() -> None:
    rows = frame(metrics__loss=[1.2345e-299, -1.0], params__lr=[0.00012345678, 1e-5])
    columns = tables.runs_table(rows, ["metrics.loss", "params.lr"], {}).columns
    for name, text in (("metrics.loss", "-1.2345e-299"), ("params.lr", "0.000123457")):
        width = columns[name].width
        assert isinstance(width, int) and width > 8 * (len(text) - 1)


def test_a_deep_param_is_headed_by_its_end() -> None:
    key = ".".join([f"level{n}" for n in range(50)] + ["leaf"])
    column = tables.runs_table(frame(**{"params__" + key: [1]}), ["params." + key], {}).columns[
        "params." + key
    ]
    assert column.label.startswith("level0…") and column.label.endswith(".leaf")
    assert column.help == f"Param {key}"
    table = tables.params_table({key: 1})
    assert table.frame["param"].tolist() == [key] and table.shown("param")[0].endswith(".leaf")


def test_long_params_are_cut_and_named() -> None:
    params = {"short": 1, "long": "x" * 1000, "lines": "a\nb"}
    cells = tables.params_table(params).frame["value"].tolist()
    assert len(cells[1]) <= tables.MAX_CELL and cells[1].endswith("…")
    assert tables.long_params(params) == ["long", "lines"]


def test_long_names_that_differ_at_their_end_stay_apart() -> None:
    names = [f"resnet50-pretrained-cosine-warmup-augmented-trial-{number:04d}" for number in range(2)]
    table = tables.runs_table(frame(name=names, experiment=[f"{name} again" for name in names]), [], {})
    for column in ("name", "experiment"):
        shown = table.shown(column)
        assert len(set(shown)) == 2 and all(len(each) <= tables.MAX_NAME for each in shown)
