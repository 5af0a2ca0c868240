"""What is a secret, and how it is masked: for params, arguments, diffs, sources and remotes.

Masked are

- values under names that clearly are secrets: `api_key`, `secret`, `password`, `access_token`, a lone `token`;
  never `tokenizer`, `num_tokens`, `pad_token`, `max_token`, `key_dim` (names and files: `secret_names`),
- what looks like a key wherever it stands: well-known prefixes of services, private keys in PEM, `Bearer …`,
- the credentials in an address: `https://user:token@host`, `?access_token=…`.

Files that hold nothing but secrets (`.env`, `*.pem`, `id_rsa`, …) are left out of a diff whole. This is a net,
not a proof: a secret under a harmless name that looks like a word goes through.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from tracking.client.capture.secret_lines import MASK, mask_text
from tracking.client.capture.secret_names import is_secret_name, is_secret_option
from tracking.validation import Leaf

_HINTS = ("://", "secret", "pass", "pwd", "token", "key", "cred", "auth", "sig", "bearer ", "basic ")
_MARKS = ("_", "-", ".", "AKIA", "ASIA", "AIza")


def mask_params(leaves: Sequence[Leaf]) -> tuple[list[Leaf], list[str]]:
    """Return params with their secrets masked, and the names of those.

    Masked are texts under secret names, also inside of lists, credentials in addresses, and what `mask_arguments`
    masks where a param holds arguments of a command. Numbers, flags and None stay as they are.
    """
    masked: list[Leaf] = []
    names: list[str] = []
    for leaf in leaves:
        name, kind, text, number, path = leaf
        safe = text
        if kind in ("text", "repr", "json"):
            if text and is_secret_name(name):
                safe = json.dumps(MASK) if kind == "json" else MASK
            elif kind == "json":
                safe = _mask_json(text)
            else:
                safe = _mask_words(text)
        if safe != text:
            names.append(name)
            leaf = (name, kind, safe, number, path)
        masked.append(leaf)
    return masked, names


def _mask_words(text: str) -> str:
    """Mask what is a secret in a text that may be a sentence, a path, a header or a command."""
    # The rules are compiled for the first text that needs them, and most params are a word.
    return mask_text(text, prose=True) if len(text) >= 8 and _may_hold_secret(text) else text


def _may_hold_secret(text: str) -> bool:
    lower = text.lower()
    return any(hint in lower for hint in _HINTS) or (len(text) >= 20 and any(mark in text for mark in _MARKS))


def _mask_json(text: str) -> str:
    if not _may_hold_secret(text):
        return text
    value = json.loads(text)
    safe = _masked_value(value)
    return text if safe == value else json.dumps(safe, ensure_ascii=False)


def _masked_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: MASK if isinstance(item, str) and item and is_secret_name(key) else _masked_value(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return _masked_items(value)
    return _mask_words(value) if isinstance(value, str) else value


def _masked_items(items: list[Any]) -> list[Any]:
    """Mask a list, which may be that of a command's arguments."""
    masked: list[Any] = []
    after_secret = False
    for item in items:
        if not isinstance(item, str):
            masked.append(_masked_value(item))
            after_secret = False
        elif after_secret and not item.startswith("--"):
            masked.append(MASK)
            after_secret = False
        else:
            safe, after_secret = _mask_argument(item, prose=True)
            masked.append(safe)
    return masked


def mask_arguments(arguments: Iterable[str]) -> list[str]:
    """Return a command's arguments with secrets masked: `--token=…`, `--api-key x`, `KEY=…`, headers, addresses."""
    masked: list[str] = []
    after_secret = False
    for argument in arguments:
        if after_secret and not argument.startswith("--"):
            masked.append(MASK)
            after_secret = False
        else:
            safe, after_secret = _mask_argument(argument, prose=False)
            masked.append(safe)
    return masked


def _mask_argument(argument: str, *, prose: bool) -> tuple[str, bool]:
    """Return an argument masked, and whether the next one is its value and a secret."""
    option, sign, value = argument.partition("=")
    if sign and value and is_secret_option(option):
        return f"{option}={MASK}", False
    safe = _mask_words(argument) if prose else mask_text(argument)
    return safe, not sign and argument.startswith("-") and is_secret_option(argument)


def without_credentials(remote: str) -> str:
    """Return the address of a git remote without user and password; the `git@` of ssh stays."""
    if "://" not in remote:
        return mask_text(remote)
    try:
        parts = urlsplit(remote)
        user, at, host = parts.netloc.rpartition("@")
    except ValueError:
        return mask_text(remote)
    keep = user.partition(":")[0] + at if parts.scheme.startswith(("ssh", "git+ssh")) else ""
    return urlunsplit((parts.scheme, keep + host, parts.path, "", ""))
