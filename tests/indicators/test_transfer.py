"""Whole ledgers moved, from one into another and through a file: every entry to the letter, or nothing at all."""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators.address import address_of
from indicators.clock import utc_now
from indicators.entry import Entry, canonical_json
from indicators.errors import FaultsError
from indicators.ledger import Head, Ledger, MemoryLedger, RestoreError
from indicators.opening import create_ledger
from indicators.transfer import (
    BrokenLedgerError,
    Dump,
    Moved,
    OtherLedgerError,
    copied,
    dump_head,
    dumped_entries,
)
from tests.contracts import NOT_TO_BE_RESTORED, clock_at, draft, five_entries, record, sealed_again
from tests.small import steady
from tests.strategies import AWKWARD, awkward_text

EMPTY = Head(0, "0" * 64)


def awkward_ledger() -> MemoryLedger:
    """Five entries, and then whatever a text or a number may be."""
    ledger = MemoryLedger(clock_at(*range(10)))
    five_entries(ledger)
    record(ledger, *[draft(payload={"text": text, text: [text, None]}) for text in AWKWARD])
    record(ledger, *[draft(author=text, study=text) for text in AWKWARD if text and "\0" not in text])
    record(ledger, draft(payload={"numbers": [0, -0.0, 0.1 + 0.2, 1e-320, 2**64, 1e16, True]}))
    return ledger


def dumped(ledger: Ledger) -> bytes:
    """The file that a dump makes."""
    return "".join(Dump(ledger, where="here")).encode()


def loaded(content: bytes) -> list[Entry]:
    """The entries in such a file."""
    return list(dumped_entries(io.BytesIO(content), file="a.jsonl"))


@pytest.fixture(params=["file", "database"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger of another backend."""
    name = str(tmp_path / "target.db") if request.param == "file" else str(request.getfixturevalue("database"))
    with create_ledger(address_of(name), clock=utc_now) as ledger:
        yield ledger


# Copies


def test_a_copy_has_every_entry_to_the_letter_and_goes_on(target: Ledger) -> None:
    source = awkward_ledger()
    assert copied(source.entries(), target, where="there") == Moved(0, source.head())
    assert list(target.entries()) == list(source.entries())
    assert [repr(entry) for entry in target.entries()] == [repr(entry) for entry in source.entries()]
    [entry] = record(target, draft())
    assert entry.prev == source.head().hash
    assert target.verify() is None


def test_a_copy_made_again_brings_only_what_is_new(target: Ledger) -> None:
    source = MemoryLedger(clock_at(*range(10)))
    assert copied(source.entries(), target, where="there") == Moved(0, EMPTY)
    five_entries(source)
    for before in (0, 5):
        assert copied(source.entries(), target, where="there") == Moved(before, source.head())
    record(source, draft(6))
    assert copied(source.entries(), target, where="there") == Moved(5, source.head())
    assert list(target.entries()) == list(source.entries())


@pytest.mark.parametrize("own", [1, 5, 6, 9])
def test_a_ledger_that_holds_something_else_is_left_alone(target: Ledger, own: int) -> None:
    source = MemoryLedger(clock_at(0))
    five_entries(source)
    record(target, *[draft(n) for n in range(own)])
    head = target.head()
    with pytest.raises(OtherLedgerError, match=r"the ledger to write to is another one: .*; nothing was written"):
        copied(source.entries(), target, where="there")
    assert target.head() == head


def test_a_ledger_that_went_on_by_itself_is_left_alone(target: Ledger) -> None:
    source = MemoryLedger(clock_at(0))
    five_entries(source)
    copied(source.entries(), target, where="there")
    record(target, draft(6))
    with pytest.raises(OtherLedgerError, match=r"has entries after 5, where what comes ends;.* the other way"):
        copied(source.entries(), target, where="there")
    record(source, draft(7))
    with pytest.raises(OtherLedgerError, match="its entry 6 is not the one that comes"):
        copied(source.entries(), target, where="there")
    assert [entry.payload["n"] for entry in target.entries()] == [1, 2, 3, 4, 5, 6]


# A chain from its first entry on: what does not follow in the contract of `restore`, with the two before it.
BROKEN = {name: case for name, case in NOT_TO_BE_RESTORED.items() if name != "from the beginning"}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_chain_is_not_copied_in_part(target: Ledger, name: str) -> None:
    changed, seq, phrase = BROKEN[name]
    entries = five_entries(MemoryLedger(clock_at(0, 60)))
    with pytest.raises(RestoreError, match=phrase) as caught:
        copied([*entries[:2], *changed(entries)], target, where="there")
    assert caught.value.fault.seq == seq
    assert target.head() == EMPTY


def test_a_source_that_fails_leaves_nothing_behind(target: Ledger) -> None:
    source = MemoryLedger(clock_at(0))
    record(source, *[draft(n) for n in range(1200)])

    def failing() -> Iterator[Entry]:
        yield from source.entries()
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        copied(failing(), target, where="there")
    assert target.head() == EMPTY


class Damaged(MemoryLedger):
    """A ledger whose second entry somebody has changed."""

    def damage(self) -> None:
        self._entries[1] = replace(self._entries[1], author="eve")


def test_a_target_that_does_not_hold_is_refused() -> None:
    source, target = MemoryLedger(clock_at(0)), Damaged(clock_at(0))
    five_entries(source)
    target.restore(list(source.entries())[:3])
    target.damage()
    with pytest.raises(BrokenLedgerError, match=r"there: entry 2: its content does not fit.*forecast verify"):
        copied(source.entries(), target, where="there")
    assert target.head().entries == 3


class Forgetful(MemoryLedger):
    """A ledger that says that it took entries which it did not."""

    def restore(self, entries: Any) -> Head:
        """See `Ledger.restore`."""
        kept = [sealed_again(entry, author="eve") for entry in entries]
        self._entries += kept[:1]
        return self.head()


def test_what_was_written_is_read_back() -> None:
    source = MemoryLedger(clock_at(0))
    record(source, draft(1))
    with pytest.raises(BrokenLedgerError, match="entry 1: it is not what was written"):
        copied(source.entries(), Forgetful(clock_at(0)), where="there")


# Dumps


def test_a_dump_is_a_line_of_canonical_json_for_each_entry_and_comes_back_whole() -> None:
    source = awkward_ledger()
    lines = Dump(source, where="here")
    content = "".join(lines).encode()
    assert lines.end == source.head()
    texts = content.decode().split("\n")
    assert texts.pop() == ""
    assert texts == [canonical_json(json.loads(text)) for text in texts]
    assert loaded(content) == list(source.entries())
    assert list(map(repr, loaded(content))) == list(map(repr, source.entries()))
    assert dump_head(io.BytesIO(content), file="a.jsonl") == source.head()


def test_a_dump_of_a_damaged_ledger_ends_at_the_damage() -> None:
    ledger = Damaged(clock_at(0))
    five_entries(ledger)
    ledger.damage()
    lines = iter(Dump(ledger, where="here"))
    next(lines)
    with pytest.raises(BrokenLedgerError, match="here: entry 2: its content does not fit its hash"):
        next(lines)


def test_the_last_line_may_lack_its_end() -> None:
    content = dumped(awkward_ledger())
    assert dump_head(io.BytesIO(content[:-1]), file="a.jsonl") == awkward_ledger().head()


def lines_of(source: Ledger) -> list[bytes]:
    return dumped(source).splitlines(keepends=True)


def changed_line(number: int, change: Callable[[dict[str, Any]], object]) -> Callable[[list[bytes]], list[bytes]]:
    """The file with one line read, changed and written in the same form."""

    def changed(lines: list[bytes]) -> list[bytes]:
        values = json.loads(lines[number - 1])
        change(values)
        return [*lines[: number - 1], f"{canonical_json(values)}\n".encode(), *lines[number:]]

    return changed


def replaced(number: int, line: bytes) -> Callable[[list[bytes]], list[bytes]]:
    return lambda lines: [*lines[: number - 1], line, *lines[number:]]


# What somebody may do to a dump of five entries, and the line and the words that tell of it.
TAMPERED: Mapping[str, tuple[Callable[[list[bytes]], list[bytes]], int, str]] = {
    "author": (changed_line(2, lambda v: v.update(author="eve")), 2, "content does not fit its hash"),
    "payload": (changed_line(3, lambda v: v["payload"].update(n=77)), 3, "content does not fit its hash"),
    "number as float": (changed_line(3, lambda v: v["payload"].update(n=3.0)), 3, "content does not fit its hash"),
    "hash": (changed_line(3, lambda v: v.update(hash="a" * 64)), 3, "content does not fit its hash"),
    "position": (changed_line(2, lambda v: v.update(seq=3)), 2, "position 3 stands where 2 should"),
    "time": (changed_line(5, lambda v: v.update(recorded_at="2020-01-01T00:00:00.000000Z")), 5, "does not fit"),
    "line left out": (lambda lines: lines[:2] + lines[3:], 3, "position 4 stands where 3 should"),
    "first left out": (lambda lines: lines[1:], 1, "position 2 stands where 1 should"),
    "line twice": (lambda lines: [*lines[:2], *lines[1:]], 3, "position 2 stands where 3 should"),
    "lines swapped": (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], 2, "position 3 stands where 2"),
    "blank": (replaced(2, b"\n"), 2, "the line is not JSON in UTF-8"),
    "a text": (replaced(2, b"entry two\n"), 2, "the line is not JSON in UTF-8"),
    "not UTF-8": (replaced(2, b'{"a":"\xff"}\n'), 2, "the line is not JSON in UTF-8"),
    "BOM": (lambda lines: [b"\xef\xbb\xbf" + lines[0], *lines[1:]], 1, "the line is not JSON in UTF-8"),
    "no number": (replaced(2, b'{"seq":NaN}\n'), 2, "the line is not JSON in UTF-8"),
    "half surrogate": (replaced(2, b'{"seq":"\\ud800"}\n'), 2, "the line is "),
    "nested": (replaced(2, b"[" * 100_000 + b"\n"), 2, "the line is not JSON in UTF-8"),
    "a list": (replaced(2, b"[]\n"), 2, "the line is not an object of seq, id"),
    "field missing": (changed_line(2, lambda v: v.pop("prev")), 2, "the line is not an object of seq, id"),
    "field too many": (changed_line(2, lambda v: v.update(more=1)), 2, "the line is not an object of seq, id"),
    "keys in another order": (
        lambda lines: [json.dumps(dict(reversed(json.loads(lines[0]).items()))).encode() + b"\n", *lines[1:]],
        1,
        "keys sorted and once, no blanks",
    ),
    "blanks": (lambda lines: [lines[0].replace(b'","', b'", "', 1), *lines[1:]], 1, "keys sorted and once, no blanks"),
    "key twice": (
        lambda lines: [lines[0], lines[1].replace(b'{"author"', b'{"author":"eve","author"', 1), *lines[2:]],
        2,
        "keys sorted and once, no blanks",
    ),
    "line ends of another system": (
        lambda lines: [line.replace(b"\n", b"\r\n") for line in lines],
        1,
        "keys sorted and once, no blanks",
    ),
    "position as text": (changed_line(2, lambda v: v.update(seq="2")), 2, "seq is no whole number"),
    "position as truth": (changed_line(1, lambda v: v.update(seq=True)), 1, "seq is no whole number"),
    "payload as text": (changed_line(2, lambda v: v.update(payload="{}")), 2, "or payload no object"),
    "author as number": (changed_line(2, lambda v: v.update(author=7)), 2, "a field that has to be a text is none"),
    "nothing": (lambda _: [], 0, "the file has no entry"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_a_dump_that_was_changed_is_refused_with_the_line(name: str) -> None:
    change, line, phrase = TAMPERED[name]
    source = MemoryLedger(clock_at(0, 60))
    five_entries(source)
    with pytest.raises(FaultsError) as caught:
        dump_head(io.BytesIO(b"".join(change(lines_of(source)))), file="a.jsonl")
    first = caught.value.faults[0]
    assert (first.file, first.line) == ("a.jsonl", line)
    assert phrase in first.what
    assert first.mend == "go back to the file that forecast dump wrote"


def test_every_line_that_is_none_is_named_but_no_more_than_a_hundred() -> None:
    source = MemoryLedger(clock_at(0))
    record(source, *[draft(n) for n in range(6)])
    lines = lines_of(source)
    lines[1] = lines[4] = b"x\n"
    with pytest.raises(FaultsError) as caught:
        dump_head(io.BytesIO(b"".join(lines)), file="a.jsonl")
    assert [fault.line for fault in caught.value.faults] == [2, 5]
    with pytest.raises(FaultsError) as caught:
        dump_head(io.BytesIO(b"x\n" * 5000), file="a.jsonl")
    assert len(caught.value.faults) == 100


def test_a_line_without_end_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indicators.transfer.LONGEST_LINE", 1_000_000)
    with pytest.raises(FaultsError, match=r"a\.jsonl:1: the line is longer than 1 MB"):
        dump_head(io.BytesIO(b"x" * 1_000_002), file="a.jsonl")


def test_a_cut_file_is_a_sound_shorter_one_and_only_its_head_tells() -> None:
    source = MemoryLedger(clock_at(0))
    entries = five_entries(source)
    cut = b"".join(lines_of(source)[:3])
    assert dump_head(io.BytesIO(cut), file="a.jsonl") == Head(3, entries[2].hash)


@given(position=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255))
@steady
def test_a_byte_that_was_changed_is_found(position: float, byte: int) -> None:
    source = MemoryLedger(clock_at(0, 60))
    five_entries(source)
    content = bytearray(dumped(source))
    at = int(position * len(content))
    is_same = content[at] == byte
    content[at] = byte
    try:
        assert dump_head(io.BytesIO(bytes(content)), file="a.jsonl") == source.head()
    except FaultsError:
        assert not is_same
    else:
        assert is_same or (at == len(content) - 1)


@given(texts=st.lists(awkward_text(), min_size=1, max_size=4))
@steady
def test_any_text_goes_through_a_file_and_back(texts: list[str]) -> None:
    source = MemoryLedger(clock_at(0))
    record(source, *[draft(payload={text: [text]}) for text in texts])
    assert loaded(dumped(source)) == list(source.entries())
