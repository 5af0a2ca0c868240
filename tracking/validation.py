"""What may be logged, and how a user's value becomes a stored one.

Raises `InvalidValue` with a sentence that names the thing; who catches it decides
whether the user did something wrong (`start_run`) or one key is dropped (`log`).
"""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from tracking.errors import InvalidValue

KEY_LIMIT = 512
NAME_LIMIT = 512
NOTES_LIMIT = 1 << 20
DEPTH_LIMIT = 100
LEAVES_LIMIT = 10_000
INT64_MIN, INT64_MAX = -(1 << 63), (1 << 63) - 1
EXACT_INT = 1 << 53

Leaf = tuple[str, str, str, float | None, str | None]
"""One param as a spool and the table keep it: name, kind, text, number, path."""


def checked_text(text: object, what: str, *, limit: int = NAME_LIMIT) -> str:
    """Return `text` in NFC, or raise `InvalidValue` when it is no printable name of 1 to `limit` characters."""
    if not isinstance(text, str):
        raise InvalidValue(f"{what} must be a string, not {type(text).__name__}.")
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if not text.strip():
        raise InvalidValue(f"{what} is empty. Give it at least one visible character.")
    if len(text) > limit:
        raise InvalidValue(
            f"{what} has {len(text):,} characters, more than {limit}: {text[:40]!r}… Shorten it."
        )
    if not text.isprintable():
        for at, character in enumerate(text):
            if unicodedata.category(character) in ("Cc", "Cs"):
                raise InvalidValue(
                    f"{what} holds {character!r} at position {at}, a control character or half a surrogate pair. "
                    "Remove it."
                )
    return text


def normalized(text: str) -> str:
    """Return a name as it is stored (NFC, storable), for looking it up."""
    return unicodedata.normalize("NFC", storable(text))


def checked_names(names: object, what: str) -> list[str]:
    """Return the names of params given as `what=`."""
    if isinstance(names, (str, bytes)) or not isinstance(names, Iterable):
        raise InvalidValue(
            f"{what}= takes a list of param names, for example {what}=['seed'], not {names!r}."
        )
    return [checked_text(name, "a param's name") for name in names]


def checked_notes(text: object) -> str:
    """Return notes as stored: any text without NUL and lone surrogates, up to 1 MB."""
    if not isinstance(text, str):
        raise InvalidValue(f"notes must be a string, not {type(text).__name__}.")
    if len(text) > NOTES_LIMIT:
        raise InvalidValue(f"notes have {len(text):,} characters, more than {NOTES_LIMIT:,}.")
    return storable(text)


def storable(text: str) -> str:
    """Return `text` with what neither SQLite nor UTF-8 can hold (NUL, lone surrogates) written as escapes."""
    if "\0" in text:
        text = text.replace("\0", "\\x00")
    return text.encode("utf-8", "backslashreplace").decode()


def checked_tags(tags: object) -> list[str]:
    """Return tags without repeats, in order."""
    if isinstance(tags, (str, bytes)) or not isinstance(tags, Iterable):
        raise InvalidValue(
            f"tags must be a list of strings, for example tags=['baseline'], not {type(tags).__name__}."
        )
    return list(dict.fromkeys(checked_text(tag, "a tag") for tag in tags))


def metric_value(value: object, key: str) -> tuple[float, str | None]:
    """Return a metric's value as a float and a note when it lost precision.

    Takes int, float, bool, Decimal, Fraction and anything of one element with `.item()`:
    numpy scalars, 0-d arrays and tensors (on a device this waits for the device).

    Raises:
        InvalidValue: Anything else: text, None, complex, arrays of several elements.
    """
    kind = type(value)
    if kind is float:
        return value, None  # type: ignore[return-value]
    if kind is int or kind is bool:
        return _from_int(value, key)  # type: ignore[arg-type]
    if value is None or isinstance(
        value, (str, bytes, bytearray, complex, Mapping, list, tuple, set, frozenset)
    ):
        raise InvalidValue(_no_number(value, key))
    item = getattr(value, "item", None)
    if callable(item):
        dtype = getattr(value, "dtype", None)
        # A masked value, a date and a duration would come out as numbers that nobody logged.
        if (
            getattr(value, "ndim", 0) != 0
            or getattr(dtype, "kind", "") in ("m", "M")
            or kind.__name__ == "MaskedConstant"
        ):
            raise InvalidValue(_no_number(value, key))
        try:
            value = item()
        except Exception as error:
            raise InvalidValue(f"metric {key!r}: .item() of {kind.__name__} failed: {error}") from error
        if isinstance(value, (complex, str, bytes)) or value is None:
            raise InvalidValue(_no_number(value, key))
    if isinstance(value, int):
        return _from_int(value, key)
    try:
        return float(value), None  # type: ignore[arg-type]
    except OverflowError:
        sign = -math.inf if str(value).startswith("-") else math.inf
        return sign, f"metric {key!r}: a value beyond the range of a float is kept as {sign}."
    except Exception as error:
        raise InvalidValue(_no_number(value, key)) from error


def _from_int(value: int, key: str) -> tuple[float, str | None]:
    if -EXACT_INT <= value <= EXACT_INT:
        return float(value), None
    try:
        number = float(value)
    except OverflowError:
        sign = math.inf if value > 0 else -math.inf
        return sign, f"metric {key!r}: an integer beyond the range of a float is kept as {sign}."
    if int(number) == value:
        return number, None
    return number, f"metric {key!r}: the integer {value} has more than 53 bits and is kept as {number!r}."


def _no_number(value: object, key: str) -> str:
    shape = getattr(value, "shape", None)
    size = f" of shape {tuple(shape)}" if shape is not None and not callable(shape) else ""
    return (
        f"metric {key!r} got a {type(value).__name__}{size}, which is no single number; "
        "this key is left out, the others are kept. Log a number, or one element of it."
    )


def checked_step(step: object) -> int:
    """Return a step as int64: ints, numpy ints, and floats without a fraction."""
    if type(step) is not int:
        item = getattr(step, "item", None)
        if callable(item) and getattr(step, "ndim", 0) == 0:
            step = item()
        if isinstance(step, float) and step.is_integer():
            step = int(step)
        if isinstance(step, bool) or not isinstance(step, int):
            raise InvalidValue(
                f"step={step!r} is no whole number. Give an int, or leave step out to count up."
            )
    if not INT64_MIN <= step <= INT64_MAX:
        raise InvalidValue(f"step={step} does not fit 64 bits.")
    return step


def flatten_params(params: object) -> list[Leaf]:
    """Return the leaves of nested params, dotted.

    A leaf is a value that is no mapping with keys. Two leaves that would share a
    dotted name ({"a.b": 1, "a": {"b": 2}}) are kept apart: the second is named "a.b (2)".

    Raises:
        InvalidValue: Not a mapping, nested deeper than 100 (or into itself), or more than 10,000 leaves.
    """
    plain = _as_mapping(params)
    if plain is None:
        raise InvalidValue(
            f"params must be a dict (or a dataclass, a Namespace, a pydantic model), not {type(params).__name__}."
        )
    leaves: list[Leaf] = []
    taken: set[str] = set()
    stack: list[tuple[tuple[str, ...], object]] = [((), plain)]
    while stack:
        path, value = stack.pop()
        nested = _as_mapping(value)
        if nested is not None and (nested or not path):
            if len(path) > DEPTH_LIMIT:
                raise InvalidValue(
                    f"params are nested deeper than {DEPTH_LIMIT} levels at {'.'.join(path[:5])}…"
                )
            stack.extend(((*path, _key_text(key)), item) for key, item in reversed(list(nested.items())))
            continue
        if len(leaves) >= LEAVES_LIMIT:
            raise InvalidValue(
                f"params have more than {LEAVES_LIMIT:,} values. Log a large configuration as one JSON text."
            )
        name = _free_name(".".join(path), taken)
        kind, text, number = _leaf_value(value)
        leaves.append((name, kind, text, number, None if path == (name,) else json.dumps(path)))
    return leaves


def _free_name(name: str, taken: set[str]) -> str:
    base, count = name, 1
    while name in taken:
        count += 1
        name = f"{base} ({count})"
    taken.add(name)
    return name


def _key_text(key: object) -> str:
    return unicodedata.normalize("NFC", storable(key if isinstance(key, str) else str(key)))


def _as_mapping(value: object) -> Mapping[Any, Any] | None:
    if isinstance(value, Mapping):
        return value
    if isinstance(value, type) or value is None or isinstance(value, (str, int, float, list, tuple)):
        return None
    fields = getattr(value, "__dataclass_fields__", None)
    if fields is not None:
        return {name: getattr(value, name) for name in fields}
    dump = getattr(value, "model_dump", None)
    if callable(dump) and hasattr(type(value), "model_fields"):
        dumped = dump()
        return dumped if isinstance(dumped, Mapping) else None
    if type(value).__name__ == "Namespace" and hasattr(value, "__dict__"):
        return vars(value)
    return None


def _leaf_value(value: object) -> tuple[str, str, float | None]:
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "ndim", None) == 0:
        try:
            value = item()
        except Exception:
            return "repr", storable(_safe_repr(value)), None
    if value is None:
        return "null", "null", None
    if isinstance(value, bool):
        return "bool", "true" if value else "false", float(value)
    if isinstance(value, int):
        # int(): an IntEnum or a subclass is its number.
        try:
            text = str(int(value))
        except ValueError:  # more digits than Python writes out
            return "repr", f"an integer of {value.bit_length()} bits", None
        try:
            return "int", text, float(value)
        except OverflowError:
            return "int", text, None
    if isinstance(value, float):
        finite = math.isfinite(value)
        return "float", repr(float(value)), float(value) if finite else None
    if isinstance(value, str):
        return "text", storable(value), None
    try:
        return "json", storable(json.dumps(_plain(value, 0), ensure_ascii=False, allow_nan=False)), None
    except (TypeError, ValueError, RecursionError):
        return "repr", storable(_safe_repr(value)), None


def _plain(value: object, depth: int) -> object:
    """Return a list's or tuple's content as JSON knows it; NaN and infinities as strings."""
    if depth > DEPTH_LIMIT:
        raise ValueError("nested too deep")
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, (set, frozenset)):
        return [_plain(item, depth + 1) for item in sorted(value, key=str)]
    tolist = getattr(value, "tolist", None)
    if callable(tolist) and getattr(value, "size", 1 << 30) <= 10_000:
        return _plain(tolist(), depth + 1)
    raise TypeError(type(value).__name__)


def _safe_repr(value: object) -> str:
    # os.PathLike, datetime and Enum read better as str; anything may fail in a user's class.
    try:
        if hasattr(value, "__fspath__") or hasattr(value, "isoformat"):
            return str(value)
        return repr(value)
    except Exception as error:
        return f"<{type(value).__name__} whose repr failed: {type(error).__name__}>"
