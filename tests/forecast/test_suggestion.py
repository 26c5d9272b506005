"""What the log suggests for rows, by hand, and that enough of it finds the rows it was drawn from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from forecast.outlook import Outlook
from forecast.suggestion import Suggestion, suggestion
from tests.forecast.build import outlook_of

Plain = dict[str, Any]
OPENS = date(2025, 1, 1)
RHO = 0.75
STATE = {"kind": "state", "states": ["low", "high"], "likelihoods": {"yes": [0.2, 0.8], "no": [0.6, 0.4]}}


def outlook(
    indicators: list[Plain], reports: list[Plain], coverage: Sequence[Plain] = (), *, days: int = 60
) -> Outlook:
    study = {
        "study": "small",
        "opens": OPENS.isoformat(),
        "horizon": "2029-12-31",
        "scenarios": [{"id": "yes", "prior": 0.3}, {"id": "no", "prior": 0.7}],
        "indicators": indicators,
    }
    return outlook_of(study, reports, coverage, OPENS + timedelta(days=days))


def report(day: int, indicator: str = "signs", **more: Any) -> Plain:
    return {
        "indicator": indicator,
        "observed": (OPENS + timedelta(days=day)).isoformat(),
        "grade": "B2",
        **more,
    }


def suggested(found: Outlook, indicator: str = "signs") -> Suggestion:
    rows = suggestion(found, found.study.by_id[indicator])
    assert rows is not None
    return rows


def test_rows_of_states() -> None:
    """Twenty looks stand behind the row; two more come, times P_T(k) and rho."""
    found = outlook([{"id": "signs", **STATE}], [report(1, state="high"), report(40, state="low")])
    rows = suggested(found)
    for k, stated in enumerate(([0.2, 0.8], [0.6, 0.4])):
        more = float(found.final[k]) * RHO
        by_hand = [(20 * p + more) / (20 + 2 * more) for p in stated]
        assert rows.stated[k].tolist() == [stated]
        assert rows.suggested[k, 0] == pytest.approx(by_hand)
        assert rows.looks[k] == pytest.approx(2 * more)


def test_a_state_that_lasts_is_no_new_look() -> None:
    """Seen again after ten of a hundred days it counts 1 - e^(-0.1) of one; a copy counts nothing."""
    lasting = {"id": "signs", **STATE, "persistence": "100 d", "confidence": 4}
    found = outlook([lasting], [report(1, state="high"), report(11, state="high", origin="a")])
    copied = outlook(
        [lasting], [report(1, state="high"), *(report(11 + n, state="high", origin="a") for n in range(3))]
    )
    looks = RHO * (1 + 1 - math.exp(-0.1))
    assert suggested(found).looks == pytest.approx(found.final * looks)
    assert suggested(copied).looks == pytest.approx(suggested(found).looks)


def test_rows_given_another_indicator() -> None:
    """The look is shared out by what is believed of the other on that day."""
    other = {"id": "mood", **STATE, "persistence": "50 d"}
    rows = {k: {"low": [0.7, 0.3], "high": [0.1, 0.9]} for k in ("yes", "no")}
    child = {"id": "signs", "kind": "state", "states": ["no", "yes"], "given": "mood", "likelihoods": rows}
    found = outlook([other, child], [report(5, "mood", state="high"), report(9, state="yes")])
    told = suggested(found)
    held = found.likelihoods["mood"].belief_on(np.array([9]))[:, 0]  # type: ignore[union-attr]
    for k in range(2):
        for u in range(2):
            more = float(found.final[k] * held[k, u]) * RHO
            assert told.suggested[k, u, 1] == pytest.approx((20 * told.stated[k, u, 1] + more) / (20 + more))


def test_rates() -> None:
    """Two rounds in a covered quarter; a span has its own days."""
    count = {"id": "signs", "kind": "count", "rates": {"yes": 12.0, "no": 2.0}}
    span = [{"indicator": "signs", "from": "2025-01-01", "to": "2025-01-31"}]
    found = outlook([count], [report(40, count=2)], span, days=100)
    told = suggested(found)
    for k, rate in enumerate((12.0, 2.0)):
        p = float(found.final[k])
        years = p * 32 / 365.25  # the span, and the day on which the rounds were logged
        assert told.suggested[k] == pytest.approx((20 + p * RHO * 2) / (20 / rate + years))
        assert told.looks[k] == pytest.approx(years)


def test_means() -> None:
    """The mean of the readings pulls on the mean of the row, as strongly as there are readings."""
    values = {"yes": {"mean": 10.0, "sd": 2.0}, "no": {"mean": 20.0, "sd": 4.0}}
    found = outlook(
        [{"id": "signs", "kind": "measure", "values": values}], [report(1, value=12.0), report(9, value=14.0)]
    )
    told = suggested(found)
    for k, mean in enumerate((10.0, 20.0)):
        more = float(found.final[k]) * RHO
        assert told.suggested[k] == pytest.approx((20 * mean + more * 26.0) / (20 + 2 * more))


def test_nothing_is_suggested_where_nobody_has_looked() -> None:
    """No report, and of a count no day that counts."""
    count = {"id": "rounds", "kind": "count", "rates": {"yes": 12.0, "no": 2.0}}
    found = outlook([{"id": "signs", **STATE}, count], [])
    assert [suggestion(found, indicator) for indicator in found.study.indicators] == [None, None]


def test_a_long_log_finds_the_row_it_was_drawn_from() -> None:
    """Of the scenario that is true; the other keeps its own."""
    rng = np.random.default_rng(3)
    reports = [report(int(n), state="high" if rng.random() < 0.95 else "low", grade="A1") for n in range(1000)]
    told = suggested(outlook([{"id": "signs", **STATE}], reports, days=1000))
    assert told.suggested[0, 0, 1] == pytest.approx(0.95, abs=0.02)
    assert told.suggested[1, 0] == pytest.approx([0.6, 0.4])
