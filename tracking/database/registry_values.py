"""Gates, what they found, and evidence as the JSON that the registry keeps, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import MISSING, fields
from typing import Any, TypeVar

from tracking.database.registry_chain import canonical
from tracking.errors import StoreDamaged
from tracking.records import Goal
from tracking.registry_records import Evidence, Gate, GateKind, GateResult

Kind = TypeVar("Kind", list[Any], dict[str, Any])


def gates_list(gates: Iterable[Gate]) -> list[dict[str, Any]]:
    """Return gates as they are stored: objects with what is not left at its default."""
    return [_gate_object(gate) for gate in gates]


def gates_of(text: str) -> tuple[Gate, ...]:
    """Return stored gates.

    Raises:
        StoreDamaged: One cannot be read: a promotion must not go past it.
    """
    gates = readable_gates(text)
    if canonical(gates_list(gates)) != text:
        raise StoreDamaged(
            "The gates of a model cannot be read: somebody changed them in the database. `tracking registry verify` "
            "names what else was; put a backup in its place."
        )
    return gates


def readable_gates(text: str) -> tuple[Gate, ...]:
    """Return stored gates for people to see; those that somebody made unreadable are left out."""
    return tuple(gate for each in read_json(text, list) if (gate := _gate(each)) is not None)


def results_text(results: Iterable[GateResult]) -> str:
    """Return what gates found as it is stored."""
    return canonical(
        [
            {
                "gate": _gate_object(each.gate),
                "passed": bool(each.passed),
                "asked": each.asked,
                "found": each.found,
            }
            for each in results
        ]
    )


def results_of(text: str) -> tuple[GateResult, ...]:
    """Return what gates found; what somebody made unreadable is left out, and `verify` names the row."""
    return tuple(
        GateResult(gate, bool(each.get("passed")), str(each.get("asked")), str(each.get("found")))
        for each in read_json(text, list)
        if isinstance(each, dict) and (gate := _gate(each.get("gate"))) is not None
    )


def read_json(text: object, kind: type[Kind]) -> Kind:
    """Return stored JSON, or an empty one when it is not what it was written as."""
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, kind) else kind()


def evidence_object(evidence: Evidence | None) -> dict[str, Any]:
    """Return evidence as JSON types, empty for none."""
    if evidence is None:
        return {}
    said = {each.name: getattr(evidence, each.name) for each in fields(Evidence)}
    for side in ("candidate", "champion"):
        said[side] = [
            {"run": point.run, "value": point.value, "repeat": dict(point.repeat)} for point in said[side]
        ]
    return {**said, "goal": str(evidence.goal), "verdict": str(evidence.verdict)}


def _gate_object(gate: Gate) -> dict[str, Any]:
    said: dict[str, Any] = {"kind": str(gate.kind)}
    for each in fields(Gate):
        value = getattr(gate, each.name)
        if each.default is not MISSING and value != each.default:
            said[each.name] = list(value) if isinstance(value, tuple) else value
    return said


def _gate(said: object) -> Gate | None:
    known = {each.name for each in fields(Gate)}
    if not isinstance(said, dict) or not said.keys() <= known:
        return None
    try:
        values: dict[str, Any] = {**said, "kind": GateKind(str(said.get("kind")))}
        if "names" in values:
            values["names"] = tuple(values["names"])
        if values.get("goal") is not None:
            values["goal"] = Goal(values["goal"])
        return Gate(**values)
    except (ValueError, TypeError):
        return None
