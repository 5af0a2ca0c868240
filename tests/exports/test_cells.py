"""What a value looks like in a spreadsheet, in JSON and on a terminal."""

from __future__ import annotations

import json
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking.exports.cells import csv_cell, json_text, printable, time_text


@pytest.mark.parametrize(
    "text",
    ["=1+1", "=cmd|' /C calc'!A0", "+1+2", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "-", "＝1", "--1"],
)
def test_a_formula_is_quoted(text: str) -> None:
    assert csv_cell(text) == "'" + text


@pytest.mark.parametrize("text", ["-1", "-1.5", "+2", "-1e-5", "-.5", "-inf", "a=b", "1-2", "", "'=1"])
def test_plain_numbers_and_other_text_stay_what_they_are(text: str) -> None:
    assert csv_cell(text) == text


def test_values_have_their_own_form() -> None:
    assert [csv_cell(value) for value in (None, True, 3, -0.5, math.nan, math.inf, [1, "a"])] == [
        "", "true", 3, -0.5, "NaN", math.inf, '[1, "a"]',
    ]  # fmt: skip


def test_json_names_what_it_cannot_hold() -> None:
    text = json_text({"a": math.nan, "b": [math.inf, -math.inf], "c": -0.0})
    assert json.loads(text) == {"a": "NaN", "b": ["Infinity", "-Infinity"], "c": -0.0}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07rest", "rest"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b31mred", "red"),
        ("\x1bPdevice\x1b\\rest", "rest"),
        ("a\x07b\x08", "a\\x07b\\x08"),
        ("one\ntwo\tthree", "one two three"),
        ("txt.\u202eexe", "txt.\\u202eexe"),
        ("\x1b", "\\x1b"),
        ("naïve 漢字 🎉", "naïve 漢字 🎉"),
    ],
)
def test_a_terminal_shows_text_and_never_obeys(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text())
def test_no_control_character_reaches_a_terminal(text: str) -> None:
    unsafe = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
    assert not unsafe.search(printable(text))
    assert not unsafe.search(printable(text, lines=True).replace("\n", ""))
    assert not unsafe.search(json_text({text: [text]}))
    assert json.loads(json_text({text: [text]})) == {text: [text]}


def test_times_are_utc_whatever_the_clock_said() -> None:
    assert time_text(1_700_000_000_123_456) == "2023-11-14T22:13:20.123456Z"
    assert time_text(-5) == "1970-01-01T00:00:00.000000Z"
    assert time_text(1 << 62).startswith("9999-")
