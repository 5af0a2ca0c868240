"""Optuna's own tests of a storage, on ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from optuna.storages import BaseStorage
from optuna.testing.pytest_storages import StorageTestCase

import tracking


class TestStudyStorage(StorageTestCase):
    """The whole of them."""

    @pytest.fixture
    def storage(self, store_folder: Path) -> Iterator[BaseStorage]:
        storage = tracking.study_storage(store_folder)
        yield storage
        storage.remove_session()
