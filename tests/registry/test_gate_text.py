"""Gates as lines of text: read back as they were printed, and refused with the place where they go wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking import Gate, GateKind, Goal
from tracking.errors import InvalidValue
from tracking.registry.gate_checks import OPERATORS, POINTS, checked_gate, checked_gates
from tracking.registry.gate_text import asked_for, parse_gate, parse_gates, print_gate

LINES = {
    "accuracy >= 0.9": Gate(GateKind.METRIC, metric="accuracy", bound=0.9),
    "best(val/acc) > -1.5e-3": Gate(GateKind.METRIC, metric="val/acc", at="best", op=">", bound=-0.0015),
    "loss<=3": Gate(GateKind.METRIC, metric="loss", op="<=", bound=3.0),
    '"repeats" >= 5': Gate(GateKind.METRIC, metric="repeats", bound=5.0),
    "repeats >= 5": Gate(GateKind.REPEATS, count=5),
    "better(accuracy)": Gate(GateKind.BETTER, metric="accuracy"),
    "better(loss, margin=0.01, confidence=0.99, at=min, goal=minimize) for live": Gate(
        GateKind.BETTER, "live", "loss", "min", goal=Goal.MINIMIZE, margin=0.01, confidence=0.99
    ),
    "artifacts: model, report.csv": Gate(GateKind.ARTIFACTS, names=("model", "report.csv")),
    'artifacts: "a, b", plots/roc': Gate(GateKind.ARTIFACTS, names=("a, b", "plots/roc")),
    "clean git": Gate(GateKind.CLEAN_GIT),
    "clean git for champion": Gate(GateKind.CLEAN_GIT, alias="champion"),
    "same data": Gate(GateKind.SAME_DATA),
    "same data: train": Gate(GateKind.SAME_DATA, dataset="train"),
    "age <= 30 days": Gate(GateKind.MAX_AGE, days=30.0),
    "age <= 1 day": Gate(GateKind.MAX_AGE, days=1.0),
    "  loads ": Gate(GateKind.LOADS),
}


@pytest.mark.parametrize("line", LINES)
def test_each_form_is_read_and_printed(line: str) -> None:
    gate = LINES[line]
    assert parse_gate(line) == gate
    assert parse_gate(print_gate(gate)) == gate
    assert asked_for(gate)


names = st.text(min_size=1, max_size=12).filter(lambda text: text.strip() and text.isprintable())
numbers = st.floats(allow_nan=False, allow_infinity=False)
gates = st.one_of(
    st.builds(
        Gate,
        st.just(GateKind.METRIC),
        metric=names,
        at=st.sampled_from(POINTS),
        op=st.sampled_from(OPERATORS),
        bound=numbers,
    ),
    st.builds(
        Gate,
        st.just(GateKind.BETTER),
        alias=st.sampled_from([None, "champion", "for", "3rd"]),
        metric=names,
        goal=st.sampled_from([None, *Goal]),
        margin=st.floats(0, 1e300),
        confidence=st.floats(0.5, 0.999),
    ),
    st.builds(Gate, st.just(GateKind.ARTIFACTS), names=st.lists(names, min_size=1, max_size=3).map(tuple)),
    st.builds(Gate, st.just(GateKind.SAME_DATA), dataset=names),
    st.builds(Gate, st.just(GateKind.MAX_AGE), days=st.floats(1e-6, 36_500)),
)


@given(gates)
def test_any_gate_is_read_back_as_it_was_printed(gate: Gate) -> None:
    checked = checked_gate(gate)
    assert parse_gate(print_gate(checked)) == checked


@given(st.text(max_size=30) | st.text("beter(acury) >=<.0159,:\"'fod ", max_size=30))
def test_any_text_is_read_or_refused_in_a_sentence(text: str) -> None:
    try:
        parse_gate(text)
    except InvalidValue as error:
        assert str(error)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "is empty. For example"),
        ("accuracy", "at character 9 one of >= <= > < is expected, but it ends there"),
        ("accuracy >= high", "at character 13 a number is expected, not 'high'"),
        ("accuracy >= 0.9 0.8", "at character 17 the end or 'for' and an alias is expected, not '0.8'"),
        ("median(accuracy) >= 1", "at character 1 one of last, first, best, .* is expected, not 'median"),
        ("better(accuracy, margins=1)", "at character 18 margin=, confidence=.* is expected, not 'margins"),
        ("repeats >= 2.5", "at character 12 a whole number from 1 is expected"),
        ("age <= 30", "at character 10 days is expected, but it ends there"),
        ("clean code", "at character 7 'git' is expected, not 'code'"),
        ("artifacts: model,", "at character 18 the name of an artifact is expected"),
        ('"accuracy >= 1', "at character 1 a closing quote"),
        ("accuracy >= 1e999", "bound .* has to be finite"),
        ("better(loss, confidence=95)", "between 0.5 and 1"),
        ("better(loss, margin=-1)", "at least 0"),
        ("loads for latest", "'latest' is none"),
    ],
)
def test_what_cannot_be_read_names_the_place(line: str, message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        parse_gate(line)


def test_of_several_lines_the_line_is_named() -> None:
    assert parse_gates("# ours\n\naccuracy >= 0.9\nloads\n") == (
        Gate(GateKind.METRIC, metric="accuracy", bound=0.9),
        Gate(GateKind.LOADS),
    )
    with pytest.raises(InvalidValue, match="Line 2: The gate 'load' cannot be read"):
        parse_gates("accuracy >= 0.9\nload\n")


def test_gates_are_checked_as_values_too() -> None:
    assert checked_gates(["loads", Gate(GateKind.LOADS), "clean git"]) == (
        Gate(GateKind.LOADS),
        Gate(GateKind.CLEAN_GIT),
    )
    # What a gate does not read is not kept.
    assert checked_gate(Gate(GateKind.LOADS, bound=float("nan"))) == Gate(GateKind.LOADS)
    for wrong, message in (
        (Gate("weight"), "no gate of kind 'weight'"),  # type: ignore[arg-type]
        (Gate(GateKind.METRIC, metric="loss"), "bound of the gate on 'loss' is a number, not None"),
        (Gate(GateKind.METRIC, metric="loss", bound=float("inf")), "has to be finite"),
        (Gate(GateKind.METRIC, bound=1.0), "names a metric"),
        (Gate(GateKind.METRIC, metric="loss", bound=1.0, op="=="), "compares with"),
        (Gate(GateKind.REPEATS, count=0), "1 to 10,000 runs"),
        (Gate(GateKind.ARTIFACTS), "names 1 to 50"),
        (Gate(GateKind.MAX_AGE, days=0), "more than 0"),
        (Gate(GateKind.LOADS, alias="Champion"), "lower-case"),
    ):
        with pytest.raises(InvalidValue, match=message):
            checked_gates([wrong])
    with pytest.raises(InvalidValue, match="takes a list of gates"):
        checked_gates(5)  # type: ignore[arg-type]
