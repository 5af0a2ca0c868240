"""scikit-learn: what a search over hyperparameters tried, as child runs.

from tracking.integrations.sklearn import log_search

search = GridSearchCV(SVC(), {"C": [0.1, 1, 10]}).fit(x, y)
with tracking.start_run("digits", name="svc grid"):
    log_search(search)
"""

from __future__ import annotations

import math
import re
from typing import Any

import tracking
from tracking.integrations.holding import numbers, run_at_hand

_SPLIT = re.compile(r"split(\d+)_((?:test|train)_.+)")
_SUMMARY = re.compile(r"(mean|std|rank)_.+|n_resources|iter")
BEST = "best"


def log_search(search: Any, *, run: tracking.Run | None = None, limit: int | None = None) -> list[str]:
    """Log a fitted search: a child run for each candidate, the best one tagged `best`.

    A child has the candidate's params, its score in each fold (`test_score`, step = fold; of several
    scorers `test_<scorer>`), and what the search computed from them (`mean_test_score`,
    `std_test_score`, `rank_test_score`, `mean_fit_time`, …). The parent gets `best_score`, the best
    params under `best.` and the number of candidates.

    Args:
        search: Anything with `cv_results_`: GridSearchCV, RandomizedSearchCV, the halving searches, and
            what follows their interface.
        run: The parent; left out, the active run.
        limit: At most so many children, the best ones.

    Returns:
        The ids of the children, in the order of the candidates; none, with one warning, where there is no run.

    Raises:
        InvalidValue: The search is not fitted.
    """
    results = getattr(search, "cv_results_", None)
    if not isinstance(results, dict) or "params" not in results:
        raise tracking.InvalidValue(
            f"log_search got {type(search).__name__} without cv_results_: call its fit() first."
        )
    parent = run_at_hand(run, "log_search")
    if parent is None:
        return []
    metrics = [name for name in results if _SUMMARY.fullmatch(name)]
    best = getattr(search, "best_index_", None)
    for name in metrics:
        if name.startswith("mean_test_"):
            parent.define_metric(name, goal="maximize")  # scikit-learn's scorers are all made so
    children = [
        _log_candidate(parent, results, place, metrics, best=place == best)
        for place in _chosen(results, metrics, limit)
    ]
    _log_parent(parent, search, len(results["params"]), best)
    return children


def _chosen(results: dict[str, Any], metrics: list[str], limit: int | None) -> list[int]:
    count = len(results["params"])
    ranks = [name for name in metrics if name.startswith("rank_test_")]
    if limit is None or limit >= count or not ranks:
        return list(range(count))[:limit]
    by_rank = sorted(range(count), key=lambda place: (results[ranks[0]][place], place))
    return sorted(by_rank[:limit])


def _log_candidate(
    parent: tracking.Run, results: dict[str, Any], place: int, metrics: list[str], *, best: bool
) -> str:
    params = dict(results["params"][place])
    folds: dict[int, dict[str, float]] = {}
    for name, column in results.items():
        found = _SPLIT.fullmatch(name)
        # A halving search gives later rounds fewer folds' worth of candidates: masked there.
        if found is not None and not getattr(column, "mask", [False] * (place + 1))[place]:
            folds.setdefault(int(found[1]), {})[found[2]] = float(column[place])
    child = tracking.start_run(
        parent.experiment,
        name=f"{parent.name} #{place}",
        params=params,
        tags=[BEST] if best else [],
        parent=parent,
        group=parent.id,
        capture=False,
    )
    for fold, scores in sorted(folds.items()):
        child.log(scores, step=fold)
    child.log(numbers({name: results[name][place] for name in metrics}), step=max(folds, default=0))
    child.finish()
    return child.id


def _log_parent(parent: tracking.Run, search: Any, candidates: int, best: int | None) -> None:
    estimator = getattr(search, "estimator", None)
    params: dict[str, Any] = {"search": {"kind": type(search).__name__, "candidates": candidates}}
    if estimator is not None:
        params["search"]["estimator"] = type(estimator).__name__
    if best is not None:
        params["search"]["best_candidate"] = int(best)
        params[BEST] = dict(search.cv_results_["params"][best])
    parent.log_params(params)
    score, seconds = getattr(search, "best_score_", None), getattr(search, "refit_time_", None)
    found = numbers({"best_score": score, "refit_time": seconds})
    if found and not all(math.isnan(value) for value in found.values()):
        parent.log(found)
