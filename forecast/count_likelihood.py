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


def event_weight(rho: Floats) -> Floats:
    """w of an event from the weights of its reports, one of each origin.

    With A = prod(rho + (1 - rho)/2) and B = prod((1 - rho)/2), w = (A - B)/(A + B); of one report it is its rho.

    Parameters
    ----------
    rho : float array, shape (..., n)
        In [0, 1); n is at least 1.

    Returns
    -------
    float array, shape (...)

    Examples
    --------
    >>> event_weight(np.array([0.75])), event_weight(np.array([0.5, 0.5])).round(6)
    (np.float64(0.75), np.float64(0.8))
    """
    if rho.shape[-1] == 1:
        return rho[..., 0]
    # Divided by A, so that the products of thousands of reports do not die out together.
    ratio = np.exp((np.log1p(-rho) - np.log1p(rho)).sum(axis=-1))
    return (1.0 - ratio) / (1.0 + ratio)


@dataclass(frozen=True)
class CountModel:
    """The numbers of one count or milestone; M draws of them may be had in leading axes.

    Attributes
    ----------
    rates : float array, shape (..., K)
        Events per year under each scenario.
    prior : float array, shape (..., K)
    silence : str
        `always`, `covered` or `never`: which days expose.
    once : bool
        Whether it happens at most once.
    """

    rates: Floats
    prior: Floats
    silence: str
    once: bool

    def told(self, count: int, weight: Floats) -> Floats:
        """Log likelihood of an event of this weight (...) and count on one day, shape (..., K)."""
        average = np.log((self.prior * self.rates).sum(axis=-1, keepdims=True))
        return count * log_mixture(np.log(self.rates), average, weight[..., None])

    def told_over(self, count: int, weight: Floats, days: int) -> Floats:
        """Log likelihood of a count over a span of days, quiet ones included, shape (..., K)."""
        expected = self.rates * (days / DAYS_PER_YEAR)
        poisson = count * np.log(expected) - expected - math.lgamma(count + 1)
        average = log_sum_exp(np.log(self.prior) + poisson)[..., None]
        return log_mixture(poisson, average, weight[..., None])


@dataclass(frozen=True)
class _Event:
    """One event as its counted reports tell it."""

    day: int
    count: int
    weight: Floats
    span: tuple[int, int] | None


@dataclass(frozen=True)
class CountLikelihood:
    """What the reports and the coverage of one count or milestone say, under every scenario.

    Attributes
    ----------
    model : CountModel
    reports : Sequenced
        R reports.
    rho : float array, shape (..., R)
        Chance that each report carries information; the reports' own, or draws of it.
    detect : float array, shape (T + 1,)
        Of each day, the chance that an event would have been seen by the coverage; 0 where there is none.
    """

    model: CountModel
    reports: Sequenced
    rho: Floats
    detect: Floats

    @cached_property
    def contributions(self) -> Floats:
        """l_r(k), shape (..., R, K): the change each report makes in the log likelihood, given the earlier ones."""
        return self._walk[0]

    @property
    def exposure(self) -> Floats:
        """How much each day exposes besides its reports, in days, shape (T + 1,), or (..., T + 1) of a milestone."""
        return self._walk[1]

    @cached_property
    def silence(self) -> Floats:
        """What each day brings besides its reports, shape (..., T + 1, K)."""
        return -self.exposure[..., None] * (self.model.rates / DAYS_PER_YEAR)[..., None, :]

    @cached_property
    def weight(self) -> float:
        """w of a milestone's event; 0 while there is none, and for a count."""
        last = self.reports.last_counted
        return float(self._event(0, last[0]).weight) if self.model.once and last else 0.0

    def changes_without(self) -> list[Change]:
        """For each report, what the daily log likelihoods would gain had it not been logged; R of them."""
        return [self._change_without(position) for position in range(len(self.reports))]

    def _change_without(self, position: int) -> Change:
        if self.model.once:
            return self.change_to(self.without(position))
        day = self.reports.days[position]
        if self.reports.alone[position] and (self.model.silence != "covered" or self._has_no_span):
            lost = self.contributions[position]
            if self.model.silence == "covered" and self._shares_its_day[position]:
                # Somebody looked that day all the same: the day's exposure stays, whichever report has brought it.
                lost = self._term(self._event(int(self.reports.event[position]), self.reports.counted[position]))
            return Change(np.array([day]), -lost[None])
        near = self._neighbours(position)
        part = CountLikelihood(self.model, self.reports.only(near), self.rho[..., near], self.detect)
        return part.change_to(part.without(int(np.searchsorted(near, position))))

    def change_to(self, other: CountLikelihood) -> Change:
        """What the daily log likelihoods gain when this course is replaced by another of the same indicator."""
        parts = [(other.reports.days, other.contributions), (self.reports.days, -self.contributions)]
        if self.model.once:
            quiet = other.silence - self.silence
            parts.append((np.arange(len(quiet)), quiet))
        return summed(parts, scenarios=self.model.rates.shape[-1])

    @cached_property
    def _has_no_span(self) -> bool:
        return not any(item.report.is_span for item in self.reports.live)

    @cached_property
    def _shares_its_day(self) -> NDArray[np.bool_]:
        """Whether each report's event is one of several of its day, shape (R,)."""
        events = np.bincount(self.reports.event_days, minlength=1)
        return events[self.reports.event_days[self.reports.event]] > 1

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
        rho = np.delete(self.rho, position, axis=-1)
        return CountLikelihood(self.model, self.reports.without(position), rho, self.detect)

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
        return _Event(day, count, event_weight(self.rho[..., list(counted)]), span)

    def _term(self, event: _Event) -> Floats:
        if event.span:
            return self.model.told_over(event.count, event.weight, event.span[1] - event.span[0] + 1)
        return self.model.told(event.count, event.weight)

    @cached_property
    def _walk(self) -> tuple[Floats, Floats]:
        """Contributions (..., R, K), and the exposure that each day itself brings (..., T + 1) or (T + 1,)."""
        rates = self.model.rates / DAYS_PER_YEAR
        watch = _Exposure(self._exposure, covered=self.model.silence == "covered", once=self.model.once)
        told: dict[int, tuple[tuple[int, ...], _Event, Floats]] = {}
        contributions = np.zeros((*rates.shape[:-1], len(self.reports), rates.shape[-1]))
        for position, number in enumerate(self.reports.event.tolist()):
            counted = self.reports.counted[position]
            before = told.get(number)
            if before and before[0] == counted:
                continue
            event = self._event(number, counted)
            exposed = watch.added(before[1] if before else None, event, int(self.reports.days[position]))
            term = self._term(event)
            contributions[..., position, :] = term - exposed[..., None] * rates
            if before:
                contributions[..., position, :] -= before[2]
            told[number] = (counted, event, term)
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

    def added(self, old: _Event | None, new: _Event, day: int) -> Floats:
        """Exposure, in days, that this change of an event adds up to and including `day`; shape (...)."""
        touched = {event.day for event in (old, new) if event}
        spans = [event.span for event in (old, new) if event and event.span]
        far = self._once or bool(spans)
        before = self._sum(day, touched, far)
        if old:
            self._take(old, -1)
        self._take(new, 1)
        if self._once:
            going_on = self._bare[new.day + 1 :] * (1.0 - new.weight[..., None])
            self._now = _spread(self._now, going_on.shape[:-1])
            self._now[..., new.day + 1 :] = going_on
            self.brought = _spread(self.brought, going_on.shape[:-1])
            self.brought[..., day + 1 :] = self._now[..., day + 1 :]
        self._settle(touched, spans)
        return self._sum(day, touched, far) - before

    def _sum(self, day: int, touched: set[int], far: bool) -> Floats:
        """Exposure up to a day, or on the touched days alone where no other can have changed."""
        days = slice(day + 1) if far else sorted(touched)
        return np.asarray(self._now[..., days].sum(axis=-1))

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
            self._now[..., t] = 1.0 if looked else self._bare[t]


def _spread(days: Floats, lead: tuple[int, ...]) -> Floats:
    """A copy of daily values with leading axes, shape (*lead, T + 1)."""
    return np.broadcast_to(days, (*lead, days.shape[-1])).copy()
