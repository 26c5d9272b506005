"""The ledger at an address is opened or made with the driver that it needs."""

import sys
from pathlib import Path

import pytest

import indicators
from indicators.address import DatabaseAddress, address_of
from indicators.clock import utc_now
from indicators.ledger import LedgerError
from indicators.ledger_postgres import PostgresLedger
from indicators.ledger_sqlite import SqliteLedger
from indicators.opening import DriverMissingError, create_ledger, open_ledger, open_or_create_ledger, refuse_other
from tests.contracts import five_entries
from tests.postgres import by_hand


@pytest.fixture(params=["file", "database"])
def name(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A name under which there is no ledger yet."""
    return str(tmp_path / "forecast.db") if request.param == "file" else request.getfixturevalue("database")


def test_a_ledger_is_made_opened_and_of_its_kind(name: str) -> None:
    address = address_of(name)
    kind = PostgresLedger if isinstance(address, DatabaseAddress) else SqliteLedger
    with pytest.raises(LedgerError, match="there is no ledger"):
        open_ledger(address, clock=utc_now)
    with create_ledger(address, clock=utc_now) as ledger:
        assert isinstance(ledger, kind)
        five_entries(ledger)
        head = ledger.head()
    for opener in (open_ledger, create_ledger):
        with opener(address, clock=utc_now) as ledger:
            assert isinstance(ledger, kind)
            assert ledger.head() == head


def test_a_ledger_is_made_only_where_there_is_none(name: str) -> None:
    for is_new in (True, False):
        ledger, is_made = open_or_create_ledger(address_of(name), clock=utc_now)
        ledger.close()
        assert is_made is is_new


def test_only_what_is_something_else_is_refused_beforehand(name: str, tmp_path: Path) -> None:
    address = address_of(name)
    refuse_other(address, clock=utc_now)
    if isinstance(address, DatabaseAddress):
        by_hand(name, "CREATE SCHEMA watchfloor", "CREATE TABLE watchfloor.bookmarks (url text)")
    else:
        address.touch()
        refuse_other(address, clock=utc_now)
        address.write_text("a text")
    with pytest.raises(LedgerError, match="not a ledger"):
        refuse_other(address, clock=utc_now)


def test_a_ledger_that_is_there_is_not_refused_beforehand(name: str) -> None:
    create_ledger(address_of(name), clock=utc_now).close()
    refuse_other(address_of(name), clock=utc_now)


def test_without_the_driver_the_mend_is_told_and_files_need_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "indicators.ledger_postgres")
    monkeypatch.delattr(indicators, "ledger_postgres")
    with pytest.raises(DriverMissingError, match=r"pip install 'watchfloor\[postgres\]'") as caught:
        open_ledger(DatabaseAddress("postgresql://ana:hush@db/team"), clock=utc_now)
    assert str(caught.value).startswith("postgresql://ana@db/team: the driver for PostgreSQL")
    create_ledger(tmp_path / "forecast.db", clock=utc_now).close()
