"""The ledger's promise kept in one SQLite file.

A rollback journal with synchronous=EXTRA, because that survives a cut of power and because the write-ahead log of
SQLite before 3.51.3 can corrupt a file that two connections write. Each append is one immediate transaction: no other
writer gets between the decision and its record. Reading takes short transactions, a few hundred entries at a time, and
never writes, but that SQLite undoes an append that was cut short for the first to look. Triggers refuse what is not an
append to every program that opens the file; they stop accidents, and `verify` finds the rest.

This room makes no copies, and it tells nobody what SQLite said: that may quote the content of a damaged file.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from indicators.days import moment_text
from indicators.entry import FIRST_PREV, Entry, entry_of_row, fits_its_hash, row_of_entry
from indicators.ledger import (
    NOT_AS_WRITTEN,
    ChainFault,
    Clock,
    Decide,
    Head,
    Ledger,
    LedgerError,
    NestedAppendError,
    chain_fault,
    following,
    sealed_batch,
    sealed_rows,
)

__all__ = [
    "DamagedEntryError",
    "LedgerAccessError",
    "LedgerAlteredError",
    "LedgerDamagedError",
    "LedgerDiskError",
    "LedgerFullError",
    "LedgerLockedError",
    "LedgerMissingError",
    "LedgerMovedError",
    "LedgerReadOnlyError",
    "LedgerVersionError",
    "NotALedgerError",
    "SqliteLedger",
    "SqliteLedgerError",
    "SqliteTooOldError",
    "create_ledger",
    "open_ledger",
]

BUSY_SECONDS = 30.0
CHUNK_ENTRIES = 200
CHUNK_ROWS = 1_000
APPLICATION_ID = 0x57466C67
"""`WFlg`: what the header of a ledger's file says."""

OLDEST_SQLITE = (3, 37, 0)
"""The first with STRICT tables."""

_LARGEST_SEQ = 2**63 - 1

# None of these writes to the file. The journal's mode is asked for where something is written.
_PRAGMAS = (
    "PRAGMA synchronous = EXTRA",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA recursive_triggers = ON",
    "PRAGMA cell_size_check = ON",
    "PRAGMA mmap_size = 0",
    # In KiB. Hashes come in no order, and their indexes are read and written all over while many entries are added.
    "PRAGMA cache_size = -65536",
)

# Released steps are never edited, not even in their blanks: `verify` compares a file with them to the letter. A later
# step is a further tuple, and only adds (a table made anew would lose its triggers). `kind` is not held to a list, so
# that a kind can be added without making the table anew.
SCHEMA_STEPS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE entry (
  seq INTEGER PRIMARY KEY CHECK (seq >= 1),
  id TEXT NOT NULL UNIQUE CHECK (id = 'e' || seq),
  recorded_at TEXT NOT NULL CHECK (length(recorded_at) = 27),
  author TEXT NOT NULL CHECK (author <> ''),
  study TEXT NOT NULL CHECK (study <> ''),
  kind TEXT NOT NULL CHECK (kind <> ''),
  payload TEXT NOT NULL CHECK (payload LIKE '{%}'),
  prev TEXT NOT NULL UNIQUE CHECK (length(prev) = 64),
  hash TEXT NOT NULL UNIQUE CHECK (length(hash) = 64)
) STRICT""",
        "CREATE INDEX entry_by_study ON entry (study, seq)",
        """CREATE TRIGGER entry_is_never_updated BEFORE UPDATE ON entry BEGIN
  SELECT RAISE(ABORT, 'the ledger is append-only: no entry is updated');
END""",
        """CREATE TRIGGER entry_is_never_deleted BEFORE DELETE ON entry BEGIN
  SELECT RAISE(ABORT, 'the ledger is append-only: no entry is deleted');
END""",
        """CREATE TRIGGER entry_follows_the_last BEFORE INSERT ON entry BEGIN
  SELECT RAISE(ABORT, 'the ledger is append-only: no entry is replaced') WHERE EXISTS (
    SELECT 1 FROM entry WHERE seq = NEW.seq OR id = NEW.id OR prev = NEW.prev OR hash = NEW.hash
  );
  SELECT RAISE(ABORT, 'the ledger is append-only: an entry follows the last') WHERE
    NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM entry)
    OR NEW.prev IS NOT coalesce(
      (SELECT hash FROM entry ORDER BY seq DESC LIMIT 1),
      '0000000000000000000000000000000000000000000000000000000000000000'
    )
    OR NEW.recorded_at < (SELECT recorded_at FROM entry ORDER BY seq DESC LIMIT 1);
END""",
        "PRAGMA application_id = 1464233063",
    ),
    (
        """CREATE TABLE account (
  name TEXT NOT NULL PRIMARY KEY CHECK (name <> ''),
  folded TEXT NOT NULL UNIQUE CHECK (folded <> ''),
  role TEXT NOT NULL CHECK (role <> ''),
  password TEXT NOT NULL CHECK (password <> ''),
  password_set_at TEXT NOT NULL CHECK (length(password_set_at) = 27),
  added_at TEXT NOT NULL CHECK (length(added_at) = 27),
  closed_at TEXT CHECK (length(closed_at) = 27)
) STRICT""",
        """CREATE TABLE round (
  id INTEGER PRIMARY KEY CHECK (id >= 1),
  study TEXT NOT NULL CHECK (study <> ''),
  indicator TEXT NOT NULL CHECK (indicator <> ''),
  revision TEXT NOT NULL CHECK (revision <> ''),
  opened_by TEXT NOT NULL CHECK (opened_by <> ''),
  opened_at TEXT NOT NULL CHECK (length(opened_at) = 27),
  closed_at TEXT CHECK (length(closed_at) = 27)
) STRICT""",
        "CREATE INDEX round_by_study ON round (study, id)",
        "CREATE UNIQUE INDEX round_open_on_indicator ON round (study, indicator) WHERE closed_at IS NULL",
        """CREATE TABLE judgement (
  round INTEGER NOT NULL CHECK (round >= 1),
  person TEXT NOT NULL CHECK (person <> ''),
  given TEXT CHECK (given LIKE '{%}'),
  given_at TEXT CHECK (length(given_at) = 27),
  PRIMARY KEY (round, person),
  CHECK ((given IS NULL) = (given_at IS NULL))
) STRICT""",
    ),
)

_INSERT = (
    "INSERT INTO entry (seq, id, recorded_at, author, study, kind, payload, prev, hash)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_SELECT = "SELECT seq, id, recorded_at, author, study, kind, payload, prev, hash FROM entry"
_SELECT_LAST = f"{_SELECT} ORDER BY seq DESC LIMIT 1"
_SELECT_HEAD = "SELECT seq, hash FROM entry WHERE :until IS NULL OR recorded_at <= :until ORDER BY seq DESC LIMIT 1"
# From one study to the next along the index: grouping would go through the index of a million entries to name one.
_SELECT_STUDIES = (
    "WITH RECURSIVE found (study) AS (SELECT min(study) FROM entry UNION ALL"
    " SELECT (SELECT min(study) FROM entry WHERE study > found.study) FROM found WHERE study IS NOT NULL)"
    " SELECT entry.study FROM found, entry WHERE entry.seq = (SELECT min(seq) FROM entry WHERE study = found.study)"
    " AND (:until IS NULL OR recorded_at <= :until) ORDER BY seq"
)
_RANGE = "seq > :after AND seq <= :through AND (:until IS NULL OR recorded_at <= :until) ORDER BY seq LIMIT :limit"
_SELECT_RANGE = f"{_SELECT} WHERE {_RANGE}"
_SELECT_RANGE_OF_STUDY = f"{_SELECT} WHERE study = :study AND {_RANGE}"
# What ANALYZE leaves behind is no part of the ledger and no fault in it.
_SELECT_SCHEMA = "SELECT name, type, tbl_name, sql FROM sqlite_schema WHERE substr(name, 1, 11) <> 'sqlite_stat'"

Row = tuple[Any, ...]
T = TypeVar("T")


class SqliteLedgerError(LedgerError):
    """Base of what can go wrong with a ledger's file."""

    WHAT: ClassVar[str] = "SQLite could not do what was asked; nothing was written"
    MEND: ClassVar[str] = "run forecast verify"

    def __init__(self, path: Path) -> None:
        super().__init__(self.WHAT, where=str(path), mend=self.MEND)


class SqliteTooOldError(LedgerError):
    """The SQLite that Python was built with lacks what a ledger's tables need."""

    def __init__(self) -> None:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        what = f"this Python has SQLite {sqlite3.sqlite_version}, and a ledger needs {oldest} or newer"
        super().__init__(what, mend="use a newer Python")


class LedgerMissingError(SqliteLedgerError):
    """There is no file of that name."""

    WHAT = "there is no ledger here"
    MEND = "make one with forecast init, or name another with --ledger"


class NotALedgerError(SqliteLedgerError):
    """The file is something else: a folder, a text, another program's database, or empty."""

    WHAT = "this is not a ledger"
    MEND = "name another file with --ledger, or make a ledger with forecast init under a name that is free"


class LedgerVersionError(SqliteLedgerError):
    """The file has another schema than this program knows.

    Attributes
    ----------
    version : int
        Of the file, counted in schema steps.
    """

    def __init__(self, path: Path, version: int) -> None:
        self.version = version
        known = len(SCHEMA_STEPS)
        if version > known:
            age, mend = "a newer", "update watchfloor"
        else:
            age, mend = "an older", "run forecast init there to bring it up to date"
        what = f"the ledger was written by {age} watchfloor: its schema is {version}, this program knows {known}"
        LedgerError.__init__(self, what, where=str(path), mend=mend)


class LedgerAccessError(SqliteLedgerError):
    """The file or its journal cannot be opened."""

    WHAT = "the ledger or its journal cannot be opened; nothing was written"
    MEND = "look whether its folder exists and whether you may read and write both"


class LedgerReadOnlyError(SqliteLedgerError):
    """The file may be read and not written."""

    WHAT = "the ledger is read-only; nothing was written"
    MEND = "allow yourself to write to the file and to its folder"


class LedgerMovedError(SqliteLedgerError):
    """The file was moved or replaced while it was open."""

    WHAT = "the file was moved or replaced while it was open; nothing was written"
    MEND = "open it again"


class LedgerLockedError(SqliteLedgerError):
    """Another program held the lock for longer than we wait."""

    MEND = "close the program that holds it, then try again"

    def __init__(self, path: Path) -> None:
        what = f"the ledger was locked by another program for {BUSY_SECONDS:g} s; nothing was written"
        LedgerError.__init__(self, what, where=str(path), mend=self.MEND)


class LedgerFullError(SqliteLedgerError):
    """There is no room on the disk."""

    WHAT = "the disk is full; nothing was written"
    MEND = "make room, then try again"


class LedgerDiskError(SqliteLedgerError):
    """The disk failed to read or write; the one failure after which it is not certain what was written."""

    WHAT = "the disk refused to read or write (I/O error)"
    MEND = "look at the disk, then run forecast verify to see whether the last entry was kept"


class LedgerDamagedError(SqliteLedgerError):
    """The file has pages that SQLite cannot make sense of."""

    WHAT = "the file is damaged"
    MEND = "run forecast verify, and go back to the last good copy"


class LedgerAlteredError(SqliteLedgerError):
    """The file is sound to SQLite, but its tables or rows are not as a ledger makes them."""

    WHAT = "the tables in the file are not as a ledger makes them; nothing was written"
    MEND = "run forecast verify, and go back to the last good copy"


class DamagedEntryError(LedgerDamagedError):
    """One entry cannot be what was recorded.

    Attributes
    ----------
    fault : ChainFault
        Its position and what is wrong with it.
    """

    def __init__(self, path: Path, fault: ChainFault) -> None:
        self.fault = fault
        LedgerError.__init__(self, str(fault), where=str(path), mend=self.MEND)


_BY_CODE: dict[int, type[SqliteLedgerError]] = {
    sqlite3.SQLITE_BUSY: LedgerLockedError,
    sqlite3.SQLITE_FULL: LedgerFullError,
    sqlite3.SQLITE_READONLY: LedgerReadOnlyError,
    sqlite3.SQLITE_READONLY_DBMOVED: LedgerMovedError,
    sqlite3.SQLITE_CANTOPEN: LedgerAccessError,
    sqlite3.SQLITE_PERM: LedgerAccessError,
    sqlite3.SQLITE_NOTADB: NotALedgerError,
    sqlite3.SQLITE_IOERR: LedgerDiskError,
    sqlite3.SQLITE_CORRUPT: LedgerDamagedError,
    sqlite3.SQLITE_ERROR: LedgerAlteredError,
    sqlite3.SQLITE_CONSTRAINT: LedgerAlteredError,
}


def create_ledger(path: Path, *, clock: Clock) -> SqliteLedger:
    """The ledger in a new file; or the one that the file is already, brought up to the newest schema.

    Parameters
    ----------
    path : Path
        A name that is free, in a folder that exists. An empty file counts as free: a start cut short leaves one.
    clock : callable
        The present moment, aware; read once for each batch.

    Raises
    ------
    NotALedgerError
        There is something else of that name; it is left as it is.
    LedgerVersionError
        There is a ledger of a newer schema.
    SqliteLedgerError
        The file cannot be made or opened; its subclass says why.
    """
    _refuse_what_sqlite_mistakes(path)
    connection = _connected(path, "rwc")
    with _closed_on_failure(connection), _in_our_words(path):
        _take_steps(connection, path)
        _check_is_current(connection, path)
    return SqliteLedger(connection, path, clock=clock)


def open_ledger(path: Path, *, clock: Clock) -> SqliteLedger:
    """The ledger in a file that is there; a file that may only be read will do for reading.

    Parameters
    ----------
    path : Path
        The file.
    clock : callable
        The present moment, aware; read once for each batch.

    Raises
    ------
    LedgerMissingError
        There is no such file.
    NotALedgerError
        The file is something else.
    LedgerVersionError
        The ledger has another schema than this program knows.
    SqliteLedgerError
        The file cannot be opened; its subclass says why.
    """
    _refuse_what_sqlite_mistakes(path)
    try:
        connection = _connected(path, "rw")
    except LedgerAccessError:
        if _is_missing(path):
            raise LedgerMissingError(path) from None
        raise
    with _closed_on_failure(connection), _in_our_words(path):
        _check_is_current(connection, path)
    return SqliteLedger(connection, path, clock=clock)


class SqliteLedger(Ledger):
    """A ledger in one SQLite file; `create_ledger` and `open_ledger` make it.

    It has one connection and is for the thread that made it. Several programs may have the same file open.

    Attributes
    ----------
    path : Path
        The file, as it was named.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path, *, clock: Clock) -> None:
        self._connection = connection
        self.path = path
        self._clock = clock

    def append(self, decide: Decide) -> list[Entry]:
        """See `Ledger.append`; raises a `SqliteLedgerError` when the file cannot take the batch."""
        with self._transaction():
            batch = sealed_batch(decide(self), last=self._last(), now=self._clock())
            self._insert(map(row_of_entry, batch))
        return batch

    def append_stream(self, decide: Decide) -> range:
        """See `Ledger.append_stream`; while it writes more than fits into SQLite's cache, nobody else can read."""
        with self._transaction():
            first = self.head().entries + 1
            self._insert(sealed_rows(decide(self), last=self._last(), now=self._clock()))
            return range(first, self.head().entries + 1)

    def restore(self, entries: Iterable[Entry]) -> Head:
        """See `Ledger.restore`; raises a `SqliteLedgerError` when the file cannot take the entries."""
        with self._transaction():
            self._insert(map(row_of_entry, following(entries, self._last())))
        return self.head()

    def entries(self, *, study: str | None = None, until: datetime | None = None, after: int = 0) -> Iterator[Entry]:
        """See `Ledger.entries`; raises `DamagedEntryError` at an entry that cannot be read."""
        through = self.head().entries
        limit = moment_text(until) if until else None
        for row in self._rows(study=study, until=limit, after=after, through=through):
            yield self._entry(row)

    def studies(self, *, until: datetime | None = None) -> list[str]:
        """See `Ledger.studies`."""
        return [study for (study,) in self._run(_SELECT_STUDIES, {"until": moment_text(until) if until else None})]

    def head(self, *, until: datetime | None = None) -> Head:
        """See `Ledger.head`."""
        rows = self._run(_SELECT_HEAD, {"until": moment_text(until) if until else None})
        if not rows:
            return Head(0, FIRST_PREV)
        seq, own_hash = rows[0]
        if not (isinstance(seq, int) and isinstance(own_hash, str)):
            raise LedgerAlteredError(self.path)
        return Head(seq, own_hash)

    def verify(self) -> ChainFault | None:
        """See `Ledger.verify`; also looks at the schema and lets SQLite look at every page.

        An entry that does not hold is named before anything that is not an entry.
        """
        try:
            return self._entry_fault() or self._schema_fault() or self._page_fault()
        except LedgerAlteredError as error:
            return self._schema_fault() or ChainFault(0, error.what)
        except LedgerDamagedError as error:
            return ChainFault(0, error.what)

    def close(self) -> None:
        """See `Ledger.close`."""
        self._connection.close()

    def query(self, statement: str, values: Mapping[str, object]) -> list[Row]:
        """What a statement gives; for the rooms that keep tables of their own beside the entries."""
        return self._run(statement, dict(values))

    def transact(self, work: Callable[[], T]) -> T:
        """What work on such tables gives, with no other writer in between; kept whole at the end, or nothing of it."""
        with self._transaction():
            return work()

    def _run(self, statement: str, values: Sequence[object] | dict[str, object] = ()) -> list[Row]:
        with _in_our_words(self.path):
            return self._connection.execute(statement, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """No other writer gets in between; all that is done within is kept at the end, or nothing on any failure."""
        if self._connection.in_transaction:
            raise NestedAppendError
        # Another program may have left the file in write-ahead mode, which is kept in the file.
        self._run("PRAGMA journal_mode = DELETE")
        self._run("BEGIN IMMEDIATE")
        try:
            with _in_our_words(self.path):
                _check_is_current(self._connection, self.path)
            yield
            self._run("COMMIT")
        except BaseException:
            _roll_back(self._connection)
            raise

    def _insert(self, rows: Iterable[Row]) -> None:
        # The rows are drawn outside our words, so that what their maker raises passes through as it is.
        left = iter(rows)
        while chunk := list(islice(left, CHUNK_ROWS)):
            with _in_our_words(self.path):
                self._connection.executemany(_INSERT, chunk)

    def _last(self) -> Entry | None:
        """The last entry, none when there is none; refused when it is damaged, as nothing may be built on it."""
        rows = self._run(_SELECT_LAST)
        if not rows:
            return None
        entry = self._entry(rows[0])
        if entry.id != f"e{entry.seq}" or not fits_its_hash(entry):
            what = "its content does not fit its hash, so nothing can follow it; nothing was written"
            raise DamagedEntryError(self.path, ChainFault(entry.seq, what))
        return entry

    def _rows(self, *, study: str | None, until: str | None, after: int, through: int) -> Iterator[Row]:
        """Rows in order; between two chunks the file is free, so that a slow reader holds up no writer."""
        while chunk := self._chunk(study=study, until=until, after=after, through=through):
            yield from chunk
            after = chunk[-1][0]

    def _chunk(self, *, study: str | None, until: str | None, after: int, through: int) -> list[Row]:
        """The next rows; before damage the sound ones come first, so that the next chunk fails at the damaged row."""
        statement = _SELECT_RANGE if study is None else _SELECT_RANGE_OF_STUDY
        values = {"study": study, "until": until, "after": after, "through": through, "limit": CHUNK_ENTRIES}
        rows: list[Row] = []
        try:
            with _in_our_words(self.path):
                for row in self._connection.execute(statement, values):
                    rows.append(row)
        except LedgerDamagedError:
            if not rows:
                raise
        return rows

    def _entry(self, row: Row) -> Entry:
        """The row as an entry; refused in any form but the one that is written."""
        entry = entry_of_row(row)
        if entry is None:
            if not isinstance(row[0], int):
                raise LedgerAlteredError(self.path)
            raise DamagedEntryError(self.path, ChainFault(row[0], NOT_AS_WRITTEN))
        return entry

    def _entry_fault(self) -> ChainFault | None:
        try:
            return chain_fault(self._every_entry())
        except DamagedEntryError as error:
            return error.fault

    def _every_entry(self) -> Iterator[Entry]:
        """Every entry, with any below the first position; raises `DamagedEntryError` at the first unreadable one."""
        seq = 0
        try:
            for row in self._rows(study=None, until=None, after=-_LARGEST_SEQ, through=_LARGEST_SEQ):
                entry = self._entry(row)
                seq = entry.seq
                yield entry
        except DamagedEntryError:
            raise
        except LedgerDamagedError:
            what = "it cannot be read; the file is damaged from here on"
            raise DamagedEntryError(self.path, ChainFault(seq + 1, what)) from None

    def _schema_fault(self) -> ChainFault | None:
        found = {tuple(row) for row in self._run(_SELECT_SCHEMA)}
        made = _schema_as_made()
        if made - found:
            name, kind, *_ = min(made - found, key=repr)
            is_there = any(row[0] == name for row in found)
            return ChainFault(0, f'the {kind} "{name}" is {"not as it was made" if is_there else "missing"}')
        if found != made:
            return ChainFault(0, "there are tables, indexes, triggers or views in it that a ledger does not have")
        return None

    def _page_fault(self) -> ChainFault | None:
        if self._run("PRAGMA integrity_check(1)") == [("ok",)]:
            return None
        return ChainFault(0, "every entry holds, but SQLite finds the file damaged (integrity_check)")


def _make_private(path: Path) -> None:
    """Make a file that is not there yet one that only its owner can read: what accounts keep stands in it too."""
    with suppress(OSError):  # SQLite says why in a moment
        path.touch(mode=0o600, exist_ok=False)


def _connected(path: Path, mode: str) -> sqlite3.Connection:
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise SqliteTooOldError
    if mode == "rwc":
        _make_private(path)
    address = f"{path.absolute().as_uri()}?mode={mode}"
    with _in_our_words(path):
        connection = sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    # Bytes that are not UTF-8 must reach us, as SQLite's driver would quote them in its error.
    connection.text_factory = functools.partial(str, encoding="utf-8", errors="surrogateescape")
    with _closed_on_failure(connection), _in_our_words(path):
        for pragma in _PRAGMAS:
            connection.execute(pragma)
    return connection


@contextmanager
def _closed_on_failure(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise


def _refuse_what_sqlite_mistakes(path: Path) -> None:
    """SQLite says of a folder only that it cannot be opened, and would write over a file of a single byte."""
    with suppress(OSError):
        if path.is_dir() or path.stat().st_size == 1:
            raise NotALedgerError(path)


def _is_missing(path: Path) -> bool:
    try:
        return not path.exists()
    except OSError:
        return False


def _check_is_current(connection: sqlite3.Connection, path: Path) -> None:
    if _number(connection, "application_id") != APPLICATION_ID:
        raise NotALedgerError(path)
    version = _number(connection, "user_version")
    if version != len(SCHEMA_STEPS):
        raise LedgerVersionError(path, version)


def _take_steps(connection: sqlite3.Connection, path: Path) -> None:
    """The schema steps that the file lacks, each in one transaction with the number that says it was taken."""
    for number, statements in enumerate(SCHEMA_STEPS, start=1):
        if _number(connection, "user_version") >= number:
            continue
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Only under the lock is it certain that no other program makes the file into something at this moment.
            if _number(connection, "user_version") < number:
                _check_may_become_ledger(connection, path)
                for statement in statements:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            _roll_back(connection)
            raise


def _check_may_become_ledger(connection: sqlite3.Connection, path: Path) -> None:
    if _number(connection, "application_id") == APPLICATION_ID:
        return
    is_empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)
    if not is_empty or _number(connection, "application_id") or _number(connection, "user_version"):
        raise NotALedgerError(path)


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def _roll_back(connection: sqlite3.Connection) -> None:
    """SQLite has often rolled back by itself, and the failure that led here is the one to tell."""
    if connection.in_transaction:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")


def _schema_as_made() -> set[Row]:
    """The schema of a new ledger, made in memory by the same steps."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for statements in SCHEMA_STEPS:
            for statement in statements:
                connection.execute(statement)
        return {tuple(row) for row in connection.execute(_SELECT_SCHEMA)}


@contextmanager
def _in_our_words(path: Path) -> Iterator[None]:
    """SQLite's errors as ours; what it says is kept back, as it may quote the content of a damaged file."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        if code is None:  # the driver's own: a mistake in this program
            raise
        known = _BY_CODE.get(code) or _BY_CODE.get(code & 0xFF) or SqliteLedgerError
        raise known(path) from None
    except UnicodeDecodeError:  # the driver choked on SQLite's message, which quotes a damaged schema
        raise LedgerDamagedError(path) from None
