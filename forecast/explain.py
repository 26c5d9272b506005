"""What moved the probabilities: every step of the filter as log odds that add up, and each report taken away in turn.

Inside a day the order is drift, then silence (indicators in file order), then reports in the order of the ledger. Each
step moves the log odds of every scenario against the mixture of the others by a definite amount, so the steps between
two days add up to the whole move. Arrays only.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from forecast.bayes import Filtered, filtered_side_by_side, transfer_to_end
from forecast.change import Change
from forecast.probability import Floats, log_odds, log_or_minus_infinity, log_sum_exp

__all__ = ["Moves", "around_reports", "final_after_changes", "moves"]

Integers = NDArray[np.int64]
# How many numbers one batch of filter runs may hold at once.
_BATCH = 2_000_000


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
    prior: Floats, stay: float, daily: Floats, chain: Filtered, changes: Sequence[Change]
) -> Floats:
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
    changes : sequence of Change
        N of them.

    Returns
    -------
    float array, shape (N, K)
        Normalised.
    """
    N, K = len(changes), len(prior)
    final = np.broadcast_to(chain.log_filtered[-1], (N, K)).copy()
    if stay == 1.0:
        for n, change in enumerate(changes):
            final[n] += change.added.sum(axis=0)
        return final - log_sum_exp(final)[:, None]
    touched = np.array([n for n in range(N) if len(changes[n].days)], dtype=np.int64)
    if len(touched):
        worth = transfer_to_end(prior, np.full(len(daily), stay), daily, log_or_minus_infinity(np.eye(K)))
        final[touched] = _through_windows(prior, stay, daily, chain, worth, [changes[n] for n in touched])
    return final - log_sum_exp(final)[:, None]


def _through_windows(
    prior: Floats, stay: float, daily: Floats, chain: Filtered, worth: Floats, changes: Sequence[Change]
) -> Floats:
    """The filter again from each change's first day to its last, many side by side, and from there in one step."""
    first = np.array([change.days[0] for change in changes])
    last = np.array([change.days[-1] for change in changes])
    final = np.empty((len(changes), len(prior)))
    order = np.argsort(last - first, kind="stable")
    at = 0
    while at < len(order):
        longest = int((last - first)[order[at]]) + 1
        batch = order[at : at + max(1, _BATCH // (2 * longest * len(prior)))]
        batch = batch[(last - first)[batch] < 2 * longest]
        at += len(batch)
        length = int((last - first)[batch].max()) + 1
        days = np.minimum(first[batch, None] + np.arange(length), len(daily) - 1)
        emissions = np.moveaxis(daily[days], 0, -1).copy()
        for row, n in enumerate(batch):
            emissions[changes[n].days - first[n], :, row] += changes[n].added
        start = np.exp(chain.log_predicted[first[batch]]).T
        course = filtered_side_by_side(start, prior[:, None], stay, emissions)
        reached = log_or_minus_infinity(course[last[batch] - first[batch], :, np.arange(len(batch))])
        final[batch] = log_sum_exp(reached[:, None, :] + worth[last[batch]])
    return final
