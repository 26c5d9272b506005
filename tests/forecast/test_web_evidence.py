"""The page evidence: the list, an entry whole, its corrections, its files."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

from forecast import workflow
from forecast.display import percent
from forecast.reading import read_study
from forecast.web.sessions import Person
from forecast.web.visit import COOKIE
from indicators.attachment_folder import AttachmentFolder
from tests.small import TODAY, amend, cover, csv_of, import_files, place, retract
from tests.web import NOW, Site, opened_site, site

__all__ = ["site"]


def listed(page: str) -> str:
    """The entries of a list, in order."""
    return " ".join(re.findall(r'<th scope="row"><a href="[^"]*">(e\d+)</a>', page))


def form(site: Site, entry: str, **changes: Any) -> dict[str, Any]:
    """The fields of the form that corrects an entry, as a browser would send them, but for some."""
    page = site.get(f"evidence/{entry}")
    inside = re.search(r'<form method="post" action="[^"]*/correct".*?</form>', page, re.DOTALL)
    assert inside
    found = dict(
        re.findall(
            r'<input[^>]*?name="(\w+)"[^>]*?value="([^"]*)"', re.sub(r'<input type="radio"[^>]*>', "", inside[0])
        )
    )
    found |= dict(re.findall(r'<textarea[^>]*name="(\w+)"[^>]*>([^<]*)</textarea>', inside[0]))
    found |= dict(re.findall(r'name="(state)" value="(\w+)" checked', inside[0]))
    for name, options in re.findall(r'<select[^>]*name="(\w+)".*?>(.*?)</select>', inside[0], re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    return found | changes


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, "e5 e4 e3 e2"),
        ({"sort": "-logged"}, "e2 e3 e4 e5"),
        ({"sort": "day"}, "e5 e4 e3 e2"),
        ({"sort": "weight"}, "e4 e2 e5 e3"),
        ({"sort": "change"}, "e5 e4 e3 e2"),
        ({"indicator": "mood"}, "e3 e2"),
        ({"source": "Wire"}, "e4 e2"),
        ({"grade": "C"}, "e3"),
        ({"text": "日本"}, "e2"),
        ({"from": "2024-03-01", "to": "2024-03-05"}, "e4 e3"),
        ({"author": "ana"}, "e5 e4 e3 e2"),
        ({"author": "nobody"}, ""),
        ({"standing": "retracted"}, ""),
        ({"mark": "clear", "indicator": "wait"}, "e5"),
    ],
)
def test_the_list_holds_what_is_asked_for_in_the_order_asked_for(asked: dict[str, Any], found: str, site: Site) -> None:
    page = site.get("evidence", **asked)
    if asked.get("sort") != "change":
        assert listed(page) == found
    else:
        by_size = sorted(
            read_study(site.ledger(), "port").outlook(TODAY).report_contributions, key=lambda c: -abs(c.change).max()
        )
        assert listed(page) == " ".join(item.live.entry for item in by_size)
        assert 'aria-sort="descending"' in page


def test_a_filter_that_cannot_be_read_is_told_beside_its_field(site: Site) -> None:
    page = site.get("evidence", 422, **{"from": "1.3.2024", "indicator": "mood"})
    assert "is not a day" in page and listed(page) == "e3 e2"
    assert re.search(r'name="from" value="1.3.2024" aria-invalid="true"', page)
    assert "before it starts" in site.get("evidence", 422, **{"from": "2024-03-05", "to": "2024-03-01"})
    assert "is not known" in site.get("evidence", 422, standing="<b>")
    assert "Nothing logged fits that" in site.get("evidence", indicator="no-such")


def test_a_long_list_has_pages_of_a_hundred(site: Site) -> None:
    rows = [{"indicator": "wait", "value": str(n), "observed": "2024-06-01"} for n in range(100, 340)]
    import_files(site.ledger(), ("f.csv", csv_of(rows)))
    first, last = site.get("evidence"), site.client.get("/s/port/evidence?page=3&sort=-logged").text
    assert "Page 1 of 3" in first and "244 entries" in first and len(listed(first).split()) == 100
    assert listed(last).split()[-1] == "e245" and "sort=-logged" in last and "page=2" in last


def test_an_entry_is_told_whole_with_what_it_did(site: Site) -> None:
    page = site.get("evidence/e3")
    outlook = read_study(site.ledger(), "port").outlook(TODAY)
    own = next(item for item in outlook.report_contributions if item.live.entry == "e3")
    for p, dp in zip(outlook.final.tolist(), own.change.tolist(), strict=True):
        assert f'<td class="n">{percent(p - dp)}</td><td class="n"><strong>{percent(p)}</strong></td>' in page
    assert all(f"{value:+.2f}</td>" in page for value in own.decibans)
    assert "0.50, by its grade C3: fairly reliable, possibly true" in page and "<dd>x</dd>" in page
    assert "été 日本" in site.get("evidence/e2")
    assert 'href="https://example.org/a" rel="noopener noreferrer nofollow"' in site.get("evidence/e4")
    assert "there is no such report" in site.get("evidence/e99", 404) and "e1" in site.get("evidence/e1", 404)


def test_a_correction_changes_what_was_changed_and_is_in_the_history(site: Site) -> None:
    answer = site.post("evidence/e3/correct", **form(site, "e3", state="tense", digit="4", origin="", why="misread"))
    assert answer.headers["location"] == "/s/port/evidence/e3"
    (entry,) = site.ledger().entries(after=5)
    changed = {"state": "tense", "grade": "C4", "origin": None}
    assert (entry.kind, entry.author, entry.payload) == (
        "amend", "ana", {"entry": "e3", "set": changed, "why": "misread"}
    )  # fmt: skip
    page = site.get("evidence/e3")
    assert "e6 corrects e3" in page and "by ana: misread" in page
    assert "state: hostile → tense" in page and "grade: C3 → C4" in page and "taken out" in page


def test_the_preview_of_a_correction_is_what_it_does_and_writes_nothing(site: Site) -> None:
    head, fields = site.ledger().head(), form(site, "e3", state="tense")
    part = site.client.post("/s/port/evidence/e3/preview", data=fields, headers={"hx-request": "true"}).text
    assert site.ledger().head() == head and "<html" not in part
    assert '<details class="correct" open>' in site.post("evidence/e3/preview", 200, **fields).text
    site.post("evidence/e3/correct", **fields)
    after = read_study(site.ledger(), "port").outlook(TODAY).final.tolist()
    assert all(f"<strong>{percent(p)}</strong>" in part for p in after)


def test_a_bad_correction_is_refused_beside_its_field(site: Site) -> None:
    page = site.post("evidence/e3/correct", 422, **form(site, "e3", observed="2025-01-01", note="kept")).text
    assert "lies in the future" in page and re.search(r'name="observed"[^>]*aria-invalid="true"', page)
    assert ">kept</textarea>" in page and len(list(site.ledger().entries())) == 5
    assert "it says so already" in site.post("evidence/e3/correct", 422, **form(site, "e3")).text


def test_a_correction_on_top_of_an_unseen_one_is_refused(site: Site) -> None:
    opened = form(site, "e3", note="mine")
    amend(site.ledger(), "e3", state="calm")
    page = site.post("evidence/e3/correct", 422, **opened).text
    assert "e3 was corrected by e6 since this form was opened" in page and len(list(site.ledger().entries())) == 6


def test_a_retraction_needs_its_reason_and_ends_what_the_entry_did(site: Site) -> None:
    page = site.post("evidence/e3/retract", 422, why=" ").text
    assert "needs its reason" in page and 'id="why-retract-fault"' in page
    site.post("evidence/e3/retract", why="logged twice")
    page = site.get("evidence/e3")
    assert "no longer counts" in page and "by ana: logged twice" in page and "/correct" not in page
    assert "it was retracted by e6" in site.post("evidence/e3/retract", 422, why="again").text
    assert "retracted</td>" in site.get("evidence") and listed(site.get("evidence", standing="retracted")) == "e3"


def test_a_span_of_looking_is_an_entry_like_others(site: Site) -> None:
    cover(site.ledger(), "talks", "2024-04-01", "2024-05-01", note="two of us")
    assert "looked from 2024-04-01 to 2024-05-01, detect 1" in site.get("evidence")
    assert "without it and with it" in site.get("evidence/e6") and 'name="detect"' in site.get("evidence/e6")
    site.post("evidence/e6/correct", **form(site, "e6", detect="0.5"))
    assert "detect: 1.0 → 0.5" in site.get("evidence/e6")


def test_who_may_not_write_sees_all_and_changes_nothing(site: Site) -> None:
    site.client.cookies.clear()
    site.client.cookies.set(COOKIE, site.state.sessions.begin(Person("rita", "reader"), NOW))
    assert "Correct e3" not in site.get("evidence/e3") and listed(site.get("evidence")) == "e5 e4 e3 e2"
    for address in ("correct", "preview", "retract"):
        site.post(f"evidence/e3/{address}", 403, why="x")
    assert len(list(site.ledger().entries())) == 5


def test_as_known_earlier_the_later_correction_is_not_there_and_nothing_is_offered(site: Site) -> None:
    retract(site.ledger(), "e3")
    page = site.get("evidence/e3", known_at="2024-07-01T12:00:00.000004Z")
    assert "Retracted" not in page and "without it and with it" in page and "Correct e3" not in page


# Attached files


@pytest.fixture
def with_file(tmp_path: Path) -> Site:
    """A report with a file that would run in a browser."""
    folder = AttachmentFolder(tmp_path / "files")
    found = opened_site(tmp_path, attachments=folder)
    given = tmp_path / "seite é.html"
    given.write_text("<script>alert(1)</script>", encoding="utf-8")
    raw = {"indicator": "wait", "value": "20", "observed": "2024-06-01"}
    with folder.staged([given]) as copies:
        workflow.log_report(found.ledger(), "port", raw, author="ana", today=TODAY, place=place, attached=copies)
    return found


def test_a_file_is_handed_out_to_be_kept_and_run_by_nobody(with_file: Site) -> None:
    page = with_file.get("evidence/e6")
    (address,) = re.findall(r'href="(/s/port/evidence/e6/files/[0-9a-f]{64})" download', page)
    answer = with_file.client.get(address)
    assert answer.content == b"<script>alert(1)</script>"
    assert hashlib.sha256(answer.content).hexdigest() in address
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    said = answer.headers["content-disposition"]
    assert said == "attachment; filename=\"seite__.html\"; filename*=UTF-8''seite%20%C3%A9.html"


def test_a_file_is_found_by_its_entry_and_hash_and_by_no_path(with_file: Site) -> None:
    (sha256,) = re.findall(r"files/([0-9a-f]{64})", with_file.get("evidence/e6"))
    get = with_file.client.get
    assert get(f"/s/port/evidence/e5/files/{sha256}").status_code == 404
    for wrong in ("0" * 64, "..%2Fforecast.db", "%2e%2e", sha256.upper()):
        assert get(f"/s/port/evidence/e6/files/{wrong}").status_code == 404


def test_a_file_that_was_changed_is_not_handed_out(with_file: Site, tmp_path: Path) -> None:
    (sha256,) = re.findall(r"files/([0-9a-f]{64})", with_file.get("evidence/e6"))
    (tmp_path / "files" / sha256).write_text("another", encoding="utf-8")
    assert "is changed" in with_file.client.get(f"/s/port/evidence/e6/files/{sha256}").text
    assert "changed</strong>" in with_file.get("evidence/e6")
    (tmp_path / "files" / sha256).unlink()
    assert "is missing" in with_file.client.get(f"/s/port/evidence/e6/files/{sha256}").text


# The gate


@pytest.fixture
def gated(tmp_path: Path) -> Site:
    """A server that shows nothing above green, of a ledger that holds more; e6 is red, with a file."""
    folder = AttachmentFolder(tmp_path / "files")
    found = opened_site(tmp_path, max_tlp="green", without_above=True, attachments=folder)
    given = tmp_path / "zebra.txt"
    given.write_text("zebra", encoding="utf-8")
    raw = {"indicator": "wait", "value": "77.25", "observed": "2024-06-11", "tlp": "red", "source": "Zebra"}
    with folder.staged([given]) as copies:
        workflow.log_report(found.ledger(), "port", raw, author="zoe", today=TODAY, place=place, attached=copies)
    return found


def test_an_entry_above_the_level_is_as_one_that_is_not_there(gated: Site) -> None:
    page = gated.get("evidence")
    assert listed(page) == "e5 e4 e3 e2" and "Entries marked above TLP:GREEN are left out" in page
    sha256 = hashlib.sha256(b"zebra").hexdigest()
    answers = [
        page,
        gated.get("evidence", text="e6"),
        gated.get("evidence", author="zoe").replace('value="zoe"', ""),
        gated.get("evidence", mark="red"),
        *(gated.get(f"evidence/{name}", 404).replace(name, "") for name in ("e6", f"e6/files/{sha256}")),
        *(gated.post(f"evidence/e6/{what}", 404, why="x", seen="0").text for what in ("correct", "preview", "retract")),
    ]
    for text in answers:
        assert not re.search("Zebra|zebra|zoe|77.25|2024-06-11", text)
    assert gated.get("evidence/e6", 404).replace("e6", "e7") == gated.get("evidence/e7", 404)
    assert len(list(gated.ledger().entries())) == 6


def test_where_nothing_may_be_left_out_the_list_is_refused_with_no_more_than_a_count(tmp_path: Path) -> None:
    site = opened_site(tmp_path, max_tlp="green")
    raw = {"indicator": "wait", "value": "77.25", "observed": "2024-06-11", "tlp": "red"}
    workflow.log_report(site.ledger(), "port", raw, author="zoe", today=TODAY, place=place)
    page = site.get("evidence", 422)
    assert "the list holds one entry marked above TLP:GREEN" in page and "77.25" not in page
    assert listed(site.get("evidence", indicator="mood")) == "e3 e2"
    assert "rests on one entry marked above" in site.get("evidence/e2")


def test_a_mark_may_be_raised_above_what_is_shown_and_that_is_said_before(gated: Site) -> None:
    fields = form(gated, "e3", tlp="amber")
    assert "no longer be seen on this server" in gated.post("evidence/e3/preview", 200, **fields).text
    answer = gated.post("evidence/e3/correct", **fields)
    assert answer.headers["location"] == "/s/port/evidence"
    assert "now marked above what is shown here" in gated.client.get(answer.headers["location"]).text
    gated.get("evidence/e3", 404)
