"""Two forecasters on the questions that both answered: the mean difference of their scores, and a paired test of it.

The question is the unit: forecasts of one question hang together, and many of them are no more than one. Where both
spoke on different days, each one's latest forecast stands from the day on which both have spoken; a day counts once.
Only sums are kept, so that there may be any number of questions, handed in part by part; a question lies in one part.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from forecast.probability import Floats

__all__ = ["FEWEST_QUESTIONS", "Comparison", "Differences", "holm", "paired_test"]

FEWEST_QUESTIONS = 5
"""With fewer common questions nothing is tested."""

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Comparison:
    """One forecaster against another, on their common questions.

    Attributes
    ----------
    one, other : int
        Codes of the forecasters.
    questions : int
        How many both answered.
    difference : float
        Mean over the questions of the score of `one` less that of `other`; below 0 `one` is the better.
    low, high : float
        90 % interval of it; NaN of fewer than five questions.
    p, p_adjusted : float
        Of the paired t-test that it is zero, and by Holm for all pairs that were tested; NaN where nothing is tested.
    """

    one: int
    other: int
    questions: int
    difference: float
    low: float
    high: float
    p: float
    p_adjusted: float


class Differences:
    """The differences of some forecasters by question, summed up part by part.

    Parameters
    ----------
    forecasters : sequence of int
        The codes of those to compare.
    """

    def __init__(self, forecasters: list[int]) -> None:
        self._forecasters = forecasters
        self._pairs = list(combinations(range(len(forecasters)), 2))
        self._sums = np.zeros((len(self._pairs), 3))

    def add(self, question: NDArray[np.uint64], day: Integers, forecaster: Integers, score: Floats) -> None:
        """Take in forecasts sorted by question, with no two of a forecaster on a question and a day."""
        chosen = np.isin(forecaster, self._forecasters)
        if len(self._forecasters) < 2 or not chosen.any():
            return
        order = np.flatnonzero(chosen)
        order = order[np.lexsort((day[order], question[order]))]
        question, day = question[order], day[order]
        starts_day = np.r_[True, (question[1:] != question[:-1]) | (day[1:] != day[:-1])]
        row = np.cumsum(starts_day) - 1
        said = np.full((row[-1] + 1, len(self._forecasters)), np.nan)
        column = np.argsort(self._forecasters)[np.searchsorted(np.sort(self._forecasters), forecaster[order])]
        said[row, column] = score[order]
        first = _starts(question[starts_day])
        self._take(_held(said, first), first)

    def _take(self, scores: Floats, first: Integers) -> None:
        """Add the mean difference of each question to each pair that has answered it."""
        for number, (one, other) in enumerate(self._pairs):
            difference = scores[:, one] - scores[:, other]
            is_common = ~np.isnan(difference)
            days = np.add.reduceat(is_common.astype(np.float64), first)
            totals = np.add.reduceat(np.where(is_common, difference, 0.0), first)
            means = totals[days > 0] / days[days > 0]
            self._sums[number] += len(means), means.sum(), (means**2).sum()

    def comparisons(self) -> list[Comparison]:
        """Every pair with a common question, the ones with most of them first."""
        found = []
        for (one, other), (n, total, squares) in zip(self._pairs, self._sums.tolist(), strict=True):
            if n:
                tested = paired_test(int(n), total, squares)
                found.append((self._forecasters[one], self._forecasters[other], int(n), total / n, *tested))
        adjusted = holm([row[-1] for row in found])
        made = [Comparison(*row, p_adjusted=p) for row, p in zip(found, adjusted, strict=True)]
        return sorted(made, key=lambda c: (-c.questions, c.one, c.other))


def paired_test(n: int, total: float, squares: float) -> tuple[float, float, float]:
    """90 % interval of a mean difference, and the p-value of the t-test that it is zero; NaN where it cannot be told.

    Parameters
    ----------
    n : int
        How many differences there are.
    total, squares : float
        Their sum, and the sum of their squares.
    """
    if n < FEWEST_QUESTIONS:
        return float("nan"), float("nan"), float("nan")
    from scipy.special import stdtr, stdtrit

    mean = total / n
    # Of differences that are all the same nothing is left but rounding.
    variance = max(squares - n * mean**2, 0.0) / (n - 1)
    error = float(np.sqrt(variance / n))
    if error <= 1e-12 * abs(mean) or error == 0.0:
        return mean, mean, 1.0 if mean == 0.0 else 0.0
    half = float(stdtrit(n - 1, 0.95)) * error
    return mean - half, mean + half, 2.0 * float(stdtr(n - 1, -abs(mean) / error))


def holm(p_values: list[float]) -> list[float]:
    """p-values adjusted for how many there are, so that the chance of any false alarm is kept; NaN stays NaN.

    Examples
    --------
    >>> holm([0.01, 0.04, float("nan"), 0.03])
    [0.03, 0.06, nan, 0.06]
    """
    tested = sorted((p, place) for place, p in enumerate(p_values) if not np.isnan(p))
    adjusted, least = [float("nan")] * len(p_values), 0.0
    for rank, (p, place) in enumerate(tested):
        least = max(least, min(1.0, p * (len(tested) - rank)))
        adjusted[place] = least
    return adjusted


def _starts(question: NDArray[np.uint64]) -> Integers:
    """Where each question begins."""
    return np.flatnonzero(np.r_[True, question[1:] != question[:-1]])


def _held(said: Floats, first: Integers) -> Floats:
    """Scores of each day, with what was said before held until something new is said; within each question."""
    rows = np.arange(len(said))
    begins = first[np.searchsorted(first, rows, side="right") - 1]
    last = np.maximum.accumulate(np.where(np.isnan(said), -1, rows[:, None]), axis=0)
    held = np.take_along_axis(said, np.maximum(last, 0), axis=0)
    return np.where(last >= begins[:, None], held, np.nan)
