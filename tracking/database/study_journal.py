"""The journal of each study: appended to, and read for a replay.

An append is one short transaction that also folds what it appends (`study_fold`), so that trials are runs
as soon as they are anything. Where rows of a study are being made again, it folds some of the rest as well.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, column, insert, select, table, update
from sqlalchemy.exc import DatabaseError

from tracking.database.engine import Engines, checkpoint_rarely, retried, translated
from tracking.database.prepared import Prepared
from tracking.database.registry_needs import refuse_needed_study
from tracking.database.schema import CURRENT, VERSION_TABLE
from tracking.database.study_fold import fold
from tracking.database.study_ops import NOTHING, Op, OpCode, dump, load
from tracking.database.study_rows import Study, journal, snapshots, studies
from tracking.errors import NotFound, StoreError, StoreTooNew
from tracking.spool.files import new_run_id

PATIENCE = 60.0
"""Seconds to wait for the database: a study should outlive somebody's long transaction."""
CATCH_UP = 200
"""Operations that an append folds at most where a study is behind."""

_GROW = Prepared(
    update(studies)
    .where(studies.c.id == bindparam("study"))
    .values(
        ops=studies.c.ops + 1,
        # Folded below, in this transaction; one that is behind stays behind.
        folded=case((studies.c.folded == studies.c.ops, studies.c.folded + 1), else_=studies.c.folded),
        trials=studies.c.trials + case((studies.c.deleted.is_(None), bindparam("created")), else_=0),
    )
    .returning(
        studies.c.ops,
        studies.c.folded,
        studies.c.trials,
        studies.c.deleted,
        studies.c.experiment,
        studies.c.directions,
        select(column("version_num")).select_from(table(VERSION_TABLE)).scalar_subquery(),
    )
)
_DELETE = Prepared(
    update(studies)
    .where(studies.c.id == bindparam("study"), studies.c.deleted.is_(None))
    .values(deleted=bindparam("gone"))
)
_APPEND = Prepared(
    insert(journal).values(
        study_id=bindparam("study"),
        position=bindparam("position"),
        trial=bindparam("trial"),
        op=bindparam("op"),
    )
)
_COUNT = Prepared(select(studies.c.ops).where(studies.c.id == bindparam("study")))
_TAIL = Prepared(
    select(journal.c.op)
    .where(journal.c.study_id == bindparam("study"), journal.c.position >= bindparam("first"))
    .order_by(journal.c.position)
)
_SNAPSHOTS = Prepared(
    select(snapshots.c.position, snapshots.c.op).where(snapshots.c.study_id == bindparam("study"))
)
_REST = Prepared(
    select(journal.c.position, journal.c.op)
    .select_from(
        journal.outerjoin(
            snapshots,
            and_(snapshots.c.study_id == journal.c.study_id, snapshots.c.number == journal.c.trial),
        )
    )
    .where(journal.c.study_id == bindparam("study"), snapshots.c.number.is_(None))
)


def create_study(
    engines: Engines,
    name: str,
    directions: Sequence[int],
    experiment: str,
    header: Op,
    further: Sequence[Op] = (),
) -> int | None:
    """Make a study; returns its number, None when there is one of that name.

    Args:
        engines: Of the store.
        name: Of the study.
        directions: Optuna's numbers, one per objective.
        experiment: Where the runs of its trials go.
        header: The operation that the journal begins with.
        further: Those that follow it in the same transaction.
    """
    now = time.time_ns() // 1000
    texts = _texts([header, *further], now)
    said = load(texts)

    def work(connection: Connection) -> int | None:
        taken = select(studies.c.id).where(studies.c.name == name, studies.c.deleted.is_(None))
        if connection.execute(taken).first() is not None:
            return None
        made = insert(studies).values(
            name=name,
            experiment=experiment,
            directions=json.dumps(list(directions)),
            created=now,
            ops=0,
            folded=0,
            trials=0,
        )
        number = int(connection.execute(made).inserted_primary_key[0])  # type: ignore[index]
        for text, op in zip(texts, said, strict=True):
            _append(connection, number, text, op)
        return number

    return engines.write(work, patience=PATIENCE)


class Journals:
    """The journals of a store's studies, for a process that works on some of them.

    It keeps a connection for reading and one for writing: taking them from a pool costs more than what they
    are used for. Threads take turns. After a fork, a child must make its own.

    Args:
        engines: Of the store.
        patience: Seconds that an append waits for a locked database.
    """

    def __init__(self, engines: Engines, *, patience: float = PATIENCE) -> None:
        self._engines = engines
        self._patience = patience
        self._reading, self._writing = threading.Lock(), threading.Lock()
        self._reader: Connection | None = None
        self._writer: Connection | None = None

    def close(self) -> None:
        """Give the connections back; they are taken again when needed."""
        with self._reading, self._writing:
            for connection in (self._reader, self._writer):
                if connection is not None:
                    connection.close()
            self._reader = self._writer = None

    def append(self, study: int, ops: Sequence[Op]) -> tuple[int, list[Op]]:
        """Append operations to a study's journal and fold them, in one transaction.

        Returns:
            The position of the first one, and all of them as a later reading gives them.

        Raises:
            NotFound: There is no such study.
            TypeError: JSON does not know a value in an operation.
            StoreBusy: The database stayed locked for longer than `patience`.
            StoreError: It refuses.
        """
        texts = _texts(ops, time.time_ns() // 1000)
        said = load(texts)

        def attempt() -> int:
            if self._writer is None:
                self._writer = self._engines.writers.connect()
                checkpoint_rarely(self._writer)
            try:
                with self._writer.begin():
                    places = [
                        _append(self._writer, study, text, op) for text, op in zip(texts, said, strict=True)
                    ]
            except BaseException:
                self._writer.close()
                self._writer = None
                raise
            return places[0]

        with self._writing:
            return retried(self._engines.writers, attempt, patience=self._patience), said

    def read(self, study: int, first: int) -> list[Op]:
        """Return the operations of a study from position `first` on, for a replay.

        From the beginning, a finished trial comes as one operation that creates it whole, and in the place of
        the others about it stand as many that do nothing: what a replay arrives at is the same, several times
        sooner.
        """
        if not first:
            return _shortened(self._engines, study)
        with self._reading:
            try:
                if self._reader is None:
                    self._reader = self._engines.readers.connect()
                # A single question, which needs no transaction.
                rows = _TAIL.rows(self._reader, study=study, first=first)
            except DatabaseError as error:
                if self._reader is not None:
                    self._reader.close()
                    self._reader = None
                raise translated(error) from error
        return load(op for (op,) in rows) if rows else []


def _shortened(engines: Engines, study: int) -> list[Op]:
    with engines.reading() as connection, connection.begin():
        count = _COUNT.value(connection, study=study)
        if count is None:
            raise unknown(study)
        found = [*_SNAPSHOTS.rows(connection, study=study), *_REST.rows(connection, study=study)]
    ops: list[Op] = [NOTHING] * count
    for (position, _), op in zip(found, load(op for _, op in found), strict=True):
        ops[position] = op
    return ops


def catch_up(connection: Connection, study: int, limit: int = CATCH_UP) -> bool:
    """Fold up to `limit` operations of a study that is behind; returns whether it still is."""
    row = connection.execute(select(studies).where(studies.c.id == study)).one()
    rows = connection.execute(
        select(journal)
        .where(journal.c.study_id == study, journal.c.position >= row.folded)
        .order_by(journal.c.position)
        .limit(limit)
    ).all()
    known = _study(study, row.experiment, row.directions)
    for each, op in zip(rows, load(each.op for each in rows), strict=True):
        fold(connection, known, each.position, each.trial, op)
    folded = row.folded + len(rows)
    connection.execute(update(studies).where(studies.c.id == study).values(folded=folded))
    return bool(folded < row.ops)


def unknown(study: object) -> NotFound:
    """Return the error for a study that there is none of."""
    return NotFound(f"There is no study {study!r} in this store.")


def _texts(ops: Sequence[Op], now: int) -> list[str]:
    texts = []
    for op in ops:
        ours: Op = {"at": now}
        if op["op_code"] == OpCode.CREATE_TRIAL:
            ours["run"] = new_run_id(now)
        texts.append(dump({**op, **ours}))
    return texts


def _append(connection: Connection, study: int, text: str, op: Op) -> int:
    code = op["op_code"]
    creates = code == OpCode.CREATE_TRIAL
    if code == OpCode.DELETE_STUDY:
        refuse_needed_study(connection, study)
        _DELETE.run(connection, study=study, gone=op["at"])
    row = _GROW.first(connection, study=study, created=int(creates))
    if row is None:
        raise unknown(study)
    count, folded, made, deleted, experiment, directions, version = row
    _check_schema(version)
    trial = op.get("trial_id")
    if creates:
        trial = made - 1 if deleted is None else None
    elif trial is not None and not 0 <= trial < made:
        trial = None
    _APPEND.run(connection, study=study, position=count - 1, trial=trial, op=text)
    if folded == count:
        fold(connection, _study(study, experiment, directions), count - 1, trial, op)
    else:
        catch_up(connection, study)
    return int(count) - 1


@lru_cache
def _study(number: int, experiment: str, directions: str) -> Study:
    return Study(number, experiment, tuple(json.loads(directions)))


def _check_schema(version: Any) -> None:
    if version != CURRENT:
        kind = StoreTooNew if str(version) > CURRENT else StoreError
        raise kind(
            f"The store was migrated from schema {CURRENT} to {version} while this study was open. "
            "Start its processes again with the Podium that did so."
        )
