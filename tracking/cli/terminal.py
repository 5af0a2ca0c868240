"""Text on a terminal: clean, fitted to its width, gone quietly when the reader leaves."""

from __future__ import annotations

import io
import os
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

import typer

from tracking.config import colour_is_off
from tracking.exports.cells import printable

GAP = "  "
LEAST = 10
"""A column is left out rather than made narrower than this."""
WIDEST = 80
"""Elsewhere than on a terminal nothing is cut; longer cells than this one stand out of their column."""

_COLOURS = {"running": "36", "finished": "32", "failed": "31", "lost": "33", "interrupted": "33"}


@contextmanager
def output() -> Iterator[TextIO]:
    """Give standard output; a reader that leaves before the end (`| head`) ends the command in peace."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal of another encoding shows what it lacks as an escape.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        yield sys.stdout
        sys.stdout.flush()
    except BrokenPipeError:
        # Point stdout elsewhere, or the interpreter complains at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None


def say(text: str) -> None:
    """Print a remark beside the data, on standard error."""
    print(printable(text, lines=True), file=sys.stderr)


def terminal_width() -> int | None:
    """Return the columns of the terminal (or `COLUMNS`), None when the output goes elsewhere."""
    return shutil.get_terminal_size((0, 0)).columns or None


def in_colour(file: TextIO) -> bool:
    """Whether colour is wanted there."""
    return file.isatty() and not colour_is_off()


def width_of(text: str) -> int:
    """Return how many columns a terminal needs for the text."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.combining(each) or unicodedata.category(each) in ("Cf", "Me", "Mn")
        # East Asian wide and full-width characters take two columns.
        else 2
        if unicodedata.east_asian_width(each) in "WF"
        else 1
        for each in text
    )


def cut(text: str, width: int) -> str:
    """Return the text in at most `width` columns, an ellipsis where something is missing."""
    if width_of(text) <= width:
        return text
    kept, used = [], 0
    for each in text:
        used += width_of(each)
        if used > width - 1:
            break
        kept.append(each)
    return "".join(kept) + "…"


def _end(name: str, width: int) -> str:
    """Return a column's name; the end of `metrics.val/loss` says more than its beginning."""
    if width_of(name) <= width or "." not in name:
        return name
    return "…" + name[len(name) - width + 1 :] if width > 1 else name


class TextTable:
    """A table of text, printed as its rows come; the first rows settle how wide its columns are."""

    def __init__(
        self, file: TextIO, header: Sequence[str], *, numeric: Iterable[int] = (), whole: int = 0
    ) -> None:
        """Prepare a table.

        Args:
            file: Where it goes.
            header: Names of the columns.
            numeric: Places of the columns that stand flush right.
            whole: So many first columns are cut last.
        """
        self._file = file
        self._header = [printable(name) for name in header]
        self._numeric = set(numeric)
        self._whole = whole
        self._widths: list[int] = []
        self._fitted = False
        self._colour = in_colour(file)
        self.left_out = 0
        """Columns for which the terminal has no room."""

    def add(self, rows: Sequence[Sequence[str]]) -> None:
        """Print rows; every cell is text, an empty one is nothing."""
        cells = [[printable(cell) for cell in row] for row in rows]
        if not self._widths:
            wanted = [max(map(width_of, column)) for column in zip(self._header, *cells, strict=True)]
            room = terminal_width()
            self._widths, self._fitted = fitted(wanted, room, whole=self._whole), room is not None
            self.left_out = len(wanted) - len(self._widths)
            self._line(
                [_end(name, width) for name, width in zip(self._header, self._widths, strict=False)],
                coloured=False,
            )
        for row in cells:
            self._line(row, coloured=self._colour)

    def _line(self, row: Sequence[str], *, coloured: bool) -> None:
        shown = []
        for place, width in enumerate(self._widths):
            text = cut(row[place], width) if self._fitted else row[place]
            space = " " * max(0, width - width_of(text))
            if coloured and text in _COLOURS and self._header[place] == "status":
                text = f"\x1b[{_COLOURS[text]}m{text}\x1b[0m"
            shown.append(space + text if place in self._numeric else text + space)
        self._file.write(GAP.join(shown).rstrip() + "\n")


def fitted(wanted: Sequence[int], room: int | None, *, whole: int = 0) -> list[int]:
    """Return the widths of as many columns as there is room for, the widest ones made narrower first.

    Args:
        wanted: Width of each column's widest cell.
        room: Of the terminal, None for no bound.
        whole: So many first columns are cut last: what they hold is to be copied.
    """
    if room is None:
        return [min(width, WIDEST) for width in wanted]
    widths = [min(width, room) for width in wanted]
    least = [width if place < whole else min(width, LEAST) for place, width in enumerate(widths)]
    while len(least) > 1 and sum(least) + len(GAP) * (len(least) - 1) > room:
        least.pop()
    widths = widths[: len(least)]
    while sum(widths) + len(GAP) * (len(widths) - 1) > room:
        spare = [width - kept for width, kept in zip(widths, least, strict=True)]
        widest = max(range(len(widths)), key=lambda place: (spare[place] > 0, widths[place]))
        widths[widest] -= 1
    return widths
