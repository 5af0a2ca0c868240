"""Runs one script up to where it reads its command line, writes down the parser, and ends there.

Started by its path, with nothing of this package on the way: `python -P probe_child.py <script> <result> <argument>…`.
The result is JSON: `{"parser": {...}}`, or `{"ended": "<what happened>"}`.
"""

from __future__ import annotations

import argparse
import json
import os
import runpy
import sys
from typing import Any, NoReturn

_ACTIONS = {
    "_StoreAction": "store",
    "_StoreTrueAction": "store_true",
    "_StoreFalseAction": "store_false",
    "_StoreConstAction": "store_const",
    "_AppendAction": "append",
    "_ExtendAction": "extend",
    "_CountAction": "count",
    "_HelpAction": "help",
    "_VersionAction": "version",
    "BooleanOptionalAction": "boolean_optional",
}
_LIMIT = 1000
_BITS = 1024


def main() -> NoReturn:
    """Run the script that the command line names."""
    script, result, *arguments = sys.argv[1:]
    # Whatever the script starts, or imports before it parses, logs nothing either.
    os.environ["TRACKING_OFF"] = "1"

    def answer(said: dict[str, Any]) -> NoReturn:
        partial = f"{result}.partial"
        with open(partial, "w", encoding="utf-8") as file:
            json.dump(said, file)
        os.replace(partial, result)
        # At once: no `finally`, no `atexit` and no other thread goes on behind the parser.
        os._exit(0)

    def parsed(parser: argparse.ArgumentParser, *_: Any, **__: Any) -> NoReturn:
        answer({"parser": _described(parser)})

    for name in ("parse_args", "parse_known_args", "parse_intermixed_args", "parse_known_intermixed_args"):
        setattr(argparse.ArgumentParser, name, parsed)
    sys.argv = [script, *arguments]
    sys.path.insert(0, os.path.dirname(script))
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as error:
        answer({"ended": f"it ended with {error.code!r} before"})
    except BaseException as error:
        answer({"ended": f"it raised {type(error).__name__}: {str(error)[:300]}"})
    answer({"ended": "it ran to its end without"})


def _described(parser: argparse.ArgumentParser) -> dict[str, Any]:
    commands = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    declared = [_declared(action, None) for action in parser._actions if action not in commands]
    for action in commands:
        for name, inner in list(action.choices.items())[:100]:
            declared += [_declared(each, name) for each in inner._actions]
    return {"description": _text(parser.description), "declared": declared[:_LIMIT]}


def _declared(action: argparse.Action, command: str | None) -> dict[str, Any]:
    kind = type(action).__name__
    given: dict[str, Any] = {
        "dest": action.dest,
        "required": bool(action.required),
        "help": _text(action.help),
    }
    notes: list[str] = []
    for name in ("nargs", "const", "default", "choices"):
        value = getattr(action, name, None)
        if name == "nargs" and kind not in ("_StoreAction", "_AppendAction", "_ExtendAction"):
            continue
        if value is None or value == argparse.SUPPRESS:
            continue
        if name == "choices":
            value = list(value)[:_LIMIT]
        plain = _plain(value)
        if plain is _UNKNOWN:
            notes.append(f"its {name} {_written(value)} is no plain value")
        else:
            given[name] = "*" if plain == "..." else plain
    return {
        "strings": list(action.option_strings) or [action.dest],
        "action": _ACTIONS.get(kind, kind),
        "type": "" if action.type is None else getattr(action.type, "__name__", type(action.type).__name__),
        "given": given,
        "notes": notes,
        "command": command,
    }


_UNKNOWN = object()


def _plain(value: Any) -> Any:
    if type(value) is int and value.bit_length() > _BITS:
        return _UNKNOWN
    if value is None or type(value) in (str, int, float, bool):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, (list, tuple)) and len(value) <= _LIMIT:
        items = [_plain(item) for item in value]
        return _UNKNOWN if any(item is _UNKNOWN for item in items) else items
    return _UNKNOWN


def _written(value: Any) -> str:
    try:
        return repr(value)[:60]
    except ValueError:
        return "of thousands of digits"


def _text(value: Any) -> str:
    return "" if value is None or value == argparse.SUPPRESS else str(value)[:_LIMIT]


if __name__ == "__main__":
    main()
