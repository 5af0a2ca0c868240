"""The command that takes over another store."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

import tracking
from tracking.cli.app import StoreOption, app
from tracking.cli.terminal import output, say
from tracking.exports.cells import printable

LISTED = 20


@app.command()
def merge(
    other: Annotated[str, typer.Argument(help="Folder of the other store; it is only read.")],
    store: StoreOption = None,
) -> None:
    """Take over the runs of another store, such as a cluster's that came home by rsync.

    Doing it again changes nothing but what has gone on over there. Names, tags and notes of runs that
    are here already stay as they are here.
    """
    with tracking.open_store(store) as opened, output() as out:
        show = sys.stderr.isatty()

        def progress(done: int, total: int) -> None:
            if show:
                print(f"\r{done:,} of {total:,} runs", end="", file=sys.stderr, flush=True)

        report = opened.merge(other, progress=progress)
        if show:
            print("\r\x1b[K", end="", file=sys.stderr)
        out.write(
            f"{len(report.added):,} runs added, {len(report.updated):,} brought up to date, "
            f"{report.unchanged:,} unchanged; {report.objects:,} files, {report.size:,} bytes.\n"
        )
        if report.models:
            say(
                f"{report.models:,} registered model{'s' * (report.models > 1)} stayed over there: a registry tells of "
                "one store. Register here what is needed here."
            )
        for title, listed in (("Left out", report.refused), ("Without their bytes", report.missing)):
            if listed:
                say(f"{title}:")
                for line in listed[:LISTED]:
                    say(f"  {printable(line)}")
                if len(listed) > LISTED:
                    say(f"  … and {len(listed) - LISTED:,} more")
        if report.missing:
            say("Copy the other store again and repeat the merge to complete them.")
