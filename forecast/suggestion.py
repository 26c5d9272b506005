"""What rows the log so far would suggest, beside those that are stated: to be looked at by a person, never applied.

A stated row counts as so many looks as its confidence says (SPEC 4.6). To these come the looks of the log, each to all
scenarios in proportion to P_T(k), what is held of it on the as-of day, and to rho, the chance that the report carries
information: a Dirichlet update for rows of states, a Gamma one for rates, the mean of that many readings for values. A
state that was seen a short while ago, and lasts, is hardly a new look: 1 - phi of one. So the update leans on the very
numbers that it would change, and on an answer that is not in yet; where P_T is wrong, so is what it suggests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from forecast.count_likelihood import CountLikelihood, event_weight
from forecast.display import number
from forecast.measure_likelihood import MeasureLikelihood
from forecast.outlook import Outlook
from forecast.own_past import events_and_years
from forecast.probability import Floats
from forecast.state_likelihood import StateLikelihood
from forecast.study import EQUIVALENT_SAMPLE_SIZE, Study
from indicators.indicator import Indicator, MeasureIndicator, StateIndicator

__all__ = ["SuggestedRow", "Suggestion", "of_what", "suggested_rows", "suggestion", "unit_of_looks"]


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


class SuggestedRow(NamedTuple):
    """One row in words; scenario and looks are empty where the row above is of the same scenario."""

    scenario: str
    stated: str
    suggested: str
    looks: str


def suggested_rows(study: Study, found: Suggestion) -> list[SuggestedRow]:
    """Stated and suggested numbers beside each other, scenario by scenario, and for each state it is given by."""
    return [
        SuggestedRow(
            scenario.label if u == 0 else "",
            _numbers(stated),
            _numbers(suggested),
            f"{found.looks[k]:.2f}" if u == 0 else "",
        )
        for k, scenario in enumerate(study.scenarios)
        for u, (stated, suggested) in enumerate(zip(_by_row(found.stated[k]), _by_row(found.suggested[k]), strict=True))
    ]


def of_what(indicator: Indicator) -> str:
    """What the numbers of an indicator's rows are."""
    if isinstance(indicator, StateIndicator):
        return f"rows of {', '.join(indicator.states)}"
    return "mean of a reading" if isinstance(indicator, MeasureIndicator) else "rate a year"


def unit_of_looks(indicator: Indicator) -> str:
    """What the log has brought for each scenario: looks at a state, years of looking, or readings."""
    return {"state": "looks", "measure": "readings"}.get(indicator.kind, "years")


def _by_row(numbers: Floats) -> list[Floats]:
    """The rows of a scenario: one, or one for each state of the indicator it is given by."""
    return list(numbers) if numbers.ndim == 2 else [numbers.reshape(1)]


def _numbers(row: Floats) -> str:
    return "  ".join(f"{p:.3f}" for p in row.tolist()) if len(row) > 1 else number(float(row[0]))
