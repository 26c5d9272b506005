"""What any ledger promises: append a batch, read in order, say its head, verify; with the one kept in memory.

The promise is narrow on purpose (a database behind it learns nothing of studies or reports):

1. `append` seals a batch at the end, all of it or nothing, and returns it only once it is durable.
2. Positions run 1, 2, 3, ... without a gap; each entry's `prev` is the hash of the entry before.
3. `recorded_at` is the ledger's own UTC clock, equal within a batch and later than every earlier batch's.
4. Nothing is updated or deleted.
5. The decision given to `append` reads the ledger as it stands and may refuse; no other writer gets in between.
6. What is read is what was handed in: a payload that would not come back the same is refused, not converted.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from indicators.days import moment_text
from indicators.entry import FIRST_PREV, KINDS, Draft, Entry, canonical_json, entry_hash, sealed
from indicators.errors import WatchfloorError, nearest

__all__ = [
    "ChainFault",
    "Clock",
    "Decide",
    "DraftError",
    "Head",
    "Ledger",
    "LedgerError",
    "LedgerTimeError",
    "MemoryLedger",
    "NestedAppendError",
    "chain_fault",
    "sealed_batch",
]

Clock = Callable[[], datetime]
Decide = Callable[["Ledger"], Sequence[Draft]]


class LedgerError(WatchfloorError):
    """Base of what can go wrong with a ledger as a whole."""


class DraftError(LedgerError):
    """A draft that no ledger records; nothing of its batch was written."""


class LedgerTimeError(LedgerError):
    """The last entry's time is one that no later time can follow; nothing was written."""

    def __init__(self) -> None:
        super().__init__(
            "the time of the last entry cannot be followed by a later one; nothing was written",
            mend="run forecast verify",
        )


class NestedAppendError(LedgerError):
    """A decision appended to the ledger that it was deciding on; nothing was written."""

    def __init__(self) -> None:
        super().__init__("a decision may not append to the ledger it decides on", mend="return the drafts instead")


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a ledger: how many entries it has and the hash of the last (64 zeros when empty)."""

    entries: int
    hash: str


@dataclass(frozen=True, slots=True)
class ChainFault:
    """The first position at which a ledger does not hold, and why.

    Attributes
    ----------
    seq : int
        Position, from 1; 0 where every entry holds and what keeps them does not.
    what : str
        As a sentence without a full stop; never a piece of the damaged content.
    """

    seq: int
    what: str

    def __str__(self) -> str:
        return f"entry {self.seq}: {self.what}" if self.seq else self.what


class Ledger(ABC):
    """The append-only, hash-chained log of everything."""

    @abstractmethod
    def append(self, decide: Decide) -> list[Entry]:
        """Record the drafts that `decide` returns when it is shown this ledger; all or nothing.

        `decide` may read (`entries`, `head`) but not append, and runs while no other writer can append. What it raises
        passes through and nothing is written; an empty sequence writes nothing and returns an empty list.

        Raises
        ------
        DraftError
            A draft has no author or study, an unknown kind, or a payload that is not plain JSON.
        NestedAppendError
            `decide` appended.
        LedgerError
            The ledger could not take the batch; its subclass says why.
        """

    @abstractmethod
    def entries(self, *, study: str | None = None, until: datetime | None = None, after: int = 0) -> Iterator[Entry]:
        """Entries in order; of one study, recorded up to and including an aware moment, or after a position, if given.

        They are those the ledger has when the first is taken: what is appended meanwhile is left for the next call.
        """

    @abstractmethod
    def studies(self, *, until: datetime | None = None) -> list[str]:
        """Ids of the studies with an entry, in order of their first; those begun by a moment, if given."""

    @abstractmethod
    def head(self, *, until: datetime | None = None) -> Head:
        """Number of entries and hash of the last; of those recorded up to and including a moment, if given."""

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
        self._is_deciding = False

    def append(self, decide: Decide) -> list[Entry]:
        """See `Ledger.append`."""
        if self._is_deciding:
            raise NestedAppendError
        self._is_deciding = True
        try:
            drafts = decide(self)
        finally:
            self._is_deciding = False
        last = self._entries[-1] if self._entries else None
        batch = sealed_batch(drafts, last=last, now=self._clock())
        self._entries += batch
        return batch

    def entries(self, *, study: str | None = None, until: datetime | None = None, after: int = 0) -> Iterator[Entry]:
        """See `Ledger.entries`."""
        limit = moment_text(until) if until else None
        for entry in self._entries[max(after, 0) :]:
            if (study is None or entry.study == study) and (limit is None or entry.recorded_at <= limit):
                yield entry

    def studies(self, *, until: datetime | None = None) -> list[str]:
        """See `Ledger.studies`."""
        return list(dict.fromkeys(entry.study for entry in self.entries(until=until)))

    def head(self, *, until: datetime | None = None) -> Head:
        """See `Ledger.head`."""
        entries = self._entries if until is None else list(self.entries(until=until))
        return Head(len(entries), entries[-1].hash if entries else FIRST_PREV)

    def verify(self) -> ChainFault | None:
        """See `Ledger.verify`."""
        return chain_fault(self._entries)

    def close(self) -> None:
        """Nothing to let go of."""


def sealed_batch(drafts: Sequence[Draft], *, last: Entry | None, now: datetime) -> list[Entry]:
    """The entries that drafts become after `last`; between batches time neither stands still nor runs back."""
    recorded_at = moment_text(now)
    if last is not None and recorded_at <= last.recorded_at:
        recorded_at = _moment_after(last.recorded_at)
    seq, prev = (last.seq, last.hash) if last else (0, FIRST_PREV)
    batch = []
    for draft in drafts:
        seq += 1
        batch.append(sealed(_recordable(draft), seq=seq, recorded_at=recorded_at, prev=prev))
        prev = batch[-1].hash
    return batch


def _moment_after(recorded_at: str) -> str:
    try:
        before = datetime.strptime(recorded_at, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
        return moment_text(before + timedelta(microseconds=1))
    except (ValueError, OverflowError):
        raise LedgerTimeError from None


def _recordable(draft: Draft) -> Draft:
    """The draft with a payload of its own, as it will be read back; refused where that would be another one."""
    if draft.kind not in KINDS:
        raise DraftError(f'"{draft.kind}" is not a kind of entry', mend=nearest(draft.kind, KINDS))
    for name, text in (("author", draft.author), ("study", draft.study)):
        if not text or "\0" in text:
            raise DraftError(f"the {name} of a draft is empty or has a NUL in it", mend=f"name the {name}")
    try:
        text = canonical_json([draft.author, draft.study, draft.payload])
        payload = json.loads(text.encode())[2]
    except (TypeError, ValueError, RecursionError):
        payload = None
    if not isinstance(payload, dict) or payload != draft.payload:
        mend = (
            "give mappings with text keys, lists, texts without half surrogates, finite numbers, true, false and null"
        )
        raise DraftError("a draft is not plain JSON", mend=mend)
    return replace(draft, payload=payload)


def chain_fault(entries: Iterator[Entry] | Sequence[Entry]) -> ChainFault | None:
    """The first entry whose position, id, time, link or hash does not follow from those before it."""
    prev, recorded_at = FIRST_PREV, ""
    for seq, entry in enumerate(entries, start=1):
        if entry.seq != seq:
            return ChainFault(seq, f"position {entry.seq} stands where {seq} should; an entry was removed or added")
        if entry.id != f"e{seq}":
            return ChainFault(seq, "its id does not fit its position; the entry was changed")
        if entry.prev != prev:
            return ChainFault(seq, "its link does not fit the entry before; an entry was changed, removed or added")
        draft = Draft(author=entry.author, study=entry.study, kind=entry.kind, payload=entry.payload)
        expected = entry_hash(prev=prev, seq=entry.seq, entry_id=entry.id, recorded_at=entry.recorded_at, draft=draft)
        if entry.hash != expected:
            return ChainFault(seq, "its content does not fit its hash; the entry was changed")
        if entry.recorded_at < recorded_at:
            return ChainFault(seq, "it was recorded before the entry that it follows")
        prev, recorded_at = entry.hash, entry.recorded_at
    return None
