"""Opening and making the ledger at an address, with the driver that it needs and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indicators.address import Address, DatabaseAddress
from indicators.errors import WatchfloorError
from indicators.ledger import Clock, Ledger

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["DriverMissingError", "create_ledger", "open_ledger"]


class DriverMissingError(WatchfloorError):
    """A PostgreSQL ledger, where the driver for it is not installed."""

    def __init__(self, address: DatabaseAddress) -> None:
        what = "the driver for PostgreSQL (psycopg 3) is not installed, or finds no libpq"
        super().__init__(what, where=str(address), mend="install it with pip install 'watchfloor[postgres]'")


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
    if isinstance(address, DatabaseAddress):
        return _postgres(address).open_ledger(address.url, clock=clock)
    from indicators import ledger_sqlite

    return ledger_sqlite.open_ledger(address, clock=clock)


def create_ledger(address: Address, *, clock: Clock) -> Ledger:
    """A new ledger; or the one that is there already, brought up to the newest schema. Raises as `open_ledger`."""
    if isinstance(address, DatabaseAddress):
        return _postgres(address).create_ledger(address.url, clock=clock)
    from indicators import ledger_sqlite

    return ledger_sqlite.create_ledger(address, clock=clock)


def _postgres(address: DatabaseAddress) -> ModuleType:
    try:
        from indicators import ledger_postgres
    except ImportError:
        raise DriverMissingError(address) from None
    return ledger_postgres
