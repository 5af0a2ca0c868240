"""Steering a sweep from its page: what each press leaves in the store. No process is started."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.contents import OpenPage, texts
from tests.pages.sweeps_made import make
from tracking.spool.lock import try_lock
from tracking.store import Store
from tracking.study_records import RETRY_OF
from tracking.sweep_records import OUTCOME, STOP_WORKERS, WANTED
from tracking.tuning import sweep_control, sweep_edits, sweep_start
from tracking.tuning.sweep_state import find, opened
from tracking.ui import access

TOKENS = ("0-0123456789ab", "1-ba9876543210")


@pytest.fixture(autouse=True)
def spawned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the sweeps whose supervisors would have been started."""
    names: list[str] = []
    for module in (sweep_start, sweep_control, sweep_edits):
        monkeypatch.setattr(module, "spawn", lambda *given: names.append(given[2]))
    return names


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception and not app.error
    return app


def attribute(store: Store, name: str) -> object:
    with opened(store.location) as engines:
        return find(engines, store.location, "s").present.attributes.get(name)


def wanted(store: Store) -> str:
    found = attribute(store, WANTED)
    assert isinstance(found, dict)
    return str(found["state"])


def test_paused_resumed_and_stopped(open_page: OpenPage, store: Store) -> None:
    make(store, trials=2, unfinished=[1], attributes={OUTCOME: None})
    folder = store.location.sweeps / "1"
    folder.mkdir(parents=True)
    lock = try_lock(folder / "supervisor.lock", create=True)  # somebody works on it
    assert lock is not None
    try:
        app = press(open_page("sweep", sweep="s", may_act=True), "sweep.pause")
        assert wanted(store) == "pause"
        app = press(app.run(), "sweep.resume")
        assert wanted(store) == "run"
        app = press(app.run(), "sweep.drain")
        assert wanted(store) == "drain"
        press(app.run(), "sweep.stop")
        assert wanted(store) == "stop"
    finally:
        lock.close()


def test_one_worker_is_stopped_and_the_sweep_goes_on_with_one_fewer(
    open_page: OpenPage, store: Store
) -> None:
    make(store, trials=2, unfinished=[0, 1], attributes={OUTCOME: None})
    folder = store.location.sweeps / "1" / "workers"
    folder.mkdir(parents=True)
    locks = [try_lock(folder / f"{token}.lock", create=True) for token in TOKENS]
    for number, token in enumerate(TOKENS):
        (folder / f"{token}.json").write_text(json.dumps({"pid": 1, "trial": number}))
    try:
        app = open_page("sweep", sweep="s", may_act=True)
        assert "2 of 2 workers (trial 0, trial 1)" in texts(app).replace("\\", "")
        press(app, f"sweep.stop.{TOKENS[1]}")
    finally:
        for lock in locks:
            assert lock is not None
            lock.close()
    assert attribute(store, STOP_WORKERS) == [TOKENS[1]]
    record = store.sweep("s")
    assert (record.workers, record.edits[-1].what) == (1, "workers")


def test_failed_trials_are_tried_again_and_trials_added(
    open_page: OpenPage, store: Store, spawned: list[str]
) -> None:
    make(store, trials=3, fails=[0, 2])
    app = open_page("sweep", sweep="s", may_act=True)
    app.selectbox(key="sweep.retry.cause").select("error")
    press(app, "sweep.retry.do")
    again = [each.attributes[RETRY_OF] for each in store.sweep_trials("s") if each.state == "waiting"]
    assert again == [0, 2] and spawned == ["s"]
    app.run()
    app.number_input(key="sweep.add.trials").set_value(7)
    press(app, "sweep.add.do")
    assert store.sweep("s").budget_trials == 57


def test_a_duplicate_is_another_sweep_of_another_name(
    open_page: OpenPage, store: Store, spawned: list[str]
) -> None:
    make(store, trials=2)
    app = open_page("sweep", sweep="s", may_act=True)
    press(app, "sweep.duplicate.do")
    assert [each.name for each in store.sweeps()] == ["s-2", "s"] and spawned == ["s-2"]
    assert store.sweep("s-2").budget_trials == 50 and store.sweep("s").edition == 1


def test_a_key_that_is_gone_steers_nothing(open_page: OpenPage, store: Store, spawned: list[str]) -> None:
    make(store, trials=2, fails=[0])
    app = open_page("sweep", sweep="s", may_act=True)
    app.session_state[access.UNLOCKED] = (
        False  # as a press that was forged, or a session that was locked since
    )
    with pytest.raises(KeyError):
        app.run().button(key="sweep.resume")
    assert spawned == [] and wanted(store) == "run"
