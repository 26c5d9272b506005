"""The study in a browser: what its page says, how its rows and its text are changed, and what is refused."""

from __future__ import annotations

import html
import re
from contextlib import closing
from typing import Any

import pytest

from forecast import workflow
from forecast.study_file import read_study, study_faults, study_json
from forecast.web import rows
from indicators.opening import open_ledger
from tests.small import STUDY
from tests.web import Site, opened_site, site

__all__ = ["site"]


def text_in(page: str) -> str:
    """What stands in the page's text field."""
    found = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.DOTALL)
    assert found
    return html.unescape(found[1])


def hidden(page: str, name: str) -> str:
    """A hidden field of the page."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found
    return html.unescape(found[1])


def preview(site: Site, text: str, status: int = 200, base: str = "e1", **more: Any) -> str:
    return str(site.post("study/preview", status, text=text, base=base, **more).text)


def words(page: str) -> str:
    """The page's text without its tags, on one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def recorded(site: Site, text: str, author: str = "bo") -> None:
    """Another lead records a revision beside the server."""
    study = read_study(text, file="port.yaml")
    with closing(open_ledger(site.path, clock=site.state.settings.clock)) as ledger:
        workflow.record_study(ledger, study, content=study_json(study), text=text, file="port.yaml", author=author)


def log(site: Site, **raw: str) -> str:
    with closing(open_ledger(site.path, clock=site.state.settings.clock)) as ledger:
        today = site.state.settings.clock().date()
        return workflow.log_report(ledger, "port", raw, author="ana", today=today, place=str).id


CALMER = STUDY.replace("settled: [0.6, 0.3, 0.1]", "settled: [0.5, 0.3, 0.2]")


def test_the_page_says_what_the_study_says(site: Site) -> None:
    page = site.get("study")
    said = words(page)
    assert "Settlement" in said
    assert "60.0 %" in said
    assert "state, persistence 60 d, check every 30 d, confidence medium" in said
    assert 'aria-label="calm 0.6, tense 0.3, hostile 0.1"' in page
    assert 'aria-label="calm: quiet 0.675, loud 0.325"' in page
    assert "20 ± 6" in said
    assert "(unlikely)" in said


def test_the_weight_of_a_number_has_its_shade(site: Site) -> None:
    page = site.get("study")
    assert re.search(r'class="n weight for-2">\s*0.6<span class="db">\+4.8', page)
    assert re.search(r'class="n weight against-3">\s*0.1<span class="db">-7.0', page)


def test_the_matrix_can_be_ordered_by_what_tells(site: Site) -> None:
    def order(page: str) -> list[str]:
        return re.findall(r'<th scope="row"><a href="#i-([a-z]+)">', page)

    assert order(site.get("study"))[:2] == ["mood", "press"]
    told = order(site.get("study", order="telling"))
    assert sorted(told) == sorted(order(site.get("study")))
    assert told[-1] == "gone"


def test_rows_are_changed_in_the_text_and_nothing_else(site: Site) -> None:
    form = site.get("study/rows", indicator="mood")
    assert 'name="r0c0" id="r0c0" value="0.6"' in form
    cells = {"r0c0": "0.5", "r0c1": "0.3", "r0c2": "0.2", "r1c0": "0.20", "r1c1": "0.3", "r1c2": "0.5"}
    page = site.post("study/rows", 200, indicator="mood", base=hidden(form, "base"), **cells).text
    assert text_in(page) == CALMER
    assert 'rows of "mood" were changed on 2024-07-01 (revision 2), after its first report e2' in html.unescape(page)
    assert "likelihoods of settled [0.6, 0.3, 0.1] -> [0.5, 0.3, 0.2]" in html.unescape(page)
    assert site.ledger().head().entries == 5


def test_a_row_that_is_wrong_is_refused_beside_its_fields(site: Site) -> None:
    cells = {"r0c0": "0,5", "r0c1": "0.3", "r0c2": "0.1", "r1c0": "0.2", "r1c1": "0.3", "r1c2": "0.4"}
    page = html.unescape(site.post("study/rows", 422, indicator="mood", base="e1", **cells).text)
    assert 'probability 1 of "settled" must be a number, not the text "0,5"; write a decimal point: 0.5' in page
    assert 'the row of "strike" sums to 0.9, not to 1' in page
    assert re.search(r'name="r0c0"[^>]*value="0,5"[^>]*aria-invalid="true" aria-describedby="told-r0"', page)
    assert site.ledger().head().entries == 5


def test_a_word_may_stand_for_a_row_but_not_beside_numbers(site: Site) -> None:
    names = [f"r{n}" for n in range(6)]
    typed = {f"{name}w": "likely" for name in names}
    page = site.post("study/rows", 200, indicator="press", base="e1", **typed).text
    assert "settled: {calm: likely, tense: likely, hostile: likely}" in text_in(page)
    typed |= {"r0c0": "0.5", "r0c1": "0.5"}
    page = site.post("study/rows", 422, indicator="press", base="e1", **typed).text
    assert "numbers and a word in one row" in page


def test_faults_of_the_text_are_those_of_the_check_at_the_same_lines(site: Site) -> None:
    text = STUDY.replace("[0.6, 0.3, 0.1]", "[0.6, 0.3, 0.2]").replace("kind: count\n    unit", "knd: count\n    unit")
    faults = study_faults(text, file="port.yaml")
    assert len(faults) >= 2
    page = preview(site, text, 422)
    for fault in faults:
        assert f'data-line="{fault.line}" data-column="{fault.column}">{html.escape(str(fault), quote=False)}' in (
            page.replace("&#34;", '"').replace("&#39;", "'")
        )
    assert text_in(page) == text


def test_a_preview_says_before_and_after_and_writes_nothing(site: Site) -> None:
    page = preview(site, CALMER)
    released = re.findall(r'<td class="n">([0-9.]+ %)</td>', page)
    assert len(released) == 4
    assert released[0] != released[1]
    board = site.state.outlooks.made
    preview(site, CALMER)
    assert site.state.outlooks.made == board, "the same preview again is not worked out anew"
    assert site.ledger().head().entries == 5


def test_what_was_previewed_is_recorded_with_its_author(site: Site) -> None:
    shown = preview(site, CALMER.replace("\n", "\r\n"))
    answer = site.post("study/save", text=text_in(shown), base=hidden(shown, "base"), seen=hidden(shown, "seen"))
    assert answer.headers["location"] == "/s/port/study"
    assert "Revision 2 is recorded as e6" in site.get("study")
    entry = list(site.ledger().entries(study="port"))[-1]
    assert (entry.author, entry.payload["file"]) == ("ana", CALMER)
    history = words(site.get("study/history"))
    assert "Revision 2 e6, 2024-07-01 12:00 UTC, by ana" in history
    one = words(site.get("study/history/2"))
    assert "Probabilities as of 2024-07-01" in one
    assert "likelihoods of settled" in one
    assert "first revision" in words(site.get("study/history/1"))
    numbers = re.findall(r"[0-9.]+ %", words(site.get("study/history/2")))
    assert numbers == re.findall(r"[0-9.]+ %", words(shown))


def test_a_text_changed_after_its_preview_is_previewed_again(site: Site) -> None:
    shown = preview(site, CALMER)
    other = CALMER.replace("prior: 0.6", "prior: 0.5").replace("prior: 0.4", "prior: 0.5")
    page = site.post("study/save", 200, text=other, base="e1", seen=hidden(shown, "seen")).text
    assert "The text has changed since its preview" in page
    assert site.ledger().head().entries == 5


def test_a_revision_on_top_of_one_not_seen_is_refused_with_both_shown(site: Site) -> None:
    shown = preview(site, CALMER)
    recorded(site, STUDY.replace("title: The port", "title: The harbour"))
    page = site.post("study/save", 409, text=CALMER, base="e1", seen=hidden(shown, "seen")).text
    said = words(page)
    assert "Revision 2 (e6) by bo was recorded since you began" in said
    assert "title: The harbour" in said
    assert "settled: [0.5, 0.3, 0.2]" in said
    assert text_in(page) == CALMER
    assert len([e for e in site.ledger().entries(study="port") if e.kind == "study"]) == 2
    form = site.post("study/rows", 409, indicator="mood", base="e1", r0c0="0.1").text
    assert "was recorded since you began" in form
    assert 'value="0.1"' in form


def test_the_ledger_itself_refuses_a_revision_on_top_of_another(site: Site) -> None:
    recorded(site, STUDY.replace("title: The port", "title: The harbour"))
    study = read_study(CALMER, file="port.yaml")
    with pytest.raises(workflow.RevisedSinceError, match="revision 2"):
        workflow.record_study(
            site.ledger(), study, content=study_json(study), text=CALMER, file="", author="ana", based_on="e1"
        )


def test_what_is_logged_keeps_its_ground(site: Site) -> None:
    text = STUDY.replace("states: [calm, tense, hostile]", "states: [calm, tense, angry]").replace(
        "hostile: ", "angry: "
    )
    page = html.unescape(preview(site, text, 422))
    assert 'indicator "mood" has live reports (e2, e3) and would lose the state hostile' in page
    assert "Record as revision" not in page


def test_the_text_of_another_study_is_refused(site: Site) -> None:
    page = html.unescape(preview(site, STUDY.replace("study: port", "study: other"), 422))
    assert 'port.yaml:1:8: this is the page of "port", and the text is of "other"' in page


def test_no_file_of_the_server_is_read_for_a_history(site: Site) -> None:
    baseline = "baseline: {history: talks.csv, from: 2020-01-01, to: 2023-12-31}"
    text = STUDY.replace("rates: {settled: 12, strike: 4}", f"{baseline}\n    multipliers: {{settled: 2, strike: 1}}")
    (site.path.parent / "talks.csv").write_text("date\n2021-01-01\n", encoding="utf-8")
    page = html.unescape(preview(site, text, 422))
    assert '"history" is "talks.csv", which the study was not recorded with' in page


def test_an_earlier_state_cannot_be_edited(site: Site) -> None:
    page = site.get("study", known_at="2024-07-01T12:00:00Z")
    assert "Edit the text" not in page
    site.get("study/edit", 422, known_at="2024-07-01T12:00:00Z")


def test_there_is_no_such_revision(site: Site) -> None:
    for number in ("0", "3", "x", "²", "9" * 30):
        site.get(f"study/history/{number}", 404)


def test_who_may_not_write_edits_nothing(tmp_path: Any) -> None:
    found = opened_site(tmp_path, read_only=True)
    assert "Edit the" not in found.get("study")
    found.get("study/edit", 403)
    found.post("study/preview", 403, text=CALMER, base="e1")
    found.post("study/save", 403, text=CALMER, base="e1")


class TestTheGate:
    """A server that may show no more than TLP:CLEAR, and a report that is marked red."""

    def test_a_refusal_names_nothing_that_is_withheld(self, tmp_path: Any) -> None:
        site = opened_site(tmp_path, max_tlp="clear", without_above=True)
        secret = log(site, indicator="raids", observed="2024-04-01", tlp="red", source="Mole")
        text = re.sub(r"  - id: raids\n.*?(?=  - id: treaty)", "", STUDY, flags=re.DOTALL)
        page = html.unescape(preview(site, text, 422))
        assert "entries marked above TLP:CLEAR do not fit" in page
        assert not re.search(rf"\b{secret}\b", page)
        shown = preview(site, CALMER)
        assert "Mole" not in shown

    def test_numbers_that_rest_on_more_are_not_shown(self, tmp_path: Any) -> None:
        site = opened_site(tmp_path, max_tlp="clear")
        log(site, indicator="raids", observed="2024-04-01", tlp="red")
        page = words(preview(site, CALMER))
        assert "the outlook rests on one entry marked above TLP:CLEAR" in page
        assert "Probabilities as of" not in page
        assert "What the next look would tell is not shown" in words(site.get("study"))

    def test_a_revision_that_was_marked_above_is_not_shown(self, tmp_path: Any) -> None:
        site = opened_site(tmp_path, max_tlp="clear", without_above=True)
        recorded(site, CALMER.replace("title: The port", "title: The secret port\ntlp: red"))
        recorded(site, STUDY)
        pages = [site.get(f"study/history/{n}") for n in (1, 2, 3)] + [site.get("study/history")]
        assert all("secret" not in page and "[0.5, 0.3, 0.2]" not in page for page in pages)
        assert "marked above what this server may show" in pages[1]
        conflict = site.post("study/preview", 409, text=CALMER, base="e6").text
        assert "secret" not in conflict


def test_rows_that_do_not_fit_a_form_lead_to_the_text(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MOST_CELLS", 1)
    answer = site.client.get("/s/port/study/rows", params={"indicator": "mood"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/s/port/study/edit")
    assert "change them in the text of the study." in site.get("study/edit")
