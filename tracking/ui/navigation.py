"""Goes to another page, in one step of the browser's history.

Streamlit adds two steps for one link when the page that is left has controls in
the address: first the old page under the new query, then the new page. Going back
then showed the table without its filter. `keep_history` makes it one.

`st.switch_page` in a live section races with the section's own timer: a tick that is under way
when the server switches names the old page, and the browser is left with an empty
one (measured on Streamlit 1.67: one switch in seven, at a tick a second). A link
followed in the browser stops the timers first. So a section draws the link, and a
few lines of script press it; until the other page is there, they let no second click through.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import streamlit as st
from streamlit.errors import StreamlitDuplicateElementKey

from tracking.ui import run_state, state
from tracking.ui.markdown import escape

_GOING: Final = "navigation.going"
_DRAWN: Final = "navigation.drawn"
_STAYS_S: Final = 15.0
"""So long a link stays on the page: a busy browser may get the next tick of a section before it pressed the link."""
_PLACE: Final = "navigation-going"
_numbers = itertools.count(1)

_press = st.components.v2.component(
    "podium_navigation",
    js="""
let pressed = 0;
const EVENTS = ['pointerdown', 'mousedown', 'touchstart', 'pointerup', 'mouseup', 'click', 'keydown'];

// A second click on what was clicked would reach the server after the page was asked for, name the page that is
// left, and leave the browser with an empty one.
function hold(link) {
  const stop = (event) => event.stopImmediatePropagation();
  const end = performance.now() + 10_000;
  EVENTS.forEach((name) => window.addEventListener(name, stop, true));
  const look = () => {
    if (link.isConnected && performance.now() < end) return requestAnimationFrame(look);
    EVENTS.forEach((name) => window.removeEventListener(name, stop, true));
  };
  look();
}

export default function ({ data }) {
  if (data.number === pressed) return;
  pressed = data.number;
  let frames = 0;
  const press = () => {
    const link = document.querySelector(`.st-key-${data.place} a`);
    if (link) {
      link.click();
      hold(link);
    } else if (frames++ < 120) requestAnimationFrame(press);
  };
  press();
}
""",
)

# Before Streamlit looks at a click, the address already is the one it is about to write, so it writes none.
_one_step = st.components.v2.component(
    "podium_history",
    js="""
const ON_PAGE = 'a[data-testid="stPageLink-NavLink"]';
const LINKS = ON_PAGE + ', a[data-testid="stTopNavLink"], a[data-testid="stSidebarNavLink"]';
export default function ({ parentElement }) {
  const place = (parentElement.host ?? parentElement).closest('[data-testid="stElementContainer"]');
  if (place) place.style.display = 'none';
  if (window.podiumHistory) return;
  window.podiumHistory = true;
  document.addEventListener('click', (event) => {
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = event.target.closest?.(LINKS);
    if (!link || link.target || link.origin !== location.origin || link.href === location.href) return;
    if (link.pathname === location.pathname && !link.search) {
      // Streamlit would keep the page as it is, with its filter.
      if (!link.matches(ON_PAGE)) return;
      event.preventDefault();
      event.stopPropagation();
      location.assign(link.href);
      return;
    }
    history.pushState({}, '', link.href);
  }, true);
}
""",
)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to go: a page's file, what to call it, and its query parameters."""

    page: str
    label: str
    query: Mapping[str, str]
    number: int


def open_run(run_id: str) -> None:
    """Ask for the page of a run; for callbacks and buttons of a section that calls `follow`."""
    _ask(state.RUN_PAGE, "run", {state.RUN: run_id})


def open_artifact(run_id: str, name: str) -> None:
    """Ask for an artifact on the page of its run."""
    query = {state.RUN: run_id, state.TAB: run_state.ARTIFACTS, run_state.ARTIFACT: name}
    _ask(state.RUN_PAGE, "artifact", query)


def open_compare(run_ids: Sequence[str]) -> None:
    """Ask for the comparison of these runs."""
    _ask(state.COMPARE_PAGE, "comparison", {state.RUNS: ",".join(run_ids)})


def open_experiment(name: str) -> None:
    """Ask for the table of an experiment's runs."""
    _ask(state.RUNS_PAGE, "runs", {state.EXPERIMENT: name})


def open_sweep(name: str) -> None:
    """Ask for the page of a sweep."""
    _ask(state.SWEEP_PAGE, "sweep", {state.SWEEP: name})


def open_model(name: str, version: int | None = None) -> None:
    """Ask for the page of a model, with one of its versions whole."""
    query = {state.MODEL: name} | ({} if version is None else {state.VERSION: str(version)})
    _ask(state.MODEL_PAGE, "model", query)


def keep_history() -> None:
    """Make every link one step of the browser's history; each page calls it. Nothing is drawn."""
    _one_step(key="navigation-history")
    # A page that begins anew was reached, or stayed at: what was asked for before that is done.
    if st.session_state.pop(_DRAWN, None) is not None:
        st.session_state.pop(_GOING, None)


def follow() -> None:
    """Go where somebody asked to go, if so; the last call of a section."""
    going: Destination | None = st.session_state.get(_GOING)
    if going is None:
        return
    if time.monotonic() - st.session_state.setdefault(_DRAWN, time.monotonic()) > _STAYS_S:
        del st.session_state[_GOING], st.session_state[_DRAWN]
        return
    try:
        place = st.container(key=_PLACE)
    except StreamlitDuplicateElementKey:
        return  # another section of the page leads there already
    with place:
        st.page_link(going.page, label=escape(f"Opening the {going.label}"), query_params=dict(going.query))
        _press(key=f"{_PLACE}-press", data={"place": _PLACE, "number": going.number})


def _ask(page: str, label: str, query: Mapping[str, str]) -> None:
    st.session_state[_GOING] = Destination(page, label, query, next(_numbers))
    st.session_state.pop(_DRAWN, None)
