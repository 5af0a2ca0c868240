"""alembic tells each of its steps to the logging of whoever imports it: not to a training script's."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

LOGGERS = ("alembic.runtime.plugins", "alembic.runtime.migration")


@contextmanager
def alembic_quiet() -> Iterator[None]:
    """Keep what alembic logs in this thread below WARNING to itself, importing it included.

    The levels stay what they are: a script that uses alembic itself, in another thread, is heard.
    """
    thread = threading.get_ident()

    def wanted(record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING or record.thread not in (thread, None)

    loggers = [logging.getLogger(name) for name in LOGGERS]
    for logger in loggers:
        logger.addFilter(wanted)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(wanted)
