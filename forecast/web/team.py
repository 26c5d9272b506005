"""Page team: one's own password; for leads, who may sign in and as what.

Whatever changes an account ends its sessions, so that nobody goes on with what they no longer may. Passwords are never
shown, not even in a form that is refused.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from forecast.web.blind import ROUTES as BLIND
from forecast.web.paging import paged
from forecast.web.refusals import Refusal
from forecast.web.visit import NotAllowedError, Visit, entering, reads, writes
from indicators.accounts import ROLES, SHORTEST_PASSWORD, AccountError, BadPasswordError, UnknownRoleError

__all__ = ["ROUTES"]

OWN = "\0old"
"""What tries of one's own old password are counted by, behind the name."""


def page(visit: Visit) -> Response:
    """Accounts, and what one may do with them."""
    return _page(visit)


def change_password(visit: Visit) -> Response:
    """Give oneself another password; the other sessions of the account end, and this one goes on under a new token."""
    refusal, person = Refusal(), visit.person
    if visit.settings.read_only or not person.has_account:
        raise NotAllowedError(person, "reader", read_only=visit.settings.read_only)
    # Apart from tries to sign in, so that strangers who try her name do not keep its owner from this.
    tries = f"{person.name} {OWN}"
    if not visit.state.sign_ins.allows(tries, visit.now):
        refusal.add("old", "too many tries", "wait five minutes")
        return _page(visit, status=429, own=refusal)
    with visit.state.hashing:
        is_theirs = visit.accounts.checked(person.name, _secret(visit, "old")) is not None
    if not is_theirs:
        refusal.add("old", "this is not your password", "type the one you signed in with")
        return _page(visit, status=422, own=refusal)
    _set_password(visit, person.name, refusal)
    if refusal:
        return _page(visit, status=422, own=refusal)
    visit.state.sign_ins.forget(tries)
    visit.state.sessions.end_all_of(person.name)
    # Read anew: the session begins after the password was set.
    now = visit.settings.clock()
    return entering(visit.state, visit.request, person, now, address=visit.address("team", said="password"))


def add(visit: Visit) -> Response:
    """Make an account; the first one is a lead's, or nobody could look after the others."""
    refusal, name, role = Refusal(), visit.field("name"), visit.field("role")
    if _differ(visit):
        refusal.add("again", "the two passwords differ", "type the same one twice")
    if role != "lead" and not visit.accounts.accounts():
        refusal.add("role", "the first account must be a lead", "make yourself a lead, then add the others")
    if not refusal:
        try:
            with visit.state.hashing:
                made = visit.accounts.add(name, role, _secret(visit, "password"))
            return visit.see(visit.address("team"), f"{made.name} may sign in as {_a(made.role)}.")
        except AccountError as error:
            refusal.add(_field_of(error), error.what, _mend(error))
    return _page(visit, status=422, new=refusal, typed={"name": name, "role": role})


def set_role(visit: Visit) -> Response:
    """Give an account another role."""
    name, role = _named(visit), visit.field("role")
    return _changed(visit, name, lambda: visit.accounts.set_role(name, role), f"{name} is {_a(role)} now.")


def close(visit: Visit) -> Response:
    """Let somebody sign in no more."""
    name = _named(visit)
    return _changed(visit, name, lambda: visit.accounts.close_account(name), f"The account of {name} is closed.")


def reopen(visit: Visit) -> Response:
    """Let somebody sign in again."""
    name = _named(visit)
    return _changed(visit, name, lambda: visit.accounts.reopen(name), f"{name} may sign in again.")


def reset(visit: Visit) -> Response:
    """Give somebody another password, as when they forgot theirs."""
    name, refusal = _named(visit), Refusal()
    _set_password(visit, name, refusal)
    if refusal:
        return _page(visit, status=422, others=Refusal(others=refusal.lines))
    visit.state.sessions.end_all_of(name)
    return visit.see(visit.address("team"), f"{name} has another password, and must sign in with it.")


def _named(visit: Visit) -> str:
    """The account that a form is about, under the name that it has; what was typed where there is none."""
    name = visit.field("name")
    account = visit.accounts.account(name)
    return account.name if account else name


def _changed(visit: Visit, name: str, change: Any, told: str) -> Response:
    try:
        change()
    except AccountError as error:
        return _page(visit, status=422, others=Refusal(others=[_sentence(error)]))
    visit.state.sessions.end_all_of(name)
    return visit.see(visit.address("team"), told)


def _set_password(visit: Visit, name: str, refusal: Refusal) -> None:
    if _differ(visit):
        refusal.add("again", "the two passwords differ", "type the same one twice")
        return
    try:
        with visit.state.hashing:
            visit.accounts.set_password(name, _secret(visit, "password"))
    except AccountError as error:
        refusal.add("password", error.what, error.mend)


def _differ(visit: Visit) -> bool:
    return _secret(visit, "password") != _secret(visit, "again")


def _secret(visit: Visit, name: str) -> str:
    """A password as it was typed, blanks and all."""
    value = visit.form.get(name, "")
    return value if isinstance(value, str) else ""


def _field_of(error: AccountError) -> str:
    if isinstance(error, BadPasswordError):
        return "password"
    return "role" if isinstance(error, UnknownRoleError) else "name"


def _sentence(error: AccountError) -> str:
    mend = _mend(error)
    return f"{error.what}; {mend}" if mend else error.what


def _mend(error: AccountError) -> str:
    """What to do about it here; where the error names a command, this page does the same."""
    return error.mend.partition(", with forecast ")[0].partition(" with forecast ")[0]


def _a(role: str) -> str:
    return f"an {role}" if role[:1] in "aeiou" else f"a {role}"


def _page(visit: Visit, *, status: int = 200, **told: Any) -> Response:
    given: dict[str, Any] = {
        "typed": {"name": "", "role": "analyst"},
        "own": Refusal(),
        "new": Refusal(),
        "others": Refusal(),
    } | told
    everybody = visit.accounts.accounts()
    shown, place = paged(everybody, visit.asked("page"))
    return visit.page(
        "team.html",
        page="team",
        status=status,
        accounts=shown if visit.may("lead") else [],
        has_accounts=bool(everybody),
        place=place,
        roles=ROLES,
        shortest=SHORTEST_PASSWORD,
        said="Your password is changed. Other browsers that you were signed in with are signed out."
        if visit.asked("said") == "password"
        else "",
        **given,
    )


ROUTES = [
    Route("/s/{study}/team", reads(page), methods=["GET"]),
    Route("/s/{study}/team/password", writes(change_password, role="reader"), methods=["POST"]),
    Route("/s/{study}/team/add", writes(add, role="lead"), methods=["POST"]),
    Route("/s/{study}/team/role", writes(set_role, role="lead"), methods=["POST"]),
    Route("/s/{study}/team/close", writes(close, role="lead"), methods=["POST"]),
    Route("/s/{study}/team/reopen", writes(reopen, role="lead"), methods=["POST"]),
    Route("/s/{study}/team/reset", writes(reset, role="lead"), methods=["POST"]),
    *BLIND,
]
