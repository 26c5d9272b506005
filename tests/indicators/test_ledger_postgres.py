"""The ledger in PostgreSQL: the contract, and what a server, other programs and other roles may do to it."""

import hashlib
import multiprocessing
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from indicators import ledger_postgres, postgres_schema
from indicators.clock import utc_now
from indicators.entry import Draft, Entry, row_of_entry
from indicators.ledger import Clock, Ledger, LedgerError, MemoryLedger
from indicators.ledger_postgres import (
    DamagedEntryError,
    LedgerAccessError,
    LedgerAlteredError,
    LedgerConflictError,
    LedgerConnectionError,
    LedgerEncodingError,
    LedgerLockedError,
    LedgerMissingError,
    LedgerReadOnlyError,
    LedgerStoppedError,
    LedgerUncertainError,
    LedgerVersionError,
    NotALedgerError,
    PostgresLedger,
    ServerTooOldError,
    create_ledger,
    open_ledger,
)
from tests.contracts import RefusedError, SqlLedgerContract, clock_at, draft, five_entries, record
from tests.postgres import Server, by_hand, temporary_server

ROOT = Path(__file__).parent.parent.parent
OPENERS = [create_ledger, open_ledger]
Opener = Callable[..., PostgresLedger]
CHECKS = (
    "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'entry'::regclass AND contype = 'c'"
)
KILL_OTHERS = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'watchfloor'"


def without_guards(url: str, *statements: str) -> None:
    """Run statements with triggers and CHECKs out of the way; the triggers stand again afterwards."""
    checks = by_hand(url, CHECKS)
    triggers = ("entry_is_never_changed", "entry_follows_the_last")
    by_hand(
        url,
        "ALTER TABLE entry DISABLE TRIGGER USER",
        *(f"ALTER TABLE entry DROP CONSTRAINT {name}" for name, _ in checks),
        *statements,
        *(f"ALTER TABLE entry ADD CONSTRAINT {name} {made} NOT VALID" for name, made in checks),
        *(f"ALTER TABLE entry ENABLE ALWAYS TRIGGER {name}" for name in triggers),
    )


@pytest.fixture
def url(database: str) -> str:
    """A ledger of five entries, closed."""
    with create_ledger(database, clock=clock_at(*range(5))) as ledger:
        five_entries(ledger)
    return database


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger opened in this test waits for no lock and hardly between attempts."""
    monkeypatch.setattr(ledger_postgres, "LOCK_SECONDS", 0.01)
    monkeypatch.setattr(ledger_postgres, "PAUSES", (0.0, 0.0))


class TestPostgresLedger(SqlLedgerContract):
    """The contract, on a server."""

    @pytest.fixture(autouse=True)
    def in_database(self, database: str) -> None:
        """Where the ledger of a test is made."""
        self.database = database

    def make_ledger(self, tmp_path: Path, clock: Clock) -> Ledger:
        """See `LedgerContract.make_ledger`."""
        return create_ledger(self.database, clock=clock)

    def behind_its_back(self, ledger: Ledger, statements: Sequence[str]) -> None:
        """See `SqlLedgerContract.behind_its_back`."""
        assert isinstance(ledger, PostgresLedger)
        without_guards(ledger.address.url, *statements)


def test_the_hashes_are_those_of_a_ledger_in_memory(database: str) -> None:
    with create_ledger(database, clock=clock_at(*range(9))) as ledger:
        assert five_entries(ledger) == five_entries(MemoryLedger(clock_at(*range(9))))


# Making and opening


def test_what_was_recorded_is_there_when_opened_again(url: str) -> None:
    with open_ledger(url, clock=clock_at(60)) as ledger:
        before = list(ledger.entries())
        [entry] = record(ledger, draft(6))
    with create_ledger(url, clock=utc_now) as ledger:
        assert list(ledger.entries()) == [*before, entry]
        assert ledger.verify() is None


def test_a_database_without_a_ledger_is_told_with_the_command_that_makes_one(database: str) -> None:
    for statement in ("SELECT 1", "CREATE SCHEMA watchfloor"):
        by_hand(database, statement)
        with pytest.raises(
            LedgerMissingError, match="there is no ledger in this database; make one with forecast init"
        ):
            open_ledger(database, clock=utc_now)
    create_ledger(database, clock=utc_now).close()


@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE watchfloor.entry (x integer)",
        "CREATE VIEW watchfloor.bookmarks AS SELECT 1",
        "CREATE FUNCTION watchfloor.refuse_change() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    ],
)
def test_a_schema_with_something_else_in_it_is_refused(database: str, opener: Opener, statement: str) -> None:
    by_hand(database, "CREATE SCHEMA watchfloor", statement)
    with pytest.raises(NotALedgerError, match='the schema "watchfloor" of this database holds something that is not'):
        opener(database, clock=utc_now)


@pytest.mark.parametrize("opener", OPENERS)
def test_a_database_that_cannot_keep_every_text_is_refused(server: Server, opener: Opener) -> None:
    latin = server.new_database("ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(LedgerEncodingError, match="the text of this database is LATIN1, and a ledger needs UTF8"):
        opener(latin, clock=utc_now)


def test_an_old_server_is_refused_in_words(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_postgres, "OLDEST_SERVER", 99)
    with pytest.raises(ServerTooOldError, match="this server is older"):
        open_ledger(url, clock=utc_now)


@pytest.mark.parametrize("opener", OPENERS)
def test_a_newer_schema_is_refused_in_words(url: str, opener: Opener) -> None:
    by_hand(url, "INSERT INTO schema_step VALUES (7)")
    with pytest.raises(LedgerVersionError) as caught:
        opener(url, clock=utc_now)
    assert caught.value.version == 7
    assert str(caught.value) == (
        "postgresql://postgres@/postgres: the ledger was written by a newer watchfloor: its schema is 7, this program"
        " knows 2; update watchfloor"
    )


def test_a_schema_that_grows_newer_while_it_is_open_is_not_written_to(url: str) -> None:
    with open_ledger(url, clock=utc_now) as ledger:
        by_hand(url, "INSERT INTO schema_step VALUES (3)")
        with pytest.raises(LedgerVersionError, match="a newer watchfloor"):
            record(ledger, draft(6))
        assert ledger.head().entries == 5


def test_a_later_step_is_taken_once_and_only_by_making(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    step = ("ALTER TABLE watchfloor.entry ADD COLUMN signature text",)
    monkeypatch.setattr(ledger_postgres, "SCHEMA_STEPS", (*postgres_schema.SCHEMA_STEPS, step))
    with pytest.raises(LedgerVersionError, match=r"an older watchfloor.*have its owner run forecast init"):
        open_ledger(url, clock=utc_now)
    for opener in (create_ledger, create_ledger, open_ledger):
        with opener(url, clock=utc_now) as ledger:
            record(ledger, draft())
    assert by_hand(url, "SELECT number FROM schema_step ORDER BY number") == [(1,), (2,), (3,)]
    assert by_hand(url, "SELECT count(*), count(signature) FROM entry") == [(8, 0)]


def test_a_step_that_fails_leaves_the_database_as_it_was(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = ("CREATE TABLE watchfloor.second (x text)", "CREATE TABLE watchfloor.entry (x text)")
    monkeypatch.setattr(ledger_postgres, "SCHEMA_STEPS", (*postgres_schema.SCHEMA_STEPS, bad))
    with pytest.raises(LedgerError):
        create_ledger(database, clock=utc_now)
    monkeypatch.undo()
    with pytest.raises(LedgerMissingError):
        open_ledger(database, clock=utc_now)


def test_a_released_step_is_never_edited() -> None:
    steps = ["\n".join(statements) for statements in postgres_schema.SCHEMA_STEPS]
    assert [hashlib.sha256(step.encode()).hexdigest() for step in steps] == [
        "5decddc17f5171561a50dbf011e82e4039758dc4b65988148c3ca9175e447650",
        "df17dc77acb1c404833a545fa39b41a88ed55df7553125cb000e810c45cdf21c",
    ]


def make_at_once(url: str) -> None:
    """One of several programs: make the ledger and append."""
    with create_ledger(url, clock=utc_now) as ledger:
        record(ledger, draft())


def test_several_programs_make_one_ledger(database: str) -> None:
    in_programs(make_at_once, [(database,)] * 3)
    with open_ledger(database, clock=utc_now) as ledger:
        assert ledger.head().entries == 3
        assert ledger.verify() is None


def in_programs(target: Callable[..., None], arguments: Sequence[tuple[Any, ...]]) -> None:
    """Run several programs at once, and see that all end well."""
    spawn = multiprocessing.get_context("spawn")
    programs = [spawn.Process(target=target, args=given) for given in arguments]
    for program in programs:
        program.start()
    for program in programs:
        program.join()
    assert [program.exitcode for program in programs] == [0] * len(programs)


def test_the_oldest_server_at_hand_keeps_a_ledger_too() -> None:
    with temporary_server(16) as older:
        url = older.new_database()
        with create_ledger(url, clock=clock_at(*range(9))) as ledger:
            entries = five_entries(ledger)
            assert entries == five_entries(MemoryLedger(clock_at(*range(9))))
            assert list(ledger.entries()) == entries
            assert ledger.verify() is None
            with pytest.raises(psycopg.Error, match="UPDATE is refused"):
                by_hand(url, "UPDATE entry SET author = 'eve'")


# Settings of a server that do not suit a ledger


@pytest.mark.parametrize(
    ("level", "kept"), [("off", "on"), ("local", "on"), ("on", "on"), ("remote_apply", "remote_apply")]
)
def test_a_commit_waits_for_the_disk_whatever_the_database_says(server: Server, level: str, kept: str) -> None:
    url = server.new_database()
    by_hand(
        url,
        f"ALTER DATABASE {url_name(url)} SET synchronous_commit = {level}",
        f"ALTER DATABASE {url_name(url)} SET default_transaction_isolation = 'serializable'",
        f"ALTER DATABASE {url_name(url)} SET client_encoding = 'LATIN1'",
    )
    found: list[object] = []

    def decide(shown: Ledger) -> list[Draft]:
        assert isinstance(shown, PostgresLedger)
        names = ("synchronous_commit", "transaction_isolation", "client_encoding", "lock_timeout")
        found.extend(shown._run(f"SHOW {name}")[0][0] for name in names)
        return [draft(payload={"text": "日本"})]

    with create_ledger(url, clock=utc_now) as ledger:
        ledger.append(decide)
        assert [entry.payload for entry in ledger.entries()] == [{"text": "日本"}]
    assert found == [kept, "read committed", "UTF8", "30s"]


def url_name(url: str) -> str:
    """The name of the database in a URL of the tests."""
    return url.partition("@/")[2].partition("?")[0]


def test_a_database_set_to_read_only_is_read_and_not_written(server: Server) -> None:
    url = server.new_database()
    with create_ledger(url, clock=utc_now) as ledger:
        five_entries(ledger)
    by_hand(url, f"ALTER DATABASE {url_name(url)} SET default_transaction_read_only = on")
    with open_ledger(url, clock=utc_now) as ledger:
        assert ledger.verify() is None
        with pytest.raises(LedgerReadOnlyError, match="the database is read-only; nothing was written"):
            record(ledger, draft(6))
        assert ledger.head().entries == 5


def test_a_time_limit_of_the_server_is_told(url: str) -> None:
    with open_ledger(url, clock=utc_now) as ledger:
        ledger._run("SET statement_timeout = '1ms'")
        with pytest.raises(LedgerStoppedError, match=r"cut the work short \(statement_timeout, or by hand\)"):
            ledger._run("SELECT pg_sleep(60)")


# Append-only, for every program, the owner's included

NEW_ROW = "'2099-01-01T00:00:00.000000Z', 'eve', 's', 'evidence', '{}'"
HASHES = {letter: f"'{letter * 64}'" for letter in "ab"}


@pytest.mark.parametrize(
    ("statement", "phrase"),
    [
        ("UPDATE entry SET author = 'eve'", "UPDATE is refused"),
        ("UPDATE entry SET author = 'eve' WHERE false", "UPDATE is refused"),
        ("DELETE FROM entry WHERE seq = 5", "DELETE is refused"),
        ("TRUNCATE entry", "TRUNCATE is refused"),
        ("UPDATE schema_step SET number = 2", "UPDATE is refused"),
        ("DELETE FROM schema_step", "DELETE is refused"),
        (
            f"INSERT INTO entry SELECT seq, id, {NEW_ROW}, prev, hash FROM entry WHERE seq = 5"
            " ON CONFLICT (seq) DO UPDATE SET author = 'eve'",
            "UPDATE is refused",
        ),
        (
            "MERGE INTO entry USING (SELECT 5 AS n) AS s ON seq = n WHEN MATCHED THEN UPDATE SET author = 'eve'",
            "UPDATE is refused",
        ),
        (f"INSERT INTO entry VALUES (6, 'e6', {NEW_ROW}, {HASHES['a']}, {HASHES['b']})", "an entry follows the last"),
        (
            f"INSERT INTO entry SELECT 7, 'e7', {NEW_ROW}, hash, {HASHES['b']} FROM entry WHERE seq = 5",
            "an entry follows the last",
        ),
        (
            f"INSERT INTO entry SELECT NULL, 'e6', {NEW_ROW}, hash, {HASHES['b']} FROM entry WHERE seq = 5",
            "an entry follows the last",
        ),
        (
            "INSERT INTO entry SELECT 6, 'e6', '2001-01-01T00:00:00.000000Z', author, study, kind, payload, hash,"
            f" {HASHES['b']} FROM entry WHERE seq = 5",
            "an entry follows the last",
        ),
        (
            f"INSERT INTO entry SELECT n, 'e' || n, {NEW_ROW}, CASE n WHEN 6 THEN hash ELSE {HASHES['a']} END,"
            f" repeat(n::text, 64) FROM entry, generate_series(6, 7) AS n WHERE seq = 5",
            "an entry follows the last",
        ),
    ],
)
@pytest.mark.parametrize("role", ["origin", "replica"])
def test_any_program_cannot_but_append(url: str, statement: str, phrase: str, role: str) -> None:
    before = by_hand(url, "SELECT * FROM entry")
    with pytest.raises(psycopg.Error, match=f"the ledger is append-only: {phrase}"):
        by_hand(url, f"SET session_replication_role = {role}", statement)
    assert by_hand(url, "SELECT * FROM entry") == before


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
    ],
)
def test_an_appended_row_must_have_the_form_of_an_entry(url: str, values: str) -> None:
    with pytest.raises(psycopg.IntegrityError, match="constraint"):
        by_hand(url, f"INSERT INTO entry SELECT {values}, hash, {HASHES['a']} FROM entry WHERE seq = 5")
    assert by_hand(url, "SELECT count(*) FROM entry") == [(5,)]


# The roles of docs/postgresql.md


@pytest.fixture
def roles(server: Server, url: str) -> dict[str, str]:
    """The URLs of the two people of the document, who have exactly the rights that it gives them."""
    document = (ROOT / "docs" / "postgresql.md").read_text("utf-8")
    _, grants, people = re.findall(r"^```sql\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)
    known = by_hand(url, "SELECT rolname FROM pg_roles WHERE rolname = 'ana'")
    by_hand(url, *(line for line in (grants + people).splitlines() if not (known and line.startswith("CREATE"))))
    return {"writer": server.url(user="ana"), "reader": server.url(user="bo")}


def test_a_writer_logs_and_verifies(roles: dict[str, str]) -> None:
    for opener in OPENERS:
        with opener(roles["writer"], clock=utc_now) as ledger:
            record(ledger, *[draft(n) for n in range(3)])
            ledger.append(lambda shown: [draft(shown.head().entries)])
            assert ledger.verify() is None
    assert ledger.address.url == roles["writer"]


def test_a_writer_restores(roles: dict[str, str], url: str) -> None:
    source = MemoryLedger(clock_at(*range(5)))
    five_entries(source)
    record(source, draft(6))
    with open_ledger(roles["writer"], clock=utc_now) as ledger:
        ledger.restore(source.entries(after=5))
        assert ledger.head() == source.head()


def test_a_reader_reads_and_verifies_and_writes_nothing(roles: dict[str, str], url: str) -> None:
    for opener in OPENERS:
        with opener(roles["reader"], clock=utc_now) as ledger:
            assert len(list(ledger.entries())) == ledger.head().entries == 5
            assert ledger.studies() == ["japan-sar"]
            assert ledger.verify() is None
            with pytest.raises(LedgerAccessError, match="your role has no right to do this here; nothing was written"):
                record(ledger, draft(6))
    assert by_hand(url, "SELECT count(*) FROM entry") == [(5,)]


@pytest.mark.parametrize("role", ["writer", "reader"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET author = 'eve'",
        "DELETE FROM entry",
        "TRUNCATE entry",
        "SELECT 1 FROM entry FOR UPDATE",
        "BEGIN; LOCK TABLE entry IN ACCESS EXCLUSIVE MODE",
        "ALTER TABLE entry DISABLE TRIGGER USER",
        "ALTER TABLE entry DROP CONSTRAINT entry_prev_key",
        "DROP TRIGGER entry_is_never_changed ON entry",
        "CREATE TRIGGER mine BEFORE INSERT ON entry EXECUTE FUNCTION refuse_change()",
        "CREATE RULE mine AS ON INSERT TO entry DO INSTEAD NOTHING",
        "DROP TABLE entry",
        "DROP SCHEMA watchfloor CASCADE",
        "CREATE TABLE watchfloor.mine (x integer)",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "INSERT INTO schema_step VALUES (2)",
        "UPDATE schema_step SET number = 2",
        "SET session_replication_role = replica",
    ],
)
def test_neither_may_do_anything_else(roles: dict[str, str], role: str, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        by_hand(roles[role], statement)


def test_a_stranger_is_told_to_ask(server: Server, url: str) -> None:
    if not by_hand(url, "SELECT 1 FROM pg_roles WHERE rolname = 'stranger'"):
        by_hand(url, "CREATE ROLE stranger LOGIN")
    for opener in OPENERS:
        with pytest.raises(LedgerAccessError, match="ask the ledger's owner for the rights of a writer or a reader"):
            opener(server.url(user="stranger"), clock=utc_now)


def test_an_owner_who_is_no_superuser_cannot_change_entries_by_mistake(server: Server) -> None:
    if not by_hand(server.url(), "SELECT 1 FROM pg_roles WHERE rolname = 'owner'"):
        by_hand(server.url(), "CREATE ROLE owner LOGIN")
    url = server.new_database("OWNER owner").replace("postgres@", "owner@")
    with create_ledger(url, clock=utc_now) as ledger:
        five_entries(ledger)
        assert ledger.verify() is None
    for statement in ("UPDATE entry SET author = 'eve'", "DELETE FROM entry", "TRUNCATE entry"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            by_hand(url, statement)


# What verify finds beside tampered entries, which the contract tries


@pytest.mark.parametrize(
    ("statement", "phrase"),
    [
        ("DROP TRIGGER entry_is_never_changed ON entry", 'the trigger "entry_is_never_changed" is missing'),
        ("DROP TRIGGER entry_follows_the_last ON entry", 'the trigger "entry_follows_the_last" is missing'),
        ("ALTER TABLE entry DISABLE TRIGGER entry_follows_the_last", '"entry_follows_the_last" is not as it was made'),
        ("ALTER TABLE entry ENABLE TRIGGER entry_follows_the_last", '"entry_follows_the_last" is not as it was made'),
        ("ALTER TABLE entry ENABLE REPLICA TRIGGER entry_is_never_changed", "is not as it was made"),
        (
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            'the function "refuse_change" is not as it was made',
        ),
        ("ALTER FUNCTION follow_the_last() RESET search_path", 'the function "follow_the_last" is not as it was made'),
        ("DROP INDEX entry_by_study", 'the index "entry_by_study" is missing'),
        ("ALTER TABLE entry DROP CONSTRAINT entry_prev_key", 'the constraint "entry_prev_key" is missing'),
        ("ALTER TABLE entry DROP CONSTRAINT entry_payload_check", '"entry_payload_check" is missing'),
        ("ALTER TABLE entry ALTER author DROP NOT NULL", 'the column "entry.author" is not as it was made'),
        ('ALTER TABLE entry ALTER author TYPE text COLLATE "default"', '"entry.author" is not as it was made'),
        ("ALTER TABLE entry ALTER author SET DEFAULT 'eve'", 'the column "entry.author" is not as it was made'),
        ("ALTER TABLE entry RENAME author TO writer", 'the column "entry.author" is missing'),
        ("ALTER TABLE entry RENAME TO entries", 'the column "entry.author" is missing'),
        ("DROP TABLE entry", 'the column "entry.author" is missing'),
        ("ALTER TABLE entry SET UNLOGGED", 'the table "entry" is not as it was made'),
        ("ALTER TABLE entry ENABLE ROW LEVEL SECURITY", 'the table "entry" is not as it was made'),
        ("ALTER TABLE entry ADD COLUMN secret text", "that a ledger does not have"),
        ("CREATE TABLE secret (x integer)", "that a ledger does not have"),
        ("CREATE TABLE public.secret () INHERITS (entry)", "that a ledger does not have"),
        ("CREATE VIEW secret AS SELECT 1", "that a ledger does not have"),
        ("CREATE INDEX secret ON entry (author)", "that a ledger does not have"),
        ("CREATE POLICY secret ON entry", "that a ledger does not have"),
        ("CREATE RULE secret AS ON DELETE TO entry DO INSTEAD NOTHING", "that a ledger does not have"),
        ("CREATE FUNCTION secret() RETURNS integer LANGUAGE sql AS 'SELECT 1'", "that a ledger does not have"),
        (
            "CREATE TRIGGER secret AFTER INSERT ON entry FOR EACH ROW EXECUTE FUNCTION refuse_change()",
            "that a ledger does not have",
        ),
    ],
)
def test_verify_finds_an_altered_schema(url: str, statement: str, phrase: str) -> None:
    by_hand(url, statement)
    try:
        with open_ledger(url, clock=utc_now) as ledger:
            fault = ledger.verify()
    finally:
        by_hand(url, "DROP TABLE IF EXISTS public.secret")
    assert fault is not None
    assert fault.seq == 0
    assert phrase in str(fault)
    assert "secret" not in str(fault)


def test_verify_takes_no_offence_at_what_a_server_does_by_itself(url: str) -> None:
    by_hand(url, "ANALYZE entry", "VACUUM entry", "REINDEX TABLE entry", "CLUSTER entry USING entry_pkey")
    with open_ledger(url, clock=utc_now) as ledger:
        assert ledger.verify() is None


@pytest.mark.parametrize("column", ["id", "recorded_at", "author", "study", "kind", "payload", "prev", "hash"])
@pytest.mark.parametrize("make", ["NULL", "bytea"])
def test_a_value_of_no_lawful_type_is_named_and_never_shown(url: str, column: str, make: str) -> None:
    loosened = f"ALTER TABLE entry ALTER {column} DROP NOT NULL"
    change = f"UPDATE entry SET {column} = NULL WHERE seq = 3"
    if make == "bytea":
        change = f"ALTER TABLE entry ALTER {column} TYPE bytea USING convert_to({column} || 'secret', 'UTF8')"
    without_guards(url, loosened, change) if make == "NULL" else by_hand(
        url, *(f"ALTER TABLE entry DROP CONSTRAINT {name}" for name, _ in by_hand(url, CHECKS)), change
    )
    with open_ledger(url, clock=utc_now) as ledger:
        fault = ledger.verify()
        assert fault is not None
        assert fault.seq == (3 if make == "NULL" else 1)
        assert "secret" not in str(fault)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET author = 'eve' WHERE seq = 5",
        "UPDATE entry SET recorded_at = 'z' WHERE seq = 5",
        """UPDATE entry SET payload = '{"n":"\\ud800"}' WHERE seq = 5""",
        "UPDATE entry SET hash = upper(hash) WHERE seq = 5",
    ],
)
def test_nothing_is_built_on_a_damaged_last_entry(url: str, statement: str) -> None:
    without_guards(url, statement)
    with open_ledger(url, clock=utc_now) as ledger:
        with pytest.raises(DamagedEntryError, match=r"entry 5: .*go back to the last good copy"):
            record(ledger, draft(6))
        assert ledger.head().entries == 5


@pytest.mark.parametrize("swallowed", [6, 7])
def test_a_batch_of_which_the_database_swallows_an_entry_is_not_written(url: str, swallowed: int) -> None:
    by_hand(
        url,
        "CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        f"CREATE TRIGGER trap BEFORE INSERT ON entry FOR EACH ROW WHEN (NEW.seq = {swallowed}) EXECUTE FUNCTION trap()",
    )
    with open_ledger(url, clock=utc_now) as ledger:
        with pytest.raises(LedgerAlteredError, match="not as a ledger makes them; nothing was written"):
            record(ledger, *[draft(n) for n in range(6, swallowed + 1)])
        assert ledger.head().entries == 5


def test_a_dropped_table_is_told_by_every_use(url: str) -> None:
    with open_ledger(url, clock=utc_now) as ledger:
        by_hand(url, "DROP TABLE entry")
        for use in (ledger.head, ledger.studies, lambda: list(ledger.entries()), lambda: record(ledger, draft())):
            with pytest.raises(LedgerAlteredError, match="run forecast verify"):
                use()
        assert str(ledger.verify()) == 'the column "entry.author" is missing'


# Other writers


def rival_row(ledger: Ledger) -> str:
    """The statement of a writer that does not ask for the lock, and is right in all else."""
    copy = MemoryLedger(utc_now)
    copy.restore(ledger.entries())
    values = ", ".join(f"'{value}'" for value in row_of_entry(record(copy, draft(author="rival"))[0]))
    return f"INSERT INTO entry VALUES ({values})"


@pytest.mark.parametrize("rivals", [1, 2])
def test_a_writer_that_gets_in_between_is_given_way(url: str, rivals: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_postgres, "PAUSES", (0.0, 0.0))
    asked = []

    def clock() -> Any:
        asked.append(ledger.head().entries)
        if len(asked) <= rivals:
            by_hand(url, rival_row(ledger))
        return utc_now()

    with open_ledger(url, clock=clock) as ledger:
        [entry] = record(ledger, draft(author="ours"))
        assert asked == list(range(5, 6 + rivals))
        assert [each.author for each in ledger.entries(after=5)] == ["rival"] * rivals + ["ours"]
        assert entry.seq == 6 + rivals
        assert ledger.verify() is None


def test_a_writer_that_always_gets_in_between_is_told(url: str, hasty: None) -> None:
    def clock() -> Any:
        by_hand(url, rival_row(ledger))
        return utc_now()

    with open_ledger(url, clock=clock) as ledger:
        with pytest.raises(LedgerConflictError, match="again and again; nothing was written; try again"):
            record(ledger, draft())
        assert [entry.author for entry in ledger.entries(after=5)] == ["rival"] * 3


def test_a_writer_that_has_not_yet_committed_is_waited_for(url: str) -> None:
    with psycopg.connect(url, options="-c search_path=watchfloor") as other, open_ledger(url, clock=utc_now) as ledger:
        other.execute(rival_row(ledger).encode())
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'watchfloor' AND wait_event_type = 'Lock'"
        )
        program = subprocess.Popen([sys.executable, "-c", ONE_ENTRY, url], stdout=subprocess.PIPE, text=True)
        while by_hand(url, waiting) == [(0,)]:
            assert program.poll() is None
        other.commit()
        assert program.communicate()[0] == "e7\n"
        assert ledger.verify() is None


ONE_ENTRY = """
import sys
from indicators.clock import utc_now
from indicators.entry import Draft
from indicators.ledger_postgres import open_ledger

with open_ledger(sys.argv[1], clock=utc_now) as ledger:
    print(ledger.append(lambda _: [Draft(author="ana", study="s", kind="evidence", payload={})])[0].id)
"""


def test_a_writer_that_keeps_the_lock_is_awaited_no_longer_than_that(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_postgres, "LOCK_SECONDS", 0.01)
    with open_ledger(url, clock=utc_now) as ledger:
        with psycopg.connect(url) as other:
            other.execute("SELECT pg_advisory_xact_lock(%s)", [ledger_postgres.LOCK_KEY])
            with pytest.raises(LedgerLockedError, match=r"locked by another writer for 0.01 s; nothing was written"):
                record(ledger, draft(6))
            assert len(list(ledger.entries())) == 5
            other.rollback()
            other.execute("LOCK TABLE watchfloor.entry IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(LedgerLockedError):
                record(ledger, draft(6))
        assert [entry.seq for entry in record(ledger, draft(6))] == [6]


def test_a_slow_reader_of_ours_holds_up_nobody(url: str) -> None:
    with open_ledger(url, clock=utc_now) as ledger:
        entries = ledger.entries()
        next(entries)
        with psycopg.connect(url) as other:
            other.execute("LOCK TABLE watchfloor.entry IN ACCESS EXCLUSIVE MODE NOWAIT")
        assert [entry.seq for entry in entries] == [2, 3, 4, 5]


def append_many(url: str, name: str, count: int) -> None:
    """One of several programs: append entries that say how many came before them."""
    with open_ledger(url, clock=utc_now) as ledger:
        for _ in range(count):
            ledger.append(lambda shown: [draft(author=name, payload={"before": shown.head().entries})])


def test_several_programs_append_to_one_chain(database: str) -> None:
    create_ledger(database, clock=utc_now).close()
    in_programs(append_many, [(database, f"writer {n}", 25) for n in range(4)])
    with open_ledger(database, clock=utc_now) as ledger:
        entries = list(ledger.entries())
        assert ledger.verify() is None
    assert sorted(entry.author for entry in entries) == sorted(f"writer {n}" for n in range(4) for _ in range(25))
    assert [entry.payload["before"] for entry in entries] == list(range(100))
    moments = [entry.recorded_at for entry in entries]
    assert moments == sorted(set(moments))


# Lost connections


def test_a_reader_whose_connection_was_lost_goes_on(url: str) -> None:
    with open_ledger(url, clock=utc_now) as ledger:
        entries = ledger.entries()
        first = next(entries)
        by_hand(url, KILL_OTHERS)
        assert [first, *entries] == list(ledger.entries())
        by_hand(url, KILL_OTHERS)
        assert ledger.head().entries == 5
        by_hand(url, KILL_OTHERS)
        assert ledger.verify() is None


def test_a_writer_whose_connection_was_lost_decides_again(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_postgres, "PAUSES", (0.0, 0.0, 0.0))
    asked = []

    def decide(shown: Ledger) -> list[Draft]:
        asked.append(shown.head().entries)
        if len(asked) < 3:
            by_hand(url, KILL_OTHERS)
        return [draft(n) for n in range(len(list(shown.entries())))]

    with open_ledger(url, clock=utc_now) as ledger:
        by_hand(url, KILL_OTHERS)
        assert [entry.seq for entry in ledger.append(decide)] == [6, 7, 8, 9, 10]
        assert asked == [5, 5, 5]
        assert ledger.verify() is None


def test_a_writer_whose_connection_is_always_lost_says_so(url: str, hasty: None) -> None:
    def decide(_: Ledger) -> list[Draft]:
        by_hand(url, KILL_OTHERS)
        return [draft(6)]

    with open_ledger(url, clock=utc_now) as ledger:
        with pytest.raises(LedgerConnectionError, match=r"no connection to the server.*; nothing was written"):
            ledger.append(decide)
        assert ledger.head().entries == 5


def test_a_refusal_passes_through_a_lost_connection(url: str) -> None:
    def decide(_: Ledger) -> list[Draft]:
        by_hand(url, KILL_OTHERS)
        raise RefusedError

    with open_ledger(url, clock=utc_now) as ledger:
        with pytest.raises(RefusedError):
            ledger.append(decide)
        assert ledger.head().entries == 5


def test_a_copy_whose_connection_was_lost_is_not_begun_again(url: str) -> None:
    copy = MemoryLedger(utc_now)

    def failing(ledger: Ledger) -> Any:
        copy.restore(ledger.entries())
        by_hand(url, KILL_OTHERS)
        return record(copy, draft(6), draft(7))

    with open_ledger(url, clock=utc_now) as ledger:
        with pytest.raises(LedgerConnectionError, match="nothing was written"):
            ledger.restore(entry for _ in [0] for entry in failing(ledger))
        assert ledger.head().entries == 5
        assert ledger.restore(copy.entries(after=5)) == copy.head()


class LosesCommit(PostgresLedger):
    """A ledger whose connection breaks at its first commit: before the server hears of it, or after it has done it."""

    is_heard = True
    before_looking: Callable[[], object] = staticmethod(lambda: None)

    def _run(self, statement: str, values: Any = None) -> list[Any]:
        if statement == "COMMIT" and not hasattr(self, "lost"):
            self.lost = True
            if self.is_heard:
                super()._run(statement)
            by_hand(self.address.url, KILL_OTHERS)
            self.before_looking()
            return super()._run("SELECT 1")
        return super()._run(statement, values)


@pytest.mark.parametrize("is_heard", [True, False])
def test_a_commit_whose_answer_was_lost_is_written_once(
    url: str, is_heard: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_postgres, "PAUSES", (0.0, 0.0))
    asked = []
    with open_ledger(url, clock=utc_now) as opened:
        ledger = LosesCommit(opened._connection, opened.address, clock=utc_now)
        ledger.is_heard = is_heard
        batch = ledger.append(lambda shown: asked.append(shown.head().entries) or [draft(6), draft(7)])  # type: ignore[func-returns-value]
        assert asked == ([5] if is_heard else [5, 5])
        assert batch == list(ledger.entries(after=5))
        assert [entry.payload["n"] for entry in batch] == [6, 7]
        assert ledger.verify() is None
        ledger.close()


def test_a_commit_whose_answer_was_lost_for_good_is_told_as_uncertain(
    server: Server, hasty: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.new_database()
    with create_ledger(url, clock=utc_now) as opened:
        ledger = LosesCommit(opened._connection, opened.address, clock=utc_now)
        name = url_name(url)
        closed = f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"
        ledger.before_looking = lambda: by_hand(server.url(), closed)
        with pytest.raises(LedgerUncertainError, match="whether it did is not known; look with forecast evidence"):
            record(ledger, draft())
        ledger.close()


WRITER = """
import sys
from indicators.clock import utc_now
from indicators.entry import Draft
from indicators.ledger_postgres import open_ledger

drafts = [Draft(author="ana", study="s", kind="evidence", payload={"text": "x" * 3000})] * 3
ledger = open_ledger(sys.argv[1], clock=utc_now)
while True:
    print(*(entry.id for entry in ledger.append(lambda _: drafts)), flush=True)
"""


def test_a_killed_writer_loses_nothing_that_it_acknowledged(url: str) -> None:
    acknowledged = 5
    for batches in (1, 4, 11):
        with subprocess.Popen([sys.executable, "-c", WRITER, url], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for _ in range(batches):
                acknowledged = int(writer.stdout.readline().split()[-1][1:])
            writer.send_signal(signal.SIGKILL)
            for line in writer.stdout:
                acknowledged = int(line.split()[-1][1:])
        with open_ledger(url, clock=utc_now) as ledger:
            [after] = record(ledger, draft())
            assert after.seq in (acknowledged + 1, acknowledged + 4)
            assert ledger.verify() is None
            acknowledged = after.seq


def test_a_server_that_crashes_loses_nothing_that_was_acknowledged_and_its_writers_go_on() -> None:
    with temporary_server() as own:
        url = own.new_database()
        with create_ledger(url, clock=utc_now) as ledger:
            record(ledger, draft())
            with subprocess.Popen([sys.executable, "-c", WRITER, url], stdout=subprocess.PIPE, text=True) as writer:
                assert writer.stdout is not None
                acknowledged = []
                for _ in range(3):
                    acknowledged += [writer.stdout.readline().split() for _ in range(3)]
                    own.stop("immediate")
                    own.start()
                    acknowledged += [writer.stdout.readline().split() for _ in range(3)]
                writer.send_signal(signal.SIGKILL)
                acknowledged += [line.split() for line in writer.stdout]
            ids = [name for line in acknowledged for name in line]
            entries = [entry.id for entry in ledger.entries()]
            assert ledger.verify() is None
        assert len(ids) == len(set(ids)) and set(ids) <= set(entries)
        assert entries[: len(ids) + 1] == ["e1", *ids]


# Damage


def long_ledger(url: str) -> list[Entry]:
    """A ledger of many pages."""
    with create_ledger(url, clock=clock_at(*range(400))) as ledger:
        return record(ledger, *[draft(n, payload={"n": n, "text": "x" * 200}) for n in range(1, 701)])


def test_an_unreadable_page_is_named_by_the_first_entry_on_it() -> None:
    with temporary_server() as own:
        url = own.new_database()
        entries = long_ledger(url)
        [(name, page)] = by_hand(
            url, "SELECT pg_relation_filepath('entry'), (ctid::text::point)[0]::int FROM entry WHERE seq = 650"
        )
        [(first,)] = by_hand(url, f"SELECT min(seq) FROM entry WHERE (ctid::text::point)[0]::int = {page}")
        own.stop("fast")
        with (own.data / str(name)).open("r+b") as file:
            file.seek(int(str(page)) * 8192 + 4096)
            file.write(b"\xff" * 64)
        own.start()
        with open_ledger(url, clock=utc_now) as ledger:
            fault = ledger.verify()
            assert fault is not None
            assert fault.seq == first
            assert fault.what == "it cannot be read; the server finds its file damaged"
            read: list[Entry] = []
            with pytest.raises(LedgerError, match="the server finds the ledger's files damaged"):
                read.extend(iter(ledger.entries()))
            assert read == entries[: fault.seq - 1]


# Passwords


@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize(
    "form",
    [
        "postgresql://ana:KANARIA@127.0.0.1:1/team?connect_timeout=2",
        "postgresql://ana:KANARIA@127.0.0.1:KANARIA/team",
        "postgresql://ana:KANARIA@/none?host={socket}",
        "postgresql://postgres:KANARIA@/KANARIA?host={socket}",
        "postgresql://nobody:KANARIA@/postgres?host={socket}",
        "postgresql:///postgres?host={socket}&user=postgres&password=KANARIA&port=x",
        "postgresql://ana:KAN/ARIA@127.0.0.1:1/team",
        "postgresql://ana:KANARIA@@127.0.0.1:1/team?connect_timeout=2",
        "postgresql://ana:KANARIA%zz@127.0.0.1:1/team",
        "postgresql://ana:KANARIA@[127.0.0.1/team",
        "postgresql://ana:KANARIA@127.0.0.1:1/team?KANARIA=1",
        "postgresql://locked:KANARIA@/postgres?host={socket}",
    ],
)
def test_no_message_shows_the_password(server: Server, database: str, opener: Opener, form: str) -> None:
    with pytest.raises(LedgerError) as caught:
        opener(form.format(socket=server.socket), clock=utc_now)
    # The name of a database is shown, whatever it is.
    said = (str(caught.value) + repr(caught.value)).replace("postgres@/KANARIA:", "")
    assert "ARIA" not in said
    assert caught.value.__suppress_context__


def test_no_failure_of_an_open_ledger_shows_the_password(url: str, hasty: None) -> None:
    with open_ledger(url.replace("postgres@", "postgres:KANARIA@"), clock=utc_now) as ledger:
        assert "KANARIA" not in repr(ledger) + repr(ledger.address)
        by_hand(url, "DROP TABLE entry")
        with pytest.raises(LedgerAlteredError) as caught:
            record(ledger, draft(6))
        assert "KANARIA" not in str(caught.value) + repr(caught.value)
        assert caught.value.__suppress_context__


def test_a_wrong_password_is_told(server: Server, database: str) -> None:
    rules = server.data / "pg_hba.conf"
    before = rules.read_text()
    if not by_hand(database, "SELECT 1 FROM pg_roles WHERE rolname = 'locked'"):
        by_hand(database, "CREATE ROLE locked LOGIN PASSWORD 'KANARIA'")
    try:
        rules.write_text(f"local all locked scram-sha-256\n{before}")
        by_hand(database, "SELECT pg_reload_conf()")
        address = server.url(user="locked")
        for url in (address, address.replace("locked@", "locked:HUSH@")):
            with pytest.raises(LedgerConnectionError, match=r"password") as caught:
                open_ledger(url, clock=utc_now)
            assert "HUSH" not in str(caught.value)
        with pytest.raises(LedgerMissingError):
            open_ledger(address.replace("locked@", "locked:KANARIA@"), clock=utc_now)
    finally:
        rules.write_text(before)
        by_hand(database, "SELECT pg_reload_conf()")
