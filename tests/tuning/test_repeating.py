"""Which runs can be repeated, by which command and with which seeds; no process is started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest

import tracking
from tests.pages.carried import capture
from tests.tuning.confirmed import give
from tests.tuning.sweeping import SCRIPT, made
from tracking.config import StoreLocation
from tracking.errors import InvalidDefinition, InvalidValue, NotFound
from tracking.records import Goal
from tracking.tuning import sweep_start, sweeps
from tracking.tuning.definition import Objective, Repeats, ScriptTarget, SweepDefinition
from tracking.tuning.definition_checks import check
from tracking.tuning.definition_file import read_definition

optuna.logging.set_verbosity(optuna.logging.ERROR)

SEEDED = SCRIPT.replace(
    "args = parser", 'parser.add_argument("--seed", "-s", type=int, default=0)\nargs = parser'
)


class Place:
    """A project with a store, in which no supervisor is started."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "project"
        self.project.mkdir()
        self.script = self.project / "train.py"
        self.script.write_text(SEEDED)
        self.location = StoreLocation(folder / "store", named=True)

    def run(self, *arguments: str, params: dict[str, Any] | None = None, **about: Any) -> str:
        """Log a run as if a script had been started with these arguments; returns its id."""
        said = {"path": str(self.script), "entry": "file", **about}
        with tracking.start_run(
            "x", name="first", params=params or {}, store=self.location.root, capture=False
        ) as run:
            run.log({"accuracy": 0.5, "cost": 2.0})
            capture(run, "script", **said, arguments=list(arguments))
        return run.id

    def repeat(self, run: str, **options: Any) -> SweepDefinition:
        record = sweeps.repeat(self.location, run, project=self.project, **options)
        definition = read_definition(record.text)
        assert check(definition) == []
        return definition


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(sweep_start, "spawn", lambda *_: 0)
    return Place(tmp_path)


def test_the_captured_command_runs_again_with_seeds_that_it_has_not_had(place: Place) -> None:
    params = {"lr": 0.2, "opt": 'a"b'}
    run = place.run("--lr", "0.2", "--seed=1", "--opt", 'a"b', params={**params, "seed": 1})
    place.run("--lr", "0.2", "-s3", params={**params, "seed": 3})
    place.run("--lr", "0.3", params={**params, "lr": 0.3, "seed": 2})  # another configuration
    definition = place.repeat(run, runs=3)
    assert definition.target == ScriptTarget("train.py", ("--lr", "0.2", "--opt", 'a"b'))
    assert definition.repeats == Repeats("seed", (0, 2, 4))
    assert (definition.name, definition.experiment, definition.space) == ("first repeated", "x", ())
    assert definition.objectives == (Objective("accuracy", Goal.MAXIMIZE),)
    # What has been started, and not begun yet, is taken too.
    again = place.repeat(run, runs=2)
    assert (again.name, again.repeats) == ("first repeated-2", Repeats("seed", (5, 6)))
    with tracking.open_store(place.location.root) as store:
        assert store.sweep("first repeated").repeats_run == run
        assert store.sweep("first repeated").confirms is None


def test_metric_values_and_key_are_as_asked_for(place: Place) -> None:
    run = place.run("-s", "4", "--lr=0.2")
    definition = place.repeat(run, values=[7, 8], metric="cost", key="once")
    assert definition.target == ScriptTarget("train.py", ("--lr=0.2",))
    assert definition.repeats == Repeats("seed", (7, 8))
    assert definition.objectives == (Objective("cost", Goal.MINIMIZE),)
    assert place.repeat(run, runs=5, key="once").repeats == Repeats("seed", (7, 8))
    with pytest.raises(InvalidValue, match="has no metric 'f1'. It has accuracy, cost"):
        place.repeat(run, metric="f1")
    for options in ({"runs": 1}, {"runs": True}, {"runs": 101}, {"values": [1]}):
        with pytest.raises(InvalidValue, match="from 2 to 100"):
            place.repeat(run, **options)
    with pytest.raises(NotFound):
        place.repeat("nobody")


def test_the_param_that_tells_repeats_apart_is_the_experiments(place: Place) -> None:
    place.script.write_text(SEEDED.replace('"--seed", "-s"', '"--rng"'))
    run = place.run("--rng", "1", params={"rng": 1})
    with pytest.raises(InvalidValue, match=r"option --rng.*define_repeat\('x', vary=\['rng'\]\)"):
        place.repeat(run)
    with tracking.open_store(place.location.root) as store:
        store.define_repeat("x", vary=["rng", "momentum"])
    assert place.repeat(run, runs=2).repeats == Repeats("rng", (0, 2))
    with tracking.open_store(place.location.root) as store:
        store.define_repeat("x", vary=["momentum"])
    with pytest.raises(InvalidValue, match="which other values that may have"):
        place.repeat(run)
    assert place.repeat(run, values=[0.1, 0.2]).repeats == Repeats("momentum", (0.1, 0.2))


@pytest.mark.parametrize(
    ("about", "arguments", "says"),
    [
        ({"entry": "notebook"}, [], "was started in a notebook"),
        ({"entry": "command", "path": None}, [], "was started by python -c"),
        ({"entry": "module"}, [], "as a module"),
        ({"path": "/etc/passwd"}, [], "/etc/passwd, is not in the project"),
        ({"path": ""}, [], "is not in the project"),
        ({}, ["--key", "***"], "A secret in the arguments"),
    ],
)
def test_what_cannot_be_started_again_is_told(
    place: Place, about: dict[str, Any], arguments: list[str], says: str
) -> None:
    with pytest.raises(InvalidValue, match=says):
        place.repeat(place.run(*arguments, **about))


def test_a_script_that_is_gone_hidden_or_takes_no_seed_is_told(place: Place, tmp_path: Path) -> None:
    run = place.run()
    place.script.write_text(SCRIPT)
    with pytest.raises(InvalidValue, match=r'no option that tells repeats apart.*add_argument\("--seed"'):
        place.repeat(run)
    hidden = place.project / ".cache"
    hidden.mkdir()
    (hidden / "train.py").write_text(SEEDED)
    with pytest.raises(InvalidValue, match="none of the project's files"):
        place.repeat(place.run(path=str(hidden / "train.py")))
    link = place.project / "link.py"
    link.symlink_to("/etc/hosts")
    with pytest.raises(InvalidValue, match="is not in the project"):
        place.repeat(place.run(path=str(link)))
    place.script.write_text(SEEDED)
    with pytest.raises(InvalidDefinition, match="no option"):
        place.repeat(place.run("--gone", "1"))
    place.script.unlink()
    with pytest.raises(InvalidValue, match="is not there any more"):
        place.repeat(run)


def test_runs_without_capture_metric_or_goal_and_parts_of_others_are_told(place: Place) -> None:
    root = place.location.root
    with tracking.start_run("y", store=root, capture=False) as bare:
        bare.log({"odd": 1.0})
        with tracking.start_run("y", store=root, capture=False, parent=bare.id) as part:
            part.log({"odd": 1.0})
    with pytest.raises(InvalidValue, match="nothing was captured with it.*capture=False"):
        place.repeat(bare.id)
    with pytest.raises(InvalidValue, match=f"is a part of run {bare.id}"):
        place.repeat(part.id)
    with tracking.start_run("z", store=root, capture=False) as run:
        capture(run, "script", path=str(place.script), entry="file", arguments=[])
    with pytest.raises(InvalidValue, match="has no metrics"):
        place.repeat(run.id)
    with tracking.start_run("z", store=root, capture=False) as run:
        run.log({"odd": 1.0})
        capture(run, "script", path=str(place.script), entry="file", arguments=[])
    with pytest.raises(InvalidValue, match=r"define_metric\('odd', goal="):
        place.repeat(run.id)
    assert place.repeat(run.id, goal=Goal.MINIMIZE).objectives == (Objective("odd", Goal.MINIMIZE),)


def test_a_trial_is_confirmed_by_itself_and_its_fresh_runs_stand_for_it(place: Place) -> None:
    made(place.location, place.project, 4)
    with tracking.open_store(place.location.root) as store:
        runs = {each.number: each.run for each in store.sweep_trials("s")}
    assert sweeps.repeat(place.location, runs[2], runs=3).confirms == "s"
    give(place.location, "s confirmed", [[0.5, 0.6, 0.7]])
    with tracking.open_store(place.location.root) as store:
        (first,) = store.confirmations("s")
    assert [each.trial for each in first.trials] == [2] and first.values == (1, 2, 3)
    fresh = first.trials[0].fresh_run
    with tracking.start_run("s confirmed", store=place.location.root, parent=fresh, capture=False) as child:
        pass
    for place_number, run in enumerate((fresh, child.id)):
        record = sweeps.repeat(place.location, str(run), runs=2)
        with tracking.open_store(place.location.root) as store:
            again = store.confirmations("s")[0]
        assert again.own.name == record.name and [each.trial for each in again.trials] == [2]
        assert again.values == ((4, 5), (6, 7))[place_number]
    with pytest.raises(InvalidValue, match="Trial 1 failed"):
        sweeps.repeat(place.location, str(runs[1]))


def test_a_study_of_ones_own_program_is_told(place: Place) -> None:
    study = tracking.create_study("own", store=place.location.root)
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    with tracking.open_store(place.location.root) as store:
        run = store.trials("own")[0].run
    with pytest.raises(InvalidValue, match="which a program of yours runs"):
        sweeps.repeat(place.location, str(run))


def test_the_objective_has_its_goal_where_nobody_has_said_another(place: Place) -> None:
    run = place.run(params={"seed": 1})
    with tracking.start_run("x", store=place.location.root, capture=False) as other:
        other.define_metric("cost", goal="maximize")
    place.repeat(run, metric="cost", goal=Goal.MINIMIZE)
    place.repeat(run, metric="accuracy")
    with tracking.open_store(place.location.root) as store:
        (experiment,) = store.experiments()
    assert experiment.goals["accuracy"] is Goal.MAXIMIZE and experiment.goals["cost"] is Goal.MAXIMIZE
