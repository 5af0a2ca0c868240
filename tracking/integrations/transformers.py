"""Hugging Face Transformers: a callback for `Trainer`.

from tracking.integrations.transformers import TransformersCallback

Trainer(model, args, train_dataset=data, callbacks=[TransformersCallback("bert")]).train()
"""

from __future__ import annotations

import contextlib
from typing import Any

from transformers import TrainerCallback

import tracking
from tracking.integrations.holding import HeldRun, numbers

_GROUPS = ("eval", "test")
_ENDS = ("train_runtime", "train_samples_per_second", "train_steps_per_second", "train_loss", "total_flos")


class TransformersCallback(TrainerCallback):  # type: ignore[misc]
    """Logs what the Trainer logs, as `train/…`, `eval/…` and `test/…`, and its arguments and model.

    Only the first process of all logs. Steps are the Trainer's, so that training that goes on from a
    checkpoint fits behind what was logged: give `resume=<run id>`.

    Args:
        experiment: Of the run that is started when no run is active.
        run: Where to log; left out, the active run, or one that is ended with the training.
        settings: More for `tracking.start_run`: name, tags, resume, store, ….
    """

    def __init__(
        self, experiment: str = "transformers", *, run: tracking.Run | None = None, **settings: Any
    ) -> None:
        self._held = HeldRun(run, experiment, settings)

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        """Start or find the run, and log arguments and the model's configuration."""
        if not state.is_world_process_zero:
            return
        run = self._held.begin()
        params: dict[str, Any] = {}
        with contextlib.suppress(Exception):  # a subclass of the user's may fail in telling
            told = args.to_sanitized_dict()
            # A hundred of them are not set, and tokens are nobody's business.
            params["args"] = {
                name: value
                for name, value in told.items()
                if value not in (None, "None") and not name.endswith("_token")
            }
        with contextlib.suppress(Exception):
            params["model"] = _config(model)
        run.log_params(params)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Log what the Trainer logs."""
        if not state.is_world_process_zero:
            return
        found = {}
        for key, value in numbers(logs).items():
            group, _, rest = key.partition("_")
            if group in _GROUPS and rest:
                found[f"{group}/{rest}"] = value
            elif key in _ENDS:
                found[f"train_summary/{key.removeprefix('train_')}"] = value
            else:
                found[f"train/{key}"] = value
        if found:
            self._held.begin().log(found, step=state.global_step)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Log the best evaluation, and end the run if it was started here."""
        if not state.is_world_process_zero or self._held.run is None:
            return
        found = numbers(
            {"best_metric": state.best_metric, "best_step": getattr(state, "best_global_step", None)}
        )
        if state.best_metric is not None and found:
            self._held.run.log(found, step=state.global_step)
        self._held.end()


def _config(model: Any) -> dict[str, Any]:
    config: Any = getattr(model, "config", None)
    found: dict[str, Any] = config.to_dict() if hasattr(config, "to_dict") else {}
    # Lists of labels by the thousand are no params.
    found = {name: value for name, value in found.items() if name not in ("id2label", "label2id")}
    count = getattr(model, "num_parameters", None)
    if callable(count):
        found["parameters"] = int(count())
    return found
