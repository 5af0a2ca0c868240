"""Which trials are confirmed, with which seeds; no process is started."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest

import tracking
from tests.tuning.sweeping import SCRIPT, TEXT, made
from tracking.config import StoreLocation
from tracking.errors import InvalidValue, NotFound
from tracking.study_records import RUN
from tracking.sweep_records import ConfirmationRecord
from tracking.tuning import sweep_start, sweeps
from tracking.tuning.definition import Repeats, SweepDefinition
from tracking.tuning.definition_checks import check
from tracking.tuning.definition_file import read_definition
from tracking.tuning.space import suggest

optuna.logging.set_verbosity(optuna.logging.ERROR)

SEEDED = SCRIPT.replace("args = parser", 'parser.add_argument("--seed", type=int, default=2)\nargs = parser')


class Place:
    """A project with a store, in which no supervisor is started."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "project"
        self.project.mkdir()
        self.write(SEEDED)
        self.location = StoreLocation(folder / "store", named=True)

    def write(self, script: str) -> None:
        (self.project / "train.py").write_text(script)

    def made(self, trials: int = 6, text: str = TEXT) -> None:
        made(self.location, self.project, trials, text=text)

    def study(self) -> optuna.Study:
        return optuna.load_study(study_name="s", storage=tracking.study_storage(self.location.root))

    def add(self, lr: float, value: float, state: str = "COMPLETE", **more: Any) -> int:
        """Add a trial; returns its number."""
        study = self.study()
        study.add_trial(
            optuna.trial.create_trial(
                state=optuna.trial.TrialState[state],
                params={"lr": lr, "opt": "sgd"},
                distributions={
                    "lr": optuna.distributions.FloatDistribution(0.01, 0.3),
                    "opt": optuna.distributions.CategoricalDistribution(["sgd", "adam"]),
                },
                value=value if state == "COMPLETE" else None,
                user_attrs=more,
            )
        )
        return len(study.get_trials(deepcopy=False)) - 1

    def confirm(self, **options: Any) -> tuple[SweepDefinition, ConfirmationRecord]:
        sweeps.confirm(self.location, "s", **options)
        with tracking.open_store(self.location.root) as store:
            record = store.confirmations("s")[0]
        definition = read_definition(record.own.text)
        assert check(definition) == []
        return definition, record


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(sweep_start, "spawn", lambda *_: 0)
    return Place(tmp_path)


def test_the_best_configurations_each_once_best_first(place: Place) -> None:
    place.made(0)
    for lr, value in ((0.1, 5.0), (0.2, 9.0), (0.1, 7.0), (0.05, 8.0), (0.25, 1.0)):
        place.add(lr, value)
    place.add(0.3, 99.0, "FAIL")
    place.add(0.31 - 0.01, 99.0, "PRUNED")
    definition, record = place.confirm(top=3, repeats=4)
    assert [each.trial for each in record.trials] == [1, 3, 2]
    assert [each.scores for each in record.trials] == [(9.0,), (8.0,), (7.0,)]
    assert [dict(each) for each in definition.start_with] == [
        {"lr": lr, "opt": "sgd"} for lr in (0.2, 0.05, 0.1)
    ]
    assert (definition.sampler.name, definition.pruner.name) == ("listed", "none")
    assert (definition.budget.trials, definition.workers, definition.prior) == (3, 1, None)
    # 2 is the script's default: every trial ran with it.
    assert definition.repeats == Repeats("seed", (0, 1, 3, 4)) == Repeats(record.vary, record.values)
    assert [each.state for each in record.trials] == ["waiting"] * 3
    assert [each.fresh for each in record.trials] == [()] * 3
    # There are five complete trials, four configurations.
    assert len(place.confirm(top=20, repeats=2)[1].trials) == 4


def test_what_was_pruned_or_failed_or_is_no_trial_cannot_be_confirmed(place: Place) -> None:
    place.made(0)
    with pytest.raises(InvalidValue, match="No trial of 's' is complete yet"):
        place.confirm()
    for state in ("FAIL", "PRUNED", "RUNNING", "COMPLETE"):
        place.add(0.1, 1.0, state)
    for number, says in ((0, "0 failed"), (1, "1 was pruned"), (2, "2 is running")):
        with pytest.raises(InvalidValue, match=f"Trial {says}: only complete ones"):
            place.confirm(trials=[3, number])
    with pytest.raises(NotFound, match="no trial 9"):
        place.confirm(trials=[9])
    with pytest.raises(NotFound, match="no sweep 'x'"):
        sweeps.confirm(place.location, "x")
    assert [each.trial for each in place.confirm(trials=[3, 3])[1].trials] == [3]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"repeats": 1}, "from 2 to 100. One run says nothing of the noise"),
        ({"repeats": 0}, "from 2 to 100"),
        ({"repeats": True}, "from 2 to 100"),
        ({"top": 0}, "from 1 to 50"),
        ({"top": 51}, "from 1 to 50"),
        ({"values": [1]}, "There are 1 values: give from 2"),
    ],
)
def test_too_few_and_too_many_are_refused(place: Place, options: dict[str, Any], says: str) -> None:
    place.made(3)
    with pytest.raises(InvalidValue, match=says):
        place.confirm(**options)
    with tracking.open_store(place.location.root) as store:
        assert store.confirmations("s") == []


def test_seeds_that_anybody_used_are_left_out(place: Place) -> None:
    text = TEXT.replace('script = "train.py"', 'script = "train.py"\narguments = ["--seed", "5"]')
    place.made(3, text)
    with tracking.open_store(place.location.root) as store:
        run = store.sweep_trials("s")[0].run
    # A script that attached logged another seed, and so did a run below it.
    with tracking.start_run("x", store=place.location.root, params={"seed": 0}, parent=run):
        pass
    assert place.confirm(repeats=3)[0].repeats == Repeats("seed", (1, 3, 4))
    assert place.confirm(repeats=3)[0].repeats == Repeats("seed", (6, 7, 8))


def test_a_seed_in_the_space_is_part_of_the_luck(place: Place) -> None:
    text = TEXT.replace("[space.opt]", "[space.seed]\nvalue = 0\n\n[space.opt]")
    place.made(3, text)
    definition, _ = place.confirm(repeats=2)
    assert definition.repeats == Repeats("seed", (1, 3))
    assert [param.name for param in definition.space] == ["lr", "opt"]


def test_repeats_over_seeds_go_on_and_those_over_folds_need_values(place: Place) -> None:
    place.made(3, TEXT + '\n[repeats]\nvary = "seed"\ncount = 3\n')
    assert place.confirm(repeats=2)[0].repeats == Repeats("seed", (3, 4))


def test_folds_are_not_made_up(place: Place) -> None:
    place.write(SEEDED.replace('"--seed"', '"--fold"'))
    place.made(3, TEXT + '\n[repeats]\nvary = "fold"\ncount = 3\n')
    with pytest.raises(InvalidValue, match=r"repeats of 's' are of 'fold'.*--values 5,6,7"):
        place.confirm()
    assert place.confirm(values=[3, 4])[0].repeats == Repeats("fold", (3, 4))


def test_where_there_is_no_seed_the_same_command_runs_again(place: Place) -> None:
    place.write(SCRIPT)
    place.made(3)
    definition, record = place.confirm(repeats=3)
    assert definition.repeats == Repeats(None, (0, 1, 2)) and record.vary is None
    with pytest.raises(InvalidValue, match="takes no seed"):
        place.confirm(values=[1, 2])
    # A seed that takes two texts is no place for numbers.
    place.write(SEEDED.replace("type=int, default=2", 'choices=["a", "b"], default="a"'))
    assert place.confirm(repeats=3)[0].repeats == Repeats(None, (0, 1, 2))


def test_runs_that_a_sweep_learned_from_are_not_its_own(place: Place) -> None:
    place.made(3)
    with tracking.start_run("x", store=place.location.root) as run:
        pass
    foreign = place.add(0.2, 99.0, **{RUN: run.id})
    assert foreign not in [each.trial for each in place.confirm(top=9)[1].trials]
    with pytest.raises(InvalidValue, match="an earlier run"):
        place.confirm(trials=[foreign])


def test_trials_outside_of_narrower_bounds_are_confirmed_all_the_same(place: Place) -> None:
    place.made(0)
    place.add(0.02, 9.0)
    sweeps.narrow(place.location, "s", "lr", low=0.1)
    definition, _ = place.confirm(top=1)
    assert (definition.space[0].low, definition.start_with[0]["lr"]) == (0.02, 0.02)


def test_a_long_name_is_cut_and_a_taken_one_counted(place: Place) -> None:
    name = "x" * 512
    made(place.location, place.project, 3, text=TEXT.replace('name = "s"', f'name = "{name}"'))
    first = sweeps.confirm(place.location, name, top=1)
    second = sweeps.confirm(place.location, name, top=1)
    assert len(first.name) == len(second.name) == 512
    assert first.name.endswith("x confirmed") and second.name.endswith("x confirmed-2")


def test_limits_and_environment_are_the_sweeps_own(place: Place) -> None:
    text = TEXT.replace("workers = 1", 'workers = 4\nenvironment = ["HF_HOME"]')
    place.made(6, text + '\n[limits]\ntime = "5s"\nfailures = 1\n')
    definition, _ = place.confirm(top=2)
    assert (definition.workers, definition.environment) == (2, ("HF_HOME",))
    assert (definition.limits.seconds, definition.limits.failures) == (5, None)
    assert (
        replace(definition.limits, failures=1)
        == read_definition(text + '\n[limits]\ntime = "5s"\nfailures = 1\n').limits
    )


TARGETS = {
    "table": """
dataset = "iris"
metric = "accuracy"
estimators = ["linear"]
seed = 4
""",
    "objective": """
objective = "train.py:objective"
""",
}
OBJECTIVE = """
def objective(trial):
    return trial.suggest_float("lr", 0.01, 0.3)
"""


@pytest.mark.parametrize("kind", TARGETS)
def test_tables_are_fitted_again_on_other_folds_and_objectives_run_again(place: Place, kind: str) -> None:
    place.write(OBJECTIVE)
    head = f'name = "s"\n[target]{TARGETS[kind]}\n'
    tail = '\n[[objectives]]\nmetric = "accuracy"\ngoal = "maximize"\n[budget]\ntrials = 9\n'
    place.made(0, head + tail)
    drawn = read_definition(head + tail).space
    study = place.study()
    for number in range(4):
        trial = study.ask()
        if drawn:
            suggest(trial, drawn)
        else:
            trial.suggest_float("lr", 0.01, 0.3)
        study.tell(trial, number / 10)
    definition, record = place.confirm(top=2, repeats=3)
    assert [each.trial for each in record.trials] == [3, 2]
    assert [dict(each.params) for each in record.trials] == [dict(each) for each in definition.start_with]
    if kind == "table":
        assert record.vary == "seed" and len(record.values) == 3 and 4 not in record.values
    else:
        assert (record.vary, definition.repeats) == (None, Repeats(None, (0, 1, 2)))
