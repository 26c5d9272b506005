"""What a study and its log were before the last entries came in: the ledger told again, entry by entry.

A correction counts from the entry that made it, and a revision of the study from its own; until then things stand as
they had been said. Values in, values out: what a ledger holds is read elsewhere, and nothing is worked out here. What
of the past may leave the house is picked here too, by the marks that the reading tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from forecast.events import Live
from forecast.outlook import Log
from forecast.reading import Reading
from forecast.revision import study_of
from forecast.study import Study
from indicators.coverage import Coverage
from indicators.entry import Entry
from indicators.evidence import Report
from indicators.grades import grade_weight
from indicators.markings import strictest
from indicators.replay import Known, Logged, amended, record_of

__all__ = ["Change", "Past", "ReleasedPast", "as_known", "changes", "released_past"]


@dataclass(frozen=True, slots=True)
class Change:
    """What one entry changed in what stands.

    Attributes
    ----------
    seq : int
        Its position in the ledger.
    recorded_at : str
        UTC moment, by the ledger's clock.
    entry : str
        Id of the entry by which the report or coverage was logged; empty for a revision.
    record : Report, Coverage or None
        As it stands from here on; None where it was retracted, and for a revision.
    revision : Entry or None
        The study from here on.
    is_first : bool
        Whether this logged the record; else it corrected it.
    """

    seq: int
    recorded_at: str
    entry: str = ""
    record: Report | Coverage | None = None
    revision: Entry | None = None
    is_first: bool = False


def changes(known: Known) -> list[Change]:
    """Everything that a ledger says of a study's rows and log, one change after the other."""
    found = [Change(entry.seq, entry.recorded_at, revision=entry) for entry in known.revisions]
    for logged in known.logged.values():
        found += _history(logged)
    return sorted(found, key=lambda change: change.seq)


def _history(logged: Logged) -> list[Change]:
    stamp, record = logged.entry, logged.first
    found = [Change(stamp.seq, stamp.recorded_at, stamp.id, record, is_first=True)]
    for correction in logged.corrections:
        place = (correction.seq, correction.recorded_at, stamp.id)
        if correction.kind == "retract":
            found.append(Change(*place))
        else:
            changed = correction.payload.get("set")
            assert isinstance(changed, dict)  # or it could not have been read in the first place
            record = record_of(correction, stamp.kind, amended(record, changed))
            found.append(Change(*place, record))
    return found


@dataclass
class Past:
    """A study and its log as they stood after some of the changes.

    Attributes
    ----------
    revision : Entry or None
        The one in force; None before the first.
    records : dict of str to (int, Report or Coverage)
        What stands, with the position at which it was logged, by entry id.
    """

    revision: Entry | None = None
    records: dict[str, tuple[int, Report | Coverage]] = field(default_factory=dict)
    _seqs: dict[str, int] = field(default_factory=dict)

    def take(self, change: Change) -> None:
        """Take in the next change."""
        if change.revision is not None:
            self.revision = change.revision
            return
        seq = self._seqs.setdefault(change.entry, change.seq)
        if change.record is None:
            self.records.pop(change.entry, None)
        else:
            self.records[change.entry] = (seq, change.record)

    def study(self) -> Study:
        """The revision in force, which there must be."""
        assert self.revision is not None
        return study_of(self.revision)

    def log(self, study: Study, *, silenced: Iterable[str] = ()) -> Log:
        """All that stands, each report with the weight that a study gives to its grade."""
        reports: dict[str, list[Live]] = {}
        coverage: dict[str, list[Coverage]] = {}
        for entry, (seq, record) in self.records.items():
            if isinstance(record, Report):
                reports.setdefault(record.indicator, []).append(_live(study, entry, seq, record))
            else:
                coverage.setdefault(record.indicator, []).append(record)
        return Log(reports, coverage, frozenset(silenced))

    def reports(self, study: Study, indicator: str) -> list[Live]:
        """The reports that stand on one indicator, likewise."""
        own = ((entry, seq, record) for entry, (seq, record) in self.records.items() if record.indicator == indicator)
        return [_live(study, entry, seq, record) for entry, seq, record in own if isinstance(record, Report)]

    def coverage(self, indicator: str) -> list[Coverage]:
        """The coverage that stands of one indicator."""
        spans = (record for _, record in self.records.values() if isinstance(record, Coverage))
        return [span for span in spans if span.indicator == indicator]


def _live(study: Study, entry: str, seq: int, report: Report) -> Live:
    """A report with the weight that a study gives to its grade."""
    return Live(entry, seq, report, grade_weight(study.grade_of(report.grade, report.source), study.grades))


def as_known(known: Known, logged: Mapping[str, Logged]) -> Known:
    """The same study with only some of its log."""
    return Known(revisions=known.revisions, logged=dict(logged), seq=known.seq, resolutions=known.resolutions)


class ReleasedPast(NamedTuple):
    """What a ledger holds of a study, as it may leave the house, and the strictest mark of all that is in it.

    That may be stricter than the mark of an outlook: a report that was retracted since is part of the past.
    """

    known: Known
    tlp: str


def released_past(
    reading: Reading,
    last: date,
    *,
    tlp: str = "clear",
    max_tlp: str | None = None,
    without_above: bool = False,
    without: Sequence[str] = (),
) -> ReleasedPast:
    """The past of a study: its revisions, with reports dated and coverage begun up to a day of the world.

    Parameters
    ----------
    reading : Reading
    last : date
    tlp : str
        The mark it has in any case, such as that of an outlook shown with it.
    max_tlp, without_above, without
        As for `Reading.released`.

    Raises
    ------
    StrictStudyError, TooStrictError
        The study is marked above the level; so are entries of its past, and they are not to be left out.
    """

    def wanted(logged: Logged) -> bool:
        return (logged.record.dated if isinstance(logged.record, Report) else logged.record.from_) <= last

    kept = reading.listed(wanted, max_tlp=max_tlp, without_above=without_above, without=without)
    marks = (reading.mark_of(logged) for logged in kept)
    known = as_known(reading.known, {logged.entry.id: logged for logged in kept})
    return ReleasedPast(known, strictest([tlp, reading.study_mark, *marks]))
