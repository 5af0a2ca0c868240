"""Names of params where there is little room."""

from __future__ import annotations

import pytest

from tracking.ui.sweep_names import short


@pytest.mark.parametrize(
    ("name", "limit", "cut"),
    [
        ("lr", 6, "lr"),
        ("activation_function", 10, "acti…ction"),
        ("model.encoder.dropout", 14, "model…dropout"),
        ("a\nb", 6, "a b"),
    ],
)
def test_a_long_name_keeps_what_tells_it_from_others(name: str, limit: int, cut: str) -> None:
    assert short([name], limit) == {name: cut}


@pytest.mark.parametrize(
    "names",
    [
        [f"layer_{place}_dropout_probability" for place in range(12)],
        [f"model.encoder.layers.{place}.dropout_probability" for place in (1, 2, 11)],
        ["decoder_attention_dropout_first_rate", "decoder_attention_dropout_second_rate"],
    ],
)
@pytest.mark.parametrize("limit", [12, 24])
def test_names_that_would_become_the_same_are_cut_elsewhere(names: list[str], limit: int) -> None:
    found = short([*names, "lr"], limit)
    assert len(set(found.values())) == len(names) + 1
    assert all(len(cut) <= limit for cut in found.values())


def test_a_name_in_twice_and_an_empty_one() -> None:
    assert short(["", "x", "x"], 6) == {"": "", "x": "x"}
