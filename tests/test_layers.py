"""Imports run downward only, and the habits that keep the code readable and safe hold in every file."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "tracking"
SQL = {"sqlalchemy", "sqlmodel", "sqlite3", "alembic"}

LOWEST = {"records", "study_records", "sweep_records", "registry_records", "errors", "config", "validation"}

# layer: what it may import, beside itself and its own files.
MAY_IMPORT: dict[str, set[str]] = {
    "records": set(),
    "study_records": {"records"},
    "sweep_records": {"records"},
    "registry_records": {"records"},
    "errors": set(),
    "config": {"errors"},
    "validation": {"errors", "records"},
    "spool": LOWEST,
    "database": LOWEST | {"spool"},
    "artifacts": LOWEST | {"spool", "database"},
    "client": LOWEST | {"spool", "database", "artifacts"},
    "analysis": LOWEST,
    "tuning": LOWEST | {"spool", "database", "client", "analysis", "store", "tracking"},
    "registry": LOWEST | {"database", "artifacts", "analysis"},
    # A query in the process that logs drains its spool first, which is the client's to do.
    "store_handle": LOWEST | {"spool", "database", "client", "artifacts"},
    "store_carried": LOWEST | {"spool", "database", "artifacts", "store_handle"},
    "store_listing": LOWEST | {"database", "store_handle"},
    "store_studies": LOWEST | {"database", "store_handle"},
    "store_sweeps": LOWEST | {"database", "store_handle", "store_studies"},
    "store_models": LOWEST | {"database", "analysis", "registry", "store_handle"},
    "store_registry": LOWEST | {"database", "registry", "store_models"},
    "store_merge": LOWEST | {"spool", "database", "artifacts", "store_handle"},
    "store_care": LOWEST | {"spool", "database", "client", "artifacts", "store_handle"},
    "store": LOWEST
    | {"spool", "database", "client", "artifacts", "registry", "analysis"}
    | {"store_handle", "store_carried", "store_listing", "store_studies", "store_sweeps"}
    | {"store_models", "store_registry", "store_merge", "store_care"},
    "exports": LOWEST,
    "ui": LOWEST | {"store", "analysis", "tuning", "registry"},
    "pages": LOWEST | {"ui", "store", "analysis", "tracking"},
    "sample": {"tracking"},
    "integrations": {"tracking"},
    "cli": LOWEST | {"store", "exports", "analysis", "ui", "sample", "tracking", "tuning", "registry"},
    "__main__": {"cli"},
}
# Imported inside functions only, so that a training script pays for them after its loop has begun, or never.
LAZY_ONLY = {
    "client": {"database", "artifacts"},
    "cli": {"ui", "store", "tuning", "registry"},
    "ui": {"tuning", "registry"},
}
# Top-level packages a layer may use at all, where that is a short list.
LIBRARIES = {
    "records": {"numpy"},
    "errors": set(),
    "config": {"psutil"},
    "validation": {"numpy"},
    "spool": {"numpy", "psutil"},
    # pyarrow and Pillow where they are installed: to write tables and images.
    "client": {"numpy", "psutil", "pyarrow", "PIL"},
    "analysis": {"numpy", "pandas", "scipy"},
}
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}
MAX_LINES = 400

# What must not appear in the product's source, and why.
BANNED = {
    r"unsafe_allow_html": "stored text is data, never markup",
    r"use_container_width": 'removed from Streamlit; width="stretch"',
    r"shell\s*=\s*True": "no shell",
    r"(?<![\w.])eval\(": "nothing is evaluated",
    r"(?<![\w.])exec\((?![\"'])": "nothing but a literal is executed",
    r"\bc?pickle\.\w|\b(import|from) c?pickle\b": "no unpickling",
    r"\bextractall\b": "archives are read entry by entry",
    r"\btext\(f[\"']": "SQL is bound, never formatted",
    r":material/": "fetches a font from the network",
    r"0\.0\.0\.0": "the dashboard listens on 127.0.0.1",
}


def python_files(*folders: Path) -> list[Path]:
    return sorted(file for folder in folders for file in folder.rglob("*.py"))


def product_files() -> list[Path]:
    return [*python_files(PACKAGE, ROOT / "pages"), *ROOT.glob("app.py")]


def relative(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def layer_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    if parts[0] in ("pages", "app"):
        return "pages"
    return "tracking" if parts == ("tracking", "__init__") else parts[1]


class Import:
    """One import of one module, with where it stands."""

    def __init__(self, module: str, line: int, *, lazy: bool) -> None:
        self.module, self.line, self.lazy = module, line, lazy

    def layer(self) -> str | None:
        """Return the layer of this package it reaches, None for a library."""
        parts = self.module.split(".")
        if parts[0] != "tracking":
            return None
        known = len(parts) > 1 and (parts[1] in MAY_IMPORT)
        return parts[1] if known else "tracking"


@cache
def imports_of(file: Path) -> tuple[Import, ...]:
    """Return every import of a file, but those for the type checker alone."""

    def walk(node: ast.AST, lazy: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            inside = lazy or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            if isinstance(child, ast.expr):
                continue
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                continue
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield Import(alias.name, child.lineno, lazy=lazy)
            elif isinstance(child, ast.ImportFrom):
                yield from from_import(child, lazy)
            else:
                yield from walk(child, inside)

    def from_import(node: ast.ImportFrom, lazy: bool) -> Iterator[Import]:
        module = node.module or ""
        if node.level:
            package = file.relative_to(ROOT).with_suffix("").parts[: -node.level]
            module = ".".join((*package, *filter(None, [module])))
        for alias in node.names:
            # `from tracking import sample` reaches the module, not the package's table of contents.
            place = ROOT.joinpath(*module.split("."), alias.name)
            is_module = place.is_dir() or place.with_suffix(".py").exists()
            yield Import(f"{module}.{alias.name}" if is_module else module, node.lineno, lazy=lazy)

    return tuple(walk(ast.parse(file.read_text(encoding="utf-8")), lazy=False))


def test_every_part_of_the_package_has_a_row_in_the_table() -> None:
    parts = {layer_of(file) for file in python_files(PACKAGE)} - {"tracking"}
    assert parts <= MAY_IMPORT.keys()


def test_imports_follow_the_table() -> None:
    wrong = []
    for file in product_files():
        layer = layer_of(file)
        if layer == "tracking":
            continue
        for found in imports_of(file):
            target = found.layer()
            if target is None or target == layer:
                continue
            if target not in MAY_IMPORT[layer]:
                wrong.append(f"{relative(file)}:{found.line}: {layer} imports {target}")
            elif target in LAZY_ONLY.get(layer, ()) and not found.lazy:
                wrong.append(f"{relative(file)}:{found.line}: {layer} imports {target} outside a function")
    assert wrong == []


def test_the_table_has_no_circles() -> None:
    settled: set[str] = {"tracking"}
    left = dict(MAY_IMPORT)
    while ready := {layer for layer, targets in left.items() if targets - {layer} <= settled}:
        settled |= ready
        left = {layer: targets for layer, targets in left.items() if layer not in ready}
    assert left == {}


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    names = {
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file
        for file in python_files(PACKAGE)
    }
    graph = {
        name: {found.module for found in imports_of(file) if not found.lazy and found.module in names}
        - {name}
        for name, file in names.items()
    }
    while free := [name for name, targets in graph.items() if not targets & graph.keys()]:
        for name in free:
            del graph[name]
    assert graph == {}


def test_only_the_database_layer_knows_sql() -> None:
    wrong = [
        f"{relative(file)}:{found.line}: {found.module}"
        for file in product_files()
        if layer_of(file) != "database"
        for found in imports_of(file)
        if found.module.split(".")[0] in SQL
    ]
    assert wrong == []


def test_nothing_below_the_pages_draws() -> None:
    wrong = [
        f"{relative(file)}:{found.line}"
        for file in product_files()
        if layer_of(file) not in ("ui", "pages")
        for found in imports_of(file)
        if found.module.split(".")[0] == "streamlit"
    ]
    assert wrong == []


def test_lower_layers_use_few_libraries() -> None:
    import sys

    wrong = [
        f"{relative(file)}:{found.line}: {found.module}"
        for file in python_files(PACKAGE)
        if (allowed := LIBRARIES.get(layer_of(file))) is not None
        for found in imports_of(file)
        if (top := found.module.split(".")[0]) != "tracking"
        and top not in sys.stdlib_module_names
        and top not in allowed
    ]
    assert wrong == []


def reads_environment(file: Path) -> Iterator[int]:
    """Yield the lines that read `os.environ`; setting a variable for children to inherit is no reading."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    set_here = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv"):
            if id(node) not in set_here:
                yield node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module == "os":
            if {alias.name for alias in node.names} & {"environ", "environb", "getenv"}:
                yield node.lineno


def test_only_config_reads_the_environment() -> None:
    wrong = [
        f"{relative(file)}:{line}"
        for file in product_files()
        if relative(file) != "tracking/config.py"
        for line in reads_environment(file)
    ]
    assert wrong == []


def test_files_stay_short_and_are_named_for_what_they_hold() -> None:
    files = [*product_files(), *python_files(ROOT / "tests", ROOT / "benchmarks", ROOT / "examples")]
    too_long = [relative(file) for file in files if len(file.read_text().splitlines()) > MAX_LINES]
    assert too_long == []
    assert [relative(file) for file in files if {file.stem, file.parent.name} & FORBIDDEN_NAMES] == []


@pytest.mark.parametrize("pattern", BANNED)
def test_source_is_free_of(pattern: str) -> None:
    found = [
        f"{relative(file)}:{number}: {line.strip()}"
        for file in [*product_files(), *python_files(ROOT / "examples")]
        for number, line in enumerate(file.read_text().splitlines(), start=1)
        if re.search(pattern, line)
    ]
    assert found == [], BANNED[pattern]
