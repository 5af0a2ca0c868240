"""Charts by the part of their key before the slash."""

from __future__ import annotations

from tracking.ui.chart_grid import group_by_prefix


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
