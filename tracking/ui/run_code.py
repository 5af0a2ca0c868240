"""The code that a run ran: commit, what was not committed, the script and how it was called."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal

import streamlit as st

from tracking.records import CaptureRecord, RunRecord
from tracking.ui import captured, carried_cache, diffs, facts, feedback, format, run_downloads
from tracking.ui.markdown import escape
from tracking.ui.sizes import size

if TYPE_CHECKING:
    from tracking.store import Store

SECTIONS: Final = ("git", "diff", "script", "source", "notebook")

READ_BYTES: Final = 4_000_000
SHOWN_LINES: Final = 3_000
"""Of one file; more would make the browser slow, and the download has them."""
OPEN_LINES: Final = 150
"""A diff up to this length is open from the beginning."""
SHOWN_FILES: Final = 100

_HOSTS: Final = {
    "github.com": "/commit/",
    "gitlab.com": "/-/commit/",
    "codeberg.org": "/commit/",
    "bitbucket.org": "/commits/",
}
_REMOTE: Final = re.compile(r"(?:https://|ssh://git@|git@)([a-z.]+)[/:]([\w.-]+(?:/[\w.-]+)+?)/?", re.ASCII)
_CELL: Final = re.compile(r"^# %% (In \[\d+\])\n", re.MULTILINE)
_COMMIT: Final = re.compile(r"[0-9a-f]{7,64}")


def show(store: Store, run: RunRecord) -> None:
    """Draw what is known of the code of a session."""
    found = captured.sessions(carried_cache.captures(store, run), *SECTIONS)
    if not found:
        feedback.empty(
            "No code was recorded",
            "Commit, uncommitted changes and arguments are captured in the background when a run starts, "
            "unless it was started with capture=False.",
        )
        return
    session = captured.choose(found)
    captured.say_failures(session, *SECTIONS)
    if "git" in session.sections:
        _git(session.data("git"))
    _command(session.data("script"))
    _diff(store, session)
    _untracked(session.data("git"))
    _source(store, session)
    _notebook(store, session)


def commit_address(remote: str, commit: str) -> tuple[str, str] | None:
    """Return host and address of a commit's page, where the remote is a well-known public host; else None."""
    match = _REMOTE.fullmatch(remote.strip())
    if match is None or not _COMMIT.fullmatch(commit) or match[1] not in _HOSTS:
        return None
    path = match[2].removesuffix(".git")
    if any(part.strip(".") == "" for part in path.split("/")):
        return None
    return match[1], f"https://{match[1]}/{path}{_HOSTS[match[1]]}{commit}"


def command_line(script: Mapping[str, Any]) -> str:
    """Return how the program was started, as a shell would take it; empty where no command says it."""
    arguments = script.get("arguments")
    words = [str(word) for word in arguments] if isinstance(arguments, list) else []
    entry, path = script.get("entry"), str(script.get("path") or "")
    if entry == "module" and script.get("module"):
        return shlex.join(["python", "-m", str(script["module"]), *words])
    if entry == "command":
        return shlex.join(["python", "-c", "…", *words])
    if entry in ("notebook", "interactive", "function") or not path:
        return ""
    return shlex.join(["python", path, *words])


def notebook_cells(text: str) -> list[tuple[str, str]]:
    """Return the cells of a notebook with the mark before each; all of it as one where there is no mark."""
    parts = _CELL.split(text)
    cells = [(mark, cell.strip("\n")) for mark, cell in zip(parts[1::2], parts[2::2], strict=True)]
    return cells or [("", text)]


def _git(git: Mapping[str, Any]) -> None:
    if not git:
        return
    commit, remote = str(git.get("commit") or ""), str(git.get("remote") or "")
    dirty, submodules = git.get("dirty"), git.get("dirty_submodules")
    facts.show(
        {
            "Branch": str(git.get("branch") or "detached"),
            "Tracked files": None
            if dirty is None
            else "changed since the commit"
            if dirty
            else "as committed",
            "Changed submodules": ", ".join(map(str, submodules)) if isinstance(submodules, list) else None,
            "Submodules": None if git.get("submodules_error") is None else str(git["submodules_error"]),
            "Remote": remote,
            "Root": str(git.get("root") or ""),
        }
    )
    if commit:
        st.caption("Commit")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.code(format.shorten(commit, 80), language=None, width="content")
            if (page := commit_address(remote, commit)) is not None:
                # Made of the characters of names and hexadecimal only, on a host from the list.
                st.markdown(f"[Open on {page[0]}]({page[1]})", width="content")


def _command(script: Mapping[str, Any]) -> None:
    if not script:
        return
    if command := command_line(script):
        st.markdown("**Command**")
        st.code(command, language="bash", wrap_lines=True)
    else:
        facts.show(
            {"Started from": str(script.get("entry") or "unknown"), "File": str(script.get("path") or "")}
        )


def _diff(store: Store, session: captured.Session) -> None:
    record = session.sections.get("diff")
    if record is None or record.digest is None:
        return
    text = carried_cache.object_text(store, record.digest, READ_BYTES)
    files = diffs.by_file(text)
    added, removed = sum(file.added for file in files), sum(file.removed for file in files)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(
            f"**Uncommitted changes** in {format.plural(len(files), 'file')}: +{added:,} −{removed:,}"
        )
        _download(store, record, "uncommitted.patch", key="run.diff.download")
    if record.size > READ_BYTES:
        st.caption(f"The first {size(READ_BYTES)} of {size(record.size)}; the download has all of it.")
    if isinstance(left_out := record.data.get("left_out"), list) and left_out:
        names = format.shorten(", ".join(map(str, left_out)), 300)
        st.caption(escape(f"Left out, as they may hold secrets: {names}"))
    expanded = text.count("\n") <= OPEN_LINES
    for place, file in enumerate(files[:SHOWN_FILES]):
        label = f"{escape(format.shorten(file.path, 100))} :green[+{file.added:,}] :red[−{file.removed:,}]"
        key = f"run.diff.{session.spool}.{place}"
        with st.expander(label, expanded=expanded, on_change="rerun", key=key) as section:
            if section.open:
                _shown(file.text, "diff")
    if len(files) > SHOWN_FILES:
        st.caption(f"{format.count(len(files) - SHOWN_FILES)} more files are in the download.")


def _untracked(git: Mapping[str, Any]) -> None:
    names = git.get("untracked")
    if not isinstance(names, list) or not names:
        return
    total = git.get("untracked_total")
    total = total if isinstance(total, int) else len(names)
    with st.expander(f"{format.plural(total, 'untracked file')}, not recorded", key="run.untracked"):
        st.code("\n".join(_one_line(name) for name in names), language=None, height=_height(len(names)))
        if total > len(names):
            st.caption(f"The first {format.count(len(names))} of {format.count(total)}.")


def _source(store: Store, session: captured.Session) -> None:
    record = session.sections.get("source")
    if record is None or record.digest is None:
        return
    path = str(record.data.get("name") or session.data("script").get("path") or "script")
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**Source** {escape(format.shorten(path, 100))}")
        _download(store, record, "source.py.txt", key="run.source.download")
    _shown(carried_cache.object_text(store, record.digest, READ_BYTES), "python")


def _notebook(store: Store, session: captured.Session) -> None:
    record = session.sections.get("notebook")
    if record is None or record.digest is None:
        return
    cells = notebook_cells(carried_cache.object_text(store, record.digest, READ_BYTES))
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**Notebook**: {format.plural(len(cells), 'cell')}, in the order they were run")
        _download(store, record, "notebook.py.txt", key="run.notebook.download")
    if len(cells) > SHOWN_FILES:
        st.caption(f"The last {SHOWN_FILES}; the download has all of them.")
    for mark, cell in cells[-SHOWN_FILES:]:
        if mark:
            st.caption(escape(mark))
        _shown(cell, "python")


def _shown(text: str, language: str) -> None:
    lines = text.split("\n")
    st.code(
        "\n".join(lines[:SHOWN_LINES]),
        language=language,
        height=_height(len(lines)),
    )
    if len(lines) > SHOWN_LINES:
        st.caption(f"{SHOWN_LINES:,} of {len(lines):,} lines; the download has all of them.")


def _download(store: Store, record: CaptureRecord, name: str, *, key: str) -> None:
    digest = record.digest
    assert digest is not None

    def read() -> BinaryIO:
        return store.open_object(digest)

    run_downloads.button(f"Download ({size(record.size)})", read, file_name=name, key=key)


def _one_line(name: object) -> str:
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in str(name))


def _height(lines: int) -> int | Literal["content"]:
    return 560 if lines > 28 else "content"
