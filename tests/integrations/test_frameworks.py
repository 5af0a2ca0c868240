"""Lightning, Transformers and Keras: driven as these libraries drive their callbacks.

Their real selves are run by the examples, where they are installed; here stand-ins with their
interface take their place, so that every path is walked everywhere.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import tracking

Load = Callable[[str, dict[str, dict[str, Any]]], Any]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Import an integration with stand-ins for its library's modules."""
    loaded: list[str] = []

    def with_modules(name: str, modules: dict[str, dict[str, Any]]) -> Any:
        for path, content in modules.items():
            module = ModuleType(path)
            vars(module).update(content)
            monkeypatch.setitem(sys.modules, path, module)
            above, _, last = path.rpartition(".")
            if above in modules:
                setattr(sys.modules[above], last, module)
        loaded.append(f"tracking.integrations.{name}")
        sys.modules.pop(loaded[-1], None)
        return importlib.import_module(loaded[-1])

    yield with_modules
    for name in loaded:
        sys.modules.pop(name, None)


class Tensor:
    """What a training step logs: a number inside."""

    def __init__(self, value: float) -> None:
        self.value = value

    def __float__(self) -> float:
        return self.value


# Keras


@pytest.fixture
def keras_callback(load: Load) -> Any:
    class Callback:
        params: dict[str, Any] = {"epochs": 2, "steps": 5, "verbose": 1}

        def __init__(self) -> None:
            optimizer = SimpleNamespace(
                learning_rate=Tensor(0.1), get_config=lambda: {"name": "sgd", "learning_rate": Tensor(0.1)}
            )
            self.model = SimpleNamespace(name="net", optimizer=optimizer, count_params=lambda: 12)

    config = SimpleNamespace(backend=lambda: "numpy")
    module = load("keras", {"keras": {"config": config}, "keras.callbacks": {"Callback": Callback}})
    return module.KerasCallback


def fit(callback: Any, epochs: range) -> None:
    callback.on_train_begin()
    for epoch in epochs:
        callback.on_epoch_begin(epoch)
        for batch in range(5):
            callback.on_train_batch_end(batch, {"loss": 10.0 - batch})
        callback.on_epoch_end(
            epoch, {"loss": Tensor(1.0 / (epoch + 1)), "val_loss": 2.0, "picture": object()}
        )
    callback.on_train_end()


def test_keras_starts_a_run_logs_epochs_and_ends_it(store_folder: Path, keras_callback: Any) -> None:
    callback = keras_callback("mnist", store=store_folder, capture=False, name="net", every=5)
    fit(callback, range(2))
    run = callback._held.run
    # Training that goes on goes on with the run.
    fit(callback, range(2, 3))
    with tracking.open_store(store_folder) as store:
        assert store.search()["run"].tolist() == [run.id]
        record = store.run(run.id)
        assert (record.status, record.experiment, record.name) == ("finished", "mnist", "net")
        assert store.history(run.id, "loss")["step"].tolist() == [0, 1, 2]
        assert store.history(run.id, "batch/loss")["step"].tolist() == [4, 9, 14]
        assert record.metrics["learning_rate"].last == 0.1
        assert set(record.metrics) == {"loss", "val_loss", "learning_rate", "batch/loss"}
        assert record.params["keras"]["optimizer"] == {"name": "sgd", "learning_rate": 0.1}
        assert record.params["keras"]["parameters"] == 12


def test_keras_leaves_a_run_of_the_user_open(store_folder: Path, keras_callback: Any) -> None:
    with tracking.start_run("mine", store=store_folder, capture=False) as run:
        fit(keras_callback(), range(1))
        assert run.status == "running"
        run.log({"after": 1.0}, step=1)
    with tracking.open_store(store_folder) as store:
        assert {"loss", "after"} <= set(store.run(run.id).metrics)


# Transformers


@pytest.fixture
def transformers_callback(load: Load) -> Any:
    return load("transformers", {"transformers": {"TrainerCallback": object}}).TransformersCallback


def state(step: int, *, zero: bool = True, best: float | None = None) -> SimpleNamespace:
    return SimpleNamespace(
        is_world_process_zero=zero,
        global_step=step,
        best_metric=best,
        best_global_step=step if best else None,
    )


def train(callback: Any, *, zero: bool = True) -> None:
    args = SimpleNamespace(to_sanitized_dict=lambda: {"learning_rate": 5e-5, "hub_token": "<HUB_TOKEN>"})
    model = SimpleNamespace(
        config=SimpleNamespace(to_dict=lambda: {"hidden_size": 8, "id2label": {0: "a"}}),
        num_parameters=lambda: 99,
    )
    callback.on_train_begin(args, state(0, zero=zero), None, model=model)
    callback.on_log(args, state(10, zero=zero), None, logs={"loss": 0.5, "learning_rate": 1e-5, "epoch": 1.0})
    callback.on_log(args, state(10, zero=zero), None, logs={"eval_loss": 0.4, "eval_note": "text"})
    callback.on_log(args, state(20, zero=zero), None, logs={"train_runtime": 3.0, "train_loss": 0.3})
    callback.on_train_end(args, state(20, zero=zero, best=0.4), None)


def test_transformers_logs_arguments_model_and_what_the_trainer_says(
    store_folder: Path, transformers_callback: Any
) -> None:
    callback = transformers_callback("bert", store=store_folder, capture=False)
    train(callback)
    with tracking.open_store(store_folder) as store:
        record = store.run(store.search()["run"][0])
        assert record.status == "finished"
        assert record.params["args"] == {"learning_rate": 5e-5}
        assert record.params["model"] == {"hidden_size": 8, "parameters": 99}
        assert {key: (each.last, each.last_step) for key, each in record.metrics.items()} == {
            "train/loss": (0.5, 10), "train/learning_rate": (1e-5, 10), "train/epoch": (1.0, 10),
            "eval/loss": (0.4, 10), "train_summary/runtime": (3.0, 20), "train_summary/loss": (0.3, 20),
            "best_metric": (0.4, 20), "best_step": (20.0, 20),
        }  # fmt: skip


def test_transformers_on_another_rank_does_nothing(store_folder: Path, transformers_callback: Any) -> None:
    train(transformers_callback("bert", store=store_folder), zero=False)
    assert not store_folder.exists()


# Lightning


@pytest.fixture
def lightning_logger(load: Load) -> Any:
    rank = {"rank": 0}

    def rank_zero_only(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *given, **named: function(*given, **named) if rank["rank"] == 0 else None

    content = {"Logger": object, "rank_zero_experiment": rank_zero_only}
    module = load(
        "lightning",
        {
            "lightning": {},
            "lightning.pytorch": {},
            "lightning.pytorch.loggers": {},
            "lightning.pytorch.loggers.logger": content,
            "lightning.pytorch.utilities": {"rank_zero_only": rank_zero_only},
        },
    )
    module.rank = rank
    return module


def test_lightning_logs_and_goes_on_after_fit(store_folder: Path, lightning_logger: Any) -> None:
    logger = lightning_logger.LightningLogger("lit", store=store_folder, capture=False, tags=["t"])
    assert (logger.name, logger.version) == ("lit", None)
    logger.log_hyperparams({"lr": 0.1, "net": {"width": 3}})
    for step in range(3):
        logger.log_metrics({"train_loss": Tensor(1.0 / (step + 1)), "epoch": 0}, step=step)
    logger.finalize("success")
    logger.log_metrics({"test_loss": 0.2}, step=3)
    logger.finalize("failed")
    with tracking.open_store(store_folder) as store:
        record = store.run(logger.version)
        assert store.search()["run"].tolist() == [record.id]
        assert (record.status, record.tags) == ("failed", ("t",))
        assert record.params == {"lr": 0.1, "net": {"width": 3}}
        assert store.history(record.id, "train_loss")["step"].tolist() == [0, 1, 2]
        assert record.metrics["test_loss"].last == 0.2


def test_lightning_on_another_rank_does_nothing(store_folder: Path, lightning_logger: Any) -> None:
    lightning_logger.rank["rank"] = 1
    logger = lightning_logger.LightningLogger("lit", store=store_folder)
    logger.log_hyperparams({"lr": 0.1})
    logger.log_metrics({"loss": 1.0}, step=0)
    logger.finalize("success")
    assert logger.version is None and not store_folder.exists()


def test_importing_tracking_imports_no_integration(run_script: Any) -> None:
    done = run_script(
        "import sys, tracking; tracking.start_run; print([n for n in sys.modules if 'integrations' in n])"
    )
    assert done.stdout.strip() == "[]"
