"""What a history file says: the days on which something happened, or a series of readings; and every fault of it.

Strict on purpose, as for reports: names of columns exact, days as YYYY-MM-DD, numbers with a decimal point. Rows may
stand in any order and other columns are free. The text is handed in; nothing here opens a file.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from indicators.days import FIRST_YEAR, LAST_YEAR, DayError, parse_day
from indicators.errors import Fault

__all__ = ["FEWEST_READINGS", "SIZE_LIMIT", "Row", "history_text", "read_history", "series_faults"]

SIZE_LIMIT = 2_000_000
FEWEST_READINGS = 8
"""With fewer, a model's parameters follow the single readings."""

_VALUE_LIMIT = 1e15
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?")


class Row(NamedTuple):
    """One row of a history.

    Attributes
    ----------
    line : int
        Where it starts, from 1.
    day : date
    value : float
        The reading; 1 in a history of events.
    """

    line: int
    day: date
    value: float


def history_text(content: bytes, *, file: str) -> tuple[str, list[Fault]]:
    """The text of a file's bytes; empty, with the fault, when they are too many or no UTF-8 text."""
    if len(content) > SIZE_LIMIT:
        what = f"the file has more than {SIZE_LIMIT // 1_000_000} MB"
        return "", [Fault(file, 0, 0, what, "leave out the columns that nobody needs")]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        what = f"byte {content[error.start]:#04x} is not UTF-8"
        return "", [Fault(file, line, 0, what, "save the file as UTF-8")]
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        return "", [Fault(file, line, 0, "the text has a NUL character", "save the file as plain UTF-8 text")]
    return text, []


def read_history(text: str, *, file: str, with_values: bool) -> tuple[list[Row], list[Fault]]:
    """The rows of a history in order of their days, and everything that is wrong with it.

    Parameters
    ----------
    text : str
        The whole file.
    file : str
        Its name, for the faults.
    with_values : bool
        Whether it is a series, with a `value` in each row and one row a day; else each row is an event.
    """
    rows: list[Row] = []
    faults: list[Fault] = []
    first: dict[date, int] = {}
    columns = ("date", "value") if with_values else ("date",)
    for item in _cells(text, file, columns):
        row = item if isinstance(item, Fault) else _row(item, file)
        if isinstance(row, Row) and with_values and first.setdefault(row.day, row.line) != row.line:
            what = f"date: {row.day} again, first on line {first[row.day]}"
            row = Fault(file, row.line, 0, what, "keep one reading a day, such as their mean")
        if isinstance(row, Row):
            rows.append(row)
        else:
            faults += [row] if isinstance(row, Fault) else row
    return sorted(rows, key=lambda row: (row.day, row.line)), faults


def series_faults(rows: Sequence[Row], *, file: str, opens: date | None) -> list[Fault]:
    """Why no course can be learnt from the rows of a sound series; empty when one can.

    Parameters
    ----------
    rows : sequence of Row
        In order of their days.
    file : str
        For the faults.
    opens : date or None
        When the study opens, where that is known.
    """
    late = [row for row in rows if opens and row.day >= opens]
    if late:
        mend = "take the row out; readings from the opening day on are logged as reports"
        return [
            Fault(file, row.line, 0, f"date: {row.day} is not before the study opens on {opens}", mend) for row in late
        ]
    instead = 'state "values" in place of the baseline'
    if len(rows) < FEWEST_READINGS:
        what = f"it has {len(rows)} {'reading' if len(rows) == 1 else 'readings'}, too few to learn a course from"
        return [Fault(file, 0, 0, what, f"give at least {FEWEST_READINGS}, or {instead}")]
    if len({row.value for row in rows}) == 1:
        return [Fault(file, 0, 0, f"every reading is {rows[0].value:.12g}, which shows no course", instead)]
    return []


class _Cells(NamedTuple):
    """The cells of one row that matter."""

    line: int
    day: str
    value: str | None


def _cells(text: str, file: str, columns: Sequence[str]) -> Iterator[_Cells | Fault]:
    csv.field_size_limit(SIZE_LIMIT)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    line = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            mend = "close the quotes of this row, and double those inside a cell"
            yield Fault(file, line, 0, f"not CSV from here on ({error})", mend)
            return
        if cells is None:
            break
        if header is None:
            header = cells
            faults = list(_header_faults(cells, file, columns))
            yield from faults
            if faults:
                return
        elif len(cells) not in (0, len(header)):
            what = f"the row has {len(cells)} cells, the header {len(header)}"
            yield Fault(file, line, 0, what, "quote cells that have a comma in them")
        elif cells:
            found = [cells[header.index(name)] for name in columns]
            yield _Cells(line, found[0], found[1] if len(found) > 1 else None)
        line = reader.line_num + 1
    if header is None:
        yield Fault(file, 1, 0, "the file is empty", f"start it with a header row of: {', '.join(columns)}")


def _header_faults(header: Sequence[str], file: str, columns: Sequence[str]) -> Iterator[Fault]:
    for name in columns:
        if header.count(name) > 1:
            yield Fault(file, 1, 0, f"the column {name} stands twice", "take one of them out")
        elif name not in header:
            alike = next((cell for cell in header if cell.strip().casefold() == name), None)
            mend = f"write {_quoted(alike)} as {name}" if alike else f"name it {name} in the first row"
            yield Fault(file, 1, 0, f"there is no column {name}", mend)


def _row(cells: _Cells, file: str) -> Row | list[Fault]:
    """The row that the cells say, or what is wrong with them."""
    found = [_day(cells.day), 1.0 if cells.value is None else _value(cells.value)]
    day, value = found
    if isinstance(day, date) and isinstance(value, float):
        return Row(cells.line, day, value)
    return [Fault(file, cells.line, 0, *told) for told in found if isinstance(told, tuple)]


def _day(cell: str) -> date | tuple[str, str]:
    try:
        day = parse_day(cell.strip())
    except DayError as error:
        return f"date: {_quoted(cell)} is not a day", error.mend
    if FIRST_YEAR <= day.year <= LAST_YEAR:
        return day
    return f"date: {day} lies outside {FIRST_YEAR} to {LAST_YEAR}", "correct the year"


def _value(cell: str) -> float | tuple[str, str]:
    text = cell.strip()
    mend = "write a number with a decimal point, like 54.5"
    if not _NUMBER.fullmatch(text) or len(text) > 40:
        return f"value: {_quoted(cell)} is not a number", mend
    number = float(text)
    if not math.isfinite(number) or abs(number) > _VALUE_LIMIT:
        return f"value: {_quoted(cell)} is not within {_VALUE_LIMIT:g} of zero", mend
    return number


def _quoted(cell: str) -> str:
    """A cell as a message shows it: in quotes, on one line, shortened."""
    text = cell if len(cell) <= 60 else f"{cell[:57]}..."
    return '"' + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text) + '"'
