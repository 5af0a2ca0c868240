"""The command that prints metric histories."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from tracking.cli.app import StoreOption, app, existing_store
from tracking.cli.terminal import TextTable, output, say
from tracking.errors import InvalidValue, NotFound
from tracking.exports.cells import time_text
from tracking.exports.tables import Batch, Column, CsvWriter, JsonWriter, TableWriter, Type
from tracking.validation import normalized

if TYPE_CHECKING:
    from tracking.records import Series
    from tracking.store import Store

TABLE_POINTS = 100
"""Of a curve on a terminal, when nothing else is asked for."""
ROWS = 20_000
"""Points that become text at once."""

COLUMNS = [
    Column("run", Type.TEXT),
    Column("key", Type.TEXT),
    Column("step", Type.INTEGER),
    Column("value", Type.NUMBER),
    Column("time", Type.TIME),
]


@app.command()
def history(
    run: Annotated[str, typer.Argument(help="Id of the run, or the beginning of it.")],
    keys: Annotated[list[str], typer.Argument(metavar="KEY...", help="Metric keys.")],
    store: StoreOption = None,
    max_points: Annotated[
        int | None,
        typer.Option(min=0, help=f"Points a curve; 0 for all. Default: {TABLE_POINTS} in a table, else all."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON, one point a line.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Comma-separated values.")] = False,
) -> None:
    """Print the history of metrics, in order of key and step; first, last and extremes are always kept."""
    if json and csv:
        raise InvalidValue("--json and --csv: take one of them.")
    if max_points is not None and 0 < max_points < 8:
        raise InvalidValue(f"--max-points {max_points}: a curve needs at least 8; 0 gives every point.")
    with existing_store(store) as opened, output() as out:
        run_id = opened.find_run(run)
        _check_keys(opened, run_id, keys)
        if json or csv:
            writer: TableWriter = (
                JsonWriter(out, COLUMNS, lines=True) if json else CsvWriter(out, COLUMNS, for_terminal=True)
            )
            for batch in history_batches(opened, run_id, keys, max_points or None):
                writer.write(batch)
            writer.close()
        else:
            _print_table(out, opened, run_id, keys, TABLE_POINTS if max_points is None else max_points)


def history_batches(
    store: Store, run_id: str, keys: Iterable[str], max_points: int | None
) -> Iterator[Batch]:
    """Yield the points of a run's metrics, one metric after the other, in batches of bounded size."""
    for key in dict.fromkeys(keys):
        for (_, stored_key), series in store.series(run_id, key).items():
            yield from _batches(run_id, stored_key, series, max_points)


def _batches(run_id: str, key: str, series: Series, max_points: int | None) -> Iterator[Batch]:
    places = _places(series, max_points)
    steps, values, times = series.steps[places], series.values[places], series.times[places]
    for at in range(0, len(steps), ROWS):
        piece = slice(at, at + ROWS)
        count = len(steps[piece])
        yield {
            "run": [run_id] * count,
            "key": [key] * count,
            "step": steps[piece].tolist(),
            "value": values[piece].tolist(),
            "time": times[piece].tolist(),
        }


def _places(series: Series, max_points: int | None) -> Any:
    if max_points is None or len(series) <= max_points:
        return slice(None)
    from tracking.analysis.reduction import reduce

    return reduce(series.steps, series.values, max_points)


def _print_table(out: TextIO, store: Store, run_id: str, keys: list[str], max_points: int) -> None:
    from tracking.ui import format

    several = len(set(keys)) > 1
    header = ["key", "step", "value", "time"] if several else ["step", "value", "time"]
    table = TextTable(out, header, numeric=[len(header) - 3, len(header) - 2])
    for key in dict.fromkeys(keys):
        for (_, stored_key), series in store.series(run_id, key).items():
            shown = 0
            for batch in _batches(run_id, stored_key, series, max_points or None):
                rows = zip(batch["step"], batch["value"], batch["time"], strict=True)
                table.add(
                    [
                        [
                            *([stored_key] if several else []),
                            f"{step:,}",
                            format.number(value, 7),
                            time_text(time)[:19].replace("T", " "),
                        ]
                        for step, value, time in rows
                    ]
                )
                shown += len(batch["step"])
            if shown < len(series):
                say(
                    f"{stored_key}: {shown:,} of {len(series):,} points, extremes kept; "
                    "--max-points 0 for all."
                )


def _check_keys(store: Store, run_id: str, keys: list[str]) -> None:
    known = store.run(run_id).metrics
    for key in keys:
        if normalized(key) not in known:
            has = ", ".join(sorted(known)[:10]) + (", …" if len(known) > 10 else "")
            raise NotFound(f"Run {run_id} has no metric {key!r:.200}. It has: {has or 'none'}.")
