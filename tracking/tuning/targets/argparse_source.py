"""The options that a file declares with argparse, read from its source.

Followed are names of parsers and groups within a function, a class or the module. An `add_argument` on a name that is
none of them (an argument of the function, as in `def add_options(parser)`) counts for the file's parser.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tracking.tuning.targets.declarations import Declaration, Declared, options_of
from tracking.tuning.targets.literals import NotLiteral, shortened
from tracking.tuning.targets.options import Option
from tracking.tuning.targets.source import Source, dotted, first_line, walk

_PARSED = {"parse_args", "parse_known_args", "parse_intermixed_args", "parse_known_intermixed_args"}
_GROUPS = {"add_argument_group", "add_mutually_exclusive_group"}
_KEYWORDS = {"dest", "nargs", "const", "default", "choices", "help", "required"}
_CONSTANTS = {
    "argparse.SUPPRESS": None,
    "argparse.REMAINDER": "*",
    "argparse.ZERO_OR_MORE": "*",
    "argparse.ONE_OR_MORE": "+",
    "argparse.OPTIONAL": "?",
}


@dataclass(slots=True, eq=False)
class _Parser:
    declarations: list[Declaration] = field(default_factory=list)
    defaults: dict[str, Any] = field(default_factory=dict)
    parents: list[_Parser] = field(default_factory=list)
    description: str = ""
    command: str | None = None
    parses: bool = False

    def all(self) -> Iterator[Declaration]:
        for parent in self.parents:
            yield from parent.all()
        yield from self.declarations


def declared_with_argparse(source: Source) -> Declared:
    """Return what a file declares with argparse."""
    return _Reader(source).read()


class _Reader:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._parsers: list[_Parser] = []
        self._loose = _Parser()
        self._exclusive: dict[str, int] = {}
        self._result = Declared()

    def read(self) -> Declared:
        self._block(self._source.tree.body, [{}], conditional="")
        result = self._result
        inherited = {id(parent) for parser in self._parsers for parent in parser.parents}
        own = [parser for parser in self._parsers if parser.command is None]
        main = [parser for parser in own if parser.parses] or [p for p in own if id(p) not in inherited]
        if not own and (self._loose.declarations or self._loose.parses):
            self._say("Its parser is made in another file.")
        if len(main) > 1:
            self._say(f"It has {len(main)} parsers; which one it uses, only running it tells.")
        chosen = [*main, self._loose, *(parser for parser in self._parsers if parser.command is not None)]
        options: list[Option] = []
        for parser in chosen:
            options += options_of(parser.all(), parser.defaults)
        seen: set[str] = set()
        for option in options:
            if option.name in seen and option.command is None:
                continue
            seen.add(option.name)
            result.options += (option,)
        result.description = next((parser.description for parser in main if parser.description), "")
        return result

    def _say(self, sentence: str, *, complete: bool = False) -> None:
        self._result.complete &= complete
        if sentence not in self._result.why_not:
            self._result.why_not.append(sentence)

    def _block(self, body: list[ast.stmt], scopes: list[dict[str, _Parser]], conditional: str) -> None:
        for statement in body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                self._block(statement.body, [*scopes, {}], "")
            elif isinstance(statement, ast.ClassDef):
                self._block(statement.body, [*scopes, {}], "")
            elif isinstance(statement, ast.For | ast.AsyncFor | ast.While):
                self._block([*statement.body, *statement.orelse], scopes, "in a loop")
            elif isinstance(statement, ast.If):
                guarded = "__name__" in shortened(statement.test)
                inside = conditional if guarded else "under an if"
                self._expressions([statement.test], scopes, conditional)
                self._block([*statement.body, *statement.orelse], scopes, inside)
            elif isinstance(statement, ast.With | ast.AsyncWith):
                self._expressions([item.context_expr for item in statement.items], scopes, conditional)
                self._block(statement.body, scopes, conditional)
            elif isinstance(statement, ast.Try):
                handlers = [inner for handler in statement.handlers for inner in handler.body]
                parts = [*statement.body, *handlers, *statement.orelse, *statement.finalbody]
                self._block(parts, scopes, conditional)
            else:
                self._statement(statement, scopes, conditional)

    def _statement(self, node: ast.stmt, scopes: list[dict[str, _Parser]], conditional: str) -> None:
        parser: _Parser | None = None
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            targets = [node.target]
        if targets and isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call):
            parser = self._made(node.value, scopes)
        if parser is None:
            self._expressions([node], scopes, conditional)
        for target in targets:
            if name := dotted(target):
                made = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
                self._exclusive.pop(name, None)
                if isinstance(made, ast.Call) and dotted(made.func).endswith(".add_mutually_exclusive_group"):
                    self._exclusive[name] = made.lineno
                # An attribute is seen from every method.
                scope = scopes[0] if "." in name else scopes[-1]
                if parser is not None:
                    scope[name] = parser
                else:
                    scope.pop(name, None)

    def _made(self, call: ast.Call, scopes: list[dict[str, _Parser]]) -> _Parser | None:
        """Return the parser that a call makes or, for a group, the one it belongs to."""
        name = self._source.resolve(call.func)
        if name.rpartition(".")[2] == "ArgumentParser":
            return self._new(call, scopes)
        if isinstance(call.func, ast.Attribute):
            if call.func.attr in _GROUPS:
                return self._find(call.func.value, scopes)
            if call.func.attr == "add_subparsers":
                return _Parser(command="")
            if call.func.attr == "add_parser":
                return self._new(call, scopes, command=self._command(call))
        return None

    def _command(self, call: ast.Call) -> str:
        try:
            return str(self._source.literals.value(call.args[0]))
        except (NotLiteral, IndexError):
            self._say(f"The name of a subcommand in line {call.lineno} is not literal.")
            return "?"

    def _new(self, call: ast.Call, scopes: list[dict[str, _Parser]], command: str | None = None) -> _Parser:
        parser = _Parser(command=command)
        self._parsers.append(parser)
        for keyword in call.keywords:
            if keyword.arg == "description":
                parser.description = self._text(keyword.value)
            elif keyword.arg == "parents":
                items = (
                    keyword.value.elts if isinstance(keyword.value, ast.List | ast.Tuple) else [keyword.value]
                )
                for item in items:
                    parent = self._known(item, scopes)
                    if parent is None:
                        self._say(
                            f"The parent parser {shortened(item)} in line {call.lineno} is not in this file."
                        )
                    else:
                        parser.parents.append(parent)
        return parser

    def _text(self, node: ast.expr) -> str:
        try:
            value = self._source.literals.value(node)
        except NotLiteral:
            docstring = ast.get_docstring(self._source.tree) if "__doc__" in shortened(node) else ""
            return first_line(docstring)
        return first_line(value) if isinstance(value, str) else ""

    def _known(self, node: ast.expr, scopes: list[dict[str, _Parser]]) -> _Parser | None:
        name = dotted(node)
        return next((scope[name] for scope in reversed(scopes) if name in scope), None)

    def _find(self, node: ast.expr, scopes: list[dict[str, _Parser]]) -> _Parser:
        if isinstance(node, ast.Call) and (made := self._made(node, scopes)) is not None:
            return made
        return self._known(node, scopes) or self._loose

    def _expressions(self, nodes: list[Any], scopes: list[dict[str, _Parser]], conditional: str) -> None:
        for node in nodes:
            for inner in _in_order(node):
                if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute):
                    self._call(inner, inner.func, scopes, conditional)

    def _call(
        self, call: ast.Call, func: ast.Attribute, scopes: list[dict[str, _Parser]], conditional: str
    ) -> None:
        if func.attr in _PARSED:
            self._result.parses = True
            self._find(func.value, scopes).parses = True
        elif func.attr == "add_argument":
            parser = self._find(func.value, scopes)
            declaration = self._declaration(call, parser)
            if declaration is not None:
                if conditional:
                    declaration.notes.append(f"it is declared {conditional}")
                declaration.exclusive = self._exclusive.get(dotted(func.value))
                parser.declarations.append(declaration)
        elif func.attr == "set_defaults":
            self._set_defaults(call, self._find(func.value, scopes))

    def _set_defaults(self, call: ast.Call, parser: _Parser) -> None:
        for keyword in call.keywords:
            try:
                value = self._source.literals.value(keyword.value)
            except NotLiteral:
                value = None
            if keyword.arg is None:
                self._say(f"set_defaults in line {call.lineno} is not literal.", complete=True)
            else:
                parser.defaults[keyword.arg] = value

    def _declaration(self, call: ast.Call, parser: _Parser) -> Declaration | None:
        literals = self._source.literals
        try:
            strings = tuple(literals.value(argument) for argument in call.args)
        except NotLiteral as error:
            self._say(f"An option in line {call.lineno} is named by {error}, which is not literal.")
            return None
        if any(not isinstance(string, str) or not string for string in strings):
            self._say(f"An option in line {call.lineno} is not named by a text.")
            return None
        declaration = Declaration(strings, line=call.lineno, command=parser.command)
        for keyword in call.keywords:
            self._keyword(declaration, keyword)
        if not declaration.name:
            self._say(f"An option in line {call.lineno} has no name.")
            return None
        return declaration

    def _keyword(self, declaration: Declaration, keyword: ast.keyword) -> None:
        name, node = keyword.arg, keyword.value
        resolved = self._source.resolve(node)
        if name is None:
            declaration.notes.append(f"it is declared with **{shortened(node)}")
        elif name == "action":
            if isinstance(node, ast.Constant):
                declaration.action = str(node.value)
            elif resolved.rpartition(".")[2] == "BooleanOptionalAction":
                declaration.action = "boolean_optional"
            else:
                declaration.action = shortened(node)
        elif name == "type":
            declaration.type = "" if isinstance(node, ast.Constant) else resolved or shortened(node)
        elif name in _KEYWORDS:
            if resolved in _CONSTANTS:
                declaration.given[name] = _CONSTANTS[resolved]
                return
            try:
                declaration.given[name] = self._source.literals.value(node)
            except NotLiteral as error:
                if name == "dest":
                    self._say(f"The destination of an option in line {declaration.line} is not literal.")
                if name != "help":
                    declaration.notes.append(f"its {name} {error} is not literal")


def _in_order(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a statement from its first character to its last, without recursion."""
    found = [inner for inner in walk(node) if isinstance(inner, ast.Call)]
    yield from sorted(found, key=lambda call: (call.end_lineno or 0, call.end_col_offset or 0))
