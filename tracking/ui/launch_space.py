"""The search space as the rows of an editable table, and back. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from tracking.ui import launch_cells
from tracking.ui.launch_cells import CellError

if TYPE_CHECKING:
    from tracking.tuning.definition import ParamSpace
    from tracking.tuning.definition_fields import Problems

COLUMNS: Final = ("param", "type", "low", "high", "log", "step", "choices", "value", "only_if")
TYPES: Final = ("float", "int", "categorical", "fixed")

Row = dict[str, Any]


def rows_of(space: Sequence[ParamSpace]) -> list[Row]:
    """Return a row of texts per param."""
    return [
        {
            "param": param.name,
            "type": param.kind.value,
            "low": launch_cells.number_text(param.low),
            "high": launch_cells.number_text(param.high),
            "log": param.log,
            "step": launch_cells.number_text(param.step),
            "choices": launch_cells.values_text(param.choices),
            "value": launch_cells.value_text(param.value) if param.kind.value == "fixed" else "",
            "only_if": launch_cells.only_if_text(param.only_if),
        }
        for param in space
    ]


def read_rows(rows: Sequence[Mapping[str, Any]], problems: Problems) -> tuple[ParamSpace, ...]:
    """Return the space that rows say, noting what cannot be read; params that a condition names come before it.

    A row without anything in it is passed over. Cells that do not belong to a row's type must be blank: what stands
    there would otherwise be lost without a word.
    """
    found = []
    for number, row in enumerate(rows, start=1):
        cells = {name: _text(row.get(name)) for name in COLUMNS if name != "log"}
        log = row.get("log") is True or str(row.get("log")) == "True"
        if not any(text for name, text in cells.items() if name != "type") and not log:
            continue
        if not cells["param"]:
            problems.add(("space",), f"has a row without a name, row {number}. Name the param, or delete it.")
            continue
        found.append(_param(cells, log=log, problems=problems))
    return tuple(_ordered(found))


def _param(cells: Mapping[str, str], *, log: bool, problems: Problems) -> ParamSpace:
    from tracking.tuning.definition import ParamKind, ParamSpace

    name = cells["param"]
    read = _Reader(("space", name), cells, problems)
    if cells["type"] and cells["type"] not in TYPES:
        problems.add(("space", name, "type"), f"must be one of {', '.join(TYPES)}.")
    kind = ParamKind(cells["type"]) if cells["type"] in TYPES else _guessed(cells)
    only_if = read("only_if", launch_cells.read_only_if, ())
    if kind is ParamKind.CATEGORICAL:
        read.blank("low", "high", "step", "value", kind=kind)
        if log:
            problems.add(("space", name, "log"), "belongs to numbers only. Untick it.")
        return ParamSpace(name, kind, choices=read("choices", launch_cells.read_values, ()), only_if=only_if)
    if kind is ParamKind.FIXED:
        read.blank("low", "high", "step", "choices", kind=kind)
        return ParamSpace(name, kind, value=read("value", launch_cells.read_value, None), only_if=only_if)
    read.blank("choices", "value", kind=kind)
    whole = kind is ParamKind.INT
    bounds: dict[str, Any] = {}
    for bound in ("low", "high", "step"):
        bounds[bound] = read(bound, lambda text: launch_cells.read_number(text, whole=whole), None)
        if bound != "step" and not cells[bound]:
            problems.add(("space", name, bound), "is blank. Give a number, or another type.")
    return ParamSpace(name, kind, log=log, only_if=only_if, **bounds)


class _Reader:
    def __init__(self, path: tuple[str, str], cells: Mapping[str, str], problems: Problems) -> None:
        self._path, self._cells, self._problems = path, cells, problems

    def __call__(self, name: str, read: Callable[[str], Any], otherwise: Any) -> Any:
        try:
            return read(self._cells[name])
        except CellError as error:
            self._problems.add((*self._path, name), str(error))
            return otherwise

    def blank(self, *names: str, kind: str) -> None:
        for name in names:
            if self._cells[name]:
                self._problems.add(
                    (*self._path, name), f"does not belong to a param of type {kind}. Clear it."
                )


def _guessed(cells: Mapping[str, str]) -> Any:
    from tracking.tuning.definition import ParamKind

    if cells["choices"]:
        return ParamKind.CATEGORICAL
    if cells["value"] and not cells["low"] and not cells["high"]:
        return ParamKind.FIXED
    return ParamKind.FLOAT


def _ordered(space: Sequence[ParamSpace]) -> list[ParamSpace]:
    """Return the params in their order, but none before one that its conditions name: rows cannot be moved."""
    waiting, placed, names = list(space), [], set[str]()
    known = {param.name for param in space}
    while waiting:
        ready = next(
            (
                param
                for param in waiting
                if all(each.param in names or each.param not in known for each in param.only_if)
            ),
            waiting[0],  # conditions in a circle, of which the check tells
        )
        waiting.remove(ready)
        placed.append(ready)
        names.add(ready.name)
    return placed


def _text(cell: object) -> str:
    """Return a cell's text; the editor has None and NaN for cells that nobody filled."""
    if cell is None or (isinstance(cell, float) and cell != cell):
        return ""
    return str(cell).strip()
