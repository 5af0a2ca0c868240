"""From what `add_argument` was told to an option; the same for source that was read and for a parser that was asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from tracking.tuning.definition import Choice
from tracking.tuning.targets.options import Option, Passing, ValueType

_TYPES: dict[str, ValueType] = {"float": "float", "int": "int", "str": "str", "bool": "bool", "": "str"}
_PATHS = ("Path", "PurePath", "PosixPath", "FileType", "open")
_SWITCHES = {"store_true": True, "store_false": False}
_STORED = {"store", "append", "extend"}


@dataclass(slots=True)
class Declaration:
    """One `add_argument`.

    Attributes:
        strings: `--lr`, `-l`; or one name without a dash.
        action: By name: `store`, `store_true`, `boolean_optional` …
        type: Name of the type or function, `""` when none was given.
        given: The literal keywords as given: `dest`, `nargs`, `const`, `default`, `choices`, `help`, `required`.
        notes: What could not be read.
        line: Where it stands.
        command: The subcommand whose parser it belongs to.
        exclusive: The group of options that exclude each other, by its line.
    """

    strings: tuple[str, ...]
    action: str = "store"
    type: str = ""
    given: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    line: int | None = None
    command: str | None = None
    exclusive: int | None = None

    @property
    def positional(self) -> bool:
        """Whether it has no dashes."""
        return not self.strings or not self.strings[0].startswith("-")

    @property
    def name(self) -> str:
        """Its destination, by the rule of argparse: the first long option, else the first."""
        if dest := self.given.get("dest"):
            return str(dest)
        if self.positional:
            return self.strings[0] if self.strings else ""
        return _longest(self.strings).lstrip("-").replace("-", "_")


@dataclass(slots=True)
class Declared:
    """What a file declares for its command line.

    Attributes:
        options: In order.
        description: Of the parser.
        complete: Whether there are no others.
        why_not: Sentences about what could not be read.
        parses: Whether the file itself reads its command line.
    """

    options: tuple[Option, ...] = ()
    description: str = ""
    complete: bool = True
    why_not: list[str] = field(default_factory=list)
    parses: bool = False


def options_of(
    declarations: Iterable[Declaration], defaults: dict[str, Any] | None = None
) -> tuple[Option, ...]:
    """Return the options, those with the same destination as one where their flags allow it.

    Args:
        declarations: In the order of the source.
        defaults: What `set_defaults` gave.
    """
    options: dict[tuple[str | None, str], Option] = {}
    for declaration in declarations:
        if declaration.action in ("help", "version"):
            continue
        if defaults and declaration.name in defaults:
            declaration.given["default"] = defaults[declaration.name]
        option = option_of(declaration)
        key = (option.command, option.name)
        earlier = options.get(key)
        if earlier is None:
            options[key] = option
        elif earlier.passing is option.passing is Passing.SWITCH:
            options[key] = _merged(earlier, option)
    return tuple(options.values())


def option_of(declaration: Declaration) -> Option:
    """Return the option that a declaration makes."""
    given, notes = declaration.given, list(declaration.notes)
    default, default_known = _default(given, notes)
    option = Option(
        name=declaration.name,
        type=_TYPES.get(declaration.type, "str"),
        flag=None if declaration.positional else _longest(declaration.strings),
        aliases=() if declaration.positional else declaration.strings,
        default=default,
        default_known=default_known,
        choices=_choices(given.get("choices"), notes),
        help=help_text(given.get("help"), default),
        nargs=given.get("nargs"),
        required=bool(given.get("required")),
        path=declaration.type.rpartition(".")[2] in _PATHS,
        command=declaration.command,
        line=declaration.line,
        exclusive=declaration.exclusive,
    )
    if declaration.positional:
        many = option.nargs not in ("?", "*") and "default" not in given
        option = replace(option, passing=Passing.POSITION, required=many)
    elif declaration.action in _SWITCHES:
        option = _switch(option, _SWITCHES[declaration.action], given)
    elif declaration.action == "boolean_optional":
        no = f"--no-{(option.flag or '')[2:]}"
        switches: tuple[tuple[Choice, str], ...] = ((True, option.flag or ""), (False, no))
        option = replace(option, type="bool", passing=Passing.SWITCH, switches=switches)
    elif declaration.action == "store_const":
        option = _constant(option, given, notes)
    elif declaration.action == "count":
        option = replace(option, type="int", passing=Passing.COUNT)
    elif declaration.action not in _STORED:
        notes.append(f"its action {declaration.action} is not known")
    elif declaration.action == "append":
        option = replace(option, passing=Passing.EACH, nargs=option.nargs or "*")
    elif option.nargs not in (None, "?", 1) or declaration.action == "extend":
        option = replace(option, passing=Passing.MANY, nargs=option.nargs or "+")
    return replace(_typed(option, declaration, notes), note="; ".join(notes))


def scalar(value: Any) -> bool:
    """Return whether a value is one that a param can have."""
    return value is None or isinstance(value, str | int | float | bool)


def help_text(help: Any, default: Choice = None) -> str:
    """Return a help text with its default filled in."""
    return str(help or "").replace("%(default)s", str(default)).replace("%%", "%")


def several_text(values: Iterable[Any]) -> str:
    """Return several values as the one text that an option with `nargs` takes."""
    import shlex

    return shlex.join(str(value) for value in values)


def _longest(strings: tuple[str, ...]) -> str:
    return next((string for string in strings if string.startswith("--")), strings[0])


def _default(given: dict[str, Any], notes: list[str]) -> tuple[Choice, bool]:
    if any(note.startswith("its default") for note in notes):
        return None, False
    default = given.get("default")
    if scalar(default):
        return default, True
    if isinstance(default, tuple | list) and all(scalar(value) for value in default):
        return several_text(default), True
    notes.append("its default is no plain value")
    return None, False


def _choices(choices: Any, notes: list[str]) -> tuple[Choice, ...]:
    if choices is None:
        return ()
    values = tuple(choices)
    if all(scalar(value) for value in values):
        return values
    notes.append("its choices are no plain values")
    return ()


def _switch(option: Option, value: bool, given: dict[str, Any]) -> Option:
    default = given.get("default", not value)
    return replace(
        option,
        type="bool",
        passing=Passing.SWITCH,
        switches=((value, option.flag or ""),),
        default=default if option.default_known else None,
    )


def _constant(option: Option, given: dict[str, Any], notes: list[str]) -> Option:
    constant = given.get("const")
    if not scalar(constant):
        notes.append("its constant is no plain value")
        return option
    switches: tuple[tuple[Choice, str], ...] = ((constant, option.flag or ""),)
    return replace(
        option,
        type=type_of(constant) or "str",
        passing=Passing.SWITCH,
        switches=switches,
        choices=_distinct((option.default, constant)),
    )


def _merged(earlier: Option, later: Option) -> Option:
    """One option of two flags that set the same destination, as `--cuda` and `--no-cuda`."""
    switches = (*earlier.switches, *later.switches)
    # argparse takes the default of the one that was declared first.
    choices = (
        () if earlier.type == "bool" else _distinct((earlier.default, *(value for value, _ in switches)))
    )
    note = "; ".join(filter(None, (earlier.note, later.note)))
    aliases = (*earlier.aliases, *later.aliases)
    return replace(earlier, switches=switches, aliases=aliases, choices=choices, note=note)


def _distinct(values: Iterable[Choice]) -> tuple[Choice, ...]:
    kept: list[Choice] = []
    for value in values:
        if not any(value == other and type(value) is type(other) for other in kept):
            kept.append(value)
    return tuple(kept)


def type_of(value: Any) -> ValueType | None:
    """Return the type of a plain value, None for None and for anything else."""
    for kind, name in ((bool, "bool"), (int, "int"), (float, "float"), (str, "str")):
        if isinstance(value, kind):
            return _TYPES[name]
    return None


def _typed(option: Option, declaration: Declaration, notes: list[str]) -> Option:
    """Take the type from what there is where it was not given by name."""
    if option.passing is Passing.SWITCH:
        return option
    if option.type in ("int", "float") and isinstance(option.default, str) and option.nargs in (None, "?"):
        # argparse reads a default that is a text as it reads an argument.
        try:
            option = replace(option, default=(int if option.type == "int" else float)(option.default))
        except ValueError:
            notes.append(f"its default {str(option.default)[:40]!r} is no {option.type}")
    if declaration.type == "bool":
        # bool("False") is true: the only text that is false is the empty one.
        if option.passing is Passing.JOINED:
            return replace(option, passing=Passing.TRUTH)
        notes.append("every text but the empty one is true to it")
    elif declaration.type and declaration.type not in _TYPES and not option.path:
        guessed = type_of(option.default) or (type_of(option.choices[0]) if option.choices else None)
        notes.append(f"its values are read by {declaration.type}")
        return replace(option, type=guessed or "str")
    elif (
        not declaration.type
        and option.passing is not Passing.COUNT
        and type_of(option.default) in ("int", "float")
    ):
        notes.append("it has no type=, so the script gets text where its default is a number")
    return option
