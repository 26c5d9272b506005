"""The commands publish and publications, and what is published shown again."""

import json
from pathlib import Path

import pytest

from indicators.clock import utc_now
from indicators.ledger_sqlite import open_ledger
from tests.commands import Commands
from tests.forecast.test_exporting import port
from tests.small import STUDY

__all__ = ["port"]

DAY = ("--as-of", "2024-06-01")
OPINION = ("--opinion", "settled=0.7", "--opinion", "strike=0.3")


def entries() -> int:
    with open_ledger(Path("forecast.db"), clock=utc_now) as ledger:
        return ledger.head().entries


def test_publish_prints_its_entry_the_numbers_and_the_head(port: Commands) -> None:
    said = port.done("publish", *DAY, *OPINION, "--note", "before the vote")
    first, *rows, last = said.out.splitlines()
    assert first == "e5  port as of 2024-06-01 is published, TLP:CLEAR"
    assert [row.split()[0] for row in rows] == ["settled", "strike"]
    assert rows[0].endswith("opinion 70.0 %")
    assert last == f"head {port.head('forecast.db')}"
    assert said.err.startswith("note: it speaks of 2024-06-01, ")
    assert "a score counts it from today" in said.err


def test_as_json_it_has_everything(port: Commands) -> None:
    told = port.done("publish", *DAY, *OPINION, "--json").json
    assert (told["entry"], told["study"], told["as_of"], told["author"]) == ("e5", "port", "2024-06-01", "ana")
    assert told["opinion"] == {"settled": 0.7, "strike": 0.3}
    assert told["rests_on"]["entries"] == 4
    assert f"{told['ledger']['entries']}:{told['ledger']['head']}" == port.head("forecast.db")
    assert told["note"] is None
    assert port.done("publications", "--json").json == [told]


def test_what_was_published_is_shown_again_whatever_is_logged_later(port: Commands) -> None:
    told = port.done("publish", *DAY, "--json").json
    port.done("log", "mood", "--state", "hostile", "--on", "2024-05-20", "--grade", "A1")
    port.done("amend", "e2", "--state", "tense")
    again = port.done("export", "--published", "1")
    assert again.err == ""
    numbers = [{key: row[key] for key in ("id", "probability", "low", "high")} for row in again.json["scenarios"]]
    assert numbers == told["scenarios"]
    assert again.json["as_of"] == "2024-06-01"
    assert again.json["ledger"]["entries"] == 4
    assert again.json["timeline"][-1]["probability"] == {row["id"]: row["probability"] for row in told["scenarios"]}
    assert "the numbers are those published as e5" in again.json["flags"]
    status = port.done("status", "--published", "1", "--json").json
    assert [row["probability"] for row in status["scenarios"]] == [row["probability"] for row in told["scenarios"]]
    now = port.done("export", *DAY).json
    assert now["scenarios"] != again.json["scenarios"]


def test_another_engine_is_told_loudly(port: Commands) -> None:
    port.done("publish", *DAY)
    with open_ledger(Path("forecast.db"), clock=utc_now) as ledger:
        payload = json.loads(json.dumps([*ledger.entries()][-1].payload))
        moved = payload["scenarios"]
        moved[0]["probability"] -= 0.25
        moved[1]["probability"] += 0.25
        payload |= {"ledger": {"entries": 5, "head": ledger.head().hash}, "engine": "9.9.9"}
        from indicators.entry import Draft

        ledger.append(lambda _: [Draft(author="ana", study="port", kind="publish", payload=payload)])
    port.done("verify")
    said = port.done("export", "--published", "2", "--format", "csv", "--table", "scenarios")
    assert said.err.startswith("warning: the numbers are those published as e6 by engine 9.9.9; of the same entries")
    assert "by up to 25 points" in said.err
    assert repr(moved[0]["probability"]) in said.out


def test_the_list_says_what_was_said(port: Commands) -> None:
    assert "nothing was published yet" in port.done("publications").out
    port.done("publish", *DAY, *OPINION)
    port.done("publish", "--as-of", "2024-06-15")
    told = port.done("publications").out
    assert "e5" in told and "e6" in told and "70.0 %" in told and "d later)" in told


@pytest.mark.parametrize(
    ("arguments", "phrase"),
    [
        (["--opinion", "settled=0.7", "--opinion", "strike=0.28"], "--opinion: the opinion sums to 0.98, not to 1"),
        (["--opinion", "settled=0.7"], "says nothing of strike; give every scenario its probability"),
        (["--opinion", "settled=60%"], '"settled=60%" is not a scenario and its probability; write it like'),
        (["--opinion", "settled=0,6"], "is not a scenario and its probability"),
        (["--opinion", "settled=٠.٦"], "is not a scenario and its probability"),
        (["--opinion", "=0.6"], "is not a scenario and its probability"),
        (["--opinion", "settled=-0.5"], "is not a scenario and its probability"),
        (["--opinion", "settled=1e400"], "is not a scenario and its probability"),
        (["--opinion", "settled=0.6", "--opinion", "settled=0.4"], "settled has two probabilities; give it one"),
        (["--as-of", "2023-06-01"], "2023-06-01 lies outside the study"),
        (["--as-of", "2999-06-01"], "2999-06-01 lies in the future"),
        (["--as-of", "june"], '"june" is not a day'),
        (["--note", "x" * 10_001], "--note: the text has 10001 characters"),
        (["--draws", "5"], "5 is not in the range"),
    ],
)
def test_what_cannot_be_published_is_refused(port: Commands, arguments: list[str], phrase: str) -> None:
    port("publish", *(arguments if "--as-of" in arguments else [*DAY, *arguments])).is_refused(phrase)
    assert entries() == 4


def test_an_earlier_day_than_the_last_is_refused(port: Commands) -> None:
    port.done("publish", *DAY)
    port("publish", "--as-of", "2024-05-01").is_refused("2024-05-01 lies before 2024-06-01, of which e5 speaks already")
    assert entries() == 5


def test_a_study_that_nobody_could_settle_is_refused(commands: Commands) -> None:
    Path("port.yaml").write_text(STUDY)
    commands.done("study", "add", "port.yaml")
    commands("publish", *DAY).is_refused("the study: settled, strike have no resolves_if", "forecast study add")
    assert entries() == 1
