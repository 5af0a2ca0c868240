"""Rows that a model was shown when it was logged, with what it predicted: so that a model read back can be tried.

From them comes its signature: {"inputs": …, "outputs": …}, each one of

    {"kind": "frame", "columns": [{"name": "age", "type": "float64"}, …]}
    {"kind": "array", "type": "float64", "shape": [null, 4]}          null: one for each row
    {"kind": "texts"}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tracking.errors import InvalidValue
from tracking.validation import storable

EXTENSION = ".example.json"
MEDIA = "application/json"
ROWS = 100
COLUMNS = 1_000
"""That a signature names; the example has all."""
BYTES = 16 << 20
_TEXTS = "text"
_NUMBERS = "biuf"


@dataclass(frozen=True, slots=True)
class Example:
    """Rows and predictions as bytes, with the signature that they show."""

    data: bytes
    signature: Mapping[str, Any]

    @property
    def is_frame(self) -> bool:
        """Whether the model was given a frame of pandas."""
        return bool(self.signature["inputs"]["kind"] == "frame")


def encode_example(model: Any, example: Any) -> bytes:
    """Return rows and the model's predictions of them as JSON; see `take_example`."""
    return take_example(model, example).data


def take_example(model: Any, example: Any) -> Example:
    """Return rows, the model's predictions of them, and the signature.

    Args:
        model: Fitted; it predicts the rows.
        example: A frame of pandas, a list of dicts (a frame is made of them), an array of numbers of shape
            (rows, columns), or a list of texts; the first 100 rows are kept.

    Raises:
        InvalidValue: It is none of these, is empty or too large, or the model cannot predict it.
    """
    import numpy as np

    rows, columns, types, cells = _taken(example)
    if not cells:
        raise InvalidValue("input_example has no rows.")
    try:
        predicted = np.asarray(model.predict(rows))
    except Exception as error:  # whatever an estimator raises
        reason = " ".join(str(error).split())[:300]
        raise InvalidValue(
            f"The model cannot predict its input_example: {type(error).__name__}: {reason}"
        ) from None
    value = {"columns": columns, "types": types, "rows": [list(map(_plain, row)) for row in cells]}
    data = json.dumps({**value, "predictions": plain_predictions(predicted)}, allow_nan=False).encode()
    if len(data) > BYTES:
        raise InvalidValue(
            f"input_example and its predictions take {len(data):,} bytes; up to {BYTES:,} are kept. Give fewer rows."
        )
    return Example(data, {"inputs": _inputs(rows, columns, types), "outputs": _array(predicted, len(cells))})


def decode_example(data: bytes) -> tuple[Any, list[Any]]:
    """Return the rows, as a frame, an array or a list of texts, and the predictions; None is a missing value.

    Raises:
        InvalidValue: It is no such file.
    """
    import numpy as np

    try:
        value = json.loads(data)
        columns, types, rows = value["columns"], value["types"], value["rows"]
        predictions = list(value["predictions"])
        if columns is None and types == [_TEXTS]:
            return [str(text) for (text,) in rows], predictions
        if columns is None:
            if np.dtype(types[0]).kind not in _NUMBERS:
                raise ValueError("An array of numbers has another type.")
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


def plain_predictions(predicted: Any) -> list[Any]:
    """Return predictions as the lists, numbers and texts that the example keeps."""
    import numpy as np

    found = _plain(np.asarray(predicted).tolist())
    return found if isinstance(found, list) else [found]


def _taken(example: Any) -> tuple[Any, list[str] | None, list[str], list[list[Any]]]:
    """Return the rows as the model gets them, names of columns or None, types, and the cells."""
    import numpy as np

    if isinstance(example, list | tuple) and example and all(isinstance(row, Mapping) for row in example):
        import pandas as pd

        example = pd.DataFrame(list(example))
    if hasattr(example, "iloc") and hasattr(example, "columns"):
        rows = example.iloc[:ROWS]
        columns = [str(name) for name in rows.columns]
        if len(set(columns)) < len(columns):
            raise InvalidValue("input_example has two columns of one name. Rename one of them.")
        cells = [list(row) for row in rows.itertuples(index=False, name=None)]
        return rows, columns, [str(kind) for kind in rows.dtypes], cells
    rows = np.atleast_1d(np.asarray(example))[:ROWS]
    texts = [str(text) for text in example][:ROWS] if np.ndim(example) == 1 and _are_texts(example) else []
    if texts:
        return texts, None, [_TEXTS], [[text] for text in texts]
    if rows.ndim != 2 or rows.dtype.kind not in _NUMBERS:
        raise InvalidValue(
            "input_example is a data frame, a list of dicts, a list of texts, or an array of numbers of shape "
            "(rows, columns): give a few rows of what the model was fitted on."
        )
    return rows, None, [str(rows.dtype)], rows.tolist()


def _are_texts(values: Any) -> bool:
    return all(isinstance(each, str) for each in values)


def _inputs(rows: Any, columns: list[str] | None, types: list[str]) -> dict[str, Any]:
    if columns is not None:
        named = [{"name": storable(name), "type": kind} for name, kind in zip(columns, types, strict=True)]
        more = len(named) - COLUMNS
        return {"kind": "frame", "columns": named[:COLUMNS], **({"more": more} if more > 0 else {})}
    return {"kind": "texts"} if types == [_TEXTS] else _array(rows, len(rows))


def _array(values: Any, rows: int) -> dict[str, Any]:
    kind = values.dtype.kind
    text = kind in "UT" or (kind == "O" and all(isinstance(each, str) for each in values.ravel().tolist()))
    first = [None] if values.ndim and values.shape[0] == rows else list(values.shape[:1])
    shape = [*first, *map(int, values.shape[1:])]
    return {"kind": "array", "type": "text" if text else str(values.dtype), "shape": shape}


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
