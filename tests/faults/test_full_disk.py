"""A disk without room: refused in one line, nothing half-written, and the ledger goes on when there is room again."""

import json
from pathlib import Path

import pytest

from indicators.clock import utc_now
from indicators.ledger_postgres import (
    LedgerDamagedError,
    LedgerFullError,
    PostgresLedgerError,
    create_ledger,
    open_ledger,
)
from tests.contracts import clock_at, draft, five_entries, record
from tests.faults.full_disk import ROOMS
from tests.machine import on_a_small_disk
from tests.postgres import by_hand


def test_commands_on_a_disk_with_less_and_less_room(tmp_path: Path) -> None:
    tried = [
        json.loads(line) for line in on_a_small_disk("tests.faults.full_disk", tmp_path, kilobytes=2000).splitlines()
    ]
    assert len(tried) == 2 * len(ROOMS)
    for each in tried:
        assert each["files"] == ["filler", "forecast.db", "port.yaml", "rows.csv"]
        if each["code"] == 0:
            assert each["written"] == 1, each
        else:
            assert (each["code"], each["out"], each["written"]) == (2, "", 0), each
            assert (
                each["err"] == "error: forecast.db: the disk is full; nothing was written; make room, then try again\n"
            )
        assert each["verify"] == 0
        assert each["afterwards"] == [0, 1, 0]
    assert [each["code"] for each in tried if each["room"] == 0] == [2, 2]
    assert [each["code"] for each in tried if each["command"] == "import"] == [2] * len(ROOMS)
    assert tried[-2]["code"] == 0


@pytest.mark.parametrize(
    ("code", "kind", "phrase"),
    [
        ("53100", LedgerFullError, "the server's disk is full; nothing was written; make room there"),
        ("58030", LedgerDamagedError, "the server finds the ledger's files damaged"),
        ("53200", PostgresLedgerError, "the server could not do what was asked; nothing was written"),
    ],
)
@pytest.mark.parametrize("count", [1, 1200])
def test_a_server_without_room_takes_nothing_of_a_batch(
    database: str, code: str, kind: type[PostgresLedgerError], phrase: str, count: int
) -> None:
    with create_ledger(database, clock=clock_at(*range(5))) as ledger:
        five_entries(ledger)
    by_hand(
        database,
        "CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$BEGIN RAISE EXCEPTION 'KANARIA' USING ERRCODE = '{code}'; END$$",
        f"CREATE TRIGGER trap BEFORE INSERT ON entry FOR EACH ROW WHEN (NEW.seq = {count + 5}) EXECUTE FUNCTION trap()",
    )
    with open_ledger(database, clock=utc_now) as ledger:
        with pytest.raises(kind, match=phrase) as caught:
            record(ledger, *[draft(n) for n in range(count)])
        assert "KANARIA" not in str(caught.value)
        assert ledger.head().entries == 5
        by_hand(database, "DROP FUNCTION trap CASCADE")
        assert [entry.seq for entry in record(ledger, draft(6))] == [6]
        assert ledger.verify() is None
