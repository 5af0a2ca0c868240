"""A training script that a sweep started logs to its trial's run without knowing of it."""

from __future__ import annotations

import optuna

import tracking
from tests.conftest import RunScript, StartScript
from tests.tuning.sweeping import wait_for
from tracking.records import RunStatus
from tracking.spool.files import spools_of
from tracking.store import Store
from tracking.study_records import TrialRecord
from tracking.tuning.execution.finished import metrics_of, take_in
from tracking.tuning.sweep_state import opened

SCRIPT = """
import sys, tracking
with tracking.start_run("its own", params={"lr": 0.5, "layers": 3}, tags=["script"], notes="said by the script") as run:
    for step in range(5):
        run.log({"accuracy": step / 10, "value": -1.0}, step=step)
    run.log_text("kept", "notes.txt")
    tracking.define_metric("accuracy", goal="maximize")
print(run.id)
"""


def begun(store: Store) -> tuple[optuna.Study, optuna.Trial, TrialRecord]:
    study = tracking.create_study("sweep", store=store, experiment="digits")
    trial = study.ask()
    trial.suggest_float("lr", 0.4, 0.6)
    (record,) = store.trials("sweep")
    return study, trial, record


def test_the_first_run_of_a_script_is_its_trials(store: Store, run_script: RunScript) -> None:
    study, trial, record = begun(store)
    assert record.run is not None
    env = {"TRACKING_STORE": str(store.location.root), "TRACKING_TRIAL": record.run}
    done = run_script(SCRIPT, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == record.run
    run = store.run(record.run)
    assert (run.status, run.experiment, run.name) == (RunStatus.RUNNING, "digits", "trial 0")
    assert run.params["layers"] == 3
    assert run.tags == ("script",)
    assert run.notes == "said by the script"
    assert run.metrics["accuracy"].last == 0.4
    assert {one.name for one in store.artifacts(record.run)} >= {"notes.txt"}
    assert {"git", "script", "python"} & {one.section for one in store.captures(record.run)}
    study.tell(trial, 0.75)
    run = store.run(record.run)
    assert run.status is RunStatus.FINISHED
    assert run.metrics["accuracy"].last == 0.4
    assert store.history(record.run, "accuracy")["value"].tolist() == [0.0, 0.1, 0.2, 0.3, 0.4]
    assert store.search(experiment="digits")["run"].tolist() == [record.run]


def test_a_script_that_dies_leaves_the_status_to_the_study(store: Store, run_script: RunScript) -> None:
    study, trial, record = begun(store)
    assert record.run is not None
    env = {"TRACKING_STORE": str(store.location.root), "TRACKING_TRIAL": record.run}
    done = run_script(
        "import os, signal, tracking\nrun = tracking.start_run()\nrun.log({'loss': 1.0})\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n",
        env=env,
    )
    assert done.returncode == -9
    with tracking.open_store(store.location.root) as again:
        run = again.run(record.run)
        assert run.status is RunStatus.RUNNING
        assert run.metrics["loss"].last == 1.0
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
        assert again.run(record.run).status is RunStatus.FAILED


def test_what_a_trial_starts_beside_its_run_are_children_of_it(store: Store, run_script: RunScript) -> None:
    _, _, record = begun(store)
    assert record.run is not None
    env = {"TRACKING_STORE": str(store.location.root), "TRACKING_TRIAL": record.run}
    done = run_script(
        "import tracking\n"
        "outer = tracking.start_run('x')\n"
        "inner = tracking.start_run('folds', parent=outer)\n"
        "inner.finish()\n"
        "outer.finish()\n"
        "with tracking.start_run('later') as later: later.log({'a': 1})\n"
        "print(outer.id, inner.id, later.id)\n",
        env=env,
    )
    assert done.stderr == ""
    outer, inner, later = done.stdout.split()
    assert outer == record.run
    assert store.run(inner).parent == outer
    assert store.run(later).parent == outer
    assert store.run(later).status is RunStatus.FINISHED


def test_each_repeat_is_a_child_run_that_its_script_owns(store: Store, run_script: RunScript) -> None:
    _, _, record = begun(store)
    assert record.run is not None
    env = {"TRACKING_STORE": str(store.location.root), "TRACKING_TRIAL": record.run}
    done = run_script(SCRIPT, env=env | {"TRACKING_REPEAT": "0"})
    assert (done.returncode, done.stderr) == (0, "")
    child = store.run(done.stdout.strip())
    assert child.id == f"{record.run}-r0"
    assert (child.parent, child.experiment, child.status) == (record.run, "digits", RunStatus.FINISHED)
    assert child.name == "repeat 0"
    failed = run_script(
        "import tracking\nwith tracking.start_run() as run:\n    print(run.id, flush=True)\n    1 / 0\n",
        env=env | {"TRACKING_REPEAT": "1"},
    )
    broken = store.run(failed.stdout.strip())
    assert (broken.id, broken.status) == (f"{record.run}-r1", RunStatus.FAILED)
    assert "ZeroDivisionError" in str(broken.error)
    assert store.run(record.run).status is RunStatus.RUNNING


def test_ranks_of_a_trial_join_it_together(store: Store, run_script: RunScript) -> None:
    _, _, record = begun(store)
    assert record.run is not None
    env = {"TRACKING_STORE": str(store.location.root), "TRACKING_TRIAL": record.run, "WORLD_SIZE": "2"}
    for rank in range(2):
        done = run_script(
            f"import tracking\nwith tracking.start_run('x', params={{'p{rank}': 1}}) as run:\n"
            f"    run.log({{'loss_{rank}': 1.0}})\nprint(run.id)\n",
            env=env | {"RANK": str(rank)},
        )
        assert (done.stdout.strip(), done.stderr) == (record.run, "")
    with tracking.open_store(store.location.root) as again:
        run = again.run(record.run)
        assert {"loss_0", "loss_1"} <= set(run.metrics)
        assert "p0" in run.params and "p1" not in run.params


def test_a_script_that_names_another_store_is_told(store: Store, run_script: RunScript) -> None:
    _, _, record = begun(store)
    assert record.run is not None
    env = {"TRACKING_STORE": str(store.location.root), "TRACKING_TRIAL": record.run}
    done = run_script("import tracking\nprint(tracking.start_run(store='elsewhere').id)\n", env=env)
    assert done.stdout.strip() != record.run
    assert "Leave store= out" in done.stderr
    wrong = run_script("import tracking\ntracking.start_run()\n", env=env | {"TRACKING_TRIAL": "../x"})
    assert "TRACKING_TRIAL='../x' is no run id" in wrong.stderr


LOADED = """
import sys, time, tracking
with tracking.start_run("x") as run:
    run.log({"accuracy": 0.5}, step=0)
    run.log_text("kept", "notes.txt")
    print("logged", flush=True)
    time.sleep(float(sys.argv[1]))
print("sqlalchemy" in sys.modules, flush=True)
if sys.argv[2:] == ["read"]:
    with tracking.open_store() as store:
        print(store.run(run.id).metrics["accuracy"].last)
"""


def attended(store: Store, record: TrialRecord) -> dict[str, str]:
    """Return what a worker says to the script of a trial."""
    root, run = str(store.location.root), str(record.run)
    return {"TRACKING_STORE": root, "TRACKING_TRIAL": run, "TRACKING_ATTENDED": "1"}


def test_a_quick_script_leaves_the_database_to_its_worker(store: Store, run_script: RunScript) -> None:
    _, _, record = begun(store)
    assert record.run is not None
    env = attended(store, record)
    done = run_script(LOADED, "0", env=env)
    assert (done.stdout, done.stderr) == ("logged\nFalse\n", "")
    # What a worker does when the script has ended.
    with opened(store.location) as engines:
        take_in(store.location, engines, [record.run])
        metrics, spoke = metrics_of(store.location, engines, record.run, ["accuracy"])
    assert spoke and metrics["accuracy"].last == 0.5
    assert list(spools_of(store.location.spool, record.run)) == []
    assert "notes.txt" in {one.name for one in store.artifacts(record.run)}


def test_a_quick_script_reads_what_it_has_just_logged(store: Store, run_script: RunScript) -> None:
    _, _, record = begun(store)
    env = attended(store, record)
    assert run_script(LOADED, "0", "read", env=env).stdout == "logged\nFalse\n0.5\n"


def test_the_points_of_a_script_that_goes_on_are_seen(store: Store, start_script: StartScript) -> None:
    _, _, record = begun(store)
    env = attended(store, record)
    script = start_script(LOADED, "60", env=env)
    assert script.stdout is not None and script.stdout.readline() == "logged\n"
    assert "accuracy" not in store.run(str(record.run)).metrics
    wait_for(lambda: "accuracy" in store.run(str(record.run)).metrics)
    assert script.poll() is None


def test_a_second_process_leaves_a_repeat_that_has_finished_alone(
    store: Store, run_script: RunScript
) -> None:
    _, _, record = begun(store)
    env = attended(store, record) | {"TRACKING_REPEAT": "0"}
    text = """
        import sys, tracking
        with tracking.start_run("x") as run:
            run.log({"accuracy": float(sys.argv[1])}, step=0)
        print(run.id)
    """
    first, second = (run_script(text, value, env=env).stdout.strip() for value in ("1", "2"))
    assert first != second and first.endswith("-r0")
    assert store.run(first).metrics["accuracy"].last == 1.0
