"""`Store`'s registry of models, as far as it changes: registration, promotion, rollback, gates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tracking.database import registry_writes
from tracking.errors import InvalidValue
from tracking.registry import moves, names, promotion, registering
from tracking.registry.gate_checks import checked_gates
from tracking.registry_records import CHAMPION, Gate, JournalEntry, PromotionCheck, VersionRecord
from tracking.store_models import StoreModels
from tracking.validation import checked_notes, checked_step, checked_tags

REASON_LIMIT = 10_000


class StoreRegistry(StoreModels):
    """Changes the registry of models; a part of `Store`. Every change of who holds an alias is a row of the journal."""

    # Registration and descriptions

    def register(
        self,
        model: str,
        run_id: str,
        *,
        artifact: str = "model",
        step: int | None = None,
        description: str = "",
        tags: Iterable[str] = (),
        by: str | None = None,
    ) -> VersionRecord:
        """Make a version of a model from what a run has logged. It never changes, and keeps its run for good.

        The bytes are read and hashed first. A run that is under way may be registered from; what it logs later under
        the same name is not the version's. Registering the same again makes another version; `run_versions` tells
        which ones a run has.

        Args:
            model: Its name; the model is made when there is none of that name.
            run_id: The run.
            artifact: Name of the artifact.
            step: Its step; left out, the one without a step, else that of the last step.
            description: For people.
            tags: For people.
            by: Who registers it; the account of this process when left out.

        Raises:
            InvalidValue: The name cannot be one, or the artifact is no model.
            NotFound: There is no such run or artifact, or its bytes are missing. Where child runs have the artifact, as
                the repeats of a trial do, the message names them: none is taken by itself.
            ArtifactDamaged: Its bytes are not those that were logged.
            RunStateError: The run lies in the trash.
        """
        name, who = names.checked_model(model), registering.account(by)
        said, labels = checked_notes(description), checked_tags(tags)
        at = None if step is None else checked_step(step)
        self._drain()
        return registering.register(
            self._engines,
            self._objects,
            name,
            run_id,
            artifact=artifact,
            step=at,
            description=said,
            tags=labels,
            by=who,
        )

    def describe_model(
        self, name: str, *, description: str | None = None, tags: Iterable[str] | None = None
    ) -> None:
        """Replace a model's description or tags; what is left out stays.

        Raises:
            NotFound: There is no such model.
            InvalidValue: A tag cannot be one.
        """
        said = None if description is None else checked_notes(description)
        labels = None if tags is None else checked_tags(tags)

        def work(connection: Any) -> None:
            model = self._model_number(connection, name)
            registry_writes.describe_model(connection, model, description=said, tags=labels)

        self._engines.write(work)

    def describe_version(
        self,
        name: str,
        number: int,
        *,
        description: str | None = None,
        tags: Iterable[str] | None = None,
    ) -> None:
        """Replace a version's description or tags; what is left out stays. Raises as `describe_model`."""
        said = None if description is None else checked_notes(description)
        labels = None if tags is None else checked_tags(tags)
        wanted = names.checked_number(number)

        def work(connection: Any) -> None:
            version = self._version(connection, self._model(connection, name), wanted)
            model = self._model_number(connection, version.model)
            registry_writes.set_notes(connection, model, version.number, description=said, tags=labels)

        self._engines.write(work)

    # Who holds an alias

    def check_promotion(self, name: str, version: int, *, alias: str = CHAMPION) -> PromotionCheck:
        """Return what a promotion would meet: what each gate finds, and the evidence. Nothing is written.

        Raises:
            NotFound: There is no such model or version, or its bytes are missing.
            ArtifactDamaged: Its bytes are not those that were registered.
            InvalidValue: The alias cannot be one.
        """
        model, number, known = self._about(name, version, alias)
        return promotion.evaluate(self._engines, self._objects, model, number, known).check

    def promote(
        self,
        name: str,
        version: int,
        *,
        alias: str = CHAMPION,
        reason: str = "",
        override: bool = False,
        by: str | None = None,
    ) -> JournalEntry:
        """Give a version an alias, if every gate of the model passes. The journal has a row about each try.

        What the gates read is noted; the row is written only if none of it has changed by then, else all is evaluated
        anew. So `previous` of the row is the version that this promotion replaced.

        Args:
            name: Of the model.
            version: Its number.
            alias: What it gets.
            reason: For the journal.
            override: Promote it also when a gate does not pass; needs a reason, and is marked for ever.
            by: Who promotes; the account of this process when left out.

        Returns:
            The row of the journal.

        Raises:
            PromotionRefused: A gate did not pass; the message lists all. Or what they read kept changing.
            InvalidValue: `override` without a reason, or an alias that cannot be one.
            NotFound: There is no such model or version, or its bytes are missing.
            ArtifactDamaged: Its bytes are not those that were registered.
        """
        said, who = _reason(reason), registering.account(by)
        if override and not registering.is_visible(said):
            raise InvalidValue(
                "An override needs a reason that can be read: reason='why this version may have the alias all the "
                'same\', on the command line --reason "…".'
            )
        model, number, known = self._about(name, version, alias)
        return promotion.promote(
            self._engines,
            self._objects,
            model,
            number,
            known,
            reason=said,
            override=bool(override),
            by=who,
        )

    def rollback(
        self, name: str, *, alias: str = CHAMPION, reason: str = "", by: str | None = None
    ) -> JournalEntry:
        """Give an alias back to the version that held it before; its bytes are verified, gates are not asked.

        Another rollback goes one further back. Of an alias that was retired it goes to the version that had it last.

        Raises:
            NotFound: There is no such model, nobody held the alias before, or that version's bytes are missing.
            ArtifactDamaged: Its bytes are not those that were registered.
        """
        said, who = _reason(reason), registering.account(by)
        model, known = self._alias(name, alias)
        return moves.rollback(self._engines, self._objects, model, known, reason=said, by=who)

    def retire(
        self, name: str, *, alias: str = CHAMPION, reason: str = "", by: str | None = None
    ) -> JournalEntry:
        """Take an alias from the version that holds it; nobody holds it then.

        Raises:
            NotFound: There is no such model, or nobody holds the alias.
        """
        said, who = _reason(reason), registering.account(by)
        model, known = self._alias(name, alias)
        return moves.retire(self._engines, model, known, reason=said, by=who)

    def set_gates(
        self, name: str, gates: Iterable[Gate | str], *, reason: str = "", by: str | None = None
    ) -> JournalEntry:
        """Replace what promotions of a model have to meet; an empty list asks nothing.

        Args:
            name: Of the model.
            gates: `tracking.Gate`s, or lines such as `accuracy >= 0.9`.
            reason: For the journal.
            by: Who sets them; the account of this process when left out.

        Raises:
            NotFound: There is no such model.
            InvalidValue: A gate cannot be one.
        """
        said, who, wanted = _reason(reason), registering.account(by), checked_gates(gates)
        with self._reading(drain=False) as connection:
            model = self._model(connection, name).name
        return moves.set_gates(self._engines, model, wanted, reason=said, by=who)

    def _about(self, name: str, version: int, alias: str) -> tuple[str, int, str]:
        number = names.checked_number(version)
        model, known = self._alias(name, alias)
        with self._reading() as connection:
            self._version(connection, self._model(connection, model), number)
        return model, number, known


def _reason(reason: object) -> str:
    if not isinstance(reason, str):
        raise InvalidValue(f"reason= is text, not a {type(reason).__name__}.")
    said = checked_notes(reason).strip()
    if len(said) > REASON_LIMIT:
        raise InvalidValue(f"A reason has up to {REASON_LIMIT:,} characters, not {len(said):,}.")
    return said
