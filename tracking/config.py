"""Where the store is and how the process was told to behave.

The one place that reads the environment: argument, then environment, then default.

    TRACKING_STORE    folder of the store, instead of the nearest `.tracking/`
    TRACKING_OFF      1: runs are started, nothing is kept
    TRACKING_KEY      the dashboard's launch key (set by the launcher for its server)
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tracking.errors import InvalidValue

STORE_FOLDER = ".tracking"


@dataclass(frozen=True, slots=True)
class StoreLocation:
    """A store's folder and the places inside it. Nothing here touches the disk."""

    root: Path
    named: bool = False
    """Whether the folder was named, by argument or environment, or found by search."""

    @property
    def database(self) -> Path:
        return self.root / "tracking.db"

    @property
    def spool(self) -> Path:
        return self.root / "spool"

    @property
    def objects(self) -> Path:
        return self.root / "objects"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def backups(self) -> Path:
        return self.root / "backups"

    @property
    def project(self) -> Path:
        """The folder whose work the store holds: its parent, or the working directory if it was named."""
        return Path.cwd() if self.named else self.root.parent


def locate_store(store: str | os.PathLike[str] | None = None) -> StoreLocation:
    """Return the place of the store: argument, `TRACKING_STORE`, nearest `.tracking/`, or a new one here.

    Args:
        store: The folder itself (it holds `tracking.db`), or None to search.

    Raises:
        InvalidValue: The argument is a database URL, an existing file or an empty string.
    """
    given = store if store is not None else os.environ.get("TRACKING_STORE")
    if given is not None:
        return StoreLocation(_named_folder(given), named=True)
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / STORE_FOLDER).is_dir():
            return StoreLocation((folder / STORE_FOLDER).resolve())
    return StoreLocation((here / STORE_FOLDER).resolve())


def _named_folder(given: str | os.PathLike[str]) -> Path:
    text = os.fspath(given)
    if not isinstance(text, str) or not text.strip():
        raise InvalidValue("store= takes the folder of a store, for example store='.tracking'.")
    if "://" in text or text.startswith("sqlite:"):
        raise InvalidValue(
            f"store={text!r} looks like a database URL. Podium keeps its store in a folder for now: "
            "give a folder, for example store='.tracking'."
        )
    if "\0" in text:
        raise InvalidValue("store= holds a NUL character; give the folder's plain path.")
    path = Path(text).expanduser().resolve()
    if path.is_file():
        raise InvalidValue(f"store={text!r} is a file. Give the folder that holds tracking.db.")
    return path


def tracking_is_off() -> bool:
    """Whether `TRACKING_OFF` asks for runs that keep nothing."""
    return os.environ.get("TRACKING_OFF", "").strip().lower() in ("1", "true", "yes", "on")


def launch_key() -> str | None:
    """Return the dashboard key that the launcher handed to this process, if any."""
    return os.environ.get("TRACKING_KEY") or None
