import functools
import itertools
import json
import random
import struct
import xml.etree.ElementTree as ET
import zlib
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from forecast.baseline import Baselines, Fit, Residuals
from forecast.charts import (
    COLOURS,
    DASHES,
    NotAMeasureError,
    moves_when_logged,
    png,
    power_chart,
    series_chart,
    spread,
    svg,
    timeline_chart,
    watch_chart,
)
from forecast.charts.picture import with_palette
from forecast.charts.series import Expecting
from forecast.charts.time_axis import TimeAxis, ticks
from forecast.charts.watch import drawn_looks
from forecast.display import percent
from forecast.information import Look, looks, watch_order
from forecast.outlook import Outlook
from forecast.power import Power, power
from forecast.probability import DECIBAN
from forecast.projection import projection
from forecast.release import release_power
from forecast.study import Study
from indicators.indicator import CountIndicator
from tests.forecast.build import japan_sar, outlook_of, released
from tests.strategies import AWKWARD, Case, cases, random_case

Plain = dict[str, Any]


FEW = 60
"""Draws behind a band where its width does not matter."""


def outlook_with(
    names: list[str], *, days: int = 60, n_reports: int = 12, title: str = "", question: str = ""
) -> Outlook:
    """A study with scenarios of these names and one state indicator, and reports on days drawn at random."""
    rng = random.Random(5)
    opens = date(2024, 1, 15)
    ids = [f"s{k}" for k in range(len(names))]
    study = {
        "study": "drawn",
        "title": title,
        "question": question,
        "opens": opens.isoformat(),
        "horizon": "2040-01-01",
        "scenarios": [{"id": i, "name": name} for i, name in zip(ids, names, strict=True)],
        "indicators": [
            {
                "id": "i",
                "name": names[0],
                "kind": "state",
                "states": ["none", "some"],
                "likelihoods": {i: [p, 1 - p] for i, p in zip(ids, (rng.uniform(0.1, 0.9) for _ in ids), strict=True)},
            }
        ],
    }
    reports = [
        {
            "indicator": "i",
            "observed": (opens + timedelta(days=rng.randint(0, days))).isoformat(),
            "state": rng.choice(["none", "some"]),
            "grade": "A1",
        }
        for _ in range(n_reports)
    ]
    return replace(outlook_of(study, reports, [], opens + timedelta(days=days)), draws=FEW)


def bread(scenarios: int = 2, *, n_reports: int = 10, as_of: date = date(2024, 6, 1), **indicator: object) -> Outlook:
    """A study from January 2024 to January 2025 with one measure, and readings on days drawn at random."""
    rng = random.Random(3)
    ids = [f"s{k}" for k in range(scenarios)]
    measure: Plain = {
        "id": "bread",
        "name": "Price of bread",
        "kind": "measure",
        "unit": "euro",
        "persistence": "200 d",
    }
    measure |= {"values": {s: {"mean": 2 + 0.1 * k, "sd": 0.2} for k, s in enumerate(ids)}, "check_every": "30 d"}
    study = {
        "study": "bread",
        "opens": "2024-01-01",
        "horizon": "2025-01-01",
        "scenarios": [{"id": s, "name": f"Scenario {s} with a name that is rather long"} for s in ids],
        "indicators": [
            {**measure, **indicator},
            {"id": "strike", "kind": "milestone", "rates": dict.fromkeys(ids, 0.5)},
        ],
    }
    span = (as_of - date(2024, 1, 1)).days
    reports = [
        {
            "indicator": "bread",
            "observed": (date(2024, 1, 1) + timedelta(days=rng.randint(0, span))).isoformat(),
            "value": round(rng.gauss(2, 0.3), 2),
            "grade": rng.choice(["A1", "B2", "E5"]),
        }
        for _ in range(n_reports)
    ]
    return replace(outlook_of(study, reports, [], as_of), draws=FEW)


@functools.cache
def japan(day: date) -> Outlook:
    """The worked case, made once a day for all tests."""
    return replace(japan_sar(day), draws=FEW)


def values_with(chart: Plain, field: str) -> list[Plain]:
    """The data of the first layer that has this field."""
    for layer in chart["layer"]:
        values: list[Plain] = layer.get("data", {}).get("values", [])
        if values and field in values[0]:
            return values
    return []


def pixels_of(picture: bytes) -> NDArray[np.int64]:
    """Red, green and blue of a PNG as the renderer writes it or as this package writes it again, shape (h, w, 3)."""
    chunks, at = {b"IDAT": b""}, 8
    while at < len(picture):
        (size,) = struct.unpack_from(">I", picture, at)
        kind, content = picture[at + 4 : at + 8], picture[at + 8 : at + 8 + size]
        (checked,) = struct.unpack_from(">I", picture, at + 8 + size)
        assert checked == zlib.crc32(kind + content)
        chunks[kind] = chunks[kind] + content if kind == b"IDAT" else content
        at += size + 12
    width, height = struct.unpack_from(">II", chunks[b"IHDR"])
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), dtype=np.uint8).reshape(height, -1)
    assert (rows[:, 0] == (0 if b"PLTE" in chunks else 1)).all()
    if b"PLTE" in chunks:
        return np.frombuffer(chunks[b"PLTE"], dtype=np.uint8).reshape(-1, 3)[rows[:, 1:]].astype(np.int64)
    steps = rows[:, 1:].reshape(height, width, 4).astype(np.int64)
    return (np.cumsum(steps, axis=1) % 256)[:, :, :3]


def texts_of(drawing: str) -> list[str]:
    """The texts of an SVG document, in order, lines of one text joined by a space."""
    found = ET.fromstring(drawing).iter("{http://www.w3.org/2000/svg}text")
    return [" ".join(part for part in text.itertext()) for text in found]


# Spreading


positions = st.lists(st.floats(min_value=0, max_value=1), min_size=1, max_size=20)


@settings(deadline=None)
@given(positions, st.floats(min_value=0, max_value=0.3))
def test_spread_positions_keep_their_order_a_gap_and_the_range(wanted: list[float], gap: float) -> None:
    placed = spread(wanted, gap, low=0, high=1)
    room = min(gap, 1 / max(len(wanted) - 1, 1))
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    for a, b in itertools.pairwise(order):
        assert placed[b] - placed[a] >= room - 1e-9
    assert min(placed) >= -1e-9
    assert max(placed) <= 1 + 1e-9


@settings(deadline=None)
@given(positions, st.floats(min_value=0, max_value=0.05), st.randoms(use_true_random=False))
def test_nothing_that_fits_lies_nearer_to_what_was_wanted(wanted: list[float], gap: float, rng: random.Random) -> None:
    placed = spread(wanted, gap, low=0, high=1)
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    gap = min(gap, 1 / max(len(wanted) - 1, 1))

    def distance(places: list[float]) -> float:
        return sum((place - want) ** 2 for place, want in zip(places, wanted, strict=True))

    slack = 1 - gap * (len(wanted) - 1)
    cuts = sorted(rng.uniform(0, slack) for _ in wanted)
    other = [0.0] * len(wanted)
    for place, i in enumerate(order):
        other[i] = cuts[place] + place * gap
    for share in (1.0, 0.01):
        between = [share * a + (1 - share) * b for a, b in zip(other, placed, strict=True)]
        assert distance(placed) <= distance(between) + 1e-9


def test_what_does_not_crowd_stays_where_it_is() -> None:
    assert spread([0.9, 0.1, 0.5], 0.2, low=0, high=1) == pytest.approx([0.9, 0.1, 0.5])


def test_a_crowd_spreads_about_its_middle_or_from_the_edge() -> None:
    assert spread([0.5, 0.5, 0.5], 0.1, low=0, high=1) == pytest.approx([0.4, 0.5, 0.6])
    assert spread([0.0, 0.01, 0.02], 0.1, low=0, high=1) == pytest.approx([0.0, 0.1, 0.2])
    assert spread([1.0, 1.0], 0.1, low=0, high=1) == pytest.approx([0.9, 1.0])


def test_without_room_the_gap_shrinks() -> None:
    assert spread([0.3] * 5, 0.5, low=0, high=1) == pytest.approx([0, 0.25, 0.5, 0.75, 1])
    assert spread([], 0.5, low=0, high=1) == []


# What each report did


@settings(max_examples=30, deadline=None)
@given(cases())
def test_a_move_changes_the_odds_by_the_report_s_weight_of_evidence(case: Case) -> None:
    outlook = outlook_of(*case)
    moves, items = moves_when_logged(outlook), outlook.report_contributions
    last_of_day = {item.live.report.dated: r for r, item in enumerate(items)}
    for day, r in last_of_day.items():
        after = outlook.course[outlook.study.day_index(day)]
        before = after - moves[r]
        inner = (np.minimum(after, before) > 1e-6) & (np.maximum(after, before) < 1 - 1e-6)
        change = np.log(after[inner] / (1 - after[inner])) - np.log(before[inner] / (1 - before[inner]))
        assert change == pytest.approx(items[r].decibans[inner] * DECIBAN, abs=1e-6)
    assert np.allclose(moves.sum(axis=1), 0, atol=1e-12)


def test_without_drift_and_silence_the_moves_add_up_to_the_whole() -> None:
    outlook = outlook_with(["a", "b", "c"], n_reports=30)
    whole = moves_when_logged(outlook).sum(axis=0)
    assert whole == pytest.approx(outlook.final - outlook.study.prior, abs=1e-12)


# Days


def axis(past: int, future: int, **least: float) -> TimeAxis:
    now = date(2024, 3, 1)
    return TimeAxis(now - timedelta(days=past), now, now + timedelta(days=future), **least)


@given(st.integers(0, 9000), st.integers(0, 9000))
def test_days_run_from_edge_to_edge_and_each_side_has_its_share(past: int, future: int) -> None:
    time = axis(past, future, least_past=0.5, least_future=0.2)
    days = [time.first, *sorted({time.first + timedelta(days=n * (past + future) // 20) for n in range(21)}), time.last]
    places = [time(day) for day in days]
    assert places == sorted(places)
    assert 0 <= places[0] <= places[-1] <= 530.0001
    assert time(time.as_of) == pytest.approx(time.now)
    if past:
        assert places[0] == pytest.approx(0)
        assert time.now >= 0.5 * 530 - 1e-9
    if future:
        assert places[-1] == pytest.approx(530)
        assert 530 - time.now >= 0.2 * 530 - 1e-9


def test_days_are_equally_wide_where_both_sides_have_room() -> None:
    time = axis(300, 200)
    assert time.stretch == pytest.approx(1)
    assert time.now == pytest.approx(0.6 * 530)
    assert len(time.zone(300, "then")[-1]["mark"]["text"]) == 1


@pytest.mark.parametrize(("past", "future", "says"), [(10, 1000, "narrower"), (1000, 10, "wider")])
def test_where_a_side_is_given_more_room_the_chart_says_so(past: int, future: int, says: str) -> None:
    assert axis(past, future).zone(300, "then")[-1]["mark"]["text"] == ["then", f"(days drawn {says})"]


@given(st.integers(0, 9000), st.integers(0, 9000))
def test_labels_of_days_do_not_collide(past: int, future: int) -> None:
    places = axis(past, future).encoding["axis"]["values"]
    assert places
    assert all(b - a >= 22 for a, b in itertools.pairwise(places))


@pytest.mark.parametrize("days", [0, 1, 5, 40, 70, 71, 200, 400, 1000, 3000, 9000, 30000])
@pytest.mark.parametrize("most", [4, 15])
def test_days_are_marked_in_moderate_number(days: int, most: int) -> None:
    first = date(2023, 11, 17)
    marked, _ = ticks(first, first + timedelta(days=days), most=most)
    assert 1 <= len(marked) <= most + 1
    assert marked == sorted(set(marked))
    assert first <= marked[0]
    assert marked[-1] <= first + timedelta(days=days)


# The timeline


@settings(max_examples=25, deadline=None)
@given(cases())
def test_the_chart_holds_the_course_and_is_plain_data(case: Case) -> None:
    outlook = replace(outlook_of(*case), draws=FEW)
    chart = timeline_chart(released(outlook))
    assert json.loads(json.dumps(chart, allow_nan=False)) == chart
    lines = values_with(chart, "p")
    final = {value["scenario"]: value["p"] for value in lines}
    assert [final[k] for k in range(len(outlook.final))] == pytest.approx(outlook.final.tolist(), abs=1e-5)
    assert {value["day"] for value in lines} >= {outlook.study.opens.isoformat(), outlook.as_of.isoformat()}


@settings(max_examples=25, deadline=None)
@given(cases())
def test_bands_are_the_outlook_s_and_lie_within_the_plot(case: Case) -> None:
    outlook = replace(outlook_of(*case), draws=FEW)
    chart = timeline_chart(released(outlook))
    ribbon, bars = values_with(chart, "low"), values_with(chart, "middle")
    assert all(0 <= value["low"] <= value["high"] <= 1 for value in ribbon)
    leaders = np.flatnonzero(outlook.final >= outlook.final.max() - 1e-9)
    assert {value["scenario"] for value in ribbon} == ({int(leaders[0])} if len(leaders) == 1 else set())
    by_scenario = {bar["scenario"]: bar for bar in bars}
    assert len(by_scenario) == len(bars) == min(7, len(outlook.final))
    for k, bar in by_scenario.items():
        assert bar["middle"] == outlook.final[k]
        assert (bar["from"], bar["to"]) == (outlook.bands.low[-1, k], outlook.bands.high[-1, k])
    assert [bar["middle"] for bar in bars] == sorted(outlook.final.tolist(), reverse=True)[:7]


@pytest.mark.parametrize("day", [date(2025, 4, 22), date(2026, 6, 7), date(2027, 12, 30)])
def test_the_lines_go_on_to_the_horizon_with_nothing_new(day: date) -> None:
    outlook = japan(day)
    chart = timeline_chart(released(outlook))
    to_come = values_with(chart, "then")
    course = projection(outlook).course
    assert {value["day"] for value in to_come} >= {day.isoformat(), "2027-12-31"}
    for k, p in enumerate(course[-1].tolist()):
        own = [value for value in to_come if value["scenario"] == k]
        assert own[0]["then"] == pytest.approx(outlook.final[k], abs=1e-5)
        assert (own[-1]["then"], own[-1]["x"]) == (pytest.approx(p, abs=1e-5), 530)
    ends = values_with(chart, "says")
    assert [end["aside"] for end in ends] == [percent(p) for p in course[-1].tolist()]
    assert [end["y"] for end in ends] == pytest.approx((300 * (1 - course[-1])).tolist())


def test_on_the_horizon_nothing_is_to_come() -> None:
    outlook = japan(date(2027, 12, 31))
    chart = timeline_chart(released(outlook))
    assert not values_with(chart, "then")
    assert "with nothing new" not in json.dumps(chart)
    ends = values_with(chart, "says")
    assert {end["aside"] for end in ends} == {""}
    assert [end["y"] for end in ends] == pytest.approx((300 * (1 - outlook.final)).tolist())
    assert all(530 < bar["bar"] < 570 for bar in values_with(chart, "middle"))


def test_every_scenario_is_named_at_its_end_with_its_probability() -> None:
    outlook = japan(date(2026, 6, 1))
    ends = values_with(timeline_chart(released(outlook)), "range")
    assert [end["name"].replace("\n", " ") for end in ends] == [scenario.label for scenario in outlook.study.scenarios]
    assert [end["says"] for end in ends] == [percent(p) for p in outlook.final.tolist()]
    for k, end in enumerate(ends):
        numbers = [float(word.strip("<>")) / 100 for word in end["range"].split() if word not in ("to", "%")]
        assert numbers[0] == pytest.approx(outlook.bands.low[-1, k], abs=0.011)
        assert numbers[-1] == pytest.approx(outlook.bands.high[-1, k], abs=0.011)


@pytest.mark.parametrize("days", [60, 5830])
@pytest.mark.parametrize("k", [2, 9, 10, 20])
def test_names_at_the_ends_stand_apart_and_in_order(k: int, days: int) -> None:
    names = [f"Scenario {n}: a long name that says a great deal of what would happen" for n in range(k)]
    ends = sorted(
        values_with(timeline_chart(released(outlook_with(names, days=days))), "range"), key=lambda end: end["at"]
    )
    assert [end["y"] for end in ends] == sorted(end["y"] for end in ends)
    lines = max(end["name"].count("\n") + 1 for end in ends)
    assert lines == (2 if k <= 9 else 1)
    assert all(bool(end["range"]) == (k <= 9) for end in ends)
    assert min(b["at"] - a["at"] for a, b in itertools.pairwise(ends)) >= 14 * lines
    assert all(-5 <= end["at"] <= 305 - 14 * (lines - 1) for end in ends)


@pytest.mark.parametrize("k", [2, 12])
def test_a_name_that_nobody_sees_is_replaced_by_the_id(k: int) -> None:
    ends = values_with(timeline_chart(released(outlook_with([" \u202e "] * k))), "range")
    assert [end["name"] for end in ends] == [f"s{n}" for n in range(k)]


def test_of_equal_scenarios_the_first_stands_on_top_and_none_leads() -> None:
    chart = timeline_chart(released(outlook_with(["a", "b", "c"], days=0, n_reports=0)))
    places = [end["at"] for end in values_with(chart, "range")]
    assert places == sorted(places)
    assert "scenario === -1" in json.dumps(chart)
    assert not values_with(chart, "low")
    assert chart["title"]["subtitle"][-2].endswith("The bars span 5 to 95 %.")


def test_twenty_scenarios_look_different_and_neighbours_in_both_ways() -> None:
    looks = [(COLOURS[k % len(COLOURS)], DASHES[k % len(DASHES)]) for k in range(20)]
    assert len(set(looks)) == 20
    assert all(a[0] != b[0] and a[1] != b[1] for a, b in itertools.pairwise(looks))


def test_a_scenario_looks_the_same_on_every_day() -> None:
    def ranges(day: date) -> set[str]:
        layers = timeline_chart(released(japan(day)))["layer"]
        colours = [layer["encoding"]["color"] for layer in layers if "color" in layer.get("encoding", {})]
        return {json.dumps(colour["scale"]) for colour in colours if "scale" in colour}

    assert ranges(date(2025, 4, 22)) == ranges(date(2026, 6, 1))
    assert len(ranges(date(2026, 6, 1))) == 1


def test_the_reports_that_moved_most_are_numbered_in_order_of_time() -> None:
    outlook = japan(date(2026, 6, 1))
    rows = values_with(timeline_chart(released(outlook)), "points")
    assert [row["number"] for row in rows] == list(range(1, 9))
    biggest = abs(moves_when_logged(outlook)).max(axis=1)
    weakest = min(abs(float(row["points"])) for row in rows)
    assert (100 * biggest > weakest + 0.1).sum() <= 8
    dots = values_with(timeline_chart(released(outlook)), "number")
    assert [dot["at"] for dot in dots] == sorted(dot["at"] for dot in dots)
    assert all(b["at"] - a["at"] >= 19 - 1e-9 for a, b in itertools.pairwise(dots))


def test_a_report_is_a_jump_on_its_own_day() -> None:
    outlook = outlook_with(["a", "b"], days=300, n_reports=1)
    day = outlook.report_contributions[0].live.report.dated
    here = [
        value["p"] for value in values_with(timeline_chart(released(outlook)), "p") if value["day"] == day.isoformat()
    ]
    assert here[0] == pytest.approx(0.5, abs=1e-4)
    assert here[1] == pytest.approx(outlook.final[0], abs=1e-4)
    assert len(here) == 4


def test_long_studies_have_no_more_points_than_can_be_seen() -> None:
    chart = timeline_chart(released(outlook_with(["a", "b"], days=5000, n_reports=20)))
    assert len(values_with(chart, "p")) < 2 * 900
    assert len(values_with(chart, "then")) < 2 * 130


# The series of a measure


def test_each_scenario_expects_what_its_likelihood_says() -> None:
    outlook = bread(3)
    chart = series_chart(released(outlook), "bread")
    likelihood = outlook.likelihoods["bread"]
    assert isinstance(likelihood, Expecting)
    lines = values_with(chart, "expected")
    for value in lines:
        means, _ = likelihood.expected_on(outlook.study.day_index(date.fromisoformat(value["day"])))
        assert value["expected"] == pytest.approx(means[value["scenario"]], abs=1e-4)
    assert {lines[0]["day"], lines[-1]["day"]} == {"2024-06-01", "2025-01-01"}
    means, variances = likelihood.expected_on(outlook.study.day_index(outlook.study.horizon))
    for bar in values_with(chart, "middle"):
        if "scenario" in bar:
            k, width = bar["scenario"], 1.6448536 * np.sqrt(variances[bar["scenario"]])
            assert (bar["from"], bar["middle"], bar["to"]) == pytest.approx(
                (means[k] - width, means[k], means[k] + width)
            )
    assert [float(end["says"]) for end in values_with(chart, "range")] == pytest.approx(means.tolist(), abs=0.006)


def test_the_next_reading_is_the_mixture_s_on_the_day_it_is_due() -> None:
    outlook = bread(2, check_every="30 d")
    chart = series_chart(released(outlook), "bread")
    due = outlook.indicator_boards[0].due
    likelihood = outlook.likelihoods["bread"]
    assert due and due > outlook.as_of and isinstance(likelihood, Expecting)
    (bar,) = values_with(chart, "name")[:1]
    means, variances = likelihood.expected_on(outlook.study.day_index(due))
    assert bar["middle"] == pytest.approx(outlook.final @ means)
    draws = np.random.default_rng(1)
    k = draws.choice(2, p=outlook.final, size=200_000)
    low, high = np.quantile(draws.normal(means[k], np.sqrt(variances[k])), [0.05, 0.95])
    assert (bar["from"], bar["to"]) == pytest.approx((low, high), abs=0.005)
    assert f"A reading on {due.day} {due:%b} {due.year} is expected at" in chart["description"]


def test_a_reading_is_a_dot_as_heavy_as_its_grade() -> None:
    outlook = bread(n_reports=12)
    dots = values_with(series_chart(released(outlook), "bread"), "value")
    live = outlook.likelihoods["bread"].reports.live
    assert [(dot["day"], dot["value"]) for dot in dots] == [(i.report.dated.isoformat(), i.report.value) for i in live]
    by_weight = sorted((item.rho, dot["size"], dot["opacity"]) for item, dot in zip(live, dots, strict=True))
    assert [size for _, size, _ in by_weight] == sorted(dot["size"] for dot in dots)
    assert [opacity for _, _, opacity in by_weight] == sorted(dot["opacity"] for dot in dots)
    key = [value["text"] for value in values_with(series_chart(released(outlook), "bread"), "text")]
    assert key == ["A1", "B2", "E5"]


@pytest.mark.parametrize("as_of", [date(2024, 1, 1), date(2024, 6, 1), date(2025, 1, 1)])
@pytest.mark.parametrize("k", [2, 20])
def test_everything_in_a_series_lies_within_the_plot(k: int, as_of: date) -> None:
    outlook = bread(k, as_of=as_of)
    history = [(date(2010, 5, 3), 0.4), (date(2023, 12, 31), 4.7)]
    chart = series_chart(released(outlook), "bread", history=history)
    marks = [value for layer in chart["layer"] for value in layer.get("data", {}).get("values", [])]
    domains = {json.dumps(layer["encoding"]["y"].get("scale")) for layer in chart["layer"] if "encoding" in layer}
    (domain,) = domains - {"null"}
    low, high = json.loads(domain)["domain"]
    seen = [
        m[field] for m in marks for field in ("value", "before", "low", "high", "from", "to", "expected") if field in m
    ]
    assert low <= min(value for value in seen if isinstance(value, float)) <= 0.4
    assert 4.7 <= max(value for value in seen if isinstance(value, float)) <= high
    assert [(m["day"], m["before"]) for m in values_with(chart, "before")] == [(d.isoformat(), v) for d, v in history]
    ends = sorted(values_with(chart, "range"), key=lambda end: end["at"])
    assert min(b["at"] - a["at"] for a, b in itertools.pairwise(ends)) >= 14


def test_a_measure_with_a_baseline_is_drawn_too() -> None:
    history = {"history": "bread.csv", "model": "local-level"}
    plain = bread(n_reports=0, values=None, persistence=None, baseline=history, shifts={"s0": 0.0, "s1": 0.5})
    fit = Fit(
        model="local-level",
        last_day=date(2023, 12, 1),
        points=40,
        parameters={"sigma2.level": 1e-4, "sigma2.irregular": 1e-3},
        state=[2.0],
        covariance=[[1e-3]],
        log_likelihood=0.0,
        residuals=Residuals(lags=5, statistic=1.0, p_value=0.5),
    )
    outlook = replace(plain, study=plain.study.with_baselines(Baselines(fits={"bread": fit})))
    chart = series_chart(released(outlook), "bread", history=[(date(2023, 12, 1), 2.0)])
    ends = values_with(chart, "range")
    assert float(ends[1]["says"]) - float(ends[0]["says"]) == pytest.approx(0.5, abs=0.02)
    assert values_with(chart, "name")


def test_only_a_measure_has_a_series() -> None:
    with pytest.raises(NotAMeasureError, match=r"strike is a milestone.*take one of bread"):
        series_chart(released(bread()), "strike")
    with pytest.raises(NotAMeasureError, match="this study has no measure"):
        series_chart(released(outlook_with(["a", "b"])), "i")


# Where to look next


def look_at(n: int, *, bits: float, overdue: bool = False, retired: bool = False) -> Look:
    plain = {"id": f"i{n}", "kind": "count", "rates": {"a": 1.0, "b": 2.0}, "cost": 2.0, "retired": retired}
    indicator = CountIndicator.model_validate(plain)
    return Look(indicator, None if retired else date(2024, 2, 1), overdue, bits, bits / 2)


def test_looks_stand_in_order_with_bars_as_long_as_what_they_tell() -> None:
    told = looks(japan(date(2026, 6, 7)))
    rows = values_with(drawn_looks(told, title="Where to look next", said="TLP:CLEAR"), "bits")
    ordered = watch_order(told)
    assert [row["name"] for row in rows] == [look.indicator.label for look in ordered]
    assert [row["overdue"] for row in rows] == [look.overdue for look in ordered]
    assert all((row["when"] == "overdue") == row["overdue"] for row in rows)
    most = max(look.bits_per_cost for look in ordered)
    for row, look in zip(rows, ordered, strict=True):
        assert row["end"] - 300 == pytest.approx(max(250 * look.bits_per_cost / most, 1))
    assert all(b["y"] - a["y"] == 24 for a, b in itertools.pairwise(rows))


def test_what_is_retired_is_left_out_and_what_there_is_no_room_for_is_counted() -> None:
    many = [look_at(n, bits=0.01 * n, overdue=n == 3, retired=n == 5) for n in range(50)]
    chart = drawn_looks(many, title="Where to look next", said="TLP:CLEAR")
    rows = values_with(chart, "bits")
    assert (len(rows), rows[0]["name"]) == (30, "i3")
    assert "i5" not in {row["name"] for row in rows}
    assert "and 19 more" in json.dumps(chart)
    assert chart["height"] > rows[-1]["y"] + 24


@pytest.mark.parametrize("some", [[], [look_at(1, bits=0.0)], [look_at(1, bits=1e-9)]])
def test_looks_that_tell_nothing_can_be_drawn(some: list[Look]) -> None:
    chart = drawn_looks(some, title="Where to look next", said="TLP:CLEAR")
    assert [row["bits"] for row in values_with(chart, "bits")] == [
        "0.0000" if look.bits == 0 else "<0.0001" for look in some
    ]
    ET.fromstring(svg(chart))
    assert ("No indicator is watched." in json.dumps(chart)) == (not some)


# What a study can find out


def found_out(study: Study, *, seed: int = 1) -> Power:
    """A result like one of many simulated runs, without them."""
    rng = np.random.default_rng(seed)
    K, J = len(study.scenarios), len(study.indicators)
    confusion = rng.dirichlet(np.ones(K), size=K)
    found = np.linspace(0, 1, K)
    return Power(
        study=study,
        runs=200,
        found=found,
        found_by=tuple(None if share == 0 else study.opens for share in found),
        ever=found,
        misled=(1 - found) / 2,
        confusion=confusion,
        apart=confusion,
        bits=np.zeros((J, K)),
        bits_error=np.zeros((J, K)),
    )


@pytest.mark.parametrize("n", [2, 5, 20])
def test_each_truth_has_its_bar_and_its_row_of_the_matrix(n: int) -> None:
    result = found_out(outlook_with([f"Scenario {k}" for k in range(n)]).study)
    chart = power_chart(release_power(result))
    rows, cells = values_with(chart, "found"), values_with(chart, "fill")
    assert [row["name"] for row in rows] == [f"Scenario {k}" for k in range(n)]
    for k, row in enumerate(rows):
        assert row["right"] - 250 == pytest.approx(150 * result.found[k])
        assert 400 - row["wrong"] == pytest.approx(150 * result.misled[k])
        assert row["right"] <= row["wrong"] + 1e-9
    assert (rows[0]["found"], rows[0]["by"], rows[-1]["found"]) == ("0 %", "never", "100 %")
    assert [cell["p"] for cell in cells] == pytest.approx(result.confusion.ravel().tolist(), abs=1e-4)
    assert max(cell["x2"] for cell in cells) <= 850
    for a, b in itertools.combinations(cells[: 2 * n], 2):
        assert a["x2"] <= b["x"] or b["x2"] <= a["x"] or a["y2"] <= b["y"]
    ET.fromstring(svg(chart))


def test_the_verdict_stands_above_real_runs() -> None:
    result = power(outlook_with(["a", "b"]).study, runs=2, rng=np.random.default_rng(1))
    chart = power_chart(release_power(result))
    assert chart["description"].startswith("2 simulated runs under each scenario. Watched as planned until 2040-01-01")
    assert " ".join(chart["title"]["subtitle"]) == chart["description"]


# Pictures


def all_charts() -> dict[str, Plain]:
    """One of each."""
    outlook = japan(date(2026, 6, 1))
    return {
        "timeline": timeline_chart(released(outlook)),
        "series": series_chart(
            released(outlook), "public-support", history=[(date(2015, 5, 3), 51.0), (date(2024, 5, 3), 63.0)]
        ),
        "watch": watch_chart(released(outlook)),
        "power": power_chart(release_power(found_out(outlook.study))),
    }


@pytest.mark.parametrize("name", ["timeline", "series", "watch", "power"])
def test_a_drawing_needs_nothing_from_outside_and_has_its_texts_as_text(name: str) -> None:
    chart = all_charts()[name]
    plain = json.dumps(chart, allow_nan=False)
    assert plain.count("http") == 1  # the name of the format
    assert '"url"' not in plain
    drawing = svg(chart)
    assert "http" not in drawing.replace("http://www.w3.org/", "")
    texts = " ".join(texts_of(drawing))
    assert " ".join(chart["title"]["text"]) in texts
    assert all(line in texts for line in chart["title"]["subtitle"])


def test_the_timeline_says_all_that_it_has_to_say() -> None:
    outlook = japan(date(2026, 6, 1))
    texts = texts_of(svg(timeline_chart(released(outlook))))
    assert outlook.study.title in texts
    assert any(text.startswith("How far will Japan") for text in texts)
    assert any("As of 1 Jun 2026, from" in text for text in texts)
    assert any("with nothing new" in text for text in texts)
    assert {"31 Dec 2027", "1 Jun 2026"} <= set(texts)
    assert {"100 %", "0 %", "The reports that moved it most"} <= set(texts)
    for scenario, p in zip(outlook.study.scenarios, outlook.final.tolist(), strict=True):
        assert scenario.label in texts
        assert percent(p) in texts
    assert set("12345678") <= set(texts)


def test_a_title_of_one_s_own_takes_the_place_of_the_study_s() -> None:
    chart = timeline_chart(released(outlook_with(["a", "b"], title="Old")), title="New")
    assert chart["title"]["text"] == ["New"]


def test_texts_are_drawn_in_pixels_too() -> None:
    """A font that the renderer lacks draws nothing and says nothing: two letters would then give the same picture."""
    outlook = outlook_with(["a", "b"])

    def drawn(letter: str, font: object) -> bytes:
        return png(
            {
                "$schema": timeline_chart(released(outlook))["$schema"],
                "width": 60,
                "height": 30,
                "autosize": "none",
                "data": {"values": [{}]},
                "mark": {"type": "text", "text": letter, "font": font},
                "encoding": {"x": {"value": 30}, "y": {"value": 15}},
            }
        )

    chart = timeline_chart(released(outlook))
    for font in (chart["config"]["font"], chart["title"]["font"], chart["config"]["text"]["font"]):
        assert drawn("M", font) != drawn("i", font)


def test_a_picture_is_a_png_of_the_size_asked_for() -> None:
    chart = timeline_chart(released(outlook_with(["Yes", "No"])))
    once, twice = png(chart, scale=1), png(chart, scale=2)
    for picture in (once, twice):
        assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    width, doubled = (int.from_bytes(picture[16:20], "big") for picture in (once, twice))
    assert 700 < width < 1000
    assert abs(doubled - 2 * width) <= 2


AWKWARD_TEXTS = ["".join(AWKWARD[:20]), "".join(AWKWARD[20:-1]), "\ufffe\uffff\x00"]


@pytest.mark.parametrize("text", AWKWARD_TEXTS)
def test_no_text_of_a_user_breaks_a_drawing(text: str) -> None:
    outlook = outlook_with([text[:150] + "1", text[-150:] + "2"], title=text[:200], question=text)
    measured = bread(name=text[:150], unit=text[:60] or None)
    charts = [
        timeline_chart(released(outlook)),
        series_chart(released(measured), "bread"),
        watch_chart(released(measured), title=text),
        power_chart(release_power(found_out(outlook.study))),
    ]
    for chart in charts:
        drawing = ET.fromstring(svg(chart))
        assert not list(drawing.iter("{http://www.w3.org/2000/svg}script"))
        assert not list(drawing.iter("{http://www.w3.org/2000/svg}image"))


@pytest.mark.parametrize(("mean", "sd"), [(1e15, 1e-3), (0.0, 1e-9), (1e-12, 1e-13), (5.0, 1e6)])
def test_readings_of_any_size_can_be_drawn(mean: float, sd: float) -> None:
    values = {"s0": {"mean": mean, "sd": sd}, "s1": {"mean": mean, "sd": 2 * sd}}
    chart = series_chart(released(bread(n_reports=0, as_of=date(2024, 1, 1), values=values)), "bread")
    assert "NaN" not in svg(chart)
    assert max(len(end["says"]) for end in values_with(chart, "range")) < 12


@pytest.mark.parametrize("seed", range(3))
def test_random_cases_can_be_drawn(seed: int) -> None:
    outlook = replace(outlook_of(*random_case(random.Random(seed))), draws=FEW)
    ET.fromstring(svg(timeline_chart(released(outlook))))
    ET.fromstring(svg(watch_chart(released(outlook))))


def test_a_picture_written_again_is_small_and_looks_the_same() -> None:
    import vl_convert

    chart = timeline_chart(released(japan(date(2026, 6, 1))))
    full = vl_convert.vegalite_to_png(chart, vl_version="6.4", scale=1)
    small = with_palette(full)
    assert len(small) < len(full) / 3
    difference = abs(pixels_of(small) - pixels_of(full)).max(axis=-1)
    assert difference.mean() < 0.5
    assert (difference > 8).mean() < 0.002
    assert (pixels_of(small)[0, 0] == 255).all()
    assert with_palette(small) == small


def test_a_picture_that_one_can_see_through_stays_as_it_is() -> None:
    import vl_convert

    chart = {**timeline_chart(released(outlook_with(["a", "b"]))), "background": None}
    full = vl_convert.vegalite_to_png(chart, vl_version="6.4", scale=1)
    assert with_palette(full) == full


def test_nothing_is_fetched_for_a_picture() -> None:
    chart = {
        "$schema": timeline_chart(released(outlook_with(["a", "b"])))["$schema"],
        "data": {"url": "http://example.invalid/x.csv"},
        "mark": "point",
        "encoding": {"x": {"field": "a", "type": "quantitative"}},
    }
    with pytest.raises(ValueError, match="allowed"):
        svg(chart)
