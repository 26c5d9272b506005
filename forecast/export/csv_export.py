"""One list of an outlook as CSV (RFC 4180, but lines end in a line feed), for spreadsheets and statistics.

Numbers have every digit of the double, and what does not apply is an empty cell. A text that a spreadsheet would take
for a formula has a single quote put before it, as `indicators.formula` says; numbers never have one. Our own import
takes the quote off again from a file whose first column is `entry`, so that the evidence comes back to the letter. The
separator is a comma: opened with another one, cells break elsewhere and this promise ends.
"""

from __future__ import annotations

import csv
import io

from forecast.export.tables import TABLES, Cell, Row, table_of
from forecast.release import Released
from indicators.formula import guarded

__all__ = ["csv_text"]


def csv_text(released: Released, *, table: str = TABLES[0]) -> str:
    """One list of the outlook as CSV text with a header row; the timeline in long form where none is named.

    Parameters
    ----------
    released : Released
        What the gate lets out. Its mark and provenance stand in no list: whoever hands a CSV on says them.
    table : str
        As for `forecast.export.tables.table_of`.

    Raises
    ------
    UnknownTableError
        No such list.
    """
    chosen = table_of(released, table)
    header = [column.name for column in chosen.columns]
    return "".join(map(_line, (header, *chosen.rows)))


def _line(row: Row) -> str:
    text = io.StringIO(newline="")
    # The writer quotes what its line end contains: with this one, a lone carriage return inside a text too.
    csv.writer(text, lineterminator="\r\n").writerow([_inert(cell) for cell in row])
    return text.getvalue().removesuffix("\r\n") + "\n"


def _inert(cell: Cell) -> Cell:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return guarded(cell) if isinstance(cell, str) else cell
