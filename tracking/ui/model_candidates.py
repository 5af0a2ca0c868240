"""Which models of a run can become versions, and which of them are versions already: of one step, with one digest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from tracking.errors import InvalidValue
from tracking.records import ArtifactKind, ArtifactRecord, RunRecord
from tracking.registry_records import VersionRecord
from tracking.ui import format, registry_cache
from tracking.ui.sizes import size

if TYPE_CHECKING:
    from tracking.store import Store

_NAMED: Final = 3


def models_of(run: RunRecord, artifact: str | None = None) -> list[ArtifactRecord]:
    """Return the models that a run has logged, of one name where that is given; one at each step counts by itself."""
    return [
        each
        for each in run.artifacts
        if each.kind is ArtifactKind.MODEL and not each.superseded and artifact in (None, each.name)
    ]


def made_of(artifact: ArtifactRecord, versions: Sequence[VersionRecord]) -> list[VersionRecord]:
    """Return those of a run's versions that are an artifact of it, not what else has its name."""
    wanted = (artifact.name, artifact.step, artifact.digest)
    return [each for each in versions if (each.artifact, each.step, each.digest) == wanted]


def only_version(
    run: RunRecord, versions: Sequence[VersionRecord], artifact: str | None = None
) -> VersionRecord | None:
    """Return the version that is meant by a run's model: its only one, of its only model. None where one has to choose.

    Args:
        run: The run.
        versions: All that were made from it.
        artifact: Name of the model, None for any.
    """
    models = models_of(run, artifact)
    # A version may be of a file that log_artifact made.
    kept = models or [each for each in run.artifacts if artifact in (None, each.name)]
    found = [version for each in kept for version in made_of(each, versions)]
    return found[0] if len(found) == 1 and len(models) <= 1 else None


def first_offered(models: Sequence[ArtifactRecord], versions: Sequence[VersionRecord]) -> int:
    """Return the place of the model that is offered first: one that is no version yet, of those the last step's."""
    return max(
        range(len(models)),
        key=lambda place: (
            not made_of(models[place], versions),
            models[place].step is None,  # as `Store.register` takes it
            models[place].step or 0,
            -place,
        ),
    )


def label(artifact: ArtifactRecord, versions: Sequence[VersionRecord]) -> str:
    """Return a model as a choice: its name, step and size, and as what it is registered."""
    step = "" if artifact.step is None else f" at step {artifact.step}"
    there = made_of(artifact, versions)
    known = f", registered as {named(there)}" if there else ""
    return f"{format.shorten(artifact.name, 80)}{step} ({size(artifact.size)}){known}"


def named(versions: Sequence[VersionRecord]) -> str:
    """Return versions in a few words: `digits v1, digits v3`."""
    said = [f"{format.shorten(each.model, 40)} v{each.number}" for each in versions[:_NAMED]]
    more = len(versions) - len(said)
    return ", ".join(said) + (f" and {more} more" if more else "")


def logged_over(run: RunRecord, versions: Sequence[VersionRecord]) -> list[VersionRecord]:
    """Return the versions whose model the run has logged anew since, under its name and step."""
    kept = [version for each in run.artifacts for version in made_of(each, versions)]
    return [version for version in versions if version not in kept]


def alike(one: str, other: str) -> bool:
    """Whether two names are of one model, as the registry sees it: `d` and `D_`."""
    from tracking.registry.names import checked_model, key_of

    try:
        return key_of(checked_model(one)) == key_of(checked_model(other))
    except InvalidValue:
        return False  # what cannot be a name is that of no model


def name_offered(store: Store, run: RunRecord, known: Sequence[str]) -> str:
    """Return the model that has versions of this experiment, else a name made of the experiment's."""
    for name in known:
        if any(version.experiment == run.experiment for version in registry_cache.versions(store, name)):
            return name
    made = re.sub(r"[^A-Za-z0-9._-]+", "-", run.experiment).strip("-_.")[:100]
    # Beside a model of that name it would read as another one.
    return next((name for name in known if alike(name, made)), made)
