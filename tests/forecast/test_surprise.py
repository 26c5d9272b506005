"""Surprise against outlooks of every prefix of the log, by hand, and in simulated studies that are right or wrong."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from forecast.outlook import Outlook
from forecast.surprise import ALARM, Surprise, surprise
from indicators.indicator import StateIndicator
from tests.forecast.build import outlook_of
from tests.strategies import random_case

Plain = dict[str, Any]

OPENS = date(2025, 1, 1)
STATE = {"kind": "state", "states": ["low", "high"], "likelihoods": {"yes": [0.2, 0.8], "no": [0.6, 0.4]}}


def study_of(indicator: Plain, **more: Any) -> Plain:
    """Two scenarios at 0.3 and 0.7 and one indicator."""
    return {
        "study": "small",
        "opens": OPENS.isoformat(),
        "horizon": "2026-12-31",
        "scenarios": [{"id": "yes", "prior": 0.3}, {"id": "no", "prior": 0.7}],
        "indicators": [{"id": "signs", **indicator}],
        **more,
    }


def said(day: int, state: str = "high", **more: Any) -> Plain:
    observed = (OPENS + timedelta(days=day)).isoformat()
    return {"indicator": "signs", "observed": observed, "state": state, "grade": "B2", **more}


def scored(chances: Sequence[tuple[list[float], int]]) -> float:
    """The score of reports, each by the chances of all it could have said and by which of them it did."""
    excess = variance = 0.0
    for chance, x in chances:
        expected = -math.fsum(p * math.log(p) for p in chance)
        excess += -math.log(chance[x]) - expected
        variance += math.fsum(p * math.log(p) ** 2 for p in chance) - expected**2
    return excess / math.sqrt(variance)


def chances_by_prefixes(study: Plain, reports: list[Plain], coverage: list[Plain], as_of: date) -> dict[str, Any]:
    """Of each state report its chance to say each state, from the outlook of all that comes before it."""
    dated = [(str(r.get("observed", r.get("to"))), n) for n, r in enumerate(reports)]
    order = [n for day, n in sorted(dated) if day <= as_of.isoformat()]
    found: dict[str, Any] = {}
    for place, n in enumerate(order):
        indicator = next(i for i in study["indicators"] if i["id"] == reports[n]["indicator"])
        if indicator["kind"] == "state":
            day = date.fromisoformat(reports[n]["observed"])
            earlier = [reports[m] for m in order[:place]]
            before = outlook_of(study, earlier, coverage, day).final
            chance = []
            for state in indicator["states"]:
                after = outlook_of(study, [*earlier, reports[n] | {"state": state}], coverage, day)
                # Numbered after all others, as it is the last in the order of the log.
                told = next(c for c in after.report_contributions if c.live.entry == f"e{place}")
                chance.append(float(before @ np.exp(told.log_likelihoods)))
            found[f"e{n}"] = (chance, indicator["states"].index(reports[n]["state"]))
    return found


def without_given(study: Plain) -> Plain:
    """The same with every `given` taken away: what is given looks at all of a day, so that no prefix tells of it."""
    free = []
    for indicator in study["indicators"]:
        if "given" in indicator:
            rows = {k: next(iter(by_state.values())) for k, by_state in indicator["likelihoods"].items()}
            indicator = {key: value for key, value in indicator.items() if key != "given"} | {"likelihoods": rows}
        free.append(indicator)
    return study | {"indicators": free}


def without_copies(study: Plain, reports: list[Plain], as_of: date) -> list[Plain]:
    """Of the state reports of one event and origin, only the one that counts."""
    outlook = outlook_of(study, reports, [], as_of)
    gone = set()
    for likelihood in outlook.likelihoods.values():
        counts = {r for counted in likelihood.reports.last_counted for r in counted}
        gone |= {live.seq for r, live in enumerate(likelihood.reports.live) if r not in counts}
    states = {i.id for i in outlook.study.indicators if isinstance(i, StateIndicator)}
    return [r for n, r in enumerate(reports) if n not in gone or r["indicator"] not in states]


def assert_by_prefixes(study: Plain, reports: list[Plain], coverage: list[Plain], as_of: date) -> int:
    """How many reports were compared."""
    found = surprise(outlook_of(study, reports, coverage, as_of))
    chances = chances_by_prefixes(study, reports, coverage, as_of)
    assert [entry for entry, _ in found.reports] == list(chances)
    for (_, p), (chance, x) in zip(found.reports, chances.values(), strict=True):
        assert math.fsum(chance) == pytest.approx(1.0, abs=1e-9)
        assert p == pytest.approx(chance[x], abs=1e-12)
    if chances:
        assert found.score == pytest.approx(scored(list(chances.values())), abs=1e-8)
    return len(chances)


@pytest.mark.parametrize("first", range(0, 45, 15))
def test_every_prefix_of_the_log(first: int) -> None:
    """Random studies of all kinds with drift, silence, same-day reports, joined and late ones."""
    compared = 0
    for seed in range(first, first + 15):
        study, reports, coverage, as_of = random_case(random.Random(seed), n_reports=12)
        study = without_given(study)
        compared += assert_by_prefixes(study, without_copies(study, reports, as_of), coverage, as_of)
    assert compared > 20


def test_late_reports_on_old_events() -> None:
    """A witness who speaks when two more events have been told of: what he says is expected in their light."""
    study = study_of(STATE | {"persistence": "60 d"}, drift={"half_life": "90 d"})
    reports = [
        said(3, event="a", origin="x"),
        said(10, "low", event="b", origin="x"),
        said(12, event="c", origin="x"),
        said(15, "low", event="a", origin="y"),
        said(15, "low", event="b", origin="z"),
        said(16, event="a", origin="z"),
    ]
    assert assert_by_prefixes(study, reports, [], OPENS + timedelta(days=20)) == 6


@pytest.mark.parametrize("seed", range(30))
def test_the_chance_is_the_mixture_of_the_contributions(seed: int) -> None:
    """Also with `given`: P just before, from a plain walk through the days, times e to the contribution."""
    study, reports, coverage, as_of = random_case(random.Random(seed), kinds=("state", "count"), n_reports=15)
    outlook = outlook_of(study, without_copies(study, reports, as_of), coverage, as_of)
    found = dict(surprise(outlook).reports)
    for day in range(outlook.length):
        weights = np.exp(outlook.chain.log_predicted[day] + outlook.silence[day].sum(axis=0))
        for item in outlook.report_contributions:
            if outlook.study.day_index(item.live.report.dated) == day:
                after = weights * np.exp(item.log_likelihoods)
                if item.live.report.state is not None:
                    assert found.pop(item.live.entry) == pytest.approx(after.sum() / weights.sum(), abs=1e-12)
                weights = after
    assert not found


def test_two_reports_by_hand() -> None:
    """q(high) = 0.52. First 0.3 x 0.73 + 0.7 x 0.43 = 0.52; then P(yes) = 0.219 / 0.52."""
    found = surprise(outlook_of(study_of(STATE), [said(0), said(5, "low")], [], OPENS + timedelta(days=9)))
    yes = 0.219 / 0.52
    second = yes * 0.73 + (1 - yes) * 0.43
    assert dict(found.reports) == pytest.approx({"e0": 0.52, "e1": 1 - second})
    assert found.score == pytest.approx(scored([([0.48, 0.52], 1), ([1 - second, second], 0)]), abs=1e-12)
    assert not found.alarm


@pytest.mark.parametrize(
    ("indicator", "reports"),
    [
        (STATE, []),
        (STATE | {"likelihoods": {"yes": [0.5, 0.5], "no": [0.5, 0.5]}}, [said(3), said(4, "low"), said(9)]),
        (
            {"kind": "state", "states": ["a", "b", "c"], "likelihoods": {"yes": [1 / 3] * 3, "no": [1 / 3] * 3}},
            [said(n % 40, "abc"[n % 3]) for n in range(200)],
        ),
        ({"kind": "count", "rates": {"yes": 1.0, "no": 2.0}}, [{"indicator": "signs", "observed": "2025-01-02"}]),
    ],
)
def test_no_score_where_nothing_can_surprise(indicator: Plain, reports: list[Plain]) -> None:
    """No report, none on a state indicator, or states that are all equally likely whatever happens."""
    found = surprise(outlook_of(study_of(indicator), reports, [], OPENS + timedelta(days=60)))
    assert (found.score, found.alarm) == (None, False)
    assert len(found.reports) == (len(reports) if indicator["kind"] == "state" else 0)


def test_ten_copies_are_one() -> None:
    """Weaker or equal copies change nothing, earlier ones neither; the one that counts stays in."""
    story = said(5, origin="wire")
    others = [said(2, "low"), said(20)]
    copies = [said(5 + n, origin="wire", grade="B2" if n % 2 else "C3") for n in range(1, 10)]
    weaker_first = said(4, origin="wire", grade="D3")
    study = study_of(STATE | {"persistence": "30 d"})
    as_of = OPENS + timedelta(days=40)
    one = surprise(outlook_of(study, [*others, story], [], as_of))
    ten = surprise(outlook_of(study, [*others, story, *copies], [], as_of))
    outdone = surprise(outlook_of(study, [*others, story, weaker_first], [], as_of))
    assert one == ten
    assert outdone == one


def test_a_copy_outdone_touches_what_is_given_by_it() -> None:
    """The whole study is as if it had never been logged."""
    mood = STATE | {"id": "mood", "persistence": "60 d"}
    rows = {k: {"low": [0.7, 0.3], "high": [0.1, 0.9]} for k in ("yes", "no")}
    press = {"id": "press", "kind": "state", "states": ["quiet", "loud"], "given": "mood", "likelihoods": rows}
    study = study_of(STATE, indicators=[mood, press])
    weak = said(2, indicator="mood", origin="x", grade="D4")
    rest = [
        said(6, "loud", indicator="press"),
        said(9, indicator="mood", origin="x"),
        said(12, "low", indicator="mood"),
    ]
    as_of = OPENS + timedelta(days=30)
    with_copy = surprise(outlook_of(study, [*rest, weak], [], as_of))
    assert with_copy == surprise(outlook_of(study, rest, [], as_of))


@pytest.mark.parametrize("persistence", [None, "9 d"])
def test_ten_thousand_reports(persistence: str | None) -> None:
    """All alike: each surprises less than was to be expected; the score is finite and far below nought."""
    extreme = {"likelihoods": {"yes": [1e-12, 1 - 1e-12], "no": [0.5, 0.5]}}
    indicator = STATE | extreme | ({"persistence": persistence} if persistence else {})
    reports = [said(n % 300) for n in range(10_000)]
    found = surprise(outlook_of(study_of(indicator), reports, [], OPENS + timedelta(days=300)))
    assert len(found.reports) == 10_000
    assert found.score is not None and -math.inf < found.score < 0
    assert found.reports[-1][1] > 0.8


# Simulated studies

ROWS = {
    "calm": [[0.80, 0.15, 0.05], [0.70, 0.20, 0.10], [0.85, 0.10, 0.05]],
    "talks": [[0.20, 0.70, 0.10], [0.60, 0.30, 0.10], [0.75, 0.20, 0.05]],
    "pressure": [[0.60, 0.35, 0.05], [0.10, 0.80, 0.10], [0.30, 0.65, 0.05]],
}
UNEXPECTED = [[0.15, 0.15, 0.70], [0.30, 0.20, 0.50], [0.10, 0.20, 0.70]]
"""Of a scenario that no study here has: the third state, rare in all of them, is the rule."""
PRIOR = [0.5, 0.3, 0.2]
# Long enough for some sixty states drawn anew. What the alarm can see grows with these, not with the reports: the same
# study half as long (300 days, 25 looks) rings in 55 % of runs, and with 50 looks in those 300 days in 26 %.
DAYS, LOOKS, PERSISTENCE, HALF_LIFE, RHO = 600, 50, 30.0, 400.0, 0.75
NAMES = ["low", "middle", "high"]


def simulated_study(drift: bool) -> Plain:
    rows = [{name: row[j] for name, row in ROWS.items()} for j in range(3)]
    indicators = [
        {"id": f"signs-{j}", "kind": "state", "states": NAMES, "likelihoods": row, "persistence": f"{PERSISTENCE:g} d"}
        for j, row in enumerate(rows)
    ]
    scenarios = [{"id": name, "prior": p} for name, p in zip(ROWS, PRIOR, strict=True)]
    more = {"drift": {"half_life": f"{HALF_LIFE:g} d"}} if drift else {}
    return study_of(STATE, scenarios=scenarios, indicators=indicators, **more)


def simulated_log(rng: np.random.Generator, *, truth: list[list[float]] | None, drift: bool) -> list[Plain]:
    """Reports of a run in which one scenario is true, or the rows of `truth` are where they are given."""
    tables = list(ROWS.values())
    path = [int(rng.choice(3, p=PRIOR))]
    for _ in range(DAYS):
        anew = drift and rng.random() > 0.5 ** (1 / HALF_LIFE)
        path.append(int(rng.choice(3, p=PRIOR)) if anew else path[-1])
    reports = []
    for j in range(3):
        q = sum(p * np.array(table[j]) for p, table in zip(PRIOR, tables, strict=True))
        state, last = -1, 0
        for day in sorted(rng.choice(DAYS, LOOKS, replace=False).tolist()):
            if state < 0 or rng.random() > math.exp(-(day - last) / PERSISTENCE):
                state = int(rng.choice(3, p=(truth or tables[path[day]])[j]))
            last = day
            named = state if rng.random() < RHO else int(rng.choice(3, p=q))
            reports.append(said(day, NAMES[named], indicator=f"signs-{j}"))
    return reports


def alarms(*, truth: list[list[float]] | None, drift: bool, runs: int) -> list[Surprise]:
    rng = np.random.default_rng(20250422)
    study = simulated_study(drift)
    logs = [simulated_log(rng, truth=truth, drift=drift) for _ in range(runs)]
    return [surprise(outlook_of(study, log, [], OPENS + timedelta(days=DAYS))) for log in logs]


@pytest.mark.parametrize("drift", [False, True])
def test_the_alarm_is_silent_where_the_truth_is_among_the_scenarios(drift: bool) -> None:
    """In at most 5 % of studies; the scores are near standard normal, as the score is meant to be read."""
    found = alarms(truth=None, drift=drift, runs=150)
    scores = np.array([item.score for item in found], dtype=float)
    assert sum(item.alarm for item in found) <= 0.05 * len(found)
    assert abs(scores.mean()) < 0.25
    assert 0.8 < scores.std() < 1.2


def test_the_alarm_rings_where_the_truth_is_not_among_them() -> None:
    """In most studies."""
    found = alarms(truth=UNEXPECTED, drift=True, runs=60)
    assert sum(item.alarm for item in found) > 0.5 * len(found)
    assert all(item.alarm == (item.score is not None and item.score > ALARM) for item in found)


def test_the_outlook_itself_is_left_as_it_is() -> None:
    """Leaving out an outdone copy works on another outlook."""
    reports = [said(2, origin="x", grade="D4"), said(6, origin="x")]
    outlook: Outlook = outlook_of(study_of(STATE), reports, [], OPENS + timedelta(days=9))
    before = outlook.final.copy()
    assert [entry for entry, _ in surprise(outlook).reports] == ["e1"]
    assert (outlook.final == before).all()
    assert len(outlook.report_contributions) == 2
