"""The likelihood of a measure that a history's model carries on (SPEC 4.5).

Under each scenario the readings, less what the scenario has shifted them since the study opened, run through the Kalman
filter from the state that the history ended in; a reading's density is the filter's. What a reading without information
is as likely as, is the scenarios' densities on average. Only readings of some weight (rho of one half or more) move the
filter, and which they are is decided by the stated weights, so draws of the weights share one course of the filter.

To leave out each reading in turn, the filter runs on from where it was with all of these worlds side by side; a world
is dropped once it has come to believe what was believed anyway.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from forecast.change import Change, summed
from forecast.events import Sequenced
from forecast.kalman import Belief, Process
from forecast.measure_likelihood import TRUSTED, log_normal_density
from forecast.probability import Floats, log_mixture, log_sum_exp
from indicators.days import DAYS_PER_YEAR

__all__ = ["BaselineLikelihood", "BaselineModel", "Course"]

Integers = NDArray[np.int64]

# Two courses of the filter are one when they differ by less than this share of a standard deviation.
_SAME = 1e-13


class Course(NamedTuple):
    """Where the filter is.

    Attributes
    ----------
    now : Belief
        After the readings so far.
    before : Belief
        Before the last of them that moved it: what a second reading of that day is told from, where the model leaves no
        room for two different readings of a day.
    """

    now: Belief
    before: Belief


@dataclass(frozen=True)
class BaselineModel:
    """A model of a history and what the scenarios add to it; draws of shifts and prior may be had in leading axes.

    Attributes
    ----------
    process : Process
    state, covariance : float arrays, shapes (s,) and (s, s)
        What is believed of the state after the last reading of the history.
    age : int
        Days from that reading to the day the study opens; at least 1.
    shifts : float array, shape (..., K)
        Change of the readings a year against the baseline, since the study opened.
    prior : float array, shape (..., K)
    """

    process: Process
    state: Floats
    covariance: Floats
    age: int
    shifts: Floats
    prior: Floats

    @property
    def start(self) -> Course:
        """The filter before any report."""
        mean = np.broadcast_to(self.state, (*self.shifts.shape, len(self.state)))
        belief = Belief(np.array(-self.age), mean, self.covariance)
        return Course(belief, belief)

    def foreseen(self, course: Course, day: int) -> Belief:
        """What is believed on a day, of the state, with no reading since."""
        if not self.process.repeats_itself:
            return self.process.carried(course.now, day)
        is_again = (course.now.day == day)[..., None, None]
        first, second = (self.process.carried(belief, day) for belief in (course.now, course.before))
        mean = np.where(is_again, second.mean, first.mean)
        return Belief(first.day, mean, np.where(is_again, second.covariance, first.covariance))

    def expected(self, course: Course, day: int) -> tuple[Floats, Floats]:
        """Mean, shape (..., K), and variance, shape (...), of a reading on a day; the scenarios share the variance."""
        belief = self.foreseen(course, day)
        return belief.mean[..., 0] + self._shifted(day), belief.covariance[..., 0, 0] + self.process.reading_noise

    def after(self, course: Course, day: int, reading: float | Floats) -> Course:
        """The filter after a reading on a day; one number, or one for each leading axis, shape (...)."""
        belief = self.foreseen(course, day)
        unshifted = np.asarray(reading)[..., None] - self._shifted(day)
        moved = self.process.updated(belief, np.broadcast_to(unshifted, belief.mean.shape[:-1]))
        return Course(moved, belief)

    def informed(self, course: Course, day: int, reading: float | Floats) -> Floats:
        """Log density of a reading that carries information, shape (..., K)."""
        mean, variance = self.expected(course, day)
        return log_normal_density(np.asarray(reading)[..., None], mean, variance[..., None])

    def told(self, informed: Floats, rho: Floats) -> Floats:
        """Log likelihood of a reading of weight rho (...), from its density where it carries information."""
        average = log_sum_exp(np.log(self.prior) + informed)
        return log_mixture(informed, average[..., None], rho[..., None])

    def _shifted(self, day: int) -> Floats:
        return self.shifts * (day / DAYS_PER_YEAR)


class _Telling(NamedTuple):
    """One reading as it counts at a position of the log, or no longer counts there."""

    position: int
    reading: int
    sign: float
    informed: Floats


@dataclass(frozen=True)
class BaselineLikelihood:
    """What the readings of one measure with a baseline say, under every scenario.

    Attributes
    ----------
    model : BaselineModel
    reports : Sequenced
        R readings in events; of an event's readings only the one of highest rho counts.
    rho : float array, shape (..., R)
        Chance that each reading carries information; the readings' own, or draws of it. Which reading counts, and
        which moves the filter, is decided by their own.
    """

    model: BaselineModel
    reports: Sequenced
    rho: Floats

    @cached_property
    def contributions(self) -> Floats:
        """l_r(k), shape (..., R, K): the change each reading makes in the log likelihood, given the earlier ones."""
        parts = (self.rho, self.model.prior, self.model.shifts)
        lead = np.broadcast_shapes(*(part.shape[:-1] for part in parts))
        contributions = np.zeros((*lead, len(self.reports), self.model.shifts.shape[-1]))
        for telling in self._walk[0]:
            told = self.model.told(telling.informed, self.rho[..., telling.reading])
            contributions[..., telling.position, :] += telling.sign * told
        return contributions

    def expected_on(self, day: int) -> tuple[Floats, Floats]:
        """Mean and variance of one more reading, of a day, under each scenario; each (..., K).

        The day is not before the last reading's.
        """
        mean, variance = self.model.expected(self.course, day)
        return mean, np.broadcast_to(variance[..., None], mean.shape)

    @property
    def course(self) -> Course:
        """The filter after all readings."""
        return self._walk[1][-1]

    @cached_property
    def _walk(self) -> tuple[list[_Telling], list[Course]]:
        """What counts at each position; and the filter before each event, and in the end after the last."""
        tellings: list[_Telling] = []
        chosen: list[int] = []  # the reading that counts in each event
        told: list[_Telling] = []
        courses = [self.model.start]
        for position, number in enumerate(self.reports.event.tolist()):
            best = self._best(self.reports.counted[position])
            if number == len(chosen):
                chosen.append(best)
            elif best != chosen[number]:
                chosen[number] = best
            else:
                continue
            # A better reading of an old event also changes what was to be expected after it.
            tellings += [telling._replace(position=position, sign=-1.0) for telling in told[number:]]
            del told[number:], courses[number + 1 :]
            for event in range(number, len(chosen)):
                day, value = int(self.reports.event_days[event]), self._value(chosen[event])
                told.append(_Telling(position, chosen[event], 1.0, self.model.informed(courses[-1], day, value)))
                courses.append(self._after(courses[-1], chosen[event], day))
            tellings += told[number:]
        return tellings, courses

    def _after(self, course: Course, reading: int, day: int) -> Course:
        """The filter after a reading, if it is one that moves it."""
        if self.reports.rho[reading] < TRUSTED:
            return course
        return self.model.after(course, day, self._value(reading))

    def changes_without(self) -> list[Change]:
        """For each reading, what the daily log likelihoods would gain had it not been logged; R of them."""
        if self.reports.has_late:
            return [self.change_to(self.without(position)) for position in range(len(self.reports))]
        return _Leaving(self).changes()

    def change_to(self, other: BaselineLikelihood) -> Change:
        """What the daily log likelihoods gain when this course is replaced by another of the same indicator."""
        parts = [(other.reports.days, other.contributions), (self.reports.days, -self.contributions)]
        return summed(parts, scenarios=self.model.shifts.shape[-1])

    def without(self, position: int) -> BaselineLikelihood:
        """The same indicator had one of its readings not been logged."""
        rho = np.delete(self.rho, position, axis=-1)
        return BaselineLikelihood(self.model, self.reports.without(position), rho)

    def _best(self, counted: tuple[int, ...]) -> int:
        return max(counted, key=lambda i: (self.reports.rho[i], -i))

    def _value(self, position: int) -> float:
        value = self.reports.live[position].report.value
        assert value is not None
        return value


class _Leaving:
    """The worlds in which one of the readings was not logged, where no event's readings stand among another's."""

    def __init__(self, likelihood: BaselineLikelihood) -> None:
        self._of, self._model, self._reports = likelihood, likelihood.model, likelihood.reports
        tellings, self._courses = likelihood._walk
        self._tellings: list[list[_Telling]] = [[] for _ in self._reports.event_days]
        for telling in tellings:
            self._tellings[int(self._reports.event[telling.reading])].append(telling)
        self._gained: list[tuple[Integers, int, Floats]] = []  # worlds, day, and what each gains on it
        self._worlds = np.empty(0, dtype=np.int64)
        self._filter = _combined([self._courses[0]], lambda arrays: arrays[0][None][:0])

    def changes(self) -> list[Change]:
        """What the daily log likelihoods would gain in each of them; R of them."""
        for number in range(len(self._tellings)):
            if len(self._worlds):
                self._go_on(number)
            self._part(number)
            self._drop_those_that_agree(number)
        return self._collected()

    def _go_on(self, number: int) -> None:
        """An event as the worlds see it that lack an earlier reading."""
        day = int(self._reports.event_days[number])
        for telling in self._tellings[number]:
            informed = self._model.informed(self._filter, day, self._of._value(telling.reading))
            gained = self._told(telling._replace(informed=informed)) - self._told(telling)
            self._gained.append((self._worlds, int(self._reports.days[telling.position]), gained))
        last = self._tellings[number][-1].reading
        self._filter = self._of._after(self._filter, last, day)

    def _part(self, number: int) -> None:
        """The worlds that lack one of this event's readings; a reading that never counted makes no other world."""
        told = self._tellings[number]
        readings = np.flatnonzero(self._reports.event == number).tolist()
        parted, courses = [], []
        for left_out in sorted({telling.reading for telling in told}):
            rest = [reading for reading in readings if reading != left_out]
            instead, course = self._without(number, rest)
            for sign, part in ((-1.0, told), (1.0, instead)):
                for telling in part:
                    row = sign * self._told(telling)[None]
                    self._gained.append((np.array([left_out]), int(self._reports.days[telling.position]), row))
            parted.append(left_out)
            courses.append(course)
        self._filter = _combined([self._filter, _combined(courses, np.stack)], np.concatenate)
        self._worlds = np.concatenate([self._worlds, parted])

    def _without(self, number: int, rest: Sequence[int]) -> tuple[list[_Telling], Course]:
        """What the rest of an event's readings say, and the filter after them."""
        before = self._courses[number]
        if not rest:
            return [], before
        day = int(self._reports.days[rest[0]])
        tellings: list[_Telling] = []
        for reading in rest:
            if tellings and self._reports.rho[reading] <= self._reports.rho[tellings[-1].reading]:
                continue
            tellings += [telling._replace(position=reading, sign=-1.0) for telling in tellings[-1:]]
            informed = self._model.informed(before, day, self._of._value(reading))
            tellings.append(_Telling(reading, reading, 1.0, informed))
        return tellings, self._of._after(before, tellings[-1].reading, day)

    def _told(self, telling: _Telling) -> Floats:
        return telling.sign * self._model.told(telling.informed, self._of.rho[telling.reading])

    def _drop_those_that_agree(self, number: int) -> None:
        """Go on without the worlds in which the same is believed as in ours.

        While readings of a day are still to come, what was believed before its first one matters too.
        """
        if (self._reports.event_days[number + 1 : number + 2] == self._reports.event_days[number]).any():
            return
        here, there = self._courses[number + 1].now, self._filter.now
        ahead = self._model.process.carried(here, here.day + 1).covariance
        scale = np.sqrt(np.diagonal(ahead))
        apart = (np.abs(there.mean - here.mean) > _SAME * scale).any(axis=(-1, -2))
        apart |= (np.abs(there.covariance - here.covariance) > _SAME * scale[:, None] * scale).any(axis=(-1, -2))
        apart |= there.day != here.day
        self._worlds = self._worlds[apart]
        self._filter = _combined([self._filter], lambda arrays: arrays[0][apart])

    def _collected(self) -> list[Change]:
        scenarios = self._model.shifts.shape[-1]
        worlds = np.concatenate([np.empty(0, dtype=np.int64), *(w for w, _, _ in self._gained)])
        days = np.concatenate([np.empty(0, dtype=np.int64), *(np.full(len(w), d) for w, d, _ in self._gained)])
        rows = np.concatenate([np.empty((0, scenarios)), *(row for _, _, row in self._gained)])
        order = np.argsort(worlds, kind="stable")
        edges = np.searchsorted(worlds[order], np.arange(len(self._reports) + 1))
        parts = [order[a:b] for a, b in itertools.pairwise(edges.tolist())]
        return [summed([(days[part], rows[part])], scenarios=scenarios) for part in parts]


def _combined(courses: Sequence[Course], combine: Callable[[Sequence[Any]], Any]) -> Course:
    """One course, each array of it made from the same array of the others."""
    return Course(
        *(Belief(*(combine(arrays) for arrays in zip(*beliefs, strict=True))) for beliefs in zip(*courses, strict=True))
    )
