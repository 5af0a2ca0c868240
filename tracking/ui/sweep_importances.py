"""Which params drive the result, on a sweep's page, and how surely."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import streamlit as st

from tracking.analysis.importances import Importance, Importances, importances
from tracking.analysis.trials import PARAM, finished, present
from tracking.sweep_records import SweepRecord
from tracking.ui import format, sweep_cache
from tracking.ui.charts import Figure
from tracking.ui.live_chart import live_chart
from tracking.ui.markdown import escape
from tracking.ui.sweep_axes import labels_of, text
from tracking.ui.sweep_colours import NEUTRAL, TRIAL

if TYPE_CHECKING:
    from tracking.store import Store

MOST: Final = 12
HEIGHT: Final = 300
CLEAR, UNCLEAR = 0.9, 0.35
"""How opaque the bar is of a param that stands out from chance, and of one that does not."""


def draw(store: Store, record: SweepRecord, place: int, column: str) -> None:
    """Draw the importance of each param with its interval, and the sentence that says what it comes to."""
    found = of(store, record, place, column)
    if found.params is None:
        st.caption(f"**What the result hangs on** · {escape(found.sentence)}")
        return
    st.markdown("**What the result hangs on**")
    shown = found.params[:MOST]
    more = f" · {len(found.params) - MOST} more params matter less" if len(found.params) > MOST else ""
    with st.container(gap=None):
        live_chart(
            importances_chart(shown),
            key=f"sweep.importances.{record.study}.{place}",
            height=min(HEIGHT, 70 + 34 * max(3, len(shown))),
            alt="Importance of each param with its interval: "
            + ", ".join(f"{each.param} {each.value:.2f}" for each in shown),
        )
        pale = " Pale: may be chance." if len({each.is_clear for each in shown}) > 1 else ""
        st.caption(escape(found.sentence) + pale + more)


def of(store: Store, record: SweepRecord, place: int, column: str) -> Importances:
    """Return the importances for an objective, kept until the sweep moves on."""
    return sweep_cache.made(
        store, record, f"importances {place}", lambda now: importances(sweep_cache.frame(store, now), column)
    )


def order(store: Store, record: SweepRecord, place: int, column: str) -> list[str]:
    """Return the columns of params that vary among the complete trials, the most important first where known."""
    varying = varying_when_complete(store, record, column)
    ranked = of(store, record, place, column).params or ()
    first = [PARAM + each.param for each in ranked if PARAM + each.param in varying]
    return [*first, *(name for name in varying if name not in first)]


def varying_when_complete(store: Store, record: SweepRecord, column: str) -> list[str]:
    """Return the columns of params that at least one of the complete trials has, out of those that vary."""

    def make(now: SweepRecord) -> list[str]:
        trials = sweep_cache.frame(store, now)
        shown = trials[finished(trials, [column])]
        return [name for name in sweep_cache.varying(store, now) if present(shown[name]).any()]

    return sweep_cache.made(store, record, f"varying {column}", make)


def importances_chart(shown: tuple[Importance, ...]) -> Figure:
    """Return a bar per param with the interval of its importance; one whose interval holds 0 is pale."""
    rows = list(reversed(shown))
    trace = {
        "type": "bar",
        "orientation": "h",
        "x": [max(0.0, each.value) for each in rows],
        "y": list(range(len(rows))),
        "marker": {
            "color": TRIAL,
            "opacity": [CLEAR if each.is_clear else UNCLEAR for each in rows],
            "line": {"width": 0},
        },
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [max(0.0, each.high - max(0.0, each.value)) for each in rows],
            "arrayminus": [max(0.0, max(0.0, each.value) - max(0.0, each.low)) for each in rows],
            "thickness": 1.5,
            "width": 4,
            "color": NEUTRAL,
        },
        "text": [
            f"{text(each.param)}: {format.number(each.value, 3)} "
            f"({format.number(each.low, 3)} to {format.number(each.high, 3)}), {format.plural(each.trials, 'trial')}"
            for each in rows
        ],
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
    }
    layout = {
        "margin": {"l": 8, "r": 12, "t": 8, "b": 40},
        "showlegend": False,
        "bargap": 0.4,
        "hovermode": "closest",
        "xaxis": {
            "title": {"text": "share of the variation lost without it", "standoff": 6},
            "zeroline": True,
            "rangemode": "tozero",
        },
        "yaxis": {
            "tickmode": "array",
            "tickvals": list(range(len(rows))),
            "ticktext": labels_of([each.param for each in rows]),
            "fixedrange": True,
            "automargin": True,
            "zeroline": False,
            "showgrid": False,
        },
    }
    return {"data": [trace], "layout": layout}
