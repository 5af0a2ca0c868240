"""The cells that were run in this notebook or IPython session so far."""

from __future__ import annotations

import sys
from typing import Any

from tracking.client.capture.secret_lines import mask_text

CELLS_LIMIT = 1 << 20
"""Characters; of a longer session the newest cells are kept."""


def shell() -> Any:
    """Return IPython's shell of this process, None where there is none. Imports nothing."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else getattr(ipython, "get_ipython", lambda: None)()


def read_cells() -> tuple[bytes, dict[str, Any]] | None:
    """Return the cells run so far as one Python text in cells, and the "notebook" section; None outside."""
    history = getattr(shell(), "history_manager", None)
    cells = list(getattr(history, "input_hist_raw", None) or [])[1:]
    if not cells:
        return None
    kept: list[str] = []
    length = 0
    for number, cell in reversed(list(enumerate(cells, start=1))):
        text = f"# %% In [{number}]\n{mask_text(str(cell))}\n"
        length += len(text)
        if length > CELLS_LIMIT:
            break
        kept.append(text)
    data: dict[str, Any] = {"cells": len(cells)}
    if len(kept) < len(cells):
        data["left_out"] = len(cells) - len(kept)
    return "\n".join(reversed(kept)).encode("utf-8", "backslashreplace"), data
