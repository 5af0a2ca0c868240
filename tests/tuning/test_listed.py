"""The sampler `listed`: a sweep of exactly the configurations that its definition lists."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from tests.tuning.sweeping import TEXT, made
from tracking.config import StoreLocation
from tracking.errors import InvalidDefinition
from tracking.study_records import CAUSE, RETRY_OF
from tracking.sweep_records import STOPPED
from tracking.tuning.definition_file import read_definition
from tracking.tuning.execution.orders import read_orders
from tracking.tuning.execution.places import SweepPlaces
from tracking.tuning.execution.queueing import FIXED, Queue
from tracking.tuning.samplers import make_sampler
from tracking.tuning.storage import StudyStorage

LISTED = TEXT.replace('"random"', '"listed"').replace("[budget]\ntrials = 10\n", "") + "".join(
    f'\n[[start_with]]\nlr = {lr}\nopt = "adam"\n' for lr in (0.1, 0.2, 0.1)
)


def test_the_list_is_the_budget_and_must_be_there() -> None:
    definition = read_definition(LISTED)
    assert definition.budget.trials == len(definition.start_with) == 3
    assert isinstance(make_sampler(definition, worker=0), optuna.samplers.RandomSampler)
    with pytest.raises(InvalidDefinition, match="There are none"):
        read_definition(LISTED[: LISTED.index("\n[[start_with]]")])


def test_each_of_the_list_is_queued_once_and_again_where_it_was_stopped(tmp_path: Path) -> None:
    location = StoreLocation(tmp_path / "store", named=True)
    made(location, tmp_path, text=LISTED, ended=False)
    storage, places = StudyStorage(location), SweepPlaces(location, 1)
    places.make()
    orders = read_orders(storage.get_study_system_attrs(1))

    def feed() -> list[object]:
        queue = Queue(storage, 1, places)
        assert queue.begin(orders) == 0
        queue.feed(orders, storage.get_all_trials(1))
        queue.feed(orders, storage.get_all_trials(1))
        return [each.system_attrs[FIXED]["lr"] for each in storage.get_all_trials(1)]

    assert feed() == [0.1, 0.2, 0.1]  # the same twice is meant so
    for number, cause in ((0, "error"), (1, STOPPED)):
        trial_id = storage.get_trial_id_from_study_id_trial_number(1, number)
        storage.set_trial_user_attr(trial_id, CAUSE, cause)
        storage.set_trial_state_values(trial_id, TrialState.FAIL)
    assert feed() == [0.1, 0.2, 0.1, 0.2]
    assert all(RETRY_OF not in each.user_attrs for each in storage.get_all_trials(1))
