"""A definition file that cannot be used says why: every problem with its line and field, and the way out."""

from __future__ import annotations

import pickle
import time

import pytest

from tracking import InvalidDefinition
from tracking.errors import Problem
from tracking.tuning.definition_file import SIZE_LIMIT, read_definition

HEAD = """\
name = "digits"
[target]
script = "train.py"
[[objectives]]
metric = "accuracy"
goal = "maximize"
"""
SPACE = """\
[space.lr]
low = 1e-4
high = 1e-1
"""


def problems_of(text: str) -> tuple[Problem, ...]:
    with pytest.raises(InvalidDefinition) as caught:
        read_definition(text)
    return caught.value.problems


def only_problem(text: str) -> Problem:
    found = problems_of(text)
    assert len(found) == 1, found
    return found[0]


def in_space(*lines: str) -> Problem:
    """The one problem of a space of `a` (categorical), `n` (an int), and the given lines from line 12 on."""
    before = '[space.a]\nchoices = ["x", "y"]\n[space.n]\nlow = 1\nhigh = 8\n'
    return only_problem(HEAD + before + "\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("lines", "line", "field", "says"),
    [
        # types
        (['low = "a"', "high = 1"], 13, "space.p.low", "must be a whole number, not the text 'a'"),
        (["low = true", "high = 3"], 13, "space.p.low", "must be a whole number, not true"),
        (["low = 0", "high = [1]"], 14, "space.p.high", "not a list"),
        (["low = 0", "high = 2026-01-01"], 14, "space.p.high", "not a date"),
        (["low = 0", "high = 1", "log = 1"], 15, "space.p.log", "must be true or false, not 1"),
        (['type = "int"', "low = 1.5", "high = 3"], 14, "space.p.low", "whole number, not 1.5"),
        (['type = "flaot"', "low = 1", "high = 3"], 13, "space.p.type", "Did you mean 'float'?"),
        (['choices = "sgd"'], 13, "space.p.choices", "must be a list"),
        (["choices = [1, [2]]"], 13, "space.p.choices[1]", "not a list"),
        (["value = 1979-05-27"], 13, "space.p.value", "not a date"),
        # ranges
        (["low = 2", "high = 1"], 13, "space.p.low", "is 2, more than high, which is 1"),
        (["low = inf", "high = 1"], 13, "space.p.low", "finite"),
        (["low = 0", "high = nan"], 14, "space.p.high", "finite"),
        (["low = -1.7e308", "high = 1.7e308"], 14, "space.p.high", "no float"),
        (["low = 0.0", "high = 1", "log = true"], 13, "space.p.low", "no logarithm"),
        (["low = 0", "high = 9", "log = true"], 13, "space.p.low", "no logarithm"),
        (["low = 0", "high = 9007199254740993"], 14, "space.p.high", "2^53"),
        (["low = 0", "high = 1e3"], None, "", ""),
        # steps
        (["low = 0.0", "high = 1.0", "step = 0.3"], 15, "space.p.step", "Give high = 0.9 or 1.2"),
        (["low = 0", "high = 10", "step = 4"], 15, "space.p.step", "Give high = 8 or 12"),
        (["low = 0.0", "high = 1.0", "step = 3.0"], 15, "space.p.step", "wider than the range"),
        (["low = 0.0", "high = 1.0", "step = 0.0"], 15, "space.p.step", "above 0"),
        (["low = 0", "high = 4", "step = -2"], 15, "space.p.step", "above 0"),
        (["low = 1.0", "high = 3.0", "step = 1.0", "log = true"], 15, "space.p.step", "together with log"),
        # choices
        (["choices = []"], 13, "space.p.choices", "at least one"),
        (['choices = ["a",', '"b",', '"a"]'], 15, "space.p.choices[2]", "'a' a second time"),
        (["choices = [1, true]"], 13, "space.p.choices[1]", "1 and true are equal"),
        (["choices = [1, 1.0]"], 13, "space.p.choices[1]", "1 and 1.0 are equal"),
        (["choices = [nan, 1]"], 13, "space.p.choices[0]", "finite"),
        (["choices = [9007199254740993]"], 13, "space.p.choices[0]", "2^53"),
        (['choices = ["a\\u0000b"]'], 13, "space.p.choices[0]", "NUL"),
        (["value = inf"], 13, "space.p.value", "finite"),
        # what belongs together
        (["low = 1"], 12, "space.p.high", "is missing"),
        (["log = true", "choices = [1]"], 13, "space.p.log", "does not belong to a param of type cat"),
        (['type = "categorical"'], 12, "space.p.choices", "is missing"),
        (["only_if = { a = 'x' }"], 12, "space.p", "Give low and high, choices, or value"),
        (["q = { low = 1, high = 2 }"], 12, "space.p", 'in quotes: [space."p.q"]'),
        (["low = 1", "hihg = 2", "high = 3"], 14, "space.p.hihg", "Did you mean 'high'?"),
        # conditions
        (["low = 1", "high = 2", 'only_if = { b = "x" }'], 15, "space.p.only_if.b", "is no param"),
        (["low = 1", "high = 2", 'only_if = { p = "x" }'], 15, "space.p.only_if.p", "the param itself"),
        (["low = 1", "high = 2", "only_if = { n = 1 }"], 15, "space.p.only_if.n", "is int, and only a categ"),
        (["low = 1", "high = 2", 'only_if = { a = "z" }'], 15, "space.p.only_if.a[0]", "no choice of a"),
        (["low = 1", "high = 2", "only_if = { a = [] }"], 15, "space.p.only_if.a", "can never hold"),
        (["low = 1", "high = 2", 'only_if = { a = ["x", "x"] }'], 15, "space.p.only_if.a[1]", "second time"),
        (["low = 1", "high = 2", 'only_if = "a"'], 15, "space.p.only_if", "must be a table"),
        (["low = 1", "high = 2", "[space.p.only_if]", 'a = ["x",', '"z"]'], 17, "space.p.only_if.a[1]", "z"),
    ],
)  # fmt: skip
def test_a_param_that_makes_no_sense(lines: list[str], line: int | None, field: str, says: str) -> None:
    if line is None:
        read_definition(HEAD + "[space.p]\n" + "\n".join(lines) + "\n")
        return
    problem = in_space("[space.p]", *lines)
    assert (problem.line, problem.field) == (line, field)
    assert says in problem.sentence


def test_a_condition_on_a_later_param_says_which_to_move() -> None:
    text = HEAD + '[space.p]\nlow = 1\nhigh = 2\nonly_if = { a = "x" }\n[space.a]\nchoices = ["x"]\n'
    problem = only_problem(text)
    assert (problem.line, problem.field) == (10, "space.p.only_if.a")
    assert "Move [space.a] before [space.p]" in problem.sentence


def test_conditions_that_exclude_each_other_can_never_hold() -> None:
    problem = in_space(
        "[space.b]", "choices = [1, 2]", 'only_if = { a = "x" }',
        "[space.p]", "low = 1", "high = 2", 'only_if = { a = "y", b = 1 }',
    )  # fmt: skip
    assert (problem.line, problem.field) == (18, "space.p.only_if")
    assert "can never hold" in problem.sentence


@pytest.mark.parametrize(
    ("text", "line", "field", "says"),
    [
        ("worker = 2\n" + HEAD + SPACE, 1, "worker", "Did you mean 'workers'?"),
        ("workers = 0\n" + HEAD + SPACE, 1, "workers", "from 1 to 256"),
        ("workers = 2.0\n" + HEAD + SPACE, 1, "workers", "whole number"),
        ("seed = -1\n" + HEAD + SPACE, 1, "seed", "from 0 to"),
        ('seed = "7"\n' + HEAD + SPACE, 1, "seed", "whole number"),
        ('environment = ["A=1"]\n' + HEAD + SPACE, 1, "environment[0]", "without its value"),
        ('environment = ["TRACKING_TRIAL"]\n' + HEAD + SPACE, 1, "environment[0]", "set for each trial"),
        (HEAD, None, "space", "nothing to tune"),
        (HEAD + "[space.a]\nvalue = 1\n", 7, "space", "fixed params only"),
        (HEAD + SPACE + '[sampler]\nname = "tpee"\n', 11, "sampler.name", "Did you mean 'tpe'?"),
        (HEAD + SPACE + '[sampler]\nname = "tpe"\nn_starup_trials = 3\n', 12, "sampler.n_starup_trials",
         "Did you mean 'n_startup_trials'?"),
        (HEAD + SPACE + '[sampler]\nname = "tpe"\nmultivariate = 1\n', 12, "sampler.multivariate", "true or false"),
        (HEAD + SPACE + '[sampler]\nname = "nsga2"\npopulation_size = 1\n', 12, "sampler.population_size",
         "at least 2"),
        (HEAD + SPACE + '[sampler]\nname = "nsga2"\nmutation_prob = nan\n', 12, "sampler.mutation_prob", "not nan"),
        (HEAD + SPACE + '[sampler]\nname = "random"\nseed = 1\n', 12, "sampler.seed", "stands at the top"),
        (HEAD + SPACE + '[pruner]\nname = "percentile"\n', 10, "pruner.percentile", "is missing"),
        (HEAD + SPACE + '[pruner]\nname = "median"\ninterval_steps = 0\n', 12, "pruner.interval_steps", "at least 1"),
        (HEAD + SPACE + '[pruner]\nname = "halving"\nbootstrap_count = 1\n', 12, "pruner.bootstrap_count", "auto"),
        (HEAD + SPACE + '[pruner]\nname = "hyperband"\nmin_resource = 9\nmax_resource = 3\n', 13,
         "pruner.max_resource", "less than min_resource"),
        (HEAD + SPACE + '[pruner]\nname = "patient"\npatience = 1\nwrapped = { name = "medain" }\n', 13,
         "pruner.wrapped.name", "Did you mean 'median'?"),
        (HEAD + SPACE + '[pruner]\nname = "patient"\npatience = 1\nwrapped = { name = "patient" }\n', 13,
         "pruner.wrapped.name", "Wrap another"),
        (HEAD + SPACE + '[pruner]\nname = "patient"\npatience = 1\nwrapped = "median"\n', 13,
         "pruner.wrapped", "must be a table"),
        (HEAD + SPACE + '[pruner]\nname = "wilcoxon"\n', 11, "pruner.name", "Add [repeats]"),
        (HEAD + SPACE + '[budget]\n', 10, "budget", "sets no end"),
        (HEAD + SPACE + '[budget]\ntrials = 0\n', 11, "budget.trials", "from 1"),
        (HEAD + SPACE + '[budget]\ntrials = true\n', 11, "budget.trials", "not true"),
        (HEAD + SPACE + '[budget]\ntime = "2 weeks"\n', 11, "budget.time", '"30m"'),
        (HEAD + SPACE + '[budget]\ntime = -5\n', 11, "budget.time", "above 0"),
        (HEAD + SPACE + '[budget]\ntime = inf\n', 11, "budget.time", "finite"),
        (HEAD + SPACE + '[budget]\ntime = "99999999d"\n', 11, "budget.time", "seconds"),
        (HEAD + SPACE + '[limits]\nmemory = "4 gigs"\n', 11, "limits.memory", '"4GB"'),
        (HEAD + SPACE + '[limits]\nmemory = 12\n', 11, "limits.memory", "bytes"),
        (HEAD + SPACE + '[limits]\nmemory = "0GB"\n', 11, "limits.memory", "bytes"),
        (HEAD + SPACE + '[limits]\nfailures = 0\n', 11, "limits.failures", "from 1"),
        (HEAD + SPACE + '[limits]\nretries = -1\n', 11, "limits.retries", "from 0"),
        (HEAD + SPACE + '[repeats]\nvary = "lr"\ncount = 3\n', 11, "repeats.vary", "in the space too"),
        (HEAD + SPACE + '[repeats]\nvary = "seed"\n', 10, "repeats", "one of values"),
        (HEAD + SPACE + '[repeats]\nvary = "seed"\ncount = 1\n', 12, "repeats.count", "from 2"),
        (HEAD + SPACE + '[repeats]\nvary = "seed"\nvalues = [1, 1]\n', 12, "repeats.values[1]", "second time"),
        (HEAD + SPACE + '[repeats]\nvary = "seed"\nvalues = [1]\n', 12, "repeats.values", "from 2"),
        (HEAD + SPACE + '[prior]\nfilter = "x"\nexperiment = "e"\n', 11, "prior.filter", "x"),
        (HEAD + SPACE + '[prior]\nlimit = 3\n', 10, "prior.experiment", "is missing"),
        (HEAD + SPACE + '[[start_with]]\nlr = 0.01\n[[start_with]]\nlr = 2\n', 13, "start_with[1].lr", "to 0.1"),
        (HEAD + SPACE + '[[start_with]]\nlrr = 0.01\n', 11, "start_with[0].lrr", "Did you mean 'lr'?"),
        (HEAD + SPACE + '[[start_with]]\nlr = true\n', 11, "start_with[0].lr", "cannot be true"),
        (HEAD + SPACE + '[[start_with]]\n', 10, "start_with[0]", "is empty"),
        (HEAD + SPACE + "[start_with]\nlr = 1\n", 10, "start_with", "[[start_with]]"),
        (HEAD.replace("goal", "goaal") + SPACE, 4, "objectives[0].goal", "is missing"),
        (HEAD.replace("maximize", "maximise") + SPACE, 6, "objectives[0].goal", "Did you mean 'maximize'?"),
        (HEAD + '[[objectives]]\nmetric = "accuracy"\ngoal = "minimize"\n' + SPACE, 7, "objectives[1]", "second time"),
        (HEAD + '[[objectives]]\nmetric = "loss"\ngoal = "minimize"\n' + SPACE + '[pruner]\nname = "median"\n', 14,
         "pruner.name", "which it does not compare"),
    ],
)  # fmt: skip
def test_a_field_that_makes_no_sense(text: str, line: int | None, field: str, says: str) -> None:
    problem = problems_of(text)[0]
    assert (problem.line, problem.field) == (line, field)
    assert says in problem.sentence


@pytest.mark.parametrize(
    ("target", "field", "says"),
    [
        ('script = "../train.py"', "target.script", "leads out"),
        ('script = "a/../../train.py"', "target.script", "leads out"),
        ('script = "/etc/train.py"', "target.script", "is absolute"),
        ('script = "C:/train.py"', "target.script", "is absolute"),
        ("script = 'a\\train.py'", "target.script", "backslash"),
        ('script = "a\\u0000.py"', "target.script", "control character"),
        ('script = "a\\n.py"', "target.script", "control character"),
        ('script = "-c import os.py"', "target.script", "hyphen"),
        ('script = ""', "target.script", "is empty"),
        ('script = "train.sh"', "target.script", "ends with .py"),
        ("script = 3", "target.script", "must be text"),
        ('script = "a.py"\narguments = "--x"', "target.arguments", "list of texts"),
        ('script = "a.py"\narguments = [1]', "target.arguments[0]", "text in quotes"),
        ('script = "a.py"\nargumets = []', "target.argumets", "Did you mean 'arguments'?"),
        ('script = "a.py"\nfunction = "a.py:f"', "target", "Give exactly one"),
        ("", "target", "does not say what is tuned"),
        ('function = "train.py"', "target.function", '"train.py:train"'),
        ('function = "train.py:not a name"', "target.function", '"train.py:train"'),
        ('objective = "../train.py:f"', "target.objective", "leads out"),
        ('dataset = "digit"\nmetric = "accuracy"', "target.dataset", "Did you mean 'digits'?"),
        ('dataset = "digits"\nmetric = "acuracy"', "target.metric", "Did you mean 'accuracy'?"),
        ('dataset = "digits"', "target.metric", "is missing"),
        ('dataset = "digits"\nmetric = "accuracy"\nfolds = 1', "target.folds", "from 2"),
        ('dataset = "digits"\nmetric = "accuracy"\nestimators = ["forst"]', "target.estimators[0]", "'forest'"),
        ('file = "../d.csv"\ncolumn = "y"\nmetric = "r2"', "target.file", "leads out"),
        ('file = "d.xlsx"\ncolumn = "y"\nmetric = "r2"', "target.file", ".csv"),
        ('file = "d.csv"\nmetric = "r2"', "target.column", "is missing"),
        ('artifact = "nothing"\ncolumn = "y"\nmetric = "r2"', "target.artifact", "a slash"),
    ],
)  # fmt: skip
def test_a_target_that_makes_no_sense(target: str, field: str, says: str) -> None:
    objective = '[[objectives]]\nmetric = "loss"\ngoal = "minimize"\n' if "metric" not in target else ""
    problem = problems_of(f'name = "x"\n[target]\n{target}\n{objective}{SPACE}')[0]
    assert problem.field == field
    assert problem.line == (3 + target[: target.find(field.split(".")[-1].split("[")[0])].count("\n")
                            if field.count(".") and "is missing" not in says else 2)  # fmt: skip
    assert says in problem.sentence


@pytest.mark.parametrize("name", ["a\\u0000b", "a\\nb", "x" * 10_000, "\\u001b[31m", " ", "", "a\\u007fb"])
def test_a_name_that_cannot_be_kept(name: str) -> None:
    problem = only_problem(HEAD.replace("digits", name) + SPACE)
    assert (problem.line, problem.field) == (1, "name")
    assert len(problem.sentence) < 300
    assert problem.sentence.isprintable()


@pytest.mark.parametrize(
    "name", ["$(touch pwned)", "x; rm -rf /", "<img src=x onerror=alert(1)>", "`ls`", "日本 🎉"]
)
def test_a_name_is_just_text(name: str) -> None:
    assert read_definition(HEAD.replace("digits", name) + SPACE).name == name


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    found = problems_of(
        'workers = "two"\n' + HEAD.replace("maximize", "up") + "[space.lr]\nlow = 3\nhigh = 1\n"
        '[space.b]\nchoices = []\n[sampler]\nname = "grid"\n[limits]\ntime = "soon"\n[oops]\n'
    )  # fmt: skip
    assert [(problem.line, problem.field) for problem in found] == [
        (1, "workers"),
        (7, "objectives[0].goal"),
        (9, "space.lr.low"),
        (12, "space.b.choices"),
        (16, "limits.time"),
        (17, "oops"),
    ]


def test_one_problem_hides_no_other_one() -> None:
    found = problems_of(
        HEAD + SPACE + "[space.b]\nlow = 3\nhigh = 1\n[pruner]\nname = 'wilcoxon'\np = 1\n"
        "[sampler]\nname = 'cmaes'\nx = 1\n[space.c]\nchoices = [1]\n"
        "[[start_with]]\nlr = 7\nb = 2\nz = 3\n"
    )
    assert {(problem.line, problem.field) for problem in found} == {
        (11, "space.b.low"),
        (14, "pruner.name"),
        (15, "pruner.p"),
        (17, "sampler.name"),
        (18, "sampler.x"),
        (22, "start_with[0].lr"),
        (24, "start_with[0].z"),
    }


def test_the_message_lists_the_problems_and_survives_pickling() -> None:
    with pytest.raises(InvalidDefinition) as caught:
        read_definition("workers = 0\n" + HEAD + "[space.lr]\nlow = 3\nhigh = 1\n")
    assert str(caught.value).splitlines() == [
        "The definition has 2 problems:",
        "line 1, workers: must be from 1 to 256, not 0.",
        "line 9, space.lr.low: is 3, more than high, which is 1. Swap them.",
    ]
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.problems == caught.value.problems and str(again) == str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "field", "says"),
    [
        ("name = \n", 1, "", "Invalid value"),
        ('name = "a"\nname = "b"\n', 2, "name", "given twice, first in line 1"),
        (HEAD + SPACE + SPACE, 10, "space.lr", "given twice, first in line 7"),
        (HEAD + SPACE + "low = 2\n", 10, "space.lr.low", "given twice, first in line 8"),
        (HEAD + "[space]\nlr = { low = 1, low = 2 }\n", 8, "space.lr.low", "given twice"),
        ('a = "\n', 1, "", "no TOML"),
        ("a = [1,\n2", 2, "", "no TOML"),
        ("name: digits\n", 1, "", "no TOML"),
        ("a = " + "9" * 5000, 1, "a", "thousands of digits"),
        (HEAD + "[space.lr]\nlow = 1\nhigh = " + "9" * 5000, 9, "space.lr.high", "thousands of digits"),
        ("a = " + "[" * 40 + "]" * 40, 1, "", "32 levels"),
        ("\n[" + ".".join("a" * 40) + "]", 2, "", "32 levels"),
    ],
)
def test_what_is_no_toml_is_told_with_its_line(text: str, line: int, field: str, says: str) -> None:
    problem = only_problem(text)
    assert (problem.line, problem.field) == (line, field)
    assert says in problem.sentence


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        "a=" + "[" * 200_000,
        "a={" + "a={" * 60_000,
        "a." * 100_000 + "a = 1",
        "[[" + "a." * 100_000,
        "a = '''" + "'" * 200_000,
        'a = "' + "\\" * 200_000,
        "\n".join(f"k{index} = 1" for index in range(20_000)),
        "\n".join(f"[space.p{index}]\nlow = 2\nhigh = 1" for index in range(990)),
        "name = 'a'\n[space.a]\nchoices = [" + "1, " * 80_000 + "]",
        "[[start_with]]\n" * 15_000,
        "[[objectives]]\n" * 15_000,
        HEAD
        + "".join(f"[space.parameter_{i}]\nvalue = 1\n" for i in range(990))
        + "[space.x]\nlow = 1\nhigh = 2\n"
        "[[start_with]]\n" + "".join(f"parametre_{i} = 1\n" for i in range(10_000)),
        HEAD + f"[space.a]\nchoices = {list(range(9_999))}\n[space.b]\nlow = 1\nhigh = 2\n"
        f"only_if = {{ a = {list(range(20_000))} }}\n",
        "environment = [" + '"A",' * 60_000 + "]\n" + HEAD + SPACE,
        HEAD + SPACE + '[repeats]\nvary = "s"\nvalues = [' + "1," * 100_000 + "]\n",
    ],
)
def test_a_hostile_text_is_refused_in_time(text: str) -> None:
    began = time.monotonic()
    problems_of(text)
    assert time.monotonic() - began < 20


def test_a_large_file_is_refused_with_the_limit() -> None:
    problem = only_problem(HEAD + SPACE + "#" * (1 << 20))
    assert problem.line is None
    assert f"{SIZE_LIMIT:,}" in problem.sentence
