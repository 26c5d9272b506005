"""The page watch: what to look at next, and the form that says that somebody looked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from forecast.display import bits_text, percent
from forecast.information import looks, watch_order
from forecast.reading import read_study
from forecast.web.sessions import Person
from forecast.web.visit import COOKIE
from tests.small import TODAY
from tests.web import NOW, Site, opened_site, site

__all__ = ["site"]

SPAN: dict[str, Any] = {"indicator": "talks", "from": "2024-05-01", "to": "2024-05-31"}


def test_the_looks_stand_in_the_order_of_the_engine(site: Site) -> None:
    page = site.get("watch")
    outlook = read_study(site.ledger(), "port").outlook(TODAY, draws=100)
    ordered = watch_order(looks(outlook))
    rows = re.findall(r'<th scope="row"><a [^>]+>([^<]+)</a>.*</th>\s*<td class="day">', page)
    assert rows == [look.indicator.label for look in ordered]
    assert all(bits_text(look.bits_per_cost) in page for look in ordered)
    assert "overdue 92 d" in page and "a B2 report of its state" in page and ">retired<" in page
    assert "bits are missing to certainty" in page and "One look is overdue: mood." in page


def test_it_says_what_each_scenario_expects_of_the_next_reading(site: Site) -> None:
    page = site.get("watch")
    assert "wait, a reading on 2024-07-01, in hours" in page
    assert re.search(r"Settlement</th><td class=\"n\">20\.0", page)
    assert 'src="/s/port/chart/watch.svg"' in page and "night=1" in page


def test_a_span_is_recorded_in_the_name_of_who_is_signed_in_and_its_effect_told(site: Site) -> None:
    answer = site.post("watch", **SPAN, detect="0.9", note="été")
    assert answer.headers["location"] == "/s/port/watch?covered=e6"
    entry = next(iter(site.ledger().entries(after=5)))
    assert (entry.kind, entry.author) == ("coverage", "ana")
    assert entry.payload == {**SPAN, "detect": 0.9, "note": "été"}
    page = site.client.get(answer.headers["location"]).text
    assert "e6 is recorded" in page and "What e6 did" in page and "a chance of 90.0 %" in page
    reading = read_study(site.ledger(), "port")
    before, after = reading.outlook(TODAY, without=["entry:e6"]).final, reading.outlook(TODAY).final
    assert not (before == after).all()
    for p, q in zip(before.tolist(), after.tolist(), strict=True):
        assert f'<td class="n">{percent(p)}</td><td class="n"><strong>{percent(q)}</strong></td>' in page
    assert "e6 is recorded" not in site.get("watch")


def test_a_bad_span_is_refused_beside_its_fields_with_what_was_typed(site: Site) -> None:
    wrong = {**SPAN, "to": "2024-07-02", "detect": "2", "note": 'a "note"'}
    page = site.post("watch", 422, **wrong).text
    assert "Nothing was written." in page and list(site.ledger().entries(after=5)) == []
    assert 'id="wrong-detect"' in page and 'name="detect" inputmode="decimal" value="2"' in page
    assert 'aria-describedby="wrong-detect"' in page and 'value="a &#34;note&#34;"' in page
    page = site.post("watch", 422, **{**SPAN, "to": "2024-07-02"}).text
    assert "lies in the future" in page and 'id="wrong-to"' in page and 'id="wrong-from"' not in page
    page = site.post("watch", 422, **{**SPAN, "indicator": "raids"}).text
    assert "silence: always" in page and 'aria-describedby="wrong-indicator"' in page
    assert "from is missing" in site.post("watch", 422, indicator="talks").text


def test_readers_have_no_form_and_may_not_send_one(site: Site, tmp_path: Path) -> None:
    client = site.others()
    client.cookies.set(COOKIE, site.state.sessions.begin(Person("bo", "reader"), NOW))
    assert "Record the span" not in client.get("/s/port/watch").text
    assert client.post("/s/port/watch", data=SPAN).status_code == 403
    (tmp_path / "other").mkdir()
    closed = opened_site(tmp_path / "other", read_only=True)
    assert "Record the span" not in closed.get("watch")
    assert "read only" in closed.post("watch", 403, **SPAN).text


def test_of_what_is_no_span_no_effect_is_told(site: Site) -> None:
    assert "did</h2>" not in site.get("watch", covered="e2")
    assert "did</h2>" not in site.get("watch", covered="<script>")


def test_a_look_leads_to_the_log_and_to_the_form_with_what_is_known_of_it(site: Site) -> None:
    page = site.get("watch")
    assert 'href="/s/port/log?indicator=talks"' in page and 'href="/s/port/watch?indicator=talks#cover"' in page
    page = site.get("watch", indicator="talks")
    assert '<option value="talks" selected>' in page and 'name="to" required value="2024-07-01"' in page
    assert 'name="from" required value=""' in page, "since when somebody looked is theirs to say"
