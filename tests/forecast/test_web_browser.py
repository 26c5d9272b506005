"""An analyst's day in real Chromium, on the Japan case: log, look, correct, ask why, edit, publish, take away.

Every request that the browser makes is recorded; none may leave the server. What goes wrong in a page's console is a
fault too.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from forecast.cli.main import run
from indicators.clock import utc_now
from indicators.opening import open_ledger
from tests.browser import Served, browser, serious_faults, served

__all__ = ["browser"]

NOW = datetime(2026, 6, 8, 12, tzinfo=UTC)
PAGES = (
    "board",
    "log?indicator=sar-effect",
    "evidence?indicator=intel-reform",
    "evidence/e95",
    "why",
    "study",
    "reports",
)
MORE = ("watch", "study/rows?indicator=sar-effect", "study/edit", "study/history", "record", "team", "blind")


@dataclass
class Desk:
    """A browser that is signed in, and what went wrong in it."""

    server: Served
    context: BrowserContext
    page: Page
    asked: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def opened(self, name: str, page: Page | None = None) -> Page:
        """A page of the study."""
        page = page or self.page
        page.goto(f"{self.server.address}/s/japan-sar/{name}")
        return page

    def told(self, page: Page, text: str) -> None:
        """Note what a console says, but that a form was refused, which the page itself tells."""
        if "422 (Unprocessable" not in text:
            self.faults.append(f"{page.url}: {text}")

    def watch(self, page: Page) -> None:
        """Note what a page asks for, and what goes wrong in it."""
        page.on("console", lambda message: self.told(page, message.text))
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        page.on("request", lambda request: self.asked.add(request.url))


@pytest.fixture(scope="module")
def japan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Japan case in a ledger."""
    folder = tmp_path_factory.mktemp("japan")
    assert run(["init", str(folder), "--case", "japan-sar", "--author", "bo"]) == 0
    return folder / "forecast.db"


@pytest.fixture
def desk(browser: Browser, japan: Path, tmp_path: Path) -> Iterator[Desk]:
    path = tmp_path / "forecast.db"
    shutil.copy(japan, path)
    with served(path, NOW) as server:
        context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
        found = Desk(server, context, context.new_page())
        found.watch(found.page)
        found.page.goto(f"{server.address}/enter?token={server.token}")
        expect(found.page).to_have_url(f"{server.address}/s/japan-sar/board")
        yield found
        context.close()
    assert found.faults == []
    assert {url for url in found.asked if not url.startswith((server.address, "data:"))} == set()


def leading(page: Page) -> str:
    """What the board says of its leading scenario."""
    return re.sub(r"\s+", " ", page.locator("tr.leads").first.inner_text())


def test_a_day_at_the_desk(desk: Desk, tmp_path: Path) -> None:
    page = desk.page
    before = leading(page)

    # Log: a preview that writes nothing, then the entry, then the board moves.
    head = desk.server.state.ledger.head()
    desk.opened("log")
    page.select_option("#indicator", "intel-reform")
    page.get_by_label("law", exact=True).check()
    page.get_by_label("Who said it").fill("Kyodo")
    expect(page.locator("#preview table")).to_be_visible(timeout=15_000)
    assert desk.server.state.ledger.head() == head
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#saved")).to_contain_text("e113 is logged")
    expect(page.get_by_label("Indicator")).to_have_value("intel-reform")
    desk.opened("board")
    expect(page.locator("main")).to_contain_text("113 entries", timeout=15_000)
    after = leading(page)
    assert after != before

    # Correct it, with a fault first.
    desk.opened("evidence/e113")
    page.locator("summary", has_text="Correct e113").click()
    page.locator("details.correct form").first.evaluate("form => { form.noValidate = true; }")
    page.locator("details.correct").get_by_label("Day").first.fill("2024-01-01")
    page.get_by_role("button", name="Correct e113").click()
    expect(page.get_by_role("alert").first).to_contain_text("2025-04-22")
    page.locator("details.correct").get_by_label("Day").first.fill("2026-06-05")
    page.get_by_role("button", name="Correct e113").click()
    expect(page.locator(".history")).to_contain_text("2026-06-05")

    # Retract it: the board goes back.
    page.locator("summary", has_text="Retract e113").click()
    page.locator("#why-retract").fill("logged to try it out")
    page.get_by_role("button", name="Retract e113").click()
    expect(page.locator(".history")).to_contain_text("logged to try it out")
    desk.opened("board")
    expect(page.locator("main")).to_contain_text("115 entries", timeout=15_000)
    assert leading(page) == before

    # What if a source were not there.
    desk.opened("why")
    stands = page.locator("#why").inner_text()
    page.locator("input[value='source:Jiji']").check()
    expect(page).to_have_url(re.compile("without=source%3AJiji"))
    expect(page.locator("#why")).to_contain_text("Without", ignore_case=True)
    assert page.locator("#why").inner_text() != stands


def test_a_row_is_edited_with_a_mistake_and_mended(desk: Desk) -> None:
    page = desk.opened("study/rows?indicator=sar-effect")
    cells = page.locator("form input[inputmode]")
    was = cells.first.input_value()
    cells.first.fill("0.9")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#refused")).to_contain_text("sum")
    second = page.locator("form input[inputmode]").nth(1)
    first = page.locator("form input[inputmode]").first
    assert first.input_value() == "0.9"
    first.fill(f"{float(was) - 0.01:.2f}")
    second.fill(f"{float(second.input_value()) + 0.01:.2f}")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Record as revision 2").click()
    expect(page.locator("main")).to_contain_text("evision 2 is", ignore_case=True)
    desk.opened("study")
    expect(page.locator("main")).to_contain_text("Revision 2")
    desk.opened("board")
    expect(page.locator("main")).to_contain_text("after its first report", timeout=15_000)


def test_publish_and_take_away(desk: Desk, tmp_path: Path) -> None:
    page = desk.opened("reports")
    page.get_by_role("button", name="See what will be put on record").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Publication 1, as it will stand")
    page.get_by_role("button", name="Put it on record").click()
    expect(page.locator("main")).to_contain_text("2026-06-08")
    desk.opened("reports")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="PDF", exact=True).click()
    file = tmp_path / "report.pdf"
    waiting.value.save_as(file)
    assert file.read_bytes().startswith(b"%PDF") and waiting.value.suggested_filename.endswith(".pdf")
    assert [e.kind for e in open_ledger(tmp_path / "forecast.db", clock=utc_now).entries(after=112)] == ["publish"]


def test_axe_finds_no_serious_fault_and_pages_fit(desk: Desk, browser: Browser) -> None:
    looks: tuple[tuple[int, Any, tuple[str, ...]], ...] = ((1280, "light", PAGES), (390, "dark", (*PAGES, *MORE)))
    for width, light, pages in looks:
        state, size = desk.context.storage_state(), {"width": width, "height": 900}
        context = browser.new_context(viewport=size, color_scheme=light, storage_state=state)  # type: ignore[arg-type]
        page = context.new_page()
        desk.watch(page)
        for name in pages:
            desk.opened(name, page)
            assert page.locator("h1").count() == 1, name
            assert serious_faults(page) == [], (name, width)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        context.close()


def test_it_is_used_with_a_keyboard_alone(desk: Desk) -> None:
    page = desk.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for key, name in (("e", "evidence"), ("y", "why"), ("b", "board"), ("l", "log")):
        page.keyboard.press("g")
        page.keyboard.press(key)
        page.wait_for_url(f"**/s/japan-sar/{name}")
    desk.opened("log?indicator=sar-effect")
    page.locator("#main").focus()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "state":
            break
    page.keyboard.press("Space")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "source":
            break
    page.keyboard.type("Kyodo")
    page.keyboard.press("Enter")
    expect(page.locator("#saved")).to_contain_text("is logged")


def test_an_indicator_is_found_by_typing_and_what_is_typed_stays(desk: Desk) -> None:
    page = desk.opened("log")
    expect(page.locator("#indicator")).to_be_focused()
    page.keyboard.type("intel", delay=40)
    expect(page.get_by_label("law", exact=True)).to_be_visible()
    expect(page.locator("#indicator")).to_have_value("intel-reform")
    expect(page.locator("#indicator")).to_be_focused()
    # What was filled in for one source gives way to the next one, on the sheet of another indicator too.
    page.get_by_label("Who said it").fill("worldinsight.com")
    expect(page.locator("#letter")).to_have_value("C")
    page.get_by_label("Note").fill("kept")
    page.select_option("#indicator", "sar-effect")
    expect(page.get_by_label("marked", exact=True)).to_be_visible()
    expect(page.get_by_label("Note")).to_have_value("kept")
    page.get_by_label("Who said it").fill("somebody new")
    expect(page.locator("#letter")).to_have_value("")
    page.get_by_label("marked", exact=True).check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".saved")).to_contain_text("grade F6")
    expect(page.locator("#indicator")).to_be_focused()


def test_it_works_without_any_script(desk: Desk, browser: Browser) -> None:
    context = browser.new_context(storage_state=desk.context.storage_state(), java_script_enabled=False)
    page = desk.opened("log?indicator=sar-effect", context.new_page())
    page.get_by_label("modest", exact=True).check()
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#preview table, .preview table").first).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#saved")).to_contain_text("e113 is logged")
    desk.opened("why?without=source:Jiji", page)
    expect(page.locator("main")).to_contain_text("Jiji")
    context.close()
