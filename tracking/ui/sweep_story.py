"""What was changed in a sweep and when, and what it is asked to do now."""

from __future__ import annotations

from typing import Final

import streamlit as st

from tracking.sweep_records import SweepRecord
from tracking.ui import format
from tracking.ui.markdown import escape
from tracking.ui.zone import reader_zone

SHOWN: Final = 100
LONG: Final = 500


def draw(record: SweepRecord) -> None:
    """Draw the changes, the newest first, and the definition as it is now."""
    if len(record.studies) > 1:
        earlier = ", ".join(format.shorten(name, 60) for name in record.studies[:-1])
        st.caption(
            f"Charts and table are of its present study {escape(format.shorten(record.study, 60))}, which knows the "
            f"trials that were taken over; earlier: {escape(earlier)}."
        )
    if record.edits:
        with st.expander(f"Changes ({format.count(len(record.edits))})", key="sweep.edits"):
            zone = reader_zone()
            for edit in list(reversed(record.edits))[:SHOWN]:
                when = format.moment(edit.at, zone)
                where = "" if edit.study == record.study else f" of {format.shorten(edit.study, 60)}"
                st.markdown(
                    f"{escape(when)} · before trial {edit.trial}{escape(where)} · "
                    f"{escape(format.shorten(edit.sentence, LONG))}"
                )
            if len(record.edits) > SHOWN:
                st.caption(f"and {format.count(len(record.edits) - SHOWN)} before")
    with st.expander("Definition", key="sweep.definition", on_change="rerun") as box:
        if box.open:
            st.caption(f"Edition {record.edition} · project {escape(record.project or format.ABSENT)}")
            st.code(record.text, language="toml", height=420 if record.text.count("\n") > 24 else "content")
