"""The commands of `tracking sweep`, and what they share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from tracking.cli.app import app
from tracking.config import StoreLocation, locate_store
from tracking.errors import InvalidValue, NotFound
from tracking.exports.cells import printable

if TYPE_CHECKING:
    from tracking.tuning.definition import Choice

sweep_app = typer.Typer(
    name="sweep",
    help="Tune a script, a function or a model on a table: start sweeps, watch and steer them.",
    no_args_is_help=True,
)
app.add_typer(sweep_app)

_ESCAPED = re.compile(r"\\x[0-9a-f]{2}|\\u[0-9a-f]{4}")


def _as_printed(name: str) -> str:
    """Return a name with the characters that `printable` writes as escapes, as they are: what is shown can be typed."""

    def character(found: re.Match[str]) -> str:
        each = chr(int(found.group()[2:], 16))
        return found.group() if printable(each) == each else each

    return _ESCAPED.sub(character, name)


NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Of the sweep.", callback=_as_printed)]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON, one object a line.")]
TimeOption = Annotated[str | None, typer.Option("--time", metavar="SPAN", help="Such as 90s, 30m, 2h or 1d.")]
MemoryOption = Annotated[str | None, typer.Option("--memory", metavar="SIZE", help="Such as 512MB or 4GB.")]


def existing_location(store: str | None) -> StoreLocation:
    """Return the place of a store that is there; raises NotFound."""
    location = locate_store(store)
    if not location.database.exists():
        raise NotFound(
            f"There is no store at {location.root}. Go to the project's folder, or name one with --store."
        )
    return location


def seconds_of(text: str | None, option: str = "--time") -> float | None:
    """Return a span as `2h` in seconds; raises InvalidValue."""
    return _measured(text, option, "seconds")


def bytes_of(text: str | None) -> int | None:
    """Return a size as `4GB` in bytes; raises InvalidValue."""
    found = _measured(text, "--memory", "bytes")
    return None if found is None else int(found)


def _measured(text: str | None, option: str, kind: str) -> float | None:
    if text is None:
        return None
    from tracking.tuning.definition_fields import Fields, Problems

    problems = Problems()
    fields = Fields({option: int(text) if text.isdecimal() else text}, (), problems)
    found: float | None = getattr(fields, kind)(option)
    if problems.found:
        raise InvalidValue(f"{option} {problems.found[0].sentence}")
    return found


def number_of(text: str | None, option: str) -> float | int | None:
    """Return a number: an int where it is written as one."""
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise InvalidValue(f"{option} {text!r:.80} is no number.") from None


def choice_of(text: str, *, as_text: bool = False) -> Choice:
    """Return a choice: true, false, null and numbers are what they are in TOML and JSON, all else is text."""
    if as_text:
        return text
    words: dict[str, Choice] = {"true": True, "false": False, "null": None, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        return number_of(text, "")
    except InvalidValue:
        return text
