"""What moved the probabilities: every step of the filter as log odds that add up, and each report taken away in turn.

Inside a day the order is drift, then silence (indicators in file order), then reports in the order of the ledger. Each
step moves the log odds of every scenario against the mixture of the others by a definite amount, so the steps between
two days add up to the whole move. Arrays only.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from forecast.bayes import Filtered, filtered, transfer_to_end
from forecast.change import Change, Changes
from forecast.probability import Floats, log_odds, log_or_minus_infinity, log_sum_exp

__all__ = ["Moves", "around_reports", "final_after_changes", "final_after_each", "moves"]

Integers = NDArray[np.int64]
# How many numbers one batch of changes may hold.
_BATCH = 1_000_000
# With fewer numbers side by side, whole courses cut into blocks are faster than a step a day.
_NARROW = 256


class Moves(NamedTuple):
    """Changes of the log odds of every scenario against all the others.

    Attributes
    ----------
    drift : float array, shape (T + 1, K)
        Each day's forgetting; zero on the first.
    silence : float array, shape (T + 1, J, K)
        Each day's silence of each indicator.
    reports : float array, shape (R, K)
        Each report's, in the order given.
    """

    drift: Floats
    silence: Floats
    reports: Floats


def moves(chain: Filtered, *, silence: Floats, report_days: Integers, contributions: Floats) -> Moves:
    """Split the filter's course into steps.

    Parameters
    ----------
    chain : Filtered
        The filter over days, shape (T + 1, K).
    silence : float array, shape (T + 1, J, K)
        Log likelihood of each day's silence, indicator by indicator.
    report_days : int array, shape (R,)
        In rising order.
    contributions : float array, shape (R, K)
        l_r(k), in the same order.
    """
    odds_before = log_odds(chain.log_predicted)
    drift = np.zeros_like(odds_before)
    drift[1:] = odds_before[1:] - log_odds(chain.log_filtered[:-1])
    told = chain.log_predicted[:, None, :] + np.cumsum(silence, axis=1)
    odds = np.concatenate([odds_before[:, None, :], log_odds(told)], axis=1)
    quiet = told[:, -1, :] if silence.shape[1] else chain.log_predicted
    before, after = around_reports(quiet, report_days=report_days, contributions=contributions)
    return Moves(drift, np.diff(odds, axis=1), log_odds(after) - log_odds(before))


def around_reports(quiet: Floats, *, report_days: Integers, contributions: Floats) -> tuple[Floats, Floats]:
    """Log weights of the scenarios just before and just after each report, each of shape (R, K); not normalised.

    Parameters
    ----------
    quiet : float array, shape (T + 1, K)
        Log weights on each day after its drift and its silence.
    report_days : int array, shape (R,)
        In rising order.
    contributions : float array, shape (R, K)
        l_r(k), in the same order.
    """
    after = quiet[report_days] + _cumulative_within(report_days, contributions)
    before = quiet[report_days]
    later = np.flatnonzero(np.diff(report_days, prepend=-1) == 0)
    before[later] = after[later - 1]
    return before, after


def _cumulative_within(days: Integers, values: Floats) -> Floats:
    """Running sums that start anew with each day."""
    sums = np.empty_like(values)
    for first, last in _runs(days):
        np.cumsum(values[first:last], axis=0, out=sums[first:last])
    return sums


def _runs(days: Integers) -> list[tuple[int, int]]:
    edges = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), len(days)]
    return [(a, b) for a, b in itertools.pairwise(edges) if b > a]


def final_after_changes(
    prior: Floats, stay: float, daily: Floats, chain: Filtered, changes: Iterable[Change]
) -> Floats:
    """The same as `final_after_each`, for changes made one by one."""
    return final_after_each(prior, stay, daily, chain, [Changes.of(changes, scenarios=len(prior))])


def final_after_each(prior: Floats, stay: float, daily: Floats, chain: Filtered, changes: Iterable[Changes]) -> Floats:
    """Log of the last day's probabilities under each of some changes, exactly.

    Parameters
    ----------
    prior : float array, shape (K,)
    stay : float
        e^(-h), 1 without drift.
    daily : float array, shape (T + 1, K)
        Log likelihood of all that each day brings.
    chain : Filtered
        The filter's run over `daily`.
    changes : iterable of Changes
        N changes together, worked out a batch at a time.

    Returns
    -------
    float array, shape (N, K)
        Normalised.
    """
    K = len(prior)
    worth: Floats | None = None
    finals = [np.empty((0, K))]
    for batch in _batches(changes, _BATCH // K):
        final = np.repeat(chain.log_filtered[-1:], len(batch), axis=0)
        touched = np.flatnonzero(batch.lengths)
        moved = batch.taken(touched) if len(touched) < len(batch) else batch
        if stay == 1.0:
            final += batch.totals
        elif len(touched) and len(batch) * K < _NARROW:
            final[touched] = filtered(prior, np.full(len(daily), stay), _changed(daily, moved)).log_filtered[:, -1]
        elif len(touched):
            if worth is None:
                stays = np.full(len(daily), stay)
                worth = transfer_to_end(prior, stays, daily, log_or_minus_infinity(np.eye(K)))
            final[touched] = _Windows(prior, stay, daily, moved).final(chain.log_predicted, worth)
        finals.append(final - log_sum_exp(final)[:, None])
    return np.concatenate(finals)


def _changed(daily: Floats, changes: Changes) -> Floats:
    """The days under each change, shape (N, T + 1, K)."""
    courses = np.repeat(daily[None], len(changes), axis=0)
    courses[np.repeat(np.arange(len(changes)), changes.lengths), changes.days] += changes.added
    return courses


def _batches(changes: Iterable[Changes], size: int) -> Iterator[Changes]:
    """The same changes, joined or cut so that a batch has about so many days."""
    held: list[Changes] = []
    days = 0
    for piece in (piece for some in changes for piece in some.pieces(size)):
        held.append(piece)
        days += len(piece.days)
        if days >= size:
            yield Changes.joined(held)
            held, days = [], 0
    if held:
        yield Changes.joined(held)


class _Windows:
    """The filter again from each change's first day to its last, all side by side, and from there in one step.

    At each step after the first day, all windows that are as long take their day together; those that end are let go.
    """

    def __init__(self, prior: Floats, stay: float, daily: Floats, changes: Changes) -> None:
        """Every change has a day at least."""
        self.stay = stay
        self.drawn = (1.0 - stay) * prior[:, None]
        self.seen = _relative(daily)
        first, last = changes.days[changes.edges[:-1]], changes.days[changes.edges[1:] - 1]
        self.order = np.argsort(last - first, kind="stable")  # the shortest first
        self.first, self.length = first[self.order], (last - first)[self.order] + 1
        place = np.empty_like(self.order)
        place[self.order] = np.arange(len(changes))
        lags = changes.days - np.repeat(first, changes.lengths)
        steps = np.arange(self.length[-1] + 1)
        # Numbers of two bytes, as these nearly always are, are sorted by counting them.
        by_lag = np.argsort(lags.astype(np.min_scalar_type(self.length[-1])), kind="stable")
        self.owner = np.repeat(place, changes.lengths)[by_lag]
        self.changed = _relative((daily[changes.days] + changes.added)[by_lag])
        self.edges = np.searchsorted(lags[by_lag], steps).tolist()
        self.over = np.searchsorted(self.length, steps, side="right").tolist()

    def final(self, log_predicted: Floats, worth: Floats) -> Floats:
        """Log weights on the last day, shape (N, K), for the filter's predictions and the worth of each day's end."""
        before = np.exp(log_predicted[self.first]).T
        reached = np.empty_like(before)
        done = 0
        for lag, (a, b) in enumerate(itertools.pairwise(self.edges)):
            today = self.seen[:, self.first[done:] + lag]
            today[:, self.owner[a:b] - done] = self.changed[:, a:b]
            today *= before
            total = today.sum(axis=0)
            ending = self.over[lag + 1] - done
            reached[:, done : done + ending] = today[:, :ending] / total[:ending]
            done += ending
            before = today[:, ending:]
            before *= self.stay / total[ending:]
            before += self.drawn
        log_reached = log_or_minus_infinity(reached.T)
        final = np.empty_like(log_reached)
        final[self.order] = log_sum_exp(log_reached[:, None, :] + worth[self.first + self.length - 1])
        return final


def _relative(logs: Floats) -> Floats:
    """Likelihoods of each day, the largest of them 1; scenarios first, from logs of shape (N, K)."""
    likelihoods = logs.T.copy()
    likelihoods -= likelihoods.max(axis=0)
    return np.exp(likelihoods, out=likelihoods)
