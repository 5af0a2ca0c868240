"""`Store`'s view of what runs carry: artifacts, datasets, captured sections."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from tracking.artifacts.downloading import download_artifact, download_artifacts
from tracking.artifacts.reading import files_of, find_artifact, list_files, open_file
from tracking.database import carried_queries
from tracking.errors import InvalidValue, TrackingWarning
from tracking.records import ArtifactFile, ArtifactRecord, CaptureRecord, ConsoleText, DatasetRecord
from tracking.spool.console import read_console
from tracking.store_handle import StoreHandle

if TYPE_CHECKING:
    from tracking.artifacts.preview_records import Preview


class StoreCarried(StoreHandle):
    """Reads what runs carry, verified."""

    def artifacts(self, run_id: str, *, superseded: bool = False) -> list[ArtifactRecord]:
        """Return a run's artifacts by name and step; raises NotFound.

        Args:
            run_id: The run.
            superseded: Also those of which another of the same name and step was logged later.
        """
        with self._reading() as connection:
            return carried_queries.artifact_records(connection, run_id, superseded=superseded)

    def open_artifact(
        self, run_id: str, name: str, *, step: int | None = None, path: str | None = None
    ) -> BinaryIO:
        """Open an artifact's bytes to read, verified before the first one is returned.

        Args:
            run_id: The run.
            name: The artifact.
            step: Its step; left out, the one without a step, else that of the last step.
            path: Of one file inside, when the artifact is a folder.

        Raises:
            NotFound: There is no such run, artifact or file, or its bytes are missing.
            ArtifactDamaged: The bytes are not those that were logged; the message names run and file.
            InvalidValue: The name cannot be one, or a folder was asked for without a path.
        """
        return open_file(self._objects, find_artifact(self.artifacts(run_id), run_id, name, step), path)

    def artifact_files(self, run_id: str, name: str, *, step: int | None = None) -> list[ArtifactFile]:
        """Return the files of an artifact that is a folder, or the one file it is.

        Raises:
            NotFound: There is no such run or artifact, or the folder's list of files is missing.
            ArtifactDamaged: The list is damaged, or names files that could land outside of a folder.
        """
        return files_of(self._objects, find_artifact(self.artifacts(run_id), run_id, name, step))

    def folder_files(self, digest: str) -> list[ArtifactFile]:
        """Return the files of a folder by the sha256 of its list, as a version's record has it.

        Raises:
            NotFound: The list is missing.
            ArtifactDamaged: It is damaged, or names files that could land outside of a folder.
            InvalidValue: `digest` is no sha256 in hexadecimal.
        """
        return list(list_files(self._objects, digest).files)

    def preview(self, run_id: str, name: str, *, step: int | None = None, path: str | None = None) -> Preview:
        """Return what can be shown of an artifact: data within bounds, nothing executed.

        Args:
            run_id: The run.
            name: The artifact.
            step: As in `open_artifact`.
            path: Of one file inside, when the artifact is a folder.

        Raises:
            NotFound: There is no such run, artifact or file, or its bytes are missing.
            ArtifactDamaged: The bytes are not those that were logged; the message names run and file.
            InvalidValue: The name cannot be one, or a folder was asked for without a path.
            TrackingError: The process that reads a Parquet file cannot be started, or the system ended it.
        """
        from tracking.artifacts.previews import preview  # scripts that only query do not need it

        record = find_artifact(self.artifacts(run_id), run_id, name, step)
        with open_file(self._objects, record, path) as file:
            return preview(file, record, path=path)

    def download(
        self,
        run_id: str,
        name: str | None = None,
        target: str | os.PathLike[str] = ".",
        *,
        step: int | None = None,
        force: bool = False,
    ) -> Path:
        """Write an artifact, or all that a run has, below a folder; all of it or nothing.

        Of all, those stay apart whose names cannot be beside each other in a folder, with a warning that says
        which: where "model" and "model/w.bin" were logged, the file "model" becomes "model.1".

        Args:
            run_id: The run.
            name: The artifact, whose name is the path below `target`; left out, all, those of a step with the
                step in their names.
            target: The folder; made when absent.
            step: As in `open_artifact`.
            force: Over files that are there.

        Returns:
            The path of the artifact's file or folder, or `target` for all.

        Raises:
            NotFound: There is no such run or artifact, or bytes are missing.
            ArtifactDamaged: Bytes are not those that were logged; the message names run and file.
            InvalidValue: Something is there already, or a name or a link would lead outside of `target`.
            TrackingError: The disk refuses.

        Warns:
            TrackingWarning: An artifact was written under another name than its own.
        """
        folder = Path(target)
        if name is not None:
            record = find_artifact(self.artifacts(run_id), run_id, name, step)
            return download_artifact(self._objects, record, folder, force=force)
        if step is not None:
            raise InvalidValue("step= belongs to a name: say which artifact.")
        for record, place in download_artifacts(self._objects, self.artifacts(run_id), folder, force=force):
            warnings.warn(
                f"Podium: the artifact {record.name!r} was written as {place!r}: in a folder its own name is taken "
                "by another artifact of the run.",
                TrackingWarning,
                stacklevel=2,
            )
        return folder

    def open_object(self, digest: str) -> BinaryIO:
        """Open an object by the sha256 of its bytes, verified, as a capture or a dataset refers to it.

        Raises:
            NotFound: There is none.
            ArtifactDamaged: Its bytes are not those that were stored.
            InvalidValue: `digest` is no sha256 in hexadecimal.
        """
        return self._objects.open(digest)

    def object_size(self, digest: str) -> int | None:
        """Return how many bytes an object has on disk, without reading it; None when it is not there.

        Raises:
            InvalidValue: `digest` is no sha256 in hexadecimal.
        """
        return self._objects.size(digest)

    def datasets(self, run_id: str) -> list[DatasetRecord]:
        """Return the datasets that a run used, in the order it logged them; raises NotFound."""
        with self._reading() as connection:
            return carried_queries.dataset_records(connection, run_id)

    def dataset_users(self, digest: str) -> list[str]:
        """Return the ids of the runs that use a dataset, the newest first; trash left out."""
        with self._reading() as connection:
            return carried_queries.dataset_users(connection, digest)

    def console(self, run_id: str) -> list[ConsoleText]:
        """Return what a run's sessions printed, in the order they began; those that printed nothing left out.

        Also while the run is live, and after its process was killed. Of a long output the first 5 MB and the
        last 2.5 to 5 MB are kept.

        Raises:
            NotFound: There is no such run.
        """
        with self._reading() as connection:
            sessions = carried_queries.session_names(connection, run_id)
        found = [(name, rank, read_console(self.location.logs, name)) for name, rank in sessions]
        return [ConsoleText(name, rank, *text) for name, rank, text in found if text is not None]

    def captures(self, run_id: str) -> list[CaptureRecord]:
        """Return what was captured around a run's sessions: code, environment, machine; raises NotFound."""
        with self._reading() as connection:
            return carried_queries.capture_records(connection, run_id)
