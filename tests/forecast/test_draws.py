"""The bands against a second sampler, written plainly and with a generator of its own; and what no draw may change.

The sampler draws with numpy's own Dirichlet and Gamma, walks the reports one by one in their plain formulas (SPEC 4.3
to 4.5), and filters day by day. It takes a report to be an event of its own, and the study as plain data.
"""

from __future__ import annotations

import csv
import io
import json
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from forecast.baseline import Baselines, BaseRate, Fit, Residuals
from forecast.cli.main import run
from forecast.draws import drawn_likelihoods, drawn_prior
from forecast.outlook import Outlook
from forecast.study import Study
from indicators.days import DAYS_PER_YEAR
from tests.forecast.build import outlook_of, outlook_of_study
from tests.small import STUDY
from tests.strategies import random_case

Plain = dict[str, Any]
Floats = NDArray[np.float64]

OPENS = date(2025, 1, 1)
DAYS = 60
SIZES = {"low": 4.0, "medium": 20.0, "high": 100.0}
RHO = {"A1": 0.99, "B2": 0.75, "C3": 0.5, "F6": 0.5, "D3": math.sqrt(0.125), "A6": math.sqrt(0.495), "E1": 0.0}
STATES = ["low", "middle", "high"]
BASE = BaseRate(events=6, years=4.0)
LEVEL, LEVEL_VARIANCE, NOISE, STEP = 50.0, 1.5, 4.0, 0.2
"""Of a local level: its last filtered mean and variance a month before the study opens, and the variances a day."""

MOOD: Plain = {
    "id": "mood",
    "kind": "state",
    "states": STATES,
    "likelihoods": {"yes": [0.2, 0.3, 0.5], "no": [0.6, 0.3, 0.1], "late": [0.1, 0.8, 0.1]},
    "confidence": "low",
}
LASTING = MOOD | {"persistence": "30 d", "confidence": 12}
PRESS: Plain = {
    "id": "press",
    "kind": "state",
    "states": ["quiet", "loud"],
    "given": "mood",
    "persistence": "10 d",
    "likelihoods": {
        "yes": {"low": [0.7, 0.3], "middle": [0.4, 0.6], "high": [0.1, 0.9]},
        "no": {"low": [0.9, 0.1], "middle": [0.6, 0.4], "high": [0.5, 0.5]},
        "late": {"low": [0.3, 0.7], "middle": [0.8, 0.2], "high": [0.2, 0.8]},
    },
}
CALLS: Plain = {"id": "calls", "kind": "count", "rates": {"yes": 12.0, "no": 4.0, "late": 7.0}, "confidence": "low"}
DEAL: Plain = {"id": "deal", "kind": "milestone", "rates": {"yes": 3.0, "no": 0.5, "late": 1.0}, "silence": "always"}
POLL: Plain = {
    "id": "poll",
    "kind": "measure",
    "values": {"yes": {"mean": 60, "sd": 5}, "no": {"mean": 50, "sd": 5}, "late": {"mean": 55, "sd": 9}},
    "confidence": "low",
}
TALKS: Plain = {
    "id": "talks",
    "kind": "count",
    "baseline": {"history": "talks.csv", "from": "2020-01-01", "to": "2023-12-31"},
    "multipliers": {"yes": 3.0, "no": 0.7, "late": 1.0},
}
SURE: Plain = {"confidence": 1e6}
SURE_PRIOR: Plain = {"prior_confidence": 1e6}
PRICE: Plain = {
    "id": "price",
    "kind": "measure",
    "baseline": {"history": "price.csv", "model": "local-level"},
    "shifts": {"yes": 40.0, "no": -20.0, "late": 0.0},
}
FIT = Fit(
    model="local-level",
    last_day=OPENS - timedelta(days=30),
    points=40,
    parameters={"sigma2.irregular": NOISE, "sigma2.level": STEP},
    state=[LEVEL],
    covariance=[[LEVEL_VARIANCE]],
    log_likelihood=-80.0,
    residuals=Residuals(lags=1, statistic=0.1, p_value=0.7),
)


def study_of(*indicators: Plain, **more: Any) -> Plain:
    """Three scenarios and some indicators."""
    return {
        "study": "small",
        "opens": OPENS.isoformat(),
        "horizon": "2026-01-01",
        "scenarios": [{"id": "yes", "prior": 0.3}, {"id": "no", "prior": 0.5}, {"id": "late", "prior": 0.2}],
        "prior_confidence": 10,
        "indicators": list(indicators),
        **more,
    }


def said(indicator: str, day: int, grade: str = "B2", **more: Any) -> Plain:
    """A report of a day, counted from the first."""
    return {"indicator": indicator, "observed": (OPENS + timedelta(days=day)).isoformat(), "grade": grade, **more}


def covered(indicator: str, first: int, last: int, detect: float) -> Plain:
    span = {"from": OPENS + timedelta(days=first), "to": OPENS + timedelta(days=last)}
    return {"indicator": indicator, "detect": detect, **{name: day.isoformat() for name, day in span.items()}}


def outlook(study: Plain, reports: Sequence[Plain], coverage: Sequence[Plain] = (), **more: Any) -> Outlook:
    """The engine's, with what the histories would say."""
    model = Study.model_validate(study).with_baselines(Baselines(rates={"talks": BASE}, fits={"price": FIT}))
    return replace(outlook_of_study(model, reports, coverage, OPENS + timedelta(days=DAYS)), **more)


# The second sampler: arrays of M draws, one report after the other


class Sampler:
    """Draws of everything that was judged in a study, and the filter on them."""

    def __init__(self, study: Plain, rng: np.random.Generator, draws: int) -> None:
        self.study, self.rng, self.draws = study, rng, draws
        self.ids = [scenario["id"] for scenario in study["scenarios"]]
        self.stated_prior = np.array([scenario["prior"] for scenario in study["scenarios"]])
        self.prior = rng.dirichlet(self.size(study["prior_confidence"]) * self.stated_prior, draws)
        self.beliefs: dict[str, Callable[[int], Floats]] = {}

    def size(self, confidence: Any) -> float:
        return SIZES[confidence] if isinstance(confidence, str) else float(confidence)

    def rho(self, grade: str) -> Floats:
        """Beta of the grade's mean; one draw a report."""
        mean, size = RHO[grade], 2.0 if "F" in grade or "6" in grade else 20.0
        return self.rng.beta(mean * size, (1 - mean) * size, self.draws) if mean else np.zeros(self.draws)

    def course(self, reports: Sequence[Plain], coverage: Sequence[Plain]) -> Floats:
        """P(scenario) on each day in each draw, shape (T + 1, M, K)."""
        daily = np.zeros((DAYS + 1, self.draws, len(self.ids)))
        for indicator in self.study["indicators"]:
            own = [r for r in reports if r["indicator"] == indicator["id"]]
            own.sort(key=lambda report: str(report.get("observed", report.get("to"))))
            spans = [span for span in coverage if span["indicator"] == indicator["id"]]
            if indicator["kind"] in ("count", "milestone"):
                self.counts(indicator, own, spans, daily)
            elif indicator["kind"] == "state":
                self.states(indicator, own, daily)
            elif "baseline" in indicator:
                self.carried_on(indicator, own, daily)
            else:
                self.readings(indicator, own, daily)
        stay = 1.0
        if "drift" in self.study:
            stay = 0.5 ** (1.0 / float(self.study["drift"]["half_life"].split()[0]))
        course, before = np.empty_like(daily), self.prior
        for day in range(DAYS + 1):
            if day:
                before = stay * course[day - 1] + (1 - stay) * self.prior
            weights = before * np.exp(daily[day] - daily[day].max(axis=1, keepdims=True))
            course[day] = weights / weights.sum(axis=1, keepdims=True)
        return course

    def rows(self, indicator: Plain) -> Floats:
        """Rows ~ Dirichlet(n L), shape (M, K, U, S)."""
        size = self.size(indicator.get("confidence", "medium"))
        drawn = []
        for scenario in self.ids:
            table = indicator["likelihoods"][scenario]
            stated = list(table.values()) if isinstance(table, dict) else [table]
            drawn.append([self.rng.dirichlet(size * np.array(row), self.draws) for row in stated])
        return np.array(drawn).transpose(2, 0, 1, 3)

    def states(self, indicator: Plain, own: Sequence[Plain], daily: Floats) -> None:
        """The chain of true states, told event by event."""
        rows = self.rows(indicator)
        q = np.einsum("mk,mks->ms", self.prior, rows.mean(axis=2))
        lasting = float(indicator["persistence"].split()[0]) if "persistence" in indicator else None
        history: list[tuple[int, Floats]] = []

        def row(day: int) -> Floats:
            if "given" not in indicator:
                return rows[:, :, 0]
            return np.einsum("mku,mkus->mks", self.beliefs[indicator["given"]](day), rows)

        def carried(day: int) -> Floats:
            seen = [item for item in history if item[0] <= day]
            if not seen or lasting is None:
                return row(day)
            phi = math.exp(-(day - seen[-1][0]) / lasting)
            return phi * seen[-1][1] + (1 - phi) * row(day)

        for report in own:
            day, x = day_of(report), indicator["states"].index(report["state"])
            rho = self.rho(report["grade"])
            chance = np.repeat(((1 - rho) * q[:, x])[:, None], rows.shape[-1], axis=1)
            chance[:, x] += rho
            joint = carried(day) * chance[:, None, :]
            daily[day] += np.log(joint.sum(axis=2))
            history.append((day, joint / joint.sum(axis=2, keepdims=True)))
        self.beliefs[indicator["id"]] = carried

    def rates(self, indicator: Plain) -> Floats:
        """Rates ~ Gamma of shape n about the stated; a base rate is one draw for all scenarios. Shape (M, K)."""
        table = indicator["rates"] if "rates" in indicator else indicator["multipliers"]
        stated = np.array([float(table[k]) for k in self.ids])
        size = self.size(indicator.get("confidence", "medium"))
        rates = stated * self.rng.gamma(size, 1 / size, (self.draws, len(self.ids)))
        if "baseline" in indicator:
            rates *= self.rng.gamma(BASE.events + 0.5, 1 / BASE.years, (self.draws, 1))
        return rates

    def counts(self, indicator: Plain, own: Sequence[Plain], spans: Sequence[Plain], daily: Floats) -> None:
        """Events, spans and quiet days; the reports are given by day, or over a span, but not both on one day."""
        rates = self.rates(indicator)
        mean = (self.prior * rates).sum(axis=1, keepdims=True)
        exposed = np.full((DAYS + 1, self.draws), 1.0 if indicator.get("silence") == "always" else 0.0)
        for span in spans:
            first, last = (day_of({"observed": span[name]}) for name in ("from", "to"))
            exposed[first : min(last, DAYS) + 1] = span["detect"]
        for report in own:
            day, number, w = day_of(report), report.get("count", 1), self.rho(report["grade"])[:, None]
            if "from" in report:
                years = (day - day_of({"observed": report["from"]}) + 1) / DAYS_PER_YEAR
                poisson = np.exp(number * np.log(rates * years) - rates * years) / math.factorial(number)
                daily[day] += np.log(w * poisson + (1 - w) * (self.prior * poisson).sum(axis=1, keepdims=True))
                continue
            daily[day] += number * np.log(w * rates + (1 - w) * mean)
            if indicator.get("silence", "covered") == "covered" and not exposed[day].any():
                exposed[day] = 1.0
            if indicator["kind"] == "milestone":
                exposed[day + 1 :] *= 1 - w[:, 0]
        daily -= exposed[:, :, None] * rates / DAYS_PER_YEAR

    def readings(self, indicator: Plain, own: Sequence[Plain], daily: Floats) -> None:
        """Normal readings; each leans on the last of weight one half or more, by its stated grade."""
        size = self.size(indicator.get("confidence", "medium"))
        stated = np.array([indicator["values"][k]["mean"] for k in self.ids], dtype=float)
        sd = np.array([indicator["values"][k]["sd"] for k in self.ids], dtype=float)
        means = self.rng.normal(stated, sd / math.sqrt(size), (self.draws, len(self.ids)))
        last: tuple[int, float] | None = None
        for report in own:
            day, y, rho = day_of(report), report["value"], self.rho(report["grade"])[:, None]
            m, v = means, sd**2
            if last and "persistence" in indicator:
                phi = math.exp(-(day - last[0]) / float(indicator["persistence"].split()[0]))
                m, v = means + phi * (last[1] - means), sd**2 * (1 - phi**2)
            anyway = (self.prior * normal(y, means, sd**2)).sum(axis=1, keepdims=True)
            daily[day] += np.log(rho * normal(y, m, v) + (1 - rho) * anyway)
            if RHO[report["grade"]] >= 0.5:
                last = day, y

    def carried_on(self, indicator: Plain, own: Sequence[Plain], daily: Floats) -> None:
        """A local level carried on from a history, in each scenario less what it shifts; only weights are drawn."""
        shifts = np.array([indicator["shifts"][k] for k in self.ids])
        level, variance, at = np.full(len(self.ids), LEVEL), LEVEL_VARIANCE, -30
        for report in own:
            day, rho = day_of(report), self.rho(report["grade"])[:, None]
            variance, at = variance + STEP * (day - at), day
            y = report["value"] - shifts * day / DAYS_PER_YEAR
            informed = normal(y, level, variance + NOISE)
            anyway = (self.prior * informed).sum(axis=1, keepdims=True)
            daily[day] += np.log(rho * informed + (1 - rho) * anyway)
            if RHO[report["grade"]] >= 0.5:
                gain = variance / (variance + NOISE)
                level, variance = level + gain * (y - level), variance * (1 - gain)


def day_of(report: Mapping[str, Any]) -> int:
    return (date.fromisoformat(report.get("observed", report.get("to"))) - OPENS).days


def normal(y: Any, mean: Floats, variance: Any) -> Floats:
    density: Floats = np.exp(-((y - mean) ** 2) / (2 * variance)) / np.sqrt(2 * math.pi * variance)
    return density


MOODS = [said("mood", 5, state="high"), said("mood", 25, "F6", state="low"), said("mood", 40, "A1", state="high")]
NOISES = [said("press", 5, state="loud"), said("press", 30, "A6", state="quiet"), said("press", 52, state="loud")]
CASES: Mapping[str, tuple[Plain, list[Plain], list[Plain]]] = {
    "nothing logged": (study_of(MOOD), [], []),
    "state": (study_of(MOOD), [*MOODS, said("mood", 50, "E1", state="high")], []),
    "state that lasts": (study_of(LASTING), MOODS, []),
    "given": (study_of(LASTING, PRESS), [*MOODS, *NOISES], []),
    "count": (study_of(CALLS), [said("calls", 9, count=2), said("calls", 30, "D3")], [covered("calls", 5, 50, 0.8)]),
    "count over a span": (
        study_of(CALLS),
        [{"indicator": "calls", "from": "2025-01-10", "to": "2025-02-20", "count": 3, "grade": "C3"}],
        [],
    ),
    "milestone": (study_of(DEAL), [said("deal", 20, "C3")], []),
    "measure": (study_of(POLL), [said("poll", 8, value=61.0), said("poll", 33, "F6", value=48.0)], []),
    "measure that lasts": (
        study_of(POLL | {"persistence": "40 d"}),
        [said("poll", 8, value=61.0), said("poll", 20, "D3", value=52.0), said("poll", 33, "A1", value=57.0)],
        [],
    ),
    "base rate": (study_of(TALKS), [said("talks", 9), said("talks", 20)], [covered("talks", 0, 60, 0.9)]),
    "series": (
        study_of(PRICE),
        [said("price", 10, value=53.0), said("price", 20, "D3", value=47.0), said("price", 50, "F6", value=56.0)],
        [],
    ),
    "weight alone": (study_of(MOOD | SURE, **SURE_PRIOR), [said("mood", 5, state="high")], []),
    "ignorance alone": (study_of(MOOD | SURE, **SURE_PRIOR), [said("mood", 5, "F6", state="high")], []),
    "base rate alone": (study_of(TALKS | SURE, **SURE_PRIOR), [], [covered("talks", 0, 60, 0.9)]),
    "all of it, with drift": (
        study_of(LASTING, PRESS, CALLS, DEAL, POLL, TALKS, PRICE, drift={"half_life": "45 d"}),
        [*MOODS, *NOISES, said("deal", 20, "C3"), said("poll", 8, value=61.0), said("talks", 9)],
        [covered("calls", 5, 50, 0.8), covered("talks", 0, 60, 0.9)],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_second_sampler_finds_the_same_bands(name: str) -> None:
    """Two samples of M draws: the whole distribution on the last day, and both edges on many days.

    The largest gap of two empirical distributions exceeds 2.4 sqrt(2 / M) by chance in 2 of 100,000 comparisons; the
    share of one sample below the 5th percentile of the other has the standard error sqrt(0.0475 x 2 / M), and five of
    them are exceeded in fewer than one of a million.
    """
    draws = 20_000
    study, reports, coverage = CASES[name]
    mine = Sampler(study, np.random.default_rng(987), draws).course(reports, coverage)
    bands = outlook(study, reports, coverage, seed=2**255 + 1, draws=draws).bands
    for k in range(3):
        both = np.sort(np.concatenate([mine[-1, :, k], bands.final[:, k]]))
        below = [np.searchsorted(np.sort(sample), both, "right") for sample in (mine[-1, :, k], bands.final[:, k])]
        assert np.abs(below[0] - below[1]).max() / draws < 2.4 * math.sqrt(2 / draws)
        for day in range(0, DAYS + 1, 5):
            for level, edge in ((0.05, bands.low[day, k]), (0.95, bands.high[day, k])):
                share = (mine[day, :, k] < edge).mean()
                assert share == pytest.approx(level, abs=5 * math.sqrt(0.0475 * 2 / draws)), (day, k, level)


# What the grade says, and what no draw may change


@pytest.mark.parametrize(
    ("indicator", "report"),
    [
        (MOOD, said("mood", 5, state="high")),
        (LASTING, said("mood", 5, state="high")),
        (CALLS, said("calls", 5, count=2)),
        (DEAL, said("deal", 5)),
        (POLL, said("poll", 5, value=63.0)),
        (PRICE, said("price", 50, value=60.0)),
    ],
    ids=lambda item: str(item.get("kind", "")),
)
def test_ignorance_is_not_one_half(indicator: Plain, report: Plain) -> None:
    """F6 and C3 weigh the same, rho = 0.5, and give the same headline to the last bit; F6 gives the wider band."""
    study = study_of(indicator | {"confidence": 1e6}, prior_confidence=1e6)
    known, unknown = (outlook(study, [report | {"grade": grade}], seed=1, draws=4_000) for grade in ("C3", "F6"))
    assert (known.course == unknown.course).all()
    widths = [(item.bands.high - item.bands.low)[-1] for item in (known, unknown)]
    assert (widths[1] > 1.5 * widths[0]).all()


def test_either_half_of_ignorance_is_ignorance() -> None:
    """F3, C6 and F6 are one half from ignorance, by the grade that counts: the report's, its source's, or none."""
    study = study_of(MOOD | {"confidence": 1e6}, prior_confidence=1e6, sources={"Wire": "C3", "Blog": "C6"})
    report = said("mood", 5, state="high")
    del report["grade"]
    given = [{"grade": "C3"}, {"source": "Wire"}, {"grade": "F3"}, {"grade": "C6"}, {"source": "Blog"}, {}]
    bands = [outlook(study, [report | more], seed=3).bands.final for more in given]
    assert all((item == bands[0]).all() for item in bands[:2])
    assert all((item == bands[2]).all() for item in bands[2:])
    assert (bands[0] != bands[2]).any()


def changes(outlook: Outlook) -> list[Floats]:
    return [item.change for item in outlook.report_contributions]


@pytest.mark.parametrize("seed", range(12))
def test_a_seed_gives_the_same_bands_in_whatever_order_they_are_read(seed: int) -> None:
    """To the last bit: reports handed over in another order, coverage too, and asked for before or after the rest."""
    study, reports, coverage, as_of = random_case(random.Random(seed))
    first = replace(outlook_of(study, reports, coverage, as_of), seed=11, draws=120)
    log = first.log
    turned = {name: list(reversed(items)) for name, items in reversed(list(log.reports.items()))}
    spans = {name: list(reversed(items)) for name, items in reversed(list(log.coverage.items()))}
    second = replace(first, log=replace(log, reports=turned, coverage=spans))
    headline = first.course.copy(), first.smoothed_course.copy(), np.array(changes(first))
    for mine, theirs in zip(second.bands, first.bands, strict=True):
        assert (mine == theirs).all()
    again = second.course, second.smoothed_course, np.array(changes(second))
    for before, after in zip(headline, again, strict=True):
        assert np.array_equal(before, after)


@pytest.mark.parametrize("seed", range(12))
def test_the_headline_knows_of_no_draw(seed: int) -> None:
    """Neither their number nor their seed moves it, and every band has its low below its high."""
    outlook = replace(outlook_of(*random_case(random.Random(seed))), seed=5, draws=100)
    other = replace(outlook, seed=6, draws=150)
    assert (outlook.course == other.course).all() and (outlook.smoothed_course == other.smoothed_course).all()
    assert (outlook.bands.low != other.bands.low).any()
    for bands, draws in ((outlook.bands, 100), (other.bands, 150)):
        assert bands.low.shape == bands.high.shape == outlook.course.shape
        assert bands.final.shape == (draws, len(outlook.study.scenarios))
        assert (bands.low >= 0).all() and (bands.low <= bands.high).all() and (bands.high <= 1).all()
        np.testing.assert_allclose(bands.final.sum(axis=1), 1.0, rtol=0, atol=1e-12)


def test_certain_judgement_leaves_no_band() -> None:
    """With the largest sample size there is, and no doubt about the weights, every draw is next to the headline."""
    sure = [item | {"confidence": 1e9} for item in (MOOD, CALLS, POLL)]
    reports = [said("mood", 5, "A1", state="high"), said("calls", 9, "A1"), said("poll", 8, "A1", value=61.0)]
    certain = {"A": 1 - 1e-12, "1": 1 - 1e-12}
    found = outlook(study_of(*sure, prior_confidence=1e9, grades=certain), reports, seed=1)
    np.testing.assert_allclose(found.bands.low, found.course, rtol=0, atol=1e-4)
    np.testing.assert_allclose(found.bands.high, found.course, rtol=0, atol=1e-4)


def test_one_more_report_or_indicator_leaves_the_draws_of_the_others() -> None:
    """Each part of a study has a stream of its own."""
    some = outlook(study_of(MOOD, CALLS), MOODS[:2], seed=4, draws=200)
    more = outlook(study_of(CALLS, POLL, MOOD), MOODS, seed=4, draws=200)
    found = []
    for item in (some, more):
        prior = drawn_prior(item.study, seed=4, draws=200)
        drawn = dict(drawn_likelihoods(item.study, item.likelihoods, prior, seed=4))
        found.append((prior, drawn["mood"], drawn["calls"]))
    (prior, mood, calls), (other_prior, other_mood, other_calls) = found
    assert (prior == other_prior).all()
    assert (mood.rho == other_mood.rho[:, :2]).all()
    for first, second in ((mood, other_mood), (calls, other_calls)):
        name = "rows" if first is mood else "rates"
        assert (getattr(first.model, name) == getattr(second.model, name)).all()


# Through the ledger and out of every door

Forecast = Callable[..., str]


@pytest.fixture
def forecast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Forecast:
    """The command on a ledger with the small study; gives back what it prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORECAST_AUTHOR", "ana")
    monkeypatch.delenv("FORECAST_LEDGER", raising=False)
    (tmp_path / "port.yaml").write_text(STUDY)

    def call(*arguments: str) -> str:
        capsys.readouterr()
        assert run(list(arguments)) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    call("study", "add", "port.yaml")
    call("log", "mood", "--state", "hostile", "--on", "2024-02-01", "--source", "Wire")
    call("log", "talks", "--count", "2", "--on", "2024-03-05")
    call("cover", "talks", "--from", "2024-02-01", "--to", "2024-03-31")
    return call


AS_OF = ["--as-of", "2024-04-30"]


def test_every_output_has_the_same_bands(forecast: Forecast) -> None:
    """JSON, CSV in both its tables, status as table and JSON, Markdown: on every day, and for every scenario."""
    whole = json.loads(forecast("export", *AS_OF))
    days = [(date(2024, 1, 1) + timedelta(days=n)).isoformat() for n in range(121)]
    assert [day["date"] for day in whole["timeline"]] == days
    for day in whole["timeline"]:
        for scenario in ("settled", "strike"):
            assert 0 < day["low"][scenario] < day["high"][scenario] < 1
    for item in whole["scenarios"]:
        last = whole["timeline"][-1]
        assert [item["low"], item["high"]] == [last["low"][item["id"]], last["high"][item["id"]]]
    assert json.loads(forecast("status", "--json", *AS_OF))["scenarios"] == whole["scenarios"]
    timeline = list(csv.DictReader(io.StringIO(forecast("export", "--format", "csv", *AS_OF))))
    told = [(row["date"], row["scenario"], float(row["low"]), float(row["high"])) for row in timeline]
    assert told == [(d["date"], k, d["low"][k], d["high"][k]) for d in whole["timeline"] for k in d["low"]]
    table = csv.DictReader(io.StringIO(forecast("export", "--format", "csv", "--table", "scenarios", *AS_OF)))
    assert [(float(row["low"]), float(row["high"])) for row in table] == [
        (item["low"], item["high"]) for item in whole["scenarios"]
    ]
    page, status = forecast("export", "--format", "markdown", *AS_OF), forecast("status", *AS_OF)
    for item in whole["scenarios"]:
        assert f"| {100 * item['low']:.1f} % to {100 * item['high']:.1f} % |" in page
        assert f"{100 * item['low']:.1f} - {100 * item['high']:.1f}" in status


def test_draws_can_be_asked_for_and_change_the_bands_alone(forecast: Forecast) -> None:
    """A thousand unless another number is given."""
    usual, thousand, fewer = (
        json.loads(forecast("export", *AS_OF, *more)) for more in ([], ["--draws", "1000"], ["--draws", "300"])
    )
    for document in (usual, thousand, fewer):
        del document["known_at"]
    assert usual == thousand
    for before, after in zip(usual["timeline"], fewer["timeline"], strict=True):
        assert before["probability"] == after["probability"] and before["smoothed"] == after["smoothed"]
        assert before["low"] != after["low"] and before["high"] != after["high"]
    assert usual["contributions"] == fewer["contributions"]
    for arguments in (["status", "--json"], ["export", "--format", "csv"], ["export", "--format", "markdown"]):
        assert forecast(*arguments, *AS_OF, "--draws", "300") != forecast(*arguments, *AS_OF)


def test_bands_come_from_the_revision_and_nothing_else(forecast: Forecast, tmp_path: Path) -> None:
    """Another ledger, filled at another time by another hand, has the same bands; a revised study has others."""

    def timeline() -> Any:
        return json.loads(forecast("export", *AS_OF))["timeline"]

    before = timeline()
    (tmp_path / "elsewhere").mkdir()
    elsewhere = ["--ledger", "elsewhere/forecast.db"]
    forecast("study", "add", "port.yaml", *elsewhere, "--author", "bo")
    forecast("log", "mood", "--state", "hostile", "--on", "2024-02-01", "--source", "Wire", *elsewhere)
    forecast("log", "talks", "--count", "2", "--on", "2024-03-05", "--note", "again", *elsewhere)
    forecast("cover", "talks", "--from", "2024-02-01", "--to", "2024-03-31", *elsewhere)
    assert json.loads(forecast("export", *AS_OF, *elsewhere))["timeline"] == before
    (tmp_path / "port.yaml").write_text(STUDY + "# a comment is a revision\n")
    forecast("study", "add", "port.yaml")
    after = timeline()
    assert [day["probability"] for day in after] == [day["probability"] for day in before]
    assert all(mine["low"] != theirs["low"] for mine, theirs in zip(after, before, strict=True))
