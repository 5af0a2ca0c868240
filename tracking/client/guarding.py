"""How every verb of a run fails: the training goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tracking.client.notices import Notices
from tracking.client.session import Session
from tracking.errors import InvalidValue, TrackingError
from tracking.records import RunStatus


class GuardedVerbs:
    """What the verbs of `Run` share: a session to speak to, and what is done when they cannot."""

    id: str
    _strict: bool
    _notices: Notices
    _session: Session
    _ended: RunStatus | None

    def _guarded(self, what: str, check: Callable[[], Any]) -> Any:
        """Return what `check` returns; what the user did wrong warns once and gives None, or raises when strict."""
        try:
            return check()
        except TrackingError as error:
            if self._strict:
                raise
            self._notices.once(f"{what}: {error}", f"{error} Nothing was changed.")
        except Exception as error:
            if self._strict:
                raise InvalidValue(f"{what} cannot be kept: {error}") from error
            self._notices.once(what, f"{what} cannot be kept ({type(error).__name__}: {error}).")
        return None

    def _carried(self, what: str, work: Callable[[], None]) -> None:
        """Do the work of a verb that stores bytes; a disk that refuses warns once, also when strict."""
        if self._ended is not None:
            self._too_late(what)
            return
        if self._session.disabled:
            return

        def tried() -> None:
            try:
                work()
            except OSError as error:
                self._notices.once(
                    f"{what}: {error.errno}", f"{what}: the disk refuses ({error}). It was left out."
                )

        self._guarded(what, tried)

    def _too_late(self, what: str) -> None:
        self._notices.once(
            "late", f"{what} after the end of run {self.id} is ignored. Start a new run, or resume it."
        )
