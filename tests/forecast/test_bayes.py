"""The recursion against a loop that anybody can read, Bayes' rule against a published example, and its laws."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.bayes import filtered, posterior, transfer_to_end
from forecast.probability import Floats, log_odds, log_or_minus_infinity, normalised
from tests.strategies import probability_vectors

LENGTHS = (1, 2, 5, 47, 48, 49, 50, 100, 333)


def loop_forward(base: Floats, stay: Floats, emissions: Floats) -> tuple[Floats, Floats, Floats]:
    """The recursion one day at a time, in plain probabilities."""
    predicted, after, normalisers = [], [], []
    p = base[0]
    for t, seen in enumerate(emissions):
        p = base[t] if t == 0 else stay[t] * p + (1 - stay[t]) * base[t]
        predicted.append(p)
        joint = p * np.exp(seen)
        normalisers.append(np.log(joint.sum()))
        p = joint / joint.sum()
        after.append(p)
    return np.array(predicted), np.array(after), np.array(normalisers)


def drawn(rng: np.random.Generator, length: int, size: int, kind: str) -> tuple[Floats, Floats, Floats]:
    """A base that moves or not, and chances of staying that vary or not."""
    base = rng.dirichlet(np.ones(size), size=length)
    if kind in ("drift", "plain"):
        base = np.broadcast_to(base[0], base.shape)
    stay = {"drift": np.full(length, 0.99), "plain": np.ones(length), "fresh": np.zeros(length)}.get(
        kind, rng.uniform(size=length)
    )
    return base, stay, rng.normal(scale=2.0, size=(length, size))


@pytest.mark.parametrize("kind", ["drift", "plain", "fresh", "moving"])
@pytest.mark.parametrize("length", LENGTHS)
def test_the_filter_is_the_loop(length: int, kind: str) -> None:
    """Cut into blocks or not, the days come out as the loop has them."""
    base, stay, emissions = drawn(np.random.default_rng(length), length, 4, kind)
    predicted, after, normalisers = loop_forward(base, stay, emissions)
    given_base = base[0] if kind in ("drift", "plain") else base
    run = filtered(given_base, stay, emissions)
    np.testing.assert_allclose(np.exp(run.log_predicted), predicted, rtol=0, atol=1e-13)
    np.testing.assert_allclose(np.exp(run.log_filtered), after, rtol=0, atol=1e-13)
    np.testing.assert_allclose(run.log_normalisers, normalisers, rtol=0, atol=1e-11)


def test_chains_side_by_side_are_chains_alone() -> None:
    """A leading axis is so many chains with bases of their own."""
    rng = np.random.default_rng(5)
    base = rng.dirichlet(np.ones(3), size=(4, 120))
    stay, emissions = rng.uniform(size=120), rng.normal(size=(120, 3))
    together = filtered(base, stay, emissions)
    for k in range(4):
        alone = filtered(base[k], stay, emissions)
        np.testing.assert_allclose(together.log_filtered[k], alone.log_filtered, rtol=0, atol=1e-12)


@pytest.mark.parametrize("length", [1, 2, 4])
def test_the_worth_of_a_state_is_the_sum_over_paths(length: int) -> None:
    """Brute force: every path from each state at each step to the end."""
    rng = np.random.default_rng(length)
    base, stay, emissions = drawn(rng, length, 3, "moving")
    worth = transfer_to_end(base, stay, emissions, log_or_minus_infinity(np.eye(3)))
    for t in range(length):
        expected = np.zeros((3, 3))
        for path in itertools.product(range(3), repeat=length - t):
            weight = 1.0
            for step in range(1, len(path)):
                day = t + step
                move = stay[day] * (path[step] == path[step - 1]) + (1 - stay[day]) * base[day][path[step]]
                weight *= move * np.exp(emissions[day][path[step]])
            expected[path[-1], path[0]] += weight
        found = np.exp(worth[t])
        np.testing.assert_allclose(found / found.max(), expected / expected.max(), rtol=0, atol=1e-13)


@pytest.mark.parametrize("length", [60, 200])
def test_the_worth_is_the_same_in_blocks(length: int) -> None:
    """Forward times backward is the same distribution of the last state whatever the day it is cut at."""
    base, stay, emissions = drawn(np.random.default_rng(length), length, 4, "drift")
    run = filtered(base[0], stay, emissions)
    worth = transfer_to_end(base[0], stay, emissions, log_or_minus_infinity(np.eye(4)))
    last = normalised(np.logaddexp.reduce(run.log_filtered[:, None, :] + worth, axis=-1))
    np.testing.assert_allclose(last, np.tile(np.exp(run.log_filtered[-1]), (length, 1)), rtol=0, atol=1e-12)


def test_no_steps() -> None:
    """Nothing seen, nothing said."""
    run = filtered(np.array([0.5, 0.5]), np.ones(0), np.zeros((0, 2)))
    assert run.log_filtered.shape == (0, 2)


def test_the_first_example_of_the_handbook() -> None:
    """CIA, Handbook of Bayesian Analysis for Intelligence (1975): prior 0.10, 0.99 against 0.80, posterior 0.1209.

    0.10 x 0.99 / (0.10 x 0.99 + 0.90 x 0.80) = 0.099 / 0.819.
    """
    result = posterior(np.array([0.10, 0.90]), np.log([[0.99, 0.80]]))
    assert result[0] == pytest.approx(0.099 / 0.819, abs=1e-15)
    assert round(float(result[0]), 4) == 0.1209


@given(prior=probability_vectors(4), rows=st.lists(probability_vectors(4), max_size=6), seed=st.integers(0, 999))
def test_the_order_of_evidence_is_irrelevant(prior: list[float], rows: list[list[float]], seed: int) -> None:
    """Without drift any order, and any split into batches, gives the same."""
    logs = np.log(np.array(rows).reshape(-1, 4))
    shuffled = np.random.default_rng(seed).permutation(logs)
    once = posterior(np.array(prior), logs)
    half = posterior(posterior(np.array(prior), shuffled[: len(rows) // 2]), shuffled[len(rows) // 2 :])
    np.testing.assert_allclose(once, half, rtol=0, atol=1e-12)
    assert once.sum() == pytest.approx(1.0, abs=1e-12)


def test_ten_thousand_agreeing_reports_and_as_many_against() -> None:
    """The plain product would be 1e-50000; in logs nothing is lost, and the contrary brings the prior back."""
    prior = np.array([0.3, 0.7])
    agreeing = np.tile(np.log([1e-5, 1.1e-5]), (10_000, 1))
    after = posterior(prior, agreeing)
    assert np.isfinite(after).all()
    assert after.sum() == pytest.approx(1.0, abs=1e-12)
    np.testing.assert_allclose(posterior(prior, np.concatenate([agreeing, agreeing[:, ::-1]])), prior, atol=1e-9)


@pytest.mark.parametrize("size", [2, 20])
def test_extremes_stay_finite_under_drift(size: int) -> None:
    """Likelihoods of 1e-12 and log odds of thousands: finite, sums to one."""
    rng = np.random.default_rng(size)
    emissions = np.log(rng.choice([1e-12, 1.0], size=(400, size)))
    emissions[200] = np.linspace(-13_813, 0, size)
    run = filtered(rng.dirichlet(np.ones(size)), np.full(400, 0.999), emissions)
    assert np.isfinite(run.log_normalisers).all()
    np.testing.assert_allclose(np.exp(run.log_filtered).sum(axis=1), 1.0, rtol=0, atol=1e-12)


@given(p=probability_vectors(5), shift=st.floats(-500, 500))
def test_log_odds_need_no_normalising(p: list[float], shift: float) -> None:
    """ln p/(1-p), whatever constant is added to the logs."""
    values = np.array(p)
    expected = np.log(values) - np.log([values.sum() - v for v in values])
    np.testing.assert_allclose(log_odds(np.log(values) + shift), expected, rtol=0, atol=1e-8)
