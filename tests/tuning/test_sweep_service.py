"""Sweeps that really run, on a small script in a project of their own."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import tracking
from tests.tuning.sweeping import TEXT, end_all, made, processes_of, project, wait_for
from tracking.config import StoreLocation
from tracking.study_records import RETRY_OF, RUN
from tracking.sweep_records import SweepRecord, SweepState
from tracking.tuning import sweeps
from tracking.tuning.definition_file import read_definition
from tracking.tuning.execution.places import SweepPlaces, read_json


class Place:
    """A project with a store, and the sweep `s` there."""

    def __init__(self, folder: Path) -> None:
        self.project = project(folder)
        self.location = StoreLocation(self.project / ".tracking", named=True)
        self.go = self.project / "go"

    def start(self, text: str = TEXT, **changes: str) -> SweepRecord:
        for old, new in changes.items():
            text = text.replace(old, new)
        return sweeps.start(self.location, read_definition(text), project=self.project, text=text)

    def held(self, text: str = TEXT) -> str:
        """Return a definition whose trials wait until there is the file `go`."""
        return text.replace("[[objectives]]", f'[space.wait]\nvalue = "{self.go}"\n\n[[objectives]]', 1)

    def record(self) -> SweepRecord:
        with tracking.open_store(self.location.root) as store:
            return store.sweep("s")

    def until(self, *states: SweepState) -> SweepRecord:
        def there() -> SweepRecord | None:
            record = self.record()
            return record if record.state in states else None

        found = wait_for(there, self.location.root)
        assert isinstance(found, SweepRecord)
        return found

    def running(self, count: int = 1) -> SweepRecord:
        def there() -> SweepRecord | None:
            record = self.record()
            return record if record.trials["running"] == count == len(record.active) else None

        found = wait_for(there, self.location.root)
        assert isinstance(found, SweepRecord)
        return found

    def supervisor(self) -> int:
        said = read_json(SweepPlaces(self.location, 1).supervisor_record)
        assert said is not None
        return int(said["pid"])


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path)
    yield found
    end_all(found.location.root)
    assert processes_of(found.location.root) == []


def test_a_sweep_runs_its_budget_and_leaves_no_process(place: Place) -> None:
    text = TEXT.replace("trials = 10", "trials = 3") + "\n[[start_with]]\nlr = 0.02\nopt = 'adam'\n"
    first = place.start(text)
    assert (first.state, first.text, first.edition) == (SweepState.WAITING, text, 1)
    record = place.until(SweepState.FINISHED)
    assert record.reason == "Its budget of 3 trials is used."
    assert record.trials["complete"] == record.done == 3
    assert record.elapsed is not None and record.elapsed > 0
    assert record.project == str(place.project)
    with tracking.open_store(place.location.root) as store:
        trials = store.sweep_trials("s")
        assert trials[0].params == {"lr": 0.02, "opt": "adam"}
        runs = store.runs([str(each.run) for each in trials])
        path, _ = store.trial_log("s", 0)
    assert [run.experiment for run in runs] == ["s"] * 3
    assert runs[0].params["lr"] == 0.02 and runs[0].metrics["accuracy"].last == pytest.approx(0.98)
    assert "lr is 0.02" in path.read_text() and oct(path.stat().st_mode & 0o777) == "0o600"
    wait_for(lambda: not processes_of(place.location.root))


def test_a_killed_supervisor_is_seen_and_resumed(place: Place) -> None:
    place.start(place.held(TEXT.replace("trials = 10", "trials = 4")))
    place.running()
    os.kill(place.supervisor(), signal.SIGKILL)
    # The worker ends its trial; nobody starts another one.
    wait_for(lambda: place.record().state is not SweepState.RUNNING)
    # At once, although its start is so recent that another supervisor might be on its way.
    assert place.record().state is SweepState.INTERRUPTED
    place.go.touch()
    wait_for(lambda: not processes_of(place.location.root))
    interrupted = place.record()
    assert interrupted.trials["running"] == 0 and interrupted.done == 1
    assert "tracking sweep resume s" in interrupted.reason
    assert "goes on" in sweeps.resume(place.location, "s").sentence
    record = place.until(SweepState.FINISHED)
    assert record.trials["complete"] == 4 and sum(record.trials.values()) == 4


def test_resuming_while_the_supervisor_leaves_goes_on(place: Place) -> None:
    place.start(place.held(TEXT.replace("trials = 10", "trials = 2")))
    place.running()
    os.kill(place.supervisor(), signal.SIGTERM)
    sweeps.resume(place.location, "s")
    place.go.touch()
    # It may be seen as interrupted for the moment in which it has let its lock go and takes it again.
    assert place.until(SweepState.FINISHED).trials["complete"] == 2


def test_everything_killed_at_once_is_made_good(place: Place) -> None:
    place.start(place.held(TEXT.replace("trials = 10", "trials = 3")))
    place.running()
    end_all(place.location.root)
    place.go.touch()
    sentence = sweeps.resume(place.location, "s").sentence
    record = place.until(SweepState.FINISHED)
    # The store was opened in between, which may have ended the trial before resume did.
    assert "goes on" in sentence
    assert record.trials["complete"] == 3 and record.trials["running"] == 0
    with tracking.open_store(place.location.root) as store:
        again = [each.attributes.get(RETRY_OF) for each in store.sweep_trials("s")]
    assert [number for number in again if number is not None] == [0]
    assert [(each.cause, each.retried) for each in record.failures] == [("worker_died", 1)]


def test_a_sweep_that_lost_its_supervisor_with_its_budget_used_is_finished_by_resuming(place: Place) -> None:
    made(place.location, place.project, 4, text=TEXT.replace("trials = 10", "trials = 4"), ended=False)
    assert place.record().done == 4
    assert "It goes on." in sweeps.resume(place.location, "s").sentence
    record = place.until(SweepState.FINISHED)
    assert (record.reason, record.done) == ("Its budget of 4 trials is used.", 4)
    with pytest.raises(tracking.RunStateError, match="sweep add s --trials"):
        sweeps.resume(place.location, "s")


def test_pause_resume_stop_and_more_trials(place: Place) -> None:
    place.start(place.held(TEXT.replace("trials = 10", "trials = 2")))
    place.running()
    assert sweeps.pause(place.location, "s").sweep.state is SweepState.PAUSED
    place.go.touch()
    paused = wait_for(lambda: (record := place.record()).trials["running"] == 0 and record)
    assert paused.state is SweepState.PAUSED and paused.done == 1
    sweeps.resume(place.location, "s")
    place.until(SweepState.FINISHED)
    with pytest.raises(tracking.RunStateError, match="sweep add s --trials"):
        sweeps.resume(place.location, "s")
    place.go.unlink()
    added = sweeps.add_budget(place.location, "s", trials=2)
    assert "goes on" in added.sentence
    place.running()
    assert sweeps.stop(place.location, "s", now=True).sweep.state is SweepState.STOPPING
    record = place.until(SweepState.STOPPED)
    assert (record.trials["complete"], record.done) == (2, 2)
    assert record.failures == ()  # what was stopped is no failure
    assert [edit.what for edit in record.edits] == ["pause", "resume", "budget", "stop"]
    wait_for(lambda: not processes_of(place.location.root))


def test_failed_trials_are_tried_again(place: Place) -> None:
    (place.project / "train.py").write_text(
        (place.project / "train.py")
        .read_text()
        .replace("args.lr > 0.4", "not __import__('os').path.exists('ok')")
    )
    place.start(TEXT.replace("trials = 10", "trials = 3") + "\n[limits]\nfailures = 2\n")
    failed = place.until(SweepState.FAILED)
    assert failed.failures[0].cause == "error" and len(failed.failures[0].trials) == 2
    assert "too large" in failed.failures[0].sentence
    (place.project / "ok").touch()
    assert "Tried again: 2 trials, 0, 1." in sweeps.retry(place.location, "s").sentence
    record = place.until(SweepState.FINISHED)
    assert (record.trials["complete"], record.done, record.failures[0].retried) == (3, 3, 2)
    with tracking.open_store(place.location.root) as store:
        trials = store.sweep_trials("s")
    assert [each.params for each in trials[2:4]] == [each.params for each in trials[:2]]


def test_an_edit_in_flight_waits_for_the_trials_that_run(place: Place) -> None:
    place.start(place.held(TEXT.replace("trials = 10", "trials = 3")))
    place.running()
    edited = sweeps.add_choice(place.location, "s", "opt", "rms")
    assert "1 trial still runs in the earlier study first" in edited.sentence
    waiting = place.record()
    assert (waiting.state, waiting.studies) == (SweepState.WAITING, ("s", "s (2)"))
    assert waiting.trials["running"] == 1
    place.go.touch()
    record = place.until(SweepState.FINISHED)
    assert (record.taken_over, record.done, record.trials["complete"]) == (1, 3, 3)
    with tracking.open_store(place.location.root) as store:
        (first,), present = store.sweep_trials("s", study="s"), store.sweep_trials("s")
    assert present[0].attributes[RUN] == first.run and len(present) == 3


def test_a_sweep_that_waits_for_its_earlier_study_can_be_stopped(place: Place) -> None:
    place.start(place.held())
    place.running()
    sweeps.add_choice(place.location, "s", "opt", "rms")
    sweeps.stop(place.location, "s", now=True)
    record = place.until(SweepState.STOPPED)
    assert (record.studies, record.done, record.trials["running"]) == (("s", "s (2)"), 0, 0)
    wait_for(lambda: not processes_of(place.location.root))


def test_an_only_worker_is_replaced(place: Place) -> None:
    place.start(place.held())
    first = place.running().active[0]
    assert "takes its place" in sweeps.stop_worker(place.location, "s", 0).sentence
    wait_for(lambda: [each.token for each in place.record().active] not in ([], [first.token]))
    sweeps.stop(place.location, "s", now=True)
    record = place.until(SweepState.STOPPED)
    assert (record.workers, record.done) == (1, 0)


def test_one_worker_of_several_is_ended(place: Place) -> None:
    place.start(place.held(TEXT.replace("workers = 1", "workers = 2")))
    active = place.running(2).active
    edited = sweeps.stop_worker(place.location, "s", active[1].token)
    assert f"trial {active[1].trial}" in edited.sentence
    left = wait_for(lambda: len((record := place.record()).active) == 1 and record)
    assert left.active[0].token == active[0].token and left.state is SweepState.RUNNING
    sweeps.stop(place.location, "s", now=True)
    record = place.until(SweepState.STOPPED)
    assert record.done == 0 and record.failures == ()


def test_a_start_is_made_once(place: Place) -> None:
    text = place.held()
    definition = read_definition(text)
    made: list[str] = []
    problems: list[BaseException] = []

    def start() -> None:
        try:
            made.append(sweeps.start(place.location, definition, project=place.project, key="click-1").name)
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (made, problems) == (["s"] * 4, [])
    with tracking.open_store(place.location.root) as store:
        assert len(store.sweeps()) == 1
    with pytest.raises(tracking.InvalidValue, match="'s-2'.*sweep resume s"):
        sweeps.start(place.location, definition, project=place.project, key="click-2")
    sweeps.stop(place.location, "s", now=True)
    place.until(SweepState.STOPPED)


def test_prior_runs_and_a_duplicate_that_learns(place: Place) -> None:
    store = place.location.root
    for lr, accuracy in ((0.05, 0.9), (0.9, 0.2), (0.1, float("nan"))):
        with tracking.start_run(
            "old", params={"lr": lr, "opt": "sgd", "seed": 3}, store=store, capture=False
        ) as run:
            run.log({"accuracy": accuracy})
    text = TEXT.replace("trials = 10", "trials = 1") + '\n[prior]\nexperiment = "old"\n'
    started = place.start(text)
    assert started.taken_over == 1  # one lies outside, one has no value
    place.until(SweepState.FINISHED)
    with tracking.open_store(store) as opened:
        prior, own = opened.sweep_trials("s")
    assert prior.params == {"lr": 0.05, "opt": "sgd"} and prior.values == (0.9,)
    copy = sweeps.duplicate(place.location, "s", "again", learn=True)
    assert (copy.name, copy.experiment, copy.taken_over) == ("again", "again", 1)
    with tracking.open_store(store) as opened:
        assert opened.sweep_trials("again")[0].run == own.run
        wait_for(lambda: opened.sweep("again").state is SweepState.FINISHED, store)


@pytest.mark.parametrize("name", ["a b'c", "--now", "$(touch x)", "ü/../x", "-1"])
def test_hostile_names_are_only_names(name: str, place: Place) -> None:
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    text = TEXT.replace('name = "s"', f'name = "{quoted}"').replace("trials = 10", "trials = 1")
    try:
        definition = read_definition(text)
    except tracking.InvalidDefinition:
        return
    record = sweeps.start(place.location, definition, project=place.project)
    assert record.name == name
    with tracking.open_store(place.location.root) as store:
        wait_for(lambda: store.sweep(name).state is SweepState.FINISHED, place.location.root)
    assert not (place.project / "x").exists()


def test_what_cannot_start_leaves_nothing(place: Place) -> None:
    definition = read_definition(TEXT.replace('script = "train.py"', 'script = "gone.py"'))
    with pytest.raises(tracking.InvalidDefinition, match=r"gone\.py"):
        sweeps.start(place.location, definition, project=place.project)
    with pytest.raises(tracking.InvalidValue, match="no folder"):
        sweeps.start(place.location, read_definition(TEXT), project=place.project / "none")
    with pytest.raises(tracking.TrackingError):
        place.start(TEXT + '\n[prior]\nexperiment = "old"\nfilter = "lr ="\n')
    with tracking.open_store(place.location.root) as store:
        assert store.studies() == [] and store.sweeps() == []
