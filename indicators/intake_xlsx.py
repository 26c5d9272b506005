"""Records from one sheet of an XLSX workbook: a header in row 1, and a record in each row below it.

The guard (`indicators.workbook`) goes first; openpyxl then says what the cells hold. A day may be a cell typed as a
date, or text; a number is a number; everything else is text. What a spreadsheet has made of an entry on its own, such
as a date of a key or a number of a text, is refused and not turned back, as nobody can know what was typed.
"""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO

from indicators.errors import Fault, WatchfloorError, nearest
from indicators.header import UNREAD, header_faults
from indicators.raw import Raw, Read, place_in
from indicators.workbook import WorkbookError, guarded, sheet_faults

__all__ = ["xlsx_rows"]

_DAYS = ("observed", "from", "to")
_NUMBERS = ("count", "value", "detect")
_FIRST_SOUND_DAY = date(1900, 3, 1)
"""Spreadsheets count a 29 February 1900 that never was."""


class _CellError(WatchfloorError):
    """A cell that holds another kind of thing than its column."""


def xlsx_rows(stream: BinaryIO, *, file: str, fields: Sequence[str], sheet: str | None = None) -> Iterator[Read]:
    """The rows of a sheet, blank ones passed over; a fault of the workbook or its header is the end of it.

    Parameters
    ----------
    stream : binary file
        Seekable.
    file : str
        Its name, for faults.
    fields : sequence of str
        The names that may stand in the header.
    sheet : str, optional
        Which sheet; the first that is not hidden when left out.
    """
    place = file
    try:
        archive = guarded(stream)
        book = _book(stream)
        chosen = _chosen(book, sheet)
        place = place_in(file, chosen.title)
        bad = set()
        for row, what, mend in _structure(archive, chosen):
            bad.add(row)
            yield Fault(place, row, 0, what, mend)
        yield from _rows(chosen, place, fields, bad)
    except WorkbookError as error:
        yield Fault(place, 0, 0, error.what, error.mend)


@contextmanager
def _in_our_words(what: str) -> Iterator[None]:
    """Whatever the library raises at a damaged part, and it raises anything, as ours; its warnings are kept back."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except Exception as error:
            if isinstance(error, WatchfloorError):
                raise
            raise WorkbookError(what, "save the workbook anew as .xlsx") from None


def _book(stream: BinaryIO) -> Any:
    """The workbook, without the parts that no cell depends on: names for cells alone can keep openpyxl for hours."""
    from openpyxl.reader.excel import ExcelReader
    from openpyxl.styles.stylesheet import apply_stylesheet

    with _in_our_words("the workbook cannot be read; its parts do not fit together"):
        reader = ExcelReader(stream, read_only=True, keep_links=False)
        reader.read_manifest()
        reader.read_strings()
        reader.read_workbook()
        apply_stylesheet(reader.archive, reader.wb)
        reader.read_worksheets()
    return reader.wb


def _chosen(book: Any, name: str | None) -> Any:
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    if name is not None and name not in sheets:
        raise WorkbookError(f'the workbook has no sheet "{name}"', nearest(name, sheets))
    shown = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    if name is None and not shown:
        raise WorkbookError("the workbook has no sheet to be seen", "name one with --sheet")
    return sheets[name] if name is not None else shown[0]


def _structure(archive: zipfile.ZipFile, sheet: Any) -> Iterator[tuple[int, str, str]]:
    with _in_our_words("the sheet cannot be read"):
        part = archive.open(sheet._worksheet_path)
    with part:
        yield from sheet_faults(part)


def _rows(sheet: Any, place: str, fields: Sequence[str], bad: set[int]) -> Iterator[Read]:
    rows = _cells(sheet, bad)
    header = ["" if cell.value is None else str(cell.value) for cell in next(rows, ())]
    while header and not header[-1]:
        header.pop()
    if not header:
        yield Fault(place, 1, 0, "the first row is empty", f"start the sheet with a header row of: {', '.join(fields)}")
        return
    faults = list(header_faults(header, place, fields))
    yield from faults
    if faults:
        return
    for number, cells in enumerate(rows, start=2):
        if number not in bad and any(cell.value not in (None, "") for cell in cells):
            yield from _row(cells, number, header, place, sheet.title)


def _cells(sheet: Any, bad: set[int]) -> Iterator[Sequence[Any]]:
    """Every row from the first, the ones that are left out in the file too; their cells as far as there are any.

    The library cannot go on after a row that it does not understand. One of the bad rows is told of already.
    """
    # A sheet may say that it is smaller than it is, and would be cut.
    sheet.reset_dimensions()
    rows = sheet.iter_rows()
    number = 0
    while True:
        number += 1
        try:
            with _in_our_words(f"row {number} cannot be read"):
                row = next(rows, None)
        except WorkbookError:
            if number in bad:
                return
            raise
        if row is None:
            return
        yield row


def _row(cells: Sequence[Any], number: int, header: Sequence[str], place: str, title: str) -> Iterator[Read]:
    values: dict[str, object] = {}
    faults = []
    for position, cell in enumerate(cells):
        if cell.value is None or (position < len(header) and header[position] in UNREAD):
            continue
        try:
            if position >= len(header):
                what = f"cell {cell.coordinate} stands to the right of the header's columns"
                raise _CellError(what, mend="take it out, or name its column")
            values[header[position]] = _value(cell, header[position])
        except _CellError as error:
            name = f"{header[position]}: " if position < len(header) else ""
            faults.append(Fault(place, number, 0, f"{name}{error.what}", error.mend))
    yield from faults
    if not faults:
        yield Raw(number, values, title)


def _value(cell: Any, name: str) -> object:
    """What a cell of that column says; refused where it is typed as something else than such a column has."""
    value, where = cell.value, f"cell {cell.coordinate}"
    if cell.data_type == "e":
        raise _CellError(f'{where} has the error "{value}" in it', mend="put the value in its place")
    if isinstance(value, date | time | timedelta):
        return _day(value, where, name)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _CellError(f"{where} has neither text nor a number nor a date in it", mend="write it as text")
    if isinstance(value, str):
        return value
    if name in _DAYS:
        what = f"{where} has the number {value:g}, which is not typed as a date"
        raise _CellError(what, mend="type the column as dates, or write YYYY-MM-DD as text")
    if name not in _NUMBERS:
        what = f"{where} has the number {value:g} where a text belongs"
        raise _CellError(what, mend="type the column as text, and look whether all digits are there")
    # Spreadsheets know no whole numbers.
    return int(value) if name == "count" and isinstance(value, float) and value.is_integer() else value


def _day(value: date | time | timedelta, where: str, name: str) -> str:
    if name not in _DAYS:
        what = f"{where} is typed as a date where {'a number' if name in _NUMBERS else 'text'} belongs"
        raise _CellError(what, mend="type the column anew, and look at what was meant")
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()
    if not isinstance(value, date) or isinstance(value, datetime):
        raise _CellError(f'{where} has "{value}", which is no whole day', mend="leave the time of day out")
    if value < _FIRST_SOUND_DAY:
        raise _CellError(f"{where} has a date before March 1900", mend="write it as text, YYYY-MM-DD")
    return value.isoformat()
