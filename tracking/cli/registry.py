"""The commands of `tracking registry`: prove the journal, export it, ask who held what."""

from __future__ import annotations

from json import loads as json_loads
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tracking.cli.app import StoreOption, app, existing_store
from tracking.cli.model_text import at, version_json
from tracking.cli.models import is_version, write_journal
from tracking.cli.sweep import JsonOption
from tracking.cli.terminal import TextTable, output, say
from tracking.errors import NotFound
from tracking.exports.cells import json_text, printable

if TYPE_CHECKING:
    from tracking.registry_records import RegistryReport, VersionRecord
    from tracking.store import Store

registry_app = typer.Typer(
    name="registry",
    help="The journal of all models: prove it, export it, ask who held an alias on a day.",
    no_args_is_help=True,
)
app.add_typer(registry_app)

EXIT_WRONG = 1

HeadOption = Annotated[
    str | None,
    typer.Option("--head", metavar="HASH", help="A head noted earlier: the journal has to contain it."),
]


@registry_app.command()
def verify(
    store: StoreOption = None,
    head: HeadOption = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", help="An exported journal, by itself, in place of a store.", dir_okay=False),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Compute the journal's chain and read the bytes of every version; exit code 1 names what is wrong."""
    from tracking.registry.export import verify_export

    with output() as out:
        if file is not None:
            report = verify_export(file, head=head)
        else:
            with existing_store(store) as opened:
                report = opened.verify_registry(head=head)
        if json:
            out.write(json_text(_report_json(report)) + "\n")
        else:
            for each in report.problems:
                out.write(printable(each) + "\n")
            if report.problems:
                count = len(report.problems)
                say(f"{count:,} {'problem' if count == 1 else 'problems'}; {report.rows:,} rows were read.")
            else:
                out.write(
                    f"The journal is whole: {report.rows:,} row{'s' * (report.rows != 1)}, "
                    f"{report.versions:,} version{'s' * (report.versions != 1)}. Head {report.head}\n"
                )
        if report.problems:
            out.flush()
            raise typer.Exit(EXIT_WRONG)


@registry_app.command()
def history(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Only this model.")] = None,
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """Show the journal of all models, oldest first."""
    with existing_store(store) as opened, output() as out:
        write_journal(
            out, opened, opened.journal(None if name is None else opened.model(name).name), json=json
        )


@registry_app.command()
def holder(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="A model, or digits@champion; left out, all.")
    ] = None,
    store: StoreOption = None,
    moment: Annotated[
        str | None,
        typer.Option("--at", metavar="DATE", help="Such as 2026-03-03 or 2026-03-03T14:00; default: now."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Say who held each alias, now or at a moment (UTC); a day means its end."""
    with existing_store(store) as opened, output() as out:
        found = _holders(opened, name, moment)
        if json:
            for (reference, _), version in found:
                shown = None if version is None else version_json(version)
                out.write(json_text({"alias": reference, "at": moment, "version": shown}) + "\n")
            return
        rows = [
            (reference, "nobody", "", "")
            if version is None
            else (reference, version.name, version.run, at(version.created))
            for (reference, _), version in found
        ]
        if not rows:
            say("No alias was ever given.")
            return
        TextTable(out, ("alias", "version", "run", "registered"), whole=2).add(rows)


@registry_app.command()
def export(
    target: Annotated[str, typer.Argument(help="File to write; - for standard output.")],
    store: StoreOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
) -> None:
    """Write the whole journal as JSON lines, which `registry verify --file` proves without the store.

    The last line holds the head. Keep it elsewhere: a journal that was rewritten does not have it.
    """
    from tracking.exports.files import new_file

    with existing_store(store) as opened, output() as out:
        lines = opened.export_journal()
        if target == "-":
            out.writelines(f"{line}\n" for line in lines)
            return
        with new_file(Path(target), force=force) as file:
            file.writelines(line.encode() + b"\n" for line in lines)
        say(f"{len(lines) - 1:,} rows written to {target}. Keep the head elsewhere, too:")
        out.write(json_loads(lines[-1])["head"] + "\n")


def _holders(
    store: Store, name: str | None, moment: str | None
) -> list[tuple[tuple[str, str], VersionRecord | None]]:
    """Return who held each alias that was ever given, None for nobody."""
    if name is not None and is_version(name):
        model, _, alias = name.partition("@")
        wanted = [(store.model(model).name, alias)]
    else:
        only = None if name is None else store.model(name).name
        entries = store.journal(only)
        given = {(entry.model, entry.alias) for entry in entries if entry.alias and entry.version}
        wanted = sorted(((model, alias) for model, alias in given if alias is not None), key=str)
    found = []
    for model, alias in wanted:
        reference = f"{model}@{alias}"
        version: VersionRecord | None
        try:
            version = store.resolve(reference, at=moment)
        except NotFound:
            version = None
        found.append(((reference, alias), version))
    return found


def _report_json(report: RegistryReport) -> dict[str, object]:
    return {
        "ok": not report.problems,
        "rows": report.rows,
        "versions": report.versions,
        "head": report.head,
        "problems": report.problems,
    }
