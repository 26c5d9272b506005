"""Another course of the daily log likelihoods: what is added to them on some days, had something been different."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from forecast.probability import Floats

__all__ = ["Change", "summed"]

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
