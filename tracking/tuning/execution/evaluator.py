"""Evaluates what is no script of its own: a function, an Optuna objective, a model on a table.

    python -P -m tracking.tuning.execution.evaluator <folder>

The folder holds `request.json`; what came of it is written to `result.json` there: `values` (by metric, or one for
each objective), or `pruned`, or `problem` with the `traceback` of the user's code.
"""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

from tracking.tuning.execution.places import REQUEST, RESULT, read_json, write_json

_OURS = str(Path(__file__).parents[2])


class WrongValue(Exception):
    """A function returned what is no value of an objective; the message says what."""


def main() -> None:
    """Evaluate the request in the folder that the first argument names."""
    folder = Path(sys.argv[1])
    request = read_json(folder / REQUEST)
    if request is None:
        sys.exit(f"There is no request in {folder}.")
    # As a script would see it, for code that reads its own arguments.
    del sys.argv[1:]
    write_json(folder / RESULT, evaluated(request))


def evaluated(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result of a request; exceptions of the user's code are a part of it."""
    import tracking

    kind, target = request["kind"], request["target"]
    run = tracking.start_run(str(request["experiment"]), params=request["params"])
    name = f"{target['path']}:{target['name']}" if kind == "function" else "The table"
    try:
        if kind == "function":
            returned: object = _call(request)
        elif kind == "refit":
            from tracking.tuning.execution.table_evaluation import log_model

            log_model(request, run)
            returned = None
        else:
            from tracking.tuning.execution.table_evaluation import score

            returned = score(request, run)
        values = checked_values(returned)
    except WrongValue as error:
        run.finish("failed", error=error)
        return {"problem": f"{name} {error}"}
    except SystemExit as error:
        code = error.code
        if code in (None, 0):
            run.finish()
            return {"values": None}
        run.finish("failed", error=f"sys.exit({code!r})")
        return {"problem": f"{name} called sys.exit({code!r})."}
    except BaseException as error:
        if type(error).__name__ == "TrialPruned":
            run.finish("pruned")
            return {"pruned": True}
        found = users_traceback(error)
        sys.stderr.write(found)
        run.finish("failed", error=found)
        kind_of = type(error).__name__
        said = str(error).strip()
        if kind != "function" and isinstance(error, tracking.TrackingError):
            return {"problem": said}
        return {"problem": f"{name} raised {kind_of}{f': {said[:500]}' if said else ''}", "traceback": found}
    if kind == "function":
        log_values(run, values, request["metrics"])
    run.finish()
    return {"values": values}


def checked_values(returned: object) -> dict[str, float] | list[float] | None:
    """Return what a function returned as values of objectives.

    Raises:
        WrongValue: It is no number, no mapping of numbers and no sequence of numbers.
    """
    if returned is None:
        return None
    if isinstance(returned, Mapping):
        found = {
            str(key): number for key, value in returned.items() if (number := _number(value)) is not None
        }
        if found or not returned:
            return found or None
        raise WrongValue(f"returned a {type(returned).__name__} without a number in it: {_shown(returned)}.")
    if isinstance(returned, list | tuple):
        numbers = [_number(value) for value in returned]
        if numbers and None not in numbers:
            return [number for number in numbers if number is not None]
        raise WrongValue(f"returned {_shown(returned)}, which is not one number for each objective.")
    number = _number(returned)
    if number is None:
        raise WrongValue(
            f"returned {_shown(returned)} ({type(returned).__name__}). Return a number, a dictionary of metrics, "
            "one number for each objective, or nothing where the metric is logged."
        )
    return [number]


def log_values(run: Any, values: dict[str, float] | list[float] | None, metrics: list[str]) -> None:
    """Log what was returned under the names of metrics, but those that the function logged itself."""
    named = values if isinstance(values, dict) else dict(zip(metrics, values or [], strict=False))
    logged = {key for shape in run._packer._shapes for key in shape}
    new = {key: value for key, value in named.items() if key not in logged}
    if new:
        run.log(new)


def load_module(project: Path, path: str) -> ModuleType:
    """Return the module in a file, loaded with the file's folder first on the path, as a script's is."""
    file = project / path
    sys.path.insert(0, str(file.parent))
    name = file.stem
    if name in sys.stdlib_module_names or name in sys.modules or not name.isidentifier():
        name = f"podium_target_{name}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def users_traceback(error: BaseException) -> str:
    """Return a traceback that begins in the user's code; all of it where none of that is in it."""
    place: TracebackType | None = error.__traceback__
    while place is not None and place.tb_frame.f_code.co_filename.startswith((_OURS, "<frozen importlib")):
        place = place.tb_next
    return "".join(traceback.format_exception(type(error), error, place or error.__traceback__))


def _call(request: Mapping[str, Any]) -> object:
    target = request["target"]
    module = load_module(Path(request["project"]), target["path"])
    function: Callable[..., object] | None = getattr(module, target["name"], None)
    if not callable(function):
        raise WrongValue("is not there: the file has no function of that name.")
    if target["objective"]:
        from tracking.tuning.execution.objectives import trial_of

        return function(trial_of(request))
    return function(**request["params"])


def _number(value: object) -> float | None:
    if isinstance(value, str | bytes):
        return None
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError, RuntimeError):
        return None


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except Exception:
        text = object.__repr__(value)
    return text if len(text) <= 80 else text[:79] + "…"


if __name__ == "__main__":
    main()
