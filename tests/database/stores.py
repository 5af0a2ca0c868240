"""Stores with runs that carry everything, and what a store holds in a form that two can be compared in."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import tracking
from tracking.client.carrying import carry_bytes


def log_run(store: Path, seed: int, *, steps: int = 50, carried: bool = True, experiment: str = "exp") -> str:
    """Log a run whose contents follow from `seed`; returns its id."""
    draw = random.Random(seed)
    params = {"lr": draw.random(), "seed": seed, "nested": {"deep": [1, None]}}
    with tracking.start_run(
        experiment, params=params, tags=[f"t{seed}"], notes=f"notes {seed}", store=store, capture=False
    ) as run:
        spool = run._session.writer.files.spool_id
        for step in range(steps):
            run.log({"loss": draw.random(), "acc": float("nan") if step == 3 else step / 2}, step=step)
        if carried:
            for step in (None, 1):
                carry_bytes(run._session, _artifact("notes/a.txt", step), f"a {seed} {step}".encode())
            carry_bytes(run._session, _artifact("shared.txt", None), b"the same in every run")
            run._session.say(
                {
                    "t": "dataset", "name": "train", "digest": f"sha256:{seed % 2}", "kind": "frame",
                    "source": "x.csv", "rows": 3, "columns": 2, "size": 9, "schema": {"a": "int64"},
                    "statistics": {}, "object": None, "time": 1_700_000_000_000_000,
                }
            )  # fmt: skip
            run._session.say(
                {
                    "t": "capture", "section": "git", "data": {"commit": f"{seed}"}, "digest": None,
                    "size": 0, "time": 1_700_000_000_000_000,
                }
            )  # fmt: skip
    logs = store / "logs"
    logs.mkdir(exist_ok=True)
    (logs / f"{spool}.console").write_text(f"printed by {seed}\n")
    return run.id


def copy_of(store: Path, target: Path) -> Path:
    """Copy a store's files as rsync would; locks of live processes are no longer held there."""
    shutil.copytree(store, target)
    return target


def contents(folder: Path) -> dict[str, Any]:
    """Return what a store holds, without internal numbers and revisions; NaN is written `nan`."""
    with tracking.open_store(folder) as store:
        ids = sorted(run for page in store.search_pages(columns=[], children=True) for run in page["run"])
        return {
            "runs": {run: _run(store, run) for run in ids},
            "experiments": {
                each.name: (each.runs, dict(each.goals), each.vary, each.ignore)
                for each in store.experiments()
            },
            "consoles": {path.name: path.read_text() for path in (folder / "logs").glob("*.console")},
        }


def _run(store: tracking.Store, run: str) -> dict[str, Any]:
    record = store.run(run)
    keys = sorted(record.metrics)
    found: dict[str, Any] = {
        name: repr(getattr(record, name))
        for name in (
            "id", "experiment", "name", "status", "created", "ended", "duration", "tags", "notes", "group",
            "parent", "total_steps", "error", "dropped_points",
        )
    }  # fmt: skip
    found["params"] = dict(sorted(record.flat_params.items()))
    # Added up batch by batch or computed at once, a mean differs in its last digits.
    found["metrics"] = {
        key: [
            round(each.mean or 0.0, 9),
            each.count,
            each.non_finite,
            repr(each.last),
            each.last_step,
            each.min,
        ]
        for key, each in sorted(record.metrics.items())
    }
    for superseded in (False, True):
        series = store.series(run, keys, superseded=superseded)
        found[f"points {superseded}"] = {
            key: (each.steps.tolist(), each.values.tobytes(), each.times.tolist())
            for (_, key), each in sorted(series.items())
        }
    found["artifacts"] = [repr(each) for each in store.artifacts(run, superseded=True)]
    found["bytes"] = [
        (each.name, each.step, store.open_object(each.digest).read()) for each in store.artifacts(run)
    ]
    found["datasets"] = [(each.name, each.digest, each.source, each.rows) for each in store.datasets(run)]
    found["captures"] = [repr(each) for each in store.captures(run)]
    return found


def _artifact(name: str, step: int | None) -> dict[str, Any]:
    return {"t": "artifact", "name": name, "kind": "text", "step": step, "media": "text/plain", "details": {}}


def merge(source: Path, target: Path) -> Any:
    """Merge one store into another, which is made when absent; returns the report."""
    with tracking.open_store(target) as store:
        return store.merge(source)


def alter(script: str) -> Callable[[Path], None]:
    """Return a function that runs SQL on a store's database, as no Podium would."""

    def change(store: Path) -> None:
        with closing(sqlite3.connect(store / "tracking.db")) as database:
            database.executescript(script)

    return change
