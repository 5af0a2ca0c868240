"""Evaluates what is no script of its own: a function, an Optuna objective, a model on a table.

    python -P -m tracking.tuning.execution.evaluator <folder>

The folder holds `request.json`; what came of it is written to `result.json` there: `values` (by metric, or one for
each objective), or `pruned`, or `problem` with the `traceback` of the user's code.
"""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any

from tracking.tuning.execution.places import REQUEST, RESULT, read_json, write_json
from tracking.tuning.execution.returned import WrongValue, checked_values, log_values

if TYPE_CHECKING:
    from tracking.client.run import Run

_OURS = str(Path(__file__).parents[2])


class ImportFailed(Exception):
    """The user's file cannot be imported; the cause says why."""


def main() -> None:
    """Evaluate the request in the folder that the first argument names."""
    folder = Path(sys.argv[1])
    request = read_json(folder / REQUEST)
    if request is None:
        sys.exit(f"There is no request in {folder}.")
    # As a script would see it, for code that reads its own arguments.
    del sys.argv[1:]
    if request["kind"] == "function":
        sys.argv[0] = str(Path(request["project"]) / request["target"]["path"])
    write_json(folder / RESULT, evaluated(request))


def evaluated(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result of a request; exceptions of the user's code are a part of it."""
    import tracking

    kind, target = request["kind"], request["target"]
    run = tracking.start_run(str(request["experiment"]), params=request["params"], capture=_captured(request))
    name = f"{target['path']}:{target['name']}" if kind == "function" else "The table"
    try:
        if kind == "function":
            returned: object = _call(request, run)
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
    except ImportFailed as failed:
        assert failed.__cause__ is not None
        problem = import_problem(failed.__cause__, Path(request["project"]), target["path"])
        return _broken(run, failed.__cause__, problem)
    except BaseException as error:
        if type(error).__name__ == "TrialPruned":
            run.finish("pruned")
            return {"pruned": True}
        if kind != "function" and isinstance(error, tracking.TrackingError):
            return {"problem": _broken(run, error, str(error).strip())["problem"]}
        return _broken(run, error, f"{name} raised {_said(error)}")
    if kind == "function" and values is not None:
        from tracking.tuning.definition_file import read_definition

        log_values(run, name, values, read_definition(request["definition"]).objectives)
    run.finish()
    return {"values": values}


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


def import_problem(error: BaseException, project: Path, path: str) -> str:
    """Return a sentence for an exception at the import of a file: what was raised, in which file and line."""
    if isinstance(error, SystemExit):
        return (
            f"Importing {path} called sys.exit({error.code!r}). What the file does when it is run as a script belongs "
            'under if __name__ == "__main__":.'
        )
    places = [
        (each.filename, each.lineno)
        for each in traceback.extract_tb(error.__traceback__)
        if not each.filename.startswith(_OURS)
    ]
    if isinstance(error, SyntaxError) and error.filename is not None:
        places.append((error.filename, error.lineno))
    # Where the user's own code stands, rather than what it called.
    own = [place for place in places if _is_own(Path(place[0]), project)] or places
    said = _said(error.msg if isinstance(error, SyntaxError) else error, type(error))
    if not own:
        return f"Importing {path} raised {said}."
    file, line = own[-1]
    shown = Path(file).relative_to(project).as_posix() if _is_own(Path(file), project) else file
    return f"Importing {path} raised {said.rstrip('.')} ({shown}, line {line})."


def users_traceback(error: BaseException) -> str:
    """Return a traceback that begins in the user's code; all of it where none of that is in it."""
    place: TracebackType | None = error.__traceback__
    while place is not None and place.tb_frame.f_code.co_filename.startswith((_OURS, "<frozen importlib")):
        place = place.tb_next
    return "".join(traceback.format_exception(type(error), error, place or error.__traceback__))


def _captured(request: Mapping[str, Any]) -> bool | Iterable[str]:
    """Say whose code the run is of, which is not this file's; returns what to capture."""
    from tracking.client.capture.choice import chosen_sections
    from tracking.client.capture.script import stand_for

    if request["kind"] == "function":
        stand_for("function", str(Path(request["project"]) / request["target"]["path"]))
    else:
        stand_for("table", None)
    # The code that a trial ran with was captured then; by the time of the model it may be another one.
    return sorted(chosen_sections(True) & {"console", "system"}) if request["kind"] == "refit" else True


def _call(request: Mapping[str, Any], run: Run) -> object:
    from tracking.client.hosting import end_guests, open_to_a_guest

    target = request["target"]
    open_to_a_guest(run)
    try:
        try:
            module = load_module(Path(request["project"]), target["path"])
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise ImportFailed from error
        function: Callable[..., object] | None = getattr(module, target["name"], None)
        if not callable(function):
            raise WrongValue("is not there: the file has no function of that name.")
        if target["objective"]:
            from tracking.tuning.execution.objectives import trial_of

            return function(trial_of(request))
        return function(**request["params"])
    finally:
        end_guests()


def _broken(run: Run, error: BaseException, problem: str) -> dict[str, Any]:
    found = users_traceback(error)
    sys.stderr.write(found)
    run.finish("failed", error=found)
    return {"problem": problem, "traceback": found}


def _is_own(file: Path, project: Path) -> bool:
    return file.is_relative_to(project) and "site-packages" not in file.parts


def _said(error: object, kind: type[BaseException] | None = None) -> str:
    said = str(error).strip()
    return (kind or type(error)).__name__ + (f": {said[:500]}" if said else "")


if __name__ == "__main__":
    main()
