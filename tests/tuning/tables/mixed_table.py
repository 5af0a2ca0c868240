"""A table as people have them, made by a seed, and draws from a search space."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from tracking.tuning.definition import Choice, ParamKind, ParamSpace


def mixed_table(rows: int = 300, seed: int = 0) -> pd.DataFrame:
    """Return numbers, texts, truth values, dates and ids, with values missing, and what follows from some of them.

    `kind` is one of three classes, `answer` yes or no, `price` a number.
    """
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "id": np.arange(rows) + 1000,
            "name": [f"customer {place}" for place in range(rows)],
            "age": rng.normal(40, 12, rows).round(1),
            "income": rng.lognormal(8, 1, rows).round(2),
            "city": rng.choice(["Oslo", "Rome", "Lima", "Bath"], rows, p=[0.45, 0.35, 0.195, 0.005]),
            "member": rng.random(rows) < 0.5,
            "trial": np.where(rng.random(rows) < 0.2, None, rng.random(rows) < 0.5),
            "since": pd.date_range("2020-01-01", periods=rows).astype(str),
            "currency": "EUR",
        }
    )
    noise = rng.normal(0, 0.3, rows)
    pull = (frame.income > 3000) * 1.0 + (frame.city == "Oslo") * 0.8 + frame.member * 0.6 + noise
    frame["kind"] = np.select([pull < 0.7, pull < 1.5], ["low", "middle"], "high")
    frame["answer"] = np.where(pull > 1.1, "yes", "no")
    frame["price"] = 200 * pull + frame.age
    frame.loc[rng.random(rows) < 0.15, "age"] = np.nan
    frame.loc[rng.random(rows) < 0.1, "city"] = None
    return frame


def draw(space: Sequence[ParamSpace], rng: random.Random) -> dict[str, Choice]:
    """Return a random configuration of a space, its conditions kept."""
    found: dict[str, Any] = {}
    for param in space:
        if any(found.get(each.param, object()) not in each.values for each in param.only_if):
            continue
        if param.kind is ParamKind.FIXED:
            found[param.name] = param.value
        elif param.kind is ParamKind.CATEGORICAL:
            found[param.name] = rng.choice(param.choices)
        else:
            assert param.low is not None and param.high is not None
            low, high = np.log((param.low, param.high)) if param.log else (param.low, param.high)
            value = rng.uniform(low, high)
            value = float(np.exp(value)) if param.log else value
            value = min(max(value, param.low), param.high)
            found[param.name] = round(value) if param.kind is ParamKind.INT else value
    return found
