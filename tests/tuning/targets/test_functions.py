"""Functions that can be tuned are described by their signature, objectives by what they draw."""

from __future__ import annotations

import textwrap
from typing import Literal

import pytest

from tracking.errors import InvalidValue
from tracking.tuning.targets.functions import functions_in
from tracking.tuning.targets.options import FoundTarget, Option, Passing, TargetKind
from tracking.tuning.targets.source import Source, parse
from tracking.tuning.targets.tunable import is_tunable, tunable


def found(text: str) -> list[FoundTarget]:
    source = parse("train.py", textwrap.dedent(text).encode())
    assert isinstance(source, Source), source
    return list(functions_in(source, logs=True))


def options(signature: str, head: str = "") -> dict[str, Option]:
    (target,) = found(f"import tracking\n{head}\n@tracking.tunable\ndef train({signature}): ...\n")
    return {option.name: option for option in target.options}


@pytest.mark.parametrize(
    ("head", "mark"),
    [
        ("import tracking", "tracking.tunable"),
        ("import tracking", "tracking.tunable()"),
        ("import tracking as t", "t.tunable"),
        ("from tracking import tunable", "tunable"),
        ("from tracking import tunable as mark", "mark()"),
    ],
)
def test_a_marked_function_is_found_however_the_mark_is_imported(head: str, mark: str) -> None:
    (target,) = found(f'{head}\n@{mark}\ndef train(lr: float = 0.1):\n    """Train it.\n\n    Long."""\n')
    assert (target.kind, target.name, target.description) == (TargetKind.FUNCTION, "train", "Train it.")
    assert target.literal


def test_what_is_not_marked_or_no_function_of_the_module_is_none() -> None:
    text = """
        from elsewhere import tunable
        import tracking
        @tunable
        def one(lr: float = 0.1): ...
        class Model:
            @tracking.tunable
            def two(self, lr: float = 0.1): ...
        def three(lr: float = 0.1): ...
        """
    assert found(text) == []


def test_arguments_are_options() -> None:
    read = options(
        "data: str, lr: float = 1e-3, depth: 'int' = 2, fast: bool = False, *, kind: Literal['a', 'b'] = 'a', "
        "decay: Optional[float] = None, width: int | None = 8, guessed=0.5, out: Path = 'x', optim: Optim = Optim.SGD",
        "from typing import Literal, Optional\nfrom pathlib import Path\nfrom enum import Enum\n"
        "class Optim(Enum):\n    SGD = 'sgd'\n    ADAM = 'adam'\n",
    )
    assert {name: (option.type, option.default) for name, option in read.items()} == {
        "data": ("str", None),
        "lr": ("float", 1e-3),
        "depth": ("int", 2),
        "fast": ("bool", False),
        "kind": ("str", "a"),
        "decay": ("float", None),
        "width": ("int", 8),
        "guessed": ("float", 0.5),
        "out": ("str", "x"),
        "optim": ("str", "sgd"),
    }
    assert (read["kind"].choices, read["optim"].choices) == (("a", "b"), ("sgd", "adam"))
    assert [name for name, option in read.items() if option.required] == ["data"]
    assert {option.passing for option in read.values()} == {Passing.KEYWORD}
    assert read["out"].path
    assert [name for name, option in read.items() if not option.literal] == ["optim"]
    assert "not the member" in read["optim"].note


@pytest.mark.parametrize(
    ("argument", "note"),
    [
        ("x: float = compute()", "default compute() is not literal"),
        ("x: Model = None", "type Model"),
        ("x", "neither a type nor a default"),
        ("x: list[int] = (1, 2)", "several values"),
        ("x: int | str = 1", "type int | str"),
        ("x: Literal[A.B] = 1", "not literal"),
    ],
)
def test_what_only_running_tells_is_said(argument: str, note: str) -> None:
    assert note in options(argument, "from typing import Literal")["x"].note


def test_what_cannot_be_called_by_keyword_is_said() -> None:
    (target,) = found("import tracking\n@tracking.tunable\nasync def train(lr=0.1): ...\n")
    assert "asynchronous" in target.cannot
    (target,) = found("import tracking\n@tracking.tunable\ndef train(lr=0.1, /, **more): ...\n")
    assert "takes lr by position only" in target.cannot
    assert not target.complete
    assert "**more" in target.why_not[0]


def test_an_objective_says_what_it_draws() -> None:
    (target,) = found(
        """
        import optuna
        KINDS = ["svm", "forest"]
        def objective(trial: optuna.Trial) -> float:
            "Best of two."
            if trial.suggest_categorical("kind", KINDS) == "svm":
                c = trial.suggest_float("c", 1e-4, 1e2, log=True)
            else:
                depth = trial.suggest_int("depth", 2, high=32, step=2)
            trial.suggest_float("top", 0.0, limit())
            return trial.suggest_int("depth", 2, 32)
        """
    )
    assert (target.kind, target.name, target.description) == (
        TargetKind.OBJECTIVE,
        "objective",
        "Best of two.",
    )
    kind, c, depth, top = target.options
    assert (kind.name, kind.type, kind.choices) == ("kind", "str", ("svm", "forest"))
    assert (c.type, c.low, c.high, c.log) == ("float", 1e-4, 1e2, True)
    assert (depth.type, depth.low, depth.high, depth.step) == ("int", 2, 32, 2)
    assert (top.low, top.high) == (0.0, None)
    assert "limit() is not literal" in top.note
    assert target.complete


def test_params_named_while_running_leave_an_objective_incomplete() -> None:
    (target,) = found("def f(trial):\n    for n in names():\n        trial.suggest_float(n, 0, 1)\n")
    assert (target.options, target.complete) == ((), False)
    assert "line 3" in target.why_not[0]


@pytest.mark.parametrize(
    "text",
    [
        "def f(trial): return 1",
        "def f(trial, data):\n    return trial.suggest_float('x', 0, 1)",
        "def f(trial, *, data):\n    return trial.suggest_float('x', 0, 1)",
        "def f(other):\n    return other.suggest_float('x', 0, 1)",
        "class A:\n    def f(self, trial):\n        return trial.suggest_float('x', 0, 1)",
    ],
)
def test_what_optuna_could_not_call_with_a_trial_is_no_objective(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize("annotation", ["optuna.Trial", "'optuna.Trial'", "optuna.trial.Trial", "Trial"])
def test_an_annotated_trial_may_have_any_name(annotation: str) -> None:
    (target,) = found(f"def f(t: {annotation}, more=1):\n    return t.suggest_float('x', 0, 1)\n")
    assert target.kind is TargetKind.OBJECTIVE


def test_the_mark_leaves_a_function_as_it_is() -> None:
    def train(lr: float = 0.1, kind: Literal["a", "b"] = "a") -> float:
        """Train it."""
        return lr

    marked = tunable(train)
    assert marked is train
    assert is_tunable(marked)
    assert marked(0.5) == 0.5

    @tunable()
    def other() -> int:
        return 1

    assert is_tunable(other)
    assert not is_tunable(test_the_mark_leaves_a_function_as_it_is)


def test_marking_what_cannot_be_called_is_refused() -> None:
    with pytest.raises(InvalidValue, match="marks functions, and 3"):
        tunable(3)  # type: ignore[call-overload]
