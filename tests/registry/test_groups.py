"""Runs of one configuration find each other, and none counts that had a part in the choice of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import tracking
from tests.registry.grouping import Place
from tracking.errors import InvalidValue, NotFound
from tracking.records import Goal
from tracking.registry_records import Gate, GateKind, Verdict
from tracking.sweep_records import PREVIOUS


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_runs_are_of_one_configuration_when_all_but_their_repeat_params_are_equal(place: Place) -> None:
    first = place.run(
        0.9, lr=0.1, layers=[8, 4], model={"depth": 1, "seed": 0}, name="é", flag=True, none=None
    )
    same = [
        first,
        place.run(
            0.8, lr=0.1, layers=[8, 4], model={"depth": 1.0, "seed": 1}, name="é", flag=True, none=None
        ),
        # Dotted or nested, in whatever order, with a repeat param that the others have not.
        place.run(
            0.7, **{"model.depth": 1, "fold": 2}, none=None, flag=True, name="é", lr=0.1, layers=[8, 4]
        ),
    ]
    like = {"lr": 0.1, "layers": [8, 4], "model": {"depth": 1}, "name": "é", "flag": True, "none": None}
    for other in (
        {"lr": 0.1 + 1e-17 + 1e-15},
        {"lr": "0.1"},
        {"layers": [4, 8]},
        {"model": {"depth": "1"}},
        {"model": {"depth": True}},
        {"flag": 1},
        {"flag": "true"},
        {"none": "null"},
        {"more": 1},
        {"Seed": 1},
    ):
        place.run(0.1, **{**like, **other})
    place.run(0.1, **{key: value for key, value in like.items() if key != "none"})
    place.run(0.1, experiment="y", **like)
    for run in same:
        assert place.counted(run) == same
    repeats = [dict(each.repeat) for each in place.group(first).members]
    assert repeats == [{"seed": 0}, {"seed": 1}, {"fold": 2}]
    with pytest.raises(NotFound, match="no run 'nobody'"):
        place.group("nobody")


def test_values_are_equal_as_numbers_or_as_they_are(place: Place) -> None:
    classes = [
        [1, 1.0],
        [True],
        ["1"],
        [None],
        ["null", "null"],
        [float("nan"), float("nan")],
        [float("inf")],
        [0, -0.0],
        [2**53 - 1, float(2**53 - 1)],
        [2**60],
        [2**60 + 1],
        [1e300, 1e300],
        [[1, 2], [1, 2]],
        ["[1, 2]"],
    ]
    runs = [[place.run(0.5, value=value, seed=seed) for seed, value in enumerate(each)] for each in classes]
    assert [place.counted(each[-1]) for each in runs] == runs
    # More params than are compared in the database, the difference in one of the last.
    many = {f"p{number:03}": f"text {number}" for number in range(90)}
    wide = [place.run(0.5, **many, seed=seed) for seed in range(2)]
    place.run(0.5, **{**many, "p089": "another"}, seed=2)
    place.run(0.5, **{**many, "p090": "one more"}, seed=3)
    assert place.counted(wide[0]) == wide


def test_what_an_experiment_says_of_repeats_holds_for_runs_that_are_there(place: Place) -> None:
    one = place.run(0.9, lr=0.1, shard=1, out="/tmp/a", seed=0)
    two = place.run(0.9, lr=0.1, shard=2, out="/tmp/b", seed=0)
    assert place.counted(one) == [one]
    with tracking.start_run("x", store=place.location.root, capture=False) as run:
        run.define_repeat(vary=["shard"], ignore=["out"])
    assert place.counted(one) == [one, two]
    assert [dict(each.repeat) for each in place.group(one).members] == [{"shard": 1}, {"shard": 2}]
    # A seed tells repeats apart no longer; a run without params is like no other.
    assert place.counted(place.run(0.9, lr=0.1, shard=1, seed=1)) not in ([one], [one, two])
    assert place.counted(run.id) == [run.id]


def test_runs_that_did_not_finish_or_lie_in_the_trash_do_not_count_and_are_named(place: Place) -> None:
    good = place.run(0.9, lr=0.1, seed=0)
    place.run(0.9, status="failed", lr=0.1, seed=1)
    place.run(0.9, status="failed", lr=0.1, seed=2)
    place.run(0.9, status="interrupted", lr=0.1, seed=3)
    gone = place.run(0.9, lr=0.1, seed=4)
    place.run(None, lr=0.1, seed=5)
    with tracking.open_store(place.location.root) as store:
        store.delete_run(gone)
    with tracking.start_run("x", params={"lr": 0.1, "seed": 6}, store=place.location.root, capture=False):
        group = place.group(good)
    assert group.left_out == (
        "2 runs that failed",
        "1 run interrupted",
        "1 run in the trash",
        "1 run still running",
    )
    assert len(group.members) == 2
    alone = place.evidence(good, None, "accuracy", goal=Goal.MAXIMIZE)
    assert alone.verdict is Verdict.NO_CHAMPION and [each.run for each in alone.candidate] == [good]
    assert "The candidate: 2 runs without accuracy" in alone.left_out  # the one that ended since, too


def test_repeats_that_were_thrown_away_show_on_both_sides(place: Place) -> None:
    ours = [place.run(0.9 + seed / 100, lr=0.1, seed=seed) for seed in range(4)]
    parent = place.run(0.7, lr=0.2)
    folds = [place.run(0.7, parent=parent, lr=0.2, fold=fold) for fold in range(2)]
    others = [place.run(0.8, lr=0.2, seed=seed) for seed in (5, 6)]
    searched, winner, _ = place.sweep("search", [{"lr": 0.3}, {"lr": 0.3}, {"lr": 0.4}])
    with tracking.open_store(place.location.root) as store:
        for run in (*ours[:3], parent, searched):
            store.delete_run(run)
    evidence = place.evidence(ours[3], others[0], "accuracy", goal=Goal.MAXIMIZE)
    # A run that its repeats stand for is none of them.
    assert evidence.left_out == (
        "The candidate: 3 runs in the trash",
        "The champion: 2 runs in the trash",
    )
    assert place.counted(others[0]) == others and not {*folds} & {*place.counted(parent)}
    # What would not count anyway is not missed.
    assert place.group(winner).left_out == ("1 run of the search itself, which picks by these scores",)
    for run in (ours[0], others[0]):
        assert place.group(run).repeats == len(place.counted(run))


def test_runs_of_one_seed_are_one_repeat_and_those_without_the_metric_none(place: Place) -> None:
    runs = [place.run(0.9 + number / 100, lr=0.1, seed=number % 2) for number in range(4)]
    plain = [place.run(0.8, lr=0.2) for _ in range(3)]
    place.run(None, lr=0.1, seed=7)
    group = place.group(runs[0])
    assert (len(group.members), group.repeats, place.group(plain[0]).repeats) == (5, 3, 3)
    with tracking.open_store(place.location.root) as store, store._reading() as connection:
        having = group.having(connection, "accuracy")
        assert (having.repeats, having.left_out) == (2, ("1 run without accuracy",))
    evidence = place.evidence(runs[0], plain[0], "accuracy", goal=Goal.MAXIMIZE)
    assert [each.value for each in evidence.candidate] == pytest.approx([0.91, 0.92])
    assert "The candidate: 2 runs of seed=1 count as one repeat, their mean" in evidence.left_out
    # The gate counts what evidence counts.
    params = {"lr": 0.1, "seed": 1}
    with tracking.start_run("x", params=params, store=place.location.root, capture=False) as run:
        run.log({"accuracy": 0.9})
        run.log_artifact(__file__, "model")
    with tracking.open_store(place.location.root) as store:
        store.register("m", run.id)
        for gates, count in ((["repeats >= 3"], 3), (["repeats >= 3", "better(accuracy)"], 2)):
            store.set_gates("m", gates)
            asked = store.check_promotion("m", 1).gates[0]
            assert asked.passed is (count == 3)
            assert asked.found.startswith(
                f"{count}, by {count + 3} runs: those with equal repeat params are one"
            )
        assert asked.found.endswith("; not counted: 1 run without accuracy")


def test_goals_that_contradict_each_other_compare_nothing_until_one_is_said(place: Place) -> None:
    runs = {name: place.run(0.9, experiment=name, lr=0.1, seed=0) for name in ("up", "down", "silent")}
    for name, goal in (("up", "maximize"), ("down", "minimize")):
        with tracking.start_run(name, store=place.location.root, capture=False) as run:
            run.define_metric("accuracy", goal=goal)
    for one, two in (("up", "down"), ("down", "up")):
        for metric in ("accuracy", None):
            evidence = place.evidence(runs[one], runs[two], metric)
            assert evidence.verdict is Verdict.NO_DATA and evidence.difference is None
            assert "the goals contradict each other: more accuracy is better for up, less for down" in (
                evidence.sentence
            )
    with tracking.open_store(place.location.root) as store:
        said = store.evidence(runs["up"], runs["down"], "accuracy", goal="minimize")
        assert (said.goal, said.verdict) == (Goal.MINIMIZE, Verdict.SINGLE_RUN)
        assert "lower is better" in said.sentence
        assert store.evidence(runs["silent"], runs["down"], "accuracy").goal is Goal.MINIMIZE
        for wrong in ((None, runs["up"]), (5, runs["up"]), (runs["up"], 5)):
            with pytest.raises(InvalidValue, match="is no run: give the id"):
                store.evidence(*wrong)  # type: ignore[arg-type]
        for metric in (5, ""):
            with pytest.raises(InvalidValue, match="name of a metric"):
                store.evidence(runs["up"], runs["down"], metric)  # type: ignore[arg-type]
        with pytest.raises(InvalidValue, match="maximize or minimize"):
            store.evidence(runs["up"], runs["down"], "accuracy", goal="more")
        # A metric that nobody logged is a slip, whatever is known of goals.
        for other in ("up", "silent"):
            typed = store.evidence(runs[other], runs["silent" if other == "up" else "down"], "acuracy")
            assert typed.verdict is Verdict.NO_DATA
            assert typed.sentence.endswith("What they logged: accuracy.")


def test_children_told_apart_by_repeat_params_stand_for_their_parent(place: Place) -> None:
    parent = place.run(0.95, lr=0.1)
    folds = [place.run(0.9 + fold / 100, parent=parent, lr=0.1, fold=fold) for fold in range(3)]
    part = place.run(0.1, parent=parent, lr=0.1)
    other = place.run(0.8, lr=0.1, seed=9)
    for run in (parent, *folds, other):
        assert place.counted(run) == [*folds, other]
    assert part not in place.counted(parent)


def test_of_a_searchs_winner_only_fresh_runs_count_with_how_many_it_was_picked_from(place: Place) -> None:
    winner, second, third = place.sweep("search", [{"lr": 0.1}, {"lr": 0.2}, {"lr": 0.1}])
    assert place.counted(winner) == []
    group = place.group(winner)
    assert group.picked_from == 3
    assert group.left_out == ("2 runs of the search itself, which picks by these scores",)
    nothing = place.evidence(winner, second)
    assert nothing.verdict is Verdict.NO_DATA and "one of 3 trials" in nothing.sentence
    means = place.confirm("search", [(winner, {"lr": 0.1}), (second, {"lr": 0.2})], seeds=[5, 6, 7])
    fresh = [
        [
            place.child(mean, repeat, base + noise * lr, experiment="search confirmed", lr=lr, opt="sgd")
            for repeat, noise in enumerate((0.0, 0.004, 0.001))
        ]
        for mean, base, lr in zip(means, (0.9, 0.7), (0.1, 0.2), strict=True)
    ]
    # By hand after the pick, and in a search for something else.
    own = place.run(0.89, experiment="search", lr=0.1, seed=5)
    place.sweep("another", [{"lr": 0.1}, {"lr": 0.4}], experiment="search")
    for run in (winner, means[0], fresh[0][2]):
        group = place.group(run)
        assert [each.run.uid for each in group.members] == [*fresh[0], own]
        # Its script does not log the seed: the sweep knows it.
        assert [dict(each.repeat) for each in group.members[:3]] == [{"seed": 5}, {"seed": 6}, {"seed": 7}]
        assert group.origin.uid == winner and group.picked_from == 3
        assert "1 run of a search over these params" in group.left_out
    evidence = place.evidence(means[0], fresh[1][0])
    assert (evidence.metric, evidence.goal, evidence.verdict) == ("accuracy", Goal.MAXIMIZE, Verdict.BETTER)
    # The run by hand has a seed that is there already: the first of each pairs.
    assert evidence.method == "paired" and evidence.pairs == 3 and evidence.few
    assert third not in {each.run for each in evidence.candidate}
    assert place.evidence(winner, means[0]).verdict is Verdict.NOT_DISTINGUISHABLE


def test_a_run_that_was_made_before_the_pick_does_not_count(place: Place) -> None:
    place.run(0.99, experiment="search", lr=0.1)
    winner, _ = place.sweep("search", [{"lr": 0.1}, {"lr": 0.2}])
    after = place.run(0.9, experiment="search", lr=0.1)
    assert place.counted(winner) == [after]
    assert "1 run made before the pick" in place.group(winner).left_out
    # An edit goes on in a next study: its trials competed too.
    (late,) = place.sweep("search-2", [{"lr": 0.3}], experiment="search", **{PREVIOUS: "search"})
    assert place.group(winner).picked_from == place.group(late).picked_from == 3
    assert place.counted(late) == []
    # A single trial was picked from nothing: its run counts.
    (only,) = place.sweep("alone", [{"lr": 0.5}])
    assert place.counted(only) == [only] and place.group(only).picked_from is None


def test_params_that_the_sweep_writes_beside_the_scripts_do_not_part_the_runs(place: Place) -> None:
    winner, _ = place.sweep("search", [{"lr": 0.1}, {"lr": 0.2}])
    # What the script logs in its trial's run, below names of its own.
    with tracking.start_run("search", store=place.location.root, capture=False, resume=None) as run:
        run.log({"accuracy": 0.9})
        run.log_params({"model": {"lr": 0.1}, "batch": 16, "seed": 3})
    assert place.counted(winner) == []
    mean = place.confirm("search", [(winner, {"lr": 0.1})], seeds=[1, 2])[0]
    for repeat in range(2):
        place.child(
            mean, repeat, 0.9, experiment="search confirmed", model={"lr": 0.1}, batch=16, seed=repeat + 1
        )
    assert len(place.counted(winner)) == 2


def test_a_sweep_that_repeats_a_run_adds_to_it_and_its_mean_does_not(place: Place) -> None:
    origin = place.run(0.9, lr=0.1, seed=0)
    mean = place.repeated(origin, seeds=[1, 2])
    fresh = [place.child(mean, repeat, 0.9, experiment="x", lr=0.1, seed=repeat + 1) for repeat in range(2)]
    for run in (origin, mean, *fresh):
        group = place.group(run)
        assert [each.run.uid for each in group.members] == [origin, *fresh]
        assert group.picked_from is None and group.left_out == ()
    with tracking.open_store(place.location.root) as store:
        store.delete_run(origin)
    assert place.counted(fresh[0]) == fresh


def test_the_metric_that_counts_is_a_gates_else_the_one_with_a_goal(place: Place) -> None:
    one, two = (place.run(0.9, lr=lr, seed=0) for lr in (0.1, 0.2))
    with pytest.raises(InvalidValue, match="None has a goal yet"):
        place.evidence(one, two)
    unknown = place.evidence(one, two, "accuracy")
    assert unknown.verdict is Verdict.NO_DATA and "define_metric('accuracy'" in unknown.sentence
    with tracking.start_run("x", store=place.location.root, capture=False) as run:
        run.define_metric("accuracy", goal="minimize")
    found = place.evidence(one, two)
    assert (found.metric, found.goal, found.verdict) == ("accuracy", Goal.MINIMIZE, Verdict.SINGLE_RUN)
    with tracking.start_run("x", store=place.location.root, capture=False) as run:
        run.define_metric("loss", goal="minimize")
    with pytest.raises(InvalidValue, match="Several have a goal: accuracy, loss"):
        place.evidence(one, two)
    with tracking.start_run(
        "x", params={"lr": 0.3}, store=place.location.root, capture=False, strict=True
    ) as run:
        run.log_artifact(__file__, "model")
    with tracking.open_store(place.location.root) as store:
        store.register("m", run.id)
        gate = Gate(GateKind.BETTER, metric="f1", at="best", goal=Goal.MAXIMIZE)
        store.set_gates("m", [Gate(GateKind.METRIC, metric="recall", op=">=", bound=0.5), gate])
    asked = place.evidence(run.id, one)
    assert (asked.metric, asked.at, asked.goal) == ("f1", "best", Goal.MAXIMIZE)
    with pytest.raises(InvalidValue, match="at='median'"):
        place.evidence(one, two, "accuracy", "median")


def test_every_point_of_a_metric_may_be_compared(place: Place) -> None:
    with tracking.start_run("x", params={"lr": 1}, store=place.location.root, capture=False) as run:
        for value in (3.0, 5.0, 1.0, 2.0):
            run.log({"loss": value})
    with tracking.start_run("x", params={"lr": 2}, store=place.location.root, capture=False) as diverged:
        for value in (3.0, 5.0, float("nan")):
            diverged.log({"loss": value})
    points = {"last": 2.0, "first": 3.0, "best": 1.0, "min": 1.0, "max": 5.0, "mean": 2.75}
    for at, value in points.items():
        evidence = place.evidence(run.id, None, "loss", at, Goal.MINIMIZE)
        assert [each.value for each in evidence.candidate] == [value]
    for at in points:
        evidence = place.evidence(diverged.id, run.id, "loss", at, Goal.MINIMIZE)
        assert evidence.candidate == () and evidence.left_out == ("The candidate: 1 run diverged",)
        assert evidence.verdict is Verdict.NO_DATA
    # What a NaN lies before was good at its end, not over its course.
    with tracking.start_run("x", params={"lr": 3}, store=place.location.root, capture=False) as recovered:
        for value in (3.0, float("inf"), 4.0):
            recovered.log({"loss": value})
    assert place.evidence(recovered.id, run.id, "loss", "last", Goal.MINIMIZE).difference == 2.0
    assert place.evidence(recovered.id, run.id, "loss", "min", Goal.MINIMIZE).verdict is Verdict.NO_DATA


def test_runs_that_are_cross_validations_are_compared_by_their_folds(place: Place) -> None:
    scores = {
        (lr, seed): [0.8 + lr / 10 + (seed * fold % 3) / 100 for fold in range(5)]
        for lr in (1, 2)
        for seed in (1, 2)
    }
    scores[2, 2][4] += 0.01
    ids = {}
    for (lr, seed), folds in scores.items():
        with tracking.start_run(
            "x", params={"lr": lr, "seed": seed}, store=place.location.root, capture=False
        ) as run:
            for fold, score in enumerate(folds):
                run.log({"accuracy_fold": score}, step=fold)
            run.log({"accuracy": sum(folds) / 5}, step=4)
        ids[lr, seed] = run.id
    evidence = place.evidence(ids[2, 1], ids[1, 1], "accuracy", goal=Goal.MAXIMIZE)
    assert (evidence.method, evidence.pairs, evidence.few) == ("corrected", 10, True)
    differences = np.subtract([*scores[2, 1], *scores[2, 2]], [*scores[1, 1], *scores[1, 2]])
    assert evidence.difference == pytest.approx(differences.mean())
    t = differences.mean() / np.sqrt(differences.var(ddof=1) * (1 / 10 + 1 / 4))
    assert evidence.p_value == pytest.approx(stats.t.sf(t, 9))
    assert "10 pairs of folds, 2 runs against 2, paired by fold and seed, corrected" in evidence.sentence
    assert "2 runs on a side are too few runs to be sure" in evidence.sentence
    # One run whose metric is no mean of such, and all are compared as runs.
    place.run(0.7, lr=2, seed=3)
    plain = place.evidence(ids[2, 1], ids[1, 1], "accuracy", goal=Goal.MAXIMIZE)
    assert plain.method == "paired" and len(plain.candidate) == 3
