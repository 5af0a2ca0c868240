"""Values as text."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tracking.analysis.differences import MISSING
from tracking.records import Goal, RunStatus
from tracking.ui import format


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.973213, "0.97321"),
        (0.02, "0.02"),
        (0.00018321, "0.00018321"),
        (1.5e-7, "1.5e-07"),
        (2.5, "2.5000"),
        (12345.678, "12,346"),
        (1234567.0, "1,234,567"),
        (-0.5, "-0.5"),
        (0.0, "0"),
        (3.0, "3"),
        (1e300, "1e+300"),
        (5e-324, "4.9407e-324"),
        (math.nan, "NaN"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (None, "–"),
    ],
)
def test_numbers(value: float | None, text: str) -> None:
    assert format.number(value) == text


def test_a_column_of_numbers_lines_up() -> None:
    assert format.number_column([0.9, 0.85123, None, math.nan]) == ["0.9000", "0.8512", "–", "NaN"]
    assert format.number_column([2.301, 0.0123]) == ["2.3010", "0.0123"]
    assert format.number_column([1.0, 2.0, 1000.0]) == ["1", "2", "1,000"]
    assert format.number_column([]) == []


def test_a_column_tells_its_values_apart_and_rounds_none_up_to_one() -> None:
    assert format.number_column([0.99996, 0.5]) == ["0.99996", "0.50000"]
    assert format.number_column([0.99997, 0.99998, 1.0]) == ["0.99997", "0.99998", "1.00000"]
    assert format.number_column([0.123456, 0.123461]) == ["0.123456", "0.123461"]
    # What only the fifteenth digit tells apart is noise.
    assert format.number_column([0.3, 0.1 + 0.2, 0.5]) == ["0.3000", "0.3000", "0.5000"]
    assert format.number(0.9999999) == "0.9999999" and format.number(-0.999999) == "-0.999999"


def test_values_far_apart_are_written_each_on_its_own() -> None:
    assert format.number_column([1e-7, 5.5]) == ["1e-07", "5.5000"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 ms"),
        (0.00001, "< 1 ms"),
        (0.0231, "23 ms"),
        (0.84, "840 ms"),
        (0.9999, "1.0 s"),
        (9.97, "10 s"),
        (43.2, "43 s"),
        (59.7, "1 min 00 s"),
        (125, "2 min 05 s"),
        (3 * 3600 + 12 * 60, "3 h 12 min"),
        (3 * 86400 + 3600, "3 d 01 h"),
        (-1.0, "0 ms"),
        (math.nan, "–"),
        (None, "–"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert format.duration(seconds) == text


def test_moments_are_in_the_zone_of_the_reader() -> None:
    when = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
    assert format.moment(when) == "2026-07-01 12:30"
    assert format.moment(when, ZoneInfo("Asia/Tokyo")) == "2026-07-01 21:30"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (3, "just now"),
        (-5, "just now"),
        (42, "42 s ago"),
        (61, "1 min ago"),
        (7300, "2 h ago"),
        (200_000, "2 d ago"),
    ],
)
def test_how_long_ago(seconds: float, text: str) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert format.ago(now - timedelta(seconds=seconds), now) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("adam", "adam"),
        (None, "None"),
        (True, "True"),
        (3, "3"),
        (0.1, "0.1"),
        (math.nan, "NaN"),
        ([1, "é"], '[1, "é"]'),
        (MISSING, "–"),
    ],
)
def test_params(value: object, text: str) -> None:
    assert format.param(value) == text


def test_long_text_becomes_one_short_line() -> None:
    assert format.shorten("a\nb\tc") == "a b c"
    assert format.shorten("x" * 500, 10) == "x" * 9 + "…"
    assert len(format.shorten("word " * 100_000, 50)) <= 50


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("lr", "lr"),
        ("optimizer.name", "optimizer.name"),
        (".".join(f"level{n}" for n in range(50)), "level0…level47.level48.level49"),
        ("model." + "x" * 40 + ".depth", "model…depth"),
        ("a" * 20 + "." + "b" * 40 + "end", "…" + "b" * 26 + "end"),
        ("line\nbreak", "line break"),
    ],
)
def test_a_long_key_keeps_its_end(key: str, text: str) -> None:
    assert format.shorten_key(key, 30) == text
    assert len(format.shorten_key(key, 30)) <= 30


def test_every_status_has_a_mark_and_a_meaning() -> None:
    marks = {format.status(status)[0] for status in RunStatus}
    assert len(marks) == len(RunStatus)
    assert all(format.status_meaning(status) for status in RunStatus)


def test_counts_and_goals() -> None:
    assert format.plural(1, "run") == "1 run"
    assert format.plural(10432, "run") == "10,432 runs"
    assert (format.goal_mark(Goal.MAXIMIZE), format.goal_mark(Goal.MINIMIZE), format.goal_mark(None)) == (
        " ↑",
        " ↓",
        "",
    )
