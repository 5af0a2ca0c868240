"""The sample experiment: three scikit-learn models learn to read shifted digits, three seeds each.

It really trains, on scikit-learn's bundled digits, every image also moved by one
pixel in each direction. An epoch of the smaller models takes milliseconds, so each
is given at least `pace` seconds: a person can watch the curves grow.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tracking

EXPERIMENT = "digits-sample"
EPOCHS = 50
SEEDS = 3
PACE = 0.13

MODELS: dict[str, dict[str, Any]] = {
    "mlp": {"hidden_layer_sizes": [48], "learning_rate_init": 1e-3, "batch_size": 32},
    "linear": {"loss": "log_loss", "learning_rate": "constant", "eta0": 0.01},
    "boosting": {"learning_rate": 0.2, "max_depth": 3, "subsample": 0.25, "max_features": 16},
}


def run_sample(
    store: str | Path | None = None,
    *,
    seeds: int = SEEDS,
    epochs: int = EPOCHS,
    pace: float = PACE,
    on_run: Callable[[str, str], None] = lambda name, run_id: None,
) -> list[str]:
    """Train every model with every seed and return the ids of the runs.

    Args:
        store: Folder of the store, None for the nearest one.
        seeds: How many repeats each model gets.
        epochs: Passes over the training images; stages for the boosting.
        pace: Least duration of an epoch in seconds.
        on_run: Told the name and id of each run as it starts.
    """
    data = _load_digits()
    ids = []
    for seed in range(seeds):
        for kind, settings in MODELS.items():
            params = {"model": kind, "seed": seed, "epochs": epochs, kind: settings}
            name = f"{kind}-{seed}"
            with tracking.start_run(
                EXPERIMENT, name=name, params=params, tags=["sample", kind], total_steps=epochs, store=store
            ) as run:
                run.define_metric("val_accuracy", goal="maximize")
                run.define_metric("val_loss", goal="minimize")
                on_run(name, run.id)
                for epoch, metrics in enumerate(_train(kind, settings, seed, epochs, data), start=1):
                    began = time.monotonic()
                    run.log(metrics, step=epoch)
                    time.sleep(max(0.0, pace - metrics["epoch_seconds"] - (time.monotonic() - began)))
            ids.append(run.id)
    return ids


def _load_digits() -> tuple[Any, Any, Any, Any]:
    """Return train images, train labels, validation images and validation labels, scaled to 0..1."""
    import numpy as np
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    train, val, train_labels, val_labels = train_test_split(
        images / 16.0, labels, test_size=0.3, stratify=labels, random_state=0
    )
    squares = train.reshape(-1, 8, 8)
    moved = [np.roll(squares, (down, right), axis=(1, 2)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return np.concatenate(moved).reshape(-1, 64), np.tile(train_labels, 9), val, val_labels


def _train(
    kind: str, settings: dict[str, Any], seed: int, epochs: int, data: tuple[Any, Any, Any, Any]
) -> Iterator[dict[str, float]]:
    """Train one model and yield its metrics after each epoch."""
    from sklearn.metrics import log_loss

    train, train_labels, val, val_labels = data
    classes = list(range(10))
    model = _build(kind, settings, seed)
    for _ in range(epochs):
        began = time.monotonic()
        if kind == "boosting":
            model.n_estimators += 1
            model.fit(train, train_labels)
        else:
            model.partial_fit(train, train_labels, classes=classes)
        metrics: dict[str, float] = {}
        for prefix, images, labels in (("", train, train_labels), ("val_", val, val_labels)):
            chances = model.predict_proba(images)
            metrics[f"{prefix}loss"] = float(log_loss(labels, chances, labels=classes))
            metrics[f"{prefix}accuracy"] = float((chances.argmax(axis=1) == labels).mean())
        metrics["epoch_seconds"] = time.monotonic() - began
        yield metrics


def _build(kind: str, settings: dict[str, Any], seed: int) -> Any:
    if kind == "mlp":
        from sklearn.neural_network import MLPClassifier

        return MLPClassifier(**settings, random_state=seed)
    if kind == "linear":
        from sklearn.linear_model import SGDClassifier

        return SGDClassifier(**settings, random_state=seed)
    from sklearn.ensemble import GradientBoostingClassifier

    return GradientBoostingClassifier(**settings, n_estimators=0, warm_start=True, random_state=seed)
