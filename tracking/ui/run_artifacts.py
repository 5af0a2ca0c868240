"""The artifacts of a run: a tree to walk, what is chosen beside it. Bytes are read once they are chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import streamlit as st

from tracking.errors import TrackingError
from tracking.records import ArtifactFile, ArtifactKind, ArtifactRecord, RunRecord
from tracking.ui import (
    artifact_preview,
    artifact_tree,
    carried_cache,
    feedback,
    format,
    grid,
    registry_cache,
    run_downloads,
    run_state,
    state,
)
from tracking.ui.markdown import escape
from tracking.ui.sizes import size
from tracking.ui.zone import reader_zone

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from tracking.store import Store

LARGE: Final = 256_000_000
"""Bytes from which an artifact is read only when asked to: all of it is verified first."""
SKIPPED_SHOWN: Final = 200

_FIND: Final = "run.artifacts.find"


def show(store: Store, run: RunRecord) -> None:
    """Draw tree and preview, as the address says."""
    if not run.artifacts:
        feedback.empty(
            "No artifacts",
            "Log files, folders, figures, tables and images, and they are here to look at and to download.",
            code='run.log_artifact("report.csv")\nrun.log_figure(figure, "roc")\nrun.log_table(frame, "errors")',
        )
        return
    asked = run_state.read(run_state.ARTIFACT)
    versions = artifact_tree.versions(run.artifacts, asked)
    folder = bool(versions) and versions[-1].kind is ArtifactKind.FOLDER
    left, right = st.columns([5, 7], gap="medium")
    with right:
        heading = st.container()  # over the slider, which says what is headed
        chosen = _version(versions) if versions else None
    with left:
        files: Sequence[ArtifactFile] = ()
        if folder and chosen is not None:
            files = _files(store, chosen)
        _tree(run, asked, chosen if folder else None, files)
    with right:
        _chosen(store, run, asked, chosen, files, heading)


def _tree(run: RunRecord, asked: str, folder: ArtifactRecord | None, files: Sequence[ArtifactFile]) -> None:
    if folder is None:
        prefix, inside = asked[: asked.rfind("/") + 1], None
    else:
        path = run_state.read(run_state.FILE)
        prefix, inside = folder.name[: folder.name.rfind("/") + 1], path[: path.rfind("/") + 1]
    _crumbs(prefix, folder, inside)
    wanted = st.text_input(
        "Search",
        key=_FIND,
        type="search",
        live=True,
        label_visibility="collapsed",
        placeholder="Search all names" if folder is None else "Search the files of this folder",
    )
    if inside is None:
        entries = (
            artifact_tree.found(run.artifacts, wanted)
            if wanted
            else artifact_tree.level(run.artifacts, prefix)
        )
    else:
        entries = (
            artifact_tree.files_found(files, wanted) if wanted else artifact_tree.file_level(files, inside)
        )
    if not entries:
        st.caption(
            f"Nothing is called “{escape(format.shorten(wanted, 60))}”."
            if wanted
            else "This folder is empty."
        )
        return
    shown = entries[: artifact_tree.SHOWN]

    def opened(row: int) -> None:
        if row < len(shown):
            _open(shown[row].target) if inside is None else run_state.write(
                {run_state.FILE: shown[row].target}
            )

    grid.show(
        artifact_tree.table(shown),
        alt="Artifacts of the run",
        key="run.artifacts",
        on_open=opened,
        rows=18,
        whole_cell=True,
    )
    if len(shown) < len(entries):
        st.caption(f"{format.count(len(shown))} of {format.count(len(entries))}; a search finds the others.")


def _crumbs(prefix: str, folder: ArtifactRecord | None, inside: str | None) -> None:
    """Draw the way to the folder that is shown, each part a button."""
    parts = [part for part in prefix.split("/") if part]
    steps: list[tuple[str, str, str | None]] = [("Artifacts", "", None)]
    steps += [(part, "/".join(parts[: place + 1]) + "/", None) for place, part in enumerate(parts)]
    if folder is not None:
        steps.append((folder.name.rpartition("/")[2], folder.name, None))
        within = [part for part in (inside or "").split("/") if part]
        steps += [
            (part, folder.name, "/".join(within[: place + 1]) + "/") for place, part in enumerate(within)
        ]
    with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall"):
        for place, (label, target, path) in enumerate(steps):
            if place:
                st.caption("/", width="content")
            st.button(
                escape(format.shorten(label, 40)),
                key=f"run.artifacts.crumb.{place}",
                type="tertiary",
                on_click=_open,
                args=(target, path),
            )


def _open(target: str, path: str | None = None) -> None:
    run_state.write({run_state.ARTIFACT: target, run_state.FILE: path, run_state.STEP: None})
    st.session_state.pop(_FIND, None)


def _version(versions: Sequence[ArtifactRecord]) -> ArtifactRecord:
    """Draw a slider over the steps of an artifact where it has several; return the one chosen."""
    if len(versions) == 1:
        return versions[0]
    labels = {_step_label(version.step): version for version in versions}
    asked = run_state.step()
    begin = next((version for version in versions if version.step == asked), versions[-1])
    key = f"run.step.{versions[0].name}"

    def moved() -> None:
        run_state.write({run_state.STEP: str(labels[st.session_state[key]].step)})

    # The address holds, also after somebody went back in the browser's history.
    st.session_state[key] = _step_label(begin.step)
    st.select_slider("Step", list(labels), key=key, on_change=moved)
    return begin


def _step_label(step: int | None) -> str:
    return "no step" if step is None else format.count(step)


def _files(store: Store, folder: ArtifactRecord) -> Sequence[ArtifactFile]:
    """Return the files of a folder; none when its list cannot be read, which the preview says."""
    try:
        return carried_cache.artifact_files(store, folder)
    except TrackingError:
        return ()


def _chosen(
    store: Store,
    run: RunRecord,
    asked: str,
    record: ArtifactRecord | None,
    files: Sequence[ArtifactFile],
    heading: DeltaGenerator,
) -> None:
    if record is None:
        if asked and not asked.endswith("/"):
            feedback.empty(
                f"This run has no artifact {format.shorten(asked, 100)!r}",
                "Choose one in the tree. The link may be of another run.",
            )
        else:
            names = {artifact.name for artifact in run.artifacts}
            total = sum(artifact.size for artifact in run.artifacts)
            feedback.empty(
                f"{format.plural(len(names), 'artifact')}, {size(total)} in all",
                "Click a name to look at it. Nothing is read before.",
            )
        return
    path = run_state.read(run_state.FILE) if record.kind is ArtifactKind.FOLDER else ""
    file = next((file for file in files if file.path == path), None)
    if record.kind is ArtifactKind.FOLDER and file is None:
        if path and not path.endswith("/"):
            st.caption(f"The folder has no file “{escape(format.shorten(path, 100))}”.")
        _folder(store, record, heading)
        return
    place = f"run.preview.{record.name}.{record.step}.{path}"
    length = record.size if file is None else file.size
    if length > LARGE and not st.session_state.get(f"{place}.asked"):
        with heading:
            _heading(store, record, file)
        st.caption(f"It has {size(length)}, all of which is verified before anything is shown.")
        st.button(
            "Show it", key=f"{place}.show", on_click=st.session_state.update, args=({f"{place}.asked": True},)
        )
        return
    try:
        preview = carried_cache.preview(store, record, file.path if file else None)
    except TrackingError as error:
        with heading:
            _heading(store, record, file, whole=False)
        feedback.show_error(error)
        return
    with heading:
        _heading(store, record, file)
    artifact_preview.draw(preview, key=place, name=file.path if file else record.name)


def _heading(store: Store, record: ArtifactRecord, file: ArtifactFile | None, *, whole: bool = True) -> None:
    name = record.name if file is None else f"{record.name}/{file.path}"
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**{escape(format.shorten(name, 200))}**", width="content")
        if whole:
            run_downloads.artifact(store, record, file)
    step = "" if record.step is None else f"step {format.count(record.step)}"
    parts = (
        ["file", size(file.size)]
        if file is not None
        else [artifact_tree.kind_name(record.kind), size(record.size)]
    )
    if file is None and record.kind is not ArtifactKind.FOLDER:  # whose media type is that of our list
        parts.append(record.media_type)
    parts += [step, f"logged {format.moment(record.created, reader_zone())}"]
    if record.details.get("changed"):
        parts.append("the file changed while it was read")
    st.caption(escape(" · ".join(filter(None, parts))))
    if record.kind is ArtifactKind.MODEL:
        _registered(store, record)
    st.code(record.digest if file is None else file.digest, language=None, width="content", wrap_lines=True)


def _registered(store: Store, record: ArtifactRecord) -> None:
    for version in registry_cache.run_versions(store, record.run):
        if (version.artifact, version.step) == (record.name, record.step):
            held = "".join(f", {alias}" for alias in version.aliases) + ", overridden" * bool(
                version.overridden
            )
            st.page_link(
                state.MODEL_PAGE,
                label=f"registered as {escape(version.name)}{escape(held)}",
                query_params={state.MODEL: version.model, state.VERSION: str(version.number)},
            )


def _folder(store: Store, record: ArtifactRecord, heading: DeltaGenerator) -> None:
    try:
        carried_cache.artifact_files(store, record)
    except TrackingError as error:
        with heading:
            _heading(store, record, None, whole=False)
        feedback.show_error(error)
        return
    with heading:
        _heading(store, record, None)
    st.caption(f"{format.plural(record.files, 'file')}. Click one to look at it.")
    skipped = record.details.get("skipped")
    if isinstance(skipped, list) and skipped:
        with st.expander(
            f"{format.plural(len(skipped), 'entry') if len(skipped) == 1 else f'{len(skipped):,} entries'} not recorded"
        ):
            st.code(
                "\n".join(_why(entry) for entry in skipped[:SKIPPED_SHOWN]), language=None, wrap_lines=True
            )


def _why(entry: object) -> str:
    if isinstance(entry, dict):
        return format.shorten(f"{entry.get('path', '')}: {entry.get('why', '')}", 300)
    return format.shorten(str(entry), 300)
