"""A team's ledger set up to the letter of docs/postgresql.md, and used by its people from the command line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from indicators import ledger_postgres, postgres_schema
from tests.commands import REPORT, Commands
from tests.postgres import Server, by_hand, skip_without_binaries, temporary_server

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "postgresql.md"
NO_RIGHT = "your role has no right to do this here; nothing was written; ask the ledger's owner"


@pytest.fixture(scope="module")
def own() -> Iterator[Server]:
    """A server that nobody has set anything up on."""
    skip_without_binaries()
    with temporary_server() as running:
        yield running


@pytest.fixture
def people(own: Server, commands: Commands) -> Iterator[dict[str, str]]:
    """The URLs of the owner and the people of the document, after its statements and its `forecast init`."""
    blocks = re.findall(r"^```sql\n(.*?)^```$", DOCUMENT.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    database, grants, members = ([line for line in block.splitlines() if line] for block in blocks)
    by_hand(own.url(), *database)
    urls = {name: own.url("watchfloor", user=name) for name in ("watchfloor_owner", "ana", "bo")}
    try:
        commands.done("init", "team", "--ledger", urls["watchfloor_owner"])
        by_hand(own.url("watchfloor"), *grants, *members)
        yield {name.removeprefix("watchfloor_"): url for name, url in urls.items()}
    finally:
        roles = [re.findall(r"CREATE ROLE (\w+)", line) for line in (*members, *grants, *database)]
        by_hand(
            own.url(), "DROP DATABASE watchfloor WITH (FORCE)", *(f"DROP ROLE {name}" for [name] in filter(None, roles))
        )


def test_a_writer_writes_and_a_reader_reads(commands: Commands, people: dict[str, str]) -> None:
    head = commands.seven_entries(people["ana"])
    for arguments in (("status",), ("evidence",), ("explain",), ("export",), ("dump",), ("verify", "--head", head)):
        for person in people.values():
            commands.done(*arguments, "--ledger", person)
    cover = ("cover", "talks", "--from", "2024-01-02", "--to", "2024-01-03")
    for writing in (REPORT, ("retract", "e2", "--why", "wrong"), cover):
        commands(*writing, "--ledger", people["bo"]).is_refused("postgresql://bo@/watchfloor: ", NO_RIGHT)
    assert commands.head(people["owner"]) == head


@pytest.mark.parametrize(
    "statement", ["UPDATE entry SET author = 'eve'", "DELETE FROM entry", "TRUNCATE entry", "DROP TABLE entry"]
)
def test_nobody_of_them_can_do_anything_else(commands: Commands, people: dict[str, str], statement: str) -> None:
    head = commands.seven_entries(people["ana"])
    for person in ("ana", "bo"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            by_hand(people[person], statement)
    assert commands.head(people["bo"]) == head


def test_the_copies_of_the_document(commands: Commands, people: dict[str, str]) -> None:
    head = commands.seven_entries("forecast.db")
    commands.done("copy", "forecast.db", people["owner"])
    commands.done("copy", people["bo"], "backup.db")
    assert commands.head("backup.db") == commands.head(people["ana"]) == head
    commands.done(*REPORT, "--ledger", "backup.db")
    commands("copy", "backup.db", people["bo"]).is_refused(NO_RIGHT)
    commands.done("copy", "backup.db", people["ana"])


def test_an_older_and_a_newer_program_are_answered_and_init_brings_it_up_to_date(
    commands: Commands, people: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    head = commands.seven_entries(people["ana"])
    later = (*postgres_schema.SCHEMA_STEPS, ("ALTER TABLE watchfloor.entry ADD COLUMN witness text",))
    with monkeypatch.context() as newer:
        newer.setattr(ledger_postgres, "SCHEMA_STEPS", later)
        for person in ("ana", "bo"):
            for arguments in (("status",), REPORT, ("verify",)):
                commands(*arguments, "--ledger", people[person]).is_refused(
                    "was written by an older watchfloor: its schema is 2, this program knows 3; have its owner run"
                )
        commands("init", "team", "--ledger", people["ana"]).is_refused(NO_RIGHT)
        for _ in range(2):
            commands.done("init", "team", "--ledger", people["owner"])
        commands.done(*REPORT, "--ledger", people["ana"])
    assert by_hand(people["bo"], "SELECT number FROM schema_step ORDER BY number") == [(1,), (2,), (3,)]
    for refused in (("status",), REPORT, ("verify",), ("init", "team"), ("dump",)):
        commands(*refused, "--ledger", people["ana"]).is_refused(
            "was written by a newer watchfloor: its schema is 3, this program knows 2; update watchfloor"
        )
    commands("copy", people["bo"], "backup.db").is_refused("a newer watchfloor")
    assert by_hand(people["bo"], "SELECT hash FROM entry WHERE seq = 7") == [(head.removeprefix("7:"),)]


def test_a_server_that_is_away_is_told_in_one_line(
    commands: Commands, people: dict[str, str], own: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = commands.seven_entries(people["ana"])
    monkeypatch.setattr(ledger_postgres, "PAUSES", (0.0,))
    own.stop()
    try:
        for arguments in (("status",), REPORT, ("verify",), ("dump",), ("copy", people["ana"], "backup.db")):
            ledger = () if arguments[0] == "copy" else ("--ledger", people["ana"])
            commands(*arguments, *ledger).is_refused("postgresql://ana@/watchfloor: no connection to the server of the")
    finally:
        own.start()
    assert commands.head(people["ana"]) == head
