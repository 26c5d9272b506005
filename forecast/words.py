"""Probability words: the scales of ICD 203 and of the Professional Head of Intelligence Assessment (PHIA).

Used in both directions: a number is given its word, and a word in place of a row stands for the middle of its range.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from indicators.errors import WatchfloorError, nearest

__all__ = ["SCALES", "Band", "WordError", "word_for", "word_value"]


@dataclass(frozen=True, slots=True)
class Band:
    """One word and its range of probability, both ends included."""

    word: str
    low: float
    high: float

    @property
    def middle(self) -> float:
        """The probability that the word stands for where it replaces a row."""
        return (self.low + self.high) / 2


SCALES: Mapping[str, tuple[Band, ...]] = {
    "icd203": (
        Band("almost no chance", 0.01, 0.05),
        Band("very unlikely", 0.05, 0.20),
        Band("unlikely", 0.20, 0.45),
        Band("roughly even chance", 0.45, 0.55),
        Band("likely", 0.55, 0.80),
        Band("very likely", 0.80, 0.95),
        Band("almost certain", 0.95, 0.99),
    ),
    "phia": (
        Band("remote chance", 0.0, 0.05),
        Band("highly unlikely", 0.10, 0.20),
        Band("unlikely", 0.25, 0.35),
        Band("realistic possibility", 0.40, 0.50),
        Band("likely or probably", 0.55, 0.75),
        Band("highly likely", 0.80, 0.90),
        Band("almost certain", 0.95, 1.0),
    ),
}
_ALIASES = {"phia": {"likely": "likely or probably", "probably": "likely or probably"}}
# Band ends are decimal fractions; a probability this close to one of them lies on it.
_TOLERANCE = 1e-12


class WordError(WatchfloorError):
    """A word that the scale does not have."""

    def __init__(self, word: str, scale: str) -> None:
        known = [band.word for band in SCALES[scale]]
        super().__init__(f'"{word}" is not a probability word of {scale}', mend=nearest(word, known))


def word_for(probability: float, scale: str) -> str:
    """The word for a probability; in a gap or on an edge the nearer band, on a tie the one nearer to one half.

    Examples
    --------
    >>> word_for(0.20, "icd203"), word_for(0.075, "phia")
    ('unlikely', 'highly unlikely')
    """
    return SCALES[scale][band_index(probability, scale)].word


def band_index(probability: float, scale: str) -> int:
    """Position of the probability's band in the scale, from the lowest."""

    def nearness(position: int) -> tuple[float, float]:
        band = SCALES[scale][position]
        gap = max(band.low - probability, probability - band.high, 0.0)
        return (gap if gap > _TOLERANCE else 0.0), abs(band.middle - 0.5)

    # Two gaps that differ by rounding alone are a tie, so the first is rounded before it decides.
    return min(range(len(SCALES[scale])), key=lambda i: (round(nearness(i)[0], 12), nearness(i)[1]))


def word_value(word: str, scale: str) -> float:
    """The middle of a word's range; raises `WordError` for a word that the scale does not have.

    Examples
    --------
    >>> word_value("very likely", "icd203")
    0.875
    """
    folded = _ALIASES.get(scale, {}).get(word, word)
    for band in SCALES[scale]:
        if band.word == folded:
            return band.middle
    raise WordError(word, scale)
