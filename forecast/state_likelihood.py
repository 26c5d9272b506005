"""The likelihood of a state indicator: reports blur a true state that lasts for a while (SPEC 4.3).

A report of x is right about the true state with chance rho, and otherwise says what such reports say anyway, q(x). The
reports of one event multiply. Under each scenario the true state is a chain from event to event, which is the recursion
of `bayes` once more; where the indicator is given by another, what it is drawn anew from moves with the other's belief.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from forecast.bayes import filtered
from forecast.change import Change, Changes, consecutive, summed
from forecast.events import Sequenced
from forecast.probability import Floats, log_or_minus_infinity, log_sum_exp, normalised

__all__ = ["StateLikelihood", "StateModel"]

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class StateModel:
    """The numbers of one state indicator; M draws of them may be had in leading axes.

    Attributes
    ----------
    rows : float array, shape (..., K, U, S)
        P(state | scenario, state of the other indicator); U is 1 where no other is given.
    prior : float array, shape (..., K)
    persistence_days : float or None
        None means that every event is a new draw.
    """

    rows: Floats
    prior: Floats
    persistence_days: float | None

    @property
    def drawn(self) -> bool:
        """Whether these are M draws, in one leading axis."""
        return self.rows.ndim > 3

    @cached_property
    def uninformed(self) -> Floats:
        """q, shape (..., S): what a report without information says."""
        return np.einsum("...k,...ks->...s", self.prior, self.rows.mean(axis=-2))

    def stay(self, gaps: Integers) -> Floats:
        """phi for gaps in days: the chance that the state has stayed for so long."""
        if self.persistence_days is None:
            return np.zeros(len(gaps))
        return np.exp(-gaps / self.persistence_days)


@dataclass(frozen=True)
class StateLikelihood:
    """What the reports of one state indicator say, under every scenario.

    Attributes
    ----------
    model : StateModel
    reports : Sequenced
        R reports in E events.
    states : int array, shape (R,)
        The position of each reported state.
    rho : float array, shape (..., R)
        Chance that each report carries information; the reports' own, or draws of it.
    parent : StateLikelihood or None
        Of the indicator that this one is given by.
    """

    model: StateModel
    reports: Sequenced
    states: Integers
    rho: Floats
    parent: StateLikelihood | None = None

    @cached_property
    def contributions(self) -> Floats:
        """l_r(k), shape (..., R, K): the change each report makes in the log likelihood, given the earlier ones."""
        return _DrawnPass(self).contributions() if self.model.drawn else self._pass[0]

    @cached_property
    def _beliefs(self) -> tuple[Floats, Integers]:
        """After each report: belief about the last event's state, shape (..., R, K, S), and its day, shape (R,)."""
        if self.model.drawn:
            return _DrawnPass(self).beliefs(), self.reports.event_days[np.maximum.accumulate(self.reports.event)]
        return self._pass[1], self._pass[2]

    @cached_property
    def foretold(self) -> Floats:
        """P(true state of each report's event | scenario, the reports before it), shape (..., R, K, S).

        What the report then says has the log likelihood log sum_s foretold(s) P(report | s), which is its contribution
        but where it takes the place of a weaker report of its origin.
        """
        walk = _Foretelling(self)
        walk.run()
        return walk.foretold

    @cached_property
    def openings(self) -> NDArray[np.bool_]:
        """Whether each report is the first of its event, shape (R,)."""
        seen = np.concatenate([[-1], np.maximum.accumulate(self.reports.event)[:-1]])
        return self.reports.event > seen

    def base_on(self, days: Integers) -> Floats:
        """What the state is drawn anew from on given days, shape (..., K, N, S): the rows, mixed over the other's."""
        rows = self.model.rows
        if self.parent is None:
            return np.broadcast_to(rows, (*rows.shape[:-2], len(days), rows.shape[-1]))
        return np.einsum("...knu,...kus->...kns", self.parent.belief_on(days), rows)

    def belief_on(self, days: Integers) -> Floats:
        """P(state on a day | scenario, reports dated up to it), shape (..., K, N, S), carried forward to the day."""
        base = self.base_on(days)
        if not len(self.reports):
            return base
        last = self.reports.days.searchsorted(days, side="right") - 1
        beliefs, event_days = self._beliefs
        stay = self.model.stay(np.maximum(days - event_days[last], 0))
        stay = np.where(last >= 0, stay, 0.0)[:, None]
        held = beliefs[..., last, :, :].swapaxes(-3, -2)
        return stay * held + (1.0 - stay) * base

    def changes_without(self) -> Changes:
        """For each report, what the daily log likelihoods would gain had it not been logged; R of them.

        Indicators given by this one are not looked at.
        """
        alone, others = np.flatnonzero(self.reports.alone), np.flatnonzero(~self.reports.alone)
        quick = self._changes_without_lone(alone)
        if quick is None:
            alone, others = alone[:0], np.arange(len(self.reports))
            quick = Changes.of([], scenarios=self.model.prior.shape[-1])
        if not len(others):
            return quick
        slow = Changes.of((self._change_without(r) for r in others.tolist()), scenarios=quick.added.shape[-1])
        return Changes.joined([quick, slow]).taken(np.argsort(np.concatenate([alone, others])))

    def _changes_without_lone(self, alone: Integers) -> Changes | None:
        """The change for each report that is alone in its event, all at once; None where that cannot be had."""
        if self.model.persistence_days is None:
            return Changes(self.reports.days[alone], -self.contributions[alone], np.arange(len(alone) + 1))
        return None if self.reports.has_late else _Removals(self).changes(alone)

    def _change_without(self, position: int) -> Change:
        """The change for one report: told again without it, which for a copy that never counts is nothing new."""
        if position not in self.reports.counted[position]:
            return summed([], scenarios=self.model.prior.shape[-1])
        if self.model.persistence_days is not None:
            return self.change_to(self.without(position))
        near, part = self._shared_events[int(self.reports.event[position])]
        return part.change_to(part.without(int(np.searchsorted(near, position))))

    @cached_property
    def _shared_events(self) -> dict[int, tuple[Integers, StateLikelihood]]:
        """Of each event of several reports: their positions, and the same indicator had it no others.

        Without a persistence no event leans on another, so that is all there is to tell again.
        """
        found = {}
        for number in np.unique(self.reports.event[~self.reports.alone]).tolist():
            near = np.flatnonzero(self.reports.event == number)
            reports = self.reports.only(near)
            found[number] = near, replace(self, reports=reports, states=self.states[near], rho=self.rho[..., near])
        return found

    def change_to(self, other: StateLikelihood) -> Change:
        """What the daily log likelihoods gain when this course is replaced by another of the same indicator."""
        parts = [(other.reports.days, other.contributions), (self.reports.days, -self.contributions)]
        return summed(parts, scenarios=self.model.prior.shape[-1])

    def without(self, position: int) -> StateLikelihood:
        """The same indicator had one of its reports not been logged."""
        states, rho = np.delete(self.states, position), np.delete(self.rho, position, axis=-1)
        return replace(self, reports=self.reports.without(position), states=states, rho=rho)

    def given_by(self, parent: StateLikelihood) -> StateLikelihood:
        """The same indicator with another course of the one it is given by."""
        return replace(self, parent=parent)

    @cached_property
    def _spoken(self) -> Floats:
        """log P(report | true state), shape (..., R, S)."""
        heard = (1.0 - self.rho) * self.model.uninformed[..., self.states]
        chance = np.repeat(heard[..., None], self.model.rows.shape[-1], axis=-1)
        chance[..., np.arange(len(self.states)), self.states] += self.rho
        return np.log(chance)

    def _emission(self, counted: Sequence[int]) -> Floats:
        """log P(all counted reports of one event | true state), shape (..., S)."""
        return self._spoken[..., list(counted), :].sum(axis=-2)

    @cached_property
    def emissions(self) -> tuple[Floats, Floats]:
        """Of each report's event after it and before it, each of shape (..., R, S); zeros before its first report."""
        after = self._spoken.copy()
        before = np.zeros_like(after)
        latest: dict[int, int] = {}
        for position, number in enumerate(self.reports.event.tolist()):
            if number in latest:
                before[..., position, :] = after[..., latest[number], :]
                after[..., position, :] = self._emission(self.reports.counted[position])
            latest[number] = position
        return after, before

    @cached_property
    def _pass(self) -> tuple[Floats, Floats, Integers]:
        """Contributions (..., R, K), belief about the last event after each report (..., R, K, S), its day (R,)."""
        return _Pass(self).run()


class _Pass:
    """One walk through the reports, in runs that the recursion can take at once.

    A run ends where a report joins an event that is no longer the last: the chain behind it must then be told again.
    """

    def __init__(self, likelihood: StateLikelihood) -> None:
        reports = likelihood.reports
        self.event = reports.event
        self.event_days = reports.event_days
        self.base = likelihood.base_on(reports.event_days)
        self.stay = likelihood.model.stay(np.diff(reports.event_days, prepend=0))
        self.opens = likelihood.openings
        self.after, self.before = likelihood.emissions
        *lead, K, E, S = self.base.shape
        R = len(reports)
        self.told = np.zeros((*lead, E, S))  # emission of each event, as far as told
        self.predicted = np.empty((*lead, K, E, S))
        self.belief = np.empty((*lead, K, E, S))
        self.normalisers = np.empty((*lead, K, E))
        self.contributions = np.empty((*lead, R, K))
        self.beliefs = np.empty((*lead, R, K, S))

    def run(self) -> tuple[Floats, Floats, Integers]:
        """Walk all the runs."""
        newest = np.maximum.accumulate(self.event) if len(self.event) else self.event
        late = np.flatnonzero(self.event < newest)
        start = 0
        for position in [*late.tolist(), len(self.event)]:
            self._take(start, position)
            if position < len(self.event):
                self._join(position, int(newest[position]))
            start = position + 1
        return self.contributions, self.beliefs, self.event_days[newest]

    def _take(self, start: int, stop: int) -> None:
        """Reports that open an event or join the last one."""
        if start == stop:
            return
        events = self.event[start:stop]
        chosen = slice(start, stop)
        self.told[..., events, :] = self.after[..., chosen, :]
        self._tell(int(events[0]), int(events[-1]))
        log_here = log_or_minus_infinity(self.predicted[..., events, :])
        joint = log_here + self.after[..., None, chosen, :]
        after = log_sum_exp(joint)
        before = np.where(self.opens[chosen], 0.0, log_sum_exp(log_here + self.before[..., None, chosen, :]))
        self.contributions[..., chosen, :] = np.moveaxis(after - before, -1, -2)
        self.beliefs[..., chosen, :, :] = np.moveaxis(np.exp(joint - after[..., None]), -2, -3)

    def _join(self, position: int, newest: int) -> None:
        """A report that joins an event behind the last: its log likelihood and all later ones change."""
        number = int(self.event[position])
        chosen = slice(number, newest + 1)
        old = self.normalisers[..., chosen].sum(axis=-1)
        self.told[..., number, :] = self.after[..., position, :]
        self._tell(number, newest)
        self.contributions[..., position, :] = self.normalisers[..., chosen].sum(axis=-1) - old
        self.beliefs[..., position, :, :] = self.belief[..., newest, :]

    def _tell(self, first: int, last: int) -> None:
        """Run the chain from one event to another, from the belief before the first."""
        chosen = slice(first, last + 1)
        base = self.base[..., chosen, :]
        if first:
            stay = self.stay[first]
            start = stay * self.belief[..., first - 1, :] + (1.0 - stay) * base[..., 0, :]
            base = np.concatenate([start[..., None, :], base[..., 1:, :]], axis=-2)
        chain = filtered(base, self.stay[chosen], self.told[..., None, chosen, :])
        self.predicted[..., chosen, :] = np.exp(chain.log_predicted)
        self.belief[..., chosen, :] = np.exp(chain.log_filtered)
        self.normalisers[..., chosen] = chain.log_normalisers


class _Foretelling(_Pass):
    """The same walk, noting what was to be expected of each report's event just before the report."""

    def __init__(self, likelihood: StateLikelihood) -> None:
        super().__init__(likelihood)
        self.foretold = np.empty_like(self.beliefs)

    def _take(self, start: int, stop: int) -> None:
        super()._take(start, stop)
        here = log_or_minus_infinity(self.predicted[..., self.event[start:stop], :])
        weights = here + self.before[..., None, start:stop, :]
        self.foretold[..., start:stop, :, :] = np.moveaxis(normalised(weights), -2, -3)

    def _join(self, position: int, newest: int) -> None:
        number = int(self.event[position])
        here = log_or_minus_infinity(self.predicted[..., number, :]) + self.told[..., None, number, :]
        self.foretold[..., position, :, :] = normalised(here + self._worth(number, newest))
        super()._join(position, newest)

    def _worth(self, number: int, newest: int) -> Floats:
        """log P(the events told after this one | its true state), shape (..., K, S)."""
        later = slice(number + 1, newest + 1)
        size = self.told.shape[-1]
        base = np.repeat(self.base[..., None, later, :], size, axis=-3)  # one chain for each state it may start in
        stay = self.stay[number + 1]
        base[..., 0, :] = stay * np.eye(size) + (1.0 - stay) * base[..., 0, :]
        chain = filtered(base, self.stay[later], self.told[..., None, None, later, :])
        return chain.log_normalisers.sum(axis=-1)


class _Told(NamedTuple):
    """One event in a walk for M draws."""

    emission: Floats  # P(its reports | its state), (S, M)
    scale: Floats | float  # log of what that is divided by
    joint: Floats  # P(its reports, its state | earlier events), (K, S, M), divided likewise
    total: Floats  # the sum over the states, (K, M)
    log_total: Floats  # its log, not divided


class _DrawnPass:
    """The walk for M draws at once: so wide that a plain step for each event is as fast as memory goes.

    Draws lie in the last axis. A report tells its event, or tells it anew, and with it the chain up to the newest.
    """

    def __init__(self, likelihood: StateLikelihood) -> None:
        reports, model = likelihood.reports, likelihood.model
        self.reports = reports
        self.events = reports.event.tolist()
        to_come = np.minimum.accumulate([*self.events[1:], len(reports.event_days)][::-1])[::-1]
        self.needed = (to_come - 1).tolist()
        self.stay = model.stay(np.diff(reports.event_days, prepend=0)).tolist()
        base = model.rows if likelihood.parent is None else likelihood.base_on(reports.event_days)
        self.base = np.ascontiguousarray(base.transpose(2, 1, 3, 0))  # (E or 1, K, S, M)
        self.spoken = _spoken_by_draw(likelihood)
        self.first = 0
        self.told: list[_Told] = []  # events from the first that a later report still leans on

    def contributions(self) -> Floats:
        """Shape (M, R, K)."""
        K, _, M = self.base.shape[1:]
        contributions = np.empty((len(self.reports), K, M))
        for position in range(len(self.reports)):
            contributions[position] = self._take(position)
        return contributions.transpose(2, 0, 1)

    def beliefs(self) -> Floats:
        """Belief about the last event's state after each report, shape (M, R, K, S)."""
        beliefs = np.empty((len(self.reports), *self.base.shape[1:]))
        for position in range(len(self.reports)):
            self._take(position)
            beliefs[position] = self.told[-1].joint / self.told[-1].total[:, None]
        return beliefs.transpose(3, 0, 1, 2)

    def _take(self, position: int) -> Floats:
        """Tell of one report; the change it makes in the log likelihood, shape (K, M)."""
        at = self.events[position] - self.first
        old = self.told[at:]
        del self.told[at:]
        gained = self._tell(*self._emission(self.reports.counted[position]))
        for event in old[1:]:
            gained = gained + self._tell(event.emission, event.scale)
        for event in old:
            gained = gained - event.log_total
        self._forget(self.needed[position])
        return gained

    def _forget(self, number: int) -> None:
        """Let go of the events before this one."""
        if number > self.first:
            del self.told[: number - self.first]
            self.first = number

    def _tell(self, emission: Floats, scale: Floats | float) -> Floats:
        """Add an event to the end of the chain; its log likelihood, shape (K, M)."""
        number = self.first + len(self.told)
        base = self.base[number if len(self.base) > 1 else 0]
        stay = self.stay[number] if number else 0.0
        if stay:
            last = self.told[-1]
            joint = (stay / last.total)[:, None] * last.joint
            joint += (1.0 - stay) * base
            joint *= emission
        else:
            joint = base * emission
        total = np.add.reduce(joint, axis=1)
        log_total = np.log(total) + scale
        self.told.append(_Told(emission, scale, joint, total, log_total))
        return log_total

    def _emission(self, counted: Sequence[int]) -> tuple[Floats, Floats | float]:
        """P(all counted reports of one event | true state), shape (S, M), and the log of what it is divided by."""
        if len(counted) == 1:
            return self.spoken[counted[0]], 0.0
        logs = np.log(self.spoken[list(counted)]).sum(axis=0)
        scale = logs.max(axis=0)
        return np.exp(logs - scale), scale


def _spoken_by_draw(likelihood: StateLikelihood) -> Floats:
    """P(report | true state) in each draw, shape (R, S, M)."""
    rho, states, uninformed = likelihood.rho.T, likelihood.states, likelihood.model.uninformed.T
    spoken = np.repeat(((1.0 - rho) * uninformed[states])[:, None], len(uninformed), axis=1)
    spoken[np.arange(len(states)), states] += rho
    return spoken


class _Removals:
    """The chain told again without each event in turn, all of them side by side.

    Measured against the course as it was, what a report does to a belief is one matrix, whatever was told before it. So
    all other courses take a step at once, each from its own event to the next, and what a belief then sums to is how
    much more or less likely the reports have become. A chain forgets: once all are back on the course with their event,
    the walk is over. In plain numbers, and given up where a double might run out.
    """

    _SAME = 1e-12  # of each state's belief: as a share, for what is small now may be what later reports speak for
    _SMALL = 1e-12  # in nats, what a day is not said to gain
    _DEEP = 600.0  # in nats, what a report may bring
    _HELD = 16_384  # numbers side by side: as many as stay near the processor
    _LOOK = 8  # steps between two looks at which are back

    def __init__(self, likelihood: StateLikelihood) -> None:
        """All of it with states first and scenarios last, in memory too: shapes (S, R, K), or (R, 1)."""
        reports, self.own = likelihood.reports, likelihood.contributions
        self.days = reports.days
        held = likelihood.model.stay(np.diff(reports.event_days, prepend=0))[reports.event]
        held[:1] = 0.0
        stay = np.where(likelihood.openings, held, 1.0)[:, None]
        base = np.ascontiguousarray(likelihood.base_on(reports.event_days)[:, reports.event].transpose(2, 1, 0))
        self.belief = np.ascontiguousarray(likelihood._beliefs[0].transpose(2, 0, 1))
        after, before = likelihood.emissions
        log_gain = (after - before).T[..., None] - self.own
        self.deep = bool(np.abs(log_gain).max(initial=0.0) > self._DEEP)
        gain = np.exp(np.clip(log_gain, -self._DEEP, self._DEEP))
        self.kept, self.drawn = stay * gain, (1.0 - stay) * base * gain
        # Belief on the day of each report without it: drawn anew from the base of the next, being told no earlier.
        earlier = np.concatenate([base[:, :1], self.belief[:, :-1]], axis=1)
        ahead = np.concatenate([base[:, 1:], base[:, -1:]], axis=1)
        self.starts = held[:, None] * earlier + (1.0 - held[:, None]) * ahead

    def changes(self, removed: Integers) -> Changes | None:
        """The changes for removals of reports that are alone in their events; None when given up."""
        if self.deep:
            return None
        found = [Changes.of([], scenarios=self.own.shape[-1])]
        size = max(1, self._HELD // max(1, self.belief.size // max(1, len(self.days))))
        for first in range(0, len(self.days), size):
            chosen = slice(first, min(first + size, len(self.days)))
            inside = removed[(removed >= chosen.start) & (removed < chosen.stop)]
            if not len(inside):
                continue
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                totals, back = self._totals(chosen)
                part = self._by_removal(inside, inside - first, totals, back)
            if not np.isfinite(part.added).all():
                return None
            found.append(part)
        return Changes.joined(found)

    def _totals(self, chosen: slice) -> tuple[Floats, Integers]:
        """How likely the reports after each chosen one become without it, against the course; and when that is all.

        Up to each report after it, shape (lags, n, K); and the lag at which each belief is back, shape (n,).
        """
        weights = self.starts[:, chosen].copy()
        scratch = np.empty_like(weights)
        totals = [np.ones(weights.shape[1:])]
        back = np.full(weights.shape[1], self._LOOK)
        for lag in range(1, len(self.days) - chosen.start):
            at = slice(chosen.start + lag, min(chosen.stop + lag, len(self.days)))
            here = slice(at.stop - at.start)  # past the last report nothing more is told
            told, spare, total = weights[:, here], scratch[:, here], totals[-1].copy()
            told *= self.kept[:, at]
            told += np.multiply(self.drawn[:, at], total[here], out=spare)
            told.sum(axis=0, out=total[here])
            totals.append(total)
            if lag % self._LOOK == 0:
                apart = np.abs(np.divide(told, total[here], out=spare) - self.belief[:, at])
                away = ~(apart <= self._SAME * self.belief[:, at]).all(axis=(0, 2))
                back[here][away] = lag + self._LOOK
                if not away.any():
                    break
        return np.array(totals), back

    def _by_removal(self, removed: Integers, column: Integers, totals: Floats, back: Integers) -> Changes:
        """The changes from what `_totals` tells, in which a removed report has its column: one row a day."""
        ends = np.flatnonzero(np.diff(self.days, append=self.days[-1] + 1))  # the last report of each day
        first, last = (
            np.searchsorted(ends, reports) for reports in (removed, np.minimum(removed + back[column], ends[-1]))
        )
        counts = last - first + 1
        number = consecutive(first, counts)
        which = np.repeat(np.arange(len(removed)), counts)
        lags = np.minimum(ends[number] - removed[which], len(totals) - 1)
        logs = np.log(totals[lags, column[which]])
        opens = np.cumsum(counts) - counts
        added = np.diff(logs, axis=0, prepend=0.0)
        added[opens] = logs[opens] - self.own[removed]
        moved = ~(np.abs(added) <= self._SMALL).all(axis=1)
        lengths = np.add.reduceat(moved, opens, dtype=np.int64)
        return Changes.of_lengths(self.days[ends[number[moved]]], added[moved], lengths)
