"""The trials of `test_many_writers` at any length, on a ledger of one's own: `python -m tests.faults.soak LEDGER`.

LEDGER is a new file, or the URL of a database without a ledger. With `--reports` the writers log reports on a study, so
that each is checked against all that are there, which takes far longer than an append alone.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time

from indicators.address import address_of
from indicators.clock import utc_now
from indicators.opening import create_ledger, open_ledger
from tests import small
from tests.faults.writers import assert_nothing_is_lost, killed_at_random, written_by_all

__all__ = ["main"]


def log_reports(name: str, writer: int, count: int) -> None:
    """Log so many reports, each with a ref of its own."""
    with open_ledger(address_of(name), clock=utc_now) as ledger:
        for n in range(count):
            small.log(ledger, {"indicator": "talks", "observed": "2024-02-01", "count": "1", "ref": f"{writer}-{n}"})


def logged_by_all(name: str, writers: int, each: int) -> None:
    """Reports of several writers at once; every one is there exactly once."""
    with open_ledger(address_of(name), clock=utc_now) as ledger:
        small.record(ledger)
        before = ledger.head().entries
    spawn = multiprocessing.get_context("spawn")
    programs = [spawn.Process(target=log_reports, args=(name, n, each)) for n in range(writers)]
    for program in programs:
        program.start()
    for program in programs:
        program.join()
    assert [program.exitcode for program in programs] == [0] * writers
    with open_ledger(address_of(name), clock=utc_now) as ledger:
        refs = [entry.payload["ref"] for entry in ledger.entries(after=before)]
        assert sorted(refs) == sorted(f"{writer}-{n}" for writer in range(writers) for n in range(each))
        assert ledger.verify() is None


def main() -> None:
    """Run what was asked for, and say how long it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ledger")
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--each", type=int, default=250)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=2025)
    parser.add_argument("--reports", action="store_true")
    asked = parser.parse_args()
    create_ledger(address_of(asked.ledger), clock=utc_now).close()
    start = time.monotonic()
    if asked.reports:
        logged_by_all(asked.ledger, asked.writers, asked.each)
        untold = 0
    else:
        writers = (
            killed_at_random(asked.ledger, writers=asked.writers, kills=asked.kills, seed=asked.seed)
            if asked.kills
            else written_by_all(asked.ledger, writers=asked.writers, each=asked.each)
        )
        with open_ledger(address_of(asked.ledger), clock=utc_now) as ledger:
            untold = assert_nothing_is_lost(ledger, writers)
    took = time.monotonic() - start
    with open_ledger(address_of(asked.ledger), clock=utc_now) as ledger:
        print(f"{ledger.head().entries} entries in {took:.1f} s, {untold} kept that nobody was told of; nothing lost")


if __name__ == "__main__":
    main()
