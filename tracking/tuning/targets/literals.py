"""What an expression is, as far as the source says so: constants, names of constants, arithmetic, lists."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

_DEPTH = 20
_STEPS = 10_000
"""Names may name names: without a bound, twenty lines make a list that fills the memory."""
_ITEMS = 1000
_TEXT = 10_000
_BITS = 1024
"""Of a whole number: a longer one is no float, and of thousands of digits Python writes none out."""

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_KNOWN = {"math.pi": math.pi, "math.e": math.e, "math.inf": math.inf, "math.nan": math.nan}
_SEQUENCES: dict[str, Callable[[Any], Any]] = {"list": list, "tuple": tuple, "sorted": sorted, "set": tuple}


class NotLiteral(Exception):
    """The source does not say what the expression is; the message shows it."""


class Opaque:
    """A value of a dictionary whose keys are literal and whose values are not, as of `{"mlp": MLP}`."""


class Literals:
    """Evaluates literal expressions of one module.

    Args:
        tree: Of the module.
        nodes: All of it.
        imports: Local names and where they come from.
    """

    def __init__(self, tree: ast.Module, nodes: list[ast.AST], imports: Mapping[str, str]) -> None:
        self._imports = imports
        self._constants: dict[str, ast.expr | None] = {}
        self._classes: dict[str, ast.ClassDef] = {}
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                self._classes[node.name] = node
            elif isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        self._add(target.id, node.value)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                self._add(node.target.id, node.value)
        for inner in nodes:
            if isinstance(inner, ast.AugAssign) and isinstance(inner.target, ast.Name):
                self._constants[inner.target.id] = None
            elif isinstance(inner, ast.Global):
                self._constants.update(dict.fromkeys(inner.names))

    def _add(self, name: str, value: ast.expr | None) -> None:
        # Assigned twice: which one holds, only running tells.
        self._constants[name] = None if name in self._constants else value

    def value(self, node: ast.expr) -> Any:
        """Return what an expression is.

        Raises:
            NotLiteral: Only running the file would tell.
        """
        self._steps = 0
        try:
            return self._value(node, 0)
        except (ArithmeticError, TypeError, ValueError, KeyError, AttributeError, RecursionError):
            raise NotLiteral(shortened(node)) from None

    def enum_members(self, name: str) -> dict[str, str | int | float]:
        """Return the members of an enum of the module; none where there is no such one, or it is not literal."""
        node = self._classes.get(name)
        if node is None or not any("Enum" in shortened(base) for base in node.bases):
            return {}
        members: dict[str, str | int | float] = {}
        for item in node.body:
            if isinstance(item, ast.Assign) and isinstance(item.targets[0], ast.Name):
                try:
                    value = self.value(item.value)
                except NotLiteral:
                    return {}
                if not isinstance(value, str | int | float):
                    return {}
                members[item.targets[0].id] = value
        return members

    def _value(self, node: ast.expr, depth: int) -> Any:
        self._steps += 1
        if depth > _DEPTH or self._steps > _STEPS:
            raise NotLiteral(shortened(node))
        deeper = depth + 1
        match node:
            case ast.Constant(value=value) if value is None or isinstance(value, str | int | float | bool):
                return _bounded(value, node)
            case ast.Name(id=name) if self._constants.get(name) is not None:
                constant = self._constants[name]
                assert constant is not None
                return self._value(constant, deeper)
            case ast.Attribute():
                return self._attribute(node)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self._value(operand, deeper)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return +self._value(operand, deeper)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return not self._value(operand, deeper)
            case ast.BinOp():
                return self._binary(node, deeper)
            case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items):
                if len(items) > _ITEMS:
                    raise NotLiteral(shortened(node))
                return tuple(self._value(item, deeper) for item in items)
            case ast.Dict(keys=keys, values=values):
                return self._mapping(node, keys, values, deeper)
            case ast.Call():
                return self._call(node, deeper)
            case _:
                raise NotLiteral(shortened(node))

    def _attribute(self, node: ast.Attribute) -> Any:
        if isinstance(node.value, ast.Name):
            name = f"{self._imports.get(node.value.id, node.value.id)}.{node.attr}"
            if name in _KNOWN:
                return _KNOWN[name]
        raise NotLiteral(shortened(node))

    def _binary(self, node: ast.BinOp, depth: int) -> Any:
        left, right = self._value(node.left, depth), self._value(node.right, depth)
        if isinstance(left, int | float) and isinstance(right, int | float):
            if isinstance(node.op, ast.Pow | ast.LShift):
                if abs(left) > 1e6 or abs(right) > 64:
                    raise NotLiteral(shortened(node))
                return _bounded(
                    left**right if isinstance(node.op, ast.Pow) else int(left) << int(right), node
                )
            if type(node.op) in _BINARY:
                return _bounded(_BINARY[type(node.op)](left, right), node)
        elif isinstance(node.op, ast.Add) and type(left) is type(right) and isinstance(left, str | tuple):
            if len(left) + len(right) <= (_TEXT if isinstance(left, str) else _ITEMS):
                return left + right
        raise NotLiteral(shortened(node))

    def _mapping(
        self, node: ast.Dict, keys: list[ast.expr | None], values: list[ast.expr], depth: int
    ) -> dict[Any, Any]:
        if len(keys) > _ITEMS:
            raise NotLiteral(shortened(node))
        result: dict[Any, Any] = {}
        for key, value in zip(keys, values, strict=True):
            if key is None:
                raise NotLiteral(shortened(node))
            try:
                held = self._value(value, depth)
            except NotLiteral:
                held = Opaque()
            result[self._value(key, depth)] = held
        return result

    def _call(self, node: ast.Call, depth: int) -> Any:
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr == "keys" and not node.args:
            held = self._value(function.value, depth)
            if isinstance(held, dict):
                return tuple(held)
        if isinstance(function, ast.Name) and not node.keywords and function.id not in self._imports:
            arguments = [self._value(argument, depth) for argument in node.args]
            if function.id == "range" and len(range(*arguments)) <= _ITEMS:
                return tuple(range(*arguments))
            if function.id in _SEQUENCES and len(arguments) == 1 and isinstance(arguments[0], tuple | dict):
                return tuple(_SEQUENCES[function.id](arguments[0]))
            if function.id in ("float", "int") and len(arguments) == 1:
                if isinstance(arguments[0], int | float) or len(arguments[0]) <= 100:
                    number = float(arguments[0]) if function.id == "float" else int(arguments[0])
                    return _bounded(number, node)
        raise NotLiteral(shortened(node))


def _bounded(value: Any, node: ast.expr) -> Any:
    if isinstance(value, int) and value.bit_length() >= _BITS:
        raise NotLiteral(shortened(node))
    return value


def shortened(node: ast.AST, width: int = 60) -> str:
    """Return an expression as source, cut when it is long."""
    try:
        text = " ".join(ast.unparse(node).split())
    except (RecursionError, ValueError):
        text = "…"
    return text if len(text) <= width else text[: width - 1] + "…"
