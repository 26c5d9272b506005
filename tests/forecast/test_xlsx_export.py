import io
import zipfile
from datetime import date, datetime
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings

from forecast.export.tables import TABLES, table_of
from forecast.export.xlsx_export import xlsx_bytes
from indicators.evidence import FIELDS, read_report
from indicators.intake_xlsx import xlsx_rows
from indicators.raw import Raw
from tests.forecast.build import japan_sar, outlook_of, released
from tests.forecast.test_export import hostile, readable
from tests.strategies import AWKWARD, Case, cases


def book_of(outlook: Any) -> Any:
    return openpyxl.load_workbook(io.BytesIO(xlsx_bytes(released(outlook))))


@settings(max_examples=10, deadline=None)
@given(cases())
def test_every_cell_comes_back_with_its_type_and_to_the_last_digit(case: Case) -> None:
    what = released(outlook_of(*case))
    book = openpyxl.load_workbook(io.BytesIO(xlsx_bytes(what)))
    assert book.sheetnames == ["about", *TABLES]
    for name in TABLES:
        table = table_of(what, name)
        rows = [[cell.value for cell in row] for row in book[name].rows]
        assert rows[0] == [column.name for column in table.columns]
        read = [[v.date() if isinstance(v, datetime) else v for v in row] for row in rows[1:]]
        assert read == [list(row) for row in table.rows]


def test_pandas_reads_days_as_days_and_numbers_as_numbers() -> None:
    what = released(japan_sar(date(2026, 6, 7)))
    read = pd.read_excel(io.BytesIO(xlsx_bytes(what)), sheet_name="timeline")
    assert read["date"].dt.date.tolist() == [row[0] for row in table_of(what, "timeline").rows]
    assert read["probability"].tolist() == what.outlook.course.ravel().tolist()


def test_headers_stay_in_sight_and_numbers_have_a_format() -> None:
    book = book_of(japan_sar(date(2026, 6, 7)))
    assert {sheet.freeze_panes for sheet in book.worksheets[1:]} == {"A2"}
    sheet = book["timeline"]
    assert (sheet["A2"].number_format, sheet["C2"].number_format) == ("yyyy-mm-dd", "0.0%")
    assert sheet.oddHeader.right.text == "TLP:CLEAR"
    about = {row[0].value: row[1].value for row in book["about"].rows}
    assert about["marking"] == "TLP:CLEAR"
    assert about["ledger head"] == f"7:{'cd' * 32}"


def test_the_same_outlook_gives_the_same_bytes() -> None:
    first, second = (xlsx_bytes(released(japan_sar(date(2026, 6, 7)))) for _ in range(2))
    assert first == second


def test_a_text_beyond_what_a_cell_holds_is_cut_with_a_note() -> None:
    for text in ("x" * 40_000, "🛰" * 20_000):
        about = {row[0].value: row[1].value for row in book_of(hostile(text))["about"].rows}
        shown = about["question"]
        assert shown.startswith(text[0] * 1_000)
        note = f" [cut here: {len(text)} characters are more than a cell can hold; the JSON export has them all]"
        assert shown.endswith(note)
        assert len(shown.encode("utf-16-le")) // 2 <= 32_767


def test_no_part_of_the_file_is_a_formula_a_link_or_a_program() -> None:
    content = xlsx_bytes(released(hostile('=HYPERLINK("http://example.invalid","x")')))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert not any("vba" in name or "external" in name for name in archive.namelist())
        for name in archive.namelist():
            part = archive.read(name)
            assert b"<f>" not in part and b"<f " not in part and b"<hyperlink" not in part
            assert b"http://example.invalid" not in part or name in ("xl/sharedStrings.xml", "docProps/core.xml")


@pytest.mark.parametrize("text", [text for text in AWKWARD if readable(text) and text.strip() and "\r" not in text])
def test_the_evidence_can_be_imported_to_the_letter(text: str) -> None:
    outlook = hostile(text)
    rows = list(xlsx_rows(io.BytesIO(xlsx_bytes(released(outlook))), file="x.xlsx", fields=FIELDS, sheet="evidence"))
    assert all(isinstance(row, Raw) for row in rows), rows
    reports = [read_report(row.values)[0] for row in rows if isinstance(row, Raw)]
    assert reports == [item.live.report for item in outlook.report_contributions]
