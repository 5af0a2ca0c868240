"""What `capture=` and `TRACKING_CAPTURE` ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

import tracking
from tracking.client.capture import choice
from tracking.client.capture.choice import SECTIONS, chosen_sections


def test_everything_is_captured_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chosen_sections(True) == set(SECTIONS)
    assert chosen_sections(False) == set()
    assert chosen_sections(["git", "host"]) == {"git", "host"}
    monkeypatch.setenv("TRACKING_CAPTURE", "0")
    assert chosen_sections(True) == set()
    assert chosen_sections(["git"]) == {"git"}
    monkeypatch.setenv("TRACKING_CAPTURE", "git, console")
    assert chosen_sections(True) == {"git", "console"}
    monkeypatch.setenv("TRACKING_CAPTURE", "1")
    assert chosen_sections(True) == set(SECTIONS)


def test_an_unknown_name_is_refused_with_those_there_are(store_folder: Path) -> None:
    with pytest.raises(tracking.InvalidValue, match=r"'gti' cannot be captured. There are git, diff, script"):
        tracking.start_run(store=store_folder, capture=["gti"])
    with pytest.raises(tracking.InvalidValue, match="a list of names"):
        tracking.start_run(store=store_folder, capture="git")
    assert tracking.active_run() is None


def test_a_slip_in_the_environment_warns_once_and_captures_everything(
    store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "_told", set())
    monkeypatch.setenv("TRACKING_CAPTURE", "consol")
    with pytest.warns(
        tracking.TrackingWarning, match="TRACKING_CAPTURE: 'consol' cannot be captured"
    ) as told:
        with tracking.start_run(store=store_folder) as run:
            print("kept")
        assert chosen_sections(True) == set(SECTIONS)
    assert len([one for one in told if "TRACKING_CAPTURE" in str(one.message)]) == 1
    assert told[0].filename == __file__
    with tracking.open_store(store_folder) as store:
        assert "kept" in "".join(part.text for part in store.console(run.id))
    assert chosen_sections(["git"]) == {"git"}


def test_nothing_is_captured_when_not_wanted(store_folder: Path) -> None:
    with tracking.start_run(store=store_folder, capture=False) as run:
        print("unheard")
    with tracking.open_store(store_folder) as store:
        assert store.captures(run.id) == []
        assert store.console(run.id) == []
