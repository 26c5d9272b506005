"""What is put on record for good: publications, and which scenario came true.

As in `workflow`, each checks all of its input against the ledger as it stands, and writes all or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from forecast.desk import NoReasonError, refuse_settled
from forecast.publication import Publication, opinion_of, publication_content
from forecast.reading import Reading, read_study
from forecast.resolution import Resolution, resolution_content, resolution_of, undo_content, void_content
from forecast.study import Study
from forecast.version import __version__
from indicators.entry import Draft, Entry, content_hash
from indicators.errors import Fault, FaultsError, WatchfloorError, nearest
from indicators.evidence import (
    read_text,
)
from indicators.ledger import Head, Ledger
from indicators.markings import strictest
from indicators.replay import replayed

__all__ = [
    "EarlierDayError",
    "NoTestError",
    "NotSettledError",
    "NotYetError",
    "publish",
    "refuse_publication",
    "resolution_faults",
    "resolve",
    "resolve_void",
    "undo_resolution",
]


class NoTestError(WatchfloorError):
    """A publication of a study that does not say how each scenario would be told to have come true."""

    def __init__(self, scenarios: Sequence[str]) -> None:
        what = f"{', '.join(scenarios)} {'has' if len(scenarios) == 1 else 'have'} no resolves_if"
        mend = (
            "say in the study file how a stranger could tell that it came true, and record it with `forecast study add`"
        )
        super().__init__(what, where="the study", mend=mend)


class NotSettledError(WatchfloorError):
    """A resolution to be undone, of a study that is open."""

    def __init__(self, study_id: str) -> None:
        super().__init__("it is open; there is no resolution to undo", where=study_id)


class EarlierDayError(WatchfloorError):
    """A publication as of a day before the one that was last spoken of."""


class NotYetError(WatchfloorError):
    """A publication as of a day to come."""


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
        refuse_publication(reading, day, today)
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


def refuse_publication(reading: Reading, as_of: date, today: date) -> None:
    """Raise where nothing may be said of the study, or of that day."""
    known, untold = reading.known, [s.id for s in reading.study.scenarios if not s.resolves_if]
    refuse_settled(reading.study_id, known.settled)
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
        faults = resolution_faults(reading.study, scenario, on, today)
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
        refuse_settled(study_id, reading.known.settled)
        return [Draft(author=author, study=study_id, kind="resolve", payload=content(reading))]

    entry = ledger.append(decide)[0]
    found = resolution_of(replayed(e for e in ledger.entries(study=study_id) if e.seq <= entry.seq))
    assert found is not None
    return found


def resolution_faults(study: Study, scenario: str, on: date, today: date) -> list[Fault]:
    """Everything that speaks against a scenario having come true on a day; empty where nothing does."""
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
