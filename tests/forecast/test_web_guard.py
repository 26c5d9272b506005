"""What every request must hold, whoever sends it, and what every answer says to the browser."""

from __future__ import annotations

import itertools
import re
from contextlib import ExitStack
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import Route
from starlette.testclient import TestClient
from uvicorn import Config
from uvicorn.server import ServerState

from forecast.web.app import create_app
from forecast.web.guard import LARGEST_BODY, POLICY
from forecast.web.sessions import IDLE, WHOLE, Person, Sessions
from forecast.web.settings import Settings
from forecast.web.shelf import Shelf
from forecast.web.state import MOST_DOCUMENTS
from forecast.web.throttle import InLine, Throttle
from forecast.web.timed import SLOWEST_REQUEST, TimedRequests
from tests.small import steady
from tests.strategies import AWKWARD
from tests.web import HOST, NOW, Site, opened_site, site

__all__ = ["site"]


def bare(site: Site, **headers: str) -> TestClient:
    """A client with only these headers besides the signed-in one's cookie."""
    return TestClient(
        site.client.app, base_url=f"http://{HOST}", headers=headers, cookies=site.client.cookies, follow_redirects=False
    )


def is_in(client: TestClient) -> bool:
    """Whether a browser is signed in."""
    return str(client.get("/").headers["location"]) != "/sign-in"


# Names and origins


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8765", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:8765.evil.example", "", "[::1]"],
)
def test_a_foreign_name_for_this_machine_is_refused(site: Site, host: str) -> None:
    answer = site.client.get("/s/port/board", headers={"host": host})
    assert (answer.status_code, answer.text) == (
        400,
        "this server does not go by that name; use the address it printed\n",
    )


def test_two_hosts_are_refused(site: Site) -> None:
    answer = site.client.get("/", headers=[("host", HOST), ("host", "evil.example")])
    assert answer.status_code == 400


def test_a_forwarded_name_counts_for_nothing(site: Site) -> None:
    answer = site.client.get("/", headers={"x-forwarded-host": "evil.example", "forwarded": "host=evil.example"})
    assert "evil" not in answer.headers["location"]


@pytest.mark.parametrize(
    ("headers", "is_ours"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"origin": f"http://{HOST}"}, True),
        ({"sec-fetch-site": "same-origin", "origin": f"http://{HOST}"}, True),
        ({}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": ""}, False),
        ({"origin": "http://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://127.0.0.1:8766"}, False),
        ({"sec-fetch-site": "same-origin", "origin": "http://evil.example"}, False),
        ({"sec-fetch-site": "cross-site", "origin": f"http://{HOST}"}, False),
    ],
)
def test_only_our_own_pages_post(site: Site, headers: dict[str, str], is_ours: bool) -> None:
    answer = bare(site, **headers).post("/sign-out")
    assert answer.status_code == (303 if is_ours else 403)
    assert is_ours or "did not come from a page of this server" in answer.text
    assert is_in(bare(site)) is not is_ours


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND"])
def test_other_methods_are_refused(site: Site, method: str) -> None:
    assert site.client.request(method, "/").status_code == 405


def test_a_method_is_not_overridden(site: Site) -> None:
    site.client.get("/sign-out", headers={"x-http-method-override": "POST"})
    assert is_in(site.client)


# Sizes


def test_a_large_body_is_refused_by_what_it_says_and_by_what_it_is(site: Site) -> None:
    assert site.client.post("/sign-in", content=b"x" * (LARGEST_BODY + 1)).status_code == 413

    def drops() -> Any:
        for _ in range(LARGEST_BODY // 1000 + 1):
            yield b"x" * 1000

    kind = {"content-type": "application/x-www-form-urlencoded"}
    answer = site.client.post("/sign-in", content=drops(), headers=kind)
    assert answer.status_code == 413 and "he request is larger than 1 MB" in answer.text


@pytest.mark.parametrize("length", ["-1", "1e9", "ten", " "])
def test_a_length_that_is_none_is_refused(site: Site, length: str) -> None:
    assert site.client.post("/sign-in", headers={"content-length": length}, content=b"").status_code == 413


def test_many_fields_and_files_are_refused(site: Site) -> None:
    form = "&".join(f"f{n}=1" for n in range(2000))
    kind = {"content-type": "application/x-www-form-urlencoded"}
    assert site.client.post("/s/port/log", content=form, headers=kind).status_code == 400
    assert site.client.post("/s/port/log", files={"f": ("../../x", b"x")}).status_code == 400


def test_a_long_address_is_refused(site: Site) -> None:
    assert site.client.get("/s/port/board?without=" + "x" * 9000).status_code == 414


def told(site: Site, receive: Any, path: str = "/sign-in", **headers: str) -> list[Any]:
    """What is sent to somebody who posts with these headers and a body of their own."""
    said: list[Any] = []

    async def send(message: Any) -> None:
        said.append(message)

    kind = {"content-type": "application/x-www-form-urlencoded"}
    given = (
        {"host": HOST, "sec-fetch-site": "same-origin"} | kind | {k.replace("_", "-"): v for k, v in headers.items()}
    )
    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b""}
    raw = [(name.encode(), value.encode()) for name, value in given.items()]
    anyio.run(site.client.app, {**scope, "headers": raw}, receive, send)
    return said


async def _never() -> Any:
    await anyio.sleep_forever()


async def _drip() -> Any:
    await anyio.lowlevel.checkpoint()
    return {"type": "http.request", "body": b"", "more_body": True}


async def _gone() -> Any:
    return {"type": "http.disconnect"}


@pytest.mark.parametrize("slowly", [_never, _drip])
def test_a_body_that_does_not_come_to_its_end_is_let_go(
    site: Site, monkeypatch: pytest.MonkeyPatch, slowly: Any
) -> None:
    monkeypatch.setattr("forecast.web.guard.SLOWEST_BODY", 0.01)
    assert told(site, slowly, content_length="9")[0]["status"] == 408


def test_a_length_told_in_two_ways_is_refused_and_the_connection_closed(site: Site) -> None:
    start = told(site, _never, content_length="3", transfer_encoding="chunked")[0]
    assert start["status"] == 400 and (b"connection", b"close") in start["headers"]


@pytest.mark.parametrize("letters", ["utf-7", "unicode_escape", "undefined", "idna", "latin-1", '"UTF-16"'])
def test_a_form_in_other_letters_is_refused(site: Site, letters: str) -> None:
    kind = {"content-type": f"multipart/form-data; boundary=x; charset={letters}"}
    answer = site.client.post("/s/port/log", headers=kind, content=b"--x--\r\n")
    assert (answer.status_code, answer.text) == (415, "a form has to be in UTF-8\n")


def test_who_leaves_before_the_end_leaves_nothing_in_the_log(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    assert told(site, _gone, content_length="9") == []
    assert caplog.records == []


class Wire:
    """A connection and its loop, as far as a protocol looks at them: who would close it, and whether they still may."""

    def __init__(self) -> None:
        self.due: list[Any] = []

    def call_later(self, seconds: float, act: Any) -> Any:
        timer: Any = SimpleNamespace(seconds=seconds, act=act)
        timer.cancel = lambda: self.due.remove(timer)
        self.due.append(timer)
        return timer

    def create_task(self, work: Any, **_: Any) -> Any:
        work.close()
        return self

    def add_done_callback(self, done: Any) -> None:
        pass

    def get_extra_info(self, name: str) -> None:
        return None

    def write(self, data: bytes) -> None:
        raise AssertionError(data)

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("sent", "is_timed"),
    [
        ((), True),
        ((b"GET / HTTP/1.1\r\nHost: x\r\nX: ", b"a", b"a"), True),
        ((b"GET / HTTP/1.1\r\nHost: x\r\n", b"\r\n"), False),
        ((b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n", b"a"), True),
        ((b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n", b"a", b"bc"), False),
    ],
)
def test_a_request_that_does_not_end_is_let_go(site: Site, sent: tuple[bytes, ...], is_timed: bool) -> None:
    wire: Any = Wire()
    line = TimedRequests(Config(site.client.app), ServerState(), {}, wire)
    line.connection_made(wire)
    first = list(wire.due)
    for part in sent:
        line.data_received(part)
    assert [timer.seconds for timer in wire.due] == [SLOWEST_REQUEST] * is_timed
    assert not is_timed or wire.due == first  # a byte more wins no time
    line.connection_lost(None)
    assert wire.due == []


# What answers say


def addresses(site: Site) -> list[str]:
    """Every address that can be asked for."""
    paths = [route.path for route in site.client.app.routes if isinstance(route, Route)]  # type: ignore[attr-defined]
    return [re.sub(r"\{study\}", "port", re.sub(r"\{(?!study)\w+(:\w+)?\}", "e2", path)) for path in paths]


def test_every_answer_has_the_policy_and_is_kept_by_nobody(site: Site) -> None:
    for address in [*addresses(site), "/nowhere", "/static/nothing", "/s/other/board"]:
        answer = site.client.get(address)
        assert answer.status_code < 500, address
        policy = answer.headers["content-security-policy"]
        assert policy == POLICY or ("default-src 'none'" in policy and "script" not in policy), address
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store", address
        assert "access-control-allow-origin" not in answer.headers
        assert "server" not in answer.headers
        if answer.headers.get("content-type", "").startswith("text/"):
            assert "charset=utf-8" in answer.headers["content-type"]


def test_nobody_sees_anything_without_a_session(site: Site) -> None:
    stranger = site.others()
    for address in addresses(site):
        if address.startswith(("/static", "/sign-in", "/enter")):
            continue
        for answer in (stranger.get(address), stranger.post(address)):
            assert answer.status_code in (303, 405), address
            assert answer.headers.get("location", "/sign-in") == "/sign-in"
            assert "The port" not in answer.text
    answer = stranger.get("/s/port/board", headers={"hx-request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/sign-in")


def test_templates_leave_nothing_unescaped_and_nothing_inline() -> None:
    folder = files("forecast.web").joinpath("templates")
    for template in folder.iterdir():
        text = template.read_text(encoding="utf-8")
        for sign in ("| safe", "|safe", "Markup", " style=", "<style", "javascript:", "hx-on", "hx-vals='js"):
            assert sign not in text, (template.name, sign)
        assert not re.search(r"\son[a-z]+\s*=", text), template.name
        assert not re.search(r"<script(?![^>]*\ssrc=)", text), template.name
        assert not re.search(r"\{%-?\s*autoescape", text), template.name
    rooms = Path(str(files("forecast.web"))).glob("*.py")
    for room in rooms:
        assert not re.search(r"""f["'][^"'\n]*</?[a-z]+[ >]""", room.read_text(encoding="utf-8")), room.name


def test_a_fault_outside_a_page_is_told_and_logged_without_what_anybody_wrote(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails() -> bool:
        raise RuntimeError("a text of somebody")

    monkeypatch.setattr(site.state, "has_accounts", fails)
    answer = site.others().get("/sign-in")
    assert (answer.status_code, answer.text) == (500, "a fault of this program\n")
    assert answer.headers["content-security-policy"] == POLICY
    assert "RuntimeError in fails" in caplog.text and "somebody" not in caplog.text


# Sessions and tries


def test_the_token_lets_one_browser_in_once(tmp_path: Path) -> None:
    site = opened_site(tmp_path)
    again = site.others().get("/enter", params={"token": "let-me-in"})
    assert again.status_code == 403 and "has been used" in again.text
    assert "set-cookie" not in again.headers
    assert site.others().get("/enter", params={"token": "other"}).status_code == 403


def test_the_cookie_is_for_this_server_alone(tmp_path: Path) -> None:
    site = opened_site(tmp_path)
    app = create_app(Settings(address=site.path, clock=lambda: NOW, author="a", hosts=frozenset({HOST}), token="t"))
    answer = TestClient(app, base_url=f"http://{HOST}", follow_redirects=False).get("/enter?token=t")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie and "domain" not in cookie
    assert len(cookie.split("=")[1].split(";")[0]) >= 43  # 256 bits


def test_wrong_tokens_do_not_use_up_the_tries_of_whoever_has_the_right_one(tmp_path: Path) -> None:
    site = opened_site(tmp_path)
    app = create_app(Settings(address=site.path, clock=lambda: NOW, author="a", hosts=frozenset({HOST}), token="t"))
    client = TestClient(app, base_url=f"http://{HOST}", follow_redirects=False)
    assert {client.get(f"/enter?token={n}").status_code for n in range(99)} == {403}
    assert client.get("/enter?token=t").status_code == 303


def test_over_tls_the_cookie_goes_nowhere_else(tmp_path: Path) -> None:
    site, name = opened_site(tmp_path), "floor.example"
    app = create_app(Settings(address=site.path, clock=lambda: NOW, author="a", hosts=frozenset({name}), token="t"))
    client = TestClient(
        app, base_url=f"https://{name}", headers={"sec-fetch-site": "same-origin"}, follow_redirects=False
    )
    cookie = client.get("/enter?token=t").headers["set-cookie"].lower()
    assert cookie.startswith("__host-watchfloor=") and "; secure" in cookie and "path=/;" in cookie
    assert is_in(client)
    client.post("/sign-out")
    assert not is_in(client)


def test_signing_out_ends_the_session_itself(site: Site) -> None:
    thief = bare(site)
    site.client.post("/sign-out")
    assert not is_in(thief)


def test_a_session_ends_of_itself() -> None:
    sessions, ana = Sessions(), Person("ana", "lead")
    second = timedelta(seconds=1)
    idle = sessions.begin(ana, NOW)
    assert sessions.found(idle, NOW + IDLE)
    assert sessions.found(idle, NOW + 2 * IDLE)
    assert not sessions.found(idle, NOW + 3 * IDLE + second)
    busy, moment = sessions.begin(ana, NOW), NOW
    while moment < NOW + WHOLE:
        assert sessions.found(busy, moment)
        moment += IDLE
    assert not sessions.found(busy, NOW + WHOLE + second)
    assert not sessions.found("", NOW) and not sessions.found(None, NOW)


def test_there_are_never_more_sessions_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forecast.web.sessions.MOST", 3)
    sessions = Sessions()
    tokens = [sessions.begin(Person(f"p{n}", "reader"), NOW + timedelta(seconds=n)) for n in range(4)]
    assert [sessions.found(token, NOW + timedelta(seconds=9)) is not None for token in tokens] == [
        False,
        True,
        True,
        True,
    ]


def test_tries_are_counted_in_a_span_that_moves() -> None:
    throttle, minute = Throttle(most=2, within=timedelta(minutes=5)), timedelta(minutes=1)
    assert [throttle.allows("ana", NOW + n * minute) for n in (0, 1, 2, 4)] == [True, True, False, False]
    assert throttle.allows("bea", NOW + 2 * minute)
    assert throttle.allows("ana", NOW + 5 * minute) and not throttle.allows("ana", NOW + 5 * minute)
    throttle.forget("ana")
    assert throttle.allows("ana", NOW + 5 * minute)


def test_passwords_are_not_to_be_guessed(site: Site) -> None:
    answers = [site.others().post("/sign-in", data={"name": "ana", "password": f"guess {n}"}) for n in range(10)]
    assert [answer.status_code for answer in answers] == [403] * 8 + [429] * 2
    assert "No open account has this name and this password" in answers[0].text
    assert "Too many tries" in answers[-1].text


def test_nobody_holds_up_all_others_with_documents(site: Site) -> None:
    with ExitStack() as asked:
        for _ in range(MOST_DOCUMENTS):
            asked.enter_context(site.state.in_hand.one_more("ana"))
        assert "Too much is being made for you at once" in site.get("record", 429)
        assert "Too much is being made for you at once" in site.get("reports/download/md", 429)
        site.get("board")
    site.get("record")


def test_of_one_person_only_so_many_pages_are_worked_out_at_once() -> None:
    done: list[str] = []

    async def work(lines: InLine, name: str, end: anyio.Event) -> None:
        async with lines.of(name):
            done.append(name)
            await end.wait()

    async def all_of_it() -> None:
        lines, end = InLine(2), anyio.Event()
        async with anyio.create_task_group() as tasks:
            for name in ("ana", "ana", "ana", "bo"):
                tasks.start_soon(work, lines, name, end)
            await anyio.wait_all_tasks_blocked()
            assert sorted(done) == ["ana", "ana", "bo"]
            end.set()

    anyio.run(all_of_it)
    assert len(done) == 4


# What is worked out once


def test_the_shelf_makes_a_value_once_and_forgets_the_oldest() -> None:
    shelf = Shelf(2)
    numbers = itertools.count()
    assert [shelf.get(name, lambda: next(numbers)) for name in "aabac"] == [0, 0, 1, 0, 2]
    assert shelf.made == 3
    assert shelf.get("b", lambda: next(numbers)) == 3


def test_what_fails_is_not_kept() -> None:
    shelf = Shelf(2)
    with pytest.raises(ZeroDivisionError):
        shelf.get("a", lambda: 1 // 0)
    assert shelf.get("a", lambda: 7) == 7


# Whatever is asked, no page breaks

TEXTS = st.one_of(
    st.text(max_size=40), st.sampled_from([*AWKWARD[:40], "../../etc/passwd", "..%2f..", "%00", "2024-02-30"])
)
NAMES = (
    *(
        "as_of",
        "known_at",
        "without",
        "since",
        "indicator",
        "page",
        "sort",
        "state",
        "count",
        "value",
        "observed",
        "from",
    ),
    *("to", "source", "grade", "url", "origin", "event", "tlp", "note", "why", "entry", "scenario", "text", "name"),
)


@pytest.fixture(scope="module")
def open_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return opened_site(tmp_path_factory.mktemp("site"))


@steady
@given(data=st.data())
def test_no_request_breaks_a_page(open_site: Site, data: st.DataObject) -> None:
    routes = [route for route in open_site.client.app.routes if isinstance(route, Route)]  # type: ignore[attr-defined]
    route = data.draw(st.sampled_from([route for route in routes if route.path != "/sign-out"]))
    path = re.sub(r"\{study\}", "port", route.path)
    path = re.sub(
        r"\{\w+(:\w+)?\}", lambda _: data.draw(st.sampled_from(["e2", "e9", "1", "mood", "nothing", "ü", "a b"])), path
    )
    fields = data.draw(st.dictionaries(st.sampled_from(NAMES), TEXTS, max_size=5))
    method = data.draw(st.sampled_from(sorted(route.methods or {"GET"})))
    given = {"params": fields} if method != "POST" else {"data": fields}
    answer = open_site.client.request(method, path, **given)  # type: ignore[arg-type]
    assert answer.status_code < 500, (method, path, fields)
    if answer.headers.get("location") == "/sign-in":  # the password was changed, or somebody signed out
        open_site.client.cookies.clear()
        token = open_site.state.sessions.begin(Person("ana", "lead"), NOW)
        open_site.client.cookies.set("watchfloor", token)


def test_a_refusal_keeps_the_way_to_the_other_pages(site: Site) -> None:
    page = site.get("board", 422, as_of="soon")
    assert "This cannot be done" in page and 'href="/s/port/evidence"' in page
    page = site.client.get("/s/nowhere/board").text
    assert "This cannot be done" in page and 'class="tabs"' not in page
