"""Gates as lines of text: what the command line and the editor of gates read and write.

    accuracy >= 0.9                                    a metric's last value against a bound
    best(accuracy) >= 0.9                              also first, min, max, mean
    better(accuracy, margin=0.01, confidence=0.95)     than the holder of the alias; also at=best, goal=minimize
    repeats >= 5                                       runs of the configuration
    artifacts: model, report.csv                       that the run has to have
    clean git                                          no tracked file was changed
    same data                                          as the holder's run; one use alone: same data: train
    age <= 30 days                                     of the version's run
    loads                                              the model loads and predicts its example again

Each may end in ` for champion`: then only promotions to that alias are held to it. A name that could be read as
something else stands in double quotes, as in JSON: `"repeats" >= 5` speaks of a metric.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from tracking.errors import InvalidValue
from tracking.records import Goal
from tracking.registry.gate_checks import POINTS, checked_gate
from tracking.registry_records import Gate, GateKind

_PLAIN = re.compile(r"[^\W\d][\w./-]*")
_WORDS = frozenset(("repeats", "age", "loads", "better", "artifacts", "clean", "same"))
_OPERATORS = (">=", "<=", ">", "<")
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>"(?:[^"\\]|\\.)*")
      | (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w/.-]))
      | (?P<word>[^\s"(),:=<>]+)
      | (?P<sign>>=|<=|[(),:=<>])
    )""",
    re.VERBOSE,
)
_LIMIT = 4_000
_EXAMPLES = (
    "accuracy >= 0.9, best(accuracy) >= 0.9, better(accuracy, margin=0.01), repeats >= 5, "
    "artifacts: report.csv, clean git, same data, age <= 30 days, loads"
)


def parse_gates(text: str | Iterable[str]) -> tuple[Gate, ...]:
    """Return the gates of several lines; empty ones and those that begin with `#` are left out.

    Raises:
        InvalidValue: A line cannot be read; the message says which, where in it, and what was expected.
    """
    lines = text.splitlines() if isinstance(text, str) else list(text)
    found = []
    for number, line in enumerate(lines, start=1):
        if isinstance(line, str) and (not line.strip() or line.lstrip().startswith("#")):
            continue
        try:
            found.append(parse_gate(line))
        except InvalidValue as error:
            raise InvalidValue(f"Line {number}: {error}" if len(lines) > 1 else str(error)) from None
    return tuple(found)


def parse_gate(line: str) -> Gate:
    """Return the gate that a line says.

    Raises:
        InvalidValue: It cannot be read; the message says where and what was expected.
    """
    if not isinstance(line, str):
        raise InvalidValue(f"A gate is a line such as 'accuracy >= 0.9', not {type(line).__name__}.")
    if len(line) > _LIMIT:
        raise InvalidValue(f"A gate has up to {_LIMIT:,} characters, not {len(line):,}.")
    return checked_gate(_Reader(line).gate())


def print_gate(gate: Gate) -> str:
    """Return a gate as the line that `parse_gate` reads back."""
    suffix = f" for {gate.alias}" if gate.alias is not None else ""
    return _body(gate) + suffix


def asked_for(gate: Gate) -> str:
    """Return in plain words what a gate asks."""
    match gate.kind:
        case GateKind.METRIC:
            return f"{gate.metric} ({gate.at}) {gate.op} {number_text(gate.bound or 0.0)}"
        case GateKind.BETTER:
            margin = f" by more than {number_text(gate.margin)}" if gate.margin else ""
            return f"better than the holder in {gate.metric} ({gate.at}){margin}, {100 * gate.confidence:.6g} % sure"
        case GateKind.REPEATS:
            return f"at least {_counted(gate.count or 0, 'run')} of the configuration"
        case GateKind.ARTIFACTS:
            return f"the run has the {'artifact' if len(gate.names) == 1 else 'artifacts'} " + ", ".join(
                gate.names
            )
        case GateKind.CLEAN_GIT:
            return "all tracked files were committed"
        case GateKind.SAME_DATA:
            return "the same data as the holder" + (f": {gate.dataset}" if gate.dataset is not None else "")
        case GateKind.MAX_AGE:
            return f"the run is at most {_days(gate.days or 0.0)} old"
        case GateKind.LOADS:
            return "the model loads and predicts its logged example again"


def _body(gate: Gate) -> str:
    match gate.kind:
        case GateKind.METRIC:
            name = _name(gate.metric or "")
            point = name if gate.at == "last" else f"{gate.at}({name})"
            return f"{point} {gate.op} {number_text(gate.bound or 0.0)}"
        case GateKind.BETTER:
            options = [] if gate.at == "last" else [f"at={gate.at}"]
            options += [f"goal={gate.goal.value}"] if gate.goal is not None else []
            options += [f"margin={number_text(gate.margin)}"] if gate.margin else []
            options += [f"confidence={number_text(gate.confidence)}"]
            return f"better({', '.join([_name(gate.metric or ''), *options])})"
        case GateKind.REPEATS:
            return f"repeats >= {gate.count}"
        case GateKind.ARTIFACTS:
            return "artifacts: " + ", ".join(map(_name, gate.names))
        case GateKind.CLEAN_GIT:
            return "clean git"
        case GateKind.SAME_DATA:
            return "same data" + (f": {_name(gate.dataset)}" if gate.dataset is not None else "")
        case GateKind.MAX_AGE:
            return f"age <= {_days(gate.days or 0.0)}"
        case GateKind.LOADS:
            return "loads"


def _name(text: str) -> str:
    # `for` would begin the suffix; a word of the language would be read as one.
    plain = _PLAIN.fullmatch(text) and text not in _WORDS and text not in POINTS and text != "for"
    return text if plain else json.dumps(text, ensure_ascii=False)


def number_text(value: float) -> str:
    """Return a number as a gate's line has it: whole where it is whole, else every digit that counts."""
    return str(int(value)) if abs(value) < 1e15 and value == int(value) else repr(value)


def _days(value: float) -> str:
    return f"{number_text(value)} {'day' if value == 1 else 'days'}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


class _Reader:
    """Reads one line from left to right."""

    def __init__(self, line: str) -> None:
        self.line = line
        self.at = 0
        self.tokens: list[tuple[str, str, int]] = []
        place = 0
        while place < len(line.rstrip()):
            found = _TOKEN.match(line, place)
            if found is None:
                start = place + len(line[place:]) - len(line[place:].lstrip())
                raise self._error("a closing quote or another character", start)
            kind = str(found.lastgroup)
            self.tokens.append((kind, found[kind], found.start(kind)))
            place = found.end()

    def gate(self) -> Gate:
        first = self._peek()
        if first is None:
            raise InvalidValue(f"The gate is empty. For example: {_EXAMPLES}.")
        reading = {
            "better": self._better,
            "artifacts": self._artifacts,
            "clean": self._clean,
            "same": self._same,
            "loads": self._loads,
            "repeats": self._repeats,
            "age": self._age,
        }
        fields = reading.get(first[1], self._metric)() if first[0] == "word" else self._metric()
        alias = None
        if self._word("for"):
            alias = self._any_name("an alias")
        left = self._peek()
        if left is not None:
            raise self._error("the end or 'for' and an alias", left[2])
        return Gate(alias=alias, **fields)  # type: ignore[arg-type]

    def _metric(self) -> dict[str, object]:
        at = "last"
        kind, text, place = self._next("a metric")
        after = self._peek()
        if kind == "word" and after is not None and after[1] == "(":
            if text not in POINTS:
                raise self._error(f"one of {', '.join(POINTS)} or better before '('", place)
            at = text
            self._sign("(")
            name = self._any_name("a metric")
            self._sign(")")
        elif kind in ("word", "text"):
            name = self._name_of(kind, text, place)
        else:
            raise self._error("a metric", place)
        found = self._peek()
        if found is None or found[1] not in _OPERATORS:
            raise self._error(f"one of {' '.join(_OPERATORS)}", self._place())
        op = self._next("")[1]
        return {"kind": GateKind.METRIC, "metric": name, "at": at, "op": op, "bound": self._float("a number")}

    def _better(self) -> dict[str, object]:
        self._next("")
        self._sign("(")
        fields: dict[str, object] = {"kind": GateKind.BETTER, "metric": self._any_name("a metric")}
        while self._take(","):
            _, option, place = self._next("an option")
            if option not in ("margin", "confidence", "at", "goal") or option in fields:
                raise self._error("margin=, confidence=, at= or goal=, each once", place)
            self._sign("=")
            if option in ("margin", "confidence"):
                fields[option] = self._float("a number")
                continue
            _, value, place = self._next("a word")
            allowed = POINTS if option == "at" else tuple(goal.value for goal in Goal)
            if value not in allowed:
                raise self._error(f"one of {', '.join(allowed)}", place)
            fields[option] = value if option == "at" else Goal(value)
        self._sign(")")
        return fields

    def _repeats(self) -> dict[str, object]:
        self._next("")
        self._sign(">=")
        place = self._place()
        count = self._float("a whole number")
        if count != int(count) or count < 1:
            raise self._error("a whole number from 1", place)
        return {"kind": GateKind.REPEATS, "count": int(count)}

    def _artifacts(self) -> dict[str, object]:
        self._next("")
        self._sign(":")
        names = [self._any_name("the name of an artifact")]
        while self._take(","):
            names.append(self._any_name("the name of an artifact"))
        return {"kind": GateKind.ARTIFACTS, "names": tuple(names)}

    def _clean(self) -> dict[str, object]:
        self._next("")
        self._expect("git")
        return {"kind": GateKind.CLEAN_GIT}

    def _same(self) -> dict[str, object]:
        self._next("")
        self._expect("data")
        name = self._any_name("the name of a dataset") if self._take(":") else None
        return {"kind": GateKind.SAME_DATA, "dataset": name}

    def _age(self) -> dict[str, object]:
        self._next("")
        self._sign("<=")
        days = self._float("a number of days")
        if not (self._word("days") or self._word("day")):
            raise self._error("days", self._place())
        return {"kind": GateKind.MAX_AGE, "days": days}

    def _loads(self) -> dict[str, object]:
        self._next("")
        return {"kind": GateKind.LOADS}

    # Tokens

    def _peek(self) -> tuple[str, str, int] | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def _place(self) -> int:
        found = self._peek()
        return found[2] if found is not None else len(self.line.rstrip())

    def _next(self, expected: str) -> tuple[str, str, int]:
        found = self._peek()
        if found is None:
            raise self._error(expected, self._place())
        self.at += 1
        return found

    def _take(self, sign: str) -> bool:
        found = self._peek()
        taken = found is not None and found[0] == "sign" and found[1] == sign
        self.at += taken
        return taken

    def _word(self, word: str) -> bool:
        found = self._peek()
        taken = found is not None and found[0] == "word" and found[1] == word
        self.at += taken
        return taken

    def _sign(self, sign: str) -> None:
        if not self._take(sign):
            raise self._error(repr(sign), self._place())

    def _expect(self, word: str) -> None:
        if not self._word(word):
            raise self._error(repr(word), self._place())

    def _any_name(self, expected: str) -> str:
        kind, text, place = self._next(expected)
        if kind == "sign":
            raise self._error(expected, place)
        return self._name_of(kind, text, place)

    def _name_of(self, kind: str, text: str, place: int) -> str:
        if kind != "text":
            return text
        try:
            return str(json.loads(text))
        except ValueError:
            raise self._error('text in double quotes, with \\" and \\\\ as in JSON', place) from None

    def _float(self, expected: str) -> float:
        found = self._peek()
        if found is None or found[0] != "number":
            raise self._error(expected, self._place())
        self.at += 1
        return float(found[1])

    def _error(self, expected: str, place: int) -> InvalidValue:
        shown = self.line.strip()
        found = self.line[place : place + 20].split()
        there = f"not {found[0]!r}" if found else "but it ends there"
        start = len(self.line) - len(self.line.lstrip())
        return InvalidValue(
            f"The gate {shown[:120]!r} cannot be read: at character {place - start + 1} {expected} is expected, "
            f"{there}."
        )
