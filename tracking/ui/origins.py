"""What several runs come from, side by side: code, data, packages, machine. Only what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import streamlit as st

from tracking.analysis.differences import differing_params
from tracking.records import CaptureRecord, DatasetRecord, RunRecord
from tracking.ui import captured, carried_cache, grid, run_code, run_environment, tables
from tracking.ui.tables import Table, TableColumn

if TYPE_CHECKING:
    from tracking.store import Store

SHORT: Final = 10
"""Characters of a commit or digest that tell them apart for a reader."""
_DATA: Final = "data"
"""The group in which having nothing is known: the run logged no such dataset."""


def differences(store: Store, runs: Sequence[RunRecord]) -> None:
    """Draw what differs between runs beside their params; nothing when none of it was recorded."""
    origins = [origin(carried_cache.captures(store, run), carried_cache.datasets(store, run)) for run in runs]
    if len(runs) < 2 or not any(origins):
        return
    st.subheader("Code, data and environment")
    table = comparison(runs, origins)
    if table.frame.empty:
        st.caption("The same for all these runs, as far as it was recorded.")
        return
    grid.show(
        table,
        alt="Code, data and environment of the compared runs, one run a column",
        key="compare.origins",
        rows=24,
    )


def comparison(runs: Sequence[RunRecord], origins: Sequence[Mapping[str, str]]) -> Table:
    """Return what differs: one row each, runs across.

    Runs of which something was not recorded, such as their packages, say nothing about it: a row is there
    when others differ.
    """
    shown = {
        key
        for group in {_group(key) for found in origins for key in found}
        for key in differing_params(
            [
                {key: value for key, value in found.items() if _group(key) == group}
                for found in origins
                if group == _DATA or any(_group(key) == group for key in found)
            ]
        )
    }
    restricted = [
        replace(run, flat_params={key: value for key, value in found.items() if key in shown})
        for run, found in zip(runs, origins, strict=True)
    ]
    table = tables.param_comparison(restricted, only_differing=False)
    headed = TableColumn("What differs", pinned=table.columns["param"].pinned)
    return replace(table, columns={**table.columns, "param": headed})


def _group(key: str) -> str:
    return key.partition(" ")[0]


def origin(captures: Sequence[CaptureRecord], datasets: Sequence[DatasetRecord]) -> dict[str, str]:
    """Return what is known of the code, data and environment of a run's newest session, as texts by name."""
    found: dict[str, str] = {f"{_DATA} {dataset.name}": dataset.digest[:SHORT] for dataset in datasets}
    sessions = captured.sessions(captures, *run_code.SECTIONS, *run_environment.SECTIONS)
    if not sessions:
        return found
    session = next((one for one in reversed(sessions) if one.owner), sessions[-1])
    git, python, host = session.data("git"), session.data("python"), session.data("host")
    if git:
        found["code commit"] = str(git.get("commit") or "none")[:SHORT]
        found["code branch"] = str(git.get("branch") or "detached")
        diff = session.sections.get("diff")
        patch = "" if diff is None or diff.digest is None else f" ({diff.digest[:SHORT]})"
        found["code uncommitted changes"] = f"yes{patch}" if git.get("dirty") else "none"
    if (source := session.sections.get("source")) is not None and source.digest is not None:
        found["code source"] = source.digest[:SHORT]
    found |= {
        name: str(value)
        for name, value in (
            ("python", python.get("version")),
            ("host", host.get("hostname")),
            ("processor", host.get("cpu")),
        )
        if value
    }
    packages = session.data("packages").get("packages")
    if isinstance(packages, Mapping):
        found |= {f"package {name}": str(version) for name, version in packages.items()}
    return found
