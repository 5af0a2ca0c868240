"""Commands that say what sweeps there are and how they stand."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tracking.cli.app import StoreOption, existing_store
from tracking.cli.sweep import JsonOption, NameArgument, sweep_app
from tracking.cli.sweep_text import COLUMNS, pairs, param_text, record_json, row, status_lines
from tracking.cli.sweep_watch import follow as follow_sweep
from tracking.cli.terminal import TextTable, output, say
from tracking.errors import InvalidValue, NotFound
from tracking.exports.cells import json_text, printable
from tracking.study_records import RUN
from tracking.sweep_records import SweepState

if TYPE_CHECKING:
    from tracking.store import Store
    from tracking.study_records import TrialRecord

EXIT_ENDED_BADLY = 1
_CHUNK = 500


@sweep_app.command("list")
def list_sweeps(store: StoreOption = None, json: JsonOption = False) -> None:
    """List the sweeps, the newest first."""
    with existing_store(store) as opened, output() as out:
        records = opened.sweeps()
        if json:
            for record in records:
                out.write(json_text(record_json(record)) + "\n")
            return
        if not records:
            say(
                "No sweeps. To start one: tracking sweep init SCRIPT > sweep.toml; tracking sweep start sweep.toml"
            )
            return
        TextTable(out, COLUMNS, numeric=(2, 4), whole=1).add([row(record) for record in records])


@sweep_app.command()
def status(
    name: NameArgument,
    store: StoreOption = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Until it has ended.")] = False,
    json: JsonOption = False,
) -> None:
    """Show how far a sweep is: progress, the best trial, failures by cause.

    With --follow the exit code is 1 where it failed or was interrupted.
    """
    with existing_store(store) as opened, output() as out:
        if follow:
            leave(follow_sweep(opened, name, out, json=json))
            return
        record = opened.sweep(name)
        text = json_text(record_json(record)) if json else "\n".join(status_lines(record, out))
        out.write(text + "\n")


def leave(state: SweepState) -> None:
    """End the command by how a sweep ended."""
    if state in (SweepState.FAILED, SweepState.INTERRUPTED):
        sys.stdout.flush()
        raise typer.Exit(EXIT_ENDED_BADLY)


@sweep_app.command()
def show(
    name: NameArgument,
    store: StoreOption = None,
    toml: Annotated[
        bool, typer.Option("--toml", help="The definition file alone, to start another.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Show a sweep whole: how it stands, its definition, its edits."""
    if toml and json:
        raise InvalidValue("--toml and --json: take one of them.")
    with existing_store(store) as opened, output() as out:
        record = opened.sweep(name)
        if json:
            out.write(json_text(record_json(record, whole=True), indent=2) + "\n")
            return
        if toml:
            out.write(printable(record.text, lines=True).rstrip("\n") + "\n")
            return
        out.write("\n".join(status_lines(record, out)) + "\n\n")
        for key, value in pairs(record).items():
            if value:
                out.write(f"{key:<11} {printable(value)}\n")
        if record.edits:
            out.write("\nedits\n")
            for edit in record.edits:
                at = edit.at.strftime("%Y-%m-%d %H:%M:%S")
                out.write(f"  {at}  before trial {edit.trial}  {printable(edit.sentence)}\n")
        out.write("\ndefinition\n")
        for each in printable(record.text, lines=True).rstrip("\n").split("\n"):
            out.write(f"  {each}".rstrip() + "\n")


@sweep_app.command()
def trials(
    name: NameArgument,
    store: StoreOption = None,
    limit: Annotated[int, typer.Option(min=0, help="At most so many of the newest; 0 for all.")] = 50,
    study: Annotated[str | None, typer.Option("--study", help="An earlier study of the sweep.")] = None,
    json: JsonOption = False,
) -> None:
    """List the trials of a sweep; what their runs carry is exported by: tracking export -e EXPERIMENT."""
    with existing_store(store) as opened, output() as out:
        record = opened.sweep(name)
        found = opened.sweep_trials(name, study=study)
        rows = found[-limit:] if limit else found
        if json:
            for each in rows:
                about = {
                    "number": each.number,
                    "state": each.state,
                    "values": each.values,
                    "params": each.params,
                    "run": each.run,
                    "started": each.started,
                    "completed": each.completed,
                    "duration": each.duration,
                    "attributes": each.attributes,
                }
                out.write(json_text(about) + "\n")
            return
        from tracking.ui import format

        params = list(dict.fromkeys(name for each in rows for name in each.params))
        metrics = [objective.metric for objective in record.objectives]
        header = ["trial", "state", *metrics, *params, "duration", "run"]
        last = _last_values(opened, rows, metrics)
        table = TextTable(out, header, numeric=[0, *range(2, len(header) - 1)], whole=2)
        if rows:
            table.add(
                [
                    [
                        str(each.number),
                        f"{each.state}, taken over" if RUN in each.attributes else each.state,
                        *_shown_values(each, last[each.number]),
                        *(param_text(each.params[key]) if key in each.params else "" for key in params),
                        "" if each.duration is None else format.duration(each.duration),
                        each.run or "",
                    ]
                    for each in rows
                ]
            )
        if any(value is not None for values in last.values() for value in values):
            say("In parentheses: the last value of a trial that did not reach its end.")
        if len(rows) < len(found):
            say(f"{len(rows):,} of {len(found):,} trials; --limit 0 for all.")
        elif not rows:
            say("No trials yet.")


def _shown_values(trial: TrialRecord, last: Sequence[float | None]) -> list[str]:
    from tracking.ui import format

    if trial.values and trial.state == "complete":
        return [format.number(value) for value in trial.values]
    # Optuna itself gives a pruned trial the last value that it reported.
    return ["" if value is None else f"({format.number(value)})" for value in last]


def _last_values(
    store: Store, rows: Sequence[TrialRecord], metrics: Sequence[str]
) -> dict[int, list[float | None]]:
    """Return the last values that the runs of trials without a value logged, by number; None for none."""
    runs = [each.run for each in rows if each.run is not None and not each.values]
    records = {}
    for at in range(0, len(runs), _CHUNK):
        with suppress(NotFound):  # removed for good since the trials were read
            records.update({run.id: run.metrics for run in store.runs(runs[at : at + _CHUNK])})
    found: dict[int, list[float | None]] = {}
    for each in rows:
        logged = records.get(each.run or "", {})
        if each.values:
            found[each.number] = [None] * len(metrics) if each.state == "complete" else list(each.values)
            continue
        found[each.number] = [logged[name].last if name in logged else None for name in metrics]
    return found


@sweep_app.command()
def log(
    name: NameArgument,
    trial: Annotated[int, typer.Argument(min=0, help="Number of the trial.")],
    store: StoreOption = None,
    repeat: Annotated[
        int | None, typer.Option(min=0, help="Which repeat, from 0, where a trial is run several times.")
    ] = None,
) -> None:
    """Print what a trial printed."""
    from tracking.tuning.execution.logs import read_log

    with existing_store(store) as opened, output() as out:
        path, number = opened.trial_log(name, trial, repeat)
        try:
            text = read_log(path)
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound(_no_log(path, number, repeat)) from None
        out.write(printable(text.decode("utf-8", "replace"), lines=True))


def _no_log(path: Path, trial: int, repeat: int | None) -> str:
    logs = path.parent.glob(f"trial-{trial}.*.log") if path.parent.is_dir() else ()
    there = sorted(int(number) for log in logs if (number := log.name.split(".")[1]).isdecimal())
    if there:
        missing = "was run several times" if repeat is None else f"has no log of a repeat {repeat}"
        return f"Trial {trial} {missing}: there are --repeat {', '.join(map(str, there))}."
    which = "" if repeat is None else f", repeat {repeat},"
    return f"Trial {trial}{which} has printed nothing that was kept: it has not begun, or ran elsewhere."
