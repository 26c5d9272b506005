"""The likelihood of counts and milestones: events arrive at a rate, and quiet days that count say so too (SPEC 4.4).

An event of weight w adds log(w lambda + (1 - w) lbar): with chance 1 - w it is a rumour and comes at the average rate.
A quiet day that counts adds -lambda detect / 365.25. A count over a span is a Poisson count with the quiet days inside.
After a milestone's event its exposure counts with 1 - w only: a rumour does not stop the clock.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from forecast.change import Change, summed
from forecast.events import Sequenced
from forecast.probability import Floats, log_mixture, log_sum_exp
from indicators.days import DAYS_PER_YEAR

__all__ = ["CountLikelihood", "CountModel", "event_weight"]


def event_weight(rho: Sequence[float]) -> float:
    """w of an event from the weights of its reports, one of each origin.

    With A = prod(rho + (1 - rho)/2) and B = prod((1 - rho)/2), w = (A - B)/(A + B); of one report it is its rho.

    Examples
    --------
    >>> event_weight([0.75]), round(event_weight([0.5, 0.5]), 6)
    (0.75, 0.8)
    """
    if len(rho) == 1:
        return rho[0]
    # Divided by A, so that the products of thousands of reports do not die out together.
    informed = math.fsum(math.log1p(r) for r in rho)
    empty = math.fsum(math.log1p(-r) for r in rho)
    ratio = math.exp(empty - informed)
    return (1.0 - ratio) / (1.0 + ratio)


@dataclass(frozen=True)
class CountModel:
    """The numbers of one count or milestone.

    Attributes
    ----------
    rates : float array, shape (K,)
        Events per year under each scenario.
    prior : float array, shape (K,)
    silence : str
        `always`, `covered` or `never`: which days expose.
    once : bool
        Whether it happens at most once.
    """

    rates: Floats
    prior: Floats
    silence: str
    once: bool

    def told(self, count: int, weight: float) -> Floats:
        """Log likelihood of an event of this weight and count on one day, shape (K,)."""
        average = np.log(self.prior @ self.rates)
        return count * log_mixture(np.log(self.rates), average, weight)

    def told_over(self, count: int, weight: float, days: int) -> Floats:
        """Log likelihood of a count over a span of days, quiet ones included, shape (K,)."""
        expected = self.rates * (days / DAYS_PER_YEAR)
        poisson = count * np.log(expected) - expected - math.lgamma(count + 1)
        average = log_sum_exp(np.log(self.prior) + poisson)
        return log_mixture(poisson, average, weight)


@dataclass(frozen=True)
class _Event:
    """One event as its counted reports tell it."""

    day: int
    count: int
    weight: float
    span: tuple[int, int] | None


@dataclass(frozen=True)
class CountLikelihood:
    """What the reports and the coverage of one count or milestone say, under every scenario.

    Attributes
    ----------
    model : CountModel
    reports : Sequenced
        R reports.
    detect : float array, shape (T + 1,)
        Of each day, the chance that an event would have been seen by the coverage; 0 where there is none.
    """

    model: CountModel
    reports: Sequenced
    detect: Floats

    @cached_property
    def contributions(self) -> Floats:
        """l_r(k), shape (R, K): the change each report makes in the log likelihood, given the earlier ones."""
        return self._walk[0]

    @cached_property
    def silence(self) -> Floats:
        """What each day brings besides its reports, shape (T + 1, K)."""
        return -np.outer(self._walk[1], self.model.rates / DAYS_PER_YEAR)

    @cached_property
    def weight(self) -> float:
        """w of a milestone's event; 0 while there is none, and for a count."""
        last = self.reports.last_counted
        return self._event(0, last[0]).weight if self.model.once and last else 0.0

    def changes_without(self) -> list[Change]:
        """For each report, what the daily log likelihoods would gain had it not been logged; R of them."""
        return [self._change_without(position) for position in range(len(self.reports))]

    def _change_without(self, position: int) -> Change:
        if self.model.once:
            return self.change_to(self.without(position))
        day = self.reports.days[position]
        if self.reports.alone[position] and (self.model.silence != "covered" or self._shares_no_day[position]):
            return Change(np.array([day]), -self.contributions[position : position + 1])
        near = self._neighbours(position)
        part = CountLikelihood(self.model, self.reports.only(near), self.detect)
        return part.change_to(part.without(int(np.searchsorted(near, position))))

    def change_to(self, other: CountLikelihood) -> Change:
        """What the daily log likelihoods gain when this course is replaced by another of the same indicator."""
        parts = [(other.reports.days, other.contributions), (self.reports.days, -self.contributions)]
        if self.model.once:
            quiet = other.silence - self.silence
            parts.append((np.arange(len(quiet)), quiet))
        return summed(parts, scenarios=len(self.model.rates))

    @cached_property
    def _shares_no_day(self) -> NDArray[np.bool_]:
        """Whether each report's event is the only one of its day, in an indicator without spans; shape (R,)."""
        if any(item.report.is_span for item in self.reports.live):
            return np.zeros(len(self.reports), dtype=bool)
        events = np.bincount(self.reports.event_days, minlength=1)
        return events[self.reports.event_days[self.reports.event]] == 1

    def _neighbours(self, position: int) -> NDArray[np.int64]:
        """Positions of the reports whose exposure can hang together with that of this report's event, in order.

        Those of events that have a report on a day of this one, or inside its span, or a span around it.
        """
        first, last = self._reach
        mine = self.reports.event == self.reports.event[position]
        low, high = first[mine].min(), last[mine].max()
        near = np.unique(self.reports.event[(first <= high) & (last >= low)])
        return np.flatnonzero(np.isin(self.reports.event, near))

    @cached_property
    def _reach(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First and last day that each report touches, each of shape (R,)."""
        lengths = [
            (r.to - r.from_).days if r.to and r.from_ else 0 for r in (item.report for item in self.reports.live)
        ]
        return self.reports.days - np.array(lengths, dtype=np.int64), self.reports.days

    def without(self, position: int) -> CountLikelihood:
        """The same indicator had one of its reports not been logged."""
        return CountLikelihood(self.model, self.reports.without(position), self.detect)

    @property
    def _exposure(self) -> Floats:
        """Of each day, how much a quiet day counts before any report is in."""
        if self.model.silence == "always":
            return np.ones_like(self.detect)
        return self.detect if self.model.silence == "covered" else np.zeros_like(self.detect)

    def _event(self, number: int, counted: Sequence[int]) -> _Event:
        reports = self.reports
        best = max(counted, key=lambda i: (reports.rho[i], -i))
        report = reports.live[best].report
        day, span = int(reports.event_days[number]), None
        if report.from_ and report.to:
            last = int(reports.days[best])
            span = (last - (report.to - report.from_).days, last)
        count = 1 if report.count is None else report.count
        return _Event(day, count, event_weight([float(reports.rho[i]) for i in counted]), span)

    def _term(self, event: _Event) -> Floats:
        if event.span:
            return self.model.told_over(event.count, event.weight, event.span[1] - event.span[0] + 1)
        return self.model.told(event.count, event.weight)

    @cached_property
    def _walk(self) -> tuple[Floats, Floats]:
        """Contributions (R, K), and the exposure that each day itself brings (T + 1,)."""
        watch = _Exposure(self._exposure, covered=self.model.silence == "covered", once=self.model.once)
        events: dict[int, _Event] = {}
        told: dict[int, Floats] = {}
        contributions = np.empty((len(self.reports), len(self.model.rates)))
        for position, number in enumerate(self.reports.event.tolist()):
            event = self._event(number, self.reports.counted[position])
            if event == events.get(number):
                contributions[position] = 0.0
                continue
            exposed = watch.added(events.get(number), event, int(self.reports.days[position]))
            term = self._term(event)
            contributions[position] = term - told.get(number, 0.0) - exposed * self.model.rates / DAYS_PER_YEAR
            events[number], told[number] = event, term
        return contributions, watch.brought


class _Exposure:
    """Which days expose, as reports come in.

    `brought` is what each day brings by itself, known from the reports before it. What a report adds to the days up
    to its own (its day becomes one on which somebody looked, its span takes days over, a better witness stops the
    clock sooner) is part of that report's contribution.
    """

    def __init__(self, bare: Floats, *, covered: bool, once: bool) -> None:
        self.brought = bare.copy()
        self._now = bare.copy()  # exposure of each day, all reports so far told
        self._bare = bare
        self._covered, self._once = covered, once
        self._looked: dict[int, int] = {}  # events told by day, on each day
        self._spans: list[tuple[int, int]] = []

    def added(self, old: _Event | None, new: _Event, day: int) -> float:
        """Exposure, in days, that this change of an event adds up to and including `day`."""
        touched = {event.day for event in (old, new) if event}
        spans = [event.span for event in (old, new) if event and event.span]
        before = float(self._now[: day + 1].sum()) if (self._once or spans) else sum(self._now[t] for t in touched)
        if old:
            self._take(old, -1)
        self._take(new, 1)
        if self._once:
            later = slice(new.day + 1, None)
            self._now[later] = self._bare[later] * (1.0 - new.weight)
            self.brought[day + 1 :] = self._now[day + 1 :]
        self._settle(touched, spans)
        after = float(self._now[: day + 1].sum()) if (self._once or spans) else sum(self._now[t] for t in touched)
        return after - before

    def _take(self, event: _Event, sign: int) -> None:
        if event.span:
            if sign > 0:
                self._spans.append(event.span)
            else:
                self._spans.remove(event.span)
        else:
            self._looked[event.day] = self._looked.get(event.day, 0) + sign

    def _settle(self, days: set[int], spans: list[tuple[int, int]]) -> None:
        """Work out anew the exposure of days that an event was told for, or that a span covers."""
        if not self._covered:
            return
        for first, last in spans:
            days = days | {t for t in self._looked if first <= t <= last}
        for t in days:
            spanned = any(first <= t <= last for first, last in self._spans)
            looked = self._looked.get(t, 0) > 0 and self._bare[t] == 0.0 and not spanned
            self._now[t] = 1.0 if looked else self._bare[t]
