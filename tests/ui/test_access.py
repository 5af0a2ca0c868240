"""Who may act: hosts, origins, keys, cookies, guesses, and the note that asks for the key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from tracking.errors import InvalidValue
from tracking.ui import access


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TRACKING_KEY", "the-key-of-this-test")
    monkeypatch.setattr(access, "_typed_limit", access.GuessLimit())
    access._draw_key.cache_clear()
    yield "the-key-of-this-test"
    access._draw_key.cache_clear()


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8501", "localhost:8501", "localhost", "[::1]:8501", "LOCALHOST:80", "127.0.0.1"]
)
def test_names_of_this_machine_are_local(host: str) -> None:
    assert access.is_local_host(host)


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "evil.example",
        "evil.example:8501",
        "127.0.0.1.evil.example:8501",
        "localhost.evil.example",
        "evil.example@127.0.0.1:8501",
        "127.0.0.1:8501@evil.example",
        "127.0.0.1:8501/evil",
        "127.0.0.1:port",
        "127.0.0.1:99999",
        "127.0.0.2:8501",
        "192.168.0.7:8501",
        "[::1",
        "localhost evil",
    ],
)
def test_any_other_name_is_foreign(host: str | None) -> None:
    assert not access.is_local_host(host)


@pytest.mark.parametrize(
    ("origin", "own"),
    [
        ("http://127.0.0.1:8501", True),
        ("HTTP://127.0.0.1:8501", True),
        ("http://127.0.0.1:3000", False),
        ("http://localhost:8501", False),  # the same server, but another site to the browser
        ("https://127.0.0.1:8501", False),
        ("http://evil.example", False),
        ("http://127.0.0.1:8501.evil.example", False),
        ("null", False),
        ("", False),
        ("file://", False),
    ],
)
def test_an_origin_is_own_only_with_the_same_host_and_port(origin: str, own: bool) -> None:
    assert access.is_own_origin(origin, "127.0.0.1:8501") is own


def test_a_foreign_host_has_no_own_origin() -> None:
    assert not access.is_own_origin("http://evil.example:8501", "evil.example:8501")


def test_the_key_counts_alone_or_in_the_address_that_was_printed(key: str) -> None:
    assert access.is_key(key)
    assert access.is_key(f"  {key}\n")
    assert access.is_key(f"http://127.0.0.1:8501/?key={key}")
    for wrong in ("", key[:-1], key + "x", key.upper(), "http://127.0.0.1/", "http://[", "ключ", "\ud800"):
        assert not access.is_key(wrong)


def test_a_random_key_is_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRACKING_KEY")
    access._draw_key.cache_clear()
    first = access.launch_key()
    assert len(first) >= 32
    assert access.launch_key() == first
    access._draw_key.cache_clear()
    assert access.launch_key() != first


def test_a_key_that_can_be_guessed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKING_KEY", "0123456789abcde")
    access._draw_key.cache_clear()
    with pytest.raises(InvalidValue, match="TRACKING_KEY has 15 characters"):
        access.launch_key()


def test_only_the_derived_cookie_counts(key: str) -> None:
    assert access.has_cookie({"other": "x", access.cookie_name(8501): access.cookie_value()})
    assert not access.has_cookie({access.cookie_name(8501): key})
    assert not access.has_cookie({"other": access.cookie_value()})
    assert not access.has_cookie({access.cookie_name(8501): "ä"})
    assert not access.has_cookie({})


def test_wrong_guesses_are_limited_and_the_right_key_always_counts(key: str) -> None:
    # A foreign page can send wrong keys in the user's name: they must not lock the user out.
    limit = access.GuessLimit(guesses=2, window_s=1000)
    assert "not the key" in str(access.try_key("a", limit))
    assert access.try_key(key, limit) is None
    assert "not the key" in str(access.try_key("b", limit))
    assert "Too many" in str(access.try_key("c", limit))
    assert access.try_key(key, limit) is None
    assert "Too many" in str(access.try_key("d", limit))
    assert 0 < limit.wait_s() <= 1000


def test_a_window_that_has_passed_allows_new_guesses() -> None:
    limit = access.GuessLimit(guesses=1, window_s=0.0)
    limit.note_wrong()
    assert limit.wait_s() == 0


def gated_page() -> None:
    import streamlit as st

    from tracking.errors import NotAllowed
    from tracking.ui import access

    allowed = access.gate("start a run")
    st.text(f"allowed={allowed}")
    try:
        access.require_key()
        st.text("acted")
    except NotAllowed:
        st.text("refused")


def texts(page: AppTest) -> list[str]:
    return [element.value for element in page.text]


def test_a_session_is_read_only_until_the_key_is_typed(key: str) -> None:
    page = AppTest.from_function(gated_page).run()
    assert texts(page) == ["allowed=False", "refused"]
    assert "Read only" in page.markdown[0].value

    page.text_input[0].set_value("wrong").run()
    assert texts(page) == ["allowed=False", "refused"]
    assert "not the key" in page.error[0].value

    page.text_input[0].set_value(key).run()
    assert texts(page) == ["allowed=True", "acted"]
    assert not page.text_input
    assert page.session_state["access.typed"] == ""  # kept nowhere

    page.run()
    assert texts(page) == ["allowed=True", "acted"]


def test_the_key_of_one_session_does_not_unlock_another(key: str) -> None:
    first = AppTest.from_function(gated_page).run()
    first.text_input[0].set_value(key).run()
    assert texts(AppTest.from_function(gated_page).run()) == ["allowed=False", "refused"]
