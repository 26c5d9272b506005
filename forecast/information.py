"""Where to look next: what the next look at each indicator is expected to tell of the scenarios, and what is overdue.

The measure is mutual information, in bits, between the scenario now and what the look shows. A look is one B2 report on
the next due day for states and measures; for counts and milestones it is what happens until one is due again. The
scenario is taken as it stands on the as-of day: what drift does to it until the look is not weighed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np

from forecast.boards import NEXT_DAYS, due_day, last_look
from forecast.count_likelihood import CountLikelihood
from forecast.measure_likelihood import MeasureLikelihood
from forecast.outcomes import (
    Outcomes,
    count_outcomes,
    measure_outcomes,
    milestone_outcomes,
    mutual_information,
    state_outcomes,
)
from forecast.outlook import Outlook
from forecast.state_likelihood import StateLikelihood
from indicators.days import DAYS_PER_YEAR, duration_days
from indicators.grades import grade_weight
from indicators.indicator import Indicator

__all__ = ["LOOK_GRADE", "Look", "looks", "span_days", "uncertainty", "watch_order"]

LOOK_GRADE = "B2"
"""The grade of the report that a look is taken to bring."""


@dataclass(frozen=True)
class Look:
    """The next look at one indicator.

    Attributes
    ----------
    indicator : Indicator
    due : date or None
        The day on which the look is taken to happen: the day it is due, or as-of where that has passed or is not set.
        None for a retired indicator.
    overdue : bool
        Whether it was due before as-of.
    bits : float
        How much it is expected to tell about the scenarios: from 0 to the entropy of their probabilities.
    bits_per_cost : float
        The same, divided by the indicator's cost.
    """

    indicator: Indicator
    due: date | None
    overdue: bool
    bits: float
    bits_per_cost: float

    @property
    def what(self) -> str:
        """What the look is, in a few words; empty for a retired indicator."""
        span = self.indicator.check_every or f"{NEXT_DAYS:g} d"
        if self.indicator.retired:
            return ""
        if self.indicator.kind == "state":
            return f"a {LOOK_GRADE} report of its state"
        if self.indicator.kind == "measure":
            return f"a {LOOK_GRADE} reading"
        if self.indicator.kind == "milestone":
            return f"whether it happens within {span}"
        return f"how many there are within {span}"


def looks(outlook: Outlook) -> list[Look]:
    """The next look at every indicator, in file order; one that is retired tells nothing and is never due."""
    indicators = [indicator for indicator in outlook.study.indicators if not indicator.retired]
    due = {indicator.id: _due_day(outlook, indicator) for indicator in indicators}
    days = {name: max(day or outlook.as_of, outlook.as_of) for name, day in due.items()}
    rho = grade_weight(LOOK_GRADE, outlook.study.grades)
    shown = [_outcomes(outlook, indicator, days[indicator.id], rho) for indicator in indicators]
    told = dict(zip(days, mutual_information(outlook.chain.log_filtered[-1], shown).tolist(), strict=True))
    return [_look(outlook, i, due.get(i.id), days.get(i.id), told.get(i.id, 0.0)) for i in outlook.study.indicators]


def _look(outlook: Outlook, indicator: Indicator, due: date | None, day: date | None, bits: float) -> Look:
    overdue = due is not None and due < outlook.as_of
    return Look(indicator, due=day, overdue=overdue, bits=bits, bits_per_cost=bits / indicator.cost)


def _due_day(outlook: Outlook, indicator: Indicator) -> date | None:
    coverage = outlook.log.coverage.get(indicator.id, ())
    looked = last_look(outlook.likelihoods[indicator.id], coverage, opens=outlook.study.opens, as_of=outlook.as_of)
    return due_day(indicator, looked, opens=outlook.study.opens)


def uncertainty(outlook: Outlook) -> float:
    """Entropy of the scenarios on the as-of day, in bits: what no look can tell more than."""
    logs = outlook.chain.log_filtered[-1]
    return float(-(np.exp(logs) * logs).sum() / np.log(2.0))


def watch_order(looks: Iterable[Look]) -> list[Look]:
    """What to look at first: the overdue ones, then by bits per cost, the most telling first; as given on a tie."""
    return sorted(looks, key=lambda look: (not look.overdue, -look.bits_per_cost))


def span_days(indicator: Indicator) -> float:
    """How many days one look at a count or milestone covers."""
    return duration_days(indicator.check_every) if indicator.check_every else NEXT_DAYS


def _outcomes(outlook: Outlook, indicator: Indicator, day: date, rho: float) -> Outcomes:
    """What a look on a day may show; a report of it carries information with chance `rho`."""
    likelihood = outlook.likelihoods[indicator.id]
    if isinstance(likelihood, CountLikelihood):
        expected = likelihood.model.rates * (span_days(indicator) / DAYS_PER_YEAR)
        once = likelihood.model.once
        return milestone_outcomes(expected, 1.0 - likelihood.weight) if once else count_outcomes(expected)
    t = outlook.study.day_index(day)
    if isinstance(likelihood, StateLikelihood):
        return state_outcomes(likelihood.belief_on(np.array([t]))[:, 0], likelihood.model.uninformed, rho)
    means, variances = likelihood.expected_on(t)
    deviations = np.sqrt(variances)
    anyway = (means, deviations)  # what a history is carried on by has no other density to fall back on
    if isinstance(likelihood, MeasureLikelihood):
        anyway = (likelihood.model.means, likelihood.model.deviations)
    return measure_outcomes(means, deviations, prior=likelihood.model.prior, anyway=anyway, rho=rho)
