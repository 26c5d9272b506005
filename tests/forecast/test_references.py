"""Posteriors against tools that others wrote: pyagrum's networks and hmmlearn's forward and backward passes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.references import hmm_smoothed, network, pyagrum_posterior
from benchmarks.studies import Case, Size, drawn
from forecast.outlook import Outlook
from forecast.probability import Floats
from forecast.state_likelihood import _Pass

TOLERANCE = 1e-9
SIZES = [
    Size("three", scenarios=3, indicators=4, states=3, reports=60, days=90, draws=1),
    Size("five", scenarios=5, indicators=6, states=2, reports=120, days=40, draws=1),
]


@pytest.fixture(params=SIZES, ids=lambda size: size.name)
def case(request: pytest.FixtureRequest) -> Case:
    return drawn(request.param)


def memoryless(case: Case) -> Case:
    """Every event a new draw."""
    return replace(case, persistence=np.zeros_like(case.persistence))


def test_the_static_posterior_is_the_network_s(case: Case) -> None:
    """Half of the indicators keep their state: the scenario is a parent of every link of their chains."""
    outlook = case.outlook(drift=False)
    found = pyagrum_posterior(*network(case, drift=False))
    np.testing.assert_allclose(outlook.final, found, rtol=0, atol=TOLERANCE)
    assert abs(outlook.final - case.prior).max() > 0.01


def test_the_drifting_posterior_is_the_network_s(case: Case) -> None:
    """A node for the scenario on every day."""
    case = memoryless(case)
    found = pyagrum_posterior(*network(case, drift=True))
    np.testing.assert_allclose(case.outlook().final, found, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("day", [0, 7, 38])
def test_the_drifting_posterior_of_an_earlier_day(case: Case, day: int) -> None:
    """The network that ends on that day, as the timeline has it."""
    early = memoryless(case)
    early = replace(
        early, size=replace(case.size, days=day + 1), reports=case.reports[case.reports["day"] <= day].copy()
    )
    found = pyagrum_posterior(*network(early, drift=True))
    np.testing.assert_allclose(memoryless(case).outlook().course[day], found, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("drift", [True, False])
def test_filter_and_smoother_are_hmmlearn_s(case: Case, drift: bool) -> None:
    """Smoothed on every day; and on the last day of every prefix, where that is the filter."""
    outlook = case.outlook(drift=drift)
    prior, stay, daily = outlook.study.prior, outlook.study.daily_stay, outlook.daily
    np.testing.assert_allclose(outlook.smoothed_course, hmm_smoothed(prior, stay, daily), rtol=0, atol=TOLERANCE)
    filtered = [hmm_smoothed(prior, stay, daily[: day + 1])[-1] for day in range(len(daily))]
    np.testing.assert_allclose(outlook.course, filtered, rtol=0, atol=TOLERANCE)


def test_one_more_report_works_out_its_own_indicator_alone(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all likelihoods, the walk through the reports is taken for one."""
    outlook = case.outlook()
    assert len(outlook.course)
    walked: list[_Pass] = []
    run = _Pass.run

    def counted(walk: _Pass) -> object:
        walked.append(walk)
        return run(walk)

    monkeypatch.setattr(_Pass, "run", counted)
    last = max((live for lives in case.log.reports.values() for live in lives), key=lambda live: live.seq)
    after = outlook.with_report(last._replace(entry="one-more", seq=last.seq + 1))
    assert len(after.course) == len(after.smoothed_course)
    own = after.likelihoods[last.report.indicator]
    assert [len(walk.event) for walk in walked] == [len(own.reports)]
    whole = Outlook(after.study, after.log, after.as_of)
    np.testing.assert_allclose(after.course, whole.course, rtol=0, atol=1e-14)
    assert len(walked) == 1 + case.size.indicators


def left_out_by_hand(outlook: Outlook) -> list[Floats]:
    """The last day's probabilities without each report, from an outlook of its own."""
    found = []
    for item in outlook.report_contributions:
        name = item.live.report.indicator
        rest = {**outlook.log.reports, name: [live for live in outlook.log.reports[name] if live is not item.live]}
        found.append(Outlook(outlook.study, replace(outlook.log, reports=rest), outlook.as_of).final)
    return found


@pytest.mark.parametrize("drift", [True, False])
def test_every_report_left_out_is_an_outlook_without_it(case: Case, drift: bool) -> None:
    """States that last for a while and long runs of reports: told side by side, or one by one."""
    long = drawn(replace(case.size, indicators=2, reports=150, days=400))
    outlook = long.outlook(drift=drift)
    changes = [item.change for item in outlook.report_contributions]
    expected = outlook.final - np.array(left_out_by_hand(outlook))
    np.testing.assert_allclose(changes, expected, rtol=0, atol=1e-10)
