"""LightGBM: a callback for `lightgbm.train`, `lightgbm.cv` and the scikit-learn estimators.

from tracking.integrations.lightgbm import LightGBMCallback

with tracking.start_run("churn"):
    callback = LightGBMCallback()
    booster = lightgbm.train(params, train, valid_sets=[valid], callbacks=[callback])
    callback.log_best(booster)
"""

from __future__ import annotations

from typing import Any

from tracking.integrations.holding import IterationLog, numbers, process_rank, run_at_hand


class LightGBMCallback(IterationLog):
    """Logs each iteration's evaluation as `<data>/<metric>`, and the params of training under `lightgbm.`.

    Training that goes on (`init_model=`) counts on from the iterations that the model has.

    Args:
        run: Where to log; left out, the run that is active when training begins.
        prefix: Put before every metric's name.
    """

    # Before early stopping, which ends the iteration, at 30.
    order = 25
    before_iteration = False

    def __call__(self, env: Any) -> None:
        """Log one iteration; LightGBM calls this."""
        if env.iteration == env.begin_iteration:
            self._begin(env)
        if self._run is None:
            return
        found: dict[str, float] = {}
        for result in env.evaluation_result_list or ():
            data, metric, value, higher, *spread = (
                tuple(result)[:5] if isinstance(result, tuple) else _parts(result)
            )
            key = f"{self._prefix}{data}/{metric}"
            found[key] = float(value)
            if spread and spread[0] is not None:
                found[f"{key}_std"] = float(spread[0])
            if key not in self._known:
                self._known.add(key)
                self._run.define_metric(key, goal="maximize" if higher else "minimize")
        self._run.log(found, step=env.iteration)

    def log_best(self, model: Any) -> None:
        """Log what early stopping found: `best_iteration`, and the scores there as `best/<data>/<metric>`.

        Args:
            model: The booster or the estimator that was trained.
        """
        run = self._run or run_at_hand(self._given, "LightGBMCallback")
        iteration = getattr(model, "best_iteration_", None) or getattr(model, "best_iteration", None)
        if run is None or process_rank() != 0 or not iteration or iteration < 1:
            return
        found = {f"{self._prefix}best_iteration": float(iteration)}
        scores = getattr(model, "best_score_", None) or getattr(model, "best_score", None) or {}
        for data, metrics in scores.items():
            found |= numbers(metrics, f"{self._prefix}best/{data}/")
        run.log(found, step=int(iteration) - 1)

    def _begin(self, env: Any) -> None:
        run = self._begin_log()
        if run is not None:
            params = {name: value for name, value in dict(env.params or {}).items() if not callable(value)}
            rounds = env.end_iteration - env.begin_iteration
            run.log_params({"lightgbm": params | {"num_iterations": rounds}})


def _parts(result: Any) -> tuple[Any, ...]:
    spread = getattr(result, "metric_std_dev", None)
    return result.dataset_name, result.metric_name, result.metric_value, result.maximize, spread
