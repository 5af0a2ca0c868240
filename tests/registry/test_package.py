"""A version handed over: a folder that predicts in an environment without Podium what the run logged, and its card."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import tracking
from tests.conftest import SOAK
from tracking.client.carrying import carry_bytes
from tracking.errors import ArtifactDamaged, InvalidValue

ROWS = 60
RANDOM = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "size": RANDOM.normal(size=ROWS),
        "count": RANDOM.integers(0, 9, ROWS),
        "colour": RANDOM.choice(["red", "blue"], ROWS),
    }
)
LABELS = np.where(FRAME["size"] + FRAME["count"] > 4, "large", "small")


def frame_model() -> Any:
    columns = make_column_transformer(
        (StandardScaler(), ["size", "count"]), (OneHotEncoder(handle_unknown="ignore"), ["colour"])
    )
    return make_pipeline(columns, LogisticRegression()).fit(FRAME, LABELS)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tracking.Store]:
    folder = tmp_path_factory.mktemp("package") / "store"
    texts = ["good", "bad", "good good", "so bad"]
    logged: dict[str, tuple[Any, Any]] = {
        "frames": (frame_model(), FRAME[:6]),
        "texts": (make_pipeline(CountVectorizer(), LogisticRegression()).fit(texts, [1, 0, 1, 0]), texts[:2]),
    }
    try:
        from xgboost import XGBClassifier
    except ImportError:
        pass
    else:
        numbers = FRAME[["size", "count"]].to_numpy()
        boosted = XGBClassifier(n_estimators=3, n_jobs=1).fit(numbers, LABELS == "large")
        logged["boosted"] = (boosted, numbers[:4])
    with tracking.open_store(folder) as opened:
        for name, (model, example) in logged.items():
            with tracking.start_run(
                "hand-over", params={"C": 1.0}, store=folder, capture=False, strict=True
            ) as run:
                run.define_metric("accuracy", goal="maximize")
                run.log({"accuracy": 0.91})
                run.log_dataset(FRAME, "train")
                run.log_model(model, input_example=example)
            opened.register(name, run.id)
            opened.promote(name, 1)
        yield opened


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment that has this one's libraries, without a network, and not Podium."""
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    (place,) = folder.glob("lib/python*/site-packages")
    # What an entry leads to is taken in without the entries of its own, such as an editable install's.
    (place / "libraries.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return folder / "bin" / "python"


def run_script(python: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "TRACKING"))}
    return subprocess.run(
        [str(python), *arguments], cwd=folder, env=kept, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("name", ["frames", "texts", "boosted"])
def test_a_package_predicts_without_podium_what_was_logged(
    store: tracking.Store, python: Path, tmp_path: Path, name: str
) -> None:
    if name == "boosted":
        pytest.importorskip("xgboost")
    made = store.package(f"{name}@champion", tmp_path / "out" / "model")
    version = store.resolve(f"{name}@champion")
    (model,) = made.glob("model.*")
    assert hashlib.sha256(model.read_bytes()).hexdigest() == version.digest
    assert {each.name for each in made.iterdir()} == {
        model.name,
        "MODEL_CARD.md",
        "input.json",
        "output.json",
        "predict.py",
        "requirements.txt",
        "signature.json",
    }
    requirements = (made / "requirements.txt").read_text()
    assert f"numpy=={np.__version__}\n" in requirements and "tracking" not in requirements
    assert ("pandas==" in requirements) is (name == "frames")
    assert "pyarrow" not in requirements

    lacking = run_script(python, made, "-c", "import tracking")
    assert "ModuleNotFoundError: No module named 'tracking'" in lacking.stderr
    done = run_script(python, made, "predict.py")
    assert done.returncode == 0, done.stderr
    record = next(each for each in store.artifacts(version.run) if each.name == "model.example.json")
    with store.open_object(record.digest) as file:
        logged = json.load(file)["predictions"]
    assert json.loads(done.stdout) == logged == json.loads((made / "output.json").read_text())

    model.write_bytes(model.read_bytes() + b" ")
    changed = run_script(python, made, "predict.py")
    assert changed.returncode != 0 and f"not the file that was registered as {name}/1" in changed.stderr


def test_other_rows_are_predicted_too(store: tracking.Store, python: Path, tmp_path: Path) -> None:
    made = store.package("frames/1", tmp_path / "model")
    rows = FRAME[10:30]
    given = json.loads((made / "input.json").read_text())
    given["rows"] = [list(row) for row in rows.itertuples(index=False, name=None)]
    (tmp_path / "rows.json").write_text(json.dumps(given))
    done = run_script(python, tmp_path, "model/predict.py", "rows.json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == frame_model().predict(rows).tolist()
    script = (made / "predict.py").read_text()
    assert len([line for line in script.splitlines() if line.strip()]) <= 16


def test_a_folder_with_something_in_it_is_left_alone(store: tracking.Store, tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("mine")
    with pytest.raises(InvalidValue, match="not an empty folder"):
        store.package("frames/1", tmp_path)
    with pytest.raises(InvalidValue, match="not an empty folder"):
        store.package("frames/1", tmp_path / "kept.txt")
    assert [each.name for each in tmp_path.iterdir()] == ["kept.txt"]
    empty = tmp_path / "empty"
    empty.mkdir()
    assert store.package("frames/1", empty) == empty and (empty / "predict.py").is_file()


def test_a_folder_that_cannot_be_is_told_with_the_way_out(store: tracking.Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(store.location.root)
    before = sorted(store.location.root.rglob("*"))
    for inside in (store.location.root, store.location.root / "objects" / "out", tmp_path / "link" / "new"):
        with pytest.raises(InvalidValue, match="lies in the store .*Name a folder outside of it"):
            store.package("frames/1", inside)
    assert sorted(store.location.root.rglob("*")) == before
    for wrong in (tmp_path / "file" / "out", tmp_path / ("x" * 300), "/proc/none/out", "a\0b"):
        with pytest.raises(
            InvalidValue, match="cannot be written to .*Name a folder that can be made"
        ) as caught:
            store.package("frames/1", wrong)
        assert "Errno" not in str(caught.value)


def test_what_cannot_be_handed_over_says_why(store: tracking.Store, tmp_path: Path) -> None:
    with tracking.start_run("hand-over", store=store.location.root, capture=False, strict=True) as run:
        run.log_model(frame_model(), "bare")
        run.log_text("x", "notes.pkl")
    store.register("bare", run.id, artifact="bare")
    store.register("bare", run.id, artifact="notes.pkl")
    with pytest.raises(InvalidValue, match="has no example.*input_example="):
        store.package("bare/1", tmp_path / "out")
    with pytest.raises(InvalidValue, match="log_artifact kept.*Log the model with log_model"):
        store.package("bare/2", tmp_path / "out")
    good = store.version("frames", 1)
    for details, message in (
        (
            {"versions": {"numpy": "1.0\n--index-url http://example.org"}},
            "which is no version that pip knows",
        ),
        ({"versions": {"python": "3.11"}}, "does not say with which versions"),
        ({"format": "xgboost-json", "class": 'x"; import os'}, "which is no class"),
        ({"example_digest": "../../etc/passwd"}, "is no sha256 of an object"),
    ):
        with tracking.start_run("hand-over", store=store.location.root, capture=False) as run:
            event = {
                "t": "artifact",
                "kind": "model",
                "media": "x",
                "step": None,
                "files": 1,
                "name": "model",
            }
            with store.open_object(good.digest) as file:
                carry_bytes(run._session, {**event, "details": {**good.details, **details}}, file.read())
        number = store.register("bare", run.id).number
        with pytest.raises(tracking.TrackingError, match=message):
            store.package(f"bare/{number}", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_load_model_gives_what_was_registered(store: tracking.Store) -> None:
    model = tracking.load_model("frames@champion", store=store.location.root)
    assert model.predict(FRAME).tolist() == frame_model().predict(FRAME).tolist()
    assert tracking.load_model("Frames/1", store.location.root).predict(FRAME[:1]).tolist()
    path = store.location.objects / (digest := store.resolve("texts/1").digest)[:2] / digest[2:]
    kept = path.read_bytes()
    path.chmod(0o644)
    try:
        path.write_bytes(kept[:-1] + b"\x01")
        with pytest.raises(ArtifactDamaged, match="The model texts/1 is damaged"):
            store.load_model("texts/1")
        with pytest.raises(ArtifactDamaged):
            store.package("texts/1", Path("never"))
    finally:
        path.write_bytes(kept)
    assert not Path("never").exists()


def test_the_card_tells_what_is_known_and_what_is_not(store: tracking.Store) -> None:
    card = store.model_card("frames", 1)
    version = store.version("frames", 1)
    for said in (
        "# frames 1",
        f"`{version.digest}`",
        "| `colour` | `str` |",
        "| `accuracy` | 0.91 |",
        "## What is not known",
        "Which code made it is unknown",
        f"| `scikit-learn` | `{version.details['versions']['scikit-learn']}` |",
        "promote `champion`",
        "| `C` | `1.0` |",
        store.datasets(version.run)[0].digest,
    ):
        assert said in card, said


HOSTILE = "<img src=x onerror=alert(1)> [a](javascript:alert(1)) | `x` ![p](http://example.org/p.png) www.example.org"


def test_text_in_a_card_is_never_markup(store: tracking.Store) -> None:
    markdown = pytest.importorskip("markdown_it")
    with tracking.start_run(
        "hostile", name=HOSTILE, params={HOSTILE: HOSTILE}, store=store.location.root, capture=False
    ) as run:
        run.log({HOSTILE: 1.0})
        run.log_dataset(FRAME, HOSTILE)
        run.log_model(frame_model(), input_example=FRAME.rename(columns={}).iloc[:2])
    version = store.register("hostile", run.id, description=HOSTILE, tags=[HOSTILE], by=HOSTILE)
    store.set_gates("hostile", ["accuracy >= 0.5"])
    store.promote("hostile", version.number, reason=HOSTILE, override=True)
    card = store.model_card("hostile", version.number)
    html = markdown.MarkdownIt("commonmark", {"html": True, "linkify": False}).enable("table").render(card)
    for tag in ("<img", "<a ", "<script", "onerror=alert(1)>"):
        assert tag not in html, tag
    assert "&lt;img src=x onerror=alert(1)&gt;" in html and "Against its gates" in html


@pytest.mark.skipif(not SOAK, reason="downloads libraries; part of make soak")
@pytest.mark.timeout(900)
def test_the_requirements_install_and_predict(store: tracking.Store, tmp_path: Path) -> None:
    made = store.package("frames@champion", tmp_path / "model")
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "-r", made / "requirements.txt"], check=True)
    done = run_script(python, made, "predict.py")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads((made / "output.json").read_text())
