"""The warning fires for indicators that share their happenings, and keeps quiet for those that do not."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

from forecast.dependence import dependences
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
