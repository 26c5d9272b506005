"""One ledger for all threads of a server: each thread has a connection of its own, opened when it first needs one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from indicators.entry import Entry
from indicators.errors import WatchfloorError
from indicators.ledger import ChainFault, Decide, Head, Ledger, LedgerError

__all__ = ["SharedLedger"]


class SharedLedger(Ledger):
    """The ledger that `opened` opens, once for each thread.

    A connection that failed is let go of, so that a database that comes back is found again.

    Parameters
    ----------
    opened : callable
        Opens the ledger; its connection is used by the calling thread alone.
    """

    def __init__(self, opened: Callable[[], Ledger]) -> None:
        self._opened = opened
        self._own = threading.local()

    def append(self, decide: Decide) -> list[Entry]:
        """See `Ledger.append`."""
        with self._ledger() as ledger:
            return ledger.append(decide)

    def restore(self, entries: Iterable[Entry]) -> Head:
        """See `Ledger.restore`."""
        with self._ledger() as ledger:
            return ledger.restore(entries)

    def entries(self, *, study: str | None = None, until: datetime | None = None, after: int = 0) -> Iterator[Entry]:
        """See `Ledger.entries`."""
        with self._ledger() as ledger:
            yield from ledger.entries(study=study, until=until, after=after)

    def studies(self, *, until: datetime | None = None) -> list[str]:
        """See `Ledger.studies`."""
        with self._ledger() as ledger:
            return ledger.studies(until=until)

    def head(self, *, until: datetime | None = None) -> Head:
        """See `Ledger.head`."""
        with self._ledger() as ledger:
            return ledger.head(until=until)

    def verify(self) -> ChainFault | None:
        """See `Ledger.verify`."""
        with self._ledger() as ledger:
            return ledger.verify()

    def close(self) -> None:
        """Let go of this thread's connection; those of other threads end with them."""
        held: _Held | None = getattr(self._own, "held", None)
        self._own.held = None
        if held is not None:
            held.ledger.close()

    @contextmanager
    def _ledger(self) -> Iterator[Ledger]:
        if getattr(self._own, "held", None) is None:
            self._own.held = _Held(self._opened())
        try:
            yield self._own.held.ledger
        except LedgerError:
            with suppress(WatchfloorError):
                self.close()
            raise


class _Held:
    """A thread's ledger, closed when the thread ends and lets go of it."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def __del__(self) -> None:
        with suppress(Exception):  # nobody is left to be told
            self.ledger.close()
