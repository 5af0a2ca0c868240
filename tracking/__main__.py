"""`python -m tracking`, which is also the `tracking` command where the package is installed.

`python -m` puts the working directory first on `sys.path`. There a project's `random.py` or `argparse.py` would be
executed in place of the standard library's by commands that promise to run nothing of the project, so it is taken
off again before anything else is imported.
"""

from __future__ import annotations

import os
import sys


def _leave_working_directory() -> None:
    try:
        here = os.getcwd()
    except OSError:  # removed meanwhile
        return
    if sys.flags.safe_path or sys.path[:1] not in ([""], [here]):
        return
    del sys.path[0]
    # Run from its own checkout, it is found through that entry alone: the last one is as good, and hides nothing.
    home = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    if os.path.realpath(here) == home:
        sys.path.append(home)


if __name__ == "__main__":
    _leave_working_directory()


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
