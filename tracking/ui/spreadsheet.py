"""Text of tables that a spreadsheet would run as a formula, once it is exported from the browser. Pure.

Streamlit's own export of a table writes cells as they are. `python -m tracking export` puts an apostrophe
before such text; on a page it would be seen, so here it is a character of no width.
"""

from __future__ import annotations

import re
from typing import Any, Final

import pandas as pd

JOINER: Final = "\u2060"
"""Word joiner: no width, no space, and no beginning of a formula."""

# A minus begins options and numbers more often than formulas: it takes a call or a reference to make one.
_FORMULA: Final = re.compile(r"[=+@\t\r]|-.*[(|!]", re.DOTALL)
_NUMBER: Final = re.compile(r"[+-]?\d[\d,_]*\.?\d*(e[+-]?\d+)?", re.IGNORECASE)


def harmless(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with a joiner before every text that would be a formula; itself when there is none.

    Names of columns are such texts, too: an export begins with them.
    """
    names = [_guarded(name) for name in frame.columns]
    changed = frame
    if any(new is not old for new, old in zip(names, frame.columns, strict=True)):
        changed = frame.set_axis(names, axis="columns")
    for place in range(frame.shape[1]):
        cells = frame.iloc[:, place]
        if not pd.api.types.is_string_dtype(cells.dtype) and cells.dtype != "object":
            continue
        values = cells.tolist()
        guarded = [_guarded(value) for value in values]
        if any(new is not old for new, old in zip(guarded, values, strict=True)):
            changed = changed.copy() if changed is frame else changed
            changed.isetitem(place, pd.Series(guarded, dtype=cells.dtype).array)
    return changed


def _guarded(value: Any) -> Any:
    if isinstance(value, str) and _FORMULA.match(value.lstrip(" ")) and not _NUMBER.fullmatch(value):
        return JOINER + value
    return value
