"""The ledger in PostgreSQL: the contract, and what a server, other programs and other roles may do to it."""

from collections.abc import Sequence
from pathlib import Path

import psycopg
import pytest

from indicators.ledger import Clock, Ledger
from indicators.ledger_postgres import PostgresLedger, create_ledger, open_ledger
from tests.contracts import SqlLedgerContract
from tests.postgres import Server

CHECKS = "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'entry'::regclass AND contype = 'c'"


def by_hand(url: str, *statements: str) -> list[tuple[object, ...]]:
    """What the last of some statements gives when another program runs them, in the ledger's schema."""
    with psycopg.connect(url, autocommit=True, options="-c search_path=watchfloor") as connection:
        rows: list[tuple[object, ...]] = []
        for statement in statements:
            cursor = connection.execute(statement.encode())
            rows = cursor.fetchall() if cursor.description else []
        return rows


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
