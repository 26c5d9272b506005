"""Blind rounds in a browser: what is promised of them, a test each."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from forecast.pool import pooled_rows
from indicators.opening import open_accounts
from tests.account_contracts import CHEAP
from tests.forecast.test_web_study import recorded, text_in, words
from tests.forecast.test_web_team import cheap_passwords, enter, post, with_accounts
from tests.small import STUDY
from tests.web import NOW, Site, site

__all__ = ["cheap_passwords", "site"]

BO = {"r0c0": "0.4321", "r0c1": "0.3", "r0c2": "0.2679", "r1c0": "0.2", "r1c1": "0.3", "r1c2": "0.5"}
CY = {"r0c0": "0.7", "r0c1": "0.1765", "r0c2": "0.1235", "r1c0": "0.1", "r1c1": "0.1", "r1c2": "0.8"}


class Floor:
    """A team in front of a round on the indicator mood, among bo and cy; eve leads and is not in it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        with_accounts(site, eve="lead", bo="analyst", cy="analyst", ria="reader")
        self.eve, self.bo = enter(site, "eve", "lead"), enter(site, "bo", "analyst")
        self.cy, self.ria = enter(site, "cy", "analyst"), enter(site, "ria", "reader")
        post(self.eve, "blind", 303, indicator="mood", person=["bo", "cy"])

    @property
    def everybody(self) -> dict[str, TestClient]:
        return {"eve": self.eve, "bo": self.bo, "cy": self.cy, "ria": self.ria, "token": self.site.client}

    def pages(self, client: TestClient) -> str:
        """All that somebody can see of it."""
        names = ("blind", "blind/1", "team", "study", "study/history", "study/edit", "study/rows?indicator=mood")
        return "\n".join(client.get(f"/s/port/{name}").text for name in names)


@pytest.fixture
def floor(site: Site) -> Floor:
    return Floor(site)


def test_nobody_sees_a_row_of_another_before_all_are_in(floor: Floor) -> None:
    post(floor.bo, "blind/1/give", 303, **BO)
    for name, client in floor.everybody.items():
        seen = floor.pages(client)
        assert ("0.4321" in seen) == (name == "bo"), name
        assert "Given</dt><dd>bo<" in seen, "who has given is no secret"
    taken = floor.eve.post("/s/port/blind/1/pool")
    assert taken.status_code == 422
    assert "0.4321" not in taken.text
    assert "round 1 is blind until 1 more have given their rows" in html.unescape(taken.text)


def test_a_refused_row_shows_nothing_of_others(floor: Floor) -> None:
    post(floor.bo, "blind/1/give", 303, **BO)
    page = post(floor.cy, "blind/1/give", 422, **(CY | {"r0c0": "0.6"}))
    assert 'the row of "settled" sums to 0.9, not to 1' in page
    assert "0.4321" not in page
    assert 'value="0.1765"' in page, "what was typed stays"


def test_the_token_is_nobody_even_where_an_account_has_its_name(site: Site) -> None:
    with_accounts(site, ana="lead", bo="analyst")
    lead = enter(site, "ana", "lead")
    post(lead, "blind", 303, indicator="mood", person=["ana", "bo"])
    post(lead, "blind/1/give", 303, **BO)
    assert "0.4321" in lead.get("/s/port/blind/1").text
    assert "0.4321" not in site.get("blind/1")
    assert "rounds are for people with accounts" in post(site.client, "blind/1/give", 422, **CY)
    assert "rounds are for people with accounts" in post(site.client, "blind/1/close", 422)


def test_rows_may_be_changed_until_the_round_is_done_and_not_after(floor: Floor) -> None:
    post(floor.bo, "blind/1/give", 303, **CY)
    post(floor.bo, "blind/1/give", 303, **BO)
    assert 'value="0.4321"' in floor.bo.get("/s/port/blind/1").text
    post(floor.cy, "blind/1/give", 303, **CY)
    assert "round 1 is done, and its rows stay as they are" in post(floor.bo, "blind/1/give", 422, **CY)


def test_who_comes_in_with_a_password_chosen_since_is_shown_no_rows(floor: Floor) -> None:
    post(floor.bo, "blind/1/give", 303, **BO)
    with open_accounts(floor.site.path, clock=lambda: NOW + timedelta(minutes=1), hashing=CHEAP) as accounts:
        accounts.set_password("bo", "of the lead's choosing")
    page = enter(floor.site, "bo", "analyst").get("/s/port/blind/1").text
    assert "0.4321" not in page and "Yours are in. They are not shown" in page
    post(floor.cy, "blind/1/give", 303, **CY)
    assert "0.4321" in floor.bo.get("/s/port/blind/1").text


def test_once_all_are_in_everybody_sees_rows_spread_and_pool(floor: Floor) -> None:
    post(floor.bo, "blind/1/give", 303, **BO)
    post(floor.cy, "blind/1/give", 303, **CY)
    rows = np.array([[0.4321, 0.3, 0.2679], [0.7, 0.1765, 0.1235]])
    pool = [f"{float(f'{x:.4g}'):.12g}" for x in pooled_rows(rows).tolist()]
    for client in floor.everybody.values():
        page = words(client.get("/s/port/blind/1").text)
        assert "bo 0.4321 0.3 0.2679" in page
        assert "cy 0.7 0.1765 0.1235" in page
        assert "0.4321 to 0.7" in page
        assert f"pool {' '.join(pool)}" in page
        assert "bits apart" in page


def test_a_lead_closes_a_round_and_is_told_who_is_missing(floor: Floor) -> None:
    post(floor.bo, "blind/1/give", 303, **BO)
    for client in (floor.bo, floor.ria):
        post(client, "blind/1/close", 403)
    post(floor.eve, "blind/1/close", 303)
    page = words(floor.eve.get("/s/port/blind/1").text)
    assert "The round is closed without the rows of cy." in page
    assert "bo 0.4321 0.3 0.2679" in page


def test_a_round_closed_with_nothing_in_it_has_no_pool(floor: Floor) -> None:
    post(floor.eve, "blind/1/close", 303)
    assert "closed before anybody gave rows" in floor.eve.get("/s/port/blind/1").text
    post(floor.eve, "blind/1/pool", 404)


def test_the_pool_is_taken_into_a_revision_by_a_lead_and_nothing_is_written(floor: Floor) -> None:
    post(floor.bo, "blind/1/give", 303, **BO)
    post(floor.cy, "blind/1/give", 303, **CY)
    post(floor.bo, "blind/1/pool", 403)
    page = post(floor.eve, "blind/1/pool", 200)
    text = text_in(page)
    row = re.search(r"settled: \[([0-9., ]+)\]", text)
    assert row
    cells = [float(cell) for cell in row[1].split(", ")]
    assert sum(cells) == pytest.approx(1.0, abs=1e-9)
    assert cells[0] > cells[1] > cells[2]
    assert text.replace(row[0], "").splitlines()[:12] == STUDY.splitlines()[:12]
    assert "What this revision would do" in page
    assert floor.site.ledger().head().entries == 5


def test_a_pool_for_other_states_is_not_taken(floor: Floor) -> None:
    post(floor.bo, "blind/1/give", 303, **BO)
    post(floor.eve, "blind/1/close", 303)
    more = STUDY.replace("[calm, tense, hostile]", "[calm, tense, hostile, open]")
    more = more.replace("[0.6, 0.3, 0.1]", "[0.6, 0.2, 0.1, 0.1]").replace("[0.2, 0.3, 0.5]", "[0.2, 0.2, 0.5, 0.1]")
    more = more.replace("hostile: likely}", "hostile: likely, open: likely}")
    more = more.replace("hostile: very likely}", "hostile: very likely, open: likely}")
    recorded(floor.site, more)
    assert 'the table of "mood" has other rows or columns now' in post(floor.eve, "blind/1/pool", 422)
    assert "bo 0.4321" in words(floor.eve.get("/s/port/blind/1").text)


def test_a_round_that_cannot_be_opened_is_refused(floor: Floor) -> None:
    refused: tuple[tuple[dict[str, Any], str], ...] = (
        ({"person": ["bo"]}, "no indicator is chosen"),
        ({"indicator": "mood", "person": []}, "nobody is chosen"),
        ({"indicator": "moon", "person": ["bo"]}, 'no indicator "moon"'),
        ({"indicator": ["talks", "mood"], "person": ["bo"]}, 'round 1 on indicator "mood" is still open'),
        ({"indicator": "talks", "person": ["ria"]}, "ria"),
        ({"indicator": "talks", "person": ["nobody"]}, 'no account "nobody"'),
    )
    for fields, said in refused:
        assert said in post(floor.eve, "blind", 422, **fields)
    assert "Round 2" not in floor.eve.get("/s/port/blind").text


def test_rounds_of_several_indicators_open_at_once(floor: Floor) -> None:
    post(floor.eve, "blind", 303, indicator=["talks", "wait", "press"], person=["bo", "eve"])
    assert "3 rounds are open." in floor.eve.get("/s/port/blind").text
    post(floor.bo, "blind/2/give", 303, r0c0="10", r1c0="4")
    post(floor.eve, "blind/2/give", 303, r0c0="40", r1c0="1")
    assert "pool 20" in words(floor.ria.get("/s/port/blind/2").text)
    post(floor.bo, "blind/3/give", 303, r0c0="20", r0c1="5", r1c0="40", r1c1="10")
    post(floor.eve, "blind/3/give", 303, r0c0="26", r0c1="5", r1c0="40", r1c1="10")
    assert "pool 23 5" in words(floor.ria.get("/s/port/blind/3").text)
    post(floor.bo, "blind/4/give", 303, **{f"r{n}w": "likely" for n in range(6)})
    assert 'value="0.325"' in floor.bo.get("/s/port/blind/4").text


def test_there_is_no_such_round(floor: Floor) -> None:
    for number in ("0", "9", "x", "²", "9" * 40, "01"):
        assert floor.eve.get(f"/s/port/blind/{number}").status_code == 404, number


def test_readers_give_nothing(floor: Floor) -> None:
    post(floor.ria, "blind/1/give", 403, **BO)
    assert "is not in round 1" in post(floor.eve, "blind/1/give", 422, **BO)


def test_the_log_says_which_round_waits_for_whom(floor: Floor) -> None:
    def waits(name: str) -> bool:
        return "waits for your rows of mood" in floor.everybody[name].get("/s/port/log").text

    assert [waits(name) for name in ("bo", "cy", "eve", "token")] == [True, True, False, False]
    post(floor.bo, "blind/1/give", 303, **BO)
    assert [waits(name) for name in ("bo", "cy")] == [False, True]
    post(floor.cy, "blind/1/give", 303, **CY)
    assert not waits("cy")
