"""The guarded server: the pages of app.py behind a check of host, origin and key.

`serve()` binds 127.0.0.1, prints the address with the launch key and opens it
in a browser. The key in the address becomes a cookie and leaves the address at
once. Reading needs no key; `access` says who may act.
"""

from __future__ import annotations

import errno
import gc
import importlib
import logging
import os
import socket
import sys
import threading
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import streamlit as st
import typer
import uvicorn
from starlette.middleware import Middleware
from starlette.responses import FileResponse
from starlette.routing import Route
from streamlit.runtime.pages_manager import PagesManager

from tracking import config
from tracking.errors import TrackingError
from tracking.ui import access, guard
from tracking.ui.live_chart import PLOTLY_FILE, PLOTLY_ROUTE

ADDRESS: Final = "127.0.0.1"
PORT: Final = 8501
APP: Final = Path(__file__).resolve().parents[2] / "app.py"
_SHUTDOWN_S: Final = 3


def create_app(port: int, *, open_browser: bool = False) -> st.App:
    """Return the dashboard as an ASGI application.

    Args:
        port: The port it will be reached on; it names the cookie.
        open_browser: Open the address when the server is ready.
    """
    access.mark_guarded()
    # Streamlit takes a folder called pages/ for an app of the old kind until some session has declared the
    # navigation: a deep link to a fresh server would run that page without app.py and its error boundary.
    PagesManager.uses_pages_directory = False

    @asynccontextmanager
    async def announced(_: st.App) -> AsyncIterator[None]:
        # Streamlit has just switched both on; a line of access holds the key where the address did.
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
        logging.getLogger("uvicorn.access").disabled = True
        address = f"http://{ADDRESS}:{port}/?key={access.launch_key()}"
        print(f"Podium is at {address}", flush=True)
        if open_browser:
            threading.Thread(target=_open_in_browser, args=(address,), daemon=True).start()
        threading.Thread(target=_warm_up, name="podium-warm-up", daemon=True).start()
        yield

    return st.App(
        APP,
        routes=[
            Route(PLOTLY_ROUTE, _plotly),
            Route(guard.UNLOCK_ROUTE, guard.unlock(port), methods=["GET", "POST"]),
        ],
        middleware=[Middleware(guard.Guard, port=port)],
        lifespan=announced,
    )


def serve(
    store: Annotated[Path | None, typer.Option(help="Folder of the store.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = PORT,
    open_browser: Annotated[bool, typer.Option(help="Open the address if there is a desktop.")] = True,
) -> None:
    """Serve the dashboard on 127.0.0.1 until it is interrupted.

    Raises:
        TrackingError: The port is taken, or the pages are not beside the package.
        InvalidValue: `store` cannot be the folder of a store, or TRACKING_KEY is too short.
    """
    if not APP.is_file():
        raise TrackingError(
            f"{APP} is missing: the dashboard runs from a checkout that holds app.py and pages/."
        )
    access.launch_key()
    if store is not None:
        # The pages find their store as every script does, and what they start finds the same one.
        os.environ["TRACKING_STORE"] = str(config.locate_store(store).root)
    listener = _listen(port)
    with listener:
        port = listener.getsockname()[1]
        uvicorn.Server(
            uvicorn.Config(
                create_app(port, open_browser=open_browser),
                log_level="warning",
                access_log=False,  # addresses may hold the key
                server_header=False,
                ws="websockets-sansio",
                ws_per_message_deflate=False,  # nothing to save on the loopback device
                timeout_graceful_shutdown=_SHUTDOWN_S,
            )
        ).run(sockets=[listener])


def _listen(port: int) -> socket.socket:
    """Bind the port, before anything slow happens, so that a taken one is said at once."""
    # asyncio switches Nagle's algorithm off only for sockets that name TCP: 45 ms a request otherwise.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((ADDRESS, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            reason = "is in use, perhaps by a dashboard that runs already"
        elif error.errno == errno.EACCES:
            reason = "may not be used by you"
        else:
            raise
        other = port + 1 if 1024 <= port < 65535 else PORT
        raise TrackingError(
            f"http://{ADDRESS}:{port}/ {reason}. Stop that, or choose another port: make run PORT={other}"
        ) from None
    return listener


async def _plotly(_: Any) -> FileResponse:
    return FileResponse(
        PLOTLY_FILE,
        media_type="text/javascript",
        headers={
            "Cache-Control": "public, max-age=31536000, immutable",  # its version is in the address
            "Content-Encoding": "identity",  # compressing 5 MB takes longer than the loopback device
        },
    )


def _open_in_browser(address: str) -> None:
    """Open the address on a desktop; do nothing in a bare terminal."""
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return
    # A browser of this very class would run inside the terminal (lynx, w3m) and take it over.
    if type(browser) is not webbrowser.GenericBrowser:
        browser.open(address)


def _warm_up() -> None:
    """Import what the first page needs while the user's browser still loads the frame."""
    for name in ("pandas", "plotly.graph_objects", "tracking.store"):
        importlib.import_module(name)
    # What has been imported stays: no collection has to look through it while a page is drawn.
    gc.collect()
    gc.freeze()


def main() -> None:
    """Run `python -m tracking.ui.server`."""
    try:
        typer.run(serve)
    except TrackingError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
