"""Whether a target has what a sweep's definition asks of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tracking.errors import InvalidValue, Problem
from tracking.tuning.definition import (
    Choice,
    FunctionTarget,
    ParamKind,
    ParamSpace,
    ScriptTarget,
    SweepDefinition,
)
from tracking.tuning.definition_fields import closest
from tracking.tuning.targets.command import option_arguments, value_text
from tracking.tuning.targets.describe import describe_function, describe_script
from tracking.tuning.targets.options import FoundTarget, Option, Passing, TargetKind
from tracking.tuning.targets.project_files import path_problem
from tracking.tuning.toml_lines import field_name

_NUMBER = re.compile(r"-\.?\d.*")
Place = tuple[str | int, ...]

_RANGE_LIMIT = 1000
"""Whole numbers of a range that are held against an option's choices one by one."""


def check_against(definition: SweepDefinition, project: Path) -> list[Problem]:
    """Return what a definition asks for that its target does not have; nothing is executed.

    Params of a script whose options cannot all be read, and of an objective, which draws for itself, are not held
    against it. The problems have no lines.

    Args:
        definition: Checked by itself already.
        project: The folder that the target's path is relative to.
    """
    target = definition.target
    try:
        if isinstance(target, ScriptTarget):
            field: tuple[str, ...] = ("target", "script")
            found = describe_script(project, target.path)
            given = target.arguments
        elif isinstance(target, FunctionTarget):
            field = ("target", "objective" if target.objective else "function")
            found = describe_function(project, target.path, target.name)
            given = ()
        else:
            problem = path_problem(project, target.file) if target.file is not None else None
            return [_problem(("target", "file"), problem)] if problem else []
    except InvalidValue as error:
        return [_problem(field, str(error))]
    if isinstance(target, FunctionTarget) and target.objective is not (found.kind is TargetKind.OBJECTIVE):
        right = "objective" if found.kind is TargetKind.OBJECTIVE else "function"
        return [_problem(field, f'is wrong for it. Write {right} = "{target.path}:{target.name}".')]
    if found.cannot:
        return [_problem(field, found.cannot)]
    if found.kind is TargetKind.OBJECTIVE:
        return []
    return list(_Held(definition, found, given).problems())


class _Held:
    """A definition held against what was found.

    Args:
        definition: Of the sweep.
        found: Its target.
        given: Arguments that are always passed.
    """

    def __init__(self, definition: SweepDefinition, found: FoundTarget, given: tuple[str, ...]) -> None:
        self._definition = definition
        self._found = found
        self._given = given
        # Of two with the same name, that of the subcommand that is used.
        ordered = sorted(found.options, key=lambda option: option.command in given)
        self._options = {option.name: option for option in ordered}

    def problems(self) -> Iterator[Problem]:
        for param in self._definition.space:
            place = ("space", param.name)
            option = self._options.get(param.name)
            if option is None:
                yield from self._unknown(place, param.name)
            else:
                yield from _clashes(place, param, option)
                yield from self._command(place, option)
        repeats = self._definition.repeats
        if repeats is not None and repeats.vary is not None:
            option = self._options.get(repeats.vary)
            if option is None:
                yield from self._unknown(("repeats", "vary"), repeats.vary)
            else:
                places: list[Place] = [("repeats", "values", index) for index in range(len(repeats.values))]
                yield from _values(places, repeats.values, option)
        yield from self._strange_arguments()
        yield from self._missing()

    def _strange_arguments(self) -> Iterator[Problem]:
        """Find what is always passed and no option, which would end every trial; abbreviations are not taken."""
        options = self._found.options
        if not self._found.complete or not self._found.reader or self._found.takes_more:
            return
        known = {
            flag for option in options for flag in (*option.aliases, *(flag for _, flag in option.switches))
        }
        known |= {option.flag for option in options if option.flag}
        for index, argument in enumerate(self._given):
            if argument == "--":
                return
            flag = argument.partition("=")[0]
            short = not argument.startswith("--") and argument[:2] in known
            if not argument.startswith("-") or _NUMBER.fullmatch(argument) or argument == "-" or short:
                continue
            if flag not in known:
                sentence = f"{flag[:80]!r} is no option of {self._found.name}. {closest(flag, sorted(known))}"
                yield _problem(("target", "arguments", index), sentence)

    def _unknown(self, place: Place, name: str) -> Iterator[Problem]:
        if self._found.complete:
            what = "option" if self._found.kind is TargetKind.SCRIPT else "argument"
            yield _problem(
                place, f"{name!r} is no {what} of {self._found.name}. {closest(name, self._options)}"
            )

    def _command(self, place: Place, option: Option) -> Iterator[Problem]:
        if option.command is not None and option.command not in self._given:
            sentence = f"belongs to the subcommand {option.command}. Add it to the target's arguments."
            yield _problem(place, sentence)

    def _missing(self) -> Iterator[Problem]:
        always = {param.name for param in self._definition.space if not param.only_if}
        if self._definition.repeats is not None and self._definition.repeats.vary is not None:
            always.add(self._definition.repeats.vary)
        sometimes = {param.name for param in self._definition.space} - always
        for option in self._found.options:
            if not option.required or option.name in always or self._is_given(option):
                continue
            if option.command is not None and option.command not in self._given:
                continue
            how = "is left out in some trials" if option.name in sometimes else "is not given"
            where = "the space or the arguments" if self._found.kind is TargetKind.SCRIPT else "the space"
            sentence = (
                f"{option.flag or option.name}, which {self._found.name} requires, {how}. Add it to {where}."
            )
            yield _problem(("space",), sentence)

    def _is_given(self, option: Option) -> bool:
        if option.passing is Passing.POSITION:
            # Which argument belongs to which option, only the script's parser tells.
            return any(not argument.startswith("-") for argument in self._given)
        return any(
            argument == flag
            or argument.startswith(f"{flag}=")
            or (not flag.startswith("--") and argument.startswith(flag))
            for flag in option.aliases
            for argument in self._given
        )


def _clashes(place: Place, param: ParamSpace, option: Option) -> Iterator[Problem]:
    if param.kind is ParamKind.FIXED:
        yield from _values([(*place, "value")], [param.value], option)
    elif param.kind is ParamKind.CATEGORICAL:
        places: list[Place] = [(*place, "choices", index) for index in range(len(param.choices))]
        yield from _values(places, param.choices, option)
    elif (sentence := _range_clash(param, option)) is not None:
        yield _problem(place, sentence)
    else:
        yield from _bounds(place, param, option)


def _range_clash(param: ParamSpace, option: Option) -> str | None:
    shown = option.flag or option.name
    if option.passing is Passing.SWITCH or option.type == "bool":
        return f"is a range, and {shown} is switched on and off. Write choices = [true, false]."
    if option.type == "str" and option.passing is Passing.KEYWORD and not option.note:
        return f"is a range of numbers, and {shown} takes text. Write choices."
    if param.kind is ParamKind.FLOAT and option.type == "int" and not _is_whole(param):
        return f'draws fractions, and {shown} takes whole numbers. Write type = "int".'
    if option.choices:
        drawn = _drawn(param)
        if drawn is None or any(value not in option.choices for value in drawn):
            can = ", ".join(str(choice) for choice in option.choices[:20])
            return f"is a range, and {shown} takes only {can}. Write choices."
    return None


def _is_whole(param: ParamSpace) -> bool:
    return all(value is not None and float(value).is_integer() for value in (param.low, param.step))


def _drawn(param: ParamSpace) -> range | None:
    if param.kind is not ParamKind.INT or not isinstance(param.low, int) or not isinstance(param.high, int):
        return None
    drawn = range(param.low, param.high + 1, int(param.step or 1))
    return drawn if len(drawn) <= _RANGE_LIMIT else None


def _bounds(place: Place, param: ParamSpace, option: Option) -> Iterator[Problem]:
    shown = option.flag or option.name
    if option.low is not None and param.low is not None and param.low < option.low:
        yield _problem((*place, "low"), f"is {param.low}; {shown} takes no less than {option.low}.")
    if option.high is not None and param.high is not None and param.high > option.high:
        yield _problem((*place, "high"), f"is {param.high}; {shown} takes no more than {option.high}.")


def _values(places: Iterable[Place], values: Iterable[Choice], option: Option) -> Iterator[Problem]:
    for place, value in zip(places, values, strict=True):
        if (sentence := value_problem(option, value)) is not None:
            yield _problem(place, sentence)


def value_problem(option: Option, value: Choice) -> str | None:
    """Return the sentence why an option cannot take a value, None when it can."""
    shown = option.flag or option.name
    if value is None:
        return f"{shown} is required; null leaves it out." if option.required else None
    try:
        if option.passing is Passing.KEYWORD:
            _check_keyword(option, value)
        else:
            option_arguments(option, value)
    except InvalidValue as error:
        return str(error)
    alone = option.nargs in (None, "?") and not option.switches
    if option.choices and alone and str(value) not in {str(choice) for choice in option.choices}:
        can = ", ".join(str(choice) for choice in option.choices[:20])
        return f"{value!r} is none of what {shown} takes: {can}."
    if isinstance(value, int | float):
        if option.low is not None and value < option.low:
            return f"{value} is less than {option.low}, the least that {shown} takes."
        if option.high is not None and value > option.high:
            return f"{value} is more than {option.high}, the most that {shown} takes."
    return None


def _check_keyword(option: Option, value: Choice) -> None:
    """Hold a value against the annotation of an argument, where that is understood."""
    if option.note:
        return
    if option.type == "bool" and not isinstance(value, bool):
        raise InvalidValue(f"{option.name}={value!r}: it is true or false.")
    if option.type == "str" and not isinstance(value, str) and not option.choices:
        raise InvalidValue(f"{option.name}={value!r} is no text.")
    if option.type in ("int", "float"):
        if isinstance(value, str) and not option.choices:
            raise InvalidValue(f"{option.name}={value!r} is a text, and it takes numbers.")
        value_text(option, value)


def _problem(place: Place, sentence: str) -> Problem:
    return Problem(None, field_name(place), sentence)
