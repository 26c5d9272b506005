"""Which lines of a text became which: what was taken out and put in, with some lines around to see where."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["DiffLine", "line_diff"]

_AROUND = 3


class DiffLine(NamedTuple):
    """One line of a comparison.

    Attributes
    ----------
    kind : str
        `same`, `out`, `in`; `gap` where equal lines are left out.
    before, after : int or None
        Its number in each text, from 1; None where it is not in it.
    text : str
    """

    kind: str
    before: int | None
    after: int | None
    text: str


def line_diff(before: str, after: str) -> list[DiffLine]:
    """The lines that differ and those around them; empty where the texts have the same lines.

    Examples
    --------
    >>> [(line.kind, line.text) for line in line_diff("a\\nb", "a\\nc")]
    [('same', 'a'), ('out', 'b'), ('in', 'c')]
    """
    old, new = before.splitlines(), after.splitlines()
    matcher = difflib.SequenceMatcher(None, old, new)
    lines: list[DiffLine] = []
    for group in matcher.get_grouped_opcodes(_AROUND):
        if lines:
            lines.append(DiffLine("gap", None, None, ""))
        for tag, first, last, begin, end in group:
            if tag == "equal":
                lines += (DiffLine("same", first + n + 1, begin + n + 1, old[first + n]) for n in range(last - first))
            else:
                lines += _changed(old, new, (first, last), (begin, end))
    return lines


def _changed(old: list[str], new: list[str], out: tuple[int, int], put: tuple[int, int]) -> Iterator[DiffLine]:
    yield from (DiffLine("out", n + 1, None, old[n]) for n in range(*out))
    yield from (DiffLine("in", None, n + 1, new[n]) for n in range(*put))
