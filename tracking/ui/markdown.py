"""Stored text inside Markdown: shown as it is, never read as markup."""

from __future__ import annotations

import re

# Every character that starts something in Streamlit's Markdown: CommonMark and GFM, `$` for LaTeX,
# `:` for colours, emoji and icons (also bare links), `<` for HTML, `&` for entities, `~` for strikes.
_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|$:~&\"'=@/^])")
_SPACE = re.compile(r"\s+")
# Bare addresses become links even where every character is escaped: they are looked for in the finished text.
# A word joiner, which has no width, takes their shape from them.
_ADDRESS = re.compile(
    r"(?<=http:)(?=//)|(?<=https:)(?=//)|(?<=www)(?=\.)|(?<=[-.+\w]@)(?=[-\w]+\.)", re.IGNORECASE
)
_JOINER = "\u2060"
_BACKTICKS = re.compile(r"`+")


def escape(text: object) -> str:
    """Return the text so that Markdown shows exactly it, on one line.

    For names, tags and messages inside `st.markdown`, captions and labels.
    Runs of white space become one blank; control characters are dropped. Addresses
    do not become links.
    """
    line = _SPACE.sub(" ", str(text)).strip()
    printable = "".join(char for char in line if char.isprintable())
    return _SPECIAL.sub(r"\\\1", _ADDRESS.sub(_JOINER, printable))


def code(text: object) -> str:
    """Return the text as a code span, on one line: to be copied as it stands.

    Streamlit sets `>=` and `->` of other text as one sign, which no filter understands.
    """
    line = "".join(char for char in _SPACE.sub(" ", str(text)).strip() if char.isprintable())
    fence = "`" * (1 + max((len(found) for found in _BACKTICKS.findall(line)), default=0))
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"
