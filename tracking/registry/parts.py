"""The child runs that logged a model where their parent logged none: a trial's repeats, folds, parts of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tracking.database import carried_queries, run_queries
from tracking.records import ArtifactKind, RunRecord, RunStatus

NO_MODELS = frozenset(
    (
        ArtifactKind.FIGURE,
        ArtifactKind.TABLE,
        ArtifactKind.IMAGE,
        ArtifactKind.AUDIO,
        ArtifactKind.CONFUSION_MATRIX,
        ArtifactKind.ROC_CURVE,
        ArtifactKind.PR_CURVE,
    )
)
"""Kinds of artifacts of which no version is made."""
_NAMED = 5
_TOLD = 3
_LONGEST = 40


def children_with_models(
    connection: Any, run_id: str, artifact: str | None = None, *, limit: int | None = None
) -> list[RunRecord]:
    """Return the child runs that logged a model, in order of creation; those in the trash are left out.

    Args:
        connection: To read with.
        run_id: Of their parent.
        artifact: Name of what may become a version; None for what was logged with `log_model`, under any name.
        limit: At most so many, the oldest; None for all.

    Raises:
        NotFound: There is no such run.
    """
    kinds = (
        [ArtifactKind.MODEL] if artifact is None else [each for each in ArtifactKind if each not in NO_MODELS]
    )
    found = carried_queries.children_with(connection, run_id, kinds, name=artifact, limit=limit)
    return run_queries.run_records(connection, found)


def which(connection: Any, run: RunRecord, artifact: str) -> str:
    """Return a sentence that names the child runs that have an artifact which a run has not; empty where none has.

    None of them is picked: what repeats one configuration differs by chance.
    """
    if any(each.name == artifact for each in run.artifacts):
        return ""
    found = children_with_models(connection, run.id, artifact)
    if not found:
        return ""
    said = described(found)
    some = ", ".join(f"{each.id} ({text})" for each, text in zip(found[:_NAMED], said, strict=False))
    if len(found) == 1:
        return f"Its child run {some} has one: register that one."
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return f"{len(found)} of its child runs have one; register the one that you mean by its id: {some}{more}."


def described(found: Sequence[RunRecord]) -> list[str]:
    """Return what tells runs apart, for each: its name, the params in which they differ, and how it ended if badly."""
    keys = list(dict.fromkeys(key for run in found for key in run.flat_params))
    differ = [key for key in keys if len({repr(run.flat_params.get(key)) for run in found}) > 1][:_TOLD]
    return [
        ", ".join(
            (
                run.name,
                *(f"{key}={run.flat_params[key]!r:.{_LONGEST}}" for key in differ if key in run.flat_params),
                *(() if run.status is RunStatus.FINISHED else (str(run.status),)),
            )
        )
        for run in found
    ]
