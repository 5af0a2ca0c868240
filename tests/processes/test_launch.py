"""The ranks of a launch are one run, whichever arrives first and whatever becomes of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import tracking
from tracking.records import RunStatus
from tracking.store import Store

RunScript = Callable[..., "subprocess.CompletedProcess[str]"]
StartScript = Callable[..., "subprocess.Popen[str]"]

RANK = """
import sys, tracking
run = tracking.start_run("ranks", store=sys.argv[1], params={"lr": 0.1}, tags=["launch"])
rank = int(sys.argv[2])
print("rank", rank)
run.log({f"loss_of_{rank}": float(rank)}, step=rank)
tracking.log({"shared": float(rank)}, step=rank)
print(run.id, run.name, flush=True)
if sys.stdin.readline():
    run.finish()
"""


def torchrun(rank: int, size: int = 4, **extra: str) -> dict[str, str]:
    """Return what torchrun sets for a rank."""
    return {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(size),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": "29500",
        "TORCHELASTIC_RUN_ID": "none",
        "TORCHELASTIC_RESTART_COUNT": "0",
        **extra,
    }


def started(start_script: StartScript, store: Store, rank: int, env: dict[str, str]) -> subprocess.Popen[str]:
    return start_script(RANK, str(store.location.root), str(rank), env=env)


def said(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Return the id and the name that a rank printed."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("rank"), process.stderr and process.stderr.read()
    run_id, name = process.stdout.readline().split()
    return run_id, name


def standing(store: Store, run_id: str) -> RunStatus | None:
    """Return how a run stands, None as long as it is in its spool only."""
    try:
        return store.run(run_id).status
    except tracking.NotFound:
        return None


def metrics_of(store: Store, run_id: str) -> set[str]:
    """Return the metrics that a run has by now, none as long as it is in its spool only."""
    try:
        return set(store.run(run_id).metrics)
    except tracking.NotFound:
        return set()


def ended(process: subprocess.Popen[str]) -> None:
    _, error = process.communicate("go\n", timeout=60)
    assert (process.returncode, error) == (0, "")


@pytest.mark.parametrize(
    "variables",
    [
        torchrun,
        lambda rank: torchrun(rank, TORCHELASTIC_RUN_ID="my-job"),
        lambda rank: {
            "SLURM_PROCID": str(rank),
            "SLURM_NTASKS": "4",
            "SLURM_LOCALID": str(rank),
            "SLURM_JOB_ID": "77",
            "SLURM_STEP_ID": "0",
        },
        lambda rank: {"OMPI_COMM_WORLD_RANK": str(rank), "OMPI_COMM_WORLD_SIZE": "4"},
        lambda rank: {"PMI_RANK": str(rank), "PMI_SIZE": "4"},
    ],
    ids=["torchrun", "torchrun with an id", "srun", "mpirun", "hydra"],
)
def test_four_ranks_are_one_run_and_the_last_may_come_first(
    variables: Callable[[int], dict[str, str]], start_script: StartScript, store: Store
) -> None:
    ranks = [3, 0, 1, 2]
    processes = []
    for rank in ranks:
        processes.append(started(start_script, store, rank, variables(rank)))
        if rank == 3:
            first = said(processes[0])
    found = [first, *map(said, processes[1:])]
    assert len(set(found)) == 1, found
    run_id, name = found[0]
    # One rank after the other ends its part; the run goes on until its owner ends it.
    for process in (processes[0], *processes[2:]):
        ended(process)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and standing(store, run_id) is None:
        time.sleep(0.1)
    assert standing(store, run_id) is RunStatus.RUNNING
    ended(processes[1])
    store.recover()
    record = store.run(run_id)
    assert (record.status, record.name) == (RunStatus.FINISHED, name)
    assert (record.params, record.tags) == ({"lr": 0.1}, ("launch",))
    for rank in range(4):
        assert store.history(run_id, f"loss_of_{rank}")["value"].tolist() == [float(rank)]
    assert store.history(run_id, "shared")["value"].tolist() == [0.0, 1.0, 2.0, 3.0]
    assert {one.rank for one in store.captures(run_id) if one.section == "host"} == {0, 1, 2, 3}
    assert [one.rank for one in store.captures(run_id) if one.section == "script"] == [0]
    assert {text.rank: text.text.splitlines()[0] for text in store.console(run_id)} == {
        rank: f"rank {rank}" for rank in range(4)
    }
    assert store.count() == 1


def test_system_metrics_tell_the_ranks_apart(start_script: StartScript, store: Store) -> None:
    processes = [started(start_script, store, rank, torchrun(rank, 2)) for rank in range(2)]
    ((run_id, _), _) = map(said, processes)
    deadline = time.monotonic() + 60
    while not {f"system/rank{rank}/cpu_percent" for rank in range(2)} <= metrics_of(store, run_id):
        assert time.monotonic() < deadline, "a rank's processor was not measured"
        time.sleep(0.1)
    for process in reversed(processes):
        ended(process)
    store.recover()
    keys = {key for key in metrics_of(store, run_id) if key.startswith("system/")}
    assert {"system/rank0/cpu_percent", "system/rank1/cpu_percent", "system/rank1/process_memory_mb"} <= keys
    assert "system/rank0/disk_percent" in keys
    assert "system/rank1/disk_percent" not in keys, "one rank of a machine speaks for its disk"


def test_rank_0_dies_and_comes_back(start_script: StartScript, store: Store) -> None:
    variables = {rank: torchrun(rank, 2, TORCHELASTIC_RUN_ID="job") for rank in range(2)}
    first = started(start_script, store, 0, variables[0])
    other = started(start_script, store, 1, variables[1])
    run_id, _ = said(first)
    assert said(other)[0] == run_id
    first.send_signal(signal.SIGKILL)
    first.wait()
    deadline = time.monotonic() + 10
    while standing(store, run_id) is not RunStatus.LOST and time.monotonic() < deadline:
        time.sleep(0.1)
    assert standing(store, run_id) is RunStatus.LOST
    ended(other)
    again = [started(start_script, store, rank, variables[rank]) for rank in (1, 0)]
    assert [said(process)[0] for process in again] == [run_id] * 2
    for process in again:
        ended(process)
    store.recover()
    assert store.run(run_id).status is RunStatus.FINISHED
    assert store.run(run_id).metrics["loss_of_0"].count == 1
    assert len(store.history(run_id, "loss_of_0", superseded=True)) == 2
    assert store.count() == 1


def test_a_launch_of_the_same_name_after_one_that_finished_is_another_run(
    start_script: StartScript, store: Store
) -> None:
    seen = []
    for _ in range(3):
        processes = [
            started(start_script, store, rank, torchrun(rank, 2, TORCHELASTIC_RUN_ID="job"))
            for rank in (1, 0)
        ]
        ids = [said(process)[0] for process in processes]
        assert ids[0] == ids[1]
        seen.append(ids[0])
        for process in processes:
            ended(process)
        time.sleep(0.1)
    assert len(set(seen)) == 3
    store.recover()
    assert [store.run(run_id).status for run_id in seen] == [RunStatus.FINISHED] * 3


def test_a_late_rank_belongs_to_the_run_that_its_rank_0_has_finished(
    start_script: StartScript, store: Store
) -> None:
    late = start_script(
        "import sys; sys.stdin.readline()\n" + RANK, str(store.location.root), "1", env=torchrun(1, 2)
    )
    first = started(start_script, store, 0, torchrun(0, 2))
    run_id, _ = said(first)
    ended(first)
    assert late.stdin is not None
    late.stdin.write("go\n")
    late.stdin.flush()
    assert said(late)[0] == run_id
    ended(late)
    store.recover()
    assert store.run(run_id).status is RunStatus.FINISHED
    assert store.run(run_id).metrics["loss_of_1"].count == 1


def test_every_run_of_a_launch_is_shared(run_script: RunScript, store: Store) -> None:
    script = """
    import sys, tracking
    for number in range(2):
        with tracking.start_run("many", store=sys.argv[1]) as run:
            run.log({"loss": 1.0})
            print(run.id)
    with tracking.start_run("other", store=sys.argv[1]) as run:
        print(run.id)
    """
    found = [
        run_script(script, str(store.location.root), env=torchrun(rank, 2)).stdout.split() for rank in (0, 1)
    ]
    # The second process began after the first had ended: by itself it would be another launch.
    assert len(set(found[0])) == 3
    assert not set(found[0]) & set(found[1])


@pytest.mark.parametrize(
    "variables",
    [
        {"RANK": "0", "WORLD_SIZE": "1"},
        {"RANK": "0"},
        {"RANK": "x", "WORLD_SIZE": "4"},
        {"RANK": "4", "WORLD_SIZE": "4"},
        {"SLURM_PROCID": "0", "SLURM_NTASKS": "4", "SLURM_JOB_ID": "1"},
        {"SLURM_PROCID": "0", "SLURM_NTASKS": "4", "SLURM_JOB_ID": "1", "SLURM_STEP_ID": "4294967291"},
    ],
)
def test_stray_variables_make_an_ordinary_run(
    variables: dict[str, str], store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with tracking.start_run(store=store_folder, capture=False) as one:
        pass
    with tracking.start_run(store=store_folder, capture=False) as two:
        pass
    assert one.id != two.id
    with tracking.open_store(store_folder) as store:
        assert [store.run(run.id).status for run in (one, two)] == [RunStatus.FINISHED] * 2


NAMED = """
import sys, time, tracking
run = tracking.start_run("named", store=sys.argv[1])
run.log({"loss": 1.0})
print(run.id, flush=True)
sys.stdin.readline()
run.finish()
"""


def test_a_run_id_from_the_environment(start_script: StartScript, store: Store) -> None:
    env = {"TRACKING_RUN_ID": "my-run-1"}
    folder = str(store.location.root)

    def line(process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        return process.stdout.readline().strip()

    first = start_script(NAMED, folder, env=env)
    assert line(first) == "my-run-1"
    child = start_script(NAMED, folder, env=env)  # as an evaluation that the training starts
    assert line(child) == "my-run-1"
    ended(child)
    first.kill()
    first.wait()
    again = start_script(NAMED, folder, env=env)
    assert line(again) == "my-run-1", "it broke off and goes on"
    ended(again)
    store.recover()
    assert store.run("my-run-1").status is RunStatus.FINISHED
    assert len(store.history("my-run-1", "loss", superseded=True)) == 3
    other = start_script(NAMED, folder, env=env)
    assert line(other) == "my-run-1-2", "it finished and is left alone"
    _, error = other.communicate("go\n", timeout=60)
    assert "my-run-1 of TRACKING_RUN_ID has finished" in error


def test_a_run_id_that_cannot_be_one(store_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKING_RUN_ID", "../../x")
    with pytest.raises(tracking.InvalidValue, match="TRACKING_RUN_ID='../../x' is no run id"):
        tracking.start_run(store=store_folder)


def test_ranks_whose_owner_never_comes_do_not_run_for_ever(start_script: StartScript, store: Store) -> None:
    processes = [started(start_script, store, rank, torchrun(rank, 3)) for rank in (1, 2)]
    run_id = [said(process)[0] for process in processes][0]
    for process in processes:
        ended(process)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        store.recover()
        if standing(store, run_id) is RunStatus.LOST:
            break
        time.sleep(0.1)
    record = store.run(run_id)
    assert record.status is RunStatus.LOST
    assert "rank 0" in str(record.error)
    assert record.metrics["shared"].count == 2


def test_starting_a_rank_waits_for_nothing(store_folder: Path) -> None:
    script = """
    import sys, time, tracking
    from tracking import start_run
    begun = time.perf_counter()
    run = start_run(store=sys.argv[1])
    seconds = time.perf_counter() - begun
    heavy = "sqlalchemy" in sys.modules and seconds > 1
    print(seconds, heavy)
    """
    import textwrap

    for rank in ("3", "0"):
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script), str(store_folder)],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **torchrun(int(rank))},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        assert float(done.stdout.split()[0]) < 1
