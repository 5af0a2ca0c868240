"""`Store`'s care for itself: recovery, trash, clean-up, verification, backup."""

from __future__ import annotations

from tracking.database.recovery import recover
from tracking.store_handle import StoreHandle


class StoreCare(StoreHandle):
    """What keeps a store small and whole."""

    def recover(self) -> list[str]:
        """Take in what dead processes left behind; returns the ids of runs that were marked lost.

        An open store does this by itself every two seconds; a call is for those who cannot wait.
        """
        return recover(self.location, self._engines)
