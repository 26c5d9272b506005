"""The page as a browser shows it: at two widths, in both lights, without a request, and by the rules of axe.

Needs Chromium: `apt-get install chromium`, or its path in CHROMIUM. Under CI=true it is never skipped.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from forecast.report.html import html_text
from tests.browser import WIDTHS, browser, serious_faults
from tests.forecast.build import japan_sar, released
from tests.forecast.test_export import hostile
from tests.forecast.test_report_record import written

__all__ = ["browser"]


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text(html_text(released(japan_sar(date(2026, 6, 7)))), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def record_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with all that a track record may have."""
    outlook, record = written()
    file = tmp_path_factory.mktemp("record") / "report.html"
    file.write_text(html_text(outlook, record=record), encoding="utf-8")
    return file


def opened(browser: Browser, file: Path, width: int, light: Any = "light") -> tuple[Page, list[str]]:
    """The page, and everything that went wrong or left the file while it was opened."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=light)
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("request", lambda request: told.append(request.url))
    page.on("dialog", lambda dialog: told.append(dialog.message))
    page.goto(file.as_uri())
    return page, [text for text in told if text != file.as_uri() and not text.startswith("data:")]


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_leaves_the_page_and_it_fits(browser: Browser, page_file: Path, width: int) -> None:
    page, told = opened(browser, page_file, width)
    assert told == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


@pytest.mark.parametrize("light", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_no_serious_fault(browser: Browser, page_file: Path, width: int, light: str) -> None:
    page, _ = opened(browser, page_file, width, light)
    assert serious_faults(page) == []
    page.close()


def test_the_pages_of_a_record_fit_and_have_no_serious_fault(browser: Browser, record_file: Path) -> None:
    for width in WIDTHS:
        page, told = opened(browser, record_file, width)
        assert told == [] and page.evaluate("document.documentElement.scrollWidth") <= width
        page.close()
    page, _ = opened(browser, record_file, 390, "dark")
    assert serious_faults(page) == []
    page.close()


def test_only_the_charts_for_the_light_at_hand_are_shown(browser: Browser, page_file: Path) -> None:
    for light, shown in (("light", ".day"), ("dark", ".night")):
        page, _ = opened(browser, page_file, 1280, light)
        for name in (".day", ".night"):
            assert page.locator(name).first.is_visible() == (name == shown)
        page.close()


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "x" * 10_000])
def test_no_text_of_a_user_runs_or_widens_the_page(browser: Browser, tmp_path: Path, text: str) -> None:
    file = tmp_path / "hostile.html"
    file.write_text(html_text(released(hostile(text), flags=[text])), encoding="utf-8")
    page, told = opened(browser, file, 390)
    assert told == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()
