"""Which earlier reports may tell the same story as one that is about to be logged, so that copies are merged at entry.

Only a hint for a person: the same address, or, within two weeks, nearly the same words or the same finding from the
same source. Nothing is merged here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from indicators.evidence import Report

__all__ = ["NEAR", "Alike", "alike"]

NEAR = timedelta(days=14)
"""How far the days of two tellings of one story may lie apart, where they have no address in common."""

_ENOUGH = 2
_SAME_WORDS = 0.4
_PIECE = 3


class Alike(NamedTuple):
    """An earlier report that may tell the same story, and what speaks for it: `same address`, `same source`."""

    entry: str
    report: Report
    why: tuple[str, ...]


def alike(values: Mapping[str, Any], earlier: Iterable[tuple[str, Report]], *, most: int = 5) -> list[Alike]:
    """The earlier reports that are most like a new one, the likest first, the later on a tie.

    Parameters
    ----------
    values : mapping
        Of the new report, as far as it is filled in, as `read_fields` reads them.
    earlier : iterable of entry id and Report
        In order of logging.
    most : int
        How many at the most.
    """
    address, pieces = _plain(values.get("url")), _pieces(values.get("note"))
    found: list[tuple[int, int, Alike]] = []
    for place, (entry, report) in enumerate(earlier):
        if report.indicator == values.get("indicator"):
            reasons = _reasons(values, report, address, pieces)
            weight = sum(reasons.values())
            if weight >= _ENOUGH:
                found.append((weight, place, Alike(entry, report, tuple(reasons))))
    found.sort(key=lambda item: item[:2], reverse=True)
    return [item for _, _, item in found[:most]]


def _reasons(values: Mapping[str, Any], report: Report, address: str, pieces: frozenset[str]) -> dict[str, int]:
    """What speaks for the same story, and how much."""
    reasons = {"same address": 4} if address and address == _plain(report.url) else {}
    day = values.get("observed") or values.get("to")
    if day is None or abs(day - report.dated) > NEAR:
        return reasons
    if pieces and _overlap(pieces, _pieces(report.note)) >= _SAME_WORDS:
        reasons["much the same words"] = 3
    if values.get("source") and values.get("source") == report.source:
        reasons["same source"] = 1
    said = [(values.get(name), getattr(report, name)) for name in ("state", "count", "value")]
    if any(new is not None and new == old for new, old in said):
        reasons["same finding"] = 1
    return reasons


def _plain(address: str | None) -> str:
    """An address without what two copies of it may differ in."""
    text = (address or "").partition("#")[0].partition("://")[2].rstrip("/")
    return text.removeprefix("www.").casefold()


def _pieces(text: str | None) -> frozenset[str]:
    """Every three signs in a row; also scripts without blanks have them."""
    folded = " ".join((text or "").casefold().split())
    return frozenset(folded[start : start + _PIECE] for start in range(len(folded) - _PIECE + 1))


def _overlap(first: frozenset[str], second: frozenset[str]) -> float:
    """The share of the pieces of either that both have."""
    return len(first & second) / len(first | second) if second else 0.0
