"""How this process was started: script, module, notebook or a text, its arguments and its source."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracking.client.capture.notebook import shell
from tracking.client.capture.secret_lines import mask_text
from tracking.client.capture.secrets import mask_arguments
from tracking.config import notebook_file

SOURCE_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """How the process was started, as seen at a run's start.

    Attributes:
        kind: "file", "module" (`python -m`), "command" (`python -c`), "stdin", "notebook" or "interactive"; of what a
            sweep evaluates "function" or "table".
        path: Of the script, of the module's or function's file or of the notebook; None where there is none.
        module: Name of the module.
        arguments: As the script sees them, unmasked.
        text: The program of `python -c`.
        here: The working directory.
    """

    kind: str
    path: str | None
    module: str | None
    arguments: tuple[str, ...]
    text: str | None
    here: str

    @property
    def file(self) -> str | None:
        """The file whose source is the program."""
        return self.path if self.kind in ("file", "module", "function") else None


_stood_for: tuple[str, str | None] | None = None


def stand_for(kind: str, path: str | None) -> None:
    """Say what this process is about, where the program that was started is ours: kind and path of an `Entry`."""
    global _stood_for
    _stood_for = (kind, path)


def entry_of_process() -> Entry:
    """Look at how this process was started. Quick: nothing is read but what the interpreter knows."""
    here = _working_directory()
    if _stood_for is not None:
        return Entry(*_stood_for, None, tuple(map(str, sys.argv[1:])), None, here)
    arguments = tuple(str(argument) for argument in sys.argv[1:])
    kernel = shell()
    if kernel is not None:
        graphic = type(kernel).__name__ == "ZMQInteractiveShell"
        path = (getattr(kernel, "user_ns", None) or {}).get("__vsc_ipynb_file__") or notebook_file()
        # The arguments are those of the kernel.
        return Entry(
            "notebook" if graphic else "interactive", path if graphic else None, None, (), None, here
        )
    main = sys.modules.get("__main__")
    file = getattr(main, "__file__", None)
    spec = getattr(main, "__spec__", None)
    if file is None or str(file).startswith("<"):  # "<stdin>"
        first = sys.argv[0] if sys.argv else ""
        kind = {"-c": "command", "-": "stdin"}.get(first, "interactive" if sys.flags.interactive else "stdin")
        if kind == "stdin" and hasattr(sys, "ps1"):
            kind = "interactive"
        return Entry(kind, None, None, arguments, _text_of_command() if kind == "command" else None, here)
    path = os.path.join(here, file)
    if spec is not None:
        name = str(spec.name).removesuffix(".__main__")
        return Entry("module", path, name, arguments, None, here)
    return Entry("file", path, None, arguments, None, here)


def prepare() -> None:
    """Let the interpreter load its own settings, which `repository_folder` asks for."""
    import sysconfig  # not at a run's start: reads a large table

    sysconfig.get_path("scripts")


def repository_folder(entry: Entry) -> str:
    """Return whose repository is looked at: the script's folder, or the working directory where the script is
    none or an installed program."""
    file = entry.file
    return entry.here if file is None or _is_installed(file) else os.path.dirname(file)


def script_section(entry: Entry) -> dict[str, Any]:
    """Return the "script" section."""
    data: dict[str, Any] = {
        "path": entry.path,
        "arguments": mask_arguments(entry.arguments),
        "entry": entry.kind,
    }
    if entry.module is not None:
        data["module"] = entry.module
    if entry.kind == "notebook":
        data["notebook"] = entry.path
    return data


def read_source(entry: Entry) -> tuple[bytes, dict[str, Any]] | None:
    """Return the program's source, secrets masked, and the "source" section; None where there is none."""
    if entry.file is not None:
        if not entry.file.endswith((".py", ".pyw", ".py3")) and not _is_text(entry.file):
            return None
        with open(entry.file, "rb") as file:
            raw = file.read(SOURCE_LIMIT + 1)
        data: dict[str, Any] = {"name": os.path.basename(entry.file)}
    elif entry.text is not None:
        raw, data = entry.text.encode("utf-8", "backslashreplace"), {"name": "-c"}
    else:
        return None
    if len(raw) > SOURCE_LIMIT:
        data["cut"] = True
    source = mask_text(raw[:SOURCE_LIMIT].decode("utf-8", "replace"))
    return source.encode("utf-8", "backslashreplace"), data


def python_section() -> dict[str, Any]:
    """Return the "python" section."""
    return {
        "version": ".".join(str(part) for part in sys.version_info[:3])
        + ("" if sys.version_info.releaselevel == "final" else sys.version_info.releaselevel),
        "implementation": sys.implementation.name,
        "executable": sys.executable,
        "prefix": sys.prefix,
    }


def _text_of_command() -> str | None:
    given = list(getattr(sys, "orig_argv", []))
    for at, argument in enumerate(given[1:], start=1):
        if argument.startswith("-") and not argument.startswith("--") and argument.endswith("c"):
            return given[at + 1] if at + 1 < len(given) else None
    return None


def _is_installed(path: str) -> bool:
    """Whether a file belongs to the interpreter or an installed package, such as a launcher in `bin`."""
    import sysconfig

    places = {sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib", "scripts")}
    real = os.path.realpath(path)
    return any(real.startswith(os.path.realpath(place) + os.sep) for place in places if place)


def _is_text(path: str) -> bool:
    with open(path, "rb") as file:
        return b"\0" not in file.read(4096)


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return str(Path(sys.prefix))
