"""The one recursion of the engine: a hidden state that either stays or is drawn anew, seen through likelihoods.

Two things in SPEC 4 have this shape. The scenarios under drift: each day the answer stays with chance e^(-h) and is
otherwise drawn anew from the prior (4.1). The true state of an indicator with a persistence: by the next event it has
stayed with chance phi and is otherwise drawn anew from its row (4.3). At step t

    predicted_t = stay_t filtered_(t-1) + (1 - stay_t) base_t        (predicted_0 = base_0)
    filtered_t  ~ predicted_t exp(emission_t)

The trick: a step is linear before normalising, and applied to a whole matrix it costs no more than S^2. So a long
recursion is cut into about sqrt(T) blocks that run side by side, first to learn what each block does to any start, then
to fill in the days: 3 sqrt(T) steps of array work in place of T. All in logarithms; arrays only, no dates, no names.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from forecast.blocks import predictions
from forecast.probability import Floats, log_or_minus_infinity, log_sum_exp, normalised

__all__ = ["Filtered", "filtered", "filtered_and_smoothed", "filtered_side_by_side", "posterior", "transfer_to_end"]

# Below this many steps, or above this many chains side by side, cutting into blocks gains nothing.
_SHORT = 48
_WIDE = 2048


class Filtered(NamedTuple):
    """What the filter knows at every step; logs of probability vectors over the last axis.

    Attributes
    ----------
    log_predicted : float array, shape (..., T, S)
        log P(state_t | emissions before t).
    log_filtered : float array, shape (..., T, S)
        log P(state_t | emissions up to t).
    log_normalisers : float array, shape (..., T)
        log P(emission_t | emissions before t); their sum is the log likelihood of the whole.
    """

    log_predicted: Floats
    log_filtered: Floats
    log_normalisers: Floats


def posterior(prior: Floats, log_likelihoods: Floats) -> Floats:
    """Probability of each scenario after all the evidence (Bayes' rule), without drift.

    Parameters
    ----------
    prior : float array, shape (K,)
        Probabilities of K exclusive and exhaustive scenarios.
    log_likelihoods : float array, shape (R, K)
        Natural log of P(report r | scenario k). R may be 0.

    Returns
    -------
    float array, shape (K,)
        Sums to 1; the normalised `prior` when R is 0.

    References
    ----------
    CIA, Handbook of Bayesian Analysis for Intelligence (1975), first example: prior 0.10, likelihoods 0.99 against
    0.80, posterior 0.1209.

    Examples
    --------
    >>> posterior(np.array([0.1, 0.9]), np.log([[0.99, 0.80]])).round(4)
    array([0.1209, 0.8791])
    """
    log_weights = np.log(prior) + log_likelihoods.sum(axis=0)
    return np.exp(log_weights - log_sum_exp(log_weights))


def filtered(base: Floats, stay: Floats, emissions: Floats) -> Filtered:
    """Run the recursion forward.

    Parameters
    ----------
    base : float array, broadcastable to (..., T, S)
        What the state is drawn from when it is drawn anew at step t; the start at step 0.
    stay : float array, shape (T,)
        Chance in [0, 1] that the state has stayed since the step before; `stay[0]` is not used.
    emissions : float array, shape (..., T, S)
        log P(what is seen at t | state); any constant may be added to a row.

    Returns
    -------
    Filtered
        Empty along T when there are no steps.
    """
    shape = np.broadcast_shapes(base.shape, emissions.shape)
    emissions = np.broadcast_to(emissions, shape)
    base = base.reshape((1,) * (len(shape) - base.ndim) + base.shape)
    if shape[-2] == 0:
        return Filtered(emissions, emissions, emissions[..., 0])
    if np.all(stay[1:] == 1.0) and base.shape[-2] == 1:
        return _plain_bayes(log_or_minus_infinity(base), emissions)
    if np.all(stay[1:] == 0.0):
        return _updated(log_or_minus_infinity(np.broadcast_to(base, shape)), emissions)
    top = emissions.max(axis=-1, keepdims=True)
    predicted = predictions(base, stay, emissions - top)
    if predicted is not None:
        log_predicted = np.log(predicted)
        joint = log_predicted + (emissions - top)
        total = log_sum_exp(joint)[..., None]
        return Filtered(log_predicted, joint - total, (total + top)[..., 0])
    return _in_logarithms(_Steps.of(base, stay, emissions))


def filtered_and_smoothed(prior: Floats, stay: float, emissions: Floats) -> tuple[Filtered, Floats]:
    """Run the recursion forward, and what is known of each step from all that was seen.

    A chain that is drawn anew from the distribution it started in looks the same run backwards, so the smoother is the
    filter of the steps in reverse, which runs beside the other at little cost.

    Parameters
    ----------
    prior : float array, shape (K,)
        Above zero; both the start and what the state is drawn anew from.
    stay : float
        Chance that the state stays from one step to the next.
    emissions : float array, shape (T, K)
        T is at least 1.

    Returns
    -------
    (Filtered, float array of shape (T, K))
        The filter, and the probabilities of each step given the emissions of all steps.
    """
    ways = np.array([emissions.T, emissions[::-1].T]).transpose(0, 2, 1)
    both = filtered(prior, np.full(len(emissions), stay), ways)
    forward = Filtered(both.log_predicted[0], both.log_filtered[0], both.log_normalisers[0])
    return forward, normalised(forward.log_predicted + both.log_filtered[1, ::-1] - np.log(prior))


def filtered_side_by_side(start: Floats, base: Floats, stay: float, emissions: Floats) -> Floats:
    """The same recursion for so many chains that a plain step a day is as fast as memory goes.

    Parameters
    ----------
    start : float array, shape (S, N)
        What is predicted for the first step, in each of N chains.
    base : float array, shape (S, N) or (S, 1)
        What the state is drawn from when it is drawn anew, at every later step.
    stay : float
        Chance that the state stays from one step to the next.
    emissions : float array, shape (T, S, N)
        Used up: it holds the result afterwards.

    Returns
    -------
    float array, shape (T, S, N)
        Filtered probabilities, not logs.
    """
    if stay == 1.0:
        np.cumsum(emissions, axis=0, out=emissions)
        emissions += np.log(start)
    emissions -= emissions.max(axis=1, keepdims=True)
    weights = np.exp(emissions, out=emissions)
    if stay == 1.0:
        weights /= weights.sum(axis=1, keepdims=True)
        return weights
    leave = (1.0 - stay) * base
    before = start
    for today in weights:
        today *= before
        today /= today.sum(axis=0)
        before = stay * today + leave
    return weights


def transfer_to_end(base: Floats, stay: Floats, emissions: Floats, log_final: Floats) -> Floats:
    """Run the recursion backward: log of what a final weighting is worth seen from each state at each step.

    worth_t(j) = sum over paths from state j at t to the end of P(path) exp(emissions after t) final(last state).

    Parameters
    ----------
    base, stay, emissions
        As in `filtered`, without leading axes: shapes (T or 1, S), (T,), (T, S).
    log_final : float array, shape (C, S)
        C weightings of the last state; zeros for the smoother, log of the identity for the whole transfer matrix.

    Returns
    -------
    float array, shape (T, C, S)
        Logs, each step's scaled by one constant; at the last step `log_final` itself.
    """
    steps = _Steps.of(base, stay, emissions)
    length, block = steps.length, steps.block
    worth = np.empty((length, *log_final.shape))
    ends = _block_ends(steps, log_final)
    after = ends
    for i in reversed(range(block)):
        count = steps.count(i)
        worth[i::block] = after[:count]
        if i:
            after = steps.regress(after, i)
    return worth


class _Steps(NamedTuple):
    """The recursion cut into blocks: step i of every block at once. Shapes (..., B, S) with B blocks."""

    log_base: Floats
    log_stay: Floats
    log_leave: Floats
    emissions: Floats
    padded: Floats
    block: int

    @classmethod
    def of(cls, base: Floats, stay: Floats, emissions: Floats) -> _Steps:
        """Cut into blocks; steps past the end stay where they are and see nothing."""
        base = base if base.ndim > 1 else base[None, :]
        shape = emissions.shape
        length = shape[-2]
        side_by_side = math.prod(shape[:-2]) * shape[-1]
        cut = length > _SHORT and side_by_side < _WIDE
        block = max(1, math.isqrt(length) if cut else length)
        missing = -length % block
        log_stay = log_or_minus_infinity(stay)
        log_leave = log_or_minus_infinity(-np.expm1(log_stay))
        if length:
            # The first step draws from the base, whatever was before.
            log_stay, log_leave = log_stay.copy(), log_leave.copy()
            log_stay[0], log_leave[0] = -np.inf, 0.0
        pad = [(0, 0)] * (len(shape) - 2) + [(0, missing), (0, 0)]
        return cls(
            log_base=log_or_minus_infinity(base),
            log_stay=np.pad(log_stay, (0, missing)),
            log_leave=np.pad(log_leave, (0, missing), constant_values=-np.inf),
            emissions=emissions,
            padded=np.pad(emissions, pad),
            block=block,
        )

    @property
    def length(self) -> int:
        """T, without the padding."""
        return int(self.emissions.shape[-2])

    def count(self, i: int) -> int:
        """How many blocks have a step i before the end."""
        return -(-(self.length - i) // self.block)

    def emission(self, i: int) -> Floats:
        """What step i of every block sees."""
        return self.padded[..., i :: self.block, :]

    def base_at(self, i: int) -> Floats:
        """What step i of every block draws anew from."""
        if self.log_base.shape[-2] == 1:
            return self.log_base
        chosen = self.log_base[..., i :: self.block, :]
        blocks = self.padded.shape[-2] // self.block
        if chosen.shape[-2] == blocks:
            return chosen
        return np.concatenate([chosen, self.log_base[..., -1:, :]], axis=-2)

    def predict(self, log_weights: Floats, i: int) -> Floats:
        """Step i of every block before it sees anything, from weights of any sum."""
        stay, leave = self.log_stay[i :: self.block, None], self.log_leave[i :: self.block, None]
        total = log_sum_exp(log_weights)[..., None]
        return np.logaddexp(stay + log_weights, leave + self.base_at(i) + total)

    def regress(self, log_worth: Floats, i: int) -> Floats:
        """Worth before step i of every block, from the worth after it; shape (B, C, S)."""
        stay, leave = self.log_stay[i :: self.block, None, None], self.log_leave[i :: self.block, None, None]
        seen = log_worth + self.emission(i)[:, None, :]
        drawn = log_sum_exp(seen + self.base_at(i)[:, None, :])[..., None]
        worth = np.logaddexp(stay + seen, leave + drawn)
        return worth - worth.max(axis=(-2, -1), keepdims=True)


def _scaled(log_weights: Floats) -> Floats:
    """The same weights with the largest at one, so that a long product neither overflows nor dies out."""
    return log_weights - log_weights.max(axis=-1, keepdims=True)


def _plain_bayes(log_base: Floats, emissions: Floats) -> Filtered:
    """Nothing is ever drawn anew: sums of logs, with no rounding between."""
    log_after = log_base + np.cumsum(emissions, axis=-2)
    start = np.broadcast_to(log_base, log_after[..., :1, :].shape)
    log_before = np.concatenate([start, log_after[..., :-1, :]], axis=-2)
    return _updated(log_before, emissions)


def _in_logarithms(steps: _Steps) -> Filtered:
    """The recursion block by block, for what plain numbers cannot hold."""
    log_predicted = np.empty(steps.emissions.shape)
    before = _block_starts(steps)
    for i in range(steps.block):
        predicted = steps.predict(before, i)
        log_predicted[..., i :: steps.block, :] = predicted[..., : steps.count(i), :]
        before = _scaled(predicted + steps.emission(i))
    return _updated(log_predicted, steps.emissions)


def _updated(log_predicted: Floats, emissions: Floats) -> Filtered:
    """Each step's prediction, normalised, and what is known after the step."""
    log_predicted = log_predicted - log_sum_exp(log_predicted)[..., None]
    joint = log_predicted + emissions
    # Relative to the largest first: beside logs of 1e17, the log of a sum of two would be lost.
    top = joint.max(axis=-1, keepdims=True)
    relative = joint - top
    total = log_sum_exp(relative)[..., None]
    return Filtered(log_predicted, relative - total, (total + top)[..., 0])


def _block_transfers(steps: _Steps) -> Floats:
    """What each block does to each state it may start in: log weights, shape (..., start S, B, end S)."""
    size = steps.padded.shape[-1]
    blocks = steps.padded.shape[-2] // steps.block
    identity = log_or_minus_infinity(np.eye(size))[:, None, :]
    shape = (*steps.padded.shape[:-2], size, blocks, size)
    weights: Floats = np.broadcast_to(identity, shape)
    lifted = steps._replace(log_base=steps.log_base[..., None, :, :], padded=steps.padded[..., None, :, :])
    for i in range(steps.block):
        weights = lifted.predict(weights, i) + lifted.emission(i)
        # One constant a block, not one a start: the starts are compared with each other.
        weights = weights - weights.max(axis=(-3, -1), keepdims=True)
    return weights


def _block_starts(steps: _Steps) -> Floats:
    """Log weights just before each block's first step, shape (..., B, S)."""
    shape = steps.padded.shape
    blocks = shape[-2] // steps.block
    starts = np.zeros((*shape[:-2], blocks, shape[-1]))
    if blocks > 1:
        transfers = _block_transfers(steps)
        for b in range(1, blocks):
            reached = starts[..., b - 1, :, None] + transfers[..., :, b - 1, :]
            starts[..., b, :] = _scaled(log_sum_exp(np.moveaxis(reached, -2, -1)))
    return starts


def _block_ends(steps: _Steps, log_final: Floats) -> Floats:
    """Log worth just after each block's last step, shape (B, C, S)."""
    blocks = steps.padded.shape[-2] // steps.block
    ends = np.empty((blocks, *log_final.shape))
    ends[-1] = log_final
    if blocks > 1:
        transfers = _block_transfers(steps)
        for b in range(blocks - 1, 0, -1):
            worth = log_sum_exp(ends[b][:, None, :] + transfers[:, b, :][None, :, :])
            ends[b - 1] = worth - worth.max()
    return ends
