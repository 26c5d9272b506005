"""From a ledger to an outlook: which study, known up to when, as of which day, and what to leave out.

Two clocks meet here. Known-at is ours: the entries recorded by that moment, and the study revision then in force.
As-of is the world's: what had happened by that day. Nothing here writes.

Handling marks know one clock only, the present: what was marked more strictly since, by an amendment or a revision, is
so in every earlier view too. A report without a mark has the study's, the stricter of the one when it was logged and
the one now, so that a revision which lowers the study's mark does not lower that of what was logged under it.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING

from forecast.events import Live
from forecast.publication import Publication, chosen_publication, publications_of
from forecast.resolution import Resolution, resolution_of
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
from indicators.markings import exceeds, strictest
from indicators.replay import Known, Logged, replayed
from indicators.withheld import within

if TYPE_CHECKING:
    from forecast.outlook import Log, Outlook, Provenance
    from forecast.release import Released

__all__ = [
    "ChooseStudyError",
    "NoStudyError",
    "Reading",
    "UnknownStudyError",
    "WithoutError",
    "chosen_study",
    "live_report",
    "read_on",
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


def read_on(before: Reading) -> Reading:
    """The same study as its ledger holds it now; of what was read before only what came since is read.

    Parameters
    ----------
    before : Reading
        Of the present when it was made, and of no publication.
    """
    ledger, head = before.ledger, before.ledger.head()
    last = next(ledger.entries(after=before.head.entries - 1), None)
    if last is None or last.hash != before.head.hash:
        return read_study(ledger, before.study_id)  # another ledger was put in its place
    known = before.known.copy()
    since = ledger.entries(study=before.study_id, after=before.head.entries)
    for entry in itertools.takewhile(lambda entry: entry.seq <= head.entries, since):
        known.take(entry)
    return Reading(ledger, before.study_id, known, head, None)


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
    publication : Publication or None
        Where it is what one rests on: the outlook of its day then has the numbers that were published.
    """

    ledger: Ledger
    study_id: str
    known: Known
    head: Head
    known_at: datetime | None
    publication: Publication | None = None

    @cached_property
    def study(self) -> Study:
        """The revision in force."""
        return study_of(self.known.revisions[-1])

    @cached_property
    def _revisions(self) -> list[Study]:
        return [study_of(entry) for entry in self.known.revisions]

    @cached_property
    def flags(self) -> list[str]:
        """What a reader must know beside the numbers."""
        settled = [f"the study was resolved by {found.entry}: {found.told}"] if (found := self.resolution) else []
        return settled if len(self.known.revisions) == 1 else settled + late_changes(self.known, self._revisions)

    @cached_property
    def resolution(self) -> Resolution | None:
        """How the study was settled; None while it is open. Raises `UnreadableEntryError` where that is damaged."""
        return resolution_of(self.known)

    # Handling marks

    @cached_property
    def _present(self) -> Reading:
        """The same study as the ledger holds it now."""
        return self if self.known_at is None else read_study(self.ledger, self.study_id)

    @cached_property
    def study_mark(self) -> str:
        """The study's handling mark: the stricter of the one then and the one now."""
        return strictest([self.study.tlp, self._present.study.tlp])

    def mark_of(self, logged: Logged) -> str:
        """The handling mark of a logged record, its own or the study's."""
        return self._holding_mark(logged, getattr(logged.record, "tlp", None))

    def _holding_mark(self, logged: Logged, own: str | None) -> str:
        since = self._present.known.logged[logged.entry.id].record if self.known_at else logged.record
        own_now = getattr(since, "tlp", None) if self.known_at else own
        default = self.study_mark if own is None or own_now is None else ""
        if default and len(self.known.revisions) > 1:
            default = strictest([default, self._revision_at(logged.entry.seq).tlp])
        return strictest(mark for mark in (own, own_now, default) if mark)

    def _revision_at(self, seq: int) -> Study:
        """The revision in force when the entry at a position was logged."""
        number = bisect_left(self.known.revisions, seq, key=lambda entry: entry.seq)
        return self._revisions[max(number - 1, 0)]

    def within(self, max_tlp: str | None) -> Reading:
        """The same reading with no trace of entries marked above a level; itself where none is given.

        Raises
        ------
        StrictStudyError
            The study itself is marked above it.
        """
        from forecast.release import StrictStudyError

        if max_tlp is None:
            return self
        if exceeds(self.study_mark, max_tlp):
            raise StrictStudyError(max_tlp)
        known = within(self.known, max_tlp, self._holding_mark)
        # Numbers that rest on more were published; without it they are worked out anew.
        publication = self.publication if len(known.logged) == len(self.known.logged) else None
        return replace(self, known=known, publication=publication)

    def released(
        self,
        as_of: date,
        *,
        now: datetime,
        max_tlp: str | None = None,
        without_above: bool = False,
        without: Sequence[str] = (),
        draws: int = 1000,
    ) -> Released:
        """The outlook as of a day as it may leave the house, through the handling gate.

        Parameters
        ----------
        as_of, without, draws
            As for `outlook`.
        now : datetime
            Stands for the present in the provenance.
        max_tlp : str, optional
            The strictest mark that may leave; any, where left out.
        without_above : bool
            Leave out what is above, and say so, in place of refusing.

        Raises
        ------
        StrictStudyError, TooStrictError
            The study is marked above the level; other entries are that the outlook rests on.
        """
        from forecast.release import TooStrictError, above, release

        below = self.within(max_tlp)
        left_out = _LeftOut(self, without, told_of=below)
        strict = [
            logged.entry.id
            for logged in self.known.logged.values()
            if not logged.retracted and logged.entry.id not in below.known.logged and _ended(logged) <= as_of
        ]
        resting = sum(not left_out.drops(name, self.known.logged[name].record) for name in strict)
        if max_tlp is not None and resting and not without_above:
            raise TooStrictError(resting, max_tlp)
        # What only stricter entries are known by is not named, but counts as left out for its mark.
        named = left_out.told(below, without)
        gap = [above(max_tlp)] if max_tlp is not None and (strict or len(named) < len(without)) else []
        outlook = below.outlook(as_of, without=named, draws=draws)
        provenance = self.provenance(now=now, without=[*named, *gap])
        return release(outlook, provenance, flags=below.flags, max_tlp=max_tlp, at_least=self.study_mark)

    def refuse_unknown(self, without: Sequence[str]) -> None:
        """Raise `WithoutError` where something that is to be left out is not there."""
        _LeftOut(self, without)

    # What was published

    @cached_property
    def publications(self) -> list[Publication]:
        """What was published of the study, in order; raises `UnreadableEntryError` where an entry is damaged."""
        return publications_of(self.known.publications)

    def last_published(self, before: date, *, max_tlp: str | None = None) -> Publication | None:
        """The last publication of a day before that one which may be told of; None where anything stricter is logged.

        Parameters
        ----------
        before : date
        max_tlp : str, optional
            The strictest mark that may be told of; any, where left out.
        """
        if len(self.within(max_tlp).known.logged) < len(self.known.logged):
            return None
        found = [said for said in self.publications if said.as_of < before]
        told = [said for said in found if max_tlp is None or not exceeds(said.tlp, max_tlp)]
        return told[-1] if told else None

    def published(self, number: int) -> Reading:
        """What the publication of that number, from 1, rests on; its outlook has the numbers as they were published.

        Raises
        ------
        UnknownPublicationError
            There is none.
        """
        publication = chosen_publication(self.publications, number)
        last = next(iter(self.ledger.entries(after=publication.before.entries - 1)))
        moment = datetime.fromisoformat(last.recorded_at)
        return replace(read_study(self.ledger, self.study_id, known_at=moment), publication=publication)

    # What stands

    def log(self, without: Sequence[str] = (), *, only: Collection[str] | None = None) -> Log:
        """All that stands, less what is to be left out: `source:X`, `origin:X`, `indicator:X` or `entry:X`.

        With `only`, what stands on some indicators.
        """
        from forecast.outlook import Log

        left_out = _LeftOut(self, without)
        reports: dict[str, list[Live]] = {}
        for logged, report in self.known.reports():
            if (only is None or report.indicator in only) and not left_out.drops(logged.entry.id, report):
                live = live_report(self.study, logged.entry.id, logged.entry.seq, self._marked(logged, report))
                live = live._replace(recorded_at=logged.entry.recorded_at, changed_at=_changed_at(logged))
                reports.setdefault(report.indicator, []).append(live)
        coverage: dict[str, list[Coverage]] = {}
        for logged, span in self.known.coverage():
            if (only is None or span.indicator in only) and not left_out.drops(logged.entry.id, span):
                coverage.setdefault(span.indicator, []).append(span)
        return Log(reports, coverage, frozenset(left_out.values["indicator"]))

    def _marked(self, logged: Logged, report: Report) -> Report:
        """The report with the mark that holds, where that is neither its own nor what its study gives it."""
        if self.known_at is None and (report.tlp is not None or len(self.known.revisions) == 1):
            return report
        mark = self.mark_of(logged)
        return report if mark == (report.tlp or self.study.tlp) else replace(report, tlp=mark)

    def listed(
        self,
        wanted: Callable[[Logged], bool],
        *,
        max_tlp: str | None = None,
        without_above: bool = False,
        without: Sequence[str] = (),
    ) -> list[Logged]:
        """Logged records as they may leave the house, retracted ones included, in order of logging.

        Parameters
        ----------
        wanted : callable
            Which of them are asked for.
        max_tlp, without_above, without
            As for `released`; refused where something asked for is marked above the level.
        """
        from forecast.release import TooStrictError

        below = self.within(max_tlp)
        left_out = _LeftOut(self, without, told_of=below)
        asked = [
            logged
            for logged in self.known.logged.values()
            if wanted(logged) and not left_out.drops(logged.entry.id, logged.record)
        ]
        strict = sum(logged.entry.id not in below.known.logged for logged in asked)
        if max_tlp is not None and strict and not without_above:
            raise TooStrictError(strict, max_tlp, what="the list holds")
        kept = (below.known.logged.get(logged.entry.id) for logged in asked)
        return [logged for logged in kept if logged is not None]

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

        stated = None
        if self.publication is not None and as_of == self.publication.as_of and not without:
            stated, draws = self.publication.stated, self.publication.draws
        return Outlook(self.study, self.log(without), as_of, seed=self.seed, draws=draws, stated=stated)

    @property
    def seed(self) -> int:
        """What all chance in outlooks of this study comes from: the hash of the revision in force."""
        return int(content_hash(self.known.revisions[-1].payload), 16)

    def provenance(self, *, now: datetime, without: Sequence[str] = ()) -> Provenance:
        """Where outlooks of this reading come from; `now` stands for the present, and is read before the ledger is.

        An entry that the ledger's clock puts after `now` was known all the same: a reading known at the moment told
        here is this one, also where clocks differ or another writer was at work.
        """
        from forecast.outlook import Provenance

        return Provenance(
            engine=__version__,
            revision=content_hash(self.known.revisions[-1].payload),
            revision_number=len(self.known.revisions),
            known_at=moment_text(self.known_at) if self.known_at else max(moment_text(now), self._last_recorded_at),
            head=self.head,
            without=tuple(without),
            revised_at=self.known.revisions[-1].recorded_at,
        )

    @property
    def _last_recorded_at(self) -> str:
        """When the last entry that was read was recorded, of whatever study."""
        return next(self.ledger.entries(after=self.head.entries - 1)).recorded_at

    def default_as_of(self, today: date) -> date:
        """Today, or the study's first day before it has come, or its last once that has passed; a publication's own."""
        if self.publication is not None:
            return self.publication.as_of
        return max(self.study.opens, min(today, self.study.horizon))


class _LeftOut:
    """What a reader asked to leave out, checked against what is there."""

    def __init__(self, reading: Reading, without: Iterable[str], *, told_of: Reading | None = None) -> None:
        self.values: dict[str, set[str]] = {kind: set() for kind in _WITHOUT}
        present = cache(partial(_present, reading))
        for text in without:
            kind, colon, value = text.partition(":")
            if kind not in _WITHOUT or not colon or not value:
                mend = "write source:NAME, origin:NAME, indicator:ID or entry:ID"
                raise WithoutError(f'"{text}" names nothing to leave out', where="--without", mend=mend)
            if value not in present(kind):
                # Names of what is withheld are no hints.
                mend = nearest(value, _present(told_of or reading, kind))
                raise WithoutError(f'no {kind} "{value}" in the study', where="--without", mend=mend)
            self.values[kind].add(value)

    def drops(self, entry: str, record: object) -> bool:
        """Whether a report or coverage is to be left out."""
        return entry in self.values["entry"] or any(
            getattr(record, kind, None) in self.values[kind] for kind in ("source", "origin", "indicator")
        )

    def told(self, reading: Reading, without: Iterable[str]) -> list[str]:
        """What of that which is to be left out is there in another reading of the same study."""
        present = cache(partial(_present, reading))
        parts = ((text, *text.partition(":")[::2]) for text in without)
        return [text for text, kind, value in parts if value in present(kind)]


def _changed_at(logged: Logged) -> str:
    """When a record was last corrected, or logged where it never was."""
    return logged.corrections[-1].recorded_at if logged.corrections else logged.entry.recorded_at


def _ended(logged: Logged) -> date:
    """The day a record counts from: a report's, or the first of a span of coverage."""
    return logged.record.dated if isinstance(logged.record, Report) else logged.record.from_


def _present(reading: Reading, kind: str) -> Mapping[str, object]:
    """The names of a kind that can be left out, in their order."""
    if kind == "indicator":
        return reading.study.by_id
    if kind == "entry":
        return {name: logged for name, logged in reading.known.logged.items() if not logged.retracted}
    found = (getattr(report, kind) for _, report in reading.known.reports())
    return dict.fromkeys(value for value in found if value)
