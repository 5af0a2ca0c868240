"""Commands for the beginning: train the sample experiment, start the dashboard."""

from __future__ import annotations

from typing import Annotated

import typer

from tracking import sample
from tracking.cli.app import StoreOption, app
from tracking.config import locate_store


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
