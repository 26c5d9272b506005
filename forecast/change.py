"""Other courses of the daily log likelihoods: what is added to them on some days, had something been different.

One course is a `Change`. A million of them, one for each report left out, are `Changes`: three arrays, no objects.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from forecast.probability import Floats

__all__ = ["Change", "Changes", "consecutive", "summed"]

Integers = NDArray[np.int64]


class Change(NamedTuple):
    """What is added to the daily log likelihoods.

    Attributes
    ----------
    days : int array, shape (m,)
        Rising, without repeats; empty when nothing changes.
    added : float array, shape (m, K)
    """

    days: Integers
    added: Floats


@dataclass(frozen=True, eq=False, repr=False)
class Changes:
    """N changes, each in place of the same course; the days of one after those of another.

    Attributes
    ----------
    days : int array, shape (M,)
        Of each change rising, without repeats.
    added : float array, shape (M, K)
    edges : int array, shape (N + 1,)
        Change n has the days from `edges[n]` to before `edges[n + 1]`; none when nothing changes.
    """

    days: Integers
    added: Floats
    edges: Integers

    def __len__(self) -> int:
        return len(self.edges) - 1

    def __getitem__(self, number: int) -> Change:
        a, b = self.edges[:-1][number], self.edges[1:][number]
        return Change(self.days[a:b], self.added[a:b])

    def __iter__(self) -> Iterator[Change]:
        return (Change(self.days[a:b], self.added[a:b]) for a, b in itertools.pairwise(self.edges.tolist()))

    @property
    def lengths(self) -> Integers:
        """How many days each change has, shape (N,)."""
        return np.diff(self.edges)

    @property
    def totals(self) -> Floats:
        """What each change adds over all its days, shape (N, K)."""
        totals = np.zeros((len(self), self.added.shape[1]))
        some = self.lengths > 0
        if some.any():
            totals[some] = np.add.reduceat(self.added, self.edges[:-1][some])
        return totals

    @classmethod
    def of(cls, changes: Iterable[Change], *, scenarios: int) -> Changes:
        """Changes made one by one; `scenarios` is K, which no change at all does not tell."""
        given = list(changes)
        days = np.concatenate([np.empty(0, dtype=np.int64), *(change.days for change in given)])
        added = np.concatenate([np.empty((0, scenarios)), *(change.added for change in given)])
        return cls.of_lengths(days, added, [len(change.days) for change in given])

    @classmethod
    def of_lengths(cls, days: Integers, added: Floats, lengths: Integers | Sequence[int]) -> Changes:
        """Changes that have so many of the days each."""
        return cls(days, added, _edges(lengths))

    @classmethod
    def joined(cls, parts: Sequence[Changes]) -> Changes:
        """All changes of at least one part, part by part."""
        if len(parts) == 1:
            return parts[0]
        lengths = np.concatenate([part.lengths for part in parts])
        days, added = np.concatenate([part.days for part in parts]), np.concatenate([part.added for part in parts])
        return cls.of_lengths(days, added, lengths)

    def taken(self, places: Integers) -> Changes:
        """Some of the changes, in the order of their places."""
        lengths = self.lengths[places]
        rows = consecutive(self.edges[places], lengths)
        return Changes.of_lengths(self.days[rows], self.added[rows], lengths)

    def pieces(self, size: int) -> Iterator[Changes]:
        """The changes in order, in pieces of at most so many days, or of one change that has more."""
        first = 0
        while first < len(self):
            last = int(np.searchsorted(self.edges, self.edges[first] + size, side="right")) - 1
            last = max(last, first + 1)
            a, b = self.edges[first], self.edges[last]
            yield Changes(self.days[a:b], self.added[a:b], self.edges[first : last + 1] - a)
            first = last


def consecutive(starts: Integers, lengths: Integers) -> Integers:
    """The numbers from each start on, as many as its length, one run after another.

    Examples
    --------
    >>> consecutive(np.array([5, 0]), np.array([2, 3]))
    array([5, 6, 0, 1, 2])
    """
    edges = _edges(lengths)
    return np.repeat(starts - edges[:-1], lengths) + np.arange(edges[-1])


def summed(parts: Iterable[tuple[Integers, Floats]], *, scenarios: int) -> Change:
    """One change from several lists of (days, values), in which a day may occur many times.

    Parameters
    ----------
    parts : iterable of (int array of shape (n,), float array of shape (n, K))
    scenarios : int
        K.
    """
    given = list(parts)
    days = np.concatenate([part[0] for part in given]) if given else np.empty(0, dtype=np.int64)
    unique, place = np.unique(days, return_inverse=True)
    added = np.zeros((len(unique), scenarios))
    if given:
        np.add.at(added, place, np.concatenate([part[1] for part in given]))
    moved = added.any(axis=1)
    return Change(unique[moved], added[moved])


def _edges(lengths: Integers | Sequence[int]) -> Integers:
    """Where each of some runs begins, and where the last one ends."""
    edges = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=edges[1:])
    return edges
