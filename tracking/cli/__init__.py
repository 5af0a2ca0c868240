"""The command line: `python -m tracking`. One file a group of commands; each adds its own to the app."""

from __future__ import annotations

# In the order in which --help lists them.
from tracking.cli import start as start  # isort: skip
from tracking.cli import runs as runs  # isort: skip
from tracking.cli import history as history  # isort: skip
from tracking.cli import export as export  # isort: skip
from tracking.cli import merge as merge  # isort: skip
from tracking.cli import care as care  # isort: skip
from tracking.cli import sweep_files as sweep_files  # isort: skip
from tracking.cli import sweep_reading as sweep_reading  # isort: skip
from tracking.cli import sweep_steering as sweep_steering  # isort: skip
from tracking.cli import sweep_confirm as sweep_confirm  # isort: skip
from tracking.cli import models as models  # isort: skip
from tracking.cli import model_steering as model_steering  # isort: skip
from tracking.cli import model_compare as model_compare  # isort: skip
from tracking.cli import registry as registry  # isort: skip
from tracking.cli import package as package  # isort: skip
from tracking.cli.app import run as run
