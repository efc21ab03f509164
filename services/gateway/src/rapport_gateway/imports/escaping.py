"""Cells that a spreadsheet would take for a formula, made harmless, and read back as they were."""

import re
from typing import Final

DANGEROUS: Final = "=+-@\t\r\n＝＋－＠"
"""A spreadsheet takes a cell for a formula that begins so; the wide forms are those that some fold to the narrow."""

_ESCAPED = re.compile(rf"'*[{re.escape(DANGEROUS)}]")


def escape(text: str) -> str:
    """`text` behind an apostrophe where it begins as a formula does. `unescape` takes it off."""
    return f"'{text}" if _ESCAPED.match(text) else text


def unescape(text: str) -> str:
    """The text that `escape` was given."""
    return text[1:] if text.startswith("'") and _ESCAPED.match(text) else text
