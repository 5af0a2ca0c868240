"""What is started for one evaluation of a trial, by the kind of its target."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from tracking.errors import InvalidValue
from tracking.tuning.definition import Choice, FunctionTarget, ScriptTarget, TableTarget
from tracking.tuning.execution.launching import StartFailed
from tracking.tuning.execution.places import REQUEST, RESULT, write_json
from tracking.tuning.targets.command import script_command
from tracking.tuning.targets.describe import describe_script, file_problem
from tracking.tuning.targets.options import Option


def command(
    target: ScriptTarget | FunctionTarget | TableTarget,
    params: Mapping[str, Choice],
    *,
    project: Path,
    folder: Path,
    about: Mapping[str, Any],
) -> list[str]:
    """Return the program and its arguments for an evaluation.

    Args:
        target: What is evaluated.
        params: The configuration.
        project: The folder that the target's path is relative to.
        folder: For the request to the evaluator, and its result; made when needed.
        about: What the evaluator needs to know besides.

    Raises:
        StartFailed: The target's file is not there any more.
        InvalidValue: The target cannot take one of the values.
    """
    if isinstance(target, ScriptTarget):
        _check_file(project, target.path)
        return script_command(project, target, _options(project, target.path), params)
    if isinstance(target, FunctionTarget):
        _check_file(project, target.path)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / RESULT).unlink(missing_ok=True)
    kind = "table" if isinstance(target, TableTarget) else "function"
    said = {"kind": kind, "target": asdict(target), "params": dict(params), "project": str(project)}
    write_json(folder / REQUEST, {**said, **about})
    # -P: a module of the user's beside the project must not stand in for one of ours.
    return [sys.executable, "-P", "-m", "tracking.tuning.execution.evaluator", str(folder)]


def _check_file(project: Path, path: str) -> None:
    problem = file_problem(project, path)
    if problem is not None:
        raise StartFailed(problem)


def _options(project: Path, path: str) -> tuple[Option, ...]:
    """Return the options of a script as its source declares them, read anew when it changed."""
    try:
        return _options_of(str(project), path, (project / path).stat().st_mtime_ns)
    except (OSError, InvalidValue):
        return ()


@lru_cache(maxsize=8)
def _options_of(project: str, path: str, changed: int) -> tuple[Option, ...]:
    return describe_script(Path(project), path).options
