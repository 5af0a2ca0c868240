"""The commands of `tracking models` that write: register, gates, promote, roll back, retire."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from tracking.cli.app import StoreOption, existing_store
from tracking.cli.model_text import (
    OVERRIDDEN,
    check_json,
    entry_json,
    evidence_lines,
    gate_lines,
    version_json,
)
from tracking.cli.models import AliasOption, NameArgument, ReasonOption, is_version, models_app
from tracking.cli.sweep import JsonOption
from tracking.cli.terminal import output, say
from tracking.errors import InvalidValue, PromotionRefused
from tracking.exports.cells import json_text, printable
from tracking.registry_records import CHAMPION

if TYPE_CHECKING:
    from tracking.registry_records import JournalEntry, PromotionCheck

EXIT_REFUSED = 1


@models_app.command()
def register(
    name: NameArgument,
    run: Annotated[str, typer.Argument(help="Id of the run that logged it, or the beginning of the id.")],
    store: StoreOption = None,
    artifact: Annotated[str, typer.Option("--artifact", help="Which of the run's models.")] = "model",
    step: Annotated[int | None, typer.Option("--step", help="Of the artifact; default: the newest.")] = None,
    description: Annotated[str, typer.Option("--description", help="For people.")] = "",
    tag: Annotated[list[str] | None, typer.Option("--tag", help="May be given several times.")] = None,
    json: JsonOption = False,
) -> None:
    """Make a model that a run logged the next version of NAME; the first one makes the name."""
    with existing_store(store) as opened, output() as out:
        made = opened.register(
            name,
            opened.find_run(run),
            artifact=artifact,
            step=step,
            description=description,
            tags=tuple(tag or ()),
        )
        same = [
            each.name
            for each in opened.run_versions(made.run)
            if (each.model, each.digest) == (made.model, made.digest) and each.number != made.number
        ]
        if same:
            say(
                f"The same model of the same run is already {', '.join(same)}; {made.name} is one more version."
            )
        if json:
            out.write(json_text(version_json(made)) + "\n")
            return
        out.write(printable(f"{made.name}  {made.artifact} of run {made.run}  sha256 {made.digest}") + "\n")


@models_app.command()
def gates(
    name: NameArgument,
    store: StoreOption = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="GATE", help="Instead of those there are; several times for several gates."
        ),
    ] = None,
    add: Annotated[
        list[str] | None, typer.Option("--add", metavar="GATE", help="Beside those there are.")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="No gates any more.")] = False,
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Show or set what a promotion has to meet.

    A gate is a line: 'accuracy >= 0.9', 'better(accuracy, margin=0.01)', 'repeats >= 5', 'artifacts: report.csv',
    'clean git', 'same data', 'age <= 30 days', 'loads'; ' for staging' at its end: for that alias only.
    """
    from tracking.registry.gate_text import parse_gate, print_gate

    if sum(map(bool, (set_, add, clear))) > 1:
        raise InvalidValue("--set, --add and --clear: take one of them.")
    with existing_store(store) as opened, output() as out:
        if set_ or clear:
            opened.set_gates(name, [parse_gate(each) for each in set_ or ()], reason=reason)
        elif add:
            kept = opened.model(name).gates
            opened.set_gates(name, [*kept, *(parse_gate(each) for each in add)], reason=reason)
        found = opened.model(name).gates
        if json:
            out.write(json_text({"model": name, "gates": [print_gate(each) for each in found]}) + "\n")
            return
        for each in found:
            out.write(printable(print_gate(each)) + "\n")
        if not found:
            say("No gates: whatever is promoted gets its alias.")


@models_app.command()
def promote(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the model, or a version: digits/3.")],
    version: Annotated[
        int | None, typer.Argument(min=1, metavar="[VERSION]", help="Number of the version.")
    ] = None,
    store: StoreOption = None,
    alias: AliasOption = CHAMPION,
    reason: ReasonOption = "",
    override: Annotated[
        bool,
        typer.Option("--override", help="Against its gates; needs --reason, and is marked for ever."),
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Only say what the gates find.")] = False,
    json: JsonOption = False,
) -> None:
    """Give a version an alias, if it meets the model's gates; exit code 1 where it does not."""
    with existing_store(store) as opened, output() as out:
        if is_version(name):
            if version is not None:
                raise InvalidValue(f"{name} {version}: give the version once, as {name} or as NAME VERSION.")
            found = opened.version(name)
            name, version = found.model, found.number
        if version is None:
            raise InvalidValue(f"Which version of {name}? tracking models versions {name} lists them.")
        if check:
            seen = opened.check_promotion(name, version, alias=alias)
            _write_check(out, seen, json=json, would=True)
            if not seen.passed:
                out.flush()
                raise typer.Exit(EXIT_REFUSED)
            return
        try:
            entry = opened.promote(name, version, alias=alias, reason=reason, override=override)
        except PromotionRefused as refused:
            if refused.check is None:
                say(str(refused))
            else:
                _write_check(out, refused.check, json=json, would=False)
            out.flush()
            raise typer.Exit(EXIT_REFUSED) from None
        _write_entry(out, entry, json=json)


@models_app.command()
def rollback(
    name: NameArgument,
    store: StoreOption = None,
    alias: AliasOption = CHAMPION,
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Give an alias back to who held it before; its bytes are verified, its gates not asked again."""
    with existing_store(store) as opened, output() as out:
        _write_entry(out, opened.rollback(name, alias=alias, reason=reason), json=json)


@models_app.command()
def retire(
    name: NameArgument,
    store: StoreOption = None,
    alias: AliasOption = CHAMPION,
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Take an alias away: nobody holds it then."""
    with existing_store(store) as opened, output() as out:
        _write_entry(out, opened.retire(name, alias=alias, reason=reason), json=json)


def _write_check(out: TextIO, check: PromotionCheck, *, json: bool, would: bool) -> None:
    if json:
        out.write(json_text(check_json(check)) + "\n")
        return
    failed = sum(not each.passed for each in check.gates)
    said = f"{check.model}/{check.version}"
    if not failed:
        out.write(printable(f"{said} would get {check.alias}.") + "\n")
    else:
        verb = "would not get" if would else "does not get"
        count = f"{failed} of {len(check.gates)} gates {'are' if failed > 1 else 'is'} not met"
        out.write(printable(f"{said} {verb} {check.alias}: {count}.") + "\n")
    for line in [*gate_lines(check.gates), *evidence_lines(check.evidence, check.gates)]:
        out.write(f"  {line}\n")
    if failed and not would:
        command = shlex.join(["tracking", "models", "promote", check.model, str(check.version)])
        say(f'To go against them, with a reason that stays: {command} --override --reason "…"')


def _write_entry(out: TextIO, entry: JournalEntry, *, json: bool) -> None:
    if json:
        out.write(json_text(entry_json(entry)) + "\n")
        return
    before = "nobody" if entry.previous is None else f"{entry.model}/{entry.previous}"
    now = "Nobody" if entry.version is None else f"{entry.model}/{entry.version}"
    against = f" {OVERRIDDEN}" if entry.overridden else ""
    out.write(printable(f"{now} has {entry.alias} now{against}; before: {before}.") + "\n")
    for line in [*gate_lines(entry.gates), *evidence_lines(entry.evidence, entry.gates)]:
        out.write(f"  {line}\n")
    out.write(f"journal row {entry.position}  {printable(entry.digest)}\n")
