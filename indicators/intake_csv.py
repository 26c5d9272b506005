"""Records from CSV with a header row, whatever of the four usual signs stands between its columns.

The sign is read off the header row: no field has one of them in its name, so a header with one kind of them can mean
only that, and one with two kinds is refused. Strict on purpose: header names exact, every row as long as the header.
Rows are read one at a time. In evidence as we export it, the quotes that keep texts from being formulas are taken off.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import BinaryIO

from indicators.errors import Fault
from indicators.formula import unguarded
from indicators.header import EXPORTED, UNREAD, header_faults
from indicators.raw import Raw, Read
from indicators.utf8 import NotTextError, text_lines

__all__ = ["csv_rows"]

LONGEST_ROW = 4_000_000
LONGEST_CELL = 1_000_000
"""In characters. A record has far less; a quote that is never closed would draw in the rest of the file."""

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
_QUOTED = re.compile(r'"[^"]*"')


def csv_rows(stream: BinaryIO, *, file: str, fields: Sequence[str]) -> Iterator[Read]:
    """The rows below the header, blank ones passed over; a bad header is the end of it.

    Parameters
    ----------
    stream : binary file
    file : str
        Its name, for faults.
    fields : sequence of str
        The names that may stand in the header.
    """
    lines = _Lines(text_lines(stream))
    try:
        yield from _rows(lines, file, fields)
    except NotTextError as error:
        yield Fault(file, error.line, 0, error.what, error.mend)


class _Lines:
    """Lines for the CSV reader, which would take in any number of them for one row."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._taken = self._of_row = 0

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self._taken += 1
            self._of_row += len(line)
            if self._of_row > LONGEST_ROW:
                what = f"the row has more than {LONGEST_ROW} characters"
                raise NotTextError(self._taken, what, "close the quotes of the row that starts further up")
            yield line

    def row_is_done(self) -> None:
        self._of_row = 0


def _rows(lines: _Lines, file: str, fields: Sequence[str]) -> Iterator[Read]:
    csv.field_size_limit(LONGEST_CELL)
    source = iter(lines)
    first = next(source, None)
    if first is None:
        yield Fault(file, 1, 0, "the file is empty", f"start it with a header row of: {', '.join(fields)}")
        return
    found = sorted(set(_QUOTED.sub("", first)) & set(_DELIMITERS), key=list(_DELIMITERS).index)
    if len(found) > 1 or first.startswith("sep="):
        yield _ambiguous(found, first, file)
        return
    delimiter = found[0] if found else ","
    reader = csv.reader(chain([first], source), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    line = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            what = f"not CSV from here on ({error})"
            yield Fault(file, line, 0, what, "close the quotes of this row, and double those inside a cell")
            return
        if cells is None:
            return
        if header is None:
            header = cells
            faults = list(header_faults(cells, file, fields))
            yield from faults
            if faults:
                return
        elif len(cells) not in (0, len(header)):
            what = f"the row has {len(cells)} cells, the header {len(header)}"
            yield Fault(file, line, 0, what, f"quote cells that have a {_DELIMITERS[delimiter]} in them")
        elif cells:
            yield Raw(line, _record(header, cells))
        line = reader.line_num + 1
        lines.row_is_done()


def _record(header: Sequence[str], cells: Sequence[str]) -> dict[str, object]:
    record = dict(zip(header, cells, strict=True))
    if header[0] != EXPORTED:
        return {**record}
    return {name: unguarded(text) for name, text in record.items() if name not in UNREAD}


def _ambiguous(found: Sequence[str], first: str, file: str) -> Fault:
    if first.startswith("sep="):
        what = f'the first line is "{first.strip()[:20]}", which only one spreadsheet understands'
        return Fault(file, 1, 0, what, "take it out; what stands between the columns is read off the header")
    names = [f"{_DELIMITERS[sign]}s" for sign in found]
    what = f"the header has {', '.join(names[:-1])} and {names[-1]}, so that what stands between columns is not certain"
    return Fault(file, 1, 0, what, "start the file with a header row, and put the same sign between all of its columns")
