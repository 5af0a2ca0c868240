"""Printing a first definition file for a target."""

from __future__ import annotations

import difflib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tracking.cli.app import StoreOption
from tracking.cli.sweep import sweep_app
from tracking.cli.terminal import output, say
from tracking.config import locate_store
from tracking.errors import InvalidValue, NotFound
from tracking.exports.cells import printable

if TYPE_CHECKING:
    from tracking.tuning.targets.options import FoundTarget

_TABLES = (".csv", ".tsv", ".parquet", ".pq")


@sweep_app.command()
def init(
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="train.py, train.py:function, data.csv, or a set of scikit-learn's as digits.",
        ),
    ],
    store: StoreOption = None,
    metric: Annotated[str, typer.Option("--metric", help="What the target logs or returns.")] = "",
    goal: Annotated[str, typer.Option("--goal", help="maximize or minimize.")] = "",
    command: Annotated[str, typer.Option("--command", help="The subcommand of a script that has some.")] = "",
    probe: Annotated[
        bool,
        typer.Option(
            "--probe", help="Run the script up to where it reads its command line, for its options."
        ),
    ] = False,
) -> None:
    """Print a definition file for a target, to be redirected to a file and edited."""
    from tracking.tuning.tables.sources import DATASETS
    from tracking.tuning.targets.beginning import for_code, for_table

    if goal not in ("", "maximize", "minimize"):
        raise InvalidValue(f"--goal {goal!r:.80} must be maximize or minimize.")
    project = locate_store(store).project
    if target in DATASETS or target.lower().endswith(_TABLES):
        if command or probe or goal == "minimize":
            raise InvalidValue(
                "A table has no subcommand and is not probed, and of scikit-learn's scorers greater is better."
            )
        first = for_table(project, target if target in DATASETS else _inside(project, target), metric=metric)
    else:
        found = _found(project, target)
        if probe:
            found = _probed(project, found, command)
        first = for_code(project, found, metric=metric, goal=goal, command=command)
    with output() as out:
        out.write(printable(first.text, lines=True))
    if not first.complete:
        further = (
            ""
            if probe
            else f" tracking sweep init {printable(target)} --probe runs it up to there to ask it."
        )
        say(f"No option that can be tuned is seen in its source.{further}")


def _probed(project: Path, found: FoundTarget, command: str) -> FoundTarget:
    from tracking.tuning.targets.options import TargetKind
    from tracking.tuning.targets.probe import probe_script

    if found.kind is not TargetKind.SCRIPT:
        raise InvalidValue("--probe is for scripts: the arguments of a function are all in its source.")
    options = probe_script(project, found.path, arguments=[command] if command else [])
    return replace(found, options=options, complete=True, why_not=())


def _inside(project: Path, path: str) -> str:
    absolute, root = Path(path).resolve(), project.resolve()
    return (
        absolute.relative_to(root).as_posix() if absolute.is_relative_to(root) and absolute.exists() else path
    )


def place_of(found: FoundTarget) -> str:
    """Return a target as it is named on the command line."""
    return found.path if str(found.kind) == "script" else f"{found.path}:{found.name}"


def _found(project: Path, target: str) -> FoundTarget:
    from tracking.tuning.targets.discovery import discover

    path, _, function = target.partition(":")
    path = _inside(project, path)
    wanted = f"{path}:{function}" if function else path
    found = discover(project)
    places = {place_of(each): each for each in found.targets}
    if wanted in places:
        return places[wanted]
    close = difflib.get_close_matches(wanted, places, n=3, cutoff=0.4)
    hint = f" Did you mean {' or '.join(close)}?" if close else ""
    why = next((f" {problem}" for problem in found.problems if path in problem), "")
    raise NotFound(f"{wanted} is no target in {project}.{why}{hint} tracking sweep targets lists them.")
