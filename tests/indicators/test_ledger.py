"""The ledger in memory keeps the contract; the chain finds what was changed in a list of entries."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from indicators.entry import FIRST_PREV, Entry
from indicators.ledger import ChainFault, Clock, Ledger, MemoryLedger, chain_fault
from tests.contracts import LedgerContract, clock_at, five_entries, sealed_again


class TestMemoryLedger(LedgerContract):
    """The contract, in memory."""

    def make_ledger(self, tmp_path: Path, clock: Clock) -> Ledger:
        """See `LedgerContract.make_ledger`."""
        return MemoryLedger(clock)


@pytest.fixture
def chain() -> list[Entry]:
    """Five entries that hold."""
    return five_entries(MemoryLedger(clock_at(0, 60, 120, 180, 240)))


def test_a_sound_chain_has_no_fault_in_any_prefix(chain: list[Entry]) -> None:
    assert [chain_fault(chain[:n]) for n in range(6)] == [None] * 6


@pytest.mark.parametrize("position", range(5))
@pytest.mark.parametrize(
    ("changes", "phrase"),
    [
        ({"seq": 77}, "position 77 stands where"),
        ({"id": "e77"}, "its id does not fit its position"),
        ({"recorded_at": "2099-01-01T00:00:00.000000Z"}, "does not fit its hash"),
        ({"author": "eve"}, "does not fit its hash"),
        ({"study": "other"}, "does not fit its hash"),
        ({"kind": "retract"}, "does not fit its hash"),
        ({"payload": {"n": 77}}, "does not fit its hash"),
        ({"prev": "a" * 64}, "its link does not fit the entry before"),
        ({"hash": "a" * 64}, "does not fit its hash"),
    ],
)
def test_a_changed_field_is_found_where_it_is(
    chain: list[Entry], position: int, changes: dict[str, object], phrase: str
) -> None:
    chain[position] = replace(chain[position], **changes)  # type: ignore[arg-type]
    fault = chain_fault(chain)
    assert fault is not None
    assert fault.seq == position + 1
    assert phrase in fault.what


@pytest.mark.parametrize(
    ("tamper", "seq"),
    [
        (lambda e: e[1:], 1),
        (lambda e: [*e[:2], *e[3:]], 3),
        (lambda e: [e[0], e[2], e[1], *e[3:]], 2),
        (lambda e: [*e[:3], e[2], *e[3:]], 4),
        (lambda e: [*e, e[4]], 6),
        (lambda e: [*e, replace(e[4], seq=6, id="e6")], 6),
        (lambda e: [replace(entry, seq=entry.seq + 1) for entry in e], 1),
        (lambda e: [*e[:2], replace(e[3], seq=3, id="e3"), replace(e[4], seq=4, id="e4")], 3),
    ],
    ids=["first gone", "middle gone", "swapped", "doubled", "last doubled", "forged", "renumbered", "closed up"],
)
def test_moved_entries_are_found_at_the_first_that_does_not_follow(
    chain: list[Entry], tamper: Callable[[Sequence[Entry]], Sequence[Entry]], seq: int
) -> None:
    fault = chain_fault(tamper(chain))
    assert fault is not None
    assert fault.seq == seq


def test_an_entry_changed_and_hashed_anew_is_found_at_the_next(chain: list[Entry]) -> None:
    chain[2] = sealed_again(chain[2], recorded_at="2025-04-22T12:02:30.000000Z")
    assert chain_fault(chain) == ChainFault(
        4, "its link does not fit the entry before; an entry was changed, removed or added"
    )


def test_time_that_runs_back_is_found_even_where_the_hash_fits(chain: list[Entry]) -> None:
    chain[4] = sealed_again(chain[4], recorded_at="2025-04-22T11:00:00.000000Z")
    assert chain_fault(chain) == ChainFault(5, "it was recorded before the entry that it follows")


def test_a_chain_that_starts_elsewhere_is_found(chain: list[Entry]) -> None:
    assert chain[0].prev == FIRST_PREV
    first = replace(chain[0], prev="1" * 64)
    assert chain_fault([first]) is not None


def test_a_fault_of_no_entry_names_none() -> None:
    assert str(ChainFault(3, "it is gone")) == "entry 3: it is gone"
    assert str(ChainFault(0, "the trigger is missing")) == "the trigger is missing"
