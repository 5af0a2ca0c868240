"""Errors on a page: a calm message with the way on, never a traceback; stored text is no markup."""

from __future__ import annotations

import logging

import pytest
from streamlit.testing.v1 import AppTest

from tracking.ui.markdown import escape


def failing_page(kind: str) -> None:
    import streamlit as st

    from tracking import errors
    from tracking.ui import feedback

    raised = {
        "too new": errors.StoreTooNew("The store has schema 9, this Podium knows 1."),
        "filter": errors.FilterError("Expected a value", source="metrics.x >", position=11),
        "markup": errors.NotFound("No run ![x](http://evil.example/p.png) :red[x] <b>"),
        "bug": ZeroDivisionError("a secret detail"),
    }
    with feedback.boundary():
        if kind == "stop":
            st.text("before")
            st.stop()
        if kind == "rerun" and "again" not in st.session_state:
            st.session_state["again"] = True
            st.rerun()
        if kind in raised:
            raise raised[kind]
    st.text("after")


def run(kind: str) -> AppTest:
    page = AppTest.from_function(failing_page, kwargs={"kind": kind}).run()
    assert not page.exception
    return page


def test_an_expected_error_says_what_to_do() -> None:
    page = run("too new")
    assert "Update Podium" in page.error[0].value
    assert "schema 9" in page.error[0].value
    assert page.text[0].value == "after"


def test_a_filter_error_points_at_the_place() -> None:
    assert run("filter").code[0].value == "metrics.x >\n           ^"


def test_an_unexpected_error_is_logged_under_the_id_that_the_page_shows(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR, logger="tracking.ui.feedback"):
        page = run("bug")
    message = page.error[0].value
    assert "a secret detail" not in message
    assert "Traceback" not in message
    record = caplog.records[-1]
    assert record.getMessage().split()[1] in message
    assert record.exc_info is not None


def test_the_control_flow_of_streamlit_passes_through() -> None:
    assert [element.value for element in run("stop").text] == ["before"]
    rerun = run("rerun")
    assert rerun.session_state["again"] is True
    assert [element.value for element in rerun.text] == ["after"]


def test_stored_text_in_an_error_is_no_markup() -> None:
    shown = run("markup").error[0].value
    assert "\\!\\[x\\]\\(http\\:\u2060\\/\\/evil\\.example\\/p\\.png\\)" in shown
    assert r"\<b\>" in shown


@pytest.mark.parametrize("char", list("\\`*_{}[]()<>#+-.!|$:~&\"'=@/^"))
def test_every_character_that_could_begin_markup_is_escaped(char: str) -> None:
    assert escape(f"a{char}b") == f"a\\{char}b"


def test_an_escaped_text_stays_on_one_line_without_control_characters() -> None:
    assert escape("a\n\n# b\tc\x1b[31m\u202e") == r"a \# b c\[31m"
    assert escape("größe 測試") == "größe 測試"
    assert escape(3) == "3"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://a.b/c", "https\\:\u2060\\/\\/a\\.b\\/c"),
        ("see www.a.b", "see www\u2060\\.a\\.b"),
        ("git@host.com", "git\\@\u2060host\\.com"),
        ("@home", "\\@home"),
    ],
)
def test_addresses_lose_the_shape_that_makes_them_links(text: str, shown: str) -> None:
    assert escape(text) == shown
