"""The digests of the registry's journal and of its versions, written so that a stranger can compute them again.

The digest of a row of `registry_journal` is the sha256, in hexadecimal, of the UTF-8 bytes of one JSON object with
these keys: `alias at by details evidence gates kind model overridden position previous previous_digest reason version`.
Keys are in that (alphabetical) order and nothing stands between the tokens: `{"alias":"champion","at":17…,…}`. `at`
counts microseconds since 1970-01-01 UTC, `overridden` is `true` or `false`, what is not there is `null`. `details`,
`evidence` and `gates` are strings: the very text of their columns, which is JSON itself, so that nobody has to write
a number as we do. Strings escape `"`, `\\` and the control characters below U+0020 (`\\b \\f \\n \\r \\t`, others as
`\\u00xx`) and nothing else. `previous_digest` is the digest of the row before, 64 zeros in the first row.

The row that tells of a registration has in its details `content`, the sha256 of the same kind of object about the
version: `artifact by created details digest kind lineage model number run size step`, of which `details` and `lineage`
are strings, the text of their columns, and `run` is the run's id.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from tracking.validation import storable

ROW = (
    "alias", "at", "by", "details", "evidence", "gates", "kind", "model", "overridden", "position", "previous",
    "previous_digest", "reason", "version",
)  # fmt: skip
"""What the digest of a row of the journal is over."""
CONTENT = (
    "artifact", "by", "created", "details", "digest", "kind", "lineage", "model", "number", "run", "size", "step",
)  # fmt: skip
"""What the digest of a version is over."""


def canonical(value: object) -> str:
    """Return JSON types as text: keys sorted, no spaces, not finite numbers as the strings `NaN` and `±Infinity`."""
    return json.dumps(
        _plain(value), ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    )


def row_digest(row: Mapping[str, Any]) -> str:
    """Return the digest of a row of the journal, by its columns."""
    said = {name: row[name] for name in ROW}
    if said["overridden"] in (0, 1):
        said["overridden"] = bool(said["overridden"])
    return _digest(said)


def content_digest(version: Mapping[str, Any]) -> str:
    """Return the digest of a version, by the columns of its row, the name of its `model` and the id of its `run`."""
    return _digest({name: version[name] for name in CONTENT})


def _digest(said: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(said).encode()).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, float):
        if math.isfinite(value):
            return float(value)
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, str):
        return storable(str(value))
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Mapping):
        return {storable(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} is no JSON type")
