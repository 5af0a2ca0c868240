"""The checks before any request reaches a page: host, origin, key.

A page of a foreign site can make a browser send requests here, and a name it
controls can resolve to 127.0.0.1. So a request must name this machine as its
host, and if it names an origin, this very host and port. Streamlit's own check
lets any `localhost:<port>` open its WebSocket.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from html import escape
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request, cookie_parser
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import file_util

from tracking.ui import access, frame

UNLOCK_ROUTE: Final = "/unlock"
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_POLICY_VIOLATION: Final = 1008
_MAX_FORM_BYTES: Final = 4096
_MAX_ADDRESS_BYTES: Final = 16_384
# What Streamlit and this server answer beside pages; a page's address may come before `_stcore`.
_ROUTES: Final = frozenset({"_stcore", "app", "component", "media", "static", "vendor"})
_FILES: Final = frozenset(path.name for path in Path(file_util.get_static_dir()).iterdir() if path.is_file())
_RUN_ID: Final = re.compile(r"[\w.-]{1,128}")

# The browser itself refuses what would leave the machine, wherever it came from.
_CONTENT_POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",  # Streamlit loads components from blobs
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "connect-src 'self' data: blob: {websocket}",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}

_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Podium: {title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 32rem; margin: 15vh auto; padding: 0 1rem; }}
input, button {{ font: inherit; padding: .5rem .75rem; }}
input {{ width: 100%; box-sizing: border-box; margin: .5rem 0; }}
</style></head><body>
<h1>Podium</h1>
<p role="status">{message}</p>
{rest}
</body></html>
"""
_KEY_FIELD: Final = """<form method="post" action="{action}">
<label for="key">Key, as printed in the terminal that runs the dashboard</label>
<input id="key" name="key" type="password" autocomplete="off" autofocus>
<button>Unlock</button>
</form>
<p><a href="/">Look without a key</a></p>"""
_WAYS_ON: Final = '<p><a href="/">Overview</a> · <a href="/runs">Runs</a></p>'


class Guard:
    """Pure ASGI middleware in front of every page, asset and WebSocket.

    - A foreign `Host` or `Origin` is refused with 403, whatever it carries.
    - `?key=` on any address becomes the cookie and a redirect without it.
    - An address that is no page gets 404, one with a run's id in its path is redirected.
    - A WebSocket without `Origin` (no browser) and every method that changes
      something need the key.
    """

    def __init__(self, app: ASGIApp, *, port: int) -> None:
        self.app = app
        self._port = port
        # Apart from typed keys: any foreign page can make a browser ask for addresses with wrong ones.
        self._address_limit = access.GuessLimit()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            if self._refusal(scope) is not None:
                await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
                return
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            answer = self._answer(scope)
            await (answer or self.app)(scope, receive, self._hardened(scope, send))
        else:
            await self.app(scope, receive, send)

    def _refusal(self, scope: Scope) -> str | None:
        """Return why a request is refused, None when it may pass."""
        headers = Headers(scope=scope)
        host, origin = headers.get("host"), headers.get("origin")
        if len(headers.getlist("host")) > 1 or not access.is_local_host(host):
            return "This dashboard answers only to http://127.0.0.1 and http://localhost."
        scheme = "https" if scope["scheme"] in ("https", "wss") else "http"
        if origin is not None:
            if not access.is_own_origin(origin, host, scheme):
                return "This request comes from a page of another site."
        elif scope["type"] == "websocket" and not _has_key(headers):
            return "A program needs the key to open a session."
        changes = scope["type"] == "http" and scope["method"] not in _SAFE_METHODS
        if changes and scope["path"] != UNLOCK_ROUTE and not _has_key(headers):
            return "This request needs the key."
        return None

    def _answer(self, scope: Scope) -> Response | None:
        """Return the answer of the guard itself, None to let the request pass."""
        if (reason := self._refusal(scope)) is not None:
            return PlainTextResponse(f"403: {reason}\n", status_code=403)
        if scope["method"] not in ("GET", "HEAD"):
            return None
        if len(scope["path"]) + len(scope["query_string"]) > _MAX_ADDRESS_BYTES:
            page = _PAGE.format(title="too long", message="414: This address is too long.", rest=_WAYS_ON)
            return HTMLResponse(page, status_code=414)
        fields = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = [value for name, value in fields if name == "key"]
        if not given:
            return _elsewhere(scope["path"], fields)
        if (refused := access.try_key(given[-1], self._address_limit)) is not None:
            return _form(refused, status_code=403)
        rest = urlencode([(name, value) for name, value in fields if name != "key"])
        # One slash: `//elsewhere/` would be an address on another host.
        path = "/" + quote(scope["path"].lstrip("/\\"))
        return _unlocked(f"{path}?{rest}" if rest else path, self._port)

    def _hardened(self, scope: Scope, send: Send) -> Send:
        host = Headers(scope=scope).get("host", "")
        # `self` covers the WebSocket in current browsers, not in older Safari.
        websocket = f"ws://{host}" if access.is_local_host(host) else ""

        async def send_hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers["Content-Security-Policy"] = _CONTENT_POLICY.format(websocket=websocket)
            await send(message)

        return send_hardened


def unlock(port: int) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint that shows the form for the key and takes it."""

    async def endpoint(request: Request) -> Response:
        if request.method != "POST":
            return _form("Looking needs no key. To start or change something, paste it here.")
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MAX_FORM_BYTES:
                return PlainTextResponse("413: too long for a key\n", status_code=413)
        fields = dict(parse_qsl(body.decode("utf-8", "replace")))
        if (refused := access.try_key(fields.get("key", ""))) is not None:
            return _form(refused, status_code=403)
        return _unlocked("/", port)

    return endpoint


def _elsewhere(path: str, fields: Sequence[tuple[str, str]]) -> Response | None:
    """Return the answer for an address that is no page, None for pages and what they are made of.

    Streamlit would show the first page there, or an empty one below the address of a page.
    """
    parts = path.strip("/").split("/")
    if f"/{'/'.join(parts)}" in (*frame.PLACES, UNLOCK_ROUTE) or _ROUTES & {*parts[:2]}:
        return None
    if len(parts) == 1 and parts[0] in _FILES:
        return None
    if len(parts) == 2 and parts[0] == "run" and _RUN_ID.fullmatch(parts[1]):
        rest = [(name, value) for name, value in fields if name != "run"]
        return RedirectResponse(f"/run?{urlencode([('run', parts[1]), *rest])}", status_code=307)
    shown = path if len(path) <= 100 else path[:99] + "…"
    return HTMLResponse(
        _PAGE.format(title="no such page", message=f"There is no page {escape(shown)} here.", rest=_WAYS_ON),
        status_code=404,
    )


def _has_key(headers: Headers) -> bool:
    """Whether a request proves the key: by the cookie, or as a bearer token from a program."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and access.is_key(token):
        return True
    return access.has_cookie(cookie_parser(headers.get("cookie", "")))


def _unlocked(location: str, port: int) -> Response:
    response = RedirectResponse(location, status_code=303, headers={"Cache-Control": "no-store"})
    response.set_cookie(
        access.cookie_name(port), access.cookie_value(), path="/", httponly=True, samesite="strict"
    )
    return response


def _form(message: str, *, status_code: int = 200) -> Response:
    return HTMLResponse(
        _PAGE.format(title="key", message=escape(message), rest=_KEY_FIELD.format(action=UNLOCK_ROUTE)),
        status_code=status_code,
        headers={"Cache-Control": "no-store"},
    )
