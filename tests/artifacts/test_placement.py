"""All artifacts of a run come out into one folder, also where their names exclude each other, or none does."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

import tracking


def tree(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()
    }


def log(
    run: tracking.Run, place: Path, name: str, content: str | dict[str, str], step: int | None = None
) -> None:
    if isinstance(content, dict):
        folder = place / f"folder {name.replace('/', ' ')}"
        for path, text in content.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        run.log_artifact(folder, name, step=step)
    else:
        (place / "source").write_text(content)
        run.log_artifact(place / "source", name, step=step)


@pytest.mark.parametrize(
    ("logged", "written"),
    [
        ({"model": "M", "model/w.bin": "W"}, {"model.1": "M", "model/w.bin": "W"}),
        ({"a.txt": "A", "a.txt/b/c": "C"}, {"a.1.txt": "A", "a.txt/b/c": "C"}),
        (
            {"a": "1", "a/b": "2", "a/b/c": "3", "a.1": "4"},
            {"a/b/c": "3", "a/b.1": "2", "a.1": "4", "a.2": "1"},
        ),
        ({"d": {"A": "inner"}, "d/A": "outer"}, {"d/A": "inner", "d/A.1": "outer"}),
        ({"d": {"A": "inner"}, "d/A/w": "deep"}, {"d/A": "inner", "d/A.1/w": "deep"}),
        ({"d": {"A/f": "inner"}, "d/A": {"f": "other"}}, {"d/A/f": "inner", "d/A.1/f": "other"}),
        ({"d": {"A/f": "inner"}, "d/A": "file"}, {"d/A/f": "inner", "d/A.1": "file"}),
        ({"d": {"f": "inner"}, "d/x/g": "beside"}, {"d/f": "inner", "d/x/g": "beside"}),
    ],
)
def test_names_that_exclude_each_other_stay_apart(
    logged: dict[str, str | dict[str, str]],
    written: dict[str, str],
    store: tracking.Store,
    store_folder: Path,
    tmp_path: Path,
) -> None:
    with tracking.start_run(store=store_folder, capture=False, strict=True) as run:
        for name, content in logged.items():
            log(run, tmp_path, name, content)
    changes = set(written) - {
        f"{name}/{path}" if path else name
        for name, content in logged.items()
        for path in (content if isinstance(content, dict) else [""])
    }
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert store.download(run.id, target=tmp_path / "out") == tmp_path / "out"
        assert bool(said) == bool(changes)
        # Again over what is there: nothing else comes of it.
        store.download(run.id, target=tmp_path / "out", force=True)
    assert tree(tmp_path / "out") == written
    assert all(issubclass(one.category, tracking.TrackingWarning) for one in said)


def test_the_step_in_a_name_and_a_name_that_looks_like_it(
    store: tracking.Store, store_folder: Path, tmp_path: Path
) -> None:
    with tracking.start_run(store=store_folder, capture=False, strict=True) as run:
        log(run, tmp_path, "a", "of step 3", step=3)
        log(run, tmp_path, "a.step3", "of none")
    with pytest.warns(tracking.TrackingWarning, match=r"'a' was written as 'a\.1\.step3'"):
        store.download(run.id, target=tmp_path / "out")
    assert tree(tmp_path / "out") == {"a.step3": "of none", "a.1.step3": "of step 3"}


def test_nothing_is_written_when_one_place_is_taken(
    store: tracking.Store, store_folder: Path, tmp_path: Path
) -> None:
    with tracking.start_run(store=store_folder, capture=False, strict=True) as run:
        log(run, tmp_path, "a", "A")
        log(run, tmp_path, "d", {"f": "F", "g": "G"})
        log(run, tmp_path, "z/last", "Z")
    out = tmp_path / "out"
    (out / "z").mkdir(parents=True)
    (out / "z/last").write_text("mine")
    with pytest.raises(tracking.InvalidValue, match="'z/last' is there already"):
        store.download(run.id, target=out)
    assert tree(out) == {"z/last": "mine"}
    (out / "z/last").unlink()
    (out / "z/last").mkdir()
    with pytest.raises(tracking.InvalidValue, match="'z/last' is there already"):
        store.download(run.id, target=out, force=True)
    assert tree(out) == {}
    assert [path.name for path in out.iterdir()] == ["z"]


def test_nothing_is_written_when_bytes_are_missing(
    store: tracking.Store, store_folder: Path, tmp_path: Path
) -> None:
    with tracking.start_run(store=store_folder, capture=False, strict=True) as run:
        log(run, tmp_path, "a", "A")
        log(run, tmp_path, "b", "B")
    (record,) = (one for one in store.artifacts(run.id) if one.name == "b")
    (store_folder / "objects" / record.digest[:2] / record.digest[2:]).unlink()
    out = tmp_path / "out"
    for force in (False, True):
        with pytest.raises(tracking.NotFound, match="'b' of run"):
            store.download(run.id, target=out, force=force)
        assert list(out.iterdir()) == []
