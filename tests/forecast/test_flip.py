"""Flip points against studies whose rows are softened in the file itself, by hand, and where a plain scan misses."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from forecast.flip import flips
from forecast.outlook import Outlook
from forecast.probability import Floats
from tests.forecast.build import japan_sar, outlook_of
from tests.forecast.test_information import carried_on
from tests.oracles import RANGES
from tests.strategies import random_case

Plain = dict[str, Any]

OPENS = date(2025, 1, 1)
TIE = 1e-11
STATE = {"kind": "state", "states": ["low", "high"], "likelihoods": {"yes": [0.2, 0.8], "no": [0.6, 0.4]}}


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


def said(day: int, state: str = "high", indicator: str = "signs-0", **more: Any) -> Plain:
    observed = (OPENS + timedelta(days=day)).isoformat()
    return {"indicator": indicator, "observed": observed, "state": state, "grade": "B2", **more}


# Softening the file


def softened(study: Plain, name: str, a: float) -> Plain:
    """The study with one indicator's tables moved by a towards their prior-weighted means."""
    scenarios = [s["id"] for s in study["scenarios"]]
    prior = [s.get("prior", 1 / len(scenarios)) for s in study["scenarios"]]

    def move(stated: list[float]) -> list[float]:
        mean = math.fsum(p * x for p, x in zip(prior, stated, strict=True))
        return [(1 - a) * x + a * mean for x in stated]

    def changed(indicator: Plain) -> Plain:
        if indicator["kind"] == "state":
            return indicator | {
                "likelihoods": softened_rows(study, indicator, dict(zip(scenarios, prior, strict=True)), a)
            }
        if indicator["kind"] == "measure":
            values = [indicator["values"][k] for k in scenarios]
            moved = zip(move([v["mean"] for v in values]), move([v["sd"] for v in values]), strict=True)
            return indicator | {"values": {k: {"mean": m, "sd": s} for k, (m, s) in zip(scenarios, moved, strict=True)}}
        rates = move([indicator["rates"][k] for k in scenarios])
        return indicator | {"rates": dict(zip(scenarios, rates, strict=True))}

    return study | {"indicators": [changed(i) if i["id"] == name else i for i in study["indicators"]]}


def softened_rows(study: Plain, indicator: Plain, prior: dict[str, float], a: float) -> Plain:
    """(1 - a) L + a q, with q over the other's states first."""

    def numbers(row: Any) -> list[float]:
        if isinstance(row, str):
            low, high = RANGES[study.get("words", "icd203")][row]
            return [1 - (low + high) / 200, (low + high) / 200]
        return list(row)

    given = "given" in indicator
    tables = {k: t if given else {"": t} for k, t in indicator["likelihoods"].items()}
    rows = {k: {u: numbers(row) for u, row in table.items()} for k, table in tables.items()}
    q = [
        math.fsum(prior[k] * math.fsum(row[x] for row in table.values()) / len(table) for k, table in rows.items())
        for x in range(len(indicator["states"]))
    ]
    moved = {
        k: {u: [(1 - a) * p + a * at for p, at in zip(row, q, strict=True)] for u, row in table.items()}
        for k, table in rows.items()
    }
    return moved if given else {k: table[""] for k, table in moved.items()}


def leader(outlook: Outlook) -> int:
    logs = outlook.chain.log_filtered[-1]
    return int(np.argmax(logs >= logs.max() - TIE))


def by_scanning(study: Plain, name: str, rest: tuple[list[Plain], list[Plain], date]) -> float | None:
    """The smallest share at which another leads: the first of many, then halved down."""

    def holds(a: float) -> bool:
        return leader(outlook_of(softened(study, name, a), *rest)) == first

    first = leader(outlook_of(study, *rest))
    shares = [n / 30 for n in range(31)]
    found = next((n for n in range(1, 31) if not holds(shares[n])), None)
    if found is None:
        return None
    low, high = shares[found - 1], shares[found]
    while high - low > 1e-8:
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return high


# Against the file


def cases() -> list[tuple[Plain, list[Plain], list[Plain], date]]:
    """Studies of all kinds, and studies of states alone, with long chains of `given`."""
    mixed = [random_case(random.Random(n), n_indicators=3, n_reports=12, days=30) for n in range(16)]
    states = [
        random_case(random.Random(n), kinds=("state",), n_indicators=4, n_reports=14, days=30)
        for n in (0, 2, 10, 17, 35)
    ]
    return mixed + states


@pytest.mark.parametrize("first", range(0, 21, 7))
def test_against_studies_softened_in_the_file(first: int) -> None:
    """All kinds, `given` chains, copies, spans, coverage, drift: worked out anew from the changed study."""
    for study, reports, coverage, as_of in cases()[first : first + 7]:
        found = flips(outlook_of(study, reports, coverage, as_of))
        assert list(found) == [indicator["id"] for indicator in study["indicators"]]
        for name, flip in found.items():
            expected = by_scanning(study, name, (reports, coverage, as_of))
            assert (flip is None) == (expected is None), name
            if flip is not None:
                assert flip == pytest.approx(expected, abs=3e-8), name


def test_there_are_flips_of_every_kind() -> None:
    """So that the comparison above is not one of None with None."""
    kinds: set[str] = set()
    for study, reports, coverage, as_of in cases():
        outlook = outlook_of(study, reports, coverage, as_of)
        flipped = [name for name, flip in flips(outlook).items() if flip is not None]
        kinds.update(outlook.study.by_id[name].kind for name in flipped)
        kinds.update("given" for name in flipped if outlook.study.children_of(name))
    assert kinds == {"state", "count", "milestone", "measure", "given"}


# By hand


def test_one_report_by_hand() -> None:
    """Even priors, q(high) = 0.6: yes leads by 0.75 - 0.15 a to 0.45 + 0.15 a, against 0.51875 to 0.63125 for no."""
    scenarios = [{"id": "yes"}, {"id": "no"}]
    other = STATE | {"likelihoods": {"yes": [0.5, 0.5], "no": [0.35, 0.65]}}
    study = study_of(STATE, other, scenarios=scenarios)
    reports = [said(0), said(0, indicator="signs-1")]
    found = flips(outlook_of(study, reports, [], OPENS))
    odds = 0.63125 / 0.51875
    assert found["signs-0"] == pytest.approx((0.75 - odds * 0.45) / (0.15 * (1 + odds)), abs=2e-9)
    assert found["signs-1"] is None


def test_the_leader_by_one_indicator_alone_falls_at_the_very_end() -> None:
    """Even priors: the second scenario leads until nothing is left, and then the first does, as the earlier."""
    scenarios = [{"id": "yes"}, {"id": "no"}]
    study = study_of(STATE, scenarios=scenarios)
    later = flips(outlook_of(study, [said(0, "low")], [], OPENS))["signs-0"]
    earlier = flips(outlook_of(study, [said(0, "high")], [], OPENS))["signs-0"]
    assert later == pytest.approx(1.0, abs=1e-9)
    assert earlier is None


def test_rows_of_next_to_nothing_hang_on_next_to_nothing() -> None:
    """No leads 2 to 1, loses at once and leads again from 0.00025 on: between two points of an even scan.

    Of two reports, one is a thousand times likelier under no and one under yes, but so unlikely that the scenario odd,
    which others have ruled out, gives them all that they have once the rows are softened at all: q = 0.05, 0.04.
    """
    scenarios = [{"id": "yes", "prior": 0.3}, {"id": "no", "prior": 0.6}, {"id": "odd", "prior": 0.1}]
    rows = {"yes": [1e-12, 1e-5, 1 - 1e-5 - 1e-12], "no": [1e-9, 1e-8, 1 - 1.1e-8], "odd": [0.5, 0.4, 0.1]}
    other = {"yes": [0.5, 0.5], "no": [0.5, 0.5], "odd": [1 - 1e-14, 1e-14]}
    signs = {"kind": "state", "states": ["low", "middle", "high"], "likelihoods": rows}
    study = study_of(signs, STATE | {"likelihoods": other}, scenarios=scenarios)
    study["grades"] = {"A": 1 - 1e-15, "1": 1 - 1e-15}
    reports = [said(0, state, grade="A1") for state in ("low", "middle")]
    reports += [said(0, "high", "signs-1", grade="A1")] * 3
    shares = (0.0, 1e-9, 2e-4, 3e-4, 1.0)
    leaders = [leader(outlook_of(softened(study, "signs-0", a), reports, [], OPENS)) for a in shares]
    assert leaders == [1, 0, 0, 1, 1]
    found = flips(outlook_of(study, reports, [], OPENS))["signs-0"]
    assert found is not None and 0.0 < found < 1.1e-9


@pytest.mark.parametrize(
    "indicator",
    [
        STATE | {"likelihoods": {"yes": [0.3, 0.7], "no": [0.3, 0.7]}, "persistence": "30 d"},
        {"kind": "count", "rates": {"yes": 5.0, "no": 5.0}, "silence": "always"},
        {"kind": "milestone", "rates": {"yes": 5.0, "no": 5.0}, "silence": "always"},
        {"kind": "measure", "values": {"yes": {"mean": 5, "sd": 1}, "no": {"mean": 5, "sd": 1}}},
    ],
)
@pytest.mark.parametrize("prior", [0.3, 0.5])
@pytest.mark.parametrize("drift", [{}, {"drift": {"half_life": "90 d"}}])
def test_none_where_the_scenarios_do_not_differ(indicator: Plain, prior: float, drift: Plain) -> None:
    """Also where the scenarios tie and only the file puts one before the other."""
    scenarios = [{"id": "yes", "prior": prior}, {"id": "no", "prior": 1 - prior}]
    telling: dict[str, Plain] = {"state": {"state": "high"}, "measure": {"value": 7.0}}
    report = {"indicator": "signs-0", "observed": "2025-01-08", "grade": "B2", **telling.get(indicator["kind"], {})}
    outlook = outlook_of(study_of(indicator, scenarios=scenarios, **drift), [report], [], OPENS + timedelta(days=40))
    assert flips(outlook) == {"signs-0": None}


def test_none_where_nothing_is_logged() -> None:
    silent = {"kind": "count", "rates": {"yes": 12.0, "no": 4.0}}
    assert flips(outlook_of(study_of(STATE, silent), [], [], OPENS + timedelta(days=40))) == {
        "signs-0": None,
        "signs-1": None,
    }


def test_silence_alone_can_flip_and_is_not_weighed_where_left_out() -> None:
    """Forty quiet days at 40 a year against 4: odds e^-3.94 on 9 to 1; even where the rates are 19.2 apart."""
    scenarios = [{"id": "yes", "prior": 0.9}, {"id": "no", "prior": 0.1}]
    calls = {"kind": "count", "rates": {"yes": 40.0, "no": 4.0}, "silence": "always"}
    outlook = outlook_of(study_of(calls, scenarios=scenarios), [], [], OPENS + timedelta(days=39))
    apart = math.log(9) * 365.25 / 40
    assert flips(outlook)["signs-0"] == pytest.approx(1 - apart / 36, abs=2e-9)
    without = Outlook(outlook.study, replace(outlook.log, silenced=frozenset(["signs-0"])), outlook.as_of)
    assert flips(without) == {"signs-0": None}


def test_the_flip_of_a_measure_with_a_history() -> None:
    """Its shifts are moved towards their mean; worked out anew from the changed shifts."""
    first = {"indicator": "signs-0", "observed": "2025-12-01", "value": 72.0, "grade": "A1"}
    stated = {"yes": 20.0, "no": -5.0}
    found = flips(carried_on(stated, [first], date(2025, 12, 1)))["signs-0"]
    assert found is not None
    mean = 0.3 * stated["yes"] + 0.7 * stated["no"]
    leaders = [
        int(
            carried_on(
                {k: (1 - a) * x + a * mean for k, x in stated.items()}, [first], date(2025, 12, 1)
            ).final.argmax()
        )
        for a in (0.0, found - 1e-8, found)
    ]
    assert leaders == [0, 0, 1]


# What a scan can miss


def test_a_lead_lost_and_won_again_between_two_points() -> None:
    """No leads, loses by a hair over a two-hundredth of the way, and leads again: closer around the dip it shows.

    Three reports of low and nine of high; q = (0.16, 0.24, 0.6), and each report is a term of its own. The other
    indicator gives no its start: (0.5 + 0.875 x) to (0.5 + 0.125 x) for it.
    """
    rows = {"yes": [0.02, 0.18, 0.80], "no": [0.30, 0.30, 0.40]}
    a = np.linspace(0.0, 1.0, 1_000_001)

    def chance(row: float, q: float) -> Floats:
        return 0.75 * ((1 - a) * row + a * q) + 0.25 * q

    gain = 3 * np.log(chance(0.30, 0.16) / chance(0.02, 0.16)) + 9 * np.log(chance(0.40, 0.6) / chance(0.80, 0.6))
    lead = gain - gain.min() - 1e-5
    lost = np.flatnonzero(lead < 0)
    stretch = a[lost[[0, -1]]]
    assert stretch[1] - stretch[0] < 0.01 and lead[0] > 0.1 and lead[-1] > 0.1
    assert math.floor(24 * stretch[0]) == math.floor(24 * stretch[1])

    ratio = math.exp(-gain.min() - 1e-5)
    x = 0.5 * (ratio - 1) / (0.875 - 0.125 * ratio)
    start = STATE | {"likelihoods": {"yes": [0.5, 0.5], "no": [0.5 - x, 0.5 + x]}}
    signs: Plain = {"kind": "state", "states": ["low", "middle", "high"], "likelihoods": rows}
    study = study_of(signs, start, scenarios=[{"id": "yes"}, {"id": "no"}])
    reports = [said(n, "low" if n < 3 else "high") for n in range(12)] + [said(0, indicator="signs-1")]
    outlook = outlook_of(study, reports, [], OPENS + timedelta(days=20))
    assert flips(outlook)["signs-0"] == pytest.approx(stretch[0], abs=1.1e-6)


def test_the_case_holds_without_any_one_indicator() -> None:
    """Statute leads in the case on Japan however soft the rows of one indicator are made."""
    found = flips(japan_sar(date(2026, 6, 7)))
    assert set(found.values()) == {None}
