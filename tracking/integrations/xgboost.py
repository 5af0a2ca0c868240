"""XGBoost: a callback for `xgboost.train`, `xgboost.cv` and the scikit-learn estimators.

from tracking.integrations.xgboost import XGBoostCallback

with tracking.start_run("churn"):
    xgboost.train(params, train, evals=[(valid, "valid")], callbacks=[XGBoostCallback()])
"""

from __future__ import annotations

import contextlib
import json
from typing import Any

from xgboost.callback import TrainingCallback

from tracking.integrations.holding import IterationLog

_HIGHER = ("auc", "aucpr", "map", "ndcg", "pre")
_LOWER = (
    "rmse",
    "rmsle",
    "mae",
    "mape",
    "mphe",
    "logloss",
    "mlogloss",
    "error",
    "merror",
    "gamma-",
    "poisson-",
)
_ESTIMATED = ("base_score", "boost_from_average")
_SECTIONS = ("learner_train_param", "tree_train_param", "learner_model_param")


class XGBoostCallback(IterationLog, TrainingCallback):  # type: ignore[misc]
    """Logs each iteration's evaluation as `<data>/<metric>`, and the booster's params under `xgboost.`.

    With early stopping `best_iteration` and `best_score` are logged at the end. Training that goes on
    (`xgb_model=`) counts on from the rounds that the model has. Of distributed workers the first one logs.

    Args:
        run: Where to log; left out, the run that is active when training begins.
        prefix: Put before every metric's name.
    """

    def before_training(self, model: Any) -> Any:
        """Log the booster's params."""
        run = self._begin_log()
        if run is not None and (params := booster_params(model)):
            run.log_params({"xgboost": params})
        return model

    def after_iteration(self, model: Any, epoch: int, evals_log: dict[str, dict[str, Any]]) -> bool:
        """Log one iteration."""
        if self._run is not None:
            found: dict[str, float] = {}
            for data, metrics in evals_log.items():
                for metric, values in metrics.items():
                    self._add(found, f"{self._prefix}{data}/{metric}", metric, values[-1])
            self._run.log(found, step=_step(model, epoch))
        return False

    def after_training(self, model: Any) -> Any:
        """Log where early stopping found the best iteration."""
        if self._run is not None:
            found = {}
            for name in ("best_iteration", "best_score"):
                with contextlib.suppress(AttributeError, TypeError, ValueError):
                    value = model.attr(name)
                    if value is not None:
                        found[self._prefix + name] = float(value)
            if found:
                self._run.log(found, step=_step(model, 0))
        return model

    def _add(self, found: dict[str, float], key: str, metric: str, value: Any) -> None:
        if isinstance(value, tuple):  # of cv: mean and standard deviation over the folds
            value, found[f"{key}_std"] = float(value[0]), float(value[1])
        found[key] = float(value)
        if key not in self._known and self._run is not None:
            self._known.add(key)
            if goal := _goal(metric):
                self._run.define_metric(key, goal=goal)


def booster_params(model: Any) -> dict[str, Any]:
    """Return what a booster says of its configuration that is a param; nothing for one that says none."""
    try:
        config = json.loads(model.save_config())
    except (AttributeError, ValueError):
        return {}
    found: dict[str, Any] = {}

    def walk(node: dict[str, Any]) -> None:
        for name, value in node.items():
            if isinstance(value, dict):
                if name in _SECTIONS:
                    found.update((key, _value(text)) for key, text in value.items() if isinstance(text, str))
                else:
                    walk(value)

    walk(config)
    with contextlib.suppress(KeyError, TypeError):
        found["objective"] = config["learner"]["objective"]["name"]
    # What is estimated from the data is no param.
    return {name: value for name, value in found.items() if value != "" and name not in _ESTIMATED}


def _value(text: str) -> Any:
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text


def _goal(metric: str) -> str | None:
    if metric.startswith(_LOWER):
        return "minimize"
    return "maximize" if metric.partition("@")[0] in _HIGHER else None


def _step(model: Any, epoch: int) -> int:
    rounds = getattr(model, "num_boosted_rounds", None)
    return max(int(rounds()) - 1, 0) if callable(rounds) else epoch
