"""What looks may show: quadratures against sums and trapezoids, limits where the answer is known, and the laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.outcomes import (
    Outcomes,
    count_outcomes,
    measure_outcomes,
    milestone_outcomes,
    mutual_information,
    state_outcomes,
)
from forecast.probability import Floats
from tests.small import steady
from tests.strategies import probability_vectors

RHO = 0.75


def bits(weights: list[float] | Floats, look: Outcomes) -> float:
    """Of one look."""
    return float(mutual_information(np.log(weights), [look])[0])


def discrete(weights: list[float], table: list[list[float]]) -> float:
    """Mutual information of a table P(x|k), term by term."""
    total = 0.0
    for x in range(len(table[0])):
        cells = [(p, row[x]) for p, row in zip(weights, table, strict=True)]
        average = math.fsum(p * cell for p, cell in cells)
        if average > 0:
            total += math.fsum(p * cell * math.log2(cell / average) for p, cell in cells if cell > 0)
    return total


def reading(means: list[float], sds: list[float], prior: list[float], rho: float = RHO) -> Outcomes:
    """A look at a measure without a persistence."""
    mu, sd = np.array(means), np.array(sds)
    return measure_outcomes(mu, sd, prior=np.array(prior), anyway=(mu, sd), rho=rho)


def by_trapezoid(
    weights: list[float], near: list[tuple[float, float]], anyway: list[tuple[float, float]], prior: list[float]
) -> float:
    """The integral on a fine even grid; spectrally accurate where no sd is far below the others."""
    spread = [m + z * s for m, s in near + anyway for z in (-10, 10)]
    y = np.linspace(min(spread), max(spread), 200_001)

    def density(m: float, s: float) -> Floats:
        return np.exp(-0.5 * ((y - m) / s) ** 2) / (s * math.sqrt(2 * math.pi))

    background = sum(p * density(*item) for p, item in zip(prior, anyway, strict=True))
    rows = [RHO * density(*item) + (1 - RHO) * background for item in near]
    average = sum(p * row for p, row in zip(weights, rows, strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = sum(
            p * np.where(row > 0, row * np.log2(row / average), 0) for p, row in zip(weights, rows, strict=True)
        )
    return float(np.sum(terms) * (y[1] - y[0]))


@steady
@given(k=st.integers(2, 6), s=st.integers(2, 5), data=st.data())
def test_of_a_table_it_is_the_sum_over_its_cells(k: int, s: int, data: st.DataObject) -> None:
    """And never negative, nor above what is uncertain."""
    weights = data.draw(probability_vectors(k))
    belief = np.array([data.draw(probability_vectors(s)) for _ in range(k)])
    q = np.array(data.draw(probability_vectors(s)))
    found = bits(weights, state_outcomes(belief, q, RHO))
    assert found == pytest.approx(discrete(weights, (RHO * belief + (1 - RHO) * q).tolist()), abs=1e-12)
    assert 0.0 <= found <= -sum(p * math.log2(p) for p in weights) + 1e-12


@steady
@given(weights=probability_vectors(4), row=probability_vectors(3))
def test_the_same_row_under_every_scenario_tells_nothing(weights: list[float], row: list[float]) -> None:
    assert bits(weights, state_outcomes(np.tile(row, (4, 1)), np.array(row), RHO)) < 1e-14
    assert bits(weights, reading([5.0] * 4, [2.0] * 4, weights)) < 1e-13
    assert bits(weights, count_outcomes(np.full(4, 3.7))) < 1e-13


def test_several_looks_at_once_are_each_by_itself() -> None:
    weights = [0.2, 0.3, 0.5]
    looks = [
        reading([1.0, 2.0, 4.0], [1.0, 1.0, 0.5], weights),
        milestone_outcomes(np.array([0.1, 0.5, 2.0]), 1.0),
        count_outcomes(np.array([0.1, 3.0, 40.0])),
    ]
    assert mutual_information(np.log(weights), looks) == pytest.approx([bits(weights, look) for look in looks])
    assert mutual_information(np.log(weights), []).shape == (0,)


@pytest.mark.parametrize("seed", range(12))
def test_readings_agree_with_a_fine_grid(seed: int) -> None:
    """Means and deviations of one order of magnitude, pulled off their scenarios' own by a last reading."""
    rng = np.random.default_rng(seed)
    k = int(rng.integers(2, 6))
    weights, prior = rng.dirichlet(np.ones(k)).tolist(), rng.dirichlet(np.ones(k)).tolist()
    anyway = [(float(m), float(s)) for m, s in zip(rng.normal(0, 10, k), rng.uniform(0.5, 8, k), strict=True)]
    near = [(m + 0.6 * (3.0 - m), s * math.sqrt(1 - 0.36)) for m, s in anyway]
    look = measure_outcomes(
        np.array([m for m, _ in near]),
        np.array([s for _, s in near]),
        prior=np.array(prior),
        anyway=(np.array([m for m, _ in anyway]), np.array([s for _, s in anyway])),
        rho=RHO,
    )
    assert bits(weights, look) == pytest.approx(by_trapezoid(weights, near, anyway, prior), abs=1e-9)
    np.testing.assert_allclose(np.exp(look.log_likelihoods) @ look.weights, 1.0, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("means", "sd"),
    [([0.0, 1.0, 2.0], 1e-2), ([0.0, 1e6, 3e6], 1e-3), ([-1e15, 0.0, 1e15], 1e-9), ([0.0, 1e-9, 2e-9], 1e-12)],
)
def test_means_far_apart_are_names(means: list[float], sd: float) -> None:
    """Each reading then names a scenario: rho [j = k] + (1 - rho) pi_j."""
    weights, prior = [0.2, 0.3, 0.5], [0.6, 0.3, 0.1]
    table = [[RHO * (j == k) + (1 - RHO) * prior[j] for j in range(3)] for k in range(3)]
    assert bits(weights, reading(means, [sd] * 3, prior)) == pytest.approx(discrete(weights, table), abs=1e-10)


@pytest.mark.parametrize("sd", [1e-6, 1e-9, 1e-40])
def test_a_needle_in_a_hill(sd: float) -> None:
    """Of two deviations so unlike, a reading names the narrow scenario or the wide one, wherever the needle stands."""
    weights, prior = [0.4, 0.6], [0.5, 0.5]
    table = [[RHO * (j == k) + (1 - RHO) * 0.5 for j in range(2)] for k in range(2)]
    for mean in (0.0, 0.3, 1e-7):
        found = bits(weights, reading([mean, 0.0], [sd, 1.0], prior))
        assert found == pytest.approx(discrete(weights, table), abs=30 * sd + 1e-10)


@pytest.mark.parametrize(("scale", "shift"), [(1e-9, 0.0), (1e12, 0.0), (1.0, 1e6), (1e-3, -40.0)])
def test_the_unit_of_a_reading_does_not_matter(scale: float, shift: float) -> None:
    weights, prior = [0.1, 0.2, 0.7], [0.3, 0.3, 0.4]
    means, sds = [50.0, 53.5, 61.25], [4.0, 6.0, 1.5]
    turned = reading([m * scale + shift for m in means], [s * scale for s in sds], prior)
    assert bits(weights, turned) == pytest.approx(bits(weights, reading(means, sds, prior)), abs=1e-8)


@pytest.mark.parametrize(
    "expected",
    [[0.001, 0.02], [0.3, 2.0, 7.0], [900.0, 950.0, 1_010.0, 1_300.0], [30.0, 1_000.0, 1_020.0], [5_000.0, 5_100.0]],
)
def test_counts_agree_with_the_plain_sum(expected: list[float]) -> None:
    """Below, around and above the count from which the sum becomes an integral."""
    weights = [1 / len(expected)] * len(expected)
    top = int(max(expected) + 15 * math.sqrt(max(expected)) + 30)
    table = [[math.exp(n * math.log(m) - m - math.lgamma(n + 1)) for n in range(top)] for m in expected]
    assert bits(weights, count_outcomes(np.array(expected))) == pytest.approx(discrete(weights, table), abs=1e-8)


def test_very_large_counts_are_normal() -> None:
    """A hundred million, a million million: two means two deviations apart tell what two normals do."""
    weights = [0.4, 0.6]
    for mean in (1e8, 1e12, 1e16):
        near = count_outcomes(np.array([mean, mean + 2 * math.sqrt(mean)]))
        sums = np.exp(near.log_likelihoods) @ near.weights
        normal = reading([0.0, 2.0], [1.0, 1.0], weights, rho=1 - 1e-12)
        assert sums == pytest.approx(1.0, abs=1e-6)
        assert bits(weights, near) == pytest.approx(bits(weights, normal), abs=1e-4)


def test_counts_that_differ_by_orders_of_magnitude_name_the_scenario() -> None:
    weights = [0.1, 0.2, 0.3, 0.4]
    found = bits(weights, count_outcomes(np.array([1e-9, 100.0, 1e5, 1e10])))
    assert found == pytest.approx(-sum(p * math.log2(p) for p in weights), abs=1e-6)


def test_twenty_scenarios_from_rare_to_daily() -> None:
    """A chain of means in which neighbours overlap, from 1 to 6,000: against the plain sum."""
    expected = [1.0 * 1.58**n for n in range(20)]
    weights = [1 / 20] * 20
    table = [[math.exp(n * math.log(m) - m - math.lgamma(n + 1)) for n in range(8_000)] for m in expected]
    assert bits(weights, count_outcomes(np.array(expected))) == pytest.approx(discrete(weights, table), abs=1e-8)


def test_a_milestone_by_hand() -> None:
    """Hazards over the span of ln 2 and ln 4: it happens with 1/2 and 3/4."""
    look = milestone_outcomes(np.log([2.0, 4.0]), 1.0)
    assert bits([0.5, 0.5], look) == pytest.approx(discrete([0.5, 0.5], [[0.5, 0.5], [0.75, 0.25]]), abs=1e-14)
    half_gone = milestone_outcomes(np.log([2.0, 4.0]), 0.5)
    assert bits([0.5, 0.5], half_gone) == pytest.approx(discrete([0.5, 0.5], [[0.25, 0.75], [0.375, 0.625]]), abs=1e-14)


def test_a_milestone_that_cannot_fail_or_cannot_come() -> None:
    """Hazards that leave no double between the chance and 1, or between it and 0."""
    assert bits([0.5, 0.5], milestone_outcomes(np.array([1e-12, 1e12]), 1.0)) == pytest.approx(1.0, abs=1e-9)
    assert bits([0.5, 0.5], milestone_outcomes(np.array([1e12, 1e12]), 1.0)) == 0.0
    assert bits([0.5, 0.5], milestone_outcomes(np.array([1.0, 2.0]), 0.0)) == 0.0
