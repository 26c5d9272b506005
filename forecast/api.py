"""The Python face for notebooks and programs: open a ledger, read a study, get its outlook.

Everything else hangs on what these return: `Reading.outlook` gives an `Outlook`, whose methods give pandas tables.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import forecast.reading as reading
import forecast.workflow as workflow
from forecast.publication import Publication
from forecast.reading import Reading
from forecast.release import Released
from indicators import opening
from indicators.address import Address, address_of
from indicators.clock import today, utc_now
from indicators.days import parse_moment
from indicators.ledger import Ledger

__all__ = ["create_ledger", "open_ledger", "publish", "read_study", "released"]


def open_ledger(path: str | os.PathLike[str]) -> Ledger:
    """Open a ledger that is there.

    Parameters
    ----------
    path : str or path
        The SQLite file; or, as a text, the `postgresql://` URL of a database.

    Raises
    ------
    LedgerError
        There is none, or it cannot be read; the message says which and how to mend it.
    """
    return opening.open_ledger(_address(path), clock=utc_now)


def create_ledger(path: str | os.PathLike[str]) -> Ledger:
    """Make a ledger, or open the one that is there."""
    return opening.create_ledger(_address(path), clock=utc_now)


def _address(path: str | os.PathLike[str]) -> Address:
    return address_of(path) if isinstance(path, str) else Path(path)


def read_study(ledger: Ledger, study: str | None = None, *, known_at: str | None = None) -> Reading:
    """What a ledger holds of a study.

    Parameters
    ----------
    ledger : Ledger
    study : str, optional
        The study's id; may be left out when the ledger holds only one.
    known_at : str, optional
        What the ledger held at that moment: `2026-05-01T12:00:00Z`, or a day for its end in UTC.

    Returns
    -------
    Reading
        Its `study` is the revision in force, its `outlook(as_of)` the outlook of a day.

    Examples
    --------
    >>> reading = read_study(open_ledger("forecast.db"))  # doctest: +SKIP
    >>> reading.outlook(date(2026, 6, 7)).probabilities()  # doctest: +SKIP
    """
    moment = parse_moment(known_at) if known_at else None
    return reading.read_study(ledger, reading.chosen_study(ledger, study, known_at=moment), known_at=moment)


def released(
    reading: Reading,
    as_of: date | None = None,
    *,
    max_tlp: str | None = None,
    without_above: bool = False,
    without: Sequence[str] = (),
    draws: int = 1000,
) -> Released:
    """The outlook of a reading as it may leave the house: what every chart and export takes.

    Parameters
    ----------
    reading : Reading
    as_of : date, optional
        Today where left out, or the nearest day that the study has.
    max_tlp : str, optional
        The strictest handling mark that may leave: `clear`, `green`, `amber`, `amber+strict` or `red`. Left out, any
        may, and the outlook says its own.
    without_above : bool
        Leave out what is above, and say so, in place of refusing.
    without : sequence of str
        What else to leave out: `source:X`, `origin:X`, `indicator:X` or `entry:X`.
    draws : int
        How many draws the bands come from.

    Raises
    ------
    StrictStudyError, TooStrictError
        The study is marked above the level; other entries are that the outlook rests on.

    Examples
    --------
    >>> timeline_chart(released(reading, max_tlp="green"))  # doctest: +SKIP
    """
    day = reading.default_as_of(today()) if as_of is None else as_of
    return reading.released(
        day, now=utc_now(), max_tlp=max_tlp, without_above=without_above, without=without, draws=draws
    )


def publish(
    ledger: Ledger,
    study: str | None = None,
    *,
    author: str,
    as_of: date | None = None,
    opinion: Mapping[str, float] | None = None,
    note: str | None = None,
    draws: int = 1000,
) -> Publication:
    """Put the outlook on record: its numbers are written into the ledger, where they are never changed.

    Parameters
    ----------
    ledger : Ledger
    study : str, optional
        The study's id; may be left out when the ledger holds only one.
    author : str
        Who publishes.
    as_of : date, optional
        The day to speak of; today where left out, or the study's last day once that has passed.
    opinion : mapping of str to float, optional
        Your own probability of every scenario; they sum to 1.
    note : str, optional
        In your words.
    draws : int
        How many draws the bands come from.

    Returns
    -------
    Publication
        As the ledger holds it; `reading.published(number)` gives the outlook with its numbers again.

    Raises
    ------
    NoTestError, SettledError, EarlierDayError, NotYetError, AsOfError, FaultsError
        As `forecast.workflow.publish` says; nothing was written.

    Examples
    --------
    >>> publish(ledger, author="ana", opinion={"network": 0.6, "status-quo": 0.4})  # doctest: +SKIP
    """
    chosen = reading.chosen_study(ledger, study)
    return workflow.publish(
        ledger, chosen, as_of=as_of, opinion=opinion, note=note, draws=draws, author=author, today=today()
    )
