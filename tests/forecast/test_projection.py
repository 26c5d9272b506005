"""The projection against the outlook of a later day on which nothing more is known, and against a plain loop."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from forecast.outlook import Outlook
from forecast.projection import projection
from tests.forecast.build import japan_sar, outlook_of
from tests.strategies import random_case

Plain = dict[str, Any]

OPENS = date(2025, 1, 1)
DAYS_PER_YEAR = 365.25


def milestone_study(**more: Any) -> Plain:
    """Two scenarios, 0.3 and 0.7, and a treaty that comes twice a year or every second year."""
    treaty = {"id": "treaty", "kind": "milestone", "rates": {"yes": 2.0, "no": 0.5}, "silence": "always"}
    return {
        "study": "small",
        "opens": OPENS.isoformat(),
        "horizon": "2025-12-31",
        "scenarios": [{"id": "yes", "prior": 0.3}, {"id": "no", "prior": 0.7}],
        "indicators": [treaty | more.pop("treaty", {})],
        **more,
    }


def until(as_of: date, coverage: list[Plain]) -> list[Plain]:
    """The coverage as far as it lies in the past."""
    known = [span for span in coverage if span["from"] <= as_of.isoformat()]
    return [span | {"to": min(span["to"], as_of.isoformat())} for span in known]


def by_a_loop(outlook: Outlook) -> list[list[float]]:
    """SPEC 4.1 from the as-of day on, a day at a time."""
    prior, stay = outlook.study.prior.tolist(), outlook.study.daily_stay
    hazard = np.zeros(len(prior))
    for indicator in outlook.study.indicators:
        if getattr(indicator, "silence", "") == "always" and indicator.id not in outlook.log.silenced:
            happened = next(b.occurred for b in outlook.indicator_boards if b.indicator.id == indicator.id)
            rates = getattr(indicator, "rates", None) or {}
            hazard += (1 - happened) * np.array([rates[k] for k in outlook.study.scenario_ids])
    course = [outlook.final.tolist()]
    for _ in range((outlook.study.horizon - outlook.as_of).days):
        predicted = [stay * p + (1 - stay) * pi for p, pi in zip(course[-1], prior, strict=True)]
        weights = [p * np.exp(-rate / DAYS_PER_YEAR) for p, rate in zip(predicted, hazard, strict=True)]
        course.append([w / sum(weights) for w in weights])
    return course


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_it_is_the_outlook_of_a_later_day_with_nothing_new(first: int) -> None:
    """Random studies of all kinds, run to their horizon with what was logged and covered by the as-of day."""
    for seed in range(first, first + 20):
        study, reports, coverage, as_of = random_case(random.Random(seed))
        day = as_of.isoformat()
        known = [r for r in reports if str(r.get("observed", r.get("to"))) <= day]
        later = outlook_of(study, known, until(as_of, coverage), date.fromisoformat(study["horizon"]))
        found = projection(outlook_of(study, reports, coverage, as_of))
        assert found.days == [d for d in later.days if d >= as_of]
        np.testing.assert_allclose(found.course, later.course[-len(found.days) :], rtol=0, atol=1e-12)


def test_a_plain_loop_says_the_same() -> None:
    """The case on Japan, and random studies."""
    outlooks = [japan_sar(date(2026, 6, 7)), *(outlook_of(*random_case(random.Random(seed))) for seed in range(20))]
    for outlook in outlooks:
        np.testing.assert_allclose(projection(outlook).course, by_a_loop(outlook), rtol=0, atol=1e-12)


def test_it_starts_where_the_outlook_stands_and_every_day_sums_to_one() -> None:
    outlook = japan_sar(date(2026, 6, 7))
    found = projection(outlook)
    assert (found.days[0], found.days[-1]) == (outlook.as_of, outlook.study.horizon)
    assert (found.course[0] == outlook.final).all()
    np.testing.assert_allclose(found.course.sum(axis=1), 1.0, rtol=0, atol=1e-12)


def test_the_horizon_itself_is_one_day() -> None:
    outlook = outlook_of(milestone_study(), [], [], date(2025, 12, 31))
    found = projection(outlook)
    assert found.days == [date(2025, 12, 31)]
    assert (found.course == outlook.final).all()


def test_a_quiet_half_year_by_hand() -> None:
    """Odds of 3 to 7 after one day, then 181 days more at 2 against 0.5 a year: exp(-1.5 x 182 / 365.25)."""
    course = projection(outlook_of(milestone_study(), [], [], OPENS)).course
    odds = 3 / 7 * np.exp(-1.5 * 182 / DAYS_PER_YEAR)
    assert course[181, 0] == pytest.approx(odds / (1 + odds), abs=1e-14)


def test_of_a_milestone_that_has_happened_the_rest_of_the_doubt_goes_on() -> None:
    """A report of B2, weight 0.75: a quarter of the exposure is left."""
    treaty = {"indicator": "treaty", "observed": "2025-01-01", "grade": "B2"}
    outlook = outlook_of(milestone_study(), [treaty], [], OPENS)
    odds = outlook.final[0] / outlook.final[1] * np.exp(-0.25 * 1.5 * 100 / DAYS_PER_YEAR)
    assert projection(outlook).course[100, 0] == pytest.approx(odds / (1 + odds), abs=1e-14)


@pytest.mark.parametrize("silence", ["covered", "never"])
def test_other_silence_does_not_count(silence: str) -> None:
    """Also where somebody has entered coverage of days to come."""
    coverage = [{"indicator": "treaty", "from": "2025-01-01", "to": "2025-12-31"}] if silence == "covered" else []
    outlook = outlook_of(milestone_study(treaty={"silence": silence}), [], coverage, date(2025, 6, 1))
    np.testing.assert_allclose(projection(outlook).course, np.tile(outlook.final, (214, 1)), rtol=0, atol=1e-14)


def test_an_indicator_left_out_is_left_out_here_too() -> None:
    outlook = outlook_of(milestone_study(), [], [], OPENS)
    without = Outlook(outlook.study, replace(outlook.log, silenced=frozenset(["treaty"])), OPENS)
    np.testing.assert_allclose(projection(without).course, np.tile([0.3, 0.7], (365, 1)), rtol=0, atol=1e-14)


def test_with_drift_it_goes_back_to_the_priors() -> None:
    """After one half-life, half of what was learnt is left."""
    signs: Plain = {"id": "signs", "kind": "state", "states": ["low", "high"]}
    signs |= {"likelihoods": {"yes": [0.2, 0.8], "no": [0.6, 0.4]}}
    study = milestone_study(drift={"half_life": "50 d"}, indicators=[signs])
    report = {"indicator": "signs", "observed": "2025-01-01", "state": "high", "grade": "A1"}
    outlook = outlook_of(study, [report], [], OPENS)
    halfway = (outlook.final + np.array([0.3, 0.7])) / 2
    assert projection(outlook).course[50] == pytest.approx(halfway, abs=1e-12)


def test_what_lies_below_the_smallest_double_can_come_back() -> None:
    """A scenario near e^-1500 is a plain zero in the course; 40 days of silence at 36,525 a year bring it back."""
    signs: Plain = {"id": "signs", "kind": "state", "states": ["low", "high"]}
    signs |= {"likelihoods": {"yes": [1 - 1e-12, 1e-12], "no": [1e-12, 1 - 1e-12]}}
    calls = {"id": "calls", "kind": "count", "silence": "always", "rates": {"yes": 1.0, "no": 36_525.0}}
    reports = [{"indicator": "signs", "observed": "2025-01-01", "state": "high", "grade": "A1"}] * 300
    study = milestone_study(indicators=[signs, calls])
    outlook = outlook_of(study, reports, [], OPENS)
    found = projection(outlook)
    assert outlook.final[0] < 1e-300
    later = outlook_of(study, reports, [], OPENS + timedelta(days=40))
    np.testing.assert_allclose(found.course[40], later.final, rtol=0, atol=1e-12)
    assert found.course[40, 0] > 0.999
