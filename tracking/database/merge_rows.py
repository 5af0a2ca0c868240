"""One run of another store, read with care: a store may come from anybody.

What is wrong with a run itself refuses the run (`InvalidValue`); what is wrong with one thing that it
carries leaves that out and is noted in `SourceRun.refused`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, select

from tracking.database.blocks import BlockDamaged, decode
from tracking.database.carried_rows import artifacts, captures, dataset_uses, datasets
from tracking.database.param_values import decode_value
from tracking.database.run_writes import (
    experiments,
    metric_keys,
    param_keys,
    params_table,
    runs,
    sessions,
    tags_table,
)
from tracking.database.series import blocks, series_table
from tracking.errors import InvalidValue
from tracking.records import RunStatus
from tracking.spool.files import is_run_id
from tracking.validation import (
    INT64_MAX,
    INT64_MIN,
    checked_notes,
    checked_tags,
    checked_text,
    normalized,
    storable,
)

CheckName = Callable[[object], str]

_DIGEST = re.compile(r"[0-9a-f]{64}")
_SPOOL_END = re.compile(r"\.[0-9a-f]{12}")
_PARAM_KINDS = ("null", "bool", "int", "float", "text", "json", "repr")
_BLOCK_POINTS = 1 << 16
TEXT_LIMIT = 1 << 28
SHORT = 512
_MISSING: Any = object()


@dataclass(slots=True)
class SourceRun:
    """A run of another store without its points.

    Attributes:
        row: Columns of its row that are taken over.
        experiment: Name of its experiment, and `began` when that was made.
        sessions: Columns of each session's row, in order of `ordinal`, with its number there as `id`.
        artifacts: Columns of rows, in order, with the session's `spool`.
        captures: The same.
        datasets: Columns of datasets with `name`, `source` and `used` of the run's use.
        refused: What was left out, and why.
    """

    row: dict[str, Any]
    experiment: str
    began: int
    sessions: list[dict[str, Any]]
    tags: list[str]
    params: list[tuple[str, str, str, float | None, str | None]]
    artifacts: list[dict[str, Any]] = field(default_factory=list)
    captures: list[dict[str, Any]] = field(default_factory=list)
    datasets: list[dict[str, Any]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def uid(self) -> str:
        return str(self.row["uid"])


def read_run(connection: Connection, number: int, check_name: CheckName) -> SourceRun:
    """Return a run of the other store.

    Args:
        connection: To the private copy.
        number: Its internal number there.
        check_name: Gives an artifact's name back, or raises InvalidValue.

    Raises:
        InvalidValue: Something of it cannot be kept here.
    """
    found = connection.execute(select(runs).where(runs.c.id == number)).mappings().one()
    uid = found["uid"]
    if not isinstance(uid, str) or not is_run_id(uid):
        raise InvalidValue(f"{uid!r:.80} is no run's id")
    run = SourceRun(
        row=_run_row(found, uid),
        experiment="",
        began=0,
        sessions=_sessions(connection, number, uid),
        tags=checked_tags(
            connection.execute(
                select(tags_table.c.tag).where(tags_table.c.run_id == number).order_by(tags_table.c.position)
            ).scalars()
        ),
        params=_params(connection, number),
    )
    home = connection.execute(select(experiments).where(experiments.c.id == found["experiment_id"])).one()
    run.experiment, run.began = checked_text(home.name, "an experiment's name"), _int(home.created, "created")
    _read_carried(connection, number, run, check_name)
    return run


def _run_row(found: RowMapping, uid: str) -> dict[str, Any]:
    if found["status"] not in set(RunStatus):
        raise InvalidValue(f"{found['status']!r:.80} is no status")
    parent = found["parent"]
    if parent is not None and not (isinstance(parent, str) and is_run_id(parent)):
        raise InvalidValue(f"its parent {parent!r:.80} is no run's id")
    group, seconds = found["group_name"], found["seconds"]
    return {
        "uid": uid,
        "name": checked_text(found["name"], "a run's name"),
        "status": found["status"],
        "created": _int(found["created"], "created"),
        "ended": _int(found["ended"], "ended", none=True),
        "last_seen": _int(found["last_seen"], "last_seen"),
        "seconds": float(seconds) if isinstance(seconds, int | float) else 0.0,
        "group_name": None if group is None else checked_text(group, "a group"),
        "parent": parent,
        "total_steps": _int(found["total_steps"], "total_steps", none=True),
        "notes": checked_notes(found["notes"]),
        "error": None if found["error"] is None else _text(found["error"], "an error"),
    }


def _sessions(connection: Connection, number: int, uid: str) -> list[dict[str, Any]]:
    found = []
    query = select(sessions).where(sessions.c.run_id == number).order_by(sessions.c.ordinal, sessions.c.id)
    for row in connection.execute(query).mappings():
        spool = row["spool"]
        # The name of files, here as there.
        if (
            not isinstance(spool, str)
            or not spool.startswith(uid)
            or not _SPOOL_END.fullmatch(spool[len(uid) :])
        ):
            raise InvalidValue(f"its session {spool!r:.80} has another run's name, or none")
        rank = _int(row["rank"], "rank", none=True)
        found.append(
            {
                "id": row["id"],
                "spool": spool,
                "owner": bool(row["owner"]),
                "started": _int(row["started"], "started"),
                "host": _text(row["host"], "a host", SHORT),
                "process": _int(row["process"], "process"),
                "rank": rank,
                "ingested": max(0, _int(row["ingested"], "ingested")),
                "sealed": bool(row["sealed"]),
                "dropped_points": max(0, _int(row["dropped_points"], "dropped_points")),
            }
        )
    return found


def _params(connection: Connection, number: int) -> list[tuple[str, str, str, float | None, str | None]]:
    found = []
    query = select(params_table, param_keys.c.name).join_from(params_table, param_keys)
    for row in connection.execute(query.where(params_table.c.run_id == number)):
        name, text = normalized(_text(row.name, "a param's name")), _text(row.text, "a param")
        if row.kind not in _PARAM_KINDS:
            raise InvalidValue(f"its param {name!r:.80} is of an unknown kind {row.kind!r:.40}")
        try:
            decode_value(row.kind, text)
            path = row.path if row.path is None else _text(row.path, "a param's path")
            if path is not None and not all(isinstance(key, str) for key in json.loads(path)):
                raise ValueError("its path is no list of names")
        except (ValueError, TypeError, RecursionError) as error:
            raise InvalidValue(f"its param {name!r:.80} cannot be read ({error})") from error
        number_ = row.number if isinstance(row.number, int | float) else None
        found.append((name, row.kind, text, None if number_ is None else float(number_), path))
    return found


def _read_carried(connection: Connection, number: int, run: SourceRun, check_name: CheckName) -> None:
    spools = {session["id"]: session["spool"] for session in run.sessions}
    query = select(artifacts).where(artifacts.c.run_id == number).order_by(artifacts.c.id)
    for row in connection.execute(query):
        _take(
            run,
            run.artifacts,
            f"artifact {row.name!r:.120}",
            partial(_artifact, row, spools, check_name),
        )
    query = select(captures).where(
        captures.c.session_id.in_(select(sessions.c.id).where(sessions.c.run_id == number))
    )
    for row in connection.execute(query.order_by(captures.c.session_id, captures.c.section)):
        _take(run, run.captures, f"captured section {row.section!r:.80}", partial(_capture, row, spools))
    uses = select(datasets, dataset_uses.c.name, dataset_uses.c.source, dataset_uses.c.created.label("used"))
    uses = uses.join_from(dataset_uses, datasets).where(dataset_uses.c.run_id == number)
    for row in connection.execute(uses.order_by(dataset_uses.c.created, dataset_uses.c.name)):
        _take(run, run.datasets, f"dataset {row.name!r:.80}", partial(_dataset, row))


def _take(run: SourceRun, into: list[dict[str, Any]], what: str, read: Callable[[], dict[str, Any]]) -> None:
    try:
        into.append(read())
    except (InvalidValue, ValueError, TypeError, RecursionError) as error:
        run.refused.append(f"{what}: {error}")


def _artifact(row: Row[Any], spools: Mapping[int, str], check_name: CheckName) -> dict[str, Any]:
    return {
        "spool": spools[row.session_id] if row.session_id in spools else _refuse("it has no session"),
        "name": check_name(row.name),
        "kind": _text(row.kind, "a kind", SHORT),
        "step": _int(row.step, "step", none=True),
        "digest": _digest(row.digest),
        "size": max(0, _int(row.size, "size")),
        "files": max(0, _int(row.files, "files")),
        "media_type": checked_text(row.media_type, "a media type"),
        "created": _int(row.created, "created"),
        "details": _object(row.details),
    }


def _capture(row: Row[Any], spools: Mapping[int, str]) -> dict[str, Any]:
    return {
        "spool": spools[row.session_id],
        "section": checked_text(row.section, "a section"),
        "data": _object(row.data),
        "digest": None if row.digest is None else _digest(row.digest),
        "size": max(0, _int(row.size, "size")),
        "created": _int(row.created, "created"),
    }


def _dataset(row: Row[Any]) -> dict[str, Any]:
    values = row._mapping
    return {
        "digest": checked_text(values["digest"], "a digest"),
        "kind": _text(values["kind"], "a kind", SHORT),
        "rows": _int(values["rows"], "rows", none=True),
        "columns": _int(values["columns"], "columns", none=True),
        "size": _int(values["size"], "size", none=True),
        "schema": json.loads(_object(values["schema"])),
        "statistics": json.loads(_object(values["statistics"])),
        "object": None if values["object"] is None else _digest(values["object"]),
        "name": checked_text(values["name"], "a dataset's name"),
        "source": _text(values["source"], "a source"),
        "time": _int(values["used"], "created"),
    }


def read_blocks(connection: Connection, session: int) -> Iterator[dict[str, Any]]:
    """Yield the metric blocks of a session, each decoded once to see that it is one.

    Args:
        connection: To the private copy.
        session: Its number there.

    Raises:
        InvalidValue: A key cannot be one, or a block is none.
    """
    query = (
        select(blocks.c.position, blocks.c.data, metric_keys.c.name, series_table.c.id)
        .join(series_table, series_table.c.id == blocks.c.series_id)
        .join(metric_keys, metric_keys.c.id == series_table.c.key_id)
        .where(series_table.c.session_id == session)
        .order_by(series_table.c.id, blocks.c.position)
    )
    for row in connection.execution_options(yield_per=64).execute(query):
        key = checked_text(row.name, "a metric key")
        if not isinstance(row.data, bytes) or len(row.data) > 32 * _BLOCK_POINTS:
            raise InvalidValue(f"a block of its metric {key!r:.80} is no block")
        try:
            steps, _, _ = decode(row.data)
        except (BlockDamaged, ValueError) as error:
            raise InvalidValue(f"its metric {key!r:.80} is damaged ({error})") from error
        if not len(steps):
            raise InvalidValue(f"a block of its metric {key!r:.80} is empty")
        yield {
            "key": key,
            "position": max(0, _int(row.position, "position")),
            "count": len(steps),
            "min_step": int(steps.min()),
            "max_step": int(steps.max()),
            "data": row.data,
        }


def _int(value: Any, what: str, *, none: bool = False) -> Any:
    if value is None and none:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not INT64_MIN <= value <= INT64_MAX:
        raise InvalidValue(f"its {what} is {value!r:.80}, no whole number")
    return value


def _text(value: Any, what: str, limit: int = TEXT_LIMIT) -> str:
    if not isinstance(value, str) or len(value) > limit:
        raise InvalidValue(f"{what} is no text of at most {limit:,} characters")
    return storable(value)


def _digest(value: Any) -> str:
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise InvalidValue(f"{value!r:.80} is no sha256")
    return value


def _object(value: Any) -> str:
    content = json.loads(_text(value, "JSON"))
    if not isinstance(content, dict):
        raise InvalidValue("its JSON is no object")
    return json.dumps(content, ensure_ascii=False, allow_nan=False)


def _refuse(why: str) -> Any:
    raise InvalidValue(why)
