"""The Python face for notebooks and programs: open a ledger, read a study, get its outlook.

Everything else hangs on what these return: `Reading.outlook` gives an `Outlook`, whose methods give pandas tables.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import forecast.frames as frames
import forecast.reading as reading
import forecast.settling as settling
from forecast.backtest import By, backtest_rows, replay_days, settings_of
from forecast.forecast_table import ForecastTable
from forecast.past import released_past
from forecast.publication import Publication
from forecast.reading import Reading
from forecast.release import Released, ReleasedTrack
from forecast.resolution import Resolution
from forecast.settled import released_record
from forecast.short_run import ShortRun, short_run
from forecast.table_scores import TableScores, table_scores
from indicators import opening
from indicators.address import Address, address_of
from indicators.clock import today, utc_now
from indicators.days import parse_moment
from indicators.ledger import Ledger

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "backtest_table",
    "create_ledger",
    "open_ledger",
    "publish",
    "read_study",
    "released",
    "resolve",
    "score_table",
    "short_run_record",
    "track_record",
]


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
        As `forecast.settling.publish` says; nothing was written.

    Examples
    --------
    >>> publish(ledger, author="ana", opinion={"network": 0.6, "status-quo": 0.4})  # doctest: +SKIP
    """
    chosen = reading.chosen_study(ledger, study)
    return settling.publish(
        ledger, chosen, as_of=as_of, opinion=opinion, note=note, draws=draws, author=author, today=today()
    )


def resolve(
    ledger: Ledger, scenario: str, study: str | None = None, *, on: date, why: str | None = None, author: str
) -> Resolution:
    """Record which scenario came true, and on which day; the study is closed with that.

    Parameters
    ----------
    ledger : Ledger
    scenario : str
        Its id.
    study : str, optional
        The study's id; may be left out when the ledger holds only one.
    on : date
        The day on which it was settled.
    why : str, optional
        How it was told, in your words.
    author : str
        Who resolves it.

    Raises
    ------
    SettledError, FaultsError
        As `forecast.settling.resolve` says; nothing was written.

    Examples
    --------
    >>> resolve(ledger, "network", on=date(2027, 3, 1), author="ana")  # doctest: +SKIP
    """
    chosen = reading.chosen_study(ledger, study)
    return settling.resolve(ledger, chosen, scenario, on=on, why=why, author=author, today=today())


def track_record(
    ledger: Ledger,
    study: str | None = None,
    *,
    known_at: str | None = None,
    max_tlp: str | None = None,
    without_above: bool = False,
    crowd: str | os.PathLike[str] | None = None,
) -> ReleasedTrack:
    """What was published of resolved studies, scored: all of a ledger, or one.

    Parameters
    ----------
    ledger : Ledger
    study : str, optional
        One study's id; every study of the ledger where left out.
    known_at : str, optional
        What the ledger held at that moment, as for `read_study`.
    max_tlp, without_above
        As for `released`; what is left out are whole studies.
    crowd : str or path, optional
        A table of a crowd's numbers to be measured against: question (study id), forecaster, date, outcome (scenario
        id), probability.

    Returns
    -------
    ReleasedTrack
        Its `record.summaries` are the scores of all, by tag, by author and by lead.

    Examples
    --------
    >>> track_record(open_ledger("forecast.db")).record.summaries[0].scores  # doctest: +SKIP
    """
    moment = parse_moment(known_at) if known_at else None
    asked = reading.chosen_study(ledger, study, known_at=moment) if study is not None else None
    studies = ledger.studies(until=moment) if asked is None else [asked]
    table = None if crowd is None else ForecastTable(os.fspath(crowd), resolved=False)
    found, _ = released_record(
        ledger, studies, known_at=moment, max_tlp=max_tlp, without_above=without_above, crowd=table
    )
    return found


def score_table(path: str | os.PathLike[str], *, columns: Mapping[str, str] | None = None) -> TableScores:
    """Score anybody's forecasts, in a CSV of any length.

    Parameters
    ----------
    path : str or path
        With the columns question, forecaster, date, outcome, probability, resolution; or probability and outcome.
    columns : mapping of str to str, optional
        Which column of the file stands for which of these, where its header does not say so itself.

    Raises
    ------
    TableError, FaultsError, NothingToScoreError
        It is no table of forecasts; rows cannot be read; no forecast counts.

    Examples
    --------
    >>> score_table("forecasts.csv").calibration.decomposition  # doctest: +SKIP
    """
    return table_scores(ForecastTable(os.fspath(path), columns or {}))


def short_run_record(
    reading: Reading,
    as_of: date | None = None,
    *,
    max_tlp: str | None = None,
    without_above: bool = False,
    without: Sequence[str] = (),
) -> ShortRun:
    """Which rows have foretold what was logged, before it was logged, and which mislead.

    Parameters
    ----------
    reading : Reading
    as_of : date, optional
        What is dated later is not scored; today where left out, or the nearest day that the study has.
    max_tlp, without_above, without
        As for `released`; retracted entries count too, for they are part of the past.

    Returns
    -------
    ShortRun
        Its `table()` has a row for each indicator, its `reports()` one for each scored report. What rows the log would
        suggest, `forecast.suggestion.suggestion` tells of an outlook; nothing applies it.

    Raises
    ------
    StrictStudyError, TooStrictError
        The study is marked above the level; so are entries of its past.

    Examples
    --------
    >>> short_run_record(reading, date(2026, 6, 7)).table()  # doctest: +SKIP
    """
    day = reading.default_as_of(today()) if as_of is None else as_of
    past = released_past(reading, day, max_tlp=max_tlp, without_above=without_above, without=without)
    return short_run(past.known, day, silenced=_silenced(without))


def backtest_table(
    reading: Reading,
    *,
    first: date | None = None,
    last: date | None = None,
    every_days: int = 1,
    by: By = "known-at",
    drift: Sequence[str] = (),
    persistence: Sequence[str] = (),
    grades: Sequence[str] = (),
    max_tlp: str | None = None,
    without_above: bool = False,
    without: Sequence[str] = (),
) -> pd.DataFrame:
    """What the engine would have said on past days, with other settings beside: a replay, which nobody said then.

    Parameters
    ----------
    reading : Reading
    first, last : date, optional
        Left out: from the first day on which there is anything to say to the day before it was settled, or today.
    every_days : int
        From one day to the next; at least 1.
    by : str
        `known-at`: what the ledger held on each day. `as-of`: all it holds now, by the days of observation, which is
        hindsight.
    drift, persistence, grades : sequence of str
        Each makes one more forecaster, with that alone changed: half-lives such as `1y` or `none`; `90d`, `mood=90d`
        or `none`; worths such as `B=0.9,2=0.8`. A setting that is chosen by this table has been fitted to it.
    max_tlp, without_above, without
        As for `released`; retracted entries count too, for they are part of the past.

    Returns
    -------
    DataFrame
        As `forecast.frames.forecasts` says; written as CSV without its index it is a table for `score_table`.

    Raises
    ------
    StrictStudyError, TooStrictError
        The study is marked above the level; so are entries of its past.
    SettingError, NoPastError
        A setting cannot be tried on this study; there is no day to replay.

    Examples
    --------
    >>> backtest_table(reading, every_days=7, drift=["1y"]).to_csv("replay.csv", index=False)  # doctest: +SKIP
    """
    past = released_past(reading, date.max, max_tlp=max_tlp, without_above=without_above, without=without)
    settings = settings_of(reading.study, drift=drift, persistence=persistence, grades=grades)
    days = replay_days(past.known, reading.study, first=first, last=last, every=every_days, today=today(), by=by)
    rows = backtest_rows(past.known, days, settings, by=by, silenced=_silenced(without))
    return frames.forecasts(list(rows))


def _silenced(without: Sequence[str]) -> list[str]:
    """The indicators that are left out, whose silence then says nothing either."""
    return [text.removeprefix("indicator:") for text in without if text.startswith("indicator:")]
