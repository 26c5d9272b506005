"""Workbooks: what a sheet says comes in as typed; what a spreadsheet cannot vouch for is named by its cell."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, timedelta
from typing import Any

import openpyxl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import indicators.workbook as guard
from indicators.errors import Fault
from indicators.evidence import FIELDS
from indicators.intake import Handed, NoSheetError
from indicators.intake_xlsx import xlsx_rows
from indicators.raw import Raw
from tests.bad_files import Bad, check_refused, faults_of
from tests.small import import_files, new_ledger, steady
from tests.workbooks import OFFICE, PACKAGE, cell, row, rows, sheet, workbook

HEADER = ("indicator", "observed", "state", "note")
GOOD = ("mood", "2024-02-01", "calm", "as seen")
NUMBERS = ("indicator", "observed", "count", "value", "ref")
FORMULA = "has a formula, and what it gave when it was last worked out is no evidence; put the value in its place"


def below(header: tuple[str, ...], *data: str, **more: Any) -> bytes:
    """A workbook of one sheet with a header and rows as they are."""
    return workbook(sheet(row(1, header) + "".join(data)), **more)


def with_cell(xml: str, *, header: tuple[str, ...] = HEADER) -> bytes:
    """A workbook whose row 2 has the cell in place of that of its column."""
    start = ["mood"] if 'r="A2"' not in xml else []
    return below(header, row(2, start, more=xml))


def written(*data: list[Any]) -> bytes:
    """A workbook as a spreadsheet program writes it."""
    book = openpyxl.Workbook()
    assert book.active is not None
    for values in data:
        book.active.append(values)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def rels(kind: str, target: str, *, mode: str = "External") -> str:
    link = f'<Relationship Id="rId9" Type="{OFFICE}/{kind}" Target="{target}" TargetMode="{mode}"/>'
    return f'<Relationships xmlns="{PACKAGE}/relationships">{link}</Relationships>'


def damaged(content: bytes, *, at: int) -> bytes:
    return content[:at] + b"\0\0\0\0" + content[at + 4 :]


def encrypted() -> bytes:
    content = bytearray(workbook(sheet(rows(HEADER, GOOD))))
    for at in range(len(content) - 4):
        if content[at : at + 4] == b"PK\x01\x02":
            content[at + 8] |= 1
    return bytes(content)


def doubled() -> bytes:
    stream = io.BytesIO(workbook(sheet(rows(HEADER, GOOD))))
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("XL/Styles.xml", "<x/>")
    return stream.getvalue()


def zipped(**parts: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name.replace("_", "/"), part)
    return stream.getvalue()


DOCTYPE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
PLAIN = sheet(rows(HEADER, GOOD))
ANEW = "save it anew as .xlsx"

BAD: dict[str, Bad] = {
    # The file
    "empty": (b"", [("", "the file is not an XLSX workbook, or it is damaged")]),
    "text": (b"indicator,observed\n", [("", "the file is not an XLSX workbook, or it is damaged; save it anew")]),
    "only the start of a zip": (b"PK\x03\x04", [("", "the file is not an XLSX workbook")]),
    "cut off": (workbook(PLAIN)[:900], [("", "the file is not an XLSX workbook")]),
    "damaged inside": (damaged(workbook(PLAIN), at=60), [("", "the file is not an XLSX workbook, or it is damaged")]),
    "of the old kind": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
        [("", "the workbook is protected by a password, or of the old kind (.xls); save it as .xlsx without")],
    ),
    "with a password": (encrypted(), [("", "the workbook is protected by a password; save it without one")]),
    "another zip": (zipped(a="x"), [("", "the file is a zip, but not an XLSX workbook")]),
    "a document": (
        zipped(**{"[Content_Types].xml": "<x/>", "word_document.xml": "<x/>"}),
        [("", "the file is a zip, but not an XLSX workbook; save it as .xlsx")],
    ),
    "two parts of one name": (doubled(), [("", f"the workbook has two parts of one name; {ANEW}")]),
    "no workbook in it": (
        workbook(PLAIN, without=["xl/workbook.xml"]),
        [("", "the workbook cannot be read; its parts")],
    ),
    "no sheet in it": (
        workbook(PLAIN, without=["xl/worksheets/sheet1.xml"]),
        [("", "the workbook has no sheet to be")],
    ),
    "no sheet to be seen": (
        workbook(PLAIN, states=["hidden"]),
        [("", "the workbook has no sheet to be seen; name one")],
    ),
    # Bombs
    "a part that unpacks to a hundred times": (
        workbook(PLAIN, parts={"xl/media/a.bin": b"\0" * 20_000_000}),
        [("", "a part of the workbook unpacks to 10")],
    ),
    "too much unpacked": (
        workbook(PLAIN, parts={f"xl/media/{n}.bin": b"\0" * 900_000 for n in range(112)}),
        [("", "the workbook unpacks to more than 100 MB; save the sheet as CSV, which may be of any length")],
    ),
    "a thousand parts": (
        workbook(PLAIN, parts={f"xl/media/{n}.bin": b"" for n in range(1_000)}),
        [("", "the workbook has 1007 parts, more than 1000")],
    ),
    "a tag without end": (
        workbook(PLAIN, parts={"xl/styles.xml": f'<styleSheet a="{"0123456789" * 110_000}'}),
        [("", "a part of the workbook unpacks to")],
    ),
    # What else may be in a workbook
    "macros": (
        workbook(PLAIN, parts={"xl/vbaProject.bin": b"x"}),
        [("", "the workbook has macros in it; save it as a workbook without macros (.xlsx)")],
    ),
    "macros of old": (workbook(PLAIN, parts={"xl/macrosheets/sheet1.xml": "<x/>"}), [("", "the workbook has macros")]),
    "macros by name": (
        workbook(
            PLAIN, parts={"[Content_Types].xml": "<Types><x ContentType='a.sheet.macroEnabled.main+xml'/></Types>"}
        ),
        [("", "the workbook has macros in it")],
    ),
    "links to other workbooks": (
        workbook(PLAIN, parts={"xl/externalLinks/externalLink1.xml": "<x/>"}),
        [("", "the workbook has links to other workbooks in it; break the links")],
    ),
    "a link to a file": (
        workbook(PLAIN, parts={"xl/worksheets/_rels/sheet1.xml.rels": rels("oleObject", "file:///etc/passwd")}),
        [("", "the workbook has links to other files in it")],
    ),
    "a picture from elsewhere": (
        workbook(PLAIN, parts={"xl/drawings/_rels/drawing1.xml.rels": rels("image", "http://example.invalid/a.png")}),
        [("", "the workbook has links to other files in it")],
    ),
    "data from elsewhere": (
        workbook(PLAIN, parts={"xl/connections.xml": "<x/>"}),
        [("", "the workbook has connections to data elsewhere in it")],
    ),
    "an embedded file": (
        workbook(PLAIN, parts={"xl/embeddings/a.bin": b"x"}),
        [("", "the workbook has embedded files")],
    ),
    "active content": (workbook(PLAIN, parts={"xl/activeX/activeX1.xml": "<x/>"}), [("", "the workbook has active")]),
    "a document type": (
        workbook(DOCTYPE + "<worksheet/>"),
        [("", "the workbook has a document type in it, as only an attack has")],
    ),
    "a document type in a part that is not asked for": (
        workbook(PLAIN, parts={"docProps/core.xml": DOCTYPE + "<x>&b;</x>"}),
        [("", "the workbook has a document type in it")],
    ),
    "a document type across two blocks": (
        workbook(PLAIN, parts={"docProps/a.xml": " " * (guard._BLOCK - 5) + "<!DOCTYPE x []><x/>"}),
        [("", "the workbook has a document type in it")],
    ),
    "UTF-16 inside": (
        workbook(PLAIN, parts={"docProps/core.xml": DOCTYPE.encode("utf-16")}),
        [("", "a part of the wo")],
    ),
    "UTF-16 without a mark": (
        workbook(PLAIN, parts={"docProps/core.xml": DOCTYPE.encode("utf-16-le")}),
        [("", "a part of the workbook is not UTF-8")],
    ),
    "another encoding by name": (
        workbook(PLAIN, parts={"docProps/core.xml": '<?xml version="1.0" encoding="cp037"?><x/>'}),
        [("", f"a part of the workbook is not UTF-8; {ANEW}")],
    ),
    "a declaration without end": (
        workbook(PLAIN, parts={"docProps/core.xml": "<?xml" + " " * 2_000 + ' version="1.0" encoding="cp037"?><x/>'}),
        [("", "a part of the workbook is not UTF-8")],
    ),
    "broken markup": (
        workbook(PLAIN.replace("</row>", "</rwo>")),
        [("", "the workbook cannot be read; its parts do not fit")],
    ),
    "broken styles": (workbook(PLAIN, parts={"xl/styles.xml": "<styleSheet>"}), [("", "the workbook cannot be read")]),
    "links that are none": (workbook(PLAIN, parts={"_rels/.rels": "<x"}), [("", "a part of the workbook is not XML")]),
    "Strict Open XML": (
        workbook(sheet(rows(HEADER, GOOD), space="http://purl.oclc.org/ooxml/spreadsheetml/main")),
        [("!Sheet1", "the sheet is not one of an ordinary XLSX workbook; save it as")],
    ),
    # The sheet
    "an empty sheet": (workbook(sheet("")), [("!Sheet1:1", "the first row is empty; start the sheet with a header")]),
    "a blank first row": (
        workbook(sheet(row(2, HEADER) + row(3, GOOD))),
        [("!Sheet1:1", "the first row is empty")],
    ),
    "no header": (
        workbook(sheet(rows(GOOD))),
        [("!Sheet1:1", f'no field "{name}"') for name in ("2024-02-01", "as seen", "calm", "mood")],
    ),
    "a gap in the header": (below(("indicator", "", "state")), [("!Sheet1:1", 'no field "" (column 2)')]),
    "a number in the header": (
        workbook(sheet(row(1, ["indicator", 5]))),
        [("!Sheet1:1", 'no field "5" (column 2)')],
    ),
    "a column twice": (below(("indicator", "note", "note")), [("!Sheet1:1", 'the column "note" stands twice')]),
    "beside the header": (
        below(HEADER, row(2, [*GOOD, None, "stray"])),
        [("!Sheet1:2", "cell F2 stands to the right of the header's columns; take it out, or name its column")],
    ),
    "far to the right": (with_cell(cell("XFD2", 1)), [("!Sheet1", "the cell XFD2 stands beyond column 100")]),
    "a row that goes back": (
        workbook(sheet(row(1, HEADER) + row(5, GOOD) + row(3, GOOD))),
        [("!Sheet1", 'the row "3" stands where a row after 5 should')],
    ),
    "a row twice": (
        workbook(sheet(row(1, HEADER) + row(2, GOOD) + row(2, GOOD))),
        [("!Sheet1", 'the row "2" stands where a row after 2 should')],
    ),
    "a row a billion": (
        workbook(sheet(row(1, HEADER) + row(9_999_999, GOOD))),
        [("!Sheet1", 'the row "9999999" stands where a row after 1 should')],
    ),
    "a cell twice": (
        with_cell(cell("B2", "2024-02-01") * 2),
        [("!Sheet1", 'the cell "B2" does not stand where it says')],
    ),
    "a cell of another row": (with_cell(cell("B9", "2024-02-01")), [("!Sheet1", 'the cell "B9" does not stand where')]),
    "a cell of nowhere": (with_cell('<c r="2B"/>'), [("!Sheet1", 'the cell "2B" does not stand where it says')]),
    "a cell that is none": (with_cell("<d><v>5</v></d>"), [("!Sheet1", "row 2 has something in it that is no cell")]),
    "merged cells": (
        workbook(sheet(rows(HEADER, GOOD), after='<mergeCells><mergeCell ref="D2:D9"/></mergeCells>')),
        [("!Sheet1:2", "the cells D2:D9 are merged, so that all but the first are empty; unmerge them, and fill each")],
    ),
    # Formulas
    "a formula": (
        below(NUMBERS, row(2, ["wait", "2024-02-01"], more='<c r="D2"><f>1+1</f><v>2</v></c>')),
        [("!Sheet1:2", f"cell D2 {FORMULA}")],
    ),
    "a formula that gives text": (
        with_cell('<c r="C2" t="str"><f>HYPERLINK("http://example.invalid")</f><v>calm</v></c>'),
        [("!Sheet1:2", f"cell C2 {FORMULA}")],
    ),
    "a formula of several cells": (
        with_cell(
            '<c r="B2"><f t="array" ref="B2:C2">A1:A2</f><v>1</v></c><c r="C2"><f t="shared" si="0"/><v>2</v></c>'
        ),
        [("!Sheet1:2", f"cell B2 {FORMULA}"), ("!Sheet1:2", f"cell C2 {FORMULA}")],
    ),
    "a formula that was never worked out": (
        with_cell('<c r="B2"><f>TODAY()</f></c>'),
        [("!Sheet1:2", "cell B2 has a")],
    ),
    "a command": (with_cell('<c r="D2"><f>cmd|"/c calc"!A1</f></c>'), [("!Sheet1:2", "cell D2 has a formula")]),
    "a formula in the header": (
        workbook(sheet(row(1, ["indicator"], more='<c r="B1"><f>A1</f><v>1</v></c>'))),
        [("!Sheet1:1", "cell B1 has a formula"), ("!Sheet1:1", 'no field "=A1" (column 2)')],
    ),
    "a formula and other faults": (
        below(HEADER, row(2, ["mood"], more='<c r="B2"><f>TODAY()</f></c>'), row(3, ["mood", "2024-02-30", "calm"])),
        [("!Sheet1:2", "cell B2 has a formula"), ("!Sheet1:3", 'observed: "2024-02-30" is not a day')],
    ),
    # Days
    "a moment": (
        with_cell('<c r="B2" s="2"><v>45323.4</v></c>'),
        [("!Sheet1:2", 'observed: cell B2 has "2024-02-01 09:36:00", which is no whole day; leave the time')],
    ),
    "a time of day": (
        with_cell('<c r="B2" s="2"><v>0.5</v></c>'),
        [("!Sheet1:2", 'observed: cell B2 has "12:00:00", which is no whole day')],
    ),
    "a length of time": (
        with_cell('<c r="B2" s="3"><v>1.5</v></c>'),
        [("!Sheet1:2", 'observed: cell B2 has "1 day, 12:00:00", which is no whole day')],
    ),
    "a day number": (
        with_cell(cell("B2", 45323)),
        [
            (
                "!Sheet1:2",
                "observed: cell B2 has the number 45323, which is not typed as a date; type the column as dates",
            )
        ],
    ),
    "a date before there were any": (
        with_cell('<c r="B2" s="1"><v>59</v></c>'),
        [("!Sheet1:2", "observed: cell B2 has a date before March 1900")],
    ),
    "a date beyond all": (
        with_cell('<c r="B2" s="1"><v>99999999</v></c>'),
        [("!Sheet1:2", 'observed: cell B2 has the error "#VALUE!" in it')],
    ),
    "30 February": (
        below(HEADER, row(2, ["mood", "2024-02-30", "calm"])),
        [("!Sheet1:2", 'observed: "2024-02-30" is not a day; write it as YYYY-MM-DD')],
    ),
    "full-width digits": (
        below(HEADER, row(2, ["mood", "２０２４-０２-０１", "calm"])),
        [("!Sheet1:2", 'observed: "２０２４-０２-０１" is not a day')],
    ),
    "a date for a key": (
        below(NUMBERS, row(2, ["wait", "2024-02-01", None, 5], more='<c r="E2" s="1"><v>45323</v></c>')),
        [("!Sheet1:2", "ref: cell E2 is typed as a date where text belongs; type the column anew")],
    ),
    "a date for a reading": (
        below(NUMBERS, row(2, ["wait", "2024-02-01"], more='<c r="D2" s="1"><v>45323</v></c>')),
        [("!Sheet1:2", "value: cell D2 is typed as a date where a number belongs")],
    ),
    # Numbers and the rest
    "a number for a key": (
        below(NUMBERS, row(2, ["wait", "2024-02-01", None, 5, 1001])),
        [("!Sheet1:2", "ref: cell E2 has the number 1001 where a text belongs; type the column as text")],
    ),
    "half a count": (
        below(NUMBERS, row(2, ["talks", "2024-02-01", 1.5])),
        [("!Sheet1:2", "count: 1.5 is not a count")],
    ),
    "a decimal comma": (
        below(NUMBERS, row(2, ["wait", "2024-02-01", None, "0,6"])),
        [("!Sheet1:2", 'value: "0,6" is not a number; give a number with a decimal point')],
    ),
    "a number of five thousand digits": (
        with_cell(f'<c r="D2"><v>{"9" * 5_000}</v></c>'),
        [("!Sheet1:2", "cell D2 has a number of 5000 characters; give a number within 1e15")],
    ),
    "a number beyond all": (
        below(NUMBERS, row(2, ["wait", "2024-02-01"], more='<c r="D2"><v>1e999</v></c>')),
        [("!Sheet1:2", "value: inf is not a number within 1e+15 of zero")],
    ),
    "NaN": (with_cell('<c r="D2"><v>NaN</v></c>'), [("!Sheet1:2", 'cell D2 has "NaN" where a number should be')]),
    "a number in Arabic digits": (
        with_cell('<c r="D2"><v>٣</v></c>'),
        [("!Sheet1:2", 'cell D2 has "٣" where a number')],
    ),
    "a number with an underscore": (
        with_cell('<c r="D2"><v>1_0</v></c>'),
        [("!Sheet1:2", 'cell D2 has "1_0" where a')],
    ),
    "true": (
        below(NUMBERS, row(2, ["talks", "2024-02-01"], more='<c r="C2" t="b"><v>1</v></c>')),
        [("!Sheet1:2", "count: cell C2 has neither text nor a number nor a date in it")],
    ),
    "an error": (
        with_cell('<c r="C2" t="e"><v>#REF!</v></c>'),
        [("!Sheet1:2", 'state: cell C2 has the error "#REF!" in it; put the value in its place')],
    ),
    "a text that is not there": (
        with_cell('<c r="C2" t="s"><v>7</v></c>'),
        [("!Sheet1", "row 2 cannot be read; save the workbook anew")],
    ),
    "a text before the first": (
        with_cell('<c r="C2" t="s"><v>-1</v></c>'),
        [("!Sheet1:2", "cell C2 refers to no text of the workbook")],
    ),
    "an unknown state": (
        below(HEADER, row(2, ["mood", "2024-02-01", "clam"])),
        [("!Sheet1:2", 'state: "mood" has no state "clam"; did you mean "calm"?')],
    ),
    "a note too long": (
        below(HEADER, row(2, ["mood", "2024-02-01", "calm", "x" * 10_001])),
        [("!Sheet1:2", "note: the text has 10001 characters; keep it within 10000")],
    ),
    "span over a row above": (
        below(
            ("indicator", "from", "to"),
            row(2, ["talks", "2024-03-01", "2024-03-31"]),
            row(3, ["talks", "2024-03-31", "2024-04-02"]),
        ),
        [("!Sheet1:3", "from: the span overlaps that of bad.xlsx!Sheet1:2, 2024-03-01 to 2024-03-31; give both")],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_every_fault_is_named_by_its_cell_and_nothing_written(name: str) -> None:
    content, expected = BAD[name]
    check_refused("bad.xlsx", content, expected)


def test_more_tags_than_a_million_cells_have_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "MOST_TAGS", 1_000)
    content = workbook(sheet(rows(HEADER, *[GOOD] * 100)))
    assert faults_of("a.xlsx", content)[0].startswith(
        "a.xlsx: the workbook has more than 1000 tags, or about a million"
    )


def test_a_packed_file_has_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "LARGEST_FILE", 1_000)
    assert faults_of("a.xlsx", workbook(PLAIN))[0].startswith(
        "a.xlsx: the file has more than 0 MB; save the sheet as CSV"
    )


@pytest.mark.parametrize(
    ("piece", "words"),
    [("x" * 1_100_000, "a tag or a text without end"), ("<a/>" * 260_000 + "<!-- x -->", "comments in its markup"),
     ("<a/>" * 260_000 + "<?x?>", "comments in its markup")],
    ids=["text without end", "comment", "instruction"],
)  # fmt: skip
def test_what_a_parser_would_begin_again_and_again_is_refused(
    monkeypatch: pytest.MonkeyPatch, piece: str, words: str
) -> None:
    monkeypatch.setattr(guard, "LARGEST_RATIO", 10_000)
    assert words in faults_of("a.xlsx", workbook(PLAIN, parts={"docProps/core.xml": f"<x>{piece}</x>"}))[0]


def test_no_more_formulas_are_named_than_anybody_reads() -> None:
    data = "".join(row(n, ["mood"], more=f'<c r="B{n}"><f>A1</f></c>') for n in range(2, 1_500))
    found = faults_of("a.xlsx", below(HEADER, data))
    assert 1_000 <= len(found) <= 1_600
    assert found[0].startswith("a.xlsx!Sheet1:2: cell B2 has a formula")


# What is lawful


def rows_of(content: bytes, sheet_name: str | None = None) -> list[Raw]:
    """The rows of a workbook that has no fault."""
    found = list(Handed("a.xlsx", lambda: io.BytesIO(content), FIELDS, sheet_name))
    assert not [item for item in found if isinstance(item, Fault)], found
    return [item for item in found if isinstance(item, Raw)]


def test_what_a_spreadsheet_program_writes_comes_in_as_typed() -> None:
    day = date(2024, 2, 1)
    content = written(
        [*NUMBERS, "note"],
        ["wait", day, None, 21.5, "A", "été 日本"],
        ["wait", datetime(2024, 2, 2), None, 7, None, None],
        ["talks", "2024-02-03", 2.0, None, "0123", "two\nlines"],
        [None, None, None, None, None, None],
        ["talks", day, 3, None, None, None],
    )
    assert [(raw.line, raw.part, raw.values) for raw in rows_of(content)] == [
        (2, "Sheet", {"indicator": "wait", "observed": "2024-02-01", "value": 21.5, "ref": "A", "note": "été 日本"}),
        (3, "Sheet", {"indicator": "wait", "observed": "2024-02-02", "value": 7}),
        (4, "Sheet", {"indicator": "talks", "observed": "2024-02-03", "count": 2, "ref": "0123", "note": "two\nlines"}),
        (6, "Sheet", {"indicator": "talks", "observed": "2024-02-01", "count": 3}),
    ]
    assert import_files(new_ledger(), ("a.xlsx", content)).skipped == 0


def test_days_of_both_calendars_of_spreadsheets() -> None:
    dated = '<c r="B2" s="1"><v>{}</v></c>'
    assert rows_of(with_cell(dated.format(45323)))[0].values["observed"] == "2024-02-01"
    later = workbook(
        sheet(row(1, HEADER) + row(2, ["mood"], more=dated.format(43861))), workbook_more='<workbookPr date1904="1"/>'
    )
    assert rows_of(later)[0].values["observed"] == "2024-02-01"


def test_the_first_sheet_that_is_not_hidden_or_the_one_that_is_named() -> None:
    sheets = [sheet(rows(HEADER, (*GOOD[:3], name))) for name in ("one", "two", "three")]
    content = workbook(*sheets, names=["A", "B", "C & D"], states=["hidden", "visible", "veryHidden"])
    assert [raw.values["note"] for raw in rows_of(content)] == ["two"]
    assert {name: rows_of(content, name)[0].values["note"] for name in ("A", "B", "C & D")} == {
        "A": "one", "B": "two", "C & D": "three",
    }  # fmt: skip
    assert faults_of("a.xlsx", content, sheet="D") == ['a.xlsx: the workbook has no sheet "D"; one of: A, B, C & D']


def test_only_a_workbook_has_sheets() -> None:
    with pytest.raises(NoSheetError, match="only an XLSX file has sheets"):
        Handed("a.csv", lambda: io.BytesIO(b""), FIELDS, "Sheet1")


def test_shared_rich_and_spaced_texts() -> None:
    shared = '<c r="A2" t="s"><v>0</v></c><c r="B2" t="s"><v>1</v></c>'
    rich = '<c r="C2" t="inlineStr"><is><r><t>ca</t></r><r><rPr><b/></rPr><t>lm</t></r></is></c>'
    content = workbook(sheet(row(1, HEADER) + row(2, [], more=shared + rich)), strings=["mood", "2024-02-01"])
    assert rows_of(content)[0].values == {"indicator": "mood", "observed": "2024-02-01", "state": "calm"}


def test_cells_and_rows_without_an_address_follow_each_other() -> None:
    cells = "".join(f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in ("mood", "2024-02-01", "calm"))
    content = workbook(sheet(row(1, HEADER) + f"<row>{cells}</row>" + f"<row>{cells}</row>"))
    assert [raw.line for raw in rows_of(content)] == [2, 3]


@pytest.mark.parametrize("said", ["A1:B2", "A1:XFD1048576"])
def test_a_sheet_is_as_large_as_it_is_and_not_as_it_says(said: str) -> None:
    data = rows(HEADER, *[GOOD] * 5)
    assert len(rows_of(workbook(sheet(data, before=f'<dimension ref="{said}"/>')))) == 5


def test_names_for_cells_that_keep_a_reader_busy_are_not_read() -> None:
    name = '<definedName name="_xlnm.Print_Titles" localSheetId="0">' + "'" * 200_000 + "</definedName>"
    content = workbook(PLAIN, workbook_more=f"<definedNames>{name}</definedNames>")
    assert len(rows_of(content)) == 1


def test_addresses_in_cells_and_pictures_do_no_harm() -> None:
    parts: dict[str, str | bytes] = {
        "xl/worksheets/_rels/sheet1.xml.rels": rels("hyperlink", "https://example.org/"),
        "xl/media/image1.png": b"\x89PNG" + b"\0" * 100,
        "xl/drawings/vmlDrawing1.vml": "<xml><br></xml>",
    }
    assert len(rows_of(workbook(PLAIN, parts=parts))) == 1


def test_text_that_would_be_a_formula_elsewhere_is_text() -> None:
    for text in ("=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://example.invalid")', "\u202egnitirw"):
        assert rows_of(below(HEADER, row(2, ["mood", "2024-02-01", "calm", text])))[0].values["note"] == text


# Whatever comes

PLACES = st.integers(0, 1 << 20)
GOOD_BOOK = workbook(sheet(rows(HEADER, GOOD, GOOD)), strings=["a"])
PARTS: list[str] = [
    "xl/worksheets/sheet1.xml",
    "xl/workbook.xml",
    "xl/styles.xml",
    "xl/sharedStrings.xml",
    "[Content_Types].xml",
]
TOKENS = [
    "<",
    ">",
    '"',
    "/",
    "&#0;",
    "&x;",
    "r=",
    't="s"',
    "<v>",
    "</v>",
    "<f>",
    "<row>",
    "-1",
    "1e9",
    "\ud7ff",
    " ",
    "",
]
LAWFUL = (Raw, Fault)


def check_reads(content: bytes) -> None:
    """Records and faults, and never anything else."""
    for item in xlsx_rows(io.BytesIO(content), file="a.xlsx", fields=FIELDS):
        assert isinstance(item, LAWFUL)
        assert isinstance(item, Raw) or (item.what and item.mend)


@settings(steady, max_examples=60)
@given(st.binary(max_size=200), st.booleans())
@example(b"", False)
def test_any_bytes_give_faults(content: bytes, with_start: bool) -> None:
    check_reads((b"PK\x03\x04" if with_start else b"") + content)


@settings(steady, max_examples=100)
@given(st.lists(st.tuples(PLACES, st.integers(0, 255)), min_size=1, max_size=6))
def test_a_damaged_workbook_gives_rows_or_faults(changes: list[tuple[int, int]]) -> None:
    content = bytearray(GOOD_BOOK)
    for at, value in changes:
        content[at % len(content)] = value
    check_reads(bytes(content))


@settings(steady, max_examples=150)
@given(st.sampled_from(PARTS), st.lists(st.tuples(PLACES, st.integers(0, 12), st.sampled_from(TOKENS)), max_size=4))
def test_changed_markup_gives_rows_or_faults(part: str, changes: list[tuple[int, int, str]]) -> None:
    with zipfile.ZipFile(io.BytesIO(GOOD_BOOK)) as archive:
        text: str = archive.read(part).decode()
    for at, length, token in changes:
        at %= len(text) + 1
        text = text[:at] + token + text[at + length :]
    check_reads(workbook(sheet(rows(HEADER, GOOD, GOOD)), strings=["a"], parts={part: text}))


@settings(steady, max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.none() | st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), max_size=8),
            st.none()
            | st.floats(-1e15, 1e15)
            | st.integers(-(10**15), 10**15)
            | st.booleans()
            | st.dates(date(1900, 3, 1), date(2200, 1, 1))
            | st.datetimes(datetime(1900, 3, 1), datetime(2200, 1, 1))
            | st.timedeltas(timedelta(), timedelta(days=9))
            | st.times(),
        ),
        max_size=5,
    )
)
def test_whatever_a_spreadsheet_program_writes_is_read_or_refused(data: list[tuple[Any, Any]]) -> None:
    check_reads(written(["note", "value"], *map(list, data)))
