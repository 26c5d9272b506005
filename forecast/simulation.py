"""A study's log as it would be if one scenario were true and everybody looked as planned, many times over.

What would be seen is drawn from the numbers of the engine's own models: true states and readings last and are drawn
anew as SPEC 4.3 and 4.5 have it, events come at the scenario's rate, and every report has the grade B2. What the logs
say is then asked of the engine's own likelihoods. The trick for states: the looks of all runs are laid end to end as
one long log, with so long a gap between two runs that nothing of the one is left in the next.

Looks fall on every `check_every` (30 days where none is set) after the first day. Covered silence is taken as covered
on every day, and an event is an event of its own. The scenario is held true to the horizon, with drift too. A retired
indicator is not looked at, and its silence does not count. Nothing here knows what the reports do to the probabilities.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from forecast.count_likelihood import CountLikelihood, event_weight
from forecast.events import Live, Sequenced, sequenced
from forecast.likelihood import Likelihood, family_order, likelihoods
from forecast.measure_likelihood import MeasureLikelihood
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
    """

    study: Study

    @cached_property
    def models(self) -> dict[str, Likelihood]:
        """The engine's likelihood of every indicator with nothing logged and every day covered, in file order."""
        opens, horizon = self.study.opens, self.study.horizon
        coverage = {i: [Coverage(indicator=i, from_=opens, to=horizon, detect=1.0)] for i in self.study.by_id}
        return likelihoods(self.study, {}, coverage, as_of=horizon)

    @cached_property
    def active(self) -> list[str]:
        """Ids of the indicators that are not retired, in file order."""
        return [i for i, indicator in self.study.by_id.items() if not indicator.retired]

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
        indicator = self.study.by_id[indicator_id]
        if indicator.retired:
            return np.empty(0, dtype=np.int64)
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
    """What n runs log under one scenario, by indicator id; the retired ones are missing.

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
    for indicator_id in plan.active:
        likelihood, looks = plan.models[indicator_id], plan.looks(indicator_id)
        if isinstance(likelihood, StateLikelihood):
            states[indicator_id] = _blurred(courses[indicator_id].on(looks), likelihood, plan.rho, rng)
        elif isinstance(likelihood, MeasureLikelihood):
            readings[indicator_id] = _readings(plan, likelihood, truth, looks, runs, rng)
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


def _readings(
    plan: Plan, likelihood: MeasureLikelihood, truth: int, days: Integers, runs: int, rng: np.random.Generator
) -> Floats:
    """Readings on each look, shape (n, N): with chance rho what is to be expected under the truth, else anything."""
    model = likelihood.model
    readings: NDArray[Any] = np.empty((runs, len(days)))
    last: tuple[int, Any] | None = None
    trusted = _is_trusted(plan, likelihood)
    for n, day in enumerate(days.tolist()):
        mean, variance = model.expected(last, day)
        informed = rng.normal(mean[..., truth], np.sqrt(variance[truth]), runs)
        other = _draws(np.broadcast_to(model.prior, (runs, len(model.prior))), rng)
        readings[:, n] = np.where(
            rng.random(runs) < plan.rho, informed, rng.normal(model.means[other], model.deviations[other])
        )
        last = (day, readings[:, n, None]) if trusted else None
    return readings


def _is_trusted(plan: Plan, likelihood: MeasureLikelihood) -> bool:
    """Whether the engine leans on a simulated reading when it expects the next."""
    day = plan.study.opens
    one = sequenced([Live("", 0, Report(indicator="", observed=day, value=0.0), plan.rho)], opens=day, as_of=day)
    return MeasureLikelihood(likelihood.model, one, one.rho).last_trusted is not None


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
        elif isinstance(likelihood, MeasureLikelihood):
            found[indicator_id] = _measure_told(plan, likelihood, looks, logs.readings[indicator_id])
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


def _measure_told(plan: Plan, likelihood: MeasureLikelihood, days: Integers, readings: Floats) -> Looks:
    """Reading by reading, all runs at once: the model's arithmetic is elementwise in the reading."""
    model = likelihood.model
    trusted = _is_trusted(plan, likelihood)
    log_likelihoods = np.empty((len(days), len(model.means), len(readings)))
    last: tuple[int, Any] | None = None
    for n, day in enumerate(days.tolist()):
        reading: Any = readings[:, n, None]
        log_likelihoods[n] = model.told(reading, np.array(plan.rho), last, day).T
        last = (day, reading) if trusted else None
    return Looks(days, log_likelihoods)


def _count_told(plan: Plan, likelihood: CountLikelihood, events: Events, runs: int) -> Happenings:
    weight = event_weight(np.array([plan.rho]))
    exposed = np.ones((1, 1))
    if likelihood.model.once:
        exposed = np.ones((plan.length, runs))
        for day, run in zip(events.days.tolist(), events.runs.tolist(), strict=True):
            exposed[day + 1 :, run] = 1.0 - weight
    return Happenings(events, likelihood.model.told(1, weight), likelihood.silence, exposed)
