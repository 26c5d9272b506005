"""What a report may tell of its study's record: what was published, how it came out, and how the rows have done.

Gathered from the ledger through the handling gate. A publication is told where its own mark allows it, and no entry
that was logged before it is withheld now; where one is not told, the study is not scored either. Other studies of the
ledger are told as far as their marks allow, and never make the mark of a report stricter. Texts are made elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from forecast.past import changes, released_past
from forecast.publication import Publication
from forecast.reading import Reading
from forecast.release import Released, ReleasedTrack
from forecast.resolution import Resolution
from forecast.settled import released_record, resolved_studies
from forecast.short_run import FEWEST, ShortRun, notes, short_run
from forecast.suggestion import Suggestion, suggestion
from indicators.markings import exceeds, strictest
from indicators.replay import Logged

__all__ = ["MOST_CHANGES", "StudyRecord", "study_record", "told_publications"]

MOST_CHANGES = 1_000
"""Of a longer log the short-run record is not told: it goes through the entries one by one."""

_ABOVE = "above:"


@dataclass(frozen=True, kw_only=True)
class StudyRecord:
    """The record of a study, as it may leave the house.

    Attributes
    ----------
    publications : tuple of Publication
        Those that may be told, in order.
    withheld : int
        How many may not.
    resolution : Resolution or None
    own : ReleasedTrack or None
        The scores of this study; None while it is open, where it is void, and where a publication is withheld.
    house : ReleasedTrack or None
        Of every resolved study that may be told of; None where there is no other than this.
    run : ShortRun or None
        None of a log that is too long.
    entries : int
        How many entries the short-run record goes through.
    notes : tuple of str
        What a reader of it must know.
    suggestions : mapping of str to Suggestion
        By indicator, what rows the log would suggest: of those with ten scored reports, or whose rows mislead.
    tlp : str
        The strictest mark of all this.
    level : str
        The strictest mark that other studies could have.
    """

    publications: tuple[Publication, ...]
    withheld: int
    resolution: Resolution | None
    own: ReleasedTrack | None
    house: ReleasedTrack | None
    run: ShortRun | None
    entries: int
    notes: tuple[str, ...]
    suggestions: Mapping[str, Suggestion]
    tlp: str
    level: str


def study_record(
    reading: Reading,
    released: Released,
    *,
    max_tlp: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> StudyRecord:
    """What may be told of the record of a study beside an outlook of it.

    Parameters
    ----------
    reading : Reading
        That the outlook comes from.
    released : Released
    max_tlp : str, optional
        The strictest mark that may leave; any, where left out. What is above is left out here and never refused, for
        the outlook does not rest on it.
    progress : callable, optional
        Told how many entries of the log are gone through, and of how many.
    """
    as_of, without = released.outlook.as_of, _named(released)
    past = released_past(reading, as_of, tlp=released.tlp, max_tlp=max_tlp, without_above=True, without=without)
    entries = len(changes(past.known))
    run = None
    if entries <= MOST_CHANGES:
        run = short_run(past.known, as_of, silenced=released.outlook.log.silenced, progress=progress)
    said = _said(reading)
    told = _told(reading, said, max_tlp)
    tlp = strictest([past.tlp, *(publication.tlp for publication in told)])
    withheld = len(said) - len(told)
    own = None if withheld or not _is_settled(reading) else _track(reading, [reading.study_id], max_tlp)
    level = max_tlp or tlp
    return StudyRecord(
        publications=told,
        withheld=withheld,
        resolution=reading.resolution,
        own=own,
        house=_house(reading, level, with_own=not withheld),
        run=run,
        entries=entries,
        notes=tuple(notes(run, past.known)) if run else (),
        suggestions=_suggestions(released, run) if run else {},
        tlp=tlp,
        level=level,
    )


def _named(released: Released) -> list[str]:
    """What was asked to be left out, but for what the gate left out by its mark."""
    return [text for text in released.provenance.without if not text.startswith(_ABOVE)]


def told_publications(reading: Reading, max_tlp: str | None) -> tuple[Publication, ...]:
    """The publications that may be told of."""
    return _told(reading, reading.publications, max_tlp)


def _said(reading: Reading) -> list[Publication]:
    """What was published; of what one publication rests on, up to that one, which came just after it."""
    own = [] if reading.publication is None else [reading.publication]
    return [said for said in reading.publications if said not in own] + own


def _told(reading: Reading, said: Sequence[Publication], max_tlp: str | None) -> tuple[Publication, ...]:
    if max_tlp is None:
        return tuple(said)
    kept = reading.within(max_tlp).known.logged
    withheld = [logged for name, logged in reading.known.logged.items() if name not in kept]
    return tuple(
        publication
        for publication in said
        if not exceeds(publication.tlp, max_tlp) and not any(_rests(publication, logged) for logged in withheld)
    )


def _rests(publication: Publication, logged: Logged) -> bool:
    """Whether a publication may rest on an entry, which stood when it was published."""
    if logged.entry.seq > publication.before.entries:
        return False
    return not (logged.retracted and logged.corrections[-1].seq <= publication.before.entries)


def _is_settled(reading: Reading) -> bool:
    return reading.resolution is not None and not reading.resolution.is_void


def _track(reading: Reading, studies: list[str], level: str | None) -> ReleasedTrack:
    found, _ = released_record(
        reading.ledger, studies, known_at=reading.known_at, max_tlp=level, without_above=level is not None
    )
    return found


def _house(reading: Reading, level: str, *, with_own: bool) -> ReleasedTrack | None:
    others = resolved_studies(reading.ledger, known_at=reading.known_at, but=[reading.study_id])
    if not others:
        return None
    own = [reading.study_id] if with_own and reading.resolution is not None else []
    return _track(reading, [*others, *own], level)


def _suggestions(released: Released, run: ShortRun) -> dict[str, Suggestion]:
    chosen = [item for item in run.indicators if len(item) >= FEWEST or item.verdict == "mislead"]
    found = ((item.indicator.id, suggestion(released.outlook, item.indicator)) for item in chosen)
    return {name: rows for name, rows in found if rows is not None}
