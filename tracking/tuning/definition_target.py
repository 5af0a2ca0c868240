"""Reading `[target]` out of a definition file, and what a path in it may be."""

from __future__ import annotations

from tracking.tuning.definition import FunctionTarget, ScriptTarget, TableTarget, Target
from tracking.tuning.definition_fields import Fields, Problems, shown
from tracking.tuning.toml_lines import Path

KINDS = ("script", "function", "objective", "dataset", "file", "artifact")
_TABLE = ("column", "metric", "estimators", "folds", "seed")
_PATH_LIMIT = 1000
# Where scikit-learn's own sets keep what is to be predicted.
_DATASET_COLUMN = "target"
NOWHERE = ScriptTarget("")
"""In place of a target that cannot be read."""


def read_target(file: Fields) -> Target:
    """Return the target; `NOWHERE` after noting what is wrong with it."""
    file.require("target", 'a table [target] with script = "train.py", say')
    fields = file.below("target")
    if fields is None:
        return NOWHERE
    given = [kind for kind in KINDS if kind in fields]
    for kind in KINDS:
        fields.ask(kind)
    if len(given) != 1:
        several = (
            f"has {' and '.join(given)}; one of them is tuned." if given else "does not say what is tuned."
        )
        fields.problems.add(fields.path, f"{several} Give exactly one of {', '.join(KINDS)}.")
        return NOWHERE
    kind = given[0]
    value = fields.text(kind)
    if kind == "script":
        target: Target = ScriptTarget(value or "", fields.strings("arguments"))
    elif kind in ("function", "objective"):
        path, _, name = (value or "").rpartition(":")
        target = FunctionTarget(path, name, objective=kind == "objective")
    else:
        target = _table(fields, kind, value)
    fields.done()
    return target


def _table(fields: Fields, kind: str, value: str | None) -> TableTarget:
    if kind != "dataset":
        fields.require("column", "the name of the column to predict")
    fields.require("metric", 'a scorer of scikit-learn, as "accuracy" or "r2"')
    folds, seed = fields.whole("folds"), fields.whole("seed")
    return TableTarget(
        column=fields.text("column") or (_DATASET_COLUMN if kind == "dataset" else ""),
        metric=fields.text("metric") or "",
        dataset=value if kind == "dataset" else None,
        file=value if kind == "file" else None,
        artifact=value if kind == "artifact" else None,
        estimators=fields.strings("estimators"),
        folds=5 if folds is None else folds,
        seed=0 if seed is None else seed,
    )


def check_target(target: Target, problems: Problems) -> None:
    """Note what is wrong with a target, without looking at any file."""
    if problems.touched("target"):
        return
    if isinstance(target, ScriptTarget):
        _check_path(target.path, ("target", "script"), problems, (".py",))
        for index, argument in enumerate(target.arguments):
            if "\0" in argument:
                problems.add(("target", "arguments", index), "holds a NUL, which no argument can.")
    elif isinstance(target, FunctionTarget):
        path: Path = ("target", "objective" if target.objective else "function")
        if not target.name.isidentifier() or not target.path:
            problems.add(path, 'must be a file and a function in it, as "train.py:train".')
        else:
            _check_path(target.path, path, problems, (".py",))
    else:
        _check_table(target, problems)


def _check_table(target: TableTarget, problems: Problems) -> None:
    from tracking.tuning.tables.estimators import NAMES
    from tracking.tuning.tables.sources import DATASETS
    from tracking.tuning.tables.task import METRICS

    sources = {"dataset": target.dataset, "file": target.file, "artifact": target.artifact}
    given = [name for name, value in sources.items() if value is not None]
    if len(given) != 1:
        problems.add(("target",), "must have exactly one of dataset, file and artifact.")
    if target.dataset is not None and target.dataset not in DATASETS:
        problems.add(
            ("target", "dataset"),
            f"cannot be {shown(target.dataset)}. {problems.closest(target.dataset, DATASETS)}",
        )
    if target.file is not None:
        _check_path(target.file, ("target", "file"), problems, (".csv", ".tsv", ".parquet", ".pq"))
    if target.artifact is not None:
        run, slash, name = target.artifact.partition("/")
        if not run or not slash:
            problems.add(("target", "artifact"), "must be a run's id, a slash and the artifact's name.")
        else:
            _check_path(name, ("target", "artifact"), problems)
    if not target.column.strip():
        problems.add(("target", "column"), "is empty. Give the name of the column to predict.")
    if target.metric not in METRICS:
        problems.add(
            ("target", "metric"),
            f"cannot be {shown(target.metric)}: it is no scorer of scikit-learn for a table. "
            f"{problems.closest(target.metric, METRICS)}",
        )
    seen: set[str] = set()
    for index, name in enumerate(target.estimators):
        if name not in NAMES:
            problems.add(
                ("target", "estimators", index), f"cannot be {shown(name)}. {problems.closest(name, NAMES)}"
            )
        elif name in seen:
            problems.add(("target", "estimators", index), f"names {name} a second time.")
        seen.add(name)
    if not 2 <= target.folds <= 100:
        problems.add(("target", "folds"), f"must be from 2 to 100, not {shown(target.folds)}.")
    if not 0 <= target.seed < 1 << 32:
        problems.add(("target", "seed"), f"must be from 0 to 2^32 - 1, not {shown(target.seed)}.")


def _check_path(path: str, place: Path, problems: Problems, endings: tuple[str, ...] = ()) -> None:
    """Note why a path may not stand in a definition: it is relative to the project, and means the same everywhere."""
    parts = path.split("/")
    if not path.strip():
        problem = "is empty. Give a file's name."
    elif len(path) > _PATH_LIMIT:
        problem = f"has {len(path):,} characters, more than {_PATH_LIMIT:,}."
    elif any(ord(character) < 32 or ord(character) == 127 for character in path):
        problem = f"holds a control character: {shown(path)}."
    elif "\\" in path:
        problem = f"holds a backslash: {shown(path)}. Write folders with /."
    elif path.startswith("/") or (len(path) > 1 and path[1] == ":"):
        problem = f"is absolute: {shown(path)}. Give it relative to the project's folder."
    elif ".." in parts:
        problem = (
            f"leads out of its folder with '..': {shown(path)}. Only files of the project are run and read."
        )
    elif path.startswith("-"):
        problem = f"begins with a hyphen, as an option does: {shown(path)}. Write ./{path[:40]} or rename it."
    elif endings and not path.lower().endswith(endings):
        problem = f"must be a file that ends with {' or '.join(endings)}, not {shown(path)}."
    else:
        return
    problems.add(place, problem)
