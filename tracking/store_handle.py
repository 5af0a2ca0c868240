"""A store's database, its thread and its end: what the parts of `Store` have in common."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from tracking.artifacts.objects import Objects
from tracking.client.ingester import drain_store
from tracking.config import StoreLocation
from tracking.database.opening import open_database
from tracking.database.recovery import Recovery


class StoreHandle:
    """Opens a store and closes it.

    Attributes:
        location: Where its files are.
    """

    def __init__(self, location: StoreLocation) -> None:
        self.location = location
        self._engines = open_database(location)
        self._objects = Objects(location)
        with contextlib.suppress(OSError):
            self._objects.sweep_drafts()
        self._recovery = Recovery(location, self._engines)
        # A store that is dropped without close() must not leave its thread behind.
        self._finalizer = weakref.finalize(self, self._recovery.stop)

    def close(self) -> None:
        """End the store's thread and close its connections."""
        self._finalizer()
        self._engines.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Store {self.location.root}>"

    @contextmanager
    def _reading(self, *, drain: bool = True) -> Iterator[Any]:
        if drain:
            self._drain()
        with self._engines.reading() as connection:
            yield connection

    def _drain(self) -> None:
        """Let what this process has logged come into the database."""
        drain_store(self.location)

    def _edit(self, work: Callable[[Any], None]) -> None:
        self._drain()
        self._engines.write(work)
