"""What a look may show: a list of outcomes, each with its log likelihood under every scenario, and what they can tell.

The trick: a number read, or a large count, has no list of outcomes, but the points of a quadrature serve as one. An
outcome then carries a weight, the stretch of values that it stands for, and every question put to a look is the same
sum over a list. Arrays only; of which study and day they are is decided elsewhere.

The points are laid out by the components of the mixture that is read, in steps of one standard deviation of the
narrowest one near by, and kept as distances from that one's mean. So a needle beside a hill, or means a million times
further apart than they are wide, lose no digits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from forecast.probability import Floats, log_mixture, log_or_minus_infinity, log_sum_exp

__all__ = [
    "Outcomes",
    "count_outcomes",
    "measure_outcomes",
    "milestone_outcomes",
    "mutual_information",
    "state_outcomes",
]

Integers = NDArray[np.int64]

_REACH = 9.0
"""Standard deviations to either side of a mean; what lies beyond has a chance of 2e-19."""
_POINTS = 10
"""Of Gauss and Legendre, in each step of one standard deviation."""
_LISTED = 1_000
"""Counts up to here are listed one by one; above, the sum over them is an integral."""
_LOG_ROOT_TWO_PI = 0.5 * math.log(2.0 * math.pi)


class Outcomes(NamedTuple):
    """What one look may show.

    Attributes
    ----------
    log_likelihoods : float array, shape (K, N)
        log of the probability, or of the density, of each outcome under each scenario.
    weights : float array, shape (N,)
        How much of the sum over all outcomes each one stands for; 1 where the list is complete. Under every scenario
        the weighted likelihoods sum to 1.
    """

    log_likelihoods: Floats
    weights: Floats


def mutual_information(log_weights: Floats, looks: Sequence[Outcomes]) -> Floats:
    """Bits that each of several looks is expected to tell about the scenarios.

    I = sum_k P_k sum_x p_k(x) log2(p_k(x) / sum_j P_j p_j(x)); never below 0, nor above the entropy of P.

    Parameters
    ----------
    log_weights : float array, shape (K,)
        Natural log of P(scenario).
    looks : sequence of Outcomes
        J of them, each with at least one outcome; may be empty.

    Returns
    -------
    float array, shape (J,)

    Examples
    --------
    A look that names the scenario, of four that are equally likely:

    >>> certain = Outcomes(np.where(np.eye(4), 0.0, -np.inf), np.ones(4))
    >>> mutual_information(np.log(np.full(4, 0.25)), [certain])
    array([2.])
    """
    if not looks:
        return np.empty(0)
    told = np.concatenate([look.log_likelihoods for look in looks], axis=1)
    joint = log_weights[:, None] + told
    average = log_sum_exp(joint.T)
    # Where a scenario cannot show an outcome, 0 log 0 is none.
    surplus = np.subtract(told, average, out=np.zeros_like(told), where=~np.isneginf(joint))
    terms = (np.exp(joint) * surplus).sum(axis=0) * np.concatenate([look.weights for look in looks])
    starts = np.cumsum([0, *(len(look.weights) for look in looks[:-1])])
    # Rounding may leave a look that says nothing just below zero.
    return np.maximum(np.add.reduceat(terms, starts), 0.0) / math.log(2.0)


def state_outcomes(belief: Floats, uninformed: Floats, rho: float) -> Outcomes:
    """One report of a state: rho b_k(x) + (1 - rho) q(x).

    Parameters
    ----------
    belief : float array, shape (K, S)
        b, P(state) on the day under each scenario.
    uninformed : float array, shape (S,)
        q, what a report without information says.
    rho : float
        Chance that the report carries information.
    """
    said = rho * belief + (1.0 - rho) * uninformed
    return Outcomes(log_or_minus_infinity(said / said.sum(axis=1, keepdims=True)), np.ones(len(uninformed)))


def milestone_outcomes(expected: Floats, left: float) -> Outcomes:
    """Whether it happens: left (1 - e^(-expected)), or not.

    Parameters
    ----------
    expected : float array, shape (K,)
        Hazard times time under each scenario.
    left : float
        Chance that it has not happened already.
    """
    happens = left * -np.expm1(-expected)
    with np.errstate(divide="ignore"):  # a hazard so high that it cannot fail to happen
        return Outcomes(np.array([np.log(happens), np.log1p(-happens)]).T, np.ones(2))


def count_outcomes(expected: Floats) -> Outcomes:
    """How many there are, Poisson.

    Parameters
    ----------
    expected : float array, shape (K,)
        Mean under each scenario, above 0; may be many millions.
    """
    top = float(expected.max())
    last = min(_LISTED, math.ceil(top + 12.0 * math.sqrt(top) + 20.0))
    logs = _listed_poisson(expected, np.arange(last + 2))
    weights = np.ones(last + 2)
    if last < _LISTED:
        return Outcomes(logs, weights)
    # Euler and Maclaurin: what a sum that starts after `last` has beyond the integral from one half after it.
    weights[-2:] = 1.0 - 1.0 / 24.0, 1.0 / 24.0
    points, widths = _points_above(last + 0.5, expected)
    return Outcomes(np.hstack([logs, _large_poisson(expected, points)]), np.concatenate([weights, widths]))


def measure_outcomes(
    means: Floats, deviations: Floats, *, prior: Floats, anyway: tuple[Floats, Floats], rho: float
) -> Outcomes:
    """One reading: rho N(mean_k, deviation_k^2) + (1 - rho) sum_j pi_j N(m_j, d_j^2).

    Parameters
    ----------
    means, deviations : float arrays, shape (K,)
        Of a reading with information, under each scenario; deviations are above 0.
    prior : float array, shape (K,)
        pi.
    anyway : pair of float arrays, shape (K,)
        m and d, of the mixture that a reading without information comes from; deviations are above 0.
    rho : float
        Chance that the reading carries information.
    """
    centres, widths = np.concatenate([means, anyway[0]]), np.concatenate([deviations, anyway[1]])
    anchors, z, stretch = _points_near(centres, widths)
    away = (centres[anchors] - centres[:, None]) / widths[:, None] + z * (widths[anchors] / widths[:, None])
    # Densities in units of each point's own anchor, so that no width is too small for a double.
    logs = -0.5 * away**2 - np.log(widths[:, None]) + np.log(widths[anchors]) - _LOG_ROOT_TWO_PI
    average = log_sum_exp((np.log(prior)[:, None] + logs[len(means) :]).T)
    return Outcomes(log_mixture(logs[: len(means)], average, rho), stretch)


def _points_near(centres: Floats, widths: Floats) -> tuple[Integers, Floats, Floats]:
    """Points of a quadrature: which component each is near to, how far from its centre in its widths, its stretch.

    Around each component, where no narrower one reaches; of components of one width the first is taken for narrower.
    """
    order = np.argsort(widths, kind="stable")
    centre = (centres[order] - centres[order, None]) / widths[order, None]  # seen from each component
    reach = _REACH * widths[order] / widths[order, None]
    narrower = np.tri(len(order), k=-1, dtype=bool)
    ends = np.where(narrower, [centre - reach, centre + reach], _REACH)
    edges = np.concatenate(
        [np.broadcast_to(_steps(), (len(order), len(_steps()))), *ends.clip(-_REACH, _REACH)], axis=1
    )
    edges.sort(axis=1)
    middle, half = (edges[:, 1:] + edges[:, :-1]) / 2.0, np.diff(edges) / 2.0
    reached = (np.abs(middle[:, None] - centre[..., None]) < reach[..., None]) & narrower[..., None]
    row, piece = np.nonzero((half > 0.0) & ~reached.any(axis=1))
    points, weights = _gauss_legendre()
    z = middle[row, piece, None] + half[row, piece, None] * points
    return np.repeat(order[row], _POINTS), z.ravel(), (half[row, piece, None] * weights).ravel()


def _points_above(first: float, expected: Floats) -> tuple[Floats, Floats]:
    """Points and their stretches over the large counts, in steps of a standard deviation of some scenario's."""
    edges = np.unique(np.maximum(expected[:, None] + np.sqrt(expected)[:, None] * _steps(), first))
    middle, half = (edges[1:] + edges[:-1]) / 2.0, np.diff(edges) / 2.0
    reached = (np.abs(middle - expected[:, None]) < _REACH * np.sqrt(expected)[:, None]).any(axis=0)
    points, weights = _gauss_legendre()
    return (middle[reached, None] + half[reached, None] * points).ravel(), (half[reached, None] * weights).ravel()


@cache
def _gauss_legendre() -> tuple[Floats, Floats]:
    return np.polynomial.legendre.leggauss(_POINTS)


@cache
def _steps() -> Floats:
    return np.arange(-_REACH, _REACH + 1.0)


def _listed_poisson(expected: Floats, counts: Integers) -> Floats:
    """log P(n) of small counts, shape (K, N)."""
    factorials = np.cumsum(np.log(np.maximum(counts, 1)))
    return counts * np.log(expected)[:, None] - expected[:, None] - factorials


def _large_poisson(expected: Floats, counts: Floats) -> Floats:
    """log P(n) of counts so large that only their distance from the mean keeps its digits, shape (K, N).

    log n! = n log n - n + log(2 pi n) / 2 + 1/(12 n) - ..., and n log(mean / n) + n - mean by the excess of n.

    References
    ----------
    Loader, Fast and accurate computation of binomial probabilities (2000).
    """
    excess = (counts - expected[:, None]) / expected[:, None]
    distance = expected[:, None] * ((1.0 + excess) * np.log1p(excess) - excess)
    return -distance - 0.5 * np.log(counts) - _LOG_ROOT_TWO_PI - 1.0 / (12.0 * counts) + 1.0 / (360.0 * counts**3)
