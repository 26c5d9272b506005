"""Long lists in pages of a hundred."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

__all__ = ["PAGE", "Paged", "paged"]

PAGE = 100

T = TypeVar("T")


class Paged(NamedTuple):
    """Where one is in a list: the number of the page, from 1, and of the last one."""

    number: int
    last: int


def paged(items: Sequence[T], asked: str | None) -> tuple[Sequence[T], Paged]:
    """The items of a page, and which it is; the nearest there is where the one asked for is not.

    Examples
    --------
    >>> paged(range(250), "3")
    (range(200, 250), Paged(number=3, last=3))
    """
    last = max(1, -(-len(items) // PAGE))
    text = asked or ""
    wanted = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 1
    number = min(max(wanted, 1), last)
    return items[(number - 1) * PAGE : number * PAGE], Paged(number, last)
