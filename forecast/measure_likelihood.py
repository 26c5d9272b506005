"""The likelihood of a measure: readings are normal about a mean, and come back to it after a departure (SPEC 4.5).

A reading without information is as likely as the scenarios' densities say on average. With a persistence, what was last
read with some weight (rho of one half or more) on an earlier day pulls the expectation towards it and narrows it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forecast.change import Change, summed
from forecast.events import Sequenced
from forecast.probability import Floats, log_mixture, log_sum_exp

__all__ = ["TRUSTED", "MeasureLikelihood", "MeasureModel", "log_normal_density"]

TRUSTED = 0.5
"""From this chance on that it carries information, a reading is leaned on when the next is expected."""

_LOG_ROOT_TWO_PI = 0.5 * math.log(2.0 * math.pi)


def log_normal_density(value: Floats | float, mean: Floats, variance: Floats) -> Floats:
    """log N(value; mean, variance), elementwise."""
    return -0.5 * (value - mean) ** 2 / variance - 0.5 * np.log(variance) - _LOG_ROOT_TWO_PI


@dataclass(frozen=True)
class MeasureModel:
    """The numbers of one measure; M draws of them may be had in leading axes.

    Attributes
    ----------
    means, deviations, prior : float arrays, shape (..., K)
    persistence_days : float or None
        None means that every reading is a new draw.
    """

    means: Floats
    deviations: Floats
    prior: Floats
    persistence_days: float | None

    def expected(self, last: tuple[int, float] | None, day: int) -> tuple[Floats, Floats]:
        """Mean and variance of a reading on a day under each scenario, after the last (day, value); each (..., K)."""
        if last is None or self.persistence_days is None:
            return self.means, self.deviations**2
        gap = (day - last[0]) / self.persistence_days
        pull = math.exp(-gap)
        return self.means + pull * (last[1] - self.means), self.deviations**2 * -math.expm1(-2.0 * gap)

    def told(self, value: float, rho: Floats, last: tuple[int, float] | None, day: int) -> Floats:
        """Log likelihood of a reading of weight rho (...), shape (..., K)."""
        informed = log_normal_density(value, *self.expected(last, day))
        average = log_sum_exp(np.log(self.prior) + log_normal_density(value, self.means, self.deviations**2))
        return log_mixture(informed, average[..., None], rho[..., None])


@dataclass(frozen=True)
class MeasureLikelihood:
    """What the readings of one measure say, under every scenario.

    Attributes
    ----------
    model : MeasureModel
    reports : Sequenced
        R readings in events; of an event's readings only the one of highest rho counts.
    rho : float array, shape (..., R)
        Chance that each reading carries information; the readings' own, or draws of it. Which reading counts, and
        which is leaned on, is decided by their own.
    """

    model: MeasureModel
    reports: Sequenced
    rho: Floats

    @cached_property
    def contributions(self) -> Floats:
        """l_r(k), shape (..., R, K): the change each reading makes in the log likelihood, given the earlier ones."""
        means = self.model.means
        contributions = np.zeros((*means.shape[:-1], len(self.reports), means.shape[-1]))
        chosen: list[int] = []  # the reading that counts in each event
        told: list[Floats] = []
        for position, number in enumerate(self.reports.event.tolist()):
            best = self._best(self.reports.counted[position])
            if number == len(chosen):
                chosen.append(best)
                told.append(self._term(number, chosen))
                contributions[..., position, :] = told[number]
            elif best != chosen[number]:
                chosen[number] = best
                # A better reading of an old event also changes what was to be expected after it.
                for later in range(number, len(chosen)):
                    term = self._term(later, chosen)
                    contributions[..., position, :] += term - told[later]
                    told[later] = term
        return contributions

    @property
    def last_trusted(self) -> tuple[int, float] | None:
        """Day and value of the last reading that later ones lean on; None when there is none."""
        return self._reading(self._leaned_on(len(self._chosen), self._chosen, None))

    def expected_on(self, day: int) -> tuple[Floats, Floats]:
        """Mean and variance of one more reading, of an event of that day, under each scenario; each (..., K).

        The day is not before the last reading's.
        """
        leaned = self._leaned_on(len(self._chosen), self._chosen, day)
        return self.model.expected(self._reading(leaned), day)

    @cached_property
    def _chosen(self) -> list[int]:
        """Of each event, the position of the reading that counts in the end."""
        return [self._best(counted) for counted in self.reports.last_counted]

    def changes_without(self) -> list[Change]:
        """For each reading, what the daily log likelihoods would gain had it not been logged; R of them."""
        return [self._change_without(position) for position in range(len(self.reports))]

    def _change_without(self, position: int) -> Change:
        number = int(self.reports.event[position])
        leaning = self._leaning_on(number)
        near = [number, *leaning]
        alone = self.reports.alone[np.isin(self.reports.event, near)]
        if not alone.all() or (self.model.persistence_days is not None and self.reports.has_late):
            return self.change_to(self.without(position))
        days, added = [int(self.reports.days[position])], [-self.contributions[position]]
        for later in leaning:
            day = int(self.reports.event_days[later])
            reading = self._chosen[later]
            other = self._reading(self._leaned_on(number, self._chosen, day))
            days.append(day)
            added.append(self._told(reading, other, day) - self._term(later, self._chosen))
        return summed([(np.array(days), np.array(added))], scenarios=self.model.means.shape[-1])

    def change_to(self, other: MeasureLikelihood) -> Change:
        """What the daily log likelihoods gain when this course is replaced by another of the same indicator."""
        parts = [(other.reports.days, other.contributions), (self.reports.days, -self.contributions)]
        return summed(parts, scenarios=self.model.means.shape[-1])

    def _leaning_on(self, number: int) -> list[int]:
        """The later events whose expectation comes from this one."""
        found: list[int] = []
        if self.model.persistence_days is None or self.reports.rho[self._chosen[number]] < TRUSTED:
            return found
        for later in range(number + 1, len(self._chosen)):
            leaned = self._leaned_on(later, self._chosen, int(self.reports.event_days[later]))
            if leaned is not None and leaned > number:
                break
            if leaned == number:
                found.append(later)
        return found

    def without(self, position: int) -> MeasureLikelihood:
        """The same indicator had one of its readings not been logged."""
        rho = np.delete(self.rho, position, axis=-1)
        return MeasureLikelihood(self.model, self.reports.without(position), rho)

    def _best(self, counted: tuple[int, ...]) -> int:
        return max(counted, key=lambda i: (self.reports.rho[i], -i))

    def _value(self, position: int) -> float:
        value = self.reports.live[position].report.value
        assert value is not None
        return value

    def _term(self, number: int, chosen: list[int]) -> Floats:
        day = int(self.reports.event_days[number])
        return self._told(chosen[number], self._reading(self._leaned_on(number, chosen, day), chosen), day)

    def _told(self, position: int, last: tuple[int, float] | None, day: int) -> Floats:
        return self.model.told(self._value(position), self.rho[..., position], last, day)

    def _leaned_on(self, number: int, chosen: list[int], day: int | None) -> int | None:
        """The last trusted event before this one, and of an earlier day where a day is given."""
        for earlier in range(number - 1, -1, -1):
            trusted = self.reports.rho[chosen[earlier]] >= TRUSTED
            if trusted and (day is None or self.reports.event_days[earlier] < day):
                return earlier
        return None

    def _reading(self, number: int | None, chosen: list[int] | None = None) -> tuple[int, float] | None:
        """Day and value of an event's reading that counts."""
        if number is None:
            return None
        return int(self.reports.event_days[number]), self._value((chosen or self._chosen)[number])
