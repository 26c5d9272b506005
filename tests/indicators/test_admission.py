"""Whether a record fits the log as it stands: second milestones, days counted twice, retired indicators."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from indicators.admission import coverage_conflicts, report_conflicts, retirement
from indicators.coverage import Coverage, read_coverage
from indicators.evidence import Report, read_report
from indicators.indicator import Indicator
from tests.small import study_of_text

BY_ID = study_of_text().by_id
TREATY, TALKS, RAIDS, MOOD = (BY_ID[name] for name in ("treaty", "talks", "raids", "mood"))


def report(**fields: object) -> Report:
    """A report; `from_` stands for `from`."""
    raw = {"indicator": "treaty", **{name.rstrip("_"): value for name, value in fields.items()}}
    found, problems = read_report(raw)
    assert found is not None, problems
    return found


def span(first: str, last: str, **fields: object) -> Report:
    """A count over a span."""
    return report(indicator="talks", from_=first, to=last, **fields)


def looked(first: str, last: str) -> Coverage:
    """Coverage of the talks."""
    found, problems = read_coverage({"indicator": "talks", "from": first, "to": last})
    assert found is not None, problems
    return found


def conflict(new: Report, indicator: Indicator, others: Mapping[str, Report | Coverage]) -> tuple[str, str, str]:
    """The one problem of a report with others."""
    (problem,) = report_conflicts(new, indicator, others.items())
    return problem.field, problem.what, problem.mend


# Milestones


def test_the_first_report_of_a_milestone_is_admitted() -> None:
    assert report_conflicts(report(observed="2024-02-01"), TREATY, []) == []


@pytest.mark.parametrize("key", ["event", "origin"])
def test_further_reports_of_the_same_event_are_admitted(key: str) -> None:
    first, second = report(observed="2024-02-01", **{key: "x"}), report(observed="2024-03-01", **{key: "x"})
    assert report_conflicts(second, TREATY, [("e2", first)]) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [({}, {}), ({"event": "x"}, {}), ({}, {"event": "x"}), ({"event": "x"}, {"event": "y"}),
     ({"origin": "x"}, {"origin": "y"}), ({"event": "x"}, {"origin": "x"}),
     ({"event": "x", "origin": "o"}, {"origin": "o"})],
)  # fmt: skip
def test_a_second_event_of_a_milestone_is_refused(first: dict[str, str], second: dict[str, str]) -> None:
    others = {"e2": report(observed="2024-02-01", **first)}
    field, what, mend = conflict(report(observed="2024-03-01", **second), TREATY, others)
    assert (field, what) == ("event", 'the milestone "treaty" has happened already, by e2 on 2024-02-01')
    assert mend.endswith("retract e2")
    assert ("log it with event x" in mend) == ("event" in first)


def test_one_report_of_another_event_among_many_is_enough() -> None:
    others = {"e2": report(observed="2024-02-01", event="x"), "e3": report(observed="2024-02-01", event="x")}
    assert conflict(report(observed="2024-02-02", event="y"), TREATY, others)[1].endswith("by e2 on 2024-02-01")


def test_coverage_of_a_milestone_is_no_event() -> None:
    assert report_conflicts(report(observed="2024-02-01"), TREATY, [("e2", looked("2024-01-01", "2024-03-01"))]) == []


@pytest.mark.parametrize("name", ["mood", "press", "talks", "raids", "wait"])
def test_other_kinds_happen_as_often_as_they_like(name: str) -> None:
    others = [("e2", report(indicator=name, observed="2024-02-01"))]
    assert report_conflicts(report(indicator=name, observed="2024-02-01"), BY_ID[name], others) == []


# Counts over a span


@pytest.mark.parametrize(
    ("first", "last", "overlaps"),
    [("2024-02-01", "2024-02-29", True), ("2024-01-01", "2024-02-10", True), ("2024-02-20", "2024-03-31", True),
     ("2024-01-01", "2024-12-31", True), ("2024-02-12", "2024-02-12", True), ("2024-01-01", "2024-02-09", False),
     ("2024-02-21", "2024-03-01", False)],
)  # fmt: skip
def test_no_day_is_counted_twice(first: str, last: str, overlaps: bool) -> None:
    middle = span("2024-02-10", "2024-02-20")
    assert bool(report_conflicts(span(first, last), TALKS, [("e2", middle)])) == overlaps
    assert bool(report_conflicts(span(first, last), TALKS, [("e2", looked("2024-02-10", "2024-02-20"))])) == overlaps
    assert bool(coverage_conflicts(looked(first, last), [("e2", middle)])) == overlaps


def test_what_overlaps_is_named() -> None:
    new = span("2024-02-01", "2024-02-29")
    assert conflict(new, TALKS, {"e2": looked("2024-02-10", "2024-03-20")}) == (
        "from",
        "the span overlaps the coverage e2 of 2024-02-10 to 2024-03-20",
        "retract e2, or log each event on its day",
    )
    assert conflict(new, TALKS, {"e3": span("2024-02-10", "2024-03-20")})[:2] == (
        "from",
        "the span overlaps that of e3, 2024-02-10 to 2024-03-20",
    )
    (problem,) = coverage_conflicts(looked("2024-02-01", "2024-02-29"), [("e3", span("2024-02-10", "2024-03-20"))])
    assert problem.what == "e3 already counts the days 2024-02-10 to 2024-03-20, quiet ones included"


def test_two_reports_of_one_count_may_cover_the_same_days() -> None:
    first, second = (span("2024-02-01", "2024-02-29", event="spring", source=name) for name in ("a", "b"))
    assert report_conflicts(second, TALKS, [("e2", first)]) == []


def test_a_day_inside_a_span_is_admitted() -> None:
    day = report(indicator="talks", observed="2024-02-15")
    assert report_conflicts(day, TALKS, [("e2", span("2024-02-10", "2024-02-20"))]) == []
    assert report_conflicts(span("2024-02-10", "2024-02-20"), TALKS, [("e2", day)]) == []


def test_a_span_where_silence_always_counts_is_refused() -> None:
    new = report(indicator="raids", from_="2024-02-01", to="2024-02-29")
    field, what, mend = conflict(new, RAIDS, {})
    assert field == "from"
    assert what == 'every quiet day of "raids" counts already (silence: always), so a span would count them twice'
    assert "silence: covered" in mend


def test_coverage_beside_coverage_and_events_is_admitted() -> None:
    others: list[tuple[str, Report | Coverage]] = [
        ("e2", looked("2024-02-01", "2024-02-29")),
        ("e3", report(indicator="talks", observed="2024-02-15")),
    ]
    assert coverage_conflicts(looked("2024-02-10", "2024-03-01"), others) == []


# Retirement


def test_a_retired_indicator_takes_nothing_new() -> None:
    assert retirement(MOOD) == []
    (problem,) = retirement(BY_ID["gone"])
    assert (problem.field, problem.what) == ("indicator", 'indicator "gone" is retired')
