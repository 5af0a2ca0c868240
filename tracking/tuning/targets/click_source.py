"""The options that a file declares with click's decorators, read from its source."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

from tracking.tuning.definition import Choice
from tracking.tuning.targets.declarations import Declared, help_text, scalar, several_text, type_of
from tracking.tuning.targets.literals import NotLiteral, shortened
from tracking.tuning.targets.options import Option, Passing, ValueType
from tracking.tuning.targets.signatures import Function
from tracking.tuning.targets.source import Source, first_line

_MODULES = ("click.", "rich_click.", "asyncclick.")
_TYPES: dict[str, ValueType] = {
    **{name: name for name in ("float", "int", "str", "bool")},
    **{"FLOAT": "float", "INT": "int", "STRING": "str", "BOOL": "bool"},
}
_RANGES: dict[str, ValueType] = {"IntRange": "int", "FloatRange": "float"}
_READ = {"default", "required", "multiple", "nargs", "is_flag", "flag_value", "help", "count", "expose_value"}


def declared_with_click(source: Source) -> Declared:
    """Return what the commands of a file declare."""
    result = Declared()
    commands = []
    for node in source.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            marks = [_method(mark, source) for mark in node.decorator_list]
            if "command" in marks or "group" in marks:
                commands.append((node, "group" in marks))
    several = sum(not is_group for _, is_group in commands) > 1 or any(is_group for _, is_group in commands)
    for function, is_group in commands:
        command = _command_name(function, source) if several and not is_group else None
        result.options += _options(function, source, command, result)
        result.description = result.description or first_line(ast.get_docstring(function))
    result.parses = bool(commands)
    return result


def _method(node: ast.expr, source: Source) -> str:
    """Return `option` of `@click.option(…)`; also `command` of `@cli.command()` on a group of the file."""
    target = node.func if isinstance(node, ast.Call) else node
    name = source.resolve(target)
    for module in _MODULES:
        if name.startswith(module):
            return name.removeprefix(module)
    owner, _, last = name.rpartition(".")
    functions = (item.name for item in source.tree.body if isinstance(item, ast.FunctionDef))
    return last if last in ("command", "group") and owner in functions else ""


def _command_name(function: Function, source: Source) -> str:
    for mark in function.decorator_list:
        if isinstance(mark, ast.Call) and _method(mark, source) == "command":
            named = [*mark.args[:1], *(keyword.value for keyword in mark.keywords if keyword.arg == "name")]
            if named and isinstance(named[0], ast.Constant) and isinstance(named[0].value, str):
                return named[0].value
    name = function.name.lower().replace("_", "-")
    for ending in ("-command", "-cmd"):
        name = name.removesuffix(ending)
    return name


def _options(function: Function, source: Source, command: str | None, result: Declared) -> tuple[Option, ...]:
    options = []
    for mark in function.decorator_list:
        method = _method(mark, source)
        if not isinstance(mark, ast.Call) or method not in ("option", "argument"):
            if method == "" and not shortened(mark).startswith(("tracking.", "staticmethod")):
                result.complete = False
                result.why_not.append(f"@{shortened(mark)} in line {mark.lineno} may add options.")
            continue
        try:
            strings = [source.literals.value(argument) for argument in mark.args]
        except NotLiteral as error:
            strings = [error]
        if not strings or not all(isinstance(string, str) and string for string in strings):
            result.complete = False
            result.why_not.append(f"An option in line {mark.lineno} is not named by literals.")
            continue
        options.append(replace(_option(strings, mark, source, method == "argument"), command=command))
    return tuple(options)


def _option(strings: list[str], call: ast.Call, source: Source, is_argument: bool) -> Option:
    notes: list[str] = []
    given: dict[str, Any] = {}
    type_node: ast.expr | None = None
    for keyword in call.keywords:
        if keyword.arg == "type":
            type_node = keyword.value
        elif keyword.arg is None:
            notes.append(f"it is declared with **{shortened(keyword.value)}")
        elif keyword.arg in _READ:
            try:
                given[keyword.arg] = source.literals.value(keyword.value)
            except NotLiteral as error:
                if keyword.arg != "help":
                    notes.append(f"its {keyword.arg} {error} is not literal")
        elif keyword.arg == "cls":
            notes.append("it has a class of its own")
    ons, offs = flags_of(strings)
    default, known = _default(given, notes)
    option = Option(
        name=_name(strings),
        flag=longest(ons),
        aliases=(*ons, *offs),
        default=default,
        default_known=known,
        help=help_text(given.get("help")),
        nargs=given.get("nargs") if given.get("nargs", 1) != 1 else None,
        required=bool(given.get("required", is_argument and "default" not in given)),
        line=call.lineno,
        passing=passing_of(ons),
    )
    option = _typed(option, type_node, source, notes)
    if is_argument:
        nargs = "*" if option.nargs == -1 else option.nargs
        option = replace(option, passing=Passing.POSITION, flag=None, aliases=(), nargs=nargs)
    elif given.get("count"):
        option = replace(option, passing=Passing.COUNT, type="int", default=option.default or 0)
    elif offs or given.get("is_flag") or "flag_value" in given:
        option = _flag(option, ons, offs, given)
    elif given.get("multiple"):
        option = replace(option, passing=Passing.EACH, nargs="*")
    elif option.nargs is not None:
        option = replace(option, passing=Passing.MANY)
    return replace(option, note="; ".join(notes))


def _default(given: dict[str, Any], notes: list[str]) -> tuple[Choice, bool]:
    if any(note.startswith("its default") for note in notes):
        return None, False
    default = given.get("default")
    if isinstance(default, tuple) and all(scalar(value) for value in default):
        return several_text(default), True
    return (default, True) if scalar(default) else (None, False)


def _typed(option: Option, node: ast.expr | None, source: Source, notes: list[str]) -> Option:
    if node is None:
        return replace(option, type=type_of(option.default) or "str")
    target = node.func if isinstance(node, ast.Call) else node
    name = source.resolve(target).rpartition(".")[2]
    arguments = node.args if isinstance(node, ast.Call) else []
    keywords = {k.arg: k.value for k in node.keywords if k.arg} if isinstance(node, ast.Call) else {}
    try:
        if name in _TYPES:
            return replace(option, type=_TYPES[name])
        if name == "Choice":
            choices = source.literals.value(keywords.get("choices") or arguments[0])
            kinds = {type_of(choice) for choice in choices}
            kind = kinds.pop() if len(kinds) == 1 else None
            return replace(option, choices=tuple(choices), type=kind or "str")
        if name in _RANGES:
            places = {**dict(zip(("min", "max"), arguments, strict=False)), **keywords}
            low, high = (source.literals.value(places[n]) if n in places else None for n in ("min", "max"))
            return replace(option, type=_RANGES[name], low=low, high=high)
    except (NotLiteral, IndexError, TypeError):
        notes.append(f"its type {shortened(node)} is not literal")
        return option
    if name.endswith(("Path", "File")):
        return replace(option, path=True)
    notes.append(f"its values are read by {shortened(node)}")
    return replace(option, type=type_of(option.default) or "str")


def _flag(option: Option, ons: list[str], offs: list[str], given: dict[str, Any]) -> Option:
    value = given.get("flag_value", True)
    kind = type_of(value) or "bool"
    switches: tuple[tuple[Choice, str], ...] = ((value, option.flag or ""),)
    if offs:
        switches = (*switches, (False, longest(offs) or ""))
    default = option.default if "default" in given else (False if kind == "bool" else None)
    return replace(option, type=kind, passing=Passing.SWITCH, switches=switches, default=default)


def flags_of(strings: list[str]) -> tuple[list[str], list[str]]:
    """Return the option strings that set and those that unset: `--a/--no-a` has one of each."""
    ons, offs = [], []
    for string in strings:
        if not string.startswith("-") and "/" not in string:
            continue
        on, _, off = string.partition("/")
        ons += [on.strip()] if on.strip() else []
        offs += [off.strip()] if off.strip() else []
    return ons, offs


def longest(flags: list[str]) -> str | None:
    """Return the first long flag, else the first, None where there is none."""
    return next((flag for flag in flags if flag.startswith("--")), flags[0] if flags else None)


def passing_of(flags: list[str]) -> Passing:
    """Return how a value follows the flag."""
    return Passing.JOINED if (longest(flags) or "--").startswith("--") else Passing.NEXT


def _name(strings: list[str]) -> str:
    """Return the name of click's rule: one without a dash, else that of the first with the most dashes."""
    for string in strings:
        if string.isidentifier():
            return string
    ons = flags_of(strings)[0] or strings
    longest_first = sorted(ons, key=lambda flag: flag.startswith("--"), reverse=True)
    return longest_first[0].lstrip("-").replace("-", "_").lower()
