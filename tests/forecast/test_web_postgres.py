"""The pages on a team's ledger in PostgreSQL: read, logged, corrected and signed in to as on a file."""

from __future__ import annotations

from contextlib import closing

from starlette.testclient import TestClient

from forecast import workflow
from forecast.study_file import read_study, study_json
from forecast.web import Settings, create_app
from indicators.address import DatabaseAddress
from indicators.clock import utc_now
from indicators.opening import create_ledger
from tests.small import STUDY
from tests.web import HOST, REPORTS

PAGES = ("board", "log?indicator=mood", "evidence", "evidence/e2", "why", "watch", "study", "reports", "record", "team")


def test_a_day_on_a_database(database: str) -> None:
    address = DatabaseAddress(database)
    now = utc_now()
    with closing(create_ledger(address, clock=utc_now)) as ledger:
        study = read_study(STUDY, file="port.yaml")
        workflow.record_study(ledger, study, content=study_json(study), text=STUDY, file="port.yaml", author="ana")
        for report in REPORTS:
            workflow.log_report(ledger, "port", report, author="ana", today=now.date(), place=str)
    app = create_app(
        Settings(address=address, clock=utc_now, author="ana", hosts=frozenset({HOST}), token="let-me-in", draws=100)
    )
    client = TestClient(app, base_url=f"http://{HOST}", headers={"sec-fetch-site": "same-origin"})
    assert client.get("/enter", params={"token": "let-me-in"}).status_code == 200
    for page in PAGES:
        answer = client.get(f"/s/port/{page}")
        assert answer.status_code == 200 and "<h1" in answer.text, (page, answer.text[-2000:])

    report = {"indicator": "mood", "state": "tense", "observed": "2024-04-02", "source": "Wire"}
    assert "e6 is logged" in client.post("/s/port/log", data=report).text
    assert client.post("/s/port/evidence/e6/retract", data={"why": "a slip"}).status_code == 200
    assert "a slip" in client.get("/s/port/evidence/e6").text

    first = {"name": "bea", "role": "lead", "password": "correct horse battery", "again": "correct horse battery"}
    client.post("/s/port/team/add", data=first)
    stranger = TestClient(app, base_url=f"http://{HOST}", headers={"sec-fetch-site": "same-origin"})
    assert stranger.post("/sign-in", data={"name": "bea", "password": "wrong horse battery"}).status_code == 403
    assert "The port" in stranger.post("/sign-in", data={"name": "bea", "password": first["password"]}).text
    for held in (client, stranger):
        held.close()
