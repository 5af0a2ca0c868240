"""What a gate may say."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

from tracking.errors import InvalidValue
from tracking.records import Goal
from tracking.registry_records import Gate, GateKind
from tracking.validation import KEY_LIMIT, checked_text

POINTS = ("last", "first", "best", "min", "max", "mean")
"""Which of a metric's points a gate may speak of."""
OPERATORS = (">=", ">", "<=", "<")
MOST = 50
"""Gates of one model."""
_ALIAS = re.compile(r"[a-z0-9][a-z0-9._-]{0,49}")
_NAMES = 50
_RUNS = 10_000
_DAYS = 36_500.0


def checked_gates(gates: Iterable[Gate | str]) -> tuple[Gate, ...]:
    """Return gates as a model keeps them, without repeats; text is read as by `gate_text.parse_gate`.

    A metric that no run has logged may be named: it may come.

    Raises:
        InvalidValue: One of them cannot be met or read by anything, with the way out.
    """
    from tracking.registry.gate_text import parse_gate, parse_gates

    if isinstance(gates, str):
        gates = parse_gates(gates)
    if isinstance(gates, Gate) or not isinstance(gates, Iterable):
        raise InvalidValue(
            "gates= takes a list of gates, for example ['accuracy >= 0.9', 'clean git']; an empty list asks nothing."
        )
    found = [parse_gate(each) if isinstance(each, str) else checked_gate(each) for each in gates]
    if len(found) > MOST:
        raise InvalidValue(f"A model has up to {MOST} gates, not {len(found)}.")
    return tuple(dict.fromkeys(found))


def checked_gate(gate: Gate) -> Gate:
    """Return a gate with the fields that its kind reads, numbers as floats; the others are as they begin.

    Raises:
        InvalidValue: A field is missing or out of range.
    """
    if not isinstance(gate, Gate):
        raise InvalidValue(
            f"A gate is a tracking.Gate or a line such as 'accuracy >= 0.9', not {type(gate).__name__}."
        )
    try:
        kind = GateKind(gate.kind)
    except ValueError:
        known = ", ".join(each.value for each in GateKind)
        raise InvalidValue(f"There is no gate of kind {gate.kind!r:.60}. There are: {known}.") from None
    alias = gate.alias
    if alias is not None and not (isinstance(alias, str) and _ALIAS.fullmatch(alias) and alias != "latest"):
        raise InvalidValue(
            f"A gate for the alias {alias!r:.80} meets no promotion: an alias is made of lower-case letters, digits "
            "and . _ -, up to 50 of them, and 'latest' is none. Leave it out for every alias."
        )
    return Gate(kind=kind, alias=alias, **_FIELDS[kind](gate))


def _metric(gate: Gate) -> dict[str, Any]:
    if gate.op not in OPERATORS:
        raise InvalidValue(
            f"A gate on a metric compares with one of {' '.join(OPERATORS)}, not {gate.op!r:.40}."
        )
    bound = _finite(gate.bound, f"The bound of the gate on {gate.metric!r:.80}")
    return {"metric": _key(gate), "at": _point(gate), "op": gate.op, "bound": bound}


def _better(gate: Gate) -> dict[str, Any]:
    margin = _finite(gate.margin, "The margin of a gate")
    if margin < 0:
        raise InvalidValue(
            f"The margin of a gate is {margin:g}; it is at least 0, in units of the metric: by how much the version "
            "has to be better, whichever direction that is."
        )
    confidence = _finite(gate.confidence, "The confidence of a gate")
    if not 0.5 <= confidence < 1:
        raise InvalidValue(
            f"The confidence of a gate is between 0.5 and 1, such as 0.95, not {confidence:g}."
        )
    goal = gate.goal
    if goal is not None:
        try:
            goal = Goal(goal)
        except ValueError:
            raise InvalidValue(f"goal= of a gate is 'maximize' or 'minimize', not {goal!r:.40}.") from None
    told = {"metric": _key(gate), "at": _point(gate), "goal": goal}
    return {**told, "margin": margin, "confidence": confidence}


def _repeats(gate: Gate) -> dict[str, Any]:
    count = gate.count
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= _RUNS:
        raise InvalidValue(
            f"A gate on repeats asks for 1 to {_RUNS:,} runs, count=5 for example, not {count!r:.40}."
        )
    return {"count": count}


def _artifacts(gate: Gate) -> dict[str, Any]:
    names = gate.names
    if isinstance(names, str) or not names or len(names) > _NAMES:
        raise InvalidValue(f"A gate on artifacts names 1 to {_NAMES} of them: names=('model', 'report.csv').")
    return {"names": tuple(dict.fromkeys(checked_text(name, "an artifact's name") for name in names))}


def _same_data(gate: Gate) -> dict[str, Any]:
    return {"dataset": None if gate.dataset is None else checked_text(gate.dataset, "a dataset's name")}


def _max_age(gate: Gate) -> dict[str, Any]:
    days = _finite(gate.days, "The age that a gate allows")
    if not 0 < days <= _DAYS:
        raise InvalidValue(f"A gate on age allows more than 0 and up to {_DAYS:,.0f} days, not {days:g}.")
    return {"days": days}


def _nothing(gate: Gate) -> dict[str, Any]:
    return {}


_FIELDS = {
    GateKind.METRIC: _metric,
    GateKind.BETTER: _better,
    GateKind.REPEATS: _repeats,
    GateKind.ARTIFACTS: _artifacts,
    GateKind.CLEAN_GIT: _nothing,
    GateKind.SAME_DATA: _same_data,
    GateKind.MAX_AGE: _max_age,
    GateKind.LOADS: _nothing,
}


def _key(gate: Gate) -> str:
    if gate.metric is None:
        raise InvalidValue(f"A gate of kind {gate.kind} names a metric: metric='accuracy'.")
    return checked_text(gate.metric, "a gate's metric", limit=KEY_LIMIT)


def _point(gate: Gate) -> str:
    if gate.at not in POINTS:
        raise InvalidValue(f"A gate reads one of {', '.join(POINTS)} of a metric, not {gate.at!r:.40}.")
    return gate.at


def _finite(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidValue(f"{what} is a number, not {value!r:.40}.")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InvalidValue(f"{what} is {number:g}; it has to be finite.")
    return number + 0.0
