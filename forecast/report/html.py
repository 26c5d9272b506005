"""The report as one HTML file that needs no other: styles inside, charts drawn inside, no script, nothing fetched.

Its own content policy forbids whatever a text might try. Charts are there twice, for light and for dark screens.
"""

from __future__ import annotations

import re
from datetime import date

from jinja2 import Environment, StrictUndefined

from forecast.publication import Publication
from forecast.release import Released
from forecast.released_record import StudyRecord
from forecast.report.content import briefing, default_since
from forecast.report.pictures import Picture, pictures, record_picture
from forecast.report.template import template_text

__all__ = ["html_text"]

_GROUP = re.compile(r"<g [^>]*>")
_ROLE = re.compile(r' (?:role="graphics-[a-z]+"|aria-roledescription="[^"]*")')


def html_text(
    released: Released,
    *,
    since: date | None = None,
    last: Publication | None = None,
    record: StudyRecord | None = None,
) -> str:
    """The report as HTML.

    Parameters
    ----------
    released, since, last, record
        As for `forecast.report.content.briefing`.
    """
    told = briefing(released, since=since, last=last, record=record)
    counted_from = since or (last.as_of if last else default_since(released.outlook))
    # Every value is escaped; only the drawings, which the charts have escaped themselves, are taken as they are.
    paper = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    drawn = [_drawn(picture) for picture in pictures(released, since=counted_from)]
    curve = record_picture(record)
    values = {"report": told, "pictures": drawn, "calibration": _drawn(curve) if curve else None}
    return paper.from_string(template_text("report.html.j2")).render(values) + "\n"


def _drawn(picture: Picture) -> dict[str, str]:
    day, night = (_one_picture(chart.svg()) for chart in (picture.chart, picture.chart.at_night()))
    return {"name": picture.name, "caption": picture.caption, "day": day, "night": night}


def _one_picture(svg: str) -> str:
    """The drawing as one picture with one description: its parts claim no roles, for they have nothing to say."""
    return _GROUP.sub(lambda group: _ROLE.sub("", group[0]), svg)
