"""What is a secret, and how it is masked: the one place for params, arguments, diffs, sources and remotes.

Masked are

- values under names that clearly are secrets: `api_key`, `secret`, `password`, `access_token`, a lone `token`;
  never `tokenizer`, `num_tokens`, `pad_token`, `max_token`, `key_dim`,
- what looks like a key wherever it stands: well-known prefixes of services, private keys in PEM, `Bearer …`,
- the credentials in an address: `https://user:token@host`.

Files that hold nothing but secrets (`.env`, `*.pem`, `id_rsa`, …) are left out of a diff whole. This is a net,
not a proof: a secret under a harmless name that looks like a word goes through.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from functools import cache
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from tracking.validation import Leaf

MASK = "***"

_SECRET_WORDS = frozenset(
    "password passwd passphrase passcode secret secrets credential credentials apikey apitoken".split()
)
_KEYS = frozenset(
    "api secret access private encryption signing auth account storage ssh master wandb".split()
)
_TOKENS = frozenset(
    "access auth api bearer refresh id session secret hf hub huggingface github gitlab wandb slack personal "
    "oauth csrf login security bot deploy private".split()
)
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")


def is_secret_name(name: str) -> bool:
    """Whether what stands under a name clearly is a secret; of a dotted name the last part counts."""
    if len(name) > 200:
        return False
    words = [word.lower() for word in _WORDS.findall(name.rpartition(".")[2])]
    if not words:
        return False
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last == "id" and before == "key":  # access_key_id
        return len(words) > 2 and words[-3] in _KEYS
    if last == "token":
        return before == "" or before in _TOKENS
    if last == "key":
        return before in _KEYS
    return last in _SECRET_WORDS


def mask_params(leaves: Sequence[Leaf]) -> tuple[list[Leaf], list[str]]:
    """Return params with their secrets masked, and the names of those.

    Masked are texts under secret names, also inside of lists, and credentials in addresses. Numbers,
    flags and None stay as they are.
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
            elif "://" in text:
                safe = mask_addresses(text)
        if safe != text:
            names.append(name)
            leaf = (name, kind, safe, number, path)
        masked.append(leaf)
    return masked, names


def _mask_json(text: str) -> str:
    if "{" not in text and "://" not in text:
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
        return [_masked_value(item) for item in value]
    return mask_addresses(value) if isinstance(value, str) else value


def mask_arguments(arguments: Iterable[str]) -> list[str]:
    """Return a command's arguments with secrets masked: `--token=…`, `--api-key x`, `KEY=…`, addresses."""
    masked: list[str] = []
    after_secret = False
    for argument in arguments:
        if after_secret and not argument.startswith("--"):
            masked.append(MASK)
            after_secret = False
            continue
        name, sign, value = argument.partition("=")
        name = name.lstrip("-+~")
        if sign and value and is_secret_name(name):
            masked.append(f"{argument.partition('=')[0]}={MASK}")
        else:
            masked.append(mask_text(argument))
        after_secret = not sign and argument.startswith("-") and is_secret_name(name)
    return masked


def mask_text(text: str) -> str:
    """Return source, a diff or a message with the values of lines that assign secrets masked."""
    rules = _rules()
    lines = []
    inside_key = False
    for line in text.splitlines(keepends=True):
        if inside_key or "PRIVATE KEY-----" in line:
            ended = "-----END" in line
            if inside_key and not ended:
                lines.append(f"{line[:1] if line[:1] in '+- ' else ''}{MASK}\n")
                continue
            inside_key = "-----BEGIN" in line and not ended
        if rules.hint.search(line):
            line = rules.assignment.sub(_mask_assignment, line)
        line = rules.known.sub(MASK, line)
        if "://" in line:
            line = mask_addresses(line)
        lines.append(line)
    return "".join(lines)


def mask_addresses(text: str) -> str:
    """Return text without the credentials of the addresses in it."""
    return _rules().credentials.sub(lambda found: f"{found[1]}{MASK}@", text)


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


SECRET_FILES = tuple(
    ".env* *.env *.pem *.key *.p12 *.pfx *.ppk *.jks *.keystore *.kdbx id_rsa* id_dsa* id_ecdsa* id_ed25519* "
    "credentials* *.credentials .git-credentials .netrc _netrc .pypirc .npmrc .htpasswd .pgpass .my.cnf "
    "secrets.y*ml secrets.json secrets.toml secrets.ini *.secret *.secrets service-account*.json kubeconfig".split()
)
"""Patterns of the names of files that hold secrets; matched without regard to case."""


def is_secret_file(path: str) -> bool:
    """Whether a file's name says that it holds secrets, so that nothing of it may be recorded."""
    name = path.rpartition("/")[2].lower()
    if any(fnmatchcase(name, pattern) for pattern in SECRET_FILES):
        return True
    # Keys of any other kind; id_mapping.py is code.
    return name.startswith("id_") and not name.endswith((".py", ".ipynb", ".md", ".rst", ".csv"))


class _Rules:
    def __init__(self) -> None:
        self.hint = re.compile(r"(?i)secret|passw|passphrase|passcode|token|key|credential|auth")
        # Starts at the beginnings of words only and is bounded, so that a line of a megabyte costs one pass.
        self.assignment = re.compile(
            r"(?<![\w.\-])(?P<name>[A-Za-z_][\w.\-]{0,100})(?P<close>[\"']?\]?)"
            r"(?P<sign>\s{0,20}(?::[ \t]{0,20}[\w.\[\]| ]{1,60}=|:=|=>|=(?!=)|:)[ \t]{0,20})"
            r"(?P<value>[A-Za-z_][\w.]{0,100}[(\[][^\n]*|[rbfuRBFU]{0,2}\"[^\"\n]*\"?|[rbfuRBFU]{0,2}'[^'\n]*'?|[^\s,;#)\]}][^\n#,;)\]}]*)"
        )
        self.known = re.compile(
            r"(?<![A-Za-z0-9_\-])(?:gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255}"
            r"|glpat-[A-Za-z0-9_\-]{16,255}|sk-[A-Za-z0-9_\-]{20,255}|hf_[A-Za-z0-9]{20,255}"
            r"|xox[abeoprs]-[A-Za-z0-9\-]{10,255}|(?:AKIA|ASIA)[A-Z0-9]{16}|AIza[A-Za-z0-9_\-]{30,60}"
            r"|pypi-[A-Za-z0-9_\-]{20,255}|npm_[A-Za-z0-9]{30,255}|ya29\.[A-Za-z0-9_\-]{20,255}"
            r"|eyJ[A-Za-z0-9_\-]{10,2000}\.[A-Za-z0-9_\-]{10,2000}\.[A-Za-z0-9_\-]{10,2000}"
            r"|(?<=Bearer )[A-Za-z0-9._~+/=\-]{8,2000}|(?<=Basic )[A-Za-z0-9+/=]{12,2000})"
        )
        self.credentials = re.compile(r"(\b[A-Za-z][A-Za-z0-9+.\-]{1,20}://)[^\s/@\"'<>]{1,500}@")


@cache
def _rules() -> _Rules:
    # Compiled when first needed: a run's start has no time for it.
    return _Rules()


_TYPES = frozenset("str bytes int float bool None True False Optional[str] Any object SecretStr".split())


def _mask_assignment(found: re.Match[str]) -> str:
    name, value = found["name"], found["value"]
    if not is_secret_name(name):
        return found[0]
    head = found[0][: found.start("value") - found.start()]
    if value[:1] in "\"'" or value[:2].lower() in _PREFIXED or value[:3].lower() in _PREFIXED:
        at = min(place for place in (value.find('"'), value.find("'")) if place >= 0)
        quote = value[at]
        return f"{head}{value[:at]}{quote}{MASK}{quote if value.endswith(quote) else ''}"
    plain = value.strip()
    if plain in _TYPES or plain.partition(" ")[0] in _TYPES:
        return found[0]
    if "(" in plain or plain.endswith(("[", "{")):
        # A call or a container: the texts inside are masked, its name stays readable.
        return head + re.sub(r"\"[^\"]*\"|'[^']*'", f'"{MASK}"', value)
    return head + MASK + value[len(value.rstrip()) :]


_PREFIXED = frozenset(
    prefix + quote for prefix in ("r", "b", "f", "u", "rb", "br", "fr", "rf") for quote in ('"', "'")
)
