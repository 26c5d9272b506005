"""From entries to what was known at a moment: corrections applied, retractions honoured, the revision in force.

Reads any ledger's entries in order and keeps, for one study, its revisions, its reports and its coverage. It does not
know what a study is: a revision stays the entry it was recorded as.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from sys import intern

from indicators.coverage import Coverage, coverage_content, read_coverage
from indicators.entry import KINDS, Entry
from indicators.errors import WatchfloorError, nearest
from indicators.evidence import FIELDS, Report, kept_content, read_kept_report, report_content

__all__ = [
    "Known",
    "Logged",
    "Stamp",
    "UnknownEntryError",
    "UnreadableEntryError",
    "amended",
    "content_key",
    "record_of",
    "replayed",
    "settling",
]


class UnknownEntryError(WatchfloorError):
    """An entry id that is no report or coverage of the study."""


class UnreadableEntryError(WatchfloorError):
    """An entry whose payload is not what its kind promises; written by another program or a later version."""

    def __init__(self, entry: Entry, why: str) -> None:
        super().__init__(
            f"its {entry.kind} payload cannot be read ({why})",
            where=f"entry {entry.id}",
            mend="run `forecast verify`; if that passes, the ledger was written by a later version",
        )


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the ledger says of an entry beside its payload, as in `Entry`; a long log would not fit with more."""

    seq: int
    id: str
    kind: str
    recorded_at: str
    author: str


@dataclass(frozen=True, slots=True)
class Logged:
    """One logged report or span of coverage, as it stands.

    Attributes
    ----------
    entry : Stamp
        Of the entry it was logged by.
    record : Report or Coverage
        With every correction applied.
    first : Report or Coverage
        As it was logged.
    corrections : tuple of Entry
        What amended or retracted it, in order; empty when it is as logged.
    """

    entry: Stamp
    record: Report | Coverage
    first: Report | Coverage
    corrections: tuple[Entry, ...] = ()

    @property
    def retracted(self) -> bool:
        """Whether it no longer stands."""
        return bool(self.corrections) and self.corrections[-1].kind == "retract"


@dataclass(slots=True)
class Known:
    """What a ledger says of one study.

    Attributes
    ----------
    revisions : list of Entry
        Of the study, in order; the last is in force. Empty when nothing defines it.
    logged : dict of str to Logged
        Reports and coverage by entry id, in order of logging, retracted ones included.
    refs : dict of str to str
        The entry id by the user's own key.
    seq : int
        Position of the last entry taken in.
    publications, resolutions : list of Entry
        What was published of the study, and what settled it or took that back, in order.
    """

    revisions: list[Entry] = field(default_factory=list)
    logged: dict[str, Logged] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    seq: int = 0
    publications: list[Entry] = field(default_factory=list)
    resolutions: list[Entry] = field(default_factory=list)

    def take(self, entry: Entry) -> None:
        """Take in the next entry of the study; raises `UnreadableEntryError` for a kind of a later version."""
        if entry.kind == "study":
            self.revisions.append(entry)
        elif entry.kind in ("evidence", "coverage"):
            record = record_of(entry, entry.kind, entry.payload)
            # Thousands of entries of one batch have the same moment and author, and texts need not be kept twice.
            stamp = Stamp(entry.seq, entry.id, entry.kind, intern(entry.recorded_at), intern(entry.author))
            self.logged[entry.id] = Logged(stamp, record, record)
            if isinstance(record, Report) and record.ref:
                self.refs.setdefault(record.ref, entry.id)
        elif entry.kind in ("amend", "retract"):
            self._correct(entry)
        elif entry.kind == "publish":
            self.publications.append(entry)
        elif entry.kind == "resolve":
            self.resolutions.append(entry)
        elif entry.kind not in KINDS:
            raise UnreadableEntryError(entry, "this version knows no such kind")
        self.seq = entry.seq

    def copy(self) -> Known:
        """The same, so that what is taken in there is not in here."""
        return replace(
            self,
            revisions=[*self.revisions],
            logged={**self.logged},
            refs={**self.refs},
            publications=[*self.publications],
            resolutions=[*self.resolutions],
        )

    def _correct(self, entry: Entry) -> None:
        target = self.logged.get(str(entry.payload.get("entry")))
        if target is None:
            raise UnreadableEntryError(entry, "it corrects an entry that is not there")
        record = target.record
        if entry.kind == "amend":
            record = record_of(entry, target.entry.kind, amended(record, _changes(entry)))
            if isinstance(record, Report) and record.ref:
                self.refs.setdefault(record.ref, target.entry.id)
        self.logged[target.entry.id] = replace(target, record=record, corrections=(*target.corrections, entry))

    @property
    def settled(self) -> Entry | None:
        """The entry that settled the study; None while it is open, and again once that was undone."""
        return settling(self.resolutions[-1]) if self.resolutions else None

    def twin_of(self, content: Mapping[str, object]) -> str | None:
        """The first entry that a report of this content was logged by; None where there is none."""
        key, indicator = content_key(content), content.get("indicator")
        firsts = ((logged.entry.id, logged.first) for logged in self.logged.values())
        reports = ((n, first) for n, first in firsts if first.indicator == indicator and isinstance(first, Report))
        return next((name for name, first in reports if content_key(report_content(first)) == key), None)

    def reports(self) -> Iterator[tuple[Logged, Report]]:
        """The reports that stand, in order of logging."""
        for logged in self.logged.values():
            if isinstance(logged.record, Report) and not logged.retracted:
                yield logged, logged.record

    def coverage(self) -> Iterator[tuple[Logged, Coverage]]:
        """The coverage that stands, in order of logging."""
        for logged in self.logged.values():
            if isinstance(logged.record, Coverage) and not logged.retracted:
                yield logged, logged.record

    def standing(self, entry_id: str) -> Logged:
        """The report or coverage of that id, refused in words when it is unknown, retracted or itself a correction."""
        logged = self.named(entry_id)
        if logged.retracted:
            what = f"it was retracted by {logged.corrections[-1].id}"
            raise UnknownEntryError(what, where=entry_id, mend="log it again if it holds after all")
        return logged

    def named(self, entry_id: str) -> Logged:
        """The report or coverage of that id, retracted or not; refused in words when it is none."""
        logged = self.logged.get(entry_id)
        if logged is None:
            for other in self.logged.values():
                if any(correction.id == entry_id for correction in other.corrections):
                    what = f"it is itself a correction of {other.entry.id}"
                    raise UnknownEntryError(what, where=entry_id, mend=f"name {other.entry.id}")
            what = "there is no such report or coverage in the study"
            standing = [name for name, other in self.logged.items() if not other.retracted]
            raise UnknownEntryError(what, where=entry_id, mend=nearest(entry_id, standing))
        return logged


def replayed(entries: Iterable[Entry]) -> Known:
    """What some entries of one study say, taken in order."""
    known = Known()
    for entry in entries:
        known.take(entry)
    return known


def settling(entry: Entry) -> Entry | None:
    """The entry itself, of the kind `resolve`, where it closes its study; None where it undoes what did."""
    return None if "undo" in entry.payload else entry


def amended(record: Report | Coverage, changes: Mapping[str, object]) -> dict[str, object]:
    """The content of a record with some fields changed; a field set to None is left out."""
    content = kept_content(record) if isinstance(record, Report) else coverage_content(record)
    return {name: value for name, value in (content | dict(changes)).items() if value is not None}


def content_key(content: Mapping[str, object]) -> str:
    """One text for a report's whole content, equal for equal content; its attachments do not count."""
    return "\x1f".join([f"{name}={value}" for name, value in sorted(content.items()) if name != "attachments"])


def _changes(entry: Entry) -> Mapping[str, object]:
    changes = entry.payload.get("set")
    if not isinstance(changes, dict):
        raise UnreadableEntryError(entry, "it names no changes")
    return changes


def record_of(entry: Entry, kind: str, content: Mapping[str, object]) -> Report | Coverage:
    """The record that a content of a kind is; raises `UnreadableEntryError` of the entry where it is none."""
    record, problems = read_kept_report(content) if kind == "evidence" else read_coverage(content)
    if record is None:
        # Not what it says: that may be marked above what whoever reads the error may see.
        field = problems[0].field
        is_known = field in (*FIELDS, "detect", "attachments")
        raise UnreadableEntryError(entry, f"the field {field}" if is_known else "a field unknown to this version")
    return record
