"""Accounts and blind rounds in a ledger's SQLite file.

Whoever may read the file may read the tables: hashes of passwords, and rows of a round that is still blind. Blindness
holds for those who come through this program; the file belongs to whoever runs it for them.
"""

from __future__ import annotations

from pathlib import Path

from indicators.accounts import Hashing
from indicators.accounts_sql import SqlAccounts
from indicators.ledger import Clock
from indicators.ledger_sqlite import open_ledger

__all__ = ["open_accounts"]


def open_accounts(path: Path, *, hashing: Hashing, clock: Clock) -> SqlAccounts:
    """The accounts in the file of a ledger; for the thread that opens them.

    Raises
    ------
    SqliteLedgerError
        As `indicators.ledger_sqlite.open_ledger`.
    """
    return SqlAccounts(open_ledger(path, clock=clock), hashing=hashing, clock=clock)
