"""Files that are damaged, locked, read-only or no ledgers: every command says so in one line and writes nothing."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from indicators import ledger_sqlite
from indicators.clock import utc_now
from indicators.ledger_sqlite import open_ledger
from tests.commands import REPORT, Commands
from tests.contracts import draft, record
from tests.machine import as_a_plain_user

DB = "forecast.db"
READING: tuple[tuple[str, ...], ...] = (
    ("status",),
    ("evidence",),
    ("export",),
    ("explain",),
    ("study", "list"),
    ("verify",),
    ("dump",),
)
QUICK: tuple[tuple[str, ...], ...] = (("status",), ("evidence",), ("verify",), ("dump",))
WRITING: tuple[tuple[str, ...], ...] = (
    REPORT,
    ("study", "add", "port.yaml"),
    ("import", "rows.csv"),
    ("retract", "e2", "--why", "wrong"),
)
PAGE = 4096


@pytest.fixture
def ledger(commands: Commands, tmp_path: Path) -> Path:
    """A ledger of a study and 600 reports in many pages, and a file of reports to import."""
    rows = ["indicator,observed,count,ref,note", *(f"talks,2024-02-01,1,r{n},{'x' * 200}" for n in range(600))]
    (tmp_path / "many.csv").write_text("\n".join(rows))
    (tmp_path / "rows.csv").write_text("indicator,observed,count,ref\ntalks,2024-02-02,1,new\n")
    shutil.copyfile(_made(commands), tmp_path / DB)
    return tmp_path / DB


_kept: dict[str, bytes] = {}


def _made(commands: Commands) -> Path:
    """The ledger, made once."""
    path = commands.folder / "made.db"
    if not _kept:
        commands.seven_entries(path)
        commands.done("import", "many.csv", "--ledger", path)
        _kept["ledger"], _kept["study"] = path.read_bytes(), (commands.folder / "port.yaml").read_bytes()
    path.write_bytes(_kept["ledger"])
    (commands.folder / "port.yaml").write_bytes(_kept["study"])
    return path


@pytest.fixture
def short(commands: Commands, ledger: Path) -> Path:
    """A ledger of seven entries, in the same place."""
    ledger.unlink()
    commands.seven_entries(ledger)
    return ledger


def everything_is_refused(commands: Commands, path: Path, phrase: str) -> None:
    """Every command but `verify` refuses in one line, and the file is as it was."""
    before = path.read_bytes() if path.is_file() else b""
    for arguments in (*READING, *WRITING):
        if arguments != ("verify",):
            commands(*arguments, "--ledger", path.name).is_refused(path.name, phrase)
    assert (path.read_bytes() if path.is_file() else b"") == before


NO_LEDGERS: dict[str, Callable[[Path], object]] = {
    "text": lambda path: path.write_text("a text\n" * 1000),
    "empty": lambda path: path.write_bytes(b""),
    "zeros": lambda path: path.write_bytes(bytes(8 * PAGE)),
    "picture": lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40),
    "folder": lambda path: path.mkdir(),
}


@pytest.mark.parametrize("name", NO_LEDGERS)
def test_what_is_no_ledger_is_refused_by_every_command(commands: Commands, ledger: Path, name: str) -> None:
    other = ledger.with_name("other.db")
    NO_LEDGERS[name](other)
    everything_is_refused(commands, other, "this is not a ledger")
    commands("verify", "--ledger", "other.db").is_refused("other.db: this is not a ledger")


def test_another_programs_database_is_refused_by_every_command(commands: Commands, ledger: Path) -> None:
    other = ledger.with_name("other.db")
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE entry (secret TEXT)")
    everything_is_refused(commands, other, "this is not a ledger")
    commands("init", "new", "--ledger", "other.db").is_refused("other.db: this is not a ledger")


@pytest.mark.parametrize(("version", "age"), [(0, "an older"), (7, "a newer")])
def test_a_ledger_of_another_version_is_refused_with_the_mend(
    commands: Commands, ledger: Path, version: int, age: str
) -> None:
    with closing(sqlite3.connect(ledger)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    everything_is_refused(commands, ledger, f"was written by {age} watchfloor: its schema is {version}, this program")


def test_a_locked_ledger_is_told_and_awaited_no_longer(
    commands: Commands, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ledger_sqlite.BUSY_SECONDS <= 30
    monkeypatch.setattr(ledger_sqlite, "BUSY_SECONDS", 0.0)
    with closing(sqlite3.connect(short, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        phrase = "the ledger was locked by another program for 0 s; nothing was written; close the program that holds"
        everything_is_refused(commands, short, phrase)
        commands("verify").is_refused(phrase)
        other.execute("ROLLBACK")
        other.execute("BEGIN IMMEDIATE")
        for arguments in QUICK:
            commands.done(*arguments)
        for changing in (REPORT, ("import", "rows.csv")):
            commands(*changing).is_refused(phrase)
    commands.done(*REPORT)


def test_a_read_only_ledger_is_read_and_not_written(
    commands: Commands, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = short.read_bytes()
    for arguments in (*QUICK, *WRITING):  # what they import, a plain user may perhaps not read
        commands.done(*arguments)
    changing = (
        REPORT,
        ("retract", "e2", "--why", "wrong"),
        ("cover", "talks", "--from", "2024-01-05", "--to", "2024-01-06"),
    )
    with as_a_plain_user(short.parent) as folder:
        monkeypatch.chdir(folder)
        path = folder / "plain.db"
        path.write_bytes(content)
        path.chmod(0o444)
        for arguments in QUICK:
            commands.done(*arguments, "--ledger", path)
        for arguments in changing:
            commands(*arguments, "--ledger", path).is_refused("the ledger is read-only; nothing was written")
        path.chmod(0o644)
        folder.chmod(0o555)
        try:
            commands(*REPORT, "--ledger", path).is_refused("the ledger is read-only; nothing was written; allow")
            commands.done("verify", "--ledger", path)
        finally:
            folder.chmod(0o755)
        assert path.read_bytes() == content
        monkeypatch.undo()


@pytest.mark.parametrize("which", [0.3, 0.6, 0.9])
def test_a_corrupt_page_is_named_by_its_first_entry(commands: Commands, ledger: Path, which: float) -> None:
    content = bytearray(ledger.read_bytes())
    seq = int(600 * which)
    with open_ledger(ledger, clock=utc_now) as book:
        own_hash = next(book.entries(after=seq - 1)).hash.encode()
    row = content.index(own_hash, content.index(f'"ref":"r{seq - 8}"'.encode()))
    page = row // PAGE * PAGE
    content[page : page + PAGE] = b"\xff" * PAGE
    ledger.write_bytes(content)
    result = commands("verify")
    assert (result.code, result.err) == (1, "")
    found = re.fullmatch(r"entry (\d+): it cannot be read; the file is damaged from here on\n", result.out)
    assert found
    assert seq - 20 < int(found[1]) <= seq
    assert commands("verify", "--json").json["ok"] is False
    for arguments in (("status",), ("evidence",), ("export",), REPORT, ("import", "rows.csv")):
        commands(*arguments).is_refused("forecast.db: ", "damaged", "forecast verify")
    assert ledger.read_bytes() == bytes(content)


@pytest.mark.parametrize("share", [0.0001, 0.02, 0.2, 0.5, 0.8, 0.99])
def test_a_truncated_file_is_told(commands: Commands, ledger: Path, share: float) -> None:
    os.truncate(ledger, int(ledger.stat().st_size * share))
    before = ledger.read_bytes()
    result = commands("verify")
    assert result.code in (1, 2)
    assert re.search("damaged|this is not a ledger", result.out + result.err)
    assert len((result.out + result.err).splitlines()) == 1
    for arguments in (REPORT, ("import", "rows.csv")):
        commands(*arguments).is_refused("forecast.db: ")
    assert ledger.read_bytes() == before


def cut_short(ledger: Path, *, to: Path, cache: int) -> None:
    """Copy a ledger and its journal while another program is in the middle of a long append."""
    with closing(sqlite3.connect(ledger, isolation_level=None)) as other:
        other.execute(f"PRAGMA cache_size = {cache}")
        other.execute("BEGIN IMMEDIATE")
        seq, last = other.execute("SELECT seq, hash FROM entry ORDER BY seq DESC LIMIT 1").fetchone()
        for n in range(seq + 1, seq + 200):
            moment, payload = "2099-01-01T00:00:00.000000Z", '{"text":"' + "x" * 1000 + '"}'
            row = (n, f"e{n}", moment, "eve", "port", "evidence", payload, last, last := f"{n:064d}")
            other.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        to.mkdir()
        for name in (ledger.name, f"{ledger.name}-journal"):
            shutil.copy(ledger.with_name(name), to / name)
        other.execute("ROLLBACK")


def test_a_cut_append_is_undone_with_its_journal_and_found_without(commands: Commands, ledger: Path) -> None:
    head = commands.head(ledger)
    cut = ledger.with_name("cut")
    cut_short(ledger, to=cut, cache=2)
    alone = ledger.with_name("alone.db")
    shutil.copy(cut / DB, alone)
    assert alone.read_bytes() != ledger.read_bytes()
    assert commands.head(cut / DB) == head
    commands.done(*REPORT, "--ledger", cut / DB)
    result = commands("verify", "--ledger", alone, "--head", head)
    assert result.code in (1, 2)
    assert re.search(r"entry \d+: |damaged|no entry has the head", result.out + result.err)


@pytest.mark.parametrize("content", [b"", b"x" * 5000, bytes(5000)])
def test_a_journal_of_something_else_harms_nothing(commands: Commands, ledger: Path, content: bytes) -> None:
    head = commands.head(ledger)
    ledger.with_name(f"{DB}-journal").write_bytes(content)
    assert commands.head(ledger) == head
    commands.done(*REPORT)


def test_a_missing_write_ahead_log_shows_in_the_head(commands: Commands, ledger: Path) -> None:
    older = commands.head(ledger)
    with closing(sqlite3.connect(ledger, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("PRAGMA wal_autocheckpoint = 0")
        with open_ledger(ledger, clock=utc_now) as book:
            row = book._run("SELECT * FROM entry ORDER BY seq DESC LIMIT 1")[0]
        other.execute("BEGIN IMMEDIATE")
        values = (row[0] + 1, f"e{row[0] + 1}", row[2], *row[3:7], row[8], "f" * 64)
        other.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        other.execute("COMMIT")
        alone = ledger.with_name("alone.db")
        shutil.copy(ledger, alone)
    result = commands("verify", "--ledger", alone, "--head", "f" * 64)
    assert (result.code, result.out.partition("; ")[0]) == (1, f"no entry has the head {'f' * 64}")
    assert commands.head(alone) == older
    commands.done(*REPORT, "--ledger", alone)
    assert sorted(ledger.parent.glob("alone.db*")) == [alone]


def test_a_ledger_that_went_away_under_a_command_is_told(commands: Commands, ledger: Path) -> None:
    with open_ledger(ledger, clock=utc_now) as book:
        ledger.unlink()
        with pytest.raises(ledger_sqlite.SqliteLedgerError, match="nothing was written"):
            record(book, draft())
    commands("status", "--ledger", DB).is_refused("there is no ledger here; make one with forecast init")
