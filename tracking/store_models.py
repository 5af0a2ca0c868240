"""`Store`'s view of its models: versions, who holds an alias, the journal, and models as objects, files and text."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from datetime import date, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from tracking.database import registry_queries, registry_stored
from tracking.errors import InvalidValue, NotFound
from tracking.records import Goal, RunRecord
from tracking.registry import moves, names, parts, registering, verification
from tracking.registry.export import export_lines
from tracking.registry.groups import group_of
from tracking.registry.lineage import experiments_of
from tracking.registry_records import (
    CHAMPION,
    Evidence,
    JournalEntry,
    ModelRecord,
    RegistryReport,
    VersionRecord,
)
from tracking.store_handle import StoreHandle
from tracking.validation import storable


class StoreModels(StoreHandle):
    """Reads the registry of models; a part of `Store`.

    A model's name finds it however it is spelt: in upper or lower case, with `-`, `_` or `.`.
    """

    # What there is

    def models(self) -> list[ModelRecord]:
        """Return every model by name, with who holds its aliases."""
        with self._reading(drain=False) as connection:
            return registry_queries.model_records(connection)

    def model(self, name: str) -> ModelRecord:
        """Return one model; raises NotFound, with names that are close."""
        with self._reading(drain=False) as connection:
            return self._model(connection, name)

    def versions(self, name: str) -> list[VersionRecord]:
        """Return the versions of a model, the newest first; raises NotFound."""
        with self._reading(drain=False) as connection:
            return registry_queries.version_records(connection, self._model(connection, name).name)

    def version(self, name: str, number: int | None = None) -> VersionRecord:
        """Return one version.

        Args:
            name: Of the model, with `number`; or a reference, `digits/3` or `digits@champion`.
            number: Of the version.

        Raises:
            NotFound: There is no such model or version, or nobody holds the alias.
            InvalidValue: Neither says which version.
        """
        if number is None:
            return self.resolve(name)
        wanted = names.checked_number(number)
        with self._reading(drain=False) as connection:
            return self._version(connection, self._model(connection, name), wanted)

    def resolve(self, reference: str, *, at: datetime | date | str | None = None) -> VersionRecord:
        """Return the version that a reference means, now or at a moment of the past.

        Args:
            reference: `digits@champion`, or `digits/3`.
            at: Who held the alias then, by the journal: a datetime (UTC when it has no zone), or a date, which is the
                end of that day in UTC; as text `2026-03-03` or `2026-03-03T12:00`.

        Returns:
            The version as it is today: `aliases` are those that it holds now.

        Raises:
            NotFound: There is no such model or version, or nobody held the alias.
            InvalidValue: The reference or the date cannot be read.
        """
        wanted = names.parse_reference(reference)
        until = None if at is None else names.checked_moment(at)
        with self._reading(drain=False) as connection:
            model = self._model(connection, wanted.model)
            if wanted.alias is None:
                assert wanted.number is not None
                return self._version(connection, model, wanted.number)
            alias = _known_alias(connection, model.name, wanted.alias)
            if until is None:
                held = registry_queries.holder(connection, model.name, alias)
            else:
                held = registry_queries.holder(connection, model.name, alias, until=until)
            if held is None or held.version is None:
                when = "" if at is None else f" at {at}"
                has = ", ".join(f"{each} ({number})" for each, number in model.holders.items())
                raise NotFound(
                    f"Nobody {'holds' if at is None else 'held'} {alias} of {model.name}{when}. "
                    + (
                        f"Its aliases now: {has}."
                        if has
                        else "None of its versions has an alias: promote one."
                    )
                )
            return self._version(connection, model, held.version)

    def rollback_target(self, name: str, *, alias: str = CHAMPION) -> int | None:
        """Return which version `rollback` would go back to, None when there is none; raises NotFound."""
        model, known = self._alias(name, alias)
        with self._reading(drain=False) as connection:
            return moves.before(registry_queries.holdings(connection, [model]).get((model, known), []))

    def run_versions(self, run_id: str) -> list[VersionRecord]:
        """Return the versions that were made from a run, by model, the newest first."""
        with self._reading(drain=False) as connection:
            return registry_queries.version_records(connection, run=str(run_id))

    def children_with_models(self, run_id: str, *, limit: int | None = None) -> list[RunRecord]:
        """Return the child runs of a run that logged a model, the oldest first; those in the trash are left out.

        Of a trial that is run several times each repeat has a model of its own. `register` takes one of them by its
        id; none is the right one by itself, as they differ by chance. Evidence is the same for all of them.

        Args:
            run_id: The parent.
            limit: At most so many; None for all.

        Raises:
            NotFound: There is no such run.
        """
        with self._reading() as connection, connection.begin():
            return parts.children_with_models(connection, run_id, limit=limit)

    def run_states(self, run_ids: Iterable[str]) -> dict[str, tuple[int, bool]]:
        """Return the revision of each of these runs that there is, and whether it lies in the trash."""
        wanted = {storable(run) for run in run_ids}
        with self._reading(drain=False) as connection:
            return registry_queries.run_states(connection, list(wanted))[0]

    def champion_of(self, run_id: str) -> list[VersionRecord]:
        """Return the champions that a run can be compared with.

        That is the holder of `champion` of each model of which a version was made from a run of the same experiment,
        or, for a run that confirms a sweep, of that sweep's.

        Raises:
            NotFound: There is no such run.
        """
        with self._reading(drain=False) as connection:
            homes = experiments_of(connection, run_id)
            found = []
            for model in registry_queries.models_of_experiments(connection, homes):
                held = registry_queries.holder(connection, model, CHAMPION)
                if held is not None and held.version is not None:
                    found += registry_queries.version_records(connection, model, number=held.version)
            return found

    def registry_revision(self) -> int:
        """Return a number that grows with every change of the registry: what caches are keyed on."""
        with self._reading(drain=False) as connection:
            return registry_queries.revision(connection)

    def evidence(
        self,
        candidate_run: str,
        champion_run: str | None,
        metric: str | None = None,
        *,
        at: str = "last",
        goal: str | None = None,
        margin: float = 0.0,
        confidence: float = 0.95,
        bootstrap: bool = False,
    ) -> Evidence:
        """Return how sure it is that the configuration of one run is better than that of another.

        Args:
            candidate_run: A run of the one.
            champion_run: A run of the other; None to learn only which runs of the one count.
            metric: What to compare; left out, what a gate of a model asks of which the candidate is a version, else the
                only metric of its experiment that has a goal, else the first objective of its sweep.
            at: Which of its points: last, first, best, min, max or mean.
            goal: Which direction is better, maximize or minimize; left out, what the metric was defined with. Where the
                experiments of both runs say the opposite of each other nothing is compared without it.
            margin: By how much, in units of the metric.
            confidence: Of the verdict (one-sided) and of the interval (two-sided).
            bootstrap: Resample the runs in place of Student's t; needs 20 runs on each side, and no folds.

        Raises:
            NotFound: There is no such run.
            InvalidValue: No metric was given and which one counts is not known, or a value is out of range.
        """
        from tracking.registry.evidence import compare  # with scipy, which others need not load

        if goal is not None and goal not in list(Goal):
            raise InvalidValue(f"goal={goal!r:.100}: it is maximize or minimize.")
        with self._reading() as connection, connection.begin():
            return compare(
                connection,
                candidate_run,
                champion_run,
                metric,
                at=at,
                goal=None if goal is None else Goal(goal),
                margin=margin,
                confidence=confidence,
                bootstrap=bootstrap,
            )

    # The journal

    def journal(self, name: str | None = None) -> list[JournalEntry]:
        """Return the journal, the oldest row first; of one model, or of all. Raises NotFound."""
        with self._reading(drain=False) as connection:
            model = None if name is None else self._model(connection, name).name
            return registry_queries.journal_entries(connection, model)

    def gone_evidence(self, entries: Iterable[JournalEntry]) -> dict[int, tuple[str, ...]]:
        """Return which runs that evidence in the journal names were deleted for good since.

        What they had logged stands in the row; what else they were is no longer known.

        Args:
            entries: Rows of the journal.

        Returns:
            Ids of the runs by the position of the row; rows of which every run is there are left out.
        """
        named = {entry.position: entry.evidence_runs for entry in entries}
        wanted = {storable(run) for runs in named.values() for run in runs}
        there = self.run_states(wanted)
        gone = {
            position: tuple(run for run in runs if storable(run) not in there)
            for position, runs in named.items()
        }
        return {position: runs for position, runs in gone.items() if runs}

    def export_journal(self) -> list[str]:
        """Return the journal as JSON lines, the head in the last one; they prove themselves without the store."""
        with self._reading(drain=False) as connection:
            rows = list(registry_stored.journal_rows(connection))
        return list(export_lines(rows))

    def journal_head(self) -> str:
        """Return the digest of the journal's last row; kept elsewhere, it proves later that no row went since."""
        with self._reading(drain=False) as connection:
            return registry_queries.head(connection)[1]

    def verify_registry(
        self, progress: Callable[[int], None] | None = None, *, head: str | None = None
    ) -> RegistryReport:
        """Read the whole registry once more, with the bytes of every version; returns what is wrong.

        Found are rows of the journal that were changed, are missing, or stand in another order; versions and gates
        that are not what the journal says; models and examples whose bytes are missing or changed; runs that say they
        logged something else; and guards of the database that are gone.

        Args:
            progress: Called with how many models' bytes were read so far.
            head: What `journal_head` returned at some time: that row has to be there still. Without it nobody can
                tell that rows are missing at the end.
        """
        return verification.verify_registry(self._engines, self._objects, head=head, progress=progress)

    # Models as objects, files and text

    def load_model(self, reference: str, *, trust: bool = False) -> Any:
        """Return the model that a reference means, its bytes verified.

        Args:
            reference: `digits@champion`, or `digits/3`.
            trust: Also read what runs code as it is read, with all that your account may do: a pickle or a joblib file
                that log_artifact kept, and a skops file with any types. Only for files whose writer you know and
                answer for. Left out, such a file is refused with what it would call; nothing is ever tried in a
                less safe way than it was logged in.

        Raises:
            NotFound: There is no such version, nobody holds the alias, or the bytes are missing.
            ArtifactDamaged: The bytes are not those that were registered.
            InvalidValue: The file holds what is not allowed; the message names the types.
            MissingDependency: A library that the model needs is not installed.
        """
        return import_module("tracking.registry.loading").load_model(self, reference, trust=trust)

    def model_card(self, name: str, number: int) -> str:
        """Return what is known of a version as a Markdown document; raises NotFound."""
        found: str = import_module("tracking.registry.card").model_card(self, name, number)
        return found

    def repeats_of(self, run_id: str) -> list[str]:
        """Return the ids of the runs that count as repeats of a run's configuration, the oldest first.

        The run itself is among them, unless it is a search's own: its score was picked for being high.

        Raises:
            NotFound: There is no such run.
        """
        with self._reading() as connection:
            found = group_of(connection, run_id)
        return [member.run.uid for member in found.members]

    def package(self, reference: str, folder: str | os.PathLike[str]) -> Path:
        """Write a version as a folder to hand over: model, signature, requirements, a script that predicts, model card.

        Args:
            reference: `digits@champion`, or `digits/3`.
            folder: Where to; made when absent.

        Returns:
            The folder.

        Raises:
            NotFound: There is no such version, or its bytes are missing.
            ArtifactDamaged: The bytes are not those that were registered.
            InvalidValue: Something is there already, or the version has no example or cannot be handed over.
        """
        found: Path = import_module("tracking.registry.package").package(self, reference, Path(folder))
        return found

    def _alias(self, name: str, alias: str) -> tuple[str, str]:
        wanted = names.checked_alias(alias)
        with self._reading(drain=False) as connection:
            model = self._model(connection, name).name
            return model, _known_alias(connection, model, wanted)

    def _model(self, connection: Any, name: str) -> ModelRecord:
        checked = names.checked_model(name)
        found = registry_queries.model_records(connection, names.key_of(checked))
        if not found:
            raise names.no_model(checked, registry_queries.model_names(connection))
        return found[0]

    def _model_number(self, connection: Any, name: str) -> int:
        row = registry_queries.model_row(connection, names.key_of(self._model(connection, name).name))
        assert row is not None, "models are kept for good"
        return int(row.id)

    def _version(self, connection: Any, model: ModelRecord, number: int) -> VersionRecord:
        found = registry_queries.version_records(connection, model.name, number=number)
        if not found:
            raise registering.no_version(model.name, number, model.latest)
        return found[0]


def _known_alias(connection: Any, model: str, alias: str) -> str:
    """Return an alias as the journal has it already, where it looks the same."""
    key = names.key_of(alias)
    for known in registry_queries.aliases(connection, model):
        if names.key_of(known) == key:
            return known
    return alias
