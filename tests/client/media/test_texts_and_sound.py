"""Texts, JSON and sound come back as they were; what cannot be kept warns once and leaves the run alone."""

from __future__ import annotations

import dataclasses
import datetime
import io
import json
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tracking
from tests.client.media.logged import only
from tracking.client.media.audio import encode_audio
from tracking.client.media.texts import encode_json, encode_text
from tracking.errors import InvalidValue


def quiet(kind: str, message: str) -> None:
    raise AssertionError(message)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_a_text_comes_back(text: str) -> None:
    assert encode_text(text, "a.txt").data.decode() == text


def test_a_text_that_utf8_cannot_hold() -> None:
    assert encode_text("a\0\ud800", "a").data == b"a\\x00\\ud800"
    assert encode_text("a", "a").details == {"extension": ".txt"} and encode_text("a", "a.md").details == {}
    with pytest.raises(InvalidValue, match="log_json"):
        encode_text({"a": 1}, "a")


tree = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@settings(deadline=None)
@given(tree)
def test_json_comes_back(value: Any) -> None:
    assert json.loads(encode_json(value).data) == value


@dataclasses.dataclass
class Settings:
    rate: float
    path: Path


def test_json_of_what_json_does_not_know() -> None:
    value = {
        1: [np.float32(0.5), np.arange(2), (1, 2)],
        "nan": [float("nan"), float("-inf")],
        "settings": Settings(0.1, Path("a/b")),
        "day": datetime.date(2026, 1, 2),
    }

    def no_constants(text: str) -> None:
        raise AssertionError(text)

    assert json.loads(encode_json(value).data, parse_constant=no_constants) == {
        "1": [0.5, [0, 1], [1, 2]],
        "nan": ["nan", "-inf"],
        "settings": {"rate": 0.1, "path": "a/b"},
        "day": "2026-01-02",
    }


def test_json_nested_into_itself_is_refused_at_once() -> None:
    loop: list[Any] = []
    loop += [loop, loop]
    with pytest.raises(InvalidValue, match="itself"):
        encode_json(loop)
    with pytest.raises(InvalidValue, match="object"):
        encode_json({"a": object()})


def frames(data: bytes) -> tuple[int, int, int, np.ndarray[Any, Any]]:
    with wave.open(io.BytesIO(data)) as reader:
        samples = np.frombuffer(reader.readframes(reader.getnframes()), "<i2")
        return reader.getframerate(), reader.getnchannels(), reader.getsampwidth(), samples


def test_samples_become_wav(store_folder: Path) -> None:
    wavy = np.sin(np.linspace(0, 100, 8000))
    record, data = only(store_folder, lambda run: run.log_audio(wavy, "tone", rate=8000, step=1))
    assert record.kind is tracking.ArtifactKind.AUDIO and record.media_type == "audio/wav"
    assert record.details == {"extension": ".wav", "rate": 8000, "channels": 1, "seconds": 1.0}
    rate, channels, width, samples = frames(data)
    assert (rate, channels, width) == (8000, 1, 2)
    assert np.abs(samples / 32767 - wavy).max() < 1e-4


@pytest.mark.parametrize("shape", [(100, 2), (2, 100)])
def test_two_channels_either_way(shape: tuple[int, int]) -> None:
    encoded = encode_audio(np.zeros(shape, np.int16), 100, quiet)
    assert encoded.details["channels"] == 2 and encoded.details["seconds"] == 1


def test_loud_sound_is_cut_off_and_told() -> None:
    told: list[str] = []
    encoded = encode_audio(np.array([-3.0, np.nan, 3.0]), 10, lambda kind, message: told.append(kind))
    assert frames(encoded.data)[3].tolist() == [-32767, 0, 32767]
    assert told == ["audio nan", "audio range"]


@pytest.mark.parametrize(
    ("audio", "rate"),
    [(np.zeros(3), None), (np.zeros(3), 0), (np.zeros((3, 3, 3)), 1), ([], 1), ("x.wav", 1)],
)
def test_what_is_no_sound_is_refused(audio: Any, rate: Any) -> None:
    with pytest.raises(InvalidValue):
        encode_audio(audio, rate, quiet)


def test_a_sound_file_stays_as_it_is(tmp_path: Path) -> None:
    encoded = encode_audio(np.zeros(10), 8000, quiet)
    (tmp_path / "a.wav").write_bytes(encoded.data)
    assert encode_audio(tmp_path / "a.wav", None, quiet).data == encoded.data
    (tmp_path / "b.wav").write_text("no sound")
    with pytest.raises(InvalidValue, match="log_artifact"):
        encode_audio(tmp_path / "b.wav", None, quiet)


# The rules that all the verbs share


def test_a_bad_call_warns_once_and_the_run_goes_on(store_folder: Path) -> None:
    with tracking.start_run(store=store_folder, capture=False) as run:
        with pytest.warns(tracking.TrackingWarning) as told:
            for _ in range(3):
                run.log_text(3, "a")  # type: ignore[arg-type]
                run.log_text("a", "../a")
                run.log_text("a", "a", step="x")  # type: ignore[arg-type]
        run.log_text("kept", "kept.txt")
    assert len(told) == 3
    with tracking.open_store(store_folder) as store:
        assert [record.name for record in store.artifacts(run.id)] == ["kept.txt"]
        assert store.run(run.id).status == "finished"


def test_a_strict_run_raises(store_folder: Path) -> None:
    with tracking.start_run(store=store_folder, capture=False, strict=True) as run:
        for name in ("../a", "", "a\0", 3, None):
            with pytest.raises(InvalidValue):
                run.log_text("x", name)  # type: ignore[arg-type]


def test_the_verbs_of_the_module_speak_to_the_active_run(store_folder: Path) -> None:
    with tracking.start_run(store=store_folder, capture=False) as run:
        tracking.log_text("x", "text")
        tracking.log_json([1], "json")
        tracking.log_image(np.zeros((2, 2)), "image")
        tracking.log_table({"a": [1]}, "table")
        tracking.log_figure({"data": []}, "figure")
        tracking.log_audio(np.zeros(4), "audio", rate=8)
        tracking.log_confusion_matrix([0, 1], [1, 1])
        tracking.log_roc_curve([0, 1], [0.1, 0.9])
        tracking.log_pr_curve([0, 1], [0.1, 0.9])
    with tracking.open_store(store_folder) as store:
        assert [record.name for record in store.artifacts(run.id)] == sorted(
            "text json image table figure audio confusion_matrix roc_curve pr_curve".split()
        )


def test_turned_off_nothing_is_kept(store_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKING_OFF", "1")
    with tracking.start_run(store=store_folder) as run:
        run.log_text("x", "text")
    assert not store_folder.exists()


def test_a_forked_child_and_a_thread_log_too(run_script: Any, store_folder: Path) -> None:
    done = run_script(
        """
        import os, sys, threading, tracking

        with tracking.start_run(store=sys.argv[1], capture=False) as run:
            child = os.fork()
            if child == 0:
                run.log_image([[0, 1], [1, 0]], "from child")
                run.log_table({"a": [1]}, "table from child")
                run.log_dataset({"a": [1]}, "from child")
                run.finish()
                os._exit(0)
            os.waitpid(child, 0)
            thread = threading.Thread(target=run.log_json, args=([1], "from thread"))
            thread.start()
            thread.join()
        print(run.id)
        """,
        str(store_folder),
    )
    assert done.returncode == 0, done.stderr
    with tracking.open_store(store_folder) as store:
        names = [record.name for record in store.artifacts(done.stdout.strip())]
        assert names == ["from child", "from thread", "table from child"]
        assert [record.rows for record in store.datasets(done.stdout.strip())] == [1]


@pytest.mark.parametrize(
    "rate", ["x", "16000", b"1", [1], {}, True, None, 0, 0.5, 44100.5, float("nan"), float("inf")]
)
def test_a_rate_that_is_none_is_named(rate: Any) -> None:
    with pytest.raises(InvalidValue, match=r"rate=.*: samples need their rate in Hz"):
        encode_audio(np.zeros(8), rate, quiet)
