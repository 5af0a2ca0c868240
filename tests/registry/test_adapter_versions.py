"""A framework's models by an adapter that an installed package offers: logged, gated, loaded and handed over."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import tracking
from tracking.errors import TrackingError
from tracking.store import Store

LINES = """
import json
import numpy as np


class Line:
    def __init__(self, slope):
        self.slope = slope

    def predict(self, rows):
        return self.slope * np.asarray(rows)[:, 0]


class LineAdapter:
    name = "line-json"
    extension = ".line.json"
    media_type = "application/json"
    packages = ("numpy",)
    script = "from line_models import Line\\nmodel = Line(json.loads(data)['slope'])"

    def can_save(self, model):
        return type(model) is Line

    def save(self, model):
        return json.dumps({"slope": model.slope}).encode()

    def load(self, data, details, *, trust):
        return Line(**json.loads(data))
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of libraries with a package that offers an adapter, for this process and those it starts."""
    folder = tmp_path / "site"
    about = folder / "line_models-1.0.dist-info"
    about.mkdir(parents=True)
    (folder / "line_models.py").write_text(textwrap.dedent(LINES))
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: line-models\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[tracking.model_adapters]\nline-json = line_models:LineAdapter\nbroken = no_such_module:Adapter\n"
    )
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
    return folder


def test_a_model_of_an_installed_package_goes_the_whole_way(
    installed: Path, store: Store, store_folder: Path, tmp_path: Path
) -> None:
    from line_models import Line  # type: ignore[import-not-found]

    example = np.array([[1.0], [2.0]])
    with tracking.start_run("lines", store=store_folder, capture=False, strict=True) as run:
        run.log({"accuracy": 0.9})
        run.log_model(Line(2.5), input_example=example)
    store.register("lines", run.id)
    store.set_gates("lines", ["loads"])
    store.promote("lines", 1)
    assert tracking.load_model("lines@champion", store_folder).predict(example).tolist() == [2.5, 5.0]

    made = store.package("lines@champion", tmp_path / "out")
    done = subprocess.run([sys.executable, made / "predict.py"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [2.5, 5.0]
    assert (made / "model.line.json").is_file()


def test_an_adapter_that_cannot_be_imported_is_named_and_stops_no_other(installed: Path) -> None:
    from tracking.artifacts.model_adapters import adapter_for, adapter_of

    with pytest.raises(TrackingError, match="'broken', which no_such_module:Adapter offers, cannot be used"):
        adapter_of("broken")
    with pytest.warns(tracking.TrackingWarning, match="no_such_module"):
        assert adapter_for(object()) is None
