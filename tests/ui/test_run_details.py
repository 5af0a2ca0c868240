"""What is said at the top of a failed run."""

from __future__ import annotations

import traceback

import pytest

from tracking.ui.run_details import what_was_raised


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise ValueError('CUDA error\\nCompile with\\n  a flag')", "ValueError: CUDA error"),
        ("1 +", "SyntaxError: invalid syntax"),
        (
            "try: 1 / 0\nexcept Exception as e: raise KeyError('late\\nmore') from e",
            "KeyError: 'late\\nmore'",
        ),
    ],
)
def test_the_exception_is_named_whatever_lines_its_message_has(code: str, said: str) -> None:
    with pytest.raises(Exception) as raised:
        exec(code)
    assert what_was_raised("".join(traceback.format_exception(raised.value)).strip().splitlines()) == said


def test_a_text_that_is_no_traceback_gives_its_last_line() -> None:
    assert what_was_raised(["out of memory", "killed"]) == "killed"
