"""The mark of a function that sweeps may call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

from tracking.errors import InvalidValue

Function = TypeVar("Function", bound=Callable[..., Any])

MARK = "__tracking_tunable__"


@overload
def tunable(function: Function, /) -> Function: ...
@overload
def tunable() -> Callable[[Function], Function]: ...
def tunable(function: Function | None = None, /) -> Function | Callable[[Function], Function]:
    """Mark a function of a module as one that a sweep can call with params.

        @tracking.tunable
        def train(lr: float = 0.01, layers: int = 2, optimizer: Literal["sgd", "adam"] = "sgd") -> float:
            ...
            return accuracy

    Its arguments are the params: of type int, float, str, bool or Literal, best with defaults. It returns the
    objective's value, a dictionary of metrics, or one value for each objective. The function itself stays as it is.

    Args:
        function: To be marked; `@tracking.tunable()` does the same.

    Raises:
        InvalidValue: What is marked cannot be called.
    """
    if function is None:
        return tunable
    if not callable(function):
        raise InvalidValue(f"@tracking.tunable marks functions, and {function!r} is none.")
    setattr(function, MARK, True)
    return function


def is_tunable(function: object) -> bool:
    """Return whether something was marked."""
    return getattr(function, MARK, False) is True
