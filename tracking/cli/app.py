"""The Typer app, the options that commands share, and how a command ends when something goes wrong."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

import tracking
from tracking.cli.terminal import drop_output
from tracking.config import locate_store
from tracking.errors import NotFound, TrackingError
from tracking.exports.cells import printable

if TYPE_CHECKING:
    from tracking.store import Store

EXIT_ERROR = 2

app = typer.Typer(
    name="tracking",
    help="Log training runs to a store on your disk; watch and compare them in the browser.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

# Text, not a path: a path would turn the `//` of a database URL into `/` before it can be refused.
StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store", help="Folder of the store. Default: TRACKING_STORE, else the nearest .tracking/."
    ),
]


@app.callback()
def _commands() -> None:
    """Keep every command a named one, also while there is only one."""


@contextmanager
def existing_store(store: str | None) -> Iterator[Store]:
    """Open a store that is there: who only asks for what is in it makes none.

    Raises:
        NotFound: There is none.
    """
    location = locate_store(store)
    if not location.database.exists() and not location.spool.is_dir():
        raise NotFound(
            f"There is no store at {location.root}. Go to the project's folder, or name one with --store."
        )
    with tracking.open_store(location.root) as opened:
        yield opened


def run() -> None:
    """Run the command line. What went wrong on purpose is one line and exit code 2, never a traceback."""
    try:
        app()
    except TrackingError as error:
        print(f"error: {printable(str(error), lines=True)}", file=sys.stderr)
        sys.exit(EXIT_ERROR)
    except BrokenPipeError:
        # The reader left (`| head`).
        drop_output()
        sys.exit(1)
    except OSError as error:
        # A full disk behind `> file`, for one: there the interpreter would try again at its exit.
        drop_output()
        where = "" if error.filename is None else f" ({printable(str(error.filename))})"
        print(
            f"error: what was asked for cannot be read or written: {error.strerror or error}{where}",
            file=sys.stderr,
        )
        sys.exit(EXIT_ERROR)
