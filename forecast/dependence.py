"""Whether two indicators declared independent move together in the log more than their rows allow.

Given a scenario, indicators without a `given` between them are independent: what one did says nothing of what the other
will do. Each event's departure from what was expected of it under a scenario is measured in standard deviations, along
the direction in which the indicator speaks for or against the leader. Events of two indicators that lie within a week
are paired; under independence the mean product of a pair, weighted by the probability of each scenario, is zero. One
beyond what chance allows in so many comparisons is worth a warning: one happening may be counted twice, or a `given` is
missing.

What chance allows is read off the rows. A sum of products is far from normal where states are rare (two rare states on
one day are a large product, and happen), so its distance from nothing is taken from its own cumulants: the signed root
of the saddlepoint, which is the number of standard errors where the sum is normal.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from forecast.outlook import Outlook
from forecast.probability import Floats, log_mixture_of_others, log_sum_exp
from forecast.state_likelihood import StateLikelihood

__all__ = ["Dependence", "dependences", "pairs_of_days"]

_NEAR_DAYS = 7
_FEWEST = 8
_TRUSTED = 0.5
_FAINTEST = -500.0
_SMALLEST = 1e-300
_STEEPEST, _HALVINGS = 400.0, 50
# Within so many standard errors no sum of eight terms or more is unlikely enough, whatever its distribution.
_NEAR = 2.0
_CHANCE = 0.01
"""Chance of a false warning in a study whose indicators are as independent as its rows say."""


@dataclass(frozen=True)
class Dependence:
    """Two indicators that move together more than their rows allow.

    Attributes
    ----------
    first, second : str
        Their ids, in file order.
    together : float
        Mean product of their departures in pairs of events, which independence puts at zero; near a correlation.
    pairs : int
        How many pairs of events it rests on.
    """

    first: str
    second: str
    together: float
    pairs: int

    def __str__(self) -> str:
        figure = f"{self.together:+.2f} over {self.pairs} pairs of events"
        told = f'"{self.first}" and "{self.second}" move together ({figure}) more than their rows allow'
        return f"{told}; they may tell of the same thing"


class _Course(NamedTuple):
    """One indicator's events."""

    days: NDArray[np.int64]  # (E,)
    states: NDArray[np.int64]  # (E,), the position of what was reported
    said: Floats  # P(report of each state | scenario, its own past), (E, K, S)
    departures: Floats  # what each such report would depart from what was expected, in standard deviations, (E, K, S)


class _Pairing(NamedTuple):
    """How two indicators move together."""

    together: float
    pairs: int
    distance: float  # of that from nothing, in standard errors of a normal number that is as unlikely


def dependences(outlook: Outlook) -> list[Dependence]:
    """Every pair of state indicators that moves together more than its rows allow, in file order.

    Pairs with fewer than eight neighbouring events are not judged, nor is an indicator with one it is given by.
    """
    # A scenario that is all but ruled out weighs next to nothing, and its logarithm must not weigh everything.
    log_final = np.maximum(outlook.chain.log_filtered[-1], _FAINTEST)
    courses = {
        indicator_id: _course(likelihood, log_final)
        for indicator_id, likelihood in outlook.likelihoods.items()
        if isinstance(likelihood, StateLikelihood) and len(likelihood.reports)
    }
    judged = [
        (first, second, _together(courses[first], courses[second], outlook.final))
        for first, second in itertools.combinations(courses, 2)
        if second not in _family(outlook, first)
    ]
    judged = [item for item in judged if item[2].pairs >= _FEWEST]
    limit = NormalDist().inv_cdf(1.0 - _CHANCE / 2.0 / max(1, len(judged)))
    return [
        Dependence(first, second, found.together, found.pairs)
        for first, second, found in judged
        if found.distance > limit
    ]


def _family(outlook: Outlook, indicator_id: str) -> set[str]:
    """The indicators given by this one, and those that it is given by."""
    study = outlook.study
    above = {other for other in study.by_id if indicator_id in study.children_of(other)}
    return {*study.children_of(indicator_id), *above}


def _course(likelihood: StateLikelihood, log_final: Floats) -> _Course:
    """Departures of an indicator's trusted events from what was expected of them under each scenario."""
    chosen = np.flatnonzero(likelihood.openings & (likelihood.rho >= _TRUSTED))
    rho = likelihood.rho[chosen, None, None]
    said = rho * likelihood.foretold[chosen] + (1.0 - rho) * likelihood.model.uninformed
    speaks = _direction(likelihood, log_final)
    mean = (said @ speaks)[..., None]
    spread = np.sqrt(np.maximum((said @ speaks**2)[..., None] - mean**2, 0.0))
    departures = np.divide(speaks - mean, spread, out=np.zeros_like(said), where=spread > 1e-9)
    return _Course(likelihood.reports.days[chosen], likelihood.states[chosen], said, departures)


def _direction(likelihood: StateLikelihood, log_final: Floats) -> Floats:
    """How much each state speaks for the leader against the others, in log odds, shape (S,)."""
    leader = int(log_final.argmax())
    rows = log_final[:, None] + np.log(likelihood.model.rows.mean(axis=-2))
    return rows[leader] - log_mixture_of_others(rows.T)[:, leader]


def _together(first: _Course, second: _Course, final: Floats) -> _Pairing:
    """The mean product over pairs of neighbouring events, and how far from nothing it is."""
    here, there = pairs_of_days(first.days, second.days)
    if not len(here):
        return _Pairing(0.0, 0, 0.0)
    products = np.einsum("k,pkx,pky->pxy", final, first.departures[here], second.departures[there])
    chances = np.einsum("k,pkx,pky->pxy", final, first.said[here], second.said[there])
    total = float(products[np.arange(len(here)), first.states[here], second.states[there]].sum())
    flat = products.reshape(len(here), -1), chances.reshape(len(here), -1)
    return _Pairing(total / len(here), len(here), _distance(total, *flat))


def pairs_of_days(first: NDArray[np.int64], second: NDArray[np.int64]) -> tuple[list[int], list[int]]:
    """Neighbouring events of two rising lists of days, each in one pair at most; their positions.

    Every event of the first takes the nearest that is left of the second, the earlier of two as near.
    """
    here: list[int] = []
    there: list[int] = []
    days = second.tolist()
    onwards, backwards = _Left(len(days), 1), _Left(len(days), -1)
    opened = np.searchsorted(second, second).tolist()
    for position, (day, at) in enumerate(zip(first.tolist(), np.searchsorted(second, first).tolist(), strict=True)):
        after, before = onwards.nearest(at), backwards.nearest(at - 1)
        if before >= 0:
            before = onwards.nearest(opened[before])
        near = [j for j in (before, after) if 0 <= j < len(days) and abs(days[j] - day) <= _NEAR_DAYS]
        if near:
            chosen = min(near, key=lambda j: abs(days[j] - day))
            here.append(position)
            there.append(chosen)
            onwards.take(chosen)
            backwards.take(chosen)
    return here, there


class _Left:
    """Which of so many positions are left, looked for in one direction; a search is almost free of its length."""

    def __init__(self, count: int, step: int) -> None:
        self._step = step
        # Position -1 and position `count` are the walls; both are kept, one place on.
        self._next = list(range(count + 2))

    def nearest(self, position: int) -> int:
        """The first position left at or beyond this one; -1 or the count where there is none."""
        place = position + 1
        while self._next[place] != place:
            self._next[place] = self._next[self._next[place]]
            place = self._next[place]
        return place - 1

    def take(self, position: int) -> None:
        self._next[position + 1] = position + 1 + self._step


def _distance(total: float, products: Floats, chances: Floats) -> float:
    """How far a sum of independent terms is from what was expected of it, as of a normal number.

    sqrt(2 (t total - K(t))) at the t where K'(t) = total, with K the sum of the log moment generating functions.

    Parameters
    ----------
    products, chances : float arrays, shape (P, n)
        The values that each term may take, and how likely each is.
    """
    largest = float(np.abs(products).max())
    mean = (chances * products).sum(axis=1)
    variance = float((chances * products**2).sum() - (mean**2).sum())
    off = abs(total - float(mean.sum()))
    if largest == 0.0 or off <= _NEAR * math.sqrt(variance):
        return off / math.sqrt(variance) if variance > 0.0 else 0.0
    weights = np.log(np.maximum(chances, _SMALLEST))

    def cumulants(t: float) -> tuple[float, float]:
        logs = log_sum_exp(weights + t * products)
        tilted = np.exp(weights + t * products - logs[:, None])
        return float(logs.sum()), float((tilted * products).sum())

    # Beyond this tilt every term is at its extreme in double precision.
    reach = _STEEPEST / largest
    low, high = (0.0, reach) if total > cumulants(0.0)[1] else (-reach, 0.0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if cumulants(middle)[1] < total else (low, middle)
    t = (low + high) / 2.0
    return math.sqrt(max(0.0, 2.0 * (t * total - cumulants(t)[0])))
