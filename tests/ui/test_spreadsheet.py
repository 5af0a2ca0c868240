"""Text that a spreadsheet would run is no formula any more; everything else stays as it is."""

from __future__ import annotations

import pandas as pd
import pytest

from tracking.ui.spreadsheet import JOINER, harmless


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("https://evil.example")',
        "+1+cmd|' /C calc'!A0",
        "@SUM(1)",
        "-2+cmd|' /C calc'!A0",
        "\t=1",
        " =1",
    ],
)
def test_a_formula_gets_a_character_of_no_width(text: str) -> None:
    frame = pd.DataFrame({"a": [text, "plain", None], "n": [1.0, -2.0, 3.0]})
    guarded = harmless(frame)
    assert guarded["a"].tolist()[:2] == [JOINER + text, "plain"]
    assert guarded["a"].isna().tolist() == [False, False, True]
    assert guarded["n"].equals(frame["n"]) and frame["a"][0] == text


@pytest.mark.parametrize("text", ["-1", "+1.5", "-1e-05", "--lr", "-", "", "a=b", "user@host", "–"])
def test_numbers_options_and_words_stay(text: str) -> None:
    frame = pd.DataFrame({"a": [text]})
    assert harmless(frame) is frame


def test_columns_of_one_name_and_mixed_cells_are_kept_apart() -> None:
    frame = pd.DataFrame([["=a", 1, "x"]], columns=["c", "c", "d"])
    assert harmless(frame).to_numpy().tolist() == [[JOINER + "=a", 1, "x"]]
    mixed = pd.DataFrame({"m": pd.Series(["=1", 2, None], dtype="object")})
    assert harmless(mixed)["m"].tolist() == [JOINER + "=1", 2, None]


def test_names_of_columns_are_exported_too() -> None:
    frame = pd.DataFrame([[1, 2]], columns=["=a", "b"])
    assert harmless(frame).columns.tolist() == [JOINER + "=a", "b"]
    assert frame.columns.tolist() == ["=a", "b"]
