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
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from forecast.count_likelihood import CountLikelihood, event_weight
from forecast.events import Live, Sequenced
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

__all__ = ["GRADE", "Happenings", "Logs", "Looks", "Plan", "Told", "simulated", "told"]

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
        every = math.ceil(duration_days(indicator.check_every) if indicator.check_every else _NEXT_DAYS)
        return np.arange(0 if indicator.retired else every, 0 if indicator.retired else self.length, every)


@dataclass(frozen=True)
class Logs:
    """What n runs log under one scenario, by indicator id; the retired ones are missing.

    Attributes
    ----------
    states : dict of str to int array, shape (n, N)
        Position of the state reported on each of N looks.
    readings : dict of str to float array, shape (n, N)
    events : dict of str to int array, shape (n, T + 1)
        How many events are reported on each day; each is an event of its own.
    """

    states: dict[str, Integers]
    readings: dict[str, Floats]
    events: dict[str, Integers]


def simulated(plan: Plan, truth: int, *, runs: int, rng: np.random.Generator) -> Logs:
    """Draw what would be logged if scenario number `truth` were true from the first day to the horizon."""
    states: dict[str, Integers] = {}
    readings: dict[str, Floats] = {}
    events: dict[str, Integers] = {}
    true_states = _true_states(plan, truth, runs, rng)
    for indicator_id in plan.active:
        model = plan.models[indicator_id]
        if isinstance(model, StateLikelihood):
            actual = true_states[indicator_id][:, plan.looks(indicator_id)]
            heard = _draws(np.broadcast_to(model.model.uninformed, (*actual.shape, model.model.rows.shape[-1])), rng)
            states[indicator_id] = np.where(rng.random(actual.shape) < plan.rho, actual, heard)
        elif isinstance(model, MeasureLikelihood):
            readings[indicator_id] = _readings(plan, model, truth, plan.looks(indicator_id), runs, rng)
        else:
            events[indicator_id] = _events(model, truth, (runs, plan.length), rng)
    return Logs(states, readings, events)


def _true_states(plan: Plan, truth: int, runs: int, rng: np.random.Generator) -> dict[str, Integers]:
    """The true state of every state indicator by day, shape (n, T + 1); -1 on days on which nobody asks for it.

    One that others are given by is asked for whenever one of them is looked at.
    """
    found: dict[str, Integers] = {}
    for indicator_id in family_order(plan.study):
        likelihood, indicator = plan.models[indicator_id], plan.study.by_id[indicator_id]
        if isinstance(likelihood, StateLikelihood) and isinstance(indicator, StateIndicator):
            family = [indicator_id, *plan.study.children_of(indicator_id)]
            days = np.unique(np.concatenate([plan.looks(name) for name in family]))
            stay = likelihood.model.stay(np.diff(days, prepend=0))
            chain = np.full((runs, plan.length), -1)
            before: Integers | None = None
            for day, chance in zip(days.tolist(), stay.tolist(), strict=True):
                other = found[indicator.given][:, day] if indicator.given else np.zeros(runs, dtype=np.int64)
                anew = _draws(likelihood.model.rows[truth][other], rng)
                before = anew if before is None else np.where(rng.random(runs) < chance, before, anew)
                chain[:, day] = before
            found[indicator_id] = chain
    return found


def _readings(
    plan: Plan, likelihood: MeasureLikelihood, truth: int, days: Integers, runs: int, rng: np.random.Generator
) -> Floats:
    """Readings on each look, shape (n, N): with chance rho what is to be expected under the truth, else anything."""
    model = likelihood.model
    readings: NDArray[Any] = np.empty((runs, len(days)))
    last: tuple[int, Any] | None = None
    trusted = _is_trusted(likelihood, plan.rho)
    for n, day in enumerate(days.tolist()):
        mean, variance = model.expected(last, day)
        informed = rng.normal(mean[..., truth], np.sqrt(variance[truth]), runs)
        other = _draws(np.broadcast_to(model.prior, (runs, len(model.prior))), rng)
        readings[:, n] = np.where(
            rng.random(runs) < plan.rho, informed, rng.normal(model.means[other], model.deviations[other])
        )
        last = (day, readings[:, n, None]) if trusted else None
    return readings


def _is_trusted(likelihood: MeasureLikelihood, rho: float) -> bool:
    """Whether the engine leans on a reading of this weight when it expects the next."""
    one = _end_to_end(np.zeros(1, dtype=np.int64), rho)
    stub = one.live[0]._replace(report=Report(indicator="", value=0.0))
    reading = Sequenced((stub,), one.days, one.rho, one.event, one.event_days, one.counted)
    return MeasureLikelihood(likelihood.model, reading, reading.rho).last_trusted is not None


def _events(likelihood: CountLikelihood, truth: int, shape: tuple[int, int], rng: np.random.Generator) -> Integers:
    """How many events are reported on each day, shape (n, T + 1); of a milestone's only the first."""
    daily = rng.poisson(likelihood.model.rates[truth] / DAYS_PER_YEAR, shape)
    if likelihood.model.once:
        happened = daily > 0
        return (happened & (np.cumsum(happened, axis=1) == 1)).astype(np.int64)
    return daily


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
    silence : float array, shape (T + 1, K)
        Of each day, as long as no milestone is reached.
    stopped : int array, shape (n,) or None
        The last day on which a milestone's silence counts in full; None for counts.
    weight : float
        Of an event.
    days, runs, numbers : int arrays, shape (E,)
        Where events were reported, and how many.
    log_likelihood : float array, shape (K,)
        Of one event.
    """

    silence: Floats
    stopped: Integers | None
    weight: float
    days: Integers
    runs: Integers
    numbers: Integers
    log_likelihood: Floats

    def add_to(self, daily: Floats, times: float = 1.0) -> None:
        """Add it, so many times, to daily log likelihoods of shape (T + 1, K, n), in place."""
        if self.silence.any():
            silence = times * self.silence[:, :, None]
            if self.stopped is not None:
                over = np.arange(len(daily))[:, None] > self.stopped
                silence = silence * np.where(over, 1.0 - self.weight, 1.0)[:, None, :]
            daily += silence
        daily[self.days, :, self.runs] += times * self.numbers[:, None] * self.log_likelihood


Told: TypeAlias = Looks | Happenings


def told(plan: Plan, logs: Logs) -> dict[str, Told]:
    """What the logs of n runs say under every scenario, by indicator id, by the engine's likelihoods."""
    found: dict[str, Told] = {}
    chains: dict[str, StateLikelihood] = {}
    for indicator_id in family_order(plan.study):
        likelihood = plan.models[indicator_id]
        if isinstance(likelihood, StateLikelihood):
            chains[indicator_id] = _chain_of(plan, indicator_id, likelihood, logs.states, chains)
            if indicator_id in logs.states:
                found[indicator_id] = _state_told(plan, indicator_id, chains[indicator_id], logs.states[indicator_id])
        elif indicator_id in logs.readings and isinstance(likelihood, MeasureLikelihood):
            days = plan.looks(indicator_id)
            found[indicator_id] = _measure_told(plan, likelihood, days, logs.readings[indicator_id])
        elif indicator_id in logs.events and isinstance(likelihood, CountLikelihood):
            found[indicator_id] = _count_told(plan, likelihood, logs.events[indicator_id])
    return {indicator_id: found[indicator_id] for indicator_id in plan.active}


def _chain_of(
    plan: Plan,
    indicator_id: str,
    likelihood: StateLikelihood,
    states: Mapping[str, Integers],
    chains: Mapping[str, StateLikelihood],
) -> StateLikelihood:
    """The likelihood of one state indicator with the looks of all runs end to end."""
    indicator = plan.study.by_id[indicator_id]
    assert isinstance(indicator, StateIndicator)
    parent = chains[indicator.given] if indicator.given else None
    logged = states.get(indicator_id)
    if logged is None:
        return StateLikelihood(likelihood.model, likelihood.reports, likelihood.states, likelihood.rho, parent)
    starts = np.arange(len(logged)) * _stride(plan)
    reports = _end_to_end((starts[:, None] + plan.looks(indicator_id)).ravel(), plan.rho)
    return StateLikelihood(likelihood.model, reports, logged.ravel(), reports.rho, parent)


def _stride(plan: Plan) -> int:
    """Days from the start of one run to that of the next, the same for all indicators of a study."""
    models = [found.model for found in plan.models.values() if isinstance(found, StateLikelihood)]
    longest = max((model.persistence_days or 0.0 for model in models), default=0.0)
    return plan.length + math.ceil(_FORGOTTEN * longest)


def _end_to_end(days: Integers, rho: float) -> Sequenced:
    """Reports that are each an event of its own; the likelihoods of states read no more of them than their number."""
    count = len(days)
    own = np.arange(count)
    stub = Live("", 0, Report(indicator="", grade=GRADE), rho)
    return Sequenced((stub,) * count, days, np.full(count, rho), own, days, tuple((n,) for n in range(count)))


def _state_told(plan: Plan, indicator_id: str, chain: StateLikelihood, logged: Integers) -> Looks:
    by_run = chain.contributions.reshape(*logged.shape, len(plan.study.scenarios))
    return Looks(plan.looks(indicator_id), np.moveaxis(by_run, 0, -1))


def _measure_told(plan: Plan, likelihood: MeasureLikelihood, days: Integers, readings: NDArray[Any]) -> Looks:
    model = likelihood.model
    rho = np.array(plan.rho)
    trusted = _is_trusted(likelihood, plan.rho)
    log_likelihoods = np.empty((len(days), len(model.means), len(readings)))
    last: tuple[int, Any] | None = None
    for n, day in enumerate(days.tolist()):
        log_likelihoods[n] = model.told(readings[:, n, None], rho, last, day).T
        last = (day, readings[:, n, None]) if trusted else None
    return Looks(days, log_likelihoods)


def _count_told(plan: Plan, likelihood: CountLikelihood, events: Integers) -> Happenings:
    weight = event_weight(np.array([plan.rho]))
    runs, days = np.nonzero(events)
    stopped = None
    if likelihood.model.once:
        stopped = np.where(events.any(axis=1), events.argmax(axis=1), plan.length)
    return Happenings(
        silence=likelihood.silence,
        stopped=stopped,
        weight=float(weight),
        days=days,
        runs=runs,
        numbers=events[runs, days],
        log_likelihood=likelihood.model.told(1, weight),
    )


def plain_reports(plan: Plan, logs: Logs, run: int) -> list[dict[str, Any]]:
    """The log of one run as the records of SPEC 3 that a person would have typed."""
    reports: list[dict[str, Any]] = []

    def add(indicator_id: str, day: int, **said: Any) -> None:
        observed = (plan.study.opens + timedelta(days=day)).isoformat()
        reports.append({"indicator": indicator_id, "observed": observed, "grade": GRADE, **said})

    return reports
