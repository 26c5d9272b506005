"""A small study of every kind with a ledger in memory: what the tests of intake, workflow and readings stand on.

Its days lie in 2024, so that nothing here depends on the day on which the tests run.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

from hypothesis import settings

from forecast import bulk, workflow
from forecast.study import Study
from forecast.study_file import read_study, study_json
from indicators.entry import Entry
from indicators.evidence import FIELDS
from indicators.intake import Handed
from indicators.ledger import Head, Ledger, MemoryLedger

steady = settings(derandomize=True, deadline=None)
"""For laws: the same examples in every run, and no clock."""

OPENS = date(2024, 1, 1)
HORIZON = date(2024, 12, 31)
TODAY = date(2024, 7, 1)

STUDY = """\
study: port
title: The port
opens: 2024-01-01
horizon: 2024-12-31
sources: {Wire: B2}
scenarios:
  - {id: settled, name: Settlement, prior: 0.6}
  - {id: strike, name: Long strike, prior: 0.4}
indicators:
  - id: mood
    kind: state
    states: [calm, tense, hostile]
    likelihoods:
      settled: [0.6, 0.3, 0.1]
      strike: [0.2, 0.3, 0.5]
    persistence: 60 d
    check_every: 30 d
  - id: press
    kind: state
    states: [quiet, loud]
    given: mood
    likelihoods:
      settled: {calm: unlikely, tense: likely, hostile: likely}
      strike: {calm: likely, tense: likely, hostile: very likely}
  - id: talks
    kind: count
    unit: round
    rates: {settled: 12, strike: 4}
  - id: raids
    kind: count
    rates: {settled: 1, strike: 3}
    silence: always
  - id: treaty
    kind: milestone
    rates: {settled: 0.8, strike: 0.1}
  - id: ballot
    kind: milestone
    rates: {settled: 0.2, strike: 2}
    silence: always
  - id: wait
    kind: measure
    unit: hours
    values: {settled: {mean: 20, sd: 6}, strike: {mean: 45, sd: 15}}
  - id: gone
    kind: state
    states: [no, yes]
    likelihoods: {settled: unlikely, strike: likely}
    retired: true
"""

SOUND: Mapping[str, Mapping[str, object]] = {
    "state": {"indicator": "mood", "observed": "2024-02-01", "state": "calm"},
    "given": {"indicator": "press", "observed": "2024-02-01", "state": "loud"},
    "count": {"indicator": "talks", "observed": "2024-02-01", "count": "2"},
    "span": {"indicator": "talks", "from": "2024-03-01", "to": "2024-03-31", "count": "1"},
    "milestone": {"indicator": "treaty", "observed": "2024-02-01"},
    "measure": {"indicator": "wait", "observed": "2024-02-01", "value": "21.5"},
}
"""A sound report of every kind."""


def ticking_clock(start: datetime = datetime(2024, 7, 1, 12, tzinfo=UTC), step: timedelta = timedelta(hours=1)) -> Any:
    """A clock that is a step later each time it is read."""
    moment = start - step

    def clock() -> datetime:
        nonlocal moment
        moment += step
        return moment

    return clock


def study_of_text(text: str = STUDY) -> Study:
    """The study that a file's text says."""
    return read_study(text, file="port.yaml")


def record(ledger: Ledger, text: str = STUDY) -> workflow.Recorded:
    """Record a study, or its next revision, from the text of its file."""
    study = study_of_text(text)
    return workflow.record_study(ledger, study, content=study_json(study), text=text, file="port.yaml", author="ana")


def new_ledger(text: str = STUDY) -> MemoryLedger:
    """A ledger in memory that holds the study, recorded on 2024-07-01 at noon; each append comes an hour later."""
    ledger = MemoryLedger(ticking_clock())
    record(ledger, text)
    return ledger


def place(field: str) -> str:
    """How a field's place is shown in the tests' faults."""
    return f"<{field}>"


def log(ledger: Ledger, raw: Mapping[str, object], *, today: date = TODAY) -> Entry:
    """Log one report."""
    return workflow.log_report(ledger, "port", raw, author="ana", today=today, place=place)


def cover(ledger: Ledger, indicator: str, first: str, last: str, *, today: date = TODAY, **more: object) -> Entry:
    """Record one span of coverage."""
    raw = {"indicator": indicator, "from": first, "to": last, **more}
    return workflow.cover(ledger, "port", raw, author="ana", today=today, place=place)


def amend(ledger: Ledger, entry: str, why: str | None = None, **changes: object) -> Entry:
    """Correct an entry; `from_` stands for `from`."""
    named = {name.rstrip("_"): value for name, value in changes.items()}
    return workflow.amend(ledger, "port", entry, named, why=why, author="bo", today=TODAY, place=place)


def retract(ledger: Ledger, entry: str, why: str = "a mistake") -> Entry:
    """Withdraw an entry."""
    return workflow.retract(ledger, "port", entry, why=why, author="bo")


def import_files(ledger: Ledger, *files: tuple[str, bytes], today: date = TODAY) -> bulk.Imported:
    """Import files given by name and content."""
    return bulk.import_reports(ledger, "port", handed(*files), author="ana", today=today)


def handed(*files: tuple[str, bytes]) -> list[Handed]:
    """Files of reports that are in memory, as somebody hands them in."""
    return [Handed(name, partial(io.BytesIO, content), FIELDS) for name, content in files]


def csv_of(rows: Iterable[Mapping[str, object]]) -> bytes:
    """A CSV of records whose texts need no quotes, with every column that occurs."""
    rows = list(rows)
    columns = [name for name in FIELDS if any(name in row for row in rows)]
    lines = [columns, *([str(row.get(name, "")) for name in columns] for row in rows)]
    return "".join(",".join(line) + "\n" for line in lines).encode()


def head(ledger: Ledger) -> Head:
    """The end of the ledger: the same before and after whatever wrote nothing."""
    return ledger.head()
