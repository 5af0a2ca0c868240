"""What can be tuned in a project, by reading its files. Nothing is executed."""

from __future__ import annotations

import time
from pathlib import Path

from tracking.tuning.targets.describe import SOURCE_LIMIT, may_offer, targets_of
from tracking.tuning.targets.options import Discovery, FoundTarget, TargetKind
from tracking.tuning.targets.project_files import python_files, read_source, shown

SECONDS = 20.0
PROBLEM_LIMIT = 200

_NO_TARGETS = {"setup.py", "conftest.py", "noxfile.py", "tasks.py", "manage.py"}
_TEST_FOLDERS = {"tests", "test", "testing"}
_ORDER = {TargetKind.SCRIPT: 0, TargetKind.FUNCTION: 1, TargetKind.OBJECTIVE: 2}


def discover(project: Path, *, seconds: float = SECONDS) -> Discovery:
    """Return the targets of a project: scripts with options, marked functions, Optuna objectives.

    Files are those that git tracks or does not ignore; without git a walk leaves out hidden folders, virtual
    environments, `node_modules`, `build` and the store. Tests and `setup.py` are no targets. Files over 1 MB, symlinks
    out of the project and what is no Python are said, not read.

    Args:
        project: The folder.
        seconds: After which no further file is read; that is said too.
    """
    deadline = time.monotonic() + seconds
    files = python_files(project)
    targets: list[FoundTarget] = []
    problems = list(files.problems)
    # A file beside the store comes before one deep below: those are left out where the time is short.
    for number, path in enumerate(sorted(files.paths, key=lambda name: (name.count("/"), name))):
        if _is_test(path):
            continue
        if time.monotonic() > deadline:
            left = len(files.paths) - number
            problems.append(f"Reading took more than {seconds:g} s; {left:,} of the files are left out.")
            break
        data = read_source(project, path, SOURCE_LIMIT)
        if isinstance(data, str):
            problems.append(data)
        elif data is not None and may_offer(data):
            found = _speakable(path) or targets_of(path, data)
            if isinstance(found, str):
                problems.append(found)
            else:
                targets += found
    targets.sort(key=lambda target: (not target.logs, _ORDER[target.kind], target.path, target.line))
    if len(problems) > PROBLEM_LIMIT:
        problems[PROBLEM_LIMIT:] = [f"There are {len(problems) - PROBLEM_LIMIT:,} further problems."]
    return Discovery(tuple(targets), tuple(problems))


def _is_test(path: str) -> bool:
    *folders, name = path.split("/")
    return (
        name in _NO_TARGETS
        or name.startswith("test_")
        or name.endswith("_test.py")
        or not _TEST_FOLDERS.isdisjoint(folders)
    )


def _speakable(path: str) -> str | None:
    try:
        path.encode()
    except UnicodeEncodeError:
        return f"{shown(path)} has a name that is no valid Unicode, so it is left out."
    return None
