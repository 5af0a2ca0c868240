"""The guarded server as a process: what is refused, what may be read, what takes the key."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from streamlit import config
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from tracking.ui import frame

ROOT = Path(__file__).parents[2]

# Stands in for app.py: notes that it ran, and acts if it may.
PROBE = """
from pathlib import Path
import streamlit as st
from tracking.ui import access
here = Path(__file__).parent
(here / "ran").touch()
if access.may_act():
    (here / "acted").touch()
st.text("drawn")
"""
LAUNCH = (
    "import sys; from pathlib import Path; from tracking.ui import server\n"
    "server.APP = Path(sys.argv[1]); server.serve(port=0, open_browser=False)"
)


@dataclass(frozen=True)
class Server:
    port: int
    key: str
    folder: Path
    process: subprocess.Popen[str]

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(self.base + path, headers=headers)

    def cookie(self) -> str:
        """Return the Cookie header of a browser that opened the printed address."""
        return self.get(f"/?key={self.key}").headers["set-cookie"].partition(";")[0]

    def handshake(self, **headers: str) -> int:
        """Ask for a WebSocket with exactly these headers beside the protocol's; return the status."""
        lines = [
            "GET /_stcore/stream HTTP/1.1",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as raw:
            raw.sendall("\r\n".join([*lines, "", ""]).encode())
            return int(raw.recv(64).split()[1])

    def draw(self, **headers: str) -> None:
        """Open a session as a page of this server does, and run the script once."""
        with connect(
            f"ws://127.0.0.1:{self.port}/_stcore/stream",
            origin=Origin(self.base),
            additional_headers=headers,
            subprotocols=[Subprotocol("streamlit")],
        ) as session:
            asked = BackMsg()
            asked.rerun_script.query_string = ""
            session.send(asked.SerializeToString())
            while True:
                answer = session.recv(timeout=20)
                assert isinstance(answer, bytes)
                if ForwardMsg.FromString(answer).WhichOneof("type") == "script_finished":
                    return

    def has(self, mark: str) -> bool:
        return (self.folder / mark).exists()


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("probe")
    script = folder / "probe.py"
    script.write_text(PROBE, encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "-c", LAUNCH, str(script)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as started:
        assert started.stdout is not None
        try:
            address = started.stdout.readline().strip()
            assert address.startswith("Podium is at http://127.0.0.1:"), address
            port, _, key = address.rpartition(":")[2].partition("/?key=")
            yield Server(int(port), key, folder, started)
        finally:
            started.terminate()
            rest = started.communicate(timeout=20)[0]
    assert key not in rest, "the key was logged"


@pytest.fixture
def server(process: Server) -> Server:
    for mark in ("ran", "acted"):
        (process.folder / mark).unlink(missing_ok=True)
    return process


def test_reading_takes_no_key_and_does_not_act(server: Server) -> None:
    page = server.get("/run?run=abc")
    assert page.status_code == 200
    assert "<html" in page.text
    server.draw()
    assert server.has("ran")
    assert not server.has("acted")


def test_the_printed_address_becomes_a_cookie_that_may_act(server: Server) -> None:
    answer = server.get(f"/run?run=a%20b&key={server.key}&x=")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/run?run=a+b&x="
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"podium-access-{server.port}=")
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert server.key not in cookie

    server.draw(Cookie=cookie.partition(";")[0])
    assert server.has("acted")


@pytest.mark.parametrize("value", ["", "wrong", "0" * 64])
def test_a_wrong_cookie_is_none(server: Server, value: str) -> None:
    server.draw(Cookie=f"podium-access-{server.port}={value}")
    assert server.has("ran")
    assert not server.has("acted")


@pytest.mark.parametrize("with_cookie", [False, True])
@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("evil.example:{port}", "http://evil.example:{port}"),  # DNS rebinding
        ("evil.example", None),
        ("127.0.0.1:{port}", "http://evil.example"),
        ("127.0.0.1:{port}", "null"),
        ("127.0.0.1:{port}", "http://localhost:3000"),  # another app on this machine
        ("127.0.0.1:{port}", "http://127.0.0.1:3000"),
        ("localhost:{port}", "http://127.0.0.1:{port}"),
        ("127.0.0.1:{port}", "https://127.0.0.1:{port}"),
    ],
)
def test_a_foreign_host_or_origin_gets_neither_page_nor_session(
    server: Server, host: str, origin: str | None, with_cookie: bool
) -> None:
    headers = {"Host": host.format(port=server.port)}
    if origin is not None:
        headers["Origin"] = origin.format(port=server.port)
    if with_cookie:
        headers["Cookie"] = server.cookie()
    assert server.handshake(**headers) == 403
    assert server.get("/", **headers).status_code == 403
    assert httpx.post(f"{server.base}/unlock", headers=headers, data={"key": server.key}).status_code == 403
    assert not server.has("ran")


def test_a_program_without_an_origin_needs_the_key_for_a_session(server: Server) -> None:
    host = f"127.0.0.1:{server.port}"
    assert server.handshake(Host=host) == 403
    assert server.handshake(Host=host, Authorization="Bearer wrong") == 403
    assert server.handshake(Host=host, Authorization=f"Bearer {server.key}") == 101
    assert server.handshake(Host=host, Cookie=server.cookie()) == 101


def test_a_request_without_or_with_two_hosts_is_refused(server: Server) -> None:
    own = f"http://127.0.0.1:{server.port}"
    assert server.handshake(Origin=own) in (400, 403)
    assert server.handshake(Host=f"127.0.0.1:{server.port}\r\nHost: evil.example", Origin=own) in (400, 403)
    assert not server.has("ran")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_methods_that_change_something_take_the_key(server: Server, method: str) -> None:
    target = f"{server.base}/_stcore/upload_file/a/b"
    assert httpx.request(method, target).status_code == 403
    assert httpx.request(method, target, headers={"Origin": server.base}).status_code == 403
    with_key = httpx.request(method, target, headers={"Origin": server.base, "Cookie": server.cookie()})
    assert "needs the key" not in with_key.text


def test_a_wrong_key_shows_a_form_and_the_form_unlocks(server: Server) -> None:
    wrong = server.get("/runs?key=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    assert wrong.status_code == 403
    assert "set-cookie" not in wrong.headers
    assert "<script>" not in wrong.text
    assert '<form method="post" action="/unlock">' in wrong.text

    assert server.get("/unlock").status_code == 200
    own = {"Origin": server.base}
    refused = httpx.post(f"{server.base}/unlock", headers=own, data={"key": "wrong"})
    assert refused.status_code == 403
    assert "set-cookie" not in refused.headers
    taken = httpx.post(f"{server.base}/unlock", headers=own, data={"key": server.key})
    assert taken.status_code == 303
    assert taken.headers["location"] == "/"
    server.draw(Cookie=taken.headers["set-cookie"].partition(";")[0])
    assert server.has("acted")
    assert httpx.post(f"{server.base}/unlock", headers=own, data={"key": "x" * 5000}).status_code == 413


@pytest.mark.parametrize("path", ["//evil.example/", "/%2F%2Fevil.example/", "/%5C%5Cevil.example/"])
def test_the_redirect_stays_on_this_server(server: Server, path: str) -> None:
    answer = server.get(f"{path}?key={server.key}")
    assert httpx.URL(server.base).join(answer.headers.get("location", "/")).host == "127.0.0.1"


@pytest.mark.parametrize("path", frame.PLACES)
def test_every_page_is_answered(server: Server, path: str) -> None:
    assert server.get(path).status_code == 200


@pytest.mark.parametrize(
    "path", ["/nonexistent", "/run/a/b", "/runs/x", "/%3Cscript%3E", "/run/%27;drop", "/index.html/x"]
)
def test_an_address_that_is_no_page_says_so(server: Server, path: str) -> None:
    answer = server.get(path)
    assert answer.status_code == 404
    assert "There is no page" in answer.text and 'href="/runs"' in answer.text
    assert "<script>" not in answer.text


def test_an_id_in_the_path_leads_to_its_run(server: Server) -> None:
    answer = server.get("/run/01m7yqy6r92drmb0wbsq?x=wall&run=other")
    assert answer.status_code == 307
    assert answer.headers["location"] == "/run?run=01m7yqy6r92drmb0wbsq&x=wall"


@pytest.mark.parametrize("path", ["/_stcore/health", "/favicon.png", "/index.html"])
def test_what_pages_are_made_of_passes(server: Server, path: str) -> None:
    assert server.get(path).status_code == 200


@pytest.mark.parametrize("length", [20_000, 64_000, 70_000, 200_000])
@pytest.mark.parametrize("before", ["/", "/run?run="])
def test_an_address_without_end_is_refused_at_once(server: Server, before: str, length: int) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as raw:
        request = f"GET {before}{'x' * length} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n"
        with contextlib.suppress(ConnectionError):
            raw.sendall(request.encode())
        assert int(raw.recv(64).split()[1]) in (400, 414)


def test_the_page_for_an_address_without_end_leads_back(server: Server) -> None:
    answer = server.get(f"/run?run={'x' * 20_000}")
    assert answer.status_code == 414
    assert "too long" in answer.text and 'href="/runs"' in answer.text and len(answer.text) < 5000


def test_answers_tell_the_browser_to_stay_on_this_machine(server: Server) -> None:
    page = server.get("/")
    policy = page.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy.replace(f"ws://127.0.0.1:{server.port}", "")
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["x-content-type-options"] == "nosniff"


def test_plotly_comes_from_the_installed_package_and_may_be_kept(server: Server) -> None:
    from tracking.ui.live_chart import PLOTLY_FILE, PLOTLY_ROUTE

    answer = server.get(PLOTLY_ROUTE)
    assert answer.content == PLOTLY_FILE.read_bytes()
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]


def test_a_taken_port_is_said_with_the_way_out(server: Server) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "tracking.ui.server", f"--port={server.port}", "--no-open-browser"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert second.returncode == 2
    assert second.stdout == ""
    assert f"http://127.0.0.1:{server.port}/ is in use" in second.stderr
    assert "make run PORT=" in second.stderr
    assert "Traceback" not in second.stderr


def test_only_the_loopback_device_is_bound(server: Server) -> None:
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as elsewhere:
        elsewhere.settimeout(5)
        with pytest.raises(OSError):
            elsewhere.connect(("127.0.0.2", server.port))


def test_the_effective_settings_are_the_safe_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(config, "_main_script_path", str(ROOT / "app.py"))
    config.get_config_options(force_reparse=True)
    effective = {
        name: config.get_option(name)
        for name in (
            "server.address",
            "server.allowedHosts",
            "server.enableCORS",
            "server.enableXsrfProtection",
            "server.enableStaticServing",
            "server.enableAgentApi",
            "server.showEmailPrompt",
            "server.fileWatcherType",
            "browser.gatherUsageStats",
            "client.showErrorDetails",
            "client.toolbarMode",
            "runner.magicEnabled",
            "runner.postScriptGC",
            "global.minCachedMessageSize",
        )
    }
    assert effective == {
        "server.address": "127.0.0.1",
        "server.allowedHosts": ["127.0.0.1", "localhost", "::1"],
        "server.enableCORS": True,
        "server.enableXsrfProtection": True,
        "server.enableStaticServing": False,
        "server.enableAgentApi": False,
        "server.showEmailPrompt": False,
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": False,
        "client.showErrorDetails": "none",
        "client.toolbarMode": "viewer",
        "runner.magicEnabled": False,
        "runner.postScriptGC": False,
        "global.minCachedMessageSize": 1e12,
    }
    assert "://" not in (ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8")
