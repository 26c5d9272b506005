"""Things that want the same place, moved apart by as little as will do."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["spread"]


def spread(positions: Sequence[float], gap: float, *, low: float, high: float) -> list[float]:
    """The positions nearest to some given ones (least squares) that keep their order, a gap, and a range.

    Parameters
    ----------
    positions : sequence of float
        Where each would like to be, in any order; of equal ones the first stays the lowest.
    gap : float
        The least distance between neighbours; smaller where the range has no room for it.
    low, high : float
        The range.

    Returns
    -------
    list of float
        In the order given.

    Examples
    --------
    >>> spread([1.0, 9.0, 1.0], 2.0, low=0, high=10)
    [0.0, 9.0, 2.0]
    """
    n = len(positions)
    if n == 0:
        return []
    gap = min(gap, (high - low) / (n - 1)) if n > 1 else 0.0
    order = sorted(range(n), key=lambda i: positions[i])
    # Less i gaps, what must be kept apart need only be kept in order: isotonic regression, by pooling neighbours.
    pools: list[tuple[float, int]] = []
    for place, i in enumerate(order):
        mean, size = positions[i] - place * gap, 1
        while pools and pools[-1][0] > mean:
            before, members = pools.pop()
            mean, size = (before * members + mean * size) / (members + size), members + size
        pools.append((mean, size))
    means = [mean for mean, size in pools for _ in range(size)]
    placed = [0.0] * n
    for place, i in enumerate(order):
        placed[i] = min(max(means[place], low), high - (n - 1) * gap) + place * gap
    return placed
