"""Information against every possible look put into the log by hand; when looks are due; the command watch."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecast.baseline import Baselines, Fit, Residuals
from forecast.cli.main import run
from forecast.events import Live
from forecast.information import LOOK_GRADE, Look, looks, uncertainty, watch_order
from forecast.outlook import Log, Outlook
from forecast.probability import Floats
from forecast.study import Study
from indicators.evidence import read_report
from indicators.grades import grade_weight
from tests.forecast.build import japan_sar, outlook_of
from tests.strategies import random_case

Plain = dict[str, Any]

OPENS = date(2025, 1, 1)
STATE = {"kind": "state", "states": ["low", "high"], "likelihoods": {"yes": [0.2, 0.8], "no": [0.6, 0.4]}}
COUNT = {"kind": "count", "rates": {"yes": 12.0, "no": 4.0}}
MILESTONE = {"kind": "milestone", "rates": {"yes": 2.0, "no": 0.5}}
MEASURE = {"kind": "measure", "values": {"yes": {"mean": 60, "sd": 5}, "no": {"mean": 50, "sd": 3}}}


def study_of(*indicators: Plain, **more: Any) -> Plain:
    """Two scenarios at 0.3 and 0.7."""
    return {
        "study": "small",
        "opens": OPENS.isoformat(),
        "horizon": "2026-12-31",
        "scenarios": [{"id": "yes", "prior": 0.3}, {"id": "no", "prior": 0.7}],
        "indicators": [{"id": f"signs-{n}", **indicator} for n, indicator in enumerate(indicators)],
        **more,
    }


def look_at(outlook: Outlook, indicator: str = "signs-0") -> Look:
    return next(look for look in looks(outlook) if look.indicator.id == indicator)


def entropy(p: Floats) -> float:
    """In bits."""
    return -math.fsum(x * math.log2(x) for x in p.tolist() if x > 0)


def with_look(outlook: Outlook, indicator: str, **said: Any) -> tuple[Outlook, float]:
    """The outlook with one more B2 report on its day, and the probability or density that it had."""
    raw = {"indicator": indicator, "observed": outlook.as_of.isoformat(), "grade": LOOK_GRADE, **said}
    report, problems = read_report(raw)
    assert report, problems
    live = Live("look", 10**6, report, grade_weight(LOOK_GRADE, outlook.study.grades))
    after = outlook.with_report(live)
    likelihood = after.likelihoods[indicator]
    told = likelihood.contributions[[item.entry for item in likelihood.reports.live].index("look")]
    return after, float(outlook.final @ np.exp(told))


def by_every_look(outlook: Outlook, indicator: str, said: list[Plain], *, each: float = 1.0) -> float:
    """Entropy now less the expected entropy after a look, each possible one put into the log in turn."""
    found = [with_look(outlook, indicator, **one) for one in said]
    assert sum(p for _, p in found) * each == pytest.approx(1.0, abs=1e-6)
    return entropy(outlook.final) - each * sum(p * entropy(after.final) for after, p in found)


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_states_against_every_look(first: int) -> None:
    """Random studies with persistences and chains of `given`, the look on the day it is due."""
    checked = 0
    for seed in range(first, first + 20):
        study, reports, coverage, as_of = random_case(random.Random(seed), kinds=("state",))
        study.pop("drift", None)  # so that nothing but the reports moves the scenarios until the look
        study["horizon"] = "2030-01-01"
        reports = [report for report in reports if report["observed"] <= as_of.isoformat()]
        outlook = outlook_of(study, reports, coverage, as_of)
        for look in looks(outlook):
            assert look.due is not None and look.due >= as_of
            if outlook.study.children_of(look.indicator.id):
                continue  # a report on the day changes what is given by it too
            on_the_day = outlook_of(study, reports, coverage, look.due)
            said = [{"state": state} for state in getattr(look.indicator, "states", [])]
            assert look.bits == pytest.approx(by_every_look(on_the_day, look.indicator.id, said), abs=1e-9)
            checked += 1
    assert checked > 20


@pytest.mark.parametrize("persistence", [None, "90 d"])
def test_a_measure_against_a_grid_of_readings(persistence: str | None) -> None:
    """Thirty days after a reading, and on the very day of one, which does not lean on itself."""
    measure = MEASURE | ({"persistence": persistence} if persistence else {})
    first = {"indicator": "signs-0", "observed": "2025-01-01", "value": 57.0, "grade": "B2"}
    today = first | {"observed": "2025-01-31", "value": 52.0}
    step = 0.25
    readings = [{"value": step * n} for n in range(80, 400)]
    for reports in ([], [first], [first, today]):
        outlook = outlook_of(study_of(measure), reports, [], OPENS + timedelta(days=30))
        brute = by_every_look(outlook, "signs-0", readings, each=step)
        assert look_at(outlook).bits == pytest.approx(brute, abs=1e-9)


def carried_on(shifts: dict[str, float], reports: list[Plain], as_of: date) -> Outlook:
    """A measure whose history, a wandering level, stood at 50 a month before the study opened."""
    measure = {"kind": "measure", "baseline": {"history": "poll.csv", "model": "local-level"}, "shifts": shifts}
    study = Study.model_validate(study_of(measure))
    fit = Fit(
        model="local-level",
        last_day=date(2024, 12, 1),
        points=40,
        parameters={"sigma2.irregular": 4.0, "sigma2.level": 0.2},
        state=[50.0],
        covariance=[[1.5]],
        log_likelihood=-80.0,
        residuals=Residuals(lags=1, statistic=0.1, p_value=0.7),
    )
    live = []
    for n, raw in enumerate(reports):
        report, problems = read_report(raw)
        assert report, problems
        live.append(Live(f"e{n}", n, report, grade_weight(report.grade or "F6", {})))
    return Outlook(study.with_baselines(Baselines(fits={"signs-0": fit})), Log({"signs-0": live}, {}), as_of)


def test_a_measure_with_a_history_against_a_grid_of_readings() -> None:
    """What a reading without information is as likely as, moves with the filter too."""
    first = {"indicator": "signs-0", "observed": "2025-03-01", "value": 54.0, "grade": "B2"}
    step = 0.25
    readings = [{"value": step * n} for n in range(-200, 600)]
    for reports in ([], [first]):
        outlook = carried_on({"yes": 20.0, "no": -5.0}, reports, date(2025, 6, 1))
        brute = by_every_look(outlook, "signs-0", readings, each=step)
        assert look_at(outlook).bits == pytest.approx(brute, abs=1e-9)
    assert look_at(carried_on({"yes": 3.0, "no": 3.0}, [first], date(2025, 6, 1))).bits < 1e-13


def test_a_look_at_a_count_by_hand() -> None:
    """Events of the next 30 days, at 12 and 4 a year."""
    outlook = outlook_of(study_of(COUNT), [], [], OPENS)
    total = 0.0
    for n in range(60):
        chance = [math.exp(-r * 30 / 365.25) * (r * 30 / 365.25) ** n / math.factorial(n) for r in (12, 4)]
        average = 0.3 * chance[0] + 0.7 * chance[1]
        total += sum(p * c * math.log2(c / average) for p, c in zip((0.3, 0.7), chance, strict=True))
    assert look_at(outlook).bits == pytest.approx(total, abs=1e-12)


@pytest.mark.parametrize(("grade", "left"), [(None, 1.0), ("B2", 0.25), ("A1", 0.01)])
def test_a_look_at_a_milestone_by_hand(grade: str | None, left: float) -> None:
    """Whether it happens in the next 60 days; once it has with weight w, only 1 - w is left of that."""
    reports = [{"indicator": "signs-0", "observed": "2025-01-01", "grade": grade}] if grade else []
    outlook = outlook_of(study_of(MILESTONE | {"check_every": "60 d"}), reports, [], OPENS)
    happens = [left * (1 - math.exp(-r * 60 / 365.25)) for r in (2.0, 0.5)]
    P = outlook.final
    average = float(P @ happens)
    expected = sum(
        p * (h * math.log2(h / average) + (1 - h) * math.log2((1 - h) / (1 - average)))
        for p, h in zip(P.tolist(), happens, strict=True)
    )
    assert look_at(outlook).bits == pytest.approx(expected, abs=1e-12)


def test_certain_states_name_the_scenario_but_for_the_grade() -> None:
    """Rows of nearly 0 and 1, even priors: 0.875 against 0.125 for a report of weight 0.75."""
    sure = STATE | {"likelihoods": {"yes": [1e-9, 1 - 1e-9], "no": [1 - 1e-9, 1e-9]}}
    scenarios = [{"id": "yes"}, {"id": "no"}]
    outlook = outlook_of(study_of(sure, scenarios=scenarios), [], [], OPENS)
    assert look_at(outlook).bits == pytest.approx(1 - entropy(np.array([0.875, 0.125])), abs=1e-6)


def test_an_indicator_that_does_not_differ_tells_nothing() -> None:
    flat = [
        STATE | {"likelihoods": {"yes": [0.3, 0.7], "no": [0.3, 0.7]}},
        COUNT | {"rates": {"yes": 5.0, "no": 5.0}},
        MILESTONE | {"rates": {"yes": 5.0, "no": 5.0}},
        MEASURE | {"values": {"yes": {"mean": 60, "sd": 5}, "no": {"mean": 60, "sd": 5}}},
    ]
    assert max(look.bits for look in looks(outlook_of(study_of(*flat), [], [], OPENS))) < 1e-13


def test_no_look_tells_more_than_is_uncertain() -> None:
    """Random studies of all kinds; bits are never negative, and bits per cost are bits over cost."""
    for seed in range(60):
        outlook = outlook_of(*random_case(random.Random(seed)))
        assert uncertainty(outlook) == pytest.approx(entropy(outlook.final), abs=1e-12)
        for look in looks(outlook):
            assert 0.0 <= look.bits <= uncertainty(outlook) + 1e-12
            assert look.bits_per_cost == look.bits / look.indicator.cost


def test_the_day_of_a_look() -> None:
    """Due in 30 days from the last report; past due, it happens now; without `check_every`, now and never overdue."""
    looked = STATE | {"check_every": "30 d"}
    reports = [{"indicator": "signs-0", "observed": "2025-01-11", "state": "high", "grade": "B2"}]
    study = study_of(looked, STATE, looked | {"retired": True})

    def seen(as_of: date) -> list[tuple[date | None, bool]]:
        return [(look.due, look.overdue) for look in looks(outlook_of(study, reports, [], as_of))]

    early, on_the_day, late = date(2025, 1, 20), date(2025, 2, 10), date(2025, 3, 1)
    assert seen(early) == [(on_the_day, False), (early, False), (None, False)]
    assert seen(on_the_day) == [(on_the_day, False), (on_the_day, False), (None, False)]
    assert seen(late) == [(late, True), (late, False), (None, False)]
    assert looks(outlook_of(study, reports, [], late))[2].bits == 0.0


def test_a_state_just_seen_has_little_news() -> None:
    """With a persistence the look is worth the less the sooner it comes."""
    reports = [{"indicator": "signs-0", "observed": "2025-01-11", "state": "high", "grade": "A1"}]

    def bits(check_every: str) -> float:
        study = study_of(STATE | {"persistence": "60 d", "check_every": check_every})
        return look_at(outlook_of(study, reports, [], date(2025, 1, 11))).bits

    soon, later, latest = bits("1 d"), bits("30 d"), bits("300 d")
    assert soon < 0.01 * latest
    assert soon < later < latest


def test_the_order_of_watching() -> None:
    """Overdue first, then bits per cost; ties stay in file order."""
    indicator = japan_sar(date(2025, 5, 1)).study.indicators[0]

    def look(overdue: bool, per_cost: float) -> Look:
        return Look(indicator, OPENS, overdue, per_cost, per_cost)

    given = [look(False, 0.2), look(True, 0.0), look(False, 0.9), look(True, 0.1), look(False, 0.2)]
    assert watch_order(given) == [given[3], given[1], given[2], given[0], given[4]]
    assert watch_order(given)[3] is given[0]


def test_the_means_of_a_measure_may_lie_far_apart() -> None:
    """A million deviations: the reading names the scenario, but for the grade; no warning on the way."""
    values = {"yes": {"mean": 0, "sd": 1e-6}, "no": {"mean": 1e9, "sd": 1e-6}}
    found = look_at(outlook_of(study_of(MEASURE | {"values": values}), [], [], OPENS)).bits
    table = [[0.75 + 0.25 * 0.3, 0.25 * 0.7], [0.25 * 0.3, 0.75 + 0.25 * 0.7]]
    average = [0.3 * table[0][x] + 0.7 * table[1][x] for x in range(2)]
    expected = sum(
        p * row[x] * math.log2(row[x] / average[x]) for p, row in zip((0.3, 0.7), table, strict=True) for x in range(2)
    )
    assert found == pytest.approx(expected, abs=1e-9)


Command = Callable[..., str]


@pytest.fixture
def forecast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command line in a folder that holds the case on Japan; gives what it prints."""
    monkeypatch.chdir(tmp_path)
    assert run(["init", "--case", "japan-sar"]) == 0
    capsys.readouterr()

    def call(*arguments: str) -> str:
        assert run(list(arguments)) == 0
        return capsys.readouterr().out

    return call


def test_the_command_shows_what_is_overdue_first(forecast: Command) -> None:
    told = forecast("watch", "--as-of", "2026-06-07")
    lines = [line for line in told.splitlines() if "B2" in line or "within" in line]
    outlook = japan_sar(date(2026, 6, 7))
    ordered = watch_order(looks(outlook))
    assert len(lines) == len(ordered)
    for line, look in zip(lines, ordered, strict=True):
        assert line.startswith(look.indicator.label)
        board = next(board for board in outlook.indicator_boards if board.indicator.id == look.indicator.id)
        assert board.due
        shown = f"overdue {(outlook.as_of - board.due).days} d" if look.overdue else board.due.isoformat()
        assert shown in line


def test_the_command_as_json(forecast: Command) -> None:
    told = json.loads(forecast("watch", "--as-of", "2026-06-07", "--without", "source:Yomiuri", "--json"))
    assert (told["study"], told["as_of"], told["without"]) == ("japan-sar", "2026-06-07", ["source:Yomiuri"])
    assert {"indicator", "kind", "due", "overdue", "look", "look_on", "bits", "cost", "bits_per_cost"} == set(
        told["looks"][0]
    )
    assert [look["overdue"] for look in told["looks"]] == sorted(
        (look["overdue"] for look in told["looks"]), reverse=True
    )
    for look in told["looks"]:
        assert look["look_on"] == (told["as_of"] if look["overdue"] else look["due"])
        assert 0 <= look["bits"] <= told["uncertainty_bits"]
