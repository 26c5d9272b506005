"""What any ledger promises: append a batch, read in order, say its head, verify; with the one kept in memory.

The promise is narrow on purpose (a database behind it learns nothing of studies or reports):

1. `append` seals a batch at the end, all of it or nothing, and returns it only once it is durable.
2. Positions run 1, 2, 3, ... without a gap; each entry's `prev` is the hash of the entry before.
3. `recorded_at` is the ledger's own UTC clock, equal within a batch and later than every earlier batch's.
4. Nothing is updated or deleted.
5. The decision given to `append` reads the ledger as it stands and may refuse; no other writer gets in between.
6. What is read is what was handed in: a payload that would not come back the same is refused, not converted.

`restore` is for copies alone: it takes entries that another ledger sealed, as they are, where they follow the last.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from indicators.days import moment_text
from indicators.entry import FIRST_PREV, KINDS, Draft, Entry, canonical_json, fits_its_hash, sealed, sealed_row
from indicators.errors import WatchfloorError, nearest

__all__ = [
    "NOT_AS_WRITTEN",
    "ChainCheck",
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
    "RestoreError",
    "chain_fault",
    "following",
    "sealed_batch",
    "sealed_rows",
]

_TEXT = frozenset({str})
_PLAIN = frozenset({str, int, float, bool, type(None)})
NOT_AS_WRITTEN = "it is not written as a ledger writes it; the entry was changed"

Clock = Callable[[], datetime]
Decide = Callable[["Ledger"], Iterable[Draft]]


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


class RestoreError(LedgerError):
    """An entry that cannot stand where it was to be put back; nothing was written.

    Attributes
    ----------
    fault : ChainFault
        The first that cannot, and why.
    """

    def __init__(self, fault: ChainFault) -> None:
        self.fault = fault
        mend = "run forecast verify on the ledger that it comes from, and on the one that it goes to"
        super().__init__(f"{fault}; nothing was written", mend=mend)


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

        `decide` may read (`entries`, `head`) but not append, and runs while no other writer can append. It may be asked
        again where a server made the attempt void. What it raises passes through and nothing is written; no drafts
        write nothing and return an empty list. Drafts that come from a generator are taken one by one, with no other
        writer in between either; the generator does not read the ledger any more, and what it raises passes through
        and nothing is written.

        Raises
        ------
        DraftError
            A draft has no author or study, an unknown kind, or a payload that is not plain JSON.
        NestedAppendError
            `decide` appended.
        LedgerError
            The ledger could not take the batch; its subclass says why.
        """

    def append_stream(self, decide: Decide) -> range:
        """Record drafts as `append` does, where they may be more than fit into memory.

        Each is written when it is taken and then let go of. A ledger that cannot do so holds the batch, as here.

        Returns
        -------
        range
            The positions of the new entries, whose ids are `e` and the position; empty when nothing was written.
        """
        batch = self.append(decide)
        return range(batch[0].seq, batch[-1].seq + 1) if batch else range(0)

    @abstractmethod
    def restore(self, entries: Iterable[Entry]) -> Head:
        """Put sealed entries of another ledger at the end as they are, ids, times and hashes too; all or nothing.

        For copies: what a person logs goes through `append`. The entries are taken one by one and may be more than fit
        into memory; what their iterator raises passes through and nothing is written.

        Returns
        -------
        Head
            Of the ledger as it then is.

        Raises
        ------
        RestoreError
            An entry does not follow the one before it, the first the last of this ledger; or it is not as a ledger
            writes it.
        NestedAppendError
            A decision restored.
        LedgerError
            The ledger could not take the entries; its subclass says why.
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

    def __enter__(self) -> Self:
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
            batch = sealed_batch(decide(self), last=self._last(), now=self._clock())
        finally:
            self._is_deciding = False
        self._entries += batch
        return batch

    def restore(self, entries: Iterable[Entry]) -> Head:
        """See `Ledger.restore`."""
        if self._is_deciding:
            raise NestedAppendError
        self._entries += list(following(entries, self._last()))
        return self.head()

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

    def _last(self) -> Entry | None:
        return self._entries[-1] if self._entries else None


def sealed_batch(drafts: Iterable[Draft], *, last: Entry | None, now: datetime) -> list[Entry]:
    """The entries that drafts become after `last`; between batches time neither stands still nor runs back."""
    recorded_at, seq, prev = _start(last, now)
    batch = []
    for draft in drafts:
        seq += 1
        own = replace(draft, payload=json.loads(_payload_text(draft)))
        batch.append(sealed(own, seq=seq, recorded_at=recorded_at, prev=prev))
        prev = batch[-1].hash
    return batch


def sealed_rows(drafts: Iterable[Draft], *, last: Entry | None, now: datetime) -> Iterator[tuple[Any, ...]]:
    """The same entries as rows of a ledger's table, in the order of `indicators.entry.COLUMNS`, one by one."""
    recorded_at, seq, prev = _start(last, now)
    for draft in drafts:
        seq += 1
        row = sealed_row(draft, payload=_payload_text(draft), seq=seq, recorded_at=recorded_at, prev=prev)
        prev = row[-1]
        yield row


def _start(last: Entry | None, now: datetime) -> tuple[str, int, str]:
    """The moment of a batch, and the position and hash of the entry that it follows."""
    recorded_at = moment_text(now)
    if last is None:
        return recorded_at, 0, FIRST_PREV
    if recorded_at <= last.recorded_at:
        recorded_at = _moment_after(last.recorded_at)
    return recorded_at, last.seq, last.hash


def following(entries: Iterable[Entry], last: Entry | None) -> Iterator[Entry]:
    """The entries one by one, each checked to be an entry that follows the one before, the first `last`.

    Raises
    ------
    RestoreError
        At the first that is not or does not.
    """
    check = ChainCheck(last)
    for entry in entries:
        payload = _payload_as_read(entry.payload, entry.author, entry.study, entry.kind)
        if payload is None or not _is_formed(entry):
            raise RestoreError(ChainFault(check.seq + 1, NOT_AS_WRITTEN))
        fault = check.fault(entry)
        if fault:
            raise RestoreError(fault)
        yield replace(entry, payload=payload)


def _is_formed(entry: Entry) -> bool:
    """Whether texts and time have the form that `sealed_batch` gives them; the rest follows from link and hash."""
    texts = (entry.author, entry.study, entry.kind)
    if not all(text and "\0" not in text for text in texts):
        return False
    try:
        return entry.recorded_at == moment_text(datetime.fromisoformat(entry.recorded_at))
    except (ValueError, OverflowError):
        return False


def _moment_after(recorded_at: str) -> str:
    try:
        return moment_text(datetime.fromisoformat(recorded_at) + timedelta(microseconds=1))
    except (ValueError, OverflowError):
        raise LedgerTimeError from None


def _payload_text(draft: Draft) -> str:
    """The payload of a draft as it is kept; the draft is refused where another one would be read back."""
    if draft.kind not in KINDS:
        raise DraftError(f'"{draft.kind}" is not a kind of entry', mend=nearest(draft.kind, KINDS))
    for name, text in (("author", draft.author), ("study", draft.study)):
        if not text or "\0" in text:
            raise DraftError(f"the {name} of a draft is empty or has a NUL in it", mend=f"name the {name}")
    payload = _text_as_read(draft.payload, draft.author, draft.study)
    if payload is None:
        mend = (
            "give mappings with text keys, lists, texts without half surrogates, finite numbers, true, false and null"
        )
        raise DraftError("a draft is not plain JSON", mend=mend)
    return payload


def _text_as_read(payload: Mapping[str, Any], *names: str) -> str | None:
    """The payload as canonical JSON; None where it, or one of the names, would come back another."""
    # What comes back the same by its types alone need not be read to see it; that is every report.
    if type(payload) is not dict or not ({*map(type, payload)} <= _TEXT and {*map(type, payload.values())} <= _PLAIN):
        read = _payload_as_read(payload, *names)
        return None if read is None else canonical_json(read)
    try:
        text = canonical_json(payload)
        "".join((text, *names)).encode()
    except (TypeError, ValueError):
        return None
    return text


def _payload_as_read(payload: Mapping[str, Any], *names: str) -> dict[str, Any] | None:
    """The payload as it will be read back, a new one; None where it, or one of the names, would come back another."""
    try:
        read = json.loads(canonical_json([payload, *names]).encode())[0]
    except (TypeError, ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) and read == payload else None


class ChainCheck:
    """A walk along a chain that knows the last entry seen.

    Attributes
    ----------
    seq : int
        How many entries held so far, those before the start included.
    """

    def __init__(self, last: Entry | None = None) -> None:
        self.seq, self._prev, self._recorded_at = 0, FIRST_PREV, ""
        if last is not None:
            self._step(last)

    def fault(self, entry: Entry) -> ChainFault | None:
        """Why an entry's position, id, time, link or hash does not follow from those before; None takes it in."""
        what = self._what(entry)
        if what is not None:
            return ChainFault(self.seq + 1, what)
        self._step(entry)
        return None

    def _step(self, entry: Entry) -> None:
        self.seq, self._prev, self._recorded_at = entry.seq, entry.hash, entry.recorded_at

    def _what(self, entry: Entry) -> str | None:
        seq = self.seq + 1
        if entry.seq != seq:
            return f"position {entry.seq} stands where {seq} should; an entry was removed or added"
        if entry.id != f"e{seq}":
            return "its id does not fit its position; the entry was changed"
        if entry.prev != self._prev:
            return "its link does not fit the entry before; an entry was changed, removed or added"
        if not fits_its_hash(entry):
            return "its content does not fit its hash; the entry was changed"
        if entry.recorded_at < self._recorded_at:
            return "it was recorded before the entry that it follows"
        return None


def chain_fault(entries: Iterable[Entry]) -> ChainFault | None:
    """The first entry whose position, id, time, link or hash does not follow from those before it."""
    check = ChainCheck()
    return next((fault for entry in entries if (fault := check.fault(entry))), None)
