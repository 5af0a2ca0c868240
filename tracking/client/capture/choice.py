"""What to capture: the sections there are, and which of them a run wants."""

from __future__ import annotations

from collections.abc import Iterable

from tracking.client.notices import tell
from tracking.config import capture_setting
from tracking.errors import InvalidValue

SECTIONS = {
    "git": "commit, branch, remote, whether tracked files differ, names of untracked files",
    "diff": "what tracked files differ by, secrets left out",
    "script": "the script and its arguments, secrets masked",
    "source": "the script's source, where git does not have it",
    "python": "the interpreter",
    "packages": "installed packages and their versions",
    "host": "machine, CPU, memory, GPUs",
    "notebook": "the cells run so far, at the run's end",
    "console": "what is printed",
    "system": "metrics of machine and process every few seconds, under system/",
}
OF_EVERY_RANK = frozenset({"host", "console", "system"})
"""What each process of a distributed run records; the rest is the launch's and comes from rank 0."""


def chosen_sections(capture: bool | Iterable[str]) -> frozenset[str]:
    """Return the sections that `capture=` asks for; True leaves it to `TRACKING_CAPTURE`.

    Raises:
        InvalidValue: A name given as `capture=` is none of `SECTIONS`; the message names those there are.
    """
    if capture is False:
        return frozenset()
    if capture is True:
        setting = capture_setting()
        return frozenset(SECTIONS) if setting is None else _of_environment(setting)
    if isinstance(capture, (str, bytes)) or not isinstance(capture, Iterable):
        raise InvalidValue(
            f"capture={capture!r} is neither True, False nor a list of names, such as capture=['git', 'host']."
        )
    return _checked(list(capture), "capture")


_told: set[tuple[str, ...]] = set()


def _of_environment(names: list[str]) -> frozenset[str]:
    """Return what `TRACKING_CAPTURE` names; everything, with one warning, where it cannot be read.

    It may be set for a machine, far from the script: a slip there must not end a training.
    """
    try:
        return _checked(names, "TRACKING_CAPTURE")
    except InvalidValue as error:
        if tuple(names) not in _told:
            _told.add(tuple(names))
            tell(f"{error} Everything is captured.")
        return frozenset(SECTIONS)


def _checked(names: list[object] | list[str], where: str) -> frozenset[str]:
    for name in names:
        if not isinstance(name, str) or name not in SECTIONS:
            raise InvalidValue(f"{where}: {name!r} cannot be captured. There are {', '.join(SECTIONS)}.")
    return frozenset(name for name in names if isinstance(name, str))
