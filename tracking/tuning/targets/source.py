"""A Python file as a tree: parsed, never run."""

from __future__ import annotations

import ast
import threading
import warnings
from dataclasses import dataclass

from tracking.tuning.targets.literals import Literals
from tracking.tuning.targets.project_files import shown

# The filters of warnings are the process's: two threads that change and restore them leave the wrong ones.
_quiet = threading.Lock()
_WORDS = (ast.expr_context, ast.operator, ast.unaryop, ast.boolop)


@dataclass(frozen=True, slots=True)
class Source:
    """A parsed file.

    Attributes:
        path: Relative to the project.
        tree: Of the module.
        literals: What its constants are.
        imports: Local names and what they were imported from, as `{"t": "tracking", "Choice": "click.Choice"}`.
        nodes: All of the tree, outer ones first.
    """

    path: str
    tree: ast.Module
    literals: Literals
    imports: dict[str, str]
    nodes: list[ast.AST]

    def resolve(self, node: ast.AST) -> str:
        """Return the full dotted name of an expression, as `argparse.ArgumentParser`; empty for any other."""
        name = dotted(node)
        first, _, rest = name.partition(".")
        origin = self.imports.get(first, first)
        return f"{origin}.{rest}" if rest else origin


def parse(path: str, data: bytes) -> Source | str:
    """Return the parsed file, or a sentence with its line why it is none."""
    try:
        with _quiet, warnings.catch_warnings():
            # The file's author is not the one who reads this.
            warnings.simplefilter("ignore")
            tree = ast.parse(data)
        nodes = walk(tree)
        imports = _imports(nodes)
        return Source(path, tree, Literals(tree, nodes, imports), imports, nodes)
    except SyntaxError as error:
        line = f"{error.lineno}" if error.lineno else "1"
        return f"{shown(path)}:{line}: {error.msg}, so the file is left out."
    except (RecursionError, MemoryError):
        return f"{shown(path)}:1: it is nested too deeply to be read, so it is left out."
    except ValueError as error:
        # Null bytes, and what is not in the encoding that the file names.
        return f"{shown(path)}:1: {error}, so the file is left out."


def dotted(node: ast.AST) -> str:
    """Return `a.b.c` of names and attributes, empty for any other expression."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])


def walk(root: ast.AST) -> list[ast.AST]:
    """Return a node and all below it but names of operators, outer ones first; four times as fast as `ast.walk`."""
    found = [root]
    for node in found:
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                found += [item for item in value if isinstance(item, ast.AST)]
            elif isinstance(value, ast.AST) and not isinstance(value, _WORDS):
                found.append(value)
    return found


def _imports(nodes: list[ast.AST]) -> dict[str, str]:
    names: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            for alias in node.names:
                names[alias.asname or alias.name] = f"{module}.{alias.name}"
    return names


def first_line(text: str | None) -> str:
    """Return the first line of a docstring that says something."""
    return next((line.strip() for line in (text or "").splitlines() if line.strip()), "")
