"""Reads the rows of a target: a set of scikit-learn's, a file of the project, an artifact of a run."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO

from tracking.errors import InvalidValue, NotFound
from tracking.tuning.definition import TableTarget

if TYPE_CHECKING:
    import pandas as pd

    from tracking.store import Store

DATASETS = ("digits", "iris", "wine", "breast_cancer", "diabetes")
LIMIT = 2 * 10**9
"""Bytes of a file; a table has to fit into the memory of every worker, several times."""
SEPARATORS = ",;\t|"
CSV = (".csv", ".tsv")
PARQUET = (".parquet", ".pq")


def read_source(
    target: TableTarget, *, project: Path | None, store: Store | None
) -> tuple[pd.DataFrame, str]:
    """Return a target's rows as they are, and where they come from.

    Args:
        target: One of its `dataset`, `file` and `artifact` is set.
        project: The folder that `file` is relative to.
        store: That of the artifact.

    Raises:
        InvalidValue: The source is none of these, lies outside of the project, is too large or no table.
        NotFound: There is no such file, run or artifact.
        ArtifactDamaged: The artifact's bytes are not those that were logged.
    """
    given = [each for each in (target.dataset, target.file, target.artifact) if each is not None]
    if len(given) != 1:
        raise InvalidValue("A table is one of dataset, file and artifact: give exactly one of them.")
    if target.dataset is not None:
        return _dataset(target.dataset), f"sklearn:{target.dataset}"
    if target.file is not None:
        if project is None:
            raise InvalidValue(f"{target.file!r:.250} is relative to a project: say which folder that is.")
        return _file(project, target.file), target.file
    assert target.artifact is not None
    if store is None:
        raise InvalidValue(f"{target.artifact!r:.250} is an artifact of a store: say which store.")
    return _artifact(store, target.artifact), target.artifact


def _dataset(name: str) -> pd.DataFrame:
    if name not in DATASETS:
        close = difflib.get_close_matches(name, DATASETS, n=1)
        meant = f"Did you mean {close[0]!r}? " if close else ""
        raise InvalidValue(f"There is no set {name!r:.80}. {meant}There are: {', '.join(DATASETS)}.")
    from sklearn import datasets

    frame: pd.DataFrame = getattr(datasets, f"load_{name}")(as_frame=True).frame
    return frame


def _file(project: Path, name: str) -> pd.DataFrame:
    root = Path(os.path.realpath(project))
    path = Path(os.path.realpath(root / name))
    if PurePosixPath(name).is_absolute() or not path.is_relative_to(root):
        raise InvalidValue(f"{name!r:.250} lies outside of the project. Give a path inside of it.")
    if not path.exists():
        raise NotFound(f"The project has no file {name!r:.250}.{_like(path, name)}")
    if not path.is_file():
        raise InvalidValue(f"{name!r:.250} is no file.")
    read = _reader(path.suffix, name)
    _check_size(path.stat().st_size, name)
    try:
        with path.open("rb") as file:
            return read(file)
    except OSError as error:
        raise InvalidValue(f"{name!r:.250} cannot be read: {error.strerror or error}.") from None


def _like(path: Path, name: str) -> str:
    try:
        beside = [each.name for each in path.parent.iterdir() if each.suffix.lower() in CSV + PARQUET]
    except OSError:
        return f" There is no folder {str(PurePosixPath(name).parent)!r:.250} either."
    near = difflib.get_close_matches(path.name, beside, n=3, cutoff=0.4) or sorted(beside)[:3]
    return f" Tables beside it: {', '.join(near)}." if near else ""


def _artifact(store: Store, text: str) -> pd.DataFrame:
    run, _, name = text.partition("/")
    if not run or not name:
        raise InvalidValue(f"{text!r:.250} is no artifact: write <run id>/<artifact name>.")
    files = store.artifact_files(run, name)
    if len(files) != 1 or files[0].path != name:
        raise InvalidValue(f"The artifact {name!r:.250} of run {run} is a folder: log the table by itself.")
    record = next(each for each in store.artifacts(run) if each.name == name)
    told = record.details.get("extension")
    suffix = PurePosixPath(name).suffix.lower()
    if record.kind == "table":
        suffix = ".parquet"
    elif suffix not in CSV + PARQUET and isinstance(told, str):
        suffix = told
    read = _reader(suffix, text)
    _check_size(record.size, text)
    with store.open_artifact(run, name) as file:
        return read(file)


def _check_size(size: int, name: str) -> None:
    if size > LIMIT:
        raise InvalidValue(
            f"{name!r:.250} has {size / 1e9:,.1f} GB; up to {LIMIT / 1e9:.0f} GB are loaded. "
            "Take a sample of its rows, or train on it with a script of your own."
        )
    if size == 0:
        raise InvalidValue(f"{name!r:.250} is empty.")


def _reader(suffix: str, name: str) -> Callable[[BinaryIO], pd.DataFrame]:
    ending = suffix.lower()
    if ending in PARQUET:
        return lambda file: _parquet(file, name)
    if ending in CSV:
        return lambda file: _csv(file, name)
    raise InvalidValue(f"{name!r:.250} is neither CSV nor Parquet: a table ends in .csv, .tsv or .parquet.")


def _parquet(file: BinaryIO, name: str) -> pd.DataFrame:
    import pyarrow.parquet as pq

    try:
        read = pq.ParquetFile(file)
        groups = (read.metadata.row_group(place) for place in range(read.metadata.num_row_groups))
        _check_size(sum(group.total_byte_size for group in groups) or 1, name)
        frame = read.read().to_pandas()
    except InvalidValue:
        raise
    except Exception as error:  # pyarrow has errors of its own, not all of one tree
        raise InvalidValue(f"{name!r:.250} cannot be read as Parquet: {_short(error)}") from None
    return _plain(frame)


def _csv(file: BinaryIO, name: str) -> pd.DataFrame:
    import pandas as pd

    head = file.readline(1 << 20).decode("utf-8", "replace")
    file.seek(0)
    # The heading tells: data may be full of decimal commas.
    separator = max(SEPARATORS, key=head.count)
    try:
        frame = pd.read_csv(file, sep=separator, encoding="utf-8-sig", low_memory=False)
    except UnicodeDecodeError:
        raise InvalidValue(f"{name!r:.250} is no text in UTF-8. Save it as UTF-8, or as Parquet.") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        raise InvalidValue(f"{name!r:.250} cannot be read as CSV: {_short(error)}") from None
    return _plain(frame)


def _plain(frame: Any) -> pd.DataFrame:
    """Return a frame with its columns named by texts; an index with a name is a column of its own."""
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    frame.columns = [str(column) for column in frame.columns]
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise InvalidValue(f"Two columns are named {twice!r:.80}. Rename one of them.")
    found: pd.DataFrame = frame
    return found


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
