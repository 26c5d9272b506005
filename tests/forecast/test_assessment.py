"""Confidence at its exact edges, words with their range, worlds of a hundred, flags, and what the paragraph says."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.assessment import confidence, flags, frequencies, paragraph, unobserved, words_with_range
from forecast.cli.main import run
from forecast.display import percent, points
from forecast.draws import Bands
from forecast.outlook import Outlook
from forecast.words import SCALES, word_for
from tests.forecast.build import japan_sar, outlook_of
from tests.small import STUDY
from tests.strategies import probability_vectors, random_case

Plain = dict[str, Any]

OPENS = date(2025, 1, 1)
STATE: Plain = {"id": "signs", "kind": "state", "states": ["low", "high"]}
ROWS = {"likelihoods": {"yes": [0.2, 0.8], "no": [0.6, 0.4]}}


def study_of(*indicators: Plain, prior: float = 0.5, **more: Any) -> Plain:
    return {
        "study": "small",
        "opens": OPENS.isoformat(),
        "horizon": "2026-01-01",
        "scenarios": [{"id": "yes", "name": "It does", "prior": prior}, {"id": "no", "prior": 1 - prior}],
        "indicators": list(indicators) or [STATE | ROWS],
        **more,
    }


def said(day: int, grade: str = "B2", **more: Any) -> Plain:
    observed = (OPENS + timedelta(days=day)).isoformat()
    return {"indicator": "signs", "observed": observed, "state": "high", "grade": grade, **more}


def with_band(outlook: Outlook, *, low: Sequence[float], high: Sequence[float], final: Sequence[float]) -> Outlook:
    """The same outlook had filter and draws said this of the last day."""
    outlook = replace(outlook)
    days = (outlook.length, 1)
    outlook.__dict__["course"] = np.tile(final, days)
    outlook.__dict__["bands"] = Bands(np.tile(low, days), np.tile(high, days), np.tile(final, days))
    return outlook


def events(n: int, *, overdue: bool = False) -> Outlook:
    """So many events of weight 0.75, the last one a week ago, or so long ago that a look is overdue."""
    indicator = STATE | ROWS | {"check_every": "30 d"}
    reports = [said(day) for day in range(n)]
    return outlook_of(study_of(indicator), reports, [], OPENS + timedelta(days=80 if overdue or not n else n + 6))


# Confidence


@pytest.mark.parametrize(
    ("width", "number", "overdue", "level"),
    [
        (0.15, 10, False, "high"),
        (0.1499, 300, False, "high"),
        (0.1501, 10, False, "moderate"),
        (0.15, 9, False, "moderate"),
        (0.15, 10, True, "moderate"),
        (0.05, 3, False, "moderate"),
        (0.05, 3, True, "moderate"),
        (0.40, 3, False, "moderate"),
        (0.40, 10, True, "moderate"),
        (0.4001, 10, False, "low"),
        (0.4001, 3, True, "low"),
        (0.40, 2, False, "low"),
        (0.05, 2, False, "low"),
        (0.05, 0, False, "low"),
        (0.05, 0, True, "low"),
    ],
)
def test_every_edge_of_the_confidence_statement(width: float, number: int, overdue: bool, level: str) -> None:
    """Wherever on the scale the band lies: what rounding leaves of its width decides nothing."""
    outlook = events(number, overdue=overdue or number == 0)
    if number == 0 and not overdue:
        outlook = replace(outlook, as_of=OPENS + timedelta(days=5))
    for low in (0.25, 0.3, 0.41, 0.55, 1 - width):
        held = with_band(outlook, low=[low, 0.0], high=[low + width, 1.0], final=[0.6, 0.4])
        assert confidence(held).level == level, low


@pytest.mark.parametrize(("low", "high"), [(0.25, 0.40), (0.55, 0.70), (0.80, 0.95), (0.05, 0.20), (0.3, 0.45)])
def test_fifteen_points_are_fifteen_points(low: float, high: float) -> None:
    held = with_band(events(10), low=[low, 0.0], high=[high, 1.0], final=[0.6, 0.4])
    assert confidence(held).level == "high"


@pytest.mark.parametrize(
    ("low", "high", "told", "level"),
    [
        (0.5, 0.64, "14", "high"),
        (0.5, 0.65, "15", "high"),
        (0.5, 0.654, "15.4", "moderate"),
        (0.5, 0.6501, "15.01", "moderate"),
        (0.5, 0.656, "16", "moderate"),
        (0.5, 0.9, "40", "moderate"),
        (0.5, 0.903, "40.3", "low"),
        (0.1, 0.976, "88", "low"),
    ],
)
def test_the_width_is_told_so_that_it_agrees_with_the_level(low: float, high: float, told: str, level: str) -> None:
    """As many decimals as show on which side of a limit it lies."""
    sure = confidence(with_band(events(10), low=[low, 0.0], high=[high, 1.0], final=[0.6, 0.4]))
    assert sure.level == level
    assert sure.why.startswith(f"the band of the leading scenario is {told} points wide,")


@pytest.mark.parametrize(("low", "high"), [(0.3, 0.7), (0.1, 0.5), (0.45, 0.85), (0.55, 0.95), (0.15, 0.55)])
def test_forty_points_are_forty_points(low: float, high: float) -> None:
    held = with_band(events(10), low=[low, 0.0], high=[high, 1.0], final=[0.6, 0.4])
    assert confidence(held).level == "moderate"


def test_the_width_is_that_of_the_leader() -> None:
    narrow, wide = (0.55, 0.65), (0.0, 0.9)
    outlook = events(10)
    for k, final in enumerate(([0.6, 0.4], [0.4, 0.6])):
        low, high = zip(*((narrow, wide) if k == 0 else (wide, narrow)), strict=True)
        held = with_band(outlook, low=low, high=high, final=final)
        assert confidence(held).level == "high"
        assert "10 points wide" in confidence(held).why


@pytest.mark.parametrize(
    ("reports", "number"),
    [
        ([said(1, "C3"), said(2, "F6"), said(3, "A6")], 3),
        ([said(1, "B4"), said(2, "D1"), said(3, "A4"), said(4, "E1")], 0),
        ([said(1, event="a"), said(2, event="a", origin="x"), said(3, "D4", event="a")], 1),
        ([said(1, "D4", event="a"), said(2, event="a")], 1),
        ([said(1, "D4", event="a", origin="x"), said(2, "D4", event="a", origin="y")], 0),
        ([said(day, origin="wire") for day in range(1, 12)], 1),
        ([said(1), said(1), said(30)], 2),
        ([{k: v for k, v in said(n).items() if k != "grade"} for n in range(3)], 3),
    ],
    ids=["one half is enough", "less is not", "one event", "one good report is enough", "no weak ones together",
         "copies are one", "not what is dated later", "ungraded is F6"],
)  # fmt: skip
def test_what_counts_as_an_event(reports: list[Plain], number: int) -> None:
    """Events, not reports; of weight 0.5 by the report that counts; up to the as-of day."""
    outlook = outlook_of(study_of(), reports, [], OPENS + timedelta(days=20))
    assert f"{number} event{'' if number == 1 else 's'} of weight 0.5 or more" in confidence(outlook).why


def test_a_look_is_overdue_on_the_day_after_it_was_due() -> None:
    indicator = STATE | ROWS | {"check_every": "30 d"}
    told = [
        confidence(outlook_of(study_of(indicator), [said(4)], [], OPENS + timedelta(days=day))).why for day in (34, 35)
    ]
    assert told[0].endswith("no look is overdue") and told[1].endswith("one look is overdue")


# Words


@pytest.mark.parametrize(
    ("scale", "low", "here", "high", "words"),
    [
        ("icd203", 0.46, 0.50, 0.54, "roughly even chance"),
        ("icd203", 0.30, 0.50, 0.70, "roughly even chance"),
        ("icd203", 0.19, 0.50, 0.70, "roughly even chance (very unlikely to likely)"),
        ("icd203", 0.30, 0.50, 0.81, "roughly even chance (unlikely to very likely)"),
        ("icd203", 0.44, 0.60, 0.70, "likely (unlikely to likely)"),
        ("icd203", 0.46, 0.60, 0.94, "likely"),
        ("icd203", 0.001, 0.03, 0.19, "almost no chance"),
        ("icd203", 0.001, 0.03, 0.21, "almost no chance (almost no chance to unlikely)"),
        ("icd203", 0.81, 0.999, 1.0, "almost certain"),
        ("phia", 0.40, 0.52, 0.53, "realistic possibility"),
        ("phia", 0.26, 0.45, 0.60, "realistic possibility"),
        ("phia", 0.20, 0.45, 0.60, "realistic possibility (highly unlikely to likely or probably)"),
        ("phia", 0.40, 0.65, 0.93, "likely or probably (realistic possibility to almost certain)"),
        ("phia", 0.40, 0.65, 0.92, "likely or probably"),
    ],
)
def test_the_range_of_words(scale: str, low: float, here: float, high: float, words: str) -> None:
    """It follows where an edge of the band lies more than one word away, and names the words of both edges."""
    outlook = outlook_of(study_of(words=scale), [], [], OPENS)
    held = with_band(outlook, low=[low, 1 - high], high=[high, 1 - low], final=[here, 1 - here])
    assert words_with_range(held)[0] == words


@pytest.mark.parametrize(
    ("p", "word"),
    [
        (0.05, "remote chance"), (0.0749, "remote chance"), (0.075, "highly unlikely"), (0.10, "highly unlikely"),
        (0.2249, "highly unlikely"), (0.225, "unlikely"), (0.3749, "unlikely"), (0.375, "realistic possibility"),
        (0.5249, "realistic possibility"), (0.525, "realistic possibility"), (0.5251, "likely or probably"),
        (0.775, "likely or probably"), (0.7751, "highly likely"), (0.925, "highly likely"), (0.9251, "almost certain"),
        (0.0, "remote chance"), (1.0, "almost certain"),
    ],
)  # fmt: skip
def test_gaps_and_ties_of_phia(p: float, word: str) -> None:
    """A number in a gap takes the nearer band, on a tie the one nearer to one half."""
    assert word_for(p, "phia") == word
    outlook = outlook_of(study_of(words="phia"), [], [], OPENS)
    assert words_with_range(with_band(outlook, low=[p, 1 - p], high=[p, 1 - p], final=[p, 1 - p]))[0] == word


@settings(max_examples=200, deadline=None, derandomize=True)
@given(scale=st.sampled_from(["icd203", "phia"]), numbers=st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_a_range_is_told_when_it_is_more_than_a_word_away_and_only_then(scale: str, numbers: list[float]) -> None:
    low, here, high = sorted(numbers)
    outlook = outlook_of(study_of(words=scale), [], [], OPENS)
    told = words_with_range(with_band(outlook, low=[low, 0], high=[high, 1], final=[here, 1 - here]))[0]
    names = [band.word for band in SCALES[scale]]
    places = [names.index(word_for(p, scale)) for p in (low, here, high)]
    wide = places[1] - places[0] > 1 or places[2] - places[1] > 1
    assert told == names[places[1]] + (f" ({names[places[0]]} to {names[places[2]]})" if wide else "")


# Worlds


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.integers(2, 20).flatmap(probability_vectors))
def test_worlds_add_up_to_a_hundred_and_stay_within_one(p: list[float]) -> None:
    worlds = frequencies(np.array(p))
    assert sum(worlds) == 100 and min(worlds) >= 0
    assert all(abs(n - 100 * x) < 1 + 1e-9 for n, x in zip(worlds, p, strict=True))


@pytest.mark.parametrize(
    ("p", "worlds"),
    [
        ([0.58, 0.42], [58, 42]),
        ([0.29, 0.71], [29, 71]),
        ([0.005, 0.995], [1, 99]),
        ([0.5, 0.5], [50, 50]),
        ([1 / 3] * 3, [34, 33, 33]),
        ([1.0, 0.0], [100, 0]),
        ([1 / 7] * 7, [15, 15, 14, 14, 14, 14, 14]),
        ([0.001] * 19 + [0.981], [1, 1] + [0] * 17 + [98]),
    ],
)
def test_worlds_by_hand(p: list[float], worlds: list[int]) -> None:
    assert frequencies(np.array(p)) == worlds


# Flags


def test_a_quiet_study_in_order_has_no_flags() -> None:
    assert flags(events(10)) == []


def test_overdue_looks_are_named() -> None:
    looked = [STATE | ROWS | {"id": name, "check_every": "10 d"} for name in ("a", "b", "c")]
    reports = [said(1, indicator="a"), said(18, indicator="b"), said(2, indicator="c")]
    outlook = outlook_of(study_of(*looked), reports, [], OPENS + timedelta(days=20))
    assert flags(outlook) == ["2 looks are overdue: a, c"]
    later = replace(outlook, as_of=OPENS + timedelta(days=13))
    assert flags(later) == ["3 looks are overdue: a, b, c"]
    one = outlook_of(study_of(*looked[:2]), reports[:2], [], OPENS + timedelta(days=20))
    assert flags(one) == ["one look is overdue: a"]


def test_the_alarm_is_flagged() -> None:
    """Thirty reports of what every scenario takes for all but impossible."""
    rows = {"likelihoods": {"yes": [0.98, 0.02], "no": [0.95, 0.05]}}
    outlook = outlook_of(study_of(STATE | rows), [said(n) for n in range(30)], [], OPENS + timedelta(days=30))
    assert any(flag.startswith("no scenario here expected these reports") for flag in flags(outlook))


def test_what_moves_together_is_flagged_with_the_figure() -> None:
    rng = random.Random(3)
    pair = [STATE | {"id": name} | ROWS for name in ("one", "two")]
    reports = []
    for n in range(30):
        state = rng.choice(["low", "high", "high"])
        reports += [said(10 * n, "A1", indicator=name, state=state) for name in ("one", "two")]
    outlook = outlook_of(study_of(*pair), reports, [], OPENS + timedelta(days=300))
    (told,) = (flag for flag in flags(outlook) if "move together" in flag)
    assert re.match(r'"one" and "two" move together \(\+1\.\d\d over 30 pairs of events\)', told)


def seen_on(days: set[int], as_of: int) -> list[tuple[int, int]]:
    """Runs of 60 days or more of 0 .. as_of that are not among the days, the slow way."""
    runs, start = [], None
    for day in range(as_of + 2):
        quiet = day <= as_of and day not in days
        if quiet and start is None:
            start = day
        elif not quiet and start is not None:
            if day - start >= 60:
                runs.append((start, day - 1))
            start = None
    return runs


@pytest.mark.parametrize("seed", range(40))
def test_unobserved_spans_are_the_long_gaps(seed: int) -> None:
    """Against a plain walk through the days: reports of a day, counts over a span, and coverage are looks."""
    rng = random.Random(seed)
    count = {"id": "calls", "kind": "count", "rates": {"yes": 5.0, "no": 2.0}}
    as_of = rng.randint(0, 364)
    days: set[int] = set()
    reports, coverage = [], []
    for _ in range(rng.randint(0, 3)):
        day = rng.randint(0, 364)
        reports.append(said(day))
        days |= {day} if day <= as_of else set()
    first = rng.randint(0, 300)
    last = first + rng.randint(0, 40)
    span = {name: (OPENS + timedelta(days=day)).isoformat() for name, day in (("from", first), ("to", last))}
    if rng.random() < 0.5:
        reports.append({"indicator": "calls", **span, "count": 1, "grade": "B2"})
        days |= set(range(first, last + 1)) if last <= as_of else set()
    else:
        coverage.append({"indicator": "calls", **span})
        days |= set(range(first, last + 1))
    outlook = outlook_of(study_of(STATE | ROWS, count), reports, coverage, OPENS + timedelta(days=as_of))
    found = [((span.first - OPENS).days, (span.last - OPENS).days) for span in unobserved(outlook)]
    assert found == seen_on(days, as_of)
    for span_found, flag in zip(unobserved(outlook), [f for f in flags(outlook) if "unobserved" in f], strict=True):
        assert flag.startswith(f"unobserved from {span_found.first} to {span_found.last} ({span_found.days} days)")


def test_sixty_days_are_told_and_fifty_nine_are_not() -> None:
    told = [
        unobserved(outlook_of(study_of(), [said(0), said(gap + 1)], [], OPENS + timedelta(days=gap + 1)))
        for gap in (59, 60)
    ]
    assert [len(spans) for spans in told] == [0, 1]
    assert told[1][0].days == 60


def test_flags_of_the_ledger_come_first() -> None:
    outlook = outlook_of(study_of(), [], [], OPENS + timedelta(days=100))
    assert flags(outlook, known=["rows were changed"])[0] == "rows were changed"
    assert len(flags(outlook, known=["rows were changed"])) == 2


# The paragraph


def numbers(text: str) -> list[str]:
    return re.findall(r"[<>]?\d+(?:\.\d+)? %", text)


@pytest.mark.parametrize("seed", range(25))
def test_the_paragraph_has_the_figures_of_the_outlook(seed: int) -> None:
    """Leader, band, runner-up, worlds, change and confidence; each read back from the sentence it stands in."""
    study, reports, coverage, as_of = random_case(random.Random(seed))
    outlook = outlook_of(study, reports, coverage, as_of)
    order = np.argsort(-outlook.final, kind="stable")
    leader, second = (outlook.study.scenarios[k] for k in order[:2])
    told = paragraph(outlook)
    first, worlds = (
        told[: told.index(". Of 100")],
        told[told.index("Of 100 worlds") : told.index(". ", told.index("Of 100"))],
    )
    low, high = (percent(float(edge[-1, order[0]])) for edge in (outlook.bands.low, outlook.bands.high))
    p, q = (percent(float(outlook.final[k])) for k in order[:2])
    assert first == (
        f"As of {as_of}, {leader.label} stands at {p} ({low} to {high}), "
        f"ahead of {second.label} with {q}; in words: {words_with_range(outlook)[order[0]]}"
    )
    counted = {name: int(n) for n, name in re.findall(r"(\d+) end in (Way \d)", worlds)}
    expected = zip((s.label for s in outlook.study.scenarios), frequencies(outlook.final), strict=True)
    assert counted == {name: n for name, n in expected if n}
    assert list(counted.values()) == sorted(counted.values(), reverse=True)
    assert told.endswith(f"Confidence is {confidence(outlook).level}: {confidence(outlook).why}.")


@pytest.mark.parametrize("since", [-1, 0, 3, 10, 39, 40])
def test_the_change_is_that_since_the_day(since: int) -> None:
    """From the priors on where the day lies before the first; from the end of the day on else."""
    reports = [said(0), said(4, "A1"), said(12, state="low"), said(40, "A1")]
    outlook = outlook_of(study_of(prior=0.3), reports, [], OPENS + timedelta(days=40))
    before = 0.3 if since < 0 else float(outlook.course[since, 0])
    leader = int(outlook.final.argmax())
    change = float(outlook.final[leader]) - (before if leader == 0 else 1 - before)
    day = OPENS + timedelta(days=since)
    told = paragraph(outlook, since=day)
    if since == 40:
        assert f"Nothing has moved it since {day}." in told
    else:
        assert f"Since {day} it has moved by {points(change)} points, most of all through a report on signs." in told


def test_what_moved_it_most_is_named() -> None:
    """The two largest rows, each once: drift as time passing, silence and reports by their indicators."""
    calls = {"id": "calls", "name": "Calls", "kind": "count", "rates": {"yes": 90.0, "no": 1.0}, "silence": "always"}
    study = study_of(STATE | ROWS, calls, drift={"half_life": "20 d"})
    outlook = outlook_of(study, [said(30)], [], OPENS + timedelta(days=31))
    rows = sorted(outlook.rows_since(OPENS + timedelta(days=1)), key=lambda row: -abs(row.log_odds).max())
    assert [row.what for row in rows[:2]] == ["silence", "drift"]
    assert "most of all through silence on Calls and time passing." in paragraph(outlook)


def test_equals_are_not_ahead_of_each_other() -> None:
    """Two scenarios at the same probability."""
    told = paragraph(outlook_of(study_of(), [], [], OPENS))
    assert "50.0 %" in told and "level with no with 50.0 %" in told and "ahead of" not in told


def test_the_case_reads_like_a_judgement() -> None:
    outlook = japan_sar(date(2026, 6, 7))
    told = paragraph(outlook)
    for figure in numbers(told):
        assert figure in {percent(float(x)) for x in (*outlook.final, *outlook.bands.low[-1], *outlook.bands.high[-1])}
    assert "nan" not in told and "  " not in told and told.count("..") == 0


def test_the_commands_tell_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Paragraph, worlds and confidence in explain, status, JSON and Markdown."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORECAST_LEDGER", raising=False)
    (tmp_path / "port.yaml").write_text(STUDY)
    as_of = ["--as-of", "2024-05-31"]
    outputs = {}
    assert run(["study", "add", "port.yaml"]) == 0
    assert run(["log", "mood", "--state", "hostile", "--on", "2024-02-01"]) == 0
    for name, arguments in {
        "explain": ["explain", "--json"],
        "since": ["explain", "--json", "--since", "2023-12-31"],
        "table": ["explain"],
        "status": ["status"],
        "export": ["export"],
        "page": ["export", "--format", "markdown"],
    }.items():
        capsys.readouterr()
        assert run([*arguments, *as_of]) == 0
        outputs[name] = capsys.readouterr().out
    told, whole = json.loads(outputs["explain"]), json.loads(outputs["export"])
    sure = f"confidence {whole['confidence']['level']}: {whole['confidence']['why']}"
    assert sure in " ".join(outputs["status"].split())
    assert told["paragraph"].endswith(f"Confidence is {whole['confidence']['level']}: {whole['confidence']['why']}.")
    for shown in (outputs["page"], outputs["table"]):
        assert told["paragraph"] in " ".join(shown.split())
    leader = max(whole["scenarios"], key=lambda item: float(item["probability"]))
    assert f"{leader['name']} stands at {percent(leader['probability'])} (" in told["paragraph"]
    assert f"; in words: {leader['words']}. " in told["paragraph"]
    assert sum(told["frequencies"].values()) == 100
    from_priors = json.loads(outputs["since"])
    moved = leader["probability"] - leader["prior"]
    assert f"Since 2023-12-31 it has moved by {points(moved)} points" in from_priors["paragraph"]
    assert from_priors["from"][leader["id"]] == leader["prior"]
