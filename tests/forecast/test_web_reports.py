"""The page reports: publishing and settling with a look at it first, and every format to take away."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from forecast import settling, workflow
from forecast.study_file import read_study, study_json
from forecast.web.sessions import Person
from tests.small import STUDY, TODAY
from tests.web import NOW, Site, opened_site, site

__all__ = ["site"]

TESTED = STUDY.replace("prior: 0.6}", "prior: 0.6, resolves_if: a contract is signed}").replace(
    "prior: 0.4}", "prior: 0.4, resolves_if: none is}"
)
OPINION: dict[str, Any] = {"opinion-settled": "62,5", "opinion-strike": "37.5 %"}


def ready(site: Site) -> Site:
    """The study, whose scenarios now say what resolves them."""
    study = read_study(TESTED, file="port.yaml")
    workflow.record_study(site.ledger(), study, content=study_json(study), text=TESTED, file="port.yaml", author="ana")
    return site


def publish(site: Site, **fields: Any) -> Any:
    """Publish as a person does: see the preview, then confirm it."""
    seen = site.post("reports/publish", 200, step="preview", **fields).text
    rests_on = seen.split('name="rests_on" value="')[1].split('"')[0]
    return site.post("reports/publish", step="record", rests_on=rests_on, as_of="2024-07-01", **fields)


def as_role(site: Site, role: str) -> Site:
    """The same browser, of somebody with a role."""
    site.client.cookies.clear()
    site.client.cookies.set("watchfloor", site.state.sessions.begin(Person("rita", role), NOW))
    return site


# Publishing


def test_what_will_be_put_on_record_is_shown_first(site: Site) -> None:
    ready(site)
    before = site.ledger().head()
    page = site.post("reports/publish", 200, step="preview", note="a <b>note</b>", **OPINION).text
    assert "Publication 1, as it will stand" in page and "62.5 %" in page and "a &lt;b&gt;note&lt;/b&gt;" in page
    assert site.ledger().head() == before


def test_a_publication_is_put_on_record_and_has_a_page(site: Site) -> None:
    ready(site)
    answer = publish(site, note="before the vote", **OPINION)
    assert answer.headers["location"] == "/s/port/reports/1"
    page = site.get("reports/1")
    assert "is on record as publication 1" in page and "before the vote" in page and "62.5 %" in page
    [entry] = [entry for entry in site.ledger().entries() if entry.kind == "publish"]
    assert entry.author == "ana" and entry.payload["opinion"] == {"settled": 0.625, "strike": 0.375}
    assert entry.payload["draws"] == 100
    listed = site.get("reports")
    assert 'href="/s/port/reports/1"' in listed and "Settlement&nbsp;62.5 %" in listed
    assert "is on record" not in listed
    assert [site.client.get(f"/s/port/reports/{n}").status_code for n in ("2", "0", "x")] == [404] * 3


def test_what_came_in_since_the_preview_is_shown_before_anything_is_written(site: Site) -> None:
    ready(site)
    head = site.ledger().head()
    answer = site.post("reports/publish", 409, step="record", rests_on="1", as_of="2024-07-01", **OPINION)
    assert "More has come in since you were shown it" in answer.text and "Put it on record" in answer.text
    assert site.ledger().head() == head


@pytest.mark.parametrize(
    ("fields", "telling"),
    [
        ({"opinion-settled": "60", "opinion-strike": "30"}, "the opinion sums to 90 %"),
        ({"opinion-settled": "60"}, "give every scenario its percentage, or none"),
        ({"opinion-settled": "100", "opinion-strike": "0"}, "certainty either way could never be scored"),
        ({"opinion-settled": "nan", "opinion-strike": "1e1"}, "“nan” is not a percentage"),
        ({"as_of": "2024-13-01"}, "is not a day"),
        ({"as_of": "2024-08-01"}, "lies in the future"),
        ({"as_of": "2023-08-01"}, "outside the study"),
    ],
)
def test_a_refused_publication_is_told_beside_its_fields(site: Site, fields: dict[str, Any], telling: str) -> None:
    ready(site)
    page = site.post("reports/publish", 422, step="preview", note="kept", **fields).text
    assert telling in page and "Nothing was written." in page and ">kept</textarea>" in page
    assert all(f'value="{text}"' in page for text in fields.values())
    sentences = re.findall("<li>(.*)</li>", page[page.index('id="refused"') : page.index('id="take"')])
    assert sentences and len(set(sentences)) == len(sentences)


def test_an_earlier_day_than_the_last_is_refused(site: Site) -> None:
    publish(ready(site))
    page = site.post("reports/publish", 422, step="preview", as_of="2024-06-01").text
    assert "speaks already; give 2024-07-01 or a later day" in page and 'id="as_of-fault"' in page


def test_a_study_without_tests_cannot_be_published(site: Site) -> None:
    assert "Not every scenario says what would resolve it: Settlement, Long strike" in site.get("reports")
    assert "resolves_if" in site.post("reports/publish", 422, step="preview").text


def test_only_leads_write(site: Site) -> None:
    ready(site)
    for role in ("reader", "analyst"):
        page = as_role(site, role).get("reports")
        assert "Publishing and settling are for leads" in page and "<textarea" not in page
        assert "this needs a lead" in site.post("reports/publish", 403, step="record").text
        assert "this needs a lead" in site.post("reports/settle", 403, action="void", why="x").text


def test_a_server_that_withholds_publishes_nothing_and_tells_of_nothing_that_rests_on_it(tmp_path: Path) -> None:
    site = ready(opened_site(tmp_path, max_tlp="green", without_above=True))
    publish(site, note="early")
    report = {"indicator": "mood", "state": "hostile", "observed": "2024-06-01", "tlp": "red"}
    ledger = site.ledger()
    workflow.log_report(ledger, "port", report, author="ana", today=TODAY, place=lambda field: field)
    settling.publish(ledger, "port", note="knows the mole", author="ana", today=TODAY)
    page = site.get("reports")
    assert "this server does not show" in page and "1 publication rests on more than may be shown here" in page
    assert "reports/1" in page and "reports/2" not in page
    assert "a publication rests on all" in site.post("reports/publish", 422, step="preview").text
    assert site.client.get("/s/port/reports/2").status_code == 404
    assert "knows the mole" not in site.client.get("/s/port/reports/download/md").text


def test_only_the_present_is_put_on_record(site: Site) -> None:
    ready(site)
    for page in ("publish", "settle"):
        answer = site.client.post(f"/s/port/reports/{page}?known_at=2024-07-01", data={"action": "void", "why": "x"})
        assert answer.status_code == 422 and "is of the present" in answer.text
    assert "<textarea" not in site.get("reports", known_at="2024-07-01")


# Settling


def test_settling_is_confirmed_and_undone(site: Site) -> None:
    ready(site)
    fields: dict[str, Any] = {"action": "resolve", "scenario": "strike", "on": "2024-06-30", "why": "none was signed"}
    head = site.ledger().head()
    page = site.post("reports/settle", 200, **fields).text
    assert "Resolve it: Long strike, on 2024-06-30?" in page and "It resolves if: none is" in page
    assert site.ledger().head() == head
    assert site.post("reports/settle", step="record", **fields).headers["location"] == "/s/port/reports"
    page = site.get("reports")
    assert "The study is resolved" in page and "none was signed" in page and "See what undoing does" in page
    assert "is resolved" in site.post("reports/settle", 422, step="record", **fields).text
    assert "its reason" in site.post("reports/settle", 422, action="undo", why=" ").text
    assert "Take the resolution back?" in site.post("reports/settle", 200, action="undo", why="a slip").text
    site.post("reports/settle", step="record", action="undo", why="a slip")
    assert "the study is open again" in site.get("reports")
    assert (
        "there is no resolution to undo"
        in site.post("reports/settle", 422, step="record", action="undo", why="a slip").text
    )


def test_a_void_study_is_closed(site: Site) -> None:
    assert "never scored" in site.post("reports/settle", 200, action="void", why="the port closed").text
    site.post("reports/settle", step="record", action="void", why="the port closed")
    assert "The study is void and closed: the port closed" in site.get("reports")


@pytest.mark.parametrize(
    ("fields", "telling"),
    [
        ({"scenario": "peace", "on": "2024-06-01"}, "no scenario &#34;peace&#34;"),
        ({"scenario": "strike", "on": "2024-08-01"}, "lies in the future"),
        ({"scenario": "strike", "on": "soon"}, "is not a day"),
        ({"scenario": "strike", "on": "2023-01-01"}, "before the study opens"),
    ],
)
def test_a_refused_resolution_is_told_before_it_is_confirmed(site: Site, fields: dict[str, Any], telling: str) -> None:
    page = site.post("reports/settle", 422, action="resolve", **fields).text
    assert telling in page and "-fault" in page
    assert site.post("reports/settle", 404, action="burn").status_code == 404


# Downloads


def download(site: Site, form: str, status: int = 200, **query: Any) -> Any:
    answer = site.client.get(f"/s/port/reports/download/{form}", params=query)
    assert answer.status_code == status, answer.text
    return answer


def test_every_format_is_a_file_with_a_plain_name(site: Site) -> None:
    begins = {"json": b'{"format"', "csv": b"date,scenario", "parquet": b"PAR1", "calendar": b"BEGIN:VCALENDAR"}
    begins |= {"markdown": b"# ", "md": b"# ", "stix": b"{", "ipynb": b"{"}
    endings = {"calendar": ".ics", "stix": ".stix.json", "markdown": ".md", "md": ".report.md"}
    for form, start in begins.items():
        answer = download(site, form)
        assert answer.content.lstrip().startswith(start), form
        name = f"port-2024-07-01-tlp-clear{endings.get(form, '.' + form)}"
        assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert zipfile.ZipFile(io.BytesIO(download(site, "xlsx").content)).testzip() is None
    notebook = json.loads(download(site, "ipynb", as_of="2024-06-01").content)
    assert "as_of = '2024-06-01'" in "".join("".join(cell["source"]) for cell in notebook["cells"])
    assert str(site.path) not in json.dumps(notebook)


def test_a_report_is_made_once_for_all_who_ask(site: Site) -> None:
    first = download(site, "pdf")
    made = site.state.documents.made
    assert first.content.startswith(b"%PDF-") and download(site, "pdf").content == first.content
    assert site.state.documents.made == made


def test_unknown_formats_and_lists_are_refused(site: Site) -> None:
    for form in ("exe", "..%2F..%2Fetc", "PDF"):
        assert site.client.get(f"/s/port/reports/download/{form}").status_code == 404
    assert "no table" in download(site, "csv", 422, table="users").text
    assert (
        download(site, "csv", table="evidence")
        .headers["content-disposition"]
        .endswith('"port-2024-07-01-evidence-tlp-clear.csv"')
    )
    assert "is not a day" in download(site, "html", 422, since="x").text


def test_as_it_was_published(site: Site) -> None:
    publish(ready(site))
    workflow.log_report(
        site.ledger(),
        "port",
        {"indicator": "mood", "state": "hostile", "observed": "2024-06-20"},
        author="ana",
        today=TODAY,
        place=lambda field: field,
    )
    then, now = download(site, "json", published="1"), download(site, "json")
    assert 'filename="port-2024-07-01-published-1-tlp-clear.json"' in then.headers["content-disposition"]
    said = site.ledger()
    [entry] = [entry for entry in said.entries() if entry.kind == "publish"]
    numbers = [scenario["probability"] for scenario in entry.payload["scenarios"]]
    assert [scenario["probability"] for scenario in then.json()["scenarios"]] == numbers
    assert [scenario["probability"] for scenario in now.json()["scenarios"]] != numbers
    assert "there is no publication 9" in download(site, "json", 422, published="9").text
    assert download(site, "json", 404, published="x").status_code == 404


def test_a_level_can_only_be_stricter_than_the_servers(tmp_path: Path) -> None:
    site = opened_site(tmp_path, max_tlp="amber", without_above=True)
    ledger = site.ledger()
    for tlp, source in (("amber", "Friend"), ("red", "Mole")):
        report = {"indicator": "mood", "state": "hostile", "observed": "2024-06-01", "tlp": tlp, "source": source}
        workflow.log_report(ledger, "port", report, author="ana", today=TODAY, place=lambda field: field)
    for form in ("json", "csv", "md", "stix", "markdown"):
        table: dict[str, Any] = {"table": "evidence"} if form == "csv" else {}
        assert b"Mole" not in download(site, form, **table).content
        assert b"Friend" in download(site, form, **table).content
        assert b"Friend" not in download(site, form, max_tlp="green", **table).content
    assert "-tlp-amber.json" in download(site, "json").headers["content-disposition"]
    for looser in ("red", "amber+strict"):
        assert "this server shows nothing above TLP:AMBER" in download(site, "json", 422, max_tlp=looser).text
    assert "is no handling level" in download(site, "json", 422, max_tlp="pink").text


def test_what_is_above_is_refused_unless_it_may_be_left_out(site: Site) -> None:
    report = {"indicator": "mood", "state": "hostile", "observed": "2024-06-01", "tlp": "amber+strict"}
    workflow.log_report(site.ledger(), "port", report, author="ana", today=TODAY, place=lambda field: field)
    assert "one entry marked above TLP:GREEN" in download(site, "json", 422, max_tlp="green").text
    assert download(site, "json", max_tlp="green", without_above="1").json()["tlp"] == "clear"
    name = download(site, "json", max_tlp="amber+strict").headers["content-disposition"]
    assert "-tlp-amber-strict.json" in name
