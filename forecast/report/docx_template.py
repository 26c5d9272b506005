"""The template of a report as a Word document, for the house that has none of its own; a house's own may start from it.

It is a document like any other, with real styles, a header, a footer with page fields, and tables whose header rows
repeat. Its fields are those that `docs/report-template.md` lists.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

__all__ = ["default_template"]

_FONT = "Arial"
_PALE = RGBColor(0x59, 0x59, 0x59)
_FIRST = datetime(2000, 1, 1)
_LOOKS = (
    "{% if looks %}Where to look next, with the bits that a look tells for its cost: {% for look in looks %}"
    "{{ look.indicator }} ({{ look.due }}, {{ look.bits_per_cost_text }}){% if not loop.last %}; {% endif %}"
    "{% endfor %}.{% endif %}"
)
_RULES = {"top": ("8", "222222"), "bottom": ("8", "222222"), "insideH": ("4", "C8C8C8")}


def default_template() -> bytes:
    """The document, with its fields unfilled."""
    document = Document()
    _set_styles(document)
    _set_page(document)
    _front(document)
    _annex(document)
    document.core_properties.author = ""
    document.core_properties.comments = ""
    document.core_properties.title = "{{ title }}"
    document.core_properties.created = document.core_properties.modified = _FIRST
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _set_styles(document: Any) -> None:
    for name, size in (("Normal", 9), ("Title", 17), ("Heading 1", 11), ("Heading 2", 9.5)):
        style = document.styles[name]
        style.font.name, style.font.size = _FONT, Pt(size)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{theme}"), None)
        if name != "Normal":
            style.font.color.rgb, style.font.bold = RGBColor(0, 0, 0), True
            style.paragraph_format.keep_with_next = True
            style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(6), Pt(2)
    document.styles["Title"].paragraph_format.space_before = Pt(0)
    border = document.styles["Title"].element.pPr.find(qn("w:pBdr"))
    if border is not None:
        document.styles["Title"].element.pPr.remove(border)
    document.styles["Normal"].paragraph_format.space_after = Pt(3)
    document.styles["Normal"].paragraph_format.line_spacing = 1.0
    document.styles["List Bullet"].paragraph_format.space_after = Pt(1)


def _set_page(document: Any) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(20)
    section.top_margin, section.bottom_margin = Mm(16), Mm(14)
    section.header_distance = section.footer_distance = Mm(7)
    head, foot = section.header.paragraphs[0], section.footer.paragraphs[0]
    _run(head, "{{ mark }}", bold=True)
    _run(head, "   {{ title }}", pale=True)
    _run(foot, "{{ mark }}", bold=True)
    _run(foot, "   as of {{ as_of }}   ", pale=True)
    _field(foot, "PAGE")
    _run(foot, " of ", pale=True)
    _field(foot, "NUMPAGES")


def _front(document: Any) -> None:
    document.add_paragraph("{{ title }}", style="Title")
    _run(document.add_paragraph(), "{{ question }}", italic=True)
    about = "As of {{ as_of }}. The study opened on {{ opens }} and is settled on {{ horizon }}. {{ gap }}"
    _run(document.add_paragraph(), about, pale=True)
    document.add_paragraph("{{ judgement }}")
    _run(document.add_paragraph(), "{{ sureness }}", bold=True)
    _table(
        document,
        ("Scenario", "Probability", "5 to 95 %", "Change", "In words"),
        "s in scenarios",
        ("{{ s.name }}", "{{ s.probability_text }}", "{{ s.band }}", "{{ s.change }}", "{{ s.words }}"),
        (50, 25, 32, 19, 44),
    )
    _picture(document, "timeline")
    document.add_heading("What changed since {{ since }}, and why", 1)
    document.add_paragraph(
        "{{ leader }}: from {{ before }} to {{ after }}, {{ moved.decibans_text }} decibans. "
        "The lines add up; ten decibans multiply the odds by ten."
    ).paragraph_format.keep_with_next = True
    moves = ("{{ m.day }}", "{{ m.what }}", "{{ m.decibans_text }}")
    _table(document, ("Day", "What", "Decibans"), "m in moves", moves, (24, 122, 24))
    document.add_heading("What would change it", 1)
    _bullets(document, "hinge in hinges", "{{ hinge }}")
    document.add_paragraph(_LOOKS)
    document.add_heading("What was not looked at, and what else to know", 1)
    _bullets(document, "note in notes", "{{ note }}")


def _annex(document: Any) -> None:
    document.add_page_break()
    document.add_heading("Annex: scenarios", 1)
    document.add_paragraph("{{ requirement }}")
    _loop(document, "s in scenarios")
    document.add_heading("{{ s.name }}", 2)
    document.add_paragraph("Prior {{ s.prior_text }}, now {{ s.probability_text }} ({{ s.band }}). {{ s.description }}")
    document.add_paragraph("{{ s.basis }}")
    document.add_paragraph("It has come true if: {{ s.resolves_if }}")
    _end(document)
    document.add_heading("Key assumptions", 2)
    _bullets(document, "one in assumptions", "{{ one }}")
    document.add_heading("Annex: charts", 1)
    for name in ("waterfall", "matrix", "board"):
        _picture(document, name)
    document.add_heading("Annex: indicators and their rows", 1)
    _loop(document, "i in indicators")
    document.add_heading("{{ i.name }}", 2)
    about = document.add_paragraph()
    _run(about, "{{ i.about }}. {{ i.kind }}; {{ i.terms }}. Now: {{ i.stands }}. Flip: {{ i.flip }}.", pale=True)
    about.paragraph_format.keep_with_next = True
    _table(document, ("Scenario", "Row"), "line in i.lines", ("{{ line.scenario }}", "{{ line.says }}"), (70, 100))
    _end(document)
    _record(document)
    document.add_heading("Annex: evidence", 1)
    cells = (
        "{{ e.entry }}",
        "{{ e.day }}",
        "{{ e.indicator }}: {{ e.says }}",
        "{{ e.grade }}, {{ e.weight }}",
        "{{ e.source }} {{ e.note }} {{ e.url }}",
        "{{ e.change }}",
    )
    header = ("Entry", "Day", "Indicator and finding", "Grade", "Source and note", "Change")
    _table(document, header, "e in evidence", cells, (14, 21, 40, 18, 58, 19), size=7.5)
    document.add_heading("Annex: method", 1)
    _loop(document, "text in method")
    document.add_paragraph("{{ text }}")
    _end(document)
    document.add_heading("Annex: where it comes from", 1)
    _bullets(document, "line in origin", "{{ line }}")


def _record(document: Any) -> None:
    _when(document, "record")
    document.add_heading("Annex: track record", 1)
    document.add_paragraph("{{ record.stands }}")
    document.add_heading("What was published", 2)
    document.add_paragraph("{{ record.published }}")
    _when(document, "record.publication_lines")
    said = ("{{ line.whose }}", "{{ line.published }}", "{{ line.as_of }}", "{{ line.says }}")
    header = ("Publication", "Published", "As of", "As it was said")
    _table(document, header, "line in record.publication_lines", said, (30, 22, 22, 96))
    _end_when(document)
    _said(document, "record.scored")
    _part(document, "record.scores", (80, 30, 30, 30))
    document.add_heading("Short-run record", 2)
    document.add_paragraph("{{ record.ran }}")
    _part(document, "record.short_run", (58, 17, 18, 20, 18, 17, 22))
    _bullets(document, "note in record.notes", "{{ note }}")
    _said(document, "record.suggested")
    _loop(document, "table in record.suggestions")
    _captioned(document, "table", (46, 53, 53, 18))
    _end(document)
    _when(document, "record.house")
    document.add_heading("All resolved studies of the ledger", 2)
    document.add_paragraph("{{ record.house }}")
    _part(document, "record.studies", (31, 18, 20, 23, 13, 16, 16, 17, 16))
    _part(document, "record.skills", (18, 18, 16, 16, 17, 28, 29, 28))
    _end_when(document)
    _when(document, "calibration")
    _picture(document, "calibration")
    _end_when(document)
    _end_when(document)


def _said(document: Any, name: str) -> None:
    """A paragraph, where it says something."""
    _when(document, name)
    document.add_paragraph(f"{{{{ {name} }}}}")
    _end_when(document)


def _part(document: Any, name: str, widths: Sequence[float]) -> None:
    """A table with its caption, where there is one."""
    _when(document, name)
    _captioned(document, name, widths)
    _end_when(document)


def _captioned(document: Any, name: str, widths: Sequence[float]) -> None:
    caption = document.add_paragraph()
    _run(caption, f"{{{{ {name}.caption }}}}", pale=True)
    caption.paragraph_format.keep_with_next = True
    header, cells = ([f"{{{{ {texts}[{n}] }}}}" for n in range(len(widths))] for texts in (f"{name}.header", "row"))
    _table(document, header, f"row in {name}.rows", cells, widths)


def _when(document: Any, what: str) -> None:
    document.add_paragraph(f"{{%p if {what} %}}")


def _end_when(document: Any) -> None:
    document.add_paragraph("{%p endif %}")


def _run(paragraph: Any, text: str, *, bold: bool = False, italic: bool = False, pale: bool = False) -> None:
    run = paragraph.add_run(text)
    run.bold, run.italic = bold or None, italic or None
    if pale:
        run.font.color.rgb, run.font.size = _PALE, Pt(8.5)


def _field(paragraph: Any, name: str) -> None:
    """A number that Word works out: the page, or how many there are."""
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), name)
    shown, text = OxmlElement("w:r"), OxmlElement("w:t")
    text.text = "1"
    shown.append(text)
    field.append(shown)
    paragraph._p.append(field)


def _loop(document: Any, what: str) -> None:
    document.add_paragraph(f"{{%p for {what} %}}")


def _end(document: Any) -> None:
    document.add_paragraph("{%p endfor %}")


def _bullets(document: Any, what: str, text: str) -> None:
    _loop(document, what)
    document.add_paragraph(text, style="List Bullet")
    _end(document)


def _picture(document: Any, name: str) -> None:
    paragraph = document.add_paragraph(f"{{{{ {name} }}}}")
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER


def _table(
    document: Any, header: Sequence[str], what: str, cells: Sequence[str], widths: Sequence[float], *, size: float = 8
) -> None:
    """A table with a header row that repeats, and one row of fields for each of what there is."""
    table = document.add_table(rows=4, cols=len(header))
    table.autofit = False
    _set_rules(table)
    for n, texts in enumerate((header, (f"{{%tr for {what} %}}",), cells, ("{%tr endfor %}",))):
        row = table.rows[n]
        _mark_row(row, "w:tblHeader" if n == 0 else "w:cantSplit")
        for cell, text in zip(row.cells, texts, strict=False):
            run = cell.paragraphs[0].add_run(text)
            run.font.size, run.bold = Pt(size), n == 0 or None
        for cell, width in zip(row.cells, widths, strict=True):
            cell.width = Mm(width)
            cell.paragraphs[0].paragraph_format.space_after = Pt(1)
            cell.paragraphs[0].paragraph_format.keep_with_next = n == 0 or None
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Mm(width)
    gap = document.add_paragraph()
    gap.paragraph_format.space_after, gap.paragraph_format.line_spacing = Pt(0), Pt(5)


def _mark_row(row: Any, name: str) -> None:
    properties = row._tr.get_or_add_trPr()
    mark = OxmlElement(name)
    mark.set(qn("w:val"), "true")
    properties.append(mark)


def _set_rules(table: Any) -> None:
    rules = OxmlElement("w:tblBorders")
    for side, (width, colour) in _RULES.items():
        rule = OxmlElement(f"w:{side}")
        for key, value in (("val", "single"), ("sz", width), ("space", "0"), ("color", colour)):
            rule.set(qn(f"w:{key}"), value)
        rules.append(rule)
    table._tbl.tblPr.append(rules)
