"""The dashboard on a large store: how soon it answers and how much memory its processes take."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from benchmarks import searching
from benchmarks.report import Row
from benchmarks.workloads import ROOT, Bench, environment

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

PATIENCE_SECONDS = 60


@contextlib.contextmanager
def served(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Start the server on a free port and give its process and port; end it afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tracking.ui.server", "--no-open-browser"]
    process = subprocess.Popen(
        [*command, "--store", str(folder), "--port", str(port)],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.DEVNULL,
    )
    try:
        yield process, port
    finally:
        process.terminate()
        process.wait(timeout=20)


def first_answer_seconds(process: subprocess.Popen[bytes], port: int, began: float) -> float:
    while time.perf_counter() < began + PATIENCE_SECONDS:
        if process.poll() is not None:
            raise RuntimeError(f"the dashboard ended by itself with exit code {process.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                answer.read()
                return time.perf_counter() - began
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.005)
    raise RuntimeError("the dashboard did not answer")


@contextlib.contextmanager
def session(port: int) -> Iterator[ClientConnection]:
    """Open a session, as a browser's tab does."""
    from websockets.sync.client import connect
    from websockets.typing import Origin, Subprotocol

    with connect(
        f"ws://127.0.0.1:{port}/_stcore/stream",
        origin=Origin(f"http://127.0.0.1:{port}"),
        subprotocols=[Subprotocol("streamlit")],
        max_size=None,
    ) as opened:
        yield opened


def drawn(opened: ClientConnection, page: str, query: str = "") -> tuple[float, int]:
    """Run a page in a session and return its seconds and the bytes it sent."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    began = time.perf_counter()
    request = BackMsg()
    request.rerun_script.page_name = page
    request.rerun_script.query_string = query
    opened.send(request.SerializeToString())
    size = 0
    while True:
        received = opened.recv(timeout=PATIENCE_SECONDS)
        size += len(received)
        message = ForwardMsg.FromString(received if isinstance(received, bytes) else received.encode())
        if message.WhichOneof("type") == "script_finished":
            return time.perf_counter() - began, size


def draw(port: int, page: str, query: str = "") -> tuple[float, int]:
    """Run a page in a session of its own and return its seconds and the bytes it sent."""
    with session(port) as opened:
        return drawn(opened, page, query)


def memory_bytes(process: subprocess.Popen[bytes]) -> int:
    """Return what the process and its children have of their own (USS)."""
    root = psutil.Process(process.pid)
    return sum(one.memory_full_info().uss for one in [root, *root.children(recursive=True)])


def dashboard(bench: Bench) -> Iterator[Row]:
    folder = bench.folder / "many"
    runs = bench.scaled(10_000, 500)
    if not folder.exists():
        searching.fill(folder, runs)
    began = time.perf_counter()
    with served(folder) as (process, port):
        answered = first_answer_seconds(process, port, began)
        first, _ = draw(port, "")
        draw(port, "runs")
        again, sent = draw(port, "runs")
        memory = memory_bytes(process)
    yield Row("dashboard, start to first answer", answered, "s", target=2)
    yield Row(
        f"dashboard, memory of its processes, {runs:,} runs",
        memory / 1e6,
        "MB",
        target=250,
        note=f"After the overview ({first:.2f} s in the first session) and the runs page "
        f"({again:.2f} s, {sent / 1e6:.2f} MB) were drawn.",
    )
