"""Params come back as they were logged."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tracking.database.param_values import decode_value, nest
from tracking.validation import flatten_params


def restored(params: dict[str, Any]) -> dict[str, Any]:
    return nest(
        (name, path, decode_value(kind, text)) for name, kind, text, _, path in flatten_params(params)
    )


_keys = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=3).filter(str.isascii)
_leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5),
    st.lists(st.one_of(st.integers(), st.text("abc"), st.none()), max_size=3),
)
_nested = st.dictionaries(
    _keys, st.recursive(_leaves, lambda below: st.dictionaries(_keys, below, max_size=3), max_leaves=8)
)


@given(_nested)
def test_nested_params_come_back(params: dict[str, Any]) -> None:
    assert restored(params) == params


def test_not_a_number_comes_back() -> None:
    assert math.isnan(restored({"x": math.nan})["x"])
    assert restored({"x": {"y": -math.inf, "z": -0.0}}) == {"x": {"y": -math.inf, "z": 0.0}}


def test_dotted_and_nested_keys_are_kept_apart() -> None:
    params = {"a.b": 1, "a": {"b": 2}, "c": {"d.e": {"f": 3}}}
    assert restored(params) == params


def test_a_leaf_whose_place_is_taken_stays_at_the_top() -> None:
    assert nest([("a", None, 1), ("a.b", '["a", "b"]', 2)]) == {"a": 1, "a.b": 2}
    assert nest([("a", None, {}), ("a.b", '["a", "b"]', 2)]) == {"a": {}, "a.b": 2}
    assert nest([("a.b", '["a", "b"]', 2), ("a", None, 1)]) == {"a": {"b": 2}, "a (2)": 1}
