"""Masks secrets in source, diffs, configuration and messages, line by line.

A line is looked through for pairs of a secret name and a value in any of the forms that Python, YAML, JSON, shells,
connection strings and addresses write them in. What goes on over the end of a line (a string, a YAML block, a bracket,
a private key) is remembered until it ends, for a bounded number of lines, never beyond a hunk of a diff.
"""

from __future__ import annotations

import re
from functools import cache

from tracking.client.capture.secret_names import is_secret_name, is_secret_query

MASK = "***"

_TYPES = frozenset(
    "str bytes int float bool None True False null true false Optional Union Any object SecretStr list List dict Dict "
    "tuple Tuple Sequence Iterable Callable Literal Annotated".split()
)
_NAMING = frozenset("name key id variable var env option field".split())
_NAMED = frozenset("value default const".split())
_NEAR = 3
"""Lines after a name (`name: DB_PASSWORD`, `"--token"`) in which `value:` or `default=` is its value."""


class _Rules:
    def __init__(self) -> None:
        self.hint = re.compile(r"(?i)secret|pass|pwd|token|key|cred|auth|sig|login\(")
        # Starts at the beginnings of words only and is bounded, so that a line of a megabyte costs one pass.
        self.pair = re.compile(
            r"(?<![\w.\-])(?P<name>[A-Za-z_][\w.\-]{0,100})(?P<close>(?:\\?[\"'])?\]?)"
            r"(?P<sign>\s{0,20}(?::[ \t]{0,20}[\w.\[\]| ]{1,60}=(?!=)|:=|=>|=(?!=)|:)[ \t]{0,20})"
        )
        string = r"\"(?:[^\"\\\n]|\\.)*\"?|'(?:[^'\\\n]|\\.)*'?"
        prefix = r"[rbfuRBFU]{0,2}"
        self.value = re.compile(
            rf"(?P<triple>{prefix}(?:\"\"\"|'''))|(?P<block>[|>][+\-]?\d?[ \t]*(?=\r?\n|$))"
            rf"|(?P<string>{prefix}(?:{string}))"
            r"|(?P<call>[A-Za-z_][\w.]{0,100}[(\[])|(?P<open>[(\[{])"
            r"|(?P<plain>[^\s,;#)\]}](?:[^\n#,;)\]}\s]|[ \t](?![\w.\-]{1,60}=)(?!#)"
            r"|[#,;)\]}](?=[^\s,;)\]}\"'])(?![\w.\- ]{1,60}=))*)"
        )
        self.word = re.compile(r"[\"'\\]{0,3}([A-Za-z_][\w.\-]{0,100})(?![\w.\-(])")
        self.more = re.compile(rf"\s{{0,20}}\+?\s{{0,20}}{prefix}(?:{string})")
        self.strings = re.compile(r"(\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*')(?!\s{0,5}:)")
        self.arguments = re.compile(
            r"(?P<head>(?P<open>\(\s{0,20})?(?P<quote>[\"'])(?P<name>-{0,2}[A-Za-z_][\w.\-]{0,100})(?P=quote)\s{0,20},\s{0,20}"
            r"[rbfu]{0,2}(?P<q>[\"']))(?P<value>(?!-)[^\"'\n]{1,2000})(?P=q)"
        )
        self.setter = re.compile(
            r"(\b(?:login|(?:save|set|use)_(?:access_token|auth_token|token|api_key|password|secret))\(\s{0,20}[\"'])"
            r"[^\"'\n]{8,500}"
        )
        self.element = re.compile(r"<([A-Za-z][\w.\-]{0,60})>[^<\n]{1,2000}(?=</)")
        self.quoted_option = re.compile(r"[\"'](--[A-Za-z][\w\-]{0,100})[\"']")
        self.option = re.compile(
            r"(?<![\w\-])(--[A-Za-z][\w.\-]{0,100})([ \t]{1,20})([^\s\-\"'`,;)\]|][^\s\"'`,;)]{0,2000})"
        )
        self.known = re.compile(
            r"(?<![A-Za-z0-9_\-])(?:gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255}"
            r"|glpat-[A-Za-z0-9_\-]{16,255}|sk-[A-Za-z0-9_\-]{20,255}|hf_[A-Za-z0-9]{20,255}"
            r"|[sr]k_(?:live|test)_[A-Za-z0-9]{10,255}|whsec_[A-Za-z0-9+/=]{16,255}"
            r"|SG\.[A-Za-z0-9_\-]{16,64}\.[A-Za-z0-9_\-]{16,128}|gsk_[A-Za-z0-9]{20,255}|r8_[A-Za-z0-9]{30,64}"
            r"|nvapi-[A-Za-z0-9_\-]{20,255}|dapi[0-9a-f]{32}|dop_v1_[0-9a-f]{32,128}|shp(?:at|ss)_[A-Fa-f0-9]{32}"
            r"|xox[abeoprs]-[A-Za-z0-9\-]{10,255}|xapp-[A-Za-z0-9\-]{10,255}|(?:AKIA|ASIA)[A-Z0-9]{16}"
            r"|AIza[A-Za-z0-9_\-]{30,60}|AGE-SECRET-KEY-[A-Z0-9]{20,255}"
            r"|pypi-[A-Za-z0-9_\-]{20,255}|npm_[A-Za-z0-9]{30,255}|ya29\.[A-Za-z0-9_\-]{20,255}"
            r"|eyJ[A-Za-z0-9_\-]{10,2000}\.[A-Za-z0-9_\-]{10,2000}\.[A-Za-z0-9_\-]{10,2000}"
            r"|(?<=Bearer )[A-Za-z0-9._~+/=\-]{8,2000}|(?<=Basic )[A-Za-z0-9+/=]{12,2000})"
        )
        self.credentials = re.compile(r"(\b[A-Za-z][A-Za-z0-9+.\-]{1,20}://)[^\s/@\"'<>]{1,500}@")
        self.query = re.compile(
            r"(?<=[?&#;])([A-Za-z][\w.\-]{0,100})=([^&\s\"'<>#;*`][^&\s\"'<>#;`]{0,4000})"
        )
        self.webhook = re.compile(
            r"(hooks\.slack\.com/services/|discord(?:app)?\.com/api/webhooks/)[\w\-/]{8,300}"
        )
        self.pem = re.compile(
            r"(-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----).*?(?=-----END|\r?\n|$)"
        )


@cache
def _rules() -> _Rules:
    # Compiled when first needed: a run's start has no time for it.
    return _Rules()


def mask_text(text: str, *, prose: bool = False) -> str:
    """Return source, a diff or a message with the values of secrets in it masked.

    Args:
        text: Of any length; takes time in proportion to it.
        prose: For text that people wrote: `token: word` in the middle of a sentence is none then.
    """
    masker = _Masker(prose)
    return "".join(map(masker.line, text.splitlines(keepends=True)))


def mask_addresses(text: str) -> str:
    """Return text without the credentials of the addresses in it: user, password, tokens and signatures."""
    rules = _rules()
    if "://" in text:
        text = rules.credentials.sub(lambda found: f"{found[1]}{MASK}@", text)
        text = rules.webhook.sub(lambda found: found[1] + MASK, text)
    if "=" in text:
        text = rules.query.sub(_mask_query, text)
    return text


def _mask_query(found: re.Match[str]) -> str:
    return f"{found[1]}={MASK}" if is_secret_query(found[1]) else found[0]


def _mask_strings(text: str) -> str:
    return _rules().strings.sub(lambda found: f"{found[0][0]}{MASK}{found[0][0]}", text)


def _end_of(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


class _Masker:
    """Masks one line after the other; remembers what the end of a line has left open."""

    def __init__(self, prose: bool) -> None:
        self._prose = prose
        self._rules = _rules()
        self._open = ""  # "key", "block", "next", "bracket", or the quotes that end a string
        self._column = 0
        self._left = 0
        self._near = 0

    def line(self, line: str) -> str:
        if line.startswith(("diff --git ", "@@ ")):
            self._open, self._near = "", 0
        if self._open:
            masked = self._go_on(line)
            if masked is not None:
                return masked
        rules = self._rules
        if "PRIVATE KEY" in line and "-----BEGIN" in line:
            if "-----END" not in line:
                self._remember("key", 0, 200)
            line = rules.pem.sub(lambda found: found[1] + MASK, line)
        line = rules.known.sub(MASK, line)
        if "=" in line or "://" in line:
            line = mask_addresses(line)
        if self._near or rules.hint.search(line):
            self._near = max(0, self._near - 1)
            line = self._calls(line)
            line = self._pairs(line)
        return line

    def _remember(self, what: str, column: int, lines: int) -> None:
        self._open, self._column, self._left = what, column, lines

    def _go_on(self, line: str) -> str | None:
        """Return the line masked if it belongs to what was left open, else None."""
        what = self._open
        self._left -= 1
        if self._left <= 0:
            self._open = ""
        sign = line[:1] if line[:1] in "+- " else ""
        body = line[len(sign) :]
        bare = body.strip()
        indentation = body[: len(body) - len(body.lstrip())].rstrip("\r\n")
        hidden = f"{sign}{indentation}{MASK}{_end_of(line)}"
        if what in ('"""', "'''", '"', "'"):
            at = line.find(what)
            if at < 0:
                return hidden
            self._open = ""
            return f"{sign}{MASK}{line[at:]}"
        if what == "key":
            if "-----END" in line:
                self._open = ""
                return line
            # A key's lines are base64; anything else says that only the mark was quoted.
            if any(letter in "()[]{}_<>@" for letter in bare):
                self._open = ""
                return None
            return hidden
        deeper = len(indentation) > self._column
        if what == "block":
            if not bare:
                return line
            if deeper:
                return hidden
        elif what == "bracket" and (deeper or bare[:1] in ('"', "'")):
            return _mask_strings(line)
        elif what == "next" and bare:
            item = bare[2:] if bare.startswith("- ") else bare
            quoted = self._rules.more.match(item)
            if quoted is not None and not item[quoted.end() :].strip(" ,;)]}"):
                self._open = "next" if item != bare else ""
                return line[: len(line) - len(line.lstrip("+- \t"))] + f'"{MASK}"' + _end_of(line)
            if (
                deeper
                and not self._prose
                and self._left >= 0
                and not any(letter in " :={}()[]" for letter in item)
            ):
                self._open = "next" if item != bare else ""
                return hidden
        self._open = ""
        return None

    def _calls(self, line: str) -> str:
        """Mask `setdefault("API_KEY", "…")`, `["--token", "…"]` and `--token …`; look out for defaults."""
        rules = self._rules
        if '"' in line or "'" in line:
            line = rules.arguments.sub(_mask_argument, line)
            line = rules.setter.sub(rf"\1{MASK}", line)
            options = rules.quoted_option.findall(line)
            if options:
                self._near = _NEAR if any(map(is_secret_name, options)) else 0
        if "</" in line:
            line = rules.element.sub(
                lambda found: f"<{found[1]}>{MASK}" if is_secret_name(found[1]) else found[0], line
            )
        if "--" in line:
            line = rules.option.sub(
                lambda found: f"{found[1]}{found[2]}{MASK}" if is_secret_name(found[1]) else found[0], line
            )
        return line

    def _pairs(self, line: str) -> str:
        rules = self._rules
        parts: list[str] = []
        done = at = 0
        all_strings = False
        while found := rules.pair.search(line, at):
            at = found.end("name")
            if not self._counts(found, line):
                continue
            start = found.end()
            word = rules.word.match(line, start)
            if line.startswith(MASK, start) or (word is not None and word[0] in _TYPES):
                continue
            value = rules.value.match(line, start)
            if value is None:
                if not line[start : start + 1].strip():
                    self._after_the_end(found, line)
                continue
            end = value.end()
            kind = value.lastgroup
            if kind == "plain":
                masked, end = self._plain(found, line, value)
                if masked is None:
                    continue
            elif kind == "triple":
                quotes = value[0][-3:]
                closing = line.find(quotes, end)
                if closing < 0:
                    self._remember(quotes, 0, 200)
                    masked, end = value[0] + MASK, len(line.rstrip("\r\n"))
                else:
                    masked, end = value[0] + MASK, closing
            elif kind == "block":
                self._remember("block", self._column_of(found, line), 200)
                continue
            elif kind == "string":
                masked, end = self._string(found, line, value)
            else:
                if all_strings:  # once for a line, however many calls are in it
                    continue
                all_strings = True
                rest = line[start:].rstrip()
                masked = value[0]
                if rest.endswith(("(", "[", "{", ",")):
                    self._remember("bracket", self._indentation(line), 40)
                if '"' in rest or "'" in rest:
                    # A call or a container: the texts inside are masked, its name stays readable.
                    line = line[:start] + _mask_strings(line[start:])
                elif rest not in (value[0], "[]", "{}", "()") and (
                    kind == "open" or self._is_unquoted_text(found, line, rest)
                ):
                    masked, end = MASK, start + len(rest)
            parts += (line[done:start], masked)
            done = at = end
        return "".join((*parts, line[done:])) if parts else line

    def _counts(self, found: re.Match[str], line: str) -> bool:
        """Whether a pair is one of a secret; takes note of a name whose value stands in another pair."""
        name = found["name"]
        lower = name.lower().rpartition(".")[2]
        if lower in _NAMING:
            if lower == "key" and "login(" in line[max(0, found.start() - 200) : found.start()]:
                return True
            value = self._rules.word.match(line, found.end())
            self._near = _NEAR if value is not None and is_secret_name(value[1]) else 0
            return False
        if lower in _NAMED and self._near:
            return not self._prose
        if not is_secret_name(name):
            return False
        if not self._prose or "=" in found["sign"] or found["close"]:
            return True
        return not line[: found.start()].strip(" \t\"'") or lower == "authorization"

    def _leads(self, found: re.Match[str], line: str) -> bool:
        start = found.start()
        return start < 200 and line[:start].strip("+- \t\"'{") in ("", "export")

    def _is_unquoted_text(self, found: re.Match[str], line: str, rest: str) -> bool:
        """Whether `PASSWORD=a(b` is what a shell or YAML reads, no call."""
        if not self._leads(found, line) or not (found["sign"] == "=" or found["sign"].strip() == ":"):
            return False
        if rest.endswith(("(", "[", "{", ",")):
            return False
        return rest.count("(") != rest.count(")") or re.search(r"[)\]]\w", rest) is not None

    def _indentation(self, line: str) -> int:
        body = line[1:] if line[:1] in "+- " else line
        return len(body) - len(body.lstrip())

    def _column_of(self, found: re.Match[str], line: str) -> int:
        return found.start() - (line[:1] in "+- ") - (line[found.start() - 1 : found.start()] in ('"', "'"))

    def _after_the_end(self, found: re.Match[str], line: str) -> None:
        if self._leads(found, line) or found["close"] or "=" in found["sign"]:
            self._remember("next", self._column_of(found, line), 2 if found["close"] else 20)

    def _plain(self, found: re.Match[str], line: str, value: re.Match[str]) -> tuple[str | None, int]:
        text, end = value[0].rstrip(), value.end()
        if text == "\\":
            self._after_the_end(found, line)
            return None, end
        # Inside of a string the value ends with it.
        before = line[max(0, found.start() - 300) : found.start()]
        for quote in ('"', "'"):
            if before.count(quote) % 2 and quote not in found["close"]:
                text = re.split(rf"(?<!\\){quote}", text, maxsplit=1)[0]
        return (MASK, value.start() + len(text)) if text else (None, end)

    def _string(self, found: re.Match[str], line: str, value: re.Match[str]) -> tuple[str, int]:
        text, end = value[0], value.end()
        at = min(place for place in (text.find('"'), text.find("'")) if place >= 0)
        quote = text[at]
        closed = len(text) > at + 1 and text.endswith(quote)
        if not closed:
            self._remember(quote, 0, 6)
        while closed and (more := self._rules.more.match(line, end)):
            end = more.end()  # "…" "…" and "…" + "…"
        if closed and line[end : end + 9].strip() == "\\":
            self._remember("next", self._column_of(found, line), 2)
        before = line[: found.start()] if found.start() < 300 else ""
        if (
            "," in before
            and "=" in found["sign"]
            and not before.strip("+- \t\r\n").strip("_, abcdefghijklmnopqrstuvwxyz")
        ):
            return _mask_strings(line[value.start() :].rstrip("\r\n")), len(
                line.rstrip("\r\n")
            )  # user, password = …
        return f"{text[: at + 1]}{MASK}{quote if closed else ''}", end


def _mask_argument(found: re.Match[str]) -> str:
    name = found["name"]
    if not is_secret_name(name) or not (name.startswith("--") or found["open"]):
        return found[0]
    return f"{found['head']}{MASK}{found['q']}"
