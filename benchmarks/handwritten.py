"""What somebody who knows numpy would write for these studies alone: the yardstick for the engine's own overhead.

Nothing here is general. Every report is an event of its own and reports come in the order of days; no labels, no
checks, no way to add or take away a report.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.studies import Case, by_indicator

__all__ = ["bands", "filter_and_smoother"]

Floats = NDArray[np.float64]
_MEDIUM = 20.0


def filter_and_smoother(prior: Floats, stay: float, daily: Floats) -> tuple[Floats, Floats]:
    """The drifting filter and its backward pass, day by day; each of shape (T, K)."""
    seen = np.exp(daily - daily.max(axis=1, keepdims=True))
    filtered, smoothed = np.empty_like(seen), np.empty_like(seen)
    predicted = prior
    for day, likelihood in enumerate(seen):
        today = predicted * likelihood
        today /= today.sum()
        filtered[day] = today
        predicted = stay * today + (1.0 - stay) * prior
    worth = np.ones(len(prior))
    for day in range(len(seen) - 1, -1, -1):
        weights = filtered[day] * worth
        smoothed[day] = weights / weights.sum()
        told = seen[day] * worth
        worth = stay * told + (1.0 - stay) * (prior @ told)
        worth /= worth.sum()
    return filtered, smoothed


def bands(case: Case, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """5th and 95th percentile of P(scenario) on each day over draws of the judgement; each of shape (T, K)."""
    size = case.size
    prior = _dirichlet(rng, _MEDIUM * case.prior, size.draws)
    daily = np.zeros((size.days, size.scenarios, size.draws))
    for j, reports in by_indicator(case):
        rows = _dirichlet(rng, _MEDIUM * case.rows[j], size.draws)
        average = (prior[:, None] * rows).sum(axis=0)
        ungraded = (reports["grade"] == "F6").to_numpy()
        samples = np.where(ungraded, 2.0, _MEDIUM)[:, None]
        rho = reports["rho"].to_numpy()[:, None]
        weights = rng.beta(rho * samples, (1.0 - rho) * samples, (len(reports), size.draws))
        weights = np.minimum(weights, 1.0 - 1e-12)
        add = _add_persistent if case.persistence[j] else _add_independent
        add(daily, rows, average, weights, reports["day"].to_numpy(), reports["state"].to_numpy(), case.persistence[j])
    course = _filtered(prior, case.daily_stay, daily)
    low, high = np.quantile(course, [0.05, 0.95], axis=-1)
    return low, high


def _dirichlet(rng: np.random.Generator, alpha: Floats, draws: int) -> Floats:
    """Draws over the last axis of `alpha`, which becomes the last but one; draws lie in the last."""
    gammas = rng.standard_gamma(alpha[..., None], (*alpha.shape, draws)) + 1e-300
    return gammas / gammas.sum(axis=-2, keepdims=True)


def _add_independent(
    daily: Floats,
    rows: Floats,
    average: Floats,
    weights: Floats,
    days: NDArray[np.int64],
    states: NDArray[np.int64],
    persistence: float,
) -> None:
    for day, state, rho in zip(days.tolist(), states.tolist(), weights, strict=True):
        daily[day] += np.log(rho * rows[:, state] + (1.0 - rho) * average[state])


def _add_persistent(
    daily: Floats,
    rows: Floats,
    average: Floats,
    weights: Floats,
    days: NDArray[np.int64],
    states: NDArray[np.int64],
    persistence: float,
) -> None:
    belief, last = rows, 0
    for day, state, rho in zip(days.tolist(), states.tolist(), weights, strict=True):
        stay = np.exp(-(day - last) / persistence)
        belief = stay * belief + (1.0 - stay) * rows
        right = rho * belief[:, state]
        belief *= (1.0 - rho) * average[state]
        belief[:, state] += right
        total = belief.sum(axis=1)
        belief /= total[:, None]
        daily[day] += np.log(total)
        last = day


def _filtered(prior: Floats, stay: float, daily: Floats) -> Floats:
    daily -= daily.max(axis=1, keepdims=True)
    course = np.exp(daily, out=daily)
    predicted = prior
    for today in course:
        today *= predicted
        today /= today.sum(axis=0)
        predicted = stay * today + (1.0 - stay) * prior
    return course
