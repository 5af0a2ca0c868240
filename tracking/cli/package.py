"""The command that hands a model over."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tracking.cli.app import StoreOption, app, existing_store
from tracking.cli.terminal import output
from tracking.exports.cells import printable


@app.command()
def package(
    reference: Annotated[str, typer.Argument(metavar="MODEL", help="Such as digits@champion or digits/3.")],
    out_folder: Annotated[
        Path, typer.Option("--out", "-o", help="A new or empty folder.", file_okay=False, show_default=False)
    ],
    store: StoreOption = None,
) -> None:
    """Write a version as a folder that runs elsewhere: model, signature, requirements, predict.py, card."""
    with existing_store(store) as opened, output() as out:
        made = opened.package(reference, out_folder)
        version = opened.resolve(reference)
        out.write(printable(f"{made}  {version.name}  sha256 {version.digest}") + "\n")
        for file in sorted(each for each in made.rglob("*") if each.is_file()):
            out.write(printable(f"  {file.relative_to(made)}  {file.stat().st_size:,} bytes") + "\n")
