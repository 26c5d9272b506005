"""The ledger in a SQLite file: the contract, and what a file, other programs and a failing machine may do to it."""

import hashlib
import multiprocessing
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from indicators import ledger_sqlite
from indicators.clock import utc_now
from indicators.entry import KINDS, Draft, Entry
from indicators.ledger import Clock, DraftError, Ledger, LedgerError
from indicators.ledger_sqlite import (
    DamagedEntryError,
    LedgerAccessError,
    LedgerDiskError,
    LedgerFullError,
    LedgerLockedError,
    LedgerMissingError,
    LedgerMovedError,
    LedgerReadOnlyError,
    LedgerVersionError,
    NotALedgerError,
    SqliteLedger,
    SqliteTooOldError,
    create_ledger,
    open_ledger,
)
from tests.contracts import RefusedError, SqlLedgerContract, clock_at, draft, five_entries, record
from tests.machine import as_a_plain_user
from tests.strategies import awkward_text

OPENERS = [create_ledger, open_ledger]
Opener = Callable[..., SqliteLedger]


def by_hand(path: Path, *statements: str) -> list[tuple[object, ...]]:
    """What the last of some statements gives when another program runs them, with SQLite's settings but in haste."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        rows: list[tuple[object, ...]] = []
        for statement in statements:
            rows = connection.execute(statement).fetchall()
        return rows


def without_guards(path: Path, *statements: str) -> None:
    """Run statements with triggers and CHECKs out of the way; the triggers stand again afterwards."""
    triggers = by_hand(path, "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
    drops = [f"DROP TRIGGER {name}" for name, _ in triggers]
    by_hand(path, "PRAGMA ignore_check_constraints = ON", *drops, *statements, *(str(sql) for _, sql in triggers))


def fingerprint(path: Path) -> tuple[str, int, list[str]]:
    """What changes when anything writes to the file or beside it."""
    names = sorted(found.name for found in path.parent.iterdir())
    return hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns, names


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger of five entries, closed."""
    path = tmp_path / "forecast.db"
    with create_ledger(path, clock=clock_at(*range(5))) as ledger:
        five_entries(ledger)
    return path


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger opened in this test waits for no lock."""
    monkeypatch.setattr(ledger_sqlite, "BUSY_SECONDS", 0.0)


class TestSqliteLedger(SqlLedgerContract):
    """The contract, in a file."""

    def make_ledger(self, tmp_path: Path, clock: Clock) -> Ledger:
        """See `LedgerContract.make_ledger`."""
        return create_ledger(tmp_path / "forecast.db", clock=clock)

    def behind_its_back(self, ledger: Ledger, statements: Sequence[str]) -> None:
        """See `SqlLedgerContract.behind_its_back`."""
        assert isinstance(ledger, SqliteLedger)
        without_guards(ledger.path, *statements)


# Making and opening


def test_what_was_recorded_is_there_when_opened_again(path: Path) -> None:
    with open_ledger(path, clock=clock_at(60)) as ledger:
        before = list(ledger.entries())
        assert [entry.payload["n"] for entry in before] == [1, 2, 3, 4, 5]
        [entry] = record(ledger, draft(6))
    with open_ledger(path, clock=utc_now) as ledger:
        assert list(ledger.entries()) == [*before, entry]
        assert ledger.verify() is None


def test_making_a_ledger_that_is_there_opens_it_and_writes_nothing(path: Path) -> None:
    before = fingerprint(path)
    with create_ledger(path, clock=utc_now) as ledger:
        assert ledger.head().entries == 5
    assert fingerprint(path) == before


def test_reading_writes_nothing(path: Path) -> None:
    before = fingerprint(path)
    with open_ledger(path, clock=utc_now) as ledger:
        assert len(list(ledger.entries(study="japan-sar"))) == ledger.head().entries == 5
        assert ledger.verify() is None
    assert fingerprint(path) == before


def test_an_empty_file_is_made_a_ledger_but_not_opened_as_one(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    with pytest.raises(NotALedgerError, match="this is not a ledger"):
        open_ledger(path, clock=utc_now)
    assert path.read_bytes() == b""
    with create_ledger(path, clock=utc_now) as ledger:
        assert ledger.verify() is None


@pytest.mark.parametrize(
    "name", ["a b.db", "100%.db", "what?mode=memory.db", "a#b.db", "é日本.db", "'quoted\".db", "%00"]
)
def test_a_ledger_may_have_any_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with create_ledger(path, clock=utc_now) as ledger:
        record(ledger, draft())
    assert [found.name for found in tmp_path.iterdir()] == [name]
    with open_ledger(path, clock=utc_now) as ledger:
        assert ledger.head().entries == 1


@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize(
    "content",
    [
        b"\0",
        b"x",
        b"garbage",
        random.Random(2025).randbytes(8192),
        b"# a text\n" * 500,
        b"SQLite format 3\0",
        b"SQLite format 3\0" * 300,
    ],
    ids=["NUL", "one byte", "short", "random", "text", "magic alone", "magic repeated"],
)
def test_a_file_that_is_something_else_is_refused_and_left_alone(
    tmp_path: Path, opener: Opener, content: bytes
) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(LedgerError, match=r"notes\.txt: (this is not a ledger|the file is damaged)"):
        opener(path, clock=utc_now)
    assert path.read_bytes() == content
    assert [found.name for found in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE entry (seq INTEGER)"],
        ["CREATE TABLE bookmarks (url TEXT)", "PRAGMA application_id = 77", "PRAGMA user_version = 1"],
        ["PRAGMA application_id = 77"],
        ["PRAGMA user_version = 1"],
    ],
    ids=["tables", "numbered", "named", "numbered only"],
)
def test_another_programs_database_is_refused_and_left_alone(
    tmp_path: Path, opener: Opener, statements: list[str]
) -> None:
    path = tmp_path / "other.db"
    by_hand(path, *statements)
    before = fingerprint(path)
    with pytest.raises(NotALedgerError, match=r"other\.db: this is not a ledger; name another file"):
        opener(path, clock=utc_now)
    assert fingerprint(path) == before


@pytest.mark.parametrize("opener", OPENERS)
def test_a_folder_is_refused(tmp_path: Path, opener: Opener) -> None:
    with pytest.raises(NotALedgerError, match="this is not a ledger"):
        opener(tmp_path, clock=utc_now)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["none.db", "no folder/none.db", "text/none.db", "broken link"])
def test_a_missing_file_is_refused_with_the_command_that_makes_one(tmp_path: Path, place: str) -> None:
    (tmp_path / "text").touch()
    (tmp_path / "broken link").symlink_to(tmp_path / "nowhere")
    names = sorted(found.name for found in tmp_path.iterdir())
    with pytest.raises(LedgerMissingError, match="there is no ledger here; make one with forecast init"):
        open_ledger(tmp_path / place, clock=utc_now)
    assert sorted(found.name for found in tmp_path.iterdir()) == names


@pytest.mark.parametrize("place", ["no folder/new.db", "text/new.db"])
def test_a_ledger_is_not_made_where_there_is_no_folder(tmp_path: Path, place: str) -> None:
    (tmp_path / "text").touch()
    with pytest.raises(LedgerAccessError, match="look whether its folder exists"):
        create_ledger(tmp_path / place, clock=utc_now)


@pytest.mark.parametrize("opener", OPENERS)
def test_a_newer_schema_is_refused_in_words(path: Path, opener: Opener) -> None:
    by_hand(path, "PRAGMA user_version = 7")
    with pytest.raises(LedgerVersionError) as caught:
        opener(path, clock=utc_now)
    assert caught.value.version == 7
    assert str(caught.value) == (
        f"{path}: the ledger was written by a newer watchfloor: its schema is 7, this program knows 2;"
        " update watchfloor"
    )


def test_a_schema_that_grows_newer_while_it_is_open_is_not_written_to(path: Path) -> None:
    with open_ledger(path, clock=utc_now) as ledger:
        by_hand(path, "PRAGMA user_version = 3")
        with pytest.raises(LedgerVersionError, match="a newer watchfloor"):
            record(ledger, draft(6))
        assert ledger.head().entries == 5


def test_a_later_step_is_taken_once_and_only_by_making(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = (*ledger_sqlite.SCHEMA_STEPS, ("ALTER TABLE entry ADD COLUMN signature TEXT",))
    monkeypatch.setattr(ledger_sqlite, "SCHEMA_STEPS", steps)
    before = fingerprint(path)
    with pytest.raises(LedgerVersionError, match=r"an older watchfloor.*run forecast init there"):
        open_ledger(path, clock=utc_now)
    assert fingerprint(path) == before
    for opener in (create_ledger, create_ledger, open_ledger):
        with opener(path, clock=utc_now) as ledger:
            record(ledger, draft())
            assert ledger.verify() is None
    assert by_hand(path, "PRAGMA user_version") == [(3,)]
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        by_hand(path, "UPDATE entry SET signature = 'x'")


def test_a_step_that_fails_leaves_the_file_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = ("CREATE TABLE second (x TEXT) STRICT", "CREATE TABLE entry (x TEXT)")
    monkeypatch.setattr(ledger_sqlite, "SCHEMA_STEPS", (*ledger_sqlite.SCHEMA_STEPS, bad))
    with pytest.raises(LedgerError):
        create_ledger(path, clock=utc_now)
    monkeypatch.undo()
    with open_ledger(path, clock=utc_now) as ledger:
        assert ledger.verify() is None


def test_a_released_step_is_never_edited() -> None:
    steps = ["\n".join(statements) for statements in ledger_sqlite.SCHEMA_STEPS]
    assert [hashlib.sha256(step.encode()).hexdigest() for step in steps] == [
        "bd3d11abfd57bb3858acd6422c397792bb7ba5c00028c821f80b10b308653dce",
        "62f0bdc902515e4fa6618d00e0cd0d3ef9ece8ac2a9879c43a55262346a4d359",
    ]
    assert f"PRAGMA application_id = {ledger_sqlite.APPLICATION_ID}" in steps[0]


def test_an_old_sqlite_is_refused_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    with pytest.raises(SqliteTooOldError, match=r"a ledger needs 3\.37\.0 or newer; use a newer Python"):
        create_ledger(tmp_path / "forecast.db", clock=utc_now)
    assert list(tmp_path.iterdir()) == []


def test_the_settings_are_those_that_survive_a_cut_of_power(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connections: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def watched(*args: object, **options: object) -> sqlite3.Connection:
        connections.append(connect(*args, **options))  # type: ignore[call-overload]
        return connections[-1]

    monkeypatch.setattr(sqlite3, "connect", watched)
    with open_ledger(path, clock=utc_now) as ledger:
        record(ledger, draft(6))
        values = {
            name: connections[0].execute(f"PRAGMA {name}").fetchone()
            for name in (
                "journal_mode", "synchronous", "busy_timeout", "trusted_schema",
                "recursive_triggers", "cell_size_check", "mmap_size",
            )
        }  # fmt: skip
    assert {name: value and value[0] for name, value in values.items()} == {
        "journal_mode": "delete",
        "synchronous": 3,
        "busy_timeout": 30_000,
        "trusted_schema": 0,
        "recursive_triggers": 1,
        "cell_size_check": 1,
        "mmap_size": 0,
    }


def test_a_file_that_was_put_into_write_ahead_mode_is_taken_out_of_it(path: Path) -> None:
    assert by_hand(path, "PRAGMA journal_mode = WAL") == [("wal",)]
    with open_ledger(path, clock=utc_now) as ledger:
        record(ledger, draft(6))
    assert by_hand(path, "PRAGMA journal_mode") == [("delete",)]
    assert [found.name for found in path.parent.iterdir()] == ["forecast.db"]


# Append-only, for every program

NEW_ROW = "'2099-01-01T00:00:00.000000Z', 'eve', 's', 'evidence', '{}'"
HASHES = {letter: f"'{letter * 64}'" for letter in "abcdef"}


@pytest.mark.parametrize(
    ("statement", "phrase"),
    [
        ("UPDATE entry SET author = 'eve'", "no entry is updated"),
        ("UPDATE entry SET seq = 9 WHERE seq = 5", "no entry is updated"),
        ("UPDATE OR REPLACE entry SET seq = 1 WHERE seq = 5", "no entry is updated"),
        ("UPDATE OR IGNORE entry SET author = 'eve'", "no entry is updated"),
        ("DELETE FROM entry", "no entry is deleted"),
        ("DELETE FROM entry WHERE seq = 5", "no entry is deleted"),
        (f"REPLACE INTO entry VALUES (5, 'e5', {NEW_ROW}, {HASHES['a']}, {HASHES['b']})", "no entry is replaced"),
        ("INSERT OR REPLACE INTO entry SELECT * FROM entry WHERE seq = 5", "no entry is replaced"),
        (
            f"INSERT OR REPLACE INTO entry SELECT 6, id, {NEW_ROW}, {HASHES['a']}, {HASHES['b']}"
            " FROM entry WHERE seq = 5",
            "no entry is replaced",
        ),
        (
            f"INSERT OR REPLACE INTO entry SELECT 6, 'e6', {NEW_ROW}, prev, {HASHES['b']} FROM entry WHERE seq = 5",
            "no entry is replaced",
        ),
        (
            f"INSERT OR REPLACE INTO entry SELECT 6, 'e6', {NEW_ROW}, hash, hash FROM entry WHERE seq = 5",
            "no entry is replaced",
        ),
        (
            f"INSERT INTO entry SELECT seq, id, {NEW_ROW}, prev, hash FROM entry WHERE seq = 5"
            " ON CONFLICT DO UPDATE SET author = 'eve'",
            "no entry is",
        ),
        (f"INSERT INTO entry VALUES (6, 'e6', {NEW_ROW}, {HASHES['a']}, {HASHES['b']})", "an entry follows the last"),
        (
            f"INSERT OR IGNORE INTO entry VALUES (6, 'e6', {NEW_ROW}, {HASHES['a']}, {HASHES['b']})",
            "an entry follows the last",
        ),
        (
            f"INSERT INTO entry SELECT 7, 'e7', {NEW_ROW}, hash, {HASHES['b']} FROM entry WHERE seq = 5",
            "an entry follows the last",
        ),
        (
            f"INSERT INTO entry SELECT NULL, 'e6', {NEW_ROW}, hash, {HASHES['b']} FROM entry WHERE seq = 5",
            "an entry follows the last",
        ),
        (
            f"INSERT INTO entry SELECT 0, 'e0', {NEW_ROW}, {HASHES['a']}, {HASHES['b']} FROM entry WHERE seq = 1",
            "an entry follows the last",
        ),
        (
            "INSERT INTO entry SELECT 6, 'e6', '2001-01-01T00:00:00.000000Z', author, study, kind, payload, hash,"
            f" {HASHES['b']} FROM entry WHERE seq = 5",
            "an entry follows the last",
        ),
    ],
)
def test_a_program_with_default_settings_cannot_but_append(path: Path, statement: str, phrase: str) -> None:
    before = by_hand(path, "SELECT * FROM entry")
    with pytest.raises(sqlite3.IntegrityError, match=f"the ledger is append-only: .*{phrase}"):
        by_hand(path, statement)
    assert by_hand(path, "SELECT * FROM entry") == before


@pytest.mark.parametrize(
    "values",
    [
        "6, 'e7', '2099-01-01T00:00:00.000000Z', 'a', 's', 'study', '{}'",
        "6, 'e6', '2099-01-01', 'a', 's', 'study', '{}'",
        "6, 'e6', '2099-01-01T00:00:00.000000Z', '', 's', 'study', '{}'",
        "6, 'e6', '2099-01-01T00:00:00.000000Z', 'a', '', 'study', '{}'",
        "6, 'e6', '2099-01-01T00:00:00.000000Z', 'a', 's', '', '{}'",
        "6, 'e6', '2099-01-01T00:00:00.000000Z', 'a', 's', 'study', '[]'",
        "6, 'e6', '2099-01-01T00:00:00.000000Z', 'a', 's', 'study', NULL",
        "6, 'e6', '2099-01-01T00:00:00.000000Z', x'61', 's', 'study', '{}'",
    ],
)
def test_an_appended_row_must_have_the_form_of_an_entry(path: Path, values: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match=r"constraint|cannot store BLOB"):
        by_hand(path, f"INSERT INTO entry SELECT {values}, hash, {HASHES['a']} FROM entry WHERE seq = 5")
    assert by_hand(path, "SELECT count(*) FROM entry") == [(5,)]


# What verify finds beside tampered entries, which the contract tries


@pytest.mark.parametrize(
    ("statement", "phrase"),
    [
        ("DROP TRIGGER entry_is_never_updated", 'the trigger "entry_is_never_updated" is missing'),
        ("DROP TRIGGER entry_is_never_deleted", 'the trigger "entry_is_never_deleted" is missing'),
        ("DROP TRIGGER entry_follows_the_last", 'the trigger "entry_follows_the_last" is missing'),
        ("DROP INDEX entry_by_study", 'the index "entry_by_study" is missing'),
        ("DROP TABLE entry", 'the table "entry" is missing'),
        ("ALTER TABLE entry RENAME TO entries", 'the table "entry" is missing'),
        ("ALTER TABLE entry RENAME COLUMN author TO writer", "is not as it was made"),
        ("ALTER TABLE entry ADD COLUMN secret TEXT", 'the table "entry" is not as it was made'),
        ("CREATE TABLE secret (x)", "that a ledger does not have"),
        ("CREATE VIEW secret AS SELECT 1", "that a ledger does not have"),
        ("CREATE INDEX secret ON entry (author)", "that a ledger does not have"),
        (
            "CREATE TRIGGER secret AFTER INSERT ON entry BEGIN DELETE FROM entry WHERE seq = 1; END",
            "that a ledger does not have",
        ),
    ],
)
def test_verify_finds_an_altered_schema(path: Path, statement: str, phrase: str) -> None:
    by_hand(path, statement)
    with open_ledger(path, clock=utc_now) as ledger:
        fault = ledger.verify()
    assert fault is not None
    assert fault.seq == 0
    assert phrase in str(fault)
    assert "secret" not in str(fault)


def test_verify_finds_a_trigger_that_was_put_back_tame(path: Path) -> None:
    by_hand(
        path,
        "DROP TRIGGER entry_is_never_deleted",
        "CREATE TRIGGER entry_is_never_deleted BEFORE DELETE ON entry BEGIN SELECT 1; END",
    )
    with open_ledger(path, clock=utc_now) as ledger:
        assert str(ledger.verify()) == 'the trigger "entry_is_never_deleted" is not as it was made'


def test_verify_takes_no_offence_at_statistics(path: Path) -> None:
    by_hand(path, "ANALYZE")
    with open_ledger(path, clock=utc_now) as ledger:
        assert ledger.verify() is None


def test_verify_finds_an_index_that_does_not_fit_its_table(path: Path) -> None:
    rows = by_hand(path, "SELECT rootpage FROM sqlite_schema WHERE name = 'entry_by_study'")
    with path.open("r+b") as file:
        file.seek((int(str(rows[0][0])) - 1) * 4096)
        page = file.read(4096)
        file.seek(-4096, os.SEEK_CUR)
        file.write(page.replace(b"japan-sar", b"japan-sas", 1))
    with open_ledger(path, clock=utc_now) as ledger:
        assert str(ledger.verify()) == "every entry holds, but SQLite finds the file damaged (integrity_check)"


@pytest.mark.parametrize("column", ["id", "recorded_at", "author", "study", "kind", "payload", "prev", "hash"])
@pytest.mark.parametrize("value", ["CAST(x'fffe736563726574' AS TEXT)", "x'736563726574'", "NULL", "1.5"])
def test_a_value_of_no_lawful_type_is_named_and_never_shown(path: Path, column: str, value: str) -> None:
    loosened = (
        "UPDATE sqlite_schema SET sql = replace(replace(sql, ' STRICT', ''), 'NOT NULL', '') WHERE name = 'entry'"
    )
    by_hand(path, "PRAGMA writable_schema = ON", loosened)
    without_guards(path, f"UPDATE entry SET {column} = {value} WHERE seq = 3")
    with open_ledger(path, clock=utc_now) as ledger:
        fault = ledger.verify()
        assert fault is not None
        assert fault.seq == 3
        assert "secret" not in str(fault)
        if value != "1.5":  # a number is the text of it in a column of text
            entries = ledger.entries()
            assert [next(entries).seq, next(entries).seq] == [1, 2]
            with pytest.raises(DamagedEntryError, match="entry 3: it is not written as a ledger writes it") as caught:
                next(entries)
            assert "secret" not in str(caught.value)


def test_a_table_of_another_make_is_refused_and_not_shown(path: Path) -> None:
    by_hand(
        path,
        "CREATE TABLE loose AS SELECT * FROM entry",
        "DROP TABLE entry",
        "ALTER TABLE loose RENAME TO entry",
        "UPDATE entry SET seq = 'secret' WHERE seq = 3",
    )
    with open_ledger(path, clock=utc_now) as ledger:
        fault = ledger.verify()
        assert fault is not None
        assert "secret" not in str(fault)
        for use in (ledger.head, lambda: list(ledger.entries()), lambda: record(ledger, draft())):
            with pytest.raises(LedgerError) as caught:
                use()
            assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET author = 'eve' WHERE seq = 5",
        "UPDATE entry SET recorded_at = 'z' WHERE seq = 5",
        """UPDATE entry SET payload = '{"n":"\\ud800"}' WHERE seq = 5""",
        "UPDATE entry SET hash = upper(hash) WHERE seq = 5",
    ],
)
def test_nothing_is_built_on_a_damaged_last_entry(path: Path, statement: str) -> None:
    without_guards(path, statement)
    with open_ledger(path, clock=utc_now) as ledger:
        with pytest.raises(DamagedEntryError, match=r"entry 5: .*go back to the last good copy"):
            record(ledger, draft(6))
        assert ledger.head().entries == 5


# Damaged files


def long_ledger(path: Path) -> list[Entry]:
    """A ledger of many pages."""
    with create_ledger(path, clock=clock_at(*range(400))) as ledger:
        return record(ledger, *[draft(n, payload={"n": n, "text": "x" * 200}) for n in range(400)])


def test_an_unreadable_page_is_named_by_the_first_entry_on_it(tmp_path: Path) -> None:
    path = tmp_path / "forecast.db"
    entries = long_ledger(path)
    content = path.read_bytes()
    here = content.index(entries[250].hash.encode(), content.index(b'{"n":250,')) // 4096 * 4096
    with path.open("r+b") as file:
        file.seek(here)
        file.write(b"\xff" * 4096)
    with open_ledger(path, clock=utc_now) as ledger:
        fault = ledger.verify()
        assert fault is not None
        assert 240 < fault.seq <= 251
        assert fault.what == "it cannot be read; the file is damaged from here on"
        read: list[Entry] = []
        with pytest.raises(LedgerError, match="the file is damaged"):
            read.extend(iter(ledger.entries()))
        assert read == entries[: fault.seq - 1]


@pytest.mark.parametrize("size", [1, 50, 100, 512, 4095, 4096, 5000, 8192, 0.3, 0.5, 0.9, -4096, -1000])
def test_a_truncated_file_is_refused_or_found(tmp_path: Path, size: float) -> None:
    path = tmp_path / "forecast.db"
    long_ledger(path)
    whole = path.stat().st_size
    os.truncate(path, int(whole * size) if 0 < size < 1 else int(size) % whole)
    try:
        with open_ledger(path, clock=utc_now) as ledger:
            said = str(ledger.verify())
    except LedgerError as error:
        said = str(error)
    assert re.search("damaged|this is not a ledger|the entry was changed", said)


def test_a_flipped_bit_is_found_or_changes_nothing(path: Path) -> None:
    rng = random.Random(2025)
    content = path.read_bytes()
    with open_ledger(path, clock=utc_now) as ledger:
        entries = list(ledger.entries())
    found = 0
    for position in [*range(0, 100, 3), *(rng.randrange(len(content)) for _ in range(200))]:
        flipped = bytearray(content)
        flipped[position] ^= 1 << rng.randrange(8)
        path.write_bytes(flipped)
        try:
            with open_ledger(path, clock=utc_now) as ledger:
                holds = ledger.verify() is None
                assert not holds or list(ledger.entries()) == entries
        except LedgerError:
            holds = False
        found += not holds
    assert found > 20


# A machine that fails


def test_a_writer_that_keeps_the_lock_is_named_and_awaited_no_longer(path: Path, impatient: None) -> None:
    with open_ledger(path, clock=utc_now) as ledger:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(LedgerLockedError, match="locked by another program for 0 s; nothing was written"):
                record(ledger, draft(6))
            assert len(list(ledger.entries())) == 5
            other.execute("ROLLBACK")
            other.execute("BEGIN EXCLUSIVE")
            with pytest.raises(LedgerLockedError, match="close the program that holds it"):
                list(ledger.entries())
            with pytest.raises(LedgerLockedError, match="close the program that holds it"):
                ledger.verify()
            with pytest.raises(LedgerLockedError):
                open_ledger(path, clock=utc_now)
        assert [entry.seq for entry in record(ledger, draft(6))] == [6]


def test_a_reader_that_keeps_the_file_stops_the_commit_and_nothing_is_written(path: Path, impatient: None) -> None:
    with open_ledger(path, clock=utc_now) as ledger:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN")
            other.execute("SELECT count(*) FROM entry").fetchone()
            with pytest.raises(LedgerLockedError, match="nothing was written"):
                record(ledger, draft(6), draft(7))
            assert ledger.head().entries == 5
        assert [entry.seq for entry in record(ledger, draft(8))] == [6]
        assert ledger.verify() is None


def test_a_slow_reader_of_ours_holds_up_nobody(path: Path) -> None:
    with open_ledger(path, clock=utc_now) as ledger:
        entries = ledger.entries()
        next(entries)
        with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as other:
            other.execute("BEGIN EXCLUSIVE")
            other.execute("COMMIT")
        assert [entry.seq for entry in entries] == [2, 3, 4, 5]


def test_a_full_disk_takes_nothing_of_a_batch_and_the_ledger_goes_on(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = sqlite3.connect

    def with_little_room(*args: object, **options: object) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **options)  # type: ignore[call-overload]
        connection.execute("PRAGMA max_page_count = 24")
        return connection

    monkeypatch.setattr(sqlite3, "connect", with_little_room)
    with open_ledger(path, clock=utc_now) as ledger:
        with pytest.raises(LedgerFullError, match="the disk is full; nothing was written; make room"):
            record(ledger, *[draft(n) for n in range(1000)])
        assert ledger.head().entries == 5
        assert [entry.seq for entry in record(ledger, draft(6))] == [6]
        assert ledger.verify() is None


def test_a_disk_that_refuses_to_write_takes_nothing_of_a_batch(path: Path) -> None:
    resource = pytest.importorskip("resource", reason="this system has no limits to set")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with open_ledger(path, clock=utc_now) as ledger:
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 8192, limits[1]))
        try:
            with pytest.raises(LedgerDiskError, match=r"I/O error.*whether the last entry was kept"):
                record(ledger, *[draft(n) for n in range(1000)])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert ledger.head().entries == 5
        assert [entry.seq for entry in record(ledger, draft(6))] == [6]
        assert ledger.verify() is None


def test_a_read_only_file_is_read_and_not_written(tmp_path: Path) -> None:
    with as_a_plain_user(tmp_path) as folder:
        path = folder / "forecast.db"
        with create_ledger(path, clock=utc_now) as ledger:
            five_entries(ledger)
        path.chmod(0o444)
        before = fingerprint(path)
        for opener in OPENERS:
            with opener(path, clock=utc_now) as ledger:
                assert len(list(ledger.entries())) == 5
                assert ledger.verify() is None
                with pytest.raises(LedgerReadOnlyError, match="the ledger is read-only; nothing was written"):
                    record(ledger, draft(6))
        assert fingerprint(path) == before


def test_another_programs_read_only_database_is_no_ledger_either(tmp_path: Path) -> None:
    with as_a_plain_user(tmp_path) as folder:
        path = folder / "other.db"
        by_hand(path, "CREATE TABLE bookmarks (url TEXT)")
        path.chmod(0o444)
        with pytest.raises(NotALedgerError, match="this is not a ledger"):
            create_ledger(path, clock=utc_now)


def test_a_read_only_folder_is_told_when_something_is_to_be_written(tmp_path: Path) -> None:
    with as_a_plain_user(tmp_path) as folder:
        path = folder / "forecast.db"
        with create_ledger(path, clock=utc_now) as ledger:
            five_entries(ledger)
        folder.chmod(0o555)
        try:
            with open_ledger(path, clock=utc_now) as ledger:
                assert ledger.verify() is None
                with pytest.raises(LedgerReadOnlyError, match="allow yourself to write to the file and to its folder"):
                    record(ledger, draft(6))
                assert ledger.head().entries == 5
            with pytest.raises(LedgerAccessError, match="whether you may read and write both"):
                create_ledger(folder / "second.db", clock=utc_now)
        finally:
            folder.chmod(0o755)


@pytest.mark.parametrize("opener", OPENERS)
def test_what_may_not_be_read_is_not_called_missing(tmp_path: Path, opener: Opener) -> None:
    with as_a_plain_user(tmp_path) as folder:
        path = folder / "inner" / "forecast.db"
        path.parent.mkdir()
        create_ledger(path, clock=utc_now).close()
        path.chmod(0)
        with pytest.raises(LedgerAccessError, match="cannot be opened"):
            opener(path, clock=utc_now)
        path.chmod(0o644)
        path.parent.chmod(0)
        try:
            with pytest.raises(LedgerAccessError, match="cannot be opened"):
                opener(path, clock=utc_now)
        finally:
            path.parent.chmod(0o755)


def test_a_file_that_was_replaced_under_an_open_ledger_is_not_written_to(path: Path) -> None:
    with open_ledger(path, clock=utc_now) as ledger:
        path.rename(path.with_name("old.db"))
        create_ledger(path, clock=utc_now).close()
        with pytest.raises(LedgerMovedError, match="moved or replaced while it was open; nothing was written"):
            record(ledger, draft(6))
    with open_ledger(path, clock=utc_now) as ledger:
        assert ledger.head().entries == 0


# Several programs at once


def append_many(path: str, name: str, count: int) -> None:
    """One of several programs: append entries that say how many came before them."""
    with open_ledger(Path(path), clock=utc_now) as ledger:
        for _ in range(count):
            ledger.append(lambda shown: [draft(author=name, payload={"before": shown.head().entries})])


def test_several_programs_append_to_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "forecast.db"
    create_ledger(path, clock=utc_now).close()
    spawn = multiprocessing.get_context("spawn")
    programs = [spawn.Process(target=append_many, args=(str(path), f"writer {n}", 25)) for n in range(4)]
    for program in programs:
        program.start()
    for program in programs:
        program.join()
    assert [program.exitcode for program in programs] == [0] * 4
    with open_ledger(path, clock=utc_now) as ledger:
        entries = list(ledger.entries())
        assert ledger.verify() is None
    assert sorted(entry.author for entry in entries) == sorted(f"writer {n}" for n in range(4) for _ in range(25))
    assert [entry.payload["before"] for entry in entries] == list(range(100))
    moments = [entry.recorded_at for entry in entries]
    assert moments == sorted(set(moments))


def make_at_once(path: str) -> None:
    """One of several programs: make the ledger and append."""
    with create_ledger(Path(path), clock=utc_now) as ledger:
        record(ledger, draft())


def test_several_programs_make_one_ledger(tmp_path: Path) -> None:
    path = tmp_path / "forecast.db"
    spawn = multiprocessing.get_context("spawn")
    programs = [spawn.Process(target=make_at_once, args=(str(path),)) for _ in range(3)]
    for program in programs:
        program.start()
    for program in programs:
        program.join()
    assert [program.exitcode for program in programs] == [0] * 3
    with open_ledger(path, clock=utc_now) as ledger:
        assert ledger.head().entries == 3
        assert ledger.verify() is None


def test_a_ledger_that_another_program_makes_at_the_same_moment_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "forecast.db"
    connect = sqlite3.connect

    def with_a_rival(*args: object, **options: object) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **options)  # type: ignore[call-overload]

        def rival(statement: str) -> None:
            if statement == "BEGIN IMMEDIATE":
                connection.set_trace_callback(None)
                with create_ledger(path, clock=clock_at(*range(5))) as ledger:
                    five_entries(ledger)

        connection.set_trace_callback(rival)
        monkeypatch.setattr(sqlite3, "connect", connect)
        return connection

    monkeypatch.setattr(sqlite3, "connect", with_a_rival)
    with create_ledger(path, clock=utc_now) as ledger:
        assert ledger.head().entries == 5
        assert ledger.verify() is None


WRITER = """
import sys
from pathlib import Path
from indicators.clock import utc_now
from indicators.entry import Draft
from indicators.ledger_sqlite import open_ledger

drafts = [Draft(author="ana", study="s", kind="evidence", payload={"text": "x" * 3000})] * 3
ledger = open_ledger(Path(sys.argv[1]), clock=utc_now)
while True:
    print(*(entry.id for entry in ledger.append(lambda _: drafts)), flush=True)
"""


def test_a_killed_writer_loses_nothing_that_it_acknowledged(path: Path) -> None:
    acknowledged = 5
    for batches in (1, 4, 11, 23):
        with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for _ in range(batches):
                acknowledged = int(writer.stdout.readline().split()[-1][1:])
            writer.send_signal(signal.SIGKILL)
            for line in writer.stdout:
                acknowledged = int(line.split()[-1][1:])
        with open_ledger(path, clock=utc_now) as ledger:
            assert ledger.head().entries in (acknowledged, acknowledged + 3)
            assert ledger.verify() is None
            acknowledged = record(ledger, draft())[0].seq


def test_an_append_cut_short_is_undone_by_the_next_to_look(path: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA cache_size = 1")
        other.execute("BEGIN IMMEDIATE")
        last = other.execute("SELECT hash FROM entry WHERE seq = 5").fetchone()[0]
        for seq in range(6, 40):  # more than the cache holds, so that pages are written before the commit
            other.execute(
                f"INSERT INTO entry VALUES ({seq}, 'e{seq}', {NEW_ROW.replace('{}', '{' + 'x' * 2000 + '}')}, ?, ?)",
                (last, f"{seq:064d}"),
            )
            last = f"{seq:064d}"
        cut = tmp_path / "cut"
        cut.mkdir()
        for name in ("forecast.db", "forecast.db-journal"):
            shutil.copy(tmp_path / name, cut / name)
        other.execute("ROLLBACK")
    assert (cut / "forecast.db").read_bytes() != path.read_bytes()
    with open_ledger(cut / "forecast.db", clock=utc_now) as ledger:
        assert [entry.payload["n"] for entry in ledger.entries()] == [1, 2, 3, 4, 5]
        assert ledger.verify() is None
    assert (cut / "forecast.db").read_bytes() == path.read_bytes()


# Against a list


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    """Drafts that a ledger takes, with awkward text wherever text may stand."""
    return Draft(
        author=draw(awkward_text().filter(lambda text: text and "\0" not in text)),
        study=draw(st.sampled_from(["japan-sar", "other"])),
        kind=draw(st.sampled_from(KINDS)),
        payload=draw(st.dictionaries(awkward_text(), awkward_text() | st.integers() | st.none(), max_size=3)),
    )


class LedgerAgainstList(RuleBasedStateMachine):
    """A ledger in a file and a list of what was handed to it say the same, whatever is done in whatever order."""

    def __init__(self) -> None:
        super().__init__()
        self.to_let_go = ExitStack()
        self.drafts: list[Draft] = []

    @initialize(seconds=st.lists(st.integers(-5, 5), max_size=5))
    def make(self, seconds: list[int]) -> None:
        """A new ledger with a clock that jumps, then stands still."""
        self.path = Path(self.to_let_go.enter_context(tempfile.TemporaryDirectory())) / "forecast.db"
        self.clock = clock_at(*seconds)
        self.ledger = create_ledger(self.path, clock=self.clock)
        self.to_let_go.callback(lambda: self.ledger.close())

    @rule(batch=st.lists(drafts(), max_size=3))
    def append(self, batch: list[Draft]) -> None:
        """A batch of any size."""
        record(self.ledger, *batch)
        self.drafts += batch

    @rule(batch=st.lists(drafts(), max_size=2))
    def append_with_a_bad_one(self, batch: list[Draft]) -> None:
        """A batch that ends in a draft that no ledger takes."""
        with pytest.raises(DraftError):
            record(self.ledger, *batch, draft(kind="none"))

    @rule()
    def refuse(self) -> None:
        """A decision that looks and says no."""

        def decide(shown: Ledger) -> list[Draft]:
            raise RefusedError(len(list(shown.entries())))

        with pytest.raises(RefusedError, match=f"^{len(self.drafts)}$"):
            self.ledger.append(decide)

    @rule(opener=st.sampled_from(OPENERS))
    def reopen(self, opener: Opener) -> None:
        """Another program goes on."""
        self.ledger.close()
        self.ledger = opener(self.path, clock=self.clock)

    @invariant()
    def says_the_same(self) -> None:
        """Content, order, filters and the chain."""
        entries = list(self.ledger.entries())
        assert [
            Draft(author=entry.author, study=entry.study, kind=entry.kind, payload=entry.payload) for entry in entries
        ] == self.drafts
        assert self.ledger.head().entries == len(self.drafts)
        assert [entry.seq for entry in self.ledger.entries(study="other")] == [
            seq for seq, drafted in enumerate(self.drafts, start=1) if drafted.study == "other"
        ]
        assert self.ledger.verify() is None

    def teardown(self) -> None:
        """Let go of the file, where an example came so far as to make one."""
        self.to_let_go.close()


LedgerAgainstList.TestCase.settings = settings(
    max_examples=25, stateful_step_count=12, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestLedgerAgainstList = LedgerAgainstList.TestCase


def test_a_new_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "own.db"
    create_ledger(path, clock=utc_now).close()
    assert path.stat().st_mode & 0o077 == 0
