"""Whether two indicators declared independent move together in the log more than their rows allow.

Given a scenario, indicators without a `given` between them are independent: what one did says nothing of what the other
will do. Each event's departure from what was expected of it under a scenario is measured in standard deviations, along
the direction in which the indicator speaks for or against the leader. Events of two indicators that lie within a week
are paired; under independence the mean product of a pair is zero with a standard error of 1 over the root of the number
of pairs. Weighted by the probability of each scenario, a mean product beyond what chance allows in so many comparisons
is worth a warning: one happening may be counted twice, or a `given` is missing.
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
from forecast.probability import Floats, log_mixture_of_others
from forecast.state_likelihood import StateLikelihood

__all__ = ["Dependence", "dependences"]

_NEAR_DAYS = 7
_FEWEST = 8
_TRUSTED = 0.5
_FAINTEST = -500.0
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
    """One indicator's events: their days (E,), and their departures under every scenario (E, K)."""

    days: NDArray[np.int64]
    departures: Floats


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
        (first, second, *_together(courses[first], courses[second], outlook.final))
        for first, second in itertools.combinations(courses, 2)
        if second not in _family(outlook, first)
    ]
    judged = [item for item in judged if item[3] >= _FEWEST]
    limit = NormalDist().inv_cdf(1.0 - _CHANCE / 2.0 / max(1, len(judged)))
    return [Dependence(*item) for item in judged if abs(item[2]) * math.sqrt(item[3]) > limit]


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
    mean = said @ speaks
    spread = np.sqrt(np.maximum(said @ speaks**2 - mean**2, 0.0))
    departure = speaks[likelihood.states[chosen]][:, None] - mean
    return _Course(
        likelihood.reports.days[chosen],
        np.divide(departure, spread, out=np.zeros_like(departure), where=spread > 1e-9),
    )


def _direction(likelihood: StateLikelihood, log_final: Floats) -> Floats:
    """How much each state speaks for the leader against the others, in log odds, shape (S,)."""
    leader = int(log_final.argmax())
    rows = log_final[:, None] + np.log(likelihood.model.rows.mean(axis=-2))
    return rows[leader] - log_mixture_of_others(rows.T)[:, leader]


def _together(first: _Course, second: _Course, final: Floats) -> tuple[float, int]:
    """Mean product over pairs of neighbouring events, each event in one pair at most; and the number of pairs."""
    taken: set[int] = set()
    products = []
    for day, departure in zip(first.days.tolist(), first.departures, strict=True):
        near = [j for j in np.flatnonzero(np.abs(second.days - day) <= _NEAR_DAYS).tolist() if j not in taken]
        if near:
            j = min(near, key=lambda position: abs(int(second.days[position]) - day))
            taken.add(j)
            products.append(float(final @ (departure * second.departures[j])))
    return (float(np.mean(products)) if products else 0.0), len(products)
