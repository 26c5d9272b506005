"""One list of an outlook as CSV (RFC 4180, but lines end in a line feed), for spreadsheets and statistics.

The lists are those of the JSON document. What is a table of fixed keys there becomes columns here; what is keyed by
scenario or state becomes rows (long form), and what does not apply is an empty cell. Numbers have every digit of the
double.

A text that a spreadsheet would take for a formula, one that begins with `= + - @` or their full-width forms, a tab or a
line break, has a single quote put before it. Only texts are touched, never numbers. The separator is a comma: opened
with another one, cells break elsewhere and this promise ends.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from forecast.assessment import words_with_range
from forecast.display import account
from forecast.export.json_export import CHANGE_DAYS
from forecast.flip import flips
from forecast.information import looks
from forecast.outlook import Outlook, Provenance
from forecast.projection import projection
from forecast.surprise import surprise
from indicators.errors import WatchfloorError, nearest
from indicators.evidence import FIELDS, report_content

__all__ = ["TABLES", "UnknownTableError", "csv_text"]

Row = Sequence[object]

_FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")


class UnknownTableError(WatchfloorError):
    """A list that an outlook does not have."""

    def __init__(self, table: str) -> None:
        super().__init__(f'an outlook has no table "{table}"', where="--table", mend=nearest(table, TABLES))


def csv_text(outlook: Outlook, provenance: Provenance, *, flags: Sequence[str] = (), table: str = "timeline") -> str:
    """One list of the outlook as CSV text with a header row.

    Parameters
    ----------
    outlook : Outlook
    provenance, flags
        Stand in no list; taken so that every writer is called alike.
    table : str
        - `timeline`: date, scenario, probability, low, high, smoothed; days first, scenarios in file order;
        - `scenarios`: one row a scenario, with the changes over 7, 30 and 90 days;
        - `contributions`: one row a report and scenario;
        - `indicators`: one row for each state of a state indicator with its probability, one row for each other
          indicator with its expected number;
        - `projection`: date, scenario, probability, from the as-of day to the horizon with nothing new logged;
        - `surprise`: one row a state report, with its probability before it was logged;
        - `evidence`: one row a report, the fields as given.

    Raises
    ------
    UnknownTableError
        No such list.
    """
    if table not in _TABLES:
        raise UnknownTableError(table)
    header, rows = _TABLES[table]
    return "".join(map(_line, (header, *rows(outlook))))


def _timeline(outlook: Outlook) -> Iterator[Row]:
    courses = (outlook.course, outlook.bands.low, outlook.bands.high, outlook.smoothed_course)
    for day, *numbers in zip(outlook.days, *courses, strict=True):
        text = day.isoformat()
        for row in zip(outlook.study.scenario_ids, *(values.tolist() for values in numbers), strict=True):
            yield text, *row


def _scenarios(outlook: Outlook) -> Iterator[Row]:
    changes = [outlook.change_over(days) for days in CHANGE_DAYS]
    words = words_with_range(outlook)
    for k, scenario in enumerate(outlook.study.scenarios):
        band = float(outlook.bands.low[-1, k]), float(outlook.bands.high[-1, k])
        stands = float(outlook.study.prior[k]), float(outlook.final[k]), *band, words[k]
        moved = (None if change is None else float(change[k]) for change in changes)
        yield scenario.id, scenario.label, *stands, *moved


def _contributions(outlook: Outlook) -> Iterator[Row]:
    for item in outlook.report_contributions:
        report = item.live.report
        about = item.live.entry, report.dated.isoformat(), report.indicator, account(outlook.study, report)
        numbers = (values.tolist() for values in (item.log_likelihoods, item.decibans, item.change))
        for row in zip(outlook.study.scenario_ids, *numbers, strict=True):
            yield *about, *row


def _indicators(outlook: Outlook) -> Iterator[Row]:
    flip = flips(outlook)
    for board, look in zip(outlook.indicator_boards, looks(outlook), strict=True):
        worth = look.bits, look.bits_per_cost, flip[board.indicator.id]
        days = (day and day.isoformat() for day in (board.last_observed, board.due))
        about = board.indicator.id, board.indicator.label, board.indicator.kind, *days, board.overdue
        for state, probability in board.states.items():
            yield *about, state, probability, *[None] * 3, *worth
        if board.expectation is not None:
            coming = board.expectation
            yield *about, None, None, coming.expected, coming.low, coming.high, *worth


def _projection(outlook: Outlook) -> Iterator[Row]:
    ahead = projection(outlook)
    for day, probabilities in zip(ahead.days, ahead.course.tolist(), strict=True):
        for row in zip(outlook.study.scenario_ids, probabilities, strict=True):
            yield day.isoformat(), *row


def _surprise(outlook: Outlook) -> Iterator[Row]:
    yield from surprise(outlook).reports


def _evidence(outlook: Outlook) -> Iterator[Row]:
    for item in outlook.report_contributions:
        content = report_content(item.live.report)
        yield item.live.entry, *(content.get(name) for name in FIELDS)


_TABLES: Mapping[str, tuple[Row, Callable[[Outlook], Iterable[Row]]]] = {
    "timeline": (("date", "scenario", "probability", "low", "high", "smoothed"), _timeline),
    "scenarios": (
        ("id", "name", "prior", "probability", "low", "high", "words", *(f"change_{days}" for days in CHANGE_DAYS)),
        _scenarios,
    ),
    "contributions": (
        ("entry", "date", "indicator", "what", "scenario", "loglik", "decibans", "change"),
        _contributions,
    ),
    "indicators": (
        ("id", "name", "kind", "last_observed", "due", "overdue", "state", "probability",
         "expected", "low", "high", "bits", "bits_per_cost", "flip"),
        _indicators,
    ),
    "projection": (("date", "scenario", "probability"), _projection),
    "surprise": (("entry", "p"), _surprise),
    "evidence": (("entry", *FIELDS), _evidence),
}  # fmt: skip
TABLES = tuple(_TABLES)


def _line(row: Row) -> str:
    text = io.StringIO(newline="")
    # The writer quotes what its line end contains: with this one, a lone carriage return inside a text too.
    csv.writer(text, lineterminator="\r\n").writerow([_inert(cell) for cell in row])
    return text.getvalue().removesuffix("\r\n") + "\n"


def _inert(cell: object) -> object:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) else cell
