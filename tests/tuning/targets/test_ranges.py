"""A first search space follows from types and defaults, and asks nothing that the target cannot take."""

from __future__ import annotations

import pytest

from tests.conftest import ROOT
from tracking.records import Goal
from tracking.tuning.definition import Choice, Objective, ParamKind, ScriptTarget, SweepDefinition
from tracking.tuning.definition_checks import check
from tracking.tuning.targets.checks import check_against
from tracking.tuning.targets.discovery import discover
from tracking.tuning.targets.options import FoundTarget, Option, Passing, TargetKind
from tracking.tuning.targets.ranges import space_of

SWITCH = {"passing": Passing.SWITCH, "switches": ((True, "--x"),)}


def first(option: Option) -> tuple[Choice | tuple[Choice, ...] | ParamKind, ...] | None:
    space = space_of(FoundTarget(TargetKind.SCRIPT, "train.py", "train.py", options=(option,)))
    if not space:
        return None
    (param,) = space
    if param.kind is ParamKind.CATEGORICAL:
        return (param.kind, param.choices)
    if param.kind is ParamKind.FIXED:
        return (param.kind, param.value)
    return (param.kind, param.low, param.high, param.log)


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        (Option("lr", "float", default=0.003), (ParamKind.FLOAT, 0.0003, 0.03, True)),
        (Option("weight_decay", "float", default=0.0), (ParamKind.FLOAT, 0.0, 1.0, False)),
        (Option("shift", "float", default=-0.5), (ParamKind.FLOAT, -1.0, 0.0, False)),
        (Option("momentum", "float", default=0.9), (ParamKind.FLOAT, 0.0, 0.99, False)),
        (Option("attention_dropout", "float", default=0.0), (ParamKind.FLOAT, 0.0, 0.99, False)),
        (Option("hiddenDropout", "float", default=0.1), (ParamKind.FLOAT, 0.0, 0.99, False)),
        (Option("momentum", "float", default=3.0), (ParamKind.FLOAT, 0.3, 30.0, True)),
        (Option("drop", "float", default=0.5, low=0.2, high=0.8), (ParamKind.FLOAT, 0.2, 0.8, False)),
        (Option("depth", "int", default=3), (ParamKind.INT, 1, 12, False)),
        (Option("hidden", "int", default=64), (ParamKind.INT, 16, 256, True)),
        (Option("hidden", "int", default=64, low=32, high=100), (ParamKind.INT, 32, 100, True)),
        (Option("epochs", "int", default=20), (ParamKind.FIXED, 20)),
        (Option("amp", "bool", default=False, **SWITCH), (ParamKind.CATEGORICAL, (True, False))),  # type: ignore[arg-type]
        (Option("kind", "str", choices=("a", "b")), (ParamKind.CATEGORICAL, ("a", "b"))),
        (Option("kind", "str", choices=("a",)), None),
        (Option("warmup", "int", default=0), None),
        (Option("warmup", "int"), None),
        (Option("note", "str", default="x"), None),
        (Option("layers", "int", Passing.MANY, nargs="+", default=64), None),
        (Option("verbosity", "int", Passing.COUNT, default=1), None),
        (Option("width", "int", default=8, low=100), None),
        (Option("big", "float", default=float("inf")), None),
        (Option("x", "float", Passing.DRAWN, low=0, high=1), None),
        (Option("lr", "float", default=10**400), None),
        (Option("depth", "int", default=10**400), None),
        (Option("depth", "int", default=2**53), (ParamKind.INT, 2**51, 2**53, True)),
        (Option("depth", "int", choices=(1, 2, 10**400)), (ParamKind.CATEGORICAL, (1, 2))),
        (Option("lr", "float", default=1e308), None),
        (Option("shift", "float", default=-0.5, low=-0.6, high=0.6), (ParamKind.FLOAT, -0.6, 0.0, False)),
    ],
    ids=lambda value: value.name if isinstance(value, Option) else "",
)
def test_ranges_follow_types_and_defaults(option: Option, expected: object) -> None:
    assert first(option) == expected


@pytest.mark.parametrize(
    "name",
    [
        "seed",
        "random_state",
        "output_dir",
        "outputDir",
        "num_workers",
        "gpu",
        "log-every",
        "data_path",
        "fold",
    ],
)
def test_what_is_no_hyperparameter_by_its_name_is_left_out(name: str) -> None:
    assert first(Option(name, "int", default=8)) is None


@pytest.mark.parametrize("name", ["alpha", "catalogue", "backlog", "seeding_rate", "outlier_share"])
def test_names_are_compared_by_whole_words(name: str) -> None:
    assert first(Option(name, "float", default=2.0)) is not None


def test_the_space_of_every_example_fits_its_script() -> None:
    found = [target for target in discover(ROOT).targets if target.path.startswith("examples/")]
    # The walk through a promotion has nothing to tune.
    found = [target for target in found if target.path != "examples/promote_digits.py"]
    assert found
    for target in found:
        space = space_of(target)
        assert any(param.kind is not ParamKind.FIXED for param in space), target.path
        definition = SweepDefinition(
            "s", ScriptTarget(target.path), space, (Objective("loss", Goal.MINIMIZE),)
        )
        assert check(definition) == []
        assert check_against(definition, ROOT) == []
