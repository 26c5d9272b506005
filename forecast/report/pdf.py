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
from forecast.report.content import briefing, default_since
from forecast.report.pictures import pictures
from forecast.report.template import fonts_folder, template_text

__all__ = ["breakable", "pdf_bytes"]

_LONG = re.compile(r"[^\s\u200b]{25,}")
_STEP = 20
_RUNNING = 80


def pdf_bytes(released: Released, *, since: date | None = None, last: Publication | None = None) -> bytes:
    """The report as PDF, the same bytes for the same report.

    Parameters
    ----------
    released, since, last
        As for `forecast.report.content.briefing`.
    """
    told = briefing(released, since=since, last=last)
    counted_from = since or (last.as_of if last else default_since(released.outlook))
    drawn = pictures(released, since=counted_from)
    data: dict[str, Any] = breakable(asdict(told))
    data["running"] = shortened(told.title, _RUNNING)
    # typst takes texts alone from memory, so the drawings come as lists of numbers.
    data["pictures"] = [{"pdf": [*p.chart.pdf()], "caption": p.caption, "alt": p.alt} for p in drawn]
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[fonts_folder()])
    source, report = template_text("report.typ").encode(), json.dumps(data)
    return typst.compile(source, font_paths=fonts, format="pdf", sys_inputs={"report": report})


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
