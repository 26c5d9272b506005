"""Imports: all reports or spans of some files, or none; reports are gone through row by row, and kept as digests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

from forecast.desk import Desk, refuse_settled, report_problems_in, unknown_indicator
from forecast.revision import study_of
from indicators.coverage import coverage_content, read_coverage
from indicators.entry import Draft
from indicators.errors import Fault, FaultsError
from indicators.evidence import (
    Problem,
    Report,
    read_report,
    report_content,
)
from indicators.intake import Handed
from indicators.ledger import Ledger
from indicators.raw import Raw, place_in
from indicators.register import digest, registered
from indicators.replay import content_key

__all__ = ["Imported", "Tried", "cover_many", "import_reports", "tried_import"]

MOST_FAULTS = 1_000
"""How many mistakes of an import are told one by one; whoever made more of them made one kind of mistake."""

MOST_SHOWN = 20
"""How many reports of a dry run are shown one by one."""


@dataclass(frozen=True)
class Imported:
    """What an import did.

    Attributes
    ----------
    positions : range
        Of the entries written.
    skipped : int
        How many rows were in the study already.
    """

    positions: range
    skipped: int

    @property
    def entries(self) -> list[str]:
        """Ids of the entries written."""
        return [f"e{position}" for position in self.positions]


@dataclass(frozen=True)
class Tried(Imported):
    """What an import would do; `positions` are those that its entries would have at this moment.

    Attributes
    ----------
    first : list of mapping
        The contents of the first reports that it would write, `MOST_SHOWN` at most.
    """

    first: list[Mapping[str, Any]]


def import_reports(ledger: Ledger, study_id: str, files: Sequence[Handed], *, author: str, today: date) -> Imported:
    """Log all reports of some files, or none.

    A row is already there when its `ref` is, or, where it has none, its whole content; such a row is skipped, so that
    importing a file twice changes nothing. The files are gone through once, row by row, while no other writer can
    append, and may be longer than memory.

    Parameters
    ----------
    files : sequence of Handed
        As a person hands them in; each may be read again where a server made the attempt void.

    Raises
    ------
    FaultsError
        With every bad row of every file; `MOST_FAULTS` of them one by one, the rest counted. Nothing was written.
    """
    last: list[_Import] = []

    def decide(now: Ledger) -> Iterator[Draft]:
        last[:] = [_Import(now, study_id, today)]
        return last[0].drafts(files, author)

    positions = ledger.append_stream(decide)
    return Imported(positions, last[0].skipped)


def tried_import(ledger: Ledger, study_id: str, files: Sequence[Handed], *, today: date) -> Tried:
    """What `import_reports` would do at this moment; nothing is written. Raises as it does."""
    trial = _Import(ledger, study_id, today)
    drafts = trial.drafts(files, "")
    first = [draft.payload for draft in islice(drafts, MOST_SHOWN)]
    count = len(first) + sum(1 for _ in drafts)
    start = ledger.head().entries + 1
    return Tried(range(start, start + count), trial.skipped, first)


def cover_many(
    ledger: Ledger,
    study_id: str,
    file: str,
    rows: Sequence[Raw],
    faults: Sequence[Fault],
    *,
    author: str,
    today: date,
) -> Imported:
    """Record all coverage of a file, or none; spans already recorded are skipped."""
    skipped = 0

    def decide(now: Ledger) -> Sequence[Draft]:
        nonlocal skipped
        desk = Desk.of(now, study_id, today)
        there = desk.coverage_as_logged()
        found, again = [*faults], 0
        drafts: list[Draft] = []
        for raw in rows:
            coverage, problems = read_coverage(raw.values)
            if coverage in there:
                again += 1
                continue
            if coverage is not None:
                problems = desk.coverage_problems(coverage)
                drafts.append(Draft(author=author, study=study_id, kind="coverage", payload=coverage_content(coverage)))
                if not problems:
                    there.add(coverage)
            place = place_in(file, raw.part)
            found += [Fault(place, raw.line, 0, f"{p.field}: {p.what}", p.mend) for p in problems]
        if found:
            raise FaultsError(found)
        skipped = again
        return drafts

    return Imported(ledger.append_stream(decide), skipped)


class _Import:
    """The rows of one import so far. Of the sound ones only digests are kept, so that there may be any number."""

    def __init__(self, ledger: Ledger, study_id: str, today: date) -> None:
        self._register = registered(lambda: ledger.entries(study=study_id), lambda entry: study_of(entry).by_id)
        assert self._register.revision is not None
        refuse_settled(study_id, self._register.settled)
        self._study, self._today = study_of(self._register.revision), today
        self._refs: dict[bytes, bytes] = {}
        self._contents: set[bytes] = set()
        self._bad: set[bytes] = set()
        self._faults: list[Fault] = []
        self._more_faults = 0
        self.skipped = 0

    def drafts(self, files: Sequence[Handed], author: str) -> Iterator[Draft]:
        """What is to be logged, in order; raises `FaultsError` at the end where any row is bad."""
        for handed in files:
            for item in handed:
                if isinstance(item, Fault):
                    self._take_fault(item)
                else:
                    content = self._content(item, handed.file)
                    if content is not None and not self._faults:
                        who = str(content.get("author", author))
                        yield Draft(author=who, study=self._study.study, kind="evidence", payload=content)
        if self._faults:
            raise FaultsError(self._faults, more=self._more_faults)

    def _content(self, raw: Raw, file: str) -> dict[str, object] | None:
        """The report of a row, as it is kept; None where it is there already, or bad, which is then a fault."""
        place = place_in(file, raw.part)
        report, problems = read_report(raw.values)
        if report is not None:
            content = report_content(report)
            key, ref = digest(content_key(content)), digest(report.ref) if report.ref else None
            if self._is_there(ref, key):
                self.skipped += 1
                return None
            problems = self._problems(report, ref, key, f"{place}:{raw.line}" if raw.line else place)
            if not problems:
                return content
        else:
            problems = [*problems, *self._unknown_beside(problems, raw.values.get("indicator"))]
        for problem in problems:
            self._take_fault(Fault(place, raw.line, 0, f"{problem.field}: {problem.what}", problem.mend))
        return None

    def _take_fault(self, fault: Fault) -> None:
        if len(self._faults) < MOST_FAULTS:
            self._faults.append(fault)
        else:
            self._more_faults += 1

    def _unknown_beside(self, problems: Sequence[Problem], indicator: object) -> list[Problem]:
        """The problem of an unknown indicator in a row whose form is bad elsewhere, so that both are told at once."""
        named = indicator.strip() if isinstance(indicator, str) else ""
        if not named or named in self._study.by_id or any(problem.field == "indicator" for problem in problems):
            return []
        return [unknown_indicator(named, self._study)]

    def _is_there(self, ref: bytes | None, key: bytes) -> bool:
        if ref is None:
            return key in self._register.contents or key in self._contents
        return ref in self._register.refs or (self._refs.get(ref) == key and key not in self._bad)

    def _problems(self, report: Report, ref: bytes | None, key: bytes, name: str) -> list[Problem]:
        """Everything that speaks against a row that is not there; without problems it counts for those that follow."""
        problems = report_problems_in(report, self._study, self._today, self._register.standing.others(report))
        if ref is not None and self._refs.setdefault(ref, key) != key:
            what = f'the ref "{report.ref}" stands on an earlier row with another content'
            problems.append(Problem("ref", what, "give each report a ref of its own"))
        if problems:
            self._bad.add(key)
            return problems
        if ref is None:
            self._contents.add(key)
        self._register.standing.add(name, report, self._study.by_id[report.indicator])
        return []
