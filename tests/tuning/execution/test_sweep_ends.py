"""How a supervisor ends a sweep, beside somebody who asks for more in that moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import tracking
from tests.tuning.sweeping import TEXT, end_all, made, project
from tracking.config import StoreLocation
from tracking.sweep_records import OUTCOME, SweepState
from tracking.tuning import sweeps
from tracking.tuning.definition_file import read_definition
from tracking.tuning.execution import supervisor as module
from tracking.tuning.execution.places import SweepPlaces, write_json
from tracking.tuning.execution.supervisor import Supervisor
from tracking.tuning.sweep_state import definition_attribute, editing, find, opened, wanted

BUDGET = TEXT.replace("trials = 10", "trials = 4")


@pytest.fixture
def location(tmp_path: Path) -> Iterator[StoreLocation]:
    folder = project(tmp_path)
    there = StoreLocation(folder / ".tracking", named=True)
    made(there, folder, 4, text=BUDGET, ended=False)
    yield there
    end_all(there.root)


def outcome(location: StoreLocation) -> object:
    with opened(location) as engines:
        return find(engines, location, "s").outcome


def in_its_last_moment(monkeypatch: pytest.MonkeyPatch, what: Callable[[], object]) -> None:
    """Let something happen after the supervisor has made up its mind, before it says so."""
    decide = Supervisor._end_unless_changed
    happened = []

    def late(self: Supervisor, *given: object) -> bool:
        if not happened:
            happened.append(what())
        return decide(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Supervisor, "_end_unless_changed", late)


def test_a_supervisor_that_comes_late_leaves_a_finished_sweep_finished(
    location: StoreLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Supervisor(location, "s")._tick() is True
    said = outcome(location)
    assert isinstance(said, dict) and said["state"] == "finished"
    late = Supervisor(location, "s")
    monkeypatch.setattr(module, "judge", None)  # nothing is left to be judged
    assert late._tick() is True and late.may_leave()
    assert outcome(location) == said


def test_a_budget_that_grows_in_the_moment_of_the_end_is_used(
    location: StoreLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Supervisor(location, "s")
    in_its_last_moment(monkeypatch, lambda: sweeps.add_budget(location, "s", trials=1))
    assert one._tick() is False
    assert outcome(location) is None and not one.may_leave()


def test_a_trial_that_is_tried_again_in_the_moment_of_the_end_is_not_left_waiting(
    location: StoreLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Supervisor(location, "s")
    lock = one.lock()
    assert lock is not None
    in_its_last_moment(monkeypatch, lambda: sweeps.retry(location, "s"))
    try:
        assert one._tick() is False
    finally:
        lock.close()
    with tracking.open_store(location.root) as store:
        record = store.sweep("s")
    assert record.trials["waiting"] == 1 and outcome(location) is None


def test_a_sweep_resumed_in_the_moment_in_which_it_stops_goes_on(
    location: StoreLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    with editing(location, "s") as sweep:
        sweep.set_attributes(wanted("drain"))
    one = Supervisor(location, "s")

    def resumed() -> None:
        with editing(location, "s") as sweep:
            sweep.set_attributes({**wanted("run"), OUTCOME: None})

    in_its_last_moment(monkeypatch, resumed)
    assert one._tick() is False and outcome(location) is None


def test_a_sweep_does_not_end_while_somebody_edits_it(location: StoreLocation) -> None:
    one = Supervisor(location, "s")
    with editing(location, "s"):
        assert one._tick() is False
    assert outcome(location) is None
    assert one._tick() is True
    with tracking.open_store(location.root) as store:
        assert store.sweep("s").state is SweepState.FINISHED


def test_a_supervisor_that_was_told_to_leave_goes_on_when_somebody_resumes(location: StoreLocation) -> None:
    one = Supervisor(location, "s")
    one.be_told(15, None)
    assert one.may_leave()
    # As by `resume` while it ends its trials: it still holds its lock, so no other one is started.
    with editing(location, "s") as sweep:
        sweep.set_attributes(wanted("run"))
    assert not one.may_leave()
    one.be_told(15, None)
    assert one.may_leave(), "told again since"


def test_one_that_leaves_by_a_signal_is_seen_to_be_gone(
    location: StoreLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In this process it would take every child of the tests for an orphan of its own, and kill it.
    monkeypatch.setattr(module, "adopt_orphans", lambda: False)
    one = Supervisor(location, "s")
    one.be_told(15, None)
    one.run()
    with tracking.open_store(location.root) as store:
        assert store.sweep("s").state is SweepState.INTERRUPTED


def test_nothing_is_tried_again_without_time(location: StoreLocation) -> None:
    with editing(location, "s") as sweep:
        text = BUDGET.replace("trials = 4", "time = 5")
        sweep.set_attributes(definition_attribute(read_definition(text), 2, text))
    places = SweepPlaces(location, 1)
    places.make()
    write_json(places.clock, {"seconds": 9.0})
    with pytest.raises(tracking.RunStateError, match="sweep add s --time"):
        sweeps.retry(location, "s")
    with tracking.open_store(location.root) as store:
        assert store.sweep("s").trials["waiting"] == 0
