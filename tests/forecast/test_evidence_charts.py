"""The matrix, the waterfall, the board, calibration; and what all charts share: fonts, night, PDF, the command."""

import hashlib
import itertools
import json
import random
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import forecast.charts as charts
from forecast.charts import (
    CalibrationError,
    Chart,
    board_chart,
    calibration_chart,
    matrix_chart,
    power_chart,
    series_chart,
    timeline_chart,
    watch_chart,
    waterfall_chart,
)
from forecast.charts.lettering import in_lines, names_in_lines, text_width
from forecast.charts.night import at_night
from forecast.charts.pdf_order import in_order
from forecast.charts.shades import AGAINST, FOR, cell_look, shade, shade_ink
from forecast.display import percent
from forecast.outlook import AsOfError, Outlook
from forecast.probability import DECIBAN, log_odds
from forecast.release import release_power
from forecast.study import UnknownScenarioError
from tests.commands import Commands
from tests.forecast.build import outlook_of, released
from tests.forecast.test_charts import FEW, bread, found_out, japan, outlook_with, texts_of, values_with
from tests.strategies import AWKWARD, Case, cases

Plain = dict[str, Any]
DAY = date(2026, 6, 7)
HOSTILE = ("<script>alert(1)</script>", "حرب شاملة", "日本の軍事的役割", '"><img src=x onerror=alert(1)>', "{{7*7}}")


def twenty(n_reports: int = 60) -> Outlook:
    """Twenty scenarios and fourteen indicators with names that differ only at their end."""
    rng, opens = random.Random(7), date(2024, 1, 15)
    ids = [f"s{k}" for k in range(20)]
    rows = [{s: (p := rng.uniform(0.1, 0.9), (1 - p) * 0.6, (1 - p) * 0.4) for s in ids} for _ in range(14)]
    study = {
        "study": "twenty",
        "opens": opens.isoformat(),
        "horizon": "2027-01-01",
        "scenarios": [{"id": s, "name": f"{'A name that says a great deal ' * 3}number {s}"} for s in ids],
        "indicators": [
            {
                "id": f"i{i}",
                "name": f"An indicator with a name that tells all about it, the number {i}",
                "kind": "state",
                "states": ["none", "some of it", "a great deal of it"],
                "check_every": "30 d",
                "likelihoods": {s: list(row) for s, row in likelihoods.items()},
            }
            for i, likelihoods in enumerate(rows)
        ],
    }
    reports = [
        {
            "indicator": f"i{rng.randint(0, 12)}",
            "observed": (opens + timedelta(days=rng.randint(0, 700))).isoformat(),
            "state": rng.choice(["none", "some of it", "a great deal of it"]),
            "grade": rng.choice(["A1", "C3"]),
        }
        for _ in range(n_reports)
    ]
    return replace(outlook_of(study, reports, [], opens + timedelta(days=700)), draws=FEW)


def drawn(n: int = 200) -> Chart:
    """A calibration of forecasts drawn at random."""
    p = np.random.default_rng(1).random(n)
    return calibration_chart(p, p**2, low=p * 0.8, high=0.2 + p * 0.8, notes=["Brier score 0.2"], said="TLP:GREEN")


def one_of_each(outlook: Outlook, measured: Outlook) -> dict[str, Chart]:
    out = released(outlook)
    return {
        "timeline": timeline_chart(out),
        "matrix": matrix_chart(out),
        "waterfall": waterfall_chart(out),
        "board": board_chart(out),
        "watch": watch_chart(out),
        "series": series_chart(released(measured), "bread"),
        "power": power_chart(release_power(found_out(outlook.study))),
        "calibration": drawn(),
    }


# The matrix


@settings(max_examples=25, deadline=None)
@given(cases())
def test_columns_of_the_matrix_add_up_to_where_each_scenario_stands(case: Case) -> None:
    outlook = replace(outlook_of(*case), draws=FEW)
    chart = matrix_chart(released(outlook))
    assert json.loads(json.dumps(chart, allow_nan=False)) == chart
    lines = {row["name"]: row["y"] for row in values_with(chart, "apart")}
    whole = [cell["text"] for cell in values_with(chart, "fill") if cell["centre"] == lines["All of it"]]
    expected = (log_odds(outlook.chain.log_filtered[-1]) - log_odds(np.log(outlook.study.prior))) / DECIBAN
    for text, decibans in zip(whole, expected.tolist(), strict=True):
        if abs(decibans) < 99:
            assert float(text) == pytest.approx(decibans, abs=0.051)


def test_the_most_telling_indicator_stands_on_top_with_its_number_in_every_cell() -> None:
    outlook = japan(DAY)
    chart = matrix_chart(released(outlook))
    rows = [row for row in values_with(chart, "apart") if not row["strong"]]
    apart = [float(row["apart"]) for row in rows]
    assert apart == sorted(apart, reverse=True)
    assert {row["name"] for row in rows} == {indicator.label for indicator in outlook.study.indicators}
    cells = values_with(chart, "fill")
    by_indicator = {i: np.zeros(5) for i in outlook.study.by_id}
    for moved in outlook.rows_since(None):
        if moved.indicator:
            by_indicator[moved.indicator] += moved.log_odds / DECIBAN
    names = {indicator.label: indicator.id for indicator in outlook.study.indicators}
    for row in rows:
        own = [cell for cell in cells if cell["centre"] == row["y"]]
        assert [float(cell["text"]) for cell in own] == pytest.approx(by_indicator[names[row["name"]]], abs=0.051)
        assert [cell["fill"] for cell in own] == [cell_look(x)[0] for x in by_indicator[names[row["name"]]]]


def test_the_matrix_says_where_scenarios_began_and_stand_and_counts_from_a_day() -> None:
    outlook, since = japan(DAY), date(2026, 5, 1)
    whole, recent = matrix_chart(released(outlook)), matrix_chart(released(outlook), since=since)
    for chart, before in ((whole, outlook.study.prior), (recent, outlook.course[outlook.study.day_index(since)])):
        texts = [cell["text"] for cell in values_with(chart, "fill")][-10:]
        assert texts == [percent(p).removesuffix(" %") for p in (*before.tolist(), *outlook.final.tolist())]
    assert "On 1 May 2026, in percent" in {row["name"] for row in values_with(recent, "apart")}
    assert len(values_with(recent, "apart")) < len(values_with(whole, "apart"))
    quiet = matrix_chart(released(outlook), since=DAY)
    assert "Nothing moved through:" in json.dumps(quiet)
    opening = matrix_chart(released(outlook), since=outlook.study.opens - timedelta(days=1))
    assert values_with(opening, "fill") == values_with(whole, "fill")


def luminance(colour: str) -> float:
    """How light a colour is in grey, from 0 to 1 (WCAG)."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    dark, light = sorted(map(luminance, (first, second)))
    return (light + 0.05) / (dark + 0.05)


def test_what_speaks_for_is_dark_in_grey_and_what_speaks_against_is_not() -> None:
    for ramp in (FOR, AGAINST):
        assert [luminance(colour) for colour in ramp] == sorted(map(luminance, ramp), reverse=True)
    assert luminance(AGAINST[-1]) > luminance(FOR[2])
    assert luminance(FOR[-1]) < 0.12


def test_every_number_can_be_read_on_its_ground_by_day_and_at_night() -> None:
    looks = [cell_look(x) for x in (-50, -11, -6, -3, -0.6, 0, 0.6, 3, 6, 11, 50)]
    looks += [(shade(share), shade_ink(share)) for share in np.linspace(0, 1, 21)]
    for ground, ink in looks:
        night = at_night({"fill": ground, "ink": ink})
        assert contrast(ground, ink) >= 3.8, (ground, ink)
        assert contrast(night["fill"], night["ink"]) >= 3.8, night


@pytest.mark.parametrize("chart", [matrix_chart, board_chart])
def test_boxes_with_numbers_do_not_overlap(chart: Callable[..., Chart]) -> None:
    for outlook in (japan(DAY), twenty()):
        boxes = values_with(chart(released(outlook)), "fill")
        assert boxes
        for a, b in itertools.combinations(boxes, 2):
            assert a["x2"] <= b["x"] + 1e-6 or b["x2"] <= a["x"] + 1e-6 or a["y2"] <= b["y"] or b["y2"] <= a["y"]
        assert max(box["x2"] for box in boxes) <= 850
        assert all(text_width(box["text"], 10.5) <= box["x2"] - box["x"] for box in boxes)


def test_many_indicators_are_gathered_and_none_is_lost() -> None:
    base = outlook_with(["a", "b"], n_reports=0)
    indicators = [base.study.indicators[0].model_copy(update={"id": f"i{n}", "name": f"I {n}"}) for n in range(40)]
    study = base.study.model_copy(update={"indicators": indicators})
    reports = [{"indicator": f"i{n}", "observed": "2024-02-01", "state": "some"} for n in range(40)]
    whole = outlook_of(json.loads(study.model_dump_json(exclude_none=True)), reports, [], date(2024, 3, 1))
    rows = values_with(matrix_chart(released(replace(whole, draws=FEW))), "apart")
    told = [row for row in rows if not row["strong"]]
    assert len(told) == 28
    assert told[-1]["name"] == "the other 13 indicators together"
    assert sum(int(row["reports"]) for row in told) == 40


# The waterfall


@settings(max_examples=25, deadline=None)
@given(cases(), st.integers(0, 400))
def test_steps_lead_from_where_it_stood_to_where_it_stands(case: Case, back: int) -> None:
    outlook = replace(outlook_of(*case), draws=FEW)
    since = max(outlook.study.opens, outlook.as_of - timedelta(days=back))
    for k, scenario in enumerate(outlook.study.scenarios):
        chart = waterfall_chart(released(outlook), since=since, scenario=scenario.id)
        rows = values_with(chart, "then")
        start = float(outlook.course[outlook.study.day_index(since), k])
        assert (rows[0]["then"], rows[-1]["then"]) == (percent(start), percent(float(outlook.final[k])))
        bars = values_with(chart, "below")
        assert len(bars) == len(rows) - 2 <= 15
        for a, b in itertools.pairwise(bars):
            assert a["at"] == pytest.approx(b["from"])
        if bars:
            stands = values_with(chart, "x")[-1]["x"] if not bars else bars[-1]["at"]
            assert 448 <= stands <= 700


def test_small_steps_are_gathered_in_the_rest_and_the_leader_is_drawn_unasked() -> None:
    outlook = japan(DAY)
    chart = waterfall_chart(released(outlook))
    assert chart["title"]["text"] == [outlook.study.scenarios[int(outlook.final.argmax())].label]
    rows = values_with(chart, "then")
    total = len(outlook.rows_since(None))
    assert rows[-2]["says"] == f"The rest, {total - 14} smaller steps"
    assert "Time passing (drift)" in {row["says"] for row in rows}
    assert any(row["says"].startswith("Silence on") for row in rows)
    days = [row["day"] for row in rows if row["day"]]
    assert len(days) == len([row for row in rows[1:] if row["day"]])
    assert [bar["fill"] for bar in values_with(chart, "below")] == [
        FOR[3] if row["step"].startswith("+") else AGAINST[4] for row in rows[1:-1]
    ]


def test_where_nothing_moved_the_waterfall_says_so() -> None:
    chart = waterfall_chart(released(outlook_with(["a", "b"], n_reports=0)))
    assert "Nothing moved it from the priors to 15 Mar 2024." in " ".join(chart["title"]["subtitle"])
    ET.fromstring(chart.svg())


def test_a_waterfall_of_what_is_not_there_is_refused() -> None:
    with pytest.raises(UnknownScenarioError, match='no scenario "network2"'):
        waterfall_chart(released(japan(DAY)), scenario="network2")
    with pytest.raises(AsOfError, match="lies outside"):
        waterfall_chart(released(japan(DAY)), since=date(2001, 1, 1))


# The board


def test_the_board_has_every_indicator_with_its_states_and_dates() -> None:
    outlook = japan(DAY)
    chart = board_chart(released(outlook))
    rows = values_with(chart, "last")
    boards = outlook.indicator_boards
    assert [row["name"] for row in rows] == [
        name[0] for name in names_in_lines([board.indicator.label for board in boards], 242, size=12.5)
    ]
    for row, board in zip(rows, boards, strict=True):
        late = f"overdue {(DAY - board.due).days} d" if board.due and board.overdue else ""
        assert row["due"] == late or not board.overdue
        parts = [part for part in values_with(chart, "fill") if part["centre"] == row["y"]]
        if board.states:
            widths = [(part["x2"] - part["x"]) / 330 for part in parts]
            assert widths == pytest.approx(list(board.states.values()))
            likeliest = max(board.states, key=lambda state: board.states[state])
            assert any(likeliest in part["text"] for part in parts)
    for span in values_with(chart, "dot"):
        assert 254 <= span["from"] <= span["to"] <= span["end"] <= 584
        assert 254 <= span["dot"] <= span["end"]


def test_a_retired_indicator_is_not_on_the_board() -> None:
    outlook = bread(retired=True)
    assert [row["name"] for row in values_with(board_chart(released(outlook)), "last")] == ["strike"]


# Calibration


def test_calibration_draws_what_it_is_given() -> None:
    p = np.array([0.9, 0.1, 0.5, 0.1])
    chart = calibration_chart(p, np.array([1.0, 0.0, 0.5, 0.0]), low=p * 0, high=p * 0 + 1, subtitle=["Of the desk."])
    points = values_with(chart, "low")
    assert [(point["x"], point["y"]) for point in points] == [(83, 330), (215, 165), (347, 0)]
    assert {(point["low"], point["high"]) for point in points} == {(330, 0)}
    assert sorted(bar["count"] for bar in values_with(chart, "count")) == [1, 1, 2]
    assert "4 forecasts." in json.dumps(chart)


def test_calibration_without_forecasts_says_so() -> None:
    nothing = np.zeros(0)
    chart = calibration_chart(nothing, nothing, low=nothing, high=nothing)
    assert chart["description"].startswith("There are no forecasts yet.")


@pytest.mark.parametrize(("fit", "says"), [([0.5], "differ in shape"), ([0.5, 2.0], "fit lies from 0 to 1")])
def test_arrays_that_are_no_calibration_are_refused(fit: list[float], says: str) -> None:
    p = np.array([0.1, 0.9])
    with pytest.raises(CalibrationError, match=says):
        calibration_chart(p, np.array(fit), low=p, high=p)
    with pytest.raises(CalibrationError, match="forecasts lies"):
        calibration_chart(np.array([0.1, np.nan]), p, low=p, high=p)


# Lettering


texts = st.text(st.sampled_from("ab cdeWil 日本é—…"), max_size=80)


@given(texts, st.integers(40, 300), st.integers(1, 4))
def test_lines_have_room_and_lose_nothing_but_what_an_ellipsis_stands_for(text: str, width: int, lines: int) -> None:
    told = in_lines(text, width, size=12, lines=lines)
    assert len(told) <= lines
    assert all(text_width(line, 12) <= width for line in told)
    kept, whole = "".join("".join(told).split()), "".join(text.split())
    assert kept == whole or (kept.endswith("…") and whole.startswith(kept.rstrip("…,;:")))


def test_names_that_differ_at_their_end_are_still_told_apart() -> None:
    names = [f"Japan amends Article 9 and names its forces in a manner of its own, number {n}" for n in range(20)]
    for width, lines in ((120, 1), (118, 2), (170, 1)):
        told = [" ".join(name) for name in names_in_lines(names, width, size=12, lines=lines)]
        assert len(set(told)) == 20
        assert all("…" in name and name.startswith("Japan") for name in told)
    assert names_in_lines(["a", "a", "日本"], 50, size=12) == [["a"], ["a"], ["日本"]]


def test_names_of_twenty_scenarios_stand_apart_in_every_chart() -> None:
    outlook = twenty()
    ends = values_with(timeline_chart(released(outlook)), "range")
    heads = values_with(matrix_chart(released(outlook)), "leads")
    for told in (ends, heads):
        assert len({item["name"] for item in told}) == 20
    columns = sorted(head["middle"] for head in heads)
    lines = max(head["name"].count("\n") + 1 for head in heads)
    assert min(b - a for a, b in itertools.pairwise(columns)) >= 12 * lines
    for chart in (matrix_chart, board_chart, watch_chart):
        assert len({row["name"] for row in values_with(chart(released(outlook)), "name")}) >= 13


# Inert, offline, the same everywhere


@pytest.mark.parametrize("name", ["matrix", "waterfall", "board", "calibration"])
def test_a_drawing_needs_nothing_from_outside(name: str) -> None:
    chart = one_of_each(japan(DAY), bread())[name]
    plain = json.dumps(chart, allow_nan=False)
    assert plain.count("http") == 1  # the name of the format
    assert '"url"' not in plain
    drawing = chart.svg()
    assert "http" not in drawing.replace("http://www.w3.org/", "")
    shown = " ".join(texts_of(drawing))
    assert all(line in shown for line in (*chart["title"]["text"], *chart["title"]["subtitle"]))
    assert "TLP:" in chart["title"]["subtitle"][-1]


def test_a_drawing_keeps_its_layout_with_other_letters() -> None:
    """Where a reader's machine has other letters than it was laid out for, no name is cut or on top of another."""
    drawing = ET.fromstring(one_of_each(japan(DAY), bread())["matrix"].svg())
    lines = [line for line in drawing.iter() if line.tag.rpartition("}")[2] in ("text", "tspan") and line.text]
    assert len(lines) > 100
    for text in (element for element in drawing.iter() if element.tag.endswith("}text")):
        size, is_bold = float(text.attrib["font-size"].removesuffix("px")), text.get("font-weight") == "bold"
        for line in (item for item in (text, *text) if item.text and item.text.strip()):
            wide = text_width(line.text, size, bold=is_bold)
            assert float(line.attrib["textLength"]) == pytest.approx(wide, abs=0.06), line.text
            assert line.attrib["lengthAdjust"] == "spacingAndGlyphs"


@pytest.mark.parametrize("text", [*HOSTILE, *("".join(AWKWARD[n : n + 12]) for n in range(0, len(AWKWARD) - 1, 12))])
def test_texts_of_users_are_texts(text: str) -> None:
    text = text[:150]
    outlook = outlook_with([text + "1", text + "2"], title=(text * 40)[:200], question=text)
    for chart in one_of_each(outlook, bread(name=text, unit=text[:60] or None)).values():
        for drawing in (chart.svg(), chart.at_night().svg()):
            elements = {element.tag.rpartition("}")[2] for element in ET.fromstring(drawing).iter()}
            assert not elements & {"script", "image", "a", "foreignObject", "iframe", "img", "use", "style"}


def test_a_title_of_two_hundred_letters_is_shown_whole() -> None:
    title = " ".join(f"word{n:04}" for n in range(22))[:200]
    chart = timeline_chart(released(outlook_with(["a", "b"], title=title)))
    assert len(chart["title"]["text"]) <= 3
    assert " ".join(chart["title"]["text"]) == title
    assert all(text_width(line, 18, bold=True) <= 850 for line in chart["title"]["text"])


@pytest.mark.parametrize("text", ["日本", "한국", "حرب", "ქართ", "हिन्द", "ไทย", "Ελλ", "Вой", "שלו"])
def test_every_script_has_its_letters(text: str) -> None:
    """Two letters give the same picture only where neither is drawn, or both as an empty box."""

    def picture(letter: str) -> str:
        chart = Chart(
            {
                "$schema": timeline_chart(released(outlook_with(["a", "b"])))["$schema"],
                "width": 40,
                "height": 30,
                "data": {"values": [{}]},
                "mark": {"type": "text", "text": letter, "fontSize": 20},
                "config": timeline_chart(released(outlook_with(["a", "b"])))["config"],
            }
        )
        return hashlib.sha256(chart.png(scale=1)).hexdigest()

    assert len({picture(letter) for letter in text[:2]}) == 2


def test_every_font_has_its_licence_beside_it() -> None:
    folder = Path(charts.__file__).parent.parent / "fonts"
    told = (folder / "README.md").read_text("utf-8")
    fonts = sorted(folder.glob("*.ttf"))
    assert fonts
    assert all(font.name in told for font in fonts)
    for licence in re.findall(r"`(LICENSE-\w+\.txt)`", told):
        assert "copyright" in (folder / licence).read_text("utf-8").lower()
    assert sum(font.stat().st_size for font in fonts) < 5_000_000


def test_the_same_chart_gives_the_same_bytes() -> None:
    first, second = (one_of_each(replace(japan(DAY)), bread()) for _ in range(2))
    for name, chart in first.items():
        assert chart == second[name]
        assert chart.png(scale=1) == second[name].png(scale=1)
        assert chart.svg() == second[name].svg()
        assert len({item.pdf() for item in (chart, chart, second[name])}) == 1


def test_a_pdf_put_in_order_is_one_with_its_parts_where_its_table_says() -> None:
    document = matrix_chart(released(outlook_with(["Yes", "日本"]))).pdf()
    assert document.startswith(b"%PDF-1.")
    assert document.endswith(b"%%EOF")
    table = int(re.findall(rb"startxref\n(\d+)", document)[-1])
    assert document[table:].startswith(b"xref\n0 ")
    rows = document[table:].split(b"trailer")[0].splitlines()[3:]
    for number, row in enumerate(rows, 1):
        assert document[int(row[:10]) :].startswith(b"%d 0 obj" % number)
    assert b"/Size %d" % (len(rows) + 1) in document[table:]
    assert in_order(document) == document


def test_a_screen_reader_reads_what_the_drawing_says_and_not_its_marks() -> None:
    chart = board_chart(released(outlook_with(['"><script>', "b & c"])))
    drawing = ET.fromstring(chart.svg())
    assert drawing.attrib["role"] == "img"
    assert drawing.attrib["aria-label"] == chart["description"]
    marks = [element for element in drawing.iter() if "mark" in element.get("aria-roledescription", "")]
    assert not [
        element for element in marks if "aria-label" in element.attrib and element.tag.endswith(("text", "path"))
    ]


# In a notebook, at night


def test_a_chart_shows_itself_in_a_notebook() -> None:
    from IPython.core.formatters import DisplayFormatter

    chart = matrix_chart(released(outlook_with(["a", "b"])))
    data, _ = DisplayFormatter().format(chart)  # type: ignore[no-untyped-call]
    assert ET.fromstring(data["image/svg+xml"]).tag.endswith("svg")
    assert data["text/plain"] == f"<Chart: {chart['description']}>"


def test_at_night_every_colour_is_another_and_nothing_else_changes() -> None:
    outlook = outlook_with(["#222222", "white"], title="#0072B2")
    for chart in one_of_each(outlook, bread(name="#FFFFFF")).values():
        night = chart.at_night()
        assert night["background"] == "#16181D"
        assert night["title"]["text"] == chart["title"]["text"]
        assert texts_of(night.svg()) == texts_of(chart.svg())
        left = set(re.findall(r'(?:fill|stroke)="(#[0-9a-fA-F]{6}|white)"', night.svg()))
        day = set(re.findall(r'(?:fill|stroke)="(#[0-9a-fA-F]{6}|white)"', chart.svg()))
        assert not left & day, left & day


# The command


BEGINNINGS = {"png": b"\x89PNG\r\n\x1a\n", "svg": b"<svg ", "pdf": b"%PDF-", "json": b"{"}


def test_every_chart_can_be_written_in_every_form(commands: Commands) -> None:
    commands.seven_entries("a.db")
    names = ("timeline", "matrix", "waterfall", "board", "watch", "series", "power")
    for name, ending in zip(names, itertools.cycle(BEGINNINGS), strict=False):
        more = ["--runs", "2"] if name == "power" else ["--draws", "100", "--as-of", "2024-06-01"]
        result = commands.done("chart", name, "-o", f"{name}.{ending}", "--ledger", "a.db", *more)
        assert (result.out, result.err) == ("", f"{name}.{ending} written\n")
        assert (commands.folder / f"{name}.{ending}").read_bytes().startswith(BEGINNINGS[ending])


def test_a_chart_reads_what_it_is_asked_to_read(commands: Commands) -> None:
    commands.seven_entries("a.db")
    as_of = ("--ledger", "a.db", "--as-of", "2024-06-01", "--draws", "100")

    def drawn(*more: str) -> str:
        commands.done("chart", "matrix", "-o", "m.json", *as_of, *more)
        return (commands.folder / "m.json").read_text("utf-8")

    whole = drawn()
    assert len({whole, drawn("--since", "2024-02-15"), drawn("--without", "source:Wire"), drawn("--night")}) == 4
    commands.done("chart", "matrix", "-o", "m.PNG", *as_of, "--scale", "1")
    commands.done("chart", "matrix", "-o", "n.PNG", *as_of, "--scale", "2")
    once, twice = ((commands.folder / name).read_bytes() for name in ("m.PNG", "n.PNG"))
    widths = [int.from_bytes(picture[16:20], "big") for picture in (once, twice)]
    assert abs(widths[1] - 2 * widths[0]) <= 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["pie", "-o", "x.png"], "is not one of"),
        (["board", "-o", "x.gif"], "ends in none of .png, .svg, .pdf, .json"),
        (["board", "-o", "x.png", "--since", "2024-03-01"], "--since goes with matrix and waterfall"),
        (["waterfall", "-o", "x.png", "--scenario", "nobody"], 'no scenario "nobody"'),
        (["matrix", "-o", "x.png", "--since", "2001-01-01"], "lies outside"),
        (["series", "-o", "x.png", "--indicator", "mood"], "only a measure has a series"),
        (["series", "-o", "x.png", "--indicator", "nothing"], 'no indicator "nothing"'),
        (["board"], "Missing option"),
    ],
)
def test_what_cannot_be_drawn_is_refused_and_nothing_is_written(
    commands: Commands, arguments: list[str], says: str
) -> None:
    commands.seven_entries("a.db")
    commands("chart", *arguments, "--ledger", "a.db").is_refused(says)
    assert not list(commands.folder.glob("x.*"))


def test_a_chart_is_not_written_over_the_ledger(commands: Commands) -> None:
    commands.seven_entries("a.png")
    commands("chart", "board", "-o", "a.png", "--ledger", "a.png").is_refused("this is the ledger itself")


def test_a_chart_passes_the_gate(commands: Commands) -> None:
    commands.seven_entries("a.db")
    commands.done(
        *("log", "mood", "--state", "calm", "--on", "2024-04-02", "--source", "Kestrel", "--tlp", "red"),
        *("--ledger", "a.db"),
    )
    limit = ("--ledger", "a.db", "--max-tlp", "amber", "--draws", "100", "--as-of", "2024-06-01")
    commands("chart", "waterfall", "-o", "x.svg", *limit).is_refused("marked above TLP:AMBER")
    commands.done("chart", "waterfall", "-o", "x.svg", *limit, "--without-above")
    text = (commands.folder / "x.svg").read_text("utf-8")
    assert "are left out" in text
    assert "Kestrel" not in text
    commands.done("chart", "waterfall", "-o", "y.svg", "--ledger", "a.db", "--as-of", "2024-06-01")
    whole = (commands.folder / "y.svg").read_text("utf-8")
    assert "TLP:RED" in whole
    assert "Kestrel" in whole
