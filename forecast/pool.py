"""Several people's judgements of one indicator as one, and how far apart they are.

The pool is the log-linear one with equal weights: the geometric mean of the densities, made to sum to one again. It is
the only kind that is externally Bayesian: to pool first and then learn from a report, or to learn first and then pool,
comes to the same. Where everybody thinks a state unlikely so does the pool, and one voice near zero weighs much.

Arrays only; opinions lie along the first axis, in any order, and there is at least one.
"""

from __future__ import annotations

import numpy as np

from forecast.probability import Floats, log_or_minus_infinity, normalised

__all__ = ["disagreement", "pooled_rates", "pooled_rows", "pooled_values", "spread"]


def pooled_rows(rows: Floats) -> Floats:
    """The pool of rows of probabilities: their geometric mean, made to sum to one.

    Parameters
    ----------
    rows : float array, shape (J, ..., S)
        Of each of J people, above 0; sums to 1 over the last axis.

    Returns
    -------
    float array, shape (..., S)

    Examples
    --------
    >>> pooled_rows(np.array([[0.5, 0.5], [0.8, 0.2]])).round(4)
    array([0.6667, 0.3333])
    """
    return normalised(np.log(rows).mean(axis=0))


def pooled_rates(rates: Floats) -> Floats:
    """The pool of rates or of multipliers of a rate: their geometric mean.

    Parameters
    ----------
    rates : float array, shape (J, ...)
        Of each of J people, above 0.

    Returns
    -------
    float array, shape (...)

    Examples
    --------
    >>> pooled_rates(np.array([[1.0], [4.0]]))
    array([2.])
    """
    return np.exp(np.log(rates).mean(axis=0))


def pooled_values(means: Floats, sds: Floats) -> tuple[Floats, Floats]:
    """The pool of normal densities, which is normal.

    Its precision is the mean of theirs, and its mean is theirs weighted by precision: who is surer counts for more, and
    agreement makes nobody surer than they were.

    Parameters
    ----------
    means, sds : float array, shape (J, ...)
        Of each of J people; the standard deviations above 0.

    Returns
    -------
    means, sds : float array, shape (...)

    Examples
    --------
    >>> pooled_values(np.array([0.0, 3.0]), np.array([1.0, 1.0]))
    (np.float64(1.5), np.float64(1.0))
    """
    narrowest = sds.min(axis=0)
    # In units of the narrowest, so that no precision is too large or too small for a number.
    precisions = (narrowest / sds) ** 2
    mean_precision = precisions.mean(axis=0)
    return (means * precisions).mean(axis=0) / mean_precision, narrowest / np.sqrt(mean_precision)


def spread(opinions: Floats) -> tuple[Floats, Floats]:
    """The lowest and the highest that anybody said of each cell.

    Parameters
    ----------
    opinions : float array, shape (J, ...)

    Returns
    -------
    low, high : float array, shape (...)
    """
    return opinions.min(axis=0), opinions.max(axis=0)


def disagreement(rows: Floats) -> float:
    """How far apart people's rows are: the mean over the rows of the Jensen-Shannon divergence of all people, in bits.

    Of one row it is what is learnt about who said it from one state drawn by it: 0 where all say the same, log2 of J
    where no two of J people think the same state possible.

    Parameters
    ----------
    rows : float array, shape (J, ..., S)
        Of each of J people; sums to 1 over the last axis.

    Examples
    --------
    >>> disagreement(np.array([[[1.0, 0.0]], [[0.0, 1.0]]]))
    1.0
    """
    divergences = _entropy(rows.mean(axis=0)) - _entropy(rows).mean(axis=0)
    return float(np.maximum(divergences, 0.0).mean())


def _entropy(rows: Floats) -> Floats:
    """In bits, over the last axis; a probability of zero adds nothing."""
    logs = np.where(rows > 0.0, log_or_minus_infinity(rows), 0.0)
    return -(rows * logs).sum(axis=-1) / np.log(2.0)
