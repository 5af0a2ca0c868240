"""A model's card in Markdown: what the store knows of a version, and plainly what it does not know.

The sections follow "Model Cards for Model Reporting" (Mitchell et al., 2019, https://arxiv.org/abs/1810.03993) as far
as a store can fill them; what only people know is said to be missing.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from tracking.artifacts.models import signature_facts
from tracking.records import SYSTEM_METRICS, CaptureRecord, DatasetRecord, RunRecord
from tracking.registry.card_text import code, escape, table
from tracking.registry.measured import summaries_of, went_on
from tracking.registry_records import JournalEntry, JournalKind, VersionRecord

_PARAMS = 100
_METRICS = 50
_FEW = 5


class CardStore(Protocol):
    """What a card reads of a store."""

    def version(self, name: str, number: int | None = None) -> VersionRecord:
        """Return one version."""

    def run(self, run_id: str) -> RunRecord:
        """Return one run."""

    def runs(self, run_ids: Sequence[str]) -> list[RunRecord]:
        """Return runs."""

    def datasets(self, run_id: str) -> list[DatasetRecord]:
        """Return what data a run used."""

    def captures(self, run_id: str) -> list[CaptureRecord]:
        """Return what was captured around a run."""

    def journal(self, name: str | None = None) -> list[JournalEntry]:
        """Return the journal of a model."""

    def repeats_of(self, run_id: str) -> list[str]:
        """Return the runs of a run's configuration that count as its repeats."""


def model_card(store: CardStore, name: str, number: int) -> str:
    """Return the card of a version; see `Store.model_card`. All stored text in it is escaped.

    Raises:
        NotFound: There is no such version.
    """
    version = store.version(name, number)
    run = store.run(version.run)
    journal = [each for each in store.journal(version.model) if _is_about(each, version.number)]
    group = store.runs(store.repeats_of(run.id))
    datasets, captures = store.datasets(run.id), store.captures(run.id)
    parts = (
        [f"# {escape(version.model)} {version.number}", ""],
        _head(version),
        _signature(version),
        _metrics(run, group, version),
        _evidence(journal),
        _data(datasets),
        _params(run),
        _origin(version, run, captures),
        _environment(version, captures),
        _history(journal),
        _limits(version, run, group, datasets, captures),
    )
    return "\n".join(line for part in parts for line in part).rstrip() + "\n"


def _is_about(entry: JournalEntry, number: int) -> bool:
    about = entry.version == number or entry.previous == number
    return about and entry.kind in (
        JournalKind.REGISTER,
        JournalKind.PROMOTE,
        JournalKind.REFUSE,
        JournalKind.ROLLBACK,
        JournalKind.RETIRE,
    )


def _head(version: VersionRecord) -> list[str]:
    said = version.details
    kind = said.get("class") or f"the {version.kind} {version.artifact}"
    rows = [
        ("Model", code(kind)),
        ("Format", code(said.get("format") or version.kind)),
        ("sha256", code(version.digest)),
        ("Size", f"{version.size:,} bytes"),
        ("Registered", f"{version.created:%Y-%m-%d %H:%M} UTC by {escape(version.by)}"),
        ("Aliases", ", ".join(map(code, version.aliases)) or "none"),
        ("Tags", ", ".join(map(code, version.tags)) or "none"),
    ]
    overridden = [
        f"**Against its gates** it became {code(alias)}. The reason given: {escape(reason)}"
        for alias, reason in version.overridden.items()
    ]
    text = [escape(version.description, limit=5_000), ""] if version.description else []
    return [*text, *table(("", ""), rows), "", *(line for each in overridden for line in (each, ""))]


def _signature(version: VersionRecord) -> list[str]:
    facts = signature_facts(version.details.get("signature"))
    lines = ["## What it takes and gives", ""]
    if not facts:
        return [*lines, "Not known: it was logged without an `input_example`.", ""]
    for side, label in (("inputs", "Takes"), ("outputs", "Gives")):
        found = facts.get(side)
        if isinstance(found, Mapping):
            lines += [f"{label} a data frame:", ""]
            lines += table(("Column", "Type"), [(code(key), code(kind)) for key, kind in found.items()])
            lines += [""]
        elif found is not None:
            lines += [f"{label} {escape(found)}.", ""]
    return lines


def _metrics(run: RunRecord, group: Sequence[RunRecord], version: VersionRecord) -> list[str]:
    keys = sorted(key for key in run.metrics if not key.startswith(SYSTEM_METRICS))
    lines = ["## Metrics", ""]
    if not keys:
        return [*lines, "The run logged no metrics.", ""]
    registered = summaries_of(version)
    # Of a version with a step, or where the run went on, the run's value is another model's.
    apart = registered is not None and (version.step is not None or went_on(version, run))
    own = "When it was registered" if version.step is None else f"Up to step {version.step}, which it is of"
    rows = []
    for key in keys[:_METRICS]:
        values = [each.metrics[key].last for each in group if key in each.metrics]
        finite = [value for value in values if abs(value) < float("inf")]
        spread = f"{statistics.stdev(finite):.3g}" if len(finite) > 1 else ""
        mean = f"{statistics.fmean(finite):.6g}" if finite else ""
        then = registered.get(key) if registered is not None else None
        at = [f"{then.last:.6g}" if then is not None else "not logged"] if apart else []
        rows.append((code(key), *at, f"{run.metrics[key].last:.6g}", str(len(finite)), mean, spread))
    lines += table(
        ("Metric", *([own] if apart else []), "This run (last)", "n", "Mean of n runs", "Standard deviation"),
        [tuple(map(str, row)) for row in rows],
    )
    if len(keys) > _METRICS:
        lines += ["", f"And {len(keys) - _METRICS} more metrics."]
    counted = len(group)
    if not counted:
        told = "n: no finished run of this configuration counts, so nothing is known of the noise of these numbers."
    elif counted == 1:
        told = "n: one run of this configuration counts, so the noise of these numbers is unknown."
    else:
        told = f"n: {counted} runs of this configuration count."
        told += " That is too few to be sure of the spread." if counted < _FEW else ""
    picked = version.lineage.get("picked_from")
    if isinstance(picked, int) and picked > 1:
        told += (
            f" The configuration is one of {picked} trials of a search. A pick among them favours luck, so "
            "only runs made after the search count."
        )
    return [*lines, "", told, ""]


def _evidence(journal: Sequence[JournalEntry]) -> list[str]:
    lines = ["## Evidence", ""]
    promoted = [each for each in journal if each.kind is JournalKind.PROMOTE]
    told = [each for each in promoted if isinstance(each.evidence.get("sentence"), str)]
    for each in told:
        lines += [
            f"- For {code(each.alias)} on {each.at:%Y-%m-%d}: {escape(each.evidence['sentence'], limit=2_000)}"
        ]
    if not told:
        lines += ["No comparison with another version was made at a promotion."]
    lines += [""]
    for each in promoted[-1:]:
        if each.gates:
            lines += [f"What the gates found on {each.at:%Y-%m-%d}, for {code(each.alias)}:", ""]
            lines += table(
                ("Gate", "Found", "Passed"),
                [
                    (escape(one.asked), escape(one.found), "yes" if one.passed else "**no**")
                    for one in each.gates
                ],
            )
            lines += [""]
    return lines


def _data(datasets: Sequence[DatasetRecord]) -> list[str]:
    lines = ["## Data", ""]
    if not datasets:
        return [*lines, "The run recorded no dataset.", ""]
    rows = [
        (
            code(each.name),
            "" if each.rows is None else f"{each.rows:,}",
            "" if each.columns is None else f"{each.columns:,}",
            code(each.digest),
        )
        for each in datasets
    ]
    return [*lines, *table(("Name", "Rows", "Columns", "Digest of the content"), rows), ""]


def _params(run: RunRecord) -> list[str]:
    lines = ["## Params", ""]
    if not run.flat_params:
        return [*lines, "The run logged no params.", ""]
    named = list(run.flat_params.items())
    rows = [
        (code(key), code(json.dumps(value, ensure_ascii=False, default=str)))
        for key, value in named[:_PARAMS]
    ]
    more = [f"And {len(named) - _PARAMS} more params.", ""] if len(named) > _PARAMS else []
    return [*lines, *table(("Param", "Value"), rows), "", *more]


def _origin(version: VersionRecord, run: RunRecord, captures: Sequence[CaptureRecord]) -> list[str]:
    git = version.lineage.get("git")
    git = git if isinstance(git, Mapping) else {}
    rows = [
        ("Run", f"{code(run.id)} {escape(run.name)}"),
        ("Experiment", escape(run.experiment)),
        ("Trained", f"{run.created:%Y-%m-%d %H:%M} UTC, {run.duration:,.0f} s, {escape(run.status)}"),
        ("Code", code(git["commit"]) if git.get("commit") else "not known"),
        ("Branch", code(git["branch"]) if git.get("branch") else "not known"),
        ("Uncommitted changes", _yes_or_no(git.get("dirty"))),
        ("Script", code(version.lineage["script"]) if version.lineage.get("script") else "not known"),
    ]
    if version.lineage.get("study"):
        rows.append(
            ("Search", f"{code(version.lineage['study'])}, trial {escape(version.lineage.get('trial'))}")
        )
    return ["## Where it comes from", "", *table(("", ""), rows), ""]


def _environment(version: VersionRecord, captures: Sequence[CaptureRecord]) -> list[str]:
    versions = version.details.get("versions")
    lines = ["## Environment", ""]
    if isinstance(versions, Mapping) and versions:
        lines += table(
            ("Library", "Version"), [(code(key), code(said)) for key, said in list(versions.items())[:50]]
        )
    else:
        lines += ["The versions of the libraries that the model needs are not known."]
    hosts = [each.data for each in captures if each.section == "host" and each.owner]
    facts = [f"{key}: {hosts[-1][key]}" for key in ("os", "machine", "cpu") if hosts and hosts[-1].get(key)]
    return [*lines, "", *([escape("; ".join(facts)), ""] if facts else [])]


def _history(journal: Sequence[JournalEntry]) -> list[str]:
    rows = []
    for each in journal:
        what = each.kind.value
        if each.alias is not None:
            what += f" {code(each.alias)}"
        change = ""
        if each.kind in (JournalKind.PROMOTE, JournalKind.ROLLBACK, JournalKind.RETIRE):
            change = f"{each.previous or 'nobody'} → {each.version or 'nobody'}"
        against = "**against its gates:** " if each.overridden else ""
        when = f"{each.at:%Y-%m-%d %H:%M}"
        rows.append((str(each.position), when, what, change, escape(each.by), against + escape(each.reason)))
    return [
        "## History",
        "",
        *table(("Row", "When (UTC)", "What", "From → to", "By", "Reason"), rows),
        "",
        *(
            [f"The journal's row {journal[-1].position} has the digest {code(journal[-1].digest)}.", ""]
            if journal
            else []
        ),
    ]


def _limits(
    version: VersionRecord,
    run: RunRecord,
    group: Sequence[RunRecord],
    datasets: Sequence[DatasetRecord],
    captures: Sequence[CaptureRecord],
) -> list[str]:
    git = version.lineage.get("git")
    git = git if isinstance(git, Mapping) else {}
    found = [
        "Intended use, groups of people that it may treat differently, and harm that it can do: the store knows "
        "nothing of these.",
        "The metrics are what the training script logged; on which data it computed them is not recorded here.",
    ]
    if not version.description:
        found.append("Nobody has described this version.")
    if len(group) < 2:
        found.append("How much chance there is in its metrics: it has not been repeated.")
    if not datasets:
        found.append("Which data it was trained on is unknown.")
    if not git.get("commit"):
        found.append("Which code made it is unknown: no commit was captured.")
    elif git.get("dirty"):
        found.append(
            "The code had changes that were not committed; the commit alone does not make this model."
        )
    if run.status != "finished":
        found.append(f"The run that made it is {escape(run.status)}, not finished.")
    if "example" not in version.details:
        found.append("No example was kept, so nothing shows that a copy of it predicts the same.")
    if version.kind != "model":
        found.append("The file was logged as it is; Podium has not looked at what it holds.")
    return ["## What is not known", "", *(f"- {each}" for each in found), ""]


def _yes_or_no(value: Any) -> str:
    return "yes" if value is True else "no" if value is False else "not known"
