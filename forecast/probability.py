"""Probabilities in logarithms: normalising, mixtures, odds against all the others, decibans.

Arrays only; the last axis is always the one that is summed over.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "DECIBAN",
    "Floats",
    "log_mixture",
    "log_mixture_of_others",
    "log_odds",
    "log_or_minus_infinity",
    "log_sum_exp",
    "normalised",
]

Floats = NDArray[np.float64]

DECIBAN = np.log(10.0) / 10.0
"""One deciban in natural units of log odds; ten of them multiply the odds by ten."""


def log_or_minus_infinity(values: Floats | float) -> Floats:
    """Natural logarithm, with the log of zero as minus infinity and no warning."""
    with np.errstate(divide="ignore"):
        return np.log(values)


def log_sum_exp(values: Floats) -> Floats:
    """log(sum(exp(values))) over the last axis, without overflow; minus infinity where nothing has any weight."""
    # The last axis is short and the others long, so it is brought to the front: sums of long rows, not of short ones.
    terms = np.array(values.T, order="C")
    top = terms.max(axis=0)
    finite = np.isfinite(top)
    if not finite.all():
        top = np.where(finite, top, 0.0)
    terms -= top
    return (log_or_minus_infinity(np.exp(terms, out=terms).sum(axis=0)) + top).T


def normalised(log_weights: Floats) -> Floats:
    """Probabilities in proportion to exp(log_weights) over the last axis; each vector sums to one.

    Examples
    --------
    >>> normalised(np.log([2.0, 6.0]))
    array([0.25, 0.75])
    """
    weights = np.exp(log_weights - log_weights.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def log_mixture(informative: Floats, uninformative: Floats, weight: Floats | float) -> Floats:
    """log(w e^a + (1 - w) e^b): what is said with information by chance w, and without it otherwise."""
    return np.logaddexp(
        log_or_minus_infinity(weight) + informative, log_or_minus_infinity(1.0 - weight) + uninformative
    )


def log_mixture_of_others(log_weights: Floats) -> Floats:
    """For each position k, log of the sum of exp over all positions but k; the same shape as `log_weights`."""
    terms = np.array(log_weights.T, order="C")
    others = np.full(terms.shape, -np.inf)
    # What stands before and what stands behind each position: nothing is subtracted, so no digits are lost.
    for position in range(1, len(terms)):
        others[position] = np.logaddexp(others[position - 1], terms[position - 1])
    behind = terms[-1]
    for position in range(len(terms) - 2, -1, -1):
        others[position] = np.logaddexp(others[position], behind)
        behind = np.logaddexp(behind, terms[position])
    return others.T


def log_odds(log_weights: Floats) -> Floats:
    """Natural log odds of each position against all the others; normalising first changes nothing.

    Examples
    --------
    >>> log_odds(np.log([0.2, 0.8])).round(6)
    array([-1.386294,  1.386294])
    """
    return log_weights - log_mixture_of_others(log_weights)
