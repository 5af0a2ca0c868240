"""Classes of a classification problem, in order, with their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tracking.client.media.arrays import as_array
from tracking.errors import InvalidValue
from tracking.validation import storable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_CLASSES = 1_000


def class_values(values: Any, what: str) -> NDArray[Any]:
    """Return one class a row, as numbers or strings.

    Raises:
        InvalidValue: It has another shape, or a value is missing.
    """
    import numpy as np

    array = as_array(values, what)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or not len(array):
        raise InvalidValue(
            f"{what} needs one class for each example, not an array of shape {array.shape}. "
            "Of scores take argmax(axis=1) first."
        )
    if array.dtype.kind == "O":
        from tracking.artifacts.columns import is_missing

        if any(map(is_missing, array.tolist())):
            raise InvalidValue(f"{what} has examples without a class. Leave them out.")
        if all(isinstance(value, (bool, np.bool_)) for value in array.tolist()):
            return array.astype(np.bool_)
        if all(isinstance(value, (int, np.integer)) for value in array.tolist()):
            return array.astype(np.int64)
        return array.astype(str)
    if array.dtype.kind == "f":
        if not np.isfinite(array).all() or not (array == np.rint(array)).all():
            raise InvalidValue(f"{what} holds fractions or NaN, which are no classes.")
        return array.astype(np.int64)
    if array.dtype.kind not in "biuUS":
        raise InvalidValue(f"{what} of {array.dtype} holds no classes.")
    return array


def classes_of(*columns: NDArray[Any], labels: Sequence[Any] | None) -> tuple[NDArray[Any], list[str]]:
    """Return the classes as they occur, in order, and what they are called.

    `labels` are the classes in the order wanted; where the classes are the numbers 0 to k - 1, k strings are
    their names.

    Raises:
        InvalidValue: A class is not among the labels, labels repeat, or there are more than 1,000.
    """
    import numpy as np

    if any(column.dtype.kind in "US" for column in columns):
        columns = tuple(column.astype(str) for column in columns)
    found = np.unique(np.concatenate(columns))
    if len(found) > MAX_CLASSES or (labels is not None and len(labels) > MAX_CLASSES):
        raise InvalidValue(f"there are {len(found):,} classes; up to {MAX_CLASSES:,} are kept.")
    if labels is None:
        return found, [_name(value) for value in found.tolist()]
    given = [label.item() if hasattr(label, "item") else label for label in labels]
    names = [_name(value) for value in given]
    if len(set(names)) < len(names) or not names:
        raise InvalidValue("labels= is empty or names a class twice.")
    numbered = found.dtype.kind in "iub" and all(isinstance(value, str) for value in given)
    if numbered:
        ordered: NDArray[Any] = np.arange(len(given))
        if int(found.min()) < 0 or int(found.max()) >= len(given):
            raise InvalidValue(f"there are classes beyond the {len(given)} names of labels=.")
        return ordered, names
    wanted = np.array([str(value) for value in given]) if found.dtype.kind in "US" else np.asarray(given)
    missing = sorted(set(found.tolist()) - set(wanted.tolist()), key=str)
    if missing:
        raise InvalidValue(f"labels= lacks the class {missing[0]!r:.80}, which occurs.")
    return wanted, names


def positions(column: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.intp]:
    """Return for each example the place of its class, shape (n,)."""
    import numpy as np

    if classes.dtype.kind in "US":
        column = column.astype(str)
    order = np.argsort(classes, kind="stable")
    found: NDArray[np.intp] = order[np.searchsorted(classes, column, sorter=order)]
    return found


def _name(value: Any) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return storable(text)[:200]
