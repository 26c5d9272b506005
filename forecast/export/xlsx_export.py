"""The outlook as a workbook: a sheet `about` with where it comes from, and one sheet for each of its lists.

Days are dates, numbers are numbers with every digit of the double, and every text is a text: no cell is a formula or a
link, whatever it begins with. What Excel cannot hold is said, not dropped in silence: a text beyond its limit is cut
with a note, and the two characters that no XML may hold are shown as `�`. The same outlook gives the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from forecast.assessment import flags, paragraph
from forecast.export.tables import FORMAT, TABLES, Cell, Column, Table, table_of
from forecast.release import Released

__all__ = ["xlsx_bytes"]

_LONGEST = 32_767
_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_NUMBER_FORMATS: Mapping[str, str] = {
    "day": "yyyy-mm-dd", "probability": "0.0%", "number": "0.000", "count": "0", "text": "@", "truth": "General"
}  # fmt: skip
_WIDTHS: Mapping[str, int] = {"day": 11, "probability": 11, "number": 11, "count": 8, "text": 22, "truth": 9}
_NO_XML = str.maketrans(dict.fromkeys("\ufffe\uffff", "\ufffd"))


class _Exact(float):
    """A number that the library writes with every digit; it would leave the last one off."""

    def __format__(self, spec: str) -> str:
        return repr(float(self))


def xlsx_bytes(released: Released) -> bytes:
    """The outlook as an XLSX workbook.

    Parameters
    ----------
    released : Released
        What the gate lets out. Its mark stands at the head of every printed page.

    Returns
    -------
    bytes
    """
    import xlsxwriter

    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, _OPTIONS)
    known_at = datetime.fromisoformat(released.provenance.known_at).replace(tzinfo=None, microsecond=0)
    book.set_properties({"title": _fitting(released.outlook.study.label), "status": released.mark, "created": known_at})
    formats = {kind: book.add_format({"num_format": text}) for kind, text in _NUMBER_FORMATS.items()}
    formats["header"] = book.add_format({"bold": True, "bottom": 1})
    formats["wrapped"] = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
    _write_about(book.add_worksheet("about"), released, formats)
    for name in TABLES:
        _write(book.add_worksheet(name), table_of(released, name), released.mark, formats)
    book.close()
    return content.getvalue()


def _write_about(sheet: Any, released: Released, formats: Mapping[str, Any]) -> None:
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, 100)
    _mark_pages(sheet, released.mark)
    for row, (name, text) in enumerate(_about(released)):
        sheet.write_string(row, 0, name, formats["header"])
        sheet.write_string(row, 1, _fitting(text), formats["wrapped"])


def _about(released: Released) -> list[tuple[str, str]]:
    """What a reader must know of the workbook, by name."""
    outlook, provenance = released.outlook, released.provenance
    study = outlook.study
    told = [
        ("format", FORMAT),
        ("marking", released.mark),
        *([("left out", released.gap)] if released.gap else []),
        ("study", study.study),
        ("title", study.title),
        ("question", study.question),
        ("opens", study.opens.isoformat()),
        ("horizon", study.horizon.isoformat()),
        ("as of", outlook.as_of.isoformat()),
        ("known at", provenance.known_at),
        ("in words", paragraph(outlook)),
        ("revision", f"{provenance.revision_number} ({provenance.revision})"),
        ("ledger head", f"{provenance.head.entries}:{provenance.head.hash}"),
        ("engine", provenance.engine),
        *(("without", text) for text in provenance.without),
        *(("flag", text) for text in flags(outlook, known=released.flags)),
    ]
    return [(name, text) for name, text in told if text]


def _write(sheet: Any, table: Table, mark: str, formats: Mapping[str, Any]) -> None:
    _mark_pages(sheet, mark)
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    for position, column in enumerate(table.columns):
        sheet.set_column(position, position, _WIDTHS[column.kind])
        sheet.write_string(0, position, column.name, formats["header"])
    for number, row in enumerate(table.rows, start=1):
        for position, (column, cell) in enumerate(zip(table.columns, row, strict=True)):
            if cell is not None:
                _write_cell(sheet, number, position, column, cell, formats[column.kind])


def _mark_pages(sheet: Any, mark: str) -> None:
    sheet.set_header(f"&R{mark}")
    sheet.set_footer("&L&A&RPage &P of &N")
    sheet.set_landscape()


def _write_cell(sheet: Any, row: int, position: int, column: Column, cell: Cell, form: Any) -> None:
    if isinstance(cell, str):
        sheet.write_string(row, position, _fitting(cell), form)
    elif isinstance(cell, bool):
        sheet.write_boolean(row, position, cell, form)
    elif isinstance(cell, date):
        sheet.write_datetime(row, position, cell, form)
    elif cell is not None:
        sheet.write_number(row, position, _Exact(cell) if isinstance(cell, float) else cell, form)


def _fitting(text: str) -> str:
    """The text as a cell can hold it; Excel counts what it holds in units of UTF-16."""
    text = text.translate(_NO_XML)
    units = text.encode("utf-16-le", "surrogatepass")
    if len(units) <= 2 * _LONGEST:
        return text
    note = f" [cut here: {len(text)} characters are more than a cell can hold; the JSON export has them all]"
    kept = units[: 2 * (_LONGEST - len(note))].decode("utf-16-le", "ignore")
    return kept + note
