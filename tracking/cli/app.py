"""The Typer app, the options that commands share, and how a command ends when something goes wrong."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from tracking.errors import TrackingError

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


def run() -> None:
    """Run the command line. What went wrong on purpose is one line and exit code 2, never a traceback."""
    try:
        app()
    except TrackingError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(EXIT_ERROR)
    except BrokenPipeError:
        # The reader left (`| head`). Point stdout elsewhere, or the interpreter complains at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
