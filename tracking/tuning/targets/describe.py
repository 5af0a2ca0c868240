"""What one file of a project offers, from its source."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from tracking.errors import InvalidValue
from tracking.tuning.targets.argparse_source import declared_with_argparse
from tracking.tuning.targets.click_source import declared_with_click
from tracking.tuning.targets.declarations import Declared
from tracking.tuning.targets.functions import functions_in
from tracking.tuning.targets.options import FoundTarget, TargetKind
from tracking.tuning.targets.project_files import path_problem, read_source, shown
from tracking.tuning.targets.source import Source, first_line, parse
from tracking.tuning.targets.typer_source import declared_with_typer

SOURCE_LIMIT = 1_000_000
"""Bytes of a file that is read."""

# Most files have none of these, and looking for them takes a hundredth of the time of parsing. One of the words of each
# set must be there.
_Words = tuple[tuple[bytes, ...], ...]
_READERS: dict[str, tuple[Callable[[Source], Declared], _Words]] = {
    "argparse": (declared_with_argparse, ((b".add_argument(",),)),
    "click": (
        declared_with_click,
        ((b"click",), (b"@click.", b"@rich_click.", b"@command", b"@group", b".command(")),
    ),
    "typer": (declared_with_typer, ((b"typer",), (b"typer.run", b"Typer("))),
}
_FUNCTIONS: tuple[_Words, ...] = (
    ((b"tunable",), (b"tracking",)),
    ((b".suggest_float(", b".suggest_int(", b".suggest_categorical("),),
)

# What a script is likely to say that reads its command line in another way than those above.
_ELSEWHERE = re.compile(
    rb"\bargv\b|parse_(known_)?args|ArgumentParser|ArgParser|docopt|simple_parsing|\btyro\b|\bhydra\b|\babsl\b"
    rb"|\bfire\b|optparse|LightningCLI|get_args"
)


_TAKES_MORE = re.compile(
    rb"parse_known_(intermixed_)?args|REMAINDER|ignore_unknown_options|allow_extra_args|UNPROCESSED|prefix_chars"
)


def may_offer(data: bytes) -> bool:
    """Return whether a file is worth parsing."""
    return bool(_readers(data)) or any(_has(data, words) for words in _FUNCTIONS)


def _readers(data: bytes) -> list[str]:
    return [name for name, (_, words) in _READERS.items() if _has(data, words)]


def _has(data: bytes, words: _Words) -> bool:
    return all(any(word in data for word in group) for group in words)


def targets_of(path: str, data: bytes) -> list[FoundTarget] | str:
    """Return the targets in a file's bytes, or a sentence why it cannot be read."""
    source = parse(path, data)
    if isinstance(source, str):
        return source
    try:
        logs = _logs(source)
        found = list(functions_in(source, logs=logs))
        if not _readers(data):
            return found
        script = _script(source, data, logs=logs)
        offers = script.options or (script.reader and not script.complete)
        if offers and _runs(source) and not _is_inside_package(source):
            found.insert(0, script)
        return found
    except RecursionError:
        return f"{shown(path)}:1: it is nested too deeply to be read, so it is left out."


def describe_script(project: Path, path: str) -> FoundTarget:
    """Return what a script says about its command line.

    Args:
        project: The folder.
        path: Relative to it, with `/`.

    Raises:
        InvalidValue: The script is missing, outside of the project, or cannot be parsed.
    """
    source, data = _opened(project, path)
    try:
        return _script(source, data, logs=_logs(source))
    except RecursionError:
        raise InvalidValue(f"{shown(path)} is nested too deeply to be read.") from None


def describe_function(project: Path, path: str, name: str) -> FoundTarget:
    """Return what a file says about one of its functions that can be tuned.

    Raises:
        InvalidValue: The file is missing, outside of the project, or cannot be parsed, or has no such function.
    """
    source, _ = _opened(project, path)
    try:
        found = {target.name: target for target in functions_in(source, logs=_logs(source))}
    except RecursionError:
        raise InvalidValue(f"{shown(path)} is nested too deeply to be read.") from None
    if name in found:
        return found[name]
    defined = [node for node in source.tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    if defined:
        raise InvalidValue(
            f"{name} in {shown(path)} is neither marked @tracking.tunable nor an objective that draws from a trial "
            "and needs nothing else."
        )
    offered = f"It offers {', '.join(found)}." if found else "It offers none that can be tuned."
    raise InvalidValue(f"{shown(path)} has no function {name}. {offered}")


def file_problem(project: Path, path: str) -> str | None:
    """Return the sentence why a path names no Python file of the project, None when it does."""
    problem = path_problem(project, path)
    return problem or (None if path.endswith(".py") else f"{shown(path)} is no Python file.")


def _opened(project: Path, path: str) -> tuple[Source, bytes]:
    if problem := file_problem(project, path):
        raise InvalidValue(problem)
    root = Path(os.path.realpath(project))
    data = read_source(root, os.path.relpath(os.path.realpath(project / path), root), SOURCE_LIMIT)
    if not isinstance(data, bytes):
        raise InvalidValue(data or f"There is no {shown(path)} in the project.")
    source = parse(path, data)
    if isinstance(source, str):
        raise InvalidValue(source)
    return source, data


def _script(source: Source, data: bytes, *, logs: bool) -> FoundTarget:
    declared = Declared()
    used = ""
    for name in _readers(data):
        found = _READERS[name][0](source)
        if found.options or found.parses:
            used = used or name
        declared.options += found.options
        declared.description = declared.description or found.description
        declared.complete &= found.complete
        declared.why_not += found.why_not
    why_not = list(declared.why_not)
    if not declared.options and not why_not and _ELSEWHERE.search(data):
        declared.complete = False
        why_not.append("It declares no options itself, but reads its command line.")
    if commands := sorted({option.command for option in declared.options if option.command}):
        why_not.append(f"It has subcommands: put one of {', '.join(commands)} into its arguments.")
    docstring = first_line(ast.get_docstring(source.tree))
    return FoundTarget(
        kind=TargetKind.SCRIPT,
        path=source.path,
        name=source.path,
        description=docstring or declared.description,
        options=declared.options,
        complete=declared.complete,
        why_not=tuple(why_not),
        reader=used,
        takes_more=_TAKES_MORE.search(data) is not None,
        logs=logs,
    )


def _logs(source: Source) -> bool:
    return any(origin.split(".")[0] == "tracking" for origin in source.imports.values())


def _runs(source: Source) -> bool:
    """Return whether running the file does something: a `__main__` guard, or a call outside of functions."""
    return any(_is_guard(node) or _is_start(node) for node in source.tree.body)


def _is_guard(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and any(
        isinstance(inner, ast.Name) and inner.id == "__name__" for inner in ast.walk(node.test)
    )


def _is_start(node: ast.stmt) -> bool:
    value = node.value if isinstance(node, ast.Expr | ast.Assign) else None
    if not isinstance(value, ast.Call):
        return False
    if isinstance(node, ast.Expr) and isinstance(value.func, ast.Name):
        return True
    called = (inner.attr for inner in ast.walk(value) if isinstance(inner, ast.Attribute))
    return any(name in ("parse_args", "parse_known_args", "run", "main") for name in called)


def _is_inside_package(source: Source) -> bool:
    """Return whether it imports its neighbours by dots, which a file that is started by its path cannot."""
    imports: Iterator[ast.stmt] = iter(source.tree.body)
    return any(isinstance(node, ast.ImportFrom) and node.level > 0 for node in imports)
