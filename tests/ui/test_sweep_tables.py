"""The list of sweeps and the table of a sweep's trials: rows, order, pages, words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tracking.analysis.trials import trial_frame
from tracking.records import Goal
from tracking.study_records import CAUSE, TrialRecord
from tracking.sweep_records import (
    STOPPED,
    BestTrial,
    FailureGroup,
    SweepObjective,
    SweepRecord,
    SweepState,
)
from tracking.ui import (
    sweep_colours,
    sweep_edit_forms,
    sweep_failures,
    sweep_format,
    sweep_list,
    sweep_trial_table,
)
from tracking.ui.sweep_trial_table import BEST, LONGEST, NEWEST, OLDEST, Choice

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
RECORD = SweepRecord(
    name="s",
    state=SweepState.RUNNING,
    reason="",
    experiment="s",
    objectives=(SweepObjective("loss", Goal.MINIMIZE),),
    target="train.py",
    sampler="tpe",
    pruner=None,
    notes="",
    text="",
    edition=1,
    project=None,
    trials={"running": 1, "complete": 3, "pruned": 0, "fail": 3, "waiting": 0},
    taken_over=0,
    done=5,
    budget_trials=20,
    budget_seconds=600.0,
    elapsed=150.0,
    best=(BestTrial("s", 2, "r", (0.25,), {"lr": 0.1}),),
    rate=120.0,
    eta=90.0,
    workers=2,
    active=(),
    failures=(FailureGroup("error", "boom", (4, 5), retried=1),),
    edits=(),
    created=BEGAN,
    studies=("s",),
    revision=1,
)


def records() -> list[TrialRecord]:
    """Return complete 0.5, 0.25, 0.75, then failed, stopped and running trials, each longer than the one before."""
    made = []
    for number, (state, value, cause) in enumerate(
        [
            ("complete", 0.5, None),
            ("complete", 0.25, None),
            ("complete", 0.75, None),
            ("fail", None, "error"),
            ("fail", None, STOPPED),
            ("running", None, None),
        ]
    ):
        end = None if state == "running" else BEGAN + timedelta(seconds=number + 1)
        values = None if value is None else (value,)
        attributes = {} if cause is None else {CAUSE: cause}
        made.append(
            TrialRecord(number, f"r{number}", state, BEGAN, end, values, {"lr": 0.1 * number}, attributes)
        )
    return made


@pytest.mark.parametrize(
    ("choice", "numbers"),
    [
        (Choice(NEWEST), [5, 4, 3, 2, 1, 0]),
        (Choice(OLDEST), [0, 1, 2, 3, 4, 5]),
        (Choice(BEST), [1, 0, 2, 3, 4, 5]),
        (Choice(LONGEST), [4, 3, 2, 1, 0, 5]),
        (Choice(NEWEST, states=("fail",)), [3]),
        (Choice(NEWEST, states=("stopped", "running")), [5, 4]),
        (Choice(BEST, brushed=frozenset({2, 0, 99})), [0, 2]),
        (Choice(NEWEST, brushed=frozenset()), []),
    ],
)
def test_trials_in_order(choice: Choice, numbers: list[int]) -> None:
    frame = trial_frame(records(), RECORD.objectives)
    assert sweep_trial_table.chosen(frame, RECORD, choice, None).tolist() == numbers


def test_of_several_objectives_the_front_comes_first() -> None:
    frame = trial_frame(records(), RECORD.objectives)
    front = np.array([True, False, True, False, False, False])
    rows = sweep_trial_table.chosen(frame, RECORD, Choice(BEST), front)
    assert rows.tolist()[:3] == [0, 2, 1]


def test_a_page_beyond_the_last_is_the_last() -> None:
    rows, page = sweep_trial_table.page_of(np.arange(250), 9)
    assert (page, rows[0], len(rows)) == (4, 200, 50)
    assert sweep_trial_table.page_of(np.arange(0), 3)[1] == 0


def test_the_table_tells_stopped_from_failed_and_marks_the_best() -> None:
    frame = trial_frame(records(), RECORD.objectives)
    table = sweep_trial_table.trials_table(frame, RECORD, {1}, zone=UTC, varying=["params.lr"])
    assert table.shown("state")[3:] == ["✕ failed", "■ stopped", "● running"]
    assert table.bold == {(1, "values.loss")}
    assert table.shown("values.loss") == ["0.5000", "0.2500", "0.7500", "–", "–", "–"]
    assert table.shown("duration")[5] == "–"
    complete, best, other, failed, stopped, running = table.colours
    assert best == sweep_colours.BEST and complete == other
    assert [failed, stopped, running] == [sweep_colours.STATES[each] for each in ("fail", STOPPED, "running")]
    assert len(set(table.colours)) == 5 and not any("var(" in colour for colour in table.colours)


def test_params_that_never_differ_have_no_column() -> None:
    made = [replace(each, params={**each.params, "seed": 1}) for each in records()]
    assert sweep_trial_table.varying(trial_frame(made, RECORD.objectives)) == ["params.lr"]


def test_progress_in_one_line() -> None:
    said = sweep_format.progress(RECORD)
    assert said == "5 of 20 trials · 2 min 30 s of 10 min 00 s · 2/min · about 1 min 30 s left · " + (
        "budget left: 15 trials or 7 min 30 s"
    )
    assert "budget left" not in sweep_format.progress(RECORD, brief=True)
    assert sweep_format.share(RECORD) == 0.25
    assert sweep_format.counts(RECORD) == "3 complete, 2 failed, 1 running, 1 stopped"


def test_a_sweep_without_a_budget_of_trials() -> None:
    open_ended = replace(RECORD, budget_trials=None, budget_seconds=None, rate=30.0, eta=None)
    assert sweep_format.share(open_ended) is None
    assert sweep_format.progress(open_ended) == "5 trials · 2 min 30 s · 30/h"


def test_failures_in_one_line() -> None:
    group = FailureGroup("time_limit", "", tuple(range(12)), retried=2, earlier=3)
    assert sweep_failures.heading(group) == (
        "15 × took longer than the limit · trials 0, 1, 2, 3, 4, 5, 6, 7, … · 3 in earlier studies · 2 tried again"
    )
    assert sweep_failures.heading(FailureGroup("odd", "", (7,))) == "1 × odd · trial 7"


def test_time_left_is_only_of_what_is_live_and_the_rate_of_others_an_average() -> None:
    ended = replace(RECORD, name="e", state=SweepState.FINISHED, done=10, elapsed=3600.0)
    table = sweep_list.table([RECORD, ended], BEGAN + timedelta(hours=2))
    assert table.shown("rate") == ["2/min", "10/h"] and table.shown("left") == ["1 min 30 s", "–"]
    assert "left" not in sweep_list.table([ended], BEGAN).columns
    assert "rate" not in sweep_list.table([replace(ended, elapsed=None)], BEGAN).columns
    assert table.shown("created") == ["2 h ago", "2 h ago"]


def test_a_confirmation_is_marked_in_the_list() -> None:
    fresh = replace(RECORD, name=f"{RECORD.name} confirmed", confirms=RECORD.name)
    assert sweep_list.table([fresh, RECORD], BEGAN).shown("confirms") == [RECORD.name, "–"]
    assert "confirms" not in sweep_list.table([RECORD], BEGAN).columns


@pytest.mark.parametrize(
    ("text", "others", "choice"),
    [
        ("8", (4, 16), 8),
        ("8", ("4", "16"), "8"),
        ("true", (False,), True),
        ("null", ("a", None), None),
        ("adam", ("sgd", None), "adam"),
        ("[1]", (1,), "[1]"),
    ],
)
def test_a_choice_is_what_it_looks_like_beside_the_others(
    text: str, others: tuple[object, ...], choice: object
) -> None:
    assert sweep_edit_forms.choice_of(text, others) == choice
