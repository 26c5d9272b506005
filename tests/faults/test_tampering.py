"""What somebody does to a ledger behind its back, and that `verify` finds it, alone or with a head printed earlier."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from indicators.address import address_of
from indicators.clock import utc_now
from indicators.entry import Draft, Entry
from indicators.ledger import MemoryLedger
from indicators.opening import create_ledger, open_ledger
from tests.commands import REPORT, Commands
from tests.postgres import by_hand


@pytest.fixture(params=["file", "database"])
def name(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The name of a ledger that is still to be made, on either backend."""
    return str(tmp_path / "forecast.db") if request.param == "file" else str(request.getfixturevalue("database"))


def behind_its_back(name: str, *statements: str) -> None:
    """Run statements with the triggers out of the way, and put them back."""
    if name.startswith("postgresql:"):
        always = (
            f"ALTER TABLE entry ENABLE ALWAYS TRIGGER entry_{each}" for each in ("is_never_changed", "follows_the_last")
        )
        by_hand(name, "ALTER TABLE entry DISABLE TRIGGER USER", *statements, *always)
        return
    with closing(sqlite3.connect(name, isolation_level=None)) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        for statement in (
            *(f"DROP TRIGGER {each}" for each, _ in triggers),
            *statements,
            *(sql for _, sql in triggers),
        ):
            connection.execute(statement)


def every_head(commands: Commands, name: str) -> list[str]:
    """The head after each of seven entries, from whatever prints one."""
    commands.seven_entries(name)
    with open_ledger(address_of(name), clock=utc_now) as ledger:
        heads = [f"{entry.seq}:{entry.hash}" for entry in ledger.entries()]
    exported = commands.done("export", "--ledger", name).json["ledger"]
    assert f"{exported['entries']}:{exported['head']}" == heads[-1] == commands.head(name)
    markdown = commands.done("export", "--format", "markdown", "--ledger", name).out
    status = commands.done("status", "--ledger", name).out
    dumped = commands.done("dump", "--ledger", name).err
    assert heads[-1] in markdown
    assert heads[-1] in dumped
    assert heads[-1][: len("7:") + 12] in status
    return heads


def replaced_by(name: str, entries: list[Entry]) -> None:
    """Put other entries in the place of a ledger's."""
    if name.startswith("postgresql:"):
        by_hand(name, "DROP SCHEMA watchfloor CASCADE")
    else:
        Path(name).unlink()
    with create_ledger(address_of(name), clock=utc_now) as ledger:
        ledger.restore(entries)


def written_anew(entries: list[Entry], seq: int) -> list[Entry]:
    """The chain as it would be had one entry said something else: every link and hash fits."""
    other = MemoryLedger(utc_now)
    other.restore(entries[: seq - 1])
    for entry in entries[seq - 1 :]:
        author = "eve" if entry.seq == seq else entry.author
        other.append(lambda _, e=entry, a=author: [Draft(author=a, study=e.study, kind=e.kind, payload=e.payload)])  # type: ignore[misc]
    return list(other.entries())


def is_found(commands: Commands, name: str, head: str) -> bool:
    """Whether `verify` finds a head, given in full, without its number, and as a table shows it."""
    count, _, digits = head.partition(":")
    answers = set()
    for given in (head, digits, f"{count}:{digits[:12]}"):
        result = commands("verify", "--ledger", name, "--head", given)
        assert result.err == ""
        if result.code:
            assert result.out == f"no entry has the head {given}; this ledger was cut, replaced or written anew\n"
        else:
            assert result.out.endswith(f"; the head given is entry {count}\n")
        answers.add(result.code)
    assert answers in ({0}, {1})
    return answers == {0}


TAMPERED: dict[str, tuple[list[str], int]] = {
    "edited": (["UPDATE entry SET payload = replace(payload, 'calm', 'tense') WHERE seq = 2"], 2),
    "author edited": (["UPDATE entry SET author = 'eve' WHERE seq = 6"], 6),
    "back-dated": (["UPDATE entry SET recorded_at = '2020-01-01T00:00:00.000000Z' WHERE seq = 4"], 4),
    "first deleted": (["DELETE FROM entry WHERE seq = 1"], 1),
    "deleted": (["DELETE FROM entry WHERE seq = 4"], 4),
    "correction deleted and closed up": (
        ["DELETE FROM entry WHERE seq = 5", "UPDATE entry SET seq = seq - 1, id = 'e' || (seq - 1) WHERE seq > 5"],
        5,
    ),
    "inserted at the end": (
        [
            "INSERT INTO entry SELECT 8, 'e8', recorded_at, author, study, 'retract', '{\"entry\":\"e2\"}', hash,"
            f" '{'b' * 64}' FROM entry WHERE seq = 7"
        ],
        8,
    ),
    "reordered": (
        [
            "UPDATE entry SET seq = 77, id = 'e77' WHERE seq = 3",
            "UPDATE entry SET seq = 3, id = 'e3' WHERE seq = 4",
            "UPDATE entry SET seq = 4, id = 'e4' WHERE seq = 77",
        ],
        3,
    ),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_a_tampered_row_is_named_by_verify(commands: Commands, name: str, how: str) -> None:
    statements, seq = TAMPERED[how]
    commands.seven_entries(name)
    behind_its_back(name, *statements)
    result = commands("verify", "--ledger", name)
    assert (result.code, result.err) == (1, "")
    assert result.out.startswith(f"entry {seq}: ")
    assert commands("verify", "--json", "--ledger", name).json["ok"] is False


def test_every_head_that_was_ever_printed_is_found_as_long_as_nothing_was_done(commands: Commands, name: str) -> None:
    heads = every_head(commands, name)
    commands.done(*REPORT, "--ledger", name)
    assert [is_found(commands, name, head) for head in heads] == [True] * 7


def test_a_cut_tail_is_found_with_any_later_head(commands: Commands, name: str) -> None:
    heads = every_head(commands, name)
    behind_its_back(name, "DELETE FROM entry WHERE seq > 4")
    assert commands.done("verify", "--ledger", name).out.startswith("ok: 4 entries")
    assert [is_found(commands, name, head) for head in heads] == [True] * 4 + [False] * 3
    commands.done(*REPORT, "--ledger", name)
    assert [is_found(commands, name, head) for head in heads] == [True] * 4 + [False] * 3


REPLACED: dict[str, tuple[Callable[[list[Entry]], list[Entry]], int]] = {
    "written anew from the first": (lambda entries: written_anew(entries, 1), 0),
    "written anew from the fourth": (lambda entries: written_anew(entries, 4), 3),
    "written anew from the last": (lambda entries: written_anew(entries, 7), 6),
    "an older copy": (lambda entries: entries[:5], 5),
    "emptied": (lambda _: [], 0),
}


@pytest.mark.parametrize("how", REPLACED)
def test_a_ledger_in_the_place_of_another_is_found_with_any_head_from_there_on(
    commands: Commands, name: str, how: str
) -> None:
    replacement, kept = REPLACED[how]
    heads = every_head(commands, name)
    with open_ledger(address_of(name), clock=utc_now) as ledger:
        entries = list(ledger.entries())
    replaced_by(name, replacement(entries))
    commands.done("verify", "--ledger", name)
    assert [is_found(commands, name, head) for head in heads] == [True] * kept + [False] * (7 - kept)
