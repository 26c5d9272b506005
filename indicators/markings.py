"""Handling marks: the five levels of the Traffic Light Protocol 2.0 and their order; any other mark counts as red."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["TLP_LEVELS", "exceeds", "mark_text", "strictest"]

TLP_LEVELS = ("clear", "green", "amber", "amber+strict", "red")


def strictest(levels: Iterable[str]) -> str:
    """The strictest of some levels; `clear` when there are none, `red` where one is unknown."""
    return TLP_LEVELS[max(map(_rank, levels), default=0)]


def exceeds(level: str, most: str) -> bool:
    """Whether a level is stricter than what is allowed at most; an unknown level is red, an unknown limit clear."""
    return _rank(level) > (TLP_LEVELS.index(most) if most in TLP_LEVELS else 0)


def mark_text(level: str) -> str:
    """A level as it is shown: `TLP:AMBER+STRICT`; an unknown one as red."""
    return f"TLP:{TLP_LEVELS[_rank(level)].upper()}"


def _rank(level: str) -> int:
    return TLP_LEVELS.index(level) if level in TLP_LEVELS else len(TLP_LEVELS) - 1
