"""A first definition for a target, with remarks on what its user has to say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from tracking.errors import InvalidValue
from tracking.records import Goal
from tracking.tuning.definition import (
    Budget,
    FunctionTarget,
    Objective,
    ScriptTarget,
    SweepDefinition,
    TableTarget,
)
from tracking.tuning.definition_fields import closest
from tracking.tuning.definition_text import definition_text
from tracking.tuning.targets.logged import goal_of, likely_metric, logged_metrics
from tracking.tuning.targets.options import FoundTarget, Option, Passing, TargetKind
from tracking.tuning.targets.ranges import space_of

BUDGET = Budget(trials=30)
_COLUMNS = ("target", "label", "class", "y")


@dataclass(frozen=True, slots=True)
class Beginning:
    """A first definition file.

    Attributes:
        text: Of the file, with comments.
        complete: Whether there is something to tune in it.
    """

    text: str
    complete: bool = True


def for_code(
    project: Path, found: FoundTarget, *, metric: str = "", goal: str = "", command: str = ""
) -> Beginning:
    """Return a first definition for a script, function or objective.

    Args:
        project: The folder.
        found: The target.
        metric: Of the objective; empty to look for what the file logs.
        goal: `maximize` or `minimize`; empty to go by the metric's name.
        command: The subcommand of a script that has some.

    Raises:
        InvalidValue: There is no such subcommand.
    """
    remarks: list[str] = []
    arguments: tuple[str, ...] = ()
    commands = sorted({option.command for option in found.options if option.command})
    if command and command not in commands:
        raise InvalidValue(f"{found.path} has no subcommand {command!r:.80}. {closest(command, commands)}")
    command = command or (commands[0] if len(commands) == 1 else "")
    if command:
        mine = [option for option in found.options if option.command in (None, command)]
        found = replace(found, options=tuple(replace(option, command=None) for option in mine))
        arguments = (command,)
    elif commands:
        remarks.append(
            f"It has the subcommands {', '.join(commands)}. Say which one is tuned: --command {commands[0]}"
        )
    remarks += [each for each in found.why_not if not each.startswith("It has subcommands")]
    known = logged_metrics(project, found.path)
    guessed = metric or likely_metric(known) or (known[0] if known else "loss")
    direction = Goal(goal) if goal else goal_of(guessed) or Goal.MINIMIZE
    if not metric:
        seen = f"It logs {', '.join(known[:8])}" if known else "Which metric it logs is not seen"
        remarks.append(f"{seen}: say under [[objectives]] which one is made better, and its goal.")
    kind = found.kind
    definition = SweepDefinition(
        name=Path(found.path).stem if kind is TargetKind.SCRIPT else found.name,
        target=ScriptTarget(found.path, arguments)
        if kind is TargetKind.SCRIPT
        else FunctionTarget(found.path, found.name, kind is TargetKind.OBJECTIVE),
        space=() if kind is TargetKind.OBJECTIVE else space_of(found),
        objectives=(Objective(guessed, direction),),
        budget=BUDGET,
    )
    covered = {param.name for param in definition.space}
    complete = bool(covered or commands) or kind is TargetKind.OBJECTIVE
    blocks = [
        *_required(found, covered),
        *_excluded(found, covered),
        *([] if complete else [_NO_SPACE]),
    ]
    head, mark, rest = definition_text(definition).partition("\n[[objectives]]")
    comments = "".join(f"# {' '.join(remark.split())}\n" for remark in remarks)
    between = "".join(f"\n{block}" for block in blocks)
    return Beginning(f"{comments}{head}{between}{mark}{rest}", complete)


_NO_SPACE = (
    "# Nothing to tune was found in the source. For each option:\n# [space.lr]\n# low = 0.001\n# high = 0.1\n"
)


def _required(found: FoundTarget, covered: set[str]) -> list[str]:
    blocks = []
    for option in found.options:
        if not option.required or option.name in covered or option.command is not None:
            continue
        flag = option.flag or option.name
        if option.passing is Passing.POSITION:
            blocks.append(
                f'# {flag} is required: put it into the target\'s arguments, as arguments = ["…"].\n'
            )
        else:
            name = option.name if option.name.isidentifier() else f'"{option.name}"'
            blocks.append(
                f"# {flag} is required. Fill in its value:\n# [space.{name}]\n# value = {_example(option)}\n"
            )
    return blocks


def _example(option: Option) -> str:
    return {"float": "0.1", "int": "1", "bool": "true"}.get(option.type, '"…"')


def _excluded(found: FoundTarget, covered: set[str]) -> list[str]:
    kept = {
        option.exclusive: option for option in found.options if option.exclusive and option.name in covered
    }
    return [
        f"# Left out: {option.flag or option.name} does not go together with "
        f"{kept[option.exclusive].flag or kept[option.exclusive].name}.\n"
        for option in found.options
        if option.exclusive in kept and option.name not in covered
    ]


def for_table(project: Path, name: str, *, metric: str = "") -> Beginning:
    """Return a first definition for a set of scikit-learn's or a file of the project.

    The column is the one named target, label, class or y, else the last; the metric is accuracy where it holds classes
    and r2 where it holds numbers.

    Raises:
        InvalidValue: It is no table. NotFound: There is no such file.
    """
    from tracking.tuning.tables.configurations import default_space
    from tracking.tuning.tables.loading import load_table
    from tracking.tuning.tables.sources import DATASETS, read_source

    dataset = name if name in DATASETS else None
    target = TableTarget("target", metric or "accuracy", dataset=dataset, file=None if dataset else name)
    if dataset is None:
        names = [str(column) for column in read_source(target, project=project, store=None)[0].columns]
        by_name = {column.casefold(): column for column in reversed(names)}
        column = next(
            (by_name[each] for each in _COLUMNS if each in by_name), names[-1] if names else "target"
        )
        target = replace(target, column=column)
    problem = ""
    for tried in [metric] if metric else ["accuracy", "r2"]:
        target = replace(target, metric=tried)
        try:
            load_table(target, project=project)
        except InvalidValue as error:
            problem = problem or str(error)
        else:
            problem = ""
            break
    definition = SweepDefinition(
        name=name if dataset else Path(name).stem,
        target=target,
        space=default_space(target),
        objectives=(Objective(target.metric, Goal.MAXIMIZE),),
        budget=BUDGET,
    )
    remarks = (
        ""
        if dataset
        else f"# It predicts the column {target.column!r:.80}: say so under [target] if another.\n"
    )
    remarks += f"# {' '.join(problem.split())}\n" if problem else ""
    return Beginning(remarks + definition_text(definition))
