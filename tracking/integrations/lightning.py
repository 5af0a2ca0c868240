"""Lightning: a logger for `Trainer`.

from tracking.integrations.lightning import LightningLogger

Trainer(logger=LightningLogger("mnist"), max_epochs=5).fit(model, data)
"""

from __future__ import annotations

from argparse import Namespace
from typing import Any

import tracking
from tracking.integrations.holding import HeldRun, numbers

try:
    from lightning.pytorch.loggers.logger import Logger, rank_zero_experiment
    from lightning.pytorch.utilities import rank_zero_only
except ModuleNotFoundError:
    from pytorch_lightning.loggers.logger import Logger, rank_zero_experiment
    from pytorch_lightning.utilities import rank_zero_only

_ENDINGS = {"success": "finished", "finished": "finished", "failed": "failed", "aborted": "interrupted"}


class LightningLogger(Logger):  # type: ignore[misc]
    """Logs what a LightningModule logs, under its names, and the hyperparameters; the first rank only.

    `test()` after `fit()` goes on with the same run.

    Args:
        experiment: Of the run that is started when no run is active.
        run: Where to log; left out, the active run, or one that is ended with the Trainer's work.
        settings: More for `tracking.start_run`: name, tags, resume, store, ….
    """

    def __init__(
        self, experiment: str = "lightning", *, run: tracking.Run | None = None, **settings: Any
    ) -> None:
        super().__init__()
        self._experiment_name = experiment
        self._held = HeldRun(run, experiment, settings)

    @property
    def name(self) -> str:
        """Name of the experiment."""
        return self._held.run.experiment if self._held.run is not None else self._experiment_name

    @property
    def version(self) -> str | None:
        """Id of the run, None before there is one."""
        return self._held.run.id if self._held.run is not None else None

    @property
    @rank_zero_experiment  # type: ignore[untyped-decorator]
    def experiment(self) -> tracking.Run:
        """The run, for what this logger does not do."""
        return self._held.begin()

    @rank_zero_only  # type: ignore[untyped-decorator]
    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """Log hyperparameters."""
        self._held.begin().log_params(vars(params) if isinstance(params, Namespace) else dict(params))

    @rank_zero_only  # type: ignore[untyped-decorator]
    def log_metrics(self, metrics: dict[str, Any], step: int | None = None) -> None:
        """Log metrics."""
        self._held.begin().log(numbers(metrics), step=step)

    @rank_zero_only  # type: ignore[untyped-decorator]
    def finalize(self, status: str) -> None:
        """End the run, if it was started here."""
        self._held.end(_ENDINGS.get(status, "finished"))
