"""XLSX files written by hand, part by part: what no spreadsheet program would write has to be refused as well."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

__all__ = ["cell", "row", "rows", "sheet", "workbook"]

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"

Value = str | int | float | None


def cell(address: str, value: Value) -> str:
    """A cell with a text of its own or a number."""
    if isinstance(value, str):
        return f'<c r="{address}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    return f'<c r="{address}"><v>{value}</v></c>'


def row(number: int, values: Sequence[Value], *, more: str = "") -> str:
    """A row from column A on; None leaves a cell out, `more` is put at its end as it is."""
    cells = [cell(f"{chr(65 + n)}{number}", value) for n, value in enumerate(values) if value is not None]
    return f'<row r="{number}">{"".join(cells)}{more}</row>'


def rows(*given: Sequence[Value]) -> str:
    """Rows from the first on."""
    return "".join(row(number, values) for number, values in enumerate(given, start=1))


def sheet(data: str, *, before: str = "", after: str = "", space: str = MAIN) -> str:
    """The part of a sheet around its rows."""
    return f'<?xml version="1.0"?>\n<worksheet xmlns="{space}">{before}<sheetData>{data}</sheetData>{after}</worksheet>'


STYLES = f"""<styleSheet xmlns="{MAIN}"><fonts><font/></fonts>
<fills><fill><patternFill patternType="none"/></fill></fills><borders><border/></borders>
<cellStyleXfs><xf/></cellStyleXfs>
<cellXfs><xf/><xf numFmtId="14"/><xf numFmtId="22"/><xf numFmtId="46"/></cellXfs></styleSheet>"""
"""Style 1 is a date, 2 a moment, 3 a length of time."""


def workbook(
    *sheets: str,
    names: Sequence[str] = (),
    states: Sequence[str] = (),
    strings: Sequence[str] = (),
    parts: Mapping[str, str | bytes] | None = None,
    without: Sequence[str] = (),
    workbook_more: str = "",
) -> bytes:
    """A workbook of some sheets' parts.

    Parameters
    ----------
    names, states : sequence of str
        Of the sheets; `Sheet1`, ... and visible where left out.
    strings : sequence of str
        Its shared texts.
    parts : mapping of str to str or bytes
        Further parts, or others in place of the usual ones.
    without : sequence of str
        Parts to leave out.
    workbook_more : str
        Put into the workbook's own part after its sheets.
    """
    names = [*names, *(f"Sheet{n + 1}" for n in range(len(names), len(sheets)))]
    states = [*states, *("visible" for _ in range(len(states), len(sheets)))]
    listed = "".join(
        f'<sheet name="{escape(name)}" sheetId="{n}" state="{state}" r:id="rId{n}"/>'
        for n, (name, state) in enumerate(zip(names, states, strict=True), start=1)
    )
    shared = "".join(f"<si><t>{escape(text)}</t></si>" for text in strings)
    content: dict[str, str | bytes] = {
        "[Content_Types].xml": _types(len(sheets)),
        "_rels/.rels": _relations([("officeDocument", "xl/workbook.xml")]),
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">'
        f"<sheets>{listed}</sheets>{workbook_more}</workbook>",
        "xl/_rels/workbook.xml.rels": _relations(
            [*(("worksheet", f"worksheets/sheet{n + 1}.xml") for n in range(len(sheets))), ("styles", "styles.xml")]
        ),
        "xl/styles.xml": STYLES,
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{shared}</sst>',
        **{f"xl/worksheets/sheet{n}.xml": part for n, part in enumerate(sheets, start=1)},
        **(parts or {}),
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in content.items():
            if name not in without:
                archive.writestr(zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0)), part, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _types(count: int) -> str:
    known = {"workbook": "sheet.main", "styles": "styles", "sharedStrings": "sharedStrings"}
    known |= {f"worksheets/sheet{n + 1}": "worksheet" for n in range(count)}
    listed = "".join(
        f'<Override PartName="/xl/{part}.xml" ContentType="{TYPE}.{kind}+xml"/>' for part, kind in known.items()
    )
    usual = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    return f'<Types xmlns="{PACKAGE}/content-types">{usual}{listed}</Types>'


def _relations(targets: Sequence[tuple[str, str]]) -> str:
    listed = "".join(
        f'<Relationship Id="rId{n}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(targets, start=1)
    )
    return f'<Relationships xmlns="{PACKAGE}/relationships">{listed}</Relationships>'
