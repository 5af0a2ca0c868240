"""The tables that lie in a project, and the names of their columns."""

from __future__ import annotations

import csv
import os
from pathlib import Path

from tracking.errors import InvalidValue
from tracking.tuning.tables.sources import CSV, PARQUET, SEPARATORS
from tracking.tuning.targets.project_files import LEFT_OUT, path_problem

FILE_LIMIT = 500
ENTRY_LIMIT = 50_000
"""Files and folders that are looked at: a project may hold a data set of millions of files."""
DEPTH_LIMIT = 8
COLUMN_LIMIT = 5_000
_HEADING_LIMIT = 1 << 20


def project_tables(project: Path) -> list[str]:
    """Return the CSV and Parquet files of a folder, relative to it with `/`; those near its top come first.

    Hidden folders, virtual environments, stores and symlinks are left out; of very many files, the rest.
    """
    found: list[str] = []
    folders, seen = [""], 0
    while folders and seen < ENTRY_LIMIT and len(found) < FILE_LIMIT:
        below: list[str] = []
        for folder in folders:
            try:
                entries = sorted(os.scandir(project / folder), key=lambda entry: entry.name)
            except OSError:
                continue
            seen += len(entries)
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if entry.name.startswith((".", "-")) or entry.is_symlink() or not _is_speakable(path):
                    continue
                if entry.is_dir():
                    if path.count("/") < DEPTH_LIMIT and _is_searched(entry):
                        below.append(path)
                elif entry.name.lower().endswith((*CSV, *PARQUET)) and entry.is_file():
                    found.append(path)
            if seen >= ENTRY_LIMIT:
                break
        folders = below
    return found[:FILE_LIMIT]


def csv_columns(project: Path, path: str) -> list[str]:
    """Return the names in the heading of a CSV file of a project; nothing for what is no CSV or has none.

    Raises:
        InvalidValue: The file is missing, outside of the project, or cannot be read.
    """
    if problem := path_problem(project, path):
        raise InvalidValue(problem)
    if not path.lower().endswith(CSV):
        return []
    try:
        with open(project / path, "rb") as file:
            line = file.readline(_HEADING_LIMIT).decode("utf-8-sig", "replace")
    except OSError as error:
        raise InvalidValue(f"{path!r:.250} cannot be read: {error.strerror or error}.") from None
    separator = max(SEPARATORS, key=line.count)
    try:
        names = next(csv.reader([line.strip("\r\n")], delimiter=separator), [])
    except csv.Error:
        return []
    return list(dict.fromkeys(name for name in names if name.strip()))[:COLUMN_LIMIT]


def _is_searched(folder: os.DirEntry[str]) -> bool:
    marks = ("pyvenv.cfg", "conda-meta", "tracking.db")
    return folder.name not in LEFT_OUT and not any(
        os.path.lexists(os.path.join(folder.path, mark)) for mark in marks
    )


def _is_speakable(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return path.isprintable() and "\\" not in path
