"""Moving whole ledgers: from one into another, and through a file with one entry a line; every entry to the letter.

What comes must be whole from its first entry on, and the ledger that takes it must be empty or hold the beginning of
it: it then takes the rest. The chain is checked before anything is written, and everything is read back afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO

from indicators.entry import COLUMNS, FIRST_PREV, Entry, canonical_json
from indicators.errors import Fault, FaultsError
from indicators.ledger import ChainCheck, ChainFault, Head, Ledger, LedgerError, RestoreError, following

__all__ = ["BrokenLedgerError", "Dump", "Moved", "OtherLedgerError", "copied", "dump_head", "dumped_entries"]

LONGEST_LINE = 64_000_000
MOST_FAULTS = 100
_MEND = "go back to the file that forecast dump wrote"


class BrokenLedgerError(LedgerError):
    """A ledger whose chain does not hold, so that nothing is to be made from it."""

    def __init__(self, where: str, fault: ChainFault) -> None:
        mend = "run forecast verify on it, and go back to the last good copy"
        super().__init__(str(fault), where=where, mend=mend)


class OtherLedgerError(LedgerError):
    """A ledger that holds what is no beginning of what comes; nothing was written."""

    def __init__(self, seq: int, *, is_longer: bool) -> None:
        if is_longer:
            what, mend = f"it has entries after {seq}, where what comes ends", "move them the other way round"
        else:
            what, mend = f"its entry {seq} is not the one that comes", "name a new one, or the one that was begun so"
        super().__init__(f"the ledger to write to is another one: {what}; nothing was written", mend=mend)


@dataclass(frozen=True)
class Moved:
    """What a move did: how many entries were there already, and the end of what came."""

    before: int
    head: Head


def copied(entries: Iterable[Entry], target: Ledger, *, where: str) -> Moved:
    """Put entries, from the first on, into a ledger that is empty or holds the beginning of them; all or nothing.

    Parameters
    ----------
    entries : iterable of Entry
        Taken one by one; what their iterator raises passes through and nothing is written.
    target : Ledger
    where : str
        The target's name, for messages.

    Raises
    ------
    RestoreError
        The entries are no chain.
    OtherLedgerError
        The target holds something else, or more.
    BrokenLedgerError
        The target does not hold, before or after.
    """
    _refuse_broken(target, where)
    here = target.head()
    rest = _Rest(entries, here)
    target.restore(rest)
    _refuse_broken(target, where)
    written = next(target.entries(after=rest.end.entries - 1), None) if rest.end.entries else None
    if written is not None and written.hash != rest.end.hash:
        raise BrokenLedgerError(where, ChainFault(rest.end.entries, "it is not what was written"))
    return Moved(here.entries, rest.end)


def _refuse_broken(ledger: Ledger, where: str) -> None:
    fault = ledger.verify()
    if fault:
        raise BrokenLedgerError(where, fault)


class _Rest:
    """Those entries that a ledger with this head has not; `end` is the last of all, once they are taken."""

    def __init__(self, entries: Iterable[Entry], here: Head) -> None:
        self._entries, self._here = entries, here
        self.end = Head(0, FIRST_PREV)

    def __iter__(self) -> Iterator[Entry]:
        here = self._here
        for entry in following(self._entries, None):
            self.end = Head(entry.seq, entry.hash)
            if entry.seq == here.entries and entry.hash != here.hash:
                raise OtherLedgerError(entry.seq, is_longer=False)
            if entry.seq > here.entries:
                yield entry
        if self.end.entries < here.entries:
            raise OtherLedgerError(self.end.entries, is_longer=True)


class Dump:
    """Every entry of a ledger as a line of canonical JSON; `end` is the last of them, once they are taken.

    Raises `BrokenLedgerError` at the first that does not hold.
    """

    def __init__(self, ledger: Ledger, *, where: str) -> None:
        self._ledger, self._where = ledger, where
        self.end = Head(0, FIRST_PREV)

    def __iter__(self) -> Iterator[str]:
        check = ChainCheck()
        for entry in self._ledger.entries():
            fault = check.fault(entry)
            if fault:
                raise BrokenLedgerError(self._where, fault)
            self.end = Head(entry.seq, entry.hash)
            yield canonical_json({name: getattr(entry, name) for name in COLUMNS}) + "\n"


def dump_head(stream: IO[bytes], *, file: str) -> Head:
    """The end of the chain in a file that holds the lines of a `Dump`.

    Raises
    ------
    FaultsError
        With every line that is not one, up to a hundred, and the first that does not follow the one before it.
    """
    faults: list[Fault] = []
    head = Head(0, FIRST_PREV)
    lines = _form_checked(stream, file, faults)
    try:
        for entry in following(lines, None):
            head = Head(entry.seq, entry.hash)
    except RestoreError as error:
        faults.append(Fault(file, error.fault.seq, 0, error.fault.what, _MEND))
        for _ in lines:  # for the faults of form that are still to come
            pass
    if not head.entries and not faults:
        faults.append(Fault(file, 0, 0, "the file has no entry", _MEND))
    if faults:
        raise FaultsError(faults)
    return head


def _form_checked(stream: IO[bytes], file: str, faults: list[Fault]) -> Iterator[Entry]:
    """The entries up to the first fault of form; the faults, of all lines, go into a list."""
    for number, line in _lines(stream):
        entry = _entry(line)
        if isinstance(entry, str):
            faults.append(Fault(file, number, 0, entry, _MEND))
        elif not faults:
            yield entry
        if len(faults) >= MOST_FAULTS:
            return


def dumped_entries(stream: IO[bytes], *, file: str) -> Iterator[Entry]:
    """The entries in a file that holds the lines of a `Dump`; raises `FaultsError` at the first that is not one."""
    for number, line in _lines(stream):
        entry = _entry(line)
        if isinstance(entry, str):
            raise FaultsError([Fault(file, number, 0, entry, _MEND)])
        yield entry


def _lines(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    number = 0
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        yield number, line


def _entry(line: bytes) -> Entry | str:
    """The entry that a line says, or what is wrong with its form."""
    if len(line) > LONGEST_LINE:
        return f"the line is longer than {LONGEST_LINE // 1_000_000} MB"
    try:
        text = line.removesuffix(b"\n").decode()
        values = json.loads(text)
        is_canonical = canonical_json(values) == text
    except (ValueError, RecursionError):
        return "the line is not JSON in UTF-8"
    if not isinstance(values, dict) or set(values) != set(COLUMNS):
        return f"the line is not an object of {', '.join(COLUMNS)}"
    if not is_canonical:
        return "the line is not written as forecast dump writes it (keys sorted and once, no blanks)"
    if type(values["seq"]) is not int or not isinstance(values["payload"], dict):
        return "seq is no whole number, or payload no object"
    if not all(isinstance(values[name], str) for name in COLUMNS if name not in ("seq", "payload")):
        return "a field that has to be a text is none"
    return Entry(**values)
