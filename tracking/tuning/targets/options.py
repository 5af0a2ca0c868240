"""One option of a target: what it takes, and how a value is handed to it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from tracking.tuning.definition import Choice

ValueType = Literal["float", "int", "str", "bool"]


class Passing(StrEnum):
    """How a value reaches its option."""

    JOINED = "joined"
    """`--lr=0.1`"""
    NEXT = "next"
    """`-l 0.1`: click takes no `=` after one dash."""
    TRUTH = "truth"
    """`--shuffle=True`, and `--shuffle=` for no: what `type=bool` of argparse makes of texts."""
    SWITCH = "switch"
    """`--amp`: each value has its flag, or none."""
    COUNT = "count"
    """`-v -v` for 2."""
    EACH = "each"
    """`--tag=a --tag=b`"""
    MANY = "many"
    """`--layers 64 32`"""
    POSITION = "position"
    """The value by itself."""
    KEYWORD = "keyword"
    """A keyword argument of a function."""
    DRAWN = "drawn"
    """An Optuna objective draws it for itself."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a script, argument of a function or param of an objective.

    Attributes:
        name: Of the param: the option's destination, as `learning_rate` of `--learning-rate`.
        type: Of one value.
        passing: How a value is handed over.
        flag: As it is passed, `--learning-rate`; None where there is none.
        aliases: All of its flags, the short ones too.
        switches: With `Passing.SWITCH`: values and the flag that makes each.
        default: What holds when nothing is passed; None also where it is not known.
        default_known: Whether `default` is what the source says.
        choices: The only values it takes; empty for any.
        low: The least value it takes, None for any.
        high: The largest.
        log: Whether an objective draws it evenly in its logarithm.
        step: Between the values that an objective draws.
        help: What the source says about it, one line or more.
        nargs: `"?"`, `"*"`, `"+"` or a number where several values can be given. They are one text then, separated as
            in a shell: `"64 32"`.
        required: Whether it must be given.
        path: Whether its values are files or folders.
        command: The subcommand it belongs to.
        line: Of its declaration.
        exclusive: Which group of options it belongs to that exclude each other, None for none.
        note: Why it is not fully described; empty when it is.
    """

    name: str
    type: ValueType = "str"
    passing: Passing = Passing.JOINED
    flag: str | None = None
    aliases: tuple[str, ...] = ()
    switches: tuple[tuple[Choice, str], ...] = ()
    default: Choice = None
    default_known: bool = True
    choices: tuple[Choice, ...] = ()
    low: float | int | None = None
    high: float | int | None = None
    log: bool = False
    step: float | int | None = None
    help: str = ""
    nargs: str | int | None = None
    required: bool = False
    path: bool = False
    command: str | None = None
    line: int | None = None
    exclusive: int | None = None
    note: str = ""

    @property
    def literal(self) -> bool:
        """Whether the source says everything about it."""
        return not self.note


class TargetKind(StrEnum):
    """What a target is."""

    SCRIPT = "script"
    FUNCTION = "function"
    OBJECTIVE = "objective"


@dataclass(frozen=True, slots=True)
class FoundTarget:
    """Something in a project that can be tuned.

    Attributes:
        kind: Whether it is started, called, or handed an Optuna trial.
        path: Of its file, relative to the project, with `/`.
        name: Of the function; of a script its path.
        description: First line of the docstring, or what the parser describes itself by.
        options: In the order of the source.
        complete: Whether there are no other options than these.
        why_not: Sentences about what could not be read; empty when all could.
        cannot: Why it cannot be tuned as it is; empty when it can.
        reader: What reads a script's command line: `argparse`, `click` or `typer`, empty where that is not known.
        takes_more: Whether a script takes arguments that it does not declare, to hand them on.
        logs: Whether the file mentions tracking.
        line: Where it begins.
    """

    kind: TargetKind
    path: str
    name: str
    description: str = ""
    options: tuple[Option, ...] = ()
    complete: bool = True
    why_not: tuple[str, ...] = ()
    cannot: str = ""
    reader: str = ""
    takes_more: bool = False
    logs: bool = False
    line: int = 1

    @property
    def literal(self) -> bool:
        """Whether the source says everything: which options there are, and all about each."""
        return self.complete and not self.why_not and all(option.literal for option in self.options)


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a project offers.

    Attributes:
        targets: Those that log first, then by path.
        problems: Sentences about files that were left out, each naming the file.
    """

    targets: tuple[FoundTarget, ...]
    problems: tuple[str, ...] = ()
