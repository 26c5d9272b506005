"""The short-run record against sums over all paths, by hand, and in simulated studies whose rows are right or wrong."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from forecast.past import Past, changes
from forecast.reading import read_study
from forecast.short_run import FEWEST, ShortRun, short_run
from forecast.study import Study
from forecast.study_file import study_json
from indicators.coverage import read_coverage
from indicators.entry import Entry
from indicators.evidence import read_report
from indicators.ledger import MemoryLedger
from indicators.replay import Known, Logged, Stamp
from tests.commands import Commands, commands
from tests.forecast.build import outlook_of
from tests.golden_outlooks import OUTLOOKS
from tests.oracles import state_loglik_by_paths
from tests.small import STUDY, amend, cover, log, new_ledger, record, retract
from tests.strategies import random_case

__all__ = ["commands"]

Plain = dict[str, Any]
OPENS = date(2025, 1, 1)
RHO = 0.75
MADE = "2026-01-01T00:00:00.000000Z"
STATE = {"kind": "state", "states": ["low", "high"], "likelihoods": {"yes": [0.2, 0.8], "no": [0.6, 0.4]}}


def known_of(study: Plain, reports: list[Plain], coverage: Sequence[Plain] = ()) -> Known:
    """What a ledger would hold of a study, its coverage and then its reports, in this order; report n is `e{n}`."""
    content = study_json(Study.model_validate(study))
    entry = Entry(
        seq=1,
        id="s",
        recorded_at=MADE,
        author="a",
        study="x",
        kind="study",
        payload={"study": content},
        prev="",
        hash="",
    )
    logged: dict[str, Logged] = {}
    for n, raw in enumerate(coverage):
        span, problems = read_coverage(_texts(raw))
        assert span, problems
        logged[f"c{n}"] = Logged(Stamp(n + 2, f"c{n}", "coverage", MADE, "a"), span, span)
    for n, raw in enumerate(reports):
        report, problems = read_report(_texts(raw))
        assert report, problems
        logged[f"e{n}"] = Logged(Stamp(n + 1000, f"e{n}", "evidence", MADE, "a"), report, report)
    return Known(revisions=[entry], logged=logged)


def _texts(raw: Plain) -> Plain:
    return {key: value.isoformat() if isinstance(value, date) else value for key, value in raw.items()}


def study_of(*indicators: Plain, **more: Any) -> Plain:
    """Two scenarios at 0.3 and 0.7."""
    return {
        "study": "small",
        "opens": OPENS.isoformat(),
        "horizon": "2026-12-31",
        "scenarios": [{"id": "yes", "prior": 0.3}, {"id": "no", "prior": 0.7}],
        "indicators": [{"id": "signs", **indicator} | indicator for indicator in indicators],
        **more,
    }


def said(day: int, state: str = "high", **more: Any) -> Plain:
    observed = (OPENS + timedelta(days=day)).isoformat()
    return {"indicator": "signs", "observed": observed, "state": state, "grade": "B2", **more}


def happened(day: int, **more: Any) -> Plain:
    return {"indicator": "signs", "observed": (OPENS + timedelta(days=day)).isoformat(), "grade": "B2", **more}


def on(day: int) -> date:
    return OPENS + timedelta(days=day)


def approx(*numbers: float) -> Any:
    return pytest.approx(numbers)


def scores(found: ShortRun, indicator: str = "signs") -> list[tuple[str, float, float]]:
    [own] = [item for item in found.indicators if item.indicator.id == indicator]
    return [(item.entry, item.engine, item.own_past) for item in own.scored]


def plain_case(seed: int, **more: Any) -> tuple[Plain, list[Plain], list[Plain], date]:
    """A random study without `given` and drift, and a log in which every report is an event of its own."""
    study, reports, coverage, as_of = random_case(random.Random(seed), **more)
    study = without_given(study)
    alone = [{key: v for key, v in r.items() if key not in ("event", "origin")} for r in reports]
    once = {i["id"] for i in study["indicators"] if i["kind"] == "milestone"}
    kept: list[Plain] = []
    for report in alone:
        if report["indicator"] not in once or report["indicator"] not in {r["indicator"] for r in kept}:
            kept.append(report)
    return study, kept, coverage, as_of


def without_given(study: Plain) -> Plain:
    free = []
    for indicator in study["indicators"]:
        if "given" in indicator:
            rows = {k: next(iter(by_state.values())) for k, by_state in indicator["likelihoods"].items()}
            indicator = {key: value for key, value in indicator.items() if key != "given"} | {"likelihoods": rows}
        free.append(indicator)
    return study | {"indicators": free}


# Oracles


@pytest.mark.parametrize("seed", range(25))
def test_every_score_is_a_ratio_of_sums_over_all_paths(seed: int) -> None:
    """Of states, in whatever order they were logged: P(all up to this entry) / P(all before it)."""
    study, reports, coverage, as_of = plain_case(seed, kinds=("state",), n_reports=7)
    study.pop("drift", None)
    found = short_run(known_of(study, reports, coverage), as_of)
    prior = {s["id"]: s.get("prior", 1 / len(study["scenarios"])) for s in study["scenarios"]}

    def chance(count: int) -> float:
        logs = [state_loglik_by_paths(study, reports[:count], i["id"], as_of) for i in study["indicators"]]
        return math.fsum(prior[k] * math.exp(math.fsum(told[k] for told in logs)) for k in prior)

    told = {one.entry: one.engine for item in found.indicators for one in item.scored}
    due = [n for n, report in enumerate(reports) if report["observed"] <= _day(as_of, report)]
    assert sorted(told) == sorted(f"e{n}" for n in due)
    for n in due:
        assert told[f"e{n}"] == pytest.approx(-math.log(chance(n + 1) / chance(n)), abs=1e-9)


def _day(as_of: date, report: Plain) -> Any:
    return as_of.isoformat() if isinstance(report["observed"], str) else as_of


@pytest.mark.parametrize("seed", range(60))
def test_the_scores_add_up_to_the_evidence_of_the_whole_log(seed: int) -> None:
    """All kinds, drift, coverage, spans, any order: nothing is scored twice and nothing is left out."""
    study, reports, coverage, as_of = plain_case(seed, n_reports=10)
    found = short_run(known_of(study, reports, coverage), as_of)
    whole = outlook_of(study, reports, coverage, as_of).chain.log_normalisers.sum()
    assert found.total == pytest.approx(-float(whole), abs=1e-8)
    assert found.copies == 0


def test_histories_carry_on_the_record_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a rate and of a measure that come from a history."""
    outlook = OUTLOOKS["with histories"]()
    monkeypatch.setattr(Past, "study", lambda _: outlook.study)
    known = known_of(study_of(STATE), [])
    lives = [live for reports in outlook.log.reports.values() for live in reports]
    for n, span in enumerate(outlook.log.coverage["talks"]):
        known.logged[f"c{n}"] = Logged(Stamp(n + 2, f"c{n}", "coverage", MADE, "a"), span, span)
    for live in lives:
        stamp = Stamp(live.seq + 10, live.entry, "evidence", MADE, "a")
        known.logged[live.entry] = Logged(stamp, live.report, live.report)
    found = short_run(known, outlook.as_of)
    assert found.total == pytest.approx(-float(outlook.chain.log_normalisers.sum()))
    assert [len(item) for item in found.indicators] == [2, 2]
    first = found.indicators[1].scored[0]
    assert first.engine != pytest.approx(first.own_past, abs=1e-6)  # the talks have been heard of since
    assert first.own_past == pytest.approx(first.engine, abs=0.5)


@pytest.mark.parametrize("dated_back", [True, False])
@pytest.mark.parametrize("seed", range(20))
def test_the_chances_of_all_that_a_report_could_say_sum_to_one(seed: int, dated_back: bool) -> None:
    """With events and origins: of the last day in every study; dated back in those without drift and `given`."""
    study, reports, coverage, as_of = random_case(
        random.Random(seed), kinds=("state", "count"), n_indicators=4, n_reports=12
    )
    indicator = next((i for i in reversed(study["indicators"]) if i["kind"] == "state"), None)
    if indicator is None:
        pytest.skip("no state to report")
    if dated_back:
        study = without_given(study) | {"drift": None}
    day = date.fromisoformat(str(study["opens"])) if dated_back else as_of
    chances = np.zeros(2)
    for name in indicator["states"]:
        last = {"indicator": indicator["id"], "observed": day.isoformat(), "state": name, "grade": "B2"}
        found = short_run(known_of(study, [*reports, last], coverage), as_of)
        [item] = [one for i in found.indicators for one in i.scored if one.entry == f"e{len(reports)}"]
        chances += np.exp([-item.engine, -item.own_past])
    assert chances == pytest.approx([1.0, 1.0], abs=1e-6)


def test_a_report_by_hand() -> None:
    """q(high) = 0.52; the own past has q first and (1/2 + ...) / (1 + n) after."""
    found = scores(short_run(known_of(study_of(STATE), [said(0), said(5, "low")]), on(9)))
    yes = 0.3 * (RHO * 0.8 + 0.25 * 0.52) / 0.52
    second = yes * (RHO * 0.2 + 0.25 * 0.48) + (1 - yes) * (RHO * 0.6 + 0.25 * 0.48)
    assert [entry for entry, _, _ in found] == ["e0", "e1"]
    assert found[0][1:] == approx(-math.log(0.52), -math.log(0.52))
    assert found[1][1:] == approx(-math.log(second), -math.log(0.48 / 2))


def test_a_report_dated_back_meets_what_was_known_when_it_was_logged() -> None:
    """Also what had been logged of later days, and not what was logged after it."""
    early_last = scores(short_run(known_of(study_of(STATE), [said(50), said(3, "low"), said(1)]), on(60)))
    in_order = scores(short_run(known_of(study_of(STATE), [said(3), said(50, "low"), said(55)]), on(60)))
    assert all(one[1:] == approx(*other[1:]) for one, other in zip(early_last, in_order, strict=True))


def test_quiet_days_and_the_event_that_ends_them_are_one_look() -> None:
    """An event on the tenth day, five quiet ones after: e^(-lambda E) lambda, mixed over the scenarios."""
    rates = {"yes": 12.0, "no": 2.0}
    study = study_of({"kind": "count", "rates": rates, "silence": "always"})
    [event, rest] = scores(short_run(known_of(study, [happened(9)]), on(14)))
    average = 0.3 * 12 + 0.7 * 2

    def told(rate: float, days: int, events: int) -> float:
        return math.exp(-rate * days / 365.25) * (RHO * rate + 0.25 * average) ** events

    def mixed(days: int, events: int) -> float:
        return 0.3 * told(12.0, days, events) + 0.7 * told(2.0, days, events)

    assert (event[0], rest[0]) == ("e0", "")
    assert event[1] == pytest.approx(-math.log(mixed(10, 1)))
    assert rest[1] == pytest.approx(-math.log(mixed(15, 1) / mixed(10, 1)))
    grid = np.linspace(1e-9, 300, 2_000_001)
    density = np.sqrt(0.5 / average / (math.pi * grid)) * np.exp(-0.5 / average * grid)
    own = [float(np.trapezoid(density * grid**n * np.exp(-grid * d / 365.25), grid)) for d, n in ((10, 1), (15, 1))]
    assert event[2] == pytest.approx(-math.log(own[0]), abs=1e-3)
    assert rest[2] == pytest.approx(-math.log(own[1] / own[0]), abs=1e-3)


def test_a_reading_by_hand() -> None:
    """First the mixture of the rows for both; then the own past is a t of two degrees of freedom."""
    values = {"yes": {"mean": 10.0, "sd": 2.0}, "no": {"mean": 20.0, "sd": 4.0}}
    reports = [happened(0, value=12.0), happened(9, value=13.0)]
    found = scores(short_run(known_of(study_of({"kind": "measure", "values": values}), reports), on(20)))

    def normal(y: float, mean: float, sd: float) -> float:
        return math.exp(-0.5 * ((y - mean) / sd) ** 2) / sd / math.sqrt(2 * math.pi)

    first = 0.3 * normal(12, 10, 2) + 0.7 * normal(12, 20, 4)
    assert found[0][1:] == approx(-math.log(first), -math.log(first))
    spread = 0.3 * (4 + 49) + 0.7 * (16 + 9)
    scale = math.sqrt((spread + 0.5 * 25) / 2 * 1.5)
    t = (13 - (17 + 12) / 2) / scale
    assert found[1][2] == pytest.approx(-math.log((1 + t * t / 2) ** -1.5 / scale / math.sqrt(8)))


# What the ledger says of time


def run_of(ledger: MemoryLedger, day: date = date(2024, 6, 30)) -> ShortRun:
    return short_run(read_study(ledger, "port").known, day)


def mood(day: str, state: str = "calm", **more: object) -> Plain:
    return {"indicator": "mood", "observed": day, "state": state, "grade": "B2", **more}


def test_rows_changed_after_the_fact_change_no_earlier_score() -> None:
    """The revision counts from its own entry, for the later reports."""
    ledger, plain = new_ledger(), new_ledger()
    for one in (ledger, plain):
        log(one, mood("2024-02-01", "hostile"))
    record(ledger, STUDY.replace("settled: [0.6, 0.3, 0.1]", "settled: [0.1, 0.3, 0.6]"))
    for one in (ledger, plain):
        log(one, mood("2024-05-01", "hostile"))
    revised, same = scores(run_of(ledger), "mood"), scores(run_of(plain), "mood")
    assert revised[0][1:] == same[0][1:]
    assert revised[1][1] < same[1][1] - 0.1


def test_a_later_correction_helps_no_report_before_it() -> None:
    """A report is scored as it stands; those after it by what was held of it then."""
    ledger, wrong, right = new_ledger(), new_ledger(), new_ledger()
    log(wrong, mood("2024-02-01", "hostile"))
    log(ledger, mood("2024-02-01", "hostile"))
    log(right, mood("2024-02-01", "calm"))
    for one in (ledger, wrong):
        log(one, mood("2024-03-01", "calm"))
    amend(ledger, "e2", state="calm")
    corrected, as_logged, said_so = (scores(run_of(one), "mood") for one in (ledger, wrong, right))
    assert corrected[0] == said_so[0] != as_logged[0]
    assert corrected[1][1] == pytest.approx(as_logged[1][1])


def test_what_is_not_scored_is_counted() -> None:
    """A retracted report, though it moved the engine while it stood; and copies."""
    ledger = new_ledger()
    log(ledger, mood("2024-02-01", origin="wire"))
    log(ledger, mood("2024-02-02", origin="wire"))
    log(ledger, mood("2024-02-03", origin="wire", grade="A1"))
    gone = log(ledger, mood("2024-03-01", "hostile"))
    log(ledger, mood("2024-03-20"))
    before = run_of(ledger)
    retract(ledger, gone.id)
    found = run_of(ledger)
    assert (before.copies, before.retracted, found.copies, found.retracted) == (2, 0, 2, 1)
    assert [entry for entry, _, _ in scores(found, "mood")] == ["e2", "e6"]
    assert scores(found, "mood")[1][1] == pytest.approx(scores(before, "mood")[2][1])


def test_coverage_told_late_is_silence_all_the_same() -> None:
    """The score of a covered span does not hang on whether it was logged before or after the log had passed it."""
    totals = []
    for order in (("cover", "log"), ("log", "cover")):
        ledger = new_ledger()
        for step in order:
            if step == "cover":
                cover(ledger, "talks", "2024-01-10", "2024-03-10")
            else:
                log(ledger, mood("2024-05-01"))
        found = run_of(ledger)
        totals.append((found.total, [(i.indicator.id, len(i)) for i in found.indicators]))
    assert totals[0][0] == pytest.approx(totals[1][0])
    assert totals[0][1] == totals[1][1]


def test_nothing_logged_and_what_is_dated_later() -> None:
    """Only silence that always counts has been foretold; nothing is scored of a later day."""
    ledger = new_ledger()
    log(ledger, mood("2024-06-01"))
    found = run_of(ledger, date(2024, 2, 1))
    assert {item.indicator.id: len(item) for item in found.indicators if len(item)} == {"raids": 1, "ballot": 1}
    assert math.isnan(found.indicators[0].gain) and found.indicators[0].error is None


def test_an_indicator_left_out_is_silent_too() -> None:
    """Neither its reports nor its quiet days are scored."""
    ledger = new_ledger()
    log(ledger, mood("2024-02-01"))
    reading = read_study(ledger, "port")
    found = short_run(reading.known, date(2024, 3, 1), silenced=["raids", "ballot"])
    assert {item.indicator.id for item in found.indicators if len(item)} == {"mood"}


def test_the_past_ends_where_the_ledger_does() -> None:
    """All changes taken, the log is the one that stands."""
    ledger = new_ledger()
    log(ledger, mood("2024-02-01"))
    gone = log(ledger, mood("2024-02-05"))
    log(ledger, {"indicator": "talks", "observed": "2024-02-09"})
    cover(ledger, "treaty", "2024-01-01", "2024-02-01")
    amend(ledger, "e2", state="tense")
    retract(ledger, gone.id)
    reading, past = read_study(ledger, "port"), Past()
    for change in changes(reading.known):
        past.take(change)
    stands, told = reading.log(), past.log(past.study())
    assert {i: [(v.entry, v.seq, v.report, v.rho) for v in live] for i, live in told.reports.items()} == {
        i: [(v.entry, v.seq, v.report, v.rho) for v in live] for i, live in stands.reports.items()
    }
    assert told.coverage == stands.coverage


# Simulated studies

ROWS = {"yes": [0.7, 0.2, 0.1], "no": [0.1, 0.3, 0.6]}
SHUFFLED = {"yes": [0.1, 0.7, 0.2], "no": [0.05, 0.9, 0.05]}


def simulated(rng: np.random.Generator, rows: dict[str, list[float]], *, count: int = 60) -> ShortRun:
    """A study with given rows, and reports drawn from `ROWS` under a scenario drawn from the prior."""
    true = "yes" if rng.random() < 0.3 else "no"
    average = 0.3 * np.array(ROWS["yes"]) + 0.7 * np.array(ROWS["no"])
    chances = RHO * np.array(ROWS[true]) + (1 - RHO) * average
    names = ["a", "b", "c"]
    reports = [said(n * 5, names[x]) for n, x in enumerate(rng.choice(3, size=count, p=chances))]
    study = study_of({"kind": "state", "states": names, "likelihoods": rows})
    return short_run(known_of(study, reports), on(count * 5))


def test_rows_that_are_right_do_no_worse_than_the_own_past() -> None:
    """On average over studies; and in no run do they seem to mislead."""
    rng = np.random.default_rng(1)
    found = [simulated(rng, ROWS).indicators[0] for _ in range(40)]
    gains = np.array([item.gain for item in found])
    assert gains.mean() > 3 * gains.std() / math.sqrt(len(gains)) > 0
    assert sum(item.verdict == "mislead" for item in found) <= 1


def test_rows_that_are_shuffled_mislead() -> None:
    """Nearly always with sixty reports; and never with fewer than ten is anything said."""
    rng = np.random.default_rng(2)
    found = [simulated(rng, SHUFFLED).indicators[0] for _ in range(30)]
    assert sum(item.verdict == "mislead" for item in found) >= 28
    assert all(item.gain < 0 for item in found)
    assert simulated(rng, SHUFFLED, count=FEWEST - 1).indicators[0].verdict == "open"


RATES = {"yes": 24.0, "no": 6.0}
VALUES = {"yes": (10.0, 2.0), "no": (20.0, 4.0)}


def simulated_count(rng: np.random.Generator, true: str, rates: dict[str, float]) -> ShortRun:
    days = np.flatnonzero(rng.random(400) < RATES[true] / 365.25)
    study = study_of({"kind": "count", "rates": rates, "silence": "always"})
    return short_run(known_of(study, [happened(int(day), grade="A1") for day in days]), on(400))


def simulated_measure(rng: np.random.Generator, true: str, values: dict[str, tuple[float, float]]) -> ShortRun:
    read = rng.normal(*VALUES[true], size=40)
    stated = {k: {"mean": mean, "sd": sd} for k, (mean, sd) in values.items()}
    reports = [happened(5 * n, value=float(y), grade="A1") for n, y in enumerate(read)]
    return short_run(known_of(study_of({"kind": "measure", "values": stated}), reports), on(200))


@pytest.mark.parametrize(
    ("simulate", "right", "wrong"),
    [
        (simulated_count, RATES, {"yes": 60.0, "no": 90.0}),
        (simulated_measure, VALUES, {"yes": (40.0, 2.0), "no": (0.0, 4.0)}),
    ],
)
def test_rates_and_values_that_are_right_gain_and_wrong_ones_lose(simulate: Any, right: Any, wrong: Any) -> None:
    """Over whole studies, quiet days and all."""
    rng = np.random.default_rng(4)
    for numbers, sign in ((right, 1.0), (wrong, -1.0)):
        trues = ["yes" if rng.random() < 0.3 else "no" for _ in range(25)]
        found = [simulate(rng, true, numbers).indicators[0] for true in trues]
        gains = sign * np.array([item.gain * len(item) for item in found])
        assert gains.mean() > 3 * gains.std() / math.sqrt(len(gains)) > 0
        assert sum(item.verdict == ("mislead" if sign > 0 else "serve") for item in found) == 0


# The command


def test_the_table_and_the_numbers_behind_it(commands: Commands) -> None:
    """One line an indicator; with --rows what the log suggests; as JSON every scored report."""
    commands.seven_entries("l.db")
    shown = commands.done("record", "--ledger", "l.db", "--as-of", "2024-06-30", "--rows").out
    for phrase in ("lower is better", "own past", "below 10 are too few", "the log suggests", "recorded on"):
        assert phrase in shown
    told = commands.done("record", "--ledger", "l.db", "--as-of", "2024-06-30", "--json").json
    [first] = [item for item in told["indicators"] if item["id"] == "mood"]
    assert first["scored"] == len(first["reports"]) == 2
    assert first["gain"] == pytest.approx(first["own_past"] - first["engine"])
    assert first["rows"]["settled"]["stated"] == [[0.6, 0.3, 0.1]]
    assert sum(first["rows"]["settled"]["suggested"][0]) == pytest.approx(1.0)
    assert told["log_score"] == pytest.approx(
        sum(one["engine"] for item in told["indicators"] for one in item["reports"])
    )


def test_nothing_strict_leaves(commands: Commands) -> None:
    """The gate refuses, and without what is above it the record is that of the rest."""
    commands.seven_entries("l.db")
    plain = commands.done("record", "--ledger", "l.db", "--as-of", "2024-06-30", "--json").json
    commands.done("log", "mood", "--state", "tense", "--on", "2024-05-05", "--tlp", "red", "--ledger", "l.db")
    place = ("record", "--ledger", "l.db", "--as-of", "2024-06-30", "--json")
    commands(*place, "--max-tlp", "amber").is_refused("one entry marked above TLP:AMBER")
    rest = commands.done(*place, "--max-tlp", "amber", "--without-above").json
    assert rest["indicators"] == plain["indicators"]
    assert rest["without"] == ["above:amber"]
