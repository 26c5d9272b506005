"""A study and an outlook in a notebook: their tables, with every text as a text."""

from __future__ import annotations

from datetime import date
from html.parser import HTMLParser

import pytest

from forecast.faces import face
from tests.forecast.build import japan_sar
from tests.forecast.test_export import hostile
from tests.strategies import AWKWARD

TAGS = {"div", "p", "b", "br", "table", "thead", "tbody", "tr", "th", "td"}


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert [name for name, _ in attrs if name != "scope"] == []
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_an_outlook_shows_where_its_scenarios_stand() -> None:
    outlook = japan_sar(date(2026, 6, 7))
    page = Page(outlook._repr_html_())
    assert "As of 2026-06-07, from 104 reports." in page.texts
    for scenario, p in zip(outlook.study.scenarios, outlook.final.tolist(), strict=True):
        assert scenario.label in page.texts and f"{p:.3g}" in page.texts


def test_a_study_shows_its_scenarios() -> None:
    study = japan_sar(date(2025, 4, 22)).study
    texts = Page(study._repr_html_()).texts
    assert [scenario.id in texts for scenario in study.scenarios] == [True] * 5
    assert "0.45" in texts


@pytest.mark.parametrize("text", AWKWARD, ids=range(len(AWKWARD)))
def test_no_text_is_more_than_a_text(text: str) -> None:
    assert set(Page(face(text, text, (text,), [(text,)])).tags) <= TAGS
    outlook = hostile(text)
    assert set(Page(outlook._repr_html_() + outlook.study._repr_html_()).tags) <= TAGS
