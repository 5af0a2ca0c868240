"""Making the rows of a study again from its journal."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select, update

from tracking.database.engine import Engines
from tracking.database.history import read_visible
from tracking.database.series import blocks, series_table
from tracking.database.study_journal import CATCH_UP, PATIENCE, catch_up, unknown
from tracking.database.study_rows import attributes, snapshots, studies, study_params, trials
from tracking.database.summaries import replace_summary, summaries, summarize


def rebuild(engines: Engines, study: int) -> None:
    """Make the rows of a study's trials, their params and metrics again; nothing to mend changes nothing.

    Others may go on with the study meanwhile: it is folded a few operations at a time, and whoever appends
    helps. Runs that were removed for good stay away, and what scripts logged to a trial's run stays.

    Raises:
        NotFound: There is no such study.
        StoreError: The database refuses.
    """
    engines.write(lambda connection: _forget(connection, study), patience=PATIENCE)
    while engines.write(lambda connection: catch_up(connection, study, CATCH_UP), patience=PATIENCE):
        pass


def _forget(connection: Connection, study: int) -> None:
    """Remove what follows from the journal, but for the rows of runs and trials, which are written over."""
    found = connection.execute(
        update(studies).where(studies.c.id == study).values(folded=0).returning(studies.c.id)
    ).first()
    if found is None:
        raise unknown(study)
    for table in (snapshots, study_params, attributes):
        connection.execute(delete(table).where(table.c.study_id == study))
    owned = select(trials.c.session_id).where(trials.c.study_id == study, trials.c.session_id.is_not(None))
    mine = series_table.c.session_id.in_(owned)
    logged = connection.execute(select(series_table.c.run_id, series_table.c.key_id).where(mine)).all()
    connection.execute(delete(blocks).where(blocks.c.series_id.in_(select(series_table.c.id).where(mine))))
    connection.execute(delete(series_table).where(mine))
    for run, key in logged:
        # A script that is attached to the run may have logged the same metric.
        one = series_table.c.run_id == run, series_table.c.key_id == key
        if connection.execute(select(series_table.c.id).where(*one)).first() is None:
            connection.execute(delete(summaries).where(summaries.c.run_id == run, summaries.c.key_id == key))
        else:
            steps, values, _ = read_visible(connection, run, key)
            replace_summary(connection, {"run_id": run, "key_id": key, **summarize(steps, values)})
