"""Proper scores of probabilities against what came true; lower is better for all of them.

Arrays only. A proper score is best, on average, for whoever says what he believes, so that nobody gains by saying
anything else. Ranked scores take the categories as ordered, the others do not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecast.probability import Floats, log_or_minus_infinity

__all__ = [
    "binary_brier_score",
    "binary_log_score",
    "brier_score",
    "log_score",
    "ranked_probability_score",
    "skill",
]

Outcomes = int | NDArray[np.intp]


def brier_score(probabilities: Floats, outcome: Outcomes) -> Floats:
    """sum over k of (p_k - o_k)^2 over all categories, from 0 to 2; for two of them twice the binary score.

    Parameters
    ----------
    probabilities : float array, shape (..., K)
        Each vector sums to 1.
    outcome : int or int array
        Which category came true, from 0; one for all vectors, or one each.

    Examples
    --------
    >>> brier_score(np.array([0.2, 0.5, 0.3]), 1).round(12)
    np.float64(0.38)
    """
    return ((probabilities - _came_true(probabilities, outcome)) ** 2).sum(axis=-1)


def log_score(probabilities: Floats, outcome: Outcomes) -> Floats:
    """-log p of what came true, natural, from 0; infinite where that was given no chance at all."""
    where = np.broadcast_to(np.asarray(outcome), probabilities.shape[:-1])[..., None]
    return -log_or_minus_infinity(np.take_along_axis(probabilities, where, axis=-1)[..., 0])


def ranked_probability_score(probabilities: Floats, outcome: Outcomes) -> Floats:
    """sum over k of the squared difference of the cumulated p and o, categories in their order, from 0 to K - 1.

    It is not divided by K - 1. A forecast that is wrong by one category costs less than one that is wrong by two.
    """
    difference = probabilities - _came_true(probabilities, outcome)
    return (np.cumsum(difference, axis=-1) ** 2)[..., :-1].sum(axis=-1)


def binary_brier_score(probabilities: ArrayLike, came_true: ArrayLike) -> Floats:
    """(p - o)^2 of an event that came true (1) or did not (0), from 0 to 1."""
    return (np.asarray(probabilities, dtype=np.float64) - np.asarray(came_true, dtype=np.float64)) ** 2


def binary_log_score(probabilities: ArrayLike, came_true: ArrayLike) -> Floats:
    """-log of the probability given to what happened, natural; infinite where that was zero."""
    p, o = np.asarray(probabilities, dtype=np.float64), np.asarray(came_true, dtype=bool)
    return -log_or_minus_infinity(np.where(o, p, 1.0 - p))


def skill(score: Floats, reference: Floats) -> Floats:
    """1 - score / reference: 1 for a perfect forecast, 0 for one that is as good as the reference, below for worse.

    NaN where the reference is itself perfect, or not finite, for then there is nothing to gain.
    """
    worth = np.isfinite(reference) & (reference > 0.0)
    return np.where(worth, 1.0 - score / np.where(worth, reference, 1.0), np.nan)


def _came_true(probabilities: Floats, outcome: Outcomes) -> Floats:
    categories = np.arange(probabilities.shape[-1])
    return (categories == np.asarray(outcome)[..., None]).astype(np.float64)
