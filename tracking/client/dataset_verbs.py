"""`Run.log_dataset`."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any

from tracking.client.capture.secret_lines import mask_addresses
from tracking.client.carrying import carry_drafts
from tracking.client.description import now_us
from tracking.client.guarding import GuardedVerbs
from tracking.client.progress import ProgressLine
from tracking.errors import InvalidValue
from tracking.validation import checked_text, storable

if TYPE_CHECKING:
    from tracking.artifacts.objects import Draft
    from tracking.client.datasets.facts import Facts

_SOURCE = 2_000
_MANY_FILES = 20_000
_MANY_BYTES = 10 * 10**9
"""A folder of so much is read for minutes, of which is said before."""


class DatasetVerbs(GuardedVerbs):
    """Which data a run used."""

    def log_dataset(
        self, data: Any, name: str, *, source: str | os.PathLike[str] | None = None, store_bytes: bool = False
    ) -> None:
        """Record which data the run uses: a digest of its content, shape, types and a few statistics.

        Runs that log the same data use one dataset, however each of them holds it: a frame of pandas or polars, or
        a Parquet file of any row groups and compression. Values count, not how they are stored (int32 or int64,
        object or str, NaN or None); the order of rows and columns counts, names of columns count, and an index counts
        when it has a name. `tracking/client/datasets/digests.py` says it all.

        Args:
            data: A data frame, a dict of columns, an array or tensor, or the path of a file or folder. Of files
                the bytes count, of `.parquet` files the content.
            name: What the run calls it, such as "train".
            source: Where it came from, for people; left out, the path. Passwords in addresses are left out.
            store_bytes: Also keep a copy: a frame as Parquet (which needs pyarrow), an array as NPY, files as
                they are. Otherwise it is known by reference only.

        Raises:
            InvalidValue: Only with `strict=True`: there is no such file, or its content cannot be told.
                Otherwise the call is left out, with one warning.
        """
        self._carried("log_dataset", lambda: self._log_dataset(data, name, source, store_bytes))

    def _log_dataset(
        self, data: Any, name: str, source: str | os.PathLike[str] | None, store_bytes: bool
    ) -> None:
        checked = checked_text(name, "a dataset's name")
        is_path = isinstance(data, (str, os.PathLike))
        if source is None and is_path:
            source = os.path.abspath(data)
        facts, stored = self._path(data, checked, store_bytes) if is_path else self._values(data, store_bytes)
        kept, drafts = stored if stored is not None else (None, [])
        event = {
            "t": "dataset",
            "name": checked,
            "digest": facts.digest,
            "kind": facts.kind,
            "source": "" if source is None else mask_addresses(storable(os.fspath(source)))[:_SOURCE],
            "rows": facts.rows,
            "columns": facts.columns,
            "size": facts.size,
            "schema": facts.schema,
            "statistics": facts.statistics,
            "object": kept,
        }
        if drafts:
            carry_drafts(self._session, event, drafts)
        else:
            self._session.say({**event, "time": now_us()})

    def _path(self, path: Any, name: str, store_bytes: bool) -> tuple[Facts, tuple[str, list[Draft]] | None]:
        from tracking.artifacts.intake import take
        from tracking.client.datasets.files import facts_of_path

        def tell(files: int, size: int) -> None:
            if files >= _MANY_FILES or size >= _MANY_BYTES:
                self._notices.once(
                    f"dataset {name}",
                    f"log_dataset reads all of {os.fspath(path)!r:.250} to tell the data {name!r} by its content: "
                    f"{files:,} files, {size / 1e9:,.1f} GB. Should that take too long, log a file that lists them.",
                )

        location = self._session.description.location
        line = ProgressLine("reading")
        try:
            facts = facts_of_path(path, location, watcher=line, tell=tell)
        finally:
            line.end()
        if not store_bytes:
            return facts, None
        line = ProgressLine()
        try:
            taken = take(location, path, watcher=line)
        finally:
            line.end()
        return facts, (taken.digest, taken.drafts)

    def _values(self, data: Any, store_bytes: bool) -> tuple[Facts, tuple[str, list[Draft]] | None]:
        import numpy as np

        from tracking.artifacts.objects import Objects
        from tracking.client.datasets.facts import facts_of_array, facts_of_columns
        from tracking.client.media.arrays import as_array, is_tensor
        from tracking.client.media.tables import columns_of, encode_table

        array = as_array(data, "a dataset") if isinstance(data, np.ndarray) or is_tensor(data) else None
        if array is not None:
            facts = facts_of_array(array)
        else:
            facts = facts_of_columns(columns_of(data, "log_dataset"), _size_of(data))
        if not store_bytes:
            return facts, None
        if array is not None:
            kept = _npy(array)
        else:
            kept = encode_table(data).data
        draft = Objects(self._session.description.location).draft_bytes(kept)
        return facts, (draft.digest, [draft])


def _npy(array: Any) -> bytes:
    import numpy as np

    if array.dtype.hasobject:
        raise InvalidValue(
            "an array of Python objects is not kept as bytes, which would take pickle. Give it a dtype."
        )
    sink = io.BytesIO()
    np.save(sink, array, allow_pickle=False)
    return sink.getvalue()


def _size_of(data: Any) -> int | None:
    """Return the bytes of a frame in memory, as its library counts them without looking at every text."""
    try:
        usage = getattr(data, "memory_usage", None)
        if callable(usage):
            return int(usage(index=False).sum())
        size = getattr(data, "nbytes", None)
        if size is None and callable(getattr(data, "estimated_size", None)):
            size = data.estimated_size()
        return None if size is None or callable(size) else int(size)
    except Exception:
        return None
