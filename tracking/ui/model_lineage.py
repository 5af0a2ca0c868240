"""Where a version comes from, as a diagram: data, code, params and sweep into the run, the run into the version.

Mermaid draws it in the browser without fetching anything (Streamlit 1.67 brings it along) and in the colours of the
page; Graphviz draws black lines on a dark page too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from tracking.errors import NotFound
from tracking.registry_records import VersionRecord
from tracking.ui import format, state
from tracking.ui.markdown import escape
from tracking.ui.sizes import size

if TYPE_CHECKING:
    from tracking.store import Store

LONGEST: Final = 34
"""Characters of a line in a box."""
MOST_DATASETS: Final = 5
MOST_PARAMS: Final = 6
DIGEST: Final = 12
"""Characters of a digest that are shown."""
_SPACING: Final = '%%{init: {"flowchart": {"nodeSpacing": 14, "rankSpacing": 36, "wrappingWidth": 300}}}%%'
_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ,")

_ALIAS: Final = re.compile(r"[a-z0-9._-]+")
_MARKUP: Final = re.compile(r"[^\w .,;/@+=-]+")


def draw(store: Store, version: VersionRecord) -> None:
    """Draw the diagram, with links to what can be opened of it."""
    st.mermaid_chart(diagram(version), alt=alt(version))
    with st.container(horizontal=True, gap="medium"):
        st.page_link(
            state.RUN_PAGE,
            label=escape(f"Open the run {format.shorten_middle(version.run_name, 60)} →"),
            query_params={state.RUN: version.run},
        )
        study = version.lineage.get("study")
        if isinstance(study, str) and study:
            _sweep_link(store, study)


def _sweep_link(store: Store, study: str) -> None:
    try:
        name = store.sweep(study).name
    except NotFound:
        return  # a study of the user's own, or a sweep that was deleted
    st.page_link(
        state.SWEEP_PAGE,
        label=escape(f"Open the sweep {format.shorten_middle(name, 60)} →"),
        query_params={state.SWEEP: name},
    )


def diagram(version: VersionRecord) -> str:
    """Return the lineage as Mermaid text. Whatever names hold, it is text in a box."""
    lines = [_SPACING, "flowchart LR"]
    for number, box in enumerate(inputs(version)):
        lines.append(f'  i{number}["{_label(box)}"] --> run')
    run = [version.run_name or version.run, f"run in {version.experiment}"]
    lines.append(f'  run["{_label(run)}"] --> version')
    lines.append(f'  version["{_label(_version_lines(version))}"]')
    for number, alias in enumerate(version.aliases):
        against = alias in version.overridden
        said = [alias, "against its gates"] if against else [alias]
        # Mermaid shows the code of a character in a label of one line as it is written: an alias needs none.
        named = "<br/>".join(said) if _ALIAS.fullmatch(alias) else _label([*said, "alias"])
        lines.append(f'  version --> a{number}(["{named}"])')
        if against:
            lines.append(f"  style a{number} stroke:#c1007c,stroke-width:2px,stroke-dasharray:4 3")
    return "\n".join(lines) + "\n"


def alt(version: VersionRecord) -> str:
    """Return what the diagram shows, for those who cannot see it."""
    said = "; ".join(", ".join(box) for box in inputs(version))
    held = f", which holds {' and '.join(version.aliases)}" if version.aliases else ""
    told = f"{said or 'Nothing known'} into the run {version.run_name}, which logged {version.name}{held}"
    # Streamlit puts it into the Mermaid text, as a comment: nothing in it may end that.
    return format.shorten(_MARKUP.sub(" ", told), 600)


def inputs(version: VersionRecord) -> list[list[str]]:
    """Return what went into the run, a list of lines for each."""
    lineage = version.lineage
    found = [*_datasets(lineage.get("datasets"))]
    for box in (_code(lineage), _params(lineage.get("params")), _search(lineage)):
        if box:
            found.append(box)
    return found


def _datasets(datasets: object) -> list[list[str]]:
    if not isinstance(datasets, Sequence) or isinstance(datasets, str):
        return []
    known = [each for each in datasets if isinstance(each, Mapping)]
    boxes = [
        [f"data {each.get('name', '')}", f"digest {str(each.get('digest', ''))[:DIGEST]}"]
        for each in known[:MOST_DATASETS]
    ]
    if len(known) > MOST_DATASETS:
        boxes.append(["data", f"and {format.plural(len(known) - MOST_DATASETS, 'dataset')} more"])
    return boxes


def _code(lineage: Mapping[str, Any]) -> list[str]:
    git, script = lineage.get("git"), lineage.get("script")
    box: list[str] = ["code"]
    if isinstance(git, Mapping) and git.get("commit"):
        branch = f" on {git['branch']}" if git.get("branch") else ""
        box.append(f"commit {str(git['commit'])[:DIGEST]}{branch}")
        if git.get("dirty"):
            box.append("with uncommitted changes")
    if script:
        # The end of a path tells more than its beginning.
        path = str(script)
        box.insert(1, path if len(path) <= LONGEST else "…" + path[1 - LONGEST :])
    return box if len(box) > 1 else []


def _params(params: object) -> list[str]:
    if not isinstance(params, Mapping) or not params:
        return []
    box = ["params", *(f"{name} {format.param(value)}" for name, value in list(params.items())[:MOST_PARAMS])]
    if len(params) > MOST_PARAMS:
        box.append(f"and {format.plural(len(params) - MOST_PARAMS, 'param')} more")
    return box


def _search(lineage: Mapping[str, Any]) -> list[str]:
    study, trial, of = lineage.get("study"), lineage.get("trial"), lineage.get("picked_from")
    if not study:
        return []
    box = ["sweep", str(study)]
    if trial is not None:
        box.append(f"trial {trial}")
    if isinstance(of, int) and of > 1:
        box.append(f"picked from {format.plural(of, 'trial')}")
    return box


def _version_lines(version: VersionRecord) -> list[str]:
    return [
        f"{version.model} v{version.number}",
        f"sha256 {version.digest[:DIGEST]}",
        f"{version.artifact}, {size(version.size)}",
    ]


def _label(lines: Sequence[str]) -> str:
    return "<br/>".join(_text(format.shorten_middle(line, LONGEST)) for line in lines)


def _text(line: str) -> str:
    """Return a text for a Mermaid label: all but letters and digits as the number of the character."""
    printable = "".join(char if char.isprintable() else " " for char in line)
    return "".join(char if char in _PLAIN else f"#{ord(char)};" for char in printable) or " "
