"""The store, as scripts, pages and the command line use it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from tracking.artifacts import preview_records as preview_records
from tracking.config import locate_store
from tracking.database import edits, history, run_queries, search
from tracking.errors import InvalidValue
from tracking.records import (
    ExperimentRecord,
    KeyCatalogue,
    RunRecord,
    Series,
)
from tracking.store_care import StoreCare
from tracking.store_carried import StoreCarried
from tracking.store_listing import StoreListing
from tracking.store_merge import StoreMerge
from tracking.store_registry import StoreRegistry
from tracking.store_sweeps import StoreSweeps
from tracking.validation import checked_names, checked_notes, checked_tags, checked_text, normalized

if TYPE_CHECKING:
    import pandas as pd


def open_store(store: str | os.PathLike[str] | None = None) -> Store:
    """Open a store; made when absent, brought to the current schema when older.

    Args:
        store: Its folder; left out, `TRACKING_STORE`, the nearest `.tracking/`, or a new one here.

    Raises:
        InvalidValue: `store` is no folder's path.
        StoreTooNew: A newer Podium wrote the store.
        StoreDamaged: The folder holds something else.
        StoreError: It is on a network file system, cannot be written, or stays locked.
    """
    return Store(locate_store(store))


def load_model(reference: str, store: str | os.PathLike[str] | None = None, *, trust: bool = False) -> Any:
    """Return a registered model, ready to predict; its bytes are verified first.

        model = tracking.load_model("digits@champion")

    Args:
        reference: `digits@champion`, or `digits/3`.
        store: The store's folder; left out, `TRACKING_STORE` or the nearest `.tracking/`.
        trust: Also read what runs code as it is read, with all that your account may do: a pickle or a joblib file
            that log_artifact kept, and a skops file with any types. Only for files whose writer you know and answer
            for.

    Raises:
        NotFound: There is no such version, nobody holds the alias, or the bytes are missing.
        ArtifactDamaged: The bytes are not those that were registered.
        InvalidValue: The file holds what is not allowed; the message names the types.
        MissingDependency: A library that the model needs is not installed.
    """
    with open_store(store) as opened:
        return opened.load_model(reference, trust=trust)


class Store(StoreCarried, StoreListing, StoreSweeps, StoreRegistry, StoreMerge, StoreCare):
    """One store. Thread-safe; what it returns is a snapshot and never changes.

    While it is open, runs whose process died are taken in and marked lost.

    Queries first wait until what this process has logged is in the database.

    Attributes:
        location: Where its files are.
    """

    # Runs

    def search(
        self,
        where: str = "",
        *,
        experiment: str | None = None,
        order_by: str | None = None,
        limit: int | None = 100,
        after: str | None = None,
        columns: Sequence[str] | None = None,
        children: bool = False,
    ) -> pd.DataFrame:
        """Return runs as a data frame, one row each.

        Args:
            where: A filter, such as `metrics.accuracy > 0.9 and params.lr < 0.01`; empty for all runs.
            experiment: Only runs of this experiment.
            order_by: `metrics.accuracy desc`, `created`, `max(metrics.accuracy) desc`; the newest first when
                left out. What is missing or not finite comes last either way, and a run whose last value is
                not finite has no `best(metrics.accuracy)`.
            limit: At most so many rows, None for all.
            after: The `run` of the last row of the page before.
            columns: Which `metrics.<key>` and `params.<key>` to add; None for all but the measurements of the
                machine, `metrics.system/…`, which are there when they are named.
            children: Also runs that are a part of another one.

        Returns:
            Columns `run`, `name`, `experiment`, `status`, `created` (UTC), `duration` (seconds), then
            `metrics.<key>` (last values) and `params.<key>`.

        Raises:
            FilterError: The filter or the order cannot be read; it says what was expected where.
            NotFound: `after` is no run of the store.
        """
        if after is not None and not isinstance(after, str):
            raise InvalidValue(f"after={after!r} is no run's id. Give the `run` of the last row you have.")
        with self._reading() as connection:
            found = search.search(
                connection,
                where,
                experiment=experiment,
                order_by=order_by,
                limit=limit,
                after=after,
                columns=columns,
                children=children,
            )
        return search.to_frame(found)

    def count(self, where: str = "", *, experiment: str | None = None, children: bool = False) -> int:
        """Return how many runs `search` would find without a limit."""
        with self._reading() as connection:
            return search.count(connection, where, experiment=experiment, children=children)

    def run(self, run_id: str) -> RunRecord:
        """Return one run; raises NotFound."""
        with self._reading() as connection:
            return run_queries.run_record(connection, run_id)

    def runs(self, run_ids: Sequence[str]) -> list[RunRecord]:
        """Return runs in the order asked for; raises NotFound for an unknown one."""
        with self._reading() as connection:
            return run_queries.run_records(connection, run_ids)

    # Metric history

    def history(
        self,
        runs: str | Sequence[str],
        keys: str | Sequence[str],
        *,
        max_points: int | None = None,
        superseded: bool = False,
    ) -> pd.DataFrame:
        """Return metric history as a data frame with `run`, `key`, `step`, `value`, `time`.

        Args:
            runs: Run ids, or one.
            keys: Metric keys, or one; a key that a run does not have gives no rows.
            max_points: At most so many points a curve, its first, last and extremes kept; None for all.
            superseded: Also points whose step a resumed session logged again.

        Returns:
            In order of run and key as asked for, then of step; repeats of a step in the order of writing.

        Raises:
            NotFound: A run is unknown.
        """
        found = self.series(runs, keys, superseded=superseded)
        from tracking.analysis.frames import history_frame

        return history_frame(found, max_points)

    def series(
        self, runs: str | Sequence[str], keys: str | Sequence[str], *, superseded: bool = False
    ) -> dict[tuple[str, str], Series]:
        """Return metric history as arrays, by (run id, key), where there is any; see `history`."""
        with self._reading() as connection:
            wanted = [normalized(key) for key in _listed(keys)]
            return history.read_series(connection, _listed(runs), wanted, superseded=superseded)

    # What there is

    def experiments(self) -> list[ExperimentRecord]:
        """Return every experiment, the one with the newest activity first."""
        with self._reading() as connection:
            return run_queries.experiment_records(connection)

    def keys(self, experiment: str | None = None) -> KeyCatalogue:
        """Return the metric keys, params and tags in use."""
        with self._reading() as connection:
            return run_queries.key_catalogue(connection, experiment)

    def revisions(self) -> dict[str, tuple[int, int]]:
        """Return (structure, activity) by experiment: what caches are keyed on. One small query."""
        with self._reading(drain=False) as connection:
            return run_queries.revisions(connection)

    def run_revision(self, run_id: str) -> int:
        """Return a number that grows with every change of the run; raises NotFound."""
        with self._reading(drain=False) as connection:
            return run_queries.run_revision(connection, run_id)

    def owner_spool(self, run_id: str) -> str | None:
        """Return the name of the spool of the session that owns a run, None for an unknown run."""
        with self._reading() as connection:
            return run_queries.owner_spool(connection, run_id)

    # Edits from pages and the command line

    def set_name(self, run_id: str, name: str) -> None:
        """Rename a run; raises NotFound, InvalidValue."""
        checked = checked_text(name, "name")
        self._edit(lambda connection: edits.set_text(connection, run_id, "name", checked))

    def set_notes(self, run_id: str, notes: str) -> None:
        """Replace a run's notes; raises NotFound, InvalidValue."""
        checked = checked_notes(notes)
        self._edit(lambda connection: edits.set_text(connection, run_id, "notes", checked))

    def set_tags(self, run_id: str, tags: Iterable[str]) -> None:
        """Replace a run's tags; raises NotFound, InvalidValue."""
        checked = checked_tags(tags)
        self._edit(lambda connection: edits.set_tags(connection, run_id, checked))

    def define_repeat(self, experiment: str, vary: Iterable[str], ignore: Iterable[str] = ()) -> None:
        """Say which params make runs of an experiment repeats; see `tracking.define_repeat`."""
        name = checked_text(experiment, "experiment")
        varied, ignored = checked_names(vary, "vary"), checked_names(ignore, "ignore")
        self._edit(lambda connection: edits.define_repeat(connection, name, varied, ignored))


def _listed(names: str | Sequence[str]) -> list[str]:
    if isinstance(names, str):
        return [names]
    if not isinstance(names, Iterable):
        raise InvalidValue(f"{names!r} is no list of ids or keys.")
    listed = list(names)
    for name in listed:
        if not isinstance(name, str):
            raise InvalidValue(f"{name!r} is no id and no key: give strings.")
    return listed
