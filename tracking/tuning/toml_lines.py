"""Where each key of a TOML text stands, which `tomllib` tells of syntax errors only.

A scanner that follows keys, tables, arrays of tables, arrays and inline tables, and skips what values say.
It never raises: of a text that is no TOML it knows the lines as far as it came.
"""

from __future__ import annotations

import re
import tomllib

Path = tuple[str | int, ...]

DEPTH_LIMIT = 32
# Characters of one key in a field's name.
_SHOWN = 60

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"[ \t\r]*")
_SKIP = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_STRINGS = {
    '"""': re.compile(r'"""(?:[^\\"]|\\.|"(?!""))*"{3,5}', re.DOTALL),
    "'''": re.compile(r"'''(?:[^']|'(?!''))*'{3,5}", re.DOTALL),
    '"': re.compile(r'"(?:[^\\"\n]|\\[^\n])*"'),
    "'": re.compile(r"'[^'\n]*'"),
}
_SCALAR = re.compile(r"[^,\]}\n#]+")


class _Stop(Exception):
    """The text is no TOML from here on, or nested too deep."""


class Lines:
    """The lines of a text's key paths.

    Attributes:
        too_deep: The line where more than `DEPTH_LIMIT` levels stand in each other, None when nowhere.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line, self._counted = 1, 0
        self._first: dict[Path, int] = {}
        self._again: dict[int, tuple[Path, int]] = {}
        self._lengths: dict[Path, int] = {}
        self.too_deep: int | None = None
        try:
            self._document()
        except (_Stop, IndexError):
            pass

    def find(self, path: Path) -> int | None:
        """Return the line of a path, or of the nearest thing around it that is written down."""
        for length in range(len(path), 0, -1):
            line = self._first.get(path[:length])
            if line is not None:
                return line
        return None

    def find_named(self, field: str) -> int | None:
        """Return the line of a field as `field_name` writes it, or of the nearest thing around it."""
        named = {field_name(path): line for path, line in reversed(self._first.items())}
        while field:
            if field in named:
                return named[field]
            field = field[: max(field.rfind("."), field.rfind("["), 0)]
        return None

    def field_at(self, line: int) -> str:
        """Return the name of what a line gives, the innermost where it gives several; empty for nothing."""
        paths = [path for path, at in self._first.items() if at == line]
        return field_name(max(paths, key=len)) if paths else ""

    def given_twice(self, line: int) -> tuple[Path, int] | None:
        """Return what a line gives again, and the line where it was given first."""
        return self._again.get(line)

    def _document(self) -> None:
        table: Path = ()
        while True:
            self._skip(_SKIP)
            if self._at >= len(self._text):
                return
            if self._text.startswith("[[", self._at):
                self._at += 2
                table = self._header(self._key(), array=True)
            elif self._text[self._at] == "[":
                self._at += 1
                table = self._header(self._key(), array=False)
            else:
                self._pair(table)

    def _header(self, key: tuple[str, ...], *, array: bool) -> Path:
        line = self._line_here()
        path: Path = ()
        for index, part in enumerate(key):
            path += (part,)
            last = index == len(key) - 1
            if path in self._lengths and not (last and array):
                path += (self._lengths[path] - 1,)
            elif not last:
                self._first.setdefault(path, line)
        if array:
            count = self._lengths[path] = self._lengths.get(path, 0) + 1
            self._first.setdefault(path, line)
            path += (count - 1,)
        self._note(path, line)
        self._expect("]]" if array else "]")
        return path

    def _pair(self, table: Path) -> None:
        line = self._line_here()
        key = self._key()
        for length in range(1, len(key)):
            self._first.setdefault(table + key[:length], line)
        self._note(table + key, line)
        self._expect("=")
        self._value(table + key)

    def _value(self, path: Path) -> None:
        self._check_depth(len(path))
        self._skip(_BLANK)
        opening = self._text[self._at]
        if opening == "[":
            self._items(path)
        elif opening == "{":
            self._at += 1
            self._skip(_SKIP)
            while self._text[self._at] != "}":
                self._pair(path)
                self._between("}")
            self._at += 1
        elif opening in "\"'":
            self._string()
        else:
            self._take(_SCALAR)

    def _items(self, path: Path) -> None:
        self._at += 1
        index = 0
        self._skip(_SKIP)
        while self._text[self._at] != "]":
            self._first.setdefault((*path, index), self._line_here())
            self._value((*path, index))
            self._between("]")
            index += 1
        self._at += 1

    def _between(self, closing: str) -> None:
        self._skip(_SKIP)
        if self._text[self._at] == ",":
            self._at += 1
            self._skip(_SKIP)
        elif self._text[self._at] != closing:
            raise _Stop

    def _key(self) -> tuple[str, ...]:
        parts: list[str] = []
        while True:
            self._skip(_BLANK)
            if self._text[self._at] in "\"'":
                raw = self._string()
                try:
                    parts.append(str(tomllib.loads(f"key = {raw}")["key"]))
                except (tomllib.TOMLDecodeError, ValueError):
                    raise _Stop from None
            else:
                parts.append(self._take(_BARE))
            self._check_depth(len(parts))
            self._skip(_BLANK)
            if self._text[self._at] != ".":
                return tuple(parts)
            self._at += 1

    def _string(self) -> str:
        for quotes, pattern in _STRINGS.items():
            if self._text.startswith(quotes, self._at):
                return self._take(pattern)
        raise _Stop

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise _Stop
        self._at = found.end()
        return found.group()

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self._text, self._at)
        if found is not None:
            self._at = found.end()

    def _expect(self, sign: str) -> None:
        self._skip(_BLANK)
        if not self._text.startswith(sign, self._at):
            raise _Stop
        self._at += len(sign)

    def _check_depth(self, depth: int) -> None:
        if depth > DEPTH_LIMIT:
            self.too_deep = self._line_here()
            raise _Stop

    def _line_here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _note(self, path: Path, line: int) -> None:
        if path in self._first:
            self._again.setdefault(line, (path, self._first[path]))
        else:
            self._first[path] = line


def field_name(path: Path) -> str:
    """Return a path as people write it: `space.lr.low`, `objectives[0].goal`, `space."a b".low`."""
    parts: list[str] = []
    for part in path:
        if isinstance(part, int):
            parts.append(f"[{part}]")
            continue
        cut = part if len(part) <= _SHOWN else part[: _SHOWN - 1] + "…"
        shown = part if _BARE.fullmatch(cut) else f'"{_escaped(cut)}"'
        parts.append(f".{shown}" if parts else shown)
    return "".join(parts)


def _escaped(text: str) -> str:
    return text if text.isprintable() else text.encode("unicode_escape").decode()
