"""Whether a sweep goes on follows from its definition and its trials."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import FrozenTrial, TrialState

from tracking.errors import InvalidDefinition, NotFound
from tracking.records import Goal
from tracking.study_records import CAUSE, REASON, RETRY_OF, RUN, WORKER
from tracking.sweep_records import BEFORE, DEFINITION, PREVIOUS, PROJECT, STOP_WORKERS, WANTED
from tracking.tuning.definition import Budget, FunctionTarget, Limits, Objective, SweepDefinition
from tracking.tuning.definition_text import definition_text
from tracking.tuning.execution.orders import Orders, failures_in_a_row, judge, read_orders

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DEFINITION_OF_ONE = SweepDefinition(
    "s",
    FunctionTarget("train.py", "objective", objective=True),
    (),
    (Objective("accuracy", Goal.MAXIMIZE),),
    budget=Budget(trials=5),
    limits=Limits(failures=3),
)


def orders(**changes: Any) -> Orders:
    return Orders(replace(DEFINITION_OF_ONE, **changes), 1, "", Path("/"), "run", None, frozenset(), None)


def trial(number: int, state: str, cause: str | None = None, **attributes: Any) -> FrozenTrial:
    finished = state not in ("RUNNING", "WAITING")
    said = {WORKER: "0-000000000000", **({CAUSE: cause} if cause else {}), **attributes}
    return FrozenTrial(
        number=number,
        trial_id=number,
        state=TrialState[state],
        value=0.5 if state == "COMPLETE" else None,
        datetime_start=BEGIN if state != "WAITING" else None,
        datetime_complete=BEGIN + timedelta(seconds=number) if finished else None,
        params={},
        distributions={},
        user_attrs=said,
        system_attrs={},
        intermediate_values={},
    )


def test_the_budget_counts_what_ended_and_what_runs() -> None:
    trials = [trial(0, "COMPLETE"), trial(1, "PRUNED"), trial(2, "FAIL", "error"), trial(3, "RUNNING")]
    assert judge(orders(), trials, 0).goes_on
    assert judge(orders(), [*trials, trial(4, "WAITING")], 0).used == 4
    enough = judge(orders(), [*trials, trial(4, "RUNNING")], 0)
    assert (enough.goes_on, enough.state) == (False, "finished")
    assert enough.reason == "Its budget of 5 trials is used."


def test_neither_stopped_nor_retried_nor_taken_over_trials_are_of_the_budget() -> None:
    trials = [
        trial(0, "FAIL", "stopped"),
        trial(1, "FAIL", "worker_died"),
        trial(2, "COMPLETE", **{RETRY_OF: 1}),
        trial(3, "COMPLETE", **{RUN: "somerun"}),
        *(trial(number, "COMPLETE") for number in range(4, 7)),
    ]
    assert judge(orders(), trials, 0).used == 4
    assert judge(replace(orders(), trials_before=1), trials, 0).goes_on is False


def test_time_that_earlier_studies_took_counts() -> None:
    timed = orders(budget=Budget(seconds=60))
    assert judge(timed, [], 59).goes_on
    assert judge(replace(timed, seconds_before=30), [], 31).reason == "Its budget of 1 min is used."


def test_failures_count_in_a_row_since_the_sweep_was_told_to_run() -> None:
    failed = [trial(number, "FAIL", "error", **{REASON: "Bad."}) for number in range(1, 4)]
    assert [each.number for each in failures_in_a_row(failed, None)] == [1, 2, 3]
    verdict = judge(orders(), failed, 0)
    assert (verdict.goes_on, verdict.state) == (False, "failed")
    assert verdict.reason == (
        "3 trials in a row ended with an error (the last are trials 1, 2, 3). The latest: Bad."
    )
    assert judge(orders(limits=Limits(failures=None)), failed, 0).goes_on
    assert judge(replace(orders(), since=BEGIN + timedelta(seconds=1)), failed, 0).goes_on
    mixed = [*failed[:2], trial(3, "FAIL", "no_metric", **{REASON: "No acc."})]
    assert judge(orders(), mixed, 0).reason == (
        "3 trials in a row failed: 2 ended with an error, 1 logged no value for the objective "
        "(the last are trials 1, 2, 3). The latest: No acc."
    )
    between = [*failed[:2], trial(3, "PRUNED"), trial(4, "FAIL", "error")]
    assert [each.number for each in failures_in_a_row(between, None)] == [4]
    spared = [
        failed[0],
        trial(2, "FAIL", "stopped"),
        trial(3, "FAIL", "worker_died"),
        trial(4, "WAITING", **{RETRY_OF: 3}),
    ]
    assert [each.number for each in failures_in_a_row(spared, None)] == [1]


def test_enough_failures_in_a_row_are_enough_however_trials_under_way_end() -> None:
    """A trial that was under way when the limit was reached completes before anybody looked."""
    failed = [trial(number, "FAIL", "error", **{REASON: "Bad."}) for number in range(1, 4)]
    late = trial(4, "COMPLETE")
    assert late.datetime_start is not None and late.datetime_start < BEGIN + timedelta(seconds=3)
    verdict = judge(orders(), [*failed, late], 0)
    assert (verdict.goes_on, verdict.state) == (False, "failed")
    assert verdict.reason == (
        "3 trials in a row ended with an error (the last are trials 1, 2, 3). The latest: Bad."
    )
    assert judge(orders(), [*failed[:2], late], 0).goes_on
    # The limit was higher then, and the sweep went on: what began later and completed stands.
    begun_later = trial(4, "COMPLETE")
    begun_later.datetime_start = BEGIN + timedelta(seconds=3.5)
    assert judge(orders(), [*failed, begun_later], 0).goes_on
    assert judge(replace(orders(), since=BEGIN + timedelta(seconds=3)), [*failed, late], 0).goes_on


def test_orders_are_read_from_attributes() -> None:
    text = definition_text(DEFINITION_OF_ONE)
    said = {
        DEFINITION: {"text": text, "edition": 3},
        PROJECT: "/somewhere",
        WANTED: {"state": "drain", "at": "2026-01-01T00:00:00+00:00"},
        STOP_WORKERS: ["0-000000000000"],
        BEFORE: {"trials": 7, "seconds": 1.5},
        PREVIOUS: "s",
    }
    found = read_orders(said)
    assert (found.definition, found.edition, found.project) == (DEFINITION_OF_ONE, 3, Path("/somewhere"))
    assert (found.wanted, found.since, found.leaving) == ("drain", BEGIN, frozenset(["0-000000000000"]))
    assert (found.trials_before, found.seconds_before, found.goes_on) == (7, 1.5, True)
    plain = read_orders({DEFINITION: {"text": text}, WANTED: None, PROJECT: "/", BEFORE: None})
    assert (plain.wanted, plain.since, plain.leaving, plain.outcome) == ("run", None, frozenset(), None)
    with pytest.raises(NotFound, match="no sweep"):
        read_orders({})
    with pytest.raises(InvalidDefinition):
        read_orders({DEFINITION: {"text": "name = 3"}})
