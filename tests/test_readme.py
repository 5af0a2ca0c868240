"""The README's programs run as they stand, and it names what the code has."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

import tracking

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def test_the_python_blocks_run_one_after_another(
    run_script: Callable[..., CompletedProcess[str]], store_folder: Path
) -> None:
    assert len(BLOCKS) >= 2
    done = run_script("\n".join(BLOCKS), env={"TRACKING_STORE": str(store_folder)})
    assert done.returncode == 0, done.stderr
    runs = tracking.open_store(store_folder).search()
    assert len(runs) >= 1
    assert set(runs["status"]) == {"finished"}


def test_the_first_program_has_ten_lines() -> None:
    assert len([line for line in BLOCKS[0].splitlines() if line.strip()]) <= 10


def test_the_two_commands_stand_on_the_first_screen() -> None:
    first_screen = "\n".join(README.splitlines()[:40])
    assert "make run" in first_screen
    assert "make test" in first_screen


def test_every_setting_is_explained() -> None:
    source = (ROOT / "tracking" / "config.py").read_text(encoding="utf-8")
    settings = set(re.findall(r"\bTRACKING_[A-Z]+\b", source))
    assert {name for name in settings if f"`{name}`" not in README} == set()


def test_every_status_is_explained() -> None:
    assert {status for status in tracking.RunStatus if f"`{status}`" not in README} == set()


@pytest.mark.parametrize("target", re.findall(r"`make ([a-z-]+)", README))
def test_every_make_target_named_exists(target: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE)


@pytest.mark.parametrize("path", re.findall(r"\]\((?!https?://|#)([^)#]+)", README))
def test_every_link_leads_to_a_file(path: str) -> None:
    assert (ROOT / path).exists()
