"""A level that is read now and then: what is believed of it, carried over days without a reading in one step.

The three models of a baseline have one shape: a small state moves on every day with some noise, its first number is the
level, and a reading is the level with some noise of its own. Over d days the move and its noise have a closed form, so
that years without a reading cost what a day costs. Arrays only: leading axes of a belief are carried along side by
side, and may lie different numbers of days back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from forecast.probability import Floats

__all__ = ["Belief", "Gap", "Process"]

Integers = NDArray[np.int64]

# Below this share of a day's own movement the noise of a reading is taken for none: a second reading of the same day
# would else have to repeat the first to more digits than a double has.
_NEGLIGIBLE = 1e-6


class Belief(NamedTuple):
    """What is believed of the state on a day, under each scenario: normal.

    The uncertainty does not depend on what was read, so the scenarios share it.

    Attributes
    ----------
    day : int array, shape (...)
    mean : float array, shape (..., K, s)
    covariance : float array, shape (..., s, s)
    """

    day: Integers
    mean: Floats
    covariance: Floats


class Gap(NamedTuple):
    """What some days without a reading do to the state: it is moved, drifts, and gains noise.

    Attributes
    ----------
    move : float array, shape (..., s, s)
    drift : float array, shape (..., s)
    noise : float array, shape (..., s, s)
        A covariance.
    """

    move: Floats
    drift: Floats
    noise: Floats


@dataclass(frozen=True)
class Process:
    """One of the models, with its parameters.

    Attributes
    ----------
    model : str
        `local-level`, `local-trend` or `ar1`.
    parameters : mapping of str to float
        As statsmodels names them; variances are those of one day.
    """

    model: str
    parameters: Mapping[str, float]

    @property
    def reading_noise(self) -> float:
        """Variance of a reading about the level."""
        return self.parameters.get("sigma2.irregular", 0.0)

    @property
    def repeats_itself(self) -> bool:
        """Whether a second reading of a day could say nothing but what the first said."""
        return self.reading_noise <= _NEGLIGIBLE * float(self.gap(np.array(1)).noise[0, 0])

    @property
    def lasting(self) -> tuple[Floats, Floats] | None:
        """Mean and covariance of the state in the long run; None where it wanders off."""
        if self.model != "ar1":
            return None
        phi = self.parameters["ar.L1"]
        mean, variance = self.parameters["intercept"] / (1.0 - phi), self.parameters["sigma2"] / (1.0 - phi**2)
        return np.array([mean]), np.array([[variance]])

    def carried(self, belief: Belief, day: Integers | int) -> Belief:
        """What is believed on a later day, or on the same, with no reading in between."""
        gap = self.gap(np.asarray(day - belief.day))
        mean = (gap.move[..., None, :, :] @ belief.mean[..., None])[..., 0] + gap.drift[..., None, :]
        covariance = gap.move @ belief.covariance @ np.swapaxes(gap.move, -1, -2) + gap.noise
        return Belief(np.broadcast_to(np.asarray(day), belief.day.shape), mean, covariance)

    def updated(self, belief: Belief, reading: Floats) -> Belief:
        """What is believed after a reading on its day.

        Parameters
        ----------
        reading : float array, shape (..., K)
            One for each scenario, as each accounts for a part of it in its own way.
        """
        variance = belief.covariance[..., 0, 0] + self.reading_noise
        gain = belief.covariance[..., 0] / variance[..., None]
        surprise = reading - belief.mean[..., 0]
        mean = belief.mean + surprise[..., None] * gain[..., None, :]
        taken = gain[..., :, None] * belief.covariance[..., None, 0, :]
        return Belief(belief.day, mean, belief.covariance - taken)

    def gap(self, days: Integers) -> Gap:
        """What so many days do, shape (...); 0 does nothing."""
        return {"local-level": self._level_gap, "local-trend": self._trend_gap, "ar1": self._return_gap}[self.model](
            np.asarray(days, dtype=np.float64)
        )

    def _level_gap(self, days: Floats) -> Gap:
        one = np.ones((*days.shape, 1, 1))
        return Gap(one, np.zeros((*days.shape, 1)), days[..., None, None] * self.parameters["sigma2.level"])

    def _trend_gap(self, days: Floats) -> Gap:
        level, trend = self.parameters["sigma2.level"], self.parameters["sigma2.trend"]
        move = np.zeros((*days.shape, 2, 2))
        move[..., 0, 0] = move[..., 1, 1] = 1.0
        move[..., 0, 1] = days
        noise = np.empty_like(move)
        # A step of the trend i days before the end moves the level by i: sums of i and of its square over the days.
        noise[..., 0, 0] = days * level + trend * days * (days - 1.0) * (2.0 * days - 1.0) / 6.0
        noise[..., 0, 1] = noise[..., 1, 0] = trend * days * (days - 1.0) / 2.0
        noise[..., 1, 1] = trend * days
        return Gap(move, np.zeros((*days.shape, 2)), noise)

    def _return_gap(self, days: Floats) -> Gap:
        phi, intercept, noise = (self.parameters[name] for name in ("ar.L1", "intercept", "sigma2"))
        kept = phi**days
        moved = (1.0 - kept) * intercept / (1.0 - phi)
        spread = (1.0 - kept**2) * noise / (1.0 - phi**2)
        return Gap(kept[..., None, None], moved[..., None], spread[..., None, None])
