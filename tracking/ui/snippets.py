"""Lines to copy from a page into a script or a terminal, which name the store where these would not find it. Pure."""

from __future__ import annotations

import shlex

from tracking.config import StoreLocation


def argument(location: StoreLocation) -> str:
    """Return the store as an argument in Python, empty where a script of the project finds it by itself."""
    return repr(str(location.root)) if location.named else ""


def environment(location: StoreLocation) -> str:
    """Return the setting before a command in a shell, with a space behind it; empty as in `argument`."""
    return f"TRACKING_STORE={shlex.quote(str(location.root))} " if location.named else ""
