"""Charts of a study as pictures for pages: `/s/STUDY/chart/NAME.svg`, by day or, with `night=1`, for dark pages."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import date

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from forecast.charts import Chart
from forecast.charts.by_name import NAMES, chart_named
from forecast.web.board import NotFinishedError, present
from forecast.web.visit import Visit, reads
from indicators.days import parse_day

__all__ = ["ROUTES", "described", "drawing", "picture_answer"]

POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""A drawing has style attributes of its own, and nothing else that a browser would obey."""


def described(
    visit: Visit, name: str, *, since: date | None = None, scenario: str | None = None, indicator: str | None = None
) -> str:
    """What a chart says, in words: its `alt` where a page shows it."""
    return str(drawing(visit, name, since=since, scenario=scenario, indicator=indicator)["description"])


def drawing(
    visit: Visit, name: str, *, since: date | None = None, scenario: str | None = None, indicator: str | None = None
) -> Chart:
    """The chart of a name, as of what the address asks for; made once for all who ask.

    Parameters
    ----------
    name : str
        One of `forecast.charts.by_name.NAMES`.
    since, scenario, indicator
        As for `chart_named`.
    """

    def make() -> Chart:
        return chart_named(name, visit.released(), since=since, scenario=scenario, indicator=indicator)

    return visit.state.drawings.get((*_of(visit), name, since, scenario, indicator), make)


def picture_answer(visit: Visit, chart: Chart, key: Hashable, *, night: bool) -> Response:
    """A chart as an SVG picture, drawn once for each key; for charts of other rooms too, such as a track record's."""

    def make() -> bytes:
        return (chart.at_night() if night else chart).svg().encode()

    return _answer(visit.state.drawings.get(("svg", key, night), make))


def _of(visit: Visit) -> tuple[Hashable, ...]:
    """What a drawing rests on, beside its name."""
    return ("chart", visit.reading.head.hash, visit.study_id, visit.known_at, visit.as_of, visit.without)


def _answer(content: bytes) -> Response:
    return Response(content, media_type="image/svg+xml", headers={"content-security-policy": POLICY})


def _chart(visit: Visit) -> Response:
    name, night = str(visit.request.path_params["name"]), visit.asked("night") == "1"
    if name not in NAMES:
        raise HTTPException(404)
    if name == "timeline" and visit.asked("head"):
        try:
            return _answer(present(visit)[0].drawings["night" if night else "day"])
        except NotFinishedError:
            pass  # the outlook tells why
    since, scenario, indicator = visit.asked("since"), visit.asked("scenario"), visit.asked("indicator")
    day = parse_day(since) if since else None
    chart = drawing(visit, name, since=day, scenario=scenario, indicator=indicator)
    return picture_answer(visit, chart, (*_of(visit), name, since, scenario, indicator), night=night)


ROUTES = [Route("/s/{study}/chart/{name}.svg", reads(_chart), methods=["GET"])]
