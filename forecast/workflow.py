"""What a person does to a ledger, one function each: record a study, log, import, amend, retract, cover.

Each checks all of its input against the ledger as it stands at the moment of writing, collects every fault, and either
writes all of it or nothing. Dates come in as arguments; the clock is read by the callers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from forecast.revision import revision_faults, study_of
from forecast.study import Study
from indicators.admission import coverage_conflicts, report_conflicts, retirement
from indicators.coverage import Coverage, coverage_content, coverage_problems, read_coverage
from indicators.entry import Draft, Entry
from indicators.errors import Fault, FaultsError, WatchfloorError, nearest
from indicators.evidence import Problem, Report, read_report, report_content, report_problems
from indicators.indicator import Indicator
from indicators.intake import Raw
from indicators.ledger import Ledger
from indicators.replay import Known, Logged, amended, content_key, replayed

__all__ = [
    "Imported",
    "NoReasonError",
    "NothingToAmendError",
    "Recorded",
    "amend",
    "cover",
    "cover_many",
    "import_reports",
    "log_report",
    "record_study",
    "retract",
]

Namer = Callable[[str], str]
"""How a field's place is shown: the option for a command, the column for a file."""


class NothingToAmendError(WatchfloorError):
    """An amendment that changes nothing."""


class NoReasonError(WatchfloorError):
    """A retraction that does not say why."""


@dataclass(frozen=True)
class Recorded:
    """A study revision: the entry that holds it, and whether it is a new one."""

    entry: Entry
    number: int
    is_new: bool


@dataclass(frozen=True)
class Imported:
    """What an import did: the entries written, and how many rows were in the study already."""

    entries: list[Entry]
    skipped: int


def record_study(
    ledger: Ledger, study: Study, *, content: Mapping[str, Any], text: str, file: str, author: str
) -> Recorded:
    """Record a study, or the next revision of it, with the histories that it names and what was fitted to them.

    Parameters
    ----------
    study : Study
        As read from the file, with its baselines.
    content : mapping
        The study as plain JSON values, from which it can be read again.
    text : str
        The file to the letter.
    file : str
        Its name, for faults.

    Returns
    -------
    Recorded
        With the entry already there when the text and the histories are those of the revision in force.

    Raises
    ------
    FaultsError
        The revision would take the ground from under what is logged.
    NoHistoryError
        An indicator has a baseline, and the study does not have its history with it.
    """
    study.check_baselines()
    payload = {"file": text, "study": dict(content), "history": dict(study.baselines.histories)}
    fits = {name: fit.model_dump(mode="json") for name, fit in study.baselines.fits.items()}
    fitted = {"fits": fits} if fits else {}
    before: list[Entry] = []

    def decide(now: Ledger) -> Sequence[Draft]:
        known = replayed(now.entries(study=study.study))
        before[:] = known.revisions
        # A fit stays as it was first recorded, whatever another machine or a later version would make of it.
        if known.revisions and all(known.revisions[-1].payload.get(key) == value for key, value in payload.items()):
            return []
        faults = revision_faults(study, known, file=file)
        if faults:
            raise FaultsError(faults)
        return [Draft(author=author, study=study.study, kind="study", payload=payload | fitted)]

    written = ledger.append(decide)
    if written:
        return Recorded(written[0], len(before) + 1, is_new=True)
    return Recorded(before[-1], len(before), is_new=False)


def log_report(
    ledger: Ledger, study_id: str, raw: Mapping[str, object], *, author: str, today: date, place: Namer
) -> Entry:
    """Log one report.

    Parameters
    ----------
    raw : mapping
        SPEC 3's fields, texts or JSON values.
    author : str
        Who logs it, where the report names nobody.
    today : date
        The last day a report may be dated.
    place : callable
        From a field to how its place is shown in a fault.

    Raises
    ------
    FaultsError
        With every fault; nothing was written.
    """
    report, problems = read_report(raw)

    def decide(now: Ledger) -> Sequence[Draft]:
        desk = _Desk.of(now, study_id, today)
        found = [*problems]
        if report is not None:
            found += desk.report_problems(report)
            found += desk.ref_problems(report)
        _refuse(found, place)
        assert report is not None
        return [_evidence_draft(report, study_id, author)]

    return ledger.append(decide)[0]


def import_reports(
    ledger: Ledger,
    study_id: str,
    files: Iterable[tuple[str, Sequence[Raw], Sequence[Fault]]],
    *,
    author: str,
    today: date,
) -> Imported:
    """Log all reports of some files, or none.

    A row is already there when its `ref` is, or, where it has none, its whole content; such a row is skipped, so that
    importing a file twice changes nothing.

    Parameters
    ----------
    files : iterable of (name, rows, faults)
        As `indicators.intake.read_rows` gave them.

    Raises
    ------
    FaultsError
        With every bad row of every file; nothing was written.
    """
    given = list(files)
    skipped = 0

    def decide(now: Ledger) -> Sequence[Draft]:
        nonlocal skipped
        batch = _Batch(_Desk.of(now, study_id, today))
        faults = [fault for _, _, form in given for fault in form]
        for file, rows, _ in given:
            for raw in rows:
                report, problems = read_report(raw.values)
                if report is not None:
                    problems = batch.take(report, f"{file}:{raw.line}")
                faults += [Fault(file, raw.line, 0, f"{p.field}: {p.what}", p.mend) for p in problems]
        if faults:
            raise FaultsError(faults)
        skipped = batch.skipped
        return [_evidence_draft(report, study_id, author) for report in batch.reports]

    return Imported(ledger.append(decide), skipped)


def amend(
    ledger: Ledger,
    study_id: str,
    entry_id: str,
    changes: Mapping[str, object],
    *,
    why: str | None,
    author: str,
    today: date,
    place: Namer,
) -> Entry:
    """Correct a report or a span of coverage; the entry itself stays, the correction is a new one.

    Parameters
    ----------
    changes : mapping
        New values by field; an empty text takes the field out.
    why : str or None
        The reason, kept with the correction.
    """

    def decide(now: Ledger) -> Sequence[Draft]:
        desk = _Desk.of(now, study_id, today)
        logged = desk.known.standing(entry_id)
        asked = {name: None if value == "" else value for name, value in changes.items()}
        content = amended(logged.record, asked)
        is_report = isinstance(logged.record, Report)
        record, problems = read_report(content) if is_report else read_coverage(content)
        if isinstance(record, Report):
            problems += desk.report_problems(record, instead_of=logged)
            problems += desk.ref_problems(record, instead_of=logged)
        elif record is not None:
            problems += desk.coverage_problems(record, instead_of=logged)
        _refuse(problems, place)
        if record == logged.record or record is None:
            raise NothingToAmendError("it says so already", where=entry_id, mend="name a field to change")
        payload: dict[str, object] = {"entry": entry_id, "set": _set(logged, record)}
        return [_correction(study_id, "amend", payload, why, author)]

    return ledger.append(decide)[0]


def _set(logged: Logged, record: Report | Coverage) -> dict[str, object]:
    """The fields that changed, with their new values; None where a field was taken out."""
    was = report_content(logged.record) if isinstance(logged.record, Report) else coverage_content(logged.record)
    now = report_content(record) if isinstance(record, Report) else coverage_content(record)
    return {name: now.get(name) for name in {**was, **now} if was.get(name) != now.get(name)}


def retract(ledger: Ledger, study_id: str, entry_id: str, *, why: str, author: str) -> Entry:
    """Withdraw a report or a span of coverage; the entry stays, and no longer counts.

    Raises
    ------
    NoReasonError
        `why` is blank.
    """
    if not why.strip():
        raise NoReasonError(
            "a retraction needs its reason", where="--why", mend="say in a few words why it is withdrawn"
        )

    def decide(now: Ledger) -> Sequence[Draft]:
        replayed(now.entries(study=study_id)).standing(entry_id)
        return [_correction(study_id, "retract", {"entry": entry_id}, why, author)]

    return ledger.append(decide)[0]


def cover(ledger: Ledger, study_id: str, raw: Mapping[str, object], *, author: str, today: date, place: Namer) -> Entry:
    """Record a span of days in which somebody was really looking at an indicator."""
    coverage, problems = read_coverage(raw)

    def decide(now: Ledger) -> Sequence[Draft]:
        desk = _Desk.of(now, study_id, today)
        found = [*problems, *(desk.coverage_problems(coverage) if coverage else [])]
        _refuse(found, place)
        assert coverage is not None
        return [Draft(author=author, study=study_id, kind="coverage", payload=coverage_content(coverage))]

    return ledger.append(decide)[0]


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
        desk = _Desk.of(now, study_id, today)
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
            found += [Fault(file, raw.line, 0, f"{p.field}: {p.what}", p.mend) for p in problems]
        if found:
            raise FaultsError(found)
        skipped = again
        return drafts

    return Imported(ledger.append(decide), skipped)


@dataclass
class _Desk:
    """A study and its log at the moment of writing, against which input is checked."""

    study: Study
    known: Known
    today: date
    on: dict[str, list[tuple[str, Report | Coverage]]] = field(default_factory=dict)

    @classmethod
    def of(cls, ledger: Ledger, study_id: str, today: date) -> _Desk:
        """As the ledger stands."""
        known = replayed(ledger.entries(study=study_id))
        desk = cls(study_of(known.revisions[-1]), known, today)
        for logged in known.logged.values():
            if not logged.retracted:
                desk.add(logged.entry.id, logged.record)
        return desk

    def add(self, name: str, record: Report | Coverage) -> None:
        """Take a record into account for those that follow."""
        self.on.setdefault(record.indicator, []).append((name, record))

    def is_known(self, report: Report) -> bool:
        """Whether an import has to skip the report: its ref, or without one its content, was logged before."""
        if report.ref:
            return report.ref in self.known.refs
        return content_key(report_content(report)) in self.known.contents

    def coverage_as_logged(self) -> set[Coverage | None]:
        """Every span as it was first recorded, corrected and retracted ones included: what a file read again says."""
        entries = (logged.entry for logged in self.known.logged.values() if logged.entry.kind == "coverage")
        return {read_coverage(entry.payload)[0] for entry in entries}

    def ref_problems(self, report: Report, *, instead_of: Logged | None = None) -> list[Problem]:
        """Whether the ref is that of another entry."""
        taken = self.known.refs.get(report.ref or "")
        if taken is None or (instead_of and instead_of.entry.id == taken):
            return []
        is_retracted = self.known.logged[taken].retracted
        mend = "give another ref" if is_retracted or instead_of else "amend that entry, or give another ref"
        return [Problem("ref", f'the ref "{report.ref}" is taken by {taken}', mend)]

    def report_problems(self, report: Report, *, instead_of: Logged | None = None) -> list[Problem]:
        """Everything that speaks against a well-formed report, ref aside; `instead_of` is the one it would replace."""
        indicator = self.study.by_id.get(report.indicator)
        if indicator is None:
            return [self._unknown(report.indicator)]
        problems = self._retirement(indicator, instead_of)
        problems += report_problems(report, indicator, opens=self.study.opens, today=self.today)
        field, day = ("to", report.to) if report.to else ("observed", report.observed)
        problems += self._horizon_problems(field, day)
        return problems or report_conflicts(report, indicator, self._others(report.indicator, instead_of))

    def coverage_problems(self, coverage: Coverage, *, instead_of: Logged | None = None) -> list[Problem]:
        """Everything that speaks against well-formed coverage."""
        indicator = self.study.by_id.get(coverage.indicator)
        if indicator is None:
            return [self._unknown(coverage.indicator)]
        problems = self._retirement(indicator, instead_of)
        problems += coverage_problems(coverage, indicator, opens=self.study.opens, today=self.today)
        problems += self._horizon_problems("to", coverage.to)
        return problems or coverage_conflicts(coverage, self._others(coverage.indicator, instead_of))

    def _retirement(self, indicator: Indicator, instead_of: Logged | None) -> list[Problem]:
        is_correction = instead_of is not None and instead_of.record.indicator == indicator.id
        return [] if is_correction else retirement(indicator)

    def _horizon_problems(self, field: str, day: date | None) -> list[Problem]:
        if day is None or not self.study.horizon < day <= self.today:
            return []
        what = f"{day} lies after the study's horizon {self.study.horizon}"
        return [Problem(field, what, "the study is settled by then; resolve it")]

    def _others(self, indicator: str, besides: Logged | None) -> Iterable[tuple[str, Report | Coverage]]:
        own = besides.entry.id if besides else None
        return ((name, record) for name, record in self.on.get(indicator, ()) if name != own)

    def _unknown(self, indicator: str) -> Problem:
        return Problem("indicator", f'no indicator "{indicator}" in the study', nearest(indicator, self.study.by_id))


@dataclass
class _Batch:
    """The sound rows of one import so far, and how many were there already."""

    desk: _Desk
    reports: list[Report] = field(default_factory=list)
    skipped: int = 0
    refs: dict[str, str] = field(default_factory=dict)
    contents: set[str] = field(default_factory=set)

    def take(self, report: Report, place: str) -> list[Problem]:
        """Everything that speaks against one more row; without problems it is among the reports, or skipped."""
        content = content_key(report_content(report))
        if self.desk.is_known(report) or content in self.contents:
            self.skipped += 1
            return []
        problems = self.desk.report_problems(report)
        if report.ref and self.refs.setdefault(report.ref, content) != content:
            what = f'the ref "{report.ref}" stands on an earlier row with another content'
            problems.append(Problem("ref", what, "give each report a ref of its own"))
        if not problems:
            self.contents.add(content)
            self.desk.add(place, report)
            self.reports.append(report)
        return problems


def _evidence_draft(report: Report, study_id: str, author: str) -> Draft:
    return Draft(author=report.author or author, study=study_id, kind="evidence", payload=report_content(report))


def _correction(study_id: str, kind: str, payload: dict[str, object], why: str | None, author: str) -> Draft:
    return Draft(author=author, study=study_id, kind=kind, payload=payload | ({"why": why} if why else {}))


def _refuse(problems: Sequence[Problem], place: Namer) -> None:
    if problems:
        raise FaultsError(Fault(place(p.field), 0, 0, p.what, p.mend) for p in problems)
