"""Everything that draws, and the server it is drawn by.

The frame
    `frame` what every page starts with: navigation, the store, the error boundary; `navigation` going from
    page to page; `state` every name in the address and the session; `watch` when to look again;
    `feedback`, `markdown` messages, and stored text made safe for them; `zone` the browser's clock.
Who may act
    `server` the guarded server around the pages, `guard` its middleware, `access` what a page may ask.
Reading
    `cache`, `curve_cache` every cache, keyed on the store's revisions.
Builders, pure
    `charts`, `tables`, `runs_frame`, `format`, `colours`.
Sections of pages
    `overview`, `start_here`, `sample_launch`; `runs_table`; `run_details`; `comparison`; `controls`,
    `chart_grid`, `grid` and `live_chart`, the chart that keeps its zoom while points arrive.
"""
