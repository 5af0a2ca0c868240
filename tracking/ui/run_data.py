"""The data of a run: the datasets it read, and beside them the artifacts it wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import pandas as pd
import streamlit as st

from tracking.records import DatasetRecord, RunRecord
from tracking.ui import cache, carried_cache, facts, feedback, format, grid, navigation, run_state, state
from tracking.ui.artifact_tree import kind_name
from tracking.ui.column_tables import columns_table, statistic
from tracking.ui.markdown import escape
from tracking.ui.sizes import size
from tracking.ui.tables import MAX_CELL, Table, TableColumn

if TYPE_CHECKING:
    from tracking.store import Store

SHOWN_USERS: Final = 12
SHOWN_ARTIFACTS: Final = 200


def show(store: Store, run: RunRecord) -> None:
    """Draw datasets in, artifacts out."""
    datasets = carried_cache.datasets(store, run)
    st.subheader("Datasets in")
    if not datasets:
        feedback.empty(
            "No datasets",
            "Log what the run reads, and runs on the same data are found by the digest of its content.",
            code='run.log_dataset(frame, "train")',
        )
    else:
        _datasets(store, run, datasets)
    st.subheader("Artifacts out")
    if not run.artifacts:
        st.caption('None. run.log\\_artifact\\("report.csv"\\) keeps a file with the run.')
        return
    _artifacts(run)
    navigation.follow()


def _datasets(store: Store, run: RunRecord, datasets: Sequence[DatasetRecord]) -> None:
    def opened(row: int) -> None:
        run_state.write({run_state.DATASET: datasets[row].digest})

    grid.show(
        dataset_table(datasets),
        alt="Datasets that the run used",
        key="run.datasets",
        on_open=opened,
        rows=10,
        whole_cell=True,
    )
    asked = run_state.read(run_state.DATASET)
    chosen = next((dataset for dataset in datasets if dataset.digest == asked), None)
    if chosen is None and len(datasets) == 1:
        chosen = datasets[0]
    if chosen is None:
        st.caption("Click a name to see its columns and which other runs used the same data.")
        return
    _details(store, run, chosen)


def _details(store: Store, run: RunRecord, dataset: DatasetRecord) -> None:
    with st.container(border=True):
        st.markdown(f"**{escape(dataset.name)}**")
        facts.show(
            {
                "Kind": dataset.kind,
                "Shape": None if (known := shape(dataset)) == format.ABSENT else known,
                "Size": None if dataset.size is None else size(dataset.size),
                "Source": dataset.source,
                "Stored": "its bytes are in the store" if dataset.object else "by reference only",
            }
        )
        st.caption("Digest of the content")
        st.code(dataset.digest, language=None, width="content", wrap_lines=True)
        # The schema of what is no table says what it is made of; statistics are of the whole then.
        if dataset.kind != "frame":
            facts.show({str(name): _made_of(value) for name, value in dataset.schema.items()})
        table = schema_table(dataset)
        if not table.frame.empty:
            grid.show(table, alt=f"Columns of the dataset {dataset.name}", key="run.schema", rows=14)
        _users(store, run, dataset)


def _users(store: Store, run: RunRecord, dataset: DatasetRecord) -> None:
    others = [user for user in store.dataset_users(dataset.digest) if user != run.id]
    if not others:
        st.caption("No other run used this data.")
        return
    st.markdown(f"**{format.plural(len(others), 'other run')} on the same data**")
    known, _ = cache.known_runs(store, others[:SHOWN_USERS])
    with st.container(horizontal=True, gap="small"):
        for other in known:
            st.page_link(
                state.RUN_PAGE,
                label=escape(f"{format.shorten(other.name, 40)} · {format.shorten(other.experiment, 40)}"),
                query_params={state.RUN: other.id},
                width="content",
            )
    if len(others) > SHOWN_USERS:
        st.caption(f"The newest {SHOWN_USERS} of {format.count(len(others))}.")


def _artifacts(run: RunRecord) -> None:
    newest = {artifact.name: artifact for artifact in run.artifacts}
    names = list(newest)
    shown = [newest[name] for name in names[:SHOWN_ARTIFACTS]]

    def opened(row: int) -> None:
        navigation.open_artifact(run.id, shown[row].name)

    grid.show(
        Table(
            pd.DataFrame(
                {
                    "name": [artifact.name for artifact in shown],
                    "kind": [kind_name(artifact.kind) for artifact in shown],
                    "size": [float(artifact.size) for artifact in shown],
                },
            ),
            {
                "name": TableColumn("Name", help="Click the name to look at it", width="large"),
                "kind": TableColumn("Kind", width=124),
                "size": TableColumn("Size", align="right", width=84),
            },
            texts={"size": [size(artifact.size) for artifact in shown]},
        ),
        alt="Artifacts that the run wrote",
        key="run.data.artifacts",
        on_open=opened,
        rows=10,
        whole_cell=True,
    )
    if len(names) > len(shown):
        st.caption(
            f"{format.count(len(shown))} of {format.count(len(names))}; the tab {run_state.ARTIFACTS} has all of them."
        )


def dataset_table(datasets: Sequence[DatasetRecord]) -> Table:
    """Return the datasets of a run as a table."""
    return Table(
        pd.DataFrame(
            {
                "name": [format.shorten(dataset.name, 80) for dataset in datasets],
                "shape": [shape(dataset) for dataset in datasets],
                "kind": [dataset.kind for dataset in datasets],
                "size": [
                    format.ABSENT if dataset.size is None else size(dataset.size) for dataset in datasets
                ],
                "runs": [format.count(dataset.runs) for dataset in datasets],
                "source": [format.shorten(dataset.source, MAX_CELL) for dataset in datasets],
                "digest": [dataset.digest for dataset in datasets],
            },
            dtype="str",
        ),
        columns={
            "name": TableColumn("Dataset", help="Click the name for columns and other runs", width="medium"),
            "shape": TableColumn("Rows × columns", align="right"),
            "kind": TableColumn("Kind"),
            "size": TableColumn("Size", align="right"),
            "runs": TableColumn(
                "Runs", help="How many runs used the same data, this one included", align="right"
            ),
            "source": TableColumn("Source"),
            "digest": TableColumn(
                "Digest", help="Of the content; click a cell to see and copy all of it", width=124
            ),
        },
        texts={"digest": [format.shorten(dataset.digest, 13) for dataset in datasets]},
    )


def shape(dataset: DatasetRecord) -> str:
    """Return rows × columns, or the shape of an array, as far as they are known."""
    lengths = dataset.schema.get("shape") if dataset.kind == "array" else None
    if not isinstance(lengths, list):
        lengths = [dataset.rows] if dataset.columns is None else [dataset.rows, dataset.columns]
    if not lengths or not all(isinstance(length, int) for length in lengths):
        return format.ABSENT
    return " × ".join(format.count(length) for length in lengths)


def schema_table(dataset: DatasetRecord) -> Table:
    """Return a dataset's columns with their types and statistics, one a row; for an array its values."""
    types = dataset.schema if dataset.kind == "frame" else dict.fromkeys(dataset.statistics, "")
    return columns_table(
        (str(name), kind if isinstance(kind, str) else statistic(kind), found)
        for name, kind in types.items()
        if isinstance(found := dataset.statistics.get(name, {}), Mapping)
    )


def _made_of(value: object) -> str:
    if isinstance(value, list):
        return " × ".join(map(str, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{name} ({count})" for name, count in value.items())
    return str(value)
