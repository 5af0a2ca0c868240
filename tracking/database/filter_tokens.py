"""The words of a filter, checked before Python's parser sees them.

Only what the language has passes: what does not is told at its place, with what to
write instead. Length, nesting and runs of prefixes are bounded here, so that the
parser cannot be made to work long or to exhaust its stack.
"""

from __future__ import annotations

import difflib
import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn, get_args

from tracking.database.filter_tree import Aggregate, Kind, is_plain_key, quote
from tracking.errors import FilterError
from tracking.validation import KEY_LIMIT

MAX_LENGTH = 4096
MAX_DEPTH = 20

KINDS: tuple[str, ...] = get_args(Kind)
AGGREGATES: tuple[str, ...] = get_args(Aggregate)
WORDS = ("and", "or", "not", "in", "True", "False", "None")
VALUE_WORDS = ("True", "False", "None")
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
NAMES_EXPECTED = "one of " + ", ".join(("metrics.<key>", "params.<key>", *KINDS[2:]))

_BETWEEN = "a comparison such as 0.1 < metrics.loss < 0.9"
_NO_NAN = "a comparison: NaN compares false, so metrics.loss < 9 leaves it out"
_NO_ARITHMETIC = "a comparison; filters do not calculate"
# What other languages call it, by the word or sign written.
_FOREIGN = {
    **{"AND": "and", "OR": "or", "NOT": "not", "IN": "in", "&&": "and", "&": "and", "||": "or", "|": "or"},
    **{"!": "not", "=": "==", "===": "==", "<>": "!=", "!==": "!=", "=>": ">=", "=<": "<=", ":=": "=="},
    **{"≥": ">=", "≤": "<=", "≠": "!="},
    ".": "metrics.<key> or params.<key>, without spaces",
    **dict.fromkeys(("true", "TRUE"), "True"),
    **dict.fromkeys(("false", "FALSE"), "False"),
    **dict.fromkeys(("null", "NULL", "nil", "none"), "None"),
    **dict.fromkeys(("nan", "NaN"), _NO_NAN),
    **dict.fromkeys(("is", "IS"), "== None"),
    **dict.fromkeys(
        ("LIKE", "like", "ILIKE", "ilike", "GLOB", "glob", "=~", "~", "~="), 'matches(name, "ab*")'
    ),
    **dict.fromkeys(("BETWEEN", "between"), _BETWEEN),
    **dict.fromkeys(("+", "-", "*", "/", "%", "**", "//"), _NO_ARITHMETIC),
    **{"config": "params", "summary": "metrics", "avg": "mean", "run_name": "name", "match": "matches"},
    **{"runtime": "duration", "start_time": "created", "state": "status"},
}

_SPACE = re.compile(r"\s+")
_NUMBER = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_STRING = re.compile(r'"(?:[^"\\\n\r\0]|\\.)*"|' + r"'(?:[^'\\\n\r\0]|\\.)*'")
_ESCAPE = re.compile(
    r"\\(?:[\\'\"abfnrtv]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U000[0-9a-fA-F]{5}|U0010[0-9a-fA-F]{4})"
)
_NAME = re.compile(r"[^\W\d]\w*")
# The longest first, so that what other languages write is seen whole.
_SIGN = re.compile(r"===|!==|:=|&&|\|\||<>|=>|=<|=~|~=|\*\*|//|[=!<>]=|.", re.DOTALL)
_SIGNS = (*COMPARISONS, "(", ")", "[", "]", ",")
# What follows `metrics.` or `params.` up to where a key surely ends.
_BARE_KEY = re.compile(r"[^\s()\[\]<>=!,\"'&|;]*")


@dataclass(frozen=True, slots=True)
class Token:
    """A word: its kind is "name", "number", "string", "end", or the sign or keyword itself."""

    kind: str
    text: str
    position: int

    @property
    def ends_operand(self) -> bool:
        return self.kind in ("name", "number", "string", ")", "]", *VALUE_WORDS)

    @property
    def starts_operand(self) -> bool:
        return self.kind in ("name", "number", "string", "(", "[", "-", "not", *VALUE_WORDS)

    def __str__(self) -> str:
        return self.text if self.kind == "string" else repr(self.text)


def fail(source: str, position: int, problem: str, expected: str) -> NoReturn:
    """Raise the `FilterError` of a place in a filter."""
    problem = problem if len(problem) <= 200 else f"{problem[:200]}…"
    raise FilterError(
        f"{problem} (at character {position + 1}). Expected {expected}.",
        source=source[:MAX_LENGTH],
        position=position,
        expected=expected,
    )


def tokenize(source: str) -> list[Token]:
    """Return the words of a filter, with an "end" as the last one.

    Raises:
        FilterError: Something is not of the language, too long, or nested too deep.
    """
    if not isinstance(source, str):
        fail("", 0, f"A filter is text, not {type(source).__name__}", "a string")
    if len(source) > MAX_LENGTH:
        fail(
            source,
            MAX_LENGTH,
            f"The filter has {len(source):,} characters",
            f"at most {MAX_LENGTH:,}; split it into several searches",
        )
    tokens: list[Token] = []
    position = 0
    while position < len(source):
        if space := _SPACE.match(source, position):
            position = space.end()
            continue
        token = _next_token(source, position, tokens)
        tokens.append(token)
        position += len(token.text)
    tokens.append(Token("end", "", len(source.rstrip())))
    _check_nesting(source, tokens)
    return tokens


def _next_token(source: str, position: int, before: list[Token]) -> Token:
    if string := _STRING.match(source, position):
        _check_string(source, string, before)
        return Token("string", string.group(), position)
    if name := _NAME.match(source, position):
        return _name(source, name, before)
    if number := _NUMBER.match(source, position):
        return _number(source, number)
    sign = _SIGN.match(source, position)
    text = sign.group() if sign else ""
    if text in _SIGNS or (text == "-" and not (before and before[-1].ends_operand)):
        return Token(text, text, position)
    if text in _FOREIGN:
        fail(source, position, f"{text!r} is not part of a filter", _wanted(_FOREIGN[text]))
    if text in "\"'":
        fail(source, position, "This text has no closing quote", f"a second {text} on the same line")
    if text in "“”„‘’«»`":
        fail(source, position, f"{text} is no quote here", "straight quotes: \"text\" or 'text'")
    fail(source, position, f"{text!r} is not part of a filter", "a name, a value or a comparison")


def _wanted(text: str) -> str:
    return text if " " in text else quote(text)


def _number(source: str, number: re.Match[str]) -> Token:
    text = number.group()
    stray = _NAME.match(source, number.end())
    if stray or source[number.end() : number.end() + 1] == "." or re.fullmatch(r"0+[0-9]+", text):
        written = text + (stray.group() if stray else "")
        fail(source, number.start(), f"{written!r} is no number", "a plain number such as 0.5, 10 or 1e-3")
    return Token("number", text, number.start())


def _check_string(source: str, string: re.Match[str], before: list[Token]) -> None:
    body = string.group()[1:-1]
    # Left to right, so that the second half of an escaped backslash starts no escape of its own.
    for slash in re.finditer(r"\\.", body, re.DOTALL):
        if not _ESCAPE.match(body, slash.start()):
            place = string.start() + 1 + slash.start()
            fail(source, place, f"{slash.group()!r} means nothing", "a backslash written twice: \\\\")
    if before and before[-1].kind == "string":
        fail(source, string.start(), "Two texts stand side by side", "'and', 'or' or a comma between them")


def _name(source: str, name: re.Match[str], before: list[Token]) -> Token:
    word, following = name.group(), source[name.end() : name.end() + 1]
    if word in ("metrics", "params") and following == ".":
        path = f"{word}.{_bare_key(source, word, name.end() + 1)}"
        return Token("name", path, name.start())
    if word in WORDS:
        return Token(word, word, name.start())
    if word in KINDS or word in AGGREGATES or word == "matches":
        return Token("name", word, name.start())
    if following in ('"', "'") and len(word) <= 2:
        fail(source, name.start(), f"Text takes no prefix {word!r}", "plain text in quotes")
    fail(source, name.start(), f"There is no name {word!r}", _instead_of(word, source[name.end() :], before))


def close_name(word: str, names: Sequence[str]) -> str | None:
    """Return the one of the names that was probably meant."""
    close = difflib.get_close_matches(word.lower()[:64], names, n=1, cutoff=0.75)
    return close[0] if close else None


def _instead_of(word: str, rest: str, before: list[Token]) -> str:
    if word in _FOREIGN:
        wanted = _FOREIGN[word]
    elif close := close_name(word, (*KINDS, *AGGREGATES, "matches")):
        wanted = close
    elif keyword.iskeyword(word):
        return "a comparison; this word of Python has no place in a filter"
    elif before and before[-1].kind in COMPARISONS:
        return f"a value; text stands in quotes: {quote(word[:80])}"
    elif rest.lstrip().startswith("("):
        return "one of the functions " + ", ".join((*AGGREGATES, "matches"))
    else:
        return f"{NAMES_EXPECTED}: a metric is written metrics.{word[:80]}, a param params.{word[:80]}"
    if wanted in ("metrics", "params"):
        key = re.match(r"\.[\w.]+", rest)
        return f"{wanted}{key.group()}" if key else f"{wanted}.<key>"
    return _wanted(wanted)


def _bare_key(source: str, root: str, start: int) -> str:
    found = _BARE_KEY.match(source, start)
    key = found.group() if found else ""
    if not key:
        fail(
            source,
            start,
            f"The key after '{root}.' is missing",
            f"{root}.<key> or {root}[{quote('any key')}]",
        )
    if len(key) > KEY_LIMIT:
        fail(source, start, f"The key after '{root}.' is too long", f"at most {KEY_LIMIT} characters")
    if not is_plain_key(key):
        problem = f"'{root}.{key}' cannot be written with a dot"
        expected = f"{root}[{quote(key)}], as for every key that is no plain name"
        fail(source, start + _first_oddity(key), problem, expected)
    return key


def _first_oddity(key: str) -> int:
    """Return the offset of what makes the key no plain name."""
    place = 0
    for part in key.split("."):
        if not is_plain_key(part):
            good = _NAME.match(part)
            return place + (good.end() if good and good.end() < len(part) else 0)
        place += len(part) + 1
    return 0


def _check_nesting(source: str, tokens: list[Token]) -> None:
    closing = {"(": ")", "[": "]"}
    opened: list[Token] = []
    prefixes = 0
    for token in tokens:
        prefixes = prefixes + 1 if token.kind in ("not", "-") else 0
        if token.kind in closing:
            opened.append(token)
        elif token.kind in closing.values():
            if not opened:
                fail(
                    source,
                    token.position,
                    f"{token} closes nothing",
                    "as many opening brackets as closing ones",
                )
            start = opened.pop()
            if closing[start.kind] != token.kind:
                fail(source, token.position, f"{token} does not fit {start}", quote(closing[start.kind]))
        if len(opened) > MAX_DEPTH or prefixes > MAX_DEPTH:
            fail(source, token.position, "The filter is nested too deep", f"at most {MAX_DEPTH} levels")
    if opened:
        fail(source, opened[-1].position, f"{opened[-1]} is never closed", quote(closing[opened[-1].kind]))
