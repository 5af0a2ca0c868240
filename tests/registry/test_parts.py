"""A run whose child runs logged the models: which one becomes a version is said, never picked."""

from __future__ import annotations

from pathlib import Path

import pytest

import tracking
from tests.registry.grouping import Place
from tests.registry.making import fitted, logged, predicts
from tracking.store import Store


def parent_of(folder: Path, accuracy: float = 0.9) -> str:
    """Log a run that has no model of its own."""
    with tracking.start_run(
        "digits", params={"lr": 0.1}, store=folder, capture=False, strict=True, name="all seeds"
    ) as run:
        run.log({"accuracy": accuracy})
    return run.id


def test_the_refusal_names_the_children_that_have_the_model(store: Store, store_folder: Path) -> None:
    parent = parent_of(store_folder)
    other = logged(store_folder, 3)
    first, second = (logged(store_folder, seed, seed=seed, parent=parent) for seed in (1, 2))
    with pytest.raises(tracking.NotFound) as refused:
        store.register("digits", parent)
    said = str(refused.value)
    assert said.startswith(f"Run {parent} has no artifact 'model'.")
    assert "2 of its child runs have one; register the one that you mean by its id: " in said
    names = {run: store.run(run).name for run in (first, second)}
    assert f"{first} ({names[first]}, seed=1), {second} ({names[second]}, seed=2)." in said
    assert other not in said and "lr=" not in said
    assert store.models() == []  # nothing was picked
    version = store.register("digits", second)
    assert version.lineage["parent"] == parent
    assert predicts(tracking.load_model("digits/1", store=store_folder)) == predicts(fitted(2))


def test_only_what_may_become_a_version_is_named(store: Store, store_folder: Path) -> None:
    parent = parent_of(store_folder)
    with pytest.raises(tracking.NotFound) as refused:
        store.register("digits", parent)
    assert "child" not in str(refused.value)
    kept, gone = (logged(store_folder, seed, seed=seed, parent=parent) for seed in (1, 2))
    with tracking.start_run("digits", parent=parent, store=store_folder, capture=False) as failed:
        failed.log_confusion_matrix([0, 1], [0, 1], "model")
        failed.log_text("weights", "weights")
        failed.finish("failed")
    store.delete_run(gone)
    assert [run.id for run in store.children_with_models(parent)] == [kept]
    with pytest.raises(tracking.NotFound, match=f"Its child run {kept} .* has one: register that one"):
        store.register("digits", parent)
    with pytest.raises(tracking.NotFound, match=f"Its child run {failed.id} \\(.*, failed\\) has one"):
        store.register("digits", parent, artifact="weights")
    # A name that nobody has logged is not looked for in other names.
    with pytest.raises(tracking.NotFound) as refused:
        store.register("digits", parent, artifact="absent")
    assert "child" not in str(refused.value)
    with pytest.raises(tracking.NotFound, match="There is no run 'absent'"):
        store.children_with_models("absent")


def test_a_parent_with_a_model_of_its_own_is_taken_itself(store: Store, store_folder: Path) -> None:
    parent = logged(store_folder, 0)
    logged(store_folder, 1, seed=1, parent=parent)
    assert store.register("digits", parent).run == parent
    with pytest.raises(tracking.NotFound) as refused:
        store.register("digits", parent, step=5)  # it has a model, though not of this step
    assert "child" not in str(refused.value)


def test_many_children_are_named_in_part(store: Store, store_folder: Path) -> None:
    parent = parent_of(store_folder)
    children = []
    for seed in range(7):
        with tracking.start_run(
            "digits",
            params={"seed": seed, "note": "x\n" * 50},
            parent=parent,
            store=store_folder,
            capture=False,
        ) as run:
            run.log_text(f"model {seed}", "model")
        children.append(run.id)
    with pytest.raises(tracking.NotFound) as refused:
        store.register("digits", parent)
    said = str(refused.value)
    assert "7 of its child runs have one" in said and said.endswith(" and 2 more.")
    assert [child in said for child in children] == [True] * 5 + [False] * 2
    assert "\n" not in said
    assert store.children_with_models(parent) == []  # files that were named so, not logged with log_model


def test_any_repeat_of_a_trial_has_the_evidence_of_all(tmp_path: Path) -> None:
    place = Place(tmp_path)
    (trial,) = place.sweep("digits", [{"lr": 0.1}])
    repeats = [
        place.child(trial, index, 0.9 + index / 100, experiment="digits", lr=0.1, seed=index)
        for index in range(3)
    ]
    for index, repeat in enumerate(repeats):
        with tracking.start_run(resume=repeat, store=place.location.root, capture=False) as run:
            run.log_model(fitted(index), "model")
    with tracking.open_store(place.location.root) as store:
        assert [run.id for run in store.children_with_models(trial)] == repeats
        assert [run.id for run in store.children_with_models(trial, limit=1)] == repeats[:1]
        with pytest.raises(tracking.NotFound, match=f"3 of its child runs .*{repeats[0]} .*seed=0"):
            store.register("digits", trial)
        for repeat in repeats:
            assert store.repeats_of(repeat) == repeats
