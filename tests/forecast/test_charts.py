import itertools
import json
import random
import xml.etree.ElementTree as ET
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast import charts
from forecast.charts import COLOURS, DASHES, moves_when_logged, png, spread, svg, timeline_chart
from forecast.display import percent
from forecast.outlook import Outlook
from forecast.probability import DECIBAN
from tests.forecast.build import japan_sar, outlook_of
from tests.strategies import AWKWARD, Case, cases, random_case

Plain = dict[str, Any]


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
    return outlook_of(study, reports, [], opens + timedelta(days=days))


def values_with(chart: Plain, field: str) -> list[Plain]:
    """The data of the first layer that has this field."""
    for layer in chart["layer"]:
        values: list[Plain] = layer.get("data", {}).get("values", [])
        if values and field in values[0]:
            return values
    return []


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


# The specification


@settings(max_examples=25, deadline=None)
@given(cases())
def test_the_chart_holds_the_course_and_is_plain_data(case: Case) -> None:
    outlook = outlook_of(*case)
    chart = timeline_chart(outlook)
    assert json.loads(json.dumps(chart, allow_nan=False)) == chart
    lines = values_with(chart, "p")
    final = {value["scenario"]: value["p"] for value in lines}
    assert [final[k] for k in range(len(outlook.final))] == pytest.approx(outlook.final.tolist(), abs=1e-5)
    assert {value["day"] for value in lines} >= {outlook.study.opens.isoformat(), outlook.as_of.isoformat()}


def test_every_scenario_is_named_at_its_end_with_its_probability() -> None:
    outlook = japan_sar(date(2026, 6, 1))
    ends = values_with(timeline_chart(outlook), "rise")
    assert [end["name"].replace("\n", " ") for end in ends] == [scenario.label for scenario in outlook.study.scenarios]
    assert [end["percent"] for end in ends] == [percent(p) for p in outlook.final.tolist()]


@pytest.mark.parametrize("k", [2, 9, 10, 20])
def test_names_at_the_ends_stand_apart_and_in_order(k: int) -> None:
    outlook = outlook_with([f"Scenario {n}: a long name that says a great deal of what would happen" for n in range(k)])
    ends = sorted(values_with(timeline_chart(outlook), "rise"), key=lambda end: end["at"])
    assert [end["p"] for end in ends] == sorted(end["p"] for end in ends)
    lines = max(end["name"].count("\n") + 1 for end in ends)
    assert lines == (2 if k <= 9 else 1)
    pixels = [300 * (b["at"] - a["at"]) for a, b in itertools.pairwise(ends)]
    assert min(pixels) >= 14 * lines
    assert all(-0.02 <= end["at"] <= 1.02 for end in ends)


@pytest.mark.parametrize("k", [2, 12])
def test_a_name_that_nobody_sees_is_replaced_by_the_id(k: int) -> None:
    ends = values_with(timeline_chart(outlook_with([" \u202e "] * k)), "rise")
    assert [end["name"] for end in ends] == [f"s{n}" for n in range(k)]


def test_of_equal_scenarios_the_first_stands_on_top_and_none_leads() -> None:
    chart = timeline_chart(outlook_with(["a", "b", "c"], days=0, n_reports=0))
    heights = [end["at"] for end in values_with(chart, "rise")]
    assert heights == sorted(heights, reverse=True)
    assert "scenario === -1" in json.dumps(chart)


def test_twenty_scenarios_look_different_and_neighbours_in_both_ways() -> None:
    looks = [(COLOURS[k % len(COLOURS)], DASHES[k % len(DASHES)]) for k in range(20)]
    assert len(set(looks)) == 20
    assert all(a[0] != b[0] and a[1] != b[1] for a, b in itertools.pairwise(looks))


def test_a_scenario_looks_the_same_on_every_day() -> None:
    def looks(day: date) -> list[Plain]:
        layers = timeline_chart(japan_sar(day))["layer"]
        return [layer["encoding"]["color"] for layer in layers if "color" in layer.get("encoding", {})]

    assert looks(date(2025, 6, 1)) == looks(date(2026, 6, 1))


def test_the_reports_that_moved_most_are_numbered_in_order_of_time() -> None:
    outlook = japan_sar(date(2026, 6, 1))
    rows = values_with(timeline_chart(outlook), "says")
    assert [row["number"] for row in rows] == list(range(1, 9))
    biggest = abs(moves_when_logged(outlook)).max(axis=1)
    weakest = min(abs(float(row["points"])) for row in rows)
    assert (100 * biggest > weakest + 0.1).sum() <= 8
    dots = values_with(timeline_chart(outlook), "at")
    assert [dot["at"] for dot in dots] == sorted(dot["at"] for dot in dots)


def test_a_report_is_a_jump_on_its_own_day() -> None:
    outlook = outlook_with(["a", "b"], days=300, n_reports=1)
    day = outlook.report_contributions[0].live.report.dated
    here = [value["p"] for value in values_with(timeline_chart(outlook), "p") if value["day"] == day.isoformat()]
    assert here[0] == pytest.approx(0.5, abs=1e-4)
    assert here[1] == pytest.approx(outlook.final[0], abs=1e-4)
    assert len(here) == 4


@pytest.mark.parametrize("days", [0, 1, 5, 40, 70, 71, 200, 400, 1000, 3000, 9000])
def test_days_are_marked_in_moderate_number(days: int) -> None:
    first = date(2023, 11, 17)
    ticks, _ = charts._ticks(first, first + timedelta(days=days))
    assert 1 <= len(ticks) <= (26 if days > 5000 else 16)
    assert ticks == sorted(set(ticks))
    assert first <= ticks[0]
    assert ticks[-1] <= first + timedelta(days=days)


def test_long_studies_have_no_more_points_than_can_be_seen() -> None:
    outlook = outlook_with(["a", "b"], days=5000, n_reports=20)
    assert len(values_with(timeline_chart(outlook), "p")) < 2 * 900


# Pictures


def test_a_drawing_has_its_texts_as_text() -> None:
    outlook = japan_sar(date(2026, 6, 1))
    texts = texts_of(svg(timeline_chart(outlook)))
    assert outlook.study.title in texts
    assert any(text.startswith("How far will Japan") for text in texts)
    assert any("As of 1 Jun 2026, from" in text for text in texts)
    assert {"100 %", "0 %", "The reports that moved it most"} <= set(texts)
    for scenario, p in zip(outlook.study.scenarios, outlook.final.tolist(), strict=True):
        assert scenario.label in texts
        assert percent(p) in texts
    assert set("12345678") <= set(texts)


def test_a_title_of_one_s_own_takes_the_place_of_the_study_s() -> None:
    chart = timeline_chart(outlook_with(["a", "b"], title="Old"), title="New")
    assert chart["title"]["text"] == "New"


def test_texts_are_drawn_in_pixels_too() -> None:
    """A font that the renderer lacks draws nothing and says nothing: two letters would then give the same picture."""
    outlook = outlook_with(["a", "b"])

    def drawn(letter: str, font: object) -> bytes:
        return png(
            {
                "$schema": timeline_chart(outlook)["$schema"],
                "width": 60,
                "height": 30,
                "autosize": "none",
                "data": {"values": [{}]},
                "mark": {"type": "text", "text": letter, "font": font},
                "encoding": {"x": {"value": 30}, "y": {"value": 15}},
            }
        )

    chart = timeline_chart(outlook)
    for font in (chart["config"]["font"], chart["title"]["font"], chart["config"]["text"]["font"]):
        assert drawn("M", font) != drawn("i", font)


def test_a_picture_is_a_png_of_the_size_asked_for() -> None:
    chart = timeline_chart(outlook_with(["Yes", "No"]))
    once, twice = png(chart, scale=1), png(chart, scale=2)
    for picture in (once, twice):
        assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    width, doubled = (int.from_bytes(picture[16:20], "big") for picture in (once, twice))
    assert 700 < width < 1000
    assert abs(doubled - 2 * width) <= 2


@pytest.mark.parametrize("text", ["".join(AWKWARD[:20]), "".join(AWKWARD[20:-1]), "\ufffe\uffff\x00"])
def test_no_text_of_a_user_breaks_the_drawing(text: str) -> None:
    outlook = outlook_with([text[:150] + "1", text[-150:] + "2"], title=text[:200], question=text)
    drawing = ET.fromstring(svg(timeline_chart(outlook)))
    assert not list(drawing.iter("{http://www.w3.org/2000/svg}script"))
    assert not list(drawing.iter("{http://www.w3.org/2000/svg}image"))


@pytest.mark.parametrize("seed", range(3))
def test_random_cases_can_be_drawn(seed: int) -> None:
    ET.fromstring(svg(timeline_chart(outlook_of(*random_case(random.Random(seed))))))


def test_nothing_is_fetched_for_a_picture() -> None:
    chart = {
        "$schema": timeline_chart(outlook_with(["a", "b"]))["$schema"],
        "data": {"url": "http://example.invalid/x.csv"},
        "mark": "point",
        "encoding": {"x": {"field": "a", "type": "quantitative"}},
    }
    with pytest.raises(ValueError, match="allowed"):
        svg(chart)
