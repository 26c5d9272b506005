"""Many writers at once, and writers killed at any moment: nothing acknowledged is lost, nothing is there twice."""

from pathlib import Path

import pytest

from indicators.address import address_of
from indicators.clock import utc_now
from indicators.opening import create_ledger, open_ledger
from tests.contracts import draft, record
from tests.faults.writers import assert_nothing_is_lost, killed_at_random, written_by_all


@pytest.fixture(params=["file", "database"])
def name(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The name of an empty ledger, on either backend."""
    name = str(tmp_path / "forecast.db") if request.param == "file" else str(request.getfixturevalue("database"))
    create_ledger(address_of(name), clock=utc_now).close()
    return name


def test_eight_writers_of_250_entries_each(name: str) -> None:
    writers = written_by_all(name, writers=8, each=250)
    with open_ledger(address_of(name), clock=utc_now) as ledger:
        assert assert_nothing_is_lost(ledger, writers) == 0
        assert ledger.head().entries == 2000


def test_writers_killed_two_hundred_times(name: str) -> None:
    writers = killed_at_random(name, writers=4, kills=200, seed=2025)
    with open_ledger(address_of(name), clock=utc_now) as ledger:
        assert_nothing_is_lost(ledger, writers)
        [entry] = record(ledger, draft())
        assert ledger.verify() is None
        assert ledger.head().hash == entry.hash
