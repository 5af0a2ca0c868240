"""Where the store is and how the process was told to behave.

The one place that reads the environment: argument, then environment, then default.

    TRACKING_STORE    folder of the store, instead of the nearest `.tracking/`
    TRACKING_OFF      1: runs are started, nothing is kept
    TRACKING_CAPTURE  0: nothing is captured around runs; or names with commas: git,host,console
    TRACKING_RUN_ID   id of the run that this process starts or, with other processes, takes part in
    TRACKING_TRIAL    id of the run that is the trial which this process is a part of (set by a sweep's worker)
    TRACKING_REPEAT   which repeat of the trial, from 0 (set by the worker too)
    TRACKING_ATTENDED "1": the worker brings in what a script leaves, which need not load the database (the same)
    TRACKING_KEY      the dashboard's launch key (set by the launcher for its server)
    NO_COLOR          set: the command line prints without colour, as https://no-color.org says
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tracking.errors import InvalidValue

STORE_FOLDER = ".tracking"


@dataclass(frozen=True, slots=True)
class StoreLocation:
    """A store's folder and the places inside it. Nothing here touches the disk."""

    root: Path
    named: bool = False
    """Whether the folder was named, by argument or environment, or found by search."""

    @property
    def database(self) -> Path:
        return self.root / "tracking.db"

    @property
    def spool(self) -> Path:
        return self.root / "spool"

    @property
    def objects(self) -> Path:
        return self.root / "objects"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def backups(self) -> Path:
        return self.root / "backups"

    @property
    def sweeps(self) -> Path:
        return self.root / "sweeps"

    @property
    def project(self) -> Path:
        """The folder whose work the store holds: its parent, or the working directory if it was named."""
        return Path.cwd() if self.named else self.root.parent


def locate_store(store: str | os.PathLike[str] | None = None) -> StoreLocation:
    """Return the place of the store: argument, `TRACKING_STORE`, nearest `.tracking/`, or a new one here.

    Args:
        store: The folder itself (it holds `tracking.db`), or None to search.

    Raises:
        InvalidValue: The argument is a database URL, an existing file or an empty string.
    """
    given = store if store is not None else os.environ.get("TRACKING_STORE")
    if given is not None:
        return StoreLocation(_named_folder(given), named=True)
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / STORE_FOLDER).is_dir():
            return StoreLocation((folder / STORE_FOLDER).resolve())
    return StoreLocation((here / STORE_FOLDER).resolve())


def _named_folder(given: str | os.PathLike[str]) -> Path:
    text = os.fspath(given)
    if not isinstance(text, str) or not text.strip():
        raise InvalidValue("store= takes the folder of a store, for example store='.tracking'.")
    if "://" in text or text.startswith("sqlite:"):
        raise InvalidValue(
            f"store={text!r} looks like a database URL. Podium keeps its store in a folder for now: "
            "give a folder, for example store='.tracking'."
        )
    if "\0" in text:
        raise InvalidValue("store= holds a NUL character; give the folder's plain path.")
    path = Path(text).expanduser().resolve()
    if path.is_file():
        raise InvalidValue(f"store={text!r} is a file. Give the folder that holds tracking.db.")
    return path


def tracking_is_off() -> bool:
    """Whether `TRACKING_OFF` asks for runs that keep nothing."""
    return os.environ.get("TRACKING_OFF", "").strip().lower() in ("1", "true", "yes", "on")


def capture_setting() -> list[str] | None:
    """Return what `TRACKING_CAPTURE` names to be captured, None when it leaves everything on."""
    setting = os.environ.get("TRACKING_CAPTURE", "").strip()
    if setting.lower() in ("", "1", "true", "yes", "on"):
        return None
    if setting.lower() in ("0", "false", "no", "off", "none"):
        return []
    return [name.strip() for name in setting.split(",") if name.strip()]


def named_run_id() -> str | None:
    """Return the run id that `TRACKING_RUN_ID` gives, as it is."""
    return os.environ.get("TRACKING_RUN_ID", "").strip() or None


@dataclass(frozen=True, slots=True)
class TrialPlace:
    """A process's place in a sweep: the trial that it was started for.

    Attributes:
        run_id: Of the trial's run, as it is.
        repeat: From 0, where the trial is run several times; else None.
        attended: Whether a worker waits for this process, and brings in what it leaves of the run.
    """

    run_id: str
    repeat: int | None
    attended: bool = False


def trial_place() -> TrialPlace | None:
    """Return what the worker of a sweep says in the environment, None for a process outside of a sweep."""
    run_id = os.environ.get("TRACKING_TRIAL", "").strip()
    attended = os.environ.get("TRACKING_ATTENDED", "") == "1"
    return TrialPlace(run_id, _number("TRACKING_REPEAT"), attended) if run_id else None


@dataclass(frozen=True, slots=True)
class Launch:
    """A process's place among those of one distributed launch.

    Attributes:
        rank: From 0.
        size: How many processes there are, more than one.
        local_rank: Among those of this machine, or None where the launcher does not say.
        marks: What the launcher says that this launch has in common and no other launch has; empty
            when it says nothing of the kind.
        common: What the processes have in common and other launches may have too.
    """

    rank: int
    size: int
    local_rank: int | None
    marks: tuple[str, ...]
    common: tuple[str, ...]


# SLURM's own processes come last: what mpirun starts in a batch job inherits the variables of its one task.
_RANKS = (
    ("RANK", "WORLD_SIZE", "LOCAL_RANK"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"),
    ("PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"),
    ("SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID"),
)
_NO_STEP = 4294967290
"""From here on SLURM numbers what is no step of processes: batch scripts, interactive shells."""


def distributed_launch() -> Launch | None:
    """Return this process's place in a launch by torchrun, mpirun or srun; None for a process by itself."""
    step = _number("SLURM_STEP_ID")
    in_step = step is not None and step < _NO_STEP
    for rank_name, size_name, local_name in _RANKS:
        if rank_name.startswith("SLURM") and not in_step:
            continue
        rank, size = _number(rank_name), _number(size_name)
        if rank is None or size is None or size < 2 or rank >= size:
            continue
        address = [os.environ.get(name, "") for name in ("MASTER_ADDR", "MASTER_PORT")]
        common = (*address, os.environ.get("TORCHELASTIC_RESTART_COUNT", ""))
        elastic = os.environ.get("TORCHELASTIC_RUN_ID", "none")
        marks: tuple[str, ...] = ()
        if elastic not in ("none", ""):
            marks = ("elastic", elastic, *common)
        elif in_step:
            marks = ("slurm", os.environ.get("SLURM_JOB_ID", ""), str(step))
        return Launch(rank, size, _number(local_name), marks, common)
    return None


def _number(name: str) -> int | None:
    text = os.environ.get(name, "").strip()
    return int(text) if text.isascii() and text.isdigit() else None


def notebook_file() -> str | None:
    """Return the path of the notebook as its server hands it to the kernel, if it does."""
    return os.environ.get("JPY_SESSION_NAME") or None


_EVALUATION_NAMES = frozenset(
    """HOME PATH LANG LANGUAGE TZ TMPDIR TEMP TMP USER LOGNAME SHELL TERM VIRTUAL_ENV LD_LIBRARY_PATH
    TRACKING_NICE""".split()
)
_EVALUATION_PREFIXES = tuple(
    "LC_ PYTHON CONDA CUDA NVIDIA ROCR HIP OMP_ MKL_ OPENBLAS NUMEXPR TORCH HF_ XDG_ DYLD_".split()
)
_NEVER_PASSED = frozenset(
    """TRACKING_KEY TRACKING_RUN_ID TRACKING_TRIAL TRACKING_REPEAT TRACKING_ATTENDED TRACKING_STORE TRACKING_OFF
    RANK WORLD_SIZE LOCAL_RANK LOCAL_WORLD_SIZE GROUP_RANK ROLE_RANK MASTER_ADDR MASTER_PORT
    SLURM_PROCID SLURM_LOCALID SLURM_NTASKS SLURM_STEP_ID""".split()
)
_NEVER_PASSED_PREFIXES = ("TORCHELASTIC_", "OMPI_COMM_WORLD_", "PMI_", "MPI_LOCAL")


def evaluation_environment(names: Iterable[str] = ()) -> dict[str, str]:
    """Return the part of the environment that the trials of a sweep get.

    That is what Python, its libraries and graphics cards are set up by. The dashboard's key and a place in
    an outer distributed launch are never passed on.

    Args:
        names: Further variables, which the sweep's definition asks for.
    """
    asked = frozenset(names)
    return {
        name: value
        for name, value in os.environ.items()
        if (name in _EVALUATION_NAMES or name in asked or name.startswith(_EVALUATION_PREFIXES))
        and name not in _NEVER_PASSED
        and not name.startswith(_NEVER_PASSED_PREFIXES)
    }


def trial_niceness() -> int:
    """Return by how much the trials of sweeps give way to other programs: 10, or what TRACKING_NICE says.

    Raises:
        InvalidValue: That is no whole number from 0 to 19.
    """
    said = os.environ.get("TRACKING_NICE", "").strip() or "10"
    if not (said.isascii() and said.isdigit() and int(said) <= 19):
        raise InvalidValue(
            f"TRACKING_NICE={said!r:.40}: it is a whole number from 0 (trials give way to nothing) to 19."
        )
    return int(said)


def git_environment() -> dict[str, str]:
    """Return the environment for a git that asks nobody, fetches nothing and leaves no trace.

    What a git above this process set (its hooks' `GIT_DIR`, traces, another index) is left out.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GIT_", "SSH_ASKPASS"))
        or name.startswith(("GIT_CONFIG", "GIT_EXEC_PATH", "GIT_CEILING_DIRECTORIES"))
    }
    return {
        **kept,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_PAGER": "cat",
        "LC_ALL": "C",
    }


_FOR_READERS = frozenset(
    "PATH HOME TMPDIR LANG TZ TZDIR PYTHONTZPATH PYTHONPATH PYTHONHOME PYTHONUSERBASE VIRTUAL_ENV CONDA_PREFIX "
    "LD_LIBRARY_PATH DYLD_LIBRARY_PATH DYLD_FALLBACK_LIBRARY_PATH".split()
)


def reader_environment() -> dict[str, str]:
    """Return the environment for a process that reads one file: where Python and its libraries are, and no keys.

    Its libraries are told to take no memory in advance, as that of the process is bounded.
    """
    kept = {
        name: value for name, value in os.environ.items() if name in _FOR_READERS or name.startswith("LC_")
    }
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {**kept, **threads, "ARROW_DEFAULT_MEMORY_POOL": "system"}


def launch_key() -> str | None:
    """Return the dashboard key that the launcher handed to this process, if any."""
    return os.environ.get("TRACKING_KEY") or None


def colour_is_off() -> bool:
    """Whether `NO_COLOR`, or a terminal that knows none, asks for text without colour."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
