"""The paired test of forecasters: its size, its power, what stands on which day, and the sums in parts."""

import numpy as np
import pytest
from scipy import stats

from forecast.comparison import Comparison, Differences, holm, paired_test


def compared(rows: list[tuple[int, int, int, float]], forecasters: list[int] | None = None) -> list[Comparison]:
    """Comparisons of rows of question, day, forecaster and score."""
    found = Differences(sorted({row[2] for row in rows}) if forecasters is None else forecasters)
    taken(found, rows)
    return found.comparisons()


def taken(differences: Differences, rows: list[tuple[int, int, int, float]]) -> None:
    ordered = sorted(rows)
    question, day, who, score = (np.array(column) for column in zip(*ordered, strict=True))
    differences.add(question.astype(np.uint64), day, who, score)


def test_the_test_is_that_of_the_textbook() -> None:
    values = np.random.default_rng(1).normal(0.3, 1.0, 40)
    low, high, p = paired_test(len(values), values.sum(), (values**2).sum())
    expected = stats.ttest_1samp(values, 0.0)
    interval = expected.confidence_interval(0.9)
    np.testing.assert_allclose((low, high, p), (interval.low, interval.high, expected.pvalue), rtol=1e-9)


@pytest.mark.parametrize("n", [10, 100])
def test_it_holds_its_size_between_forecasters_who_are_equally_good(n: int) -> None:
    """Two who see the same truth through noise of the same size, scored by Brier: at 5 % one in twenty is accused."""
    rng = np.random.default_rng(2)
    accused = 0
    for _ in range(1_000):
        truth = rng.random(n)
        came_true = rng.random(n) < truth
        scores = [(np.clip(truth + rng.normal(0, 0.15, n), 0, 1) - came_true) ** 2 for _ in range(2)]
        difference = scores[0] - scores[1]
        accused += paired_test(n, difference.sum(), (difference**2).sum())[2] < 0.05
    assert 0.03 < accused / 1_000 < 0.075


def test_it_finds_who_is_better() -> None:
    rng = np.random.default_rng(3)
    truth = rng.random(400)
    came_true = rng.random(400) < truth
    good, bad = ((np.clip(truth + rng.normal(0, sd, 400), 0, 1) - came_true) ** 2 for sd in (0.05, 0.4))
    difference = good - bad
    low, high, p = paired_test(400, difference.sum(), (difference**2).sum())
    assert p < 1e-6
    assert high < 0.0
    assert low < high


def test_of_few_questions_nothing_is_said() -> None:
    assert np.isnan(paired_test(4, 1.0, 0.5)).all()


def test_differences_that_are_all_the_same() -> None:
    assert paired_test(10, 0.0, 0.0) == (0.0, 0.0, 1.0)
    assert paired_test(10, 5.0, 2.5) == (0.5, 0.5, 0.0)


def test_each_ones_latest_stands_from_the_day_both_have_spoken() -> None:
    rows = [
        *((1, 1, 0, 0.9), (1, 3, 0, 0.1)),  # on day 2 the first forecast stands
        *((1, 2, 1, 0.5), (1, 4, 1, 0.3)),
        (2, 1, 0, 0.7),  # nobody else
        *((3, 1, 0, 0.2), (3, 1, 1, 0.6)),
    ]
    [found] = compared(rows)
    of_first = np.mean([0.9 - 0.5, 0.1 - 0.5, 0.1 - 0.3])
    assert (found.one, found.other, found.questions) == (0, 1, 2)
    assert found.difference == pytest.approx(np.mean([of_first, 0.2 - 0.6]), abs=1e-15)
    assert np.isnan(found.p)


def test_parts_of_whole_questions_are_the_whole() -> None:
    rng = np.random.default_rng(4)
    rows = [
        (q, int(day), who, float(rng.random()))
        for q in range(30)
        for who in (2, 5, 9)
        for day in rng.choice(20, 3, replace=False)
        if rng.random() < 0.8
    ]
    parts = Differences([2, 5, 9])
    for part in range(3):
        taken(parts, [row for row in rows if row[0] % 3 == part])
    for one, other in zip(compared(rows), parts.comparisons(), strict=True):
        assert (one.one, one.other, one.questions) == (other.one, other.other, other.questions)
        np.testing.assert_allclose((one.difference, one.p), (other.difference, other.p), rtol=1e-9)


def test_those_not_asked_for_do_not_count() -> None:
    rows = [(1, 1, 0, 0.2), (1, 1, 1, 0.4), (1, 1, 2, 0.9)]
    [found] = compared(rows, [0, 2])
    assert (found.one, found.other) == (0, 2)
    assert compared(rows, [0]) == []
    assert compared([(1, 1, 0, 0.2), (2, 1, 1, 0.2)]) == []


def test_p_values_are_adjusted_as_holm_says() -> None:
    np.testing.assert_allclose(holm([0.01, 0.04, np.nan, 0.03]), [0.03, 0.06, np.nan, 0.06])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]
