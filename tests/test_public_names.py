"""`tracking` offers the names of its contract, and importing it costs next to nothing."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

import tracking

CONTRACT = {
    # runs
    "start_run",
    "Run",
    "RunStatus",
    "log",
    "log_model",
    "log_params",
    "set_tags",
    "set_notes",
    "finish",
    "define_metric",
    "define_repeat",
    # stores
    "open_store",
    "create_study",
    "study_storage",
    "tunable",
    "Store",
    "RunRecord",
    "SweepRecord",
    "SweepState",
    # errors
    "TrackingError",
    "TrackingWarning",
    "StoreError",
    "InvalidDefinition",
    "InvalidValue",
    "NotFound",
    "RunStateError",
    "FilterError",
}
HEAVY = {"numpy", "pandas", "sqlmodel", "sqlalchemy", "alembic", "streamlit", "optuna", "plotly", "psutil"}


def test_all_is_sorted_and_has_the_contract() -> None:
    assert list(tracking.__all__) == sorted(set(tracking.__all__))
    assert set(tracking.__all__) >= CONTRACT


@pytest.mark.parametrize("name", tracking.__all__)
def test_every_public_name_resolves_and_is_documented(name: str) -> None:
    value = getattr(tracking, name)
    assert inspect.getdoc(value) or not callable(value)


def test_dir_shows_exactly_the_public_names() -> None:
    assert {name for name in dir(tracking) if not name.startswith("_")} >= set(tracking.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        tracking.no_such_name  # noqa: B018


def test_start_run_takes_its_whole_signature() -> None:
    parameters = inspect.signature(tracking.start_run).parameters
    keywords = "name params tags notes group parent total_steps resume store capture strict".split()
    assert list(parameters)[0] == "experiment"
    assert set(parameters) == {"experiment", *keywords}
    assert all(parameters[name].kind is inspect.Parameter.KEYWORD_ONLY for name in keywords)


def test_import_loads_no_heavy_package(run_script: Callable[..., CompletedProcess[str]]) -> None:
    done = run_script("import sys, tracking; print(*{m.partition('.')[0] for m in sys.modules})")
    assert done.returncode == 0, done.stderr
    assert HEAVY & set(done.stdout.split()) == set()


def test_marking_a_function_loads_no_heavy_package(run_script: Callable[..., CompletedProcess[str]]) -> None:
    done = run_script(
        """
        import sys, tracking

        @tracking.tunable
        def train(lr: float = 0.1) -> float:
            return lr

        print(train(0.5), *{m.partition('.')[0] for m in sys.modules})
        """
    )
    assert done.returncode == 0, done.stderr
    value, *modules = done.stdout.split()
    assert value == "0.5"
    assert HEAVY & set(modules) == set()


def test_logging_loads_neither_the_dashboard_nor_pandas(
    run_script: Callable[..., CompletedProcess[str]],
) -> None:
    done = run_script(
        """
        import sys, tracking
        with tracking.start_run("light") as run:
            run.log({"loss": 1.0}, step=1)
        print(*{m.partition('.')[0] for m in sys.modules})
        """
    )
    assert done.returncode == 0, done.stderr
    assert {"streamlit", "pandas", "pyarrow", "plotly", "optuna", "typer"} & set(done.stdout.split()) == set()
