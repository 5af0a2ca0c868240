"""A configuration that is better is not enough: the version's own run, the goal and the data have to be right too."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

import tracking
from tests.registry.making import X, fitted
from tracking import GateResult
from tracking.store import Store

HARD, EASY = pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [3, 4]})


def run_of(
    store: Store,
    seed: int,
    accuracy: float | None,
    *,
    lr: float = 0.1,
    data: pd.DataFrame | None = None,
    more: Sequence[str] = (),
    seeded: bool = True,
) -> str:
    params = {"lr": lr, "seed": seed if seeded else None}
    with tracking.start_run(
        "digits", params=params, store=store.location.root, capture=False, strict=True
    ) as run:
        run.define_metric("accuracy", goal="maximize")
        run.log({"other": 1.0} if accuracy is None else {"accuracy": accuracy})
        for name in ("test", *more):
            if data is not None:
                run.log_dataset(data, name)
        run.log_model(fitted(0), "model", input_example=X[:3])
    return run.id


def champion(
    store: Store, accuracy: float = 0.8, *, data: pd.DataFrame | None = None, more: Sequence[str] = ()
) -> None:
    runs = [run_of(store, seed, 0.8 + seed / 1000, data=data, more=more) for seed in range(5)]
    store.register("digits", runs[0])
    store.promote("digits", 1)


def asked(store: Store, run: str, *lines: str) -> list[GateResult]:
    version = store.register("digits", run)
    store.set_gates("digits", lines)
    return list(store.check_promotion("digits", version.number).gates)


def others(store: Store, accuracy: float = 0.95, *, data: pd.DataFrame | None = None) -> list[str]:
    return [run_of(store, seed, accuracy + seed / 997, lr=0.2, data=data) for seed in range(5)]


def test_a_run_that_is_worse_and_not_compared_is_not_its_configuration(store: Store) -> None:
    champion(store)
    good = others(store)
    bad = run_of(store, 9, 0.5, lr=0.2)
    (result,) = asked(store, bad, "better(accuracy)")
    assert not result.passed
    assert "digits/2 itself came to 0.5, no better than digits/1's 0.802 on average" in result.found
    (result,) = asked(store, good[0], "better(accuracy)")
    assert result.passed, result.found


def test_a_good_run_without_a_partner_is_promoted(store: Store) -> None:
    champion(store)
    others(store)
    (result,) = asked(store, run_of(store, 9, 0.96, lr=0.2), "better(accuracy)")
    assert result.passed, result.found


def test_a_run_without_the_metric_is_not_better_by_what_others_logged(store: Store) -> None:
    champion(store)
    others(store)
    (result,) = asked(store, run_of(store, 9, None, lr=0.2), "better(accuracy)")
    assert not result.passed and "the run of digits/2 has no accuracy that counts" in result.found


def test_a_goal_that_turned_round_is_not_believed(store: Store) -> None:
    champion(store)
    worse = [run_of(store, seed, 0.6 + seed / 997, lr=0.2) for seed in range(5)]
    (result,) = asked(store, worse[0], "better(accuracy)")
    assert not result.passed and result.found.startswith("Worse")
    with tracking.start_run("digits", store=store.location.root, capture=False) as run:
        run.define_metric("accuracy", goal="minimize")
    (result,) = asked(store, worse[1], "better(accuracy)")
    assert not result.passed
    assert (
        "of accuracy lower is better, as it is defined now, while higher is better was held" in result.found
    )
    (result,) = asked(store, worse[2], "better(accuracy, goal=minimize)")
    assert result.passed, "said by whoever set the gate"


def test_evidence_on_other_data_does_not_count_as_the_same(store: Store) -> None:
    champion(store, data=HARD)
    others(store, data=EASY)
    own = run_of(store, 9, 0.96, lr=0.2, data=HARD)
    better, same = asked(store, own, "better(accuracy)", "same data")
    assert better.passed and not same.passed
    assert "other data than any of the other side: test (5 of 6)" in same.found


def test_a_dataset_of_the_holder_that_is_missing_is_not_the_same_data(store: Store) -> None:
    champion(store, data=HARD, more=("train",))
    (result,) = asked(store, run_of(store, 0, 0.9, lr=0.2, data=HARD), "same data")
    assert not result.passed and "digits/1 was made with train too" in result.found
    (result,) = asked(store, run_of(store, 1, 0.9, lr=0.2, data=HARD), "same data: test")
    assert result.passed, result.found


def test_runs_whose_seed_is_none_are_repeats(store: Store) -> None:
    runs = [run_of(store, seed, 0.9 + seed / 100, seeded=False) for seed in range(5)]
    (result,) = asked(store, runs[0], "repeats >= 5")
    assert (result.passed, result.found) == (True, "5")


def test_to_retire_a_champion_does_not_clear_the_way_for_a_worse_one(store: Store) -> None:
    champion(store, data=EASY)
    worse = [run_of(store, seed, 0.6 + seed / 997, lr=0.2, data=HARD) for seed in range(5)]
    version = store.register("digits", worse[0])
    store.set_gates("digits", ["better(accuracy)", "same data"])
    store.retire("digits")
    check = store.check_promotion("digits", version.number)
    assert (check.holder, check.rival, [each.passed for each in check.gates]) == (None, 1, [False, False])
    better, same = check.gates
    assert better.found.startswith("Worse") and "digits/1 is the last that was champion" in better.found
    assert "other data than digits/1" in same.found
    again = store.check_promotion("digits", 1)
    assert (again.rival, again.passed) == (None, True), "the retired one has nobody to beat"


def test_runs_that_were_thrown_away_are_named_where_the_verdict_is(store: Store) -> None:
    champion(store)
    good = others(store)
    bad = run_of(store, 9, 0.3, lr=0.2)
    store.delete_run(bad)
    (result,) = asked(store, good[0], "better(accuracy)")
    assert result.passed and result.found.endswith("Not counted: The candidate: 1 run in the trash."), (
        result.found
    )


def test_one_that_got_there_by_override_and_was_retired_has_to_beat_who_was_there_before(
    store: Store,
) -> None:
    champion(store)
    worse = [run_of(store, seed, 0.6 + seed / 997, lr=0.2) for seed in range(5)]
    version = store.register("digits", worse[0])
    store.set_gates("digits", ["better(accuracy)"])
    store.promote("digits", version.number, override=True, reason="a trial")
    store.retire("digits")
    check = store.check_promotion("digits", version.number)
    assert (check.holder, check.rival, check.passed) == (None, 1, False)
    third = [run_of(store, seed, 0.65 + seed / 997, lr=0.3) for seed in range(5)]
    (result,) = asked(store, third[0], "better(accuracy)")
    assert result.passed and "digits/2 became champion against its gates" in result.found
    entry = store.promote("digits", 3)
    assert (entry.previous, entry.details["rival"]) == (None, 2)


def test_runs_that_were_removed_for_good_are_named_where_the_verdict_is(store: Store) -> None:
    champion(store)
    good = others(store)
    (result,) = asked(store, good[0], "better(accuracy)")
    assert result.passed and "deleted for good" not in result.found
    store.promote("digits", 2)
    more = [run_of(store, seed, 0.998 + seed / 9970, lr=0.3) for seed in range(5)]
    store.delete_run(good[4])
    store.gc()
    (result,) = asked(store, more[0], "better(accuracy)")
    assert result.found.endswith("1 run that their evidence named before was deleted for good since."), result
