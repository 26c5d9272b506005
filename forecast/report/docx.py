"""The report as a Word document, through a template: ours, or the house's own.

A template is a program of a kind, so it runs in a sandbox, and what it may be is checked before: a document without
macros, of a size that a person would make, that fetches nothing. What users wrote is a value, escaped, and never a
field.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any

from docx.shared import Mm
from docxtpl import DocxTemplate, InlineImage
from jinja2 import StrictUndefined
from jinja2 import TemplateError as JinjaError
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from forecast.publication import Publication
from forecast.release import Released
from forecast.released_record import StudyRecord
from forecast.report.content import Briefing, IndicatorPart, briefing, default_since
from forecast.report.docx_template import default_template
from forecast.report.markdown import provenance_lines
from forecast.report.pictures import Picture, pictures, record_picture
from indicators.errors import WatchfloorError

__all__ = ["TemplateError", "checked_template", "docx_bytes"]

_MOST_BYTES, _MOST_PARTS = 60_000_000, 2_000
_WIDTH_MM = 170
# On the first page it leaves room for what changed and what would change it.
_FRONT_WIDTH_MM = 120
_FIRST_ZIP_DAY = (1980, 1, 1, 0, 0, 0)
_FETCHED = re.compile(rb"<Relationship\b[^>]*TargetMode\s*=\s*[\"']External[\"'][^>]*>")


class TemplateError(WatchfloorError):
    """A template that cannot be filled."""


def docx_bytes(
    released: Released,
    *,
    since: date | None = None,
    last: Publication | None = None,
    record: StudyRecord | None = None,
    template: bytes | None = None,
    name: str = "",
) -> bytes:
    """The report as a Word document, the same bytes for the same report.

    Parameters
    ----------
    released, since, last, record
        As for `forecast.report.content.briefing`.
    template : bytes, optional
        The house's own document; ours where left out.
    name : str
        Of its file, for what is wrong with it.

    Raises
    ------
    TemplateError
        The template is no Word document, has macros, fetches something, is too large, or has a field that is not known.
    """
    told = briefing(released, since=since, last=last, record=record)
    counted_from = since or (last.as_of if last else default_since(released.outlook))
    drawn = [*pictures(released, since=counted_from), record_picture(record)]
    paper = default_template() if template is None else checked_template(template, name)
    return _filled(paper, told, [picture for picture in drawn if picture], name)


def checked_template(content: bytes, name: str) -> bytes:
    """The template itself, once it is one that may be filled."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            size = sum(part.file_size for part in parts)
            if len(parts) > _MOST_PARTS or size > _MOST_BYTES:
                what = f"it unpacks to {size:,} bytes in {len(parts):,} parts"
                raise TemplateError(what, where=name, mend=f"keep it below {_MOST_BYTES // 1_000_000} MB")
            _check_parts({part.filename: archive.read(part) for part in parts}, name)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError):
        raise _no_document(name) from None
    return content


def _no_document(name: str) -> TemplateError:
    return TemplateError("it is no Word document", where=name, mend="hand in a .docx, as Word saves it")


def _check_parts(parts: dict[str, bytes], name: str) -> None:
    if "word/document.xml" not in parts or "[Content_Types].xml" not in parts:
        raise _no_document(name)
    if any("vba" in part.lower() for part in parts) or b"macroenabled" in parts["[Content_Types].xml"].lower():
        raise TemplateError("it has macros", where=name, mend="save it as .docx, which has none")
    for part, content in parts.items():
        if part.endswith((".xml", ".rels")) and b"<!DOCTYPE" in content[:4096]:
            raise TemplateError(f"{part} declares a document type", where=name, mend="save it anew with Word")
        fetched = [item for item in _FETCHED.findall(content) if b"/hyperlink" not in item]
        if part.endswith(".rels") and fetched:
            what = "it fetches something from outside when it is opened"
            raise TemplateError(what, where=name, mend="put pictures and styles into the document itself")


def _filled(paper: bytes, told: Briefing, drawn: list[Picture], name: str) -> bytes:
    document = DocxTemplate(io.BytesIO(paper))
    values = fields_of(told) | {"calibration": ""}
    alt = {}
    for picture in drawn:
        drawing, width = picture.chart.png(), _FRONT_WIDTH_MM if picture.name == "timeline" else _WIDTH_MM
        alt[drawing] = picture.alt
        values[picture.name] = InlineImage(document, io.BytesIO(drawing), width=Mm(width))
    sandbox = ImmutableSandboxedEnvironment(autoescape=True, undefined=StrictUndefined)
    try:
        unknown = sorted(document.get_undeclared_template_variables(sandbox) - set(values))
        if unknown:
            what = f"it has fields that are not known: {', '.join(unknown)}"
            raise TemplateError(what, where=name, mend="docs/report-template.md lists what there is")
        document.render(values, sandbox)
    except SecurityError:
        raise TemplateError("a field of it reaches for what is no field", where=name, mend=_LISTED) from None
    except JinjaError as error:
        raise TemplateError(f"a field of it cannot be filled: {error}", where=name, mend=_LISTED) from None
    _describe(document, told, alt)
    out = io.BytesIO()
    document.save(out)
    return _repacked(out.getvalue())


_LISTED = "docs/report-template.md lists what there is"


def fields_of(told: Briefing) -> dict[str, Any]:
    """What a template may name, but for the charts."""
    values = asdict(told)
    values["origin"] = provenance_lines(told)
    for fields, part in zip(values["indicators"], told.indicators, strict=True):
        fields["lines"] = _lines(part)
    return values


def _lines(part: IndicatorPart) -> list[dict[str, str]]:
    """The rows of an indicator in words, for tables whose columns are fixed."""
    is_given = part.header[1].startswith("While ")
    told = []
    for row in part.rows:
        first = 2 if is_given else 1
        scenario = f"{row[0]}, while {row[1]}" if is_given else row[0]
        says = ", ".join(f"{head} {cell}" for head, cell in zip(part.header[first:], row[first:], strict=True))
        told.append({"scenario": scenario, "says": says})
    return told


def _describe(document: Any, told: Briefing, alt: Mapping[bytes, str]) -> None:
    """Title and moment of the document, and what each picture says for those who cannot see it."""
    properties = document.docx.core_properties
    properties.title = f"{told.title}, as of {told.as_of}, {told.mark}"
    moment = datetime.fromisoformat(told.provenance.known_at).astimezone(UTC).replace(tzinfo=None, microsecond=0)
    properties.created = properties.modified = moment
    properties.author = properties.last_modified_by = ""
    for shape in document.docx.inline_shapes:
        part = document.docx.part.related_parts[shape._inline.graphic.graphicData.pic.blipFill.blip.embed]
        shape._inline.docPr.set("descr", alt.get(part.blob, ""))


def _repacked(content: bytes) -> bytes:
    """The same archive with the same day on every part, so that bytes repeat."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for part in archive.infolist():
            packed.writestr(zipfile.ZipInfo(part.filename, _FIRST_ZIP_DAY), archive.read(part), zipfile.ZIP_DEFLATED)
    return out.getvalue()
