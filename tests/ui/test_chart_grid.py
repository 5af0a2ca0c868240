"""Charts by the part of their key before the slash."""

from __future__ import annotations

from tracking.ui.chart_grid import first_of_each, group_by_prefix


def test_keys_are_grouped_in_their_order() -> None:
    keys = ["val/acc", "val/loss", "train/loss", "lr", "train/acc", "system/cpu"]
    assert group_by_prefix(keys) == {
        "val": ["val/acc", "val/loss"],
        "train": ["train/loss", "train/acc"],
        "": ["lr", "system/cpu"],
    }


def test_keys_without_prefixes_are_one_group() -> None:
    assert group_by_prefix(["loss", "acc"]) == {"": ["loss", "acc"]}
    assert group_by_prefix([]) == {}


def numbered(**sizes: int) -> dict[str, list[str]]:
    return {name: [f"{name}/{n}" for n in range(size)] for name, size in sizes.items()}


def test_small_groups_are_shown_whole() -> None:
    assert first_of_each(numbered(train=2, val=3, test=4, lr=2), 6) == numbered(train=2, val=3, test=4)
    assert first_of_each(numbered(train=5, val=5, test=5), 6) == numbered(train=5, val=5)


def test_a_large_group_does_not_hide_the_next_one() -> None:
    assert first_of_each(numbered(system=40, train=3), 6) == numbered(system=3, train=3)
    assert first_of_each(numbered(a=40, b=40), 12) == numbered(a=6, b=6)


def test_one_group_is_cut_where_asked() -> None:
    assert first_of_each(numbered(m=30), 12) == numbered(m=12)
    assert first_of_each(numbered(m=30), 100) == numbered(m=30)
    assert first_of_each({}, 6) == {}


def test_more_charts_hide_nothing_that_was_shown() -> None:
    groups = numbered(a=7, b=1, c=20, d=5)
    seen: set[str] = set()
    for charts in range(40):
        shown = {key for members in first_of_each(groups, charts).values() for key in members}
        assert seen <= shown and len(shown) >= min(charts, 33)
        seen = shown
