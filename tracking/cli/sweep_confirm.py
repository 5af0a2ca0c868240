"""Commands that run the best trials of a sweep, or a run, again and say what came of it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tracking.cli.app import StoreOption, existing_store
from tracking.cli.sweep import JsonOption, NameArgument, choice_of, existing_location, sweep_app
from tracking.cli.sweep_reading import leave
from tracking.cli.sweep_text import param_text
from tracking.cli.sweep_watch import follow as follow_sweep
from tracking.cli.terminal import TextTable, output, say
from tracking.exports.cells import json_text, printable
from tracking.records import Goal

if TYPE_CHECKING:
    from tracking.analysis.confirmation import Confirmed
    from tracking.store import Store
    from tracking.sweep_records import ConfirmationRecord, ConfirmedTrial


@sweep_app.command()
def confirm(
    name: NameArgument,
    store: StoreOption = None,
    top: Annotated[int, typer.Option("--top", help="So many configurations, from the best one on.")] = 3,
    repeats: Annotated[int, typer.Option("--repeats", help="So many fresh runs of each, 2 or more.")] = 5,
    trial: Annotated[
        list[int] | None, typer.Option("--trial", help="This one instead of the best; may be repeated.")
    ] = None,
    values: Annotated[
        str | None, typer.Option("--values", metavar="A,B", help="Of the seed, instead of unused ones.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Until it has ended, with what it says.")
    ] = False,
) -> None:
    """Run the best configurations again on fresh seeds, in a small sweep of their own: how much was luck?"""
    from tracking.tuning import sweeps

    given = None if values is None else [choice_of(each.strip()) for each in values.split(",")]
    location = existing_location(store)
    record = sweeps.confirm(location, name, top=top, repeats=repeats, trials=trial or None, values=given)
    with existing_store(store) as opened, output() as out:
        if follow:
            say(f"{record.name} has started.")
            state = follow_sweep(opened, record.name, out)
            _write(opened, name, out, only=record.name)
            leave(state)
            return
        (made,) = [each for each in opened.confirmations(name) if each.own.name == record.name]
        numbers = ", ".join(str(each.trial) for each in made.trials)
        which = "" if made.vary is None else f" ({made.vary} {', '.join(map(str, made.values))})"
        out.write(
            printable(
                f"{record.name} has started: trial{'s' * (len(made.trials) > 1)} {numbers}, "
                f"{len(made.values)} fresh runs each{which}."
            )
            + "\n"
        )
        out.write(
            printable(f"What came of it: tracking sweep confirmations {shlex.quote(made.sweep)}") + "\n"
        )


@sweep_app.command()
def confirmations(name: NameArgument, store: StoreOption = None, json: JsonOption = False) -> None:
    """Rank what was confirmed by its fresh runs alone, and say how much of the sweep's scores was luck."""
    with existing_store(store) as opened, output() as out:
        if json:
            for record in opened.confirmations(name):
                out.write(json_text(_plain(record)) + "\n")
            return
        _write(opened, name, out)


@sweep_app.command()
def repeat(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Its id, or how it begins.")],
    store: StoreOption = None,
    runs: Annotated[int, typer.Option("--runs", help="So many fresh runs, 2 or more.")] = 5,
    values: Annotated[
        str | None, typer.Option("--values", metavar="A,B", help="Of the seed, instead of unused ones.")
    ] = None,
    metric: Annotated[
        str | None, typer.Option("--metric", help="That counts as the result, where no goal says it.")
    ] = None,
    goal: Annotated[Goal | None, typer.Option("--goal", help="Which direction of it is better.")] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Until it has ended, with what it says.")
    ] = False,
) -> None:
    """Run a run's configuration again on fresh seeds, in a small sweep of its own: how far does it vary?"""
    from tracking.tuning import sweeps

    given = None if values is None else [choice_of(each.strip()) for each in values.split(",")]
    location = existing_location(store)
    with existing_store(store) as opened, output() as out:
        made = sweeps.repeat(
            location, opened.find_run(run), runs=runs, values=given, metric=metric, goal=goal
        )
        if follow:
            say(f"{made.name} has started.")
            leave(follow_sweep(opened, made.name, out))
            return
        out.write(printable(f"{made.name} has started. {made.notes}") + "\n")
        look = f"show {shlex.quote(made.name)}"
        if made.confirms is not None:
            look = f"confirmations {shlex.quote(made.confirms)}"
        out.write(printable(f"What came of it: tracking sweep {look}") + "\n")


def _write(store: Store, name: str, out: Any, *, only: str | None = None) -> None:
    from tracking.analysis.confirmed import outcome
    from tracking.ui import format

    records = [each for each in store.confirmations(name) if only is None or each.own.name == only]
    if not records:
        say(f"Nothing of it was confirmed. To do so: tracking sweep confirm {shlex.quote(name)}")
    for place, record in enumerate(records):
        own = record.own
        out.write(
            ("\n" if place else "") + printable(f"{own.name}  {own.state}  {own.reason}").rstrip() + "\n"
        )
        for index, objective in enumerate(own.objectives):
            found = outcome(record, index)
            by_number = {each.trial: each for each in record.trials}
            header = ("rank", "trial", objective.metric, "confirmed", "interval", "runs", "luck", "params")
            rows = [_row(each, by_number[each.trial], format.number) for each in found.trials]
            TextTable(out, header, numeric=(0, 1, 2, 3, 5, 6), whole=2).add(rows)
            out.write(printable(found.sentence) + "\n")
        for each in record.trials:
            if each.reason:
                out.write(printable(f"trial {each.trial}: {each.reason}") + "\n")


def _row(found: Confirmed, trial: ConfirmedTrial, number: Any) -> list[str]:
    interval = ""
    if found.low is not None and found.high is not None:
        interval = f"{number(found.low)} to {number(found.high)}"
    return [
        "" if found.rank is None else str(found.rank),
        str(found.trial),
        number(found.score),
        number(found.mean),
        interval,
        str(found.runs),
        number(found.luck, 3),
        " ".join(f"{name}={param_text(value)}" for name, value in trial.params.items()),
    ]


def _plain(record: ConfirmationRecord) -> dict[str, Any]:
    from dataclasses import asdict

    from tracking.analysis.confirmed import outcome

    return {
        "sweep": record.sweep,
        "name": record.own.name,
        "state": record.own.state,
        "vary": record.vary,
        "values": record.values,
        "trials": [asdict(each) for each in record.trials],
        "objectives": [
            {"metric": objective.metric, **asdict(outcome(record, index))}
            for index, objective in enumerate(record.own.objectives)
        ],
    }
