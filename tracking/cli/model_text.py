"""Models, versions, gates, evidence and the journal as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tracking.exports.cells import json_text, printable
from tracking.registry_records import JournalKind

if TYPE_CHECKING:
    from tracking.registry_records import (
        Evidence,
        GateResult,
        JournalEntry,
        ModelRecord,
        PromotionCheck,
        VersionRecord,
    )

MODEL_COLUMNS = ("name", "versions", "holders", "since", "gates", "description")
VERSION_COLUMNS = ("version", "aliases", "run", "name", "experiment", "registered", "size", "description")
JOURNAL_COLUMNS = ("row", "at", "model", "what", "reason", "by")
OVERRIDDEN = "against its gates"


def at(when: datetime) -> str:
    """Return a moment to the minute, in UTC."""
    return when.strftime("%Y-%m-%d %H:%M")


def model_row(record: ModelRecord) -> Sequence[str]:
    """Return a model as a row of `models list`."""
    since = max(record.since.values(), default=None)
    return (
        record.name,
        str(record.versions),
        ", ".join(
            f"{alias} {number}" + (f" ({OVERRIDDEN})" if alias in record.overridden else "")
            for alias, number in sorted(record.holders.items(), key=str)
        ),
        "" if since is None else at(since),
        str(len(record.gates)) if record.gates else "none",
        record.description,
    )


def model_pairs(record: ModelRecord) -> Mapping[str, str]:
    """Return what `models show` says at its head."""
    return _filled(
        {
            "model": record.name,
            "created": record.created.strftime("%Y-%m-%d %H:%M:%S UTC"),
            "tags": ", ".join(record.tags),
            "description": record.description,
        }
    )


def holder_lines(record: ModelRecord) -> list[str]:
    """Return who holds what, a line an alias."""
    return [
        f"{alias}  {record.name}/{number}"
        + (f"  since {at(record.since[alias])} UTC" if alias in record.since else "")
        + (f"  {OVERRIDDEN}" if alias in record.overridden else "")
        for alias, number in sorted(record.holders.items(), key=str)
    ]


def version_row(record: VersionRecord) -> Sequence[str]:
    """Return a version as a row of `models versions`."""
    aliases = (
        str(alias) + (f" ({OVERRIDDEN})" if alias in record.overridden else "") for alias in record.aliases
    )
    return (
        str(record.number),
        ", ".join(aliases),
        record.run,
        record.run_name,
        record.experiment,
        at(record.created),
        f"{record.size:,}",
        record.description,
    )


def version_pairs(record: VersionRecord) -> Mapping[str, str]:
    """Return what `models show` says of a version."""
    step = "" if record.step is None else f", step {record.step:,}"
    return _filled(
        {
            "version": record.name,
            "aliases": ", ".join(map(str, record.aliases)),
            "run": f"{record.run}  {record.run_name}",
            "experiment": record.experiment,
            "artifact": f"{record.artifact}{step}, {record.size:,} bytes",
            "sha256": record.digest,
            "registered": record.created.strftime("%Y-%m-%d %H:%M:%S UTC"),
            "by": record.by,
            "tags": ", ".join(record.tags),
            "description": record.description,
            **{f"{alias} {OVERRIDDEN}": reason for alias, reason in record.overridden.items()},
        }
    )


def _filled(pairs: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in pairs.items() if text}


def value_text(value: Any) -> str:
    """Return a value of a version's lineage or details in short."""
    from tracking.ui import format

    if isinstance(value, float):
        return format.number(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={value_text(each)}" for key, each in value.items() if each is not None)
    if isinstance(value, list | tuple):
        return "; ".join("any" if each is None else value_text(each) for each in value)
    return value if isinstance(value, str) else json_text(value)


def gate_lines(results: Iterable[GateResult]) -> list[str]:
    """Return what each gate found: a mark, what is asked, what is there."""
    return [
        printable(f"{'✓' if each.passed else '✗'} {each.asked}: {each.found}", lines=False)
        for each in results
    ]


def evidence_lines(
    evidence: Evidence | Mapping[str, Any] | None, results: Iterable[GateResult] = ()
) -> list[str]:
    """Return evidence as its sentence and its numbers; nothing where there is none.

    Args:
        evidence: As a promotion found it, or as the journal has it.
        results: Of the gates that stand above: a sentence that one of them has said is not said again.
    """
    if evidence is None:
        return []
    found = dict(evidence) if isinstance(evidence, Mapping) else asdict(evidence)
    sentence = str(found.get("sentence") or "")
    if not sentence:
        return []
    lines = [] if any(sentence in each.found for each in results) else [sentence]
    if found.get("method"):
        lines.append(", ".join(_numbers(found)))
    lines += [f"left out: {each}" for each in found.get("left_out") or ()]
    return [printable(line) for line in lines]


def _numbers(found: Mapping[str, Any]) -> list[str]:
    from tracking.ui import format

    number = format.number
    parts = [f"{found['method']}, {len(found['candidate'])} against {len(found['champion'])} runs"]
    if found.get("pairs"):
        parts.append(f"{found['pairs']} pairs")
    if found.get("difference") is not None:
        parts.append(f"difference {number(found['difference'])}")
    if found.get("low") is not None and found.get("high") is not None:
        level = number(100 * found["confidence"])
        parts.append(f"{level} % interval {number(found['low'])} to {number(found['high'])}")
    if found.get("margin"):
        parts.append(f"margin {number(found['margin'])}")
    for name, label in (
        ("effect", "effect size"),
        ("probability", "chance of being better"),
        ("p_value", "p"),
    ):
        if found.get(name) is not None:
            parts.append(f"{label} {number(found[name], 3)}")
    if found.get("picked_from"):
        parts.append(f"picked from {found['picked_from']:,} trials")
    return parts


def what(entry: JournalEntry) -> str:
    """Return what a row of the journal tells, in a few words."""
    before = "nobody" if entry.previous is None else str(entry.previous)
    if entry.kind is JournalKind.REGISTER:
        return f"version {entry.version} registered"
    if entry.kind is JournalKind.GATES:
        count = len(entry.details.get("gates") or ())
        return f"gates set: {count}" if count else "gates removed"
    if entry.kind is JournalKind.REFUSE:
        failed = sum(not each.passed for each in entry.gates)
        problem = str(entry.details.get("problem") or "refused")
        said = f"{failed} of {len(entry.gates)} gates not met" if failed else problem
        return f"{entry.alias} refused to {entry.version}: {said} (holder: {before})"
    if entry.kind is JournalKind.RETIRE:
        return f"{entry.alias}: {before} → nobody"
    against = f", {OVERRIDDEN}" if entry.overridden else ""
    back = ", rolled back" if entry.kind is JournalKind.ROLLBACK else ""
    return f"{entry.alias}: {before} → {entry.version}{against}{back}"


def journal_row(entry: JournalEntry, gone: Sequence[str] = ()) -> Sequence[str]:
    """Return a row of the journal as a row of `history`; `gone`: runs of its evidence that were deleted for good."""
    when = entry.at.strftime("%Y-%m-%d %H:%M:%S")
    tells = what(entry)
    if gone:
        tells += f"; gone: {len(gone)} of the {len(entry.evidence_runs)} runs of its evidence"
    # Somebody may have put a blob in a column: who looks at such a journal is told by `verify`.
    return (str(entry.position), when, *map(str, (entry.model, tells, entry.reason, entry.by)))


def model_json(record: ModelRecord) -> dict[str, Any]:
    """Return a model for JSON."""
    return asdict(record)


def version_json(record: VersionRecord) -> dict[str, Any]:
    """Return a version for JSON, with the name that `load_model` takes."""
    return {"name": record.name, **asdict(record)}


def entry_json(entry: JournalEntry, gone: Sequence[str] | None = None) -> dict[str, Any]:
    """Return a row of the journal for JSON; `gone`: ids of runs of its evidence that were deleted for good."""
    told = {} if gone is None else {"evidence_gone": list(gone)}
    return {**asdict(entry), "kind": str(entry.kind), **told}


def check_json(check: PromotionCheck) -> dict[str, Any]:
    """Return what a promotion would meet, for JSON."""
    return {**asdict(check), "passed": check.passed}
