"""The commands of `tracking models` that look, and what they all share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from tracking.cli.app import StoreOption, app, existing_store
from tracking.cli.model_text import (
    JOURNAL_COLUMNS,
    MODEL_COLUMNS,
    VERSION_COLUMNS,
    entry_json,
    holder_lines,
    journal_row,
    model_json,
    model_pairs,
    model_row,
    value_text,
    version_json,
    version_pairs,
    version_row,
)
from tracking.cli.record_text import write_pairs
from tracking.cli.sweep import JsonOption
from tracking.cli.terminal import TextTable, output, say
from tracking.exports.cells import json_text, printable
from tracking.registry_records import CHAMPION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracking.registry_records import JournalEntry, ModelRecord, VersionRecord
    from tracking.store import Store

models_app = typer.Typer(
    name="models",
    help="Register models, promote them on evidence, roll back; who held what and why.",
    no_args_is_help=True,
)
app.add_typer(models_app)

NEWEST = 10
"""Versions that `show` lists."""

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Of the model.")]
ReferenceArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="A model, or a version of it: digits/3, digits@champion.")
]
AliasOption = Annotated[str, typer.Option("--alias", "-a", help="Which alias.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Kept in the journal for ever.")]


@models_app.command("list")
def list_models(store: StoreOption = None, json: JsonOption = False) -> None:
    """List the models: how many versions, who holds which alias."""
    with existing_store(store) as opened, output() as out:
        found = opened.models()
        if json:
            _lines(out, [model_json(each) for each in found])
            return
        if not found:
            say("No models. To register one that a run logged: tracking models register NAME RUN")
            return
        _table(out, MODEL_COLUMNS, [model_row(each) for each in found], numeric=(1,))


@models_app.command()
def show(name: ReferenceArgument, store: StoreOption = None, json: JsonOption = False) -> None:
    """Show a model with its gates and newest versions, or one version with its lineage."""
    with existing_store(store) as opened, output() as out:
        if is_version(name):
            version = opened.version(name)
            if json:
                _lines(out, [version_json(version)])
                return
            _write_version(out, version)
            return
        model = opened.model(name)
        versions = opened.versions(name)
        if json:
            whole = {**model_json(model), "all_versions": [version_json(each) for each in versions]}
            _lines(out, [whole])
            return
        _write_model(out, model, versions)


@models_app.command()
def versions(
    name: NameArgument,
    store: StoreOption = None,
    limit: Annotated[int, typer.Option(min=0, help="At most so many of the newest; 0 for all.")] = 50,
    json: JsonOption = False,
) -> None:
    """List the versions of a model, the newest first."""
    with existing_store(store) as opened, output() as out:
        found = opened.versions(name)
        shown = found[: limit or None]
        if json:
            _lines(out, [version_json(each) for each in shown])
            return
        _table(out, VERSION_COLUMNS, [version_row(each) for each in shown], numeric=(0, 6))
        if len(shown) < len(found):
            say(f"{len(shown):,} of {len(found):,} versions; --limit 0 for all.")


@models_app.command()
def history(name: NameArgument, store: StoreOption = None, json: JsonOption = False) -> None:
    """Show the journal of a model, oldest first: registered, promoted, refused, rolled back, retired."""
    with existing_store(store) as opened, output() as out:
        write_journal(out, opened, opened.journal(opened.model(name).name), json=json)


@models_app.command()
def card(
    name: ReferenceArgument,
    store: StoreOption = None,
    out_file: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write it to this new file.", dir_okay=False)
    ] = None,
) -> None:
    """Print a version's model card as Markdown: of a model alone, that of its champion or newest version."""
    with existing_store(store) as opened, output() as out:
        version = chosen_version(opened, name)
        text = opened.model_card(version.model, version.number)
        if out_file is None:
            out.write(printable(text, lines=True).rstrip("\n") + "\n")
            return
        from tracking.exports.files import new_file

        with new_file(out_file, force=False) as file:
            file.write(text.encode())
        out.write(f"{printable(str(out_file))}  {version.name}\n")


def is_version(name: str) -> bool:
    """Whether a text names a version, not a model."""
    return "/" in name or "@" in name


def chosen_version(store: Store, name: str) -> VersionRecord:
    """Return the version meant by `digits/3`, `digits@champion`, or by `digits` alone."""
    if is_version(name):
        return store.version(name)
    model = store.model(name)
    return store.version(model.name, model.holders.get(CHAMPION, model.latest))


def write_journal(out: TextIO, store: Store, entries: Sequence[JournalEntry], *, json: bool) -> None:
    """Print rows of the journal, and which runs of their evidence are gone."""
    gone = store.gone_evidence(entries)
    if json:
        _lines(out, [entry_json(each, gone.get(each.position, ())) for each in entries])
    elif entries:
        rows = [journal_row(each, gone.get(each.position, ())) for each in entries]
        _table(out, JOURNAL_COLUMNS, rows, numeric=(0,))
    else:
        say("The journal is empty.")


def _lines(out: TextIO, records: Sequence[object]) -> None:
    for each in records:
        out.write(json_text(each) + "\n")


def _table(
    out: TextIO, header: Sequence[str], rows: Sequence[Sequence[str]], *, numeric: tuple[int, ...]
) -> None:
    # A column in which nothing stands takes no room from the others.
    kept = [place for place, _ in enumerate(header) if any(row[place] for row in rows) or place == 0]
    table = TextTable(
        out,
        [header[place] for place in kept],
        numeric=[new for new, place in enumerate(kept) if place in numeric],
        whole=1,
    )
    table.add([[row[place] for place in kept] for row in rows])
    if table.left_out:
        say(f"{table.left_out} more column(s) do not fit; take --json.")


def _write_model(out: TextIO, model: ModelRecord, versions: Sequence[VersionRecord]) -> None:
    from tracking.registry.gate_text import print_gate

    write_pairs(out, "", model_pairs(model))
    out.write("\nholders\n")
    for line in holder_lines(model) or ["nobody holds an alias"]:
        out.write(f"  {printable(line)}\n")
    out.write("\ngates\n")
    for gate in model.gates:
        out.write(f"  {printable(print_gate(gate))}\n")
    if not model.gates:
        out.write("  none: whatever is promoted gets its alias\n")
    out.write("\nversions\n")
    _table(out, VERSION_COLUMNS, [version_row(each) for each in versions[:NEWEST]], numeric=(0, 6))
    if len(versions) > NEWEST:
        say(f"{NEWEST} of {len(versions):,} versions; tracking models versions {model.name} lists all.")


def _write_version(out: TextIO, version: VersionRecord) -> None:
    write_pairs(out, "", version_pairs(version))
    for title, values in (("model", version.details), ("lineage", version.lineage)):
        shown = {
            key: value_text(value)
            for key, value in values.items()
            if value not in (None, "", [], {}) and key not in ("summaries", "logged")  # for gates
        }
        write_pairs(out, title, shown)
