"""Whoever changes the journal, a version or a model's bytes behind Podium's back is found and named."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

import tracking
from tests.registry.making import logged

VERSIONS = 3


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with three versions, gates, a promotion, a refusal, an override and a rollback."""
    folder = tmp_path_factory.mktemp("tampering") / "store"
    runs = [logged(folder, number, accuracy=(7 + number) / 10) for number in range(VERSIONS)]
    with tracking.open_store(folder) as store:
        for run in runs:
            store.register("digits", run)
        store.promote("digits", 3)
        store.set_gates("digits", ["accuracy >= 0.75"])
        with pytest.raises(tracking.PromotionRefused):
            store.promote("digits", 1)
        store.promote("digits", 2, reason="smaller")
        store.promote("digits", 1, override=True, reason="for a test")
        store.rollback("digits")
        assert store.verify_registry().problems == ()
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    """A copy of the store."""
    return Path(shutil.copytree(original, tmp_path / "store"))


def execute(folder: Path, *statements: str, guarded: bool = False) -> None:
    """Execute statements; as somebody would who takes the guards away and puts them back."""
    with closing(sqlite3.connect(folder / "tracking.db")) as database:
        guards = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        taken = [] if guarded else database.execute(guards).fetchall()
        for name, _ in taken:
            database.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            database.execute(statement)
        for _, guard in taken:
            database.execute(guard)
        database.commit()


def problems(folder: Path, head: str | None = None) -> str:
    with tracking.open_store(folder) as store:
        return "\n".join(store.verify_registry(head=head).problems)


@pytest.mark.parametrize("table", ["registry_journal", "model_versions"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET rowid = rowid", "DELETE FROM {}"])
def test_the_database_refuses_to_change_what_was_written(table: str, statement: str, folder: Path) -> None:
    before = problems(folder)
    columns = {"registry_journal": "reason = 'x'", "model_versions": "digest = 'x'"}
    text = statement.format(table).replace("rowid = rowid", columns[table])
    with pytest.raises(sqlite3.IntegrityError, match="never|kept|only"):
        execute(folder, text, guarded=True)
    assert problems(folder) == before == ""


OTHER = 'at, kind, model, alias, version, previous, "by", reason, overridden, gates, evidence, details'
REPLACING = {
    "a row": "INSERT OR REPLACE INTO registry_journal SELECT * FROM registry_journal WHERE position = 2",
    "a row by its digest": f"INSERT OR REPLACE INTO registry_journal SELECT 10, {OTHER}, previous_digest, digest "
    "FROM registry_journal WHERE position = 2",
    "a row in between": f"INSERT INTO registry_journal SELECT 99, {OTHER}, previous_digest, 'x' "
    "FROM registry_journal WHERE position = 2",
    "a version": "INSERT OR REPLACE INTO model_versions SELECT * FROM model_versions WHERE number = 1",
    "a model": "INSERT OR REPLACE INTO models SELECT * FROM models",
    "the name of a model": "UPDATE models SET name = 'letters'",
    "a model's row": "DELETE FROM models",
}


@pytest.mark.parametrize("what", REPLACING)
def test_the_database_refuses_to_replace_what_was_written(what: str, folder: Path) -> None:
    """REPLACE removes a row without asking the triggers that refuse to delete."""
    with pytest.raises(sqlite3.IntegrityError, match="never|kept|grows|order|already"):
        execute(folder, REPLACING[what], guarded=True)
    assert problems(folder) == ""


CHANGES = {
    "a reason": "UPDATE registry_journal SET reason = 'bigger' WHERE position = 7",
    "who did it": "UPDATE registry_journal SET \"by\" = 'someone@else' WHERE position = 7",
    "when": "UPDATE registry_journal SET at = at - 1000000 WHERE position = 7",
    "the version": "UPDATE registry_journal SET version = 1 WHERE position = 7",
    "what a gate found": "UPDATE registry_journal SET gates = replace(gates, '0.8', '0.9') WHERE position = 7",
    "an override": "UPDATE registry_journal SET overridden = 0 WHERE position = 8",
    "a link": "UPDATE registry_journal SET previous_digest = digest WHERE position = 7",
    "a digest": "UPDATE registry_journal SET digest = upper(digest) WHERE position = 7",
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_row_is_named(what: str, folder: Path) -> None:
    execute(folder, CHANGES[what])
    row = "8" if "position = 8" in CHANGES[what] else "7"
    assert f"row {row}" in problems(folder).lower()


def test_a_row_whose_digests_were_made_anew_is_found_by_the_head(folder: Path) -> None:
    """Someone who knows the code can make a chain that fits itself: only a head noted elsewhere tells."""
    with tracking.open_store(folder) as store:
        head = store.journal_head()
        last = store.journal()[-1].position
    assert problems(folder, head=head) == ""
    execute(folder, f"DELETE FROM registry_journal WHERE position = {last}")
    assert problems(folder) == ""
    assert head[:12] in problems(folder, head=head)


def test_a_head_from_before_later_rows_is_still_in_the_journal(folder: Path) -> None:
    with tracking.open_store(folder) as store:
        head = store.journal_head()
        store.retire("digits", reason="the end")
        assert store.verify_registry(head=head).problems == ()
        assert store.journal_head() != head


def test_missing_and_reordered_rows_are_named(folder: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(folder, tmp_path / "other"))
    execute(folder, "DELETE FROM registry_journal WHERE position = 5")
    assert "row 5" in problems(folder).lower()
    execute(
        other,
        "UPDATE registry_journal SET position = -5 WHERE position = 5",
        "UPDATE registry_journal SET position = 5 WHERE position = 6",
        "UPDATE registry_journal SET position = 6 WHERE position = -5",
    )
    found = problems(other).lower()
    assert "row 5" in found and "row 6" in found


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE model_versions SET digest = (SELECT digest FROM model_versions WHERE number = 1) WHERE number = 2",
        "UPDATE model_versions SET run_id = (SELECT run_id FROM model_versions WHERE number = 1) WHERE number = 2",
        "UPDATE model_versions SET lineage = '{}' WHERE number = 2",
        "DELETE FROM version_notes; DELETE FROM model_versions WHERE number = 2",
        "UPDATE model_versions SET number = 9 WHERE number = 2",
    ],
)
def test_a_changed_version_is_named(statement: str, folder: Path) -> None:
    execute(folder, *statement.split("; "))
    assert "digits/2" in problems(folder)


def test_gates_that_were_lowered_are_named(folder: Path) -> None:
    execute(folder, "UPDATE models SET gates = '[]'")
    assert "gates of the model 'digits'" in problems(folder)


def damage(path: Path) -> None:
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("harm", [damage, Path.unlink])
def test_bytes_of_a_model_that_changed_are_named(harm: Callable[[Path], None], folder: Path) -> None:
    with tracking.open_store(folder) as store:
        digest = store.version("digits", 2).digest
    (path,) = (folder / "objects").glob(f"{digest[:2]}/*{digest[2:]}")
    harm(path)
    found = problems(folder)
    assert "digits/2" in found and "digits/1" not in found
    with tracking.open_store(folder) as store:
        with pytest.raises((tracking.ArtifactDamaged, tracking.NotFound)):
            tracking.load_model("digits/2", store=folder)
        # Nothing of it gets an alias, either way.
        with pytest.raises(tracking.TrackingError):
            store.promote("digits", 2, override=True, reason="no matter what")
        tracking.load_model("digits/3", store=folder)


def test_guards_that_are_gone_or_changed_are_named(folder: Path) -> None:
    execute(
        folder,
        "DROP TRIGGER model_versions_are_fixed",
        "DROP TRIGGER models_are_kept",
        "CREATE TRIGGER models_are_kept BEFORE DELETE ON models BEGIN SELECT 1; END",
        guarded=True,
    )
    found = problems(folder).splitlines()
    assert [line.split()[2] for line in found] == ["model_versions_are_fixed", "models_are_kept"]


def test_a_run_that_points_at_other_bytes_is_named(folder: Path) -> None:
    other = "(SELECT digest FROM model_versions WHERE number = 1)"
    execute(
        folder,
        f"UPDATE artifacts SET digest = {other} WHERE name = 'model' AND digest = "
        "(SELECT digest FROM model_versions WHERE number = 2)",
    )
    (problem,) = problems(folder).splitlines()
    assert "digits/2" in problem and "has no artifact 'model' with the version's bytes" in problem


@pytest.mark.parametrize("harm", [damage, Path.unlink])
def test_an_example_that_changed_is_named(harm: Callable[[Path], None], folder: Path) -> None:
    with tracking.open_store(folder) as store:
        digest = store.version("digits", 2).details["example_digest"]
    harm(folder / "objects" / digest[:2] / digest[2:])
    assert "The example of digits/2 cannot be relied on" in problems(folder)


def test_an_exported_journal_is_proved_alone(folder: Path, tmp_path: Path) -> None:
    from tracking.registry.export import verify_export

    with tracking.open_store(folder) as store:
        head, exported = store.journal_head(), store.export_journal()
    file = tmp_path / "journal.jsonl"
    file.write_text("".join(f"{line}\n" for line in exported))
    report = verify_export(file)
    assert (report.problems, report.head, report.rows) == ((), head, len(exported) - 1)
    lines = file.read_text().splitlines()

    def after(change: Callable[[list[str]], Iterator[str] | list[str]]) -> str:
        file.write_text("".join(f"{line}\n" for line in change(list(lines))))
        return "\n".join(verify_export(file, head=head).problems).lower()

    def reworded(given: list[str]) -> list[str]:
        row = json.loads(given[6])
        row["reason"] = "bigger"
        return [*given[:6], json.dumps(row), *given[7:]]

    assert "row 7" in after(reworded)
    assert "row 5" in after(lambda given: [*given[:4], *given[5:]])
    assert "row 5" in after(lambda given: [*given[:4], given[5], given[4], *given[6:]])
    assert "head" in after(lambda given: [*given[:-2], given[-1]])
    assert "last line" in after(lambda given: given[:-1])
    assert "line 3" in after(lambda given: [*given[:2], "{", *given[3:]])
    assert after(lambda given: given) == ""
