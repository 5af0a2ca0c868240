"""The command that writes runs and histories to files."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, TextIO

import typer

from tracking.cli.app import StoreOption, app, existing_store
from tracking.cli.history import COLUMNS, history_batches
from tracking.cli.runs import (
    FIRST,
    ChildrenOption,
    ColumnsOption,
    ExperimentOption,
    OrderOption,
    chosen,
    split_columns,
)
from tracking.cli.terminal import output, say
from tracking.errors import InvalidValue, TrackingError
from tracking.exports.files import new_file
from tracking.exports.tables import (
    Batch,
    Column,
    CsvWriter,
    JsonWriter,
    ParquetWriter,
    TableWriter,
    Type,
    TypeFinder,
)

if TYPE_CHECKING:
    from tracking.store import Store


class Format(StrEnum):
    """What a table is written as."""

    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"
    JSONL = "jsonl"


_ENDINGS = {".csv": Format.CSV, ".parquet": Format.PARQUET, ".pq": Format.PARQUET, ".json": Format.JSON}
_ENDINGS |= {".jsonl": Format.JSONL, ".ndjson": Format.JSONL}
_FIRST_TYPES = dict.fromkeys(FIRST, Type.TEXT) | {"created": Type.TIME, "duration": Type.NUMBER}

MakeWriter = Callable[[list[Column]], TableWriter]


@app.command()
def export(
    target: Annotated[str, typer.Argument(help="File to write, its ending says how; - for standard output.")],
    where: Annotated[str, typer.Argument(metavar="[FILTER]", help="Only runs that it fits.")] = "",
    store: StoreOption = None,
    experiment: ExperimentOption = None,
    run: Annotated[
        list[str] | None,
        typer.Option("--run", help="Only this run (with --history); several times for more."),
    ] = None,
    history: Annotated[bool, typer.Option("--history", help="Metric histories, a row a point.")] = False,
    key: Annotated[
        list[str] | None, typer.Option("--key", help="Only this metric's history; several times for more.")
    ] = None,
    max_points: Annotated[int, typer.Option(min=0, help="Points a curve at most; 0 for all.")] = 0,
    order_by: OrderOption = None,
    columns: ColumnsOption = None,
    children: ChildrenOption = False,
    format: Annotated[Format | None, typer.Option("--format", help="Instead of the file's ending.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
) -> None:
    """Write the table of runs, or with --history their metric histories, as CSV, Parquet or JSON.

    Text that a spreadsheet would take for a formula gets an apostrophe in front. NaN and infinities are
    themselves in CSV and Parquet, and the strings "NaN", "Infinity" and "-Infinity" in JSON.
    """
    kind = _format_of(target, format)
    if (run or key or max_points) and not history:
        raise InvalidValue("--run, --key and --max-points are about histories: add --history.")
    if 0 < max_points < 8:
        raise InvalidValue(f"--max-points {max_points}: a curve needs at least 8; 0 gives every point.")
    with existing_store(store) as opened, _writing(target, kind, force) as make_writer:

        def pages(wanted: list[str] | None) -> Iterator[Batch]:
            return opened.search_pages(
                where, experiment=experiment, order_by=order_by, columns=wanted, children=children
            )

        if history:
            ids = [opened.find_run(each) for each in run] if run else _ids(pages([]))
            rows = _write_histories(opened, ids, key, max_points or None, make_writer)
        else:
            rows = _write_runs(pages, split_columns(columns), make_writer)
    if target != "-":
        say(f"{rows:,} {'points' if history else 'runs'} written to {target}.")


def _format_of(target: str, given: Format | None) -> Format:
    if given is not None:
        return given
    if target == "-":
        return Format.CSV
    found = _ENDINGS.get(Path(target).suffix.lower())
    if found is None:
        endings = ", ".join(sorted(_ENDINGS))
        raise InvalidValue(
            f"{target!r:.200} does not end in one of {endings}: name it so, or add --format csv."
        )
    return found


@contextmanager
def _writing(target: str, kind: Format, force: bool) -> Iterator[MakeWriter]:
    if target == "-":
        with output() as out:
            if kind is Format.PARQUET and out.isatty():
                raise InvalidValue("Parquet is no text for a terminal: send it into a file or a pipe.")
            with _tables(out, out.buffer, kind, for_terminal=True) as make_writer:
                yield make_writer
        return
    try:
        with new_file(Path(target).expanduser(), force=force) as file:
            text = io.TextIOWrapper(file, "utf-8", newline="", write_through=False)
            with _tables(text, file, kind, for_terminal=False) as make_writer:
                yield make_writer
            text.flush()
            text.detach()
    except OSError as error:
        raise TrackingError(f"{target} cannot be written ({error.strerror or error}).") from error


@contextmanager
def _tables(text: TextIO, binary: BinaryIO, kind: Format, *, for_terminal: bool) -> Iterator[MakeWriter]:
    writers: list[TableWriter] = []

    def make(columns: list[Column]) -> TableWriter:
        writer: TableWriter
        if kind is Format.PARQUET:
            writer = ParquetWriter(binary, columns)
        elif kind is Format.CSV:
            writer = CsvWriter(text, columns, for_terminal=for_terminal)
        else:
            writer = JsonWriter(text, columns, lines=kind is Format.JSONL)
        writers.append(writer)
        return writer

    yield make
    for writer in writers:
        writer.close()


def _ids(pages: Iterator[Batch]) -> Iterator[str]:
    for page in pages:
        yield from page["run"]


def _write_histories(
    store: Store,
    ids: Iterator[str] | list[str],
    keys: list[str] | None,
    max_points: int | None,
    make_writer: MakeWriter,
) -> int:
    writer, rows = make_writer(COLUMNS), 0
    for run_id in ids:
        for batch in history_batches(store, run_id, keys or sorted(store.run(run_id).metrics), max_points):
            writer.write(batch)
            rows += len(batch["run"])
    return rows


def _write_runs(
    pages: Callable[[list[str] | None], Iterator[Batch]], wanted: list[str] | None, make_writer: MakeWriter
) -> int:
    """Write the runs; read twice, since what a column is called and holds is known after the last run only."""
    asked = None if wanted is None else [name for name in wanted if name not in FIRST]
    finder, shown = TypeFinder(), list[str]()
    for page in pages(asked):
        finder.see(page)
        shown = chosen(page, wanted) if wanted is not None else shown
    found = finder.columns(_FIRST_TYPES)
    if wanted is None:
        first = [Column(name, _FIRST_TYPES[name]) for name in FIRST]
        rest = [column for column in found if column.name not in FIRST]
        # Metrics before params, each by name.
        columns = first + sorted(rest, key=lambda column: column.name)
    else:
        by_name = {column.name: column for column in found}
        columns = [by_name[name] for name in shown] or [Column(name, Type.TEXT) for name in wanted]
    writer, rows = make_writer(columns), 0
    for page in pages(asked):
        count = len(page["run"])
        writer.write({column.name: page.get(column.name) or [None] * count for column in columns})
        rows += count
    return rows
