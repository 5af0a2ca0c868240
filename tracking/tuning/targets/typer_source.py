"""The options of a file's typer commands: the arguments of their functions."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

from tracking.tuning.definition import Choice
from tracking.tuning.targets.click_source import flags_of, longest, passing_of
from tracking.tuning.targets.declarations import Declared, scalar, several_text, type_of
from tracking.tuning.targets.literals import NotLiteral, shortened
from tracking.tuning.targets.options import Option, Passing
from tracking.tuning.targets.signatures import Argument, Function, arguments_of, default_of
from tracking.tuning.targets.source import Source, dotted, first_line

_READ = {"default", "min", "max", "help", "count", "is_flag"}


def declared_with_typer(source: Source) -> Declared:
    """Return what the commands of a file declare."""
    result = Declared()
    functions = {node.name: node for node in source.tree.body if isinstance(node, ast.FunctionDef)}
    apps = _apps(source)
    commands: list[tuple[Function, str]] = []
    has_callback = False
    for function in functions.values():
        for mark in function.decorator_list:
            target = mark.func if isinstance(mark, ast.Call) else mark
            owner, _, method = dotted(target).rpartition(".")
            if owner in apps and method == "command":
                commands.append((function, _command_name(function, mark)))
            elif owner in apps and method == "callback":
                has_callback = True
                result.options += _options(function, source, None, result)
    for node in source.nodes:
        if isinstance(node, ast.Call) and source.resolve(node.func) == "typer.run" and node.args:
            named = functions.get(dotted(node.args[0]))
            if named is None:
                result.complete = False
                result.why_not.append(
                    f"{shortened(node)} in line {node.lineno} runs what is not in this file."
                )
            else:
                commands.append((named, named.name))
    several = len(commands) > 1 or has_callback
    for command, name in commands:
        result.options += _options(command, source, name if several else None, result)
        result.description = result.description or first_line(ast.get_docstring(command))
    result.parses = bool(commands)
    return result


def _apps(source: Source) -> set[str]:
    return {
        dotted(target)
        for node in source.nodes
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        if source.resolve(node.value.func) == "typer.Typer"
        for target in node.targets
    }


def _command_name(function: Function, mark: ast.expr) -> str:
    if isinstance(mark, ast.Call):
        named = [*mark.args[:1], *(keyword.value for keyword in mark.keywords if keyword.arg == "name")]
        if named and isinstance(named[0], ast.Constant) and isinstance(named[0].value, str):
            return named[0].value
    return function.name.lower().replace("_", "-")


def _options(function: Function, source: Source, command: str | None, result: Declared) -> tuple[Option, ...]:
    options = []
    for argument in arguments_of(function, source):
        if argument.annotation.note.startswith("its type typer."):
            continue
        options.append(replace(_option(argument, source), command=command))
    return tuple(options)


def _declaration(argument: Argument, source: Source) -> tuple[ast.Call | None, ast.expr | None, str]:
    """Return the call of `typer.Option` or `typer.Argument`, the default's expression, and which it is."""
    for extra in argument.annotation.extra:
        if isinstance(extra, ast.Call) and (kind := source.resolve(extra.func)) in _KINDS:
            return extra, argument.default, _KINDS[kind]
    if isinstance(argument.default, ast.Call) and (kind := source.resolve(argument.default.func)) in _KINDS:
        call = argument.default
        named = [keyword.value for keyword in call.keywords if keyword.arg == "default"]
        first = call.args[0] if call.args else named[0] if named else None
        is_required = isinstance(first, ast.Constant) and first.value is Ellipsis
        return call, None if is_required else first, _KINDS[kind]
    return None, argument.default, "option" if argument.default is not None else "argument"


_KINDS = {"typer.Option": "option", "typer.Argument": "argument"}


def _option(argument: Argument, source: Source) -> Option:
    call, default_node, kind = _declaration(argument, source)
    annotation = argument.annotation
    notes = [annotation.note] if annotation.note else []
    given: dict[str, Any] = {}
    strings: list[str] = []
    if call is not None:
        in_default = call is argument.default
        for node in call.args[1:] if in_default else call.args:
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                strings.append(node.value)
            else:
                notes.append(f"its name {shortened(node)} is not literal")
        given = _keywords(call, source, notes)
    default, known = _default(default_node, source, notes)
    ons, offs = flags_of(strings)
    flag = longest(ons) or f"--{argument.name.replace('_', '-')}"
    option = Option(
        name=argument.name,
        type=annotation.type or type_of(default) or "str",
        passing=passing_of(ons),
        flag=flag,
        aliases=(*ons, *offs) or (flag,),
        default=default,
        default_known=known,
        choices=annotation.choices,
        low=given.get("min"),
        high=given.get("max"),
        help=str(given.get("help") or ""),
        required=default_node is None,
        path=annotation.path,
        line=argument.line,
        note="; ".join(notes),
    )
    if kind == "argument":
        nargs = "*" if annotation.many else None
        return replace(option, passing=Passing.POSITION, flag=None, aliases=(), nargs=nargs)
    if given.get("count"):
        return replace(option, passing=Passing.COUNT)
    if option.type == "bool" and not annotation.many and not annotation.note:
        switches: tuple[tuple[Choice, str], ...] = ((True, flag),)
        if not strings:
            offs = [f"--no-{argument.name.replace('_', '-')}"]
        if offs:
            switches = (*switches, (False, longest(offs) or ""))
        return replace(option, passing=Passing.SWITCH, switches=switches)
    if annotation.many:
        return replace(option, passing=Passing.EACH, nargs="*")
    return option


def _keywords(call: ast.Call, source: Source, notes: list[str]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for keyword in call.keywords:
        if keyword.arg in _READ - {"default"}:
            try:
                given[keyword.arg] = source.literals.value(keyword.value)
            except NotLiteral as error:
                if keyword.arg != "help":
                    notes.append(f"its {keyword.arg} {error} is not literal")
        elif keyword.arg in ("parser", "click_type"):
            notes.append(f"its values are read by {shortened(keyword.value)}")
    return given


def _default(node: ast.expr | None, source: Source, notes: list[str]) -> tuple[Choice, bool]:
    if node is None:
        return None, True
    try:
        value = default_of(node, source)
    except NotLiteral as error:
        notes.append(f"its default {error} is not literal")
        return None, False
    if isinstance(value, tuple) and all(scalar(item) for item in value):
        return several_text(value), True
    return (value, True) if scalar(value) else (None, False)
