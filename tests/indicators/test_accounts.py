"""Accounts and blind rounds in a ledger's file; the hash of a password; what an older ledger gets of them."""

import re
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from indicators import accounts as accounts_room
from indicators import ledger_sqlite
from indicators.accounts import Accounts, Hashing, sound_password
from indicators.clock import utc_now
from indicators.ledger_sqlite import LedgerMissingError, LedgerReadOnlyError, LedgerVersionError, NotALedgerError
from indicators.opening import HashingMissingError, create_ledger, open_accounts, open_ledger
from indicators.password import Argon2id
from indicators.transfer import copied
from tests.account_contracts import CHEAP, DATED, ROWS, SECRET, AccountsContract, asked, minutes, with_people
from tests.contracts import five_entries


def by_hand(path: Path, statement: str) -> list[tuple[Any, ...]]:
    """What a statement gives when another program runs it."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a ledger of five entries."""
    with create_ledger(tmp_path / "forecast.db", clock=utc_now) as ledger:
        five_entries(ledger)
    return tmp_path / "forecast.db"


def opened(path: Path, hashing: Hashing = CHEAP) -> Accounts:
    return open_accounts(path, clock=minutes(), hashing=hashing)


def with_everything(accounts: Accounts) -> Accounts:
    """Accounts with people, a round that is done and one that is blind."""
    with_people(accounts, lee="lead", ana="analyst", bo="analyst")
    for person in ("ana", "bo"):
        accounts.give(1 if person == "bo" else asked(accounts), person, ROWS)
    accounts.give(asked(accounts), "ana", ROWS)
    return accounts


class TestSqlite(AccountsContract):
    """The contract, kept in a file."""

    @pytest.fixture
    def place(self, path: Path) -> Path:
        return path

    def open(self, place: Any, hashing: Hashing) -> Accounts:
        return opened(place, hashing)

    def by_hand(self, place: Any, statement: str) -> list[tuple[Any, ...]]:
        return by_hand(place, statement)


def test_there_are_no_accounts_without_a_ledger(tmp_path: Path) -> None:
    with pytest.raises(LedgerMissingError, match="make one with forecast init"):
        opened(tmp_path / "none.db")
    (tmp_path / "text.db").write_text("a text")
    with pytest.raises(NotALedgerError):
        opened(tmp_path / "text.db")
    assert not (tmp_path / "none.db").exists()


def test_an_older_ledger_gets_the_tables_by_being_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "forecast.db"
    with monkeypatch.context() as older:
        older.setattr(ledger_sqlite, "SCHEMA_STEPS", ledger_sqlite.SCHEMA_STEPS[:1])
        with create_ledger(path, clock=utc_now) as ledger:
            five_entries(ledger)
            head = ledger.head()
    for attempt in (lambda: opened(path), lambda: open_ledger(path, clock=utc_now)):
        with pytest.raises(LedgerVersionError, match=r"an older watchfloor.*run forecast init there to bring it up to"):
            attempt()
    create_ledger(path, clock=utc_now).close()
    with opened(path) as accounts, open_ledger(path, clock=utc_now) as ledger:
        with_everything(accounts)
        assert ledger.head() == head
        assert ledger.verify() is None
        assert len(five_entries(ledger)) == 5


def test_the_chain_knows_nothing_of_accounts(path: Path) -> None:
    with open_ledger(path, clock=utc_now) as ledger, opened(path) as accounts:
        head = ledger.head()
        with_everything(accounts)
        assert ledger.head() == head
        assert ledger.verify() is None
        assert len(list(ledger.entries())) == 5


def test_a_copy_has_the_entries_and_no_account(path: Path, tmp_path: Path) -> None:
    with opened(path) as accounts:
        with_everything(accounts)
    with open_ledger(path, clock=utc_now) as source, create_ledger(tmp_path / "copy.db", clock=utc_now) as target:
        copied(source.entries(), target, where="copy.db")
        assert target.head() == source.head()
    with opened(tmp_path / "copy.db") as accounts:
        assert accounts.accounts() == []
        assert accounts.rounds("port") == []
    content = (tmp_path / "copy.db").read_bytes()
    assert b"argon2id" not in content
    assert b"calm" not in content


def test_who_may_only_read_the_file_may_still_sign_in(path: Path) -> None:
    """A hash of older parameters then stays as it is."""
    with opened(path, DATED) as older:
        with_people(older, ana="lead")
    with opened(path) as accounts:
        accounts._tables.query("PRAGMA query_only = ON", {})  # type: ignore[attr-defined]
        assert accounts.checked("ana", SECRET) == accounts.account("ana")
        with pytest.raises(LedgerReadOnlyError):
            accounts.set_role("ana", "lead")
    assert "t=2" in by_hand(path, "SELECT password FROM account")[0][0]


def test_where_nothing_hashes_passwords_the_extra_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "indicators.password", None)
    with pytest.raises(HashingMissingError, match=r"pip install 'watchfloor\[web\]'"):
        open_accounts(path, clock=utc_now)
    with opened(path) as accounts:
        assert accounts.accounts() == []


def test_what_is_kept_says_the_low_memory_parameters_of_rfc_9106(path: Path) -> None:
    with open_accounts(path, clock=utc_now) as accounts:
        accounts.add("ana", "lead", SECRET)
    [(kept,)] = by_hand(path, "SELECT password FROM account")
    # RFC 9106, section 4, second recommendation: t=3, p=4, m=2^16 KiB, 128-bit salt, 256-bit tag.
    assert re.fullmatch(r"\$argon2id\$v=19\$m=65536,t=3,p=4\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}", kept)


def test_nobodys_hash_costs_as_much_as_any() -> None:
    usual = Argon2id()
    assert usual.nobodys.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert not usual.is_dated(usual.nobodys)
    for hashing in (CHEAP, DATED):
        assert len(hashing.nobodys) == len(hashing.hashed(SECRET))
        assert not hashing.is_dated(hashing.nobodys)
        assert not hashing.fits("", hashing.nobodys)


def test_a_password_fits_its_own_hash_alone() -> None:
    for password in (SECRET, "", "\ud800\udfff", "\0", "日本" * 500):
        kept = CHEAP.hashed(password)
        assert CHEAP.fits(password, kept)
        assert DATED.fits(password, kept)
        assert not CHEAP.fits(password + " ", kept)
        assert (CHEAP.is_dated(kept), DATED.is_dated(kept)) == (False, True)
    assert not CHEAP.fits(SECRET, "")
    assert not CHEAP.fits(SECRET, SECRET)


def test_the_common_passwords_are_all_refused_for_that() -> None:
    common = accounts_room._COMMON_PASSWORDS
    assert len(set(common)) == len(common) > 80
    for password in common:
        with pytest.raises(accounts_room.BadPasswordError, match="most common"):
            sound_password(password, name="ana")


def test_accounts_may_be_closed_twice(path: Path) -> None:
    with opened(path) as accounts:
        accounts.close()
