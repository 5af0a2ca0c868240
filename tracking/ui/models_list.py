"""The list of models: who holds each alias since when, what is newer, whether it is whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

import pandas as pd
import streamlit as st

from tracking.config import StoreLocation
from tracking.registry_records import CHAMPION, ModelRecord, VersionRecord
from tracking.ui import cache, feedback, format, model_health, registry_cache, snippets, state
from tracking.ui.markdown import escape
from tracking.ui.model_metrics import Shown, better, telling, version_value
from tracking.ui.tables import MAX_HEADING, MAX_NAME, Cells, Table, TableColumn

if TYPE_CHECKING:
    from tracking.store import Store

MOST_RUNS: Final = 8
SHOWN: Final = 500
"""Models in the table; more than anybody reads through."""
OVERRIDDEN: Final = "overridden"
"""How a holder that got its alias against a gate is marked, everywhere in this word."""
PROGRAM: Final = """\
run.log_model(estimator, "model", input_example=X[:5])  # in the training script
tracking.open_store({store}).register("digits", run.id)  # afterwards, anywhere
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A model as the list shows it.

    Attributes:
        record: The model.
        champion: Its champion, None when nobody is.
        latest: Its newest version, None when it has none.
        looked: The versions of which the row says something.
        shown: The metric that decides, None where none is known.
        values: Of the newest version and of the champion.
        health: In a few words; of the holders of aliases.
        problems: What is wrong, the gravest first.
    """

    record: ModelRecord
    champion: VersionRecord | None
    latest: VersionRecord | None
    looked: tuple[VersionRecord, ...]
    shown: Shown | None
    values: tuple[float | None, float | None]
    health: str
    problems: tuple[model_health.Problem, ...]


def show_empty(store: Store, location: StoreLocation) -> None:
    """Say that there is no model, and how one comes about: from a run that has one, if there is any."""
    feedback.empty(
        "No models yet",
        "A model is a name for versions, each of them one logged model that never changes. An alias such as champion "
        "says which version is in use, and moves only when the model's gates let it. Two lines make the first one:",
        code=PROGRAM.format(store=snippets.argument(location)),
    )
    st.markdown(
        "Or press **Promote…** on the page of a run that logged a model. "
        f"In a terminal: `{snippets.environment(location)}tracking models register digits <run>`."
    )
    found = registry_cache.runs_with_models(store)
    if found:
        st.markdown("**Runs that logged a model**, the newest first:")
        for run in found[:MOST_RUNS]:
            said = f"{format.shorten_middle(run.name, 60)} in {format.shorten_middle(run.experiment, 60)}"
            st.page_link(state.RUN_PAGE, label=escape(said), query_params={state.RUN: run.id})
    st.page_link(state.RUNS_PAGE, label="All runs")


def rows(store: Store) -> list[Row]:
    """Return the models as they are now; what a disk lost is seen at each call."""
    return [_row(store, record) for record in registry_cache.models(store)[:SHOWN]]


def _row(store: Store, record: ModelRecord) -> Row:
    versions = registry_cache.versions(store, record.name)
    by_number = {version.number: version for version in versions}
    champion = by_number.get(record.holders.get(CHAMPION, 0))
    latest = versions[0] if versions else None
    held = [by_number[number] for number in dict.fromkeys(record.holders.values()) if number in by_number]
    looked = [*held, *([latest] if latest is not None and latest not in held else [])]
    runs = registry_cache.runs_of(store, looked)
    goals = cache.goals(store, sorted({version.experiment for version in looked}))
    known = telling(record.gates, list(runs.values()), goals)
    shown = known[0] if known else None
    values: tuple[float | None, float | None] = (None, None)
    if shown is not None:
        values = (
            version_value(latest, runs.get(latest.run), shown) if latest else None,
            version_value(champion, runs.get(champion.run), shown) if champion else None,
        )
    found = [
        problem
        for version in held or looked
        for problem in model_health.problems(store, version, runs.get(version.run), known[:1])
    ]
    found.sort(key=lambda problem: not problem.grave)
    health = model_health.summary(found) if looked else format.ABSENT
    return Row(record, champion, latest, tuple(looked), shown, values, health, tuple(found))


def table(found: Sequence[Row], now: datetime) -> Table:
    """Return the list of models as a table."""
    records = [row.record for row in found]
    cells = Cells()
    opens = TableColumn("Model", help="Click the name to open the model", pinned=True)
    cells.put_names("name", [record.name for record in records], opens, MAX_HEADING)
    cells.put_names(
        "champion",
        [_holder(record, CHAMPION) for record in records],
        TableColumn(
            "Champion", width=96, help=f"Which version holds it; {OVERRIDDEN}: it got there against a gate"
        ),
    )
    since = [record.since.get(CHAMPION) for record in records]
    cells.put("since", pd.Series(since, dtype="datetime64[us, UTC]"), TableColumn("Since", width=96))
    cells.texts["since"] = [format.ABSENT if when is None else format.ago(when, now) for when in since]
    cells.put_names(
        "latest",
        [_latest(row) for row in found],
        TableColumn("Newest version", help="And what is different in the metric that decides; one run each"),
    )
    cells.put_names("health", [row.health for row in found], TableColumn("Health"))
    counts = [record.versions for record in records]
    cells.put_numbers("versions", counts, TableColumn("Versions"), list(map(format.count, counts)))
    others = [
        ", ".join(f"{alias} {_holder(record, alias)}" for alias in record.holders if alias != CHAMPION)
        for record in records
    ]
    if any(others):
        cells.put_names("others", [said or format.ABSENT for said in others], TableColumn("Other aliases"))
    if any(record.tags for record in records):
        cells.put_names("tags", [", ".join(record.tags) for record in records], TableColumn("Tags"), 28)
    if any(record.description for record in records):
        said = [format.shorten(record.description, MAX_NAME) for record in records]
        cells.put_names("description", said, TableColumn("Description"), MAX_HEADING + 8)
    return cells.table()


def _holder(record: ModelRecord, alias: str) -> str:
    number = record.holders.get(alias)
    if number is None:
        return "nobody"
    return f"v{number}, {OVERRIDDEN}" if alias in record.overridden else f"v{number}"


def _latest(row: Row) -> str:
    if row.latest is None:
        return format.ABSENT
    name = f"v{row.latest.number}"
    if row.champion is not None and row.champion.number == row.latest.number:
        return f"{name}, the champion"
    if row.shown is None or row.values[0] is None:
        return name
    said = f"{name}: {format.shorten_key(row.shown.metric, 18)} {format.number(row.values[0], 4)}"
    difference = better(*row.values, row.shown.goal)
    return f"{said}, {difference}" if difference else said
