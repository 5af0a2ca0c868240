"""Evidence names its method by the design alone, says what it knows in plain words, and nothing that it does not."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import count
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tracking.analysis.evidence import Side, is_fold, weigh
from tracking.errors import InvalidValue
from tracking.records import Goal
from tracking.registry_records import Evidence, EvidencePoint, Verdict

_numbers = count()
CHAMPION = [0.90, 0.91, 0.89, 0.905, 0.895]


def side(values: Sequence[float], repeats: Sequence[Mapping[str, Any]] | None = None, **more: Any) -> Side:
    said = repeats or [{} for _ in values]
    return Side(
        tuple(
            EvidencePoint(f"run{next(_numbers)}", value, repeat)
            for value, repeat in zip(values, said, strict=True)
        ),
        **more,
    )


def seeds(*values: object) -> list[dict[str, object]]:
    return [{"seed": value} for value in values]


def found(candidate: Side, champion: Side | None, goal: Goal = Goal.MAXIMIZE, **more: Any) -> Evidence:
    return weigh(candidate, champion, metric="accuracy", goal=goal, **more)


def test_runs_with_the_same_seeds_are_compared_pair_by_pair_whatever_their_order() -> None:
    noise = [0.001, -0.002, 0.003, 0.0, -0.001]
    ours = [value + 0.012 + off for value, off in zip(CHAMPION, noise, strict=True)]
    candidate = side(ours[::-1], seeds(4.0, 3, 2, 1, 0), picked_from=40)
    evidence = found(candidate, side([*CHAMPION, 0.5], seeds(0, 1, 2, 3, 4, 9)))
    theirs = stats.ttest_rel(ours, CHAMPION, alternative="greater")
    assert (evidence.method, evidence.verdict, evidence.pairs) == ("paired", Verdict.BETTER, 5)
    assert evidence.p_value == pytest.approx(theirs.pvalue, rel=1e-9)
    assert evidence.probability == pytest.approx(1 - theirs.pvalue)
    differences = np.subtract(ours, CHAMPION)
    assert evidence.effect == pytest.approx(differences.mean() / differences.std(ddof=1))
    low, high = stats.ttest_rel(ours, CHAMPION).confidence_interval(0.95)
    assert (evidence.low, evidence.high) == pytest.approx((low, high))
    assert evidence.sentence == (
        "Better: accuracy is 0.0122 higher on average (95% interval 0.0098 to 0.0146, 5 runs against 5, paired by "
        "seed; higher is better); the candidate is one of 40 trials of a search, and only runs made after it count."
    )
    assert evidence.left_out == ("The champion: 1 run has no partner on the other side",)
    assert not evidence.few


@pytest.mark.parametrize(
    ("ours", "theirs", "method"),
    [
        (seeds(0, 1, 2), seeds(2, 1, 0), "paired"),
        (seeds("0", "1", "2"), seeds(0, 1, 2), "welch"),
        (seeds(True, 2, 3), seeds(1, 2, 3), "welch"),
        (seeds(0, 1, 2), seeds(0, 1, 5), "welch"),
        ([{}, {}, {}], [{}, {}, {}], "welch"),
        ([{"seed": 0}, {"seed": 1}, {}], seeds(0, 1, 2), "welch"),
        ([{"fold": 0}, {"fold": 1}, {"fold": 2}], [{"fold": 2}, {"fold": 1}, {"fold": 0}], "corrected"),
        ([{"fold": 0}, {"fold": 1}, {"fold": 2}], seeds(0, 1, 2), "corrected"),
    ],
)
def test_the_method_follows_from_the_design(
    ours: list[dict[str, Any]], theirs: list[dict[str, Any]], method: str
) -> None:
    values = [0.5, 0.7, 0.6]
    assert found(side(values, ours), side([0.4, 0.35, 0.45], theirs)).method == method
    # Whatever the values are.
    assert found(side([1e9, -3.0, 0.0], ours), side([5.0, 4.0, 3.0], theirs)).method == method


def test_folds_are_corrected_for_the_rows_they_share() -> None:
    rng = np.random.default_rng(5)
    theirs = rng.normal(0.8, 0.02, 10)
    ours = theirs + rng.normal(0.01, 0.01, 10)
    folds = [{"seed": seed, "cv_fold": fold} for seed in (0, 1) for fold in range(5)]
    evidence = found(side(list(ours), folds), side(list(theirs), folds))
    differences = ours - theirs
    t = differences.mean() / math.sqrt(differences.var(ddof=1) * (1 / 10 + 1 / 4))
    assert (evidence.method, evidence.pairs) == ("corrected", 10)
    assert evidence.p_value == pytest.approx(stats.t.sf(t, 9))
    assert "paired by cv_fold and seed, corrected for what 5 folds share" in evidence.sentence
    # Other folds on the other side: each side's variance is corrected, which is more careful still.
    others = [{"seed": seed, "cv_fold": fold} for seed in (7, 8) for fold in range(5)]
    apart = found(side(list(ours), folds), side(list(theirs), others))
    variance = (ours.var(ddof=1) + theirs.var(ddof=1)) * (1 / 10 + 1 / 4)
    assert apart.method == "corrected" and apart.pairs == 0
    assert apart.high is not None and apart.low is not None
    freedom = variance**2 / sum((each.var(ddof=1) * 0.35) ** 2 / 9 for each in (ours, theirs))
    assert apart.high - apart.low == pytest.approx(2 * stats.t.ppf(0.975, freedom) * math.sqrt(variance))
    assert [
        name for name in ("fold", "cv.fold", "outer_fold_id", "folder", "seed", "n_foldable") if is_fold(name)
    ] == [
        "fold",
        "cv.fold",
        "outer_fold_id",
    ]


@pytest.mark.parametrize("goal", list(Goal))
def test_worse_is_the_mirror_of_better_in_either_direction(goal: Goal) -> None:
    sign = 1 if goal is Goal.MAXIMIZE else -1
    good, bad = [sign * (1 + each) for each in CHAMPION], [sign * each for each in CHAMPION]
    better, worse = found(side(good), side(bad), goal), found(side(bad), side(good), goal)
    assert (better.verdict, worse.verdict) == (Verdict.BETTER, Verdict.WORSE)
    assert better.difference == pytest.approx(sign * 1.0) == pytest.approx(-(worse.difference or 0))
    assert better.effect is not None and worse.effect is not None
    assert better.effect > 0 and better.effect == pytest.approx(-worse.effect)
    assert (better.low, better.high) == pytest.approx((-(worse.high or 0), -(worse.low or 0)))
    assert better.probability == pytest.approx(1 - (worse.probability or 0))
    assert f"1.000 {'higher' if sign > 0 else 'lower'} on average" in better.sentence


def test_a_margin_has_to_be_exceeded_and_the_confidence_kept() -> None:
    ours = [each + 0.02 for each in CHAMPION]
    assert found(side(ours), side(CHAMPION)).verdict is Verdict.BETTER
    close = found(side(ours), side(CHAMPION), margin=0.015)
    assert close.verdict is Verdict.NOT_DISTINGUISHABLE
    assert "may be less than the margin of 0.015" in close.sentence
    shifted = stats.ttest_ind(
        [each - 0.015 for each in ours], CHAMPION, equal_var=False, alternative="greater"
    )
    assert close.p_value == pytest.approx(shifted.pvalue)
    assert close.probability is not None and 0.5 < close.probability < 0.95
    assert found(side(ours), side(CHAMPION), margin=0.015, confidence=0.7).verdict is Verdict.BETTER
    assert found(side(ours), side(CHAMPION), confidence=0.9999).verdict is Verdict.NOT_DISTINGUISHABLE
    # Worse by less than the margin is not worse.
    assert found(side(CHAMPION), side(ours), margin=0.015).verdict is Verdict.NOT_DISTINGUISHABLE
    for wrong in ({"margin": -0.1}, {"margin": math.nan}, {"confidence": 95}, {"confidence": 0.3}):
        with pytest.raises(InvalidValue, match=next(iter(wrong))):
            found(side(ours), side(CHAMPION), **wrong)


def test_runs_that_do_not_differ_say_nothing_of_the_noise() -> None:
    for ours, theirs, said in (
        ([0.1] * 5, [0.1] * 5, "accuracy is the same in all runs of a side"),
        ([0.3] * 5, [0.1] * 5, "0.20 higher, and the same in all runs of a side"),
    ):
        evidence = found(side(ours), side(theirs))
        assert evidence.verdict is Verdict.NOT_DISTINGUISHABLE and said in evidence.sentence
        assert "show no noise" in evidence.sentence
        assert (evidence.low, evidence.p_value, evidence.probability, evidence.effect) == (None,) * 4
    copies = found(side([0.3] * 5, seeds(*range(5))), side([0.1] * 5, seeds(*range(5))))
    assert copies.verdict is Verdict.NOT_DISTINGUISHABLE and copies.pairs == 5 and copies.p_value is None
    # Noise on one side is noise.
    assert found(side([0.99] * 5), side(CHAMPION)).verdict is Verdict.BETTER


def test_pairs_that_differ_by_the_same_amount_are_judged_by_their_number() -> None:
    def ahead(by: float, pairs: int, **more: Any) -> Evidence:
        values, repeats = [0.90, 0.93, 0.89, 0.905, 0.895, 0.91][:pairs], seeds(*range(pairs))
        return found(side([each + by for each in values], repeats), side(values, repeats), **more)

    # Equal but for rounding: 0.1 is added to numbers of another size.
    better = ahead(0.1, 5)
    assert better.verdict is Verdict.BETTER and better.p_value == 1 / 32
    assert (better.low, better.effect, better.probability) == (None, None, None)
    assert better.sentence == (
        "Better: accuracy is 0.10 higher in each of 5 pairs, by the same amount, paired by seed (higher is better); "
        "that gives no interval, and by chance all come out on this side once in 32 times."
    )
    assert ahead(-0.1, 5).verdict is Verdict.WORSE
    assert ahead(0.1, 5, margin=0.1).verdict is Verdict.NOT_DISTINGUISHABLE
    assert ahead(0.1, 5, margin=0.09).verdict is Verdict.BETTER
    assert ahead(0.1, 5, confidence=0.99).verdict is Verdict.NOT_DISTINGUISHABLE
    assert ahead(0.1, 4).verdict is Verdict.NOT_DISTINGUISHABLE
    assert ahead(0.0, 6).verdict is Verdict.NOT_DISTINGUISHABLE
    folds = [{"fold": fold} for fold in range(5)]
    corrected = found(side([0.5, 0.6, 0.7, 0.4, 0.3], folds), side([0.4, 0.5, 0.6, 0.3, 0.2], folds))
    assert corrected.verdict is Verdict.NOT_DISTINGUISHABLE and corrected.p_value is None


def test_few_runs_one_run_and_none_are_called_so() -> None:
    few = found(side([0.99, 0.98, 0.97]), side(CHAMPION))
    assert few.few and few.verdict is Verdict.BETTER and "too few runs to be sure" in few.sentence
    one = found(side([0.99], seeds(0)), side(CHAMPION, seeds(*range(5))))
    assert one.verdict is Verdict.SINGLE_RUN and one.sentence.startswith("Single run, noise unknown")
    assert one.few and one.difference == pytest.approx(0.09) and one.low is None and one.p_value is None
    assert "Repeat the candidate." in one.sentence
    alone = found(side(CHAMPION), None)
    assert alone.verdict is Verdict.NO_CHAMPION and alone.sentence.startswith("No champion to compare with")
    assert len(alone.candidate) == 5
    nothing = found(side([], picked_from=12, left_out=("the search's own run",)), side(CHAMPION))
    assert nothing.verdict is Verdict.NO_DATA and "the candidate has no run with accuracy" in nothing.sentence
    assert "one of 12 trials" in nothing.sentence and "best" not in nothing.sentence
    assert nothing.left_out == ("The candidate: the search's own run",)
    same = side(CHAMPION)
    assert "the same configuration" in found(same, same).sentence
    assert found(same, same).verdict is Verdict.NOT_DISTINGUISHABLE


@pytest.mark.parametrize("diverged", [math.nan, math.inf, -math.inf])
def test_a_run_that_diverged_keeps_its_side_from_being_called_the_better_one(diverged: float) -> None:
    good = [each + 0.5 for each in CHAMPION]
    evidence = found(side([*good, diverged]), side(CHAMPION))
    assert evidence.verdict is Verdict.NOT_DISTINGUISHABLE and len(evidence.candidate) == 5
    assert "1 run of the candidate diverged" in evidence.sentence and "may be chance" not in evidence.sentence
    assert evidence.left_out == ("The candidate: 1 run diverged",)
    # There is no mean over others where none is left.
    none_left = found(side([diverged]), side(CHAMPION)).sentence
    assert none_left.endswith("1 run of the candidate diverged.") and "flatters" not in none_left
    # It makes the other side no better than its runs say.
    assert found(side(good), side([*CHAMPION, diverged])).verdict is Verdict.BETTER
    assert found(side(CHAMPION), side([*good, diverged])).verdict is Verdict.NOT_DISTINGUISHABLE


@pytest.mark.parametrize("size", [1e-310, 1e-150, 1e150, 1e307])
def test_sizes_near_the_ends_of_floats_change_nothing_but_the_units(size: float) -> None:
    ours, theirs = [1.0, 1.2, 1.1, 1.3], [0.1, 0.3, -0.2, 0.2, 0.0]
    plain = found(side(ours), side(theirs), margin=0.1)
    scaled = found(side([size * v for v in ours]), side([size * v for v in theirs]), margin=0.1 * size)
    assert scaled.verdict is plain.verdict is Verdict.BETTER
    assert scaled.p_value == pytest.approx(plain.p_value, rel=1e-3)
    assert scaled.effect == pytest.approx(plain.effect, rel=1e-3)
    assert scaled.low is not None and scaled.low / size == pytest.approx(plain.low, rel=1e-3)
    # One such among small ones is noise, not a victory.
    assert found(side([*ours, size * 10]), side(ours)).verdict is Verdict.NOT_DISTINGUISHABLE


def test_a_bootstrap_is_asked_for_and_needs_twenty_runs_a_side() -> None:
    rng = np.random.default_rng(2)
    first, second = list(rng.normal(1, 1, 25)), list(rng.normal(0, 1, 20))
    evidence = found(side(first), side(second), bootstrap=True)
    plain = found(side(first), side(second))
    assert (evidence.method, plain.method) == ("bootstrap", "welch")
    assert evidence == found(Side(evidence.candidate), Side(evidence.champion), bootstrap=True)
    assert (evidence.low, evidence.high) == pytest.approx((plain.low, plain.high), abs=0.15)
    mirrored = found(side([-v for v in first]), side([-v for v in second]), Goal.MINIMIZE, bootstrap=True)
    assert mirrored.p_value == pytest.approx(evidence.p_value) and mirrored.verdict is evidence.verdict
    with pytest.raises(InvalidValue, match="20 on each side"):
        found(side(first), side(second[:19]), bootstrap=True)
    folds = [{"seed": seed, "fold": fold} for seed in range(4) for fold in range(5)]
    with pytest.raises(InvalidValue, match="not independent"):
        found(side(first[:20], folds), side(second, folds), bootstrap=True)


def test_sentences_stay_short_and_say_small_and_large_numbers_in_full() -> None:
    rng = np.random.default_rng(4)
    for size in (1e-9, 1e-4, 1.0, 123456.0, 1e12):
        noise = rng.normal(size=(2, 6)) * size
        evidence = found(side(list(noise[0])), side(list(noise[1])), at="best")
        assert evidence.sentence.count(".") < 12 and len(evidence.sentence) < 260
        assert "accuracy (best)" in evidence.sentence and "interval -0 " not in evidence.sentence


def test_runs_with_equal_repeat_values_are_one_repeat_their_mean() -> None:
    same = found(side([0.90, 0.93, 0.91, 0.92, 0.94], seeds(0, 0, 0, 0, 0)), side(CHAMPION, seeds(*range(5))))
    assert same.verdict is Verdict.SINGLE_RUN and same.few and len(same.candidate) == 1
    assert same.candidate[0].value == pytest.approx(0.92)
    assert same.left_out[0] == "The candidate: 5 runs of seed=0 count as one repeat, their mean"
    assert same.sentence.endswith("Runs with equal repeat params count as one, their mean.")
    # Two seeds three times each are two pairs, and 0 is 0.0.
    noise = [0.0, 0.01, 0.02]
    ours = side([0.9 + off for off in (*noise, *noise)], seeds(0, 0.0, 0, 1, 1, 1))
    pairs = found(ours, side([0.8, 0.81, 0.82, 0.7, 0.71, 0.72], seeds(0, 0, 0, 1, 1, 1)))
    assert (pairs.method, pairs.pairs, pairs.few) == ("paired", 2, True)
    assert pairs.difference == pytest.approx(0.15)
    # Copies may not outvote what diverged; runs without a repeat param stay as many as they are.
    assert found(side([0.9, math.nan], seeds(0, 0)), side(CHAMPION)).left_out == (
        "The candidate: 1 run diverged",
    )
    assert len(found(side([0.9] * 3), side(CHAMPION)).candidate) == 3
    # Nothing but their folds tells these runs apart, of which each has several.
    points = [EvidencePoint(run, 0.5, {"fold": fold}) for run in "ab" for fold in range(3)]
    assert found(Side(tuple(points)), side(CHAMPION)).left_out == ()
    many = found(side([0.5] * 10, seeds(*range(5), *range(5))), side(CHAMPION))
    assert many.left_out[-1] == "The candidate: runs of 2 further repeats count as one each, their mean"


def test_where_failures_break_pairs_what_matches_is_compared_when_that_is_enough() -> None:
    ours, theirs = [0.95, 0.93, 0.96, 0.94, 0.97, 0.99, 0.9], [0.9, 0.91, 0.89, 0.92, 0.9, 0.88, 0.93]
    enough = found(side(ours, seeds(*range(7))), side(theirs, seeds(0, 1, 2, 3, 4, 15, 16)))
    assert (enough.method, enough.pairs) == ("paired", 5)
    assert enough.left_out == (
        "The candidate: 2 runs have no partner on the other side",
        "The champion: 2 runs have no partner on the other side",
    )
    three = found(side(ours[:5], seeds(*range(5))), side(theirs[:5], seeds(0, 1, 2, 13, 14)))
    assert (three.method, three.pairs) == ("welch", 0)
    assert "5 runs against 5, not paired, as only 3 of 5 have a partner; higher" in three.sentence
    # Of seeds that were never the same there is nothing to say.
    apart = found(side(ours, seeds(*range(7))), side(theirs, seeds(*range(7, 14))))
    assert apart.method == "welch" and "not paired" not in apart.sentence
    # Five of twelve would leave most of what is known unread.
    long = side([*ours, *theirs][:12], seeds(*range(12)))
    assert found(long, side([*theirs, *ours][:12], seeds(*range(7, 19)))).method == "welch"


def test_equal_differences_are_told_from_differences_that_are_small_beside_the_values() -> None:
    base = side([1e15] * 5, seeds(*range(5)))
    other = found(side([1e15 + place % 2 for place in range(5)], seeds(*range(5))), base)
    assert other.method == "paired" and "by the same amount" not in other.sentence
    assert other.p_value == pytest.approx(stats.ttest_1samp([0, 1, 0, 1, 0], 0, alternative="greater").pvalue)
    assert other.difference == pytest.approx(0.4)
    values = [0.3, 0.7, 0.8]
    above = [float(np.nextafter(value, 1)) for value in values]
    rounded = found(side(above, seeds(0, 1, 2)), side(values, seeds(0, 1, 2)))
    assert rounded.verdict is Verdict.NOT_DISTINGUISHABLE
    assert "accuracy is the same but for rounding in each of 3 pairs" in rounded.sentence


def test_the_largest_numbers_are_compared_and_have_not_diverged() -> None:
    large = found(side([1.5e308, 1.6e308, 1.7e308]), side([-1.5e308, -1.6e308, -1.7e308]))
    assert large.verdict is Verdict.BETTER and large.left_out == ()
    assert large.difference is None and "further apart than a number can say" in large.sentence
    json.dumps(asdict(large), allow_nan=False)
    copies = found(side([1.6e308, 1.7e308], seeds(0, 0)), side(CHAMPION))
    assert copies.candidate[0].value == pytest.approx(1.65e308)


@pytest.mark.parametrize("goal", list(Goal))
def test_every_comparison_says_which_direction_is_better(goal: Goal) -> None:
    told = "higher is better" if goal is Goal.MAXIMIZE else "lower is better"
    steps = seeds(*range(5))
    for ours, theirs in (
        (side([1.0, 1.1, 1.2]), side(CHAMPION)),
        (side([1.0]), side(CHAMPION)),
        (side([1.0] * 3), side([0.5] * 3)),
        (side([each + 0.5 for each in CHAMPION], steps), side(CHAMPION, steps)),
    ):
        assert told in found(ours, theirs, goal).sentence


VALUES = st.one_of(st.floats(), st.sampled_from([0.0, -0.0, 1.0, 0.5, 1e300, -1e300, 1e-320]))
SIDES = st.lists(st.tuples(VALUES, st.integers(0, 4)), max_size=8)


@settings(max_examples=150, deadline=None)
@given(SIDES, SIDES, st.sampled_from(list(Goal)), st.sampled_from(["", "seed", "fold"]), st.floats(0, 1e300))
def test_whatever_was_logged_nothing_is_claimed_that_the_numbers_do_not_say(
    ours: list[tuple[float, int]], theirs: list[tuple[float, int]], goal: Goal, name: str, margin: float
) -> None:
    one, two = (
        side([value for value, _ in each], [{name: key} if name else {} for _, key in each])
        for each in (ours, theirs)
    )
    evidence, mirrored = found(one, two, goal, margin=margin), found(two, one, goal, margin=margin)
    json.dumps(asdict(evidence), allow_nan=False)  # as the journal keeps it
    for number in (evidence.p_value, evidence.probability):
        assert number is None or 0 <= number <= 1
    if evidence.low is not None and evidence.high is not None and evidence.difference is not None:
        assert evidence.low <= evidence.difference <= evidence.high
    opposite = {Verdict.BETTER: Verdict.WORSE, Verdict.WORSE: Verdict.BETTER}
    assert mirrored.verdict is opposite.get(evidence.verdict, evidence.verdict)
    if evidence.verdict is Verdict.BETTER:
        sign = 1 if goal is Goal.MAXIMIZE else -1
        assert evidence.p_value is not None and evidence.p_value < 0.05
        assert sign * (evidence.difference or 0) > margin
        assert min(len(evidence.candidate), len(evidence.champion)) > 1
        assert all(math.isfinite(value) for value, _ in ours)
    assert evidence.sentence and "nan" not in evidence.sentence.split() and "None" not in evidence.sentence
