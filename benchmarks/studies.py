"""Optuna on the store: trials a second beside Optuna's own storages, and opening a long study."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.report import Row
from benchmarks.workloads import Bench, median_of, seconds

if TYPE_CHECKING:
    import optuna


def objective(trial: optuna.Trial) -> float:
    x = trial.suggest_float("x", 0, 1)
    trial.suggest_float("lr", 1e-5, 1, log=True)
    trial.suggest_int("depth", 1, 10)
    trial.suggest_categorical("kind", ["a", "b", "c"])
    return x + trial.suggest_float("y", 0, 1)


def rate(make: Callable[[], optuna.Study], trials: int) -> float:
    """Return random trials a second, after a few to warm up."""
    study = make()
    study.optimize(objective, n_trials=5)
    return trials / seconds(lambda: study.optimize(objective, n_trials=trials))


def fill(folder: Path, name: str, trials: int, reports: int, seed: int = 0) -> None:
    """Make a study of finished trials with 5 params, as a sampler would leave it."""
    import optuna

    import tracking

    draw = random.Random(seed)
    study = tracking.create_study(name, store=folder, sampler=optuna.samplers.RandomSampler(seed=seed))
    space: dict[str, optuna.distributions.BaseDistribution] = {
        f"param{i}": optuna.distributions.FloatDistribution(0, 1) for i in range(5)
    }
    for _ in range(trials):
        trial = study.ask(space)
        for step in range(reports):
            trial.report(draw.random(), step)
        study.tell(trial, draw.random())


def studies(bench: Bench) -> Iterator[Row]:
    import optuna
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend

    import tracking

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    folder = bench.place("studies")
    folder.mkdir()
    count = iter(range(1_000))

    def sampler() -> optuna.samplers.BaseSampler:
        return optuna.samplers.RandomSampler(seed=1)

    def ours() -> optuna.Study:
        return tracking.create_study(store=folder / "store", sampler=sampler())

    def journal_file() -> optuna.Study:
        backend = JournalFileBackend(str(folder / f"{next(count)}.log"))
        return optuna.create_study(storage=JournalStorage(backend), sampler=sampler())

    def rdb() -> optuna.Study:
        storage = RDBStorage(f"sqlite:///{folder / f'{next(count)}.db'}")
        return optuna.create_study(storage=storage, sampler=sampler())

    trials = bench.scaled(200, 40)
    rates: dict[str, list[float]] = {"ours": [], "file": [], "rdb": []}
    for _ in range(bench.repeats):  # in turn, so that a busy moment hits all of them
        rates["ours"].append(rate(ours, trials))
        rates["file"].append(rate(journal_file, trials))
        rates["rdb"].append(rate(rdb, trials // 10))
    median = {name: statistics.median(values) for name, values in rates.items()}
    yield Row(
        "random trials through the study storage, 5 params",
        median["ours"],
        "/s",
        reference=median["file"],
        ratio_target=1,
        more_is_better=True,
        note="The reference is Optuna's JournalFileBackend; each trial of ours is a run as well.",
    )
    yield Row(
        "the same, beside Optuna's RDBStorage on SQLite",
        median["ours"],
        "/s",
        reference=median["rdb"],
        ratio_target=10,
        more_is_better=True,
    )
    long = bench.scaled(10_000, 300)
    for reports, target in ((0, 3.0), (10, 8.0)):
        store = folder / f"long-{reports}"
        fill(store, "long", long, reports)
        began = time.perf_counter()
        study = optuna.load_study(study_name="long", storage=tracking.study_storage(store))
        opened = len(study.get_trials(deepcopy=False))
        assert opened == long
        yield Row(
            f"open a study of {long:,} trials × 5 params, {reports} reports each",
            time.perf_counter() - began,
            "s",
            target=target,
        )
        with tracking.open_store(store) as handle:
            page = median_of(
                bench.scaled(11, 3), lambda handle=handle: seconds(lambda: handle.trials("long", limit=1_000))
            )
            whole = median_of(
                bench.scaled(11, 3), lambda handle=handle: seconds(lambda: handle.trials("long"))
            )
        yield Row("1,000 of its trials for a page, from rows", page, "s", target=0.1)
        yield Row("all of its trials, from rows", whole, "s", target=0.1)
