"""Accounts in a browser: who may look after them, what is refused, and which sessions end."""

from __future__ import annotations

import html
from contextlib import closing
from typing import Any

import pytest
from starlette.testclient import TestClient

from forecast.web.known import KnownBrowsers
from forecast.web.sessions import Person
from forecast.web.visit import COOKIE
from indicators.opening import open_accounts
from indicators.password import Argon2id
from tests.web import NOW, Site, opened_site, site

__all__ = ["enter", "site", "with_accounts"]

SECRET = "a plain long sentence"
CHEAP = Argon2id(passes=1, memory=8, lanes=1)


def with_accounts(site: Site, **roles: str) -> None:
    """Make accounts beside the server, all with the same password."""
    with closing(open_accounts(site.path, clock=lambda: NOW, hashing=CHEAP)) as accounts:
        for name, role in roles.items():
            accounts.add(name, role, SECRET)


def enter(site: Site, name: str, role: str) -> TestClient:
    """A browser in which somebody with an account is signed in."""
    client = site.others()
    client.cookies.set(COOKIE, site.state.sessions.begin(Person(name, role, has_account=True), NOW))
    return client


def is_in(client: TestClient) -> bool:
    return client.get("/s/port/team").status_code == 200


def post(client: TestClient, page: str, status: int, **fields: Any) -> str:
    answer = client.post(f"/s/port/{page}", data=fields)
    assert answer.status_code == status, answer.text
    return html.unescape(answer.text)


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords of the server under test cost next to nothing to hash."""
    monkeypatch.setattr("indicators.password.Argon2id", lambda: CHEAP)


def test_the_first_account_is_a_leads_and_the_token_session_goes_on(site: Site) -> None:
    assert "There are no accounts yet" in site.get("team")
    page = post(site.client, "team/add", 422, name="bo", role="analyst", password=SECRET, again=SECRET)
    assert "the first account must be a lead" in page
    post(site.client, "team/add", 303, name="bo", role="lead", password=SECRET, again=SECRET)
    page = site.get("team")
    assert "bo may sign in as a lead." in page
    assert "There are no accounts yet" not in page
    signed = site.others().post("/sign-in", data={"name": "bo", "password": SECRET})
    assert (signed.status_code, signed.headers["location"]) == (303, "/")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"again": "another sentence here"}, "the two passwords differ"),
        ({"password": "short", "again": "short"}, "the password has 5 characters"),
        ({"name": "Eve"}, 'the name "Eve" is taken'),
        ({"name": " "}, "is no name for an account"),
        ({"role": "king"}, '"king" is not a role'),
    ],
)
def test_an_account_that_cannot_be_is_refused_and_its_password_not_shown(
    site: Site, fields: dict[str, str], said: str
) -> None:
    with_accounts(site, Eve="lead")
    given = {"name": "bo", "role": "analyst", "password": SECRET, "again": SECRET} | fields
    page = post(site.client, "team/add", 422, **given)
    assert said in page
    assert SECRET not in page
    assert "with forecast account" not in page


def test_only_leads_see_and_change_accounts(site: Site) -> None:
    with_accounts(site, eve="lead", bo="analyst", ria="reader")
    for name, role in (("bo", "analyst"), ("ria", "reader")):
        client = enter(site, name, role)
        page = client.get("/s/port/team").text
        assert "Accounts</h2>" not in page
        assert 'value="eve"' not in page
        assert "The one you have" in page
        for action in ("add", "role", "close", "reopen", "reset"):
            post(client, f"team/{action}", 403, name="eve", role="reader", password=SECRET, again=SECRET)


def test_a_change_of_an_account_ends_its_sessions(site: Site) -> None:
    with_accounts(site, eve="lead", bo="analyst")
    lead = enter(site, "eve", "lead")
    changes: tuple[tuple[str, dict[str, str]], ...] = (
        ("role", {"role": "reader"}),
        ("close", {}),
        ("reopen", {}),
        ("reset", {"password": SECRET + "!", "again": SECRET + "!"}),
    )
    for action, fields in changes:
        client = enter(site, "bo", "analyst")
        assert is_in(client)
        post(lead, f"team/{action}", 303, name="bo", **fields)
        assert not is_in(client), action
        assert is_in(lead)


def test_the_last_lead_stays(site: Site) -> None:
    with_accounts(site, eve="lead", bo="analyst")
    lead = enter(site, "eve", "lead")
    assert "is the last lead" in post(lead, "team/close", 422, name="eve")
    assert "is the last lead" in post(lead, "team/role", 422, name="eve", role="reader")
    assert 'there is no account "nobody"' in post(lead, "team/close", 422, name="nobody")


def test_ones_own_password_is_changed_with_the_old_one_and_other_sessions_end(site: Site) -> None:
    with_accounts(site, eve="lead", ria="reader")
    here, there = enter(site, "ria", "reader"), enter(site, "ria", "reader")
    new = {"password": "another long sentence", "again": "another long sentence"}
    assert "this is not your password" in post(here, "team/password", 422, old="wrong", **new)
    assert "the two passwords differ" in post(here, "team/password", 422, old=SECRET, password="x", again="y")
    before = here.cookies[COOKIE]
    answer = here.post("/s/port/team/password", data={"old": SECRET, **new})
    assert answer.headers["location"] == "/s/port/team?said=password"
    fresh = site.others()
    fresh.cookies.set(COOKIE, answer.cookies[COOKIE])
    assert is_in(fresh)
    assert not is_in(there)
    assert answer.cookies[COOKIE] != before
    with closing(open_accounts(site.path, clock=lambda: NOW, hashing=CHEAP)) as accounts:
        assert accounts.checked("ria", "another long sentence")


def test_tries_at_the_old_password_are_counted(site: Site) -> None:
    with_accounts(site, ria="lead")
    client = enter(site, "ria", "lead")
    for _ in range(8):
        post(client, "team/password", 422, old="wrong", password=SECRET, again=SECRET)
    assert "too many tries" in post(client, "team/password", 429, old=SECRET, password=SECRET, again=SECRET)


def test_a_server_that_is_read_only_changes_no_password(tmp_path: Any) -> None:
    found = opened_site(tmp_path, read_only=True)
    with_accounts(found, ria="lead")
    post(enter(found, "ria", "lead"), "team/password", 403, old=SECRET, password=SECRET, again=SECRET)
    post(enter(found, "ria", "lead"), "team/add", 403, name="x", role="lead", password=SECRET, again=SECRET)


def test_the_token_has_no_password(site: Site) -> None:
    post(site.client, "team/password", 403, old=SECRET, password=SECRET, again=SECRET)


def test_a_wrong_password_is_asked_for_again_with_the_name_kept(site: Site) -> None:
    with_accounts(site, bo="analyst")
    answer = site.others().post("/sign-in", data={"name": '"bo"', "password": "not the one it is"})
    assert answer.status_code == 403 and 'name="name" value="&#34;bo&#34;"' in answer.text
    assert "not the one it is" not in answer.text


def test_strangers_do_not_keep_out_who_has_signed_in_before(site: Site) -> None:
    with_accounts(site, lee="lead", ana="analyst")
    own, right = site.others(), {"name": "ana", "password": SECRET}
    assert own.post("/sign-in", data=right).status_code == 303
    for n in range(70):
        site.others().post("/sign-in", data={"name": "ana" if n < 8 else f"n{n}", "password": "a guess"})
    assert site.others().post("/sign-in", data=right).status_code == 429
    assert own.post("/sign-in", data=right).status_code == 303
    assert own.post("/sign-in", data={"name": "lee", "password": SECRET}).status_code == 429
    guesses = [own.post("/sign-in", data={"name": "ana", "password": f"guess {n}"}).status_code for n in range(10)]
    assert guesses == [403] * 8 + [429] * 2


@pytest.mark.parametrize("mark", ["", ".", "a.b", "a", "é.é", "a." + "0" * 64])
def test_a_mark_that_is_none_of_ours_is_unknown(mark: str) -> None:
    browsers = KnownBrowsers()
    assert browsers.known(mark, "ana") is None
    assert browsers.known(KnownBrowsers().mark("ana"), "ana") is None
    assert browsers.known(browsers.mark("ana"), "an") is None
    assert browsers.known(browsers.mark("ana"), "ana") is not None


def test_tries_to_sign_in_do_not_keep_the_owner_from_changing_the_password(site: Site) -> None:
    with_accounts(site, lee="lead")
    lee = enter(site, "lee", "lead")
    for n in range(9):
        site.others().post("/sign-in", data={"name": "lee", "password": f"guess {n}"})
    post(lee, "team/password", 303, old=SECRET, password=SECRET + "!", again=SECRET + "!")


@pytest.mark.parametrize("name", ["ana", "ANA", " ana ", "\uff41na"])
def test_a_name_has_its_tries_however_it_is_typed(site: Site, name: str) -> None:
    tries = [site.others().post("/sign-in", data={"name": "ana", "password": "a guess"}) for _ in range(8)]
    assert {answer.status_code for answer in tries} == {403}
    assert site.others().post("/sign-in", data={"name": name, "password": "a guess"}).status_code == 429
