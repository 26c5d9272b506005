"""Coming and going: the one-time token, names and passwords, signing out."""

from __future__ import annotations

from datetime import datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from forecast.web.known import KNOWN
from forecast.web.page import drawn_page
from forecast.web.sessions import Person
from forecast.web.state import State, state_of
from forecast.web.visit import cookie_of, entering, is_over_tls
from indicators.accounts import LONGEST_NAME, Account, folded_name

__all__ = ["ROUTES"]

EVERYBODY = "\0"
MARKED = 90 * 24 * 3600
"""In seconds, how long a browser keeps the mark by which it is known."""


async def enter(request: Request) -> Response:
    """Let the browser in that has the token which the server printed; it works once."""
    state = state_of(request)
    # Tries are not counted: nobody guesses 256 bits, and a foreign page could use them up for whoever has the token.
    person = await run_in_threadpool(state.person_of_token, request.query_params.get("token", ""))
    if person is None:
        return await _refused(state, 403, "this address has been used, or is not the one that the server printed")
    return entering(state, request, person, state.settings.clock())


async def sign_in_page(request: Request) -> Response:
    """The form; or, while there are no accounts, where the address is that lets in."""
    state = state_of(request)
    return drawn_page("sign-in.html", has_accounts=await run_in_threadpool(state.has_accounts), refused="", name="")


async def sign_in(request: Request) -> Response:
    """Begin a session for a name and its password."""
    state = state_of(request)
    now = state.settings.clock()
    async with request.form(max_files=0, max_fields=4, max_part_size=4_000) as form:
        name, password = str(form.get("name", "")).strip(), str(form.get("password", ""))
    # One count for the account, however its name is typed.
    counted = folded_name(name[: LONGEST_NAME + 1])
    known = state.known.known(request.cookies.get(KNOWN), counted)
    if not _may_try(state, counted, known, now):
        return await _refused(state, 429, "too many tries; wait five minutes", name)
    account = await run_in_threadpool(_checked, state, name, password)
    if account is None:
        return await _refused(state, 403, "no open account has this name and this password", name)
    state.sign_ins.forget(known or counted)
    if known is None:
        state.all_sign_ins.give_back(EVERYBODY)
    answer = entering(state, request, Person(account.name, account.role, has_account=True), now)
    mark, is_secure = state.known.mark(counted), is_over_tls(request)
    answer.set_cookie(KNOWN, mark, MARKED, httponly=True, samesite="strict", path="/sign-in", secure=is_secure)
    return answer


async def sign_out(request: Request) -> Response:
    """End the session."""
    state_of(request).sessions.end(request.cookies.get(cookie_of(request)))
    answer = RedirectResponse("/sign-in", status_code=303)
    answer.delete_cookie(cookie_of(request), httponly=True, samesite="strict", path="/", secure=is_over_tls(request))
    answer.headers["clear-site-data"] = '"cache", "storage"'
    return answer


def _may_try(state: State, counted: str, known: str | None, now: datetime) -> bool:
    """Whether one more try is allowed; strangers share what there is for all of them, known browsers do not."""
    if known is not None:
        return state.sign_ins.allows(known, now)
    if not state.all_sign_ins.allows(EVERYBODY, now):
        return False
    is_allowed = state.sign_ins.allows(counted, now)
    if not is_allowed:
        state.all_sign_ins.give_back(EVERYBODY)
    return is_allowed


def _checked(state: State, name: str, password: str) -> Account | None:
    with state.hashing, state.accounts() as found:
        return found.checked(name, password)


async def _refused(state: State, status: int, why: str, name: str = "") -> Response:
    has_accounts = await run_in_threadpool(state.has_accounts)
    return drawn_page("sign-in.html", status=status, has_accounts=has_accounts, refused=why, name=name)


ROUTES = [
    Route("/enter", enter, methods=["GET"]),
    Route("/sign-in", sign_in_page, methods=["GET"]),
    Route("/sign-in", sign_in, methods=["POST"]),
    Route("/sign-out", sign_out, methods=["POST"]),
]
