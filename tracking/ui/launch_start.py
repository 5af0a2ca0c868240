"""Holds what a browser asks for against what is found in the project, and starts it, once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tracking.errors import InvalidDefinition, InvalidValue, Problem
from tracking.ui import access
from tracking.ui.launch_targets import Offers

if TYPE_CHECKING:
    from tracking.store import Store
    from tracking.sweep_records import SweepRecord
    from tracking.tuning.definition import SweepDefinition
    from tracking.tuning.targets.options import FoundTarget

_MINUS: Final = re.compile(r"-[.\d]")


def problems_of(
    definition: SweepDefinition, offers: Offers, project: Path, *, found: FoundTarget | None = None
) -> list[Problem]:
    """Return what is wrong with a definition by itself, beside its target, and as one from a browser.

    A target that is not offered is not looked at any further. Nothing is executed.

    Args:
        definition: Of the sweep.
        offers: What is found in the project.
        project: The folder.
        found: The target with the options that it said itself, where it was asked for them.
    """
    from tracking.tuning.definition_checks import check
    from tracking.tuning.target_checks import check_target

    try:
        offer = offers.offer_of(definition.target)
    except InvalidValue as error:
        return [Problem(None, "target", str(error))]
    problems = check(definition)
    if not problems:
        problems = check_target(definition, project)
    if not any(each.field.startswith("target.arguments") for each in problems):
        problems += _strange_arguments(definition, found or offer.found)
    return problems


def start(
    store: Store,
    offers: Offers,
    definition: SweepDefinition,
    *,
    form: str,
    found: FoundTarget | None = None,
) -> SweepRecord:
    """Start a sweep for a session that may; the same form starts one, whatever is in its fields.

    Args:
        store: To start it in.
        offers: What is found in the project: nothing else is started.
        definition: Of the sweep.
        form: A text drawn when the form was opened.
        found: See `problems_of`.

    Raises:
        NotAllowed: The session has no key.
        InvalidDefinition: Something is wrong with it, or its target is not offered.
        InvalidValue: The name is taken.
        StoreError: The store cannot be written, or the sweep's process not be started.
    """
    access.require_key()
    project = store.location.project
    if problems := problems_of(definition, offers, project, found=found):
        raise InvalidDefinition(problems)
    from tracking.tuning import sweeps

    definition = replace(definition, target=offers.own(definition.target))
    # Of the form alone: in a second tab its fields may differ.
    key = hashlib.sha256(form.encode()).hexdigest()
    return sweeps.start(store.location, definition, project=project, key=f"form:{key}")


def is_started_as(record: SweepRecord, definition: SweepDefinition, offers: Offers) -> bool:
    """Whether a sweep was started with this definition, not by the same form with another one."""
    from tracking.tuning.definition_text import definition_text

    return record.text == definition_text(replace(definition, target=offers.own(definition.target)))


def ask_for_options(offers: Offers, target: str, project: Path) -> FoundTarget:
    """Run a script up to where it reads its command line, and return it with the options it has then.

    Raises:
        NotAllowed: The session has no key.
        InvalidValue: It is not offered, or did not come so far.
    """
    access.require_key()
    offer = offers.by_id.get(target)
    if offer is None or offer.kind != "script" or offer.found is None:
        raise InvalidValue("Only a script that was found in this project can be asked for its options.")
    from tracking.tuning.targets.probe import probe_script

    options = probe_script(project, offer.found.path)
    return replace(offer.found, options=options, complete=True, why_not=())


def _strange_arguments(definition: SweepDefinition, found: FoundTarget | None) -> Iterator[Problem]:
    """Yield a problem for every option among a script's fixed arguments that it is not known to have.

    Stricter than for a definition in a terminal: also where the source does not say all of the options.
    """
    from tracking.tuning.definition import ScriptTarget

    target = definition.target
    if not isinstance(target, ScriptTarget) or found is None:
        return
    known = {flag for option in found.options for flag in (*option.aliases, *(f for _, f in option.switches))}
    known |= {option.flag for option in found.options if option.flag}
    for argument in target.arguments:
        flag = argument.partition("=")[0]
        short = not argument.startswith("--") and argument[:2] in known
        if not argument.startswith("-") or _MINUS.match(argument) or flag in known or short:
            continue
        yield Problem(
            None,
            "target.arguments",
            f"have {flag[:40]!r}, and {target.path} is not known to have such an option. "
            "From here a script is given only options that it declares.",
        )
