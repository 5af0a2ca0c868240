"""`tracking models compare`: how sure it is that one version or run is better than another."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from tracking.cli.app import StoreOption, existing_store
from tracking.cli.model_text import evidence_lines
from tracking.cli.models import is_version, models_app
from tracking.cli.sweep import JsonOption
from tracking.cli.terminal import output
from tracking.errors import InvalidValue
from tracking.exports.cells import json_text, printable
from tracking.records import Goal
from tracking.registry_records import CHAMPION

if TYPE_CHECKING:
    from tracking.registry_records import VersionRecord
    from tracking.store import Store


@models_app.command()
def compare(
    candidate: Annotated[
        str, typer.Argument(metavar="CANDIDATE", help="A version (digits/3, digits@staging), or a run's id.")
    ],
    against: Annotated[
        str | None, typer.Argument(metavar="[AGAINST]", help="The same. Default: the champion.")
    ] = None,
    store: StoreOption = None,
    metric: Annotated[
        str | None, typer.Option("--metric", help="What to compare. Default: the one that counts.")
    ] = None,
    at: Annotated[str, typer.Option("--at", help="last, first, best, min, max or mean of it.")] = "last",
    goal: Annotated[
        Goal | None,
        typer.Option("--goal", help="Which direction is better, where experiments contradict each other."),
    ] = None,
    margin: Annotated[float, typer.Option("--margin", help="By how much, in units of the metric.")] = 0.0,
    confidence: Annotated[
        float, typer.Option("--confidence", help="Of the verdict and of the interval.")
    ] = 0.95,
    bootstrap: Annotated[
        bool, typer.Option("--bootstrap", help="From 20 runs a side, in place of Student's t.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Say how sure it is that one configuration is better than another. Nothing is written."""
    with existing_store(store) as opened, output() as out:
        ours, run = _side(opened, candidate)
        theirs, other = _champion(opened, candidate, run) if against is None else _side(opened, against)
        found = opened.evidence(
            run,
            other,
            metric,
            at=at,
            goal=goal,
            margin=margin,
            confidence=confidence,
            bootstrap=bootstrap,
        )
        if json:
            said = {"candidate_name": ours, "champion_name": theirs, **asdict(found)}
            out.write(json_text(said) + "\n")
            return
        point = found.metric if found.at == "last" else f"{found.at}({found.metric})"
        better = f", {found.goal}" if found.method else ""  # else nothing was compared
        out.write(printable(f"{ours} against {theirs}, {point}{better}") + "\n")
        for line in evidence_lines(found):
            out.write(f"  {line}\n")


def _side(store: Store, name: str) -> tuple[str, str]:
    """Return what a version or a run is called, and the id of the run."""
    if not is_version(name):
        run = store.find_run(name)
        return f"run {run}", run
    return _named(store.version(name))


def _champion(store: Store, candidate: str, run: str) -> tuple[str, str | None]:
    """Return the champion that a version or a run is held against, as `_side` does, with None where nobody is it."""
    if is_version(candidate):
        model = store.model(store.version(candidate).model)
        number = model.holders.get(CHAMPION)
        return ("nobody", None) if number is None else _named(store.version(model.name, number))
    found = store.champion_of(run)
    if len(found) > 1:
        names = ", ".join(version.name for version in found)
        raise InvalidValue(f"Run {run} can be held against several champions: {names}. Name one behind it.")
    return _named(found[0]) if found else ("nobody", None)


def _named(version: VersionRecord) -> tuple[str, str]:
    return version.name, version.run
