"""What a person does to a ledger, one function each: record a study, log, import, correct, cover, publish, resolve.

Each checks all of its input against the ledger as it stands at the moment of writing, collects every fault, and either
writes all of it or nothing. Dates come in as arguments; the clock is read by the callers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING, Any

from forecast.publication import Publication, opinion_of, publication_content
from forecast.reading import Reading, read_study
from forecast.resolution import Resolution, resolution_content, resolution_of, undo_content, void_content
from forecast.revision import revision_faults, study_of
from forecast.study import Study
from forecast.version import __version__
from indicators.admission import Others, coverage_conflicts, report_conflicts, retirement
from indicators.coverage import Coverage, coverage_content, coverage_problems, read_coverage
from indicators.entry import Draft, Entry, content_hash
from indicators.errors import Fault, FaultsError, WatchfloorError, nearest
from indicators.evidence import (
    Problem,
    Report,
    kept_content,
    read_kept_report,
    read_report,
    read_text,
    report_content,
    report_problems,
)
from indicators.intake import Handed
from indicators.ledger import Head, Ledger
from indicators.markings import strictest
from indicators.raw import Raw, place_in
from indicators.register import digest, registered
from indicators.replay import Known, Logged, amended, content_key, replayed

if TYPE_CHECKING:
    from indicators.attachment_folder import Staged

__all__ = [
    "EarlierDayError",
    "Imported",
    "NoReasonError",
    "NoTestError",
    "NotSettledError",
    "NotYetError",
    "NothingToAmendError",
    "Recorded",
    "SettledError",
    "Tried",
    "amend",
    "cover",
    "cover_many",
    "import_reports",
    "log_report",
    "publish",
    "record_study",
    "resolve",
    "resolve_void",
    "retract",
    "tried_import",
    "undo_resolution",
]

MOST_FAULTS = 1_000
"""How many mistakes of an import are told one by one; whoever made more of them made one kind of mistake."""

MOST_SHOWN = 20
"""How many reports of a dry run are shown one by one."""

Namer = Callable[[str], str]
"""How a field's place is shown: the option for a command, the column for a file."""


class NothingToAmendError(WatchfloorError):
    """An amendment that changes nothing."""


class NoReasonError(WatchfloorError):
    """A retraction, or a resolution as void or undone, that does not say why."""


class NoTestError(WatchfloorError):
    """A publication of a study that does not say how each scenario would be told to have come true."""

    def __init__(self, scenarios: Sequence[str]) -> None:
        what = f"{', '.join(scenarios)} {'has' if len(scenarios) == 1 else 'have'} no resolves_if"
        mend = (
            "say in the study file how a stranger could tell that it came true, and record it with `forecast study add`"
        )
        super().__init__(what, where="the study", mend=mend)


class SettledError(WatchfloorError):
    """Something written to a study whose question has been answered."""

    def __init__(self, study_id: str, settled: Entry) -> None:
        scenario = settled.payload.get("scenario")
        what = f"it was resolved by {settled.id} ({scenario or 'void'}) and takes nothing more"
        super().__init__(what, where=study_id, mend="if that was wrong, `forecast resolve --undo --why` opens it again")


class NotSettledError(WatchfloorError):
    """A resolution to be undone, of a study that is open."""

    def __init__(self, study_id: str) -> None:
        super().__init__("it is open; there is no resolution to undo", where=study_id)


class EarlierDayError(WatchfloorError):
    """A publication as of a day before the one that was last spoken of."""


class NotYetError(WatchfloorError):
    """A publication as of a day to come."""


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


@dataclass(frozen=True)
class Tried(Imported):
    """What an import would do; `positions` are those that its entries would have at this moment.

    Attributes
    ----------
    first : list of mapping
        The contents of the first reports that it would write, `MOST_SHOWN` at most.
    """

    first: list[Mapping[str, Any]]


def record_study(
    ledger: Ledger, study: Study, *, content: Mapping[str, Any], text: str, file: str, author: str
) -> Recorded:
    """Record a study, or the next revision of it, with the histories that it names and what was fitted to them.

    A fit stays as it was first recorded while its history and its model do, whatever another machine or a later version
    would make of them.

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
    SettledError
        The study is resolved, and this is another revision of it.
    NoHistoryError
        An indicator has a baseline, and the study does not have its history with it.
    """
    study.check_baselines()
    payload = {"file": text, "study": dict(content), "history": dict(study.baselines.histories)}
    before: list[Entry] = []

    def decide(now: Ledger) -> Sequence[Draft]:
        known = replayed(now.entries(study=study.study))
        before[:] = known.revisions
        if known.revisions and all(known.revisions[-1].payload.get(key) == value for key, value in payload.items()):
            return []
        _refuse_settled(study.study, known.settled)
        faults = revision_faults(study, known, file=file)
        if faults:
            raise FaultsError(faults)
        fits = _fits(study, study_of(known.revisions[-1]) if known.revisions else None)
        return [
            Draft(author=author, study=study.study, kind="study", payload=payload | ({"fits": fits} if fits else {}))
        ]

    written = ledger.append(decide)
    if written:
        return Recorded(written[0], len(before) + 1, is_new=True)
    return Recorded(before[-1], len(before), is_new=False)


def _fits(study: Study, before: Study | None) -> dict[str, Any]:
    """The fits of a study as plain JSON values; that of the revision before where it was fitted to the same."""
    found = {}
    for name, fit in study.baselines.fits.items():
        old = before.by_id.get(name) if before else None
        if before and old and name in before.baselines.fits and before.baselines.fits[name].model == fit.model:
            same = before.baselines.history_of(old) == study.baselines.history_of(study.by_id[name])
            fit = before.baselines.fits[name] if same else fit
        found[name] = fit.model_dump(mode="json")
    return found


def log_report(
    ledger: Ledger,
    study_id: str,
    raw: Mapping[str, object],
    *,
    author: str,
    today: date,
    place: Namer,
    attached: Sequence[Staged] = (),
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
    attached : sequence of Staged
        Files that belong to it. They get their place once nothing speaks against the report, before it is written.

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
        for copy in attached:
            copy.put()
        whole = replace(report, attachments=tuple(copy.attachment for copy in attached))
        return [_evidence_draft(whole, study_id, author)]

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
        New values by field; an empty text takes the field out. Attachments stay as they were logged.
    why : str or None
        The reason, kept with the correction.
    """

    def decide(now: Ledger) -> Sequence[Draft]:
        desk = _Desk.of(now, study_id, today)
        logged = desk.known.standing(entry_id)
        asked = {name: None if value == "" else value for name, value in changes.items()}
        content = amended(logged.record, asked)
        is_report = isinstance(logged.record, Report)
        record, problems = read_kept_report(content) if is_report else read_coverage(content)
        if isinstance(logged.record, Report) and "attachments" in changes:
            mend = "log the file with a report of its own"
            problems.append(Problem("attachments", "the attachments of a report stay as they were logged", mend))
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
        known = replayed(now.entries(study=study_id))
        _refuse_settled(study_id, known.settled)
        known.standing(entry_id)
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


def publish(
    ledger: Ledger,
    study_id: str,
    *,
    as_of: date | None = None,
    opinion: Mapping[str, float] | None = None,
    note: str | None = None,
    draws: int = 1000,
    author: str,
    today: date,
) -> Publication:
    """Write what the outlook says into the ledger, where it is never changed; perhaps with an own opinion beside it.

    The numbers are those of the ledger at the entry before: they are worked out before other writers are kept waiting,
    and again where one of them was quicker.

    Parameters
    ----------
    as_of : date, optional
        The day to speak of; today where left out, or the study's last day once that has passed. An earlier day is
        recorded as such, for it was known what came after: a score counts from the day of publication.
    opinion : mapping of str to float, optional
        The author's own distribution over all scenarios.
    note : str, optional
        In the author's words.
    draws : int
        Behind low and high.
    today : date
        The last day that can be spoken of.

    Raises
    ------
    NoTestError, SettledError, EarlierDayError, NotYetError, AsOfError
        A scenario has no `resolves_if`; the study is resolved; the last publication speaks of a later day; the day has
        not come, or lies outside the study.
    FaultsError
        The opinion is no distribution over the scenarios; or the note is not a text that a report could have.
    """
    from forecast.release import inherited

    said = _read_text("--note", note)

    def content(now: Ledger) -> tuple[Head, dict[str, Any]]:
        reading = read_study(now, study_id)
        day = as_of or reading.default_as_of(today)
        _refuse_publication(reading, day, today)
        own = opinion_of(opinion, reading.study.scenario_ids) if opinion else None
        outlook = reading.outlook(day, draws=draws)
        tlp = strictest([inherited(outlook), reading.study_mark])
        revision = content_hash(reading.known.revisions[-1].payload)
        told = publication_content(
            outlook, engine=__version__, revision=revision, before=reading.head, tlp=tlp, opinion=own, note=said
        )
        return reading.head, told

    ready = content(ledger)

    def decide(now: Ledger) -> Sequence[Draft]:
        _, told = ready if now.head() == ready[0] else content(now)
        return [Draft(author=author, study=study_id, kind="publish", payload=told)]

    entry = ledger.append(decide)[0]
    return next(found for found in read_study(ledger, study_id).publications if found.entry == entry.id)


def _read_text(option: str, text: str | None) -> str:
    """The text of an option as it is kept; empty where there is none."""
    try:
        return read_text(text or "")
    except WatchfloorError as error:
        raise FaultsError([Fault(option, 0, 0, error.what, error.mend)]) from None


def _refuse_publication(reading: Reading, as_of: date, today: date) -> None:
    """Raise where nothing may be said of the study, or of that day."""
    known, untold = reading.known, [s.id for s in reading.study.scenarios if not s.resolves_if]
    _refuse_settled(reading.study_id, known.settled)
    if untold:
        raise NoTestError(untold)
    if as_of > today:
        what = f"{as_of} lies in the future (today is {today}, UTC)"
        raise NotYetError(what, where="--as-of", mend="give today or a day before")
    last = reading.publications[-1] if reading.publications else None
    if last is not None and as_of < last.as_of:
        what = f"{as_of} lies before {last.as_of}, of which {last.entry} speaks already"
        raise EarlierDayError(what, where="--as-of", mend=f"give {last.as_of} or a later day")


def resolve(
    ledger: Ledger, study_id: str, scenario: str, *, on: date, why: str | None = None, author: str, today: date
) -> Resolution:
    """Record which scenario came true; the study takes nothing more until that is undone.

    Parameters
    ----------
    on : date
        The day on which it was settled: the last one that is scored. From the study's first day to its horizon.
    why : str, optional
        In the author's words: how it was told.
    today : date
        The last day it can have been settled.

    Raises
    ------
    SettledError
        The study is resolved already.
    FaultsError
        There is no such scenario; the day lies outside the study or in the future; `why` is not a text that a report
        could have.
    """
    said = _read_text("--why", why)

    def content(reading: Reading) -> dict[str, Any]:
        faults = _resolution_faults(reading.study, scenario, on, today)
        if faults:
            raise FaultsError(faults)
        return resolution_content(scenario, on, why=said)

    return _settle(ledger, study_id, content, author)


def resolve_void(ledger: Ledger, study_id: str, *, why: str, author: str) -> Resolution:
    """Record that no scenario can be said to have come true; the study is closed, and never scored.

    Raises
    ------
    NoReasonError
        `why` is blank.
    SettledError
        The study is resolved already.
    """
    said = _reason(why, "a void question needs its reason", "say in a few words why it cannot be answered")
    return _settle(ledger, study_id, lambda _: void_content(said), author)


def undo_resolution(ledger: Ledger, study_id: str, *, why: str, author: str) -> Entry:
    """Take a resolution back: the study is open again, and both entries stay.

    Raises
    ------
    NoReasonError
        `why` is blank.
    NotSettledError
        The study is open.
    """
    said = _reason(why, "undoing a resolution needs its reason", "say in a few words why it was wrong")

    def decide(now: Ledger) -> Sequence[Draft]:
        settled = replayed(now.entries(study=study_id)).settled
        if settled is None:
            raise NotSettledError(study_id)
        return [Draft(author=author, study=study_id, kind="resolve", payload=undo_content(settled.id, said))]

    return ledger.append(decide)[0]


def _settle(ledger: Ledger, study_id: str, content: Callable[[Reading], dict[str, Any]], author: str) -> Resolution:
    """Write what settles a study, and read it back."""

    def decide(now: Ledger) -> Sequence[Draft]:
        reading = read_study(now, study_id)
        _refuse_settled(study_id, reading.known.settled)
        return [Draft(author=author, study=study_id, kind="resolve", payload=content(reading))]

    entry = ledger.append(decide)[0]
    found = resolution_of(replayed(e for e in ledger.entries(study=study_id) if e.seq <= entry.seq))
    assert found is not None
    return found


def _resolution_faults(study: Study, scenario: str, on: date, today: date) -> list[Fault]:
    faults = []
    if scenario not in study.scenario_ids:
        what = f'no scenario "{scenario}" in the study'
        faults.append(Fault("SCENARIO", 0, 0, what, nearest(scenario, study.scenario_ids)))
    if on > today:
        what = f"{on} lies in the future (today is {today}, UTC)"
        faults.append(Fault("--on", 0, 0, what, "a question is resolved once it is settled"))
    elif on < study.opens:
        what = f"{on} lies before the study opens on {study.opens}"
        faults.append(Fault("--on", 0, 0, what, "give the day on which it was settled, or resolve it as void"))
    elif on > study.horizon:
        what = f"{on} lies after the study's horizon {study.horizon}"
        faults.append(Fault("--on", 0, 0, what, f"give {study.horizon} where that day settled it, or an earlier one"))
    return faults


def _reason(why: str, what: str, mend: str) -> str:
    """The reason as it is kept; raises `NoReasonError` where it is blank."""
    said = _read_text("--why", why)
    if not said:
        raise NoReasonError(what, where="--why", mend=mend)
    return said


def _refuse_settled(study_id: str, settled: Entry | None) -> None:
    if settled is not None:
        raise SettledError(study_id, settled)


@dataclass
class _Desk:
    """A study and its log at the moment of writing, against which input is checked."""

    study: Study
    known: Known
    today: date
    on: dict[str, list[tuple[str, Report | Coverage]]] = field(default_factory=dict)

    @classmethod
    def of(cls, ledger: Ledger, study_id: str, today: date) -> _Desk:
        """As the ledger stands; raises `SettledError` where the study is closed."""
        known = replayed(ledger.entries(study=study_id))
        _refuse_settled(study_id, known.settled)
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
        _refuse_settled(study_id, self._register.settled)
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
        return [_unknown(named, self._study)]

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
    return Draft(author=report.author or author, study=study_id, kind="evidence", payload=kept_content(report))


def _correction(study_id: str, kind: str, payload: dict[str, object], why: str | None, author: str) -> Draft:
    return Draft(author=author, study=study_id, kind=kind, payload=payload | ({"why": why} if why else {}))


def _refuse(problems: Sequence[Problem], place: Namer) -> None:
    if problems:
        raise FaultsError(Fault(place(p.field), 0, 0, p.what, p.mend) for p in problems)
