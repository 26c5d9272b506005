"""Reliability by CORP: how often what was given a probability came true, fitted so that nothing has to be tuned.

Equal forecasts are pooled, and the frequencies of what came true made to rise with the forecast by isotonic regression.
What the score would have been with the fitted values splits it: S = MCB - DSC + UNC. Everything is kept per distinct
probability (how often given, how often come true), so that millions of forecasts need no more room than their
distinct values.

References
----------
Dimitriadis, Gneiting, Jordan: Stable reliability diagrams for probabilistic classifiers. PNAS 118 (2021) e2016191118.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecast.probability import Floats

__all__ = ["Band", "Bin", "Decomposition", "Pooled", "consistency_band", "histogram", "pooled"]

_MOST_NODES = 500
"""More distinct probabilities than these are taken together, neighbours with neighbours, to simulate the band."""


class Decomposition(NamedTuple):
    """The mean Brier score in three: score = miscalibration - discrimination + uncertainty, each at least 0.

    Attributes
    ----------
    score : float
        Mean of (p - o)^2.
    miscalibration : float
        What is lost because things came true more or less often than was said; 0 for a perfectly calibrated record.
    discrimination : float
        What is gained by telling the likely from the unlikely.
    uncertainty : float
        The score of who always gives the overall frequency.
    """

    score: float
    miscalibration: float
    discrimination: float
    uncertainty: float


class Band(NamedTuple):
    """Where the fit lies by chance, if the probabilities are right; one low and one high for each distinct one."""

    low: Floats
    high: Floats


class Bin(NamedTuple):
    """The forecasts from `low` up to `high` (1 belongs to the last): how many, and how many came true."""

    low: float
    high: float
    forecasts: int
    came_true: int


@dataclass(frozen=True)
class Pooled:
    """Forecasts of events, taken together where the same probability was given.

    Attributes
    ----------
    probabilities : float array, shape (U,)
        Distinct, rising.
    forecasts : float array, shape (U,)
        How often each was given; above 0.
    came_true : float array, shape (U,)
        How often that came true.
    """

    probabilities: Floats
    forecasts: Floats
    came_true: Floats

    @property
    def count(self) -> int:
        """How many forecasts there are."""
        return int(self.forecasts.sum())

    @property
    def frequency(self) -> float:
        """How many came true, of all; NaN of none."""
        return float(self.came_true.sum() / self.forecasts.sum()) if self.count else float("nan")

    @cached_property
    def fit(self) -> Floats:
        """The fitted frequency at each distinct probability: rising, from 0 to 1."""
        return _fitted(self.came_true, self.forecasts)

    @cached_property
    def decomposition(self) -> Decomposition:
        """The mean Brier score and what it is made of; all NaN of no forecasts."""
        if not self.count:
            return Decomposition(*[float("nan")] * 4)
        score, fitted = self._mean_score(self.probabilities), self._mean_score(self.fit)
        whole = self._mean_score(np.full_like(self.fit, self.frequency))
        # By isotonic regression neither is ever below zero but by rounding.
        return Decomposition(score, max(score - fitted, 0.0), max(whole - fitted, 0.0), whole)

    def _mean_score(self, said: Floats) -> float:
        """Mean of (said - o)^2 over all forecasts."""
        hits, misses = self.came_true, self.forecasts - self.came_true
        return float((hits * (1.0 - said) ** 2 + misses * said**2).sum() / self.forecasts.sum())

    def rounded(self, decimals: int) -> Pooled:
        """The same with those taken together whose probabilities agree to so many decimals."""
        return _grouped(np.round(self.probabilities, decimals), self.forecasts, self.came_true)

    def joined(self, other: Pooled) -> Pooled:
        """These and others as one."""
        return _grouped(
            np.concatenate([self.probabilities, other.probabilities]),
            np.concatenate([self.forecasts, other.forecasts]),
            np.concatenate([self.came_true, other.came_true]),
        )


def pooled(probabilities: ArrayLike, came_true: ArrayLike) -> Pooled:
    """Forecasts and whether each came true (1 or 0), pooled; there may be none."""
    p, o = np.asarray(probabilities, dtype=np.float64), np.asarray(came_true, dtype=np.float64)
    return _grouped(p, np.ones_like(p), o)


def _grouped(probabilities: Floats, forecasts: Floats, came_true: Floats) -> Pooled:
    distinct, place = np.unique(probabilities, return_inverse=True)
    n = len(distinct)
    return Pooled(distinct, _sums(place, forecasts, n), _sums(place, came_true, n))


def _sums(place: NDArray[np.intp], values: Floats, n: int) -> Floats:
    """The sum of the values at each of n places."""
    return np.bincount(place, values, n).astype(np.float64)


def consistency_band(found: Pooled, *, rng: np.random.Generator, level: float = 0.9, draws: int = 200) -> Band:
    """Where the fit would lie, pointwise, for a forecaster whose probabilities are right and who gave the same ones.

    Parameters
    ----------
    found : Pooled
    level : float
        The chance with which the fit at a probability lies within, between 0 and 1.
    draws : int
        How many such records are simulated.

    Notes
    -----
    The forecasts count as independent of each other. Beyond 500 distinct probabilities, neighbours are simulated
    together at their mean.
    """
    n = len(found.probabilities)
    if n == 0:
        return Band(np.zeros(0), np.zeros(0))
    # Neighbours are taken together so that each group has about as many forecasts.
    above = np.cumsum(found.forecasts) - 0.5 * found.forecasts
    group = np.arange(n) if n <= _MOST_NODES else (above / above[-1] * (_MOST_NODES - 1)).astype(np.intp)
    _, group = np.unique(group, return_inverse=True)
    weights = _sums(group, found.forecasts, 0)
    means = np.clip(_sums(group, found.forecasts * found.probabilities, 0) / weights, 0.0, 1.0)
    hits = rng.binomial(weights.astype(np.int64), means, size=(draws, len(weights)))
    fits = np.array([_fitted(row, weights) for row in hits.astype(np.float64)])
    tail = 50.0 * (1.0 - level)
    low, high = np.percentile(fits, [tail, 100.0 - tail], axis=0)
    at = found.probabilities
    return Band(np.interp(at, means, low), np.interp(at, means, high))


def histogram(found: Pooled, bins: int = 20) -> list[Bin]:
    """How often probabilities were given in each of so many equal parts of 0 to 1, and how often they came true."""
    edges = np.linspace(0.0, 1.0, bins + 1)
    place = np.clip(np.searchsorted(edges, found.probabilities, side="right") - 1, 0, bins - 1)
    given, hits = (np.bincount(place, counts, bins) for counts in (found.forecasts, found.came_true))
    return [Bin(float(edges[i]), float(edges[i + 1]), int(given[i]), int(hits[i])) for i in range(bins)]


def _fitted(came_true: Floats, forecasts: Floats) -> Floats:
    """Isotonic regression of the frequencies, weighted by how many forecasts stand behind each."""
    if not len(forecasts):
        return np.zeros(0)
    # scipy is heavy, and this is the only thing wanted of it.
    from scipy.optimize import isotonic_regression

    return np.clip(isotonic_regression(came_true / forecasts, weights=forecasts).x, 0.0, 1.0)
