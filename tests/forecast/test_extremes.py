"""Ten thousand agreeing reports, likelihoods of 1e-12, twenty scenarios, counts of a million, with baselines and drift.

All that an outlook is asked for stays finite and probabilities sum to one; numpy raises what it would else warn of.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from forecast.baseline import Baselines, BaseRate, Fit, Residuals
from forecast.export.json_export import json_text
from forecast.information import looks
from forecast.next_reading import next_readings
from forecast.outlook import Outlook
from forecast.power import power
from forecast.projection import projection
from forecast.study import Study
from tests.forecast.build import outlook_of_study, released

OPENS = date(2020, 1, 1)
DAYS = 2_500
REPORTS = 10_000
SCENARIOS = [f"s{k}" for k in range(20)]
TINY = 1e-12

Plain = dict[str, Any]


@pytest.fixture(autouse=True)
def raising() -> Iterator[None]:
    """What numpy would warn of is an error; underflow to zero is none."""
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        yield


def by_scenario(first: Any, *rest: Any) -> Plain:
    """The first scenario has one value, the others take turns with the rest."""
    return {name: first if k == 0 else rest[k % len(rest)] for k, name in enumerate(SCENARIOS)}


def history(*, exact: bool) -> Fit:
    return Fit(
        model="local-level",
        last_day=OPENS - timedelta(days=1),
        points=30,
        parameters={"sigma2.irregular": 0.0 if exact else 1e-6, "sigma2.level": 1e-6},
        state=[50.0],
        covariance=[[1e-6]],
        log_likelihood=0.0,
        residuals=Residuals(lags=1, statistic=0.0, p_value=1.0),
    )


KINDS: dict[str, tuple[Plain, Plain]] = {
    "state": (
        {
            "kind": "state",
            "states": ["low", "high"],
            "likelihoods": by_scenario([TINY, 1 - TINY], [1 - TINY, TINY], [0.5, 0.5]),
            "persistence": "9 d",
        },
        {"state": "high"},
    ),
    "new draws": (
        {"kind": "state", "states": ["low", "high"], "likelihoods": by_scenario([TINY, 1 - TINY], [1 - TINY, TINY])},
        {"state": "high"},
    ),
    "count": ({"kind": "count", "rates": by_scenario(1e9, 1e-12, 1.0)}, {"count": 1_000_000}),
    "rate from history": (
        {
            "kind": "count",
            "baseline": {"history": "h.csv", "from": "1950-01-01", "to": "2019-12-31"},
            "multipliers": by_scenario(1e5, 1e-6, 1.0),
        },
        {"count": 1_000_000},
    ),
    "measure": (
        {"kind": "measure", "values": by_scenario({"mean": 0, "sd": 1e-3}, {"mean": 1e6, "sd": 1e-3})},
        {"value": 0.0},
    ),
    "series from history": (
        {
            "kind": "measure",
            "baseline": {"history": "h.csv", "model": "local-level"},
            "shifts": by_scenario(0.0, 1e6, -1e6, 0.1),
        },
        {"value": 50.0},
    ),
}


def study_of(kind: str, *, exact: bool = False, **more: Any) -> Study:
    plain = {
        "study": "large",
        "opens": OPENS.isoformat(),
        "horizon": (OPENS + timedelta(days=DAYS + 200)).isoformat(),
        "scenarios": [{"id": name} for name in SCENARIOS],
        "indicators": [{"id": "seen"} | KINDS[kind][0]],
        "drift": {"half_life": "1 y"},
    }
    baselines = Baselines({}, {"seen": BaseRate(events=1_000_000, years=70.0)}, {"seen": history(exact=exact)})
    return Study.model_validate(plain | more).with_baselines(baselines)


def flood(kind: str, *, exact: bool = False, reports: int = REPORTS) -> Outlook:
    """The same report over and over, all by the best of sources; over the days in turn."""
    said = {"indicator": "seen", "grade": "A1", **KINDS[kind][1]}
    logged = [said | {"observed": (OPENS + timedelta(days=n * DAYS // reports)).isoformat()} for n in range(reports)]
    outlook = outlook_of_study(study_of(kind, exact=exact), logged, [], OPENS + timedelta(days=DAYS))
    return Outlook(outlook.study, outlook.log, outlook.as_of, draws=20)


def assert_sound(outlook: Outlook) -> None:
    for course in (outlook.course, outlook.smoothed_course, outlook.bands.final, projection(outlook).course):
        assert np.isfinite(course).all()
        np.testing.assert_allclose(course.sum(axis=-1), 1.0, rtol=0, atol=1e-12)
    assert np.isfinite(outlook.chain.log_filtered).all()
    assert np.isfinite([outlook.bands.low, outlook.bands.high]).all()
    contributions = outlook.report_contributions
    for numbers in ("log_likelihoods", "decibans", "change"):
        assert np.isfinite([getattr(item, numbers) for item in contributions]).all()
    assert all(np.isfinite(look.bits) for look in looks(outlook))
    for coming in next_readings(outlook).values():
        assert all(np.isfinite([told.low, told.high]).all() for told in coming.by_scenario.values())


@pytest.mark.parametrize("kind", KINDS)
def test_ten_thousand_agreeing_reports(kind: str) -> None:
    outlook = flood(kind)
    assert_sound(outlook)
    assert len(outlook.report_contributions) == REPORTS
    assert outlook.final.argmax() == 0


def test_a_series_without_noise_of_reading() -> None:
    """Of which a day has room for one reading only; four a day here."""
    assert_sound(flood("series from history", exact=True))


@pytest.mark.parametrize("kind", KINDS)
def test_the_document_has_only_numbers(kind: str) -> None:
    """JSON has no infinity; the writer refuses one."""
    read = json.loads(json_text(released(flood(kind, reports=50))))
    assert sum(item["probability"] for item in read["scenarios"]) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("kind", ["rate from history", "series from history"])
def test_power_with_a_history(kind: str) -> None:
    found = power(study_of(kind), runs=3, rng=np.random.default_rng(1))
    assert np.isfinite(found.confusion).all() and np.isfinite(found.bits).all()
    np.testing.assert_allclose(found.confusion.sum(axis=1), 1.0, rtol=0, atol=1e-12)
