"""The filter language: an expression in Python's syntax, read with `ast`, never evaluated.

    metrics.accuracy > 0.9 and params.lr < 0.01
    min(metrics["val/loss"]) <= 0.3 or status in ("failed", "lost")
    "baseline" in tags and not matches(name, "debug*") and created >= "2026-01-31"

Names: `metrics.<key>` (the last value), `params.<key>` (dotted: `params.optimizer.name`),
`tags`, `status`, `name`, `experiment`, `created` (ISO dates, UTC where they say nothing),
`duration` (seconds), `group`, `notes`. `min`, `max`, `mean`, `first`, `last` and `best` take a
metric: `min`, `max` and `mean` are over its finite values, and `best` is the min or max by its goal,
which a run that diverged (its last value is NaN or infinite) does not have. A key that is no plain
name stands in brackets. `"part" in name` asks for a part of a text.

What is missing or NaN makes a comparison unknown, which is neither true nor, under `not`,
false. `== None` asks for absence. Booleans are the numbers 1 and 0, as in Python; a text and
a number are different, and neither is greater.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from functools import partial
from typing import NoReturn, cast

from tracking.database.filter_tokens import (
    AGGREGATES,
    KINDS,
    MAX_DEPTH,
    MAX_LENGTH,
    NAMES_EXPECTED,
    Token,
    fail,
    tokenize,
)
from tracking.database.filter_tree import (
    Aggregate,
    And,
    Compare,
    Contains,
    Expression,
    Field,
    In,
    Kind,
    Matches,
    Not,
    Operator,
    Or,
    Order,
    Value,
    format_field,
    quote,
)
from tracking.database.filter_values import checked_text, checked_value, example

MAX_TERMS = 100

_OPERATORS: dict[type[ast.cmpop], Operator] = {
    **{ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<"},
    **{ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="},
}
_FLIPPED: dict[Operator, Operator] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_TEXT_KINDS = ("status", "name", "experiment", "group", "notes")
_DIRECTION = re.compile(r"\s+([A-Za-z]+)\s*\Z")


def parse_filter(source: str) -> Expression | None:
    """Return what the filter says, or None when it is blank and every run fits.

    Raises:
        FilterError: It cannot be read; the error knows the place and what was expected there.
    """
    tokens = tokenize(source)
    if len(tokens) == 1:
        return None
    return _Reader(source, tokens).expression()


def parse_order(source: str) -> Order:
    """Return what an order such as `max(metrics.accuracy) desc` says; ascending when it does not.

    Raises:
        FilterError: It cannot be read.
    """
    if not isinstance(source, str):
        fail("", 0, f"An order is text, not {type(source).__name__}", 'a string such as "created desc"')
    direction = _DIRECTION.search(source[: MAX_LENGTH + 1])
    if not direction:
        field = parse_field(source)
    elif direction.group(1).lower() in ("asc", "desc"):
        field = parse_field(source[: direction.start()])
    else:
        fail(source, direction.start(1), f"There is no direction {direction.group(1)!r}", "asc or desc")
    if field.kind == "tags":
        fail(source, field.position, "Runs have several tags and no order by them", NAMES_EXPECTED)
    return Order(field, direction is not None and direction.group(1).lower() == "desc")


def parse_field(source: str) -> Field:
    """Return the field that a text such as `metrics["val/acc"]` names.

    Raises:
        FilterError: It names none, or more than that.
    """
    tokens = tokenize(source)
    if len(tokens) == 1:
        fail(source, 0, "The name is missing", NAMES_EXPECTED)
    return _Reader(source, tokens, "the end, 'asc' or 'desc'").only_field()


class _Reader:
    """Translates the syntax tree of one source; everything it does not know is refused."""

    def __init__(self, source: str, tokens: list[Token], after: str = "") -> None:
        self.source = source
        self.terms = 0
        # One line in parentheses: line breaks between words mean nothing, and what stands before a
        # node gives its place. The tokens are balanced, so the parentheses stay a pair.
        self.line = "(" + re.sub(r"\s", " ", source) + ")"
        self.encoded = self.line.encode("utf-8", "surrogatepass")
        _check_sequence(source, tokens, after)
        try:
            self.tree = ast.parse(self.line, mode="eval").body
        except (SyntaxError, ValueError) as error:
            offset = getattr(error, "offset", None) or 2
            place = min(max(offset - 2, 0), len(source))
            fail(source, place, "This is no expression", "comparisons joined by 'and' and 'or'")
        except (RecursionError, MemoryError):
            fail(source, 0, "The filter is nested too deep", f"at most {MAX_DEPTH} levels")

    def position(self, node: ast.AST) -> int:
        """Return where the node starts, in characters of the source."""
        before = self.encoded[: cast(ast.expr, node).col_offset]
        return max(len(before.decode("utf-8", "surrogatepass")) - 1, 0)

    def fail(self, node: ast.AST, problem: str, expected: str) -> NoReturn:
        fail(self.source, self.position(node), problem, expected)

    def expression(self) -> Expression:
        return self.term(self.tree)

    def only_field(self) -> Field:
        if not self.names_field(self.tree):
            self.fail(self.tree, "This names nothing to sort by", NAMES_EXPECTED)
        return self.field(self.tree)

    def term(self, node: ast.expr) -> Expression:
        match node:
            case ast.BoolOp(ast.And(), values):
                return And(tuple(self.term(value) for value in values))
            case ast.BoolOp(ast.Or(), values):
                return Or(tuple(self.term(value) for value in values))
            case ast.UnaryOp(ast.Not(), operand):
                return Not(self.term(operand))
            case ast.Compare(left, operators, comparators):
                pairs = zip([left, *comparators], operators, comparators, strict=False)
                found = tuple(self.comparison(*pair) for pair in pairs)
                return found[0] if len(found) == 1 else And(found)
            case ast.Call(ast.Name("matches")):
                return self.matches(node)
        if self.names_field(node):
            field = self.field(node)
            problem = f"{format_field(field)} is compared with nothing"
            self.fail(node, problem, f"a comparison, for example {example(field)}")
        self.fail(node, "This is no condition", "a comparison such as metrics.accuracy > 0.9")

    def count(self, node: ast.AST) -> None:
        self.terms += 1
        if self.terms > MAX_TERMS:
            self.fail(node, "The filter has too many terms", f"at most {MAX_TERMS} comparisons")

    def comparison(self, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> Expression:
        self.count(left)
        if isinstance(operator, ast.In | ast.NotIn):
            found = self.membership(left, right)
            return found if isinstance(operator, ast.In) else Not(found)
        if self.names_field(left) and self.names_field(right):
            self.fail(right, "Both sides are names", 'a value on one side, such as 0.5 or "text"')
        if not self.names_field(left) and not self.names_field(right):
            self.fail(left, "Neither side is a name", NAMES_EXPECTED)
        sign = _OPERATORS.get(type(operator))
        if sign is None:
            self.fail(left, "This comparison does not exist here", "one of == != < <= > >= in")
        if self.names_field(right):
            left, right, sign = right, left, _FLIPPED[sign]
        field = self.field(left)
        return Compare(field, sign, self.value(right, field, sign))

    def membership(self, left: ast.expr, right: ast.expr) -> Expression:
        if self.names_field(right):
            field = self.field(right)
            if field.kind in ("metrics", "created", "duration", "status"):
                self.fail(
                    right, f"{field.kind} holds no text", 'tags, or a list: status in ("failed", "lost")'
                )
            return Contains(field, self.text(left, field))
        if not self.names_field(left):
            self.fail(
                left, "Neither side is a name", f'{NAMES_EXPECTED}, or a text in quotes before "in tags"'
            )
        field = self.field(left)
        if not isinstance(right, ast.Tuple | ast.List):
            # ("a") is a text in parentheses, which Python would search as one.
            self.fail(
                right, "After 'in' stands a list", 'values in parentheses, one value with a comma: ("a",)'
            )
        if not right.elts:
            self.fail(right, "The list is empty", "at least one value")
        return In(field, tuple(self.value(element, field, None) for element in right.elts))

    def matches(self, call: ast.Call) -> Matches:
        self.count(call)
        if len(call.args) != 2 or call.keywords:
            self.fail(call, "matches() takes a name and a pattern", 'matches(name, "ab*")')
        if not self.names_field(call.args[0]):
            self.fail(call.args[0], "matches() starts with a name", 'matches(name, "ab*")')
        field = self.field(call.args[0])
        if field.kind not in (*_TEXT_KINDS, "params", "tags"):
            self.fail(call.args[0], f"{field.kind} is no text", 'a text, for example matches(name, "ab*")')
        return Matches(field, self.text(call.args[1], field))

    def names_field(self, node: ast.expr) -> bool:
        """Whether the node can only be meant as a field, readable or not."""
        if isinstance(node, ast.Call):
            return not (isinstance(node.func, ast.Name) and node.func.id == "matches")
        return isinstance(node, ast.Name | ast.Attribute | ast.Subscript)

    def field(self, node: ast.expr) -> Field:
        position = self.position(node)
        match node:
            case ast.Name(name) if name in KINDS:
                if name in ("metrics", "params"):
                    self.fail(node, f"{name} needs a key", f"{name}.<key> or {name}[{quote('any key')}]")
                return Field(cast(Kind, name), position=position)
            case ast.Name(name):
                self.fail(node, f"{name} is a function", _function_example(name))
            case ast.Attribute():
                # Not from the node: Python's parser rewrites some letters of names (NFKC).
                end = len(self.encoded[: node.end_col_offset].decode("utf-8", "surrogatepass")) - 1
                root, _, key = self.source[position:end].partition(".")
                return Field(cast(Kind, root), unicodedata.normalize("NFC", key), position=position)
            case ast.Subscript(ast.Name(("metrics" | "params") as root), ast.Constant(str(key))):
                if not key:
                    self.fail(node.slice, "The key is empty", f"{root}[{quote('any key')}]")
                field = Field(cast(Kind, root), unicodedata.normalize("NFC", key), position=position)
                checked_text(key, field, partial(self.fail, node.slice))
                return field
            case ast.Subscript():
                self.fail(
                    node, "Brackets hold the whole key in quotes", 'metrics["val/acc"] or params["a.b"]'
                )
            case ast.Call(ast.Name(name), [argument], []) if name in AGGREGATES:
                inner = self.field(argument)
                if inner.kind != "metrics" or isinstance(argument, ast.Call):
                    self.fail(argument, f"{name}() takes a metric", _function_example(name))
                return Field("metrics", inner.key, cast(Aggregate, name), position)
            case ast.Call(ast.Name(name)) if name in AGGREGATES:
                self.fail(node, f"{name}() takes one metric", _function_example(name))
            case ast.Call():
                self.fail(node, "This is no function", "one of " + ", ".join((*AGGREGATES, "matches")))
        self.fail(node, "This is no name", NAMES_EXPECTED)

    def text(self, node: ast.expr, field: Field) -> str:
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            self.fail(node, "This is no text", 'text in quotes, such as "baseline"')
        return checked_text(node.value, field, partial(self.fail, node))

    def value(self, node: ast.expr, field: Field, operator: Operator | None) -> Value:
        match node:
            case ast.Constant(None | bool() | int() | float() | str() as value):
                pass
            case ast.UnaryOp(ast.USub(), ast.Constant(int() | float() as number)) if number is not True:
                value = -number
            case _:
                self.fail(node, "This is no value", "a number, a text in quotes, True, False or None")
        return checked_value(value, field, operator, partial(self.fail, node))


def _check_sequence(source: str, tokens: list[Token], after: str) -> None:
    """Tell where a value stands after a value or is missing, more exactly than Python's parser."""
    previous = Token("start", "", 0)
    for token, following in zip(tokens, [*tokens[1:], tokens[-1]], strict=True):
        if token.kind == "not" and following.kind == "in" and previous.ends_operand:
            continue
        called = token.kind in ("(", "[") and previous.kind == "name"
        empty = token.kind in (")", "]") and previous.kind in ("(", "[", ",")
        if previous.ends_operand and token.starts_operand and not called:
            expected = after or "a comparison such as == or <, 'and', 'or', or the end"
            fail(source, token.position, f"{token} has no place here", expected)
        if not previous.ends_operand and not token.starts_operand and not empty:
            problem = "The filter ends too early" if token.kind == "end" else f"{token} has no place here"
            fail(source, token.position, problem, "a name, a text in quotes or a number")
        previous = token


def _function_example(name: str) -> str:
    return 'matches(name, "ab*")' if name == "matches" else f"{name}(metrics.loss)"
