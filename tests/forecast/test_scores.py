"""Proper scores: against other libraries, by hand, and that nobody gains by saying what he does not believe."""

from functools import partial

import numpy as np
import pytest
import scoringrules
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from forecast.probability import Floats
from forecast.scores import (
    binary_brier_score,
    binary_log_score,
    brier_score,
    log_score,
    ranked_probability_score,
    skill,
)
from tests.small import steady

agree = partial(np.testing.assert_allclose, rtol=0.0, atol=1e-12)


def drawn(n: int = 500, categories: int = 4) -> tuple[Floats, np.ndarray]:
    rng = np.random.default_rng(7)
    return rng.dirichlet(np.ones(categories), size=n), rng.integers(0, categories, n)


def test_by_hand() -> None:
    p = np.array([0.2, 0.5, 0.3])
    assert brier_score(p, 1) == pytest.approx(0.04 + 0.25 + 0.09, abs=1e-15)
    assert log_score(p, 1) == pytest.approx(np.log(2.0), abs=1e-15)
    assert ranked_probability_score(p, 1) == pytest.approx(0.2**2 + 0.3**2, abs=1e-15)
    assert ranked_probability_score(p, 0) == pytest.approx(0.8**2 + 0.3**2, abs=1e-15)


def test_they_are_those_of_scoringrules() -> None:
    p, outcome = drawn()
    # It counts categories from 1.
    agree(ranked_probability_score(p, outcome), scoringrules.rps_score(outcome + 1, p))
    came_true = (outcome == 0).astype(float)
    agree(binary_brier_score(p[:, 0], came_true), scoringrules.brier_score(came_true, p[:, 0]))
    agree(binary_log_score(p[:, 0], came_true), scoringrules.log_score(came_true, p[:, 0]))


def test_they_are_those_of_scikit_learn() -> None:
    p, outcome = drawn()
    came_true = outcome == 0
    assert brier_score(p, outcome).mean() == pytest.approx(
        metrics.brier_score_loss(outcome, p, labels=range(4), scale_by_half=False), abs=1e-12
    )
    assert log_score(p, outcome).mean() == pytest.approx(metrics.log_loss(outcome, p, labels=range(4)), abs=1e-12)
    assert binary_brier_score(p[:, 0], came_true).mean() == pytest.approx(
        metrics.brier_score_loss(came_true, p[:, 0]), abs=1e-12
    )
    assert binary_log_score(p[:, 0], came_true).mean() == pytest.approx(metrics.log_loss(came_true, p[:, 0]), abs=1e-12)


def test_of_two_categories_the_brier_score_is_twice_the_binary_one_and_the_others_the_same() -> None:
    p, outcome = drawn(categories=2)
    agree(brier_score(p, outcome), 2 * binary_brier_score(p[:, 1], outcome))
    agree(log_score(p, outcome), binary_log_score(p[:, 1], outcome))
    agree(ranked_probability_score(p, outcome), binary_brier_score(p[:, 1], outcome))


shares = st.lists(st.floats(1e-6, 1.0), min_size=4, max_size=4).map(lambda weights: np.array(weights) / sum(weights))


@pytest.mark.parametrize("score", [brier_score, log_score, ranked_probability_score])
@steady
@given(believed=shares, said=shares)
def test_nobody_gains_by_saying_anything_else(score: object, believed: Floats, said: Floats) -> None:
    assert callable(score)
    honest, other = (sum(believed[k] * score(p, k) for k in range(4)) for p in (believed, said))
    assert honest <= other + 1e-12


def test_only_the_ranked_score_knows_an_order() -> None:
    near, far = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])
    assert brier_score(near, 0) == brier_score(far, 0) == 2.0
    assert ranked_probability_score(near, 0) < ranked_probability_score(far, 0)


def test_certainty_and_what_was_given_no_chance() -> None:
    sure = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert brier_score(sure, np.array([0, 1])).tolist() == [0.0, 2.0]
    assert log_score(sure, np.array([0, 1])).tolist() == [0.0, np.inf]
    assert binary_log_score([0.0, 1.0], [1, 1]).tolist() == [np.inf, 0.0]


def test_skill_is_nothing_where_there_is_nothing_to_gain() -> None:
    found = skill(np.array([0.1, 0.3, 0.0, 1.0]), np.array([0.2, 0.2, 0.0, np.inf]))
    agree(found, [0.5, -0.5, np.nan, np.nan])
