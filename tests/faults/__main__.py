"""The trials of `test_many_writers` at any length, on a ledger of one's own: `python -m tests.faults LEDGER`.

LEDGER is a new file, or the URL of a database without a ledger. With `--reports` the writers log reports on a study, so
that each is checked against all that are there, which takes far longer than an append alone.
"""

from __future__ import annotations

import argparse
import time

from indicators.address import address_of
from indicators.clock import utc_now
from indicators.opening import create_ledger, open_ledger
from tests.faults.loggers import logged_by_all
from tests.faults.writers import assert_nothing_is_lost, killed_at_random, written_by_all


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
