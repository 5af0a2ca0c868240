"""The model of a configuration: its pipeline fitted on all rows."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracking.errors import MissingDependency, TrackingError
from tracking.tuning.definition import Choice, TableTarget
from tracking.tuning.tables.evaluation import repeat_of
from tracking.tuning.tables.loading import load_table
from tracking.tuning.tables.pipelines import make_pipeline
from tracking.tuning.tables.table import Table

if TYPE_CHECKING:
    from tracking.client.run import Run
    from tracking.store import Store

_EXAMPLE_ROWS = 5


def refit(
    target: TableTarget,
    params: Mapping[str, Choice],
    *,
    project: Path | None = None,
    store: Store | None = None,
    table: Table | None = None,
) -> Any:
    """Return a configuration's pipeline, fitted on all rows; it predicts the labels as they are in the column.

    Args:
        target: What to learn.
        params: The configuration; `seed` and `fold` as in `evaluate`, the latter without effect.
        project: The folder that `target.file` is relative to.
        store: The one that `target.artifact` is in.
        table: The rows, where they are loaded already.

    Raises:
        InvalidValue: The data do not fit the target, or the params no estimator.
        NotFound: There is no such file, run or artifact.
        TrackingError: The estimator cannot be fitted; the message says why.
    """
    seed, _, own = repeat_of(target, params)
    rows = load_table(target, project=project, store=store) if table is None else table
    pipeline = make_pipeline(rows, target, own, seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return pipeline.fit(rows.features, rows.values)
        except Exception as error:  # whatever an estimator raises
            reason = " ".join(str(error).split())[:600]
            raise TrackingError(
                f"The model cannot be fitted on all rows: {type(error).__name__}: {reason}"
            ) from error


def log_refit(
    target: TableTarget,
    params: Mapping[str, Choice],
    *,
    run: Run,
    project: Path | None = None,
    store: Store | None = None,
    name: str = "model",
) -> Any:
    """Fit a configuration on all rows, log the model to a run with some rows as its example, and return it.

    Raises:
        MissingDependency: skops is not installed, which model files need.
        InvalidValue: As `refit`; also NotFound and TrackingError.
    """
    # A run's verbs only warn; here the model is all that is wanted.
    if importlib.util.find_spec("skops") is None:
        raise MissingDependency("Models are kept as skops files: pip install 'skops>=0.16'")
    table = load_table(target, project=project, store=store)
    pipeline = refit(target, params, table=table)
    run.log_model(pipeline, name, input_example=table.features.iloc[:_EXAMPLE_ROWS])
    return pipeline
