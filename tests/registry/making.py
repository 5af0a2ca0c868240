"""Runs with small models to register, and what each of them predicts."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

import tracking

X = np.random.default_rng(0).normal(size=(40, 3))
CHOICES = 4
"""How many models there are that predict differently."""


@cache
def fitted(choice: int) -> LogisticRegression:
    """Return a fitted model; each choice predicts something else."""
    labels = (X[:, choice % 3] > 0) ^ (choice >= 3)
    return LogisticRegression().fit(X, labels)


def predicts(model: Any) -> list[bool]:
    """Return what a model says of the data."""
    return [bool(each) for each in model.predict(X)]


def logged(
    store: Path,
    choice: int = 0,
    *,
    experiment: str = "digits",
    accuracy: float = 0.9,
    seed: int = 0,
    lr: float = 0.1,
    parent: str | None = None,
) -> str:
    """Log a run with a metric and a model; return its id."""
    params = {"lr": lr, "seed": seed}
    with tracking.start_run(
        experiment, params=params, parent=parent, store=store, capture=False, strict=True
    ) as run:
        run.define_metric("accuracy", goal="maximize")
        run.log({"accuracy": accuracy})
        run.log_model(fitted(choice), "model", input_example=X[:3])
    return run.id
