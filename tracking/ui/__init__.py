"""Everything that draws, and the server it is drawn by.

- `frame`: what every page starts with: navigation, the store, the error boundary.
- `access`: who may act; `server`: the guarded server around the pages.
- `feedback`, `markdown`: messages, and stored text made safe for them.
- `live_chart`: the chart that keeps its zoom while points arrive.
"""
