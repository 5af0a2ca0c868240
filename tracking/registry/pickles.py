"""Pickles, looked at and not read: reading one runs whatever code it names."""

from __future__ import annotations

import io
import pickletools
from pathlib import PurePosixPath

EXTENSIONS = frozenset((".pkl", ".pickle", ".joblib", ".sav", ".pck", ".dill", ".cloudpickle"))
_HEADS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_NPY = b"\x93NUMPY"
_LOOKED_AT = 4 << 20
_OPCODES = 100_000
_NAMED = 10
_STRINGS = frozenset(
    ("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE", "SHORT_BINSTRING", "BINSTRING", "STRING")
)
_KEEPING = frozenset(("MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT"))


def is_pickle(name: str, data: bytes) -> bool:
    """Whether a file is a pickle by its name's end or by its first bytes; joblib's files are pickles."""
    return PurePosixPath(name.lower()).suffix in EXTENSIONS or data[:2] in _HEADS


def holds_objects(data: bytes) -> bool:
    """Whether a file of NumPy's says that it holds Python objects, which are a pickle inside."""
    return data.startswith(_NPY) and b"'|O'" in data[:4096]


def named_types(data: bytes) -> list[str]:
    """Return the functions and classes that a pickle would call for, as far as they stand in it: `os.system`.

    It is taken apart and not executed, so that a person sees what would run; a list without harmful names is no
    proof of anything, as names can be made up while a pickle runs.
    """
    found: dict[str, None] = {}
    recent: list[str] = []
    memo: dict[int, str] = {}
    before = ""
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(io.BytesIO(data[:_LOOKED_AT]))):
            if count > _OPCODES or len(found) >= _NAMED:
                break
            name = opcode.name
            if name in _STRINGS:
                recent.append(str(argument))
            elif name in _KEEPING:
                at = len(memo) if argument is None else int(str(argument))
                memo[at] = recent[-1] if before in _STRINGS else ""
            elif name in ("BINGET", "LONG_BINGET", "GET"):
                recent.append(memo.get(int(str(argument)), ""))
            elif name in ("GLOBAL", "INST"):
                found[".".join(str(argument).split(" ", 1))] = None
            elif name == "STACK_GLOBAL" and len(recent) > 1:
                found[".".join(recent[-2:])] = None
            before = name
            del recent[:-4]
    except Exception:  # joblib puts arrays between the opcodes, and others put anything
        pass
    return [each[:120] for each in found if each.strip(".")]
