"""Everything Podium raises on purpose.

    TrackingError
    ├── StoreError                the store itself cannot be used
    │   ├── StoreTooNew           written by a newer Podium; both schemas are named
    │   ├── StoreBusy             another process kept the write lock past the limit
    │   ├── StoreFull             the disk has no room for the database to grow
    │   └── StoreDamaged          the database file is not a store, or is malformed
    ├── InvalidValue (ValueError) a name, param, step or argument that cannot be kept
    │   └── InvalidDefinition     a sweep's definition with problems; knows each one's line and field
    ├── NotFound (KeyError)       no run, experiment or artifact of that name or id
    ├── ArtifactDamaged           stored bytes are not those that were logged
    ├── RunStateError             the run's state forbids it (owned by a live process, finished)
    │   └── StillNeeded           a version of a model needs what was to go; the message says which
    ├── PromotionRefused          a gate did not pass, or the alias moved meanwhile; knows what each gate found
    ├── FilterError (ValueError)  a filter or order that cannot be read; knows its position
    ├── NotAllowed                the caller may not act (no key, or a foreign origin)
    └── MissingDependency         an optional package is needed; the message says which

Catch the root to treat them all alike::

    try:
        frame = store.search("metrics.accuracy > 0.9")
    except tracking.TrackingError as error:
        print(error)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


class TrackingError(Exception):
    """Root of the tree. The message names the thing and the way out."""

    def __str__(self) -> str:
        # KeyError would show its message in quotes.
        return str(self.args[0]) if self.args else type(self).__name__


class TrackingWarning(UserWarning):
    """What Podium says to a training script instead of raising: a key left out, a disk that is full."""


class StoreError(TrackingError):
    """The store cannot be used."""


class StoreTooNew(StoreError):
    """The store was written by a newer Podium than the installed one."""


class StoreBusy(StoreError):
    """Another process kept the write lock for longer than the limit."""


class StoreFull(StoreError):
    """The disk has no room (or no right) for the database to grow."""


class StoreDamaged(StoreError):
    """The database file is malformed, or is no Podium store."""


class InvalidValue(TrackingError, ValueError):
    """A name, param, step or argument that cannot be kept."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a sweep's definition.

    Attributes:
        line: In the definition file, from 1; None where there is no file, or no line to point at.
        field: As `space.lr.low` or `objectives[0].goal`; empty for the file as a whole.
        sentence: What is wrong, and the way out.
    """

    line: int | None
    field: str
    sentence: str

    def __str__(self) -> str:
        place = f"line {self.line}" if self.line is not None else ""
        place += f"{', ' if place and self.field else ''}{self.field}"
        return f"{place}: {self.sentence}" if place else self.sentence


class InvalidDefinition(InvalidValue):
    """A sweep's definition that cannot be used; the message lists what is wrong with it.

    Attributes:
        problems: All of them, in the order of their lines.
    """

    SHOWN = 20

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        lines = [str(problem) for problem in self.problems[: self.SHOWN]]
        if len(self.problems) > self.SHOWN:
            lines.append(f"… and {len(self.problems) - self.SHOWN} more.")
        if len(self.problems) > 1:
            lines.insert(0, f"The definition has {len(self.problems)} problems:")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[type[InvalidDefinition], tuple[tuple[Problem, ...]]]:
        # An exception is otherwise made again from its message.
        return type(self), (self.problems,)


class NotFound(TrackingError, KeyError):
    """There is no run, experiment or artifact of that name or id."""


class ArtifactDamaged(TrackingError):
    """The bytes in the store are not those that were logged: a disk or somebody changed them."""


class RunStateError(TrackingError, RuntimeError):
    """The state of the run forbids what was asked."""


class StillNeeded(RunStateError):
    """A version of a registered model needs what was to be deleted; nothing was."""


class PromotionRefused(TrackingError):
    """A version did not get an alias; the message lists every gate with what was found.

    Attributes:
        check: What each gate found, a `tracking.PromotionCheck`; None where it was refused for what kept changing.
    """

    def __init__(self, message: str, check: Any = None) -> None:
        super().__init__(message)
        self.check = check


class FilterError(TrackingError, ValueError):
    """A filter or an order that cannot be read.

    Attributes:
        source: The text as given (cut when it is very long).
        position: 0-based offset of the offending character in `source`.
        expected: What would have been accepted there.
    """

    def __init__(self, message: str, *, source: str = "", position: int = 0, expected: str = "") -> None:
        super().__init__(message)
        self.source = source
        self.position = position
        self.expected = expected

    def pointer(self, width: int = 100) -> str:
        """Return the source with a caret under the offending place, as two lines.

        Args:
            width: Characters to show; of a longer line those around the place, with ellipses.
        """
        line_start = self.source.rfind("\n", 0, self.position) + 1
        line_end = self.source.find("\n", self.position)
        line = self.source[line_start : line_end if line_end >= 0 else None]
        place = self.position - line_start
        if len(line) > width:
            first = min(max(0, place - width // 2), len(line) - width)
            shown = line[first : first + width]
            before, after = "…" if first else "", "…" if first + width < len(line) else ""
            line, place = before + shown + after, place - first + len(before)
        return f"{line}\n{' ' * place}^"


class NotAllowed(TrackingError, PermissionError):
    """The caller may not act: the key is missing or the origin is foreign."""


class MissingDependency(TrackingError, ImportError):
    """An optional package is needed for this call."""
