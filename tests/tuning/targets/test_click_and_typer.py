"""What a script declares with click or typer arrives in it as it was given."""

from __future__ import annotations

import json
import subprocess
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tracking.tuning.definition import Choice, ScriptTarget
from tracking.tuning.targets.command import script_command
from tracking.tuning.targets.describe import describe_script
from tracking.tuning.targets.options import FoundTarget, Option

CLICK = '''
import json
import click

MODELS = ["mlp", "cnn"]

@click.command()
@click.option("--learning-rate", "-r", "lr", default=0.1, show_default=True, help="The rate.")
@click.option("-n", type=click.IntRange(1, 100), default=8)
@click.option("--drop", type=click.FloatRange(min=0, max=0.9), default=0.5)
@click.option("--model", type=click.Choice(MODELS), default="mlp")
@click.option("--aug/--no-aug", default=True)
@click.option("--amp", is_flag=True)
@click.option("--fast", "speed", flag_value="fast", default="slow")
@click.option("--tag", multiple=True)
@click.option("--size", nargs=2, type=int, default=(1, 2))
@click.option("-v", "--verbose", count=True)
@click.option("--shuffle", type=bool, default=True)
@click.option("--out", type=click.Path(), default="out")
@click.option("--name", required=True)
@click.argument("data")
def main(**given):
    """Train it."""
    print(json.dumps(given))

if __name__ == "__main__":
    main()
'''

TYPER = '''
import json
from enum import Enum
from typing import Annotated, Optional
import typer

class Model(str, Enum):
    MLP = "mlp"
    CNN = "cnn"

app = typer.Typer()

@app.command()
def main(
    data: str,
    lr: float = 0.1,
    n: Annotated[int, typer.Option("-n", min=1, max=100, help="How many.")] = 8,
    drop: float = typer.Option(0.5, "--dropout", help="The share."),
    model: Model = Model.MLP,
    aug: bool = True,
    amp: Annotated[bool, typer.Option("--amp")] = False,
    tag: Annotated[Optional[list[str]], typer.Option()] = None,
    decay: Optional[float] = None,
    name: str = typer.Option(...),
):
    """Train it."""
    given = dict(locals())
    given["model"] = model.value
    print(json.dumps(given))

app()
'''

GIVEN: list[tuple[str, Choice, Any]] = [
    ("lr", 1e-05, 1e-05),
    ("n", 3, 3),
    ("drop", 0.25, 0.25),
    ("model", "cnn", "cnn"),
    ("aug", False, False),
    ("aug", True, True),
    ("amp", True, True),
    ("amp", False, False),
    ("tag", "a 'b c'", ["a", "b c"]),
    ("name", "-x $(touch y)", "-x $(touch y)"),
    ("data", "--help", "--help"),
]
CLICK_ONLY: list[tuple[str, Choice, Any]] = [
    ("speed", "fast", "fast"),
    ("speed", "slow", "slow"),
    ("size", "3 4", [3, 4]),
    ("verbose", 2, 2),
    ("shuffle", False, False),
]


def described(folder: Path, text: str) -> FoundTarget:
    (folder / "train.py").write_text(textwrap.dedent(text))
    return describe_script(folder, "train.py")


def by_name(target: FoundTarget) -> dict[str, Option]:
    return {option.name: option for option in target.options}


def arrived(folder: Path, options: tuple[Option, ...], params: dict[str, Choice]) -> dict[str, Any]:
    argv = script_command(folder, ScriptTarget("train.py"), options, params)
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def rounds(cases: list[tuple[str, Choice, Any]]) -> list[list[tuple[str, Choice, Any]]]:
    """Return the cases in groups with each name once: one process for each group."""
    groups: list[list[tuple[str, Choice, Any]]] = []
    for case in cases:
        for group in groups:
            if all(case[0] != other[0] for other in group):
                group.append(case)
                break
        else:
            groups.append([case])
    return groups


@pytest.mark.parametrize(
    ("text", "cases"), [(CLICK, GIVEN + CLICK_ONLY), (TYPER, GIVEN)], ids=["click", "typer"]
)
def test_values_arrive(tmp_path: Path, text: str, cases: list[tuple[str, Choice, Any]]) -> None:
    target = described(tmp_path, text)
    for group in rounds(cases):
        params = {"name": "n", "data": "d", **{name: value for name, value, _ in group}}
        result = arrived(tmp_path, target.options, params)
        assert {name: result[name] for name, _, _ in group} == {name: expected for name, _, expected in group}


@pytest.mark.parametrize("text", [CLICK, TYPER], ids=["click", "typer"])
def test_defaults_are_those_of_the_script(tmp_path: Path, text: str) -> None:
    target = described(tmp_path, text)
    assert (target.description, target.literal) == ("Train it.", True)
    result = arrived(tmp_path, target.options, {"name": "n", "data": "d"})
    known = {
        option.name: option.default for option in target.options if not option.required and not option.nargs
    }
    assert known == {name: result[name] for name in known}
    assert set(by_name(target)) == set(result)


@pytest.mark.parametrize("text", [CLICK, TYPER], ids=["click", "typer"])
def test_types_choices_and_bounds(tmp_path: Path, text: str) -> None:
    read = by_name(described(tmp_path, text))
    assert (read["lr"].type, read["n"].type, read["aug"].type) == ("float", "int", "bool")
    assert (read["n"].low, read["n"].high) == (1, 100)
    assert set(read["model"].choices) == {"mlp", "cnn"}
    assert {name for name, option in read.items() if option.required} == {"name", "data"}


def test_typer_runs_a_plain_function(tmp_path: Path) -> None:
    target = described(
        tmp_path,
        "import typer\ndef main(lr: float = 0.1, batch_size: int = 8):\n    pass\n"
        "if __name__ == '__main__':\n    typer.run(main)\n",
    )
    assert [(option.flag, option.default, option.command) for option in target.options] == [
        ("--lr", 0.1, None),
        ("--batch-size", 8, None),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "import click\n@click.group()\n@click.option('--seed', default=0)\ndef cli(seed): ...\n"
        "@cli.command()\n@click.option('--lr', default=0.1)\ndef train(lr): ...\ncli()\n",
        "import typer\napp = typer.Typer()\n@app.callback()\ndef cli(seed: int = 0): ...\n"
        "@app.command()\ndef train(lr: float = 0.1): ...\napp()\n",
    ],
    ids=["click", "typer"],
)
def test_subcommands_are_said(tmp_path: Path, text: str) -> None:
    target = described(tmp_path, text)
    assert {option.name: option.command for option in target.options} == {"seed": None, "lr": "train"}
    assert "put one of train into its arguments" in target.why_not[0]


@pytest.mark.parametrize(
    ("mark", "note"),
    [
        ("@click.option('--x', default=compute())", "default compute() is not literal"),
        ("@click.option('--x', type=click.Choice(names()))", "not literal"),
        ("@click.option('--x', type=Mine())", "read by Mine()"),
        ("@click.option('--x', **more)", "**more"),
    ],
)
def test_what_only_running_tells_is_said(tmp_path: Path, mark: str, note: str) -> None:
    (option,) = described(
        tmp_path, f"import click\n@click.command()\n{mark}\ndef main(x): ...\nmain()\n"
    ).options
    assert note in option.note


def test_decorators_of_others_may_add_options(tmp_path: Path) -> None:
    target = described(
        tmp_path, "import click\n@click.command()\n@shared\n@click.option('--x')\ndef main(x): ...\nmain()\n"
    )
    assert not target.complete
    assert "@shared" in target.why_not[0]
