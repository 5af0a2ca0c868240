"""From the dict of a `log()` call to the bytes of a record."""

from __future__ import annotations

import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from tracking.client.notices import Notices
from tracking.client.session import Session
from tracking.errors import InvalidValue
from tracking.spool.format import pack_event, points_packer
from tracking.validation import INT64_MAX, checked_step, checked_text, metric_value

EXACT = frozenset((float,))
"""Types that `struct` packs as they are, without a question."""


class MetricPacker:
    """Packs metrics for one run.

    The set of keys of a call is its shape; the second call with the same keys and
    plain floats costs one look-up, one pack and one write.
    """

    def __init__(self, session: Session, notices: Notices, strict: bool) -> None:
        self._session = session
        self._notices = notices
        self._strict = strict
        self._shapes: dict[tuple[str, ...], Any] = {}
        self._names: dict[object, str] = {}
        self._exact: frozenset[type] = EXACT
        self._next_step = 0
        self._mutex = threading.RLock()
        # The writer's own method once there is a writer: a call less in every log().
        self._append: Callable[[bytes, int], None] = session.append

    def begin_at(self, step: int) -> None:
        """Count up from `step`."""
        self._next_step = step

    def forked(self) -> None:
        """In a forked child: the new spool has none of the shapes."""
        self._mutex = threading.RLock()
        self._shapes = {}
        self._append = self._session.append

    def log(self, metrics: Mapping[str, Any], step: int | None) -> None:
        """Append one record; raises InvalidValue only for a strict run."""
        try:
            pack = self._shapes[tuple(metrics)]
            values = metrics.values()
            if not self._exact.issuperset(map(type, values)):
                raise TypeError
            if step is None:
                with self._mutex:
                    step = self._next_step
                    self._next_step = step + 1
            elif type(step) is not int:
                raise TypeError
            record = pack(step, time.time_ns() // 1000, *values)
            if step >= self._next_step:
                self._next_step = step + 1
        except (KeyError, TypeError, AttributeError, struct.error):
            self._log_checked(metrics, step)
            return
        self._append(record, len(values))

    def _log_checked(self, metrics: object, step: object) -> None:
        if not isinstance(metrics, Mapping):
            self._refuse(
                "log", f"log() takes a dict of numbers, not {type(metrics).__name__}; the call was left out."
            )
            return
        checked: dict[str, float] = {}
        exact = True
        for key, value in metrics.items():
            name = self._names.get(key) if isinstance(key, str) else None
            try:
                if name is None:
                    name = checked_text(key, "a metric key")
                    self._names[key] = name
                number, note = metric_value(value, name)
            except InvalidValue as error:
                exact = False
                self._refuse(f"metric {name or key!r}", str(error))
                continue
            if note is not None:
                self._notices.once(f"note {name}", note)
            exact = exact and (type(value) in self._exact or _is_numpy_float(type(value)))
            checked[name] = number
        if exact:
            self._exact |= {type(value) for value in metrics.values()}
        number_of_step = self._step(step)
        if not checked:
            return
        keys = tuple(checked)
        pack = self._shapes.get(keys)
        if pack is None:
            pack = self._define(keys)
        self._session.append(pack(number_of_step, time.time_ns() // 1000, *checked.values()), len(checked))

    def _step(self, step: object) -> int:
        with self._mutex:
            number = min(self._next_step, INT64_MAX)
            if step is not None:
                try:
                    number = checked_step(step)
                except InvalidValue as error:
                    self._refuse("step", f"{error} Counted as step {number}.")
            self._next_step = max(self._next_step, number + 1)
        return number

    def _define(self, keys: tuple[str, ...]) -> Any:
        with self._mutex:
            pack = self._shapes.get(keys)
            if pack is None:
                shape = len(self._shapes)
                pack = points_packer(shape, len(keys))
                self._session.append(pack_event({"t": "shape", "id": shape, "keys": keys}))
                if self._session.writer is not None:
                    self._append = self._session.writer.append
                self._shapes[keys] = pack
        return pack

    def _refuse(self, kind: str, message: str) -> None:
        if self._strict:
            raise InvalidValue(message)
        self._notices.once(kind, message)


def _is_numpy_float(kind: type) -> bool:
    # The module may be there and not whole yet: the ingest thread is importing it at this moment.
    numpy = sys.modules.get("numpy")
    floating = getattr(numpy, "floating", None)
    wide = getattr(numpy, "longdouble", None)
    return floating is not None and wide is not None and issubclass(kind, floating) and kind is not wide
