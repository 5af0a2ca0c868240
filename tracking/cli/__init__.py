"""The command line: `python -m tracking`. One file a group of commands; each adds its own to the app."""

from __future__ import annotations

from tracking.cli import start as start
from tracking.cli.app import run as run
