"""Commands that steer a sweep while it goes on, and change what it does."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from tracking.cli.app import StoreOption
from tracking.cli.sweep import (
    MemoryOption,
    NameArgument,
    TimeOption,
    bytes_of,
    choice_of,
    existing_location,
    number_of,
    seconds_of,
    sweep_app,
)
from tracking.errors import InvalidValue
from tracking.exports.cells import printable

if TYPE_CHECKING:
    from tracking.tuning.definition import SweepDefinition
    from tracking.tuning.sweeps import Edited

ParamArgument = Annotated[str, typer.Argument(metavar="PARAM", help="Of the search space.")]
LowOption = Annotated[str | None, typer.Option("--low", help="The new least value.")]
HighOption = Annotated[str | None, typer.Option("--high", help="The new largest value.")]


def _tell(edited: Edited) -> None:
    typer.echo(printable(edited.sentence))


@sweep_app.command()
def pause(name: NameArgument, store: StoreOption = None) -> None:
    """Start no further trial until it is resumed; those that run go on."""
    from tracking.tuning import sweeps

    _tell(sweeps.pause(existing_location(store), name))


@sweep_app.command()
def resume(name: NameArgument, store: StoreOption = None) -> None:
    """Go on with a sweep that is paused, stopped, failed or interrupted, also after the machine went down."""
    from tracking.tuning import sweeps

    _tell(sweeps.resume(existing_location(store), name))


@sweep_app.command()
def stop(
    name: NameArgument,
    store: StoreOption = None,
    now: Annotated[bool, typer.Option("--now", help="End the trials that run, too.")] = False,
    worker: Annotated[
        str | None, typer.Option("--worker", help="Only this one, by slot or token, with its trial.")
    ] = None,
) -> None:
    """End a sweep with the trials that run; resume goes on with it."""
    from tracking.tuning import sweeps

    location = existing_location(store)
    if worker is not None:
        _tell(sweeps.stop_worker(location, name, worker))
    else:
        _tell(sweeps.stop(location, name, now=now))


@sweep_app.command()
def retry(
    name: NameArgument,
    trials: Annotated[list[int] | None, typer.Argument(metavar="[TRIAL...]", help="Left out, all.")] = None,
    store: StoreOption = None,
    time: TimeOption = None,
    memory: MemoryOption = None,
) -> None:
    """Try failed trials again with the same params; --time and --memory raise the limits of a trial."""
    from tracking.tuning import sweeps

    location = existing_location(store)
    _tell(sweeps.retry(location, name, trials or None, seconds=seconds_of(time), memory=bytes_of(memory)))


@sweep_app.command()
def add(
    name: NameArgument,
    store: StoreOption = None,
    trials: Annotated[int | None, typer.Option("--trials", help="So many more.")] = None,
    time: TimeOption = None,
) -> None:
    """Add trials or time to the budget; a finished sweep goes on."""
    from tracking.tuning import sweeps

    location = existing_location(store)
    _tell(sweeps.add_budget(location, name, trials=trials, seconds=seconds_of(time)))


@sweep_app.command()
def workers(
    name: NameArgument,
    count: Annotated[str, typer.Argument(metavar="N", help="How many, or + and - for one more or fewer.")],
    store: StoreOption = None,
) -> None:
    """Set how many trials run at once."""
    from tracking.tuning import sweeps

    location = existing_location(store)
    if count in ("+", "-"):
        _tell(sweeps.set_workers(location, name, by=1 if count == "+" else -1))
        return
    if not count.isdecimal():
        raise InvalidValue(
            f"{count!r:.80} is no number of workers. Give one, or + or - for one more or fewer."
        )
    _tell(sweeps.set_workers(location, name, int(count)))


@sweep_app.command()
def widen(
    name: NameArgument,
    param: ParamArgument,
    store: StoreOption = None,
    low: LowOption = None,
    high: HighOption = None,
) -> None:
    """Move the bounds of a param outward."""
    from tracking.tuning import sweeps

    least, most = number_of(low, "--low"), number_of(high, "--high")
    _tell(sweeps.widen(existing_location(store), name, param, low=least, high=most))


@sweep_app.command()
def narrow(
    name: NameArgument,
    param: ParamArgument,
    store: StoreOption = None,
    low: LowOption = None,
    high: HighOption = None,
) -> None:
    """Move the bounds of a param inward; trials outside stay as history."""
    from tracking.tuning import sweeps

    least, most = number_of(low, "--low"), number_of(high, "--high")
    _tell(sweeps.narrow(existing_location(store), name, param, low=least, high=most))


@sweep_app.command()
def choice(
    name: NameArgument,
    param: ParamArgument,
    value: Annotated[str, typer.Argument(metavar="CHOICE", help="true, false, numbers: as in the file.")],
    store: StoreOption = None,
    text: Annotated[bool, typer.Option("--text", help="Take it as text, whatever it looks like.")] = False,
) -> None:
    """Add a choice to a param; the sweep goes on in its next study, with the trials it has."""
    from tracking.tuning import sweeps

    _tell(sweeps.add_choice(existing_location(store), name, param, choice_of(value, as_text=text)))


@sweep_app.command()
def duplicate(
    name: NameArgument,
    new: Annotated[str, typer.Argument(metavar="NEW", help="Name of the other sweep.")],
    store: StoreOption = None,
    trials: Annotated[int | None, typer.Option("--trials", help="Its budget.")] = None,
    time: TimeOption = None,
    workers: Annotated[int | None, typer.Option("--workers", help="How many trials run at once.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Of its sampler.")] = None,
    learn: Annotated[bool, typer.Option("--learn", help="Begin with what the first one found.")] = False,
) -> None:
    """Start another sweep with the same definition; for other changes: sweep show NAME --toml > file."""
    from tracking.tuning import sweeps

    seconds = seconds_of(time)

    def change(definition: SweepDefinition) -> SweepDefinition:
        budget = definition.budget
        if trials is not None:
            budget = replace(budget, trials=trials)
        if seconds is not None:
            budget = replace(budget, seconds=seconds)
        return replace(
            definition,
            budget=budget,
            workers=definition.workers if workers is None else workers,
            seed=definition.seed if seed is None else seed,
        )

    record = sweeps.duplicate(existing_location(store), name, new, change=change, learn=learn)
    taken = f" It knows {record.taken_over:,} earlier runs." if record.taken_over else ""
    typer.echo(
        printable(
            f"{record.name} has started.{taken} To watch it: tracking sweep status {shlex.quote(record.name)} -f"
        )
    )
