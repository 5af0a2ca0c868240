"""`Store`'s view of what runs carry: artifacts, datasets, captured sections."""

from __future__ import annotations

from tracking.database import carried_queries
from tracking.records import ArtifactRecord, CaptureRecord, DatasetRecord
from tracking.store_handle import StoreHandle


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

    def datasets(self, run_id: str) -> list[DatasetRecord]:
        """Return the datasets that a run used, in the order it logged them; raises NotFound."""
        with self._reading() as connection:
            return carried_queries.dataset_records(connection, run_id)

    def dataset_users(self, digest: str) -> list[str]:
        """Return the ids of the runs that use a dataset, the newest first; trash left out."""
        with self._reading() as connection:
            return carried_queries.dataset_users(connection, digest)

    def captures(self, run_id: str) -> list[CaptureRecord]:
        """Return what was captured around a run's sessions: code, environment, machine; raises NotFound."""
        with self._reading() as connection:
            return carried_queries.capture_records(connection, run_id)
