"""Chromium, the faults that axe finds on a page, and pages that are really served: for tests that look as people do.

Needs Chromium: `apt-get install chromium`, or its path in CHROMIUM. Under CI=true such tests are never skipped.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from forecast.web import Settings, create_app
from forecast.web.listening import listening_socket
from forecast.web.state import State

__all__ = ["WIDTHS", "Served", "browser", "serious_faults", "served"]

FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    *("--no-first-run", "--disable-sync", "--disable-dev-shm-usage"),
)
WIDTHS = (1280, 390)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, without a window."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if path is None and os.environ.get("CI") != "true":
        pytest.skip("no chromium on this machine: apt-get install chromium, or name it with CHROMIUM")
    assert path, "continuous integration has to install chromium"
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=[*FLAGS])
        yield found
        found.close()


def serious_faults(page: Page) -> list[tuple[str, list[str]]]:
    """What axe calls serious or critical: the rule, and the places."""
    # Run by the test, not by the page, whose policy lets no foreign script in.
    page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert found["passes"]
    return [
        (fault["id"], [node["html"][:200] for node in fault["nodes"]])
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
    ]


@dataclass(frozen=True)
class Served:
    """Pages that are served on this machine.

    Attributes
    ----------
    address : str
        Without a slash at its end.
    token : str
        Lets one browser in, once.
    state : State
        Of the server.
    """

    address: str
    token: str
    state: State


@contextmanager
def served(path: Path, now: datetime, **settings: Any) -> Iterator[Served]:
    """The pages of a ledger while the block runs, as `forecast serve` serves them."""
    socket = listening_socket("127.0.0.1", 0)
    host = f"127.0.0.1:{socket.getsockname()[1]}"
    given: dict[str, Any] = {"author": "ana", "token": "let-me-in", "draws": 100, **settings}
    app = create_app(Settings(address=path, clock=lambda: now, hosts=frozenset({host}), **given))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True)
    thread.start()
    try:
        yield Served(f"http://{host}", "let-me-in", app.state.watchfloor)
    finally:
        server.should_exit = True
        thread.join()
        socket.close()
