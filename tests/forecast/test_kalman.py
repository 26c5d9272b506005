"""The arithmetic of gaps: many days in one step are the same as one day many times, for every model."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from forecast.kalman import Belief, Process

MODELS: Mapping[str, Mapping[str, float]] = {
    "local-level": {"sigma2.irregular": 2.5, "sigma2.level": 0.03},
    "local-trend": {"sigma2.irregular": 1.5, "sigma2.level": 0.02, "sigma2.trend": 3e-5},
    "ar1": {"intercept": 0.4, "ar.L1": 0.992, "sigma2": 0.15},
}


def belief(model: str, *, day: int = -3) -> Belief:
    """Two scenarios that differ, and an uncertainty with a covariance."""
    size = 2 if model == "local-trend" else 1
    mean = np.array([[50.0, 0.1], [48.0, -0.2]])[:, :size]
    return Belief(np.array(day), mean, np.array([[2.0, 0.01], [0.01, 0.004]])[:size, :size])


def assert_same(first: Belief, second: Belief) -> None:
    np.testing.assert_allclose(first.mean, second.mean, rtol=1e-12)
    np.testing.assert_allclose(first.covariance, second.covariance, rtol=1e-11)
    assert (first.day == second.day).all()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("days", [0, 1, 2, 7, 1500])
def test_a_gap_is_its_days_one_by_one(model: str, days: int) -> None:
    process = Process(model, MODELS[model])
    daily = start = belief(model)
    for day in range(-2, days - 2):
        daily = process.carried(daily, day)
    assert_same(process.carried(start, days - 3), daily)


@pytest.mark.parametrize("model", MODELS)
def test_beliefs_of_different_days_side_by_side(model: str) -> None:
    """Each is carried over its own gap, and moved by its own reading."""
    process = Process(model, MODELS[model])
    apart = [belief(model, day=day) for day in (-400, -3, 9)]
    together = Belief(*(np.stack(parts) for parts in zip(*apart, strict=True)))
    readings = np.array([[50.0, 51.0], [47.0, 48.0], [60.0, 61.0]])
    carried = process.carried(together, 10)
    moved = process.updated(carried, readings)
    for n, alone in enumerate(apart):
        assert_same(Belief(carried.day[n], carried.mean[n], carried.covariance[n]), process.carried(alone, 10))
        own = process.updated(process.carried(alone, 10), readings[n])
        assert_same(Belief(moved.day[n], moved.mean[n], moved.covariance[n]), own)


def test_an_update_by_hand() -> None:
    """Variance 3 and noise 1: three quarters of the surprise of 4 are believed, and 3 x 1/4 is left."""
    process = Process("local-level", {"sigma2.irregular": 1.0, "sigma2.level": 0.5})
    after = process.updated(Belief(np.array(0), np.array([[10.0]]), np.array([[3.0]])), np.array([14.0]))
    assert (after.mean[0, 0], after.covariance[0, 0]) == (13.0, 0.75)


@pytest.mark.parametrize(
    ("model", "parameters", "repeats"),
    [
        ("ar1", MODELS["ar1"], True),
        ("local-level", MODELS["local-level"], False),
        ("local-level", {"sigma2.irregular": 0.0, "sigma2.level": 0.03}, True),
        ("local-level", {"sigma2.irregular": 0.5, "sigma2.level": 0.0}, False),
        ("local-trend", {"sigma2.irregular": 1e-12, "sigma2.level": 0.03, "sigma2.trend": 0.0}, True),
    ],
)
def test_which_models_have_room_for_one_reading_a_day(
    model: str, parameters: Mapping[str, float], repeats: bool
) -> None:
    assert Process(model, parameters).repeats_itself is repeats


def test_an_ar1_without_memory_starts_anew_every_day() -> None:
    process = Process("ar1", {"intercept": 5.0, "ar.L1": 0.0, "sigma2": 2.0})
    start = Belief(np.array(0), np.array([[9.0]]), np.array([[0.0]]))
    assert_same(process.carried(start, 4), Belief(np.array(4), np.array([[5.0]]), np.array([[2.0]])))
    assert_same(process.carried(start, 0), start)
