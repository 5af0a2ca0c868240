"""A sweep's definition as a TOML file: reading it, with every problem by line and field.

The format::

    name = "digits-tpe"             # required; the sweep is found by it
    notes = ""
    experiment = "digits"           # where the trials' runs go; left out: named after the sweep
    seed = 7                        # left out: another one each time
    workers = 2                     # trials that run at once; 1 when left out
    environment = ["HF_HOME"]       # names of variables that trials get besides the usual ones

    [target]                        # exactly one of script, function, objective, dataset, file, artifact
    script = "train.py"             # relative to the project, folders with /
    arguments = ["--epochs", "20"]
    # function = "train.py:train"            a function marked @tracking.tunable
    # objective = "study.py:objective"       an Optuna objective(trial); it draws its params itself: no [space]
    # dataset = "digits"                     or file = "data.csv", or artifact = "<run>/<name>"; with
    # column = "target"                      the column to predict
    # metric = "accuracy"                    a scorer of scikit-learn
    # estimators = ["forest", "mlp"]         folds = 5, seed = 0

    [space.lr]                      # one table per param, in the order they are drawn
    type = "float"                  # float, int, categorical, fixed; may be left out where the rest says it
    low = 1e-4
    high = 1e-1
    log = true                      # or step = 0.1
    [space.optimizer]
    choices = ["sgd", "adam"]       # text, numbers, true, false; { none = true } is Python's None
    [space.momentum]
    low = 0.0
    high = 0.99
    only_if = { optimizer = "sgd" } # earlier categorical params, a value or a list; all of them must hold
    [space.epochs]
    value = 20                      # the same in each trial
    # A dot in a name: [space."forest.max_depth"]

    [[objectives]]                  # one or several
    metric = "accuracy"
    goal = "maximize"               # or minimize
    at = "last"                     # last, best, min, max, mean

    [sampler]
    name = "tpe"                    # tpe, random, nsga2, qmc, cmaes, gp, grid, bruteforce, listed
    n_startup_trials = 10           # options as Optuna names them: tracking.tuning.definition_options
    [pruner]
    name = "patient"                # none, median, percentile, halving, hyperband, patient, wilcoxon;
    # for several objectives: dominated
    patience = 3
    wrapped = { name = "median", n_warmup_steps = 2 }      # of patient only

    [budget]                        # one of them, or both; 50 trials when left out, all of a finite space
    trials = 40
    time = "2h"                     # 90 (seconds), "90s", "30m", "2h", "1d"
    [repeats]                       # every trial several times; the sampler gets the mean
    vary = "seed"
    values = [0, 1, 2]              # or count = 3; count alone, without vary: the same command again
    [limits]                        # of one trial
    time = "30m"
    memory = "4GB"                  # 10^9; "512MB", "2GiB", a number of bytes
    failures = 5                    # failed trials in a row that stop the sweep, or "unlimited"
    retries = 1                     # of a trial whose worker died
    [prior]                         # finished runs that the sampler learns from
    experiment = "digits"
    filter = 'params.model == "mlp"'
    limit = 1000
    [[start_with]]                  # configurations that are tried first, as far as they say
    lr = 0.01

A table's [space] may be left out (that of its estimators is taken), and so may its [[objectives]] (its metric).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from tracking.errors import InvalidDefinition, InvalidValue, Problem
from tracking.records import Goal
from tracking.tuning.definition import (
    At,
    Budget,
    Choice,
    Limits,
    Named,
    Objective,
    Prior,
    Repeats,
    SweepDefinition,
    TableTarget,
)
from tracking.tuning.definition_checks import ENUMERATION_LIMIT, check_into
from tracking.tuning.definition_fields import Fields, Problems
from tracking.tuning.definition_options import ENUMERATED, LISTED
from tracking.tuning.definition_space import read_space, read_start_with
from tracking.tuning.definition_target import read_target
from tracking.tuning.space import configurations, is_finite
from tracking.tuning.toml_lines import DEPTH_LIMIT, Lines, field_name

SIZE_LIMIT = 256 * 1024
"""Bytes of a definition file."""

_LINE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)")
_TOO_LONG = re.compile(r"\d{4300}")


def read_definition(text: str) -> SweepDefinition:
    """Return what a definition file says.

    Args:
        text: Of the file, at most 256 KB.

    Raises:
        InvalidDefinition: It has problems; the error knows all of them, each with its line and field. Where
            the text is no TOML, only the first is known.
    """
    if not isinstance(text, str):
        raise InvalidValue(f"A definition must be text, not {type(text).__name__}.")
    size = len(text.encode("utf-8", "surrogatepass"))
    if (problem := size_problem(size)) is not None:
        raise InvalidDefinition([problem])
    # Some editors write a byte order mark, which TOML does not know.
    text = text.removeprefix("\ufeff")
    lines = Lines(text)
    table = _parsed(text, lines)
    problems = Problems(lines)
    definition = _read(Fields(table, (), problems))
    check_into(definition, problems)
    if problems.found:
        raise InvalidDefinition(problems.in_order())
    return definition


def size_problem(size: int) -> Problem | None:
    """Return a problem where a file has more bytes than one is read of."""
    if size <= SIZE_LIMIT:
        return None
    return Problem(None, "", f"The file has {size:,} bytes, more than {SIZE_LIMIT:,} (256 KB). Shorten it.")


def located(problems: Iterable[Problem], text: str) -> list[Problem]:
    """Return problems with the lines that their fields have in a file, those with a line as they are, in order."""
    lines = Lines(text.removeprefix("\ufeff"))
    found = [
        each if each.line is not None else replace(each, line=lines.find_named(each.field))
        for each in problems
    ]
    return sorted(found, key=lambda problem: problem.line or 0)


def _parsed(text: str, lines: Lines) -> dict[str, Any]:
    if lines.too_deep is not None:
        raise InvalidDefinition(
            [Problem(lines.too_deep, "", f"More than {DEPTH_LIMIT} levels stand in each other here.")]
        )
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidDefinition([_syntax_problem(str(error), text, lines)]) from None
    except RecursionError:
        raise InvalidDefinition(
            [Problem(None, "", f"More than {DEPTH_LIMIT} levels stand in each other.")]
        ) from None
    except ValueError:
        # The only other thing that tomllib raises: Python turns no number of so many digits into an int.
        found = _TOO_LONG.search(text)
        line = None if found is None else text.count("\n", 0, found.start()) + 1
        field = "" if line is None else lines.field_at(line)
        sentence = f"{'has' if field else 'A number has'} thousands of digits. Shorten it."
        raise InvalidDefinition([Problem(line, field, sentence)]) from None


def _syntax_problem(message: str, text: str, lines: Lines) -> Problem:
    found = _LINE.search(message)
    what = _LINE.sub("", message)
    line = int(found[1]) if found and found[1] else text.count("\n") + 1
    twice = lines.given_twice(line)
    if twice is not None and what.startswith(("Cannot ", "Duplicate ")):
        return Problem(
            line, field_name(twice[0]), f"is given twice, first in line {twice[1]}. Keep one of them."
        )
    return Problem(line, "", f"This is no TOML: {what}.")


def _read(file: Fields) -> SweepDefinition:
    file.require("name", 'the sweep\'s name, as name = "digits-tpe"')
    target = read_target(file)
    space = read_space(file)
    if isinstance(target, TableTarget) and "space" not in file and not file.problems.touched("target"):
        space = _default_space(target)
    sampler = _named(file, "sampler", "tpe")
    definition = SweepDefinition(
        name=file.text("name") or "",
        target=target,
        space=space,
        objectives=_objectives(file, target),
        sampler=sampler,
        pruner=_named(file, "pruner", "none"),
        budget=_budget(file, space, sampler),
        workers=_or(file.whole("workers"), 1),
        repeats=_repeats(file),
        limits=_limits(file),
        seed=file.whole("seed"),
        prior=_prior(file),
        start_with=read_start_with(file, space),
        notes=file.text("notes") or "",
        experiment=file.text("experiment"),
        environment=file.strings("environment"),
    )
    file.done()
    return definition


def _or(value: int | None, default: int) -> int:
    return default if value is None else value


def _default_space(target: TableTarget) -> Any:
    from tracking.tuning.tables.configurations import default_space

    try:
        return default_space(target)
    except InvalidValue:
        return ()  # the target's own check says why


def _objectives(file: Fields, target: Any) -> tuple[Objective, ...]:
    if isinstance(target, TableTarget) and "objectives" not in file:
        return (Objective(target.metric, Goal.MAXIMIZE),)
    found = []
    for fields in file.several("objectives"):
        fields.require("metric", 'the metric\'s name, as "accuracy"')
        fields.require("goal", '"maximize" or "minimize"')
        metric, goal = fields.text("metric"), fields.word("goal", Goal)
        at = fields.word("at", At)
        found.append(Objective(metric or "", goal or Goal.MINIMIZE, at or At.LAST))
        fields.done()
    return tuple(found)


def _named(file: Fields, field: str, default: str) -> Named:
    fields = file.below(field)
    if fields is None:
        return Named(default)
    fields.require("name", "its name")
    name = fields.text("name")
    return Named(name or default, {key: value for key, value in fields.table.items() if key != "name"})


def _budget(file: Fields, space: Any, sampler: Named) -> Budget:
    fields = file.below("budget")
    if fields is not None:
        budget = Budget(trials=fields.whole("trials"), seconds=fields.seconds("time"))
        fields.done()
        return budget
    if sampler.name == LISTED:
        listed = file.table.get("start_with")
        return Budget(trials=max(1, len(listed))) if isinstance(listed, list) else Budget(trials=1)
    if sampler.name in ENUMERATED and space and not file.problems.touched("space"):
        if all(is_finite(param) for param in space):
            count = sum(1 for _ in configurations(space, ENUMERATION_LIMIT))
            return Budget(trials=max(1, count))
    return Budget(trials=50)


def _repeats(file: Fields) -> Repeats | None:
    fields = file.below("repeats")
    if fields is None:
        return None
    values: tuple[Choice, ...] = fields.choices("values")
    count = fields.whole("count")
    if ("values" in fields) == ("count" in fields):
        fields.problems.add(fields.path, "must have one of values = [0, 1, 2] and count = 3.")
    elif count is not None:
        if not 2 <= count <= 100:
            fields.wrong("count", f"must be from 2 to 100, not {count}.")
        else:
            values = tuple(range(count))
    vary = fields.text("vary")
    if vary is None and "values" in fields and "vary" not in fields:
        fields.wrong(
            "vary", 'is missing. Give the param that has these values, as "seed", or count = 3 alone.'
        )
    repeats = Repeats(vary=vary, values=values)
    fields.done()
    return repeats


def _limits(file: Fields) -> Limits:
    fields = file.below("limits")
    if fields is None:
        return Limits()
    unlimited = fields.ask("failures") == "unlimited"
    limits = Limits(
        seconds=fields.seconds("time"),
        memory=fields.bytes("memory"),
        failures=None if unlimited else _or(fields.whole("failures"), 5),
        retries=_or(fields.whole("retries"), 1),
    )
    fields.done()
    return limits


def _prior(file: Fields) -> Prior | None:
    fields = file.below("prior")
    if fields is None:
        return None
    fields.require("experiment", "the experiment whose runs are taken")
    prior = Prior(
        experiment=fields.text("experiment") or "",
        filter=fields.text("filter"),
        limit=_or(fields.whole("limit"), 1000),
    )
    fields.done()
    return prior
