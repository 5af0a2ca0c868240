"""The operations in a study's journal, read without Optuna: what they say and which of them count.

The rules are those of `optuna.storages.JournalStorage`, which replays the same operations. A finished trial
takes no more of them; a trial that runs cannot be made to run again; a param whose distribution is of another
kind than the study's first one of that name is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

from tracking.records import Goal, RunStatus

Op = dict[str, Any]


class OpCode(IntEnum):
    """What an operation does; the numbers are Optuna's."""

    CREATE_STUDY = 0
    DELETE_STUDY = 1
    SET_STUDY_USER_ATTR = 2
    SET_STUDY_SYSTEM_ATTR = 3
    CREATE_TRIAL = 4
    SET_TRIAL_PARAM = 5
    SET_TRIAL_STATE_VALUES = 6
    SET_TRIAL_INTERMEDIATE_VALUE = 7
    SET_TRIAL_USER_ATTR = 8
    SET_TRIAL_SYSTEM_ATTR = 9
    DISCARD_TRIALS = 10


STATES = ("running", "complete", "pruned", "fail", "waiting")
"""Names of Optuna's states of a trial, by their number."""
RUNNING = "running"
FINISHED = frozenset(("complete", "pruned", "fail"))
STATUS = {
    "running": RunStatus.RUNNING,
    "complete": RunStatus.FINISHED,
    "pruned": RunStatus.PRUNED,
    "fail": RunStatus.FAILED,
    "waiting": RunStatus.WAITING,
}
GOALS = {1: Goal.MINIMIZE, 2: Goal.MAXIMIZE}
"""By Optuna's number of a direction."""

CONSTRAINTS_KEY = "constraints"
"""Names, alone or before a colon, the system attributes in which Optuna keeps a trial's constraints."""

NOTHING: Op = {"op_code": OpCode.DISCARD_TRIALS.value, "worker_id": ""}
"""An operation that a replay passes over."""

# `json.dumps` with separators would make one of these for every call.
_ENCODER = json.JSONEncoder(separators=(",", ":"))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def dump(op: Op) -> str:
    """Return an operation as the journal keeps it; raises TypeError for what JSON does not know."""
    return _ENCODER.encode(op)


def load(texts: Iterable[str]) -> list[Op]:
    """Return operations from their texts."""
    found: list[Op] = json.loads("[" + ",".join(texts) + "]")
    return found


def microseconds(moment: str | None) -> int | None:
    """Return an ISO date with its zone in microseconds since 1970-01-01 UTC."""
    if moment is None:
        return None
    since = datetime.fromisoformat(moment) - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def param_value(distribution: str, internal: float) -> Any:
    """Return what an objective gets for Optuna's internal number of a param.

    Args:
        distribution: JSON, as Optuna writes it.
        internal: The value itself, or the place of a choice.
    """
    said = json.loads(distribution)
    name, attributes = said["name"], said["attributes"]
    if name == "CategoricalDistribution":
        return attributes["choices"][int(internal)]
    return int(internal) if name.startswith("Int") else internal


def compatible(first: str, other: str) -> bool:
    """Whether two distributions of a param may stand in one study (`check_distribution_compatibility`)."""
    if first == other:
        return True
    one, two = json.loads(first), json.loads(other)
    if one["name"] != two["name"]:
        return False
    mine, theirs = one["attributes"], two["attributes"]
    if one["name"] == "CategoricalDistribution":
        choices, others = mine["choices"], theirs["choices"]
        return len(choices) == len(others) and all(map(_same_choice, choices, others))
    if one["name"] in ("FloatDistribution", "IntDistribution"):
        return bool(mine["log"] == theirs["log"])
    return True


def constraints(system_attributes: Mapping[str, Any]) -> dict[str, float]:
    """Return what a trial's system attributes say of constraints, by name: above 0 is broken.

    `trial.set_constraint` says each in an attribute of its own; a sampler's `constraints_func` said them as a list.
    """
    listed = system_attributes.get(CONSTRAINTS_KEY)
    found = {str(place): value for place, value in enumerate(listed)} if isinstance(listed, list) else {}
    start = f"{CONSTRAINTS_KEY}:"
    found |= {
        key.removeprefix(start): each for key, each in system_attributes.items() if key.startswith(start)
    }
    return {key: each for key, each in found.items() if isinstance(each, int | float)}


def _same_choice(one: Any, two: Any) -> bool:
    return bool(one == two or (one != one and two != two))


def whole_trial(ops: Iterable[Op], first_distribution: Callable[[str], str]) -> Op:
    """Return the one operation that creates a trial as a row of operations left it.

    Args:
        ops: Those on the trial, in order, the one that created it first.
        first_distribution: Gives the study's first distribution of a param.
    """
    whole: Op = {}
    for op in ops:
        code = op["op_code"]
        if not whole:
            whole = {
                "op_code": code,
                "worker_id": "",
                "study_id": 0,
                "state": op.get("state", STATES.index(RUNNING)),
                "value": None,
                "values": op.get("values"),
                "datetime_start": op["datetime_start"],
                "distributions": dict(op.get("distributions", {})),
                "params": dict(op.get("params", {})),
                "user_attrs": dict(op.get("user_attrs", {})),
                "system_attrs": dict(op.get("system_attrs", {})),
                "intermediate_values": dict(op.get("intermediate_values", {})),
            }
            if op.get("value") is not None:
                whole["values"] = [op["value"]]
            if "datetime_complete" in op:
                whole["datetime_complete"] = op["datetime_complete"]
        elif STATES[whole["state"]] in FINISHED:
            break
        elif code == OpCode.SET_TRIAL_PARAM:
            name, distribution = op["param_name"], op["distribution"]
            if compatible(first_distribution(name), distribution):
                whole["params"][name] = op["param_value_internal"]
                whole["distributions"][name] = distribution
        elif code == OpCode.SET_TRIAL_STATE_VALUES:
            if not op["state"] == whole["state"] == STATES.index(RUNNING):
                _set_state(whole, op)
        elif code == OpCode.SET_TRIAL_INTERMEDIATE_VALUE:
            whole["intermediate_values"][str(op["step"])] = op["intermediate_value"]
        elif code == OpCode.SET_TRIAL_USER_ATTR:
            whole["user_attrs"].update(op["user_attr"])
        elif code == OpCode.SET_TRIAL_SYSTEM_ATTR:
            whole["system_attrs"].update(op["system_attr"])
    return whole


def _set_state(whole: Op, op: Op) -> None:
    whole["state"] = op["state"]
    if STATES[op["state"]] == RUNNING:
        whole["datetime_start"] = op["datetime_start"]
    elif STATES[op["state"]] in FINISHED:
        whole["datetime_complete"] = op["datetime_complete"]
    if op["values"] is not None:
        whole["values"] = op["values"]
