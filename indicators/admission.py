"""Whether a report or a span of coverage fits the log as it stands: what no single record can tell by itself.

A milestone happens once; the days of a count over a span may not be counted a second time; a retired indicator takes
nothing new.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from indicators.coverage import Coverage
from indicators.evidence import Problem, Report
from indicators.indicator import CountIndicator, Indicator, MilestoneIndicator

__all__ = ["Others", "Standing", "coverage_conflicts", "report_conflicts", "retirement"]

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


class Standing:
    """What stands on the indicators, kept so that one more report is held against few of very many.

    A report on a milestone can collide with the first that stands, or, where that tells of the same event, with the
    first of another; a count over a span with what covers one of its days.
    """

    def __init__(self) -> None:
        self._first: dict[str, list[tuple[str, Report]]] = {}
        self._spans: dict[str, _Spans] = {}

    def add(self, name: str, record: Report | Coverage, indicator: Indicator) -> None:
        """Take in what stands from now on; `name` is its entry id or its row."""
        if isinstance(record, Coverage):
            self._spans.setdefault(indicator.id, _Spans()).add(name, record, record.from_, record.to, _COVERAGE)
        elif isinstance(indicator, MilestoneIndicator):
            first = self._first.setdefault(indicator.id, [])
            if not first or (len(first) == 1 and first[0][1].event_key not in (None, record.event_key)):
                first.append((name, record))
        elif record.from_ and record.to:
            key = record.event_key or ("", name)
            self._spans.setdefault(indicator.id, _Spans()).add(name, record, record.from_, record.to, key)

    def others(self, report: Report) -> Others:
        """Everything that the report could collide with, and little else."""
        yield from self._first.get(report.indicator, ())
        if report.from_ and report.to and report.indicator in self._spans:
            yield from self._spans[report.indicator].covering(report.from_, report.to, report.event_key)


_COVERAGE = ("coverage", "")
_Key: TypeAlias = tuple[str, str]


@dataclass(slots=True)
class _Block:
    """Days without a gap that records cover; their key where all share one, and those that made it longer."""

    first: date
    last: date
    key: _Key | None
    records: list[tuple[str, Report | Coverage]]


class _Spans:
    """Blocks of days in order; no two have a day in common, so that those of a day are found by halving."""

    def __init__(self) -> None:
        self._blocks: list[_Block] = []

    def add(self, name: str, record: Report | Coverage, first: date, last: date, key: _Key) -> None:
        """Take in what covers the days from first to last."""
        start, end = self._touching(first, last)
        touching = self._blocks[start:end]
        if len(touching) == 1 and touching[0].key == key and touching[0].first <= first and last <= touching[0].last:
            return
        merged = _Block(
            first=min([first, *(block.first for block in touching)]),
            last=max([last, *(block.last for block in touching)]),
            key=key if all(block.key == key for block in touching) else None,
            records=[*(named for block in touching for named in block.records), (name, record)],
        )
        self._blocks[start:end] = [merged]

    def covering(self, first: date, last: date, key: _Key | None) -> Iterator[tuple[str, Report | Coverage]]:
        """What covers one of the days, but for blocks that are all of the same key."""
        start, end = self._touching(first, last)
        for block in self._blocks[start:end]:
            if key is None or block.key != key:
                yield from block.records

    def _touching(self, first: date, last: date) -> tuple[int, int]:
        """Where the blocks begin and end that have a day of the span."""
        start = bisect_left(self._blocks, first, key=lambda block: block.last)
        return start, bisect_right(self._blocks, last, lo=start, key=lambda block: block.first)
