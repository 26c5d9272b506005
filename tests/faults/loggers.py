"""Processes that log reports on a study, each of which is checked against all that are there."""

from __future__ import annotations

import multiprocessing

from indicators.address import address_of
from indicators.clock import utc_now
from indicators.opening import open_ledger
from tests import small

__all__ = ["logged_by_all"]


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
