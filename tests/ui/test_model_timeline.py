"""Who held which alias when, and where a version comes from."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from tracking.registry_records import JournalEntry, JournalKind, VersionRecord
from tracking.ui import model_lineage, model_timeline

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
P, B, X, R = JournalKind.PROMOTE, JournalKind.ROLLBACK, JournalKind.RETIRE, JournalKind.REFUSE


def entry(
    day: int, kind: JournalKind, version: int | None, alias: str = "champion", *, overridden: bool = False
) -> JournalEntry:
    return JournalEntry(
        day + 1, BEGAN + timedelta(days=day), kind, "digits", alias, version, None, "ann@host",
        "<b>why</b>", overridden, (), {}, {}, "", "",
    )  # fmt: skip


JOURNAL = [
    entry(0, P, 1),
    entry(1, P, 2, "staging"),
    entry(2, P, 2),
    entry(3, R, 3),
    entry(4, P, 3, overridden=True),
    entry(5, B, 2),
    entry(6, X, None, "staging"),
]


def test_a_holder_holds_until_the_next_row_of_its_alias() -> None:
    held = [
        (each.alias, each.version, each.since.day, each.until and each.until.day)
        for each in model_timeline.holdings(JOURNAL)
    ]
    assert held == [
        ("champion", 1, 1, 3),
        ("staging", 2, 2, 7),
        ("champion", 2, 3, 5),
        ("champion", 3, 5, 6),
        ("champion", 2, 6, None),
    ]


def test_the_chart_names_aliases_versions_overrides_and_refusals() -> None:
    figure, note = model_timeline.chart(JOURNAL, BEGAN + timedelta(days=10), 3600.0)
    plain, against, refused = figure["data"]
    assert plain["text"] == ["v1", "v2", "v2", "↩ v2"] and against["text"] == ["v3 !"]
    assert against["marker"]["pattern"]["shape"] and not plain["marker"]["pattern"]["shape"]
    assert plain["x"][-1] == 5 * 86_400_000  # who holds it, holds it until now
    assert plain["base"][0] == (BEGAN.timestamp() + 3600) * 1000
    assert -0.5 < refused["y"][0] < -0.3, "above the bar, whose name it would cover"
    assert plain["y"] == [0, 1, 0, 0] and plain["width"] / 2 < 0.4
    assert "&lt;b&gt;why" in refused["customdata"][0]
    assert figure["layout"]["yaxis"]["ticktext"] == ["champion", "staging"]
    assert note == "4 holders of 2 aliases, 5 terms · ✕ 1 try refused"
    assert "v2 holds champion since 2026-03-06" in model_timeline.alt(JOURNAL)


def test_many_holders_are_the_newest_and_the_note_says_so() -> None:
    rows = [entry(day, P, day + 1) for day in range(model_timeline.MOST_BARS + 50)]
    figure, note = model_timeline.chart(rows, BEGAN + timedelta(days=900), 0.0)
    assert len(figure["data"][0]["x"]) == model_timeline.MOST_BARS
    assert figure["data"][0]["text"][-1] == "v450" and note.startswith(
        "450 holders of 1 alias · drawn: the newest 400 · "
    )


def test_the_diagram_shows_what_went_in_and_reads_no_name_as_markup() -> None:
    hostile = 'x"]; click run href "http://a" <img src=x onerror=alert(1)> %% `'
    version = VersionRecord(
        "digits", 7, "r1", "digits", hostile, "model", None, "ab" * 32, 1234, BEGAN, "ann",
        lineage={
            "datasets": [{"name": hostile, "digest": "cd" * 32}, "nonsense"],
            "git": {"commit": "0123456789abcdef", "dirty": True},
            "params": {f"p{place}": place for place in range(9)},
            "study": "tpe", "trial": 12, "picked_from": 40,
        },
        aliases=("champion", "staging"),
        overridden={"champion": "urgent"},
    )  # fmt: skip
    text = model_lineage.diagram(version)
    inside = "".join(re.findall(r'\[+"(.*)"', text)).replace("<br/>", "")
    assert "x#34;#93;#59; click run" in inside  # a quote and a bracket end no box
    assert re.fullmatch(r"[\w ,]*", re.sub(r"#\d+;", "", inside).replace('"', ""))
    # Mermaid decodes the numbers of characters only in labels of several lines.
    assert all("<br/>" in label for label in re.findall(r'\[+"(.*)"', text) if "#" in label)
    boxes = model_lineage.inputs(version)
    assert ["sweep", "tpe", "trial 12", "picked from 40 trials"] in boxes
    assert boxes[1] == ["code", "commit 0123456789ab", "with uncommitted changes"]
    assert boxes[2][-1] == "and 3 params more"
    assert "style a0 stroke" in text and "style a1" not in text


def test_a_version_of_which_nothing_is_known_has_a_diagram() -> None:
    version = VersionRecord(
        "digits", 1, "r1", "digits", "", "model", None, "", 0, BEGAN, "", lineage={"git": 3}
    )
    assert "r1" in model_lineage.diagram(version)
    assert model_lineage.alt(version).startswith("Nothing known")
