"""What dialog is open, and that one press is one act."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def script() -> None:
    import streamlit as st

    from tracking.ui import dialogs
    from tracking.ui.promote_dialog import Asked

    first, second = Asked(dialogs.page(), 1, model="a"), Asked(dialogs.page(), 2, model="a")
    said = [dialogs.is_open()]
    dialogs.open(first)
    said += [dialogs.is_open(), dialogs.opened(Asked) == first, dialogs.opened(int) is None]
    said += [dialogs.take(first), dialogs.take(first)]
    dialogs.open(second)
    # The second half of a double click on what was there before closes nothing.
    said += [dialogs.take(first), dialogs.opened(Asked) == second]
    dialogs.open(Asked("http://127.0.0.1/elsewhere", 3))
    said += [dialogs.is_open(), dialogs.opened(Asked) is None]
    st.text(" ".join(str(each) for each in said))


def test_a_dialog_is_taken_once_and_closed_on_another_page() -> None:
    app = AppTest.from_function(script).run()
    assert not app.exception
    assert app.text[0].value == "False True True True True False False True False True"
