"""One request of a person who is let in: who they are, what they ask of which study, and how they are answered.

`reads` and `writes` make a Starlette endpoint of a view, a plain function from a `Visit` to a response that runs in a
thread. A view checks nothing of who may: its wrapper did. What a view raises becomes a page with the error's sentence.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from forecast.assessment import flags
from forecast.reading import (
    ChooseStudyError,
    NoStudyError,
    Reading,
    UnknownStudyError,
    chosen_study,
    read_on,
    read_study,
)
from forecast.release import Released, StrictStudyError
from forecast.web.guard import Refused, note_fault
from forecast.web.page import drawn_page
from forecast.web.sessions import Person, Session
from forecast.web.settings import Settings
from forecast.web.state import State, state_of
from forecast.web.throttle import TooMuchInHandError
from indicators.days import parse_day, parse_moment
from indicators.errors import WatchfloorError
from indicators.ledger import Ledger
from indicators.replay import UnknownEntryError

if TYPE_CHECKING:
    from indicators.accounts import Accounts

__all__ = ["NotAllowedError", "Visit", "cookie_of", "entering", "is_over_tls", "reads", "writes"]

MOST_FIELDS = 100
COOKIE = "watchfloor"
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
PORT = re.compile(r":\d+$")

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


class NotAllowedError(WatchfloorError):
    """Something asked for that the person's role does not allow."""

    def __init__(self, person: Person, role: str, *, read_only: bool) -> None:
        if read_only:
            super().__init__("this server was started to be read only", mend="start it without --read-only to write")
            return
        what = f"{person.name} is a {person.role}, and this needs {'an' if role == 'analyst' else 'a'} {role}"
        super().__init__(what, mend="ask a lead to change the role of the account")


class _FutureError(WatchfloorError):
    """A clock set to what has not happened yet."""


@dataclass
class Visit:
    """A request of a person, with what views need to answer it.

    Attributes
    ----------
    request : Request
        Its `path_params` and `query_params` are texts from outside.
    state : State
    session : Session
    form : FormData
        What was posted; empty for GET. At most `MOST_FIELDS` fields, texts only.
    now : datetime
        Read once, before the ledger is.
    """

    request: Request
    state: State
    session: Session
    form: FormData
    now: datetime
    _open: list[Accounts] = field(default_factory=list)

    # Who and where

    @property
    def settings(self) -> Settings:
        """What the server was started with."""
        return self.state.settings

    @property
    def person(self) -> Person:
        """Who asks."""
        return self.session.person

    @property
    def today(self) -> date:
        """The present day in UTC."""
        return self.now.date()

    @property
    def ledger(self) -> Ledger:
        """The ledger, for this thread."""
        return self.state.ledger

    def may(self, role: str) -> bool:
        """Whether this person may do here what a role may."""
        return self.person.may(role) and (role == "reader" or not self.settings.read_only)

    @property
    def is_htmx(self) -> bool:
        """Whether the page's script asks, for a part of a page."""
        return self.request.headers.get("hx-request") == "true"

    @cached_property
    def accounts(self) -> Accounts:
        """The accounts in the ledger's database; closed when the visit ends."""
        found = self.state.accounts()
        self._open.append(found)
        return found

    def close(self) -> None:
        """Let go of what the visit opened."""
        while self._open:
            self._open.pop().close()

    def forget(self) -> None:
        """Read the ledger anew where it is asked for next, as after somebody else wrote to it."""
        for name in ("reading", "shown", "as_of"):
            self.__dict__.pop(name, None)

    # What is asked for

    @property
    def study_id(self) -> str:
        """The study in the address."""
        return str(self.request.path_params["study"])

    def asked(self, name: str) -> str | None:
        """A field of the address, stripped; None where it is missing or blank."""
        return self.request.query_params.get(name, "").strip() or None

    def field(self, name: str) -> str:
        """A posted field, stripped; empty where it is missing."""
        value = self.form.get(name, "")
        return value.strip() if isinstance(value, str) else ""

    @property
    def without(self) -> tuple[str, ...]:
        """What the address asks to leave out: `source:X`, `origin:X`, `indicator:X`, `entry:X`."""
        return tuple(dict.fromkeys(text for text in self.request.query_params.getlist("without") if text))

    @cached_property
    def reading(self) -> Reading:
        """What the ledger holds of the study, known at the moment that the address asks for; all of it, for writing.

        What is shown goes through `released`, `listed` or `shown`.
        """
        known_at = self.known_at
        head = self.ledger.head()

        def make() -> Reading:
            study = chosen_study(self.ledger, self.study_id, known_at=known_at)
            if known_at is not None:
                return read_study(self.ledger, study, known_at=known_at)
            # Of a long ledger only what is new is read.
            return self.state.latest.renewed(
                study, lambda before: read_on(before) if before else read_study(self.ledger, study)
            )

        return self.state.readings.get((head.hash, self.study_id, known_at), make)

    @cached_property
    def shown(self) -> Reading:
        """The same with no trace of what is marked above the level that may be shown."""
        reading, level = self.reading, self.settings.max_tlp
        if level is None:
            return reading
        return self.state.readings.get(
            (reading.head.hash, self.study_id, self.known_at, level), lambda: reading.within(level)
        )

    @cached_property
    def known_at(self) -> datetime | None:
        """The moment that the address asks for; None is the present."""
        text = self.asked("known_at")
        if text is None:
            return None
        moment = parse_moment(text)
        if moment.date() > self.today:
            raise _FutureError(f"{text} lies in the future (today is {self.today}, UTC)", where="known_at")
        return moment

    @cached_property
    def as_of(self) -> date:
        """The day that the address asks for; else the day of known-at, else today, within the study."""
        text = self.asked("as_of")
        if text is None:
            last = min(self.today, self.known_at.date()) if self.known_at else self.today
            return self.reading.default_as_of(last)
        day = parse_day(text)
        if day > self.today:
            raise _FutureError(f"{day} lies in the future (today is {self.today}, UTC)", where="as_of")
        return day

    def released(self, *, without: Sequence[str] | None = None, as_of: date | None = None) -> Released:
        """The outlook as of a day as it may be shown, through the handling gate; worked out once for all who ask."""
        reading, left_out, day = self.reading, tuple(self.without if without is None else without), as_of or self.as_of
        self.refuse_unseen(left_out, day)

        def make() -> Released:
            return self.gated(reading, day, left_out)

        return self.state.outlooks.get((reading.head.hash, self.study_id, self.known_at, day, left_out), make)

    def refuse_unseen(self, without: Sequence[str], as_of: date) -> None:
        """Raise where something is to be left out that is not shown, as where it is not there.

        Otherwise one could find out by guessing which sources, origins and entries are marked above the level; and
        where the gate refuses, by leaving out one after the other, from how many entries are left that it counts.
        """
        if self.settings.max_tlp is None or not without:
            return
        self.shown.refuse_unknown(without)
        if not self.settings.without_above:
            self.released(without=(), as_of=as_of)

    def flags(self) -> list[str]:
        """What a reader must know beside that outlook, one sentence each; worked out once for all who ask."""
        released = self.released()
        key = ("flags", self.reading.head.hash, self.study_id, self.known_at, self.as_of, self.without)
        return self.state.drawings.get(key, lambda: flags(released.outlook, known=released.flags))

    def gated(self, reading: Reading, day: date, without: Sequence[str] = ()) -> Released:
        """The outlook of any reading as it may be shown here, worked out anew."""
        settings = self.settings
        return reading.released(
            day,
            now=self.now,
            max_tlp=settings.max_tlp,
            without_above=settings.without_above,
            without=without,
            draws=settings.draws,
        )

    # How it is answered

    def address(self, page: str, /, **query: object) -> str:
        """The address of a page of this study: `address("board")`; None and empty values are left out."""
        return self.state.address(self.study_id, page, **query)

    def page(self, template: str, *, status: int = 200, **context: Any) -> Response:
        """A page drawn from a template, with the frame around it; or a part of one, where the template is a part."""
        return drawn_page(template, visit=self, status=status, **context)

    def see(self, address: str, notice: str = "") -> Response:
        """After something was written: the browser goes to an address, where the notice is told once."""
        if notice:
            self.session.notices.append(notice)
        return RedirectResponse(address, status_code=303)

    def notices(self) -> list[str]:
        """What is to be told on this page; told once."""
        told, self.session.notices = self.session.notices, []
        return told


View: TypeAlias = Callable[[Visit], Response]


def reads(view: View, *, role: str = "reader", is_slow: bool = False) -> Endpoint:
    """An endpoint for GET of a view that writes nothing; one that takes seconds leaves the threads of pages alone."""

    async def endpoint(request: Request) -> Response:
        state, name = state_of(request), _asking(request)
        if name is None:
            return _sent_to_sign_in(state, request)
        if is_slow:
            return await _made(view, request, role, name)
        async with state.lines.of(name):
            if await request.is_disconnected():
                raise ClientDisconnect  # nobody is there any more for whom it would be worked out
            return await run_in_threadpool(_answered, view, request, FormData(), role)

    return endpoint


async def _made(view: View, request: Request, role: str, name: str) -> Response:
    """The answer of a view that takes seconds; nobody holds up everybody else by asking for hundreds of them."""
    state, loop = state_of(request), asyncio.get_running_loop()
    try:
        with state.in_hand.one_more(name):
            return await loop.run_in_executor(state.makers, _answered, view, request, FormData(), role)
    except TooMuchInHandError:
        raise Refused(429, "too much is being made for you at once; wait until some of it is there") from None


def writes(view: View, *, role: str = "analyst") -> Endpoint:
    """An endpoint for POST of a view that may write, for those whose role allows it."""

    async def endpoint(request: Request) -> Response:
        state, name = state_of(request), _asking(request)
        if name is None:
            return _sent_to_sign_in(state, request)
        posted = request.form(max_files=0, max_fields=MOST_FIELDS, max_part_size=1_000_000)
        async with posted as form, state.lines.of(name):
            return await run_in_threadpool(_answered, view, request, form, role)

    return endpoint


def _asking(request: Request) -> str | None:
    """Who asks, as far as can be told without the ledger; None for somebody who is not signed in."""
    state = state_of(request)
    session = state.sessions.found(request.cookies.get(cookie_of(request)), state.settings.clock())
    return session.person.name if session else None


def entering(state: State, request: Request, person: Person, now: datetime, *, address: str = "/") -> Response:
    """The answer that begins a person's session; one that the browser had before ends."""
    cookie, is_secure = cookie_of(request), is_over_tls(request)
    state.sessions.end(request.cookies.get(cookie))
    answer = RedirectResponse(address, status_code=303)
    token = state.sessions.begin(person, now)
    answer.set_cookie(cookie, token, httponly=True, samesite="strict", path="/", secure=is_secure)
    return answer


def is_over_tls(request: Request) -> bool:
    """Whether a browser reaches the server over TLS: elsewhere than on its own machine, only then it tells the site."""
    return "sec-fetch-site" in request.headers and PORT.sub("", request.headers["host"].lower()) not in LOOPBACK


def cookie_of(request: Request) -> str:
    """The name of the session's cookie; over TLS, one that no other server of the same domain can set."""
    return f"__Host-{COOKIE}" if is_over_tls(request) else COOKIE


def _answered(view: View, request: Request, form: FormData, role: str) -> Response:
    state = state_of(request)
    now = state.settings.clock()
    session = state.session(request.cookies.get(cookie_of(request)), now)
    if session is None:
        return _sent_to_sign_in(state, request)
    visit = Visit(request, state, session, form, now)
    try:
        if not visit.may(role):
            raise NotAllowedError(visit.person, role, read_only=visit.settings.read_only)
        if request.method == "POST" and not state.writes.allows(visit.person.name, now):
            raise HTTPException(429)
        return view(visit)
    except WatchfloorError as error:
        status, has_study = _status(error), "study" in request.path_params and not isinstance(error, UnknownStudyError)
        return visit.page("error.html", status=status, lines=_lines(error), has_study=has_study)
    except HTTPException:
        raise
    except Exception as error:
        note_fault(error)
        raise HTTPException(500) from None
    finally:
        visit.close()


def _sent_to_sign_in(state: State, request: Request) -> Response:
    if request.headers.get("hx-request") == "true":
        # The script would put the sign-in page into the page; it is told to go there instead.
        return HTMLResponse("", status_code=401, headers={"HX-Redirect": "/sign-in"})
    return RedirectResponse("/sign-in", status_code=303)


def _status(error: WatchfloorError) -> int:
    if isinstance(error, UnknownStudyError | NoStudyError | ChooseStudyError | UnknownEntryError):
        return 404
    if isinstance(error, NotAllowedError | StrictStudyError):
        return 403
    return 422


def _lines(error: WatchfloorError) -> Sequence[str]:
    lines: Sequence[str] = getattr(error, "lines", [str(error)])
    return lines


Context: TypeAlias = Mapping[str, Any]
