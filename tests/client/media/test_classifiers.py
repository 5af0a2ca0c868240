"""Confusion matrices and curves are those of scikit-learn, and thinning does not change what they say."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from tracking.client.media.confusion import encode_confusion
from tracking.client.media.curves import encode_curves, pr_points, roc_points
from tracking.client.media.thinning import thinned_pr, thinned_roc
from tracking.errors import InvalidValue
from tracking.records import ArtifactKind

ROC, PR = ArtifactKind.ROC_CURVE, ArtifactKind.PR_CURVE


def matrix(y_true: Any = None, y_pred: Any = None, labels: Any = None, counts: Any = None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(encode_confusion(y_true, y_pred, labels, counts).data)
    return found


def curves(
    kind: ArtifactKind, truth: Any, scores: Any, labels: Any = None, positive: Any = None
) -> list[Any]:
    told: list[str] = []
    encoded = encode_curves(kind, truth, scores, labels, positive, lambda kind, message: told.append(kind))
    found: list[Any] = json.loads(encoded.data)["curves"]
    return found


# Confusion matrices


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), min_size=1))
def test_a_matrix_is_that_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    truth, taken = zip(*pairs, strict=True)
    found = matrix(truth, taken)
    assert found["labels"] == sorted({*truth, *taken})
    assert found["counts"] == metrics.confusion_matrix(truth, taken, labels=found["labels"]).tolist()


def test_classes_in_the_order_asked_for() -> None:
    assert matrix(["b", "a"], ["a", "a"], ["b", "a", "c"]) == {
        "labels": ["b", "a", "c"],
        "counts": [[0, 1, 0], [0, 1, 0], [0, 0, 0]],
    }
    assert matrix([1, 0], [1, 2], ["cat", "dog", "cow"])["labels"] == ["cat", "dog", "cow"]
    assert matrix([5, 3], [3, 3], [5, 3])["counts"] == [[0, 1], [0, 1]]
    assert matrix([True, False], [True, True]) == {"labels": ["False", "True"], "counts": [[0, 1], [0, 1]]}
    assert matrix(np.array([1.0, 0.0]), [1, 0])["labels"] == ["0", "1"]


def test_a_matrix_as_it_is() -> None:
    assert matrix(counts=[[1, 2], [3, 4]], labels=["a", "b"]) == {
        "labels": ["a", "b"],
        "counts": [[1, 2], [3, 4]],
    }
    assert matrix(counts=np.eye(2) / 2)["counts"] == [[0.5, 0], [0, 0.5]]


@pytest.mark.parametrize(
    "arguments",
    [
        ([1, 2], [1]),
        ([1, 2], [1, 2], [1]),
        ([1, 2], [1, 2], [1, 1, 2]),
        ([0, 5], [0, 1], ["a", "b"]),
        ([0.5, 1], [0, 1]),
        ([None, "a"], ["a", "a"]),
        ([[0.1, 0.9]], [1]),
        ([], []),
        ([1], None),
        (None, None, None, [[1, 2]]),
        (None, None, None, [[-1]]),
        (None, None, None, [[float("nan")]]),
        (None, None, ["a"], [[1, 2], [3, 4]]),
        ([1], [1], None, [[1]]),
        (list(range(1001)), list(range(1001))),
    ],
)
def test_what_is_no_matrix_is_refused(arguments: Any) -> None:
    with pytest.raises(InvalidValue):
        encode_confusion(*(*arguments, None, None, None)[:4])


# Curves

examples = st.lists(st.tuples(st.booleans(), st.integers(-5, 5)), min_size=2, max_size=60).filter(
    lambda rows: len({right for right, _ in rows}) == 2
)


@settings(deadline=None)
@given(examples)
def test_an_roc_curve_is_that_of_scikit_learn(rows: list[tuple[bool, int]]) -> None:
    right, scores = (np.array(column) for column in zip(*rows, strict=True))
    x, y, thresholds, area = roc_points(right, scores.astype(float))
    expected = metrics.roc_curve(right, scores, drop_intermediate=False)
    for ours, theirs in zip((x, y, thresholds), expected, strict=True):
        np.testing.assert_allclose(ours, theirs)
    assert area == pytest.approx(metrics.roc_auc_score(right, scores))
    kept = thinned_roc(x, y, 1_000)
    assert np.trapezoid(y[kept], x[kept]) == pytest.approx(area)


@settings(deadline=None)
@given(examples)
def test_a_pr_curve_is_that_of_scikit_learn(rows: list[tuple[bool, int]]) -> None:
    right, scores = (np.array(column) for column in zip(*rows, strict=True))
    recall, precision, thresholds, average = pr_points(right, scores.astype(float))
    expected = metrics.precision_recall_curve(right, scores)
    np.testing.assert_allclose(precision, expected[0][::-1])
    np.testing.assert_allclose(recall, expected[1][::-1])
    np.testing.assert_allclose(thresholds[1:], expected[2][::-1])
    assert average == pytest.approx(metrics.average_precision_score(right, scores))


@pytest.mark.parametrize("skill", [0.0, 0.5, 3.0])
def test_thinning_keeps_the_area(skill: float) -> None:
    random = np.random.default_rng(0)
    right = random.random(200_000) < 0.1
    scores = random.normal(size=200_000) + skill * right
    x, y, _, area = roc_points(right, scores)
    kept = thinned_roc(x, y, 1_000)
    assert len(kept) <= 1_000 and {0, len(x) - 1} <= set(kept.tolist())
    assert abs(np.trapezoid(y[kept], x[kept]) - area) < 1e-4
    recall, precision, _, average = pr_points(right, scores)
    kept = thinned_pr(recall, precision, 1_000)
    assert len(kept) <= 1_000 and {0, len(recall) - 1} <= set(kept.tolist())
    thinned = np.sum(np.diff(recall[kept]) * precision[kept][1:])
    assert abs(thinned - average) < 5e-3
    assert precision[kept].min() == precision.min() and precision[kept].max() == precision.max()


@pytest.mark.parametrize("kind", [ROC, PR])
def test_several_classes_each_against_the_rest(kind: ArtifactKind) -> None:
    random = np.random.default_rng(1)
    truth, scores = random.integers(0, 3, 500), random.random((500, 3))
    found = curves(kind, truth, scores, ["a", "b", "c"])
    assert [curve["label"] for curve in found] == ["a", "b", "c"]
    for at, curve in enumerate(found):
        if kind is ROC:
            assert curve["auc"] == pytest.approx(metrics.roc_auc_score(truth == at, scores[:, at]))
        else:
            expected = metrics.average_precision_score(truth == at, scores[:, at])
            assert curve["average_precision"] == pytest.approx(expected)
        assert len(curve["x"]) == len(curve["y"]) == len(curve["thresholds"]) <= 1_000
        assert curve["thresholds"][0] is None


def test_texts_as_classes() -> None:
    truth = ["b", "a", "c", "a"]
    found = curves(ROC, truth, np.eye(4, 3))
    assert [curve["label"] for curve in found] == ["a", "b", "c"]
    with pytest.raises(InvalidValue, match="pos_label"):
        curves(ROC, ["no", "yes"], [0.1, 0.9])
    assert curves(ROC, ["no", "yes"], [0.1, 0.9], None, "yes")[0]["auc"] == 1
    assert curves(ROC, ["no", "yes"], [0.1, 0.9], ["yes", "no"])[0]["auc"] == 0


def test_binary_in_its_usual_forms() -> None:
    truth, scores = np.array([0, 1, 1, 0]), np.array([0.1, 0.8, 0.3, 0.4])
    expected = metrics.roc_auc_score(truth, scores)
    for classes in (truth, truth * 2 - 1, truth.astype(bool), truth.astype(float)):
        assert curves(ROC, classes, scores)[0]["auc"] == pytest.approx(expected)
    assert curves(ROC, truth, np.column_stack((1 - scores, scores)))[0]["auc"] == pytest.approx(expected)


def test_a_class_without_examples_has_no_curve() -> None:
    told: list[str] = []
    truth, scores = [0, 1, 0, 1], np.random.default_rng(0).random((4, 3))
    encoded = encode_curves(ROC, truth, scores, None, None, lambda kind, message: told.append(message))
    assert [curve["label"] for curve in json.loads(encoded.data)["curves"]] == ["0", "1"]
    assert encoded.details["undefined"] == ["2"] and len(told) == 1


@pytest.mark.parametrize(
    ("truth", "scores"),
    [
        ([1, 1], [0.1, 0.2]),
        ([0, 1], [0.1]),
        ([0, 1], [0.1, float("nan")]),
        ([0, 1], ["a", "b"]),
        ([0, 1, 2], [0.1, 0.2, 0.3]),
        (["a", "b", "c"], np.zeros((3, 2))),
        ([3, 5], [0.1, 0.2]),
    ],
)
def test_what_has_no_curve_is_refused(truth: Any, scores: Any) -> None:
    with pytest.raises(InvalidValue):
        curves(ROC, truth, scores)
