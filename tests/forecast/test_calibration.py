"""Simulation-based calibration: of what is given p, a share p comes true, in worlds drawn from what the study says.

What has to be uniform, and why. Let a world be drawn from the study (its rows from their stated uncertainty, the truth
from the prior, the reports from those rows with the weight of their grade), and let P be the exact distribution of the
truth given the reports. Put the scenarios in a row; the rank of the truth, u = sum of P(k) over those before it plus V
P(truth) with V uniform in [0, 1], is then uniform in [0, 1], whatever the reports. Three claims of the engine are exact
in this sense, and each is tested with its u:

1. Rows known. The study states the very rows that were drawn: the headline is the exact posterior, for any number of
   reports, with persistence, `given`, drift, silence and spans.
2. Rows unknown, one report an indicator. A report's likelihood is linear in the row and in the weight, so the mean of
   the row, which the study states, is all that counts: the headline is exact though the rows are not known.
3. Rows unknown, many reports. The headline takes its rows for known, and is then more sure than it ought to be: not
   uniform, and not claimed to be. The draws behind the bands are exact: a mixture of them, each weighted by the
   probability it gave to the reports, is the posterior over everything unknown. It is worked out here from the engine's
   own draws and likelihoods, and its u is uniform.

Each is one test of Kolmogorov and Smirnov at a fixed seed, failed below p = 0.001: of a thousand seeds one accuses an
engine without fault. Beside it stands the same test of a world that is drawn with a fault, which has to fail it.
"""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import kstest

from forecast.draws import drawn_likelihoods, drawn_prior
from forecast.outlook import Outlook
from forecast.probability import normalised
from forecast.study import Study
from tests.forecast.build import outlook_of, outlook_of_study

Plain = dict[str, Any]
Floats = NDArray[np.float64]

OPENS = date(2025, 1, 1)
IDS = ["calm", "talks", "pressure"]
PRIOR = np.array([0.5, 0.3, 0.2])
STATES = ["low", "middle", "high"]
ROWS = np.array([[0.70, 0.20, 0.10], [0.25, 0.50, 0.25], [0.10, 0.30, 0.60]])
SIZE = 20.0
RHO = {"A1": 0.99, "B2": 0.75, "C3": 0.5, "F6": 0.5, "D3": math.sqrt(0.125)}
FAILED_BELOW = 1e-3


def study_of(indicators: list[Plain], **more: Any) -> Plain:
    scenarios = [{"id": k, "prior": float(p)} for k, p in zip(IDS, PRIOR, strict=True)]
    horizon = (OPENS + timedelta(days=400)).isoformat()
    shared = {"study": "worlds", "opens": OPENS.isoformat(), "horizon": horizon, "scenarios": scenarios}
    return shared | {"indicators": indicators, **more}


def state_indicator(name: str, rows: Floats, **more: Any) -> Plain:
    table = {k: row.tolist() for k, row in zip(IDS, rows, strict=True)}
    return {"id": name, "kind": "state", "states": STATES, "likelihoods": table, **more}


def on(day: int) -> str:
    return (OPENS + timedelta(days=day)).isoformat()


def rank(p: Floats, truth: int, rng: np.random.Generator) -> float:
    """Where the truth stands among the scenarios, at random within its own share."""
    return float(p[:truth].sum() + rng.random() * p[truth])


def assert_uniform(ranks: list[float]) -> None:
    assert kstest(ranks, "uniform").pvalue > FAILED_BELOW


def is_uniform(ranks: list[float]) -> bool:
    return bool(kstest(ranks, "uniform").pvalue > FAILED_BELOW)


class World:
    """A course of scenarios over the days, and what is reported of it."""

    def __init__(self, rng: np.random.Generator, *, days: int, half_life: float | None) -> None:
        self.rng, self.days = rng, days
        self.course = [int(rng.choice(3, p=PRIOR))]
        for _ in range(days):
            anew = half_life is not None and rng.random() > 0.5 ** (1 / half_life)
            self.course.append(int(rng.choice(3, p=PRIOR)) if anew else self.course[-1])
        self.reports: list[Plain] = []

    @property
    def truth(self) -> int:
        return self.course[-1]

    def look_days(self, number: int) -> list[int]:
        found: list[int] = sorted(self.rng.choice(self.days, number, replace=False).tolist())
        return found

    def report(self, name: str, day: int, grade: str, **said: Any) -> None:
        self.reports.append({"indicator": name, "observed": on(day), "grade": grade, **said})

    def state(self, name: str, day: int, grade: str, true: int, uninformed: Floats) -> None:
        """A report that is right by chance rho, and else says what such reports say anyway."""
        right = self.rng.random() < RHO[grade]
        named = true if right else int(self.rng.choice(3, p=uninformed / uninformed.sum()))
        self.report(name, day, grade, state=STATES[named])


def lasting(world: World, name: str, rows: Floats, *, number: int, persistence: float) -> None:
    """Looks at a state that lasts; without drift of the scenario or with, it is drawn anew from the row of its day."""
    true, last, q = -1, 0, PRIOR @ rows
    for day in world.look_days(number):
        if true < 0 or world.rng.random() > math.exp(-(day - last) / persistence):
            true = int(world.rng.choice(3, p=rows[world.course[day]]))
        last = day
        world.state(name, day, str(world.rng.choice(list(RHO))), true, q)


def calm_rows(rng: np.random.Generator, size: float = SIZE) -> Floats:
    """Rows ~ Dirichlet(n L), at least 1e-6 of each as a file allows."""
    rows = np.array([rng.dirichlet(size * row) for row in ROWS]) + 1e-6
    drawn: Floats = rows / rows.sum(axis=1, keepdims=True)
    return drawn


# 1. Rows known


def states_known(rng: np.random.Generator) -> tuple[Outlook, int]:
    """Two indicators that last, of one truth, without drift."""
    world = World(rng, days=120, half_life=None)
    rows = [calm_rows(rng), calm_rows(rng)]
    for name, own in zip(("one", "two"), rows, strict=True):
        lasting(world, name, own, number=6, persistence=30.0)
    indicators = [state_indicator(n, own, persistence="30 d") for n, own in zip(("one", "two"), rows, strict=True)]
    return outlook_of(study_of(indicators), world.reports, [], OPENS + timedelta(days=120)), world.truth


def drift_known(rng: np.random.Generator) -> tuple[Outlook, int]:
    """States drawn anew for each event, and a truth that changes."""
    world, rows = World(rng, days=120, half_life=60.0), calm_rows(rng)
    for day in world.look_days(10):
        true = int(rng.choice(3, p=rows[world.course[day]]))
        world.state("one", day, str(rng.choice(list(RHO))), true, PRIOR @ rows)
    study = study_of([state_indicator("one", rows)], drift={"half_life": "60 d"})
    return outlook_of(study, world.reports, [], OPENS + timedelta(days=120)), world.truth


def given_known(rng: np.random.Generator) -> tuple[Outlook, int]:
    """A parent that lasts and is reported beyond doubt, and an indicator whose rows are given by its state."""
    world, rows = World(rng, days=100, half_life=None), calm_rows(rng)
    nested = np.array([[rng.dirichlet(SIZE * np.roll(ROWS[k], u)) + 1e-6 for u in range(3)] for k in range(3)])
    nested /= nested.sum(axis=-1, keepdims=True)
    q, true, last = PRIOR @ nested.mean(axis=1), -1, 0
    for day in world.look_days(5):
        if true < 0 or rng.random() > math.exp(-(day - last) / 30.0):
            true = int(rng.choice(3, p=rows[world.truth]))
        last = day
        world.report("one", day, "A1", state=STATES[true])
        world.state("two", day, "B2", int(rng.choice(3, p=nested[world.truth, true])), q)
    table = {
        k: {u: row.tolist() for u, row in zip(STATES, by_state, strict=True)}
        for k, by_state in zip(IDS, nested, strict=True)
    }
    second = {"id": "two", "kind": "state", "states": STATES, "given": "one", "likelihoods": table}
    certain = {"A": 1 - 1e-9, "1": 1 - 1e-9}
    study = study_of([state_indicator("one", rows, persistence="30 d"), second], grades=certain)
    return outlook_of(study, world.reports, [], OPENS + timedelta(days=100)), world.truth


def numbers_known(rng: np.random.Generator) -> tuple[Outlook, int]:
    """Readings that last, counts over spans in doubt, events and quiet days beyond doubt, a milestone."""
    world = World(rng, days=300, half_life=None)
    means = np.array([50.0, 55.0, 60.0]) + rng.normal(0, 6 / math.sqrt(SIZE), 3)
    calls, treaty = (
        rates * rng.gamma(SIZE, 1 / SIZE, 3) for rates in (np.array([2.0, 4.0, 7.0]), np.array([0.3, 1.0, 2.0]))
    )
    last: tuple[int, float] | None = None
    for day in world.look_days(4):
        mean, sd = means[world.truth], 6.0
        if last:
            phi = math.exp(-(day - last[0]) / 60.0)
            mean, sd = mean + phi * (last[1] - mean), sd * math.sqrt(1 - phi**2)
        y = float(rng.normal(mean, sd))
        if rng.random() > RHO["B2"]:
            y = float(rng.normal(means[rng.choice(3, p=PRIOR)], 6.0))
        world.report("poll", day, "B2", value=y)
        last = day, y
    for first in (0, 100):
        of = world.truth if rng.random() < RHO["C3"] else int(rng.choice(3, p=PRIOR))
        span = {"from": on(first), "to": on(first + 59), "count": int(rng.poisson(calls[of] * 60 / 365.25))}
        world.reports.append({"indicator": "calls", "grade": "C3", **span})
    for day in range(200, 260):
        for _ in range(int(rng.poisson(calls[world.truth] / 365.25))):
            world.report("calls", day, "A1")
    happened = int(rng.exponential(365.25 / treaty[world.truth]))
    if happened <= world.days:
        world.report("treaty", happened, "A1")
    coverage = [{"indicator": "calls", "from": on(200), "to": on(259)}]
    values = {k: {"mean": m, "sd": 6.0} for k, m in zip(IDS, means.tolist(), strict=True)}
    by_id = [dict(zip(IDS, rates.tolist(), strict=True)) for rates in (calls, treaty)]
    indicators: list[Plain] = [
        {"id": "poll", "kind": "measure", "values": values, "persistence": "60 d"},
        {"id": "calls", "kind": "count", "rates": by_id[0]},
        {"id": "treaty", "kind": "milestone", "rates": by_id[1], "silence": "always"},
    ]
    study = study_of(indicators, grades={"A": 1 - 1e-9, "1": 1 - 1e-9})
    return outlook_of(study, world.reports, coverage, OPENS + timedelta(days=world.days)), world.truth


@pytest.mark.parametrize(
    ("world", "runs"), [(states_known, 500), (drift_known, 500), (given_known, 300), (numbers_known, 400)]
)
def test_with_rows_known_the_headline_is_calibrated(world: Any, runs: int) -> None:
    rng = np.random.default_rng(20250422)
    drawn = [world(rng) for _ in range(runs)]
    assert_uniform([rank(outlook.final, truth, rng) for outlook, truth in drawn])
    # It says something too: the truth is given far more than its prior share, on average.
    assert np.mean([outlook.final[truth] for outlook, truth in drawn]) > float(PRIOR @ PRIOR) + 0.1


# 2. Rows unknown, one report an indicator

NAMES = [f"sign-{n}" for n in range(5)]
ONCE = Study.model_validate(study_of([state_indicator(name, ROWS, confidence=SIZE) for name in NAMES]))


def world_of_one_report_each(rng: np.random.Generator, rho: dict[str, float]) -> tuple[Outlook, int]:
    truth, reports = int(rng.choice(3, p=PRIOR)), []
    for name in NAMES:
        rows, grade = calm_rows(rng), str(rng.choice(list(RHO)))
        size = 2.0 if grade == "F6" else 20.0
        right = rng.random() < rng.beta(size * rho[grade], size * (1 - rho[grade]))
        named = int(rng.choice(3, p=rows[truth] if right else PRIOR @ rows))
        reports.append({"indicator": name, "observed": on(5), "grade": grade, "state": STATES[named]})
    return outlook_of_study(ONCE, reports, [], OPENS + timedelta(days=9)), truth


def test_with_rows_unknown_one_report_each_is_calibrated_by_the_headline() -> None:
    """The rows and the weights are drawn from their stated uncertainty, and nobody tells the engine which."""
    rng = np.random.default_rng(7)
    drawn = [world_of_one_report_each(rng, RHO) for _ in range(1_500)]
    assert_uniform([rank(outlook.final, truth, rng) for outlook, truth in drawn])


def test_worlds_with_worse_reports_than_their_grades_say_are_found_out() -> None:
    """The test can tell: weights of a third of what is stated."""
    rng = np.random.default_rng(7)
    weak = {grade: rho / 3 for grade, rho in RHO.items()}
    drawn = [world_of_one_report_each(rng, weak) for _ in range(700)]
    assert not is_uniform([rank(outlook.final, truth, rng) for outlook, truth in drawn])


# 3. Rows unknown, many reports

MANY = Study.model_validate(
    study_of([state_indicator(name, ROWS, confidence="low") for name in ("one", "two")], prior_confidence=10)
)
DRAWS, REPORTS = 2_000, 6


def world_of_many_reports(rng: np.random.Generator, size: float) -> tuple[Outlook, int]:
    """Everything unknown: the prior, the rows, and the weight of each report."""
    prior = rng.dirichlet(10 * PRIOR)
    truth, reports = int(rng.choice(3, p=prior)), []
    for name in ("one", "two"):
        rows = calm_rows(rng, size)
        for day in range(REPORTS):
            right = rng.random() < rng.beta(20 * RHO["B2"], 20 * (1 - RHO["B2"]))
            named = int(rng.choice(3, p=rows[truth] if right else prior @ rows))
            reports.append({"indicator": name, "observed": on(day), "grade": "B2", "state": STATES[named]})
    return outlook_of_study(MANY, reports, [], OPENS + timedelta(days=9)), truth


def mixture(outlook: Outlook, seed: int) -> Floats:
    """The posterior over all that is unknown: the engine's draws, each by the probability it gave to the reports."""
    prior = drawn_prior(MANY, seed=seed, draws=DRAWS)
    drawn = drawn_likelihoods(MANY, outlook.likelihoods, prior, seed=seed)
    weights = np.log(prior) + sum(likelihood.contributions.sum(axis=1) for _, likelihood in drawn)
    posterior: Floats = normalised(weights.ravel()).reshape(weights.shape).sum(axis=0)
    return posterior


def test_with_rows_unknown_the_weighted_draws_are_calibrated() -> None:
    """And the headline, which takes the stated rows for known, is not; at a confidence of 4 it is far too sure."""
    rng = np.random.default_rng(11)
    drawn = [world_of_many_reports(rng, 4.0) for _ in range(600)]
    posteriors = [mixture(outlook, seed) for seed, (outlook, _) in enumerate(drawn)]
    truths = np.array([truth for _, truth in drawn])
    assert_uniform([rank(p, truth, rng) for p, truth in zip(posteriors, truths, strict=True)])
    # The test can tell: one truth of five is another scenario than the reports are of.
    other = np.where(rng.random(len(truths)) < 0.2, (truths + 1) % 3, truths)
    assert not is_uniform([rank(p, truth, rng) for p, truth in zip(posteriors, other, strict=True)])
    scores = [-np.log(np.array(ps)[np.arange(len(truths)), truths]).mean()
              for ps in (posteriors, [outlook.final for outlook, _ in drawn])]  # fmt: skip
    assert scores[0] < scores[1]
    claimed = [np.max(ps, axis=1).mean() for ps in (posteriors, [outlook.final for outlook, _ in drawn])]
    right = [(np.argmax(ps, axis=1) == truths).mean() for ps in (posteriors, [outlook.final for outlook, _ in drawn])]
    error = math.sqrt(0.25 / len(truths))
    assert claimed[0] == pytest.approx(right[0], abs=4 * error)
    assert claimed[1] > right[1] + error
