"""How long a client may take over a request: those who never come to its end are let go of, so that others find room.

Bodies that a page reads have a limit of their own (`guard`); this is for what no page ever sees, such as headers that
do not end, and connections on which nothing is asked.
"""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["SLOWEST_REQUEST", "TimedRequests"]

SLOWEST_REQUEST = 40.0
"""In seconds, from when somebody connects, or from the first byte of a further request, to its last byte."""


class TimedRequests(H11Protocol):
    """A connection that is closed where a request on it does not come to its end in time."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        self._time()

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        super().data_received(data)
        self._time()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        super().connection_lost(exc)
        self._stop()

    def _time(self) -> None:
        is_due = self.conn.their_state in (h11.IDLE, h11.SEND_BODY)
        if not is_due:
            self._stop()
        elif self._late is None:
            self._late = self.loop.call_later(SLOWEST_REQUEST, self.transport.close)

    def _stop(self) -> None:
        if self._late is not None:
            self._late.cancel()
        self._late = None
