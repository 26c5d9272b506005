"""A study and its log at the moment of writing: what speaks against a report, a correction or a span, and their drafts.

Everything is checked before anything is drafted, and every fault is collected. Nothing here writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

from forecast.reading import Reading, read_on
from forecast.revision import study_of
from forecast.study import Study
from indicators.admission import Others, coverage_conflicts, report_conflicts, retirement
from indicators.coverage import Coverage, coverage_content, coverage_problems, read_coverage
from indicators.entry import Draft, Entry
from indicators.errors import Fault, FaultsError, WatchfloorError, nearest
from indicators.evidence import (
    Problem,
    Report,
    kept_content,
    read_kept_report,
    read_report,
    report_content,
    report_problems,
)
from indicators.ledger import Ledger
from indicators.replay import Known, Logged, amended, replayed

if TYPE_CHECKING:
    from indicators.attachment_folder import Staged

__all__ = [
    "Amendment",
    "Desk",
    "Namer",
    "NoReasonError",
    "NothingToAmendError",
    "SettledError",
    "TwinError",
    "correction_draft",
    "evidence_draft",
    "refuse_problems",
    "refuse_settled",
    "report_problems_in",
    "unknown_indicator",
]

Namer = Callable[[str], str]
"""How a field's place is shown: the option for a command, the column for a file."""


class NothingToAmendError(WatchfloorError):
    """An amendment that changes nothing."""


class TwinError(WatchfloorError):
    """A report whose whole content was logged before.

    Attributes
    ----------
    entry : str
        That it was logged by.
    """

    def __init__(self, entry: str) -> None:
        self.entry = entry
        super().__init__(f"{entry} has the same content", mend="log it again only if it is a second report")


class NoReasonError(WatchfloorError):
    """A retraction, or a resolution as void or undone, that does not say why."""


class SettledError(WatchfloorError):
    """Something written to a study whose question has been answered."""

    def __init__(self, study_id: str, settled: Entry) -> None:
        scenario = settled.payload.get("scenario")
        what = f"it was resolved by {settled.id} ({scenario or 'void'}) and takes nothing more"
        super().__init__(what, where=study_id, mend="if that was wrong, `forecast resolve --undo --why` opens it again")


@dataclass(frozen=True)
class Amendment:
    """A correction that is asked for.

    Attributes
    ----------
    entry : str
        That is to be corrected.
    changes : mapping
        New values by field; an empty text takes the field out.
    why : str or None
        The reason, kept with it.
    """

    entry: str
    changes: Mapping[str, object]
    why: str | None = None


def _set(logged: Logged, record: Report | Coverage) -> dict[str, object]:
    """The fields that changed, with their new values; None where a field was taken out."""
    was = report_content(logged.record) if isinstance(logged.record, Report) else coverage_content(logged.record)
    now = report_content(record) if isinstance(record, Report) else coverage_content(record)
    return {name: now.get(name) for name in {**was, **now} if was.get(name) != now.get(name)}


def refuse_settled(study_id: str, settled: Entry | None) -> None:
    """Raise `SettledError` where a study was settled by an entry."""
    if settled is not None:
        raise SettledError(study_id, settled)


@dataclass
class Desk:
    """A study and its log at the moment of writing, against which input is checked."""

    study: Study
    known: Known
    today: date
    on: dict[str, list[tuple[str, Report | Coverage]]] = field(default_factory=dict)

    @classmethod
    def of(cls, ledger: Ledger, study_id: str, today: date, at_hand: Reading | None = None) -> Desk:
        """As the ledger stands; raises `SettledError` where the study is closed."""
        if at_hand is not None:
            return cls.at(read_on(replace(at_hand, ledger=ledger)), today)
        known = replayed(ledger.entries(study=study_id))
        return cls._opened(study_of(known.revisions[-1]), known, today)

    @classmethod
    def at(cls, reading: Reading, today: date) -> Desk:
        """As a reading has it; otherwise as `of`."""
        return cls._opened(reading.study, reading.known, today)

    @classmethod
    def _opened(cls, study: Study, known: Known, today: date) -> Desk:
        refuse_settled(study.study, known.settled)
        desk = cls(study, known, today)
        for logged in known.logged.values():
            if not logged.retracted:
                desk.add(logged.entry.id, logged.record)
        return desk

    def add(self, name: str, record: Report | Coverage) -> None:
        """Take a record into account for those that follow."""
        self.on.setdefault(record.indicator, []).append((name, record))

    def report_drafts(
        self,
        raw: Mapping[str, object],
        *,
        author: str,
        place: Namer,
        beside: Sequence[Amendment] = (),
        attached: Sequence[Staged] = (),
    ) -> list[Draft]:
        """What is to be written for a report: the corrections beside it, and itself; refused with every fault."""
        report, problems = read_report(raw)
        corrections = [self._taken_in(asked, author) for asked in beside]
        found = [*problems]
        if report is not None:
            found += self.report_problems(report)
            found += self.ref_problems(report)
        refuse_problems(found, place)
        assert report is not None
        whole = replace(report, attachments=tuple(copy.attachment for copy in attached))
        return [*corrections, evidence_draft(whole, self.study.study, author)]

    def _taken_in(self, asked: Amendment, author: str) -> Draft:
        """The draft of a correction, which from here on counts for what follows."""
        record = self.known.standing(asked.entry).record
        draft = self.amendment_draft(asked, author=author, place=lambda field: f"{asked.entry} {field}")
        changed, _ = read_kept_report(amended(record, draft.payload["set"]))
        self.on[record.indicator] = [item for item in self.on[record.indicator] if item[0] != asked.entry]
        if changed is not None:
            self.add(asked.entry, changed)
        return draft

    def amendment_draft(self, asked: Amendment, *, author: str, place: Namer) -> Draft:
        """What is to be written for a correction; refused with every fault."""
        logged = self.known.standing(asked.entry)
        changes = {name: None if value == "" else value for name, value in asked.changes.items()}
        content = amended(logged.record, changes)
        is_report = isinstance(logged.record, Report)
        record, problems = read_kept_report(content) if is_report else read_coverage(content)
        if isinstance(logged.record, Report) and "attachments" in changes:
            mend = "log the file with a report of its own"
            problems.append(Problem("attachments", "the attachments of a report stay as they were logged", mend))
        if isinstance(record, Report):
            problems += self.report_problems(record, instead_of=logged)
            problems += self.ref_problems(record, instead_of=logged)
        elif record is not None:
            problems += self.coverage_problems(record, instead_of=logged)
        refuse_problems(problems, place)
        if record == logged.record or record is None:
            raise NothingToAmendError("it says so already", where=asked.entry, mend="name a field to change")
        payload: dict[str, object] = {"entry": asked.entry, "set": _set(logged, record)}
        return correction_draft(self.study.study, "amend", payload, asked.why, author)

    def coverage_draft(self, raw: Mapping[str, object], *, author: str, place: Namer) -> Draft:
        """What is to be written for a span of looking; refused with every fault."""
        coverage, problems = read_coverage(raw)
        refuse_problems([*problems, *(self.coverage_problems(coverage) if coverage else [])], place)
        assert coverage is not None
        return Draft(author=author, study=self.study.study, kind="coverage", payload=coverage_content(coverage))

    def coverage_as_logged(self) -> set[Coverage | None]:
        """Every span as it was first recorded, corrected and retracted ones included: what a file read again says."""
        firsts = (logged.first for logged in self.known.logged.values())
        return {first for first in firsts if isinstance(first, Coverage)}

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
        is_correction = instead_of is not None and instead_of.record.indicator == report.indicator
        others = self._others(report.indicator, instead_of)
        return report_problems_in(report, self.study, self.today, others, is_correction=is_correction)

    def coverage_problems(self, coverage: Coverage, *, instead_of: Logged | None = None) -> list[Problem]:
        """Everything that speaks against well-formed coverage."""
        indicator = self.study.by_id.get(coverage.indicator)
        if indicator is None:
            return [unknown_indicator(coverage.indicator, self.study)]
        is_correction = instead_of is not None and instead_of.record.indicator == indicator.id
        problems = [] if is_correction else retirement(indicator)
        problems += coverage_problems(coverage, indicator, opens=self.study.opens, today=self.today)
        problems += _horizon_problems("to", coverage.to, self.study, self.today)
        return problems or coverage_conflicts(coverage, self._others(coverage.indicator, instead_of))

    def _others(self, indicator: str, besides: Logged | None) -> Iterable[tuple[str, Report | Coverage]]:
        own = besides.entry.id if besides else None
        return ((name, record) for name, record in self.on.get(indicator, ()) if name != own)


def report_problems_in(
    report: Report, study: Study, today: date, others: Others, *, is_correction: bool = False
) -> list[Problem]:
    """Everything that speaks against a well-formed report, ref aside, given what it could collide with."""
    indicator = study.by_id.get(report.indicator)
    if indicator is None:
        return [unknown_indicator(report.indicator, study)]
    problems = [] if is_correction else retirement(indicator)
    problems += report_problems(report, indicator, opens=study.opens, today=today)
    field, day = ("to", report.to) if report.to else ("observed", report.observed)
    problems += _horizon_problems(field, day, study, today)
    return problems or report_conflicts(report, indicator, others)


def _horizon_problems(field: str, day: date | None, study: Study, today: date) -> list[Problem]:
    if day is None or not study.horizon < day <= today:
        return []
    what = f"{day} lies after the study's horizon {study.horizon}"
    return [Problem(field, what, "the study is settled by then; resolve it")]


def unknown_indicator(indicator: str, study: Study) -> Problem:
    """What is wrong with the name of an indicator that the study does not have."""
    return Problem("indicator", f'no indicator "{indicator}" in the study', nearest(indicator, study.by_id))


def evidence_draft(report: Report, study_id: str, author: str) -> Draft:
    """The draft of a report, in the name of its own author where it has one."""
    return Draft(author=report.author or author, study=study_id, kind="evidence", payload=kept_content(report))


def correction_draft(study_id: str, kind: str, payload: dict[str, object], why: str | None, author: str) -> Draft:
    """The draft of an amendment or a retraction, with its reason where there is one."""
    return Draft(author=author, study=study_id, kind=kind, payload=payload | ({"why": why} if why else {}))


def refuse_problems(problems: Sequence[Problem], place: Namer) -> None:
    """Raise `FaultsError` with every problem, at its place; nothing where there is none."""
    if problems:
        raise FaultsError(Fault(place(p.field), 0, 0, p.what, p.mend) for p in problems)
