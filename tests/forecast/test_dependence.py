"""The warning fires for indicators that share their happenings, and keeps quiet for those that do not."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.dependence import dependences, pairs_of_days
from tests.forecast.build import outlook_of

OPENS = date(2025, 1, 1)
ROWS = {"yes": [0.3, 0.7], "no": [0.6, 0.4]}


def study(*, given: bool = False) -> dict[str, Any]:
    """Two state indicators, independent given the scenario or one given by the other."""
    second: dict[str, Any] = {"id": "second", "kind": "state", "states": ["low", "high"], "likelihoods": ROWS}
    if given:
        nested = {scenario: {"low": [0.8, 0.2], "high": [0.2, 0.8]} for scenario in ROWS}
        second |= {"given": "first", "likelihoods": nested}
    first = {"id": "first", "kind": "state", "states": ["low", "high"], "likelihoods": ROWS, "persistence": "5 d"}
    return {
        "study": "pair",
        "opens": OPENS.isoformat(),
        "horizon": "2027-01-01",
        "scenarios": [{"id": "yes"}, {"id": "no"}],
        "indicators": [first, second],
    }


def log(rng: random.Random, *, copied: bool, events: int = 30) -> list[dict[str, Any]]:
    """Events a fortnight apart under the first scenario; the second indicator repeats the first, or draws its own."""
    reports = []
    for n in range(events):
        day = (OPENS + timedelta(days=14 * n)).isoformat()
        first = rng.choices(["low", "high"], ROWS["yes"])[0]
        second = first if copied else rng.choices(["low", "high"], ROWS["yes"])[0]
        reports += [
            {"indicator": "first", "observed": day, "state": first, "grade": "A1"},
            {"indicator": "second", "observed": day, "state": second, "grade": "A1"},
        ]
    return reports


def test_copies_of_the_same_happenings_are_named_with_the_figure() -> None:
    outlook = outlook_of(study(), log(random.Random(1), copied=True), [], OPENS + timedelta(days=430))
    (found,) = dependences(outlook)
    assert (found.first, found.second, found.pairs) == ("first", "second", 30)
    assert found.together > 0.7
    assert '"first" and "second" move together (+' in str(found)


def test_independent_indicators_are_seldom_accused() -> None:
    """At a chance of 1 in 100, a hundred studies accuse a handful at most."""
    accused = 0
    for seed in range(100):
        outlook = outlook_of(study(), log(random.Random(seed), copied=False), [], OPENS + timedelta(days=430))
        accused += bool(dependences(outlook))
    assert accused <= 5


def test_a_declared_dependence_is_not_accused() -> None:
    outlook = outlook_of(study(given=True), log(random.Random(1), copied=True), [], OPENS + timedelta(days=430))
    assert dependences(outlook) == []


def test_a_handful_of_pairs_is_not_judged() -> None:
    outlook = outlook_of(study(), log(random.Random(1), copied=True, events=7), [], OPENS + timedelta(days=430))
    assert dependences(outlook) == []


def pairs_one_by_one(first: list[int], second: list[int]) -> tuple[list[int], list[int]]:
    """Each of the first takes the nearest within a week that is left of the second."""
    here: list[int] = []
    there: list[int] = []
    for position, day in enumerate(first):
        near = [j for j, other in enumerate(second) if abs(other - day) <= 7 and j not in there]
        if near:
            here.append(position)
            there.append(min(near, key=lambda j: abs(second[j] - day)))
    return here, there


DAYS = st.lists(st.integers(0, 60), max_size=30).map(sorted)


@given(DAYS, DAYS)
def test_events_are_paired_with_the_nearest_that_is_left(first: list[int], second: list[int]) -> None:
    found = pairs_of_days(np.array(first, dtype=np.int64), np.array(second, dtype=np.int64))
    assert found == pairs_one_by_one(first, second)


# How seldom it accuses, and what it can see

RARE = {"yes": [0.95, 0.05], "no": [0.9, 0.1]}
THREE = {"yes": [0.6, 0.3, 0.1], "no": [0.2, 0.5, 0.3]}


def several(rows: dict[str, list[float]], count: int) -> dict[str, Any]:
    """Indicators with the same rows, which last for a while, independent given the scenario."""
    states = ["low", "middle", "high"][: len(rows["yes"])]
    indicators = [
        {"id": f"sign-{j}", "kind": "state", "states": states, "likelihoods": rows, "persistence": "5 d"}
        for j in range(count)
    ]
    return study() | {"indicators": indicators, "horizon": "2029-01-01"}


def several_logs(
    rng: random.Random, rows: dict[str, list[float]], count: int, *, events: int, shared: float = 0.0, grade: str = "A1"
) -> list[dict[str, Any]]:
    """Events a fortnight apart; the second indicator repeats the first in a share of them."""
    truth = rng.choice(["yes", "no"])
    states = ["low", "middle", "high"][: len(rows[truth])]
    reports = []
    for n in range(events):
        said = [rng.choices(states, rows[truth])[0] for _ in range(count)]
        if rng.random() < shared:
            said[1] = said[0]
        day = (OPENS + timedelta(days=14 * n)).isoformat()
        reports += [
            {"indicator": f"sign-{j}", "observed": day, "state": state, "grade": grade} for j, state in enumerate(said)
        ]
    return reports


def warnings(rows: dict[str, list[float]], count: int, *, runs: int, events: int, **more: Any) -> list[list[str]]:
    """The names that each run's warnings name."""
    found = []
    for seed in range(runs):
        reports = several_logs(random.Random(seed), rows, count, events=events, **more)
        outlook = outlook_of(several(rows, count), reports, [], OPENS + timedelta(days=14 * events))
        found.append([name for item in dependences(outlook) for name in (item.first, item.second)])
    return found


@pytest.mark.parametrize(
    ("rows", "count", "events", "runs"),
    [(RARE, 2, 30, 150), (RARE, 6, 10, 80), (RARE, 6, 30, 40), (ROWS, 6, 30, 40), (THREE, 4, 20, 60)],
    ids=["two rare", "six rare, few events", "six rare", "six even", "four of three states"],
)
def test_rare_states_that_meet_by_chance_are_not_accused(
    rows: dict[str, list[float]], count: int, events: int, runs: int
) -> None:
    """At 1 in 100 by design: five or more of 150 would be chance in 2 of 100 cases, four of 60 in less than 1.

    Two rare states on one day are a product of nineteen standard deviations squared; taken for a normal number they
    accused one study in three.
    """
    accused = sum(bool(names) for names in warnings(rows, count, runs=runs, events=events))
    assert accused <= 1 + 0.03 * runs


@pytest.mark.parametrize(
    ("rows", "shared", "share"), [(ROWS, 1.0, 0.95), (RARE, 1.0, 0.6), (THREE, 1.0, 0.95), (ROWS, 0.75, 0.6)]
)
def test_what_shares_its_happenings_is_named_among_others(
    rows: dict[str, list[float]], shared: float, share: float
) -> None:
    """Four indicators of which the second repeats the first, in sixty events: both are named, and seldom another."""
    found = warnings(rows, 4, runs=25, events=60, shared=shared)
    assert sum(names[:2] == ["sign-0", "sign-1"] for names in found) >= share * len(found)
    assert sum(len(names) > 2 for names in found) <= 2


def test_the_figure_is_the_mean_product_of_departures_by_hand() -> None:
    """One scenario all but certain, states drawn anew, reports beyond doubt: a correlation against the rows."""
    plain = study() | {"scenarios": [{"id": "yes", "prior": 1 - 1e-9}, {"id": "no", "prior": 1e-9}]}
    plain["grades"] = {"A": 1 - 1e-12, "1": 1 - 1e-12}
    outlook = outlook_of(plain, log(random.Random(4), copied=True), [], OPENS + timedelta(days=430))
    (found,) = dependences(outlook)
    ups = sum(live.report.state == "high" for live in outlook.log.reports["first"])
    # A state of chance 0.7 departs by 0.3 / sqrt(0.21), the other by -0.7 / sqrt(0.21); a fortnight is forgotten.
    by_hand = (ups * 0.3**2 + (30 - ups) * 0.7**2) / 0.21 / 30
    assert found.together == pytest.approx(by_hand, rel=0.1)
