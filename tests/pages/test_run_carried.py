"""The page of one run: its artifacts, data, code, environment, console, machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import tracking
from tests.pages import carried
from tests.pages.contents import OpenPage, figures, start, texts
from tracking.store import Store
from tracking.ui import run_artifacts
from tracking.ui.run_state import TABS


@pytest.fixture
def rich(store: Store) -> str:
    """The id of a run with one artifact of each kind."""
    with start("digits", "rich", {}, store) as run:
        carried.rich(run)
    return run.id


def names(app: AppTest) -> list[str]:
    """Return what can be opened, without the spaces that fill the cells."""
    return [name.rstrip() for name in app.dataframe[0].value["name"]]


@pytest.mark.parametrize("tab", TABS)
def test_a_run_without_anything_says_what_to_call(open_page: OpenPage, store: Store, tab: str) -> None:
    with start("digits", "bare", {}, store) as run:
        pass
    app = open_page("run", run=run.id, tab=tab)
    assert not app.exception and not app.error
    wanted = {"Artifacts": 'run.log_artifact("report.csv")', "Data": 'run.log_dataset(frame, "train")'}
    if tab in wanted:
        assert any(wanted[tab] in code.value for code in app.code)
    if tab in ("Code", "Environment", "System"):
        assert "capture\\=False" in texts(app)


def test_the_tree_shows_folders_first_and_reads_nothing(
    open_page: OpenPage, store: Store, rich: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "open_artifact", None)
    monkeypatch.setattr(Store, "preview", None)
    monkeypatch.setattr(Store, "open_object", None)
    app = open_page("run", run=rich, tab="Artifacts")
    assert not app.exception and not app.error
    assert names(app)[:3] == ["reports/", "config", "confusion"]
    assert "11 artifacts" in texts(app)


def test_a_folder_of_names_opens_by_the_address(open_page: OpenPage, rich: str) -> None:
    app = open_page("run", run=rich, tab="Artifacts", artifact="reports/")
    assert names(app) == ["errors", "scores.csv"]
    app.button(key="run.artifacts.crumb.0").click().run()
    assert "reports/" in names(app)


def test_a_search_looks_at_all_levels(open_page: OpenPage, rich: str) -> None:
    app = open_page("run", run=rich, tab="Artifacts")
    app.text_input(key="run.artifacts.find").set_value("SCORE").run()
    assert names(app) == ["reports/scores.csv"]
    app.text_input(key="run.artifacts.find").set_value("<nothing>").run()
    assert "Nothing is called “\\<nothing\\>”" in texts(app)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("notes.txt", "First <b>line</b>"),
        ("train.py", "import tracking"),
        ("index.html", "<script>alert(1)</script>"),
        ("weights.bin", "00000000  00 01 02"),
    ],
)
def test_text_source_and_bytes_are_shown_as_text(
    open_page: OpenPage, rich: str, name: str, shown: str
) -> None:
    app = open_page("run", run=rich, tab="Artifacts", artifact=name)
    assert not app.exception and not app.error
    assert shown in "\n".join(code.value for code in app.code)


@pytest.mark.parametrize(("name", "rows"), [("reports/scores.csv", 2), ("reports/errors", 300)])
def test_tables_show_first_rows_and_statistics(open_page: OpenPage, rich: str, name: str, rows: int) -> None:
    app = open_page("run", run=rich, tab="Artifacts", artifact=name)
    assert not app.exception and not app.error
    assert f"{rows} rows × 2 columns" in texts(app)
    statistics = app.dataframe[2].value
    assert statistics["statistic count"].tolist() == [str(rows), str(rows)]


def test_what_is_whole_can_be_downloaded(open_page: OpenPage, rich: str) -> None:
    app = open_page("run", run=rich, tab="Artifacts", artifact="notes.txt")
    (button,) = app.get("download_button")
    assert button.proto.label == "Download (18 B)"


def test_json_is_a_tree(open_page: OpenPage, rich: str) -> None:
    app = open_page("run", run=rich, tab="Artifacts", artifact="config")
    assert app.json[0].value == '{"layers": [1, 2]}'


def test_figures_curves_and_matrices_are_drawn(open_page: OpenPage, rich: str) -> None:
    (figure,) = figures(open_page("run", run=rich, tab="Artifacts", artifact="figure"))
    assert figure["data"][0]["type"] == "bar"
    (roc,) = figures(open_page("run", run=rich, tab="Artifacts", artifact="roc"))
    assert roc["data"][0]["name"] == "cat (AUC 0.75)"
    app = open_page("run", run=rich, tab="Artifacts", artifact="confusion")
    assert figures(app)[0]["data"][0]["text"] == [["8", "2"], ["1", "9"]]
    assert "17 of 20 on the diagonal: 85.0%" in texts(app)
    app.segmented_control(key="run.matrix").set_value("By true class").run()
    assert figures(app)[0]["data"][0]["text"] == [["0.80", "0.20"], ["0.10", "0.90"]]


def test_a_picture_is_followed_over_its_steps(open_page: OpenPage, rich: str) -> None:
    app = open_page("run", run=rich, tab="Artifacts", artifact="sample", step="5")
    assert not app.exception and not app.error
    (slider,) = app.select_slider
    assert (slider.options, slider.value) == (["1", "5", "20"], "5")
    assert "step 5" in texts(app)
    slider.set_value("1").run()
    assert "step 1" in texts(app)
    latest = open_page("run", run=rich, tab="Artifacts", artifact="sample", step="no number")
    assert latest.select_slider[0].value == "20"


@pytest.mark.parametrize("name", ["gone", "../../etc/passwd", "<b>x</b>", "x" * 9_000])
def test_an_artifact_that_is_not_there_leads_back(open_page: OpenPage, rich: str, name: str) -> None:
    app = open_page("run", run=rich, tab="Artifacts", artifact=name)
    assert not app.exception and not app.error
    assert "This run has no artifact" in texts(app)


def test_damaged_bytes_are_named_and_nothing_is_offered(open_page: OpenPage, store: Store, rich: str) -> None:
    (record,) = (one for one in store.artifacts(rich) if one.name == "notes.txt")
    path = Path(store.location.objects) / record.digest[:2] / record.digest[2:]
    path.chmod(0o644)
    path.write_bytes(b"Wrong <b>line</b>\n")
    app = open_page("run", run=rich, tab="Artifacts", artifact="notes.txt")
    (error,) = app.error
    assert "notes\\.txt" in error.value and rich in error.value and "damaged" in error.value
    assert not [button for button in app.get("download_button") if "Download" in button.proto.label]
    path.unlink()
    (error,) = open_page("run", run=rich, tab="Artifacts", artifact="notes.txt").error
    assert "missing" in error.value and "backup" in error.value


def test_a_folder_is_walked_and_its_files_are_shown(
    open_page: OpenPage, store: Store, tmp_path: Path
) -> None:
    folder = tmp_path / "checkpoint"
    (folder / "optimizer").mkdir(parents=True)
    (folder / "model.txt").write_text("the model")
    (folder / "optimizer" / "state.txt").write_text("the state")
    with start("digits", "folder", {}, store) as run:
        run.log_artifact(folder, "checkpoint")
    app = open_page("run", run=run.id, tab="Artifacts", artifact="checkpoint")
    assert names(app) == ["optimizer/", "model.txt"]
    app = open_page("run", run=run.id, tab="Artifacts", artifact="checkpoint", file="optimizer/state.txt")
    assert not app.exception and not app.error
    assert names(app) == ["state.txt"]
    assert "the state" in [code.value for code in app.code]
    app = open_page("run", run=run.id, tab="Artifacts", artifact="checkpoint", file="../model.txt")
    assert not app.exception and not app.error
    assert "The folder has no file" in texts(app)


def test_code_shows_commit_command_and_diff(open_page: OpenPage, store: Store) -> None:
    with start("digits", "code", {}, store) as run:
        carried.capture(
            run,
            "git",
            commit=carried.COMMIT,
            branch="main",
            dirty=True,
            remote="git@github.com:a/b.git",
            dirty_submodules=["vendor/one", "vendor/two"],
            untracked=["a.txt"],
            untracked_total=3,
        )
        carried.capture_text(run, "diff", carried.DIFF)
        carried.capture(run, "script", path="train.py", arguments=["--lr", "0.1 0.2"])
        carried.capture_text(run, "source", "print('<b>')")
        carried.capture(run, "notebook", error="no kernel")
    app = open_page("run", run=run.id, tab="Code")
    assert not app.exception and not app.error
    shown = [code.value for code in app.code]
    assert carried.COMMIT in shown and "python train.py --lr '0.1 0.2'" in shown and "print('<b>')" in shown
    assert carried.DIFF.rstrip("\n") in shown
    assert [expander.label for expander in app.expander] == [
        "train\\.py :green[+1] :red[−1]",
        "3 untracked files, not recorded",
    ]
    assert "The first 1 of 3" in texts(app)
    assert f"(https://github.com/a/b/commit/{carried.COMMIT})" in texts(app)
    assert "vendor/one, vendor/two" in texts(app)
    assert "notebook could not be recorded\\: no kernel" in texts(app)


def test_environment_shows_machine_and_finds_packages(open_page: OpenPage, store: Store) -> None:
    with start("digits", "environment", {}, store) as run:
        carried.capture(run, "python", version="3.11.2")
        carried.capture(run, "host", hostname="box", memory_bytes=16 * 2**30, gpus=[{"name": "RTX"}])
        carried.capture(run, "packages", packages={"numpy": "2.4", "torch": "2.9"})
    app = open_page("run", run=run.id, tab="Environment")
    assert not app.exception and not app.error
    assert {"3.11.2", "box", "16.0 GiB", "RTX"} <= {text.value for text in app.text}
    app.text_input(key="run.packages").set_value("TOR").run()
    assert app.dataframe[0].value.to_numpy().tolist() == [["torch", "2.9"]]


def test_data_shows_datasets_with_their_other_runs(open_page: OpenPage, store: Store) -> None:
    digest = "ab" * 32
    with start("digits", "first", {}, store) as first:
        carried.dataset(first, "train", digest)
    with start("digits", "second", {}, store) as run:
        carried.dataset(run, "train", digest)
        carried.dataset(run, "test", "cd" * 32)
        carried.artifact(run, "out.txt", b"x")
    app = open_page("run", run=run.id, tab="Data", dataset=digest)
    assert not app.exception and not app.error
    datasets, schema, artifacts = (frame.value for frame in app.dataframe)
    assert datasets["shape"].tolist() == ["1,200 × 2"] * 2
    assert dict(zip(datasets["name"].str.rstrip(), datasets["runs"], strict=True)) == {
        "train": "2",
        "test": "1",
    }
    assert schema.to_numpy().tolist() == [["a", "int64", "0.5", "–"], ["b", "str", "–", "3"]]
    assert artifacts["name"].str.rstrip().tolist() == ["out.txt"]
    assert "first · digits" in [link.label for link in app.page_link]
    assert digest in [code.value for code in app.code]


def test_system_metrics_have_a_tab_of_their_own(open_page: OpenPage, store: Store) -> None:
    with start("digits", "system", {}, store) as run:
        run.log({"loss": 0.5, "system/cpu_percent": 40.0, "system/rank1/cpu_percent": 50.0}, step=1)
    assert len(figures(open_page("run", run=run.id))) == 1
    assert len(figures(open_page("run", run=run.id, metrics="system/cpu_percent"))) == 1
    assert len(figures(open_page("run", run=run.id, tab="System"))) == 2
    metrics = open_page("run", run=run.id, tab="Metrics")
    assert metrics.dataframe[0].value["metric"].tolist() == ["loss"]
    compared = open_page("compare", runs=run.id)
    assert len(figures(compared)) == 1
    named = open_page("compare", runs=run.id, metrics="system/cpu_percent")
    assert figures(named)[0]["layout"] and len(figures(named)) == 1
    runs = open_page("runs")
    assert not [column for column in runs.dataframe[0].value if "system" in column]


def test_an_artifact_logged_while_the_run_lives_appears(open_page: OpenPage, store: Store) -> None:
    with tracking.start_run("digits", store=store.location.root, capture=False) as run:
        carried.artifact(run, "first.txt", b"1")
        app = open_page("run", run=run.id, tab="Artifacts")
        assert names(app) == ["first.txt"]
        carried.artifact(run, "second.txt", b"2")
        store.count()  # a query waits until what this process logged is in the database
        app.run()
        assert names(app) == ["first.txt", "second.txt"]


def write_console(store: Store, run_id: str, text: str) -> None:
    """Write what the run's process would have printed."""
    spool = store.owner_spool(run_id)
    assert spool is not None
    store.location.logs.mkdir(exist_ok=True)
    (store.location.logs / f"{spool}.console").write_text(text, encoding="utf-8", newline="")


def test_the_console_shows_the_last_lines_and_pages_back(open_page: OpenPage, store: Store) -> None:
    with start("digits", "console", {}, store) as run:
        pass
    lines = [f"\x1b[32mline {n}\x1b[0m" for n in range(1, 2_501)]
    write_console(store, run.id, "\n".join(lines) + "\n 10%|#   |\r100%|####|\n")
    app = open_page("run", run=run.id, tab="Console")
    assert not app.exception and not app.error
    shown = app.code[0].value.split("\n")
    assert (shown[0], shown[-1], len(shown)) == ("1502  line 1502", "2501  100%|####|", 1_000)
    assert "Lines 1,502–2,501 of 2,501" in texts(app)
    app.button(key="run.console.earlier").click().run()
    assert app.code[0].value.startswith(" 502  line 502\n")
    app.button(key="run.console.earlier").click().run()
    assert app.code[0].value.startswith("   1  line 1\n") and app.button(key="run.console.earlier").disabled
    app.button(key="run.console.newest").click().run()
    assert app.code[0].value.endswith("2501  100%|####|")


def test_the_console_is_searched_in_any_case(open_page: OpenPage, store: Store) -> None:
    with start("digits", "console", {}, store) as run:
        pass
    write_console(store, run.id, "ok\nAn ERROR here\nok\n<script>error</script>\n")
    app = open_page("run", run=run.id, tab="Console", find="error")
    assert not app.exception and not app.error
    assert app.code[0].value == "2  An ERROR here\n4  <script>error</script>"
    assert "2 lines have “error” among 4" in texts(app)
    app.text_input(key="find").set_value("nothing like it").run()
    assert "No line has" in texts(app) and len(app.code) == 0


def test_a_console_that_grew_on_shows_its_newest_lines(open_page: OpenPage, store: Store) -> None:
    with tracking.start_run("digits", store=store.location.root, capture=False) as run:
        write_console(store, run.id, "first\n")
        app = open_page("run", run=run.id, tab="Console")
        assert app.code[0].value == "1  first" and "follows while the run is live" in texts(app)
        write_console(store, run.id, "first\nsecond\n")
        app.run()
        assert app.code[0].value == "1  first\n2  second"


def test_a_large_artifact_is_read_only_when_asked_for(
    open_page: OpenPage, rich: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_artifacts, "LARGE", 10)
    app = open_page("run", run=rich, tab="Artifacts", artifact="notes.txt")
    assert "all of which is verified" in texts(app)
    assert "First <b>line</b>" not in "".join(code.value for code in app.code)
    (button,) = (button for button in app.button if button.label == "Show it")
    button.click().run()
    assert "First <b>line</b>" in [code.value for code in app.code]


def test_each_session_of_a_resumed_run_has_its_own_code(open_page: OpenPage, store: Store) -> None:
    with start("digits", "resumed", {}, store) as run:
        carried.capture(run, "git", branch="old", commit=carried.COMMIT)
    with tracking.start_run(resume=run.id, store=store.location.root, capture=False) as again:
        carried.capture(again, "git", branch="new", commit=carried.COMMIT)
    app = open_page("run", run=run.id, tab="Code")
    (choice,) = app.selectbox
    assert choice.options == ["session 1", "session 2"]
    assert "new" in [text.value for text in app.text]
    choice.select_index(0).run()
    assert "old" in [text.value for text in app.text]


def test_a_comparison_says_which_code_and_data_differ(open_page: OpenPage, store: Store) -> None:
    ids = []
    for place, name in enumerate(("one", "two")):
        with start("digits", name, {}, store) as run:
            carried.capture(run, "git", branch="main", commit=str(place) * 40, dirty=False)
            carried.dataset(run, "train", "ab" * 32)
        ids.append(run.id)
    app = open_page("compare", runs=",".join(ids))
    assert not app.exception and not app.error
    assert app.dataframe[-1].value.to_numpy().tolist() == [["code commit", "0" * 10, "1" * 10]]


def test_an_array_shows_its_shape_and_values(open_page: OpenPage, store: Store) -> None:
    with start("digits", "array", {}, store) as run:
        run._session.say(
            {
                "t": "dataset",
                "name": "images",
                "digest": "ab" * 32,
                "kind": "array",
                "rows": 100,
                "schema": {"dtype": "float64", "shape": [100, 8, 8]},
                "statistics": {"values": {"mean": 0.5}},
                "time": 1,
            }
        )
    app = open_page("run", run=run.id, tab="Data")
    assert not app.exception and not app.error
    assert app.dataframe[0].value["shape"].tolist() == ["100 × 8 × 8"]
    assert app.dataframe[1].value.to_numpy().tolist() == [["values", "", "0.5"]]
    assert "float64" in [text.value for text in app.text]
