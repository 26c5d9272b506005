"""The server of the pages as one ASGI application, put together from the routes of all rooms."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from forecast.web.board import ROUTES as BOARD
from forecast.web.charts import ROUTES as CHARTS
from forecast.web.downloads import ROUTES as DOWNLOADS
from forecast.web.evidence import ROUTES as EVIDENCE
from forecast.web.guard import Guard, Refused
from forecast.web.logging import ROUTES as LOGGING
from forecast.web.page import drawn_page, static_file
from forecast.web.record import ROUTES as RECORD
from forecast.web.reports import ROUTES as REPORTS
from forecast.web.settings import Settings
from forecast.web.signing_in import ROUTES as SIGNING_IN
from forecast.web.state import State
from forecast.web.study import ROUTES as STUDY
from forecast.web.team import ROUTES as TEAM
from forecast.web.visit import Visit, reads
from forecast.web.watch import ROUTES as WATCH
from forecast.web.why import ROUTES as WHY

__all__ = ["create_app"]

WORDS = {
    404: "there is no such page",
    405: "this page does not take that",
    429: "that was too much in a minute; wait a little",
    500: "a fault of this program",
}


def create_app(settings: Settings) -> Starlette:
    """The pages of one ledger.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    Starlette
        An ASGI application.

    Raises
    ------
    LedgerError
        There is no ledger at the address, or it cannot be opened.
    """
    routes: list[BaseRoute] = [
        Route("/", reads(_start), methods=["GET"]),
        Route("/static/{name}", _static, methods=["GET"]),
        *(*SIGNING_IN, *BOARD, *CHARTS, *LOGGING, *EVIDENCE, *WHY, *WATCH, *STUDY, *DOWNLOADS, *REPORTS, *RECORD),
        *TEAM,
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Guard, hosts=settings.hosts)],
        exception_handlers={HTTPException: _told},
    )
    app.router.redirect_slashes = False
    app.state.watchfloor = State(settings)
    app.state.watchfloor.ledger.head()
    return app


def _start(visit: Visit) -> Response:
    """The board of the only study, or the list of studies."""
    studies = visit.ledger.studies()
    if len(studies) == 1:
        return RedirectResponse(visit.state.address(studies[0], "board"), status_code=303)
    return visit.page("studies.html", studies=studies)


async def _static(request: Request) -> Response:
    found = static_file(request.path_params["name"])
    if found is None:
        raise HTTPException(404)
    content, media_type = found
    # The address changes with the content.
    return Response(content, media_type=media_type, headers={"cache-control": "private, max-age=31536000, immutable"})


async def _told(request: Request, error: Exception) -> Response:
    """A page for what is not one: a status, and no more of what happened than the person needs."""
    assert isinstance(error, HTTPException)
    status = error.status_code
    what = error.detail if isinstance(error, Refused) else WORDS.get(status, "this cannot be answered")
    if request.headers.get("hx-request") == "true":
        return PlainTextResponse(what, status_code=status)
    return drawn_page("fault.html", status=status, code=status, what=what)
