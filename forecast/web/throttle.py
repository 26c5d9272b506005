"""How often somebody may try within a span, and how much they may have in hand at once; all counted by name."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

__all__ = ["InHand", "InLine", "Throttle", "TooMuchInHandError"]

MOST_NAMES = 10_000


class Throttle:
    """Counts tries by name; safe to use from several threads.

    Parameters
    ----------
    most : int
        Tries that are allowed.
    within : timedelta
        The span they are counted over; it moves with the present.
    """

    def __init__(self, *, most: int, within: timedelta) -> None:
        self._most, self._within = most, within
        self._lock = threading.Lock()
        self._tries: dict[str, deque[datetime]] = {}

    def allows(self, name: str, now: datetime) -> bool:
        """Whether one more try is allowed; it is counted where it is."""
        with self._lock:
            if len(self._tries) > MOST_NAMES:
                self._tries = {key: t for key, t in self._tries.items() if t and now - t[-1] < self._within}
            tries = self._tries.setdefault(name, deque())
            while tries and now - tries[0] >= self._within:
                tries.popleft()
            if len(tries) >= self._most:
                return False
            tries.append(now)
            return True

    def give_back(self, name: str) -> None:
        """Not count the last try, which turned out to be none of those that this is against."""
        with self._lock:
            if tries := self._tries.get(name):
                tries.pop()

    def forget(self, name: str) -> None:
        """Start counting anew for a name, as after a try that succeeded."""
        with self._lock:
            self._tries.pop(name, None)


class TooMuchInHandError(Exception):
    """Somebody asked for more while all that they may have at once is being made."""


class InHand:
    """Counts what is being done for each name; safe to use from several threads.

    Parameters
    ----------
    most : int
        Things at once for one name.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    @contextmanager
    def one_more(self, name: str) -> Iterator[None]:
        """While the block runs, one more is in hand.

        Raises
        ------
        TooMuchInHandError
            As many as there may be are, already.
        """
        with self._lock:
            if self._counts[name] >= self._most:
                raise TooMuchInHandError
            self._counts[name] += 1
        try:
            yield
        finally:
            with self._lock:
                self._counts[name] -= 1
                if not self._counts[name]:
                    del self._counts[name]


class InLine:
    """At most so many things at once for each name; whoever wants more waits, and holds no thread meanwhile.

    Parameters
    ----------
    most : int
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lines: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Semaphore]] = WeakKeyDictionary()

    def of(self, name: str) -> asyncio.Semaphore:
        """What is to be held while something is done for a name."""
        lines = self._lines.setdefault(asyncio.get_running_loop(), {})
        return lines.setdefault(name, asyncio.Semaphore(self._most))
