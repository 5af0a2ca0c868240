"""What a script declares with argparse is read from its source as argparse itself would say it."""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.tuning.targets.argparse_script import FULL
from tracking.tuning.definition import ScriptTarget
from tracking.tuning.targets.argparse_source import declared_with_argparse
from tracking.tuning.targets.command import script_command
from tracking.tuning.targets.declarations import Declared
from tracking.tuning.targets.options import Option, Passing
from tracking.tuning.targets.source import Source, parse


def read(text: str) -> Declared:
    source = parse("train.py", textwrap.dedent(text).encode())
    assert isinstance(source, Source), source
    return declared_with_argparse(source)


def named(text: str) -> dict[str, Option]:
    return {option.name: option for option in read(text).options}


@pytest.fixture
def full() -> dict[str, Option]:
    return named(FULL)


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    names: dict[str, Any] = {}
    exec(compile(FULL.replace("args = parser.parse_args()", ""), "train.py", "exec"), names)
    made = names["parser"]
    assert isinstance(made, argparse.ArgumentParser)
    return made


def test_every_destination_is_found(full: dict[str, Option], parser: argparse.ArgumentParser) -> None:
    assert set(full) == {action.dest for action in parser._actions} - {"help"}
    assert read(FULL).complete
    assert (read(FULL).description, read(FULL).why_not) == ("Train it.", [])


def test_defaults_are_those_of_the_parser(full: dict[str, Option], parser: argparse.ArgumentParser) -> None:
    said = vars(parser.parse_args(["--name=n", "d"]))
    read_ones = {name: option.default for name, option in full.items() if option.passing is not Passing.MANY}
    said["out"] = str(said["out"])
    assert read_ones | {"name": "n", "data": "d"} == {name: said[name] for name in read_ones}
    assert full["layers"].default == "64 32"


@pytest.mark.parametrize(
    ("name", "value", "arrives"),
    [
        ("lr", 1e-05, 1e-05),
        ("epochs", 3, 3),
        ("batch_size", 128, 128),
        ("model", "cnn", "cnn"),
        ("rate", 0.01, 0.01),
        ("dropout", -0.25, -0.25),
        ("optimizer", "adam", "adam"),
        ("optimizer", "lamb", "lamb"),
        ("optimizer", "sgd", "sgd"),
        ("gpu", True, True),
        ("amp", True, True),
        ("amp", False, False),
        ("shuffle", True, True),
        ("shuffle", False, False),
        ("augment", True, True),
        ("augment", False, False),
        ("layers", "8 16", [8, 16]),
        ("layers", 8, [8]),
        ("tag", "a 'b c'", ["a", "b c"]),
        ("verbose", 3, 3),
        ("bias", True, True),
        ("bias", False, False),
        ("out", "a b/c", Path("a b/c")),
        ("name", "-x", "-x"),
        ("warmup", 4, 4),
        ("warmup", None, None),
        ("more", "this", "this"),
    ],
)
def test_a_value_arrives_as_it_was(
    full: dict[str, Option], parser: argparse.ArgumentParser, name: str, value: Any, arrives: Any
) -> None:
    params = {"name": "n", "data": "d", name: value}
    argv = script_command(Path("/p"), ScriptTarget("train.py"), full.values(), params)
    assert getattr(parser.parse_args(argv[2:]), name) == arrives


def test_types_and_bounds(full: dict[str, Option]) -> None:
    types = {name: option.type for name, option in full.items()}
    assert types["lr"] == types["rate"] == types["dropout"] == "float"
    assert types["epochs"] == types["batch_size"] == types["verbose"] == types["layers"] == "int"
    assert types["gpu"] == types["amp"] == types["augment"] == types["bias"] == "bool"
    assert full["model"].choices == ("cnn", "mlp")
    assert full["rate"].choices == (0.1, 0.01)
    assert full["optimizer"].choices == ("sgd", "adam", "lamb")
    assert {name for name, option in full.items() if option.required} == {"name", "data"}
    assert full["out"].path
    assert full["lr"].help == "rate, 0.5 as it is"
    assert all(option.literal for option in full.values())


@pytest.mark.parametrize(
    ("line", "note"),
    [
        ("parser.add_argument('--x', default=os.cpu_count())", "default os.cpu_count() is not literal"),
        ("parser.add_argument('--x', choices=names())", "choices names() is not literal"),
        ("parser.add_argument('--x', type=positive, default=3)", "read by positive"),
        ("parser.add_argument('--x', default=0.1)", "no type="),
        ("parser.add_argument('--x', action=Mine)", "action Mine is not known"),
        ("parser.add_argument('--x', **more)", "**more"),
        ("if flag:\n    parser.add_argument('--x')", "under an if"),
        ("parser.add_argument('--x', default=TWICE)", "TWICE is not literal"),
    ],
)
def test_what_only_running_tells_is_said_of_the_option(line: str, note: str) -> None:
    text = f"import argparse, os\nTWICE = 1\nTWICE = 2\nparser = argparse.ArgumentParser()\n{line}\n"
    (option,) = read(text).options
    assert note in option.note
    assert not option.literal


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("for n in names:\n    parser.add_argument(f'--{n}')", "line 4"),
        ("parser.add_argument(*flags)", "not literal"),
        ("parser.add_argument(3)", "not named by a text"),
        ("parser.add_argument('--x', dest=there)", "destination"),
        ("other = argparse.ArgumentParser(parents=[elsewhere.parser])", "elsewhere.parser"),
    ],
)
def test_options_that_cannot_be_named_leave_the_list_incomplete(line: str, sentence: str) -> None:
    declared = read(f"import argparse\nparser = argparse.ArgumentParser()\n{line}\nparser.parse_args()\n")
    assert not declared.complete
    assert any(sentence in said for said in declared.why_not)


def test_functions_that_add_options_to_their_argument_count_for_the_parser() -> None:
    options = named(
        """
        import argparse
        def add_options(p):
            p.add_argument("--lr", type=float, default=0.1)
        class Script:
            def __init__(self):
                self.parser = argparse.ArgumentParser()
            def run(self):
                add_options(self.parser)
                self.parser.add_argument("--epochs", type=int, default=3)
                self.parser.parse_args()
        """
    )
    assert set(options) == {"lr", "epochs"}


def test_a_parser_from_another_file_may_have_further_options() -> None:
    declared = read(
        "from common import make\nparser = make()\nparser.add_argument('--lr')\nparser.parse_args()\n"
    )
    assert [option.name for option in declared.options] == ["lr"]
    assert declared.why_not == ["Its parser is made in another file."]


def test_parents_give_their_options_once() -> None:
    declared = read(
        """
        import argparse
        common = argparse.ArgumentParser(add_help=False)
        common.add_argument("--seed", type=int, default=0)
        parser = argparse.ArgumentParser(parents=[common])
        parser.add_argument("--lr", type=float, default=0.1)
        args = parser.parse_args()
        """
    )
    assert [option.name for option in declared.options] == ["seed", "lr"]
    assert declared.complete


def test_options_of_subcommands_name_their_command() -> None:
    declared = read(
        """
        import argparse
        parser = argparse.ArgumentParser()
        parser.add_argument("--seed", type=int, default=0)
        commands = parser.add_subparsers()
        train = commands.add_parser("train")
        train.add_argument("--lr", type=float, default=0.1)
        args = parser.parse_args()
        """
    )
    assert [(option.name, option.command) for option in declared.options] == [("seed", None), ("lr", "train")]


def test_names_that_name_names_do_not_fill_the_memory() -> None:
    lines = ["A0 = (1, 2)"] + [f"A{n} = (" + f"A{n - 1}, " * 30 + ")" for n in range(1, 15)]
    (option,) = read(
        "import argparse\n" + "\n".join(lines) + "\np = argparse.ArgumentParser()\n"
        "p.add_argument('--x', choices=A14)\np.parse_args()\n"
    ).options
    assert "is not literal" in option.note
