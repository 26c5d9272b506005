"""Where an indicator stands: what is likely true of it now, when somebody last looked, and when a look is due again.

For a state indicator the board is P(state now): the filter of its reports carried to the as-of day and mixed over the
scenarios. It fades towards the rows as looks grow old. For a count it is the number of events in the next
`check_every` (30 days where none is set), for a milestone the chance of it, for a measure the next reading.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from forecast.baseline_likelihood import BaselineLikelihood
from forecast.count_likelihood import CountLikelihood
from forecast.likelihood import Likelihood
from forecast.measure_likelihood import MeasureLikelihood
from forecast.probability import Floats
from forecast.state_likelihood import StateLikelihood
from indicators.coverage import Coverage
from indicators.days import DAYS_PER_YEAR, duration_days
from indicators.indicator import Indicator, StateIndicator

__all__ = ["NEXT_DAYS", "Board", "Expectation", "board", "due_day", "last_look"]

_LOW, _HIGH = 0.05, 0.95
_LARGE = 1e6
NEXT_DAYS = 30.0


@dataclass(frozen=True)
class Expectation:
    """A number to come: its mean, and the 5th and 95th percentile of its predictive distribution."""

    expected: float
    low: float
    high: float


@dataclass(frozen=True)
class Board:
    """Where one indicator stands.

    Attributes
    ----------
    indicator : Indicator
    last_observed : date or None
        Day of the last report that counts; None when there is none.
    last_look : date or None
        The later of that and the last day of coverage; the as-of day where silence always counts.
    due : date or None
        When a look is due; None where the study sets no `check_every` or the indicator is retired.
    overdue : bool
        Whether that day has passed.
    reports : int
        How many reports stand.
    states : dict of str to float
        P(state now), for state indicators; empty for the others.
    expectation : Expectation or None
        For the other kinds.
    occurred : float
        Weight of a milestone's event; 0 while there is none, and for the other kinds.
    """

    indicator: Indicator
    last_observed: date | None
    last_look: date | None
    due: date | None
    overdue: bool
    reports: int
    states: dict[str, float]
    expectation: Expectation | None
    occurred: float


def board(
    indicator: Indicator,
    likelihood: Likelihood,
    *,
    coverage: Sequence[Coverage],
    final: Floats,
    opens: date,
    as_of: date,
) -> Board:
    """The board of one indicator.

    Parameters
    ----------
    indicator : Indicator
    likelihood : Likelihood
        Of its reports up to `as_of`.
    coverage : sequence of Coverage
        Of the indicator, later days included.
    final : float array, shape (K,)
        Probability of each scenario on the as-of day.
    opens, as_of : date
    """
    reports = likelihood.reports
    last_observed = opens + timedelta(days=int(reports.days[-1])) if len(reports) else None
    looked = last_look(likelihood, coverage, opens=opens, as_of=as_of)
    due = due_day(indicator, looked, opens=opens)
    return Board(
        indicator=indicator,
        last_observed=last_observed,
        last_look=looked,
        due=due,
        overdue=due is not None and as_of > due,
        reports=len(reports),
        states=_states(indicator, likelihood, final, (as_of - opens).days),
        expectation=_expectation(indicator, likelihood, final, (as_of - opens).days),
        occurred=likelihood.weight if isinstance(likelihood, CountLikelihood) else 0.0,
    )


def last_look(likelihood: Likelihood, coverage: Sequence[Coverage], *, opens: date, as_of: date) -> date | None:
    """The later of the last report's day and the last day of coverage, up to `as_of`; None when there is neither."""
    looks = [min(span.to, as_of) for span in coverage if span.from_ <= as_of]
    if isinstance(likelihood, CountLikelihood) and likelihood.model.silence == "always":
        # What could not stay unseen is looked at every day.
        looks.append(as_of)
    if len(likelihood.reports):
        looks.append(opens + timedelta(days=int(likelihood.reports.days[-1])))
    return max(looks, default=None)


def due_day(indicator: Indicator, looked: date | None, *, opens: date) -> date | None:
    """When the look after the last one is due; None without a `check_every`, and for a retired indicator."""
    if indicator.retired or not indicator.check_every:
        return None
    return (looked or opens) + timedelta(days=math.ceil(duration_days(indicator.check_every)))


def _states(indicator: Indicator, likelihood: Likelihood, final: Floats, day: int) -> dict[str, float]:
    if not isinstance(indicator, StateIndicator) or not isinstance(likelihood, StateLikelihood):
        return {}
    now = final @ likelihood.belief_on(np.array([day]))[:, 0]
    return dict(zip(indicator.states, now.tolist(), strict=True))


def _expectation(indicator: Indicator, likelihood: Likelihood, final: Floats, day: int) -> Expectation | None:
    if isinstance(likelihood, MeasureLikelihood):
        return _reading(*likelihood.model.expected(likelihood.last_trusted, day), final)
    if isinstance(likelihood, BaselineLikelihood):
        return _reading(*likelihood.expected_on(day), final)
    if isinstance(likelihood, CountLikelihood):
        days = duration_days(indicator.check_every) if indicator.check_every else NEXT_DAYS
        expected = likelihood.model.rates * days / DAYS_PER_YEAR
        if likelihood.model.once:
            chance = float(final @ -np.expm1(-expected)) * (1.0 - likelihood.weight)
            return Expectation(chance, float(1.0 - chance < _LOW), float(1.0 - chance < _HIGH))
        low, high = (_poisson_quantile(level, expected, final) for level in (_LOW, _HIGH))
        return Expectation(float(final @ expected), low, high)
    return None


def _reading(means: Floats, variances: Floats, weights: Floats) -> Expectation:
    """The next reading, normal under each scenario."""
    low, high = (_normal_quantile(level, means, variances, weights) for level in (_LOW, _HIGH))
    return Expectation(float(weights @ means), low, high)


def _normal_quantile(level: float, means: Floats, variances: Floats, weights: Floats) -> float:
    """Quantile of a mixture of normals, by bisection between its outermost ones."""
    deviations = np.sqrt(variances)
    low, high = float((means - 12 * deviations).min()), float((means + 12 * deviations).max())
    if high <= low:
        return low
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = np.where(deviations > 0, (middle - means) / deviations, np.where(middle < means, -np.inf, np.inf))
        below = sum(w * 0.5 * math.erfc(-z / math.sqrt(2)) for w, z in zip(weights, scores, strict=True))
        low, high = (middle, high) if below < level else (low, middle)
    return high


def _poisson_quantile(level: float, expected: Floats, weights: Floats) -> float:
    """Smallest number that a mixture of Poisson counts does not exceed with at least this chance, by bisection."""
    top = float(expected.max())
    low, high = -1, math.ceil(top + 12 * math.sqrt(top) + 20)
    while high - low > 1:
        middle = (low + high) // 2
        below = sum(w * _poisson_below(middle, float(m)) for w, m in zip(weights, expected, strict=True))
        low, high = (middle, high) if below < level else (low, middle)
    return float(high)


def _poisson_below(count: int, mean: float) -> float:
    """P(N <= count) for a Poisson count; from the normal where the mean is so large that they are the same."""
    if mean > _LARGE:
        return 0.5 * math.erfc((mean - count - 0.5) / math.sqrt(2.0 * mean))
    reach = 12 * math.sqrt(mean) + 20
    if count > mean + reach:
        return 1.0
    first = max(0, math.floor(mean - reach))
    if count < first:
        return 0.0
    terms = np.arange(first, count + 1)
    logs = np.concatenate([[first * math.log(mean) - mean - math.lgamma(first + 1)], np.log(mean / terms[1:])])
    return min(1.0, float(np.exp(np.cumsum(logs)).sum()))
