"""Rows that a model was shown when it was logged, with what it predicted: so that a model read back can be tried."""

from __future__ import annotations

import json
from typing import Any

from tracking.errors import InvalidValue

EXTENSION = ".example.json"
MEDIA = "application/json"
ROWS = 100


def encode_example(model: Any, example: Any) -> bytes:
    """Return rows and the model's predictions of them as JSON.

    Args:
        model: Fitted; it predicts the rows.
        example: A frame of pandas or an array of shape (rows, columns); the first 100 rows are kept.

    Raises:
        InvalidValue: It is neither, is empty, or the model cannot predict it.
    """
    import numpy as np

    columns, types = None, None
    if hasattr(example, "iloc") and hasattr(example, "columns"):
        rows = example.iloc[:ROWS]
        columns = [str(name) for name in rows.columns]
        types = [str(kind) for kind in rows.dtypes]
        cells = [list(row) for row in rows.itertuples(index=False, name=None)]
    else:
        rows = np.asarray(example)[:ROWS]
        if rows.ndim != 2 or rows.dtype.kind not in "biuf":
            raise InvalidValue(
                "input_example is a data frame, or an array of numbers of shape (rows, columns): give a few rows "
                "of what the model was fitted on."
            )
        types = [str(rows.dtype)]
        cells = rows.tolist()
    if not cells:
        raise InvalidValue("input_example has no rows.")
    try:
        predictions = np.asarray(model.predict(rows)).tolist()
    except Exception as error:  # whatever an estimator raises
        reason = " ".join(str(error).split())[:300]
        raise InvalidValue(
            f"The model cannot predict its input_example: {type(error).__name__}: {reason}"
        ) from None
    value = {"columns": columns, "types": types, "rows": [list(map(_plain, row)) for row in cells]}
    return json.dumps({**value, "predictions": _plain(predictions)}, allow_nan=False).encode()


def decode_example(data: bytes) -> tuple[Any, list[Any]]:
    """Return the rows, as a frame or an array, and the predictions; None is a missing value.

    Raises:
        InvalidValue: It is no such file.
    """
    import numpy as np

    try:
        value = json.loads(data)
        columns, types, rows = value["columns"], value["types"], value["rows"]
        predictions = list(value["predictions"])
        if columns is None:
            return np.asarray([[_number(cell) for cell in row] for row in rows], dtype=types[0]), predictions
        import pandas as pd

        made = {}
        for place, (name, kind) in enumerate(zip(columns, types, strict=True)):
            cells = [row[place] for row in rows]
            numbers = kind.startswith(("float", "int", "uint"))
            made[name] = pd.Series([_number(cell) for cell in cells] if numbers else cells, dtype=kind)
        return pd.DataFrame(made), predictions
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise InvalidValue(f"This is no example of a model: {' '.join(str(error).split())[:200]}") from None


def _plain(value: Any) -> Any:
    """Return what JSON can say: a missing value as None, infinities as texts."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    value = value.item() if hasattr(value, "item") else value
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None if value != value else str(value)
    # pandas' own missing value, dates and whatever else a frame may hold.
    return None if str(value) in ("<NA>", "NaT") else str(value)


def _number(cell: Any) -> Any:
    return float("nan") if cell is None else float(cell) if isinstance(cell, str) else cell
