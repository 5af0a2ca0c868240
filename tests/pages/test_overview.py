"""The Overview page."""

from __future__ import annotations

import math
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

import tracking
from tests.pages.contents import OpenPage, start, texts
from tests.pages.sweeps_made import make
from tracking.store import Store
from tracking.tuning import sweep_start
from tracking.tuning.sweeps import confirm
from tracking.ui import sample_launch, start_here


def test_an_empty_store_shows_a_program_that_logs_to_it(
    open_page: OpenPage, store_folder: Path, tmp_path: Path
) -> None:
    app = open_page("overview")
    assert not app.exception and not app.error
    program = app.code[0].value
    script = tmp_path / "first_steps.py"
    script.write_text(program)
    environment_free = {"PYTHONPATH": str(Path(tracking.__file__).parents[1]), "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, str(script)], check=True, env=environment_free, cwd=tmp_path)
    with tracking.open_store(store_folder) as store:
        assert store.search()["experiment"].tolist() == ["first-steps"]


def test_the_program_has_ten_lines_or_little_more() -> None:
    assert len([line for line in start_here.PROGRAM.splitlines() if line]) <= 10


def test_runs_show_by_themselves_after_an_empty_page(open_page: OpenPage, store_folder: Path) -> None:
    app = open_page("overview")
    with tracking.open_store(store_folder) as store, start("digits", "first", {}, store) as run:
        run.log({"loss": 1.0})
        app.run()
        assert "Running now" in [heading.value for heading in app.subheader]
    app.run()
    assert [heading.value for heading in app.subheader] == ["Experiments", "Recent runs"]


def test_the_sample_button_starts_the_sample_once(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    monkeypatch.setattr(sample_launch, "start", lambda location: started.append(location.root))
    app = open_page("overview", may_act=True)
    app.button(key="sample").click().run()
    assert len(started) == 1
    assert "is starting" in texts(app)


def test_without_the_key_the_sample_cannot_be_started(open_page: OpenPage) -> None:
    app = open_page("overview")
    assert app.button(key="sample").disabled
    assert "paste the key" in texts(app)


def test_experiments_have_their_best_run(open_page: OpenPage, seeded: Store) -> None:
    app = open_page("overview")
    assert not app.exception and not app.error
    rows = app.dataframe[0].value.set_index("name")
    assert rows.loc["digits", ["runs", "best", "metric", "best_run"]].tolist() == [
        5,
        pytest.approx(2.4),
        "acc ↑",
        "run-0",
    ]
    assert math.isnan(rows.loc["*bold* [x](y)", "best"])
    assert rows["live"].tolist() == [0, 0]
    assert "broken" in app.dataframe[1].value["name"].tolist()
    assert "✕ failed" in app.dataframe[1].value["status"].tolist()


@pytest.mark.parametrize("goal", ["maximize", "minimize"])
def test_a_diverged_run_is_not_the_best_run(open_page: OpenPage, store: Store, goal: str) -> None:
    sign = 1.0 if goal == "maximize" else -1.0
    for name, values in {"good": [0.5, 0.7], "diverged": [0.5, 9.0, math.nan], "inf": [math.inf]}.items():
        with start("digits", name, {}, store) as run:
            tracking.define_metric("score", goal=goal)
            for value in values:
                run.log({"score": sign * value})
    with start("hopeless", "alone", {}, store) as run:
        tracking.define_metric("score", goal=goal)
        run.log({"score": 1.0})
        run.log({"score": math.nan})
    app = open_page("overview")
    assert not app.exception and not app.error
    rows = app.dataframe[0].value.set_index("name")
    assert rows.loc["digits", ["best", "best_run"]].tolist() == [pytest.approx(sign * 0.7), "good"]
    assert math.isnan(rows.loc["hopeless", "best"]) and rows.loc["hopeless", "best_run"] == "–"


def test_a_live_run_shows_progress_and_latest_values(open_page: OpenPage, store: Store) -> None:
    with start("digits", "a *live* one", {}, store, total_steps=40) as run:
        run.log({"loss": 0.5, "acc": float("nan")}, step=10)
        app = open_page("overview")
        assert app.progress[0].value == 25
        assert app.page_link[0].label.startswith("a \\*live\\* one")
        assert "acc NaN" in texts(app).replace("\\", "")
    app.run()
    assert "Running now" not in [heading.value for heading in app.subheader]


def test_only_a_finished_run_is_the_best(open_page: OpenPage, store: Store) -> None:
    with start("digits", "whole", {}, store) as run:
        tracking.define_metric("accuracy", goal="maximize")
        run.log({"accuracy": 0.7})
    with suppress(KeyboardInterrupt), start("digits", "killed", {}, store) as run:
        run.log({"accuracy": 0.9})
        raise KeyboardInterrupt
    rows = open_page("overview").dataframe[0].value.set_index("name")
    assert rows.loc["digits", ["best", "best_run"]].tolist() == [0.7, "whole"]


def test_fresh_runs_of_one_configuration_have_no_best_one(
    open_page: OpenPage, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep_start, "spawn", lambda *_: 0)
    make(store, trials=3)
    confirm(store.location, "s", top=2, repeats=2)
    for name in ("s", "s confirmed"):
        with start(name, "lucky", {}, store) as run:
            tracking.define_metric("accuracy", goal="maximize")
            run.log({"accuracy": 0.999})
    rows = open_page("overview").dataframe[0].value
    named = {name.strip(): best for name, best in zip(rows["name"], rows["best_run"], strict=True)}
    assert named == {"s confirmed": "–", "s": "lucky"}
