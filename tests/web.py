"""A small ledger served without a server: a client that is signed in, for tests of pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from starlette.testclient import TestClient

from forecast import workflow
from forecast.study_file import read_study, study_json
from forecast.web import Settings, create_app
from forecast.web.state import State
from indicators.ledger import Ledger
from indicators.opening import create_ledger, open_ledger
from tests.small import STUDY, TODAY

__all__ = ["HOST", "NOW", "REPORTS", "Site", "site"]

HOST = "127.0.0.1:8765"
NOW = datetime(2024, 7, 1, 12, tzinfo=UTC)
"""The present moment of every site: days lie in 2024, as in `tests.small`."""

REPORTS: tuple[Mapping[str, str], ...] = (
    {"indicator": "mood", "state": "calm", "observed": "2024-02-01", "source": "Wire", "note": "été 日本"},
    {
        "indicator": "mood",
        "state": "hostile",
        "observed": "2024-03-01",
        "grade": "C3",
        "source": "Paper",
        "origin": "x",
    },
    {"indicator": "talks", "count": "2", "observed": "2024-03-05", "source": "Wire", "url": "https://example.org/a"},
    {"indicator": "wait", "value": "22.5", "observed": "2024-05-01"},
)
"""Entries e2 to e5 of the ledger; e1 is the study."""


def _now() -> datetime:
    return NOW


@cache
def _template() -> Path:
    """A ledger with the study `port` of `tests.small` and `REPORTS`, made once."""
    path = Path(mkdtemp()) / "forecast.db"
    with closing(create_ledger(path, clock=_now)) as ledger:
        study = read_study(STUDY, file="port.yaml")
        workflow.record_study(ledger, study, content=study_json(study), text=STUDY, file="port.yaml", author="ana")
        for report in REPORTS:
            workflow.log_report(ledger, "port", report, author="ana", today=TODAY, place=lambda field: field)
    return path


@dataclass
class Site:
    """The pages of one ledger, and somebody who looks at them.

    Attributes
    ----------
    path : Path
        Of the ledger.
    client : TestClient
        Follows no redirects; its posts say that they come from this site.
    """

    path: Path
    client: TestClient
    opened: list[Any] = field(default_factory=list)

    @property
    def state(self) -> State:
        """What the server keeps."""
        found: State = self.client.app.state.watchfloor  # type: ignore[attr-defined]
        return found

    def ledger(self) -> Ledger:
        """The ledger itself, beside the server."""
        found = open_ledger(self.path, clock=_now)
        self.opened.append(found)
        return found

    def get(self, page: str, status: int = 200, **query: Any) -> str:
        """The text of a page of the study: `get("board", as_of="2024-06-01")`."""
        answer = self.client.get(f"/s/port/{page}", params=query)
        assert answer.status_code == status, answer.text
        return answer.text

    def post(self, page: str, status: int = 303, **fields: Any) -> Any:
        """The answer to a form of the study that is sent."""
        answer = self.client.post(f"/s/port/{page}", data=fields)
        assert answer.status_code == status, answer.text
        return answer

    def others(self) -> TestClient:
        """A browser of somebody who is not signed in, at the same server."""
        return _client(self.client.app)


def _client(app: Any) -> TestClient:
    headers = {"sec-fetch-site": "same-origin", "origin": f"http://{HOST}"}
    return TestClient(
        app, base_url=f"http://{HOST}", headers=headers, follow_redirects=False, raise_server_exceptions=True
    )


def opened_site(folder: Path, **settings: Any) -> Site:
    """A site on a copy of the small ledger, signed in by the token as a lead named ana."""
    path = folder / "forecast.db"
    shutil.copy(_template(), path)
    given: dict[str, Any] = {"clock": _now, "author": "ana", "hosts": frozenset({HOST}), "draws": 100}
    given["token"] = "let-me-in"
    app = create_app(Settings(address=path, **(given | settings)))
    found = Site(path, _client(app))
    answer = found.client.get("/enter", params={"token": "let-me-in"})
    assert answer.status_code == 303
    return found


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """The pages of a small ledger, and a lead who is signed in."""
    found = opened_site(tmp_path)
    yield found
    for item in found.opened:
        item.close()
