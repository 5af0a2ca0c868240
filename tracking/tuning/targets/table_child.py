"""Opens the table of a target and answers what keeps it from being learned from, as JSON; run by `table_checks`.

The request is a JSON line on standard input, `{"target": {...}, "project": folder, "store": folder}`; the answer
`{"field": "column", "sentence": "..."}`, or `{}` where all is well.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from tracking.config import locate_store
from tracking.errors import TrackingError
from tracking.tuning.definition import TableTarget

WHOLE_LIMIT = 50 * 10**6
"""Bytes of a file that is read whole; of a larger one the names of its columns."""


def main() -> None:
    """Answer the request."""
    request = json.loads(sys.stdin.read())
    # Whatever a library prints is no part of the answer.
    answer, sys.stdout = sys.stdout, sys.stderr
    given = {**request["target"], "estimators": tuple(request["target"]["estimators"])}
    json.dump(problem(TableTarget(**given), Path(request["project"]), request["store"]), answer)
    answer.flush()
    # Libraries for tables end threads slowly, and have nothing to write.
    os._exit(0)


def problem(target: TableTarget, project: Path, store: str) -> dict[str, str]:
    """Return the field and the sentence of what is wrong with a table, nothing where all is well."""
    try:
        if target.artifact is not None:
            _artifact(target, project, store)
        elif target.file is not None and _size(project / target.file) > WHOLE_LIMIT:
            return _heading(target, project / target.file)
        else:
            _load(target, project=project)
    except TrackingError as error:
        return {"field": _field(target, str(error)), "sentence": str(error)}
    return {}


def _load(target: TableTarget, **where: Any) -> None:
    from tracking.tuning.tables.loading import load_table

    load_table(target, **where)


def _artifact(target: TableTarget, project: Path, root: str) -> None:
    import tracking
    from tracking.errors import NotFound

    location = locate_store(root)
    run, _, name = (target.artifact or "").partition("/")
    if not location.database.exists():
        raise NotFound(f"There is no store at {location.root} yet, and so no run {run!r:.80}.")
    with tracking.open_store(location.root) as store:
        sizes = [record.size for record in store.artifacts(run) if record.name == name]
        if not sizes or max(sizes) <= WHOLE_LIMIT:
            _load(target, project=project, store=store)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _heading(target: TableTarget, path: Path) -> dict[str, str]:
    import pandas as pd

    from tracking.tuning.definition_fields import closest

    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            import pyarrow.parquet as pq

            names = [str(name) for name in pq.read_schema(path).names]
        else:
            with path.open("rb") as file:
                head = file.readline(1 << 20).decode("utf-8", "replace")
            separator = max(",;\t|", key=head.count)
            names = [
                str(name) for name in pd.read_csv(path, sep=separator, nrows=0, encoding="utf-8-sig").columns
            ]
    except Exception as error:  # pyarrow and pandas have errors of their own, not all of one tree
        said = " ".join(str(error).split())[:300]
        return {"field": "file", "sentence": f"{target.file!r:.250} cannot be read: {said}"}
    if target.column in names:
        return {}
    hint = closest(target.column, names[:50])
    return {
        "field": "column",
        "sentence": f"{target.file!r:.250} has no column {target.column!r:.80}. {hint}",
    }


def _field(target: TableTarget, sentence: str) -> str:
    if sentence.startswith(repr(target.metric)):
        return "metric"
    if "folds need" in sentence:
        return "folds"
    if sentence.startswith("The column ") or f"has no column {target.column!r:.80}." in sentence:
        return "column"
    return "dataset" if target.dataset is not None else "file" if target.file is not None else "artifact"


if __name__ == "__main__":
    main()
