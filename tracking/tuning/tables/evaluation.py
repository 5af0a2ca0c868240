"""Cross-validation of one configuration, each fold told to the run as it ends."""

from __future__ import annotations

import math
import statistics
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracking.errors import InvalidValue, TrackingError
from tracking.tuning.definition import Choice, TableTarget
from tracking.tuning.tables.loading import load_table
from tracking.tuning.tables.pipelines import make_pipeline
from tracking.tuning.tables.table import Table
from tracking.tuning.tables.task import Task

if TYPE_CHECKING:
    from tracking.client.run import Run
    from tracking.store import Store

SEED, FOLD = "seed", "fold"
"""Params that are no estimator's: repeats vary them."""
FIT_SECONDS = "fit_seconds"
FOLD_SUFFIX, STD_SUFFIX = "_fold", "_std"
"""Of the keys of a fold's score and of their standard deviation; their mean has the metric's own name."""
_TOLD = 5


def evaluate(
    target: TableTarget,
    params: Mapping[str, Choice],
    *,
    project: Path | None = None,
    store: Store | None = None,
    run: Run | None = None,
    threads: int | None = None,
) -> float:
    """Return a configuration's mean score over the folds.

    The folds follow from `target.seed` alone, so that all configurations are compared on the same ones; those of
    classes keep the shares of the classes. Each fold's score is logged as `<metric>_fold` with the fold as step, beside
    `fit_seconds`; at the last fold their mean under the metric's own name, and of several folds the standard deviation
    as `<metric>_std` (of the sample: divided by the number of folds less one); the data as the run's dataset. What was
    left out of it, and what scikit-learn warned of, is printed, each once.

    Args:
        target: What to learn.
        params: The configuration, as `default_space` names it. `seed` replaces the target's, for folds and estimator;
            with `fold` only that fold is scored, from 0 on: repeats may vary either.
        project: The folder that `target.file` is relative to.
        store: The one that `target.artifact` is in.
        run: Told of every fold; None for nobody.
        threads: At most so many for each of the libraries underneath; None leaves them as they are.

    Raises:
        InvalidValue: The data do not fit the target, or the params no estimator.
        NotFound: There is no such file, run or artifact.
        TrackingError: A fold failed; the message says which and why.
    """
    from threadpoolctl import threadpool_limits

    seed, fold, own = repeat_of(target, params)
    table = load_table(target, project=project, store=store)
    pipeline = make_pipeline(table, target, own, seed=seed)
    if run is not None:
        rows = table.features.assign(**{table.column: table.values})
        run.log_dataset(rows, table.source.rpartition("/")[2], source=table.source)
        for note in table.notes:
            print(note)
    with threadpool_limits(limits=threads):
        scores = _scores(pipeline, table, target, seed, fold, run)
    mean = sum(scores) / len(scores)
    if run is not None:
        spread = {f"{target.metric}{STD_SUFFIX}": statistics.stdev(scores)} if len(scores) > 1 else {}
        run.log({target.metric: mean, **spread}, step=target.folds - 1 if fold is None else fold)
    return mean


def repeat_of(target: TableTarget, params: Mapping[str, Choice]) -> tuple[int, int | None, dict[str, Choice]]:
    """Return the seed, the only fold wanted (or None) and the params that are the estimator's.

    Raises:
        InvalidValue: The seed is no whole number, or there is no such fold.
    """
    own = {key: value for key, value in params.items() if key not in (SEED, FOLD)}
    seed, fold = params.get(SEED, target.seed), params.get(FOLD)
    if not _whole(seed) or not 0 <= int(seed) < 2**32:  # type: ignore[arg-type]
        raise InvalidValue(f"seed = {seed!r:.80} is no whole number from 0 to {2**32 - 1}.")
    if fold is not None and (not _whole(fold) or not 0 <= int(fold) < target.folds):
        raise InvalidValue(f"fold = {fold!r:.80}: there are the folds 0 to {target.folds - 1}.")
    return int(seed), None if fold is None else int(fold), own  # type: ignore[arg-type]


def folds_of(table: Table, target: TableTarget, seed: int) -> list[tuple[Any, Any]]:
    """Return the rows to learn from and those to score on, of each fold."""
    from sklearn.model_selection import KFold, StratifiedKFold

    kind = StratifiedKFold if table.task is Task.CLASSIFICATION else KFold
    return list(kind(target.folds, shuffle=True, random_state=seed).split(table.features, table.values))


def _scores(
    pipeline: Any, table: Table, target: TableTarget, seed: int, only: int | None, run: Run | None
) -> list[float]:
    import numpy as np
    from sklearn.base import clone
    from sklearn.metrics import get_scorer

    scorer = get_scorer(target.metric)
    values = table.values
    if table.task is Task.CLASSIFICATION:
        # Scorers of two classes take 1 for the positive one: the last in sorting order.
        values = np.unique(values, return_inverse=True)[1]
    scores: list[float] = []
    told: dict[str, int] = {}
    for number, (learn, score_on) in enumerate(folds_of(table, target, seed)):
        if only is not None and number != only:
            continue
        where = f"Fold {number} of {target.folds} failed"
        fitted = clone(pipeline)
        begun = time.perf_counter()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                fitted.fit(table.features.iloc[learn], values[learn])
                seconds = time.perf_counter() - begun
                score = float(scorer(fitted, table.features.iloc[score_on], values[score_on]))
            except Exception as error:  # whatever an estimator raises, its fold is named
                reason = " ".join(str(error).split())[:600]
                raise TrackingError(f"{where}: {type(error).__name__}: {reason}") from error
        for warning in caught:
            text = f"{warning.category.__name__}: {' '.join(str(warning.message).split())[:300]}"
            told[text] = told.get(text, 0) + 1
        if not math.isfinite(score):
            raise TrackingError(f"{where}: its {target.metric} is {score}, not a number.")
        scores.append(score)
        if run is not None:
            run.log({f"{target.metric}{FOLD_SUFFIX}": score, FIT_SECONDS: seconds}, step=number)
    _tell(told)
    return scores


def _tell(told: Mapping[str, int]) -> None:
    for text, count in list(told.items())[:_TOLD]:
        print(f"{text} ({count} times)" if count > 1 else text)
    if len(told) > _TOLD:
        print(f"{len(told) - _TOLD} further kinds of warnings.")


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
