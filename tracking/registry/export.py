"""The journal as JSON lines, which prove themselves without the store.

Each line is a row of `registry_journal`, column by column as stored; `tracking.database.registry_chain` says what its
digest is over. The last line is `{"head": …, "rows": …}`: the digest of the last row and how many rows there are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tracking.database.registry_chain import ROW
from tracking.errors import InvalidValue, StoreDamaged
from tracking.registry.verification import chain_problems, head_problems, holder_problems
from tracking.registry_records import GENESIS, JournalKind, RegistryReport

_TOO_LONG = 64 * 1024 * 1024
"""Characters of a line; a row of ten thousand runs' evidence has about one million."""


def export_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the lines of an export.

    Args:
        rows: Of the journal, in order, by their columns.

    Raises:
        StoreDamaged: A row holds what no row does, such as a blob that somebody put there.
    """
    head, count = GENESIS, 0
    for row in rows:
        said = {name: row[name] for name in (*ROW, "digest")}
        if not all(isinstance(value, str | int | None) for value in said.values()):
            raise StoreDamaged(
                f"Row {said['position']} of the journal was changed and cannot be written as text. See: "
                "tracking registry verify"
            )
        yield _line({**said, "overridden": bool(said["overridden"])})
        head, count = str(row["digest"]), count + 1
    yield _line({"head": head, "rows": count})


def _line(said: Mapping[str, Any]) -> str:
    # ASCII alone: it may be printed on a terminal, which obeys some characters beyond.
    return json.dumps(said, sort_keys=True, separators=(",", ":")).replace("\x7f", "\\u007f")


def verify_export(file: Path, *, head: str | None = None) -> RegistryReport:
    """Compute the chain of an exported journal anew.

    Args:
        file: What `export_lines` gave, a line each.
        head: A digest noted elsewhere: a row has to have it.

    Raises:
        InvalidValue: There is no such file.
    """
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            return _verified(lines, head)
    except FileNotFoundError:
        raise InvalidValue(f"There is no file {file}. To make it: tracking registry export {file}") from None
    except IsADirectoryError:
        raise InvalidValue(
            f"{file} is a folder. Give the file that tracking registry export wrote."
        ) from None


def _verified(lines: Iterable[str], wanted: str | None) -> RegistryReport:
    problems: list[str] = []
    rows: list[Mapping[str, Any]] = []
    last: Mapping[str, Any] | None = None
    for number, line in enumerate(lines, start=1):
        said = _object(line)
        if last is not None:
            problems.append(f"Line {number} stands behind what was the last line.")
            break
        if said is not None and said.keys() == {"head", "rows"}:
            last = said
        elif said is None or not _is_row(said):
            problems.append(f"Line {number} is no row of a journal.")
        else:
            if rows and said["position"] <= rows[-1]["position"]:
                problems.append(f"Row {said['position']} stands behind row {rows[-1]['position']}.")
            rows.append(said)
    rows.sort(key=lambda row: int(row["position"]))
    problems += chain_problems(rows)
    problems += head_problems(rows, None if wanted is None else wanted.strip().lower())
    problems += holder_problems(rows)
    head = str(rows[-1]["digest"]) if rows else GENESIS
    if last is None:
        problems.append("The last line, which has the head, is missing: the file was cut off.")
    elif (last["head"], last["rows"]) != (head, len(rows)):
        problems.append(
            f"The last line speaks of {last['rows']} rows with the head {last['head']}; the file has {len(rows)}, and "
            f"their head is {head}."
        )
    versions = sum(row["kind"] == JournalKind.REGISTER for row in rows)
    return RegistryReport(len(rows), versions, head, tuple(dict.fromkeys(problems)))


def _is_row(said: Mapping[str, Any]) -> bool:
    return (
        said.keys() == {*ROW, "digest"}
        and type(said["position"]) is int
        and all(isinstance(value, str | int | None) for value in said.values())
    )


def _object(line: str) -> dict[str, Any] | None:
    if len(line) > _TOO_LONG:
        return None
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None
