"""Names with numbers in them, in the order in which people read them."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from tracking.analysis.differences import compare_params
from tracking.analysis.natural_order import natural


def test_numbers_are_counted() -> None:
    names = ["x0", "x1", "x2", "x10", "x11", "x100"]
    shuffled = random.Random(1).sample(names, len(names))
    assert sorted(shuffled, key=natural) == names


def test_words_stand_by_their_letters_and_numbers_before_them() -> None:
    names = ["1.lr", "10.lr", "Batch", "layer.2.width", "layer.10.width", "lr", "lr2"]
    shuffled = random.Random(1).sample(names, len(names))
    assert sorted(shuffled, key=natural) == names


@given(st.lists(st.text(st.sampled_from("aA01²9.½é")), min_size=1))
def test_any_names_have_one_order(names: list[str]) -> None:
    turned = list(reversed(names))
    assert sorted(names, key=natural) == sorted(turned, key=natural)


def test_params_are_compared_in_that_order() -> None:
    keys = [comparison.key for comparison in compare_params([{"n10": 1, "n9": 1, "N1": 2}])]
    assert keys == ["N1", "n9", "n10"]
