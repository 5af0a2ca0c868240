"""Says what is wrong in the launch form beside the field that it is wrong in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import streamlit as st

from tracking.ui.markdown import escape

if TYPE_CHECKING:
    from tracking.errors import Problem

SHOWN: Final = 12
_BLANK: Final = re.compile(r"objectives\[\d+\]\.metric|target\.column|name")


class Unsaid:
    """The problems of a form that no field has said yet.

    Args:
        problems: All of them.
        tried: Whether somebody pressed Start; before, a field that is merely blank is no mistake yet.
    """

    def __init__(self, problems: Sequence[Problem], *, tried: bool) -> None:
        self._left = [each for each in problems if tried or not is_blank(each)]

    def take(self, *fields: str) -> list[Problem]:
        """Return the problems at or below these fields; nobody else gets them."""
        taken = [each for each in self._left if any(_is_at(each.field, field) for field in fields)]
        self._left = [each for each in self._left if each not in taken]
        return taken

    def say(self, label: str, *fields: str) -> None:
        """Draw the problems of a field under it.

        Args:
            label: What the field is called on the page.
            fields: What definitions call it.
        """
        for each in self.take(*fields)[:SHOWN]:
            st.markdown(f":red[{escape(label)} {escape(each.sentence)}]")

    def say_of_space(self) -> None:
        """Draw the problems of the table of params under it, each with its param and column."""
        found = self.take("space")
        lines = [f"- {_of_param(each)}" for each in found[:SHOWN]]
        if len(found) > SHOWN:
            lines.append(f"- … and {len(found) - SHOWN:,} more.")
        if lines:
            st.error("\n".join(lines))

    def say_rest(self) -> None:
        """Draw what belongs to no field."""
        for each in self._left[:SHOWN]:
            named = f"{escape(each.field)}: " if each.field else ""
            st.error(f"{named}{escape(each.sentence)}")
        self._left = []


def is_blank(problem: Problem) -> bool:
    """Whether a problem is only that a field is not filled yet."""
    return bool(_BLANK.fullmatch(problem.field)) and (
        "is blank" in problem.sentence or "empty" in problem.sentence
    )


def _of_param(problem: Problem) -> str:
    place = problem.field.removeprefix("space").lstrip(".")
    if not place:
        return f"The table {escape(problem.sentence)}"
    return f"**{escape(place.replace('only_if', 'only if'))}** {escape(problem.sentence)}"


def _is_at(place: str, field: str) -> bool:
    return place == field or place.startswith((f"{field}.", f"{field}["))
