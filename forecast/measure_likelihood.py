"""The likelihood of a measure: readings are normal about a mean, and come back to it after a departure (SPEC 4.5).

A reading without information is as likely as the scenarios' densities say on average. With a persistence, what was last
read with some weight (rho of one half or more) on an earlier day pulls the expectation towards it and narrows it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from forecast.events import Sequenced
from forecast.probability import Floats, log_mixture, log_sum_exp

__all__ = ["MeasureLikelihood", "MeasureModel", "log_normal_density"]

_TRUSTED = 0.5
_LOG_ROOT_TWO_PI = 0.5 * math.log(2.0 * math.pi)


def log_normal_density(value: float, mean: Floats, variance: Floats) -> Floats:
    """log N(value; mean, variance), elementwise."""
    return -0.5 * (value - mean) ** 2 / variance - 0.5 * np.log(variance) - _LOG_ROOT_TWO_PI


@dataclass(frozen=True)
class MeasureModel:
    """The numbers of one measure.

    Attributes
    ----------
    means, deviations, prior : float arrays, shape (K,)
    persistence_days : float or None
        None means that every reading is a new draw.
    """

    means: Floats
    deviations: Floats
    prior: Floats
    persistence_days: float | None

    def expected(self, last: tuple[int, float] | None, day: int) -> tuple[Floats, Floats]:
        """Mean and variance of a reading on a day under each scenario, after the last (day, value); each (K,)."""
        if last is None or self.persistence_days is None:
            return self.means, self.deviations**2
        gap = (day - last[0]) / self.persistence_days
        pull = math.exp(-gap)
        return self.means + pull * (last[1] - self.means), self.deviations**2 * -math.expm1(-2.0 * gap)

    def told(self, value: float, rho: float, last: tuple[int, float] | None, day: int) -> Floats:
        """Log likelihood of a reading, shape (K,)."""
        informed = log_normal_density(value, *self.expected(last, day))
        average = log_sum_exp(np.log(self.prior) + log_normal_density(value, self.means, self.deviations**2))
        return log_mixture(informed, average, rho)


@dataclass(frozen=True)
class MeasureLikelihood:
    """What the readings of one measure say, under every scenario.

    Attributes
    ----------
    model : MeasureModel
    reports : Sequenced
        R readings in events; of an event's readings only the one of highest rho counts.
    """

    model: MeasureModel
    reports: Sequenced

    @cached_property
    def contributions(self) -> Floats:
        """l_r(k), shape (R, K): the change each reading makes in the log likelihood, given the earlier ones."""
        contributions = np.zeros((len(self.reports), len(self.model.means)))
        chosen: list[int] = []  # the reading that counts in each event
        told: list[Floats] = []
        for position, number in enumerate(self.reports.event.tolist()):
            best = self._best(self.reports.counted[position])
            if number == len(chosen):
                chosen.append(best)
                told.append(self._term(number, chosen))
                contributions[position] = told[number]
            elif best != chosen[number]:
                chosen[number] = best
                # A better reading of an old event also changes what was to be expected after it.
                for later in range(number, len(chosen)):
                    term = self._term(later, chosen)
                    contributions[position] += term - told[later]
                    told[later] = term
        return contributions

    @property
    def last_trusted(self) -> tuple[int, float] | None:
        """Day and value of the last reading that later ones lean on; None when there is none."""
        chosen = [self._best(counted) for counted in self.reports.last_counted]
        return self._last_before(len(chosen), chosen, day=None)

    @property
    def separable(self) -> NDArray[np.bool_]:
        """Whether taking each report away takes away just its contribution, shape (R,)."""
        alone = self.reports.alone
        if self.model.persistence_days is not None:
            # Behind a report there is always something that leans on it, be it only a late word on an earlier event.
            alone &= np.arange(len(alone)) == len(alone) - 1
        return alone

    def without(self, position: int) -> MeasureLikelihood:
        """The same indicator had one of its readings not been logged."""
        return MeasureLikelihood(self.model, self.reports.without(position))

    def _best(self, counted: tuple[int, ...]) -> int:
        return max(counted, key=lambda i: (self.reports.rho[i], -i))

    def _value(self, position: int) -> float:
        value = self.reports.live[position].report.value
        assert value is not None
        return value

    def _term(self, number: int, chosen: list[int]) -> Floats:
        day = int(self.reports.event_days[number])
        last = self._last_before(number, chosen, day=day)
        return self.model.told(self._value(chosen[number]), float(self.reports.rho[chosen[number]]), last, day)

    def _last_before(self, number: int, chosen: list[int], *, day: int | None) -> tuple[int, float] | None:
        """The last trusted reading of an event before this one, and of an earlier day where a day is given."""
        for earlier in range(number - 1, -1, -1):
            event_day = int(self.reports.event_days[earlier])
            if self.reports.rho[chosen[earlier]] >= _TRUSTED and (day is None or event_day < day):
                return event_day, self._value(chosen[earlier])
        return None
