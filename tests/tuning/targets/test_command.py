"""A param arrives in the script as the value it was, whatever characters it has."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking.errors import InvalidValue
from tracking.tuning.definition import Choice, ScriptTarget
from tracking.tuning.targets.command import option_arguments, script_command
from tracking.tuning.targets.options import Option, Passing

SCRIPT = ScriptTarget("train.py", ("--epochs", "20"))
LR = Option("lr", "float", flag="--lr")
NAME = Option("name", "str", flag="--name")
HOSTILE = [
    "-x",
    "--help",
    "two words",
    "a'b\"c",
    "line\nbreak",
    "$(touch pwned)",
    "; touch pwned",
    "",
    "=",
    "ü 🎉",
    "@file",
]


def command(params: dict[str, Choice], *options: Option, target: ScriptTarget = SCRIPT) -> list[str]:
    return script_command(Path("/project"), target, options, params)


def test_the_script_is_started_with_its_arguments_and_the_params() -> None:
    assert command({"lr": 0.1}, LR) == [sys.executable, "/project/train.py", "--epochs", "20", "--lr=0.1"]


def test_none_is_not_passed() -> None:
    assert command({"lr": None}, LR)[-1] == "20"


@pytest.mark.parametrize(
    ("option", "value", "arguments"),
    [
        (LR, 1e-05, ["--lr=1e-05"]),
        (LR, -0.5, ["--lr=-0.5"]),
        (LR, float("inf"), ["--lr=inf"]),
        (LR, 3, ["--lr=3"]),
        (Option("n", "int", flag="--n"), 4.0, ["--n=4"]),
        (Option("n", "int", Passing.NEXT, "-n"), -4, ["-n", "-4"]),
        (Option("n", "bool", flag="--n"), True, ["--n=True"]),
        (Option("n", "bool", Passing.TRUTH, "--n"), True, ["--n=True"]),
        (Option("n", "bool", Passing.TRUTH, "--n"), False, ["--n="]),
        (Option("v", "int", Passing.COUNT, "-v"), 2, ["-v", "-v"]),
        (Option("t", "str", Passing.EACH, "--t"), "a 'b c'", ["--t=a", "--t=b c"]),
        (Option("w", "int", Passing.MANY, "--w", nargs="+"), "64 -32", ["--w", "64", "-32"]),
        (Option("w", "int", Passing.MANY, "--w", nargs="+"), 64, ["--w=64"]),
        (Option("w", "str", Passing.MANY, "--w", nargs="*"), "", ["--w"]),
    ],
)
def test_each_kind_of_option_has_its_form(option: Option, value: Choice, arguments: list[str]) -> None:
    assert option_arguments(option, value) == arguments


def test_switches_are_there_or_not() -> None:
    on = Option("amp", "bool", Passing.SWITCH, "--amp", switches=((True, "--amp"),), default=False)
    off = Option("cuda", "bool", Passing.SWITCH, "--no-cuda", switches=((False, "--no-cuda"),), default=True)
    pair = Option("aug", "bool", Passing.SWITCH, "--aug", switches=((True, "--aug"), (False, "--no-aug")))
    given = [option_arguments(option, value) for option in (on, off, pair) for value in (True, False)]
    assert given == [["--amp"], [], [], ["--no-cuda"], ["--aug"], ["--no-aug"]]


def test_a_value_without_a_flag_is_refused() -> None:
    opt = Option("opt", "str", Passing.SWITCH, "--adam", switches=(("adam", "--adam"),), default="sgd")
    assert option_arguments(opt, "sgd") == []
    with pytest.raises(InvalidValue, match="opt='lamb'.*'adam'"):
        option_arguments(opt, "lamb")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        (LR, "fast"),
        (LR, True),
        (Option("n", "int", flag="--n"), 1.5),
        (Option("n", "int", flag="--n"), "1.5"),
        (Option("v", "int", Passing.COUNT, "-v"), -1),
        (Option("n", "bool", Passing.TRUTH, "--n"), "yes"),
        (Option("w", "str", Passing.MANY, "--w", nargs="+"), "a --help"),
        (Option("w", "str", Passing.MANY, "--w", nargs="+"), "it's"),
        (Option("x", "float", Passing.KEYWORD), 1.0),
    ],
)
def test_what_an_option_cannot_take_is_refused_by_name(option: Option, value: Choice) -> None:
    with pytest.raises(InvalidValue, match=f"^{option.name}\\b"):
        option_arguments(option, value)


@pytest.mark.parametrize("value", ["a\0b", "\udcff", "x" * 200_000])
def test_what_no_argument_can_be_is_refused(value: str) -> None:
    with pytest.raises(InvalidValue, match="argument"):
        command({"name": value}, NAME)


def test_positionals_keep_their_order_and_dashes() -> None:
    first, second = (Option(name, passing=Passing.POSITION) for name in ("first", "second"))
    assert command({"second": "b", "lr": 1, "first": "a"}, first, second, LR)[4:] == ["a", "b", "--lr=1"]
    assert command({"second": "-b", "lr": 1, "first": "a"}, first, second, LR)[4:] == [
        "--lr=1",
        "--",
        "a",
        "-b",
    ]


def test_what_belongs_to_the_main_parser_stands_before_the_subcommand() -> None:
    inner = Option("lr", "float", flag="--lr", command="train")
    target = ScriptTarget("train.py", ("train",))
    assert command({"lr": 0.1, "name": "n"}, NAME, inner, target=target)[2:] == [
        "--name=n",
        "train",
        "--lr=0.1",
    ]


def test_of_two_subcommands_with_the_same_option_the_one_that_is_used_counts() -> None:
    options = [Option("lr", "float", flag=f"--{name}-lr", command=name) for name in ("train", "test")]
    assert command({"lr": 1}, *options, target=ScriptTarget("x.py", ("train",)))[-1] == "--train-lr=1"
    assert command({"lr": 1}, *options, target=ScriptTarget("x.py", ("test",)))[-1] == "--test-lr=1"


def test_a_param_that_nothing_describes_is_passed_by_its_name() -> None:
    assert command({"batch-size": 8})[-1] == "--batch-size=8"


def test_a_script_gets_hostile_values_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(
        "import argparse, json\np = argparse.ArgumentParser()\np.add_argument('--name')\n"
        "p.add_argument('--words', nargs='*')\np.add_argument('place')\nprint(json.dumps(vars(p.parse_args())))\n"
    )
    options = (
        NAME,
        Option("words", passing=Passing.MANY, flag="--words", nargs="*"),
        Option("place", passing=Passing.POSITION),
    )
    for value in HOSTILE:
        params = {"place": value, "name": value, "words": "'two words' c"}
        argv = script_command(tmp_path, ScriptTarget("train.py"), options, params)
        done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {"name": value, "words": ["two words", "c"], "place": value}
    assert [file.name for file in tmp_path.iterdir()] == ["train.py"]


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=50))
def test_any_text_is_one_argument(text: str) -> None:
    assert command({"name": text}, NAME)[4:] == [f"--name={text}"]
