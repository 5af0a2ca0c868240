"""The command that a run was started by, as far as it can be started again with another seed."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tracking.client.capture.secret_lines import MASK
from tracking.errors import InvalidValue
from tracking.records import CaptureRecord, ExperimentRecord, RunRecord
from tracking.store import Store
from tracking.tuning.confirmation import SEED_LIKE
from tracking.tuning.targets.describe import describe_script
from tracking.tuning.targets.options import FoundTarget, Option, Passing
from tracking.tuning.targets.project_files import leaves, python_files, shown

_BY_HAND: Final = "Start it by hand with other seeds: runs whose other params are equal count as its repeats."
_ENTRIES: Final[Mapping[str, str]] = {
    "notebook": "was started in a notebook",
    "interactive": "was started in an interactive session",
    "command": "was started by python -c",
    "stdin": "was read from the standard input",
    "module": "was started as a module, by python -m",
    "function": "was evaluated by a sweep that is gone",
    "table": "was evaluated by a sweep that is gone",
}


@dataclass(frozen=True, slots=True)
class Command:
    """What starts a run again.

    Attributes:
        path: Of the script, relative to the project, with `/`.
        arguments: As they were, without the option that tells repeats apart.
        option: The script's option that does.
        param: What the runs log it as.
        given: What it was given, as text; empty where it was left out.
    """

    path: str
    arguments: tuple[str, ...]
    option: Option
    param: str
    given: tuple[str, ...]

    @property
    def vary(self) -> str:
        """Name of the option, as a sweep's definition has it."""
        return self.option.name

    @property
    def text(self) -> str:
        """The command without the interpreter, as one would type it."""
        return shlex.join([self.path, *self.arguments])


def captured_command(store: Store, run: RunRecord, experiment: ExperimentRecord, project: Path) -> Command:
    """Return the command of a run.

    Args:
        store: That has it.
        run: Which is no trial of a sweep.
        experiment: Of the run; its `vary` says which params tell repeats apart.
        project: The folder that the script must be in, absolute.

    Raises:
        InvalidValue: It cannot be started again; the message says why and what to do.
    """
    script = _script(store, run)
    path = _path_in(project, str(script.get("path") or ""), run)
    arguments = tuple(str(each) for each in script.get("arguments") or ())
    if any(MASK in each for each in arguments):
        raise InvalidValue(
            f"A secret in the arguments of run {run.name!r} was not kept, and without it {path} cannot be started. "
            f"{_BY_HAND}"
        )
    found = describe_script(project, path)
    param, option = _varied(found, experiment, arguments)
    rest, given = _without(arguments, option)
    return Command(path, rest, option, param, given)


def _script(store: Store, run: RunRecord) -> Mapping[str, Any]:
    captures = store.captures(run.id)
    if any(each.rank is not None for each in captures):
        raise InvalidValue(
            f"Run {run.name!r} went on in several processes, which their launcher started (torchrun, SLURM, …): only a "
            f"script by itself is started from here. {_BY_HAND}"
        )
    scripts: list[CaptureRecord] = [each for each in captures if each.section == "script" and each.owner]
    if not scripts or "entry" not in scripts[-1].data:
        raise InvalidValue(
            f"How run {run.name!r} was started is not recorded: nothing was captured with it. {_BY_HAND} "
            "Without capture=False it is recorded next time."
        )
    script = scripts[-1].data
    if script["entry"] != "file":
        how = _ENTRIES.get(str(script["entry"]), "was not started as a script")
        raise InvalidValue(
            f"Run {run.name!r} {how}, which cannot be done again from here. {_BY_HAND} Of a script in the project that "
            "takes a --seed it is done for you."
        )
    return script


def _path_in(project: Path, path: str, run: RunRecord) -> str:
    """Return the script's path relative to the project, which is one of its files."""
    if not path or leaves(project, path):
        raise InvalidValue(
            f"The script of run {run.name!r}, {shown(path)}, is not in the project {project}, and nothing else is "
            "started. Start the dashboard or the command in the script's project."
        )
    relative = os.path.relpath(os.path.realpath(path), os.path.realpath(project)).replace(os.sep, "/")
    if not os.path.exists(path):
        raise InvalidValue(
            f"The script of run {run.name!r}, {shown(relative)}, is not there any more. {_BY_HAND}"
        )
    if relative not in python_files(project).paths:
        raise InvalidValue(
            f"The script of run {run.name!r}, {shown(relative)}, is none of the project's files: git ignores it, or it "
            "lies in a folder of packages. Nothing else is started."
        )
    return relative


def _varied(found: FoundTarget, experiment: ExperimentRecord, arguments: Sequence[str]) -> tuple[str, Option]:
    """Return the param that tells repeats apart and the script's option for it; a seed before anything else."""
    options = {each.name: each for each in found.options if each.command is None or each.command in arguments}
    known = [
        (param, option)
        for param in experiment.vary
        for option in [options.get(param) or options.get(param.rpartition(".")[2])]
        if option is not None
    ]
    if not found.complete:
        # Declared in another file, say; that the script took it once is enough.
        known += [
            (param, Option(name=param, flag=f"--{param}", aliases=(f"--{param}",), default_known=False))
            for param in experiment.vary
            if any(each == f"--{param}" or each.startswith(f"--{param}=") for each in arguments)
        ]
    for param, option in sorted(known, key=lambda each: SEED_LIKE.search(each[0]) is None):
        return param, option
    vary = ", ".join(experiment.vary) or "none"
    like = next((name for name in options if SEED_LIKE.search(name)), None)
    if like is not None:
        raise InvalidValue(
            f"{shown(found.path)} has the option {options[like].flag or like}, but {experiment.name!r} does not count "
            f"runs as repeats that differ in it (only in {vary}). If they are: "
            f"tracking.define_repeat({experiment.name!r}, vary=[{like!r}])"
        )
    raise InvalidValue(
        f"{shown(found.path)} has no option that tells repeats apart (of {experiment.name!r}: {vary}), so each of them "
        'would be the same run. Add one, as parser.add_argument("--seed", type=int, default=0), and draw all random '
        "numbers from it."
    )


def _without(arguments: Sequence[str], option: Option) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return arguments without an option and its values, and the values."""
    flags = {flag for flag in (option.flag, *option.aliases) if flag}
    if option.passing in (Passing.SWITCH, Passing.COUNT, Passing.POSITION, Passing.KEYWORD, Passing.DRAWN):
        return tuple(arguments), ()
    rest: list[str] = []
    given: list[str] = []
    places = iter(arguments)
    for argument in places:
        flag, sign, value = argument.partition("=")
        short = next((each for each in flags if re.fullmatch(rf"{re.escape(each)}\d+", argument)), None)
        if argument == "--":
            rest += [argument, *places]
        elif argument in flags:
            given.append(next(places, ""))
        elif sign and flag in flags:
            given.append(value)
        elif short is not None and len(short) == 2:
            given.append(argument[2:])
        else:
            rest.append(argument)
    return tuple(rest), tuple(given)
