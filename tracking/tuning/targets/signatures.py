"""Typed arguments of a function as options, read from its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from tracking.tuning.definition import Choice
from tracking.tuning.targets.declarations import scalar, type_of
from tracking.tuning.targets.literals import NotLiteral, shortened
from tracking.tuning.targets.options import ValueType
from tracking.tuning.targets.source import Source

Function = ast.FunctionDef | ast.AsyncFunctionDef

_TYPES: dict[str, ValueType] = {"float": "float", "int": "int", "str": "str", "bool": "bool"}
_LISTS = {"list", "List", "Sequence", "tuple", "Tuple", "set"}


@dataclass(frozen=True, slots=True)
class Annotation:
    """What an annotation says about one value.

    Attributes:
        type: Of it; None where there is no annotation, or one that says nothing.
        choices: Of a `Literal` or an enum.
        optional: Whether it may be None.
        many: Whether it is a list of such values.
        path: Whether it is a path.
        enum: Whether the choices are the values of an enum's members.
        extra: Further arguments of `Annotated`.
        note: Why it is not understood.
    """

    type: ValueType | None = None
    choices: tuple[Choice, ...] = ()
    optional: bool = False
    many: bool = False
    path: bool = False
    enum: bool = False
    extra: tuple[ast.expr, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a function.

    Attributes:
        name: Of it.
        annotation: What its annotation says.
        default: Its expression, None where there is none.
        line: Where it stands.
    """

    name: str
    annotation: Annotation
    default: ast.expr | None
    line: int


def arguments_of(function: Function, source: Source) -> Iterator[Argument]:
    """Yield the arguments that can be given by keyword."""
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    missing: list[ast.expr | None] = [None] * (len(positional) - len(given.defaults))
    defaults = [*missing, *given.defaults, *given.kw_defaults]
    for argument, default in zip([*positional, *given.kwonlyargs], defaults, strict=True):
        annotation = annotation_of(argument.annotation, source)
        yield Argument(argument.arg, annotation, default, argument.lineno)


def default_of(node: ast.expr, source: Source) -> Any:
    """Return a default; a member of an enum of the file is its value.

    Raises:
        NotLiteral: Only running the file would tell.
    """
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        member = source.literals.enum_members(node.value.id).get(node.attr)
        if member is not None:
            return member
    return source.literals.value(node)


def annotation_of(node: ast.expr | None, source: Source, depth: int = 0) -> Annotation:
    """Return what an annotation says; quoted ones are read too."""
    if node is None or depth > 10:
        return Annotation()
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            return annotation_of(ast.parse(node.value[:1000], mode="eval").body, source, depth + 1)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return Annotation(note=f"its type {node.value[:60]!r} is not known")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _union([node.left, node.right], node, source, depth)
    if isinstance(node, ast.Subscript):
        return _subscript(node, source, depth)
    name = source.resolve(node).rpartition(".")[2]
    if name in _TYPES:
        return Annotation(_TYPES[name])
    if name.endswith("Path"):
        return Annotation("str", path=True)
    members = source.literals.enum_members(name)
    if members:
        choices = tuple(members.values())
        return Annotation(type_of(choices[0]), choices, enum=True)
    return Annotation(
        note="" if name == "Any" else f"its type {shortened(node)} is not one of int, float, str, bool"
    )


def _subscript(node: ast.Subscript, source: Source, depth: int) -> Annotation:
    name = source.resolve(node.value).rpartition(".")[2]
    items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if name == "Literal":
        return _literal(node, source)
    if name == "Optional":
        return _union([*items, ast.Constant(None)], node, source, depth)
    if name == "Union":
        return _union(items, node, source, depth)
    if name == "Annotated":
        inner = annotation_of(items[0], source, depth + 1)
        return replace(inner, extra=(*inner.extra, *items[1:]))
    if name == "Final":
        return annotation_of(items[0], source, depth + 1)
    if name in _LISTS:
        return replace(annotation_of(items[0], source, depth + 1), many=True)
    return Annotation(note=f"its type {shortened(node)} is not one of int, float, str, bool")


def _literal(node: ast.Subscript, source: Source) -> Annotation:
    try:
        value = source.literals.value(node.slice)
    except NotLiteral:
        return Annotation(note=f"its type {shortened(node)} is not literal")
    values = value if isinstance(value, tuple) else (value,)
    if not all(scalar(choice) for choice in values):
        return Annotation(note=f"its type {shortened(node)} has values that are not plain")
    kinds = {type_of(choice) for choice in values} - {None}
    kind = kinds.pop() if len(kinds) == 1 else "str"
    return Annotation(kind, values, optional=None in values)


def _union(items: list[ast.expr], node: ast.expr, source: Source, depth: int) -> Annotation:
    """`float | None` is an optional float, `int | float` a float; of others the first that is known."""
    read = [annotation_of(item, source, depth + 1) for item in items if not _is_none(item)]
    optional = len(read) < len(items) or any(item.optional for item in read)
    kinds = {item.type for item in read}
    if len(read) == 1:
        return replace(read[0], optional=optional)
    if kinds == {"int", "float"}:
        return Annotation("float", optional=optional)
    if len(kinds) == 1 and not any(item.note for item in read):
        choices = tuple(choice for item in read for choice in item.choices)
        return replace(read[0], optional=optional, choices=choices if all(i.choices for i in read) else ())
    return Annotation(
        optional=optional, note=f"its type {shortened(node)} is not one of int, float, str, bool"
    )


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
