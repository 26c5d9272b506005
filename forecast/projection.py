"""What the probabilities become if nothing more is ever logged: the filter run on to the horizon.

Drift goes on, and so does the silence of those indicators whose every quiet day counts. Coverage does not: nobody has
promised to go on looking, so entries for days to come are not read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from forecast.bayes import filtered
from forecast.count_likelihood import CountLikelihood
from forecast.outlook import Outlook
from forecast.probability import Floats
from indicators.days import DAYS_PER_YEAR, day_range

__all__ = ["Projection", "projection"]


@dataclass(frozen=True)
class Projection:
    """The probabilities to come, if nothing new is logged.

    Attributes
    ----------
    days : list of date
        From the as-of day to the horizon, both included: n of them, at least one.
    course : float array, shape (n, K)
        P(scenario) on each day; the first is the outlook's own, and every day sums to 1.
    """

    days: list[date]
    course: Floats


def projection(outlook: Outlook) -> Projection:
    """Run the filter on from the as-of day to the study's horizon.

    The silence of a milestone that has happened with weight w counts with the 1 - w that is left of it. The silence of
    an indicator that the outlook leaves out altogether does not count.

    Returns
    -------
    Projection
        The as-of day alone where that is the horizon.
    """
    study = outlook.study
    days = day_range(outlook.as_of, study.horizon)
    emissions = np.tile(_silence_of_a_day(outlook), (len(days), 1))
    # The first step draws from the prior; seeing this, it arrives where the outlook stands.
    emissions[0] = outlook.chain.log_filtered[-1] - np.log(study.prior)
    run = filtered(study.prior, np.full(len(days), study.daily_stay), emissions)
    course = np.exp(run.log_filtered)
    course[0] = outlook.final
    return Projection(days, course)


def _silence_of_a_day(outlook: Outlook) -> Floats:
    """Log likelihood of one more day on which nothing is logged, shape (K,)."""
    silence = np.zeros(len(outlook.study.scenarios))
    for indicator_id, likelihood in outlook.likelihoods.items():
        if indicator_id in outlook.log.silenced or not isinstance(likelihood, CountLikelihood):
            continue
        if likelihood.model.silence == "always":
            silence -= likelihood.model.rates * (1.0 - likelihood.weight) / DAYS_PER_YEAR
    return silence
