"""The page log: what it asks, what the preview tells and leaves alone, what is written, what is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from forecast import settling, workflow
from forecast.display import percent
from forecast.reading import read_study
from forecast.web.sessions import Person
from forecast.web.visit import COOKIE
from tests.small import STUDY, TODAY, place, record
from tests.web import NOW, Site, opened_site, site

__all__ = ["site"]

MOOD: dict[str, Any] = {"indicator": "mood", "state": "hostile", "observed": "2024-06-01", "letter": "B", "digit": "2"}
HTMX = {"hx-request": "true"}


def written(site: Site) -> list[Any]:
    return list(site.ledger().entries(after=5))


def preview(site: Site, **fields: Any) -> str:
    """The part of a page that the script asks for."""
    answer = site.client.post("/s/port/log/preview", data=fields, headers=HTMX)
    assert answer.status_code == 200 and "<html" not in answer.text
    return answer.text


def effect_rows(before: Any, after: Any) -> list[str]:
    pairs = zip(before.tolist(), after.tolist(), strict=True)
    return [f'<td class="n">{percent(p)}</td><td class="n"><strong>{percent(q)}</strong></td>' for p, q in pairs]


@pytest.mark.parametrize(
    ("indicator", "asked", "not_asked"),
    [
        ("mood", ('name="state" value="hostile"', 'name="observed"'), ('name="count"', 'name="value"', 'name="from"')),
        ("talks", ('name="count"', 'name="observed"', 'name="from"', 'value="span"'), ('name="state"', 'name="value"')),
        ("treaty", ("A milestone", 'name="observed"'), ('name="count"', 'name="from"')),
        ("wait", ('name="value"', "in hours"), ('name="count"', 'name="state"')),
    ],
)
def test_the_form_asks_for_what_the_kind_of_indicator_takes(
    indicator: str, asked: tuple[str, ...], not_asked: tuple[str, ...], site: Site
) -> None:
    page = site.get("log", indicator=indicator)
    assert all(text in page for text in asked) and not any(text in page for text in not_asked)
    assert 'value="2024-07-01"' in page and "usually reliable" in page and "truth cannot be judged" in page
    assert '<option value="Wire" data-grade="B2" data-stated>' in page
    assert '<option value="Paper" data-grade="C3">' in page
    assert '<option value="gone"' not in page


def test_a_preview_tells_what_saving_does_and_writes_nothing(site: Site) -> None:
    head = site.ledger().head()
    part = preview(site, **MOOD)
    assert site.ledger().head() == head
    before = read_study(site.ledger(), "port").outlook(TODAY).final
    assert "Weight <strong>0.75</strong>" in part and "usually reliable, probably true" in part
    raw = {"indicator": "mood", "state": "hostile", "observed": "2024-06-01", "grade": "B2"}
    workflow.log_report(site.ledger(), "port", raw, author="ana", today=TODAY, place=place)
    after = read_study(site.ledger(), "port").outlook(TODAY).final
    assert all(row in part for row in effect_rows(before, after))
    assert "times as likely under “Long strike” as under “Settlement”" in part


def test_a_preview_of_what_is_unfinished_says_what_is_missing(site: Site) -> None:
    part = preview(site, indicator="mood", observed="2024-07-02")
    assert "Not ready to be saved" in part and "needs a state" in part and "lies in the future" in part
    assert "<table" not in part and "F6" in part
    assert "is not a grade" in preview(site, **(MOOD | {"digit": ""}))
    assert "Nothing is written before you save" in preview(site, indicator="")


def test_without_script_the_preview_is_the_whole_page_with_what_was_typed(site: Site) -> None:
    page = site.post("log/preview", 200, **MOOD, note='<b>"été"</b>', source="Wire").text
    assert "<html" in page and "&lt;b&gt;&#34;été&#34;&lt;/b&gt;" in page and "<b>" not in page
    assert 'value="hostile" checked' in page and '<option value="B" selected>' in page
    assert written(site) == []


def test_another_indicator_is_chosen_with_what_was_typed_kept(site: Site) -> None:
    answer = site.client.post(
        "/s/port/log/form", data={"indicator": "wait", "source": "Wire", "note": "kept"}, headers=HTMX
    )
    assert 'name="value"' in answer.text and ">kept</textarea>" in answer.text and 'value="Wire"' in answer.text
    assert 'value="2024-07-01"' in answer.text and "<html" not in answer.text


def test_a_report_is_saved_in_the_name_of_who_is_signed_in_and_told_with_its_effect(site: Site) -> None:
    before = read_study(site.ledger(), "port").outlook(TODAY).final
    answer = site.post("log", **MOOD, note="été")
    assert answer.headers["location"] == "/s/port/log?indicator=mood&saved=e6"
    (entry,) = written(site)
    assert (entry.kind, entry.author) == ("evidence", "ana")
    assert entry.payload == {
        "indicator": "mood", "observed": "2024-06-01", "state": "hostile", "grade": "B2", "note": "été"
    }  # fmt: skip
    page = site.client.get(answer.headers["location"]).text
    after = read_study(site.ledger(), "port").outlook(TODAY).final
    assert all(row in page for row in effect_rows(before, after))
    assert "e6 is logged" in page and "times as likely" in page and 'value="mood" selected' in page


def test_undo_asks_why_and_leads_back_to_the_form(site: Site) -> None:
    site.post("log", **MOOD)
    assert "needs its reason" in site.post("evidence/e6/retract", 422, back="log").text
    answer = site.post("evidence/e6/retract", back="log", why="wrong day")
    assert answer.headers["location"] == "/s/port/log?indicator=mood"
    assert written(site)[-1].payload == {"entry": "e6", "why": "wrong day"}
    assert "e7 retracts e6" in site.client.get(answer.headers["location"]).text
    assert "is logged</h2>" not in site.get("log", saved="e6")


def test_a_refusal_stands_beside_its_field_with_what_was_typed(site: Site) -> None:
    page = site.post("log", 422, **(MOOD | {"observed": "2023-12-31", "digit": "", "note": "kept"})).text
    assert "Nothing was written." in page and written(site) == []
    assert re.search(r'id="letter"[^>]* aria-invalid="true" aria-describedby="letter-fault"', page)
    assert "is not a grade" in page and ">kept</textarea>" in page and 'value="2023-12-31"' in page
    page = site.post("log", 422, **(MOOD | {"observed": "2023-12-31"})).text
    assert re.search(r'name="observed"[^>]* aria-invalid="true"', page) and "before the study opens" in page
    assert "no indicator is chosen" in site.post("log", 422, indicator="").text
    assert "no indicator is chosen" in site.post("log", 422, indicator="gone-by").text


def test_a_count_takes_a_day_or_a_span_as_is_chosen(site: Site) -> None:
    typed: dict[str, Any] = {
        "indicator": "talks",
        "observed": "2024-06-01",
        "from": "2024-05-01",
        "to": "2024-05-31",
        "count": "2",
    }
    site.post("log", **typed, when="span")
    site.post("log", **typed, when="day")
    assert [entry.payload for entry in written(site)] == [
        {"indicator": "talks", "from": "2024-05-01", "to": "2024-05-31", "count": 2},
        {"indicator": "talks", "observed": "2024-06-01", "count": 2},
    ]


def test_the_same_content_is_warned_of_before_a_copy_is_written(site: Site) -> None:
    site.post("log", **MOOD)
    assert "e6 has the same content" in preview(site, **MOOD)
    page = site.post("log", 422, **MOOD).text
    assert "e6 has the same content" in page and 'name="again"' in page and len(written(site)) == 1
    site.post("log", **MOOD, again="yes")
    assert len(written(site)) == 2


COPY: dict[str, Any] = {"indicator": "mood", "state": "calm", "observed": "2024-02-02", "source": "Wire"}


def test_an_earlier_report_is_offered_and_corrected_only_where_that_is_ticked(site: Site) -> None:
    part = preview(site, **COPY)
    assert 'value="story:e2"' in part and "same source, same finding" in part and 'name="mend"' not in part
    assert 'name="mend"' in preview(site, **COPY, same="story:e2")
    page = site.post("log", 422, **COPY, same="story:e2").text
    assert "e2 has no origin yet" in page and written(site) == []
    site.post("log", **COPY, same="story:e2", mend="yes")
    amendment, report = written(site)
    assert amendment.payload == {"entry": "e2", "set": {"origin": "e2"}, "why": "the same story was reported again"}
    assert (report.payload["origin"], amendment.author) == ("e2", "ana")
    assert "adds nothing" in site.get("log", saved=report.id)


def test_where_the_earlier_report_has_its_origin_nothing_else_is_touched(site: Site) -> None:
    typed = MOOD | {"observed": "2024-03-02", "source": "Paper"}
    page = site.post("log/preview", 200, **typed, same="story:e3").text
    assert 'name="origin" type="text" value="x"' in page and "adds nothing" not in page
    assert "e3 has another origin" in site.post("log", 422, **typed, same="story:e3", origin="y").text
    site.post("log", **typed, same="story:e3")
    (report,) = written(site)
    assert report.payload["origin"] == "x"


def test_another_witness_shares_the_event_and_every_copy_of_the_story_gets_it(site: Site) -> None:
    raw = {"indicator": "mood", "state": "hostile", "observed": "2024-03-02", "origin": "x", "grade": "D4"}
    workflow.log_report(site.ledger(), "port", raw, author="bo", today=TODAY, place=place)
    typed = MOOD | {"observed": "2024-03-02", "source": "Paper", "same": "event:e3"}
    part = preview(site, **typed)
    assert "e3 gets the event “e3”" in part and "e6 gets the event “e3”" in part
    site.post("log", **typed, mend="yes")
    assert [entry.payload.get("entry") for entry in written(site)] == [None, "e3", "e6", None]
    reports = read_study(site.ledger(), "port").outlook(TODAY).likelihoods["mood"].reports
    assert len(reports.event_days) == 2


def test_of_many_indicators_one_is_found_by_a_part_of_its_name(site: Site) -> None:
    more = "".join(
        f"  - {{id: more-{n}, name: 'Sign {n}', kind: milestone, rates: {{settled: 1, strike: 2}}}}\n"
        for n in range(12)
    )
    record(site.ledger(), STUDY + more)
    assert 'list="indicators"' in site.get("log") and 'name="observed"' in site.get("log", indicator="sign 7")
    assert 'href="/s/port/log?indicator=more-11"' in site.get("log", indicator="sign")
    assert "No indicator that takes reports" in site.get("log", indicator="<zebra>")


def test_only_those_who_may_write_get_the_form(site: Site, tmp_path: Path) -> None:
    site.client.cookies.clear()
    site.client.cookies.set(COOKIE, site.state.sessions.begin(Person("rita", "reader"), NOW))
    site.get("log", 403)
    for address in ("log", "log/form", "log/preview"):
        site.post(address, 403, **MOOD)
    assert written(site) == []
    (tmp_path / "still").mkdir()
    opened_site(tmp_path / "still", read_only=True).post("log", 403, **MOOD)


def test_nothing_is_written_from_a_page_of_the_past(site: Site) -> None:
    answer = site.client.post("/s/port/log?known_at=2024-07-01", data=MOOD)
    assert answer.status_code == 422 and "shows what was known earlier" in answer.text and written(site) == []


SECRET: dict[str, Any] = {
    "indicator": "treaty", "observed": "2024-03-03", "tlp": "red", "source": "Zebra", "note": "zebra", "ref": "z-1"
}  # fmt: skip


@pytest.fixture
def gated(tmp_path: Path) -> Site:
    """A server that shows nothing above green, of a ledger that holds more."""
    found = opened_site(tmp_path, max_tlp="green", without_above=True)
    workflow.log_report(found.ledger(), "port", SECRET, author="zoe", today=TODAY, place=place)
    return found


def test_what_is_above_the_level_is_told_by_no_form_preview_or_refusal(gated: Site) -> None:
    typed = {"indicator": "treaty", "observed": "2024-03-04", "source": "Zebra", "url": "", "note": "zebra"}
    page = gated.get("log", indicator="treaty")
    part = preview(gated, **typed, same="story:e6", mend="yes")
    refused = gated.post("log", 422, **typed).text
    saved = gated.get("log", saved="e6")
    assert "marked above what is shown here" in refused
    assert "e6 is no report that stands" in part
    for text in (page, refused.replace("Zebra", "").replace("zebra", ""), saved):
        assert not re.search("Zebra|zebra|zoe|z-1|2024-03-03|already|e6 is logged", text)
    by_ref = MOOD | {"ref": "z-1"}
    assert "taken" not in preview(gated, **by_ref)
    assert "taken" not in gated.post("log", 422, **by_ref).text
    assert len(list(gated.ledger().entries())) == 6


def test_nothing_stricter_than_what_is_shown_is_logged_here(gated: Site) -> None:
    page = gated.post("log", 422, **MOOD, tlp="amber").text
    assert "this server shows nothing above TLP:GREEN" in page and '<option value="amber">' not in page
    assert "Entries marked above TLP:GREEN are left out" in preview(gated, **MOOD)
    gated.post("log", **MOOD, tlp="green")


def test_where_the_gate_shows_no_numbers_the_form_still_logs(tmp_path: Path) -> None:
    site = opened_site(tmp_path, max_tlp="green")
    workflow.log_report(site.ledger(), "port", SECRET, author="zoe", today=TODAY, place=place)
    assert "the outlook rests on one entry marked above TLP:GREEN" in preview(site, **MOOD)
    answer = site.post("log", **MOOD)
    assert "rests on one entry marked above" in site.client.get(answer.headers["location"]).text


def test_a_settled_study_has_no_form_and_says_why(site: Site) -> None:
    settling.resolve_void(site.ledger(), "port", why="no longer asked", author="ana")
    page = site.get("log", indicator="mood")
    assert "The study is void and takes no more reports" in page and 'id="log-form"' not in page
