"""Waiting for a database that others hold, or a disk that is full: a sweep outlives both."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from tracking.errors import StoreBusy, StoreFull

Result = TypeVar("Result")
LONGEST_REST = 10.0

_LOG = logging.getLogger(__name__)


def patiently(work: Callable[[], Result]) -> Result:
    """Return what `work` returns, called again as long as the database is locked or the disk full.

    Args:
        work: Done wholly or not at all.
    """
    rest = 0.5
    while True:
        try:
            return work()
        except (StoreBusy, StoreFull) as error:
            _LOG.warning("Waiting for the database: %s", error)
            time.sleep(rest)
            rest = min(LONGEST_REST, rest * 1.5)
