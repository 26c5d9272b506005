"""The next reading by scenario: statsmodels' own forecast, plain simulation, numbers by hand, and where it is shown."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from statsmodels.tsa.statespace.sarimax import SARIMAX
from statsmodels.tsa.statespace.structural import UnobservedComponents

from forecast.baseline import Baselines, fitted
from forecast.cli.main import run
from forecast.export.csv_export import csv_text
from forecast.export.json_export import json_text, outlook_schema
from forecast.history import Row
from forecast.next_reading import next_readings
from forecast.outlook import Outlook
from forecast.study import Study
from tests.forecast.build import japan_sar, outlook_of, outlook_of_study, released

OPENS = date(2025, 1, 1)
Z95 = 1.6448536269514722
SHIFTS = {"up": 6.0, "same": 0.0, "down": -4.0}
CERTAIN = {"A": 0.9999999, "1": 0.9999999}
STATSMODELS: dict[str, Any] = {
    "local-level": lambda grid: UnobservedComponents(grid, "local level", use_exact_diffuse=True),
    "local-trend": lambda grid: UnobservedComponents(grid, "local linear trend", use_exact_diffuse=True),
    "ar1": lambda grid: SARIMAX(grid, order=(1, 0, 0), trend="c"),
}
EVEN, ONE = [0.5, 0.5], {"mean": 1, "sd": 1}
READINGS = [(31, 52.5), (70, 54.0), (71, 53.0), (180, 55.5)]


def history() -> list[Row]:
    """Thirty polls at irregular distances, the last one nine days before the study opens."""
    rng = np.random.default_rng(3)
    days = np.sort(rng.choice(np.arange(-900, -9), 29, replace=False)).tolist()
    days.append(-9)
    level = 50 + 0.1 * np.cumsum(rng.normal(size=900))
    return [
        Row(n + 2, OPENS + timedelta(days=day), float(level[day + 900] + rng.normal())) for n, day in enumerate(days)
    ]


def study_of(model: str, **more: Any) -> Study:
    poll = {"id": "poll", "kind": "measure", "baseline": {"history": "poll.csv", "model": model}, "shifts": SHIFTS}
    plain = {
        "study": "small",
        "opens": OPENS.isoformat(),
        "horizon": "2026-12-31",
        "grades": CERTAIN,
        "scenarios": [{"id": name} for name in SHIFTS],
        "indicators": [poll | {"check_every": "30 d"} | more],
    }
    return Study.model_validate(plain).with_baselines(Baselines({}, {}, {"poll": fitted(history(), model)}))


def logged(readings: Sequence[tuple[int, float]]) -> list[dict[str, Any]]:
    return [
        {"indicator": "poll", "observed": OPENS + timedelta(days=day), "value": value, "grade": "A1"}
        for day, value in readings
    ]


def outlook(study: Study, readings: Sequence[tuple[int, float]], day: int) -> Outlook:
    return outlook_of_study(study, logged(readings), [], OPENS + timedelta(days=day))


@pytest.mark.parametrize("model", STATSMODELS)
@pytest.mark.parametrize("readings", [[], READINGS], ids=["none", "four"])
def test_is_the_forecast_of_statsmodels_plus_the_shift(model: str, readings: list[tuple[int, float]]) -> None:
    """History and readings less the shift on a grid of days, the frozen parameters, and get_forecast to the due day."""
    study = study_of(model)
    last = readings[-1][0] if readings else 0
    coming = next_readings(outlook(study, readings, last + 10))["poll"]
    due = last + 30
    assert coming.day == OPENS + timedelta(days=due)
    rows = history()
    first = (rows[0].day - OPENS).days
    for name, shift in SHIFTS.items():
        end = last if readings else -9
        grid = np.full(end - first + 1, np.nan)
        for row in rows:
            grid[(row.day - OPENS).days - first] = row.value
        for day, value in readings:
            grid[day - first] = value - shift * day / 365.25
        parameters = list(study.baselines.fits["poll"].parameters.values())
        ahead = STATSMODELS[model](grid).filter(parameters).get_forecast(due - end)
        mean = float(ahead.predicted_mean[-1]) + shift * due / 365.25
        reach = Z95 * float(ahead.var_pred_mean[-1]) ** 0.5
        told = coming.by_scenario[name]
        assert [told.expected, told.low, told.high] == pytest.approx([mean, mean - reach, mean + reach], rel=1e-9)


@pytest.mark.parametrize("model", STATSMODELS)
def test_is_what_a_simulation_of_the_series_reads(model: str) -> None:
    """The model stepped day by day from where the history ended, with 40,000 courses."""
    study, runs, rng = study_of(model), 40_000, np.random.default_rng(5)
    coming = next_readings(outlook(study, [], 12))["poll"]
    fit = study.baselines.fits["poll"]
    parameters, states = fit.parameters, rng.multivariate_normal(fit.state, fit.covariance, runs)
    for _ in range((coming.day - fit.last_day).days):
        if model == "ar1":
            noise = parameters["sigma2"] ** 0.5 * rng.normal(size=(runs, 1))
            states = parameters["intercept"] + parameters["ar.L1"] * states + noise
            continue
        if model == "local-trend":
            states[:, 0] += states[:, 1]
            states[:, 1] += parameters["sigma2.trend"] ** 0.5 * rng.normal(size=runs)
        states[:, 0] += parameters["sigma2.level"] ** 0.5 * rng.normal(size=runs)
    read = states[:, 0] + parameters.get("sigma2.irregular", 0.0) ** 0.5 * rng.normal(size=runs)
    for name, told in coming.by_scenario.items():
        seen = read + SHIFTS[name] * (coming.day - OPENS).days / 365.25
        found = [seen.mean(), *np.quantile(seen, [0.05, 0.95])]
        np.testing.assert_allclose([told.expected, told.low, told.high], found, rtol=0, atol=0.03 * read.std())


def test_of_stated_values_it_is_on_its_way_back_to_the_mean() -> None:
    """After 56 read on day 10, 30 days later: 50 + e^(-30/60) x 6, with variance 16 (1 - e^(-60/60))."""
    plain = {
        "study": "small",
        "opens": OPENS.isoformat(),
        "horizon": "2026-12-31",
        "scenarios": [{"id": "up"}, {"id": "same"}],
        "indicators": [
            {"id": "word", "kind": "state", "states": ["a", "b"], "likelihoods": {"up": EVEN, "same": EVEN}},
            {
                "id": "poll",
                "kind": "measure",
                "values": {"up": {"mean": 50, "sd": 4}, "same": {"mean": 40, "sd": 2}},
                "persistence": "60 d",
                "check_every": "30 d",
            },
            {"id": "old", "kind": "measure", "values": {"up": ONE, "same": ONE}, "retired": True},
        ],
    }  # fmt: skip
    found = next_readings(outlook_of(plain, logged([(10, 56.0)]), [], OPENS + timedelta(days=20)))
    assert list(found) == ["poll"]
    mean, reach = 50 + np.exp(-0.5) * 6, Z95 * (16 * (1 - np.exp(-1.0))) ** 0.5
    told = found["poll"].by_scenario["up"]
    assert [told.expected, told.low, told.high] == pytest.approx([mean, mean - reach, mean + reach], rel=1e-12)


@pytest.mark.parametrize(
    ("as_of", "every", "day"), [(12, "30 d", 30), (12, "5 d", 12), (12, None, 12), (200, "2 y", 731)]
)
def test_the_day_is_the_due_one_or_as_of_where_that_has_passed(as_of: int, every: str | None, day: int) -> None:
    """Also where it is due after the horizon; a due day is told, whoever is still there to look."""
    coming = next_readings(outlook(study_of("ar1", check_every=every), [], as_of))["poll"]
    assert coming.day == OPENS + timedelta(days=day)


def test_together_they_are_the_board() -> None:
    """On the as-of day itself: the board's expectation is theirs, weighted by the probabilities."""
    now = outlook(study_of("local-level", check_every=None), READINGS, 200)
    told = [item.expected for item in next_readings(now)["poll"].by_scenario.values()]
    board = now.indicator_boards[0].expectation
    assert board and board.expected == pytest.approx(float(now.final @ told), rel=1e-12)


# Where it is shown


def test_the_document_has_it_for_measures_alone() -> None:
    now = japan_sar(date(2026, 6, 7))
    read = json.loads(json_text(released(now)))
    Draft202012Validator(outlook_schema()).validate(read)
    shown = {item["id"]: item["next"] for item in read["indicators"] if "next" in item}
    assert list(shown) == [item.id for item in now.study.indicators if item.kind == "measure"] != []
    for name, coming in next_readings(now).items():
        assert shown[name]["date"] == coming.day.isoformat()
        assert list(shown[name]["by_scenario"]) == list(now.study.scenario_ids)
        for scenario, told in coming.by_scenario.items():
            assert list(shown[name]["by_scenario"][scenario].values()) == [told.expected, told.low, told.high]
    read["indicators"][0]["next"] = shown["public-support"]
    assert not Draft202012Validator(outlook_schema()).is_valid(read)


def test_the_table_has_a_row_for_each_measure_and_scenario() -> None:
    now = japan_sar(date(2026, 6, 7))
    rows = list(csv.DictReader(io.StringIO(csv_text(released(now), table="next"))))
    assert list(rows[0]) == ["date", "indicator", "scenario", "expected", "low", "high"]
    coming = next_readings(now)["public-support"]
    assert [float(row["expected"]) for row in rows] == [told.expected for told in coming.by_scenario.values()]
    assert {row["date"] for row in rows} == {coming.day.isoformat()}


def test_watch_shows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["init", "--case", "japan-sar", "."]) == 0
    capsys.readouterr()
    assert run(["watch", "--as-of", "2026-06-07"]) == 0
    out = capsys.readouterr().out
    assert "a reading on 2026-06-07, in percent" in out and "if this is true" in out
    assert run(["watch", "--as-of", "2026-06-07", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["next"]["public-support"]
    assert told["date"] == "2026-06-07" and set(told["by_scenario"]["network"]) == {"expected", "low", "high"}
