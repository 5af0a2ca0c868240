"""What a sweep can be started on from the browser: what lies in the project, and nothing that is typed."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import streamlit as st

from tracking.errors import InvalidValue

if TYPE_CHECKING:
    from tracking.tuning.definition import Target
    from tracking.tuning.targets.options import FoundTarget

FRESH_S: Final = 15.0
"""So long a list of targets holds: reading a large project takes a second."""

_DATASETS: Final = {
    "digits": "1,797 images of handwritten digits, 10 classes",
    "iris": "150 flowers, 3 species",
    "wine": "178 wines, 3 growers",
    "breast_cancer": "569 tumours, malignant or benign",
    "diabetes": "442 patients, how far the disease went: a number",
}
_TABLE_KINDS: Final = ("dataset", "file")


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that a sweep can be started on.

    Attributes:
        id: As the address names it: `<kind>:<path>` or `<kind>:<path>:<name>`.
        kind: script, function, objective, dataset or file.
        label: What people call it: `train.py`, `train.py:train`, `digits`.
        about: A line of description, may be empty.
        found: What its source says; None for a table.
    """

    id: str
    kind: str
    label: str
    about: str
    found: FoundTarget | None = None

    @property
    def is_table(self) -> bool:
        """Whether a scikit-learn model is tuned on a table."""
        return self.kind in _TABLE_KINDS

    @property
    def logs(self) -> bool:
        """Whether what it does becomes runs with metrics: a table's trials are logged for it."""
        return self.found is None or self.found.logs

    @property
    def cannot(self) -> str:
        """Why it cannot be tuned as it is; empty when it can."""
        return "" if self.found is None else self.found.cannot


@dataclass(frozen=True, slots=True)
class Offers:
    """Everything that is offered by its id, and sentences about what is not."""

    by_id: Mapping[str, Offer]
    problems: tuple[str, ...]

    def offer_of(self, target: Target) -> Offer:
        """Return the offer that a definition's target is.

        Raises:
            InvalidValue: It is none of them.
        """
        found = self.by_id.get(_id_of(target))
        if found is None:
            raise InvalidValue(
                f"The target {_label_of(target)!r:.120} is not in the list of what was found in this project, and from "
                "here nothing else is started. Put it into the project, or use `tracking sweep start` in a terminal."
            )
        if found.cannot:
            raise InvalidValue(found.cannot)
        return found

    def own(self, target: Target) -> Target:
        """Return the target with its path as the list has it; raises InvalidValue as `offer_of`."""
        from tracking.tuning.definition import FunctionTarget, ScriptTarget

        offer = self.offer_of(target)
        if isinstance(target, ScriptTarget | FunctionTarget):
            assert offer.found is not None
            return replace(target, path=offer.found.path)
        return replace(target, file=offer.label) if target.file is not None else target


def offers(project: Path) -> Offers:
    """Return what is offered in a project, as it was read at most `FRESH_S` seconds ago."""
    return _offers(str(project))


def read_again() -> None:
    """Forget the lists: the next one is read from the files."""
    _offers.clear()


@st.cache_resource(ttl=FRESH_S, max_entries=4, show_spinner="Looking through the project")
def _offers(project: str) -> Offers:
    return find_offers(Path(project))


def find_offers(project: Path) -> Offers:
    """Read a project; nothing in it is executed."""
    from tracking.tuning.tables.project_tables import project_tables
    from tracking.tuning.tables.sources import DATASETS
    from tracking.tuning.targets.discovery import discover

    discovery = discover(project)
    found = [_offer(target) for target in discovery.targets]
    found += [Offer(f"dataset:{name}", "dataset", name, _DATASETS.get(name, "")) for name in DATASETS]
    found += [Offer(f"file:{path}", "file", path, "") for path in project_tables(project)]
    return Offers({each.id: each for each in found}, discovery.problems)


def _offer(found: FoundTarget) -> Offer:
    kind = str(found.kind)
    label = found.path if kind == "script" else f"{found.path}:{found.name}"
    return Offer(f"{kind}:{label}", kind, label, found.description, found)


def _id_of(target: Target) -> str:
    from tracking.tuning.definition import FunctionTarget, ScriptTarget

    if isinstance(target, ScriptTarget):
        return f"script:{posixpath.normpath(target.path)}"
    if isinstance(target, FunctionTarget):
        kind = "objective" if target.objective else "function"
        return f"{kind}:{posixpath.normpath(target.path)}:{target.name}"
    if target.dataset is not None:
        return f"dataset:{target.dataset}"
    return f"file:{posixpath.normpath(target.file)}" if target.file is not None else "artifact"


def _label_of(target: Target) -> str:
    from tracking.tuning.definition import FunctionTarget, ScriptTarget

    if isinstance(target, ScriptTarget):
        return target.path
    if isinstance(target, FunctionTarget):
        return f"{target.path}:{target.name}"
    return target.dataset or target.file or target.artifact or ""
