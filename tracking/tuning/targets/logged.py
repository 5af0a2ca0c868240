"""The metrics that a file logs under literal names, and which of them a sweep would make better."""

from __future__ import annotations

import ast
from pathlib import Path

from tracking.records import Goal
from tracking.tuning.targets.describe import SOURCE_LIMIT
from tracking.tuning.targets.project_files import read_source
from tracking.tuning.targets.ranges import words
from tracking.tuning.targets.source import parse

_LESS = frozenset(
    "loss error err mse rmse mae mape nll perplexity ppl wer cer fid cost regret divergence latency".split()
)
_MORE = frozenset(
    "acc accuracy score f1 auc auroc r2 precision recall map iou dice bleu rouge reward return mcc kappa".split()
)
_HELD_OUT = frozenset("val valid validation test eval dev heldout".split())


def logged_metrics(project: Path, path: str) -> tuple[str, ...]:
    """Return the keys of dictionaries that a file hands to a function named `log`, in order of the source.

    Args:
        project: The folder.
        path: Of the file, relative to it.
    """
    data = read_source(project, path, SOURCE_LIMIT)
    source = parse(path, data) if isinstance(data, bytes) else ""
    if isinstance(source, str):
        return ()
    calls = [
        node
        for node in source.nodes
        if isinstance(node, ast.Call)
        and node.args
        and isinstance(node.args[0], ast.Dict)
        and (node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", ""))
        == "log"
    ]
    keys = [
        key.value
        for call in sorted(calls, key=lambda call: call.lineno)
        for key in (call.args[0].keys if isinstance(call.args[0], ast.Dict) else ())
        if isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value.strip()
    ]
    return tuple(dict.fromkeys(keys))


def goal_of(metric: str) -> Goal | None:
    """Return what a metric's name says is better, None where it says nothing."""
    named = words(metric)
    if named & _LESS:
        return Goal.MINIMIZE
    return Goal.MAXIMIZE if named & _MORE else None


def likely_metric(metrics: tuple[str, ...]) -> str | None:
    """Return the metric that a sweep would most likely make better: of held-out data, and a score before a loss."""
    known = [metric for metric in metrics if goal_of(metric) is not None]
    ranked = sorted(known, key=lambda name: (not words(name) & _HELD_OUT, goal_of(name) is not Goal.MAXIMIZE))
    return ranked[0] if ranked else None
