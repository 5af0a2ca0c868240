"""The versions of a model: the table, and one of them whole."""

from __future__ import annotations

import io
from collections.abc import Container, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import pandas as pd
import streamlit as st

from tracking.records import RunRecord
from tracking.registry_records import CHAMPION, ModelRecord, VersionRecord
from tracking.ui import (
    access,
    facts,
    format,
    grid,
    model_health,
    model_lineage,
    model_notes,
    model_picks,
    promote_dialog,
    registry_cache,
    run_downloads,
    snippets,
    state,
)
from tracking.ui.markdown import escape
from tracking.ui.model_metrics import Shown, version_value
from tracking.ui.models_list import OVERRIDDEN
from tracking.ui.sizes import size
from tracking.ui.tables import MAX_HEADING, MAX_NAME, Cells, Table, TableColumn, best_rows
from tracking.ui.zone import reader_zone

if TYPE_CHECKING:
    from tracking.store import Store

ROWS: Final = 10
SHOWN: Final = 500
MOST_COLUMNS: Final = 200
"""Of a signature that are shown."""
LONG_CARD: Final = 3_000
_HEALTH: Final = (
    f"Whether its bytes are on disk, of a folder the first {format.count(registry_cache.FILES_LOOKED_FOR)} files, and "
    "its run is whole"
)


def table(
    versions: Sequence[VersionRecord],
    runs: Mapping[str, RunRecord],
    shown: Sequence[Shown],
    health: Sequence[str],
    now: datetime,
    picked: Container[int] = (),
) -> Table:
    """Return the versions as a table.

    Args:
        versions: The newest first.
        runs: By id; read for the metrics of a version that kept none.
        shown: The metrics that matter.
        health: Of each version, in a few words.
        now: What ages are counted to.
        picked: Numbers of the versions whose metrics are the scores by which a search picked them.
    """
    told = f"({model_picks.PICKED}) is never shown as the best" if picked else "bold: the best"
    cells = Cells()
    opens = TableColumn("Version", help="Click to see it whole below", width=80, pinned=True)
    cells.put_names("name", [f"v{version.number}" for version in versions], opens)
    cells.put_names(
        "holds",
        [holds(version) or format.ABSENT for version in versions],
        TableColumn(
            "Holds", width=72, help=f"Aliases; {OVERRIDDEN}: it got the alias against a gate, now or before"
        ),
    )
    steps = [version.step for version in versions]
    if any(step is not None for step in steps):
        said = [format.ABSENT if step is None else format.count(step) for step in steps]
        numbers = [None if step is None else float(step) for step in steps]
        cells.put_numbers(
            "step", numbers, TableColumn("Step", help="At which its run logged the model"), said
        )
    for each in shown:
        column = f"metric.{each.at}.{each.metric}"
        values = [version_value(version, runs.get(version.run), each) for version in versions]
        what = f"{each.at} {each.metric} when the version was registered, of one with a step up to it"
        described = TableColumn(each.label, help=f"{what}; {told}")
        texts = [
            f"{text} (picked)" if version.number in picked and number is not None else text
            for version, number, text in zip(versions, values, format.number_column(values), strict=True)
        ]
        cells.put_numbers(column, values, described, texts, each.goal)
        # Luck has made the score of a pick higher: beside it none of the others is the best for certain.
        rivals = [
            None if version.number in picked else number
            for version, number in zip(versions, values, strict=True)
        ]
        cells.bold |= {(row, column) for row in best_rows(rivals, each.goal)}
    cells.put_names("run", [version.run_name for version in versions], TableColumn("Run"), MAX_HEADING)
    cells.put_names("health", list(health), TableColumn("Health", help=_HEALTH))
    created = [version.created for version in versions]
    cells.put("created", pd.Series(pd.to_datetime(created, utc=True)), TableColumn("Registered", width=104))
    cells.texts["created"] = [format.ago(when, now) for when in created]
    cells.put_names("by", [version.by for version in versions], TableColumn("By", width=64), 24)
    sizes = [float(version.size) for version in versions]
    cells.put_numbers("size", sizes, TableColumn("Size"), [size(version.size) for version in versions])
    if any(version.tags for version in versions):
        cells.put_names("tags", [", ".join(version.tags) for version in versions], TableColumn("Tags"), 28)
    if any(version.description for version in versions):
        said = [format.shorten(version.description, MAX_NAME) for version in versions]
        cells.put_names("description", said, TableColumn("Description"), MAX_NAME)
    return cells.table()


def holds(version: VersionRecord) -> str:
    """Return the aliases of a version, and which it got against a gate: `champion (overridden)`."""
    said = [alias + f" ({OVERRIDDEN})" * (alias in version.overridden) for alias in version.aliases]
    before = [alias for alias in version.overridden if alias not in version.aliases]
    said += [f"before: {alias} ({OVERRIDDEN})" for alias in before]
    return ", ".join(said)


def chosen(record: ModelRecord, versions: Sequence[VersionRecord]) -> VersionRecord | None:
    """Return the version that the address names, else the champion, else the newest one."""
    asked = st.query_params.get(state.VERSION, "")
    for version in versions:
        if str(version.number) == asked:
            return version
    champion = record.holders.get(CHAMPION)
    held = next((version for version in versions if version.number == champion), None)
    return held or (versions[0] if versions else None)


def show_table(
    store: Store,
    record: ModelRecord,
    versions: Sequence[VersionRecord],
    runs: Mapping[str, RunRecord],
    shown: Sequence[Shown],
) -> None:
    """Draw the table; a click on a version shows it whole."""
    some = versions[:SHOWN]
    health = [
        model_health.summary(model_health.problems(store, version, runs.get(version.run), shown))
        for version in some
    ]

    def choose(row: int) -> None:
        if 0 <= row < len(some):
            st.query_params[state.VERSION] = str(some[row].number)

    grid.show(
        table(some, runs, shown, health, datetime.now(UTC), model_picks.picks(store, some, shown)),
        alt="Versions with the aliases they hold, their metrics and their health",
        key="model.versions",
        rows=ROWS,
        on_open=choose,
    )
    if len(versions) > len(some):
        st.caption(f"The newest {format.count(len(some))} of {format.plural(len(versions), 'version')}.")


def show_one(
    store: Store, record: ModelRecord, version: VersionRecord, run: RunRecord | None, shown: Sequence[Shown]
) -> None:
    """Draw one version whole: state, what to do with it, where it comes from, its signature and card."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(f"Version {version.number}", anchor=False, width="content")
        for alias in version.aliases:
            against = alias in version.overridden
            st.badge(escape(alias), color="orange" if against else "green")
        if version.overridden:
            st.badge(OVERRIDDEN, color="orange", help=escape(_why(version)))
        if access.may_act() and st.button(
            "Promote…",
            type="secondary" if CHAMPION in version.aliases else "primary",
            key=f"model.promote.{version.number}",
            help="Shows what the gates and the evidence say first",
        ):
            promote_dialog.open_for_version(store, record.name, version.number)
        if access.may_act():
            with st.popover("Describe", key=f"version.describe.{version.number}", type="tertiary"):
                _describe(store, version)
    for alias, reason in version.overridden.items():
        st.caption(escape(f"It got {alias} against a gate:"))
        facts.text_block(reason)
    # What is wrong with a holder stands above, beside its alias.
    said = (
        {each.sentence for each in model_health.problems(store, version, run)} if version.aliases else set()
    )
    for problem in model_health.problems(store, version, run, shown):
        if problem.sentence in said:
            continue
        (st.error if problem.grave else st.warning)(escape(problem.sentence))
    if version.description:
        facts.text_block(version.description)
    found = _facts(version, run, shown, model_picks.picks(store, [version], shown).get(version.number))
    facts.show(found | {"files": model_health.looked_for(store, version)})
    model_lineage.draw(store, version)
    left, right = st.columns(2, gap="medium")
    with left, st.expander("Signature: what goes in, what comes out", key=f"signature.{version.number}"):
        _signature(version)
    with right, st.expander("Model card", key=f"card.{version.number}", on_change="rerun") as box:
        if box.open:
            _card(store, version)
    named = f"{version.model}/{version.number}"
    place = snippets.argument(store.location)
    st.code(
        f'model = tracking.load_model("{named}"{f", store={place}" if place else ""})',
        language="python",
        width="content",
    )
    if version.kind == "model":
        st.caption(
            "To hand it over as a folder with predict.py, pinned requirements and the card, in a terminal:"
        )
        out = f"{version.model}-{version.number}"
        command = f"{snippets.environment(store.location)}tracking package {named} --out {out}"
        st.code(command, language="bash", width="content")


def _why(version: VersionRecord) -> str:
    said = [
        f"It got {alias} against a gate: {format.shorten(reason, 300)}"
        for alias, reason in version.overridden.items()
    ]
    return " · ".join(said)


def _facts(
    version: VersionRecord, run: RunRecord | None, shown: Sequence[Shown], fresh: model_picks.Fresh | None
) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    if fresh is not None:
        judged = next(each for each in shown if each.goal is not None)
        found[f"{judged.label}, mean of fresh runs"] = fresh.text
    found |= {
        f"{each.label} ({model_picks.PICKED})" if fresh is not None else each.label: format.number(number)
        if (number := version_value(version, run, each)) is not None
        else None
        for each in shown
    }
    kind = version.details.get("estimator") or version.details.get("class")
    found |= {
        "registered": format.moment(version.created, reader_zone()),
        "by": version.by,
        "step": None if version.step is None else format.count(version.step),
        "run": format.status(run.status) if run is not None else "not in this store",
        "model": str(kind) if kind else version.kind,
        "format": str(version.details.get("format") or "") or None,
        "size": size(version.size),
        "sha256": version.digest[:16] + "…",
        "tags": ", ".join(version.tags) or None,
    }
    return found


def _describe(store: Store, version: VersionRecord) -> None:
    def save(text: str, tags: Sequence[str]) -> None:
        store.describe_version(version.model, version.number, description=text, tags=tags)

    place = f"version.{version.number}"
    model_notes.edit(place, version.description, version.tags, save, height=120)


def _signature(version: VersionRecord) -> None:
    signature = version.details.get("signature")
    found = signature_rows(signature) if isinstance(signature, Mapping) else []
    if not found:
        st.caption(
            "It has none. log_model(estimator, input_example=X[:5]) infers it from the example."
            if version.kind == "model"
            else "It has none: this version is a file, not logged by log_model."
        )
        return
    st.dataframe(
        pd.DataFrame(found[:MOST_COLUMNS], columns=["", "Column", "Type", "Shape"]),
        hide_index=True,
        width="content",
        alt="Columns of what the model takes and gives",
    )
    if len(found) > MOST_COLUMNS:
        st.caption(f"The first {MOST_COLUMNS} of {format.count(len(found))}.")


def signature_rows(signature: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Return a signature as rows of a table: side, column, type, shape. What cannot be read is left out."""
    found = []
    for side, title in (("inputs", "takes"), ("outputs", "gives")):
        told = signature.get(side)
        if not isinstance(told, Mapping):
            continue
        columns = told.get("columns")
        if isinstance(columns, list):
            for column in columns:
                if isinstance(column, Mapping):
                    name, kind = str(column.get("name", "")), str(column.get("type", ""))
                    found.append((title, format.shorten(name, 80), format.shorten(kind, 40), ""))
        elif told.get("kind") == "texts":
            found.append((title, "", "text", "one a row"))
        else:
            kind = format.shorten(str(told.get("type", "")), 40)
            found.append((title, "", kind, _shape(told.get("shape"))))
    return found


def _shape(shape: object) -> str:
    if not isinstance(shape, Sequence) or isinstance(shape, str):
        return ""
    return " × ".join("rows" if each is None else format.shorten(str(each), 20) for each in shape[:8])


def _card(store: Store, version: VersionRecord) -> None:
    card = registry_cache.card(store, version.model, version.number)

    def read() -> BinaryIO:
        return io.BytesIO(card.encode("utf-8", "backslashreplace"))

    run_downloads.button(
        "Download (Markdown)",
        read,
        file_name=f"{version.model}-v{version.number}-card.md",
        key=f"card.download.{version.number}",
    )
    # As text: what people wrote into it may name pictures, which a browser would fetch.
    st.code(card, language="markdown", wrap_lines=True, height=420 if len(card) > LONG_CARD else "content")
