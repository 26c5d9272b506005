"""The walk for many draws at once against the walk at the stated values."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

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
