"""Bytes into the store, and then the word of them into the spool: what all verbs for files end in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tracking.client.description import now_us

if TYPE_CHECKING:
    from tracking.artifacts.objects import Draft
    from tracking.client.session import Session


def carry_bytes(session: Session, event: dict[str, Any], data: bytes, *, field: str = "digest") -> None:
    """Store bytes and say `event` with their digest under `field`, their size and the time.

    Args:
        session: Of the run.
        event: One of kind "artifact", "dataset" or "capture", without these three.
        data: The bytes.
        field: Where the event names the object.

    Raises:
        OSError: The disk refuses; nothing was said.
    """
    if session.disabled:
        return
    from tracking.artifacts.objects import Objects

    draft = Objects(session.description.location).draft_bytes(data)
    carry_drafts(session, {**event, field: draft.digest, "size": draft.size}, [draft])


def carry_drafts(session: Session, event: dict[str, Any], drafts: Sequence[Draft]) -> None:
    """Give drafts their place in the store and say `event` with the time; see `Objects.keep`."""
    from tracking.artifacts.objects import Objects

    said = {**event, "time": now_us()}
    Objects(session.description.location).keep(drafts, lambda: session.say(said))
