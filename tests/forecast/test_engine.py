"""The engine against the oracle: random studies of all kinds, in process and through the command line, and the laws."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.cli.main import run
from forecast.outlook import MOST_DRAWN, Outlook, TooManyDrawsError
from tests import oracles
from tests.forecast.build import japan_sar, outlook_of
from tests.strategies import random_case, to_yaml

TOLERANCE = 1e-9
OPENS = date(2025, 1, 1)


def study_of(indicator: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Two scenarios at 0.3 and 0.7 and one indicator."""
    return {
        "study": "small",
        "opens": "2025-01-01",
        "horizon": "2026-01-01",
        "scenarios": [{"id": "yes", "prior": 0.3}, {"id": "no", "prior": 0.7}],
        "indicators": [{"id": "signs", **indicator}],
        **more,
    }


STATE = {"kind": "state", "states": ["low", "high"], "likelihoods": {"yes": [0.2, 0.8], "no": [0.6, 0.4]}}
COUNT = {"kind": "count", "rates": {"yes": 12.0, "no": 4.0}}
MEASURE = {"kind": "measure", "values": {"yes": {"mean": 60, "sd": 5}, "no": {"mean": 50, "sd": 5}}}


def assert_agrees(outlook: Outlook, expected: dict[str, Any]) -> None:
    """Timeline, smoothed, log-likelihoods, decibans, changes, boards and steps are the oracle's."""
    ids = outlook.study.scenario_ids

    def close(found: Any, told: list[dict[str, float]]) -> None:
        wanted = np.array([[item[k] for k in ids] for item in told]).reshape(-1, len(ids))
        np.testing.assert_allclose(np.asarray(found).reshape(-1, len(ids)), wanted, rtol=0, atol=TOLERANCE)

    close(outlook.course, [day["probability"] for day in expected["timeline"]])
    close(outlook.smoothed_course, [day["smoothed"] for day in expected["timeline"]])
    mine, theirs = outlook.report_contributions, expected["contributions"]
    assert [item.live.seq for item in mine] == [item["index"] for item in theirs]
    close([item.log_likelihoods for item in mine], [item["loglik"] for item in theirs])
    close([item.decibans for item in mine], [item["decibans"] for item in theirs])
    close([item.change for item in mine], [item["change"] for item in theirs])
    for board in outlook.indicator_boards:
        if board.states:
            assert board.states == pytest.approx(expected["boards"][board.indicator.id], abs=TOLERANCE)
    total = sum((row.log_odds for row in outlook.rows_since(None)), np.zeros(len(ids)))
    close(total, [{k: sum(row["log_odds"][k] for row in expected["rows"]) for k in ids}])


@pytest.mark.parametrize("first", range(0, 120, 20))
def test_random_studies_agree_with_the_oracle(first: int) -> None:
    """All kinds, `given` chains, late reports, copies, spans, coverage, drift."""
    for seed in range(first, first + 20):
        case = random_case(random.Random(seed))
        assert_agrees(outlook_of(*case), oracles.outlook(*case))


def test_a_long_study_with_drift_agrees_with_the_oracle() -> None:
    """Long enough for the recursion to be cut into blocks."""
    study, reports, coverage, as_of = random_case(random.Random(7), n_indicators=6, days=150, n_reports=25)
    study["drift"] = {"half_life": "60 d"}
    assert_agrees(outlook_of(study, reports, coverage, as_of), oracles.outlook(study, reports, coverage, as_of))


@pytest.mark.parametrize("seed", [3, 11, 29, 57, 64, 101])
def test_through_the_command_line(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A study file, an import and coverage in; the JSON export out; the oracle's numbers in it."""
    study, reports, coverage, as_of = random_case(random.Random(seed))
    monkeypatch.chdir(tmp_path)
    Path("study.yaml").write_text(to_yaml(study), encoding="utf-8")
    Path("reports.jsonl").write_text("".join(json.dumps(report) + "\n" for report in reports), encoding="utf-8")
    assert run(["study", "add", "study.yaml"]) == 0, capsys.readouterr().err
    for span in coverage:
        options = [f"--{name}={span[name]}" for name in ("from", "to", "detect") if name in span]
        assert run(["cover", span["indicator"], *options]) == 0, capsys.readouterr().err
    assert run(["import", "reports.jsonl"]) == 0, capsys.readouterr().err
    assert run(["export", "outlook.json", "--as-of", as_of.isoformat()]) == 0, capsys.readouterr().err

    found = json.loads(Path("outlook.json").read_text(encoding="utf-8"))
    expected = oracles.outlook(study, reports, coverage, as_of)
    for mine, theirs in zip(found["timeline"], expected["timeline"], strict=True):
        assert mine["probability"] == pytest.approx(theirs["probability"], abs=TOLERANCE)
        assert mine["smoothed"] == pytest.approx(theirs["smoothed"], abs=TOLERANCE)
    for mine, theirs in zip(found["contributions"], expected["contributions"], strict=True):
        for name in ("loglik", "decibans", "change"):
            assert mine[name] == pytest.approx(theirs[name], abs=TOLERANCE)
    for item in found["indicators"]:
        if item["kind"] == "state":
            assert item["board"] == pytest.approx(expected["boards"][item["id"]], abs=TOLERANCE)


def test_one_state_report_by_hand() -> None:
    """rho = 0.75; q(high) = 0.3 x 0.8 + 0.7 x 0.4 = 0.52; 0.75 x 0.8 + 0.25 x 0.52 = 0.73 against 0.43.

    0.3 x 0.73 / (0.3 x 0.73 + 0.7 x 0.43) = 0.219 / 0.52.
    """
    report = {"indicator": "signs", "observed": "2025-01-01", "state": "high", "grade": "B2"}
    outlook = outlook_of(study_of(STATE), [report], [], OPENS)
    assert outlook.report_contributions[0].log_likelihoods == pytest.approx(np.log([0.73, 0.43]), abs=1e-14)
    assert outlook.final[0] == pytest.approx(0.219 / 0.52, abs=1e-14)


def test_a_silent_month_by_hand() -> None:
    """31 covered days at 12 and 4 a year: factors exp(-12 x 31/365.25) and exp(-4 x 31/365.25)."""
    coverage = [{"indicator": "signs", "from": "2025-01-01", "to": "2025-01-31"}]
    outlook = outlook_of(study_of(COUNT), [], coverage, OPENS + timedelta(days=40))
    years = 31 / 365.25
    yes, no = 0.3 * np.exp(-12 * years), 0.7 * np.exp(-4 * years)
    assert outlook.final[0] == pytest.approx(yes / (yes + no), abs=1e-14)


@pytest.mark.parametrize(
    ("indicator", "said"),
    [(STATE | {"persistence": "90 d"}, {"state": "high"}), (COUNT, {"count": 2}), (MEASURE, {"value": 58.0})],
)
def test_ten_copies_are_one_to_the_last_digit(indicator: dict[str, Any], said: dict[str, Any]) -> None:
    """Copies of one wire story, on its day and later, in the same words or with a lower grade."""
    story = {"indicator": "signs", "observed": "2025-01-05", "grade": "B2", "origin": "wire", **said}
    later = {"indicator": "signs", "observed": "2025-01-20", "grade": "A2", "origin": "other", **said}
    copies = [story | {"observed": f"2025-01-{5 + n:02}", "grade": "B2" if n % 2 else "C3"} for n in range(1, 10)]
    study = study_of(indicator, drift={"half_life": "200 d"})
    one = outlook_of(study, [story, later], [], OPENS + timedelta(days=30))
    ten = outlook_of(study, [story, later, *copies], [], OPENS + timedelta(days=30))
    assert (one.course == ten.course).all()
    assert (one.smoothed_course == ten.smoothed_course).all()
    assert all((item.change == 0.0).all() for item in ten.report_contributions if item.live.seq > 1)


@pytest.mark.parametrize(("indicator", "said"), [(STATE, {"state": "high"}), (MEASURE, {"value": 58.0})])
def test_a_report_without_information_moves_nothing(indicator: dict[str, Any], said: dict[str, Any]) -> None:
    """rho is 0 for an unreliable source (E) and for an improbable item (5)."""
    reports = [{"indicator": "signs", "observed": "2025-01-03", "grade": grade, **said} for grade in ("E1", "E5", "A5")]
    outlook = outlook_of(study_of(indicator), reports, [], OPENS + timedelta(days=9))
    np.testing.assert_allclose(outlook.final, [0.3, 0.7], rtol=0, atol=1e-15)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), relabel=st.randoms(use_true_random=False))
def test_relabelling_scenarios_relabels_the_answer(seed: int, relabel: random.Random) -> None:
    """The order of scenarios in the file changes the order of the answer and nothing else."""
    study, reports, coverage, as_of = random_case(random.Random(seed))
    order = list(range(len(study["scenarios"])))
    relabel.shuffle(order)
    turned = study | {"scenarios": [study["scenarios"][i] for i in order]}
    first, second = outlook_of(study, reports, coverage, as_of), outlook_of(turned, reports, coverage, as_of)
    np.testing.assert_allclose(first.course[:, order], second.course, rtol=0, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_every_day_sums_to_one_and_rows_add_up(seed: int) -> None:
    """Filtered and smoothed; and the lines since any day add up to the whole move to 1e-9."""
    case = random_case(random.Random(seed))
    outlook = outlook_of(*case)
    np.testing.assert_allclose(outlook.course.sum(axis=1), 1.0, rtol=0, atol=1e-12)
    np.testing.assert_allclose(outlook.smoothed_course.sum(axis=1), 1.0, rtol=0, atol=1e-12)
    np.testing.assert_allclose(outlook.smoothed_course[-1], outlook.final, rtol=0, atol=1e-12)
    day = outlook.days[len(outlook.days) // 2]
    start = outlook.course[outlook.study.day_index(day)]
    moved = sum((row.log_odds for row in outlook.rows_since(day)), np.zeros(len(start)))
    # The others' sum keeps the digits that one less a probability near it has lost.
    end = np.log(start) - np.log(start @ (1 - np.eye(len(start)))) + moved
    np.testing.assert_allclose(1 / (1 + np.exp(-end)), outlook.final, rtol=0, atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_one_more_report_touches_its_own_indicator_only(seed: int) -> None:
    """The other likelihoods are the very same objects, and the outlook is that of a fresh run."""
    study, reports, coverage, as_of = random_case(random.Random(seed), n_indicators=4, n_reports=8)
    whole = outlook_of(study, reports, coverage, as_of)
    before = outlook_of(study, reports[:-1], coverage, as_of)
    last = next(live for items in whole.log.reports.values() for live in items if live.seq == len(reports) - 1)
    after = before.with_report(last)
    np.testing.assert_allclose(after.course, whole.course, rtol=0, atol=1e-14)
    touched = {last.report.indicator, *whole.study.children_of(last.report.indicator)}
    for indicator, likelihood in after.likelihoods.items():
        assert (likelihood is before.likelihoods[indicator]) == (indicator not in touched)


@pytest.mark.parametrize("kind", ["state", "count", "measure"])
def test_extremes_are_finite_without_a_warning(kind: str) -> None:
    """Thousands of agreeing reports, counts of a million, likelihoods of 1e-12: finite, and sums to one."""
    indicator = {
        "state": STATE | {"likelihoods": {"yes": [1e-12, 1 - 1e-12], "no": [1 - 1e-12, 1e-12]}, "persistence": "9 d"},
        "count": COUNT | {"rates": {"yes": 1e6, "no": 1e-6}},
        "measure": MEASURE | {"values": {"yes": {"mean": 0, "sd": 1e-3}, "no": {"mean": 1e6, "sd": 1e-3}}},
    }[kind]
    told: dict[str, dict[str, Any]]
    told = {"state": {"state": "high"}, "count": {"count": 10**6}, "measure": {"value": 5e5}}
    reports = [
        {"indicator": "signs", "observed": (OPENS + timedelta(days=n % 90)).isoformat(), "grade": "A1", **told[kind]}
        for n in range(1_000)
    ]
    outlook = outlook_of(study_of(indicator, drift={"half_life": "1 y"}), reports, [], OPENS + timedelta(days=120))
    assert np.isfinite(outlook.course).all()
    np.testing.assert_allclose(outlook.course.sum(axis=1), 1.0, rtol=0, atol=1e-12)
    assert np.isfinite([item.decibans for item in outlook.report_contributions]).all()


def test_the_board_fades_towards_the_rows() -> None:
    """A look grows old: P(state now) goes from what was seen to what the rows say, mixed over the scenarios."""
    report = {"indicator": "signs", "observed": "2025-01-01", "state": "high", "grade": "A1"}
    study = study_of(STATE | {"persistence": "20 d"})
    fresh, old = (outlook_of(study, [report], [], OPENS + timedelta(days=n)) for n in (0, 360))
    rows = old.final @ np.array([[0.2, 0.8], [0.6, 0.4]])
    assert fresh.indicator_boards[0].states["high"] > 0.95
    assert old.indicator_boards[0].states["high"] == pytest.approx(rows[1], abs=1e-6)


def test_the_case_is_a_sensible_forecast() -> None:
    """Probabilities of the shipped case stay away from certainty, and removing bad sources moves nothing."""
    outlook = japan_sar(date(2026, 6, 7))
    assert outlook.final.max() < 0.95
    weightless = [item for item in outlook.report_contributions if item.live.rho == 0.0]
    assert len(weightless) >= 5
    assert max(float(abs(item.change).max()) for item in weightless) < 1e-12


def test_reports_that_all_move_nothing_move_nothing_under_drift() -> None:
    """Weightless ones, and copies; what the day would gain without them is nothing on no day."""
    reports = [{"indicator": "signs", "observed": "2025-01-03", "state": "high", "grade": "E5"}] * 2
    outlook = outlook_of(study_of(STATE, drift={"half_life": "60 d"}), reports, [], OPENS + timedelta(days=9))
    assert [item.change.tolist() for item in outlook.report_contributions] == [[0.0, 0.0]] * 2


def test_contributions_are_a_sequence_made_when_asked_for() -> None:
    """By place from either end, in slices and in turn: the same report and the same numbers."""
    study, reports, coverage, as_of = random_case(random.Random(7), n_indicators=3, days=50, n_reports=12)
    items = outlook_of(study, reports, coverage, as_of).report_contributions
    told = [(item.live.entry, *item.decibans, *item.change, *item.log_likelihoods) for item in items]
    assert len(items) == len(told) > 3
    for chosen in (items[1:-1], [items[place] for place in range(1, len(items) - 1)]):
        again = [(item.live.entry, *item.decibans, *item.change, *item.log_likelihoods) for item in chosen]
        assert again == told[1:-1]
    assert items[-1].live is items[len(items) - 1].live
    assert len(items[:0]) == 0
    with pytest.raises(IndexError):
        items[len(items)]


def test_more_draws_than_memory_holds_are_refused_before_anything_is_worked_out() -> None:
    """Days times scenarios times draws, and the mend is a number that is taken."""
    outlook = outlook_of(study_of(STATE, horizon="2028-01-01"), [], [], OPENS + timedelta(days=999))
    replace(outlook, draws=100_000)
    with pytest.raises(TooManyDrawsError, match="100,001 draws of 2 scenarios on 1,000 days") as refused:
        replace(outlook, draws=100_001)
    assert refused.value.mend == "give at most 100000, or an earlier --as-of"
    assert (refused.value.where, MOST_DRAWN) == ("--draws", 2 * 1_000 * 100_000)
