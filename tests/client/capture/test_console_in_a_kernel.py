"""In a real Jupyter kernel, which wraps the streams for each cell, a run keeps what all its cells print."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import tracking

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")

CELLS = [
    "import sys, threading, time, tracking\nprint('before the run')",
    "run = tracking.start_run('kernel', store={store!r}, capture=['console'])",
    "print('second cell')",
    "print('third cell, to stderr', file=sys.stderr)",
    "def later():\n    time.sleep(0.2)\n    print('from a thread between cells')\n"
    "worker = threading.Thread(target=later)\nworker.start()",
    "import asyncio\nawait asyncio.sleep(0.4)\nworker.join()\nprint('last cell')",
    "1 / 0",
    "run.finish()\nprint('after the run')",
    "print('ours are left:', any('tracking' in str(type(vars(s).get('write'))) for s in (sys.stdout, sys.stderr)))",
    "with tracking.start_run('kernel', store={store!r}, capture=['console']) as second:\n"
    "    print('of the second run')\nprint(run.id, second.id)",
]


def execute(cells: list[str], folder: Path) -> list[Any]:
    """Run the cells in a kernel of this interpreter and return them with their outputs."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = nbclient.NotebookClient(
        notebook,
        timeout=60,
        kernel_name="python3",
        allow_errors=True,
        resources={"metadata": {"path": folder}},
    )
    client.execute()
    return list(notebook.cells)


def shown(cell: Any) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)


@pytest.mark.timeout(120)
def test_what_every_cell_prints_is_kept_and_shown_once(store_folder: Path, tmp_path: Path) -> None:
    cells = execute([cell.replace("{store!r}", repr(str(store_folder))) for cell in CELLS], tmp_path)
    assert shown(cells[2]) == "second cell\n"
    assert shown(cells[3]) == "third cell, to stderr\n"
    assert shown(cells[8]) == "ours are left: False\n"
    first, second = shown(cells[9]).splitlines()[-1].split()
    with tracking.open_store(store_folder) as store:
        text = "".join(part.text for part in store.console(first))
        assert "".join(part.text for part in store.console(second)) == "of the second run\n"
    wanted = ["second cell", "third cell, to stderr", "from a thread between cells", "last cell"]
    assert text.splitlines()[:4] == wanted
    assert "before the run" not in text
    assert "after the run" not in text
