"""Which columns of a table can be learned from, as numbers or as categories, and which cannot and why."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_ID_SHARE = 0.5
"""A column of texts with so many different ones that most rows have their own tells rows apart, not kinds."""
_ID_LEAST = 20
_ID_NAME = re.compile(r"(.*[_\s.-])?(id|idx|index|uuid|row|nr|key)|unnamed: \d+|.*[a-z]Id", re.IGNORECASE)
_DATE = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}([ T].*)?|\d{1,2}[./]\d{1,2}[./]\d{2,4}( .*)?|\d{4}/\d{1,2}/\d{1,2}( .*)?"
)
_LOOKED_AT = 200
_NAMED = 8


@dataclass(slots=True)
class Columns:
    """Columns by use; `dropped` has the names by reason."""

    frame: pd.DataFrame
    numbers: list[str] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    dropped: dict[str, list[str]] = field(default_factory=dict)
    infinite: list[str] = field(default_factory=list)

    def notes(self) -> list[str]:
        """Return a sentence for each reason."""
        found = [f"Left out, {why}: {_listed(names)}." for why, names in self.dropped.items()]
        if self.infinite:
            found.append(f"Infinite values count as missing: {_listed(self.infinite)}.")
        return found


def usable_columns(frame: pd.DataFrame) -> Columns:
    """Return the columns that can be learned from, converted.

    Truth values become 0 and 1, categories texts. Dates, ids, texts that nearly all differ, and columns that never
    change are left out: a pipeline of scikit-learn's own parts, which a model file is made of, has no use for them.

    Args:
        frame: The features as they were read.
    """
    import pandas as pd

    columns = Columns(frame)
    kept: dict[str, pd.Series[Any]] = {}
    for name in frame.columns:
        series = frame[name]
        why, converted, number = _use(str(name), series)
        if why:
            columns.dropped.setdefault(why, []).append(str(name))
            continue
        if number:
            infinite = converted.abs() == float("inf")
            if infinite.any():
                converted = converted.mask(infinite)
                columns.infinite.append(str(name))
        (columns.numbers if number else columns.categories).append(str(name))
        kept[str(name)] = converted
    columns.frame = pd.DataFrame(kept, index=frame.index)
    return columns


def _use(name: str, series: Any) -> tuple[str, Any, bool]:
    """Return why a column is left out, or what it becomes and whether that is numbers."""
    from pandas.api import types

    present = series.dropna()
    if present.empty:
        return "without any value", series, False
    if types.is_datetime64_any_dtype(series) or _temporal(series):
        return "dates and times", series, False
    try:
        differing = series.nunique(dropna=False)
    except TypeError:
        return "lists or other values that are no plain ones", series, False
    if differing == 1:
        return "the same value in every row", series, False
    if isinstance(series.dtype, _category()):
        series = series.astype(series.cat.categories.dtype)
    if is_truth(series):
        return "", series.astype("float64"), True
    if types.is_complex_dtype(series):
        return "complex numbers", series, False
    number = series if types.is_numeric_dtype(series) else decimals(series)
    if number is not None:
        if _is_index(name, number):
            return "numbers of the rows", series, False
        return "", number.astype("float64"), True
    texts = series.map(str, na_action="ignore").astype(object)
    texts = texts.where(series.notna(), float("nan"))
    if _all_dates(present):
        return "dates and times", series, False
    if differing > max(_ID_LEAST, _ID_SHARE * len(series)):
        return "texts or ids that differ in most rows", series, False
    return "", texts, False


def _temporal(series: Any) -> bool:
    import datetime

    if series.dtype.kind == "m" or str(series.dtype).startswith("period"):
        return True
    some = series.dropna().iloc[:_LOOKED_AT]
    return series.dtype == object and all(isinstance(each, datetime.date | datetime.time) for each in some)


def is_truth(series: Any) -> bool:
    """Whether a column holds truth values and nothing else but missing ones."""
    from pandas.api import types

    if types.is_bool_dtype(series):
        return True
    return series.dtype == object and set(map(type, series.dropna())) == {bool}


def decimals(series: Any) -> Any:
    """Return a column of Python's own numbers as one of numbers; None for any other."""
    import decimal

    import pandas as pd

    # Objects only: texts of digits may be codes, whose order means nothing.
    plain = int | float | decimal.Decimal
    if series.dtype == object and all(isinstance(each, plain) for each in series.dropna()):
        return pd.to_numeric(series, errors="coerce")
    return None


def _is_index(name: str, series: Any) -> bool:
    """Whether whole numbers tell the rows apart: an id by its name, all different, or one that counts the rows."""
    from pandas.api import types

    if (
        not types.is_integer_dtype(series)
        or series.hasnans
        or not series.is_unique
        or len(series) < _ID_LEAST
    ):
        return False
    return _ID_NAME.fullmatch(name) is not None or bool((series.diff().iloc[1:] == 1).all())


def _all_dates(present: Any) -> bool:
    some = present.iloc[:_LOOKED_AT]
    return all(isinstance(each, str) and _DATE.fullmatch(each.strip()) for each in some)


def _category() -> type:
    import pandas as pd

    return pd.CategoricalDtype


def _listed(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(f"{name:.60}" for name in names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
