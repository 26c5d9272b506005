"""The pool of several people's judgements against brute force on a grid, and the laws that make it the one to use."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import jensenshannon
from scipy.stats import gmean, norm

from forecast.pool import disagreement, pooled_rates, pooled_rows, pooled_values, spread
from forecast.probability import Floats
from tests.small import steady

SHAPES = st.tuples(st.integers(1, 6), st.integers(1, 4), st.integers(2, 5))
"""People, scenarios, states."""


@st.composite
def opinions(draw: st.DrawFn) -> Floats:
    """Rows of several people for several scenarios."""
    weights = draw(arrays(np.float64, draw(SHAPES), elements=st.floats(1e-6, 1.0)))
    return weights / weights.sum(axis=-1, keepdims=True)


@st.composite
def densities(draw: st.DrawFn) -> tuple[Floats, Floats]:
    """Means and standard deviations of several people for several scenarios."""
    people, scenarios, _ = draw(SHAPES)
    means = draw(arrays(np.float64, (people, scenarios), elements=st.floats(-3.0, 3.0)))
    return means, draw(arrays(np.float64, (people, scenarios), elements=st.floats(0.5, 2.0)))


@given(opinions())
@steady
def test_rows_are_their_geometric_mean_made_to_sum_to_one(rows: Floats) -> None:
    pooled = pooled_rows(rows)
    expected = gmean(rows, axis=0)
    np.testing.assert_allclose(pooled, expected / expected.sum(axis=-1, keepdims=True), rtol=1e-12)
    np.testing.assert_allclose(pooled.sum(axis=-1), 1.0, rtol=1e-14)


@given(opinions())
@steady
def test_rates_are_their_geometric_mean(rates: Floats) -> None:
    np.testing.assert_allclose(pooled_rates(rates), gmean(rates, axis=0), rtol=1e-12)


@given(densities())
@steady
def test_values_are_the_pool_of_the_densities_on_a_grid(given_values: tuple[Floats, Floats]) -> None:
    means, sds = given_values
    grid = np.linspace(-20.0, 20.0, 4_001)
    weights = np.exp(norm.logpdf(grid, means[..., None], sds[..., None]).mean(axis=0))
    weights /= weights.sum(axis=-1, keepdims=True)
    mean = (weights * grid).sum(axis=-1)
    variance = (weights * (grid - mean[:, None]) ** 2).sum(axis=-1)
    pooled = pooled_values(means, sds)
    np.testing.assert_allclose(pooled[0], mean, atol=1e-9)
    np.testing.assert_allclose(pooled[1], np.sqrt(variance), rtol=1e-9)


@given(opinions(), densities())
@steady
def test_one_opinion_or_many_that_agree_are_themselves(rows: Floats, values: tuple[Floats, Floats]) -> None:
    for count in (1, 7):
        np.testing.assert_allclose(pooled_rows(np.repeat(rows[:1], count, axis=0)), rows[0], rtol=1e-12)
        np.testing.assert_allclose(pooled_rates(np.repeat(rows[:1], count, axis=0)), rows[0], rtol=1e-12)
        alike = [np.repeat(part[:1], count, axis=0) for part in values]
        for pooled, own in zip(pooled_values(*alike), values, strict=True):
            np.testing.assert_allclose(pooled, own[0], rtol=1e-12)
        assert disagreement(np.repeat(rows[:1], count, axis=0)) == pytest.approx(0.0, abs=1e-14)


@given(opinions(), densities())
@steady
def test_the_order_of_people_does_not_matter(rows: Floats, values: tuple[Floats, Floats]) -> None:
    turned = rows[::-1]
    np.testing.assert_allclose(pooled_rows(turned), pooled_rows(rows), rtol=1e-12)
    np.testing.assert_allclose(pooled_rates(turned), pooled_rates(rows), rtol=1e-12)
    assert disagreement(turned) == pytest.approx(disagreement(rows), abs=1e-12)
    for one, other in zip(pooled_values(*(part[::-1] for part in values)), pooled_values(*values), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


@given(opinions(), st.data())
@steady
def test_to_learn_and_pool_is_to_pool_and_learn(rows: Floats, data: st.DataObject) -> None:
    """Externally Bayesian: what everybody learns from the same report may be learnt before or after."""
    likelihood = data.draw(arrays(np.float64, rows.shape[-1], elements=st.floats(1e-6, 1.0)))

    def learnt(prior: Floats) -> Floats:
        weights = prior * likelihood
        return weights / weights.sum(axis=-1, keepdims=True)

    np.testing.assert_allclose(pooled_rows(learnt(rows)), learnt(pooled_rows(rows)), rtol=1e-11)


@given(opinions())
@steady
def test_the_order_of_states_goes_along(rows: Floats) -> None:
    np.testing.assert_allclose(pooled_rows(rows[..., ::-1]), pooled_rows(rows)[..., ::-1], rtol=1e-12)


@given(opinions())
@steady
def test_the_pool_of_rates_lies_between_them(rates: Floats) -> None:
    low, high = spread(rates)
    assert (low <= high).all()
    assert (low * (1 - 1e-12) <= pooled_rates(rates)).all() and (pooled_rates(rates) <= high * (1 + 1e-12)).all()
    for number in range(len(rates)):
        assert (low <= rates[number]).all() and (rates[number] <= high).all()


@given(densities())
@steady
def test_nobody_gets_surer_than_the_surest(values: tuple[Floats, Floats]) -> None:
    means, sds = values
    mean, sd = pooled_values(means, sds)
    assert (sds.min(axis=0) * (1 - 1e-12) <= sd).all() and (sd <= sds.max(axis=0) * (1 + 1e-12)).all()
    assert (means.min(axis=0) - 1e-12 <= mean).all() and (mean <= means.max(axis=0) + 1e-12).all()


@given(opinions())
@steady
def test_of_two_people_it_is_the_divergence_that_scipy_knows(rows: Floats) -> None:
    pair = np.stack([rows[0], rows[-1]])
    expected = np.mean([jensenshannon(one, other, base=2) ** 2 for one, other in zip(*pair, strict=True)])
    assert disagreement(pair) == pytest.approx(expected, abs=1e-9)


@given(opinions())
@steady
def test_it_is_the_mean_distance_from_the_average_row_and_at_most_the_bits_of_who_spoke(rows: Floats) -> None:
    average = rows.mean(axis=0)
    distances = (rows * np.log2(rows / average)).sum(axis=-1)
    assert disagreement(rows) == pytest.approx(distances.mean(), abs=1e-12)
    assert 0.0 <= disagreement(rows) <= np.log2(len(rows)) + 1e-12


def test_people_who_exclude_each_other_are_as_far_apart_as_can_be() -> None:
    assert disagreement(np.eye(4)[:, None, :]) == pytest.approx(2.0)
    assert disagreement(np.stack([np.eye(2), np.eye(2)[::-1]])) == pytest.approx(1.0)
    half = np.array([[[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [0.5, 0.5]]])
    assert disagreement(half) == pytest.approx(0.5), "of two rows, one agreed"


def test_rows_that_depend_on_another_indicator_are_pooled_row_by_row() -> None:
    rows = np.random.default_rng(7).dirichlet(np.ones(3), size=(4, 2, 5))
    pooled = pooled_rows(rows)
    assert pooled.shape == (2, 5, 3)
    np.testing.assert_allclose(pooled[1, 2], pooled_rows(rows[:, 1, 2]), rtol=1e-15)


def test_the_smallest_and_largest_numbers() -> None:
    tiny = np.array([[1.0, 1e-300], [1.0, 1e-320]])
    assert pooled_rows(tiny)[1] == pytest.approx(1e-310, rel=1e-3)
    assert pooled_rates(np.array([1e-300, 1e300])) == pytest.approx(1.0)
    assert pooled_rates(np.array([1e308] * 9)) == pytest.approx(1e308)
    for scale in (1e-300, 1e-160, 1e160, 1e300):
        mean, sd = pooled_values(np.array([0.0, 3.0]) * scale, np.array([1.0, 0.5]) * scale)
        assert mean / scale == pytest.approx(2.4)
        assert sd / scale == pytest.approx(np.sqrt(1 / 2.5))
    mean, sd = pooled_values(np.array([5.0, 0.0]), np.array([1e-200, 1e200]))
    assert [mean, sd] == pytest.approx([5.0, np.sqrt(2.0) * 1e-200], rel=1e-12, abs=0.0)


def test_a_worked_example() -> None:
    """By hand: roots of .5 * .8 and .5 * .2 are .6325 and .3162, two to one."""
    np.testing.assert_allclose(pooled_rows(np.array([[0.5, 0.5], [0.8, 0.2]])), [2 / 3, 1 / 3], rtol=1e-12)
    assert pooled_rates(np.array([1.0, 2.0, 4.0])) == pytest.approx(2.0)
    mean, sd = pooled_values(np.array([50.0, 60.0]), np.array([5.0, 10.0]))
    assert [mean, sd] == pytest.approx([52.0, np.sqrt(40.0)])
