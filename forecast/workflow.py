"""What a person does to a ledger, one function each: record a study, log, correct, withdraw, cover.

Each checks all of its input against the ledger as it stands at the moment of writing, collects every fault, and either
writes all of it or nothing. Dates come in as arguments; the clock is read by the callers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from forecast.desk import Amendment, Desk, Namer, NoReasonError, TwinError, correction_draft, refuse_settled
from forecast.reading import Reading
from forecast.revision import revision_faults, study_of
from forecast.study import Study
from indicators.days import moment_text
from indicators.entry import Draft, Entry, sealed
from indicators.errors import FaultsError, WatchfloorError
from indicators.ledger import Ledger
from indicators.replay import Known, replayed

if TYPE_CHECKING:
    from indicators.attachment_folder import Staged

__all__ = [
    "Recorded",
    "RevisedSinceError",
    "Tryout",
    "amend",
    "cover",
    "log_report",
    "record_study",
    "retract",
    "study_draft",
    "tried_amendment",
    "tried_coverage",
    "tried_report",
    "tried_retraction",
]


class RevisedSinceError(WatchfloorError):
    """A revision made from one that is not in force any more.

    Attributes
    ----------
    entry : Entry
        The revision in force.
    """

    def __init__(self, study_id: str, entry: Entry, number: int) -> None:
        self.entry = entry
        what = f"revision {number} ({entry.id}) by {entry.author} was recorded since you began"
        super().__init__(what, where=study_id, mend="look at what it changed, and make your changes to that one")


@dataclass(frozen=True)
class Recorded:
    """A study revision: the entry that holds it, and whether it is a new one."""

    entry: Entry
    number: int
    is_new: bool


@dataclass(frozen=True)
class Tryout:
    """What writing would leave behind; nothing was written.

    Attributes
    ----------
    reading : Reading
        As it would be.
    entries : tuple of Entry
        What would be written, with the ids that it would have at this moment.
    """

    reading: Reading
    entries: tuple[Entry, ...]


def record_study(
    ledger: Ledger,
    study: Study,
    *,
    content: Mapping[str, Any],
    text: str,
    file: str,
    author: str,
    based_on: str | None = None,
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
    based_on : str, optional
        The entry of the revision that this one was made from; where it is given, nothing may have been recorded since.

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
    RevisedSinceError
        Another revision than the one it was made from is in force.
    NoHistoryError
        An indicator has a baseline, and the study does not have its history with it.
    """
    study.check_baselines()
    payload = _study_payload(study, content, text)
    before: list[Entry] = []

    def decide(now: Ledger) -> Sequence[Draft]:
        known = replayed(now.entries(study=study.study))
        before[:] = known.revisions
        if known.revisions and all(known.revisions[-1].payload.get(key) == value for key, value in payload.items()):
            return []
        refuse_settled(study.study, known.settled)
        if based_on is not None and known.revisions and known.revisions[-1].id != based_on:
            raise RevisedSinceError(study.study, known.revisions[-1], len(known.revisions))
        faults = revision_faults(study, known, file=file)
        if faults:
            raise FaultsError(faults)
        return [study_draft(study, known, content=content, text=text, author=author)]

    written = ledger.append(decide)
    if written:
        return Recorded(written[0], len(before) + 1, is_new=True)
    return Recorded(before[-1], len(before), is_new=False)


def study_draft(study: Study, known: Known, *, content: Mapping[str, Any], text: str, author: str) -> Draft:
    """What would be written of a revision; nothing is checked."""
    fits = _fits(study, study_of(known.revisions[-1]) if known.revisions else None)
    payload = _study_payload(study, content, text) | ({"fits": fits} if fits else {})
    return Draft(author=author, study=study.study, kind="study", payload=payload)


def _study_payload(study: Study, content: Mapping[str, Any], text: str) -> dict[str, Any]:
    return {"file": text, "study": dict(content), "history": dict(study.baselines.histories)}


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
    beside: Sequence[Amendment] = (),
    may_repeat: bool = True,
    at_hand: Reading | None = None,
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
    beside : sequence of Amendment
        Corrections of earlier entries that are written with it, just before: such as the event that both then share.
    may_repeat : bool
        False refuses a report whose whole content was logged before.
    at_hand : Reading, optional
        All of the study at some earlier moment; only what was logged since is then read again.

    Raises
    ------
    FaultsError
        With every fault; nothing was written.
    TwinError
        The content was logged before, and may not be repeated.
    """

    def decide(now: Ledger) -> Sequence[Draft]:
        desk = Desk.of(now, study_id, today, at_hand)
        *before, report = desk.report_drafts(raw, author=author, place=place, beside=beside, attached=attached)
        twin = None if may_repeat else desk.known.twin_of(report.payload)
        if twin is not None:
            raise TwinError(twin)
        for copy in attached:
            copy.put()
        return [*before, report]

    return ledger.append(decide)[-1]


def tried_report(
    reading: Reading,
    raw: Mapping[str, object],
    *,
    author: str,
    today: date,
    place: Namer,
    beside: Sequence[Amendment] = (),
) -> Tryout:
    """What `log_report` would leave behind; nothing is written. Raises as it does, but for a twin."""
    desk = Desk.at(reading, today)
    return _tryout(reading, desk.report_drafts(raw, author=author, place=place, beside=beside), today)


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
    at_hand: Reading | None = None,
) -> Entry:
    """Correct a report or a span of coverage; the entry itself stays, the correction is a new one.

    Parameters
    ----------
    changes : mapping
        New values by field; an empty text takes the field out. Attachments stay as they were logged.
    why : str or None
        The reason, kept with the correction.
    at_hand : Reading, optional
        As for `log_report`.
    """

    asked = Amendment(entry_id, changes, why)
    return ledger.append(
        lambda now: [Desk.of(now, study_id, today, at_hand).amendment_draft(asked, author=author, place=place)]
    )[0]


def tried_amendment(reading: Reading, asked: Amendment, *, author: str, today: date, place: Namer) -> Tryout:
    """What `amend` would leave behind; nothing is written. Raises as it does."""
    draft = Desk.at(reading, today).amendment_draft(asked, author=author, place=place)
    return _tryout(reading, [draft], today)


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

    return ledger.append(
        lambda now: [_retraction(replayed(now.entries(study=study_id)), study_id, entry_id, why, author)]
    )[0]


def tried_retraction(reading: Reading, entry_id: str, *, author: str, today: date) -> Tryout:
    """What `retract` would leave behind; nothing is written, and no reason is asked for. Raises as it does."""
    return _tryout(reading, [_retraction(reading.known, reading.study_id, entry_id, "", author)], today)


def _retraction(known: Known, study_id: str, entry_id: str, why: str, author: str) -> Draft:
    refuse_settled(study_id, known.settled)
    known.standing(entry_id)
    return correction_draft(study_id, "retract", {"entry": entry_id}, why, author)


def cover(ledger: Ledger, study_id: str, raw: Mapping[str, object], *, author: str, today: date, place: Namer) -> Entry:
    """Record a span of days in which somebody was really looking at an indicator."""
    return ledger.append(lambda now: [Desk.of(now, study_id, today).coverage_draft(raw, author=author, place=place)])[0]


def tried_coverage(reading: Reading, raw: Mapping[str, object], *, author: str, today: date, place: Namer) -> Tryout:
    """What `cover` would leave behind; nothing is written. Raises as it does."""
    return _tryout(reading, [Desk.at(reading, today).coverage_draft(raw, author=author, place=place)], today)


def _tryout(reading: Reading, drafts: Sequence[Draft], today: date) -> Tryout:
    """The reading with some drafts taken in, as if they were written at the end of that day."""
    known = reading.known.copy()
    moment, entries = moment_text(datetime.combine(today, time.max, UTC)), []
    for seq, draft in enumerate(drafts, start=reading.head.entries + 1):
        entries.append(sealed(draft, seq=seq, recorded_at=moment, prev=reading.head.hash))
        known.take(entries[-1])
    return Tryout(replace(reading, known=known, publication=None), tuple(entries))
