"""What a study is told of a trial's run when that has ended."""

from __future__ import annotations

import optuna
from optuna.trial import TrialState

import tracking
from tracking.database.opening import open_database
from tracking.store import Store
from tracking.tuning.execution.finished import take_in
from tracking.tuning.execution.readings import MetricReader
from tracking.tuning.execution.reporting import Reporter


def test_a_pruned_trial_is_worth_the_last_point_of_its_run(store: Store) -> None:
    with tracking.start_run("a", store=store.location.root, capture=False) as run:
        for step in range(200):
            run.log({"loss": step / 2}, step=step)
    engines = open_database(store.location)
    take_in(store.location, engines, [run.id])
    study = tracking.create_study("s", store=store)

    def told(*, last: bool) -> optuna.trial.FrozenTrial:
        trial = study.ask()
        Reporter(trial, MetricReader(store.location, engines, run.id, "loss"), prunes=False).look_at_all(
            last=last
        )
        study.tell(trial, state=TrialState.PRUNED)
        return study.trials[trial.number]

    thinned, whole = told(last=False), told(last=True)
    assert max(thinned.intermediate_values) == 198
    assert whole.value == whole.intermediate_values[199] == 99.5
    assert {**thinned.intermediate_values, 199: 99.5} == whole.intermediate_values
    engines.dispose()
