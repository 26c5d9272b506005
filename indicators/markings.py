"""Handling marks: the five levels of the Traffic Light Protocol 2.0 and their order."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["TLP_LEVELS", "strictest"]

TLP_LEVELS = ("clear", "green", "amber", "amber+strict", "red")


def strictest(levels: Iterable[str]) -> str:
    """The strictest of some levels; `clear` when there are none."""
    return max(levels, key=TLP_LEVELS.index, default=TLP_LEVELS[0])
