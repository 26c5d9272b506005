"""Processes that write to a ledger, one entry after the other, and hand on what they were told is written.

They come from a process that has everything loaded and forks, so that hundreds of them can be started and killed. What
one hands on goes through a pipe of its own, in messages that are there whole or not at all when it is killed.
"""

from __future__ import annotations

import itertools
import multiprocessing
import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any

from indicators.address import address_of
from indicators.clock import utc_now
from indicators.entry import Draft, Entry
from indicators.ledger import Ledger
from indicators.opening import open_ledger

__all__ = ["Writer", "assert_nothing_is_lost", "killed_at_random", "written_by_all"]

_programs = multiprocessing.get_context("forkserver")
_programs.set_forkserver_preload(["tests.faults.writers", "indicators.ledger_sqlite", "indicators.ledger_postgres"])

LONGEST_SECONDS = 0.006
"""Of the time between what a writer handed on last and its end: a few times what an append takes."""


def write(ledger_name: str, writer: str, count: int | None, told: Connection) -> None:
    """Append so many entries, or without end; each says how many came before it, and how many of this writer."""
    with open_ledger(address_of(ledger_name), clock=utc_now) as ledger:
        for n in itertools.count() if count is None else range(count):
            [entry] = ledger.append(lambda shown, n=n: [numbered(writer, n, shown)])  # type: ignore[misc]
            told.send((entry.seq, entry.hash))


def numbered(writer: str, n: int, shown: Ledger) -> Draft:
    """The n-th entry of a writer."""
    payload = {"n": n, "before": shown.head().entries, "text": "x" * (n % 7 * 1000)}
    return Draft(author=writer, study="s", kind="evidence", payload=payload)


@dataclass
class Writer:
    """One process that writes.

    Attributes
    ----------
    told : list of (position, hash)
        What it was told is written, as far as it was received.
    """

    ledger_name: str
    name: str
    count: int | None = None
    told: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._tells, end = _programs.Pipe(duplex=False)
        arguments = (self.ledger_name, self.name, self.count, end)
        self._process = _programs.Process(target=write, args=arguments, daemon=True)
        self._process.start()
        end.close()

    @staticmethod
    def heard_now(writers: Sequence[Writer]) -> list[Writer]:
        """Wait until one of them has something to hand on; those that have."""
        ready = wait([writer._tells for writer in writers])
        return [writer for writer in writers if writer._tells in ready]

    def hear(self, most: int) -> None:
        """Wait for what it hands on, so many times."""
        self.told += (self._tells.recv() for _ in range(most))

    def hear_for(self, seconds: float) -> None:
        """Take what it hands on in this time."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self._tells.poll(left):
                self.told.append(self._tells.recv())

    def kill(self) -> None:
        """End it as a cut of its power would, and take what it had handed on."""
        self._process.kill()
        self.end()

    def end(self) -> int | None:
        """Take everything that it hands on until it ends; its exit code."""
        try:
            while True:
                self.told.append(self._tells.recv())
        except (EOFError, ConnectionResetError):
            self._tells.close()
        self._process.join()
        return self._process.exitcode


def written_by_all(ledger_name: str, *, writers: int, each: int) -> list[Writer]:
    """What several writers do at once, to the end."""
    started = [Writer(ledger_name, f"w{n}", each) for n in range(writers)]
    assert [writer.end() for writer in started] == [0] * writers
    return started


def killed_at_random(ledger_name: str, *, writers: int, kills: int, seed: int) -> list[Writer]:
    """What several writers do at once while one after the other is killed at some moment and replaced."""
    rng, names = random.Random(seed), (f"w{n}" for n in itertools.count())
    at_work = [Writer(ledger_name, next(names)) for _ in range(writers)]
    ended = []
    for _ in range(kills):
        # One that has the lock now, not one that waits for it: it is to be killed while it writes.
        chosen = at_work.index(rng.choice(Writer.heard_now(at_work)))
        at_work[chosen].hear(1 + rng.randrange(3))
        at_work[chosen].hear_for(rng.uniform(0, LONGEST_SECONDS))
        at_work[chosen].kill()
        ended.append(at_work[chosen])
        at_work[chosen] = Writer(ledger_name, next(names))
    for writer in at_work:
        writer.kill()
    return ended + at_work


def assert_nothing_is_lost(ledger: Ledger, writers: Sequence[Writer]) -> int:
    """Hold a ledger against what its writers were told; how many entries were kept of which nobody was told."""
    entries = list(ledger.entries())
    assert ledger.verify() is None
    assert [entry.payload["before"] for entry in entries] == [entry.seq - 1 for entry in entries]
    for writer in writers:
        for seq, own_hash in writer.told:
            assert entries[seq - 1].hash == own_hash, f"entry {seq} of {writer.name} is lost"
    untold = 0
    for writer in writers:
        numbers = of_writer(entries, writer.name)
        assert numbers == list(range(len(numbers))), f"{writer.name}: {numbers}"
        assert len(numbers) - len(writer.told) in (0, 1)
        untold += len(numbers) - len(writer.told)
    assert len(entries) == sum(len(writer.told) for writer in writers) + untold
    return untold


def of_writer(entries: Iterable[Entry], name: str) -> list[Any]:
    """What a writer's entries say of their number, in the ledger's order."""
    return [entry.payload["n"] for entry in entries if entry.author == name]
