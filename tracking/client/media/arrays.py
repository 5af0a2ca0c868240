"""From tensors and sequences to numpy arrays, whatever library made them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracking.errors import InvalidValue

if TYPE_CHECKING:
    from numpy.typing import NDArray


def is_tensor(value: Any) -> bool:
    """Whether a value is a tensor in the manner of PyTorch."""
    return callable(getattr(value, "detach", None)) and callable(getattr(value, "cpu", None))


def as_array(value: Any, what: str) -> NDArray[Any]:
    """Return a numpy array of a tensor (copied from its device), an array or nested sequences.

    Raises:
        InvalidValue: It is none, or its rows differ in length.
    """
    import numpy as np

    try:
        if is_tensor(value):
            value = value.detach().cpu()
            try:
                return np.asarray(value.numpy())
            except TypeError:  # bfloat16 has no counterpart in numpy
                return np.asarray(value.float().numpy())
        if not isinstance(value, np.ndarray) and callable(getattr(value, "numpy", None)):
            value = value.numpy()
        return np.asarray(value)
    except (ValueError, TypeError) as error:
        raise InvalidValue(f"{what} is no array: {str(error)[:150]}") from None
