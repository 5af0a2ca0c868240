"""A sweep's definition written as the TOML file that reads back as the same definition.

The text is canonical: equal definitions have the same one, so that an edit shows as the lines it changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tracking.tuning.definition import (
    FunctionTarget,
    Limits,
    Named,
    ParamKind,
    ParamSpace,
    ScriptTarget,
    SweepDefinition,
    Target,
)

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_DURATIONS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_SIZES = (("TB", 10**12), ("GB", 10**9), ("GiB", 2**30), ("MB", 10**6), ("MiB", 2**20))


def definition_text(definition: SweepDefinition) -> str:
    """Return a definition as TOML; `read_definition` makes an equal one of it.

    Args:
        definition: A checked one.
    """
    sections = [_section(None, _general(definition)), _section("target", _target(definition.target))]
    sections += [_section(f"space.{_key(param.name)}", _param(param)) for param in definition.space]
    sections += [
        _section("objectives", {"metric": each.metric, "goal": each.goal, "at": each.at}, array=True)
        for each in definition.objectives
    ]
    sections.append(_section("sampler", _named(definition.sampler)))
    sections.append(_section("pruner", _named(definition.pruner)))
    budget = definition.budget
    sections.append(_section("budget", {"trials": budget.trials, "time": _duration(budget.seconds)}))
    if definition.repeats is not None:
        vary, values = definition.repeats.vary, definition.repeats.values
        told = {"count": len(values)} if vary is None else {"vary": vary, "values": values}
        sections.append(_section("repeats", told))
    sections.append(_section("limits", _limits(definition.limits)))
    if definition.prior is not None:
        prior = definition.prior
        sections.append(
            _section("prior", {"experiment": prior.experiment, "filter": prior.filter, "limit": prior.limit})
        )
    sections += [_section("start_with", params, array=True, nones=True) for params in definition.start_with]
    return "\n".join(sections)


def _general(definition: SweepDefinition) -> dict[str, Any]:
    return {
        "name": definition.name,
        "notes": definition.notes or None,
        "experiment": definition.experiment,
        "seed": definition.seed,
        "workers": definition.workers,
        "environment": definition.environment or None,
    }


def _target(target: Target) -> dict[str, Any]:
    if isinstance(target, ScriptTarget):
        return {"script": target.path, "arguments": target.arguments or None}
    if isinstance(target, FunctionTarget):
        return {"objective" if target.objective else "function": f"{target.path}:{target.name}"}
    return {
        "dataset": target.dataset,
        "file": target.file,
        "artifact": target.artifact,
        "column": target.column,
        "metric": target.metric,
        "estimators": target.estimators or None,
        "folds": target.folds,
        "seed": target.seed,
    }


def _param(param: ParamSpace) -> dict[str, Any]:
    written: dict[str, Any] = {"type": param.kind}
    if param.kind is ParamKind.CATEGORICAL:
        written["choices"] = param.choices
    elif param.kind is ParamKind.FIXED:
        written["value"] = {"none": True} if param.value is None else param.value
    else:
        for name, value in (("low", param.low), ("high", param.high), ("step", param.step)):
            floats = param.kind is ParamKind.FLOAT and value is not None
            written[name] = float(value or 0) if floats else value
        written["log"] = param.log or None
    if param.only_if:
        written["only_if"] = {condition.param: condition.values for condition in param.only_if}
    return written


def _named(named: Named) -> dict[str, Any]:
    return {"name": named.name, **named.options}


def _limits(limits: Limits) -> dict[str, Any]:
    return {
        "time": _duration(limits.seconds),
        "memory": _size(limits.memory),
        "failures": "unlimited" if limits.failures is None else limits.failures,
        "retries": limits.retries,
    }


def _duration(seconds: float | None) -> str | float | None:
    if seconds is None or seconds != int(seconds):
        return seconds
    unit, length = next(each for each in _DURATIONS if int(seconds) % each[1] == 0)
    return f"{int(seconds) // length}{unit}"


def _size(memory: int | None) -> str | int | None:
    if memory is None:
        return None
    for unit, length in _SIZES:
        if memory % length == 0:
            return f"{memory // length}{unit}"
    return memory


def _section(name: str | None, fields: Mapping[str, Any], *, array: bool = False, nones: bool = False) -> str:
    """Return a table; a field that is None is left out, or is none where `nones`."""
    lines = [] if name is None else [f"[[{name}]]" if array else f"[{name}]"]
    for key, value in fields.items():
        if value is not None or nones:
            lines.append(
                f"{_key(key)} = {_notes(value) if key == 'notes' and name is None else _value(value)}"
            )
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _string(name)


def _value(value: object) -> str:
    if value is None:
        return "{ none = true }"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {_value(each)}" for key, each in value.items()) + " }"
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(map(_value, value)) + "]"
    return _string(str(value))


def _string(text: str) -> str:
    # JSON's escapes are TOML's too; DEL has none there and may not stand here.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _notes(text: str) -> str:
    if "\n" not in text:
        return _string(text)
    return '"""\n' + "\n".join(_string(line)[1:-1] for line in text.split("\n")) + '"""'
