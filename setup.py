"""Hands the bounds of requirements.txt to the package, so that each stands in one place."""

import re
from pathlib import Path

from setuptools import setup

CLIENT = {"numpy", "sqlmodel", "alembic", "psutil"}
HERE = Path(__file__).parent


def requirements(file: str) -> dict[str, str]:
    """Return the requirement lines of a file by the name of their package."""
    lines = (
        line.partition("#")[0].strip() for line in (HERE / file).read_text(encoding="utf-8").splitlines()
    )
    return {re.split(r"[<>=!~;\[ ]", line, maxsplit=1)[0]: line for line in lines if line}


app = requirements("requirements.txt")
setup(
    install_requires=[app[name] for name in sorted(CLIENT)],
    extras_require={
        "app": [line for name, line in app.items() if name not in CLIENT],
        "dev": list(requirements("requirements-dev.txt").values()),
    },
)
