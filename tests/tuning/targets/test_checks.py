"""A definition that asks for what its target does not have is told so, with the field."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tracking.records import Goal
from tracking.tuning.definition import (
    FunctionTarget,
    Objective,
    OnlyIf,
    ParamKind,
    ParamSpace,
    Repeats,
    ScriptTarget,
    SweepDefinition,
    TableTarget,
)
from tracking.tuning.targets.checks import check_against

SCRIPT = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--batch-size", type=int, default=8)
parser.add_argument("--model", choices=["mlp", "cnn"], default="mlp")
parser.add_argument("--depth", type=int, choices=[1, 2, 4], default=1)
parser.add_argument("--amp", action="store_true")
parser.add_argument("--layers", type=int, nargs="+", default=[8])
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--note")
args = parser.parse_args()
"""
NEEDY = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("-d", "--data", required=True)
parser.add_argument("place")
parser.add_argument("--lr", type=float, default=0.1)
parser.parse_args()
"""
COMMANDS = """
import argparse
parser = argparse.ArgumentParser()
commands = parser.add_subparsers()
train = commands.add_parser("train")
train.add_argument("--lr", type=float, required=True)
test = commands.add_parser("test")
test.add_argument("--on", required=True)
parser.parse_args()
"""
FUNCTIONS = """
import tracking
from typing import Literal
@tracking.tunable
def train(data: str, lr: float = 0.1, depth: int = 2, kind: Literal["a", "b"] = "a", fast: bool = False): ...
@tracking.tunable
def more(lr: float = 0.1, **other): ...
@tracking.tunable
async def later(lr: float = 0.1): ...
def objective(trial): return trial.suggest_float("x", 0, 1)
"""
OPEN = "from common import parser\nargs = parser.parse_args()\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    files = {
        "train.py": SCRIPT,
        "needy.py": NEEDY,
        "commands.py": COMMANDS,
        "functions.py": FUNCTIONS,
        "open.py": OPEN,
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def floats(name: str, low: float = 0.1, high: float = 1.0, **more: Any) -> ParamSpace:
    return ParamSpace(name, ParamKind.FLOAT, low=low, high=high, **more)


def ints(name: str, low: int = 1, high: int = 4, **more: Any) -> ParamSpace:
    return ParamSpace(name, ParamKind.INT, low=low, high=high, **more)


def choices(name: str, *values: Any) -> ParamSpace:
    return ParamSpace(name, ParamKind.CATEGORICAL, choices=values)


def fixed(name: str, value: Any) -> ParamSpace:
    return ParamSpace(name, ParamKind.FIXED, value=value)


TRAIN = ScriptTarget("train.py")


def definition(*space: ParamSpace, target: Any = TRAIN, **more: Any) -> SweepDefinition:
    return SweepDefinition("s", target, space, (Objective("loss", Goal.MINIMIZE),), **more)


def problems(project: Path, *space: ParamSpace, **more: Any) -> list[tuple[str, str]]:
    return [(each.field, each.sentence) for each in check_against(definition(*space, **more), project)]


@pytest.mark.parametrize(
    "param",
    [
        floats("lr"),
        ints("lr"),
        ints("batch_size"),
        floats("batch_size", 1.0, 8.0, step=1.0),
        choices("batch_size", 8, 16),
        choices("model", "mlp", "cnn"),
        choices("depth", 1, 4),
        choices("amp", True, False),
        fixed("amp", True),
        choices("layers", "8 8", "16", 32),
        choices("note", "a b", None, 3),
        floats("note"),
        ints("depth", 1, 2),
    ],
    ids=lambda param: f"{param.name}-{param.kind}",
)
def test_what_fits_has_no_problem(project: Path, param: ParamSpace) -> None:
    assert problems(project, param) == []


@pytest.mark.parametrize(
    ("param", "field", "sentence"),
    [
        (
            floats("batchsize"),
            "space.batchsize",
            "'batchsize' is no option of train.py. Did you mean 'batch_size'?",
        ),
        (floats("batch_size"), "space.batch_size", 'takes whole numbers. Write type = "int"'),
        (choices("batch_size", 8, 1.5), "space.batch_size.choices[1]", "1.5 is no whole number"),
        (
            choices("model", "mlp", "rnn"),
            "space.model.choices[1]",
            "'rnn' is none of what --model takes: mlp, cnn",
        ),
        (ints("depth", 1, 4), "space.depth", "takes only 1, 2, 4"),
        (floats("amp"), "space.amp", "switched on and off"),
        (choices("amp", True, "yes"), "space.amp.choices[1]", "'yes'"),
        (fixed("lr", "fast"), "space.lr.value", "no number"),
        (choices("layers", "8 a"), "space.layers.choices[0]", "'a' is no whole number"),
    ],
)
def test_what_does_not_fit_is_said_with_its_field(
    project: Path, param: ParamSpace, field: str, sentence: str
) -> None:
    ((found, said),) = problems(project, param)
    assert found == field
    assert sentence in said


def test_params_of_a_script_that_cannot_be_read_in_full_are_not_held_against_it(project: Path) -> None:
    assert problems(project, floats("anything"), target=ScriptTarget("open.py")) == []


def test_repeats_need_an_option_too(project: Path) -> None:
    seed = Repeats("seed", (0, 1))
    assert problems(project, floats("lr"), repeats=seed) == []
    ((field, sentence),) = problems(project, floats("lr"), repeats=replace(seed, vary="fold"))
    assert (field, "'fold' is no option" in sentence) == ("repeats.vary", True)
    ((field, sentence),) = problems(project, floats("lr"), repeats=replace(seed, values=(0, "one")))
    assert (field, "no whole number" in sentence) == ("repeats.values[1]", True)


@pytest.mark.parametrize(
    "given", [("-d", "x", "place"), ("--data=x", "place"), ("-dx", "place"), ("place", "--data", "x")]
)
def test_required_options_may_be_given_by_the_arguments(project: Path, given: tuple[str, ...]) -> None:
    assert problems(project, floats("lr"), target=ScriptTarget("needy.py", given)) == []


def test_required_options_that_nothing_gives_are_said(project: Path) -> None:
    target = ScriptTarget("needy.py")
    said = problems(project, floats("lr"), target=target)
    assert [(field, sentence.split(",")[0]) for field, sentence in said] == [
        ("space", "--data"),
        ("space", "place"),
    ]
    assert (
        problems(project, floats("lr"), fixed("data", "x"), choices("place", "a", "b"), target=target) == []
    )
    ((field, sentence),) = problems(project, fixed("data", "x"), choices("place", "a", None), target=target)
    assert (field, "place is required" in sentence) == ("space.place.choices[1]", True)
    sometimes = fixed("data", "x")
    sometimes = replace(sometimes, only_if=(OnlyIf("place", ("a",)),))
    ((_, sentence),) = problems(project, choices("place", "a", "b"), sometimes, target=target)
    assert "left out in some trials" in sentence


def test_a_subcommand_must_be_in_the_arguments(project: Path) -> None:
    assert problems(project, floats("lr"), target=ScriptTarget("commands.py", ("train",))) == []
    ((field, sentence),) = problems(project, floats("lr"), target=ScriptTarget("commands.py"))
    assert (field, "subcommand train" in sentence) == ("space.lr", True)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("missing.py", "There is no missing.py"),
        ("../x.py", "no path inside"),
        ("link.py", "symlink"),
        ("broken.py", "broken.py:1"),
    ],
)
def test_a_script_that_is_no_file_of_the_project_is_said(project: Path, path: str, sentence: str) -> None:
    (project.parent / "outside.py").write_text(SCRIPT)
    (project / "link.py").symlink_to(project.parent / "outside.py")
    (project / "broken.py").write_text("def (")
    ((field, said),) = problems(project, floats("lr"), target=ScriptTarget(path))
    assert (field, sentence in said) == ("target.script", True)


def test_a_function_is_held_against_its_signature(project: Path) -> None:
    target = FunctionTarget("functions.py", "train")
    data = fixed("data", "x")
    fits = (data, floats("lr"), ints("depth"), choices("kind", "a", "b"), choices("fast", True, False))
    assert problems(project, *fits, target=target) == []
    wrong = (
        (floats("rate"), "space.rate", "no argument of train"),
        (floats("depth"), "space.depth", "whole numbers"),
        (floats("data"), "space.data", "takes text"),
        (choices("kind", "c"), "space.kind.choices[0]", "none of what kind takes: a, b"),
        (choices("fast", 1), "space.fast.choices[0]", "true or false"),
        (choices("lr", "x"), "space.lr.choices[0]", "takes numbers"),
    )
    for param, field, sentence in wrong:
        others = () if param.name == "data" else (data,)
        ((found, said),) = problems(project, *others, param, target=target)
        assert (found, sentence in said) == (field, True), said
    ((field, said),) = problems(project, floats("lr"), target=target)
    assert (field, said.startswith("data, which train requires, is not given")) == ("space", True)


def test_a_function_with_further_keywords_takes_any_param(project: Path) -> None:
    assert problems(project, floats("anything"), target=FunctionTarget("functions.py", "more")) == []


@pytest.mark.parametrize(
    ("target", "field", "sentence"),
    [
        (FunctionTarget("functions.py", "none"), "target.function", "no function none"),
        (FunctionTarget("functions.py", "later"), "target.function", "asynchronous"),
        (
            FunctionTarget("functions.py", "objective"),
            "target.function",
            'objective = "functions.py:objective"',
        ),
        (FunctionTarget("functions.py", "train", objective=True), "target.objective", "function = "),
        (TableTarget("y", "r2", file="missing.csv"), "target.file", "There is no missing.csv"),
    ],
)
def test_a_target_that_is_not_there_is_said(project: Path, target: Any, field: str, sentence: str) -> None:
    ((found, said),) = problems(project, floats("lr"), target=target)
    assert (found, sentence in said) == (field, True), said


def test_an_objective_draws_for_itself(project: Path) -> None:
    assert problems(project, target=FunctionTarget("functions.py", "objective", objective=True)) == []
    assert problems(project, target=TableTarget("target", "accuracy", dataset="digits")) == []
