"""Repeats that no param tells apart: the same command again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tuning.sweeping import TEXT
from tracking.errors import InvalidDefinition
from tracking.tuning.definition import Repeats
from tracking.tuning.definition_checks import check
from tracking.tuning.definition_file import read_definition
from tracking.tuning.definition_text import definition_text
from tracking.tuning.execution.outcomes import Cause, Outcome, State, attributes, failed, of_repeats


def test_a_count_alone_repeats_the_same_command_and_is_written_so() -> None:
    definition = read_definition(TEXT + "\n[repeats]\ncount = 3\n")
    assert definition.repeats == Repeats(None, (0, 1, 2))
    text = definition_text(definition)
    assert "[repeats]\ncount = 3\n" in text and read_definition(text) == definition


def test_values_need_the_param_that_they_are_of() -> None:
    with pytest.raises(InvalidDefinition) as wrong:
        read_definition(TEXT + "\n[repeats]\nvalues = [1, 2]\n")
    (problem,) = wrong.value.problems
    assert (problem.field, problem.line is not None) == ("repeats.vary", True)
    assert "count = 3 alone" in problem.sentence
    built = replace(read_definition(TEXT), repeats=Repeats(None, (3, 4)))
    assert [each.field for each in check(built)] == ["repeats.vary"]


def test_what_is_missing_is_told_without_a_param() -> None:
    outcome = of_repeats(None, (0, 1), [Outcome(State.COMPLETE, (0.5,)), failed(Cause.ERROR, "It broke.")])
    assert outcome.cause is Cause.INCOMPLETE
    assert outcome.reason == "Repeat 1 of 0 to 1 is missing: It broke. There are repeat 0: 0.5."


def test_repeats_of_several_objectives_keep_each_value() -> None:
    done = [Outcome(State.COMPLETE, (0.5, 10.0)), Outcome(State.COMPLETE, (1.5, 30.0))]
    outcome = of_repeats("seed", (0, 1), done)
    assert outcome.values == (1.0, 20.0)
    assert attributes(outcome) == {"podium:repeats": [(0.5, 10.0), (1.5, 30.0)]}
    broken = of_repeats("seed", (0, 1), [done[0], failed(Cause.ERROR, "It broke.")])
    assert broken.repeats == ((0.5, 10.0), None) and "seed=0: 0.5, 10" in str(broken.reason)
