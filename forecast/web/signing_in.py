"""Coming and going: the one-time token, names and passwords, signing out."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from forecast.web.page import drawn_page
from forecast.web.sessions import Person
from forecast.web.state import State, state_of
from forecast.web.visit import COOKIE, entering
from indicators.accounts import Account

__all__ = ["ROUTES"]

EVERYBODY = "\0"


async def enter(request: Request) -> Response:
    """Let the browser in that has the token which the server printed; it works once."""
    state = state_of(request)
    now = state.settings.clock()
    if not state.sign_ins.allows(EVERYBODY, now):
        return await _refused(state, 429, "too many tries; wait a few minutes")
    person = await run_in_threadpool(state.person_of_token, request.query_params.get("token", ""))
    if person is None:
        return await _refused(state, 403, "this address has been used, or is not the one that the server printed")
    return entering(state, request, person, now)


async def sign_in_page(request: Request) -> Response:
    """The form; or, while there are no accounts, where the address is that lets in."""
    state = state_of(request)
    return drawn_page("sign-in.html", has_accounts=await run_in_threadpool(state.has_accounts), refused="")


async def sign_in(request: Request) -> Response:
    """Begin a session for a name and its password."""
    state = state_of(request)
    now = state.settings.clock()
    async with request.form(max_files=0, max_fields=4, max_part_size=4_000) as form:
        name, password = str(form.get("name", "")).strip(), str(form.get("password", ""))
    if not (state.sign_ins.allows(name, now) and state.all_sign_ins.allows(EVERYBODY, now)):
        return await _refused(state, 429, "too many tries; wait five minutes")
    account = await run_in_threadpool(_checked, state, name, password)
    if account is None:
        return await _refused(state, 403, "no open account has this name and this password")
    state.sign_ins.forget(name)
    state.all_sign_ins.give_back(EVERYBODY)
    return entering(state, request, Person(account.name, account.role, has_account=True), now)


async def sign_out(request: Request) -> Response:
    """End the session."""
    state_of(request).sessions.end(request.cookies.get(COOKIE))
    answer = RedirectResponse("/sign-in", status_code=303)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict", path="/")
    answer.headers["clear-site-data"] = '"cache", "storage"'
    return answer


def _checked(state: State, name: str, password: str) -> Account | None:
    with state.hashing, state.accounts() as found:
        return found.checked(name, password)


async def _refused(state: State, status: int, why: str) -> Response:
    has_accounts = await run_in_threadpool(state.has_accounts)
    return drawn_page("sign-in.html", status=status, has_accounts=has_accounts, refused=why)


ROUTES = [
    Route("/enter", enter, methods=["GET"]),
    Route("/sign-in", sign_in_page, methods=["GET"]),
    Route("/sign-in", sign_in, methods=["POST"]),
    Route("/sign-out", sign_out, methods=["POST"]),
]
