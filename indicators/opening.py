"""Opening and making the ledger at an address, and the accounts beside it, with the driver needed and no other."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from indicators.accounts import Accounts, Hashing
from indicators.address import Address, DatabaseAddress
from indicators.errors import WatchfloorError
from indicators.ledger import Clock, Ledger

__all__ = [
    "DriverMissingError",
    "HashingMissingError",
    "create_ledger",
    "open_accounts",
    "open_ledger",
    "open_or_create_ledger",
    "refuse_other",
]


class DriverMissingError(WatchfloorError):
    """A PostgreSQL ledger, where the driver for it is not installed."""

    def __init__(self, address: DatabaseAddress) -> None:
        what = "the driver for PostgreSQL (psycopg 3) is not installed, or finds no libpq"
        super().__init__(what, where=str(address), mend="install it with pip install 'watchfloor[postgres]'")


class HashingMissingError(WatchfloorError):
    """Accounts, where what hashes passwords is not installed."""

    def __init__(self) -> None:
        what = "what hashes passwords (argon2-cffi) is not installed"
        super().__init__(what, where="accounts", mend="install it with pip install 'watchfloor[web]'")


def open_ledger(address: Address, *, clock: Clock) -> Ledger:
    """The ledger that is there.

    Parameters
    ----------
    address : Path or DatabaseAddress
    clock : callable
        The present moment, aware; read once for each batch.

    Raises
    ------
    DriverMissingError
        It is in PostgreSQL, and the extra for it is not installed.
    LedgerError
        There is none, or it cannot be opened; its subclass says why.
    """
    room, name = _room(address)
    ledger: Ledger = room.open_ledger(name, clock=clock)
    return ledger


def create_ledger(address: Address, *, clock: Clock) -> Ledger:
    """A new ledger; or the one that is there already, brought up to the newest schema. Raises as `open_ledger`."""
    room, name = _room(address)
    ledger: Ledger = room.create_ledger(name, clock=clock)
    return ledger


def open_or_create_ledger(address: Address, *, clock: Clock) -> tuple[Ledger, bool]:
    """The ledger that is there, or a new one; and whether it is new. Raises as `open_ledger`."""
    room, _ = _room(address)
    try:
        return open_ledger(address, clock=clock), False
    except room.LedgerMissingError:
        return create_ledger(address, clock=clock), True


def open_accounts(address: Address, *, clock: Clock, hashing: Hashing | None = None) -> Accounts:
    """The accounts in the database of the ledger that is there, over a connection of their own.

    Parameters
    ----------
    address : Path or DatabaseAddress
    clock : callable
        The present moment, aware.
    hashing : Hashing, optional
        Of passwords; as a rule Argon2id with the parameters of RFC 9106.

    Raises
    ------
    HashingMissingError
        The extra for it is not installed.
    DriverMissingError, LedgerError
        As `open_ledger`.
    """
    hashing = hashing or _hashing()
    if isinstance(address, Path):
        from indicators import accounts_sqlite

        return accounts_sqlite.open_accounts(address, hashing=hashing, clock=clock)
    try:
        from indicators import accounts_postgres
    except ImportError:
        raise DriverMissingError(address) from None
    return accounts_postgres.open_accounts(address.url, hashing=hashing, clock=clock)


def refuse_other(address: Address, *, clock: Clock) -> None:
    """Raise what `create_ledger` would raise of something else that is there already, and make nothing."""
    room, _ = _room(address)
    # A new ledger may take the place of an empty file, and an older one is brought up to date.
    if isinstance(address, Path) and address.is_file() and not address.stat().st_size:
        return
    with suppress(room.LedgerMissingError, room.LedgerVersionError):
        open_ledger(address, clock=clock).close()


def _room(address: Address) -> tuple[Any, str | Path]:
    """The room that knows the driver, and the name that it takes; both rooms have the same names in them."""
    if isinstance(address, Path):
        from indicators import ledger_sqlite

        return ledger_sqlite, address
    try:
        from indicators import ledger_postgres
    except ImportError:
        raise DriverMissingError(address) from None
    return ledger_postgres, address.url


def _hashing() -> Hashing:
    try:
        from indicators.password import Argon2id
    except ImportError:
        raise HashingMissingError from None
    return Argon2id()
