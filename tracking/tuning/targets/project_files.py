"""The Python files of a project: those that git knows or does not ignore, else what a walk finds."""

from __future__ import annotations

import os
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tracking.config import STORE_FOLDER, git_environment

FILE_LIMIT = 20_000
DEPTH_LIMIT = 20
ENTRY_LIMIT = 500_000
"""Files and folders of any kind that a walk looks at: a project may hold a data set of millions."""
GIT_SECONDS = 10.0
_LISTING_LIMIT = 64 << 20

LEFT_OUT = frozenset({"node_modules", "site-packages", "dist-packages", "__pycache__", STORE_FOLDER})
"""Folders that hold nobody's own code, whether git knows them or not."""
_BUILT = frozenset({"build", "dist", "venv", "env"})
"""Folders that are left out where no git says what belongs to the project."""

_GIT = "git --no-pager -c core.fsmonitor=false -c core.hooksPath=/dev/null -c core.quotePath=false -C".split()
_LIST = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate", "--", "*.py"]


@dataclass(slots=True)
class ProjectFiles:
    """The Python files of a project.

    Attributes:
        paths: Relative to it, with `/`, in order.
        problems: Sentences about what was left out.
    """

    paths: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def python_files(project: Path) -> ProjectFiles:
    """Return the Python files of a folder: no symlinks, nothing hidden, no packages of others.

    At most `FILE_LIMIT` files, `DEPTH_LIMIT` folders deep.
    """
    found = ProjectFiles()
    listed = _listed_by_git(project)
    names: Iterator[str] = _walked(project, found) if listed is None else iter(listed)
    for name in names:
        if listed is not None and not _is_own(name):
            continue
        if len(found.paths) >= FILE_LIMIT:
            found.problems.append(
                f"The project has more than {FILE_LIMIT:,} Python files; the rest is left out."
            )
            break
        found.paths.append(name)
    found.paths.sort()
    return found


def leaves(project: Path, path: str) -> str | None:
    """Return where a file or folder of the project leads outside of it, None where it stays inside."""
    real, root = os.path.realpath(project / path), os.path.realpath(project)
    return None if real == root or real.startswith(root.rstrip(os.sep) + os.sep) else real


def symlink_problem(project: Path, path: str) -> str | None:
    """Return the sentence about a symlink that leads out of the project, None for one that does not."""
    outside = leaves(project, path)
    return f"{shown(path)} is a symlink out of the project, and is not followed." if outside else None


def path_problem(project: Path, path: str) -> str | None:
    """Return the sentence why a path names no file of the project, None when it does.

    A symlink to a file inside the project is one.
    """
    parts = PurePosixPath(path).parts
    if not path or "\0" in path or "\\" in path or path.startswith(("/", "-")) or ".." in parts:
        return f"{shown(path)!r} is no path inside the project. Give it relative to the project, with '/'."
    try:
        if not os.path.lexists(project / path):
            return f"There is no {shown(path)} in the project."
        if leaves(project, path):
            return f"{shown(path)} leads out of the project by a symlink, and is not followed."
        if not os.path.isfile(project / path):
            return f"{shown(path)} is no file that can be read."
    except (OSError, ValueError) as error:
        return f"{shown(path)} cannot be read: {error}."
    return None


def shown(path: str) -> str:
    """Return a file's name as it can be printed: broken characters and line breaks escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in path)


def _is_own(path: str) -> bool:
    folders = path.split("/")[:-1]
    return len(folders) <= DEPTH_LIMIT and not any(
        folder in LEFT_OUT or folder.startswith(".") for folder in folders
    )


def _listed_by_git(project: Path) -> list[str] | None:
    """Return what git lists, None where the folder is in no repository or git cannot say in time."""
    with tempfile.TemporaryFile() as output:
        try:
            done = subprocess.run(
                [*_GIT, str(project), *_LIST],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.DEVNULL,
                env=git_environment(),
                timeout=GIT_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        if done.returncode:
            return None
        output.seek(0)
        return [os.fsdecode(name) for name in output.read(_LISTING_LIMIT).split(b"\0") if name]


def _walked(project: Path, found: ProjectFiles) -> Iterator[str]:
    folders = [("", 0)]
    seen = 0
    while folders:
        if seen > ENTRY_LIMIT:
            found.problems.append(f"The project has more than {ENTRY_LIMIT:,} files; the rest is left out.")
            return
        folder, depth = folders.pop()
        try:
            entries = sorted(os.scandir(project / folder), key=lambda entry: entry.name)
        except OSError as error:
            found.problems.append(f"{shown(folder) or 'The project'} cannot be read: {error.strerror}.")
            continue
        seen += len(entries)
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_symlink():
                if entry.name.endswith(".py"):
                    yield path
                elif os.path.isdir(entry.path) and (problem := symlink_problem(project, path)):
                    found.problems.append(problem)
            elif entry.is_dir():
                if _is_searched(entry):
                    if depth < DEPTH_LIMIT:
                        folders.append((path, depth + 1))
                    else:
                        found.problems.append(
                            f"{shown(path)} is more than {DEPTH_LIMIT} folders deep; left out."
                        )
            elif entry.name.endswith(".py"):
                yield path


def _is_searched(folder: os.DirEntry[str]) -> bool:
    name = folder.name
    if name.startswith(".") or name in LEFT_OUT or name in _BUILT:
        return False
    return not any(
        os.path.lexists(os.path.join(folder.path, mark))
        for mark in ("pyvenv.cfg", "conda-meta", "tracking.db")
    )


def read_source(project: Path, path: str, limit: int) -> bytes | str | None:
    """Return a file's bytes, a sentence why it is not read, or None for what is passed over without a word.

    Args:
        project: The folder.
        path: Relative to it.
        limit: Bytes at most.
    """
    full = project / path
    try:
        # Not followed, and not waited for: a named pipe may stand under any name.
        descriptor = os.open(full, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        if os.path.islink(full):
            return symlink_problem(project, path)
        return f"{shown(path)} cannot be read: {error.strerror}."
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            return None
        if about.st_size > limit:
            return f"{shown(path)} has {about.st_size / 1e6:,.1f} MB; files over {limit / 1e6:g} MB are not read."
        try:
            return file.read(limit)
        except OSError as error:
            return f"{shown(path)} cannot be read: {error.strerror}."
