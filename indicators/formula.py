"""Texts that a spreadsheet would take for a formula, and the single quote that keeps them texts in a CSV.

The quote is put before every text that begins with `= + - @` or their full-width forms, a tab or a line break, and
also before one that begins with quotes and then one of these. So no two texts become the same one, and taking one quote
off where it was put gives back every text to the letter. Numbers have no part in this.
"""

from __future__ import annotations

import re

__all__ = ["guarded", "unguarded"]

_STARTS = "=+\\-@\t\r\n＝＋－＠"
_TO_GUARD = re.compile(f"'*[{_STARTS}]")
_GUARDED = re.compile(f"'+[{_STARTS}]")


def guarded(text: str) -> str:
    """The text as it stands in a CSV.

    Examples
    --------
    >>> guarded("=1+1"), guarded("'=1+1"), guarded("it's"), guarded("'tis")
    ("'=1+1", "''=1+1", "it's", "'tis")
    """
    return f"'{text}" if _TO_GUARD.match(text) else text


def unguarded(text: str) -> str:
    """The text that `guarded` was given.

    Examples
    --------
    >>> unguarded("'=1+1"), unguarded("''=1+1"), unguarded("'tis")
    ('=1+1', "'=1+1", "'tis")
    """
    return text[1:] if _GUARDED.match(text) else text
