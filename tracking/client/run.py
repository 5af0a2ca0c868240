"""The handle of a run, as a training script holds it."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Self

from tracking.client import active
from tracking.client.artifact_verbs import ArtifactVerbs
from tracking.client.capture.collector import END_SECONDS, Capture
from tracking.client.capture.secrets import mask_params
from tracking.client.dataset_verbs import DatasetVerbs
from tracking.client.description import RunDescription
from tracking.client.ending import Ending, ending_of
from tracking.client.media_verbs import MediaVerbs
from tracking.client.metrics import MetricPacker
from tracking.client.model_verbs import ModelVerbs
from tracking.client.notices import Notices
from tracking.client.session import Session
from tracking.errors import InvalidValue
from tracking.records import Goal, RunStatus
from tracking.validation import (
    Leaf,
    checked_names,
    checked_notes,
    checked_tags,
    checked_text,
    flatten_params,
    storable,
)

_ENDINGS = ("finished", "failed", "interrupted", "pruned")
FINISH_SECONDS = 9.5
"""The promise is 10 s for finish() as a whole."""


class Run(ArtifactVerbs, MediaVerbs, DatasetVerbs, ModelVerbs):
    """One run of an experiment; made by `tracking.start_run`.

    A context manager: leaving the block ends the run as finished, failed (with the
    traceback) or interrupted. May be used from any thread, in forked children, and in
    processes it was pickled to; only the process that started it ends it.

    Attributes:
        id: The run's id, as `store.run`, `search` and URLs use it.
        experiment: Name of the experiment.
        name: Name of the run.
    """

    def __init__(self, description: RunDescription, session: Session, *, strict: bool = False) -> None:
        self.id = description.run_id
        self.experiment = description.experiment
        self.name = description.name
        self._description = description
        self._strict = strict
        self._notices: Notices = session.notices
        self._session = session
        self._params: dict[str, str] = {}
        self._ended: RunStatus | None = None
        self._end_mutex = threading.RLock()
        self._in_block = False
        self.crash: Ending | None = None
        """How the script broke down, as the interpreter's hooks saw it."""
        self._capture: Capture | None = None
        self._packer = MetricPacker(session, self._notices, strict)
        self._log: Callable[[Mapping[str, Any], int | None], None] = self._packer.log

    # Logging

    def log(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Log metrics: values at this moment, kept once this returns.

        Args:
            metrics: Numbers by key: int, float, bool, numpy scalars, Decimal, 0-d arrays and
                tensors (on a device, `.item()` waits for the device). NaN and infinities are kept.
            step: Any 64-bit integer, in any order; left out, the run counts up from 0.

        Raises:
            InvalidValue: Only with `strict=True`: a key or value that cannot be kept.
                Otherwise that key is left out, with one warning.
        """
        if self._ended is not None:
            self._too_late("log")
            return
        try:
            self._log(metrics, step)
        except InvalidValue:
            raise
        except Exception as error:  # a bug of ours must not end a training
            self._notices.once(
                "log", f"log() failed ({type(error).__name__}: {error}); this call was left out."
            )

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Log params, nested as they are; a dataclass, a Namespace and a pydantic model will do too.

        A param that was logged before gets the new value, with one warning that names both. Texts under
        names that clearly are secrets, such as `api_key`, are masked.
        """
        leaves = self._guarded("params", lambda: flatten_params(params))
        if leaves:
            leaves, secret = mask_params(leaves)
            self._tell_of_secrets(secret)
            self._warn_of_changes(leaves)
            self._say({"t": "params", "leaves": leaves})

    def set_tags(self, tags: Iterable[str]) -> None:
        """Set the run's tags; those it had are replaced."""
        checked = self._guarded("tags", lambda: checked_tags(tags))
        if checked is not None:
            self._say({"t": "tags", "tags": checked})

    def set_notes(self, notes: str) -> None:
        """Set the run's notes; what was there is replaced."""
        checked = self._guarded("notes", lambda: checked_notes(notes))
        if checked is not None:
            self._say({"t": "notes", "notes": checked})

    def define_metric(self, key: str, *, goal: str) -> None:
        """Say which direction of a metric is better, for the run's whole experiment.

        Args:
            key: The metric.
            goal: "maximize" or "minimize".
        """
        event = self._guarded("define_metric", lambda: goal_event(key, goal))
        if event is not None:
            self._say(event)

    def define_repeat(self, vary: Iterable[str], ignore: Iterable[str] = ()) -> None:
        """Say which params make runs repeats of one configuration, for the run's whole experiment."""
        event = self._guarded("define_repeat", lambda: repeat_event(vary, ignore))
        if event is not None:
            self._say(event)

    # The end

    @property
    def status(self) -> RunStatus:
        """How the run stands as far as this handle knows."""
        return self._ended or RunStatus.RUNNING

    def finish(self, status: str = RunStatus.FINISHED, *, error: object = None) -> None:
        """End the run; returns within 10 seconds, whatever the store does.

        In a forked or spawned child this ends the child's part only. A second call does nothing.

        Args:
            status: "finished", "failed", "interrupted" or "pruned".
            error: Why, for the run's page: a text, or the exception.

        Raises:
            InvalidValue: The status is another one.
        """
        if status not in _ENDINGS:
            raise InvalidValue(f"finish({status!r}): a run ends as {', '.join(_ENDINGS)}.")
        self._end(Ending(RunStatus(status), None if error is None else storable(str(error))))

    def __enter__(self) -> Self:
        self._in_block = True
        if self._ended is None:
            active.push(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(ending_of(error, self._session.signalled))

    def __reduce__(self) -> tuple[Any, ...]:
        # In another process the handle writes a session of its own.
        return attach, (self._description, self._strict)

    def __repr__(self) -> str:
        return f"<Run {self.id} {self.experiment}/{self.name} {self.status}>"

    def _end(self, ending: Ending, seconds: float = FINISH_SECONDS) -> None:
        with self._end_mutex:
            if self._ended is not None:
                return
            self._ended = ending.status
            active.remove(self)
            begun = time.monotonic()
            try:
                if self._capture is not None:
                    self._capture.end(min(END_SECONDS, seconds / 4))
            except Exception as error:
                self._notices.once("capture", f"capture failed ({type(error).__name__}: {error}).")
            try:
                self._session.end(ending, max(0.05, seconds - (time.monotonic() - begun)))
            except Exception as error:
                self._notices.once("finish", f"finish() failed ({type(error).__name__}: {error}).")

    def _forked(self) -> None:
        """In a forked child: whatever was held by a thread that is not here any more is made anew."""
        self._end_mutex = threading.RLock()
        if self._capture is not None:
            self._capture.forked()
            self._capture = None
        self._session.forked()
        self._packer.forked()

    def _say(self, event: dict[str, Any]) -> None:
        if self._ended is not None:
            self._too_late(event["t"])
            return
        try:
            self._session.say(event)
        except Exception as error:
            self._notices.once("say", f"{event['t']} could not be kept ({type(error).__name__}: {error}).")

    def _remember_params(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            if event["t"] == "params":
                self._warn_of_changes(event["leaves"])

    def _tell_of_secrets(self, names: list[str]) -> None:
        if names:
            listed = ", ".join(repr(name) for name in names[:5]) + (", …" if len(names) > 5 else "")
            self._notices.once(
                "secret params", f"{listed} among the params looks like a secret and is kept as '***'."
            )

    def _warn_of_changes(self, leaves: list[Leaf]) -> None:
        for name, _, text, _, _ in leaves:
            short = text if len(text) <= 80 else text[:79] + "…"
            before = self._params.setdefault(name, short)
            if before != short:
                self._params[name] = short
                self._notices.once(
                    f"param {name}", f"param {name!r} was {before} and is now {short}; the new value is kept."
                )


def goal_event(key: str, goal: str) -> dict[str, Any]:
    """Return the event of `define_metric`; raises InvalidValue."""
    if goal not in tuple(Goal):
        raise InvalidValue(f"goal={goal!r} is neither 'maximize' nor 'minimize'.")
    return {"t": "goal", "key": checked_text(key, "a metric key"), "goal": str(goal)}


def repeat_event(vary: Iterable[str], ignore: Iterable[str]) -> dict[str, Any]:
    """Return the event of `define_repeat`; raises InvalidValue."""
    return {"t": "repeat", "vary": checked_names(vary, "vary"), "ignore": checked_names(ignore, "ignore")}


_attached: dict[tuple[str, str], Run] = {}


def attach(description: RunDescription, strict: bool = False) -> Run:
    """Return a handle on a run that another process owns."""
    # One session for all the copies that a pool hands to its workers, task by task.
    known = (str(description.location.root), description.run_id)
    run = _attached.get(known)
    if run is None or run._ended is not None:
        run = _attached[known] = Run(description, Session.attached(description), strict=strict)
        active.note(run)
    return run


def crash_ending(error: BaseException) -> Ending:
    """Return the ending of an exception that nobody caught."""
    if isinstance(error, KeyboardInterrupt):
        return Ending(RunStatus.INTERRUPTED, None)
    return Ending(RunStatus.FAILED, storable("".join(traceback.format_exception(error))))
