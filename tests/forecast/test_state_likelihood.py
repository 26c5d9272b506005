"""The walk for many draws against the walk at the stated values; reports left out against working it all out anew."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from forecast.change import Change
from forecast.likelihood import family_order
from forecast.outlook import Outlook
from forecast.state_likelihood import StateLikelihood
from tests.forecast.build import outlook_of
from tests.strategies import random_case

DRAWS = 3


def drawn(outlook: Outlook) -> dict[str, StateLikelihood]:
    """Every indicator's likelihood in draws that are all the stated values."""
    copies: dict[str, StateLikelihood] = {}
    for indicator_id in family_order(outlook.study):
        likelihood = outlook.likelihoods[indicator_id]
        assert isinstance(likelihood, StateLikelihood)
        model = likelihood.model
        rows, prior, rho = (
            np.repeat(given[None], DRAWS, axis=0) for given in (model.rows, model.prior, likelihood.rho)
        )
        given = getattr(outlook.study.by_id[indicator_id], "given", None)
        parent = copies[given] if given else None
        copies[indicator_id] = replace(likelihood, model=replace(model, rows=rows, prior=prior), rho=rho, parent=parent)
    return copies


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_draws_of_the_stated_values_are_the_stated_run(first: int) -> None:
    """Contributions and beliefs, with late reports, copies and chains of `given`."""
    for seed in range(first, first + 20):
        outlook = outlook_of(*random_case(random.Random(seed), kinds=["state"], n_reports=25))
        for indicator_id, many in drawn(outlook).items():
            stated = outlook.likelihoods[indicator_id]
            assert isinstance(stated, StateLikelihood)
            days = np.arange(outlook.length)
            for draw in range(DRAWS):
                np.testing.assert_allclose(many.contributions[draw], stated.contributions, rtol=0, atol=1e-11)
                np.testing.assert_allclose(many.belief_on(days)[draw], stated.belief_on(days), rtol=0, atol=1e-11)


def test_an_event_with_hundreds_of_reports_is_finite_in_draws() -> None:
    """Their chances multiply far below the smallest double."""
    study, _, _, as_of = random_case(random.Random(5), kinds=["state"], n_indicators=1, days=30)
    indicator = study["indicators"][0]
    report = {"indicator": indicator["id"], "observed": as_of.isoformat(), "grade": "B2", "event": "one"}
    reports = [report | {"state": indicator["states"][n % 2], "origin": f"o{n}"} for n in range(800)]
    outlook = outlook_of(study, reports, [], as_of)
    many, stated = drawn(outlook)[indicator["id"]], outlook.likelihoods[indicator["id"]]
    np.testing.assert_allclose(many.contributions[0], stated.contributions, rtol=0, atol=1e-9)


def assert_same_change(found: Change, wanted: Change, length: int) -> None:
    """Each worked out to 1e-12 on every day."""
    courses = np.zeros((2, length, wanted.added.shape[1]))
    for course, change in zip(courses, (found, wanted), strict=True):
        course[change.days] += change.added
    np.testing.assert_allclose(courses[0], courses[1], rtol=0, atol=1e-12)


def state_likelihoods(outlook: Outlook) -> list[StateLikelihood]:
    return [given for given in outlook.likelihoods.values() if isinstance(given, StateLikelihood)]


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_leaving_each_report_out_is_working_it_all_out_again(first: int) -> None:
    """Reports that are alone, that share an event, copies and late ones; with and without a persistence."""
    for seed in range(first, first + 20):
        outlook = outlook_of(*random_case(random.Random(seed), kinds=["state"], n_indicators=2, n_reports=40))
        for likelihood in state_likelihoods(outlook):
            changes = likelihood.changes_without()
            assert len(changes) == len(likelihood.reports)
            for position, change in enumerate(changes):
                assert_same_change(change, likelihood.change_to(likelihood.without(position)), outlook.length)


@pytest.mark.parametrize("persistence", ["90 d", "5 d", None])
def test_leaving_out_each_of_many_reports_that_lean_on_each_other(persistence: str | None) -> None:
    """So many that they are taken in several lots, and each is back on the course long before the last."""
    study, _, _, as_of = random_case(random.Random(5), kinds=["state"], n_indicators=1, days=60)
    indicator = study["indicators"][0]
    indicator.pop("persistence", None)
    indicator |= {"persistence": persistence} if persistence else {}
    rng = random.Random(11)
    reports = [
        {
            "indicator": indicator["id"],
            "observed": (as_of - timedelta(days=rng.randint(0, 60))).isoformat(),
            "state": rng.choice(indicator["states"]),
            "grade": rng.choice(["A1", "B2", "C3", "F6"]),
        }
        for _ in range(3_000)
    ]
    outlook = outlook_of(study, reports, [], as_of)
    (likelihood,) = state_likelihoods(outlook)
    changes = likelihood.changes_without()
    for position in [*range(0, 3_000, 199), 2_998, 2_999]:
        assert_same_change(changes[position], likelihood.change_to(likelihood.without(position)), outlook.length)


def test_a_copy_that_never_counts_changes_nothing_when_left_out() -> None:
    """Of one origin the best report counts, the earliest on a tie; here that one has a twin, which takes its place."""
    study, _, _, as_of = random_case(random.Random(5), kinds=["state"], n_indicators=1, days=30)
    indicator = study["indicators"][0]
    report = {"indicator": indicator["id"], "observed": as_of.isoformat(), "state": indicator["states"][0]}
    grades = ["B2", "B2", "C3", "A1", "A1", "B2"]
    outlook = outlook_of(study, [report | {"grade": grade, "origin": "wire"} for grade in grades], [], as_of)
    (likelihood,) = state_likelihoods(outlook)
    changes = list(likelihood.changes_without())
    assert [len(change.days) for change in changes] == [0, 0, 0, 0, 0, 0]
    assert_same_change(changes[3], likelihood.change_to(likelihood.without(3)), outlook.length)
