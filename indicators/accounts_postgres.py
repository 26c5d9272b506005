"""Accounts and blind rounds in a ledger's PostgreSQL database.

Only the role that the pages are served with needs rights on the tables: whoever may read them may read hashes of
passwords, and rows of a round that is still blind. Writers here take turns under a lock of their own, so that nobody
waits for a long import to sign in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, TypeVar

from indicators.accounts import Hashing
from indicators.accounts_sql import SqlAccounts
from indicators.ledger import Clock
from indicators.ledger_postgres import (
    LOCK_KEY,
    LedgerAccessError,
    LedgerUncertainError,
    PostgresLedger,
    PostgresLedgerError,
    open_ledger,
)

__all__ = ["AccountsAccessError", "AccountsUncertainError", "open_accounts"]

ACCOUNTS_KEY = LOCK_KEY + 1
"""The advisory lock of whoever writes to these tables."""

Row = tuple[Any, ...]
T = TypeVar("T")

_TABLE = re.compile(r"\b(FROM|INTO|UPDATE) (account|round|judgement)\b")
_VALUE = re.compile(r":(\w+)")


class AccountsAccessError(PostgresLedgerError):
    """The role lacks a right on the tables of accounts, as every reader and writer of the ledger does."""

    WHAT = "your role has no right to the accounts here; nothing was written"
    MEND = "ask the ledger's owner for the rights of the role that serves pages (docs/postgresql.md)"


class AccountsUncertainError(PostgresLedgerError):
    """The connection was lost at the very end of a change."""

    WHAT = "the connection was lost while the server was writing; whether it did is not known"
    MEND = "look with forecast account list, or at the round, once the server is back, before you try again"


def open_accounts(url: str, *, hashing: Hashing, clock: Clock) -> SqlAccounts:
    """The accounts in the database of a ledger; for the thread that opens them.

    Raises
    ------
    PostgresLedgerError
        As `indicators.ledger_postgres.open_ledger`.
    """
    return SqlAccounts(_PostgresTables(open_ledger(url, clock=clock)), hashing=hashing, clock=clock)


class _PostgresTables:
    """See `indicators.accounts_sql.Tables`."""

    def __init__(self, ledger: PostgresLedger) -> None:
        self._ledger = ledger

    def query(self, statement: str, values: Mapping[str, object]) -> list[Row]:
        """See `Tables.query`."""
        with self._in_our_words():
            return self._ledger.query(_in_its_words(statement), values)

    def transact(self, work: Callable[[], T]) -> T:
        """See `Tables.transact`."""
        with self._in_our_words():
            return self._ledger.transact(work, key=ACCOUNTS_KEY)

    def close(self) -> None:
        """See `Tables.close`."""
        self._ledger.close()

    @contextmanager
    def _in_our_words(self) -> Iterator[None]:
        try:
            yield
        except LedgerAccessError:
            raise AccountsAccessError(self._ledger.address) from None
        except LedgerUncertainError:
            raise AccountsUncertainError(self._ledger.address) from None


@lru_cache
def _in_its_words(statement: str) -> str:
    """The statement with the schema before each table, and its values named as the driver wants them."""
    return _VALUE.sub(r"%(\1)s", _TABLE.sub(r"\1 watchfloor.\2", statement))
