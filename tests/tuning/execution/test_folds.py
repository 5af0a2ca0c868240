"""What a pruner hears of a model on a table: the mean over the folds so far."""

from __future__ import annotations

import tracking
from tracking.store import Store
from tracking.tuning.execution.folds import FoldMeans
from tracking.tuning.execution.readings import MetricReader


def test_each_fold_comes_with_the_mean_by_it_wherever_its_score_is(store: Store) -> None:
    with tracking.start_run("e", store=store.location.root, capture=False) as run:
        reader = FoldMeans(MetricReader(store.location, store._engines, run.id, "accuracy_fold"))
        run.log({"accuracy_fold": 0.5}, step=0)
        run.log({"accuracy_fold": 1.0}, step=1)
        assert reader.poll() == [(0, 0.5), (1, 0.75)]
        run.log({"accuracy_fold": 0.0, "other": 9.0}, step=2)
        assert reader.poll() == [(2, 0.5)]
        assert reader.poll() == []
    # The spool is gone: all of it comes again, from the database.
    assert reader.poll() == reader.stored() == [(0, 0.5), (1, 0.75), (2, 0.5)]
