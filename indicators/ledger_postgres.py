"""The ledger's promise kept in a PostgreSQL database, for a team.

Whoever appends holds one advisory lock from before the decision to the end of the transaction, so that the chain is
linear with any number of writers; where a program of another make does not ask for the lock, UNIQUE on the
predecessor refuses a fork. What a server may make void (a conflict, a lost connection) is tried again a few times; when
the connection is lost during the commit itself, the lock, which the server lets go of only when it has decided, tells
whether the batch was kept. Reading takes short transactions, a few hundred entries at a time. Triggers refuse what is
not an append; they stop accidents, rights stop others, and `verify` finds the rest.

Everything is in the schema `watchfloor` of the database; text is compared by its bytes, whatever the database's
collation. This room tells nobody a password, nor what the server said of an entry: that may quote its content.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import islice
from typing import Any, ClassVar, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus

from indicators.address import HIDDEN, DatabaseAddress
from indicators.days import moment_text
from indicators.entry import COLUMNS, FIRST_PREV, Entry, entry_of_row, fits_its_hash, row_of_entry
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
from indicators.postgres_schema import SCHEMA_STEPS, SELECT_SCHEMA, schema_fault

__all__ = [
    "DamagedEntryError",
    "LedgerAccessError",
    "LedgerAlteredError",
    "LedgerConflictError",
    "LedgerConnectionError",
    "LedgerDamagedError",
    "LedgerEncodingError",
    "LedgerFullError",
    "LedgerLockedError",
    "LedgerMissingError",
    "LedgerReadOnlyError",
    "LedgerStoppedError",
    "LedgerUncertainError",
    "LedgerVersionError",
    "NotALedgerError",
    "PostgresLedger",
    "PostgresLedgerError",
    "ServerTooOldError",
    "create_ledger",
    "open_ledger",
]

LOCK_SECONDS = 30
CHUNK_ENTRIES = 500
CONNECT_SECONDS = 10
PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""Seconds before each further attempt: a server that is started again takes a moment."""
LOCK_KEY = 0x57466C67
"""`WFlg`: the advisory lock of whoever appends, and the number in a SQLite ledger's header."""

OLDEST_SERVER = 14

# A writer that has gone without a word holds up the others for about a minute, then the server's system gives it up.
_BEGIN = """BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL lock_timeout = '%dms';
SET LOCAL idle_in_transaction_session_timeout = '10min';
SET LOCAL tcp_keepalives_idle = 30;
SET LOCAL tcp_keepalives_interval = 10;
SET LOCAL tcp_keepalives_count = 3;
SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') <> 'remote_apply'"""
_LOCK = "SELECT current_setting('transaction_read_only'), pg_advisory_xact_lock(%(key)s)"
_COPY = f"COPY watchfloor.entry ({', '.join(COLUMNS)}) FROM STDIN"
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM watchfloor.entry"  # noqa: S608  put together from our own constants
_SELECT_HEAD = "SELECT seq, hash FROM watchfloor.entry ORDER BY seq DESC LIMIT 1"
_SELECT_HEAD_UNTIL = "SELECT seq, hash FROM watchfloor.entry WHERE recorded_at <= %(until)s ORDER BY seq DESC LIMIT 1"
_SELECT_LAST = f"{_SELECT} ORDER BY seq DESC LIMIT 1"
_SELECT_HASH = "SELECT hash FROM watchfloor.entry WHERE seq = %(seq)s"
# From the first entry of a study straight to that of the next, as the index allows, and not past every entry.
_SELECT_STUDIES = """WITH RECURSIVE first AS (
  (SELECT study, seq, recorded_at FROM watchfloor.entry ORDER BY study, seq LIMIT 1)
  UNION ALL
  SELECT following.* FROM first, LATERAL (
    SELECT study, seq, recorded_at FROM watchfloor.entry WHERE study > first.study ORDER BY study, seq LIMIT 1
  ) AS following
)
SELECT study FROM first WHERE %(until)s::text IS NULL OR recorded_at <= %(until)s ORDER BY seq"""
_SELECT_SERVER = """SELECT current_setting('server_version_num')::integer, current_setting('server_encoding'),
  to_regnamespace('watchfloor') IS NOT NULL, ARRAY(
    SELECT relname::text FROM pg_catalog.pg_class WHERE relnamespace = to_regnamespace('watchfloor')
    UNION ALL SELECT proname::text FROM pg_catalog.pg_proc WHERE pronamespace = to_regnamespace('watchfloor')
  )"""
_SELECT_VERSION = "SELECT coalesce(max(number), 0) FROM watchfloor.schema_step"
_INSERT_STEP = "INSERT INTO watchfloor.schema_step (number) VALUES (%(number)s)"

Row = tuple[Any, ...]
T = TypeVar("T")


class PostgresLedgerError(LedgerError):
    """Base of what can go wrong with a ledger in PostgreSQL."""

    WHAT: ClassVar[str] = "the server could not do what was asked; nothing was written"
    MEND: ClassVar[str] = "look into the server's log, then run forecast verify"

    def __init__(self, address: DatabaseAddress) -> None:
        super().__init__(self.WHAT, where=str(address), mend=self.MEND)


class LedgerMissingError(PostgresLedgerError):
    """The database has no schema of the ledger's name, or an empty one."""

    WHAT = "there is no ledger in this database"
    MEND = "make one with forecast init, or name another with --ledger"


class NotALedgerError(PostgresLedgerError):
    """The schema has something else in it; it is left as it is."""

    WHAT = 'the schema "watchfloor" of this database holds something that is not a ledger'
    MEND = "name another database with --ledger"


class ServerTooOldError(PostgresLedgerError):
    """A server older than any that this was tried with."""

    WHAT = f"a ledger needs PostgreSQL {OLDEST_SERVER} or newer, and this server is older"
    MEND = "name a database on a newer server"


class LedgerEncodingError(PostgresLedgerError):
    """A database whose text is not UTF-8, so that not every text would come back to the letter."""

    def __init__(self, address: DatabaseAddress, encoding: str) -> None:
        what = f"the text of this database is {encoding}, and a ledger needs UTF8"
        mend = "make a database with ENCODING 'UTF8' TEMPLATE template0"
        LedgerError.__init__(self, what, where=str(address), mend=mend)


class LedgerVersionError(PostgresLedgerError):
    """The ledger has another schema than this program knows.

    Attributes
    ----------
    version : int
        Of the ledger, counted in schema steps.
    """

    def __init__(self, address: DatabaseAddress, version: int) -> None:
        self.version = version
        known = len(SCHEMA_STEPS)
        if version > known:
            age, mend = "a newer", "update watchfloor"
        else:
            age, mend = "an older", "have its owner run forecast init on it to bring it up to date"
        what = f"the ledger was written by {age} watchfloor: its schema is {version}, this program knows {known}"
        LedgerError.__init__(self, what, where=str(address), mend=mend)


class LedgerConnectionError(PostgresLedgerError):
    """No connection, or one that was lost before anything was written."""

    MEND = "look whether the server runs, and at user, host and database; then try again"

    def __init__(self, address: DatabaseAddress, reason: str = "") -> None:
        why = f" ({reason})" if reason else ""
        what = f"no connection to the server of the ledger{why}; nothing was written"
        LedgerError.__init__(self, what, where=str(address), mend=self.MEND)


class LedgerUncertainError(PostgresLedgerError):
    """The connection was lost at the very end and did not come back: the one failure that leaves it open."""

    WHAT = "the connection was lost while the server was writing; whether it did is not known"
    MEND = "look with forecast evidence, once the server is back, before you try again"


class LedgerConflictError(PostgresLedgerError):
    """The server made the attempt void for the sake of another, and so again each time."""

    WHAT = "other programs got in between again and again; nothing was written"
    MEND = "try again"


class LedgerLockedError(PostgresLedgerError):
    """Another writer held the lock for longer than we wait."""

    MEND = "close the program that holds it, then try again"

    def __init__(self, address: DatabaseAddress) -> None:
        what = f"the ledger was locked by another writer for {LOCK_SECONDS:g} s; nothing was written"
        LedgerError.__init__(self, what, where=str(address), mend=self.MEND)


class LedgerStoppedError(PostgresLedgerError):
    """The server, or who looks after it, put an end to the work."""

    WHAT = "the server cut the work short (statement_timeout, or by hand); nothing was written"
    MEND = "try again, or ask who looks after the server"


class LedgerAccessError(PostgresLedgerError):
    """The role lacks a right."""

    WHAT = "your role has no right to do this here; nothing was written"
    MEND = "ask the ledger's owner for the rights of a writer or a reader (docs/postgresql.md)"


class LedgerReadOnlyError(PostgresLedgerError):
    """A server or a database that takes nothing at present: a standby, or one set to read only."""

    WHAT = "the database is read-only; nothing was written"
    MEND = "name the server that takes writes (with several: target_session_attrs=read-write)"


class LedgerFullError(PostgresLedgerError):
    """There is no room on the server's disk."""

    WHAT = "the server's disk is full; nothing was written"
    MEND = "make room there, then try again"


class LedgerDamagedError(PostgresLedgerError):
    """The server finds its own files damaged."""

    WHAT = "the server finds the ledger's files damaged"
    MEND = "run forecast verify, and go back to the last good copy"


class LedgerAlteredError(PostgresLedgerError):
    """The tables are not as a ledger makes them, or rows are hidden."""

    WHAT = "the tables in the database are not as a ledger makes them; nothing was written"
    MEND = "run forecast verify, and go back to the last good copy"


class DamagedEntryError(LedgerDamagedError):
    """One entry cannot be what was recorded.

    Attributes
    ----------
    fault : ChainFault
        Its position and what is wrong with it.
    """

    def __init__(self, address: DatabaseAddress, fault: ChainFault) -> None:
        self.fault = fault
        LedgerError.__init__(self, str(fault), where=str(address), mend=self.MEND)


# By PostgreSQL's five-letter code of a condition, or the two letters of its class.
_BY_CODE: dict[str, Callable[[DatabaseAddress], PostgresLedgerError]] = {
    "08": LedgerConnectionError,
    "23505": LedgerConflictError,  # unique_violation: a writer that did not ask for the lock was first
    "23": LedgerAlteredError,
    "25006": LedgerReadOnlyError,
    "25P03": LedgerConnectionError,
    "25P04": LedgerConnectionError,
    "3F": LedgerAlteredError,
    "40": LedgerConflictError,  # serialization_failure, which our trigger raises too, and deadlock_detected
    "42501": LedgerAccessError,
    "42": LedgerAlteredError,
    "53100": LedgerFullError,
    "53300": LedgerConnectionError,
    "55P03": LedgerLockedError,
    "57014": LedgerStoppedError,
    "57P": LedgerConnectionError,
    "58030": LedgerDamagedError,
    "XX001": LedgerDamagedError,
    "XX002": LedgerDamagedError,
}


def create_ledger(url: str, *, clock: Clock) -> PostgresLedger:
    """The ledger in a database that has none; or the one that is there, brought up to the newest schema.

    Parameters
    ----------
    url : str
        Of a database that exists: `postgresql://USER@HOST/DATABASE`, with any parameter that libpq knows.
    clock : callable
        The present moment, aware; read once for each batch.

    Raises
    ------
    NotALedgerError
        There is something else; it is left as it is.
    LedgerVersionError
        There is a ledger of a newer schema.
    PostgresLedgerError
        The ledger cannot be made or opened; its subclass says why.
    """
    address = DatabaseAddress(url)
    connection = _connected(address)
    with _closed_on_failure(connection):
        if _version(connection, address) != len(SCHEMA_STEPS):
            _take_steps(connection, address)
        _check_is_current(connection, address)
    return PostgresLedger(connection, address, clock=clock)


def open_ledger(url: str, *, clock: Clock) -> PostgresLedger:
    """The ledger that is in a database; a role that may only read will do for reading.

    Parameters
    ----------
    url : str
        As for `create_ledger`.
    clock : callable
        The present moment, aware; read once for each batch.

    Raises
    ------
    LedgerMissingError
        There is none.
    LedgerVersionError
        It has another schema than this program knows.
    PostgresLedgerError
        It cannot be opened; its subclass says why.
    """
    address = DatabaseAddress(url)
    return PostgresLedger(_opened(address), address, clock=clock)


class PostgresLedger(Ledger):
    """A ledger in PostgreSQL; `create_ledger` and `open_ledger` make it.

    It has one connection, which it makes anew where it was lost, and is for the thread that made it.

    Attributes
    ----------
    address : DatabaseAddress
        As it was named.
    """

    def __init__(self, connection: psycopg.Connection[Row], address: DatabaseAddress, *, clock: Clock) -> None:
        self._connection = connection
        self.address = address
        self._clock = clock
        self._is_writing = False

    def append(self, decide: Decide) -> list[Entry]:
        """See `Ledger.append`; raises a `PostgresLedgerError` when the server cannot take the batch."""
        batch: list[Entry] = []

        def write() -> Head | None:
            batch[:] = sealed_batch(decide(self), last=self._last(), now=self._clock())
            return self._insert(map(row_of_entry, batch))

        with self._only_writer():
            _patiently(lambda: self._attempt(write))
        return batch

    def append_stream(self, decide: Decide) -> range:
        """See `Ledger.append_stream`; nobody else sees the entries, or can append, until the last is written."""
        written = range(0)

        def write() -> Head | None:
            nonlocal written
            drafts, last = decide(self), self._last()
            first = last.seq + 1 if last else 1
            end = self._insert(sealed_rows(drafts, last=last, now=self._clock()))
            written = range(first, end.entries + 1) if end else range(0)
            return end

        with self._only_writer():
            _patiently(lambda: self._attempt(write))
        return written

    def restore(self, entries: Iterable[Entry]) -> Head:
        """See `Ledger.restore`; raises a `PostgresLedgerError` when the server cannot take the entries."""
        # The entries can be taken only once, so that nothing is tried a second time.
        with self._only_writer():
            self._attempt(lambda: self._insert(map(row_of_entry, following(entries, self._last()))))
        return self.head()

    def entries(self, *, study: str | None = None, until: datetime | None = None, after: int = 0) -> Iterator[Entry]:
        """See `Ledger.entries`; raises `DamagedEntryError` at an entry that cannot be read."""
        through = self.head().entries
        conditions = ["seq <= %(through)s"]
        conditions += ["study = %(study)s"] if study is not None else []
        conditions += ["recorded_at <= %(until)s"] if until is not None else []
        values = {"study": study, "until": moment_text(until) if until else None, "through": through}
        for row in self._rows(conditions, values, after=max(after, 0)):
            yield self._entry(row)

    def studies(self, *, until: datetime | None = None) -> list[str]:
        """See `Ledger.studies`."""
        return [study for (study,) in self._read(_SELECT_STUDIES, {"until": moment_text(until) if until else None})]

    def head(self, *, until: datetime | None = None) -> Head:
        """See `Ledger.head`."""
        values = {"until": moment_text(until) if until else None}
        rows = self._read(_SELECT_HEAD if until is None else _SELECT_HEAD_UNTIL, values)
        return Head(*rows[0]) if rows else Head(0, FIRST_PREV)

    def verify(self) -> ChainFault | None:
        """See `Ledger.verify`; also looks at the schema.

        An entry that does not hold is named before anything that is not an entry.
        """
        try:
            return self._entry_fault() or self._schema_fault()
        except LedgerAlteredError as error:
            return self._schema_fault() or ChainFault(0, error.what)

    def close(self) -> None:
        """See `Ledger.close`."""
        self._connection.close()

    def query(self, statement: str, values: Mapping[str, object]) -> list[Row]:
        """What a statement gives; for the rooms that keep tables of their own beside the entries."""
        return self._read(statement, values)

    def transact(self, work: Callable[[], T], *, key: int) -> T:
        """What work on such tables gives, under an advisory lock of theirs; kept whole at the end, or nothing of it.

        It is done again where the server made it void.

        Raises
        ------
        LedgerUncertainError
            The connection was lost at the very end.
        """

        def attempt() -> T:
            try:
                self._begin(key)
                found = work()
            except BaseException:
                self._roll_back()
                raise
            self._commit_once()
            return found

        with self._only_writer():
            return _patiently(attempt)

    @contextmanager
    def _only_writer(self) -> Iterator[None]:
        if self._is_writing:
            raise NestedAppendError
        self._is_writing = True
        try:
            yield
        finally:
            self._is_writing = False

    def _attempt(self, write: Callable[[], Head | None]) -> None:
        """Write under the lock; kept at the end, or nothing on any failure."""
        try:
            self._begin()
            end = write()
        except BaseException:
            self._roll_back()
            raise
        if end is None:
            self._roll_back()
        else:
            self._commit(end)

    def _begin(self, key: int = LOCK_KEY) -> None:
        if self._connection.closed:
            self._connection = _opened(self.address)
        self._run(_BEGIN % max(1, int(LOCK_SECONDS * 1000)))
        # Only under the lock is it certain that what is read from here on stays as it is until the end.
        [(is_read_only, _)] = self._run(_LOCK, {"key": key})
        if is_read_only == "on":
            raise LedgerReadOnlyError(self.address)
        [(version,)] = self._run(_SELECT_VERSION)
        if version != len(SCHEMA_STEPS):
            raise LedgerVersionError(self.address, version)

    def _commit(self, end: Head) -> None:
        try:
            self._run("COMMIT")
        except LedgerConnectionError:
            if not self._was_kept(end):
                raise

    def _commit_once(self) -> None:
        """Commit what must not be done a second time when nobody knows whether it was."""
        try:
            self._run("COMMIT")
        except LedgerConnectionError:
            raise LedgerUncertainError(self.address) from None

    def _was_kept(self, end: Head) -> bool:
        """Whether the server had decided to keep the batch when the connection was lost.

        The lost transaction keeps its lock until that is decided, so that whoever gets the lock knows.
        """

        def look() -> list[Row]:
            try:
                self._begin()
                return self._run(_SELECT_HASH, {"seq": end.entries})
            finally:
                self._roll_back()

        try:
            return _patiently(look) == [(end.hash,)]
        except PostgresLedgerError:
            raise LedgerUncertainError(self.address) from None

    def _roll_back(self) -> None:
        """A lost connection has rolled back by itself, and the failure that led here is the one to tell."""
        if self._connection.info.transaction_status == TransactionStatus.IDLE:
            return
        try:
            self._connection.execute("ROLLBACK")
        except psycopg.Error:
            self._connection.close()

    def _insert(self, rows: Iterable[Row]) -> Head | None:
        """Hand rows to the server; the end of the ledger that this makes, None where there were none."""
        left, end = iter(rows), None
        # In parts, so that what the rows' maker raises is raised while the connection is free.
        while part := list(islice(left, CHUNK_ENTRIES)):
            with _in_our_words(self.address), self._connection.cursor() as cursor:
                with cursor.copy(_COPY) as copy:
                    for row in part:
                        copy.write_row(row)
                written = cursor.rowcount
            if written != len(part):  # something in the database swallows entries
                raise LedgerAlteredError(self.address)
            end = Head(part[-1][0], part[-1][-1])
        return end

    def _last(self) -> Entry | None:
        """The last entry, none when there is none; refused when it is damaged, as nothing may be built on it."""
        rows = self._run(_SELECT_LAST)
        if not rows:
            return None
        entry = self._entry(rows[0])
        if entry.id != f"e{entry.seq}" or not fits_its_hash(entry):
            what = "its content does not fit its hash, so nothing can follow it; nothing was written"
            raise DamagedEntryError(self.address, ChainFault(entry.seq, what))
        return entry

    def _run(self, statement: str, values: Mapping[str, object] | None = None) -> list[Row]:
        with _in_our_words(self.address):
            cursor = self._connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def _read(self, statement: str, values: Mapping[str, object]) -> list[Row]:
        """What a statement gives; asked once more over a new connection where the old one was lost."""
        try:
            return self._run(statement, values)
        except LedgerConnectionError:
            if self._is_writing:
                raise
            self._connection.close()
            self._connection = _opened(self.address)
            return self._run(statement, values)

    def _rows(self, conditions: Sequence[str], values: Mapping[str, object], *, after: int | None) -> Iterator[Row]:
        """Rows in order, in short transactions; before damage the sound ones come first."""
        size = CHUNK_ENTRIES
        while True:
            bounds = [*conditions, *(["seq > %(after)s"] if after is not None else [])]
            where = f"WHERE {' AND '.join(bounds)}" if bounds else ""
            statement = f"{_SELECT} {where} ORDER BY seq LIMIT %(size)s"
            try:
                chunk = self._read(statement, {**values, "after": after, "size": size})
            except LedgerDamagedError:
                if size == 1:
                    raise
                size = 1
                continue
            yield from chunk
            if not chunk:
                return
            after = chunk[-1][0]

    def _entry(self, row: Row) -> Entry:
        """The row as an entry; refused in any form but the one that is written."""
        entry = entry_of_row(row)
        if entry is None:
            if not isinstance(row[0], int):
                raise LedgerAlteredError(self.address)
            raise DamagedEntryError(self.address, ChainFault(row[0], NOT_AS_WRITTEN))
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
            for row in self._rows([], {}, after=None):
                entry = self._entry(row)
                seq = entry.seq
                yield entry
        except DamagedEntryError:
            raise
        except LedgerDamagedError:
            what = "it cannot be read; the server finds its file damaged"
            raise DamagedEntryError(self.address, ChainFault(seq + 1, what)) from None

    def _schema_fault(self) -> ChainFault | None:
        what = schema_fault(self._read(SELECT_SCHEMA, {}))
        return ChainFault(0, what) if what else None


def _opened(address: DatabaseAddress) -> psycopg.Connection[Row]:
    connection = _connected(address)
    with _closed_on_failure(connection):
        _check_is_current(connection, address)
    return connection


def _connected(address: DatabaseAddress) -> psycopg.Connection[Row]:
    """A connection that prepares nothing on the server, so that a pool of any kind may stand in between."""
    try:
        given = conninfo_to_dict(address.url)
    except psycopg.Error:
        raise LedgerConnectionError(address, "PostgreSQL does not understand the URL") from None
    usual = {"connect_timeout": CONNECT_SECONDS, "application_name": "watchfloor"}
    settings: dict[str, Any] = usual | given | {"client_encoding": "UTF8"}
    try:
        return psycopg.connect(**settings, autocommit=True, prepare_threshold=None)
    except psycopg.Error as error:
        raise LedgerConnectionError(address, _reason(error, address, given)) from None


def _reason(error: psycopg.Error, address: DatabaseAddress, given: dict[str, Any]) -> str:
    """What the driver says of a connection that did not come about; nothing where a password could be in it."""
    said = str(error).partition("\n")[0].removeprefix("connection failed: ")
    secrets = [str(given[name]) for name in ("password", "sslpassword") if given.get(name)]
    is_told = str(address) != HIDDEN and not any(secret in said for secret in secrets)
    return said if is_told else ""


@contextmanager
def _closed_on_failure(connection: psycopg.Connection[Row]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise


def _check_is_current(connection: psycopg.Connection[Row], address: DatabaseAddress) -> None:
    version = _version(connection, address)
    if version == 0:
        raise LedgerMissingError(address)
    if version != len(SCHEMA_STEPS):
        raise LedgerVersionError(address, version)


def _version(connection: psycopg.Connection[Row], address: DatabaseAddress) -> int:
    """How many schema steps the ledger in the database has taken; 0 where there is none."""
    with _in_our_words(address):
        server, encoding, _, names = _only(connection, _SELECT_SERVER)
        if server < OLDEST_SERVER * 10_000:
            raise ServerTooOldError(address)
        if encoding != "UTF8":
            raise LedgerEncodingError(address, encoding)
        if names and "schema_step" not in names:
            raise NotALedgerError(address)
        return int(_only(connection, _SELECT_VERSION)[0]) if names else 0


def _take_steps(connection: psycopg.Connection[Row], address: DatabaseAddress) -> None:
    """The schema steps that the ledger lacks, in one transaction with the numbers that say that they were taken."""
    with _in_our_words(address), connection.transaction():
        connection.execute(f"SELECT pg_advisory_xact_lock({LOCK_KEY})")
        # Only under the lock is it certain that no other program makes the ledger at this moment.
        taken = _version(connection, address)
        if not _only(connection, _SELECT_SERVER)[2]:
            connection.execute("CREATE SCHEMA watchfloor")
        for number, statements in enumerate(SCHEMA_STEPS[taken:], start=taken + 1):
            for statement in statements:
                connection.execute(statement)
            connection.execute(_INSERT_STEP, {"number": number})


def _only(connection: psycopg.Connection[Row], statement: str) -> Row:
    row = connection.execute(statement).fetchone()
    assert row is not None
    return row


def _patiently(action: Callable[[], T]) -> T:
    """What an action gives, tried again where the server made it void or could not be reached."""
    for pause in PAUSES:
        with suppress(LedgerConflictError, LedgerConnectionError):
            return action()
        time.sleep(pause)
    return action()


@contextmanager
def _in_our_words(address: DatabaseAddress) -> Iterator[None]:
    """The driver's errors as ours; what the server says is kept back, as it may quote the content of an entry."""
    try:
        yield
    except psycopg.Error as error:
        code = error.sqlstate
        if code is None and not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            raise  # the driver's own: a mistake in this program
        known: Callable[[DatabaseAddress], PostgresLedgerError]
        known = LedgerConnectionError if code is None else PostgresLedgerError
        for length in (2, 3, 5):
            known = _BY_CODE.get((code or "")[:length], known)
        raise known(address) from None
