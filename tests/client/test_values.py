"""What is logged comes back bit for bit; what cannot be kept drops its key alone, with one warning."""

from __future__ import annotations

import decimal
import fractions
import math
import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tracking
from tracking.errors import InvalidValue
from tracking.validation import flatten_params, metric_value


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


def logged(folder: Path, values: list[Any], key: str = "value") -> list[float]:
    with tracking.start_run("values", store=folder) as run:
        for value in values:
            run.log({key: value})
    with tracking.open_store(folder) as store:
        return store.history(run.id, key)["value"].tolist()


def test_floats_keep_every_bit(store_folder: Path) -> None:
    values = [math.nan, math.inf, -math.inf, -0.0, 0.0, 5e-324, 1.7976931348623157e308, 0.1, 2.0**53]
    assert [bits(value) for value in logged(store_folder, values)] == [bits(value) for value in values]


def test_numbers_of_other_types_become_their_float(store_folder: Path) -> None:
    given_ = [
        True, 7, np.float32(0.1), np.float16(0.5), np.float64(0.25), np.int64(-3), np.uint8(255), np.bool_(False),
        np.array(1.5), decimal.Decimal("0.1"), fractions.Fraction(1, 4),
    ]  # fmt: skip
    expected = [1.0, 7.0, float(np.float32(0.1)), 0.5, 0.25, -3.0, 255.0, 0.0, 1.5, 0.1, 0.25]
    assert logged(store_folder, given_) == expected


def test_large_integers_say_when_they_lose_precision(store_folder: Path) -> None:
    with pytest.warns(tracking.TrackingWarning) as told:
        values = logged(store_folder, [2**53 + 1, 2**53 + 1, 10**400, -(10**400), 2**53])
    assert values == [2.0**53, 2.0**53, math.inf, -math.inf, 2.0**53]
    assert len([w for w in told if "53 bits" in str(w.message)]) == 1


class Broken:
    def __float__(self) -> float:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    "junk",
    [None, "0.5", b"1", 1j, [1.0], (1.0,), {"a": 1}, np.zeros(2), np.zeros((1, 1)), object(), Broken(), len,
     np.complex128(1j), np.str_("a")],
)  # fmt: skip
def test_junk_drops_its_key_alone_with_one_warning(junk: Any, store_folder: Path) -> None:
    with (
        pytest.warns(tracking.TrackingWarning) as told,
        tracking.start_run("junk", store=store_folder, capture=False) as run,
    ):
        for step in range(3):
            run.log({"bad": junk, "good": 1.0}, step=step)
    assert len(told) == 1
    assert "'bad'" in str(told[0].message) and type(junk).__name__ in str(told[0].message)
    assert told[0].filename == __file__, "the warning points at the user's line"
    with tracking.open_store(store_folder) as store:
        assert store.run(run.id).metrics.keys() == {"good"}
        assert store.run(run.id).metrics["good"].count == 3


def test_junk_raises_in_a_strict_run(store_folder: Path) -> None:
    with tracking.start_run("junk", store=store_folder, strict=True) as run:
        with pytest.raises(InvalidValue, match="'bad'"):
            run.log({"bad": "x"})
        with pytest.raises(InvalidValue, match=r"step=1\.5"):
            run.log({"good": 1.0}, step=1.5)  # type: ignore[arg-type]


def test_warnings_as_errors_do_not_reach_the_loop(
    store_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with tracking.start_run("junk", store=store_folder) as run:
            run.log({"bad": "x"})
            run.log("not a dict")  # type: ignore[arg-type]
            run.log({5: 1.0})  # type: ignore[dict-item]
            run.log_params("not a dict")  # type: ignore[arg-type]
            run.set_tags("not a list")
    assert "bad" in capsys.readouterr().err


def test_steps_in_any_order_with_repeats(store_folder: Path) -> None:
    steps = [5, 3, 3, -1, 2**62, 0, 5]
    with tracking.start_run("steps", store=store_folder) as run:
        for number, step in enumerate(steps):
            run.log({"value": float(number)}, step=step)
        run.log({"value": 7.0}, step=np.int64(6))
        run.log({"value": 8.0}, step=3.0)  # type: ignore[arg-type]
    with tracking.open_store(store_folder) as store:
        frame = store.history(run.id, "value")
        assert frame["step"].tolist() == [-1, 0, 3, 3, 3, 5, 5, 6, 2**62]
        assert frame["value"].tolist() == [3.0, 5.0, 1.0, 2.0, 8.0, 0.0, 6.0, 7.0, 4.0], (
            "repeats stay in order"
        )
        summary = store.run(run.id).metrics["value"]
        assert (summary.last, summary.last_step) == (8.0, 3), "last is what was written last"


def test_without_a_step_the_run_counts_up(store_folder: Path) -> None:
    with tracking.start_run("steps", store=store_folder) as run:
        run.log({"a": 1.0})
        run.log({"b": 1.0})
        run.log({"a": 2.0}, step=10)
        run.log({"a": 3.0})
    with tracking.open_store(store_folder) as store:
        assert store.history(run.id, "a")["step"].tolist() == [0, 10, 11]


@pytest.mark.parametrize(
    "key", ["val/acc", "f1-score", "lambda", "精度", "точность", "a b", "<b>x</b>", "'; DROP TABLE runs; --", "%_",
            "__proto__", "😀", "x" * 512]
)  # fmt: skip
def test_keys_in_any_script(key: str, store_folder: Path) -> None:
    assert logged(store_folder, [1.0, 2.0], key) == [1.0, 2.0]


def test_keys_that_look_alike_are_one(store_folder: Path) -> None:
    with tracking.start_run("keys", store=store_folder, capture=False) as run:
        run.log({"caf\u00e9": 1.0})
        run.log({"cafe\u0301": 2.0})
    with tracking.open_store(store_folder) as store:
        assert list(store.run(run.id).metrics) == ["caf\u00e9"]


@pytest.mark.parametrize("key", ["", "   ", "a\0b", "a\nb", "\ud800", "x" * 513, 5, None])
def test_keys_that_cannot_be_kept(key: Any, store_folder: Path) -> None:
    with (
        pytest.warns(tracking.TrackingWarning),
        tracking.start_run("keys", store=store_folder, capture=False) as run,
    ):
        run.log({key: 1.0, "good": 1.0})
    with tracking.open_store(store_folder) as store:
        assert list(store.run(run.id).metrics) == ["good"]


def test_ten_thousand_keys_in_one_call(store_folder: Path) -> None:
    with tracking.start_run("wide", store=store_folder, capture=False) as run:
        run.log({f"key {number}": float(number) for number in range(10_000)})
    with tracking.open_store(store_folder) as store:
        metrics = store.run(run.id).metrics
        assert len(metrics) == 10_000
        assert metrics["key 9999"].last == 9999.0


@pytest.mark.parametrize("goal", ["maximize", "minimize"])
def test_a_diverged_run_is_never_best(goal: str, store_folder: Path) -> None:
    sign = 1.0 if goal == "maximize" else -1.0
    values = {
        "good": [0.5, 0.9],
        "low": [0.2],
        "recovered": [0.1, math.nan, math.inf, 0.7],
        "to nan": [0.5, 5.0, math.nan],
        "to inf": [0.5, 6.0, math.inf],
        "to -inf": [0.5, 7.0, -math.inf],
        "only inf": [math.inf],
    }
    for name, logged_values in values.items():
        with tracking.start_run("best", name=name, store=store_folder, capture=False) as run:
            tracking.define_metric("score", goal=goal)
            for value in logged_values:
                run.log({"score": sign * value})
    diverged = {"to nan", "to inf", "to -inf", "only inf"}
    best, worst = ("desc", "asc") if goal == "maximize" else ("asc", "desc")
    beyond = "> 4" if goal == "maximize" else "< -4"
    with tracking.open_store(store_folder) as store:

        def names(where: str = "", order_by: str | None = None) -> list[str]:
            return store.search(where, order_by=order_by)["name"].tolist()

        for term in ("best(metrics.score)", "metrics.score"):
            assert names(order_by=f"{term} {best}")[:3] == ["good", "recovered", "low"]
            assert names(order_by=f"{term} {worst}")[:3] == ["low", "recovered", "good"], "last either way"
            assert set(names(order_by=f"{term} {worst}")[3:]) == diverged
        assert names(f"best(metrics.score) {beyond}") == []
        assert names(f"not best(metrics.score) {beyond}") == ["recovered", "low", "good"]
        assert set(names("best(metrics.score) == None")) == diverged
        assert not {"to nan"} & {*names("metrics.score > 0"), *names("not metrics.score > 0")}
        column = store.search(columns=["best(metrics.score)"]).set_index("name")["best(metrics.score)"]
        assert column.dropna().to_dict() == {"good": sign * 0.9, "low": sign * 0.2, "recovered": sign * 0.7}
        # The extremes stay literal: those of the finite values.
        literal = "max" if goal == "maximize" else "min"
        assert names(order_by=f"{literal}(metrics.score) {best}")[:3] == ["to -inf", "to inf", "to nan"]
        assert set(names(f"{literal}(metrics.score) {beyond}")) == diverged - {"only inf"}


def test_params_come_back_whole(store_folder: Path) -> None:
    deep: dict[str, Any] = {}
    inner = deep
    for _ in range(50):
        inner["k"] = {}
        inner = inner["k"]
    inner["v"] = 1
    params = {
        "lr": 0.1, "layers": [64, 32], "name": "adam", "on": True, "none": None, "deep": deep, "big": "x" * 1_000_000,
        "a.b": 1, "a": {"b": 2}, "empty": {}, "nan": math.nan, "inf": -math.inf, "int": 2**70, 7: "int key",
        "umlaut": "größe", "path": Path("/data"), "nested": {"optimizer": {"betas": [0.9, 0.999]}},
    }  # fmt: skip
    with tracking.start_run("params", params=params, store=store_folder) as run:
        pass
    with tracking.open_store(store_folder) as store:
        record = store.run(run.id)
    back = dict(record.params)
    assert math.isnan(back.pop("nan"))
    expected = {str(key): value for key, value in params.items() if key != "nan"} | {"path": "/data"}
    assert back == expected
    assert record.flat_params["nested.optimizer.betas"] == [0.9, 0.999]


def test_params_of_other_kinds() -> None:
    import argparse
    import dataclasses

    @dataclasses.dataclass
    class Config:
        lr: float = 0.1
        sizes: tuple[int, ...] = (1, 2)

    names = {
        leaf[0]: leaf[2] for leaf in flatten_params({"config": Config(), "args": argparse.Namespace(seed=3)})
    }
    assert names == {"config.lr": "0.1", "config.sizes": "[1, 2]", "args.seed": "3"}
    cyclic: dict[str, Any] = {}
    cyclic["self"] = cyclic
    with pytest.raises(InvalidValue, match="nested deeper"):
        flatten_params(cyclic)
    with pytest.raises(InvalidValue, match="must be a dict"):
        flatten_params([1])


def test_a_changed_param_is_told_with_both_values(store_folder: Path) -> None:
    with tracking.start_run("params", params={"lr": 0.1}, store=store_folder) as run:
        run.log_params({"lr": 0.1, "batch": 32})
        with pytest.warns(tracking.TrackingWarning, match=r"was 0\.1 and is now 0\.2"):
            run.log_params({"lr": 0.2})
    with tracking.open_store(store_folder) as store:
        assert store.run(run.id).params == {"lr": 0.2, "batch": 32}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    calls=st.lists(
        st.dictionaries(st.sampled_from("abcd"), st.floats(width=64), min_size=1), min_size=1, max_size=40
    )
)
def test_any_interleaving_of_keys_comes_back(calls: list[dict[str, float]], tmp_path: Path) -> None:
    with tracking.start_run("mixed", store=tmp_path / "store") as run:
        for call in calls:
            run.log(call)
    with tracking.open_store(tmp_path / "store") as store:
        for key in "abcd":
            expected = [(step, bits(call[key])) for step, call in enumerate(calls) if key in call]
            frame = store.history(run.id, key)
            assert [(s, bits(v)) for s, v in zip(frame["step"], frame["value"], strict=True)] == expected


def test_start_run_tells_the_users_mistakes_at_the_call() -> None:
    for arguments in (
        {"experiment": ""}, {"experiment": 5}, {"name": "a\nb"}, {"params": 3}, {"tags": "one"}, {"parent": "../x"},
        {"store": "postgresql://host/db"}, {"total_steps": "many"}, {"group": ""}, {"notes": 5},
    ):  # fmt: skip
        with pytest.raises(InvalidValue):
            tracking.start_run(**arguments)  # type: ignore[arg-type]


def test_values_of_metric_value() -> None:
    assert metric_value(decimal.Decimal("NaN"), "k")[0] != metric_value(decimal.Decimal("NaN"), "k")[0]
    assert metric_value(decimal.Decimal("1e999"), "k")[0] == math.inf
