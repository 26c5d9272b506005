"""The next reading of every measure as each scenario expects it: where the series goes if that scenario is true.

What a scenario expects is read off the likelihood: of a measure with stated values its mean, or the way back to it; of
one with a baseline the forecast of the model that the history was fitted with, after all readings so far, plus the
scenario's shift. The board says what all scenarios together expect of a reading today. Nothing here is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from forecast.baseline_likelihood import BaselineLikelihood
from forecast.boards import Expectation
from forecast.measure_likelihood import MeasureLikelihood
from forecast.outlook import Outlook
from indicators.indicator import MeasureIndicator

__all__ = ["NextReading", "next_readings"]

_Z95 = 1.6448536269514722
"""The 95th percentile of the standard normal distribution."""


@dataclass(frozen=True)
class NextReading:
    """What is expected of the next reading of one measure, should it carry information.

    Attributes
    ----------
    indicator : MeasureIndicator
    day : date
        Of the reading: the day it is due, or as-of where that has passed or is not set.
    by_scenario : mapping of str to Expectation
        By scenario id, in file order: the mean, and the 5th and 95th percentile, in the indicator's unit.
    """

    indicator: MeasureIndicator
    day: date
    by_scenario: Mapping[str, Expectation]


def next_readings(outlook: Outlook) -> dict[str, NextReading]:
    """The next reading of every measure that is not retired, by indicator id, in file order.

    Empty where the study has no measure.
    """
    found: dict[str, NextReading] = {}
    for board in outlook.indicator_boards:
        indicator, likelihood = board.indicator, outlook.likelihoods[board.indicator.id]
        if not isinstance(indicator, MeasureIndicator) or indicator.retired:
            continue
        assert isinstance(likelihood, MeasureLikelihood | BaselineLikelihood)
        day = max(board.due or outlook.as_of, outlook.as_of)
        found[indicator.id] = NextReading(indicator, day, _by_scenario(outlook, likelihood, day))
    return found


def _by_scenario(
    outlook: Outlook, likelihood: MeasureLikelihood | BaselineLikelihood, day: date
) -> dict[str, Expectation]:
    means, variances = likelihood.expected_on(outlook.study.day_index(day))
    reach = _Z95 * np.sqrt(variances)
    numbers = zip(means.tolist(), (means - reach).tolist(), (means + reach).tolist(), strict=True)
    return {scenario: Expectation(*told) for scenario, told in zip(outlook.study.scenario_ids, numbers, strict=True)}
