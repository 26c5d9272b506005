import math
import random
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.display import (
    account,
    bar,
    most_changed,
    most_moving,
    number,
    one_line,
    percent,
    points,
    shortened,
    sparkline,
)
from forecast.events import Live
from tests.forecast.build import outlook_of
from tests.strategies import AWKWARD, awkward_text, cases, random_case

PROBABILITIES = st.floats(min_value=0, max_value=1)


@pytest.mark.parametrize(
    ("p", "shown"),
    [
        (0.0, "<0.1 %"),
        (1e-300, "<0.1 %"),
        (1e-9, "<0.1 %"),
        (0.000999, "<0.1 %"),
        (0.001, "0.1 %"),
        (0.0449, "4.5 %"),
        (0.5, "50.0 %"),
        (0.999, "99.9 %"),
        (0.9995, ">99.9 %"),
        (1.0, ">99.9 %"),
        (1.0 + 1e-15, ">99.9 %"),
    ],
)
def test_percent_has_one_decimal_and_never_claims_certainty(p: float, shown: str) -> None:
    assert percent(p) == shown


@pytest.mark.parametrize(
    ("dp", "shown"),
    [
        (0.0, "0.0"),
        (-0.0, "0.0"),
        (1e-17, "0.0"),
        (1e-9, "+<0.1"),
        (-1e-9, "-<0.1"),
        (0.0009999, "+<0.1"),
        (0.031, "+3.1"),
        (-0.124, "-12.4"),
        (-0.9995, "->99.9"),
        (1.0, "+>99.9"),
    ],
)
def test_points_have_a_sign_and_hide_no_change(dp: float, shown: str) -> None:
    assert points(dp) == shown


@settings(deadline=None)
@given(PROBABILITIES)
def test_what_is_shown_lies_within_half_a_tenth(p: float) -> None:
    shown = percent(p).removesuffix(" %")
    if shown[0] not in "<>":
        assert abs(float(shown) - 100 * p) <= 0.05 + 1e-9
        assert 0 < float(shown) < 100


@pytest.mark.parametrize("p", [math.nan, math.inf, -0.01, 1.01])
def test_what_is_no_probability_is_never_shown(p: float) -> None:
    with pytest.raises(ValueError, match="is not a probability"):
        percent(p)
    with pytest.raises(ValueError, match="is not a probability"):
        bar(p, 10)


@pytest.mark.parametrize("dp", [math.nan, math.inf, -1.01])
def test_what_is_no_change_is_never_shown(dp: float) -> None:
    with pytest.raises(ValueError, match="is not a change"):
        points(dp)


@pytest.mark.parametrize(
    ("x", "shown"),
    [
        (0.0, "0"),
        (1e-9, "1e-09"),
        (0.0697, "0.07"),
        (1.2345, "1.23"),
        (58.94, "58.9"),
        (-3.0, "-3"),
        (99.94, "99.9"),
        (99.96, "100.0"),
        (123.46, "123.5"),
        (999.96, "1,000"),
        (12345.6, "12,346"),
        (1e15, "1e+15"),
    ],
)
def test_quantities_are_short_and_not_zero_unless_they_are(x: float, shown: str) -> None:
    assert number(x) == shown


def test_a_quantity_that_is_none_is_never_shown() -> None:
    with pytest.raises(ValueError, match="finite"):
        number(math.nan)


@settings(deadline=None)
@given(PROBABILITIES, st.integers(min_value=1, max_value=60))
def test_bar_is_as_wide_as_asked_and_as_long_as_the_probability(p: float, width: int) -> None:
    drawn = bar(p, width)
    assert len(drawn) == width
    eighths = sum(" ▏▎▍▌▋▊▉█".index(character) for character in drawn)
    assert abs(eighths - p * width * 8) <= 1
    assert (eighths == 0) == (p == 0.0)
    assert (eighths == width * 8) == (p == 1.0)


@pytest.mark.parametrize(("p", "drawn"), [(0, "    "), (1e-9, "▏   "), (0.5, "██  "), (0.9995, "███▉"), (1, "████")])
def test_bar_at_its_edges(p: float, drawn: str) -> None:
    assert bar(p, 4) == drawn


def test_sparkline_uses_eight_levels_from_lowest_to_highest() -> None:
    assert sparkline(range(8)) == "▁▂▃▄▅▆▇█"
    assert sparkline([0.2, 0.9, 0.2]) == "▁█▁"


def test_sparkline_within_a_given_range_does_not_stretch_small_changes() -> None:
    assert sparkline([0.5, 0.51], within=(0, 1)) == sparkline([0.51, 0.5], within=(0, 1))
    assert sparkline([-1.0, 2.0], within=(0, 1)) == "▁█"


@pytest.mark.parametrize("series", [[0.3] * 5, [0.3, 0.3 + 1e-16, 0.3], [7.0]])
def test_constant_series_is_flat(series: list[float]) -> None:
    assert len(set(sparkline(series))) == 1
    assert len(sparkline(series)) == len(series)


def test_sparkline_of_nothing_is_empty_and_of_not_a_number_refused() -> None:
    assert sparkline([]) == ""
    with pytest.raises(ValueError, match="finite"):
        sparkline([0.1, math.nan])


@settings(deadline=None)
@given(awkward_text(), st.integers(min_value=2, max_value=60))
def test_text_is_cut_to_one_line_of_the_length(text: str, length: int) -> None:
    cut = shortened(text, length)
    assert len(cut) <= length
    assert len(cut.splitlines()) <= 1
    assert cut == one_line(text) or (cut.endswith("…") and one_line(text).startswith(cut[:-1]))


@pytest.mark.parametrize("text", AWKWARD)
def test_one_line_holds_nothing_that_is_obeyed(text: str) -> None:
    assert all(character.isprintable() or character in "\u200b\u200d\ufeff" for character in one_line(text))


STUDY = {
    "study": "four-kinds",
    "opens": "2025-01-01",
    "horizon": "2026-01-01",
    "sources": {"Kyodo": "B2"},
    "scenarios": [{"id": "a"}, {"id": "b"}],
    "indicators": [
        {
            "id": "s",
            "kind": "state",
            "states": ["none", "modest"],
            "likelihoods": {"a": [0.6, 0.4], "b": [0.2, 0.8]},
        },
        {"id": "m", "kind": "milestone", "rates": {"a": 1.0, "b": 2.0}},
        {"id": "c", "kind": "count", "unit": "agreement", "rates": {"a": 1.0, "b": 2.0}},
        {"id": "n", "kind": "count", "rates": {"a": 1.0, "b": 2.0}},
        {
            "id": "v",
            "kind": "measure",
            "unit": "percent",
            "values": {"a": {"mean": 50.0, "sd": 5.0}, "b": {"mean": 60.0, "sd": 5.0}},
        },
    ],
}


@pytest.mark.parametrize(
    ("report", "told"),
    [
        ({"indicator": "s", "observed": "2025-02-01", "state": "modest", "source": "Kyodo"}, "modest (B2, Kyodo)"),
        ({"indicator": "s", "observed": "2025-02-01", "state": "none"}, "none (F6)"),
        ({"indicator": "m", "observed": "2025-02-01", "grade": "A1"}, "happened (A1)"),
        ({"indicator": "c", "observed": "2025-02-01", "grade": "A1"}, "1 × agreement (A1)"),
        ({"indicator": "n", "observed": "2025-02-01", "count": 0, "grade": "A1"}, "0 × event (A1)"),
        (
            {
                "indicator": "c",
                "from": "2025-02-01",
                "to": "2025-02-28",
                "count": 3,
                "grade": "A1",
                "source": "line\nbreak",
            },
            "3 × agreement, 2025-02-01 to 2025-02-28 (A1, line break)",
        ),
        ({"indicator": "v", "observed": "2025-02-01", "value": 54.5, "grade": "A1"}, "54.5 percent (A1)"),
        ({"indicator": "v", "observed": "2025-02-01", "value": 60, "grade": "A1"}, "60 percent (A1)"),
    ],
)
def test_a_report_is_told_in_one_line(report: dict[str, object], told: str) -> None:
    outlook = outlook_of(STUDY, [report], [], date(2025, 3, 1))
    assert account(outlook.study, _only(outlook.log.reports[str(report["indicator"])]).report) == told


def _only(live: object) -> Live:
    assert isinstance(live, list)
    [item] = live
    assert isinstance(item, Live)
    return item


@settings(deadline=None)
@given(cases())
def test_every_report_of_a_random_case_has_an_account(case: object) -> None:
    outlook = outlook_of(*case)  # type: ignore[misc]
    for item in outlook.report_contributions:
        assert account(outlook.study, item.live.report)


def test_the_reports_that_moved_most_come_strongest_first() -> None:
    outlook = outlook_of(*random_case(random.Random(7), n_reports=15, days=40))
    strongest = [abs(item.change).max() for item in most_moving(outlook, 100)]
    assert strongest == sorted(strongest, reverse=True)
    assert len(most_moving(outlook, 2)) == 2
    everything = [abs(item.change).max() for item in outlook.report_contributions]
    assert sum(strongest) == pytest.approx(sum(everything), abs=1e-9)


def test_the_scenario_changed_most_is_the_first_one_on_a_tie() -> None:
    assert most_changed(np.array([-0.1, 0.1 + 1e-15, 0.0])) == [0, 1, 2]
    assert most_changed(np.array([0.1, 0.0, -0.3])) == [2, 0, 1]
