"""Keras: a callback for `model.fit`.

from tracking.integrations.keras import KerasCallback

model.fit(x, y, epochs=10, callbacks=[KerasCallback("mnist")])
"""

from __future__ import annotations

import contextlib
import sys
from typing import Any

import keras
from keras.callbacks import Callback

import tracking
from tracking.integrations.holding import HeldRun, numbers, process_rank


class KerasCallback(Callback):  # type: ignore[misc]
    """Logs each epoch's metrics under Keras's own names, the learning rate, and how the model is trained.

    Steps are epochs, from `initial_epoch` on, so that training that goes on fits behind what was logged.

    Args:
        experiment: Of the run that is started when no run is active.
        run: Where to log; left out, the active run, or one that is ended with the training.
        every: Log every so many batches too, as `batch/<metric>`; 0 for none.
        settings: More for `tracking.start_run`: name, tags, resume, store, ….
    """

    def __init__(
        self, experiment: str = "keras", *, run: tracking.Run | None = None, every: int = 0, **settings: Any
    ) -> None:
        super().__init__()
        self._held = HeldRun(run, experiment, settings)
        self._every = every
        self._batches = 0
        self._epoch = 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start or find the run, and log how the model is trained."""
        if _rank() == 0:
            run = self._held.begin()
            run.log_params({"keras": self._description()})

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Log a batch, when asked to."""
        self._batches += 1
        if self._every and self._held.run is not None and self._batches % self._every == 0:
            # Epochs are the other metrics' steps; the summed batches are these ones'.
            done = self._epoch * int((self.params or {}).get("steps") or 0) + batch
            self._held.run.log(numbers(logs, "batch/"), step=done)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Log an epoch."""
        if self._held.run is not None:
            found = numbers(logs)
            with contextlib.suppress(AttributeError, TypeError, ValueError):
                found.setdefault("learning_rate", float(self.model.optimizer.learning_rate))
            self._held.run.log(found, step=epoch)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """End the run, if it was started here."""
        self._held.end()

    def _description(self) -> dict[str, Any]:
        found: dict[str, Any] = {"model": getattr(self.model, "name", None), **(self.params or {})}
        found.pop("verbose", None)
        with contextlib.suppress(Exception):  # a model of the user's own may have none, or fail in telling
            found["optimizer"] = _plain(self.model.optimizer.get_config())
        with contextlib.suppress(Exception):
            found["parameters"] = int(self.model.count_params())
        return found


def _rank() -> int:
    jax = sys.modules.get("jax") if keras.config.backend() == "jax" else None
    return int(jax.process_index()) if jax is not None else process_rank()


def _plain(config: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value if isinstance(value, str | int | bool | None | dict) else float(value)
        for name, value in config.items()
    }
