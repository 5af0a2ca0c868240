"""Registration: versions in order, pinned to bytes, with where they come from; names that look alike are one."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tracking
from tracking.database import registry_writes
from tracking.errors import ArtifactDamaged, InvalidValue, NotFound, PromotionRefused, RunStateError
from tracking.registry import names
from tracking.store import Store


def logged(folder: Path, text: str = "a model", *, experiment: str = "digits", seed: int = 0) -> str:
    """Log a run with a metric, a dataset and a file named `model`; return its id."""
    with tracking.start_run(
        experiment, params={"seed": seed, "opt": {"lr": 0.1}}, store=folder, capture=False, strict=True
    ) as run:
        run.log({"accuracy": 0.9, "broken": float("nan")})
        run.log_text(text, "model")
    return run.id


def test_versions_are_numbered_and_say_where_they_come_from(store: Store, store_folder: Path) -> None:
    run = logged(store_folder)
    first = store.register("Digits-SVM", run, description="the first", tags=["small", "small"], by="ada@lab")
    second = store.register("digits_svm", run)
    assert [version.name for version in store.versions("DIGITS.svm")] == ["Digits-SVM/2", "Digits-SVM/1"]
    assert second.digest == first.digest == store.artifacts(run)[0].digest
    assert (first.description, first.tags, first.by) == ("the first", ("small",), "ada@lab")
    assert "@" in second.by
    assert first.lineage["params"] == {"seed": 0, "opt": {"lr": 0.1}}
    assert first.lineage["metrics"] == {"accuracy": 0.9, "broken": "NaN"}
    model = store.model("digits-svm")
    assert (model.name, model.versions, model.latest, model.holders) == ("Digits-SVM", 2, 2, {})
    assert [version.name for version in store.run_versions(run)] == ["Digits-SVM/2", "Digits-SVM/1"]
    assert store.version("digits-svm/1") == store.version("digits-svm", 1) == first


def test_what_is_logged_later_is_not_the_version(store: Store, store_folder: Path) -> None:
    with tracking.start_run("digits", store=store_folder, capture=False) as run:
        run.log_text("one", "model")
        version = store.register("digits", run.id)
        run.log_text("two", "model")
    assert [each.digest == version.digest for each in store.artifacts(run.id)] == [False]
    assert store.version("digits", 1).digest == version.digest
    assert store.register("digits", run.id).digest != version.digest
    assert store.open_object(version.digest).read() == b"one"
    assert store.verify_registry().problems == ()


def test_what_cannot_become_a_version(store: Store, store_folder: Path) -> None:
    run = logged(store_folder)
    with pytest.raises(NotFound, match="no run"):
        store.register("digits", "nothing")
    with pytest.raises(NotFound, match="has no artifact 'weights'"):
        store.register("digits", run, artifact="weights")
    with tracking.start_run("digits", store=store_folder, capture=False) as other:
        other.log_confusion_matrix([0, 1], [0, 1], "matrix")
        other.log_text("kept", "model")
    with pytest.raises(InvalidValue, match="is a confusion matrix, no model"):
        store.register("digits", other.id, artifact="matrix")
    store.delete_run(run)
    with pytest.raises(RunStateError, match=f"lies in the trash.*store.restore\\('{run}'\\)"):
        store.register("digits", run)
    digest = store.artifacts(other.id)[-1].digest
    path = store_folder / "objects" / digest[:2] / digest[2:]
    path.chmod(0o600)
    path.write_bytes(b"kapt")
    with pytest.raises(ArtifactDamaged, match="'model' of run"):
        store.register("digits", other.id)
    path.unlink()
    with pytest.raises(NotFound, match="is missing"):
        store.register("digits", other.id)
    assert store.models() == [] and store.journal() == []


def test_a_folder_is_a_version_with_all_its_files(store: Store, store_folder: Path, tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "a.bin").write_bytes(b"aaa")
    (weights / "b.bin").write_bytes(b"bbb")
    with tracking.start_run("digits", store=store_folder, capture=False) as run:
        run.log_artifact(weights, name="model")
    version = store.register("digits", run.id)
    assert (version.kind, version.size) == ("folder", 6)
    file = store.artifact_files(run.id, "model")[1]
    path = store_folder / "objects" / file.digest[:2] / file.digest[2:]
    path.chmod(0o600)
    path.write_bytes(b"bbB")
    (problem,) = store.verify_registry().problems
    assert "digits/1" in problem and "b.bin" in problem
    with pytest.raises(ArtifactDamaged, match="digits/1"):
        store.promote("digits", 1)
    assert [entry.kind.value for entry in store.journal()] == ["register", "refuse"]
    assert "b.bin" in store.journal()[-1].details["problem"]
    assert {(each.what, each.name) for each in store.verify()} == {
        ("artifact", "model"),
        ("model", "digits/1"),
    }


def test_descriptions_may_change_and_nothing_else_does(store: Store, store_folder: Path) -> None:
    store.register("digits", logged(store_folder))
    head, revision = store.journal_head(), store.registry_revision()
    store.describe_model("Digits", description="# Digits", tags=["vision"])
    store.describe_version("digits", 1, description="good")
    store.describe_version("digits", 1, tags=["x"])
    assert (store.model("digits").description, store.model("digits").tags) == ("# Digits", ("vision",))
    assert (store.version("digits", 1).description, store.version("digits", 1).tags) == ("good", ("x",))
    assert store.journal_head() == head
    assert store.registry_revision() > revision
    with pytest.raises(NotFound, match="has no version 2. It has only 1"):
        store.describe_version("digits", 2, description="none")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("größe", "'ö' is a letter that can be mistaken"),
        ("dіgits", "'і' is a letter"),  # a Cyrillic one
        ("a/b", "'/' cannot be in it"),
        ("a@b", "'@' cannot be in it"),
        ("50%", "'%' cannot be in it"),
        ("my model", "' ' cannot be in it"),
        ("-a", "begins with a letter or a digit"),
        ("  ", "is empty"),
        ("x" * 101, "up to 100 characters"),
        (7, "is text"),
    ],
)
def test_names_that_cannot_be_one(name: str, reason: str) -> None:
    with pytest.raises(InvalidValue, match=reason):
        names.checked_model(name)


def test_look_alikes_share_a_key() -> None:
    assert names.checked_model(" ｄｉｇｉｔｓ ") == "digits"
    alike = ["My-Model", "my_model", "my.model", "MY--MODEL", "my-model_"]
    assert {names.key_of(name) for name in alike} == {"my-model"}
    assert names.key_of("mymodel") != "my-model"


def test_aliases_and_references() -> None:
    assert names.checked_alias("Champion") == "champion"
    for alias, reason in (
        ("latest", "no alias"),
        ("LATEST", "no alias"),
        ("12", "all digits"),
        ("a b", "cannot"),
    ):
        with pytest.raises(InvalidValue, match=reason):
            names.checked_alias(alias)
    assert names.parse_reference("digits/3") == names.Reference("digits", 3, None)
    assert names.parse_reference(" Digits@Prod ") == names.Reference("Digits", None, "prod")
    for text in (
        "digits",
        "digits/",
        "digits/x",
        "digits/0",
        "digits@",
        "@champion",
        "a/b/3",
        "digits@latest",
    ):
        with pytest.raises(InvalidValue):
            names.parse_reference(text)


def test_numbers_of_versions() -> None:
    assert [names.checked_number(number) for number in (3, "3", np.int64(3))] == [3, 3, 3]
    for wrong in (0, -1, 1.0, True, None, "three", "²", 1 << 40, "9" * 5000):
        with pytest.raises(InvalidValue, match="whole number from 1"):
            names.checked_number(wrong)


def test_dates_are_utc_and_a_day_ends_at_its_end() -> None:
    end = 1_772_582_400_000_000 - 1  # 2026-03-03T24:00Z
    assert names.checked_moment("2026-03-03") == names.checked_moment(date(2026, 3, 3)) == end
    assert names.checked_moment("2026-03-03T12:00") == end + 1 - 43_200_000_000
    assert names.checked_moment("2026-03-03T12:00+02:00") == end + 1 - 50_400_000_000
    for wrong in ("yesterday", "2026-13-01", 5, None, ""):
        with pytest.raises(InvalidValue, match="is no date"):
            names.checked_moment(wrong)


def test_the_stored_content_is_what_the_journal_tells(store: Store, store_folder: Path) -> None:
    version = store.register("digits", logged(store_folder))
    (entry,) = store.journal()
    assert (entry.kind.value, entry.version, entry.previous_digest) == ("register", 1, "0" * 64)
    told = {key: entry.details[key] for key in ("run", "artifact", "step", "digest", "size")}
    assert told == {
        "run": version.run,
        "artifact": "model",
        "step": None,
        "digest": version.digest,
        "size": version.size,
    }
    assert len(entry.details["content"]) == 64
    assert json.loads(store.export_journal()[-1]) == {"head": entry.digest, "rows": 1}


def test_the_registry_waits_for_the_disk_and_nothing_else_does(store: Store, store_folder: Path) -> None:
    def synchronous(connection: Any) -> int:
        return int(connection.exec_driver_sql("PRAGMA synchronous").scalar())

    normal, full = 1, 2
    assert store._engines.write_durably(synchronous) == full
    assert store._engines.write(synchronous) == normal
    with pytest.raises(InvalidValue):
        store._engines.write_durably(lambda connection: names.checked_model(""))
    assert store._engines.write(synchronous) == normal
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        append = registry_writes.append
        patch.setattr(
            registry_writes,
            "append",
            lambda connection, **row: (seen.append(synchronous(connection)), append(connection, **row))[1],
        )
        store.register("digits", logged(store_folder))
        store.promote("digits", 1)
        store.promote("digits", 1, alias="staging")
        store.retire("digits")
        store.rollback("digits")
        store.set_gates("digits", ["accuracy >= 1"])
        with pytest.raises(PromotionRefused):
            store.promote("digits", 1)
    assert seen == [full] * 7
