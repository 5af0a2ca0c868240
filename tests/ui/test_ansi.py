"""Console output as plain text."""

from __future__ import annotations

import time

import pytest

from tracking.ui.ansi import plain


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("\x1b[31mred\x1b[0m \x1b[1;38;5;200mbright\x1b[m", "red bright"),
        ("\x1b]8;;https://evil.example\x07link\x1b]8;;\x07", "link"),
        ("\x1b]0;title\x1b\\after", "after"),
        ("\x1b]never ended\nnext line", "\nnext line"),
        ("\x9b31mone byte", "one byte"),
        ("\x1bcreset \x1b(Bset", "reset set"),
        ("at the end \x1b", "at the end "),
        ("cut \x1b[3", "cut 3"),
        ("bell\x07 null\x00 \x7f", "bell null "),
        ("abc\u202edcba", "abcdcba"),
    ],
)
def test_what_only_a_terminal_understands_goes(written: str, shown: str) -> None:
    assert plain(written) == shown


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("  0%|  |\r 50%|█ |\r100%|██|\nnext\n", "100%|██|\nnext\n"),
        ("a\r\nb\r\n", "a\nb\n"),
        ("a\r\r\nb", "a\nb"),
        ("100%\r", "100%"),
        ("50%\r\x1b[K100%\r\n", "100%\n"),
        ("Epoch 1 [>...]\x08\x08\x08\x08\x08\x08[==>.]\n", "Epoch 1 [==>.]\n"),
        ("\x08\x08x", "x"),
    ],
)
def test_a_line_that_rewrites_itself_shows_its_last_state(written: str, shown: str) -> None:
    assert plain(written) == shown


def test_ten_megabytes_of_progress_bars_take_less_than_seconds() -> None:
    text = f"\x1b[32m{7:6d}\x1b[0m|████  |\r" * 250_000 + "\n" + "line\n" * 500_000
    assert len(text) > 7_000_000
    start = time.perf_counter()
    assert plain(text).startswith("     7|████  |\nline\n")
    assert time.perf_counter() - start < 5


def test_a_long_line_of_backspaces_is_bounded() -> None:
    start = time.perf_counter()
    assert plain("ab\x08" * 2_000_000)
    assert time.perf_counter() - start < 5
