"""Who may act.

Looking is free on this machine. To start or change something takes the launch
key, which the server prints in its terminal: as the cookie that its address
sets, or typed into the page once in a session.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import secrets
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs, urlsplit

import streamlit as st

from tracking import config
from tracking.errors import InvalidValue, NotAllowed

UNLOCKED: Final = "access.unlocked"
"""Session state: the key was typed in this session."""

MIN_KEY_LENGTH: Final = 16

_REFUSED: Final = "access.refused"
_COOKIE_PREFIX: Final = "podium-access-"
_LOCAL_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_GUESSES: Final = 5
_GUESS_WINDOW_S: Final = 30.0

_lock = threading.Lock()
_guarded = threading.Event()


class GuessLimit:
    """At most so many wrong keys in a window of time, from all sessions together."""

    def __init__(self, guesses: int = _GUESSES, window_s: float = _GUESS_WINDOW_S) -> None:
        self._guesses, self._window_s = guesses, window_s
        self._wrong: deque[float] = deque()
        self._lock = threading.Lock()

    def wait_s(self) -> float:
        """Return the seconds until another key may be tried, 0 if now."""
        with self._lock:
            now = time.monotonic()
            while self._wrong and now - self._wrong[0] >= self._window_s:
                self._wrong.popleft()
            return 0.0 if len(self._wrong) < self._guesses else self._window_s - (now - self._wrong[0])

    def note_wrong(self) -> None:
        """Count a wrong key."""
        with self._lock:
            self._wrong.append(time.monotonic())


_typed_limit = GuessLimit()


@functools.cache
def _draw_key() -> str:
    given = config.launch_key()
    if given is not None and len(given) < MIN_KEY_LENGTH:
        raise InvalidValue(
            f"TRACKING_KEY has {len(given)} characters, and a key that short can be guessed. "
            f"Give it at least {MIN_KEY_LENGTH}, or leave it away for a random one."
        )
    return given or secrets.token_urlsafe(24)


def launch_key() -> str:
    """Return the key of this server process: the launcher's, or a random one drawn once.

    Raises:
        InvalidValue: The launcher's is too short to be safe.
    """
    with _lock:  # two first sessions must not draw one each
        return _draw_key()


def mark_guarded() -> None:
    """Note that the guarded server runs in this process; it prints the key itself."""
    _guarded.set()


def is_guarded() -> bool:
    """Whether the guarded server runs in this process, rather than a bare `streamlit run`."""
    return _guarded.is_set()


@functools.cache
def announce_key() -> None:
    """Print the key once in the terminal, unless the guarded server has printed its address."""
    if not is_guarded():
        print(
            f"Podium: to start or change something, paste this key into the page: {launch_key()}", flush=True
        )


def cookie_name(port: int) -> str:
    """Return the cookie's name; browsers share cookies between the ports of a host."""
    return f"{_COOKIE_PREFIX}{port}"


def cookie_value() -> str:
    """Return what the cookie holds: derived from the key, so that no browser stores the key itself."""
    return hmac.new(launch_key().encode(), b"podium cookie", hashlib.sha256).hexdigest()


def has_cookie(cookies: Mapping[str, str]) -> bool:
    """Whether one of the cookies proves the key of this server."""
    return any(
        hmac.compare_digest(value.encode(), cookie_value().encode())
        for name, value in cookies.items()
        if name.startswith(_COOKIE_PREFIX)
    )


def is_key(given: str) -> bool:
    """Whether the text is this server's key, or the address it printed."""
    text = given.strip()
    if "://" in text:
        try:
            text = parse_qs(urlsplit(text).query).get("key", [""])[0]
        except ValueError:
            return False
    return hmac.compare_digest(text.encode("utf-8", "replace"), launch_key().encode())


def try_key(given: str, limit: GuessLimit | None = None) -> str | None:
    """Check a key that somebody gave. Returns None when it is right, else why it was refused.

    The right key counts at any time: any foreign page can make a browser ask with
    wrong ones, and must not lock the user out. What keeps a key from being guessed
    is its length (a drawn one has 192 bits), not the limit, which only answers less.
    """
    limit = limit or _typed_limit
    if is_key(given):
        return None
    wait_s = limit.wait_s()
    if wait_s > 0:
        return f"Too many wrong keys for the next {wait_s:.0f} s. The one in the terminal counts at once."
    limit.note_wrong()
    return "That is not the key of this server. It is printed in the terminal that started the dashboard."


def is_local_host(host: str | None) -> bool:
    """Whether a Host header names this machine: `127.0.0.1`, `localhost` or `[::1]`, with any port.

    Any port, because a tunnel may end on another one than the server's.
    """
    if not host or any(char in host for char in "/@?#\\ \t"):
        return False
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # raises if it is no port
    except ValueError:
        return False
    return parts.hostname in _LOCAL_HOSTS


def is_own_origin(origin: str, host: str | None, scheme: str = "http") -> bool:
    """Whether an Origin header is that of the page served at this very host and port."""
    return is_local_host(host) and origin.lower() == f"{scheme}://{host}".lower()


def may_act() -> bool:
    """Whether this session may start or change something.

    True when the key was typed in this session, or when the WebSocket carried
    the cookie from a page of this very server: another local server's page is
    the same site to a browser, which sends it the cookie too.
    """
    if st.session_state.get(UNLOCKED, False):
        return True
    headers = st.context.headers
    origin = headers.get("Origin")
    if origin is not None and not is_own_origin(origin, headers.get("Host")):
        return False
    return has_cookie(st.context.cookies)


def may_upload() -> bool:
    """Whether a file that is chosen in this browser arrives.

    It is a request of its own, which knows nothing of a key that was typed into a page: the guard asks for the cookie.
    """
    return not is_guarded() or has_cookie(st.context.cookies)


def require_key() -> None:
    """Check, right before an effect, that this session may act.

    Raises:
        NotAllowed: The session has not shown the key.
    """
    if not may_act():
        raise NotAllowed(
            "This session is read only. Open the address that was printed in the terminal, "
            "or paste the key from there into the page."
        )


def gate(action: str, *, key: str = "access") -> bool:
    """Return whether this session may act; if not, draw a note that asks for the key.

    Args:
        action: What the key is for, as in "start a run". Fixed text, not stored text.
        key: Distinguishes several gates on one page.
    """
    if may_act():
        return True
    field = f"{key}.typed"
    with st.container(border=True):
        st.markdown(
            f"**Read only.** To {action}, paste the key printed in the terminal that runs the dashboard."
        )
        st.text_input(
            "Key",
            key=field,
            type="password",
            autocomplete="off",
            placeholder="Key, or the whole address with ?key=",
            label_visibility="collapsed",
            on_change=_take_typed_key,
            args=(field,),
        )
        if refused := st.session_state.pop(_REFUSED, None):
            st.error(refused)
    return False


def _take_typed_key(field: str) -> None:
    typed = st.session_state.get(field) or ""
    if not typed.strip():
        return
    refused = try_key(typed)
    st.session_state[field] = ""  # the key stays in no widget
    if refused is None:
        st.session_state[UNLOCKED] = True
    else:
        st.session_state[_REFUSED] = refused
