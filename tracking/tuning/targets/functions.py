"""Functions that can be tuned: those marked `@tracking.tunable`, and Optuna's objectives."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from tracking.tuning.definition import Choice
from tracking.tuning.targets.declarations import scalar, several_text, type_of
from tracking.tuning.targets.literals import NotLiteral
from tracking.tuning.targets.options import FoundTarget, Option, Passing, TargetKind
from tracking.tuning.targets.signatures import Argument, Function, arguments_of, default_of
from tracking.tuning.targets.source import Source, dotted, first_line, walk

_MARKS = {"tracking.tunable", "tracking.tuning.targets.tunable.tunable"}
_SUGGESTS = {"suggest_float", "suggest_int", "suggest_categorical"}
_PLACES = {
    "suggest_float": ("name", "low", "high"),
    "suggest_int": ("name", "low", "high"),
    "suggest_categorical": ("name", "choices"),
}


def functions_in(source: Source, *, logs: bool) -> Iterator[FoundTarget]:
    """Yield the functions of a file that can be tuned; those of the module only, no methods."""
    for node in source.tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if _is_marked(node, source):
                yield _tunable(node, source, logs=logs)
            elif _is_objective(node, source):
                yield _objective(node, source, logs=logs)


def _is_marked(function: Function, source: Source) -> bool:
    marks = [mark.func if isinstance(mark, ast.Call) else mark for mark in function.decorator_list]
    return any(source.resolve(mark) in _MARKS for mark in marks)


def _tunable(function: Function, source: Source, *, logs: bool) -> FoundTarget:
    options, cannot = [], ""
    given = function.args
    for argument in arguments_of(function, source):
        options.append(_option(argument, source))
    if isinstance(function, ast.AsyncFunctionDef):
        cannot = f"{function.name} is asynchronous; only plain functions can be called."
    elif given.posonlyargs:
        names = ", ".join(argument.arg for argument in given.posonlyargs)
        cannot = f"{function.name} takes {names} by position only; params are given by keyword."
    further = (f"{function.name} takes further keywords (**{given.kwarg.arg}).",) if given.kwarg else ()
    return FoundTarget(
        kind=TargetKind.FUNCTION,
        path=source.path,
        name=function.name,
        description=first_line(ast.get_docstring(function)),
        options=tuple(options),
        complete=given.kwarg is None,
        why_not=further,
        cannot=cannot,
        logs=logs,
        line=function.lineno,
    )


def _option(argument: Argument, source: Source) -> Option:
    annotation = argument.annotation
    notes = [annotation.note] if annotation.note else []
    default: Choice = None
    known = True
    if argument.default is not None:
        try:
            value = default_of(argument.default, source)
            if scalar(value):
                default = value
            elif annotation.many and isinstance(value, tuple):
                default = several_text(value)
            else:
                raise NotLiteral("of several values")
        except NotLiteral as error:
            known = False
            notes.append(f"its default {error} is not literal")
    if annotation.many:
        notes.append("it takes several values, which no param can have")
    if annotation.enum:
        notes.append("it is given the value of an enum's member, not the member")
    kind = annotation.type or type_of(default)
    if kind is None and not notes:
        notes.append("it has neither a type nor a default")
    return Option(
        name=argument.name,
        type=kind or "str",
        passing=Passing.KEYWORD,
        default=default,
        default_known=known and argument.default is not None,
        choices=annotation.choices,
        required=argument.default is None,
        path=annotation.path,
        line=argument.line,
        note="; ".join(notes),
    )


def _is_objective(function: Function, source: Source) -> bool:
    given = [*function.args.posonlyargs, *function.args.args]
    if not given or _needs_more(function):
        return False
    first = given[0]
    named = first.annotation is not None and source.resolve(_unquoted(first.annotation)).endswith("Trial")
    return (first.arg == "trial" or named) and any(True for _ in _suggests(function, first.arg))


def _needs_more(function: Function) -> bool:
    """Return whether Optuna could not call it with a trial alone."""
    given = [*function.args.posonlyargs, *function.args.args]
    return len(given) - len(function.args.defaults) > 1 or None in function.args.kw_defaults


def _unquoted(node: ast.expr) -> ast.expr:
    if (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.replace(".", "").isidentifier()
    ):
        return ast.parse(node.value, mode="eval").body
    return node


def _suggests(function: Function, trial: str) -> Iterator[ast.Call]:
    calls = [
        node
        for node in walk(function)
        if isinstance(node, ast.Call)
        and dotted(node.func).startswith(f"{trial}.suggest_")
        and dotted(node.func).count(".") == 1
    ]
    yield from sorted(calls, key=lambda call: (call.lineno, call.col_offset))


def _objective(function: Function, source: Source, *, logs: bool) -> FoundTarget:
    given = [*function.args.posonlyargs, *function.args.args]
    why_not: list[str] = []
    options: dict[str, Option] = {}
    complete = True
    for call in _suggests(function, given[0].arg):
        option = _suggested(call, source)
        if option is None:
            complete = False
            why_not.append(f"A param in line {call.lineno} is not named by a literal.")
        else:
            options.setdefault(option.name, option)
    return FoundTarget(
        kind=TargetKind.OBJECTIVE,
        path=source.path,
        name=function.name,
        description=first_line(ast.get_docstring(function)),
        options=tuple(options.values()),
        complete=complete,
        why_not=tuple(why_not),
        logs=logs,
        line=function.lineno,
    )


def _suggested(call: ast.Call, source: Source) -> Option | None:
    method = dotted(call.func).rpartition(".")[2]
    nodes = dict(zip(_PLACES.get(method, ("name",)), call.args, strict=False))
    nodes |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    read: dict[str, object] = {}
    notes: list[str] = [] if method in _SUGGESTS else [f"it is drawn by {method}"]
    for key, node in nodes.items():
        try:
            read[key] = source.literals.value(node)
        except NotLiteral as error:
            notes.append(f"its {key} {error} is not literal")
    name = read.get("name")
    if not isinstance(name, str):
        return None
    choices = read.get("choices")
    values = choices if isinstance(choices, tuple) and all(scalar(choice) for choice in choices) else ()
    option = Option(
        name=name, passing=Passing.DRAWN, default_known=False, line=call.lineno, note="; ".join(notes)
    )
    if method == "suggest_categorical":
        kinds = {type_of(value) for value in values} - {None}
        return replace(option, type=(kinds.pop() if len(kinds) == 1 else None) or "str", choices=values)
    return replace(
        option,
        type="int" if method == "suggest_int" else "float",
        low=_number(read.get("low")),
        high=_number(read.get("high")),
        log=read.get("log") is True,
        step=_number(read.get("step")),
    )


def _number(value: object) -> float | int | None:
    return value if isinstance(value, int | float) else None
