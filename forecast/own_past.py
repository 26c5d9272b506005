"""What an indicator's own past says of its next report: the forecast that rows have to beat to be of any use.

It knows no scenario. Of states it has the frequencies of the earlier reports, of events their number and the days on
which they could have come, of readings their mean and spread; and before there are any, what the rows say on average
over the prior. Each is the predictive distribution of a simple conjugate model, so that it too is a forecast made
before the report. Arrays and counts only; which reports those are is decided elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from forecast.count_likelihood import CountLikelihood, CountModel
from forecast.probability import Floats

__all__ = ["events_and_years", "log_chance_of_events", "log_chance_of_state", "log_density_of_reading"]

_TRIED = np.array([1.0, 2.0, 4.0])


def log_chance_of_state(earlier: Floats, average: Floats, state: int) -> float:
    """log of (n_x + S/2 q(x)) / (n + S/2): Jeffreys' weight of one half for each state, spread as the rows are.

    Parameters
    ----------
    earlier : float array, shape (S,)
        How often each state was reported before.
    average : float array, shape (S,)
        q, the rows averaged over the prior; sums to 1. What is said before there is any report.
    state : int

    Examples
    --------
    Three reports, two of them of the first of two states that the rows think even:

    >>> round(math.exp(log_chance_of_state(np.array([2.0, 1.0]), np.array([0.5, 0.5]), 0)), 6)
    0.625
    """
    weight = len(average) / 2.0
    return float(np.log((earlier[state] + weight * average[state]) / (earlier.sum() + weight)))


def log_chance_of_events(likelihood: CountLikelihood, average: float) -> float:
    """log of the chance of all events so far, and of the quiet days between, at a rate that is learnt on the way.

    With N events in E years it is the mean of lambda^N e^(-lambda E) over lambda ~ Gamma(1/2, mean `average`), times
    what belongs to spans; so the difference between two of these is the forecast of what came between.

    Parameters
    ----------
    likelihood : CountLikelihood
    average : float
        Events per year, averaged over the prior.
    """
    count, years, constant = _under_one_scenario(likelihood)
    shape, before = 0.5 + count, 0.5 / average
    learnt = math.lgamma(shape) - math.lgamma(0.5) + 0.5 * math.log(before) - shape * math.log(before + years)
    return learnt + constant


def events_and_years(likelihood: CountLikelihood) -> tuple[int, float]:
    """How many events were reported, and in how many years that count: quiet days, days looked at and spans."""
    count, years, _ = _under_one_scenario(likelihood)
    return count, years


def _under_one_scenario(likelihood: CountLikelihood) -> tuple[int, float, float]:
    """N, E and C: under one scenario alone the log likelihood is N log(rate) - rate E + C, whatever reports weigh."""
    model = CountModel(_TRIED[:, None], np.ones((3, 1)), likelihood.model.silence, once=likelihood.model.once)
    alone = CountLikelihood(model, likelihood.reports, likelihood.rho, likelihood.detect)
    one, two, four = (alone.contributions.sum(axis=(1, 2)) + alone.silence.sum(axis=(1, 2))).tolist()
    years = max(2.0 * two - one - four, 0.0)
    return round((two - one + years) / math.log(2.0)), years, one + years


def log_density_of_reading(
    earlier: Sequence[float], means: Floats, variances: Floats, prior: Floats, y: float
) -> float:
    """log density of a reading: the rows' mixture before there is any, then Student's t about what was read.

    The t is that of a normal law whose mean and variance are learnt (normal-inverse-chi-squared), as if one reading
    had been at the mixture's mean, with its variance: n + 1 degrees of freedom after n readings.

    Parameters
    ----------
    earlier : sequence of float
    means, variances, prior : float arrays, shape (K,)
        Of the next reading under each scenario, as far as the rows alone say.
    y : float
    """
    weights = prior / prior.sum()
    if not earlier:
        logs = np.log(weights) - 0.5 * (y - means) ** 2 / variances - 0.5 * np.log(2.0 * np.pi * variances)
        return float(np.logaddexp.reduce(logs))
    middle = float(weights @ means)
    spread = float(weights @ (variances + (means - middle) ** 2))
    n, read = len(earlier), np.array(earlier)
    squares = spread + float(((read - read.mean()) ** 2).sum()) + n / (n + 1.0) * (float(read.mean()) - middle) ** 2
    freedom, centre = n + 1.0, (middle + float(read.sum())) / (n + 1.0)
    scale = math.sqrt(squares / freedom * (1.0 + 1.0 / (n + 1.0)))
    away = (y - centre) / scale
    constant = math.lgamma((freedom + 1.0) / 2.0) - math.lgamma(freedom / 2.0) - 0.5 * math.log(freedom * math.pi)
    return constant - math.log(scale) - (freedom + 1.0) / 2.0 * math.log1p(away**2 / freedom)
