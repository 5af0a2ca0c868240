"""A table as estimators get it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tracking.tuning.tables.task import Task

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Table:
    """Rows to learn from, checked against their target.

    Attributes:
        source: Where they come from: `sklearn:iris`, a path in the project, `<run id>/<artifact name>`.
        task: Classes or numbers.
        features: The columns that are used, shape (rows, columns): float64 with NaN, and texts (object) with NaN.
        values: What is to be predicted, shape (rows,): labels as they are in the column, or float64.
        numbers: Names of the columns of numbers; truth values are 0 and 1.
        categories: Names of the columns of texts.
        column: Name of the column to predict.
        notes: Sentences on what was left out and why.
    """

    source: str
    task: Task
    features: pd.DataFrame
    values: NDArray[Any]
    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    column: str
    notes: tuple[str, ...] = ()

    @property
    def labels(self) -> int | None:
        """How many classes there are; None for numbers."""
        if self.task is Task.REGRESSION:
            return None
        import numpy as np

        return len(np.unique(self.values))
