"""The recursion of `bayes` in plain numbers and in blocks: fast, and refused where a double might run out.

A step of the recursion is linear before normalising, so any number of steps is one matrix. The steps are cut into
blocks that run side by side: each learns what it does to every state it may start in, the blocks are joined two by
two, four by four and so on, and each then fills in its own steps. Some dozens of operations on arrays, not one a step.

Plain numbers lose what is far below the largest. A step that draws anew lifts every state at least to its share of what
is drawn, so how far they can fall is known beforehand; where that is too far, the answer is None and `bayes` goes on in
logarithms. Inside, arrays are transposed: the states are few, and sums over them are then sums of long rows.
"""

from __future__ import annotations

import math

import numpy as np

from forecast.probability import Floats

__all__ = ["predictions"]

# In nats: how far below the largest a weight may lie, and what a run of steps between two scalings may add to it.
_DEPTH = 300.0
_SLIDE = 100.0
# With so many numbers side by side, cutting into blocks gains nothing.
_WIDE = 2048


def predictions(base: Floats, stay: Floats, emissions: Floats) -> Floats | None:
    """Probability of each state at each step, given what was seen before it.

    Parameters
    ----------
    base : float array, shape (..., T or 1, S)
        What the state is drawn anew from; with the same number of axes as `emissions`.
    stay : float array, shape (T,)
        Chance that the state has stayed since the step before; `stay[0]` is not used.
    emissions : float array, shape (..., T, S)
        Log likelihoods, the largest of each step 0. T is at least 1.

    Returns
    -------
    float array, shape (..., T, S), or None
        None where plain numbers are not safe.
    """
    apart = -emissions.T.min(axis=0)
    if _depth(base, stay, apart) > _DEPTH:
        return None
    seen = np.exp(emissions.T, order="C")
    rows = base.T
    if rows[0, 0].size > 1:
        rows = np.broadcast_to(rows, (*rows.shape[:2], *seen.shape[2:]))
    size, steps = seen.shape[:2]
    blocks = _Blocks(rows.reshape(*rows.shape[:2], -1), stay, seen.reshape(size, steps, -1), apart=float(apart.max()))
    found = blocks.filled().reshape(seen.shape)
    found /= found.sum(axis=0)
    return found.T


def _depth(base: Floats, stay: Floats, apart: Floats) -> float:
    """How far below the largest a weight may fall, in nats: down to what is drawn, and further while nothing is."""
    leave = 1.0 - stay[1:]
    held = leave == 0.0
    later = base.T[:, 1:] if base.shape[-2] > 1 else base.T
    drawn = (later.min(axis=0).T * leave)[..., ~held]
    lowest = min(float(drawn.min(initial=1.0)), float(base.T[:, 0].min()))
    if not lowest > 0.0:
        return math.inf
    if not held.any():
        return -math.log(lowest)
    slid = np.cumsum(apart[:-1].T * held, axis=-1)
    since = slid - np.maximum.accumulate(np.where(held, 0.0, slid), axis=-1)
    return float(since.max()) - math.log(lowest)


class _Blocks:
    """The steps of N chains cut into B blocks of L steps. Weights have states first, and last all chains of a block.

    Parameters
    ----------
    base : float array, shape (S, T or 1, N or 1)
    stay : float array, shape (T,)
    seen : float array, shape (S, T, N)
        Likelihoods, the largest of each step 1.
    apart : float
        The widest range of a step's likelihoods, in nats.
    """

    def __init__(self, base: Floats, stay: Floats, seen: Floats, *, apart: float) -> None:
        self.size, self.steps, self.chains = seen.shape
        self.length = 1 + math.isqrt(self.steps // 2) if self.size * self.chains < _WIDE else self.steps
        self.blocks = -(-self.steps // self.length)
        self.every = max(1, int(_SLIDE / apart)) if apart > 0.0 else self.length
        self.first = base[:, None, 0]
        self.seen = self._cut(seen, filled_with=1.0)
        self.move: Floats | None = None
        if base.shape[1:] == (1, 1) and (stay[1:] == stay[-1]).all():
            self.move = stay[-1] * np.eye(self.size) + (1.0 - stay[-1]) * base[:, 0]
        else:
            self.stay = self._cut(np.broadcast_to(stay[None, :, None], (1, *seen.shape[1:])), filled_with=1.0)
            drawn = (1.0 - stay[:, None]) * base
            self.drawn = self._cut(np.broadcast_to(drawn, seen.shape), filled_with=0.0)

    def _cut(self, values: Floats, *, filled_with: float) -> Floats:
        """Values of all steps, shape (s, T, N), put into blocks, shape (L, s, 1, B N)."""
        padded = np.full((len(values), self.blocks * self.length, self.chains), filled_with)
        padded[:, : self.steps] = values
        cut = padded.reshape(-1, self.blocks, self.length, self.chains).transpose(2, 0, 1, 3)
        return cut.reshape(self.length, -1, 1, self.blocks * self.chains)

    def filled(self) -> Floats:
        """What is predicted for each step, in proportion, shape (S, T, N)."""
        predicted = np.empty((self.length, self.size, self.blocks * self.chains))
        weights = self._starts()
        for i in range(self.length):
            weights = self._predicted(weights, i)
            predicted[i] = weights[:, 0]
            weights *= self.seen[i]
            if (i + 1) % self.every == 0:
                weights /= weights.max(axis=0)
        steps = predicted.reshape(self.length, self.size, self.blocks, self.chains).transpose(1, 2, 0, 3)
        return steps.reshape(self.size, -1, self.chains)[:, : self.steps]

    def _predicted(self, weights: Floats, i: int) -> Floats:
        """Step i of every block before it sees anything, from weights of shape (S, C, B N)."""
        if self.move is not None:
            predicted = (self.move @ weights.reshape(self.size, -1)).reshape(weights.shape)
        else:
            predicted = self.stay[i] * weights
            predicted += self.drawn[i] * weights.sum(axis=0)
        if i == 0:
            # The first step of all draws from the base, whatever was before.
            predicted[..., : self.chains] = self.first
        return predicted

    def _starts(self) -> Floats:
        """Weights just before each block, shape (S, 1, B N)."""
        starts = np.ones((self.size, self.blocks, self.chains))
        if self.blocks > 1:
            joined = self._transfers()
            reach = 1
            while reach < self.blocks - 1:
                joined[reach:] = _scaled(joined[reach:] @ joined[:-reach])
                reach *= 2
            # Block 0 ends the same wherever it starts; any column will do.
            starts[:, 1:] = joined[:-1, :, :, 0].transpose(2, 0, 1)
        return starts.reshape(self.size, 1, -1)

    def _transfers(self) -> Floats:
        """What each block does to each state it may start in, shape (B, N, end S, start S)."""
        width = self.blocks * self.chains
        weights = np.broadcast_to(np.eye(self.size)[..., None], (self.size, self.size, width))
        for i in range(self.length):
            weights = self._predicted(weights, i)
            weights *= self.seen[i]
            if (i + 1) % self.every == 0:
                weights /= weights.max(axis=(0, 1))
        return _scaled(weights.reshape(self.size, self.size, self.blocks, self.chains).transpose(2, 3, 0, 1))


def _scaled(matrices: Floats) -> Floats:
    """The same matrices with the largest entry of each at one."""
    scaled: Floats = matrices / matrices.max(axis=(-2, -1), keepdims=True)
    return scaled
