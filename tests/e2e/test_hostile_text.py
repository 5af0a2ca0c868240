"""Text that would act in a careless page, stored wherever text can be: shown as text, in a real browser."""

from __future__ import annotations

import csv
import json
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

import tracking
from tests.pages import carried

from .conftest import Dashboard

ELSEWHERE = "evil.example"
TEXTS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    f"<img src=https://{ELSEWHERE}/x.png>",
    f"![x](https://{ELSEWHERE}/x.png)",
    "[x](javascript:alert(1))",
    "javascript:alert(1)",
    f"https://{ELSEWHERE}/x",
    f"www.{ELSEWHERE}",
    f"someone@{ELSEWHERE}",
    ":red[x] :material/home: :smile: $x^2$",
    "# heading\n\n---\n| a | b |\n|---|---|",
    "\x1b[31mred\x1b[0m \x1b]8;;https://evil.example\x07link\x1b]8;;\x07",
    '=HYPERLINK("https://evil.example","x")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "{{7*7}} ${7*7} %s %(x)s",
)
ALL = "\n".join(TEXTS)
NAME = f"<img src=https://{ELSEWHERE}/n.png onerror=alert(1)> [n](javascript:alert(1)) www.{ELSEWHERE} a@{ELSEWHERE}"


def hostile_store(folder: Path) -> str:
    named = [text.replace("\x1b", "").replace("\x07", "").replace("\n", " ") for text in TEXTS]
    with tracking.start_run(
        NAME,
        name=NAME,
        params={"text": ALL, **{f"k{n} {text}": text for n, text in enumerate(named)}},
        tags=named,
        notes=ALL,
        group=NAME,
        store=folder,
        capture=False,
    ) as run:
        run.log({"loss": 0.5, **{f"m{n} {text}": 1.0 for n, text in enumerate(named)}}, step=1)
        for text in named:
            carried.artifact(run, f"by name/{text}", b"x")
        carried.artifact(run, "text", ALL.encode(), "text")
        carried.artifact(run, "page.html", f"<html>{ALL}</html>".encode())
        carried.artifact(run, "picture.svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>')
        carried.artifact(run, "notes.md", ALL.encode())
        carried.artifact(run, "json", json.dumps({text: text for text in TEXTS}).encode(), "json")
        rows = "".join('"' + text.replace('"', '""') + '",1,x\n' for text in TEXTS)
        carried.artifact(run, "rows.csv", ("text,<b>n</b>,=1+1\n" + rows).encode())
        matrix = {"labels": [TEXTS[1], TEXTS[2]], "counts": [[1, 2], [3, 4]]}
        carried.artifact(run, "matrix", json.dumps(matrix).encode(), "confusion_matrix")
        curves = [{"label": text, "x": [0, 1], "y": [0, 1], "thresholds": [], "auc": 0.5} for text in TEXTS]
        carried.artifact(run, "roc", json.dumps({"curves": curves}).encode(), "roc_curve")
        carried.artifact(run, "figure", json.dumps(hostile_figure()).encode(), "figure")
        run._session.say(
            {
                "t": "dataset",
                "name": NAME,
                "digest": "ab" * 32,
                "kind": NAME,
                "rows": 1,
                "source": f"https://{ELSEWHERE}/data.csv",
                "schema": {text: text for text in TEXTS},
                "statistics": {text: {text: text} for text in TEXTS},
                "time": 1,
            }
        )
        git = {
            "commit": TEXTS[4],
            "branch": NAME,
            "remote": f"https://{ELSEWHERE}/a/b",
            "root": NAME,
            "dirty": True,
        }
        carried.capture(run, "git", untracked=list(TEXTS), untracked_total=99, **git)
        carried.capture_text(
            run, "diff", f"diff --git a/{NAME} b/{NAME}\n--- a/x\n+++ b/{NAME}\n@@ -1 +1 @@\n+{ALL}"
        )
        carried.capture(run, "script", path=NAME, arguments=list(TEXTS))
        carried.capture_text(run, "source", ALL)
        carried.capture_text(run, "notebook", json.dumps(list(TEXTS)))
        carried.capture(run, "python", version=NAME, executable=ALL, prefix=NAME)
        carried.capture(run, "packages", packages={text: text for text in TEXTS})
        carried.capture(run, "host", hostname=NAME, cpu=f"a@{ELSEWHERE}", gpus=[{"name": NAME}, NAME])
        carried.capture(run, "seeds", error=NAME)
    return run.id


def hostile_figure() -> dict[str, object]:
    return {
        "data": [
            {"type": "scatter", "x": [1], "y": [1], "text": [NAME], "mode": "markers+text", "name": NAME},
            {"type": "scattermap", "lat": [1], "lon": [1]},
        ],
        "layout": {
            "title": {"text": f'<a href="https://{ELSEWHERE}">{TEXTS[2]}</a>'},
            "images": [{"source": f"https://{ELSEWHERE}/x.png", "xref": "paper", "yref": "paper"}],
            "annotations": [{"text": f'<a href="javascript:alert(1)">x</a>{NAME}', "x": 1, "y": 1}],
            "mapbox": {"style": f"https://{ELSEWHERE}/style.json"},
        },
    }


@pytest.fixture(scope="module")
def hostile(shared_dashboard: Dashboard) -> tuple[Dashboard, str]:
    return shared_dashboard, hostile_store(shared_dashboard.store)


def test_stored_text_is_shown_and_does_nothing(page: Page, hostile: tuple[Dashboard, str]) -> None:
    dashboard, run_id = hostile
    requests: list[str] = []
    dialogs: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    tabs = (
        "Charts",
        "Params",
        "Metrics",
        "Data",
        "Code",
        "Environment",
        "Console",
        "System",
        "Tags and notes",
    )
    artifacts = (
        "by name/",
        "text",
        "page.html",
        "picture.svg",
        "notes.md",
        "json",
        "rows.csv",
        "matrix",
        "roc",
    )
    wanted = [
        ("/", "Overview"),
        ("/runs", "Runs"),
        (f"/compare?runs={run_id}", "Compare"),
        *((f"/run?run={run_id}&tab={quote(tab)}", NAME) for tab in tabs),
        *(
            (f"/run?run={run_id}&tab=Artifacts&artifact={quote(name)}", NAME)
            for name in (*artifacts, "figure")
        ),
        (f"/run?run={run_id}&tab=Artifacts&artifact={quote('by name/' + TEXTS[1])}", NAME),
    ]
    for address, heading in wanted:
        page.goto(dashboard.base + address)
        # Without the end: the addresses in it have a character of no width, so that they do not become links.
        heading_shown = page.locator("h1").first
        expect(heading_shown).to_be_visible(timeout=60_000)
        expect(heading_shown).to_contain_text(heading[:9])
        expect(page.locator("[data-test-script-state=running]")).to_have_count(0, timeout=60_000)
        page.wait_for_timeout(250)  # what a script of the text would do, it would do at once
        assert page.get_by_text("Something went wrong").count() == 0, address
        leads = page.evaluate(
            """() => [...document.querySelectorAll('[href], [src], [action], [data], [*|href]')].flatMap(node =>
                 [node.href?.baseVal ?? node.href, node.src, node.action, node.data]
                   .filter(url => typeof url === 'string' && url)
                   .map(url => new URL(url, location))
                   .filter(url => !['data:', 'blob:'].includes(url.protocol) && url.origin !== location.origin)
                   .map(String))"""
        )
        assert leads == [], address
        if any(
            place in address
            for place in ("tab=Code", "tab=Tags", "artifact=text", "artifact=page", "notes.md")
        ):
            assert TEXTS[0] in page.get_by_test_id("stMain").inner_text(), address
        assert (
            page.evaluate("() => document.querySelectorAll('main script, [onerror], [onload]').length") == 0
        )
    assert dialogs == []
    assert [url for url in requests if not url.startswith((dashboard.base, "data:", "blob:"))] == []


def test_a_table_exported_from_the_page_holds_no_formula(page: Page, hostile: tuple[Dashboard, str]) -> None:
    dashboard, run_id = hostile
    page.add_init_script("window.showSaveFilePicker = undefined")  # the system's window for saving a file
    page.goto(f"{dashboard.base}/run?run={run_id}&tab=Artifacts&artifact=rows.csv")
    table = page.get_by_test_id("stDataFrame").nth(1)
    expect(table).to_be_visible(timeout=60_000)
    for _ in range(6):  # the button comes and goes with the mouse: a click may meet none
        table.hover()
        with suppress(PlaywrightTimeoutError), page.expect_download(timeout=10_000) as waiting:
            page.get_by_label("Download as CSV: First rows of rows.csv").click(timeout=10_000)
            break
    with open(waiting.value.path(), encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    assert header[1:] == ["text", "<b>n</b>", "\u2060=1+1"]
    assert len(rows) == len(TEXTS)
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "@"))]
