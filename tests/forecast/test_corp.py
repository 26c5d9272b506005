"""CORP: the fit against its definition and another library, the decomposition, and what it does by chance."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from forecast.corp import Decomposition, Pooled, consistency_band, histogram, pooled
from forecast.forecast_table import ForecastTable
from forecast.probability import Floats
from forecast.scores import binary_brier_score
from forecast.table_scores import table_scores
from tests.small import steady

PUBLISHED = Path(__file__).parent.parent / "published"

records = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.7, 0.95, 1.0]), st.booleans()), min_size=1)


def by_definition(p: list[float], came_true: list[bool]) -> dict[float, float]:
    """Isotonic regression by its max-min formula: at x the largest, over a <= x, of the least mean from a to b >= x.

    Equal forecasts are one point with their mean, weighted by their number.
    """
    distinct = sorted(set(p))

    def mean(first: float, last: float) -> float:
        within = [o for q, o in zip(p, came_true, strict=True) if first <= q <= last]
        return sum(within) / len(within)

    return {x: max(min(mean(a, b) for b in distinct if b >= x) for a in distinct if a <= x) for x in distinct}


@steady
@given(record=records)
def test_the_fit_is_the_one_of_the_definition(record: list[tuple[float, bool]]) -> None:
    p, came_true = [q for q, _ in record], [o for _, o in record]
    found, expected = pooled(p, came_true), by_definition(p, came_true)
    assert found.probabilities.tolist() == list(expected)
    np.testing.assert_allclose(found.fit, list(expected.values()), rtol=0, atol=1e-12)


@steady
@given(record=records)
def test_the_parts_are_the_published_ones(record: list[tuple[float, bool]]) -> None:
    """S of the forecasts, of the fit C, and of the overall frequency R: MCB = S - C, DSC = R - C, UNC = R."""
    p, o = np.array([q for q, _ in record]), np.array([came for _, came in record], dtype=float)
    fit = by_definition(p.tolist(), [came for _, came in record])
    s = binary_brier_score(p, o).mean()
    c = binary_brier_score([fit[q] for q in p.tolist()], o).mean()
    r = binary_brier_score(np.full_like(o, o.mean()), o).mean()
    parts = pooled(p, o).decomposition
    np.testing.assert_allclose(parts, (s, s - c, r - c, r), rtol=0, atol=1e-12)
    assert parts.score == pytest.approx(parts.miscalibration - parts.discrimination + parts.uncertainty, abs=1e-12)
    assert parts.miscalibration >= 0.0
    assert parts.discrimination >= 0.0


def test_the_fit_is_that_of_scikit_learn() -> None:
    p, o = forecasts(2_000, np.random.default_rng(5), rounded=2)
    expected = IsotonicRegression(y_min=0.0, y_max=1.0).fit(p, o).predict(np.unique(p))
    np.testing.assert_allclose(pooled(p, o).fit, expected, rtol=0, atol=1e-12)


def test_by_hand() -> None:
    """Of 0.2, 0.4, 0.6 the middle one came true and the last did not: these two are one step of one half."""
    found = pooled([0.2, 0.4, 0.6], [0, 1, 0])
    assert found.fit.tolist() == [0.0, 0.5, 0.5]
    expected = Decomposition(0.76 / 3, 0.76 / 3 - 1 / 6, 2 / 9 - 1 / 6, 2 / 9)
    np.testing.assert_allclose(found.decomposition, expected, rtol=0, atol=1e-15)


def test_parts_put_together_are_the_whole() -> None:
    p, o = forecasts(900, np.random.default_rng(1), rounded=2)
    whole, joined = pooled(p, o), pooled(p[:300], o[:300]).joined(pooled(p[300:], o[300:]))
    for name in ("probabilities", "forecasts", "came_true"):
        assert getattr(joined, name).tolist() == getattr(whole, name).tolist()


def test_of_nothing_nothing_is_told() -> None:
    found = pooled([], [])
    assert (found.count, found.fit.tolist()) == (0, [])
    assert np.isnan(found.decomposition).all()
    assert consistency_band(found, rng=np.random.default_rng(0)).low.tolist() == []
    assert sum(part.forecasts for part in histogram(found)) == 0


def test_the_histogram_counts_every_forecast_once_edges_upwards() -> None:
    parts = histogram(pooled([0.0, 0.05, 0.1, 0.1, 0.999, 1.0], [0, 1, 1, 0, 1, 1]), bins=10)
    assert [(part.forecasts, part.came_true) for part in parts] == [(2, 1), (2, 1), *[(0, 0)] * 7, (2, 2)]


# What it does by chance


def forecasts(n: int, rng: np.random.Generator, *, rounded: int = 3) -> tuple[Floats, Floats]:
    """A forecaster whose probabilities are right."""
    p = np.round(rng.random(n), rounded)
    return p, (rng.random(n) < p).astype(float)


def test_the_miscalibration_of_who_is_right_goes_to_nothing() -> None:
    rng = np.random.default_rng(11)
    means = [np.mean([mcb(*forecasts(n, rng)) for _ in range(20)]) for n in (100, 1_000, 10_000)]
    assert means[0] > 3 * means[1] > 9 * means[2]
    assert means[2] < 0.0015


def test_the_miscalibration_of_who_is_wrong_does_not() -> None:
    rng = np.random.default_rng(12)
    p = rng.random(100_000)
    o = (rng.random(100_000) < 0.5 * p + 0.25).astype(float)
    # E (p - (p / 2 + 1 / 4))^2 = 1/48 for p uniform.
    assert mcb(p, o) == pytest.approx(1 / 48, abs=0.002)


def mcb(p: Floats, o: Floats) -> float:
    return pooled(p, o).decomposition.miscalibration


@pytest.mark.parametrize(("n", "rounded"), [(400, 1), (2_000, 2), (4_000, 4)])
def test_the_band_holds_its_coverage(n: int, rounded: int) -> None:
    """In nine worlds of ten the fit lies within, at a probability in the middle and over all of them on average."""
    rng = np.random.default_rng(13)
    inside, middle = [], []
    for _ in range(150):
        found = pooled(*forecasts(n, rng, rounded=rounded))
        band = consistency_band(found, rng=rng, draws=100)
        held = (band.low - 1e-12 <= found.fit) & (found.fit <= band.high + 1e-12)
        inside.append(np.average(held, weights=found.forecasts))
        middle.append(held[len(held) // 2])
    assert 0.85 < np.mean(inside) < 0.96
    assert 0.83 < np.mean(middle) < 0.97


def test_the_band_shows_who_is_wrong() -> None:
    rng = np.random.default_rng(14)
    p = np.round(rng.random(3_000), 2)
    found = pooled(p, rng.random(3_000) < p**2)
    band = consistency_band(found, rng=rng)
    out = (found.fit < band.low) | (found.fit > band.high)
    assert np.average(out, weights=found.forecasts) > 0.5


def test_the_band_does_not_depend_on_how_forecasts_are_pooled() -> None:
    p, o = forecasts(300, np.random.default_rng(2), rounded=1)
    found = pooled(p, o)
    again = Pooled(found.probabilities, found.forecasts, found.came_true)
    bands = [consistency_band(record, rng=np.random.default_rng(0)) for record in (found, again)]
    assert bands[0].low.tolist() == bands[1].low.tolist()


def test_the_example_of_the_paper() -> None:
    """Figure 1 of Dimitriadis et al. (2021), the raw ensemble; to the digits that their package prints."""
    rows = list(csv.DictReader(io.StringIO((PUBLISHED / "niamey-2016.csv").read_text("utf-8"))))
    found = pooled([float(row["probability"]) for row in rows], [int(row["outcome"]) for row in rows])
    assert found.count == 92
    printed = {"score": "0.266", "miscalibration": "0.0661", "discrimination": "0.0441", "uncertainty": "0.244"}
    parts = found.decomposition._asdict()
    assert {name: f"{parts[name]:.3g}" for name in printed} == printed


def test_a_table_of_the_example_is_scored_alike() -> None:
    scores = table_scores(ForecastTable(str(PUBLISHED / "niamey-2016.csv")))
    assert f"{scores.brier:.3f} {scores.calibration.decomposition.miscalibration:.4f}" == "0.266 0.0661"
