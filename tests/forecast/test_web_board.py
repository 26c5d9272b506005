"""The board and its charts: what they show, for whom, and that nobody waits for what is being worked in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from html import escape
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from forecast import settling, workflow
from forecast.assessment import confidence, words_with_range
from forecast.display import percent, points
from forecast.reading import read_study
from forecast.study_file import read_study as parsed_study
from forecast.study_file import study_json
from forecast.web import board
from forecast.web.sessions import Person
from forecast.web.visit import COOKIE
from tests.small import STUDY, TODAY
from tests.web import NOW, Site, opened_site, site

__all__ = ["site"]


def log(site: Site, **report: str) -> str:
    whole = {"indicator": "mood", "state": "hostile", "observed": "2024-06-20", **report}
    return workflow.log_report(site.ledger(), "port", whole, author="ana", today=TODAY, place=lambda field: field).id


def sign_in(site: Site, name: str, role: str) -> Any:
    """A browser of somebody else."""
    client = site.others()
    client.cookies.set(COOKIE, site.state.sessions.begin(Person(name, role), NOW))
    return client


def revise(site: Site, text: str) -> None:
    study = parsed_study(text, file="port.yaml")
    workflow.record_study(site.ledger(), study, content=study_json(study), text=text, file="port.yaml", author="ana")


def finished(site: Site, made: int) -> None:
    """Wait until so many boards were worked out."""
    boards = site.state.boards
    with boards.changed:
        assert boards.changed.wait_for(lambda: boards.made >= made, timeout=20)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Event]:
    """Boards are worked out only while this is set."""
    opened, work = Event(), board.board_apart

    def held(*given: Any) -> Any:
        assert opened.wait(20)
        return work(*given)

    opened.set()
    monkeypatch.setattr(board, "board_apart", held)
    yield opened
    opened.set()


def test_it_says_what_the_engine_says(site: Site) -> None:
    page = site.get("board")
    outlook = read_study(site.ledger(), "port").outlook(TODAY, draws=100)
    for k, p in enumerate(outlook.final.tolist()):
        assert f'<td class="n now">{percent(p)}</td>' in page
        low, high = (float(edge[-1, k]) for edge in (outlook.bands.low, outlook.bands.high))
        assert f"{percent(low)} – {percent(high)}" in page
        for days in (7, 30, 90):
            change = outlook.change_over(days)
            assert change is not None and f">{escape(points(float(change[k])))}</span>" in page
    assert all(words in page for words in words_with_range(outlook))
    sure = confidence(outlook)
    assert f"Confidence is {sure.level}:" in page and sure.why in page
    assert "As of 2024-07-01" in page and "from 4 reports" in page and "TLP:CLEAR" in page
    assert page.count("<h1>") == 1


def test_it_says_what_is_overdue_and_what_moved_lately(site: Site) -> None:
    page = site.get("board")
    assert "overdue 92 d" in page and "1 look" not in page and "One look is overdue: mood." in page
    assert "No report of these days moved anything." in page
    name = log(site, source="Wire & <b>co</b>")
    page = site.get("board", as_of="2024-07-01")
    assert f'href="/s/port/evidence/{name}">{name}</a>' in page
    assert "mood: hostile (B2, Wire &amp; &lt;b&gt;co&lt;/b&gt;)" in page or "hostile (F6, Wire &amp;" in page
    assert "<b>" not in page


def test_its_rows_lead_to_where_one_wants_next(site: Site) -> None:
    page = site.get("board")
    assert 'href="/s/port/why?scenario=strike"' in page and 'href="/s/port/evidence?indicator=mood"' in page
    assert 'href="/s/port/log?indicator=mood" aria-label="Log a report on mood"' in page
    assert '<div id="live" class="may-log">' in page
    for other in (sign_in(site, "bo", "reader").get("/s/port/board").text, site.get("board", as_of="2024-06-01")):
        assert '<div id="live">' in other, "the style sheet hides what leads to the log"


def test_that_a_study_is_settled_is_told_first(site: Site) -> None:
    settling.resolve_void(site.ledger(), "port", why="no longer asked", author="ana")
    page = site.get("board")
    assert page.index("The study is void and closed") < page.index('class="scenarios"')
    assert "to-log" not in page


def test_the_chart_stands_with_its_words_by_day_and_by_night(site: Site) -> None:
    page = site.get("board")
    day, night = re.findall(r'(?:src|srcset)="(/s/port/chart/[^"]+)"', page)[::-1]
    assert re.search(r'alt="[^"]*Settlement[^"]*"', page)
    answers = [site.client.get(address.replace("&amp;", "&")) for address in (day, night)]
    assert [answer.headers["content-type"] for answer in answers] == ["image/svg+xml"] * 2
    assert answers[0].text != answers[1].text and answers[0].text.startswith("<svg")
    policy = answers[0].headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script" not in policy
    assert answers[0].headers["x-content-type-options"] == "nosniff"
    assert site.state.boards.made == 1 and site.state.outlooks.made == 0


def test_a_second_look_costs_no_engine_run(site: Site) -> None:
    first = site.get("board")
    assert site.get("board") == first
    assert sign_in(site, "bo", "reader").get("/s/port/board").status_code == 200
    assert (site.state.boards.made, site.state.outlooks.made, site.state.readings.made) == (1, 0, 0)
    then = site.get("board", as_of="2024-04-01")
    drawn = site.state.drawings.made
    assert site.get("board", as_of="2024-04-01") == then
    assert (site.state.outlooks.made, site.state.drawings.made) == (1, drawn)


def test_nobody_waits_for_what_is_being_worked_in(site: Site, gate: Event) -> None:
    before = site.get("board")
    gate.clear()
    log(site, note="new")
    waiting = site.get("board")
    assert "One newer entry is being worked in" in waiting and "of entry 5" in waiting
    assert 'hx-trigger="every 2s"' in waiting and 'hx-trigger="every 2s"' not in before
    gate.set()
    finished(site, 2)
    after = site.get("board")
    assert "being worked in" not in after and "from 5 reports" in after
    assert site.state.boards.made == 2


def test_who_wrote_sees_the_effect_at_once(site: Site, gate: Event) -> None:
    site.get("board")
    gate.clear()
    log(site)
    outlook = read_study(site.ledger(), "port").outlook(TODAY, draws=100)
    own, other = site.get("board"), sign_in(site, "bo", "reader").get("/s/port/board").text
    for p in outlook.final.tolist():
        assert f"<strong>{percent(p)}</strong>" in own and f"<strong>{percent(p)}</strong>" not in other
    assert "being worked in" in other and "yours included" not in other


def test_the_script_is_answered_only_with_news(site: Site, gate: Event) -> None:
    head = re.search(r"head <code>([0-9a-f]{12})", site.get("board"))
    assert head
    gate.clear()
    log(site)
    asked: dict[str, Any] = {"params": {"seen": head[1]}, "headers": {"hx-request": "true"}}
    answer = site.client.get("/s/port/board", **asked)
    assert (answer.status_code, answer.text) == (204, "")
    gate.set()
    finished(site, 2)
    answer = site.client.get("/s/port/board", **asked)
    assert answer.status_code == 200 and answer.text.lstrip().startswith('<div id="live" class="may-log">')


def test_yesterdays_board_says_so(tmp_path: Path, gate: Event) -> None:
    present = [NOW]
    found = opened_site(tmp_path, clock=lambda: present[0])
    found.get("board")
    gate.clear()
    present[0] += timedelta(days=3)
    found.client.cookies.clear()
    found.client.cookies.set(COOKIE, found.state.sessions.begin(Person("ana", "reader"), present[0]))
    page = found.get("board")
    assert "The board below is of 2024-07-01; that of today is being worked out" in page and "every 2s" in page
    gate.set()
    finished(found, 2)
    assert "As of 2024-07-04" in found.get("board")


def test_entries_of_other_studies_call_for_no_work(site: Site) -> None:
    site.get("board")
    other = parsed_study(STUDY.replace("study: port", "study: other"), file="other.yaml")
    content = study_json(other)
    workflow.record_study(site.ledger(), other, content=content, text=STUDY, file="other.yaml", author="ana")
    assert "being worked in" not in site.get("board")
    assert site.state.boards.made == 1


def test_beside_it_stands_what_was_published(site: Site) -> None:
    assert ">Published</th>" not in site.get("board")
    with_tests = STUDY.replace("prior: 0.6}", "prior: 0.6, resolves_if: x}").replace(
        "prior: 0.4}", "prior: 0.4, resolves_if: y}"
    )
    revise(site, with_tests)
    done = settling.publish(site.ledger(), "port", author="ana", today=TODAY, draws=100)
    finished(site, 1)
    page = site.get("board", as_of="2024-07-01")
    assert ">Published</th>" in page and f"published as {done.entry}, as of 2024-07-01" in page
    assert all(f'<td class="n">{percent(said.probability)}</td>' in page for said in done.scenarios)
    assert ">Published</th>" not in site.get("board", as_of="2024-07-01", without="source:Wire")


def test_it_goes_back_to_another_day_and_to_what_was_known(site: Site) -> None:
    page = site.get("board", as_of="2024-03-01", without="source:Wire")
    assert "As of 2024-03-01" in page and "Without source:Wire" in page and 'value="2024-03-01"' in page
    assert "as_of=2024-03-01" in page and "Back to now" in page
    assert "Known at 2024-07-01" in site.get("board", known_at="2024-07-01")


@pytest.mark.parametrize(
    ("asked", "phrase"),
    [
        ({"as_of": "2024-07-02"}, "lies in the future"),
        ({"as_of": "2023-12-31"}, "lies outside the study"),
        ({"as_of": "soon"}, "soon"),
        ({"known_at": "2025-01-01"}, "lies in the future"),
        ({"without": "source:Nobody"}, "no source"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(site: Site, asked: dict[str, Any], phrase: str) -> None:
    assert phrase in site.client.get("/s/port/board", params=asked).text


def test_of_an_unknown_study_nothing_is_worked_out(site: Site) -> None:
    answer = site.client.get("/s/nowhere/board")
    assert answer.status_code == 404 and "no study" in answer.text
    assert site.state.boards.made == 0
    assert site.others().get("/s/port/board").headers["location"] == "/sign-in"


# The handling gate


def strict(folder: Path, without_above: bool) -> Site:
    return opened_site(folder, max_tlp="green", without_above=without_above)


def test_a_board_that_rests_on_more_is_refused(tmp_path: Path) -> None:
    found = strict(tmp_path, without_above=False)
    assert "Settlement" in found.get("board")
    log(found, tlp="red", note="canary", source="canary")
    for address in ("board", "chart/timeline.svg", "watch"):
        page = found.get(address, 422)
        assert "one entry marked above TLP:GREEN" in page and "canary" not in page
    assert "one entry marked above" in found.client.get("/s/port/chart/timeline.svg", params={"head": "x"}).text


def test_a_board_without_what_is_above_says_so(tmp_path: Path) -> None:
    found = strict(tmp_path, without_above=True)
    log(found, tlp="red", source="canary")
    page = found.get("board")
    assert "are left out" in page and "canary" not in page and "from 4 reports" in page


def test_what_was_marked_stricter_is_gone_at_once(tmp_path: Path) -> None:
    found = strict(tmp_path, without_above=True)
    name = log(found, tlp="green", source="canary")
    assert "canary" in found.get("board")
    workflow.amend(
        found.ledger(), "port", name, {"tlp": "red"}, why="x", author="ana", today=TODAY, place=lambda field: field
    )
    assert "canary" not in found.get("board")


# Charts


@pytest.mark.parametrize("name", ["board", "watch", "matrix", "waterfall", "series"])
def test_every_chart_is_a_picture_made_once(site: Site, name: str) -> None:
    first = site.client.get(f"/s/port/chart/{name}.svg", params={"as_of": "2024-06-01"})
    assert first.status_code == 200 and first.text.startswith("<svg")
    made = site.state.drawings.made
    assert site.client.get(f"/s/port/chart/{name}.svg", params={"as_of": "2024-06-01"}).content == first.content
    assert site.state.drawings.made == made


def test_a_chart_is_of_what_is_asked(site: Site) -> None:
    def of(**asked: Any) -> str:
        return site.get("chart/waterfall.svg", **asked)

    drawn: list[str] = [of(), of(since="2024-03-02"), of(scenario="strike"), of(night="1"), of(without="source:Wire")]
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize(
    ("name", "asked", "status"),
    [
        ("power", {}, 404),
        ("..%2f..%2fx", {}, 404),
        ("waterfall", {"since": "soon"}, 422),
        ("waterfall", {"scenario": "nobody"}, 422),
        ("series", {"indicator": "mood"}, 422),
        ("timeline", {"as_of": "2030-01-01"}, 422),
    ],
)
def test_a_chart_that_is_not_there_is_refused(site: Site, name: str, asked: dict[str, str], status: int) -> None:
    assert site.client.get(f"/s/port/chart/{name}.svg", params=asked).status_code == status


# Staying fresh


def held(gate: Event, values: Iterator[int]) -> Callable[[], int]:
    def make() -> int:
        assert gate.wait(20)
        return next(values)

    return make


def test_what_is_made_after_a_question_answers_it() -> None:
    """Work that was begun before the question does not count, as what is asked for may have come after it began."""
    from concurrent.futures import ThreadPoolExecutor

    from forecast.web.fresh import Fresh

    gate, fresh = Event(), Fresh[int](2)
    make = held(gate, iter([1, 2, 3]))

    def ask(least: int) -> int:
        return fresh.get("key", make, is_current=lambda found: found >= least, may_serve=lambda found: False)

    with ThreadPoolExecutor(2) as people:
        first = people.submit(ask, 1)
        with fresh.changed:
            fresh.changed.wait_for(lambda: "key" in fresh, timeout=20)
        second = people.submit(ask, 2)
        gate.set()
        assert first.result(20) >= 1 and second.result(20) >= 2
    assert ask(2) >= 2 and fresh.made <= 3


def test_what_failed_is_told_and_tried_again() -> None:
    from forecast.web.fresh import Fresh

    fresh, answers = Fresh[int](1), iter([0, 7])

    def make() -> int:
        if not (answer := next(answers)):
            raise ValueError("no")
        return answer

    def ask() -> int:
        return fresh.get("key", make, is_current=lambda found: True, may_serve=lambda found: True)

    with pytest.raises(ValueError, match="no"):
        ask()
    assert (ask(), ask(), fresh.made) == (7, 7, 2)


def test_work_apart_comes_back_and_survives_its_process() -> None:
    import math
    import os

    from forecast.web.apart import Apart, ApartEndedError

    apart = Apart()
    try:
        assert apart.run(math.sqrt, 9.0) == 3.0
        assert apart.run(os.getpid) != os.getpid()
        with pytest.raises(ApartEndedError, match="ValueError"):
            apart.run(math.sqrt, -1.0)
        with pytest.raises(ApartEndedError, match="ended"):
            apart.run(os._exit, 1)
        assert apart.run(math.sqrt, 16.0) == 4.0
    finally:
        apart.close()
