"""Commands that care for a store: trash, clean-up, verification, backup."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import tracking
from tracking.cli.app import StoreOption, app, existing_store
from tracking.cli.terminal import output, say
from tracking.errors import InvalidValue
from tracking.exports.cells import printable

if TYPE_CHECKING:
    from tracking.records import DamagedFile, GcReport

EXIT_DAMAGED = 1
_SPAN = re.compile(r"(\d{1,6})\s*(m|h|d|w)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command()
def delete(
    run: Annotated[str, typer.Argument(help="Id of the run, or its beginning; with --experiment a name.")],
    store: StoreOption = None,
    experiment: Annotated[bool, typer.Option("--experiment", help="All runs of an experiment.")] = False,
) -> None:
    """Move a run with its parts to the trash; restore brings it back, gc removes it for good."""
    with existing_store(store) as opened, output() as out:
        name = run if experiment else opened.find_run(run)
        gone = opened.delete_experiment(name) if experiment else opened.delete_run(name)
        if gone:
            out.write(f"{_runs(len(gone))} in the trash now. To undo: tracking restore {printable(name)}\n")
        else:
            say(f"Nothing to delete: {printable(name)} is in the trash already, or has no runs.")


@app.command()
def restore(
    run: Annotated[
        str | None, typer.Argument(help="Id of a run or name of an experiment; left out, lists the trash.")
    ] = None,
    store: StoreOption = None,
) -> None:
    """Take a run, or an experiment's runs, out of the trash."""
    with existing_store(store) as opened, output() as out:
        if run is not None:
            out.write(f"{_runs(len(opened.restore(run)))} back.\n")
            return
        trash = opened.trash()
        for one in trash:
            moment = one.deleted.astimezone().strftime("%Y-%m-%d %H:%M")
            name = printable(f"{one.experiment}/{one.name}")
            out.write(f"{one.id}  deleted {moment}  {_size(one.bytes):>9}  {name}\n")
        if not trash:
            say("The trash is empty.")


@app.command()
def gc(
    store: StoreOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would go.")] = False,
    older_than: Annotated[
        str | None,
        typer.Option("--older-than", metavar="SPAN", help="Only what was deleted so long ago: 12h, 7d, 4w."),
    ] = None,
    yes: YesOption = False,
) -> None:
    """Empty the trash for good and free the bytes that nothing uses; shows the plan and asks first."""
    span = None if older_than is None else _span(older_than)
    with existing_store(store) as opened, output() as out:
        plan = opened.gc(dry_run=True, older_than=span)
        out.write(_report(plan))
        if dry_run or not (plan.runs or plan.objects or plan.bytes):
            return
        out.flush()
        if not yes and not _confirmed("Remove this for good?"):
            raise typer.Exit(1)
        out.write(_report(opened.gc(older_than=span)))


@app.command()
def verify(store: StoreOption = None) -> None:
    """Read all stored bytes once more; exit code 1 when something is missing or damaged."""
    with existing_store(store) as opened, output() as out:
        read = 0

        def progress(count: int) -> None:
            nonlocal read
            read = count

        found = opened.verify(progress)
        for one in found:
            out.write(f"{_damaged(one)}\n")
        if found:
            say(f"{len(found):,} of what runs carry is missing or damaged; {read:,} objects were read.")
            out.flush()
            raise typer.Exit(EXIT_DAMAGED)
        out.write(f"All is as it was logged: {read:,} object{'s' * (read != 1)}.\n")


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The backup's file.")],
    store: StoreOption = None,
    bring_back: Annotated[
        bool, typer.Option("--restore", help="Make a store of the file, in a new or empty folder.")
    ] = False,
) -> None:
    """Write the whole store into one file, while runs may log; or with --restore make a store of it.

    Exit code 1 when stored bytes are damaged or missing: they are named, all else is in it.
    """
    found: list[DamagedFile] = []
    with output() as out:
        if bring_back:
            out.write(f"The store is back in {tracking.restore_backup(file, store, damaged=found.append)}\n")
            done = "The store is back with everything else that the backup holds"
        else:
            with existing_store(store) as opened:
                written = opened.backup(file, damaged=found.append)
            out.write(f"{written}  {_size(written.stat().st_size)}\n")
            done = "The backup is written, with everything else in it"
        if found:
            for one in found:
                say(_damaged(one))
            say(f"{done}; {len(found):,} of what runs carry was damaged or missing when the backup was made.")
            out.flush()
            raise typer.Exit(EXIT_DAMAGED)


def _damaged(one: DamagedFile) -> str:
    state = "missing" if one.missing else "damaged"
    name = printable(f"{one.name}/{one.path}" if one.path else one.name)
    whose = f"run {printable(one.run)}  {one.what} {name}" if one.run else "an object that nothing refers to"
    return f"{state}  {whose}  {printable(one.digest)}"


def _confirmed(question: str) -> bool:
    try:
        answer = typer.confirm(question, default=False, err=True)
    except typer.Abort:
        say("\nNothing was removed: there was no answer. Where nobody can be asked, say --yes.")
        return False
    if not answer:
        say("Nothing was removed.")
    return answer


def _report(report: GcReport) -> str:
    would = "would go" if report.dry_run else "gone"
    lines = [
        f"{run.id}  {_size(run.bytes):>9}  {printable(f'{run.experiment}/{run.name}')}" for run in report.runs
    ]
    lines.append(
        f"{_runs(len(report.runs))} and {report.objects:,} object{'s' * (report.objects != 1)} {would}: "
        f"{_size(report.bytes)}."
    )
    lines += [
        f"spared: {printable(one.what)}" + (f" ({_size(one.bytes)})" if one.bytes else "") + f": {one.why}"
        for one in report.spared
    ]
    return "\n".join(lines) + "\n"


def _runs(count: int) -> str:
    return f"{count:,} run{'s' * (count != 1)}"


def _size(count: int) -> str:
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"


def _span(text: str) -> timedelta:
    found = _SPAN.fullmatch(text.strip().lower())
    if found is None:
        raise InvalidValue(f"--older-than {text!r}: give a number with m, h, d or w, such as 12h or 7d.")
    return timedelta(**{_UNITS[found.group(2)]: int(found.group(1))})
