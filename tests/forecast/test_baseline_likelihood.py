"""Readings against a history: statsmodels over every day, a slow version of the definition, and the laws."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
import pytest
from statsmodels.tsa.statespace.sarimax import SARIMAX
from statsmodels.tsa.statespace.structural import UnobservedComponents

from forecast.baseline import Baselines, Fit, Residuals
from forecast.baseline_likelihood import BaselineLikelihood, BaselineModel
from forecast.change import Change
from forecast.events import Live, sequenced
from forecast.kalman import Process
from forecast.outlook import Outlook
from forecast.probability import Floats
from forecast.study import Study
from indicators.evidence import Report
from tests.forecast.build import outlook_of_study

OPENS = date(2025, 1, 1)
DAYS_PER_YEAR = 365.25
SHIFTS = np.array([6.0, 0.0, -4.0])
PRIOR = np.array([0.2, 0.5, 0.3])
PARAMETERS: Mapping[str, Mapping[str, float]] = {
    "local-level": {"sigma2.irregular": 1.4, "sigma2.level": 0.02},
    "local-trend": {"sigma2.irregular": 1.1, "sigma2.level": 0.01, "sigma2.trend": 2e-6},
    "ar1": {"intercept": 0.5, "ar.L1": 0.99, "sigma2": 0.2},
}
EXACT = {"sigma2.irregular": 0.0, "sigma2.level": 0.03}


def grid_of(history: Sequence[tuple[int, float]], last: int) -> Floats:
    """A value for every day from the first of the history to `last`, missing on most; days count from `opens`."""
    first = history[0][0]
    grid = np.full(last - first + 1, np.nan)
    for day, value in history:
        grid[day - first] = value
    return grid


def statsmodel(model: str, grid: Floats) -> Any:
    if model == "ar1":
        return SARIMAX(grid, order=(1, 0, 0), trend="c")
    name = {"local-level": "local level", "local-trend": "local linear trend"}[model]
    return UnobservedComponents(grid, name, use_exact_diffuse=True)


def some_history(seed: int) -> list[tuple[int, float]]:
    rng = np.random.default_rng(seed)
    days = np.sort(rng.choice(np.arange(-1_500, -20), 14, replace=False))
    return [(int(day), float(value)) for day, value in zip(days, rng.normal(50, 3, 14), strict=True)]


def model_of(
    name: str, *, parameters: Mapping[str, float] | None = None, shifts: Floats = SHIFTS, seed: int = 1
) -> BaselineModel:
    """A model with the state in which statsmodels leaves the history."""
    history = some_history(seed)
    given = dict(parameters or PARAMETERS[name])
    result = statsmodel(name, grid_of(history, history[-1][0])).filter(list(given.values()))
    state, covariance = result.filtered_state[:, -1], result.filtered_state_cov[:, :, -1]
    return BaselineModel(Process(name, given), state, covariance, -history[-1][0], shifts, PRIOR)


class Told(NamedTuple):
    """A reading as it is logged."""

    day: int
    value: float
    rho: float = 0.75
    event: str | None = None
    origin: str | None = None


def likelihood_of(model: BaselineModel, readings: Sequence[Told]) -> BaselineLikelihood:
    """Of readings in the order of the ledger."""
    live = []
    for n, (day, value, rho, event, origin) in enumerate(readings):
        observed = OPENS + timedelta(days=day)
        report = Report(indicator="poll", observed=observed, value=value, event=event, origin=origin)
        live.append(Live(f"e{n}", n, report, rho))
    reports = sequenced(live, opens=OPENS, as_of=OPENS + timedelta(days=10_000))
    return BaselineLikelihood(model, reports, reports.rho)


def scattered(seed: int, count: int = 12, *, events: bool = True) -> list[Told]:
    """Readings of all weights, some of one event, some of one day, some copies."""
    rng = random.Random(seed)
    made = []
    for _ in range(count):
        event = f"poll-{rng.randrange(count // 3)}" if events and rng.random() < 0.4 else None
        origin = f"wire-{rng.randrange(3)}" if events and rng.random() < 0.3 else None
        value, rho = round(rng.gauss(50, 4), 1), rng.choice([0.0, 0.3, 0.5, 0.75, 0.99])
        made.append(Told(rng.randrange(0, 400), value, rho, event, origin))
    return made


# The definition, slowly


def density(value: float, mean: float, variance: float) -> float:
    return -0.5 * (value - mean) ** 2 / variance - 0.5 * math.log(2 * math.pi * variance)


class Slow:
    """One scenario's filter, day by day with plain matrices, and readings of a day in order."""

    def __init__(self, model: BaselineModel, shift: float) -> None:
        p = model.process.parameters
        self.noise = p.get("sigma2.irregular", 0.0)
        if model.process.model == "ar1":
            self.move, self.drift = np.array([[p["ar.L1"]]]), np.array([p["intercept"]])
            self.add = np.array([[p["sigma2"]]])
        elif model.process.model == "local-level":
            self.move, self.drift, self.add = np.eye(1), np.zeros(1), np.array([[p["sigma2.level"]]])
        else:
            self.move, self.drift = np.array([[1.0, 1.0], [0.0, 1.0]]), np.zeros(2)
            self.add = np.diag([p["sigma2.level"], p["sigma2.trend"]])
        self.day, self.mean, self.spread = -model.age, np.array(model.state), np.array(model.covariance)
        self.morning = (self.mean, self.spread)
        self.shift = shift

    def to(self, day: int) -> None:
        while self.day < day:
            self.mean = self.move @ self.mean + self.drift
            self.spread = self.move @ self.spread @ self.move.T + self.add
            self.day += 1
            self.morning = (self.mean, self.spread)

    def foreseen(self, day: int) -> tuple[float, float]:
        """Where a second reading of the day could only repeat the first, it is told from the morning."""
        self.to(day)
        mean, spread = (self.mean, self.spread) if self.noise else self.morning
        return mean[0] + self.shift * day / DAYS_PER_YEAR, spread[0, 0] + self.noise

    def take(self, day: int, value: float) -> None:
        self.to(day)
        mean, spread = (self.mean, self.spread) if self.noise else self.morning
        gain = spread[:, 0] / (spread[0, 0] + self.noise)
        self.mean = mean + gain * (value - self.shift * day / DAYS_PER_YEAR - mean[0])
        self.spread = spread - np.outer(gain, spread[0])


def whole(model: BaselineModel, likelihood: BaselineLikelihood, positions: Sequence[int]) -> Floats:
    """Log likelihood of some of the reports under each scenario, from the definition."""
    live = [likelihood.reports.live[i] for i in positions]
    events: dict[object, list[Live]] = {}
    for n, item in enumerate(live):
        events.setdefault(item.report.event_key or n, []).append(item)
    filters = [Slow(model, float(shift)) for shift in model.shifts]
    total = np.zeros(len(filters))
    for reports in events.values():
        day = (reports[0].report.dated - OPENS).days
        best = max(reports, key=lambda item: item.rho)
        value = best.report.value
        assert value is not None
        told = np.array([density(value, *one.foreseen(day)) for one in filters])
        top = told.max()
        informed = np.exp(told - top)
        total += np.log(best.rho * informed + (1 - best.rho) * (PRIOR @ informed)) + top
        if best.rho >= 0.5:
            for one in filters:
                one.take(day, value)
    return total


# Agreement


@pytest.mark.parametrize("name", PARAMETERS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_agrees_with_statsmodels_over_every_day(name: str, seed: int) -> None:
    """Prediction, its variance and the log likelihood of each reading; those without weight are only foreseen."""
    history, model = some_history(seed), model_of(name, seed=seed)
    rng = np.random.default_rng(seed)
    days = np.sort(rng.choice(500, 9, replace=False)).tolist()
    told = [(day, float(rng.normal(50, 4)), float(rng.choice([0.3, 0.75, 0.99]))) for day in days]
    likelihood = likelihood_of(model, [Told(*item) for item in told])
    first, last = history[0][0], days[-1]
    found = np.empty((len(told), len(SHIFTS)))
    for k, shift in enumerate(SHIFTS):
        trusted = [(day, value - shift * day / DAYS_PER_YEAR) for day, value, rho in told if rho >= 0.5]
        result = statsmodel(name, grid_of([*history, *trusted], last)).filter(list(PARAMETERS[name].values()))
        for n, (day, value, rho) in enumerate(told):
            mean, variance = result.forecasts[0, day - first], result.forecasts_error_cov[0, 0, day - first]
            found[n, k] = density(value - shift * day / DAYS_PER_YEAR, mean, variance)
            if rho >= 0.5:
                assert found[n, k] == pytest.approx(result.llf_obs[day - first], abs=1e-9)
            before = likelihood_of(model, [Told(*item) for item in told[:n]])
            means, variances = before.expected_on(day)
            assert means[k] == pytest.approx(mean + shift * day / DAYS_PER_YEAR, abs=1e-9)
            assert variances[k] == pytest.approx(variance, rel=1e-9)
    weights = np.array([rho for _, _, rho in told])[:, None]
    expected = np.log(weights * np.exp(found) + (1 - weights) * (np.exp(found) @ PRIOR)[:, None])
    np.testing.assert_allclose(likelihood.contributions, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", PARAMETERS)
@pytest.mark.parametrize("seed", range(6))
def test_agrees_with_the_definition(name: str, seed: int) -> None:
    """Each contribution is what the report adds to the whole: events, late and better readings, several a day."""
    model = model_of(name)
    readings = scattered(seed)
    if name == "ar1":
        readings = [told._replace(day=told.day // 40 * 40) for told in readings]
    likelihood = likelihood_of(model, readings)
    before = np.zeros(len(SHIFTS))
    for position in range(len(readings)):
        after = whole(model, likelihood, range(position + 1))
        np.testing.assert_allclose(likelihood.contributions[position], after - before, rtol=0, atol=1e-8)
        before = after


def test_several_readings_of_a_day_in_order_by_hand() -> None:
    """Variance 2 and noise 1: the first is foreseen with 3; half as sure, 2/3 is left, and the second with 5/3."""
    process = Process("local-level", {"sigma2.irregular": 1.0, "sigma2.level": 0.0})
    prior, shifts = np.array([0.5, 0.5]), np.array([0.0, 365.25])
    model = BaselineModel(process, np.array([10.0]), np.array([[2.0]]), 1, shifts, prior)
    likelihood = likelihood_of(model, [Told(0, 13.0, 0.99), Told(0, 11.0, 0.99)])
    assert likelihood.contributions[0] == pytest.approx([density(13.0, 10.0, 3.0)] * 2)
    assert likelihood.contributions[1] == pytest.approx([density(11.0, 12.0, 5.0 / 3.0)] * 2)
    mean, variance = likelihood.expected_on(4)
    assert mean == pytest.approx([11.6, 15.6])
    assert variance == pytest.approx([1.4, 1.4])


def test_without_noise_of_reading_a_day_is_told_from_its_morning() -> None:
    """A second reading of the day is foreseen as the first was, and takes its place."""
    model = model_of("ar1")
    one = likelihood_of(model, [Told(30, 52.0)])
    two = likelihood_of(model, [Told(30, 55.0), Told(30, 52.0)])
    np.testing.assert_allclose(two.contributions[1], one.contributions[0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(two.expected_on(200), one.expected_on(200), rtol=1e-14)
    assert (one.expected_on(30)[1] > 0.0).all()


# Laws


@pytest.mark.parametrize("name", PARAMETERS)
def test_equal_shifts_tell_nothing(name: str) -> None:
    likelihood = likelihood_of(model_of(name, shifts=np.full(3, 2.0)), scattered(3))
    np.testing.assert_allclose(likelihood.contributions, likelihood.contributions[:, :1].repeat(3, axis=1), atol=1e-12)


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_reading_without_information_moves_nothing(name: str) -> None:
    told = [Told(20, 52.0), Told(50, 80.0, 0.0), Told(90, 53.0)]
    likelihood = likelihood_of(model_of(name), told)
    alone = likelihood_of(model_of(name), [told[0], told[2]])
    np.testing.assert_allclose(likelihood.contributions[1], likelihood.contributions[1, :1].repeat(3), atol=1e-12)
    np.testing.assert_array_equal(likelihood.contributions[[0, 2]], alone.contributions)


def test_ten_copies_are_one_to_the_last_digit() -> None:
    story = [Told(10 + n, 55.0, 0.75 if n % 2 == 0 else 0.3, origin="wire") for n in range(10)]
    later = Told(60, 51.0, 0.99)
    one, ten = (likelihood_of(model_of("local-trend"), [*part, later]) for part in (story[:1], story))
    np.testing.assert_array_equal(ten.contributions[[0, -1]], one.contributions)
    assert not ten.contributions[1:-1].any()
    assert [len(change.days) for change in ten.changes_without()[1:-1]] == [0] * 9


@pytest.mark.parametrize("name", PARAMETERS)
def test_relabelling_scenarios_relabels_the_contributions(name: str) -> None:
    model, order = model_of(name), [2, 0, 1]
    turned = replace(model, shifts=SHIFTS[order], prior=PRIOR[order])
    first, second = (likelihood_of(part, scattered(5)).contributions for part in (model, turned))
    np.testing.assert_allclose(first[:, order], second, rtol=0, atol=1e-12)


def assert_same_change(first: Change, second: Change) -> None:
    days = np.union1d(first.days, second.days)
    parts = []
    for change in (first, second):
        added = np.zeros((len(days), 3))
        added[np.searchsorted(days, change.days)] = change.added
        parts.append(added)
    np.testing.assert_allclose(parts[0], parts[1], rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", [*PARAMETERS, "exact"])
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("kind", ["alone", "events", "corroborated", "days"])
def test_leaving_each_reading_out_is_working_it_all_out_again(name: str, seed: int, kind: str) -> None:
    """Side by side in one pass, and one by one from the start."""
    model = model_of("local-level", parameters=EXACT) if name == "exact" else model_of(name)
    readings = scattered(seed, 14, events=kind == "events")
    if kind == "corroborated":
        # Each event's reports stand together, so the pass with all worlds side by side is the one that is tried.
        rng = random.Random(seed)
        days = [(n, 40 * n + m) for n in range(6) for m in range(3)]
        readings = [Told(day, 50.0 + rng.gauss(n, 3), rng.choice([0.3, 0.6, 0.9]), f"poll-{n}") for n, day in days]
    if kind == "days":
        readings = [reading._replace(day=reading.day // 100) for reading in readings]
    likelihood = likelihood_of(model, readings)
    for position, change in enumerate(likelihood.changes_without()):
        assert_same_change(change, likelihood.change_to(likelihood.without(position)))


def test_a_level_that_never_moves_forgets_nothing() -> None:
    """The first of many readings still matters to the last, however long ago."""
    model = model_of("local-level", parameters={"sigma2.irregular": 2.0, "sigma2.level": 0.0})
    likelihood = likelihood_of(model, [Told(3 * n, 50.0 + n % 7, 0.9) for n in range(120)])
    changes = likelihood.changes_without()
    assert len(changes[0].days) == 120
    for position in (0, 60, 119):
        assert_same_change(changes[position], likelihood.change_to(likelihood.without(position)))


@pytest.mark.parametrize("name", PARAMETERS)
def test_draws_side_by_side_are_draws_one_by_one(name: str) -> None:
    """Of weights, priors and shifts, each in a leading axis."""
    rng = np.random.default_rng(4)
    likelihood = likelihood_of(model_of(name), scattered(6))
    rho = rng.random((5, 12))
    prior = rng.dirichlet([2.0, 3.0, 4.0], 5)
    shifts = rng.normal(0, 5, (5, 3))
    drawn = replace(likelihood, model=replace(likelihood.model, prior=prior, shifts=shifts), rho=rho)
    weights = replace(likelihood, model=replace(likelihood.model, prior=prior), rho=rho)
    assert drawn.contributions.shape == weights.contributions.shape == (5, 12, 3)
    for m in range(5):
        one = replace(likelihood, model=replace(likelihood.model, prior=prior[m]), rho=rho[m])
        np.testing.assert_allclose(weights.contributions[m], one.contributions, rtol=0, atol=1e-12)
        one = replace(one, model=replace(one.model, shifts=shifts[m]))
        np.testing.assert_allclose(drawn.contributions[m], one.contributions, rtol=0, atol=1e-12)
        np.testing.assert_allclose(drawn.expected_on(500)[0][m], one.expected_on(500)[0], rtol=1e-13)


def test_extremes_are_finite() -> None:
    """A thousand readings far from anything foreseen, and a change of 1e9 a year."""
    model = model_of("local-trend", shifts=np.array([1e9, 0.0, -1e9]))
    likelihood = likelihood_of(model, [Told(n // 3, (-1.0) ** n * 1e6, 0.99) for n in range(1_000)])
    assert np.isfinite(likelihood.contributions).all()
    assert np.isfinite(likelihood.expected_on(400)).all()
    assert all(np.isfinite(change.added).all() for change in likelihood.changes_without())


def test_nothing_logged() -> None:
    likelihood = likelihood_of(model_of("local-level"), [])
    assert likelihood.contributions.shape == (0, 3)
    assert likelihood.changes_without() == []
    mean, variance = likelihood.expected_on(0)
    assert mean == pytest.approx([float(likelihood.model.state[0])] * 3)
    age = likelihood.model.age
    assert variance == pytest.approx([float(likelihood.model.covariance[0, 0]) + 0.02 * age + 1.4] * 3)


# In an outlook


def study(**more: Any) -> Study:
    """Two scenarios and a poll with a level of 50 on the last day of 2024."""
    fit = Fit(
        model="local-level",
        last_day=date(2024, 12, 31),
        points=20,
        parameters={"sigma2.irregular": 1.0, "sigma2.level": 0.01},
        state=[50.0],
        covariance=[[0.5]],
        log_likelihood=-40.0,
        residuals=Residuals(lags=2, statistic=1.0, p_value=0.6),
    )
    plain = {
        "study": "small",
        "opens": "2025-01-01",
        "horizon": "2026-12-31",
        "scenarios": [{"id": "yes", "prior": 0.4}, {"id": "no", "prior": 0.6}],
        "indicators": [
            {
                "id": "poll",
                "kind": "measure",
                "baseline": {"history": "poll.csv", "model": "local-level"},
                "shifts": {"yes": 6, "no": -2},
            }
        ],
        **more,
    }
    return Study.model_validate(plain).with_baselines(Baselines({"poll.csv": "date,value\n"}, {}, {"poll": fit}))


POLLS = [
    {"indicator": "poll", "observed": "2025-07-01", "value": 53.0, "grade": "B2"},
    {"indicator": "poll", "observed": "2025-12-01", "value": 55.5, "grade": "A1"},
    {"indicator": "poll", "observed": "2026-01-01", "value": 40.0, "grade": "D4"},
    {"indicator": "poll", "observed": "2026-06-01", "value": 57.0, "grade": "A2", "event": "june"},
    {"indicator": "poll", "observed": "2026-06-05", "value": 57.5, "grade": "C3", "event": "june"},
]


def outlook(as_of: date, **more: Any) -> Outlook:
    return outlook_of_study(study(**more), POLLS, [], as_of)


def test_a_first_reading_by_hand() -> None:
    """181 days on: 0.5 + 0.01 x 182 + 1 = 3.32; expected 50 + 6 x 181/365.25 and 50 - 2 x 181/365.25; weight .75."""
    found = outlook(date(2025, 7, 1))
    years = 181 / 365.25
    yes, no = (math.exp(density(53.0, 50 + shift * years, 3.32)) for shift in (6, -2))
    anyway = 0.4 * yes + 0.6 * no
    yes, no = 0.4 * (0.75 * yes + 0.25 * anyway), 0.6 * (0.75 * no + 0.25 * anyway)
    assert found.final[0] == pytest.approx(yes / (yes + no), abs=1e-12)


@pytest.mark.parametrize("more", [{}, {"drift": {"half_life": "1 y"}}])
def test_a_report_changes_what_it_would_have_changed(more: dict[str, Any]) -> None:
    """The change of each report against an outlook without it; and the rows add up."""
    whole_of = outlook(date(2026, 8, 1), **more)
    for n, contribution in enumerate(whole_of.report_contributions):
        rest = outlook_of_study(study(**more), POLLS[:n] + POLLS[n + 1 :], [], date(2026, 8, 1))
        np.testing.assert_allclose(contribution.change, whole_of.final - rest.final, rtol=0, atol=1e-10)
    moved = sum((row.log_odds for row in whole_of.rows_since(None)), np.zeros(2))
    odds = math.log(0.4 / 0.6) + moved[0]
    assert whole_of.final[0] == pytest.approx(1 / (1 + math.exp(-odds)), abs=1e-12)


def test_the_board_is_the_next_Told() -> None:
    """Between what the scenarios expect, nearer to the likelier one; and wider as the last look grows old."""
    near, far = (outlook(day).indicator_boards[0].expectation for day in (date(2026, 6, 5), date(2026, 12, 31)))
    assert near and far
    likelihood = outlook(date(2026, 6, 5)).likelihoods["poll"]
    assert isinstance(likelihood, BaselineLikelihood)
    mean, _ = likelihood.expected_on(520)
    assert mean.min() < near.expected < mean.max()
    assert far.high - far.low > near.high - near.low


def test_with_one_more_report_only_this_indicator_is_worked_out_again() -> None:
    before = outlook_of_study(study(), POLLS[:-1], [], date(2026, 8, 1))
    last = outlook(date(2026, 8, 1)).log.reports["poll"][-1]
    np.testing.assert_array_equal(before.with_report(last).final, outlook(date(2026, 8, 1)).final)
