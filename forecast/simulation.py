"""A study's log as it would be if one scenario were true and everybody looked as planned, many times over.

What would be seen is drawn from the numbers of the engine's own models: true states and readings last and are drawn
anew as SPEC 4.3 and 4.5 have it, a series with a history goes on from where that ended, events come at the scenario's
rate, and every report has the grade B2. What the logs say is then asked of the engine's own likelihoods. The trick for
states: the looks of all runs are laid end to end as one long log, with so long a gap between two runs that nothing of
the one is left in the next. Readings are drawn and weighed look by look, all runs side by side.

Looks fall on every `check_every` (30 days where none is set) after the first day. Covered silence is taken as covered
on every day, and an event is an event of its own. The scenario is held true to the horizon, with drift too. A retired
indicator is not looked at, and its silence does not count. Nothing here knows what the reports do to the probabilities.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from forecast.baseline_likelihood import BaselineLikelihood, BaselineModel
from forecast.count_likelihood import CountLikelihood, event_weight
from forecast.events import Live, Sequenced
from forecast.likelihood import Likelihood, family_order, likelihoods
from forecast.measure_likelihood import TRUSTED, MeasureLikelihood, MeasureModel
from forecast.probability import Floats
from forecast.state_likelihood import StateLikelihood
from forecast.study import Study
from indicators.coverage import Coverage
from indicators.days import DAYS_PER_YEAR, duration_days
from indicators.evidence import Report
from indicators.grades import grade_weight
from indicators.indicator import StateIndicator

__all__ = ["GRADE", "Events", "Happenings", "Logs", "Looks", "Plan", "Told", "simulated", "told"]

Integers = NDArray[np.int64]

GRADE = "B2"
"""Of every simulated report."""

_NEXT_DAYS = 30.0
# After this many persistences exp(-gap / persistence) is zero in double precision (it is from 746 on).
_FORGOTTEN = 800.0


@dataclass(frozen=True)
class Plan:
    """How a study is watched when everybody looks as planned.

    Attributes
    ----------
    study : Study
    left_out : frozenset of str
        Ids of indicators that are neither looked at nor listened to, as if they were retired.
    """

    study: Study
    left_out: frozenset[str] = frozenset()

    @cached_property
    def models(self) -> dict[str, Likelihood]:
        """The engine's likelihood of every indicator with nothing logged and every day covered, in file order."""
        opens, horizon = self.study.opens, self.study.horizon
        coverage = {i: [Coverage(indicator=i, from_=opens, to=horizon, detect=1.0)] for i in self.study.by_id}
        return likelihoods(self.study, {}, coverage, as_of=horizon)

    @cached_property
    def active(self) -> list[str]:
        """Ids of the indicators that are watched, in file order."""
        return [i for i, item in self.study.by_id.items() if not item.retired and i not in self.left_out]

    @property
    def length(self) -> int:
        """T + 1, the days from the first to the horizon."""
        return self.study.day_index(self.study.horizon) + 1

    @property
    def rho(self) -> float:
        """Chance that a simulated report carries information."""
        return grade_weight(GRADE, self.study.grades)

    def looks(self, indicator_id: str) -> Integers:
        """Days on which a state or a measure is looked at; empty where the first would come after the horizon."""
        if indicator_id not in self.active:
            return np.empty(0, dtype=np.int64)
        indicator = self.study.by_id[indicator_id]
        every = math.ceil(duration_days(indicator.check_every) if indicator.check_every else _NEXT_DAYS)
        return np.arange(every, self.length, every)


class Events(NamedTuple):
    """The events that n runs report on one indicator, counted by run and day; each is an event of its own.

    Attributes
    ----------
    days, runs, numbers : int arrays, shape (E,)
        No pair of day and run comes twice.
    """

    days: Integers
    runs: Integers
    numbers: Integers


@dataclass(frozen=True)
class Logs:
    """What n runs log under one scenario, by indicator id; those that nobody watches are missing.

    Attributes
    ----------
    runs : int
        n.
    states : dict of str to int array, shape (n, N)
        Position of the state reported on each of N looks.
    readings : dict of str to float array, shape (n, N)
    events : dict of str to Events
    """

    runs: int
    states: dict[str, Integers]
    readings: dict[str, Floats]
    events: dict[str, Events]


def simulated(plan: Plan, truth: int, *, runs: int, rng: np.random.Generator) -> Logs:
    """Draw what would be logged if scenario number `truth` were true from the first day to the horizon."""
    states: dict[str, Integers] = {}
    readings: dict[str, Floats] = {}
    events: dict[str, Events] = {}
    courses = _courses(plan, truth, runs, rng)
    chances = np.broadcast_to(plan.study.prior, (runs, len(plan.study.prior)))
    for indicator_id in plan.active:
        likelihood, looks = plan.models[indicator_id], plan.looks(indicator_id)
        if isinstance(likelihood, StateLikelihood):
            states[indicator_id] = _blurred(courses[indicator_id].on(looks), likelihood, plan.rho, rng)
        elif not isinstance(likelihood, CountLikelihood):
            readings[indicator_id] = _readings(_series(likelihood, plan, runs), truth, looks, chances, plan.rho, rng)
        else:
            events[indicator_id] = _events(likelihood, truth, (runs, plan.length), rng)
    return Logs(runs, states, readings, events)


class _Course(NamedTuple):
    """The true state of one indicator on the days on which anybody asks for it: shapes (N,) and (n, N)."""

    days: Integers
    states: Integers

    def on(self, days: Integers) -> Integers:
        """The true state on some of these days, shape (n, M)."""
        return self.states[:, np.searchsorted(self.days, days)]


def _courses(plan: Plan, truth: int, runs: int, rng: np.random.Generator) -> dict[str, _Course]:
    """The true course of every state indicator; one that others are given by is asked for at their looks too."""
    found: dict[str, _Course] = {}
    for indicator_id in family_order(plan.study):
        likelihood, indicator = plan.models[indicator_id], plan.study.by_id[indicator_id]
        if isinstance(likelihood, StateLikelihood) and isinstance(indicator, StateIndicator):
            family = [indicator_id, *plan.study.children_of(indicator_id)]
            days = np.unique(np.concatenate([plan.looks(name) for name in family]))
            other = found[indicator.given].on(days) if indicator.given else np.zeros((runs, len(days)), dtype=np.int64)
            states = _draws(likelihood.model.rows[truth][other], rng)
            stay = likelihood.model.stay(np.diff(days, prepend=0))
            for n in range(1, len(days)):
                states[:, n] = np.where(rng.random(runs) < stay[n], states[:, n - 1], states[:, n])
            found[indicator_id] = _Course(days, states)
    return found


def _blurred(actual: Integers, likelihood: StateLikelihood, rho: float, rng: np.random.Generator) -> Integers:
    """What is reported of true states: with chance rho the truth, else what such reports say anyway."""
    uninformed = likelihood.model.uninformed
    anything = _draws(np.broadcast_to(uninformed, (*actual.shape, len(uninformed))), rng)
    return np.where(rng.random(actual.shape) < rho, actual, anything)


class _Series(Protocol):
    """One measure in n runs, look by look: what is to be expected of the next reading after those so far."""

    def expected(self, day: int) -> tuple[Floats, Floats]:
        """Mean and standard deviation of a reading that carries information; each broadcasts to (n, K)."""
        ...

    def anyway(self, day: int) -> tuple[Floats, Floats]:
        """Those of the scenarios' densities that a reading without information comes from, on average."""
        ...

    def told(self, day: int, readings: Floats) -> Floats:
        """Log likelihood of a reading in each run, shape (n, K)."""
        ...

    def go_on(self, day: int, readings: Floats) -> None:
        """Take the readings of a day, shape (n,), as logged."""
        ...


class _AroundValues:
    """Of a measure with stated values."""

    def __init__(self, model: MeasureModel, rho: float) -> None:
        self._model, self._rho = model, rho
        self._last: tuple[int, Any] | None = None

    def expected(self, day: int) -> tuple[Floats, Floats]:
        mean, variance = self._model.expected(self._last, day)
        return mean, np.sqrt(variance)

    def anyway(self, day: int) -> tuple[Floats, Floats]:
        return self._model.means, self._model.deviations

    def told(self, day: int, readings: Floats) -> Floats:
        each: Any = readings[:, None]  # the model's arithmetic is elementwise in the reading
        return self._model.told(each, np.array(self._rho), self._last, day)

    def go_on(self, day: int, readings: Floats) -> None:
        if self._rho >= TRUSTED:
            self._last = (day, readings[:, None])


class _FromHistory:
    """Of a measure with a baseline: the filter of each run, from the end of the history on."""

    def __init__(self, model: BaselineModel, rho: float, runs: int) -> None:
        self._model, self._rho = model, rho
        now = model.start.now
        now = now._replace(mean=np.broadcast_to(now.mean, (runs, *now.mean.shape)))
        self._course = model.start._replace(now=now, before=now)

    def expected(self, day: int) -> tuple[Floats, Floats]:
        mean, variance = self._model.expected(self._course, day)
        return mean, np.sqrt(variance)

    def anyway(self, day: int) -> tuple[Floats, Floats]:
        return self.expected(day)

    def told(self, day: int, readings: Floats) -> Floats:
        return self._model.told(self._model.informed(self._course, day, readings), np.array(self._rho))

    def go_on(self, day: int, readings: Floats) -> None:
        if self._rho >= TRUSTED:
            self._course = self._model.after(self._course, day, readings)


def _series(likelihood: MeasureLikelihood | BaselineLikelihood, plan: Plan, runs: int) -> _Series:
    if isinstance(likelihood, BaselineLikelihood):
        return _FromHistory(likelihood.model, plan.rho, runs)
    return _AroundValues(likelihood.model, plan.rho)


def _readings(
    series: _Series, truth: int, days: Integers, chances: Floats, rho: float, rng: np.random.Generator
) -> Floats:
    """Readings on each look, shape (n, N): with chance rho what is to be expected under the truth, else anything.

    `chances`, shape (n, K), is of which scenario anything comes from.
    """
    readings = np.empty((len(chances), len(days)))
    for n, day in enumerate(days.tolist()):
        informed = _normal(series.expected(day), np.full(len(chances), truth), rng)
        anything = _normal(series.anyway(day), _draws(chances, rng), rng)
        readings[:, n] = np.where(rng.random(len(chances)) < rho, informed, anything)
        series.go_on(day, readings[:, n])
    return readings


def _normal(of: tuple[Floats, Floats], scenarios: Integers, rng: np.random.Generator) -> Floats:
    """A number from each run's scenario, whose means and deviations broadcast to shape (n, K)."""
    each = np.arange(len(scenarios)), scenarios
    mean, deviation = np.broadcast_arrays(*of, np.empty((len(scenarios), 1)))[:2]
    return rng.normal(mean[each], deviation[each])


def _events(likelihood: CountLikelihood, truth: int, shape: tuple[int, int], rng: np.random.Generator) -> Events:
    """Events at the rate of the truth; of a milestone's only the first."""
    daily = rng.poisson(likelihood.model.rates[truth] / DAYS_PER_YEAR, shape)
    if likelihood.model.once:
        happened = daily > 0
        daily = (happened & (np.cumsum(happened, axis=1) == 1)).astype(np.int64)
    runs, days = np.nonzero(daily)
    return Events(days, runs, daily[runs, days])


def _draws(chances: Floats, rng: np.random.Generator) -> Integers:
    """A position drawn from each vector of chances over the last axis; they need not sum to one exactly."""
    edges = np.cumsum(chances, axis=-1)
    drawn = rng.random(edges.shape[:-1])[..., None] * edges[..., -1:] >= edges
    return np.minimum(drawn.sum(axis=-1), edges.shape[-1] - 1)


@dataclass(frozen=True)
class Looks:
    """What the reports on a state or a measure say, in n runs that all look on the same days.

    Attributes
    ----------
    days : int array, shape (N,)
    log_likelihoods : float array, shape (N, K, n)
    """

    days: Integers
    log_likelihoods: Floats

    def add_to(self, daily: Floats, times: float = 1.0) -> None:
        """Add it, so many times, to daily log likelihoods of shape (T + 1, K, n), in place."""
        daily[self.days] += times * self.log_likelihoods


@dataclass(frozen=True)
class Happenings:
    """What the events and the silence of a count or a milestone say in n runs, kept by event to save memory.

    Attributes
    ----------
    events : Events
    log_likelihood : float array, shape (K,)
        Of one event.
    silence : float array, shape (T + 1, K)
        Of each day while nothing has happened.
    exposed : float array, shape (T + 1, n), or (1, 1) for counts
        The share of it that still counts: after a milestone's event, what its weight leaves.
    """

    events: Events
    log_likelihood: Floats
    silence: Floats
    exposed: Floats

    def add_to(self, daily: Floats, times: float = 1.0) -> None:
        """Add it, so many times, to daily log likelihoods of shape (T + 1, K, n), in place."""
        days, runs, numbers = self.events
        if self.silence.any():
            daily += (times * self.silence)[:, :, None] * self.exposed[:, None, :]
        daily[days, :, runs] += times * numbers[:, None] * self.log_likelihood


Told: TypeAlias = Looks | Happenings


def told(plan: Plan, logs: Logs) -> dict[str, Told]:
    """What the logs of n runs say under every scenario, by indicator id, by the engine's likelihoods."""
    found: dict[str, Told] = {}
    chains = _chains(plan, logs)
    for indicator_id in plan.active:
        likelihood, looks = plan.models[indicator_id], plan.looks(indicator_id)
        if isinstance(likelihood, StateLikelihood):
            shape = (logs.runs, len(looks), len(plan.study.scenarios))
            found[indicator_id] = Looks(looks, np.moveaxis(chains[indicator_id].contributions.reshape(shape), 0, -1))
        elif not isinstance(likelihood, CountLikelihood):
            series = _series(likelihood, plan, logs.runs)
            found[indicator_id] = _readings_told(plan, series, looks, logs.readings[indicator_id])
        else:
            found[indicator_id] = _count_told(plan, likelihood, logs.events[indicator_id], logs.runs)
    return found


def _chains(plan: Plan, logs: Logs) -> dict[str, StateLikelihood]:
    """The likelihood of every state indicator with the looks of all runs end to end."""
    stride = _stride(plan)
    starts = np.arange(logs.runs)[:, None] * stride
    chains: dict[str, StateLikelihood] = {}
    for indicator_id in family_order(plan.study):
        likelihood, indicator = plan.models[indicator_id], plan.study.by_id[indicator_id]
        if isinstance(likelihood, StateLikelihood) and isinstance(indicator, StateIndicator):
            parent = chains[indicator.given] if indicator.given else None
            reports = _end_to_end((starts + plan.looks(indicator_id)).ravel(), plan.rho)
            states = logs.states[indicator_id].ravel() if indicator_id in logs.states else likelihood.states
            chains[indicator_id] = replace(likelihood, reports=reports, states=states, rho=reports.rho, parent=parent)
    return chains


def _stride(plan: Plan) -> int:
    """Days from the start of one run to that of the next, the same for all indicators of a study."""
    models = [found.model for found in plan.models.values() if isinstance(found, StateLikelihood)]
    longest = max((model.persistence_days or 0.0 for model in models), default=0.0)
    return plan.length + math.ceil(_FORGOTTEN * longest)


def _end_to_end(days: Integers, rho: float) -> Sequenced:
    """Reports that are each an event of its own; the likelihood of states reads no more of them than their number."""
    count = len(days)
    stub = Live("", 0, Report(indicator="", grade=GRADE), rho)
    own = tuple((n,) for n in range(count))
    return Sequenced((stub,) * count, days, np.full(count, rho), np.arange(count), days, own)


def _readings_told(plan: Plan, series: _Series, days: Integers, readings: Floats) -> Looks:
    told = np.empty((len(days), len(plan.study.scenarios), len(readings)))
    for n, day in enumerate(days.tolist()):
        told[n] = series.told(day, readings[:, n]).T
        series.go_on(day, readings[:, n])
    return Looks(days, told)


def _count_told(plan: Plan, likelihood: CountLikelihood, events: Events, runs: int) -> Happenings:
    weight = event_weight(np.array([plan.rho]))
    exposed = np.ones((1, 1))
    if likelihood.model.once:
        exposed = np.ones((plan.length, runs))
        for day, run in zip(events.days.tolist(), events.runs.tolist(), strict=True):
            exposed[day + 1 :, run] = 1.0 - weight
    return Happenings(events, likelihood.model.told(1, weight), likelihood.silence, exposed)
