"""A canary in every text of entries at every level: above what a server may show it is in no byte of any answer."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.routing import Route
from starlette.testclient import TestClient

from forecast.web import Settings, create_app
from forecast.web.downloads import DOCUMENTS
from tests.forecast.test_canary import above, ledger
from tests.traces import found_in
from tests.web import HOST

__all__ = ["ledger"]

NOW = datetime(2024, 12, 1, 12, tzinfo=UTC)
PLACES = {
    "entry": [f"e{n}" for n in range(1, 40)],
    "number": ["1", "2"],
    "sha256": ["0" * 64],
    "name": ["timeline", "matrix"],
}
FIELDS = {
    "as_of": "2024-06-30",
    "since": "2024-02-15",
    "all": "1",
    "order": "change",
    "step": "preview",
    "why": "because",
}


@pytest.fixture(scope="module", params=["clear", "green", "amber"])
def shown(request: pytest.FixtureRequest, ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A level, and a browser that is signed in to a server which shows nothing above it."""
    path = tmp_path_factory.mktemp("shown") / "forecast.db"
    shutil.copy(ledger, path)
    return request.param, signed_in(path, max_tlp=request.param, without_above=True)


def signed_in(path: Path, **kept: Any) -> TestClient:
    """A browser at a server of a ledger that shows no more than is said."""
    given: dict[str, Any] = {
        "clock": lambda: NOW,
        "author": "ana",
        "hosts": frozenset({HOST}),
        "token": "t",
        "draws": 100,
    }
    client = TestClient(
        create_app(Settings(address=path, **given, **kept)),
        base_url=f"http://{HOST}",
        headers={"sec-fetch-site": "same-origin"},
        follow_redirects=True,
    )
    client.get("/enter?token=t")
    return client


def asked(app: Any) -> Iterator[tuple[str, str]]:
    """Every method and address, with every entry that there is, or would be."""
    for route in (item for item in app.routes if isinstance(item, Route)):
        names = re.findall(r"\{(\w+)", route.path)
        if route.path in ("/sign-out", "/enter", "/static/{name}"):
            continue
        choices = [["port"] if name == "study" else PLACES.get(name, ["json"]) for name in names]
        for chosen in product(*choices):
            path = route.path
            for name, value in zip(names, chosen, strict=True):
                path = re.sub(rf"\{{{name}[^}}]*\}}", value, path)
            yield ("POST" if "POST" in (route.methods or ()) else "GET"), path


def test_no_byte_of_an_answer_is_from_above_the_level(shown: Any) -> None:
    level, client = shown
    seen = 0
    for method, path in sorted(asked(client.app)):  # what writes comes last
        answer = client.get(path, params=FIELDS) if method == "GET" else client.post(path, data=FIELDS)
        assert answer.status_code < 500, path
        assert found_in(answer.content, above(level)) == [], (method, path)
        assert found_in(repr(answer.headers).encode(), above(level)) == [], (method, path)
        seen += answer.status_code == 200
    assert seen > 40


@pytest.mark.parametrize("form", sorted({*DOCUMENTS} - {"pdf", "docx"}))
def test_no_byte_of_a_download_is_from_above_the_level(shown: Any, form: str) -> None:
    level, client = shown
    answer = client.get(f"/s/port/reports/download/{form}", params={"as_of": "2024-06-30"})
    assert answer.status_code == 200, answer.text
    assert found_in(answer.content, above(level)) == []


ASKED = (
    *("board?", "why?", "watch?", "chart/timeline.svg?", "reports/download/json?"),
    "reports/download/json?max_tlp=clear&",
)
INDICATORS = ("mood", "press", "talks", "raids", "treaty", "ballot", "wait", "gone")


def sentences(client: TestClient, page: str, *without: str) -> tuple[int, list[str]]:
    """Status and refusals of a page asked for without some of it, hints aside."""
    answer = client.get(f"/s/port/{page}" + urlencode({"without": without, "as_of": "2024-06-30"}, doseq=True))
    said = re.findall(r"<li>(.*?)</li>", answer.text)
    return answer.status_code, [html.unescape(line).partition(";")[0] for line in said]


@pytest.mark.parametrize("page", ASKED)
def test_what_is_above_the_level_cannot_be_left_out_as_if_it_were_not_there(shown: Any, page: str) -> None:
    level, client = shown
    names = [f"{kind}:{word}-state-{kind}" for word in above(level) for kind in ("source", "origin")]
    for name in [*names, "entry:e39", "source:nobody", "entry:e999"]:
        status, said = sentences(client, page, name)
        kind, _, value = name.partition(":")
        assert status == 422 and said[0].endswith(f'no {kind} "{value}" in the study')


def test_leaving_out_the_rest_does_not_tell_what_is_above_the_level(shown: Any) -> None:
    _, client = shown
    every = {"without": [f"indicator:{name}" for name in INDICATORS], "as_of": "2024-06-30"}
    assert "are left out, and all numbers are worked out without them" in client.get("/s/port/board", params=every).text


def test_a_refusal_counts_the_same_whatever_is_left_out(ledger: Path) -> None:
    client = signed_in(ledger, max_tlp="green")
    refused = sentences(client, "board?")
    assert refused[0] == 422 and "entries marked above TLP:GREEN" in refused[1][0]
    for name in INDICATORS:
        assert sentences(client, "board?", f"indicator:{name}") == refused
