"""Accounts and blind rounds in a ledger's PostgreSQL database; who has which rights; a connection that is lost."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from indicators import ledger_postgres, postgres_schema
from indicators.accounts import Accounts, Hashing
from indicators.accounts_postgres import ACCOUNTS_KEY, AccountsAccessError, AccountsUncertainError
from indicators.address import DatabaseAddress
from indicators.clock import utc_now
from indicators.ledger import LedgerError
from indicators.ledger_postgres import LOCK_KEY, LedgerConnectionError, LedgerVersionError, create_ledger, open_ledger
from indicators.opening import open_accounts
from tests.account_contracts import CHEAP, ROWS, SECRET, AccountsContract, asked, minutes, with_people
from tests.contracts import draft, five_entries, record
from tests.postgres import Server, by_hand

TABLES = ("account", "round", "judgement")


@pytest.fixture
def url(database: str) -> str:
    """A database with a ledger of five entries."""
    with create_ledger(database, clock=utc_now) as ledger:
        five_entries(ledger)
    return database


def opened(url: str, hashing: Hashing = CHEAP) -> Accounts:
    return open_accounts(DatabaseAddress(url), clock=minutes(), hashing=hashing)


@pytest.fixture(scope="module")
def kept(server: Server) -> str:
    """A database with a ledger that is made once, as making one takes its time."""
    url = server.new_database()
    create_ledger(url, clock=utc_now).close()
    return url


class TestPostgres(AccountsContract):
    """The contract, kept in a database."""

    @pytest.fixture
    def place(self, kept: str) -> str:
        by_hand(kept, "TRUNCATE account, round, judgement")
        return kept

    def open(self, place: Any, hashing: Hashing) -> Accounts:
        return opened(place, hashing)

    def by_hand(self, place: Any, statement: str) -> list[tuple[Any, ...]]:
        return by_hand(place, statement)


def test_an_older_ledger_gets_the_tables_by_being_made_anew(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as older:
        older.setattr(ledger_postgres, "SCHEMA_STEPS", postgres_schema.SCHEMA_STEPS[:1])
        with create_ledger(database, clock=utc_now) as ledger:
            five_entries(ledger)
            head = ledger.head()
    with pytest.raises(LedgerVersionError, match=r"an older watchfloor.*have its owner run forecast init"):
        opened(database)
    with create_ledger(database, clock=utc_now) as ledger, opened(database) as accounts:
        with_people(accounts, lee="lead")
        assert ledger.head() == head
        assert ledger.verify() is None


def test_a_new_ledger_holds_with_accounts_in_it(url: str) -> None:
    with open_ledger(url, clock=utc_now) as ledger, opened(url) as accounts:
        head = ledger.head()
        with_people(accounts, lee="lead", ana="analyst")
        accounts.give(asked(accounts, ["ana"]), "ana", ROWS)
        assert ledger.head() == head
        assert ledger.verify() is None


@pytest.mark.parametrize(
    ("statement", "phrase"),
    [
        ("DROP INDEX round_open_on_indicator", 'the index "round_open_on_indicator" is missing'),
        ("ALTER TABLE account DROP CONSTRAINT account_folded_key", 'the constraint "account_folded_key" is missing'),
        ("ALTER TABLE judgement ALTER given SET DEFAULT '{}'", 'the column "judgement.given" is not as it was made'),
        ("ALTER TABLE account ADD COLUMN hint text", "that a ledger does not have"),
        ("CREATE POLICY mine ON account", "that a ledger does not have"),
    ],
)
def test_verify_finds_altered_tables(url: str, statement: str, phrase: str) -> None:
    by_hand(url, statement)
    with open_ledger(url, clock=utc_now) as ledger:
        fault = ledger.verify()
    assert fault is not None and phrase in str(fault)


def role(server: Server, url: str, name: str, *grants: str) -> str:
    """The URL of a role with some rights and no others."""
    if not by_hand(url, f"SELECT 1 FROM pg_roles WHERE rolname = '{name}'"):
        by_hand(url, f"CREATE ROLE {name} LOGIN")
    by_hand(url, f"GRANT USAGE ON SCHEMA watchfloor TO {name}", *(f"GRANT {grant} TO {name}" for grant in grants))
    return server.url(user=name)


def writer(server: Server, url: str) -> str:
    return role(server, url, "accounts_writer", "SELECT ON entry, schema_step", "INSERT ON entry")


def desk(server: Server, url: str) -> str:
    rights = "SELECT, INSERT, UPDATE ON account, round, judgement"
    return role(server, url, "accounts_desk", "SELECT ON entry, schema_step", "INSERT ON entry", rights)


def test_a_writer_of_the_ledger_sees_no_hash_and_no_blind_row(server: Server, url: str) -> None:
    as_writer = writer(server, url)
    with open_ledger(as_writer, clock=utc_now) as ledger:
        record(ledger, draft(6))
        assert ledger.verify() is None
    for table in TABLES:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            by_hand(as_writer, f"SELECT * FROM {table}")
    with opened(as_writer) as accounts:
        for attempt in (
            accounts.accounts,
            lambda: accounts.checked("ana", SECRET),
            lambda: accounts.add("ana", "lead", SECRET),
            lambda: accounts.judgements(1),
        ):
            with pytest.raises(AccountsAccessError, match="no right to the accounts here; nothing was written"):
                attempt()


def test_the_role_that_serves_pages_does_everything_and_removes_nothing(server: Server, url: str) -> None:
    as_desk = desk(server, url)
    with opened(as_desk) as accounts:
        with_people(accounts, lee="lead", ana="analyst")
        accounts.give(asked(accounts, ["ana", "lee"]), "ana", ROWS)
        assert accounts.close_round(1, "lee") == ["lee"]
        accounts.close_account("ana")
        assert accounts.checked("lee", SECRET) is not None
    for table in TABLES:
        for statement in (f"DELETE FROM {table}", f"TRUNCATE {table}"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                by_hand(as_desk, statement)


def test_nobody_waits_for_a_long_import_to_sign_in(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_postgres, "LOCK_SECONDS", 0.001)
    assert ACCOUNTS_KEY != LOCK_KEY
    with psycopg.connect(url) as other, opened(url) as accounts:
        other.execute(f"SELECT pg_advisory_xact_lock({LOCK_KEY})")
        with_people(accounts, lee="lead")
        assert accounts.checked("lee", SECRET) is not None
        other.execute(f"SELECT pg_advisory_xact_lock({ACCOUNTS_KEY})")
        with pytest.raises(LedgerError, match="locked by another writer"):
            accounts.set_role("lee", "lead")
        assert accounts.checked("lee", SECRET) is not None


def cut(url: str) -> None:
    """End every other connection to the database."""
    by_hand(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'watchfloor'")


def test_a_lost_connection_is_made_anew(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_postgres, "PAUSES", (0.0, 0.0))
    with opened(url) as accounts:
        with_people(accounts, lee="lead")
        cut(url)
        assert [account.name for account in accounts.accounts()] == ["lee"]
        cut(url)
        accounts.add("ana", "analyst", SECRET)
        assert [account.name for account in accounts.accounts()] == ["ana", "lee"]


def losing_commit(run: Callable[..., Any], *, is_kept: bool) -> Callable[..., Any]:
    """A way to run statements on which the connection is lost at the commit, before or after the server had it."""

    def lossy(self: Any, statement: str, values: Any = None) -> Any:
        if statement == "COMMIT":
            if is_kept:
                run(self, statement)
            self._connection.close()
            raise LedgerConnectionError(self.address)
        return run(self, statement, values)

    return lossy


@pytest.mark.parametrize("is_kept", [True, False])
def test_what_was_lost_at_the_very_end_is_not_done_twice(
    url: str, monkeypatch: pytest.MonkeyPatch, is_kept: bool
) -> None:
    with opened(url) as accounts:
        with monkeypatch.context() as lost:
            run = losing_commit(ledger_postgres.PostgresLedger._run, is_kept=is_kept)
            lost.setattr(ledger_postgres.PostgresLedger, "_run", run)
            with pytest.raises(AccountsUncertainError, match="look with forecast account list"):
                accounts.add("lee", "lead", SECRET)
        assert [account.name for account in accounts.accounts()] == (["lee"] if is_kept else [])
