"""Params side by side."""

from __future__ import annotations

from tracking.analysis.differences import MISSING, compare_params, differing_params


def test_only_params_that_differ_are_named() -> None:
    runs = [{"lr": 0.1, "layers": 3, "seed": 1}, {"lr": 0.1, "layers": 4, "seed": 1}]
    assert differing_params(runs) == ("layers",)


def test_a_missing_param_is_told_from_none() -> None:
    comparison = {c.key: c for c in compare_params([{"a": None}, {}])}["a"]
    assert comparison.differs
    assert comparison.values == (None, MISSING)
    assert differing_params([{"a": None}, {"a": None}]) == ()


def test_numbers_compare_by_value_and_booleans_apart() -> None:
    assert differing_params([{"a": 1}, {"a": 1.0}]) == ()
    assert differing_params([{"a": float("nan")}, {"a": float("nan")}]) == ()
    assert differing_params([{"a": True}, {"a": 1}]) == ("a",)
    assert differing_params([{"a": "1"}, {"a": 1}]) == ("a",)
    assert differing_params([{"a": 2**53 + 1}, {"a": float(2**53)}]) == ("a",)


def test_lists_and_mappings_compare_by_content() -> None:
    assert differing_params([{"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]}]) == ()
    assert differing_params([{"a": {"x": 1, "y": 2}}, {"a": {"y": 2, "x": 1}}]) == ()
    assert differing_params([{"a": [1, 2]}, {"a": [2, 1]}]) == ("a",)


def test_no_runs_and_one_run_have_no_differences() -> None:
    assert compare_params([]) == []
    assert differing_params([{"a": 1}]) == ()
