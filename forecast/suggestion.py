"""What rows the log so far would suggest, beside those that are stated: to be looked at by a person, never applied.

A stated row counts as so many looks as its confidence says (SPEC 4.6). To these come the looks of the log, each to all
scenarios in proportion to P_T(k), what is held of it on the as-of day, and to rho, the chance that the report carries
information: a Dirichlet update for rows of states, a Gamma one for rates, the mean of that many readings for values. A
state that was seen a short while ago, and lasts, is hardly a new look: 1 - phi of one. So the update leans on the very
numbers that it would change, and on an answer that is not in yet; where P_T is wrong, so is what it suggests.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecast.count_likelihood import CountLikelihood, event_weight
from forecast.measure_likelihood import MeasureLikelihood
from forecast.outlook import Outlook
from forecast.own_past import events_and_years
from forecast.probability import Floats
from forecast.state_likelihood import StateLikelihood
from forecast.study import EQUIVALENT_SAMPLE_SIZE
from indicators.indicator import Indicator

__all__ = ["Suggestion", "suggestion"]


@dataclass(frozen=True)
class Suggestion:
    """Stated and suggested numbers of one indicator, of equal shape.

    Attributes
    ----------
    stated, suggested : float array, shape (K, U, S), or (K,) for rates a year and for means
        U states of the indicator it is given by, 1 without one. Rows sum to 1.
    looks : float array, shape (K,)
        How much of the log counts for each scenario: looks, years of exposure or readings.
    """

    stated: Floats
    suggested: Floats
    looks: Floats


def suggestion(outlook: Outlook, indicator: Indicator) -> Suggestion | None:
    """What the log would make of an indicator's rows; None where nothing is logged, or a history carries them on."""
    likelihood = outlook.likelihoods[indicator.id]
    stated = indicator.confidence
    size = EQUIVALENT_SAMPLE_SIZE[stated] if isinstance(stated, str) else stated
    if isinstance(likelihood, CountLikelihood):
        return _rates(likelihood, outlook.final, size)
    if not len(likelihood.reports):
        return None
    if isinstance(likelihood, StateLikelihood):
        return _rows(likelihood, outlook.final, size)
    return _means(likelihood, outlook.final, size) if isinstance(likelihood, MeasureLikelihood) else None


def _rows(likelihood: StateLikelihood, final: Floats, size: float) -> Suggestion:
    """n L + sum over events of P_T(k) rho (1 - phi) b(u) [x = s], made to sum to one."""
    reports = likelihood.reports
    best = np.array([max(c, key=lambda r: (reports.rho[r], -r)) for c in reports.last_counted], dtype=np.int64)
    fresh = 1.0 - likelihood.model.stay(np.diff(reports.event_days, prepend=0))
    fresh[0] = 1.0
    seen = np.zeros((len(best), likelihood.model.rows.shape[-1]))
    seen[np.arange(len(best)), likelihood.states[best]] = fresh * reports.rho[best]
    under = np.ones((len(final), len(best), 1))
    if likelihood.parent is not None:
        under = likelihood.parent.belief_on(reports.event_days)
    counts = final[:, None, None] * np.einsum("kes,keu->kus", np.broadcast_to(seen, (len(final), *seen.shape)), under)
    updated = size * likelihood.model.rows + counts
    suggested = updated / updated.sum(axis=-1, keepdims=True)
    return Suggestion(likelihood.model.rows, suggested, counts.sum(axis=(1, 2)))


def _rates(likelihood: CountLikelihood, final: Floats, size: float) -> Suggestion | None:
    """(n + P_T(k) N) / (n / lambda_k + P_T(k) E) of N weighed events in E years; None where nobody has looked."""
    _, years = events_and_years(likelihood)
    if not years and not len(likelihood.reports):
        return None
    events = sum(_weighed(likelihood, counted) for counted in likelihood.reports.last_counted)
    rates = likelihood.model.rates
    return Suggestion(rates, (size + final * events) / (size / rates + final * years), final * years)


def _weighed(likelihood: CountLikelihood, counted: tuple[int, ...]) -> float:
    """How many events a report tells of, times the chance that they are real."""
    reports = likelihood.reports
    best = reports.live[max(counted, key=lambda r: (reports.rho[r], -r))].report
    return (1 if best.count is None else best.count) * float(event_weight(reports.rho[list(counted)]))


def _means(likelihood: MeasureLikelihood, final: Floats, size: float) -> Suggestion:
    """(n mu_k + P_T(k) sum of rho y) / (n + P_T(k) sum of rho) over the readings that count."""
    reports = likelihood.reports
    best = [max(counted, key=lambda r: (reports.rho[r], -r)) for counted in reports.last_counted]
    values = np.array([reports.live[r].report.value for r in best], dtype=np.float64)
    weights = reports.rho[best]
    looks = final * weights.sum()
    means = likelihood.model.means
    return Suggestion(means, (size * means + final * (weights @ values)) / (size + looks), looks)
