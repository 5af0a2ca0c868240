"""What a run ran on: interpreter, packages, machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import streamlit as st

from tracking.records import RunRecord
from tracking.ui import captured, carried_cache, facts, feedback, format, grid
from tracking.ui.markdown import escape
from tracking.ui.sizes import memory
from tracking.ui.tables import Table, TableColumn

if TYPE_CHECKING:
    from tracking.store import Store

SECTIONS: Final = ("python", "packages", "host", "seeds")


def show(store: Store, run: RunRecord) -> None:
    """Draw interpreter, machine and packages of a session."""
    found = captured.sessions(carried_cache.captures(store, run), *SECTIONS)
    if not found:
        feedback.empty(
            "No environment was recorded",
            "Interpreter, packages and machine are captured in the background when a run starts, "
            "unless it was started with capture=False.",
        )
        return
    session = captured.choose(found)
    python, host, seeds = session.data("python"), session.data("host"), session.data("seeds")
    facts.show(
        {
            "Python": _text(python, "version"),
            "Implementation": _text(python, "implementation"),
            "Executable": _text(python, "executable"),
            "Environment": _text(python, "prefix"),
        }
    )
    facts.show(
        {
            "Host": _text(host, "hostname"),
            "System": _text(host, "os"),
            "Processor": _text(host, "cpu"),
            "Cores": _cores(host),
            "Memory": memory(size) if isinstance(size := host.get("memory_bytes"), int) else None,
            **_gpus(host.get("gpus")),
        }
    )
    if _text(host, "gpus_error"):
        st.caption(escape(f"GPUs could not be asked: {format.shorten(str(host['gpus_error']), 200)}"))
    if seeds:
        facts.show({f"Seed: {format.shorten(str(name), 40)}": str(value) for name, value in seeds.items()})
    captured.say_failures(session, "python", "host", "seeds")
    _packages(session)


def _packages(session: captured.Session) -> None:
    packages = session.data("packages").get("packages")
    if not isinstance(packages, Mapping) or not packages:
        captured.say_failures(session, "packages")
        return
    st.markdown(f"**{format.plural(len(packages), 'package')}**")
    wanted = st.text_input(
        "Search packages",
        key="run.packages",
        type="search",
        live=True,
        placeholder="Search packages, such as torch",
        label_visibility="collapsed",
        width=360,
    )
    rows = matching(packages, wanted or "")
    if not rows:
        st.caption(f"No package has “{escape(format.shorten(wanted or '', 60))}” in its name.")
        return
    with st.container(width=560):
        grid.show(package_table(rows), alt="Installed packages", key="run.packages.table", rows=20)


def matching(packages: Mapping[str, Any], wanted: str) -> list[tuple[str, str]]:
    """Return name and version of the packages whose name has the text in it; `-` and `_` are the same."""
    sought = _folded(wanted.strip())
    found = [(str(name), str(version)) for name, version in packages.items() if sought in _folded(str(name))]
    return sorted(found, key=lambda package: _folded(package[0]))


def package_table(rows: Sequence[tuple[str, str]]) -> Table:
    """Return packages as a table."""
    return Table(
        pd.DataFrame(rows, columns=["package", "version"], dtype="str"),
        {
            "package": TableColumn("Package", width="medium"),
            "version": TableColumn("Version", width="medium"),
        },
    )


def _cores(host: Mapping[str, Any]) -> str | None:
    cores, usable = _text(host, "cores"), _text(host, "cores_usable")
    return cores if usable in (None, cores) else f"{cores}, {usable} of them usable"


def _folded(name: str) -> str:
    return name.casefold().replace("_", "-")


def _gpus(gpus: object) -> dict[str, str]:
    """Return a fact per GPU; what a newer writer knows of each is shown as it stands."""
    if not isinstance(gpus, Sequence) or isinstance(gpus, str):
        return {}
    texts = [
        " · ".join(
            memory(value) if key == "memory_bytes" and isinstance(value, int) else str(value)
            for key, value in gpu.items()
            if value is not None
        )
        if isinstance(gpu, Mapping)
        else str(gpu)
        for gpu in gpus
    ]
    return {"GPU" if len(texts) == 1 else f"GPU {place}": text for place, text in enumerate(texts)}


def _text(data: Mapping[str, Any], name: str) -> str | None:
    value = data.get(name)
    return None if value is None or value == "" else str(value)
