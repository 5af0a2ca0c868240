"""`Run.log_artifact`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tracking.client.carrying import carry_drafts
from tracking.client.guarding import GuardedVerbs
from tracking.client.progress import ProgressLine
from tracking.errors import InvalidValue
from tracking.validation import checked_step

if TYPE_CHECKING:
    from tracking.artifacts.intake import Taken

_NAMED = 5
"""How many of the files left out a warning names."""


class ArtifactVerbs(GuardedVerbs):
    """Files and folders into the store."""

    def log_artifact(
        self, path: str | os.PathLike[str], name: str | None = None, *, step: int | None = None
    ) -> None:
        """Store a copy of a file or a folder with the run, as it is at this moment.

        Equal bytes are stored once, however often and by however many runs they are logged. Of a folder,
        what is no regular file is left out with one warning, as are links that lead out of it and the files of
        a store; it is listed with the artifact. A file that changes while it is read is stored as it was read and
        marked as changed.

        Args:
            path: The file or folder.
            name: Parts separated by `/`, such as "reports/roc.png"; left out, the name of the file. Logged again
                under the same name and step, the later one shows and the earlier one stays readable.
            step: What it belongs to, so that it can be followed over the training.

        Raises:
            InvalidValue: Only with `strict=True`: there is no such file, or the name cannot be one.
                Otherwise that call is left out, with one warning.
        """
        self._carried("log_artifact", lambda: self._log_artifact(path, name, step))

    def _log_artifact(self, path: str | os.PathLike[str], name: str | None, step: int | None) -> None:
        from tracking.artifacts.intake import take
        from tracking.artifacts.names import checked_artifact_name

        if not isinstance(path, (str, os.PathLike)):
            raise InvalidValue(
                f"log_artifact takes the path of a file or a folder, not {type(path).__name__}."
            )
        given = _name_of(path) if name is None else name
        try:
            checked = checked_artifact_name(given)
        except InvalidValue as error:
            if name is None:
                raise InvalidValue(f"{error} Name it yourself: log_artifact(…, name='…').") from None
            raise
        at = None if step is None else checked_step(step)
        line = ProgressLine()
        try:
            taken = take(self._session.description.location, path, watcher=line)
        finally:
            line.end()
        event = {
            "t": "artifact",
            "name": checked,
            "kind": taken.kind.value,
            "step": at,
            "digest": taken.digest,
            "size": taken.size,
            "files": taken.files,
            "media": taken.media,
            "details": {**_extension(checked, path, taken), **taken.details},
        }
        carry_drafts(self._session, event, taken.drafts)
        self._tell(checked, taken)

    def _tell(self, name: str, taken: Taken) -> None:
        if taken.skipped:
            some = "; ".join(f"{path:.100} ({why:.200})" for path, why in taken.skipped[:_NAMED])
            more = len(taken.skipped) - _NAMED
            self._notices.once(
                f"skipped {name}",
                f"of the folder logged as {name!r}, {len(taken.skipped):,} could not be stored: {some}"
                + (f"; and {more:,} more, listed with the artifact." if more > 0 else "."),
            )
        if taken.changed:
            self._notices.once(
                f"changed {name}",
                f"{taken.changed[0]} changed while it was being stored as {name!r}; what was read is kept and marked "
                "as changed. Log a file when nobody writes to it.",
            )


def _name_of(path: str | os.PathLike[str]) -> str:
    text = os.fspath(path)
    if not isinstance(text, str):
        raise InvalidValue(f"{path!r:.120} is no path as text: give a str or a Path.")
    name = Path(text).name
    # "." and ".." are called what they are.
    return name if name not in ("", "..") else Path(os.path.realpath(text)).name


def _extension(name: str, path: str | os.PathLike[str], taken: Taken) -> dict[str, str]:
    """Return what a download adds to a name that has no extension: that of the file."""
    extension = Path(path).suffix
    known = taken.kind.value != "folder" and extension.isascii() and 1 < len(extension) <= 16
    return {"extension": extension} if known and not Path(name).suffix else {}
