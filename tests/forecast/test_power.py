"""Power: simulated logs against the engine, the record against outlooks counted one by one, and its laws."""

from __future__ import annotations

import io
import json
import random
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecast import power as power_room
from forecast.baseline import Baselines, BaseRate, Fit, Residuals
from forecast.cli.main import run
from forecast.cli.powering import progress_shown
from forecast.events import Live
from forecast.outlook import Log, Outlook
from forecast.power import Power, power, probabilities, share_text
from forecast.probability import Floats
from forecast.simulation import GRADE, Logs, Plan, simulated, told
from forecast.study import Study
from tests.forecast.build import japan_sar_study, outlook_of_study
from tests.strategies import random_case, to_yaml

OPENS = date(2025, 1, 1)
HORIZON = date(2025, 12, 31)
CERTAIN = {"B": 0.999999, "2": 0.999999}

SIGNS = {"kind": "state", "states": ["low", "high"], "likelihoods": {"yes": [0.2, 0.8], "no": [0.6, 0.4]}}
NOISE = {"kind": "state", "states": ["low", "high"], "likelihoods": {"yes": [0.3, 0.7], "no": [0.3, 0.7]}}
TELLING = {"kind": "state", "states": ["low", "high"], "likelihoods": {"yes": [1e-6, 1 - 1e-6], "no": [1 - 1e-6, 1e-6]}}
CALLS = {"kind": "count", "rates": {"yes": 12.0, "no": 8.0}}
TREATY = {"kind": "milestone", "rates": {"yes": 2.0, "no": 0.5}, "silence": "always"}
POLL = {
    "kind": "measure",
    "values": {"yes": {"mean": 53, "sd": 5}, "no": {"mean": 50, "sd": 4}},
    "persistence": "90 d",
    "check_every": "20 d",
}

Plain = dict[str, Any]
_NONE: frozenset[str] = frozenset()


def study_of(*, priors: tuple[float, float] = (0.3, 0.7), more: dict[str, Any] | None = None, **kinds: Any) -> Plain:
    """Two scenarios and the indicators named."""
    return {
        "study": "small",
        "opens": OPENS.isoformat(),
        "horizon": HORIZON.isoformat(),
        "scenarios": [{"id": "yes", "prior": priors[0]}, {"id": "no", "prior": priors[1]}],
        "indicators": [{"id": name, **kind} for name, kind in kinds.items()],
        **(more or {}),
    }


def power_of(study: Plain, *, runs: int = 100, seed: int = 7) -> Power:
    return power(Study.model_validate(study), runs=runs, rng=np.random.default_rng(seed))


def plain_reports(study: Study, logs: Logs, number: int) -> list[Plain]:
    """The log of one run as a person would have typed it, indicator by indicator."""
    reports: list[Plain] = []
    for name, indicator in study.by_id.items():
        said: list[tuple[int, Plain]] = []
        looks = Plan(study).looks(name).tolist()
        if name in logs.states:
            states: list[str] = getattr(indicator, "states")  # noqa: B009
            said = [(day, {"state": states[s]}) for day, s in zip(looks, logs.states[name][number], strict=True)]
        elif name in logs.readings:
            said = [(day, {"value": float(y)}) for day, y in zip(looks, logs.readings[name][number], strict=True)]
        elif name in logs.events:
            found = zip(*(part.tolist() for part in logs.events[name]), strict=True)
            said = [(day, {"count": 1}) for day, of, times in found if of == number for _ in range(times)]
        for day, what in said:
            observed = (study.opens + timedelta(days=day)).isoformat()
            reports.append({"indicator": name, "observed": observed, "grade": GRADE, **what})
    return reports


def every_day(study: Study) -> list[Plain]:
    """Coverage from the first day to the horizon of all that is watched for silence."""
    watched = [name for name, indicator in study.by_id.items() if getattr(indicator, "silence", None) == "covered"]
    return [{"indicator": name, "from": study.opens, "to": study.horizon} for name in watched]


def outlooks_of(plan: Plan, logs: Logs) -> list[Outlook]:
    """The engine's outlook at the horizon on the log of every run; those that nobody watches are silent."""
    study, unwatched = plan.study, frozenset(plan.study.by_id) - set(plan.active)
    found = []
    for number in range(logs.runs):
        whole = outlook_of_study(study, plain_reports(study, logs, number), every_day(study), study.horizon)
        found.append(Outlook(study, Log(whole.log.reports, whole.log.coverage, unwatched), study.horizon))
    return found


def courses(plan: Plan, logs: Logs) -> Floats:
    """What power makes of the logs, shape (n, T + 1, K)."""
    daily = np.zeros((plan.length, len(plan.study.scenarios), logs.runs))
    for item in told(plan, logs).values():
        item.add_to(daily)
    return np.moveaxis(probabilities(plan.study, daily), -1, 0)


def assert_agrees_with_the_engine(study: Study, *, seed: int, runs: int = 3, without: frozenset[str] = _NONE) -> None:
    plan = Plan(study, without)
    rng = np.random.default_rng(seed)
    logs = simulated(plan, seed % len(plan.study.scenarios), runs=runs, rng=rng)
    for course, outlook in zip(courses(plan, logs), outlooks_of(plan, logs), strict=True):
        np.testing.assert_allclose(course, outlook.course, rtol=0, atol=1e-9)


@pytest.mark.parametrize("seed", range(24))
def test_the_simulated_course_is_the_engine_s(seed: int) -> None:
    """The logs written out as reports give the same course: all kinds, chains of `given`, drift, own weights."""
    plain, _, _, _ = random_case(random.Random(seed), n_indicators=5)
    plain["horizon"] = (date.fromisoformat(plain["opens"]) + timedelta(days=200 + seed)).isoformat()
    assert_agrees_with_the_engine(Study.model_validate(plain), seed=seed)


def test_the_japan_case_simulates_as_the_engine_sees_it() -> None:
    """The worked case: rates and a poll from history, one indicator given by another, drift, two and a half years."""
    assert_agrees_with_the_engine(japan_sar_study(), seed=3, runs=2)


def test_a_retired_parent_and_weak_weights_agree_too() -> None:
    """Nothing is logged on what is retired; readings below one half of weight are not leaned on."""
    rows = {"yes": {"low": [0.9, 0.1], "high": [0.3, 0.7]}, "no": {"low": [0.5, 0.5], "high": [0.2, 0.8]}}
    child = {"kind": "state", "states": ["low", "high"], "likelihoods": rows, "given": "old", "persistence": "60 d"}
    old = SIGNS | {"persistence": "50 d", "retired": True}
    gone = TREATY | {"retired": True}
    plain = study_of(old=old, child=child, poll=POLL, gone=gone, more={"grades": {"B": 0.3, "2": 0.4}})
    assert_agrees_with_the_engine(Study.model_validate(plain), seed=11)
    assert power_of(plain).bits[[0, 3]] == pytest.approx(0.0, abs=0)


FITS: dict[str, Plain] = {
    "local-level": {"parameters": {"sigma2.irregular": 1.4, "sigma2.level": 0.02}, "state": [50.0]},
    "local-trend": {
        "parameters": {"sigma2.irregular": 1.1, "sigma2.level": 0.01, "sigma2.trend": 2e-6},
        "state": [50.0, -0.01],
    },
    "ar1": {"parameters": {"intercept": 0.5, "ar.L1": 0.99, "sigma2": 0.2}, "state": [53.0]},
    "exact": {"parameters": {"sigma2.irregular": 0.0, "sigma2.level": 0.03}, "state": [50.0]},
}


def with_histories(name: str, *, more: dict[str, Any] | None = None, **kinds: Any) -> Study:
    """A poll that a model carries on from twelve days before the study, strikes at a rate from before, and others."""
    model = "local-level" if name == "exact" else name
    poll = {"kind": "measure", "baseline": {"history": "poll.csv", "model": model}, "shifts": {"yes": 8.0, "no": -2.0}}
    span = {"history": "strikes.csv", "from": "2015-01-01", "to": "2024-12-31"}
    strikes = {"kind": "count", "baseline": span, "multipliers": {"yes": 2.0, "no": 1.0}}
    plain = study_of(poll=poll | {"check_every": "21 d"}, strikes=strikes, more=more, **kinds)
    fit = Fit(
        model=model,
        last_day=OPENS - timedelta(days=12),
        points=40,
        covariance=(np.eye(len(FITS[name]["state"])) * [0.3, 1e-5][: len(FITS[name]["state"])]).tolist(),
        log_likelihood=-60.0,
        residuals=Residuals(lags=8, statistic=8.0, p_value=0.5),
        **FITS[name],
    )
    baselines = Baselines({}, {"strikes": BaseRate(events=23, years=10.0)}, {"poll": fit})
    return Study.model_validate(plain).with_baselines(baselines)


@pytest.mark.parametrize("more", [{}, {"drift": {"half_life": "200 d"}}, {"grades": {"B": 0.3, "2": 0.4}}])
@pytest.mark.parametrize("name", FITS)
def test_a_series_carried_on_from_its_history_agrees_too(name: str, more: Plain) -> None:
    """With drift, and with readings that the filter does not follow."""
    assert_agrees_with_the_engine(with_histories(name, more=more, signs=SIGNS), seed=5)


def test_readings_of_a_run_hang_together_as_the_model_of_the_history_has_it() -> None:
    """Level and trend after the history by hand: mean, variance and covariance of the readings of a run.

    The level on day t, 12 + t days after the last reading, has the variance of the history's end, that of the trend
    times the days squared, and what the days have added; two readings share what came before the earlier.
    """
    plan = Plan(with_histories("local-trend", more={"grades": CERTAIN}))
    runs = 20_000
    readings = simulated(plan, 0, runs=runs, rng=np.random.default_rng(4)).readings["poll"]
    days = plan.looks("poll").astype(float)
    aged = days + 12
    mean = 50.0 - 0.01 * aged + 8.0 * days / 365.25
    np.testing.assert_allclose(readings.mean(axis=0), mean, rtol=0, atol=5 * readings.std(axis=0).max() / runs**0.5)
    first, second = np.minimum.outer(aged, aged), np.maximum.outer(aged, aged)
    steps = first * (first - 1) * (2 * first - 1) / 6 + (second - first) * first * (first - 1) / 2
    expected = 0.3 + 1e-5 * np.outer(aged, aged) + 0.01 * first + 2e-6 * steps + 1.1 * np.eye(len(days))
    spread = np.sqrt(np.diagonal(expected))
    found = np.cov(readings.T) / np.outer(spread, spread)
    np.testing.assert_allclose(found, expected / np.outer(spread, spread), rtol=0, atol=5 * (2 / runs) ** 0.5)


def test_events_come_at_the_rate_of_the_history_times_the_factor() -> None:
    """(23 + 1/2) / 10 years x 2, over the 365 days that the study runs."""
    plan = Plan(with_histories("ar1"))
    events = simulated(plan, 0, runs=2_000, rng=np.random.default_rng(4)).events["strikes"]
    assert events.numbers.sum() / 2_000 == pytest.approx(2.35 * 2 * 365 / 365.25, abs=0.2)


def test_what_is_left_out_is_not_watched() -> None:
    """It adds nothing, and the others are to the last bit as in a study without it."""
    study = with_histories("ar1", signs=SIGNS | {"persistence": "60 d"})
    assert_agrees_with_the_engine(study, seed=2, without=frozenset({"poll", "strikes"}))
    found = power(study, runs=30, rng=np.random.default_rng(1), left_out=frozenset({"poll", "strikes"}))
    alone = study_of(signs=SIGNS | {"persistence": "60 d"})
    np.testing.assert_array_equal(found.confusion, power_of(alone, runs=30, seed=1).confusion)
    assert not found.bits[:2].any() and found.bits[2].any()
    assert found.notes == power_of(alone, runs=30, seed=1).notes


@pytest.mark.parametrize("drift", [{}, {"drift": {"half_life": "200 d"}}])
def test_the_record_is_what_the_outlooks_say_counted_one_by_one(drift: Plain) -> None:
    """Every share, mean and median again, from the engine's outlooks on the same logs."""
    runs, plain = 12, study_of(signs=SIGNS, calls=CALLS, treaty=TREATY, poll=POLL, more=drift)
    found = power_of(plain, runs=runs, seed=5)
    study, rng = found.study, np.random.default_rng(5)
    for truth in range(2):
        plan = Plan(study)
        outlooks = outlooks_of(plan, simulated(plan, truth, runs=runs, rng=rng))
        final = np.array([outlook.final for outlook in outlooks])
        leads = [outlook.course[:, truth] >= 0.8 for outlook in outlooks]
        assert found.found[truth] == pytest.approx(np.mean([lead[-1] for lead in leads]))
        assert found.ever[truth] == pytest.approx(np.mean([lead.any() for lead in leads]))
        since = sorted(max(t for t in range(len(lead)) if not lead[t]) + 1 for lead in leads if lead[-1])
        assert found.found_by[truth] == (OPENS + timedelta(days=since[(len(since) - 1) // 2]) if since else None)
        assert found.misled[truth] == pytest.approx(np.mean(final[:, 1 - truth] >= 0.8))
        np.testing.assert_allclose(found.confusion[truth], final.mean(axis=0), rtol=0, atol=1e-9)
        odds = final[:, truth] / final[:, 1 - truth]
        assert found.apart[truth, 1 - truth] == pytest.approx(np.mean(odds >= 9.0))
        for row, name in enumerate(study.by_id):
            kept = np.array([without(outlook, name).final[truth] for outlook in outlooks])
            bits = np.mean(np.log2(final[:, truth]) - np.log2(kept))
            assert found.bits[row, truth] == pytest.approx(bits, abs=1e-9)
    assert found.found.max() > 0 and found.found_by.count(None) < 2


def without(outlook: Outlook, name: str) -> Outlook:
    """The same without all that one indicator says."""
    reports: dict[str, list[Live]] = {i: list(items) for i, items in outlook.log.reports.items() if i != name}
    return Outlook(outlook.study, Log(reports, outlook.log.coverage, frozenset({name})), outlook.as_of)


def test_an_uninformative_set_cannot_tell_anything() -> None:
    """The final probabilities are the priors, and the verdict says so."""
    found = power_of(study_of(noise=NOISE))
    np.testing.assert_allclose(found.confusion, [[0.3, 0.7], [0.3, 0.7]], rtol=0, atol=1e-12)
    assert not found.found.any() and not found.ever.any() and not found.misled.any()
    assert [pair.level for pair in found.pairs] == ["cannot"]
    assert 'This set cannot tell "yes" from "no" before the horizon' in found.pairs[0].sentence
    assert "It cannot tell any two scenarios apart." in found.verdict
    np.testing.assert_allclose(found.bits, 0.0, rtol=0, atol=1e-12)


def test_a_prior_alone_finds_and_misleads_but_tells_nothing() -> None:
    """At priors of 1 and 9 the odds start at 9:1: always there under the one, never under the other."""
    found = power_of(study_of(noise=NOISE, priors=(0.1, 0.9)))
    assert found.found.tolist() == [0.0, 1.0] and found.misled.tolist() == [1.0, 0.0]
    assert found.found_by == (None, OPENS)
    assert found.pairs[0].shares == (0.0, 1.0) and found.pairs[0].level == "cannot"


def test_a_perfectly_telling_set_tells_at_the_first_look() -> None:
    """One look a month that hardly ever errs: found under both, by the first look, and the verdict says so."""
    found = power_of(study_of(signs=TELLING, more={"grades": CERTAIN}))
    assert found.found.tolist() == [1.0, 1.0] and not found.misled.any()
    assert found.found_by == (OPENS + timedelta(days=30),) * 2
    assert found.pairs[0].level == "can" and "This set can tell" in found.pairs[0].sentence
    assert "in all of the runs and with a wrong scenario there in none" in found.verdict
    assert "It can tell every two scenarios apart." in found.verdict
    assert found.of_truth.min() > 0.999


def test_leaving_out_what_is_uninformative_changes_nothing() -> None:
    """Beside others, with drift, and without touching what the others add."""
    plain = study_of(signs=SIGNS, noise=NOISE, calls=CALLS, more={"drift": {"half_life": "1 y"}})
    found = power_of(plain)
    np.testing.assert_allclose(found.bits[1], 0.0, rtol=0, atol=1e-12)
    assert found.added[0] > 0.05 and found.added_error[0] < 0.1


def test_what_takes_the_engine_astray_is_named() -> None:
    """Events whose silence never counts speak for the higher rate, whatever is true."""
    found = power_of(study_of(signs=SIGNS, calls=CALLS | {"silence": "never"}))
    assert found.added[1] < -2 * found.added_error[1]
    assert found.notes == ["on average these take the engine away from the truth: calls"]
    assert power_of(study_of(signs=SIGNS)).notes == []


@pytest.mark.parametrize(
    "study",
    [
        Study.model_validate(
            study_of(signs=SIGNS | {"persistence": "60 d"}, poll=POLL, loose=SIGNS | {"check_every": "90 d"})
        ),
        Study.model_validate(study_of(calls=CALLS, treaty=TREATY, signs=SIGNS, more={"grades": CERTAIN})),
        with_histories("local-level", more={"grades": CERTAIN}),
        with_histories("local-trend", more={"grades": CERTAIN}),
        with_histories("ar1", more={"grades": CERTAIN}),
    ],
    ids=["states and values", "events", "local-level", "local-trend", "ar1"],
)
def test_probabilities_are_frequencies(study: Study) -> None:
    """Scenarios drawn by their priors: what is given p comes true in a share p of runs, over all and band by band.

    Without drift, whose truth would not stay fixed; for counts with reports beyond doubt, as the weight of an event in
    doubt stands for rumours that are not simulated.
    """
    runs, plan = 3_000, Plan(study)
    rng = np.random.default_rng(20)
    final = np.array([_final(plan, simulated(plan, truth, runs=runs, rng=rng)) for truth in range(2)])
    prior = plan.study.prior
    np.testing.assert_allclose(prior @ final.mean(axis=1), prior, rtol=0, atol=4 * 0.5 / np.sqrt(runs))

    said = final[:, :, 0].ravel()
    weight = np.repeat(prior / runs, runs)
    true = np.repeat([1.0, 0.0], runs)
    band = np.minimum((said * 5).astype(int), 4)
    for number in range(5):
        here = band == number
        share = weight[here].sum()
        error = np.sqrt((weight[here] ** 2 * said[here] * (1 - said[here])).sum()) / share
        off = weight[here] @ (true[here] - said[here]) / share
        assert abs(off) < 4 * error + 1e-3, (number, off, error)
        assert here.sum() > 80


def _final(plan: Plan, logs: Logs) -> Floats:
    return courses(plan, logs)[:, -1]


def test_true_states_last_as_long_as_their_persistence_says() -> None:
    """With reports beyond doubt: two looks differ with chance (1 - phi) x (1 - sum of squares)."""
    plan = Plan(Study.model_validate(study_of(signs=SIGNS | {"persistence": "40 d"}, more={"grades": CERTAIN})))
    states = simulated(plan, 0, runs=2_000, rng=np.random.default_rng(1)).states["signs"]
    changes = (states[:, 1:] != states[:, :-1]).mean()
    assert changes == pytest.approx((1 - np.exp(-30 / 40)) * (1 - 0.2**2 - 0.8**2), abs=0.01)
    assert states.mean() == pytest.approx(0.8, abs=0.02)


def test_reports_blur_the_true_state() -> None:
    """B2 is right with chance 0.75 and else says high with chance q = 0.3 x 0.8 + 0.7 x 0.4 = 0.52: 0.73 in all."""
    plan = Plan(Study.model_validate(study_of(signs=SIGNS)))
    states = simulated(plan, 0, runs=3_000, rng=np.random.default_rng(1)).states["signs"]
    assert states.mean() == pytest.approx(0.73, abs=0.01)


def test_a_given_state_follows_the_true_state_of_its_parent() -> None:
    """Also at looks between those at the parent, and whether or not the parent's own reports are right."""
    even = {"yes": [0.5, 0.5], "no": [0.4, 0.6]}
    rows = {scenario: {"low": [0.99, 0.01], "high": [0.01, 0.99]} for scenario in ("yes", "no")}
    parent = SIGNS | {"likelihoods": even, "persistence": "1 y", "check_every": "60 d"}
    child = SIGNS | {"likelihoods": rows, "given": "parent"}
    plan = Plan(Study.model_validate(study_of(child=child, parent=parent, more={"grades": CERTAIN})))
    states = simulated(plan, 0, runs=2_000, rng=np.random.default_rng(1)).states
    assert (states["child"][:, 1::2] == states["parent"]).mean() == pytest.approx(0.99, abs=0.005)
    between = (states["child"][:, 2:-1:2] == states["parent"][:, :-1]).mean()
    assert between == pytest.approx(0.99 - 0.98 * 0.5 * (1 - np.exp(-30 / 365.25)), abs=0.01)


def test_a_milestone_happens_at_most_once_and_at_its_hazard() -> None:
    """P(it happens within the 365 days) = 1 - exp(-2 x 365/365.25)."""
    plan = Plan(Study.model_validate(study_of(treaty=TREATY)))
    events = simulated(plan, 0, runs=2_000, rng=np.random.default_rng(1)).events["treaty"]
    assert len(np.unique(events.runs)) == len(events.runs) and (events.numbers == 1).all()
    assert len(events.runs) / 2_000 == pytest.approx(-np.expm1(-2 * 365 / 365.25), abs=0.03)


def test_looks_start_a_check_after_the_first_day() -> None:
    """Days 20, 40, ... for the poll; none for what would first be looked at after the horizon, which a note tells."""
    plain = study_of(poll=POLL, rare=SIGNS | {"check_every": "2 y"}, gone=SIGNS | {"retired": True})
    found = power_of(plain | {"drift": {"half_life": "1 y"}}, runs=2)
    plan = Plan(found.study)
    assert plan.looks("poll")[:2].tolist() == [20, 40] and plan.looks("poll")[-1] == 360
    assert not len(plan.looks("rare")) and not len(plan.looks("gone"))
    assert [note.split(":")[-1].split(",")[0].strip() for note in found.notes[1:]] == ["rare", "gone"]
    assert "every run holds its scenario true" in found.notes[0]


def test_a_seed_gives_the_same_to_the_last_bit() -> None:
    """And another seed something else."""
    plain = study_of(signs=SIGNS, calls=CALLS)
    first, again, other = (power_of(plain, seed=seed) for seed in (1, 1, 2))
    assert (first.confusion == again.confusion).all() and (first.bits == again.bits).all()
    assert (first.confusion != other.confusion).any()


def test_chunks_bound_the_memory_and_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten runs in chunks of at most four, under each of two scenarios; shares are those of all runs."""
    study = Study.model_validate(study_of(signs=SIGNS))
    seen: list[tuple[int, int]] = []
    a_run = 2 * (3 * 365 + 12)
    monkeypatch.setattr(power_room, "_CHUNK", 4 * a_run)
    found = power(study, runs=10, rng=np.random.default_rng(1), progress=lambda *done: seen.append(done))
    assert seen == [(4, 20), (8, 20), (10, 20), (14, 20), (18, 20), (20, 20)]
    np.testing.assert_allclose(found.confusion.sum(axis=1), 1.0, rtol=0, atol=1e-12)
    assert {round(10 * share, 9) for share in found.found} <= set(range(11))


def test_at_least_one_run() -> None:
    with pytest.raises(ValueError, match="0 runs; at least 1"):
        power_of(study_of(signs=SIGNS), runs=0)
    assert np.isnan(power_of(study_of(signs=SIGNS), runs=1).added_error).all()


@pytest.mark.parametrize("drift", [{}, {"drift": {"half_life": "1 y"}}])
def test_extremes_stay_finite_without_a_warning(drift: Plain) -> None:
    """Rates a trillion apart, rows of 1e-12, means 1e15 apart, silence that never counts."""
    rare = {"kind": "state", "states": ["low", "high"], "likelihoods": {"yes": [1e-12, 1 - 1e-12], "no": [0.5, 0.5]}}
    found = power_of(
        study_of(
            flood=CALLS | {"rates": {"yes": 1e12, "no": 1e-12}},
            noisy=CALLS | {"rates": {"yes": 1e5, "no": 1e3}, "silence": "never"},
            rare=rare | {"persistence": "1 d"},
            far=POLL | {"values": {"yes": {"mean": 1e15, "sd": 1e-3}, "no": {"mean": -1e15, "sd": 1e15}}},
            priors=(1e-9, 1 - 1e-9),
            more=drift,
        ),
        runs=5,
    )
    for numbers in (found.confusion, found.bits, found.apart, found.added_error):
        assert np.isfinite(numbers).all()
    np.testing.assert_allclose(found.confusion.sum(axis=1), 1.0, rtol=0, atol=1e-12)


def test_none_and_all_are_said_of_nothing_near_them() -> None:
    assert [share_text(x) for x in (0.0, 1e-5, 0.5, 0.99999, 1.0)] == ["none", "<0.1 %", "50.0 %", ">99.9 %", "all"]


# The command


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("study.yaml").write_text(to_yaml(study_of(signs=SIGNS, calls=CALLS)), encoding="utf-8")
    assert run(["study", "add", "study.yaml"]) == 0, capsys.readouterr().err
    capsys.readouterr()
    return tmp_path


def test_the_command_prints_tables_and_verdicts(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing but data on standard output, and nothing at all on the other."""
    assert run(["power", "--runs", "20"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for phrase in ("20 runs under each scenario", "seeded by the study revision", "signs", "calls", "it ends at 80 %"):
        assert phrase in out
    assert "Watched as planned until 2025-12-31" in out and "before the horizon" in out


def test_the_command_as_json_is_reproducible_from_the_revision(
    ledger: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Twice the same without a seed, the same again with the seed it names, other numbers with another."""
    texts = []
    for options in ([], [], ["--seed", "1"]):
        assert run(["power", "--runs", "20", "--json", *options]) == 0
        texts.append(capsys.readouterr().out)
    first, again, other = (json.loads(text) for text in texts)
    assert first == again and first["pairs"] != other["pairs"] and other["seed"] == "1"
    assert run(["power", "--runs", "20", "--json", "--seed", first["seed"]]) == 0
    assert json.loads(capsys.readouterr().out) == first
    assert [item["id"] for item in first["scenarios"]] == ["yes", "no"]
    assert [item["id"] for item in first["indicators"]] == ["signs", "calls"]
    assert sum(first["scenarios"][0]["probability"].values()) == pytest.approx(1.0, abs=1e-12)
    assert {"scenarios", "shares", "verdict", "sentence"} == set(first["pairs"][0])


def test_the_command_leaves_out_an_indicator_on_request(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And says so; what leaves out reports only is told to change nothing."""
    assert run(["log", "signs", "--state", "high", "--on", "2025-02-01", "--source", "Wire"]) == 0
    capsys.readouterr()
    told = {}
    for options in ("", "indicator:calls", "source:Wire"):
        assert run(["power", "--runs", "20", "--json", *(["--without", options] if options else [])]) == 0
        told[options] = json.loads(capsys.readouterr().out)
    assert told["indicator:calls"]["without"] == ["indicator:calls"]
    assert [item["bits"] == 0.0 for item in told["indicator:calls"]["indicators"]] == [False, True]
    assert told["source:Wire"]["pairs"] == told[""]["pairs"] != told["indicator:calls"]["pairs"]
    assert told["source:Wire"]["notes"] == [
        *told[""]["notes"],
        "what is logged plays no part here, so without source:Wire it is the same",
    ]
    assert run(["power", "--runs", "5", "--without", "indicator:calls"]) == 0
    assert "without indicator:calls" in capsys.readouterr().out


@pytest.mark.parametrize(
    "options",
    [["--runs", "0"], ["--seed", "-1"], ["--known-at", "soon"], ["--study", "other"], ["--without", "indicator:cals"]],
)
def test_the_command_refuses(options: list[str], ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["power", *options]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("error: ") and options[0] in err


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("seconds", "shown"), [(0.5, False), (1.5, True)])
def test_progress_shows_on_standard_error_after_a_second(
    seconds: float, shown: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And nothing where standard error is no terminal."""
    monkeypatch.setenv("TERM", "xterm")
    for stream in (_Terminal(), io.StringIO()):
        monkeypatch.setattr(sys, "stderr", stream)
        times = iter([0.0, seconds])
        with progress_shown("simulating", clock=lambda: next(times)) as tell:  # noqa: B023  used up inside the loop
            tell(3, 10)
        assert ("3/10" in stream.getvalue()) == (shown and stream.isatty())
    assert stream.getvalue() == ""
    assert capsys.readouterr().out == ""
