"""What any ledger promises: append a batch, read in order, say its head, verify; with the one kept in memory.

The promise is narrow on purpose (a database behind it learns nothing of studies or reports):

1. `append` seals a batch at the end, all of it or nothing, and returns it only once it is durable.
2. Positions run 1, 2, 3, ... without a gap; each entry's `prev` is the hash of the entry before.
3. `recorded_at` is the ledger's own UTC clock, equal within a batch and later than every earlier batch's.
4. Nothing is updated or deleted.
5. The decision given to `append` reads the ledger as it stands and may refuse; no other writer gets in between.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from indicators.days import moment_text
from indicators.entry import FIRST_PREV, Draft, Entry, entry_hash, sealed
from indicators.errors import WatchfloorError

__all__ = ["ChainFault", "Clock", "Head", "Ledger", "LedgerError", "MemoryLedger", "chain_fault"]

Clock = Callable[[], datetime]
Decide = Callable[["Ledger"], Sequence[Draft]]


class LedgerError(WatchfloorError):
    """Base of what can go wrong with a ledger as a whole."""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a ledger: how many entries it has and the hash of the last (64 zeros when empty)."""

    entries: int
    hash: str


@dataclass(frozen=True, slots=True)
class ChainFault:
    """The first position at which a ledger does not hold, and why."""

    seq: int
    what: str

    def __str__(self) -> str:
        return f"entry {self.seq}: {self.what}"


class Ledger(ABC):
    """The append-only, hash-chained log of everything."""

    @abstractmethod
    def append(self, decide: Decide) -> list[Entry]:
        """Record the drafts that `decide` returns when it is shown this ledger; all or nothing.

        `decide` may read (`entries`, `head`) and runs while no other writer can append. What it raises passes through
        and nothing is written; an empty sequence writes nothing.
        """

    @abstractmethod
    def entries(
        self, *, study: str | None = None, until: datetime | None = None, after: int = 0
    ) -> Iterator[Entry]:
        """Entries in order; of one study, recorded up to and including a moment, or after a position, where given."""

    @abstractmethod
    def head(self) -> Head:
        """Number of entries and hash of the last."""

    @abstractmethod
    def verify(self) -> ChainFault | None:
        """The first position that does not hold; None when all do."""

    @abstractmethod
    def close(self) -> None:
        """Let go of files and connections; may be called twice."""

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class MemoryLedger(Ledger):
    """A ledger in a list, for tests and what-ifs."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: list[Entry] = []

    def append(self, decide: Decide) -> list[Entry]:
        """See `Ledger.append`."""
        drafts = decide(self)
        last = self._entries[-1] if self._entries else None
        batch = sealed_batch(drafts, last=last, now=self._clock())
        self._entries += batch
        return batch

    def entries(
        self, *, study: str | None = None, until: datetime | None = None, after: int = 0
    ) -> Iterator[Entry]:
        """See `Ledger.entries`."""
        limit = moment_text(until) if until else None
        for entry in self._entries[after:]:
            if (study is None or entry.study == study) and (limit is None or entry.recorded_at <= limit):
                yield entry

    def head(self) -> Head:
        """See `Ledger.head`."""
        return Head(len(self._entries), self._entries[-1].hash if self._entries else FIRST_PREV)

    def verify(self) -> ChainFault | None:
        """See `Ledger.verify`."""
        return chain_fault(self._entries)

    def close(self) -> None:
        """Nothing to let go of."""


def sealed_batch(drafts: Sequence[Draft], *, last: Entry | None, now: datetime) -> list[Entry]:
    """The entries that a batch of drafts becomes after `last`; time never stands still nor runs back between batches."""
    recorded_at = moment_text(now)
    if last is not None and recorded_at <= last.recorded_at:
        before = datetime.strptime(last.recorded_at, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
        recorded_at = moment_text(before + timedelta(microseconds=1))
    seq, prev = (last.seq, last.hash) if last else (0, FIRST_PREV)
    batch = []
    for draft in drafts:
        seq += 1
        batch.append(sealed(draft, seq=seq, recorded_at=recorded_at, prev=prev))
        prev = batch[-1].hash
    return batch


def chain_fault(entries: Iterator[Entry] | Sequence[Entry]) -> ChainFault | None:
    """The first entry whose position, id, time, link or hash does not follow from those before it."""
    seq, prev, recorded_at = 0, FIRST_PREV, ""
    for entry in entries:
        seq += 1
        if entry.seq != seq:
            return ChainFault(seq, f"position {entry.seq} stands where {seq} should; an entry was removed or added")
        if entry.prev != prev:
            return ChainFault(seq, "its link does not fit the entry before; an entry was changed, removed or added")
        draft = Draft(author=entry.author, study=entry.study, kind=entry.kind, payload=entry.payload)
        expected = entry_hash(
            prev=prev, seq=entry.seq, entry_id=entry.id, recorded_at=entry.recorded_at, draft=draft
        )
        if entry.hash != expected:
            return ChainFault(seq, "its content does not fit its hash; the entry was changed")
        if entry.recorded_at < recorded_at:
            return ChainFault(seq, "it was recorded before the entry that it follows")
        prev, recorded_at = entry.hash, entry.recorded_at
    return None
