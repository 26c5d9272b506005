"""From a ledger to an outlook: which study, known up to when, as of which day, and what to leave out.

Two clocks meet here. Known-at is ours: the entries recorded by that moment, and the study revision then in force.
As-of is the world's: what had happened by that day. Nothing here writes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from forecast.events import Live
from forecast.revision import late_changes, study_of
from forecast.study import Study
from forecast.version import __version__
from indicators.coverage import Coverage
from indicators.days import moment_text
from indicators.entry import content_hash
from indicators.errors import WatchfloorError, nearest
from indicators.evidence import Report
from indicators.grades import grade_weight
from indicators.ledger import Head, Ledger
from indicators.replay import Known, Logged, replayed

if TYPE_CHECKING:
    from forecast.outlook import Log, Outlook, Provenance

__all__ = [
    "ChooseStudyError",
    "NoStudyError",
    "Reading",
    "UnknownStudyError",
    "WithoutError",
    "chosen_study",
    "live_report",
    "read_study",
]

_WITHOUT = ("source", "origin", "indicator", "entry")


class NoStudyError(WatchfloorError):
    """A ledger without any study."""


class ChooseStudyError(WatchfloorError):
    """A ledger with several studies, and none named."""


class UnknownStudyError(WatchfloorError):
    """A study id that the ledger does not hold."""


class WithoutError(WatchfloorError):
    """A request to leave out something that is not there."""


def chosen_study(ledger: Ledger, asked: str | None, *, known_at: datetime | None = None) -> str:
    """The study asked for, or the only one there is.

    Raises
    ------
    NoStudyError, ChooseStudyError, UnknownStudyError
        There is none; there are several and none is asked for; the one asked for is not there.
    """
    ids = ledger.studies(until=known_at)
    if not ids and known_at is not None:
        raise NoStudyError("the ledger held no study then", where="--known-at", mend="give a later moment")
    if not ids:
        raise NoStudyError("it holds no study", where="the ledger", mend="record one with `forecast study add FILE`")
    if asked is not None:
        if asked not in ids:
            raise UnknownStudyError(f'no study "{asked}" in the ledger', where="--study", mend=nearest(asked, ids))
        return asked
    if len(ids) > 1:
        mend = f"name one of: {', '.join(ids)}"
        raise ChooseStudyError(f"the ledger holds {len(ids)} studies", where="--study", mend=mend)
    return ids[0]


def live_report(study: Study, entry: str, seq: int, report: Report) -> Live:
    """A report with the weight that a study gives to its grade."""
    grade = study.grade_of(report.grade, report.source)
    return Live(entry, seq, report, grade_weight(grade, study.grades))


def read_study(ledger: Ledger, study_id: str, *, known_at: datetime | None = None) -> Reading:
    """What a ledger holds of a study, known up to a moment (the present one where none is given)."""
    # The head comes first and bounds what is read: an entry that another writer adds meanwhile is in neither.
    head = ledger.head(until=known_at)
    entries = ledger.entries(study=study_id, until=known_at)
    known = replayed(itertools.takewhile(lambda entry: entry.seq <= head.entries, entries))
    if not known.revisions:
        raise UnknownStudyError(f'no study "{study_id}" was known then', where="--known-at", mend="give a later moment")
    return Reading(ledger, study_id, known, head, known_at)


@dataclass(frozen=True)
class Reading:
    """One study as a ledger holds it at a moment.

    Attributes
    ----------
    ledger : Ledger
    study_id : str
    known : Known
        At least one revision.
    head : Head
        The end of the ledger as it was read.
    known_at : datetime or None
        None is the present.
    """

    ledger: Ledger
    study_id: str
    known: Known
    head: Head
    known_at: datetime | None

    @cached_property
    def study(self) -> Study:
        """The revision in force."""
        return study_of(self.known.revisions[-1])

    @cached_property
    def flags(self) -> list[str]:
        """What a reader must know beside the numbers."""
        if len(self.known.revisions) == 1:
            return []
        return late_changes(self.known, [study_of(entry) for entry in self.known.revisions])

    def log(self, without: Sequence[str] = ()) -> Log:
        """All that stands, less what is to be left out: `source:X`, `origin:X`, `indicator:X` or `entry:X`."""
        from forecast.outlook import Log

        left_out = _LeftOut(self, without)
        reports: dict[str, list[Live]] = {}
        for logged, report in self.known.reports():
            if not left_out.drops(logged.entry.id, report):
                live = live_report(self.study, logged.entry.id, logged.entry.seq, report)
                reports.setdefault(report.indicator, []).append(live)
        coverage: dict[str, list[Coverage]] = {}
        for logged, span in self.known.coverage():
            if not left_out.drops(logged.entry.id, span):
                coverage.setdefault(span.indicator, []).append(span)
        return Log(reports, coverage, frozenset(left_out.values["indicator"]))

    def leaves_out(self, logged: Logged, without: Sequence[str]) -> bool:
        """Whether a logged record is among what is to be left out."""
        return _LeftOut(self, without).drops(logged.entry.id, logged.record)

    def outlook(self, as_of: date, *, without: Sequence[str] = (), draws: int = 1000) -> Outlook:
        """The outlook as of a day.

        Parameters
        ----------
        as_of : date
            From the day the study opens to its horizon.
        without : sequence of str
            What to leave out, as in `log`.
        draws : int
            How many draws around the stated values the bands come from; seeded by the study revision.
        """
        from forecast.outlook import Outlook

        return Outlook(self.study, self.log(without), as_of, seed=self.seed, draws=draws)

    @property
    def seed(self) -> int:
        """What all chance in outlooks of this study comes from: the hash of the revision in force."""
        return int(content_hash(self.known.revisions[-1].payload), 16)

    def provenance(self, *, now: datetime, without: Sequence[str] = ()) -> Provenance:
        """Where outlooks of this reading come from; `now` stands for the present."""
        from forecast.outlook import Provenance

        return Provenance(
            engine=__version__,
            revision=content_hash(self.known.revisions[-1].payload),
            revision_number=len(self.known.revisions),
            known_at=moment_text(self.known_at or now),
            head=self.head,
            without=tuple(without),
        )

    def default_as_of(self, today: date) -> date:
        """Today, or the study's first day before it has come, or its last once that has passed."""
        return max(self.study.opens, min(today, self.study.horizon))


class _LeftOut:
    """What a reader asked to leave out, checked against what is there."""

    def __init__(self, reading: Reading, without: Iterable[str]) -> None:
        self.values: dict[str, set[str]] = {kind: set() for kind in _WITHOUT}
        for text in without:
            kind, colon, value = text.partition(":")
            if kind not in _WITHOUT or not colon or not value:
                mend = "write source:NAME, origin:NAME, indicator:ID or entry:ID"
                raise WithoutError(f'"{text}" names nothing to leave out', where="--without", mend=mend)
            there = _present(reading, kind)
            if value not in there:
                raise WithoutError(f'no {kind} "{value}" in the study', where="--without", mend=nearest(value, there))
            self.values[kind].add(value)

    def drops(self, entry: str, record: object) -> bool:
        """Whether a report or coverage is to be left out."""
        return entry in self.values["entry"] or any(
            getattr(record, kind, None) in self.values[kind] for kind in ("source", "origin", "indicator")
        )


def _present(reading: Reading, kind: str) -> list[str]:
    if kind == "indicator":
        return list(reading.study.by_id)
    if kind == "entry":
        return [name for name, logged in reading.known.logged.items() if not logged.retracted]
    found = (getattr(report, kind) for _, report in reading.known.reports())
    return list(dict.fromkeys(value for value in found if value))
