"""Names of models and aliases, and references such as `digits@champion`.

Names are plain ASCII, since a name is typed in a terminal and reads the same everywhere. Those that look alike
(`Digits`, `digits`, `DIGITS_`; `my-model`, `my_model`, `my.model`) are one name.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from operator import index

from tracking.errors import InvalidValue, NotFound

MODEL_LIMIT = 100
ALIAS_LIMIT = 50
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_RUNS = re.compile(r"[-_.]+")
_LATEST = "latest"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Reference:
    """A version as people name it: by its number, or by the alias that it holds; one of both is None."""

    model: str
    number: int | None
    alias: str | None


def checked_model(name: object) -> str:
    """Return a model's name as it is stored.

    Raises:
        InvalidValue: It cannot be one.
    """
    return _checked(name, "A model's name", MODEL_LIMIT, "digits-svm")


def key_of(name: str) -> str:
    """Return what look-alike names share."""
    return _RUNS.sub("-", name.casefold()).strip("-")


def checked_alias(alias: object) -> str:
    """Return an alias as it is stored: in lower case.

    Raises:
        InvalidValue: It cannot be one.
    """
    found = _checked(alias, "An alias", ALIAS_LIMIT, "champion").lower()
    if found.isdigit():
        raise InvalidValue(
            f"An alias is not all digits, as {found!r} is: that would read as a version's number. Take a word."
        )
    if key_of(found) == _LATEST:
        raise InvalidValue(
            "'latest' is no alias: who holds one is decided by a promotion, never by the clock. The newest version is "
            "the first of store.versions(name)."
        )
    return found


def parse_reference(reference: object) -> Reference:
    """Return what `name@alias` or `name/3` refers to.

    Raises:
        InvalidValue: It is neither.
    """
    if not isinstance(reference, str):
        raise InvalidValue(
            f"A version is referred to as 'digits@champion' or 'digits/3', not by a {type(reference).__name__}."
        )
    text = unicodedata.normalize("NFKC", reference).strip()
    if "@" in text:
        name, _, alias = text.partition("@")
        return Reference(checked_model(name), None, checked_alias(alias))
    name, slash, number = text.rpartition("/")
    if not slash:
        raise InvalidValue(
            f"{reference!r:.120} does not say which version. Write 'name@alias', such as 'digits@champion', or "
            "'name/number', such as 'digits/3'."
        )
    return Reference(checked_model(name), checked_number(number), None)


def is_reference(text: object) -> bool:
    """Whether text is more than a model's name."""
    return isinstance(text, str) and ("@" in text or "/" in text)


def checked_number(number: object) -> int:
    """Return a version's number, also of one written in digits.

    Raises:
        InvalidValue: It is no whole number from 1.
    """
    if isinstance(number, str) and number.isascii() and number.isdigit() and len(number) < 10:
        number = int(number)
    try:
        found = 0 if isinstance(number, bool) else index(number)  # type: ignore[arg-type]
    except TypeError:
        found = 0
    if not 1 <= found < 1 << 31:
        raise InvalidValue(f"A version's number is a whole number from 1, not {number!r:.60}.")
    return found


def checked_moment(at: object) -> int:
    """Return a moment in microseconds since 1970-01-01 UTC.

    A date without a time is the end of that day, so that the holder "on that day" is who had the alias when it was
    over. A time without a zone is UTC.

    Raises:
        InvalidValue: It is no date.
    """
    given = at
    if isinstance(at, str):
        text = at.strip()
        try:
            at = date.fromisoformat(text) if len(text) <= 10 else datetime.fromisoformat(text)
        except ValueError:
            raise InvalidValue(
                f"at={given!r:.60} is no date. Write it as '2026-03-03', or with a time: '2026-03-03T12:00' (UTC)."
            ) from None
    try:
        if isinstance(at, datetime):
            moment = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
            return (moment - _EPOCH) // timedelta(microseconds=1)
        if isinstance(at, date):
            began = datetime(at.year, at.month, at.day, tzinfo=UTC)
            return (began - _EPOCH) // timedelta(microseconds=1) + 86_400_000_000 - 1
    except OverflowError:
        pass
    raise InvalidValue(f"at={given!r:.60} is no date: give a datetime, a date, or text such as '2026-03-03'.")


def no_model(name: str, names: list[str]) -> NotFound:
    """Return the error for a model that there is not, with the way out."""
    if not names:
        return NotFound(
            f"There is no model {name!r}: the registry is empty. store.register({name!r}, run_id) makes it."
        )
    close = get_close_matches(name, names, n=3, cutoff=0.5)
    told = f"Did you mean {' or '.join(map(repr, close))}?" if close else f"There are: {_some(names)}."
    return NotFound(f"There is no model {name!r}. {told}")


def _some(names: list[str]) -> str:
    return ", ".join(names[:10]) + (", …" if len(names) > 10 else "")


def _checked(name: object, what: str, limit: int, example: str) -> str:
    if not isinstance(name, str):
        raise InvalidValue(f"{what} is text, such as {example!r}, not a {type(name).__name__}.")
    found = unicodedata.normalize("NFKC", name).strip()
    if not found:
        raise InvalidValue(f"{what} is empty. Take one such as {example!r}.")
    if len(found) > limit:
        raise InvalidValue(
            f"{what} has up to {limit} characters; {found[:40]!r}… has {len(found):,}. Shorten it."
        )
    if not _NAME.fullmatch(found):
        wrong = next((each for each in found if not re.fullmatch(r"[A-Za-z0-9._-]", each)), found[0])
        if wrong.isalpha() and not wrong.isascii():
            why = f"{wrong!r} is a letter that can be mistaken for another one"
        elif wrong == found[0] and wrong in "._-":
            why = "it begins with a letter or a digit"
        else:
            why = f"{wrong!r} cannot be in it"
        raise InvalidValue(
            f"{what} is made of the letters A to Z, digits and . _ -, such as {example!r}; in {name!r:.120} {why}."
        )
    return found
