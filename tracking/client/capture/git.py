"""The repository that a script stands in: commit, branch, remote, what is uncommitted.

Nothing is written, no hook, pager, external diff, text conversion, filter or file system monitor is started, nothing
is asked and nothing fetched.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tracking.client.capture.commands import Command, CommandFailed
from tracking.client.capture.secret_lines import mask_text
from tracking.client.capture.secret_names import SECRET_FILES, is_secret_file
from tracking.client.capture.secrets import without_credentials
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
_FILTERS = ["config", "-z", "--name-only", "--get-regexp", r"^filter\..*\.(clean|smudge|process)$"]
_SUBMODULES = ["config", "--file", ".gitmodules", "-z", "--get-regexp", r"^submodule\..*\.path$"]
SUBMODULE_LIMIT = 50
_EMPTY = (
    "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
)
"""The hashes of an empty file (SHA-1, SHA-256), which is under no name a secret."""

Deadline = Callable[[], float]


@dataclass(slots=True)
class Repository:
    """What git says of a working tree.

    Attributes:
        data: The "git" section.
        changed: Tracked files that differ from the commit, as git names them.
        has_script: Whether the script stands in the commit as it is on disk.
        added: Those of the changed files that the commit does not have, with the hash of what was staged.
        gone: Those that are deleted.
        secret_blobs: Hashes of what files of secrets hold that have changed, in the commit and staged.
    """

    data: dict[str, Any]
    changed: list[str] = field(default_factory=list)
    has_script: bool = False
    added: dict[str, str] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    secret_blobs: set[str] = field(default_factory=set)


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
    quiet = _without_filters(root, deadline)
    try:
        asked["status"] = _git(root, [*quiet, *_STATUS])
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
        _add_submodules(found, root, deadline)
        return found
    finally:
        for command in asked.values():
            command.stop()


def read_diff(root: str, found: Repository, deadline: Deadline) -> tuple[str, dict[str, Any]]:
    """Return what tracked files differ by, secrets left out, and the "diff" section about it.

    Raises:
        CommandFailed: As in `read_repository`.
    """
    quiet = _without_filters(root, deadline)
    moved = _moved_secrets(root, quiet, found, deadline)
    left_out = [path for path in found.changed if is_secret_file(path) or path in moved]
    patterns = [f":(top,exclude,icase,glob)**/{pattern}" for pattern in SECRET_FILES]
    names = [f":(top,exclude,literal){path}" for path in left_out[:500]]
    if len(left_out) > 500:
        raise CommandFailed(
            f"{len(left_out):,} files with secrets are changed: too many to leave out by name."
        )
    output = _git(root, [*quiet, *_DIFF, ":(top)", *patterns, *names], DIFF_LIMIT).finish(deadline)
    text = mask_text(output.data.decode("utf-8", "replace"))
    data: dict[str, Any] = {"files": len(found.changed) - len(left_out)}
    if left_out:
        data["left_out"] = left_out[:100]
    if output.cut:
        data["cut"] = True
        text += f"\n[cut after {DIFF_LIMIT >> 20} MB]\n"
    return text, data


def _moved_secrets(root: str, quiet: list[str], found: Repository, deadline: Deadline) -> set[str]:
    """Return the added files that are a file of secrets under another name, copied as it is or moved."""
    if not found.added:
        return set()
    patterns = [f":(top,icase,glob)**/{pattern}" for pattern in SECRET_FILES]
    listed = _git(root, ["ls-files", "--stage", "-z", "--", *patterns]).finish(deadline).data
    blobs = found.secret_blobs | {entry.split(" ")[1] for entry in _texts(listed) if entry.count(" ") >= 2}
    moved = {path for path, blob in found.added.items() if blob in blobs and not blob.startswith(_EMPTY)}
    if any(map(is_secret_file, found.gone)):
        # git's own search, as what was moved may also have been edited.
        look = (
            "diff --no-ext-diff --no-textconv --name-status -z -M30% -l1000 --ignore-submodules=dirty HEAD --"
        )
        names = _texts(_git(root, [*quiet, *look.split()]).finish(deadline).data)
        for at, status in enumerate(names):
            if (
                status[:1] == "R"
                and status[1:].isdigit()
                and len(names) > at + 2
                and is_secret_file(names[at + 1])
            ):
                moved.add(names[at + 2])
    return moved


def _without_filters(root: str, deadline: Deadline) -> list[str]:
    """Return the options under which git starts none of the filters (`filter.<name>.clean`) of the configuration.

    Raises:
        CommandFailed: A filter's name cannot be given to git, or as in `read_repository`.
    """
    try:
        names = _texts(_git(root, _FILTERS).finish(deadline).data)
    except CommandFailed as error:
        if "exit code 1" in str(error):
            return []  # there is none
        raise
    options: list[str] = []
    for name in sorted({name.rpartition(".")[0] for name in names}):
        if "=" in name or "\n" in name:
            raise CommandFailed(f"git was not asked: its configuration's {name!r} cannot be switched off.")
        for setting in ("clean=", "smudge=", "process=", "required=false"):
            options += ["-c", f"{name}.{setting}"]
    return options


def _add_submodules(found: Repository, root: str, deadline: Deadline) -> None:
    """Name the submodules with uncommitted changes; each is asked by itself, with none of its programs started."""
    dirty: list[str] = []
    left = [""]
    looked = 0
    try:
        while left and looked < SUBMODULE_LIMIT:
            above = left.pop(0)
            for path in _submodules(os.path.join(root, above), deadline):
                place = os.path.join(root, above, path)
                # Without a .git of its own git would speak of the repository around it.
                if not os.path.lexists(os.path.join(place, ".git")) or _inside(root, place) is None:
                    continue
                looked += 1
                status = _git(place, [*_without_filters(place, deadline), *_STATUS]).finish(deadline).data
                name = f"{above}/{path}".lstrip("/")
                if _from_status(place, status).changed:
                    dirty.append(name)
                left.append(name)
    except CommandFailed as error:
        found.data["submodules_error"] = str(error)
    if dirty:
        found.data["dirty"] = True
        found.data["dirty_submodules"] = dirty


def _submodules(root: str, deadline: Deadline) -> list[str]:
    if not os.path.isfile(os.path.join(root, ".gitmodules")):
        return []
    try:
        entries = _texts(_git(root, _SUBMODULES).finish(deadline).data)
    except CommandFailed as error:
        if "exit code 1" in str(error):
            return []  # the file names none
        raise
    return [entry.partition("\n")[2] for entry in entries if entry.partition("\n")[2]][:SUBMODULE_LIMIT]


def _texts(data: bytes) -> list[str]:
    return [text for text in data.decode("utf-8", "replace").split("\0") if text]


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
            parts = rest.split(" ", 7)
            path = parts[-1]
            found.changed.append(path)
            if "D" in parts[0]:
                found.gone.append(path)
            elif parts[2] == "000000":
                found.added[path] = parts[6]
            if is_secret_file(path):
                found.secret_blobs.update(blob for blob in parts[5:7] if blob.strip("0"))
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
