"""The page why: lines that add up to the whole move, and what the numbers would be without some of it."""

from __future__ import annotations

import re
from pathlib import Path

from forecast import workflow
from forecast.display import percent
from tests.small import TODAY
from tests.web import Site, opened_site, site

__all__ = ["site"]


def decibans(page: str) -> list[float]:
    """The numbers of the lines, and of their sum at the end."""
    return [float(text) for text in re.findall(r">([+-][0-9]+\.[0-9]{2})</td>", table(page))]


def table(page: str) -> str:
    """The table of lines."""
    start = page.index('class="lines"')
    return page[start : page.index("</table>", start)]


def log(site: Site, **report: str) -> None:
    workflow.log_report(site.ledger(), "port", report, author="ana", today=TODAY, place=lambda field: field)


def test_the_lines_add_up_to_the_sum(site: Site) -> None:
    page = site.get("why")
    *lines, total = decibans(page)
    assert len(lines) > 4
    assert abs(sum(lines) - total) < 0.01 * len(lines)
    assert "Silence of" in page and 'href="/s/port/evidence/e3"' in page
    assert "Of 100 worlds that looked like this one" in page


def test_it_explains_the_scenario_and_the_time_asked_for(site: Site) -> None:
    page = site.get("why", since="2024-03-02", scenario="strike")
    assert "Long strike: " in page and "evidence/e4" in table(page) and "evidence/e3" not in table(page)
    made = (site.state.outlooks.made, site.state.drawings.made)
    assert site.get("why", since="2024-03-02", scenario="strike") == page
    assert (site.state.outlooks.made, site.state.drawings.made) == made


def test_what_is_left_out_stands_in_the_address(site: Site) -> None:
    whole = site.get("why")
    page = site.get("why", without=["source:Paper", "entry:e4"])
    assert "Worked out without" in page and ">Without</th>" in page and ">Difference</th>" in page
    assert 'value="source:Paper" checked' in page and 'value="entry:e4" checked' in page
    back = 'href="/s/port/why?without=entry%3Ae4" aria-label="Put source:Paper back"'
    assert back in page
    assert ">Without</th>" not in whole
    released = opened_numbers(site, ("source:Paper", "entry:e4"))
    assert all(f'<td class="n">{number}</td>' in page for number in released)


def opened_numbers(site: Site, without: tuple[str, ...]) -> list[str]:
    from forecast.reading import read_study

    found = read_study(site.ledger(), "port").outlook(TODAY, without=without, draws=100)
    return [percent(p) for p in found.final.tolist()]


def test_a_wrong_field_is_told_beside_it_and_the_rest_is_shown(site: Site) -> None:
    asked = {
        "since": ("31 March", "is not a day"),
        "scenario": ("peace", "one of: settled, strike"),
        "as_of": ("2030-01-01", "lies in the future"),
        "without": ("source:Wired", "did you mean &#34;Wire&#34;?"),
    }
    for name, (text, telling) in asked.items():
        page = site.get("why", 422, **{name: text})
        assert telling in page and f'aria-describedby="{name}-fault"' in page
        assert "What would turn it" in page
    assert "lies outside" in site.get("why", 422, since="2023-01-01")
    assert "runs from 2024-01-01" in site.get("why", 422, as_of="2023-01-01")
    assert 'value="source:Wired"' in site.get("why", 422, without="source:Wired")


def test_many_reports_have_a_line_of_their_own_only_when_asked(site: Site) -> None:
    for day in range(1, 30):
        log(site, indicator="mood", state="tense", observed=f"2024-06-{day:02}")
    page = site.get("why")
    assert "smaller reports" in page and "Every report on a line of its own" in page
    whole = site.get("why", all="1")
    assert "smaller reports" not in whole and "evidence/e27" in table(whole)
    assert abs(decibans(whole)[-1] - decibans(page)[-1]) < 0.005


def test_nothing_of_what_is_withheld_is_named(tmp_path: Path) -> None:
    site = opened_site(tmp_path, max_tlp="green", without_above=True)
    log(site, indicator="mood", state="hostile", observed="2024-06-01", source="Mole", origin="embassy", tlp="red")
    for page in (site.get("why"), site.get("why", all="1"), site.get("why", 422, without="source:Mol")):
        assert "Mole" not in page and "embassy" not in page and "e6" not in re.findall(r"evidence/(e\d+)", page)
    assert "are left out, and all numbers are worked out without them" in site.get("why")


def test_what_users_wrote_is_text(site: Site) -> None:
    log(site, indicator="mood", state="calm", observed="2024-06-01", source="<script>x</script>", origin='"><b>')
    page = site.get("why")
    assert "<script>x" not in page and '"><b>' not in page and "&lt;script&gt;x" in page
