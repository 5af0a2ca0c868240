"""`python -m tracking`, which is also the `tracking` command where the package is installed."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; without its packages, say what to install."""
    try:
        from tracking.cli import run
    except ModuleNotFoundError as error:
        if error.name != "typer":
            raise
        sys.exit('error: the command line needs the packages of the app: pip install "podium-tracking[app]"')
    run()


if __name__ == "__main__":
    main()
