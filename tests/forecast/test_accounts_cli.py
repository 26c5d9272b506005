"""Accounts from the command line; a password that is never shown; and what leaves the house without any of it."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

import click
import pytest

from indicators.accounts import Account, Accounts
from indicators.address import address_of
from indicators.clock import utc_now
from indicators.opening import open_accounts
from tests.account_contracts import CHEAP, OTHER, ROWS, SECRET, with_people
from tests.commands import Commands, Result

LEDGER = "forecast.db"
REFUSED = [
    (["role", "nobody", "lead"], 'there is no account "nobody"; see the names with forecast account list'),
    (["close", "nobody"], 'there is no account "nobody"'),
    (["reopen", "nobody"], 'there is no account "nobody"'),
    (["password", "nobody", "--password-stdin"], 'there is no account "nobody"'),
    (["add", "lee ", "--role", "lead", "--password-stdin"], "it has a blank at an end; give 1 to 100 characters"),
    (["add", "a\x1b[31m", "--role", "lead", "--password-stdin"], "has a character that cannot be seen"),
    (["add", "Lee", "--role", "lead", "--password-stdin"], 'the name "Lee" is taken (as "lee")'),
    (["add", "new", "--role", "owner"], "owner"),
    (["role", "ana", "owner"], "owner"),
    (["add", "new"], "--role"),
    (["lsit"], 'did you mean "list"?'),
]


def opened(name: str = LEDGER) -> Accounts:
    return open_accounts(address_of(name), clock=utc_now, hashing=CHEAP)


@pytest.fixture
def ledger(commands: Commands) -> str:
    """The name of a ledger without accounts, in the folder of the commands."""
    commands.done("init")
    return LEDGER


@pytest.fixture
def team(ledger: str) -> str:
    """The name of a ledger with a lead and an analyst."""
    with opened() as accounts:
        with_people(accounts, ana="analyst", lee="lead")
    return ledger


def typing(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Let the next command find a text on standard input."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


class Terminal(io.StringIO):
    """A standard input that a person sits at."""

    def isatty(self) -> bool:
        return True


def answering(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Let a person answer the next hidden prompts; the prompts, as they come."""
    left, asked = iter(answers), []

    def answer(prompt: str) -> str:
        asked.append(prompt.strip())
        return next(left)

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(click.termui, "hidden_prompt_func", answer)
    return asked


def names(result: Result) -> list[tuple[str, str, bool]]:
    return [(row["name"], row["role"], row["closed"]) for row in result.json]


def test_an_account_is_made_with_a_password_typed_twice(
    commands: Commands, ledger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answering(monkeypatch, SECRET, OTHER, SECRET, SECRET)
    result = commands.done("account", "add", "Zoe\u0308", "--role", "lead")
    assert asked == ["Password:", "Once more:"] * 2
    assert result.out == "Zo\u00eb: lead added\n"
    assert SECRET not in result.out + result.err
    with opened() as accounts:
        assert accounts.checked("Zo\u00eb", SECRET) == accounts.account("Zo\u00eb")


def test_a_password_may_come_on_standard_input(
    commands: Commands, ledger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, end in (("ana", "\r\n"), ("bo", "\nsecond line\n")):
        typing(monkeypatch, f" {SECRET} {end}")
        result = commands.done("account", "add", name, "--role", "reader", "--password-stdin")
        assert (result.out, result.err) == (f"{name}: reader added\n", "")
        with opened() as accounts:
            assert accounts.checked(name, f" {SECRET} ") is not None


def test_a_password_can_be_changed(commands: Commands, team: str, monkeypatch: pytest.MonkeyPatch) -> None:
    typing(monkeypatch, OTHER)
    assert commands.done("account", "password", "ana", "--password-stdin").out == "ana: password changed\n"
    with opened() as accounts:
        assert accounts.checked("ana", SECRET) is None
        assert accounts.checked("ana", OTHER) is not None


def test_a_bad_password_is_refused_and_not_shown(
    commands: Commands, team: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for password, phrase in (
        ("short-secre", "the password has 11 characters; choose another of 12 characters or more"),
        ("x" * 1001, "has more than 1,000 characters"),
        ("x" * 100_000, "has more than 1,000 characters"),
        ("qwertyuiop123", "is one of the most common there are"),
        ("", "has 0 characters"),
    ):
        for arguments in (["add", "new", "--role", "lead"], ["password", "ana"]):
            typing(monkeypatch, password)
            result = commands("account", *arguments, "--password-stdin")
            result.is_refused(phrase)
            assert not password or password not in result.err
    with opened() as accounts:
        assert [account.name for account in accounts.accounts()] == ["ana", "lee"]
        assert accounts.checked("ana", SECRET) is not None


def test_without_a_terminal_the_option_is_named(commands: Commands, team: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for arguments in (["add", "new", "--role", "lead"], ["password", "ana"]):
        typing(monkeypatch, SECRET)
        commands("account", *arguments).is_refused("no terminal to ask for the password; give --password-stdin")


def test_a_password_is_no_argument(commands: Commands, team: str) -> None:
    commands("account", "password", "ana", SECRET).is_refused("unexpected extra argument")
    commands("account", "add", "new", "--role", "lead", "--password", SECRET).is_refused("--password")


def test_the_list_as_a_table_and_as_json(commands: Commands, ledger: str) -> None:
    assert commands.done("account", "list").out.startswith("no accounts yet; make one with `forecast account add")
    assert commands.done("account", "list", "--json").json == []
    with opened() as accounts:
        with_people(accounts, lee="lead", ana="analyst").close_account("ana")
        [ana, _] = accounts.accounts()
    told = commands.done("account", "list", "--json")
    assert told.json[0] == {"name": "ana", "role": "analyst", "added_at": ana.added_at, "closed": True}
    assert names(told) == [("ana", "analyst", True), ("lee", "lead", False)]
    lines = commands.done("account", "list").out.splitlines()
    assert [line.split() for line in lines[2:]] == [
        ["ana", "analyst", ana.added_at[:10], "closed"],
        ["lee", "lead", ana.added_at[:10], "open"],
    ]
    assert "argon2" not in told.out


def test_roles_closing_and_reopening(commands: Commands, team: str) -> None:
    assert commands.done("account", "role", "ana", "lead").out == "ana: lead\n"
    assert commands.done("account", "close", "lee").out == "lee: closed\n"
    told = commands.done("account", "list", "--json")
    assert names(told) == [("ana", "lead", False), ("lee", "lead", True)]
    commands("account", "role", "ana", "reader").is_refused('"ana" is the last lead whose account is open')
    commands("account", "close", "ana").is_refused("make somebody else a lead first")
    assert commands.done("account", "reopen", "lee").out == "lee: open\n"
    assert names(commands.done("account", "list", "--json")) == [("ana", "lead", False), ("lee", "lead", False)]


def test_what_is_refused_is_refused_in_a_line(commands: Commands, team: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for arguments, phrase in REFUSED:
        typing(monkeypatch, OTHER)
        result = commands("account", *arguments)
        result.is_refused(phrase)
        assert "\x1b" not in result.err
    with opened() as accounts:
        assert [account.role for account in accounts.accounts()] == ["analyst", "lead"]


def test_without_a_ledger_there_are_no_accounts(commands: Commands) -> None:
    commands("account", "list").is_refused("there is no ledger here; make one with forecast init")
    assert list(commands.folder.iterdir()) == []


def test_a_team_in_postgresql(commands: Commands, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    commands.done("init", "team", "--ledger", database)
    typing(monkeypatch, SECRET)
    commands.done("account", "add", "ana", "--role", "lead", "--password-stdin", "--ledger", database)
    assert names(commands.done("account", "list", "--json", "--ledger", database)) == [("ana", "lead", False)]
    with opened(database) as accounts:
        assert isinstance(accounts.checked("ana", SECRET), Account)
    commands.done("verify", "--ledger", database)


LEAVES = [
    *(["export", "--format", "json"], ["export", "--format", "csv"], ["export", "--format", "markdown"]),
    *(["export", "--format", "stix"], ["export", "--format", "xlsx", "-o", "out.xlsx"], ["evidence", "--json"]),
    *(["dump"], ["dump", "all.jsonl"], ["copy", LEDGER, "copy.db"], ["status", "--json"], ["study", "show"]),
    ["report", "-o", "report.html"],
]


def test_nothing_that_leaves_carries_an_account_or_a_judgement(commands: Commands, tmp_path: Path) -> None:
    commands.seven_entries(LEDGER)
    with opened() as accounts:
        with_people(accounts, canaryann="lead", canarybo="analyst")
        number = accounts.open_round("port", "mood", "e1", ["canaryann", "canarybo"], "canaryann").id
        for person in ("canaryann", "canarybo"):
            accounts.give(number, person, {"canaryrows": ROWS["calm"]})
    said = [commands.done(*arguments) for arguments in LEAVES]
    content = "".join(result.out + result.err for result in said).encode()
    for file in sorted(tmp_path.iterdir()):
        if file.name == LEDGER:
            continue
        content += file.read_bytes()
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as parts:
                content += b"".join(parts.read(name) for name in parts.namelist())
    assert b"canary" not in content
    assert b"argon2" not in content
    assert b"canaryrows" in (tmp_path / LEDGER).read_bytes()
    commands.done("load", "all.jsonl", "--ledger", "loaded.db")
    for name in ("copy.db", "loaded.db"):
        with opened(name) as accounts:
            assert accounts.accounts() == []
