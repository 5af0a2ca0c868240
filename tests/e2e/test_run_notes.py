"""Tags and notes typed into a real browser while the run changes elsewhere."""

from __future__ import annotations

from playwright.sync_api import Page, expect

import tracking

from .conftest import Dashboard


def test_typed_notes_stay_when_another_process_changes_the_run(
    page: Page, shared_dashboard: Dashboard
) -> None:
    folder = shared_dashboard.store
    with tracking.start_run("digits", name="one", store=folder) as run:
        run.log({"loss": 0.5}, step=1)
    page.goto(f"{shared_dashboard.base}/run?run={run.id}&tab=Tags+and+notes&key={shared_dashboard.key}")
    notes = page.get_by_label("Notes", exact=True)
    notes.fill("typed here")

    store = tracking.open_store(folder)
    store.set_notes(run.id, "from elsewhere")
    expect(page.get_by_text("Changed elsewhere since you began")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Notes: from elsewhere")).to_be_visible()
    expect(notes).to_have_value("typed here")
    store.set_tags(run.id, ["theirs"])
    expect(page.get_by_text("Tags: theirs")).to_be_visible(timeout=60_000)
    expect(notes).to_have_value("typed here")

    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Changed elsewhere since you began")).to_have_count(0)
    saved = store.run(run.id)
    assert (saved.notes, saved.tags) == ("typed here", ("theirs",))
    expect(page.get_by_label("Notes", exact=True).first).to_have_value("typed here")

    page.get_by_label("Notes", exact=True).fill("typed again")
    store.set_notes(run.id, "from elsewhere again")
    page.get_by_role("button", name="Take the other version").click(timeout=60_000)
    # The field of before stays beside the new one until the page is drawn.
    expect(page.get_by_label("Notes", exact=True).first).to_have_value("from elsewhere again")
    store.close()


def test_typed_notes_stay_behind_the_other_tabs(page: Page, shared_dashboard: Dashboard) -> None:
    folder = shared_dashboard.store
    with tracking.start_run("digits", name="one", store=folder) as run:
        run.log({"loss": 0.5}, step=1)
    page.goto(f"{shared_dashboard.base}/run?run={run.id}&tab=Tags+and+notes&key={shared_dashboard.key}")
    notes = page.get_by_label("Notes", exact=True)
    notes.fill("typed, not saved")
    for tab in ("Params", "Charts"):
        page.get_by_role("tab", name=tab).click()
        expect(page.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")
        expect(notes).to_be_hidden()
    expect(page.get_by_role("img", name="loss by ")).to_be_visible(timeout=60_000)
    page.get_by_role("tab", name="Tags and notes").click()
    expect(notes).to_be_visible()
    expect(notes).to_have_value("typed, not saved")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    store = tracking.open_store(folder)
    assert store.run(run.id).notes == "typed, not saved"
    store.close()
