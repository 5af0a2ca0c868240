"""Downloads of what a run carries: built when the button is pressed, as attachments that no browser opens."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, Final

import streamlit as st

from tracking.records import ArtifactFile, ArtifactKind, ArtifactRecord
from tracking.ui import snippets
from tracking.ui.sizes import size

if TYPE_CHECKING:
    from tracking.store import Store

LARGEST: Final = 500_000_000
"""Bytes of a download through the page, which has all of them in memory."""
LONGEST_NAME: Final = 120

_UNSAFE: Final = re.compile(r"[^\w.()+=@-]+")


def artifact(store: Store, record: ArtifactRecord, file: ArtifactFile | None) -> None:
    """Draw the button that downloads an artifact, or one file of a folder; for large ones what to call."""
    length = record.size if file is None else file.size
    if length > LARGEST:
        step = "" if record.step is None else f", step={record.step}"
        call = f"store.download({record.run!r}, {record.name!r}{step})"
        st.code(
            f"store = tracking.open_store({snippets.argument(store.location)})\n{call}",
            language="python",
            width="content",
        )
        return
    run_id, name, step_number, path = record.run, record.name, record.step, file.path if file else None
    folder = record.kind is ArtifactKind.FOLDER and file is None

    def read() -> BinaryIO:
        if folder:
            return _zipped(store, record)
        return store.open_artifact(run_id, name, step=step_number, path=path)

    button(
        f"Download ({size(length)})",
        read,
        file_name=file_name(record, file),
        key=f"run.download.{name}.{step_number}.{path}",
    )


def button(label: str, read: Callable[[], BinaryIO], *, file_name: str, key: str) -> None:
    """Draw a button that reads only when it is pressed; the browser saves the bytes, whatever they are."""
    st.download_button(
        label,
        read,
        file_name=file_name,
        mime="application/octet-stream",
        on_click="ignore",
        key=key,
    )


def file_name(record: ArtifactRecord, file: ArtifactFile | None = None) -> str:
    """Return a name for a download that is one on every system: the last part, the step, the extension."""
    told = record.details.get("extension")
    if file is not None:
        stem, suffix = _split(file.path)
    else:
        stem, suffix = _split(record.name)
        if record.kind is ArtifactKind.FOLDER:
            stem, suffix = stem + suffix, ".zip"
        elif isinstance(told, str) and told.lower() != suffix.lower():
            stem, suffix = stem + suffix, told
        if record.step is not None:
            stem += f"-step{record.step}"
    suffix = _UNSAFE.sub("", suffix)[:16]
    # No name of only dots, none that hides itself or reads as an option.
    safe = _UNSAFE.sub("_", stem).strip("._- ")[: LONGEST_NAME - len(suffix)]
    return (safe or "artifact") + suffix


def _split(name: str) -> tuple[str, str]:
    path = PurePosixPath(name.rpartition("/")[2] or "artifact")
    return path.stem, path.suffix


def _zipped(store: Store, record: ArtifactRecord) -> BinaryIO:
    """Return a folder as a zip archive in a temporary file."""
    with tempfile.TemporaryFile() as target:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for file in store.artifact_files(record.run, record.name, step=record.step):
                entry = zipfile.ZipInfo(file.path)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = (file.mode & 0o777) << 16
                # By its digest: by name, each file would read the folder's whole list again.
                with (
                    store.open_object(file.digest) as source,
                    archive.open(entry, "w", force_zip64=True) as place,
                ):
                    shutil.copyfileobj(source, place, 1 << 20)
        target.seek(0)
        # Opened again for reading: Streamlit takes no file that can be written.
        return os.fdopen(os.dup(target.fileno()), "rb")
