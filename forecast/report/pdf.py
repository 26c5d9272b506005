"""The report as a PDF of A4 pages: set by typst from data and drawings, with the handling mark on every page.

The source that typst compiles is our template alone. What users wrote reaches it as JSON and is never markup.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from datetime import date
from typing import Any

import typst

from forecast.display import shortened
from forecast.publication import Publication
from forecast.release import Released
from forecast.released_record import StudyRecord
from forecast.report.content import briefing, default_since
from forecast.report.pictures import Picture, pictures, record_picture
from forecast.report.template import fonts_folder, template_text

__all__ = ["breakable", "pdf_bytes"]

_LONG = re.compile(r"[^\s\u200b]{25,}")
_STEP = 20
_RUNNING = 80


def pdf_bytes(
    released: Released,
    *,
    since: date | None = None,
    last: Publication | None = None,
    record: StudyRecord | None = None,
) -> bytes:
    """The report as PDF, the same bytes for the same report.

    Parameters
    ----------
    released, since, last, record
        As for `forecast.report.content.briefing`.
    """
    told = briefing(released, since=since, last=last, record=record)
    counted_from = since or (last.as_of if last else default_since(released.outlook))
    drawn = pictures(released, since=counted_from)
    data: dict[str, Any] = breakable(asdict(told))
    data["running"] = shortened(told.title, _RUNNING)
    data["pictures"] = [_drawn(picture) for picture in drawn]
    curve = record_picture(record)
    data["calibration"] = _drawn(curve) if curve else None
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[fonts_folder()])
    source, report = template_text("report.typ").encode(), json.dumps(data)
    return typst.compile(source, font_paths=fonts, format="pdf", sys_inputs={"report": report})


def _drawn(picture: Picture) -> dict[str, Any]:
    """A picture as data; typst takes texts alone from memory, so the drawing comes as a list of numbers."""
    return {"pdf": [*picture.chart.pdf()], "caption": picture.caption, "alt": picture.alt}


def breakable(value: Any) -> Any:
    """The same plain values with a place to break in every word that no line would hold; addresses to follow stay."""
    if isinstance(value, str):
        return _LONG.sub(lambda word: _broken(word[0]), value)
    if isinstance(value, list | tuple):
        return [breakable(item) for item in value]
    if isinstance(value, dict):
        return {key: item if key == "link" else breakable(item) for key, item in value.items()}
    return value


def _broken(word: str) -> str:
    return "\u200b".join(word[at : at + _STEP] for at in range(0, len(word), _STEP))
