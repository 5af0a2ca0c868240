"""What evidence comes to, in one or two plain sentences."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tracking.records import Goal
from tracking.registry_records import Evidence, Verdict


@dataclass(frozen=True, slots=True)
class Story:
    """What a sentence tells beside the evidence's own fields.

    Attributes:
        names: The params that pair the runs.
        folds: How many folds of a cross-validation the runs are, 0 for none.
        diverged: How many of the candidate's runs diverged.
        champion_diverged: How many of the champion's.
        single: Whether the candidate and whether the champion has a single run.
        noiseless: Nothing that is compared differs from run to run.
        rounded: What differs differs by no more than rounding does.
        same: Both sides are runs of one configuration.
        merged: Runs with equal repeat params were made one.
        matching: How many runs of the smaller side have a partner on the other, and of how many.
    """

    names: tuple[str, ...] = ()
    folds: int = 0
    diverged: int = 0
    champion_diverged: int = 0
    single: tuple[bool, bool] = (False, False)
    noiseless: bool = False
    rounded: bool = False
    same: bool = False
    merged: bool = False
    matching: tuple[int, int] = (0, 0)


def sentence(evidence: Evidence, story: Story) -> str:
    """Return what evidence comes to."""
    said = [_verdict(evidence, story)]
    said += _diverged(evidence, story)
    if evidence.method and evidence.few and not story.noiseless:
        ours, theirs = _distinct(evidence)
        is_plain = (ours, theirs) == (len(evidence.candidate), len(evidence.champion))
        count = evidence.pairs if evidence.pairs and is_plain else min(ours, theirs)
        what = "pairs are" if evidence.pairs and is_plain else "runs on a side are"
        said.append(f"{count} {what} too few runs to be sure.")
    if story.merged and not story.same:
        said.append("Runs with equal repeat params count as one, their mean.")
    return " ".join(said)


def _diverged(evidence: Evidence, story: Story) -> list[str]:
    """Return what runs that diverged do to the comparison; of a mean only where there is one."""
    ours, theirs = story.diverged, story.champion_diverged
    if not (ours or theirs):
        return []
    whose = [
        *([f"{_runs(ours)} of the candidate"] if ours else []),
        *([f"{theirs if ours else _runs(theirs)} of the champion"] if theirs else []),
    ]
    said = f"{' and '.join(whose)} diverged"
    if not evidence.candidate or (evidence.verdict is not Verdict.NO_CHAMPION and not evidence.champion):
        return [f"{said}."]
    if ours and theirs:
        return [f"{said}: the means are over the others, which flatters both."]
    it = "it is not called better" if ours else "the candidate is not called worse"
    return [f"{said}: its mean is over the others, which flatters, so {it}."]


def _verdict(evidence: Evidence, story: Story) -> str:
    metric = evidence.metric if evidence.at == "last" else f"{evidence.metric} ({evidence.at})"
    ours, theirs = len(evidence.candidate), len(evidence.champion)
    match evidence.verdict:
        case Verdict.NO_CHAMPION:
            known = (
                f"the candidate has {_runs(ours)} with {metric}" if ours else f"no run with {metric} counts"
            )
            return f"No champion to compare with; {known}{_picked(evidence)}."
        case Verdict.NO_DATA:
            return f"Nothing to compare: {_missing(metric, ours, theirs)}{_picked(evidence)}."
        case Verdict.SINGLE_RUN:
            return (
                f"Single run, noise unknown: {metric} is {_difference(evidence)} ({_counts(evidence)}; "
                f"{_direction(evidence)}), and one run says nothing of how far the next one may be off"
                f"{_picked(evidence)}. Repeat {_who(story.single)}."
            )
    if story.same:
        return (
            "Not distinguishable: both are runs of the same configuration, so there is nothing to tell apart."
        )
    if story.noiseless:
        return _noiseless(metric, evidence, story)
    return f"{_judgement(metric, evidence, story)} ({_facts(evidence, story)}){_picked(evidence)}."


def _judgement(metric: str, evidence: Evidence, story: Story) -> str:
    found = f"{metric} is {_difference(evidence)} on average"
    margin = _number(evidence.margin) if evidence.margin else ""
    if evidence.verdict is Verdict.BETTER:
        return f"Better: {found}" + (f", by more than the margin of {margin}" if margin else "")
    if evidence.verdict is Verdict.WORSE:
        return f"Worse: {found}" + (f", by more than the margin of {margin}" if margin else "")
    if story.diverged or story.champion_diverged:
        return f"Not distinguishable: {found}"
    return f"Not distinguishable: {found}" + (
        f", which may be less than the margin of {margin}" if margin else ", which may be chance"
    )


def _noiseless(metric: str, evidence: Evidence, story: Story) -> str:
    difference, direction = _difference(evidence), _direction(evidence)
    differs = bool(evidence.difference) and not story.rounded
    alike = "the same but for rounding" if evidence.difference and not differs else "the same"
    if evidence.p_value is not None and differs:
        return _steady(f"{metric} is {difference} in each of {evidence.pairs} pairs", evidence, story)
    if evidence.pairs:
        each = f"in each of {evidence.pairs} pairs"
        how = f"{difference} {each}, by the same amount ({direction})" if differs else f"{alike} {each}"
    else:
        each = f"in all runs of a side ({_counts(evidence)}; {direction})"
        how = f"{difference}, and the same {each}" if differs else f"{alike} {each}"
    begin = "Not distinguishable from noise" if differs else "Not distinguishable"
    return (
        f"{begin}: {metric} is {how}. Runs that do not differ show no noise, so nothing says how sure that is"
        f"{_picked(evidence)}. Vary what the result depends on, as the seed or the folds."
    )


def _steady(found: str, evidence: Evidence, story: Story) -> str:
    """Return what pairs come to that differ from each other, but not in what one run is ahead of the other."""
    verdict = {Verdict.BETTER: "Better", Verdict.WORSE: "Worse"}.get(
        evidence.verdict, "Not distinguishable from noise"
    )
    chance = f"by chance all come out on this side once in {2**evidence.pairs:,} times"
    if evidence.margin:
        chance += f"; the margin is {_number(evidence.margin)}"
    by = f", paired by {' and '.join(story.names)}" if story.names else ""
    return (
        f"{verdict}: {found}, by the same amount{by} ({_direction(evidence)}); that gives no interval, and "
        f"{chance}{_picked(evidence)}."
    )


def _facts(evidence: Evidence, story: Story) -> str:
    said = []
    if evidence.low is not None and evidence.high is not None:
        places = _places(evidence)
        low, high = _number(evidence.low, places), _number(evidence.high, places)
        said.append(f"{_level(evidence.confidence)} interval {low} to {high}")
    said.append(_counts(evidence))
    if story.names and evidence.pairs:
        said.append(f"paired by {' and '.join(story.names)}")
    elif 0 < story.matching[0] and not evidence.pairs:
        match, of = story.matching
        said.append(f"not paired, as only {match} of {of} {'has' if match == 1 else 'have'} a partner")
    if evidence.method == "corrected":
        said.append(f"corrected for what {story.folds} folds share")
    elif evidence.method == "bootstrap":
        said.append("by a bootstrap")
    return f"{', '.join(said)}; {_direction(evidence)}"


def _direction(evidence: Evidence) -> str:
    return "higher is better" if evidence.goal is Goal.MAXIMIZE else "lower is better"


def _difference(evidence: Evidence) -> str:
    difference = evidence.difference
    if difference is None:
        return "further apart than a number can say"
    if difference == 0:
        return "the same"
    size = _number(abs(difference), _places(evidence))
    return f"{size} {'higher' if difference > 0 else 'lower'}"


def _distinct(evidence: Evidence) -> tuple[int, int]:
    """Return how many runs there are on each side, of which each may have a value for each of its folds."""
    return len({each.run for each in evidence.candidate}), len({each.run for each in evidence.champion})


def _counts(evidence: Evidence) -> str:
    ours, theirs = _distinct(evidence)
    if ours < len(evidence.candidate):
        values = (
            f"{evidence.pairs:,} pairs of" if evidence.pairs else f"{len(evidence.candidate):,} values of"
        )
        return f"{values} folds, {_runs(ours)} against {theirs:,}"
    if evidence.pairs:
        return f"{_runs(evidence.pairs)} against {evidence.pairs}"
    return f"{_runs(len(evidence.candidate))} against {len(evidence.champion)}"


def _picked(evidence: Evidence) -> str:
    if evidence.picked_from is None or evidence.picked_from < 2:
        return ""
    return f"; the candidate is one of {evidence.picked_from:,} trials of a search, and only runs made after it count"


def _missing(metric: str, ours: int, theirs: int) -> str:
    if not ours and not theirs:
        return f"neither side has a run with {metric} that counts"
    return f"the {'champion' if ours else 'candidate'} has no run with {metric} that counts"


def _who(single: tuple[bool, bool]) -> str:
    return {(True, False): "the candidate", (False, True): "the champion"}.get(single, "both")


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count:,} runs"


def _level(confidence: float) -> str:
    return f"{confidence * 100:.4g}%"


def _places(evidence: Evidence) -> int | None:
    """Return how many decimals show two digits of the difference and of the interval's width, or None for any."""
    sizes = [abs(evidence.difference or 0.0)]
    if evidence.low is not None and evidence.high is not None:
        sizes.append(evidence.high - evidence.low)
    sizes = [size for size in sizes if size > 0]
    if not sizes or not 1e-6 <= max(sizes) or max(sizes) >= 1e7:
        return None
    # A difference of nearly nothing must not make the interval long.
    smallest = max(min(sizes), max(sizes) / 100)
    return max(0, 1 - math.floor(math.log10(smallest)))


def _number(number: float, places: int | None = None) -> str:
    if places is None:
        return f"{number:.3g}"
    text = f"{number:.{places}f}"
    return text if float(text) else text.removeprefix("-")
