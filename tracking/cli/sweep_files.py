"""Commands that begin with a definition file: make one, check it, start it."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tracking.cli.app import EXIT_ERROR, StoreOption
from tracking.cli.sweep import JsonOption, sweep_app
from tracking.cli.sweep_init import place_of
from tracking.cli.sweep_reading import leave
from tracking.cli.sweep_watch import follow as follow_sweep
from tracking.cli.terminal import TextTable, output, say
from tracking.config import StoreLocation, locate_store
from tracking.errors import InvalidDefinition, Problem
from tracking.exports.cells import json_text, printable

if TYPE_CHECKING:
    from tracking.tuning.definition import SweepDefinition
    from tracking.tuning.targets.options import FoundTarget

READ_LIMIT = 1 << 20

FileArgument = Annotated[str, typer.Argument(metavar="FILE", help="The definition, TOML; - reads stdin.")]


@sweep_app.command()
def check(file: FileArgument, store: StoreOption = None, json: JsonOption = False) -> None:
    """Check a definition file against its target; nothing is run. Exit code 2 when it has problems."""
    from tracking.tuning.definition_file import located
    from tracking.tuning.target_checks import check_target

    location = locate_store(store)
    problems, definition, text = _checked(file)
    if definition is not None:
        problems = located(check_target(definition, location.project, location=location), text)
    with output() as out:
        if json:
            said = None if definition is None or problems else plan(definition)
            out.write(_problems_json(problems, said) + "\n")
        elif problems:
            for each in problems:
                out.write(_placed(file, each) + "\n")
        elif definition is not None:
            out.write(printable(plan(definition)) + "\n")
    if problems:
        raise typer.Exit(EXIT_ERROR)
    if definition is not None and not json:
        _say_what_start_refuses(definition, location)


@sweep_app.command()
def start(
    file: FileArgument,
    store: StoreOption = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Show it until it has ended.")] = False,
    json: JsonOption = False,
) -> None:
    """Start the sweep of a definition file. It goes on when this terminal is closed."""
    import tracking
    from tracking.cli.sweep_text import record_json
    from tracking.tuning import sweeps

    location = locate_store(store)
    problems, definition, text = _checked(file)
    if definition is not None:
        try:
            record = sweeps.start(location, definition, project=location.project, text=text)
        except InvalidDefinition as error:
            problems = list(error.problems)
    if problems:
        if json:
            with output() as out:
                out.write(_problems_json(problems) + "\n")
        else:
            for each in problems:
                print(_placed(file, each), file=sys.stderr)
        raise typer.Exit(EXIT_ERROR)
    taken = f" It knows {record.taken_over:,} earlier runs." if record.taken_over else ""
    with output() as out:
        if json and not follow:
            out.write(json_text(record_json(record)) + "\n")
            return
        if follow:
            say(f"{record.name} has started.{taken}")
            with tracking.open_store(location.root) as opened:
                leave(follow_sweep(opened, record.name, out, json=json))
            return
        out.write(printable(f"{record.name} has started.{taken}") + "\n")
        out.write(printable(f"To watch it: tracking sweep status {shlex.quote(record.name)} --follow") + "\n")


@sweep_app.command()
def targets(store: StoreOption = None, json: JsonOption = False) -> None:
    """List what can be tuned in the project: scripts, marked functions, Optuna objectives. Nothing is run."""
    from tracking.tuning.targets.discovery import discover

    found = discover(locate_store(store).project)
    with output() as out:
        if json:
            for each in found.targets:
                out.write(json_text(_target(each)) + "\n")
            for problem in found.problems:
                say(problem)
            return
        if found.targets:
            TextTable(out, ("target", "kind", "options", "about"), whole=1).add(
                [
                    (
                        place_of(each),
                        str(each.kind),
                        ", ".join(option.name for option in each.options) + ("" if each.complete else ", …"),
                        each.description,
                    )
                    for each in found.targets
                ]
            )
        for problem in found.problems:
            say(problem)
        if not found.targets:
            say(
                "Nothing here can be tuned: no script with options, no @tracking.tunable function, no objective."
            )
        say("A table needs no code: tracking sweep init data.csv, or a set of scikit-learn's, as digits.")


def plan(definition: SweepDefinition) -> str:
    """Return one plain sentence of what a sweep would do."""
    from tracking.tuning.definition import ParamKind
    from tracking.tuning.sweep_state import target_text
    from tracking.ui import format

    budget = definition.budget
    names = [param.name for param in definition.space if param.kind is not ParamKind.FIXED]
    most = []
    if budget.trials is not None:
        most.append(format.plural(budget.trials, "trial"))
    if budget.seconds is not None:
        most.append(format.duration(budget.seconds))
    times = "" if definition.repeats is None else f", each run {len(definition.repeats.values)} times"
    params = f"{len(names)} param{'s' * (len(names) != 1)} ({', '.join(names[:8])}{', …' * (len(names) > 8)})"
    what = " and ".join(f"{each.goal.value} {each.metric}" for each in definition.objectives)
    space = params if names else "params that the objective draws itself"
    pruner = "" if definition.pruner.name == "none" else f", pruned by {definition.pruner.name}"
    return (
        f"{definition.name} would run up to {' or '.join(most)} of {target_text(definition.target)}, "
        f"{definition.workers} at a time{times}: {definition.sampler.name} over {space}{pruner}, to {what}."
    )


def _checked(file: str) -> tuple[list[Problem], SweepDefinition | None, str]:
    from tracking.tuning.definition_file import read_definition, size_problem

    if file == "-":
        data = sys.stdin.buffer.read(READ_LIMIT)
        size = len(data)
    else:
        with open(file, "rb") as opened:
            data = opened.read(READ_LIMIT)
            size = max(len(data), os.fstat(opened.fileno()).st_size)
    if (problem := size_problem(size)) is not None:
        return [problem], None, ""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return [Problem(line, "", "The file is not UTF-8. Save it as UTF-8.")], None, ""
    try:
        definition = read_definition(text)
    except InvalidDefinition as error:
        return list(error.problems), None, text
    return [], definition, text


def _say_what_start_refuses(definition: SweepDefinition, location: StoreLocation) -> None:
    import tracking
    from tracking.tuning.sweep_start import prior_problems

    for problem in prior_problems(location, definition):
        say(f"{problem.field} {problem.sentence} To start this, there has to be one.")
    if location.database.exists():
        with tracking.open_store(location.root) as opened:
            if any(each.name == definition.name for each in opened.studies()):
                say(
                    f"There is a study {definition.name!r} in the store already: to start this, take another name."
                )


def _placed(file: str, problem: Problem) -> str:
    place = printable(file) + (f":{problem.line}" if problem.line is not None else "")
    return f"{place}: {printable(problem.field + ': ' if problem.field else '')}{printable(problem.sentence)}"


def _problems_json(problems: list[Problem], plan: str | None = None) -> str:
    plain = [{"line": each.line, "field": each.field, "sentence": each.sentence} for each in problems]
    return json_text({"ok": not problems, "problems": plain, "plan": plan})


def _target(found: FoundTarget) -> dict[str, Any]:
    return {
        "target": place_of(found),
        "kind": str(found.kind),
        "description": found.description,
        "literal": found.literal,
        "complete": found.complete,
        "why_not": found.why_not,
        "logs": found.logs,
        "options": [
            {
                "name": option.name,
                "type": option.type,
                "default": option.default,
                "choices": option.choices,
                "required": option.required,
                "help": option.help,
            }
            for option in found.options
        ],
    }
