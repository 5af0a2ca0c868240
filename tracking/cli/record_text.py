"""One run with all it carries, as text and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TextIO

from tracking.cli.terminal import TextTable, terminal_width
from tracking.exports.cells import json_text, printable

if TYPE_CHECKING:
    from tracking.records import ArtifactRecord, CaptureRecord, RunRecord
    from tracking.store import Store

VALUE_WIDTH = 100
PACKAGES = "packages"


def record_json(store: Store, run_id: str) -> dict[str, Any]:
    """Return everything that the store knows of a run, but its metric history and the bytes it carries."""
    record = asdict(store.run(run_id))
    record["status"] = str(record["status"])
    record["artifacts"] = [_plain(asdict(each)) for each in store.artifacts(run_id, superseded=True)]
    record["datasets"] = [_plain(asdict(each)) for each in store.datasets(run_id)]
    record["captures"] = [_plain(asdict(each)) for each in store.captures(run_id)]
    return record


def write_record(out: TextIO, store: Store, run_id: str) -> None:
    """Print a run in short."""
    record = store.run(run_id)
    _head(out, record)
    write_pairs(out, "params", {key: _value(value) for key, value in record.flat_params.items()})
    _metrics(out, record)
    if record.notes:
        _text(out, "notes", record.notes)
    if record.error:
        _text(out, "error", record.error)
    _artifacts(out, store.artifacts(run_id))
    datasets = store.datasets(run_id)
    if datasets:
        out.write("\ndatasets\n")
        table = TextTable(out, ["name", "kind", "rows", "columns", "digest", "source"], numeric=[2, 3])
        table.add(
            [
                [each.name, each.kind, _value(each.rows), _value(each.columns), each.digest[:12], each.source]
                for each in datasets
            ]
        )
    _captures(out, store.captures(run_id))


def _head(out: TextIO, record: RunRecord) -> None:
    from tracking.ui import format

    lines = {
        "run": record.id,
        "name": record.name,
        "experiment": record.experiment,
        "status": str(record.status) + (" (in the trash)" if record.deleted else ""),
        "created": record.created.strftime("%Y-%m-%d %H:%M:%S UTC"),
        "duration": format.duration(record.duration),
        "tags": ", ".join(record.tags),
        "group": record.group or "",
        "parent": record.parent or "",
        "total steps": "" if record.total_steps is None else f"{record.total_steps:,}",
        "dropped": f"{record.dropped_points:,} points" if record.dropped_points else "",
    }
    _lines(out, {name: text for name, text in lines.items() if text})


def _metrics(out: TextIO, record: RunRecord) -> None:
    from tracking.ui import format

    if not record.metrics:
        return
    out.write("\nmetrics\n")
    table = TextTable(out, ["key", "last", "step", "min", "max", "points"], numeric=range(1, 6))
    table.add(
        [
            [
                key,
                format.number(each.last),
                f"{each.last_step:,}",
                format.number(each.min),
                format.number(each.max),
                f"{each.count:,}",
            ]
            for key, each in sorted(record.metrics.items())
        ]
    )


def _artifacts(out: TextIO, found: list[ArtifactRecord]) -> None:
    if not found:
        return
    out.write("\nartifacts\n")
    table = TextTable(out, ["name", "kind", "step", "bytes", "files", "sha256"], numeric=[2, 3, 4])
    table.add(
        [
            [
                each.name,
                str(each.kind),
                _value(each.step),
                f"{each.size:,}",
                str(each.files),
                each.digest[:12],
            ]
            for each in found
        ]
    )


def _captures(out: TextIO, found: list[CaptureRecord]) -> None:
    if not found:
        return
    out.write("\ncaptured\n")
    shown: dict[str, str] = {}
    for each in found:
        name = each.section if each.rank is None else f"{each.section} (rank {each.rank})"
        shown[name] = _capture(each)
    _lines(out, shown, indent="  ")


def _capture(record: CaptureRecord) -> str:
    if "error" in record.data:
        return f"not recorded: {record.data['error']}"
    packages = record.data.get(PACKAGES)
    if isinstance(packages, Mapping):
        return f"{len(packages):,} packages"
    parts = [
        f"{key}={_value(value)}" for key, value in record.data.items() if value not in (None, "", [], {})
    ]
    if record.digest is not None:
        parts.append(f"{record.size:,} bytes")
    return ", ".join(parts)


def _text(out: TextIO, title: str, text: str) -> None:
    out.write(f"\n{title}\n")
    for line in printable(text, lines=True).rstrip("\n").split("\n"):
        out.write(f"  {line}\n")


def write_pairs(out: TextIO, title: str, values: Mapping[str, str]) -> None:
    """Print names with their values under a title, or at the head of a text."""
    if not values:
        return
    if title:
        out.write(f"\n{title}\n")
    _lines(out, values, indent="  " if title else "")


def _lines(out: TextIO, values: Mapping[str, str], indent: str = "") -> None:
    room = max((terminal_width() or VALUE_WIDTH * 2) - 2, 18)
    names = {name: printable(name) for name in values}
    column = min(max(map(len, names.values())), max(room // 2 - len(indent) - 2, 4))
    for name, value in values.items():
        text = printable(value)
        left = max(room - len(indent) - max(column, len(names[name])) - 2, 8)
        if len(text) > left:
            text = text[: left - 1] + "…"
        out.write(f"{indent}{names[name]:<{column}}  {text}\n")


def _value(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json_text(value)


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    return {key: str(value) if key == "kind" else value for key, value in record.items()}
