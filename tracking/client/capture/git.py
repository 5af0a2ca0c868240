"""The repository that a script stands in: commit, branch, remote, what is uncommitted.

Nothing is written, no hook, pager, external diff, text conversion or file system monitor is started, nothing
is asked and nothing fetched.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tracking.client.capture.commands import Command, CommandFailed
from tracking.client.capture.secrets import SECRET_FILES, is_secret_file, mask_text, without_credentials
from tracking.config import git_environment

DIFF_LIMIT = 5 << 20
LIST_LIMIT = 4 << 20
UNTRACKED_LIMIT = 1000

_QUIET = (
    "git --no-pager -c core.fsmonitor=false -c core.hooksPath=/dev/null -c core.pager=cat -c credential.helper= "
    "-c core.askPass= -c core.quotePath=false -c submodule.recurse=false -c diff.external= -c color.ui=false"
).split()
_STATUS = (
    "status --porcelain=v2 --branch -z --untracked-files=no --no-renames --ignore-submodules=dirty".split()
)
_DIFF = (
    "diff --no-ext-diff --no-textconv --no-color --no-renames --submodule=short --ignore-submodules=dirty "
    "--src-prefix=a/ --dst-prefix=b/ HEAD --"
).split()
_UNTRACKED = "ls-files --others --exclude-standard --directory --no-empty-directory -z".split()
_REMOTES = ["config", "-z", "--get-regexp", r"^remote\..*\.url$"]

Deadline = Callable[[], float]


@dataclass(slots=True)
class Repository:
    """What git says of a working tree.

    Attributes:
        data: The "git" section.
        changed: Tracked files that differ from the commit, as git names them.
        has_script: Whether the script stands in the commit as it is on disk.
    """

    data: dict[str, Any]
    changed: list[str] = field(default_factory=list)
    has_script: bool = False


def find_root(folder: str) -> str | None:
    """Return the working tree that a folder belongs to, without asking git."""
    here = Path(folder)
    for place in (here, *here.parents):
        if os.path.lexists(place / ".git"):
            return str(place)
    return None


def read_repository(root: str, script: str | None, deadline: Deadline) -> Repository:
    """Ask git for everything but the diff.

    Args:
        root: The working tree.
        script: Path of the script, if there is one.
        deadline: See `Command.finish`.

    Raises:
        CommandFailed: git is missing, refuses the folder, or is out of time.
    """
    # All at once: they wait for the disk more than for a processor.
    asked: dict[str, Command] = {}
    try:
        asked["status"] = _git(root, _STATUS)
        asked["remotes"] = _git(root, _REMOTES)
        asked["untracked"] = _git(root, _UNTRACKED)
        relative = _inside(root, script)
        if relative is not None:
            asked["script"] = _git(root, ["ls-files", "-z", "--", f":(top,literal){relative}"])
        found = _from_status(root, asked.pop("status").finish(deadline).data)
        _add_remote(found, asked.pop("remotes"), deadline)
        if relative is not None:
            tracked = bool(asked.pop("script").finish(deadline).data)
            found.has_script = (
                tracked and relative not in found.changed and found.data.get("commit") is not None
            )
        _add_untracked(found, asked.pop("untracked"), deadline)
        return found
    finally:
        for command in asked.values():
            command.stop()


def read_diff(root: str, changed: list[str], deadline: Deadline) -> tuple[str, dict[str, Any]]:
    """Return what tracked files differ by, secrets left out, and the "diff" section about it.

    Raises:
        CommandFailed: As in `read_repository`.
    """
    left_out = [path for path in changed if is_secret_file(path)]
    patterns = [f":(top,exclude,icase,glob)**/{pattern}" for pattern in SECRET_FILES]
    names = [f":(top,exclude,literal){path}" for path in left_out[:500]]
    if len(left_out) > 500:
        raise CommandFailed(
            f"{len(left_out):,} files with secrets are changed: too many to leave out by name."
        )
    output = _git(root, [*_DIFF, ":(top)", *patterns, *names], DIFF_LIMIT).finish(deadline)
    text = mask_text(output.data.decode("utf-8", "replace"))
    data: dict[str, Any] = {"files": len(changed) - len(left_out)}
    if left_out:
        data["left_out"] = left_out[:100]
    if output.cut:
        data["cut"] = True
        text += f"\n[cut after {DIFF_LIMIT >> 20} MB]\n"
    return text, data


def _git(root: str, arguments: list[str], limit: int = LIST_LIMIT) -> Command:
    return Command([*_QUIET, "-C", root, *arguments], environment=git_environment(), limit=limit)


def _from_status(root: str, data: bytes) -> Repository:
    found = Repository({"root": root, "commit": None, "branch": None, "dirty": False})
    for entry in data.decode("utf-8", "replace").split("\0"):
        kind, _, rest = entry.partition(" ")
        if kind == "#":
            name, _, value = rest.partition(" ")
            if name == "branch.oid" and value != "(initial)":
                found.data["commit"] = value
            elif name == "branch.head" and value != "(detached)":
                found.data["branch"] = value
        elif kind == "1":
            found.changed.append(rest.split(" ", 7)[-1])
        elif kind == "u":
            found.changed.append(rest.split(" ", 9)[-1])
    found.data["dirty"] = bool(found.changed)
    return found


def _add_remote(found: Repository, asked: Command, deadline: Deadline) -> None:
    found.data["remote"] = None
    try:
        text = asked.finish(deadline).data.decode("utf-8", "replace")
    except CommandFailed:
        return  # exit code 1: there is none
    remotes = dict(entry.split("\n", 1) for entry in text.split("\0") if "\n" in entry)
    address = remotes.get("remote.origin.url") or next(iter(remotes.values()), None)
    found.data["remote"] = None if address is None else without_credentials(address)


def _add_untracked(found: Repository, asked: Command, deadline: Deadline) -> None:
    try:
        output = asked.finish(deadline)
    except CommandFailed as error:
        found.data["untracked_error"] = str(error)
        return
    names = [name for name in output.data.decode("utf-8", "replace").split("\0") if name]
    found.data["untracked"] = names[:UNTRACKED_LIMIT]
    found.data["untracked_total"] = len(names)


def _inside(root: str, script: str | None) -> str | None:
    if script is None:
        return None
    relative = os.path.relpath(os.path.realpath(script), os.path.realpath(root))
    return None if relative.startswith("..") else relative.replace(os.sep, "/")
