"""Who holds an alias: promotion by gates, rollback, retirement, and who held it when."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import tracking
from tests.registry.test_versions import logged
from tracking.errors import ArtifactDamaged, InvalidValue, NotFound, PromotionRefused, StoreDamaged
from tracking.registry import gates, promotion
from tracking.registry_records import Gate, GateKind, GateResult, JournalKind
from tracking.store import Store


@pytest.fixture
def model(store: Store, store_folder: Path) -> Store:
    """A store with a model `digits` of four versions."""
    for number in range(4):
        store.register("digits", logged(store_folder, f"model {number}", seed=number))
    return store


def rows(store: Store) -> list[tuple[str, int | None, int | None]]:
    """Return kind, version and previous of the rows of the journal that are about an alias."""
    return [(entry.kind.value, entry.version, entry.previous) for entry in store.journal() if entry.alias]


def test_each_row_says_what_it_replaced(model: Store) -> None:
    for number in (1, 2, 3):
        model.promote("digits", number, reason=f"number {number}")
    assert model.resolve("digits@champion").number == 3
    assert model.rollback_target("digits") == 2
    assert model.rollback("digits", reason="worse").version == 2
    assert model.rollback("digits").version == 1, "another rollback goes one further back, not forth again"
    with pytest.raises(NotFound, match="Nobody held champion of digits before version 1"):
        model.rollback("digits")
    model.promote("digits", 4)
    model.retire("digits")
    with pytest.raises(NotFound, match="Nobody holds champion of digits"):
        model.resolve("digits@champion")
    with pytest.raises(NotFound, match="nothing to retire"):
        model.retire("digits")
    assert model.rollback("digits").version == 4, "to the one that had it last"
    assert rows(model) == [
        ("promote", 1, None),
        ("promote", 2, 1),
        ("promote", 3, 2),
        ("rollback", 2, 3),
        ("rollback", 1, 2),
        ("promote", 4, 1),
        ("retire", None, 4),
        ("rollback", 4, None),
    ]
    assert model.version("digits", 4).aliases == ("champion",)
    assert model.version("digits", 3).aliases == ()
    assert model.verify_registry().problems == ()


def test_aliases_are_apart_and_look_alikes_are_one(model: Store) -> None:
    model.promote("digits", 1, alias="Pre-Prod")
    model.promote("digits", 2, alias="champion")
    model.promote("digits", 3, alias="pre_prod")
    assert model.model("digits").holders == {"champion": 2, "pre-prod": 3}
    assert model.resolve("Digits@PRE.PROD").number == 3
    assert model.journal()[-1].previous == 1
    assert {entry.model for entry in model.journal("DIGITS")} == {"digits"}


def test_who_held_it_on_that_day(model: Store) -> None:
    first = model.promote("digits", 1).at
    second = model.promote("digits", 2).at
    model.retire("digits")
    at = partial(model.resolve, "digits@champion")
    assert at(at=first).number == 1
    assert at(at=second - timedelta(microseconds=1)).number == 1
    assert at(at=second.isoformat()).number == 2
    for moment in (first - timedelta(microseconds=1), (first - timedelta(days=1)).date(), first.date()):
        with pytest.raises(NotFound, match="Nobody held champion of digits at"):
            at(at=moment)


def test_a_refusal_lists_every_gate_and_is_in_the_journal(model: Store) -> None:
    wanted = [
        Gate(GateKind.METRIC, metric="accuracy", bound=0.95),
        Gate(GateKind.METRIC, metric="accuracy", bound=0.5),
        Gate(GateKind.METRIC, metric="accuracy", bound=0.99, alias="production"),
    ]
    entry = model.set_gates("digits", wanted, reason="rules")
    assert (entry.kind, entry.reason, len(entry.details["gates"])) == (JournalKind.GATES, "rules", 3)
    check = model.check_promotion("digits", 1)
    assert [result.passed for result in check.gates] == [False, True]
    assert not check.passed
    assert model.journal()[-1] == entry, "a check writes nothing"
    with pytest.raises(PromotionRefused) as caught:
        model.promote("digits", 1, reason="please")
    assert "1 of 2 gates did not pass" in str(caught.value)
    assert str(caught.value).count("accuracy") == 2
    assert caught.value.check == check
    refused = model.journal()[-1]
    assert (refused.kind, refused.version, refused.reason) == (JournalKind.REFUSE, 1, "please")
    assert refused.gates == check.gates
    with pytest.raises(NotFound):
        model.resolve("digits@champion")
    for nothing in ("  ", "\u200b", "\u00a0\u2060", "\u3164\u2800", "\ufe0f"):
        with pytest.raises(InvalidValue, match="needs a reason"):
            model.promote("digits", 1, override=True, reason=nothing)
    forced = model.promote("digits", 2, override=True, reason="the customer waits")
    assert forced.overridden and [result.passed for result in forced.gates] == [False, True]
    assert model.version("digits", 2).overridden == {"champion": "the customer waits"}
    assert "champion" in model.model("digits").overridden
    model.set_gates("digits", [])
    assert not model.promote("digits", 3).overridden
    assert model.version("digits", 2).overridden == {"champion": "the customer waits"}, "for ever"
    assert "champion" not in model.model("digits").overridden
    assert model.verify_registry().problems == ()


def asks(monkeypatch: pytest.MonkeyPatch, meanwhile: Any) -> list[int | None]:
    """Let gates do something meanwhile; returns who the holder was each time they were asked."""
    seen: list[int | None] = []

    def evaluate(context: promotion.Context) -> tuple[GateResult, ...]:
        seen.append(None if context.holder is None else context.holder.number)
        meanwhile(len(seen))
        return tuple(GateResult(gate, True, "anything", "that") for gate in context.gates)

    monkeypatch.setattr(gates, "evaluate", evaluate)
    return seen


def test_a_moved_alias_starts_the_promotion_again(
    model: Store, store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.set_gates("digits", ["clean git for champion"])
    with tracking.open_store(store_folder) as other:

        def meanwhile(time: int) -> None:
            if time == 1:
                other.promote("digits", 2, alias="staging")  # another alias is no reason
                other.promote("digits", 1)

        seen = asks(monkeypatch, meanwhile)
        entry = model.promote("digits", 3)
    # Ours, the other's own two (of which only the second is asked anything), and ours again.
    assert seen == [None, None, 1]
    assert (entry.version, entry.previous) == (3, 1)
    seen.clear()
    with tracking.open_store(store_folder) as other:

        def change(time: int) -> None:
            if time == 1:
                other.set_gates("digits", ["repeats >= 3"])
            elif time == 2:
                other.set_tags(other.version("digits", 2).run, ["changed"])
            elif time == 3:
                logged(store_folder, seed=9)  # a run that may be one more repeat

        seen = asks(monkeypatch, change)
        entry = model.promote("digits", 2)
    assert len(seen) == 4
    assert [result.gate.kind for result in entry.gates] == [GateKind.REPEATS]


def test_a_promotion_whose_ground_never_stays_still_is_refused(
    model: Store, store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.set_gates("digits", ["clean git"])
    monkeypatch.setattr(promotion, "_PAUSE", 0.0)
    with tracking.open_store(store_folder) as other:
        run = other.version("digits", 1).run
        seen = asks(monkeypatch, lambda time: other.set_tags(run, [str(time)]))
        with pytest.raises(PromotionRefused, match="kept changing") as caught:
            model.promote("digits", 1)
    assert caught.value.check is None, "the gates had passed"
    assert len(seen) == promotion.TRIES
    assert [entry.kind.value for entry in model.journal()][-1] == "refuse"
    assert model.model("digits").holders == {}


def test_a_sweep_that_goes_on_does_not_keep_a_promotion_from_its_end(
    model: Store, store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.set_gates("digits", ["clean git"])
    seen = asks(monkeypatch, lambda time: logged(store_folder, seed=100 + time))
    assert model.promote("digits", 1).version == 1
    assert len(seen) == promotion.STRICT_TRIES + 1


def test_rollback_verifies_the_bytes(model: Store, store_folder: Path) -> None:
    model.promote("digits", 1)
    model.promote("digits", 2)
    digest = model.version("digits", 1).digest
    path = store_folder / "objects" / digest[:2] / digest[2:]
    path.chmod(0o600)
    path.write_bytes(b"something else")
    with pytest.raises(ArtifactDamaged, match="digits/1"):
        model.rollback("digits")
    assert model.resolve("digits@champion").number == 2


def test_a_stranger_can_compute_the_digests(model: Store) -> None:
    """Only what the documentation says, with the standard library."""
    model.promote("digits", 1, reason='Größe "x"\n\x7f')
    lines = [json.loads(line) for line in model.export_journal()]
    previous = "0" * 64
    for row in lines[:-1]:
        digest = row.pop("digest")
        text = json.dumps(row, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        assert row["previous_digest"] == previous
        assert hashlib.sha256(text.encode()).hexdigest() == digest
        previous = digest
    assert lines[-1] == {"head": previous, "rows": 5}
    assert model.journal_head() == previous


def test_what_a_run_can_be_compared_with(model: Store, store_folder: Path) -> None:
    other = logged(store_folder, experiment="letters")
    mine = model.version("digits", 4).run
    assert model.champion_of(mine) == []
    model.promote("digits", 2)
    assert [version.name for version in model.champion_of(mine)] == ["digits/2"]
    assert model.champion_of(other) == []
    with pytest.raises(NotFound):
        model.champion_of("nothing")


def test_unknown_models_name_the_way_out(model: Store) -> None:
    with pytest.raises(NotFound, match="Did you mean 'digits'"):
        model.promote("digts", 1)
    with pytest.raises(NotFound, match="has no version 9. It has 1 to 4"):
        model.promote("digits", 9)
    assert rows(model) == []


def test_gates_that_somebody_made_unreadable_are_not_passed_by(model: Store) -> None:
    model.set_gates("digits", ["accuracy >= 0.5", "loads"])
    with model._engines.writers.begin() as connection:
        connection.exec_driver_sql("UPDATE models SET gates = replace(gates, 'loads', 'nothing')")
    with pytest.raises(StoreDamaged, match="gates of a model cannot be read"):
        model.promote("digits", 1)
    assert len(model.model("digits").gates) == 1, "the pages still show what can be read"
    assert "The gates of the model 'digits'" in model.verify_registry().problems[0]


def test_who_did_it_is_one_readable_line(model: Store) -> None:
    assert model.promote("digits", 1, by=" ada\x1b[2J\n\u202elovelace ").by == "ada[2J lovelace"
    for nobody in (7, "", "\u200b", "\x00 \x07"):
        with pytest.raises(InvalidValue, match="is no name of who does it"):
            model.promote("digits", 1, by=nobody)  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match="by= has 600 characters; who does it has up to 512"):
        model.promote("digits", 1, by="x" * 600)
