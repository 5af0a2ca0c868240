"""The command line of a script with params: a list of arguments, which no shell ever sees."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tracking.errors import InvalidValue
from tracking.tuning.definition import Choice, ScriptTarget
from tracking.tuning.targets.options import Option, Passing

ARGUMENT_LIMIT = 100_000
"""Bytes of one argument; Linux takes 131,071."""

_NEGATIVE_NUMBER = re.compile(r"-\d+|-\d*\.\d+")


def script_command(
    project: Path,
    target: ScriptTarget,
    options: Iterable[Option],
    params: Mapping[str, Choice],
    *,
    python: str = sys.executable,
) -> list[str]:
    """Return what to start for a script with these params.

    Every value is part of one argument of its own, whatever characters it has. A param that is None is not passed. A
    param that no option describes is passed as `--<name>=<value>`: scripts that cannot be read in full have such ones.
    `arguments` come before the params, but after those of the main parser where a script has subcommands.

    Args:
        project: The folder that the script's path is relative to, and the one to start it in.
        target: The script and what is always passed.
        options: As described by `describe` or `probe_script`.
        params: By the name of the option.
        python: The interpreter.

    Raises:
        InvalidValue: A value that its option cannot take.
    """
    # Of two with the same name, that of the subcommand that is used.
    ordered = sorted(options, key=lambda option: option.command in target.arguments)
    known = {option.name: option for option in ordered}
    has_commands = any(option.command for option in known.values())
    before: list[str] = []
    after: list[str] = []
    positions: list[tuple[int, list[str]]] = []
    order = {name: number for number, name in enumerate(known)}
    for name, value in params.items():
        if value is None:
            continue
        option = known.get(name) or Option(name=name, flag=f"--{name}", default_known=False)
        arguments = option_arguments(option, value)
        if option.passing is Passing.POSITION:
            positions.append((order[name], arguments))
        elif has_commands and name in known and option.command is None:
            before += arguments
        else:
            after += arguments
    placed = [argument for _, arguments in sorted(positions) for argument in arguments]
    # Before the options: one that takes several values would swallow them.
    ahead, behind = (placed, []) if not any(p.startswith("-") for p in placed) else ([], ["--", *placed])
    command = [python, str(project / target.path), *before, *target.arguments, *ahead, *after, *behind]
    for argument in command:
        _check(argument)
    return command


def option_arguments(option: Option, value: Choice) -> list[str]:
    """Return the arguments that hand a value to an option, none for None.

    Raises:
        InvalidValue: A value that the option cannot take.
    """
    flag = option.flag or ""
    if value is None:
        return []
    match option.passing:
        case Passing.SWITCH:
            return _switch(option, value)
        case Passing.COUNT:
            if not isinstance(value, int) or value < 0:
                raise InvalidValue(f"{option.name}={value!r}: {flag} is counted. Give a whole number from 0.")
            return [flag] * value
        case Passing.NEXT:
            return [flag, value_text(option, value)]
        case Passing.TRUTH:
            return [f"{flag}={True if _truth(option, value) else ''}"]
        case Passing.EACH:
            return [f"{flag}={part}" for part in _several(option, value)]
        case Passing.MANY:
            return _many(option, _several(option, value))
        case Passing.POSITION:
            return _several(option, value) if option.nargs not in (None, "?") else [value_text(option, value)]
        case Passing.JOINED:
            return [f"{flag}={value_text(option, value)}"]
        case Passing.KEYWORD | Passing.DRAWN:
            raise InvalidValue(f"{option.name} belongs to a function: it has no command line.")


def value_text(option: Option, value: Choice) -> str:
    """Return one value as the text that the option's type reads it from.

    Raises:
        InvalidValue: The type cannot take the value.
    """
    wrong = InvalidValue(f"{option.name}={value!r} is no {_NOUN[option.type]}, which {_shown(option)} takes.")
    if option.type == "int":
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        if isinstance(value, float) or isinstance(value, bool):
            raise wrong
    if option.type == "float" and isinstance(value, bool):
        raise wrong
    if option.type in ("int", "float") and isinstance(value, str):
        try:
            int(value) if option.type == "int" else float(value)
        except ValueError:
            raise wrong from None
    return str(value)


_NOUN = {"int": "whole number", "float": "number", "bool": "truth value", "str": "text"}


def _shown(option: Option) -> str:
    return option.flag or option.name


def _truth(option: Option, value: Choice) -> bool:
    if isinstance(value, bool):
        return value
    raise InvalidValue(f"{option.name}={value!r}: {_shown(option)} takes true or false.")


def _switch(option: Option, value: Choice) -> list[str]:
    for switched, flag in option.switches:
        if switched == value and isinstance(switched, bool) == isinstance(value, bool):
            return [flag]
    if option.default_known and (option.default or False) == (value or False):
        return []
    if not option.default_known and option.type == "bool" and isinstance(value, bool):
        return []
    can = ", ".join(repr(switched) for switched, _ in option.switches)
    raise InvalidValue(f"{option.name}={value!r}: the script has no flag for it. Its flags make {can}.")


def _several(option: Option, value: Choice) -> list[str]:
    if not isinstance(value, str):
        return [value_text(option, value)]
    try:
        parts = shlex.split(value)
    except ValueError as error:
        raise InvalidValue(
            f"{option.name}={value!r} takes several values, separated as in a shell: {error}."
        ) from None
    return [value_text(option, part) for part in parts]


def _many(option: Option, parts: Sequence[str]) -> list[str]:
    flag = _shown(option)
    if len(parts) == 1 and option.nargs != 0 and flag.startswith("--"):
        return [f"{flag}={parts[0]}"]
    for part in parts:
        if part.startswith("-") and not _NEGATIVE_NUMBER.fullmatch(part):
            raise InvalidValue(
                f"{option.name}: {part!r} begins with a dash and would be read as an option after {flag}."
            )
    return [flag, *parts]


def _check(argument: str) -> None:
    shown = argument if len(argument) <= 60 else f"{argument[:60]}…"
    if "\0" in argument:
        raise InvalidValue(f"{shown!r} has a null character, which no argument of a program can have.")
    try:
        size = len(argument.encode())
    except UnicodeEncodeError:
        raise InvalidValue(f"{shown!r} is no valid Unicode and cannot be an argument of a program.") from None
    if size > ARGUMENT_LIMIT:
        raise InvalidValue(
            f"{shown!r} has {size:,} bytes; an argument of a program can have {ARGUMENT_LIMIT:,}."
        )
