"""Lists of what was logged: which entries are wanted, in which order, and what each report weighs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from forecast.reading import Reading
from forecast.study import Study
from indicators.evidence import Report
from indicators.grades import grade_weight
from indicators.replay import Logged

__all__ = ["ORDERS", "STANDINGS", "Source", "Wanted", "dated", "ordered", "sources", "weighing"]

STANDINGS: Mapping[str, Callable[[Logged], bool]] = {
    "live": lambda logged: not logged.retracted,
    "corrected": lambda logged: bool(logged.corrections),
    "retracted": lambda logged: logged.retracted,
}
"""What may have become of an entry: it stands; it was amended or retracted; it was retracted."""

_SEARCHED = ("note", "source", "url", "origin", "event", "ref", "state")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which entries are asked for; what is None leaves all in.

    Attributes
    ----------
    indicator, source, author : str or None
        To the letter.
    grade : str or None
        A letter, a digit or both, of the grade that counts.
    text : str or None
        Anywhere in what a report says, whatever the case; or the entry's id.
    first, last : date or None
        The dated day; of a span, its last.
    standing : str or None
        One of `STANDINGS`.
    mark : str or None
        The handling mark that holds.
    """

    indicator: str | None = None
    source: str | None = None
    author: str | None = None
    grade: str | None = None
    text: str | None = None
    first: date | None = None
    last: date | None = None
    standing: str | None = None
    mark: str | None = None

    def takes(self, logged: Logged, reading: Reading) -> bool:
        """Whether an entry of a reading is asked for."""
        record = logged.record
        day = dated(logged)
        return (
            self.indicator in (None, record.indicator)
            and self.source in (None, getattr(record, "source", None))
            and self.author in (None, logged.entry.author)
            and (self.first is None or day >= self.first)
            and (self.last is None or day <= self.last)
            and (self.standing is None or STANDINGS[self.standing](logged))
            and (self.grade is None or (isinstance(record, Report) and self.grade in _grade(reading.study, record)))
            and (self.text is None or _says(logged, self.text.casefold()))
            and (self.mark is None or reading.mark_of(logged) == self.mark)
        )


def dated(logged: Logged) -> date:
    """The day of a report; of a span of looking, its last."""
    return logged.record.dated if isinstance(logged.record, Report) else logged.record.to


def _grade(study: Study, report: Report) -> str:
    return study.grade_of(report.grade, report.source)


def _says(logged: Logged, folded: str) -> bool:
    texts = (getattr(logged.record, name, None) for name in _SEARCHED)
    return folded == logged.entry.id or any(folded in text.casefold() for text in texts if text)


def weighing(study: Study) -> Callable[[Logged], float | None]:
    """What each entry weighs: the chance that a report carries information; None for a span of looking."""
    known: dict[str, float] = {}

    def weight(logged: Logged) -> float | None:
        if not isinstance(logged.record, Report):
            return None
        grade = _grade(study, logged.record)
        if grade not in known:
            known[grade] = grade_weight(grade, study.grades)
        return known[grade]

    return weight


ORDERS = ("day", "logged", "weight", "change")


def ordered(
    rows: Iterable[Logged], order: str, *, study: Study, changes: Mapping[str, float], rising: bool = False
) -> list[Logged]:
    """Entries in one of `ORDERS`, the latest or largest first; the later logged first on a tie.

    Parameters
    ----------
    changes : mapping of entry id to float
        How much each report changed, for the order `change`; what is not in it comes last.
    rising : bool
        The other way round.
    """
    weight = weighing(study)
    keys: Mapping[str, Callable[[Logged], Any]] = {
        "day": lambda logged: (dated(logged), logged.entry.seq),
        "logged": lambda logged: logged.entry.seq,
        "weight": lambda logged: (weight(logged) or 0.0, logged.entry.seq),
        "change": lambda logged: (abs(changes.get(logged.entry.id, 0.0)), logged.entry.seq),
    }
    return sorted(rows, key=keys[order], reverse=not rising)


class Source(NamedTuple):
    """A source that reports name, or the study.

    Attributes
    ----------
    name : str
    grade : str
        Its usual grade: the one that the study gives it, else the one that its reports have most often; empty where
        there is none.
    is_stated : bool
        Whether the study gives it, so that a report may leave it out.
    reports : int
    """

    name: str
    grade: str
    is_stated: bool
    reports: int


def sources(reading: Reading) -> list[Source]:
    """The sources of a study, those with most reports first."""
    given: dict[str, dict[str, int]] = {name: {} for name in reading.study.sources}
    for _, report in reading.known.reports():
        if report.source:
            grades = given.setdefault(report.source, {})
            grades[report.grade or ""] = grades.get(report.grade or "", 0) + 1
    found = [_source(name, grades, reading.study.sources.get(name)) for name, grades in given.items()]
    return sorted(found, key=lambda source: (-source.reports, source.name))


def _source(name: str, grades: Mapping[str, int], stated: str | None) -> Source:
    named = {grade: n for grade, n in grades.items() if grade}
    usual = max(named, key=lambda grade: named[grade]) if named else ""
    return Source(name, stated or usual, stated is not None, sum(grades.values()))
