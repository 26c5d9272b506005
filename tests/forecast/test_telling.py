"""The weight that goes with each number of a table, against sums worked out by hand."""

from __future__ import annotations

import math

import pytest

from forecast.telling import telling
from tests.small import study_of_text


def decibans(ratio: float) -> float:
    return 10 * math.log10(ratio)


def test_a_state_weighs_its_probability_against_that_under_the_others() -> None:
    study = study_of_text()
    found = telling(study, study.by_id["mood"])
    # Two scenarios, so all the others are the other one, whatever the priors.
    assert found.lines[0].decibans == pytest.approx([decibans(0.6 / 0.2), decibans(1.0), decibans(0.1 / 0.5)])
    assert found.lines[1].decibans == pytest.approx([-x for x in found.lines[0].decibans])


def test_of_three_scenarios_the_others_are_mixed_by_their_priors() -> None:
    text = (
        "study: s\nopens: 2024-01-01\nhorizon: 2024-12-31\nscenarios:\n"
        "  - {id: a, prior: 0.5}\n  - {id: b, prior: 0.3}\n  - {id: c, prior: 0.2}\n"
        "indicators:\n  - {id: n, kind: count, rates: {a: 1, b: 2, c: 4}}\n"
    )
    study = study_of_text(text)
    line = telling(study, study.by_id["n"]).lines[0]
    assert line.decibans == pytest.approx([decibans(1 / ((0.3 * 2 + 0.2 * 4) / 0.5))])


def test_a_reading_is_seen_from_the_scenarios_own_mean() -> None:
    study = study_of_text()
    line = telling(study, study.by_id["wait"]).lines[0]

    def density(y: float, mean: float, sd: float) -> float:
        return math.exp(-0.5 * ((y - mean) / sd) ** 2) / sd

    assert line.decibans == pytest.approx([decibans(density(20, 20, 6) / density(20, 45, 15)), 0.0])


def test_a_word_stands_beside_the_numbers_that_it_is() -> None:
    study = study_of_text()
    line = telling(study, study.by_id["press"]).of("settled")[0]
    assert (line.word, line.place.state) == ("unlikely", "calm")
    assert line.numbers == pytest.approx((0.675, 0.325))
