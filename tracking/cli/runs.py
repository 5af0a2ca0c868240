"""Commands that list runs and show one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, TextIO

import typer

from tracking.cli.app import StoreOption, app, existing_store
from tracking.cli.record_text import record_json, write_record
from tracking.cli.terminal import TextTable, output, say
from tracking.exports.cells import json_text, time_text

FIRST = ("run", "name", "experiment", "status", "created", "duration")
METRICS_SHOWN = 8
# Up to a comma; what stands in brackets, in parentheses or in quotes is one with its name.
_COLUMN = re.compile(r"""(?:\[(?:"[^"]*"|'[^']*'|[^]"'])*\]|\([^)]*\)|[^,])+""")

WhereArgument = Annotated[
    str, typer.Argument(metavar="[FILTER]", help="Such as 'metrics.accuracy > 0.9 and params.lr < 0.01'.")
]
ExperimentOption = Annotated[str | None, typer.Option("--experiment", "-e", help="Only runs of this one.")]
OrderOption = Annotated[
    str | None, typer.Option("--order-by", help="Such as 'metrics.accuracy desc'. Default: newest first.")
]
ColumnsOption = Annotated[
    list[str] | None,
    typer.Option("--columns", help="Such as name,metrics.loss,params.lr; may be given several times."),
]
ChildrenOption = Annotated[bool, typer.Option("--children", help="Also runs that are a part of another one.")]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON, one object a line.")]


@app.command()
def runs(
    where: WhereArgument = "",
    store: StoreOption = None,
    experiment: ExperimentOption = None,
    order_by: OrderOption = None,
    limit: Annotated[int, typer.Option(min=0, help="At most so many runs; 0 for all.")] = 50,
    columns: ColumnsOption = None,
    children: ChildrenOption = False,
    json: JsonOption = False,
    json_list: Annotated[bool, typer.Option("--json-list", help="JSON, one list.")] = False,
) -> None:
    """List runs: all, or those that a filter fits."""
    wanted = split_columns(columns)
    with existing_store(store) as opened, output() as out:
        pages = opened.search_pages(
            where,
            experiment=experiment,
            order_by=order_by,
            limit=limit or None,
            columns=None if wanted is None else [name for name in wanted if name not in FIRST],
            children=children,
        )
        if json or json_list:
            _print_json(out, pages, wanted, as_list=json_list)
        else:
            shown = _print_table(out, pages, wanted, experiment)
            if shown == limit:
                total = opened.count(where, experiment=experiment, children=children)
                if total > shown:
                    say(f"{shown:,} of {total:,} runs; --limit 0 for all.")


@app.command()
def show(
    run: Annotated[str, typer.Argument(help="Id of the run, or the beginning of it.")],
    store: StoreOption = None,
    json: Annotated[bool, typer.Option("--json", help="Everything, as one JSON object.")] = False,
) -> None:
    """Show one run: status, params, metrics, tags, notes and what it carries."""
    with existing_store(store) as opened, output() as out:
        run_id = opened.find_run(run)
        if json:
            out.write(json_text(record_json(opened, run_id), indent=2) + "\n")
        else:
            write_record(out, opened, run_id)


def split_columns(given: Sequence[str] | None) -> list[str] | None:
    """Return the names of `--columns a,b --columns c`; a comma within brackets or quotes belongs to a name."""
    names = [name.strip() for text in given or () for name in _COLUMN.findall(text)]
    return [name for name in names if name] or None


def chosen(page: Mapping[str, Sequence[Any]], wanted: Sequence[str] | None) -> list[str]:
    """Return the columns of a page in the order asked for."""
    if wanted is None:
        return list(page)
    # A column may be asked for in the filter's words, and is then named as the search names it.
    others = iter([name for name in page if name not in FIRST])
    names = (name if name in FIRST else next(others, None) for name in wanted)
    return [name for name in dict.fromkeys(names) if name is not None]


def _print_json(
    out: TextIO, pages: Iterable[Mapping[str, Sequence[Any]]], wanted: list[str] | None, *, as_list: bool
) -> None:
    any_yet = False
    for row in _rows(pages, wanted):
        if as_list:
            out.write(",\n" if any_yet else "[\n")
        out.write(json_text(row) + ("" if as_list else "\n"))
        any_yet = True
    if as_list:
        out.write("\n]\n" if any_yet else "[]\n")


def _rows(pages: Iterable[Mapping[str, Sequence[Any]]], wanted: list[str] | None) -> Iterator[dict[str, Any]]:
    for page in pages:
        names = chosen(page, wanted)
        columns = [
            [time_text(value) for value in page[name]] if name == "created" else page[name] for name in names
        ]
        for values in zip(*columns, strict=True):
            yield {name: value for name, value in zip(names, values, strict=True) if value is not None}


def _print_table(
    out: TextIO,
    pages: Iterable[Mapping[str, Sequence[Any]]],
    wanted: list[str] | None,
    experiment: str | None,
) -> int:
    table: TextTable | None = None
    names: list[str] = []
    shown = 0
    for page in pages:
        if table is None:
            names = chosen(page, wanted) if wanted is not None else _overview(page, experiment)
            numeric = [place for place, name in enumerate(names) if name not in FIRST[:5]]
            table = TextTable(out, names, numeric=numeric, whole=int(names[0] == "run"))
        cells = [_cells(name, page.get(name) or [None] * len(page["run"])) for name in names]
        table.add(list(zip(*cells, strict=True)))
        shown += len(page["run"])
    if table is None:
        say("No runs.")
    elif table.left_out:
        say(f"{table.left_out} more column(s) do not fit; choose with --columns, or take --json.")
    return shown


def _overview(page: Mapping[str, Sequence[Any]], experiment: str | None) -> list[str]:
    # What stands last is the first for which a narrow terminal has no room.
    first = [name for name in FIRST if name != "created" and (name != "experiment" or experiment is None)]
    metrics = [
        name for name in page if name.startswith("metrics.") and not name.startswith("metrics.system/")
    ]
    from tracking.analysis.reported import stand_ins

    said_again = stand_ins({name.removeprefix("metrics."): page[name] for name in metrics})
    metrics = [name for name in metrics if name.removeprefix("metrics.") not in said_again]
    # Those that most of the runs have say most of them.
    metrics.sort(key=lambda name: sum(value is None for value in page[name]))
    return [*first, *metrics[:METRICS_SHOWN], "created"]


def _cells(name: str, values: Sequence[Any]) -> list[str]:
    from tracking.ui import format

    if name == "created":
        return [time_text(value)[:16].replace("T", " ") for value in values]
    if name == "duration":
        return [format.duration(value) for value in values]
    if name == "tags":
        return [", ".join(value or ()) for value in values]
    return [format.number(value) if isinstance(value, float) else _text(value) for value in values]


def _text(value: Any) -> str:
    if value is None:
        return ""
    # A name is shown as it is: what makes a spreadsheet take it for a formula matters in CSV only.
    return value if isinstance(value, str) else json_text(value)
