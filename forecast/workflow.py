"""What a person does to a ledger, one function each: record a study, log, import, amend, retract, cover.

Each checks all of its input against the ledger as it stands at the moment of writing, collects every fault, and either
writes all of it or nothing. Dates come in as arguments; the clock is read by the callers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from forecast.revision import revision_faults, study_of
from forecast.study import Study
from indicators.admission import Others, coverage_conflicts, report_conflicts, retirement
from indicators.coverage import Coverage, coverage_content, coverage_problems, read_coverage
from indicators.entry import Draft, Entry
from indicators.errors import Fault, FaultsError, WatchfloorError, nearest
from indicators.evidence import Problem, Report, read_report, report_content, report_problems
from indicators.intake import Handed
from indicators.ledger import Ledger
from indicators.raw import Raw, place_in
from indicators.register import digest, registered
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
    "tried_import",
]

MOST_FAULTS = 10_000
"""How many mistakes of an import are told at once; whoever made more of them made one kind of mistake."""

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
        With every bad row of every file, up to `MOST_FAULTS`; nothing was written.
    """
    last: list[_Import] = []

    def decide(now: Ledger) -> Iterator[Draft]:
        last[:] = [_Import(now, study_id, today)]
        return last[0].drafts(files, author)

    positions = ledger.append_stream(decide)
    return Imported(positions, last[0].skipped)


def tried_import(ledger: Ledger, study_id: str, files: Sequence[Handed], *, today: date) -> Imported:
    """What `import_reports` would do at this moment; nothing is written. Raises as it does."""
    trial = _Import(ledger, study_id, today)
    count = sum(1 for _ in trial.drafts(files, ""))
    first = ledger.head().entries + 1
    return Imported(range(first, first + count), trial.skipped)


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
            place = place_in(file, raw.part)
            found += [Fault(place, raw.line, 0, f"{p.field}: {p.what}", p.mend) for p in problems]
        if found:
            raise FaultsError(found)
        skipped = again
        return drafts

    return Imported(ledger.append_stream(decide), skipped)


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
        return _report_problems(report, self.study, self.today, others, is_correction=is_correction)

    def coverage_problems(self, coverage: Coverage, *, instead_of: Logged | None = None) -> list[Problem]:
        """Everything that speaks against well-formed coverage."""
        indicator = self.study.by_id.get(coverage.indicator)
        if indicator is None:
            return [_unknown(coverage.indicator, self.study)]
        is_correction = instead_of is not None and instead_of.record.indicator == indicator.id
        problems = [] if is_correction else retirement(indicator)
        problems += coverage_problems(coverage, indicator, opens=self.study.opens, today=self.today)
        problems += _horizon_problems("to", coverage.to, self.study, self.today)
        return problems or coverage_conflicts(coverage, self._others(coverage.indicator, instead_of))

    def _others(self, indicator: str, besides: Logged | None) -> Iterable[tuple[str, Report | Coverage]]:
        own = besides.entry.id if besides else None
        return ((name, record) for name, record in self.on.get(indicator, ()) if name != own)


class _Import:
    """The rows of one import so far. Of the sound ones only digests are kept, so that there may be any number."""

    def __init__(self, ledger: Ledger, study_id: str, today: date) -> None:
        self._register = registered(lambda: ledger.entries(study=study_id), lambda entry: study_of(entry).by_id)
        assert self._register.revision is not None
        self._study, self._today = study_of(self._register.revision), today
        self._refs: dict[bytes, bytes] = {}
        self._contents: set[bytes] = set()
        self._bad: set[bytes] = set()
        self._faults: list[Fault] = []
        self.skipped = 0

    def drafts(self, files: Sequence[Handed], author: str) -> Iterator[Draft]:
        """What is to be logged, in order; raises `FaultsError` at the end where any row is bad."""
        for handed in files:
            for item in handed:
                if isinstance(item, Fault):
                    self._faults.append(item)
                else:
                    content = self._content(item, handed.file)
                    if content is not None and not self._faults:
                        who = str(content.get("author", author))
                        yield Draft(author=who, study=self._study.study, kind="evidence", payload=content)
                if len(self._faults) > MOST_FAULTS:
                    self._give_up(handed.file)
        if self._faults:
            raise FaultsError(self._faults)

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
        self._faults += [Fault(place, raw.line, 0, f"{p.field}: {p.what}", p.mend) for p in problems]
        return None

    def _is_there(self, ref: bytes | None, key: bytes) -> bool:
        if ref is None:
            return key in self._register.contents or key in self._contents
        return ref in self._register.refs or (self._refs.get(ref) == key and key not in self._bad)

    def _problems(self, report: Report, ref: bytes | None, key: bytes, name: str) -> list[Problem]:
        """Everything that speaks against a row that is not there; without problems it counts for those that follow."""
        problems = _report_problems(report, self._study, self._today, self._register.standing.others(report))
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

    def _give_up(self, file: str) -> None:
        what = f"there are more than {MOST_FAULTS} faults, and what follows them was not looked at"
        raise FaultsError([*self._faults, Fault(file, 0, 0, what, "mend these first")])


def _report_problems(
    report: Report, study: Study, today: date, others: Others, *, is_correction: bool = False
) -> list[Problem]:
    """Everything that speaks against a well-formed report, ref aside, given what it could collide with."""
    indicator = study.by_id.get(report.indicator)
    if indicator is None:
        return [_unknown(report.indicator, study)]
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


def _unknown(indicator: str, study: Study) -> Problem:
    return Problem("indicator", f'no indicator "{indicator}" in the study', nearest(indicator, study.by_id))


def _evidence_draft(report: Report, study_id: str, author: str) -> Draft:
    return Draft(author=report.author or author, study=study_id, kind="evidence", payload=report_content(report))


def _correction(study_id: str, kind: str, payload: dict[str, object], why: str | None, author: str) -> Draft:
    return Draft(author=author, study=study_id, kind=kind, payload=payload | ({"why": why} if why else {}))


def _refuse(problems: Sequence[Problem], place: Namer) -> None:
    if problems:
        raise FaultsError(Fault(place(p.field), 0, 0, p.what, p.mend) for p in problems)
