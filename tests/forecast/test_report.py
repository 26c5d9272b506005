"""The report says what the outlook says, in every format, and no text of a user is more than a text in any."""

from __future__ import annotations

import io
import itertools
import math
import re
import zipfile
from dataclasses import replace
from datetime import date
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import docx
import nbformat
import pypdf
import pytest
from docx.oxml.ns import qn
from markdown_it import MarkdownIt

from forecast.outlook import AsOfError
from forecast.probability import DECIBAN, log_odds
from forecast.publication import Publication, Said
from forecast.release import Released
from forecast.report.content import briefing
from forecast.report.docx import TemplateError, checked_template, docx_bytes, fields_of
from forecast.report.docx_template import default_template
from forecast.report.html import html_text
from forecast.report.markdown import report_markdown
from forecast.report.notebook import notebook_text, parametrised
from forecast.report.pdf import breakable, pdf_bytes
from indicators.ledger import Head
from tests.commands import Commands, commands
from tests.forecast.build import PROVENANCE, japan_sar, released
from tests.forecast.test_export import hostile, readable
from tests.strategies import AWKWARD

ROOT = Path(__file__).parent.parent.parent
DAY = date(2026, 6, 7)

__all__ = ["commands"]


@cache
def japan() -> Released:
    return released(japan_sar(DAY))


def published(outlook: Released, day: date, shares: list[float]) -> Publication:
    ids = outlook.outlook.study.scenario_ids
    said = tuple(Said(name, p, p / 2, (1 + p) / 2) for name, p in zip(ids, shares, strict=True))
    return Publication(
        number=3,
        entry="e9",
        recorded_at="2026-05-01T00:00:00Z",
        author="ana",
        as_of=day,
        scenarios=said,
        engine="0",
        draws=1000,
        revision="ab",
        before=Head(8, "cd"),
        head=Head(9, "ef"),
        tlp="clear",
        note="",
    )


# What it says


def test_the_numbers_are_those_of_the_outlook() -> None:
    told, outlook = briefing(japan()), japan().outlook
    assert [s.probability for s in told.scenarios] == outlook.final.tolist()
    assert [(s.low, s.high) for s in told.scenarios] == list(
        zip(outlook.bands.low[-1].tolist(), outlook.bands.high[-1].tolist(), strict=True)
    )
    assert [e.entry for e in told.evidence] == [c.live.entry for c in outlook.report_contributions]
    assert len(told.indicators) == len(outlook.study.indicators)
    assert told.sureness.startswith("Confidence is ") and "Confidence" not in told.judgement


@pytest.mark.parametrize("since", [None, date(2025, 4, 22), date(2026, 2, 1), DAY])
def test_the_lines_add_up(since: date | None) -> None:
    told, outlook = briefing(japan(), since=since), japan().outlook
    leader = int(outlook.final.argmax())
    start = outlook.course[outlook.study.day_index(since or date(2026, 5, 8))]
    whole = _decibans(outlook.final[leader]) - _decibans(start[leader])
    assert sum(move.decibans for move in told.moves) == pytest.approx(told.moved.decibans, abs=1e-9)
    assert told.moved.decibans == pytest.approx(whole, abs=1e-6)


def _decibans(p: float) -> float:
    return math.log(p / (1 - p)) / DECIBAN


def test_moves_begin_at_what_was_published() -> None:
    shares = [0.1, 0.2, 0.3, 0.35, 0.05]
    last = published(japan(), date(2026, 4, 1), shares)
    told, outlook = briefing(japan(), last=last), japan().outlook
    assert told.since == "publication 3, as of 2026-04-01"
    assert told.before == "35.0 %"
    assert told.moves[-1].what == "Logged or corrected since, about the time before"
    expected = _decibans(outlook.final[3]) - _decibans(0.35)
    assert sum(move.decibans for move in told.moves) == pytest.approx(expected, abs=1e-6)


def test_what_was_published_is_no_start_where_something_is_left_out() -> None:
    less = released(japan().outlook, replace(PROVENANCE, without=("source:Kyodo",)))
    told = briefing(less, last=published(japan(), date(2026, 4, 1), [0.1, 0.2, 0.3, 0.35, 0.05]))
    assert told.before != "35.0 %" and told.provenance.without == "source:Kyodo"


def test_a_day_outside_the_study_is_refused() -> None:
    with pytest.raises(AsOfError, match="lies outside"):
        briefing(japan(), since=date(2026, 7, 1))


def test_a_study_on_its_first_day_has_a_report() -> None:
    told = briefing(released(japan_sar(date(2025, 4, 22))))
    assert told.since == "the priors" and told.moved.decibans_text == "0.0"


def test_log_odds_are_the_engines() -> None:
    assert float(log_odds(japan().outlook.chain.log_filtered[-1])[3]) / DECIBAN == pytest.approx(
        _decibans(japan().outlook.final[3])
    )


# The formats, read back


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_has_what_a_page_needs() -> None:
    page = Page(html_text(japan()))
    tags = [tag for tag, _ in page.tags]
    assert dict(page.tags)["html"]["lang"] == "en"
    assert {"header", "main", "footer"} <= set(tags)
    headings = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == 1 and headings.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(headings))
    assert tags.count("caption") == tags.count("table")
    assert all(given.get("scope") for tag, given in page.tags if tag == "th")
    assert all(given["aria-label"] for tag, given in page.tags if tag == "svg")
    assert not {"script", "iframe", "object", "embed", "form", "img"} & set(tags)
    text = " ".join(page.texts)
    for scenario in briefing(japan()).scenarios:
        assert scenario.name in text and scenario.probability_text in text


def test_the_page_fetches_nothing() -> None:
    page = Page(html_text(japan()))
    policy = next(g["content"] for t, g in page.tags if t == "meta" and g.get("http-equiv"))
    assert policy and "default-src 'none'" in policy and "img-src data:" in policy
    for tag, given in page.tags:
        assert "src" not in given and "srcset" not in given and not [name for name in given if name.startswith("on")]
        if "href" in given:
            assert tag == "a" or given["href"] == "data:,"
    assert "url(" not in html_text(japan())


def test_the_pdf_has_its_mark_and_number_on_every_page() -> None:
    pages = pypdf.PdfReader(io.BytesIO(pdf_bytes(japan()))).pages
    for n, page in enumerate(pages, 1):
        text = page.extract_text()
        assert text.count("TLP:CLEAR") >= 2
        assert re.search(rf"\b{n} of {len(pages)}\b", text)
        assert [round(float(x)) for x in page.mediabox[2:]] == [595, 842]


def test_the_front_of_the_pdf_is_one_page() -> None:
    for day in (DAY, date(2026, 11, 22)):
        pages = pypdf.PdfReader(io.BytesIO(pdf_bytes(released(japan_sar(day))))).pages
        assert "more to know" in pages[0].extract_text()
        assert "Annex: scenarios" in pages[1].extract_text()


def test_the_document_has_styles_marks_and_repeated_headers() -> None:
    document = docx.Document(io.BytesIO(docx_bytes(japan())))
    told = briefing(japan())
    texts = [paragraph.text for paragraph in document.paragraphs]
    assert told.judgement in texts and told.sureness in texts
    style = document.paragraphs[0].style
    assert style and style.name == "Title"
    assert document.sections[0].header.paragraphs[0].text.startswith("TLP:CLEAR")
    footer = document.sections[0].footer._element.xml
    assert "TLP:CLEAR" in footer and "NUMPAGES" in footer
    assert all(table.rows[0]._tr.find(f".//{qn('w:tblHeader')}") is not None for table in document.tables)
    assert all(row._tr.find(f".//{qn('w:cantSplit')}") is not None for t in document.tables for row in t.rows[1:])
    assert [row.cells[1].text for row in document.tables[0].rows[1:]] == [s.probability_text for s in told.scenarios]
    assert all(shape._inline.docPr.get("descr") for shape in document.inline_shapes)
    assert len(document.inline_shapes) == 4


def test_the_markdown_says_the_same() -> None:
    text, told = report_markdown(japan()), briefing(japan())
    assert text.startswith("# Japan after the SAR agreement\n\nTLP:CLEAR\n")
    assert all(s.probability_text.replace("<", "&lt;") in text for s in told.scenarios)


@pytest.mark.parametrize("write", [html_text, pdf_bytes, docx_bytes, report_markdown])
def test_the_same_report_has_the_same_bytes(write: object) -> None:
    assert callable(write)
    small = released(hostile("a note"))
    assert write(small) == write(small)


# Whatever a user wrote

ATTACKS = (
    *(text for text in AWKWARD if readable(text) and text.strip()),
    "#sys.inputs #read(\"/etc/passwd\")",
    "{{ title }} {% for x in y %}{{ self }}",
    "</style></svg><script>alert(1)</script>",
    "$x$ \\u{41} *b* _i_ @ref <label> // /* */",
    "日本 한국어 中文 ไทย हिन्दी العربية",
)  # fmt: skip


TOGETHER = [" ".join(ATTACKS[n::6])[:9_000] for n in range(6)]
"""All of them in six texts, as a page takes a second to draw."""


@cache
def harmless_tags() -> set[str]:
    return {tag for tag, _ in Page(html_text(released(hostile("harmless")))).tags}


@pytest.mark.parametrize("text", TOGETHER, ids=range(len(TOGETHER)))
def test_no_text_of_a_user_is_more_than_a_text(text: str) -> None:
    attacked = released(hostile(text), flags=[text])
    found = {tag for tag, _ in Page(html_text(attacked)).tags}
    assert found <= harmless_tags() | {"a"}
    assert not {"script", "img"} & found
    tokens = MarkdownIt("commonmark").enable("table").parse(report_markdown(attacked))
    inline = [child.type for token in tokens for child in token.children or []]
    assert not {"html_inline", "link_open", "image", "code_inline", "em_open"} & set(inline)
    assert "html_block" not in [token.type for token in tokens]


@pytest.mark.parametrize("text", [*ATTACKS[-5:], "x" * 10_000, "=1+1", "{{ 7 * 7 }}"], ids=range(8))
def test_no_text_is_obeyed_in_print(text: str) -> None:
    attacked = released(hostile(text), flags=[text])
    pages = pypdf.PdfReader(io.BytesIO(pdf_bytes(attacked))).pages
    assert "root:" not in "".join(page.extract_text() for page in pages)
    document = docx.Document(io.BytesIO(docx_bytes(attacked)))
    told = briefing(attacked)
    assert told.notes[0] in [paragraph.text for paragraph in document.paragraphs]
    assert told.notes[0] != "49"


def test_a_long_word_can_be_broken_and_an_address_stays() -> None:
    told = breakable({"note": "x" * 100, "link": "http://" + "x" * 100, "rows": ("short", "y" * 30)})
    assert "\u200b" in told["note"] and "\u200b" not in told["link"]
    assert told["rows"] == ["short", "y" * 20 + "\u200b" + "y" * 10]


# The house's template


def document_with(*texts: str) -> bytes:
    document = docx.Document()
    for text in texts:
        document.add_paragraph(text)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def repacked(content: bytes, **more: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            if part.filename not in more:
                new.writestr(part, old.read(part))
        for name, part_content in more.items():
            new.writestr(name, part_content)
    return out.getvalue()


def test_a_house_template_is_filled() -> None:
    house = document_with("{{ mark }}: {{ title }}", "{%p for s in scenarios %}", "{{ s.name }}", "{%p endfor %}")
    document = docx.Document(io.BytesIO(docx_bytes(japan(), template=house, name="house.docx")))
    told = briefing(japan())
    assert [p.text for p in document.paragraphs] == [f"TLP:CLEAR: {told.title}", *(s.name for s in told.scenarios)]


REFUSED = {
    "unknown": (document_with("{{ title }} {{ titel }}"), "not known: titel"),
    "unknown in a list": (document_with("{%p for s in scenarios %}", "{{ s.nam }}", "{%p endfor %}"), "nam"),
    "a broken field": (document_with("{{ title "), "cannot be filled"),
    "reaching out": (document_with("{{ title.__class__.__mro__ }}"), "reaches for what is no field"),
    "no zip": (b"hello", "no Word document"),
    "another zip": (repacked(document_with("x"), **{"word/document.xml": b""})[:400], "no Word document"),
    "macros": (repacked(document_with("x"), **{"word/vbaProject.bin": b"x"}), "macros"),
    "a bomb": (repacked(document_with("x"), **{"word/media/a.bin": bytes(70_000_000)}), "unpacks to"),
    "entities": (repacked(document_with("x"), **{"word/x.xml": b"<!DOCTYPE a>"}), "document type"),
    "from outside": (
        repacked(
            document_with("x"),
            **{"word/_rels/settings.xml.rels": b'<Relationship Type="x/attachedTemplate" TargetMode="External"/>'},
        ),
        "fetches something",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_template_that_is_none_is_refused(name: str) -> None:
    content, phrase = REFUSED[name]
    with pytest.raises(TemplateError, match=phrase) as refused:
        docx_bytes(japan(), template=content, name="house.docx")
    assert refused.value.where == "house.docx"


def test_every_field_is_documented() -> None:
    text = (ROOT / "docs" / "report-template.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+)`", text))
    values = fields_of(briefing(japan()))
    inner = {
        key for value in values.values() if isinstance(value, tuple | list) for item in value
        if isinstance(item, dict) for key in item
    }  # fmt: skip
    assert set(values) | inner <= named
    assert checked_template(default_template(), "ours")


# The notebook and the command


def test_the_notebook_that_is_kept_is_the_one_that_is_written() -> None:
    assert (ROOT / "notebooks" / "02-report.ipynb").read_text(encoding="utf-8") == notebook_text()


@pytest.mark.parametrize("text", ['"; import os; "', "'''", "\\", "{{ x }}", "\n1/0", "日本 \u202e", "x" * 10_000])
def test_a_parameter_is_never_code(text: str) -> None:
    found = nbformat.reads(notebook_text(), as_version=4)  # type: ignore[no-untyped-call]
    parametrised(found.cells, {"study": text, "without": [text], "draws": 100})
    [cell] = [cell for cell in found.cells if "parameters" in cell.metadata.get("tags", ())]
    values: dict[str, object] = {}
    exec(cell.source, {}, values)
    assert (values["study"], values["without"], values["draws"], values["as_of"]) == (text, [text], 100, None)


def test_the_command_writes_every_format(commands: Commands) -> None:
    commands.seven_entries("a.db")
    for ending in (".html", ".pdf", ".docx", ".md", ".ipynb"):
        options = ("--as-of", "2024-06-30", "--draws", "100")
        result = commands.done("report", "-o", f"out{ending}", "--ledger", "a.db", *options)
        assert "written" in result.err and (commands.folder / f"out{ending}").stat().st_size > 1_000
    notebook = nbformat.read(commands.folder / "out.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(notebook)
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
    assert commands.done("report", "-o", "-", "--format", "markdown", "--ledger", "a.db").out.startswith("# The port")


WRONG = {
    "an ending": (("-o", "out.txt"), "ends in none of .html"),
    "no format": (("-o", "-"), "name --format"),
    "a template for a page": (("-o", "out.html", "--template", "a.db"), "--template goes with .docx"),
    "the ledger as template": (("-o", "out.docx", "--template", "a.db"), "no Word document"),
    "over the ledger": (("-o", "a.db", "--format", "html"), "this is the ledger itself"),
    "a day outside": (("-o", "out.html", "--since", "2023-01-01"), "lies outside"),
    "nothing published": (("-o", "out.html", "--published", "1"), "nothing was published yet"),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_command_refuses(commands: Commands, name: str) -> None:
    arguments, phrase = WRONG[name]
    head = commands.seven_entries("a.db")
    day = () if name == "nothing published" else ("--as-of", "2024-06-30")
    commands("report", *arguments, "--ledger", "a.db", *day).is_refused(phrase)
    assert commands.head("a.db") == head
    assert not list(commands.folder.glob("out.*"))
