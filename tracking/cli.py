"""The command line: `python -m tracking`."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from tracking import sample
from tracking.config import locate_store
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


@app.command()
def demo(
    store: StoreOption = None,
    seeds: Annotated[int, typer.Option(min=1, max=100, help="Repeats of each model.")] = sample.SEEDS,
    epochs: Annotated[int, typer.Option(min=1, max=10_000, help="Epochs of each run.")] = sample.EPOCHS,
    pace: Annotated[float, typer.Option(min=0, max=60, help="Least seconds an epoch takes.")] = sample.PACE,
) -> None:
    """Train the sample experiment: three models on scikit-learn's digits, about a minute."""
    typer.echo(f"Training {len(sample.MODELS)} models with {seeds} seed(s) each, {epochs} epochs a run.")
    runs = sample.run_sample(
        store,
        seeds=seeds,
        epochs=epochs,
        pace=pace,
        on_run=lambda name, run_id: typer.echo(f"  {name}  {run_id}"),
    )
    typer.echo(f"{len(runs)} runs logged to the experiment {sample.EXPERIMENT}. Look at them with: make run")


@app.command()
def ui(
    store: StoreOption = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")
    ] = 8501,
) -> None:
    """Start the dashboard and print the address to open."""
    from tracking.ui.server import serve

    serve(store=locate_store(store).root if store is not None else None, port=port)


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
