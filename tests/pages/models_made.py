"""Models that the tests of pages put into a store: files stand for their bytes, since pages load nothing."""

from __future__ import annotations

from collections.abc import Sequence

import tracking
from tests.pages.contents import start
from tracking.registry_records import VersionRecord
from tracking.store import Store

HOSTILE = "**b** [x](http://evil.example) <img src=x onerror=alert(1)> $\\alpha$ :red[y] ![p](http://evil.example/p.png)"


def add_version(
    store: Store,
    model: str = "digits",
    *,
    accuracy: float | Sequence[float] = 0.9,
    name: str = "made",
    experiment: str = "digits",
    lr: float = 0.1,
    description: str = "",
) -> VersionRecord:
    """Log runs of one configuration, a seed each, and register the first one's model."""
    values = [accuracy] if isinstance(accuracy, float) else accuracy
    file = store.location.root.parent / "model.bin"
    runs = []
    for seed, value in enumerate(values):
        with start(experiment, f"{name}-{seed}", {"lr": lr, "seed": seed}, store) as run:
            tracking.define_metric("accuracy", goal="maximize")
            run.log({"accuracy": value}, step=1)
            file.write_bytes(f"{name} {lr} {seed} {value}".encode())
            run.log_artifact(file, name="model")
        runs.append(run.id)
    return store.register(model, runs[0], description=description, by="ann@host")
