"""The dashboard: declare its pages and run the one the address names."""

import logging

import streamlit as st

try:
    # Inside the boundary: the code may have been changed under a running server, or a package be missing.
    from tracking.ui import frame

    frame.navigate().run()
except Exception:
    logging.getLogger("tracking.ui").exception("The dashboard's code could not be loaded")
    st.error(
        "**The dashboard's code could not be loaded**  \n"
        "Restart it: make run. If it stays, the terminal that runs the dashboard says why."
    )
