"""Whether a report or a span of coverage fits the log as it stands: what no single record can tell by itself.

A milestone happens once; the days of a count over a span may not be counted a second time; a retired indicator takes
nothing new.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TypeAlias

from indicators.coverage import Coverage
from indicators.evidence import Problem, Report
from indicators.indicator import CountIndicator, Indicator, MilestoneIndicator

__all__ = ["Others", "coverage_conflicts", "report_conflicts", "retirement"]

Others: TypeAlias = Iterable[tuple[str, Report | Coverage]]
"""What stands on the same indicator besides the record: entry id (or row) and record."""


def retirement(indicator: Indicator) -> list[Problem]:
    """The problem of logging anew on a retired indicator; what is logged may still be corrected."""
    if not indicator.retired:
        return []
    return [
        Problem("indicator", f'indicator "{indicator.id}" is retired', "take it up again in the study to log on it")
    ]


def report_conflicts(report: Report, indicator: Indicator, others: Others) -> list[Problem]:
    """Problems of a sound report with what else stands on its indicator."""
    if isinstance(indicator, MilestoneIndicator):
        return _second_milestone(report, indicator, others)
    if isinstance(indicator, CountIndicator) and report.from_ and report.to:
        return _span_conflicts(report, indicator, report.from_, report.to, others)
    return []


def coverage_conflicts(coverage: Coverage, others: Others) -> list[Problem]:
    """Problems of sound coverage with the spans that reports of the indicator already cover."""
    for name, other in others:
        if isinstance(other, Report) and other.from_ and other.to and _overlap(coverage, other):
            what = f"{name} already counts the days {other.from_} to {other.to}, quiet ones included"
            return [Problem("from", what, "cover the days before and after it")]
    return []


def _second_milestone(report: Report, indicator: Indicator, others: Others) -> list[Problem]:
    for name, other in others:
        if not isinstance(other, Report) or (report.event_key and report.event_key == other.event_key):
            continue
        mend = (
            f"log it with event {other.event} if it tells of the same, or retract {name}"
            if other.event
            else f"give both the same event if they tell of the same (amend {name} first), or retract {name}"
        )
        what = f'the milestone "{indicator.id}" has happened already, by {name} on {other.dated}'
        return [Problem("event", what, mend)]
    return []


def _span_conflicts(
    report: Report, indicator: CountIndicator, first: date, last: date, others: Others
) -> list[Problem]:
    if indicator.silence == "always":
        what = f'every quiet day of "{indicator.id}" counts already (silence: always), so a span would count them twice'
        return [Problem("from", what, "log each event on its day, or change the study to silence: covered")]
    for name, other in others:
        if isinstance(other, Coverage) and other.from_ <= last and first <= other.to:
            what = f"the span overlaps the coverage {name} of {other.from_} to {other.to}"
            return [Problem("from", what, f"retract {name}, or log each event on its day")]
        same = isinstance(other, Report) and report.event_key and other.event_key == report.event_key
        if same or not isinstance(other, Report) or not other.from_ or not other.to:
            continue
        if other.from_ <= last and first <= other.to:
            what = f"the span overlaps that of {name}, {other.from_} to {other.to}"
            return [Problem("from", what, f"give both the same event if they tell of the same, or amend {name}")]
    return []


def _overlap(coverage: Coverage, report: Report) -> bool:
    assert report.from_ and report.to
    return coverage.from_ <= report.to and report.from_ <= coverage.to
