"""The file of a new store: readable by its owner alone."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tracking


@pytest.fixture
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.parametrize("folder_exists", [False, True])
def test_a_new_database_is_private(usual_umask: None, store_folder: Path, folder_exists: bool) -> None:
    if folder_exists:
        (store_folder / "spool").mkdir(parents=True)  # by somebody, with the rights of the umask
    with tracking.start_run("digits", store=store_folder, capture=False) as run:
        run.log({"loss": 0.5}, step=1)
    store = tracking.open_store(store_folder)
    assert store.count() == 1
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in store_folder.glob("tracking.db*")}
    store.close()
    assert modes == dict.fromkeys(("tracking.db", "tracking.db-wal", "tracking.db-shm"), 0o600)


def test_an_existing_database_keeps_its_rights(store_folder: Path) -> None:
    tracking.open_store(store_folder).close()
    (store_folder / "tracking.db").chmod(0o640)  # shared with a group, on purpose
    tracking.open_store(store_folder).close()
    assert stat.S_IMODE((store_folder / "tracking.db").stat().st_mode) == 0o640


def test_an_upgrade_says_nothing_in_the_scripts_own_log(store_folder: Path) -> None:
    store_folder.mkdir()
    shutil.copy(Path(__file__).parent / "stores" / "0001.db", store_folder / "tracking.db")
    script = (
        "import logging, sys; logging.basicConfig(level=logging.DEBUG)\n"
        "import tracking\n"
        "with tracking.start_run('new', store=sys.argv[1], capture=False) as run: run.log({'loss': 1.0})\n"
        "logging.info('mine')\n"
        "import alembic.runtime.migration as theirs; theirs.log.info('theirs')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(store_folder)], capture_output=True, text=True, check=True
    )
    assert done.stderr.splitlines() == ["INFO:root:mine", "INFO:alembic.runtime.migration:theirs"]
    with tracking.open_store(store_folder) as store:
        assert store.count(experiment="new") == 1
