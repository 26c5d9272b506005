"""How fast a long CSV of reports comes into a ledger, against raw batched inserts of the same rows with their hashes.

`python -m benchmarks.import_rate [ROWS] [--status]` makes a study and a CSV of so many reports (a million if not said)
in a temporary folder, then, each in a process of its own, so that time and memory are those of a user's command:

1. `forecast import` of the file, and again, when every row is there already; with `--dry-run` before both.
2. The rows that it wrote, inserted a thousand at a time in one transaction into a table that is made, and a connection
   that is set up, as a ledger's. Only the inserts and the commit are timed; the hashes are there already.
3. The same into that table without its triggers: what nobody could do who wants the database to refuse changes.
4. `forecast verify` on the ledger; `forecast status` of a small study beside the long one in it, which reads its own
   entries alone; and, where asked for, `forecast status` of the long one, whose engine takes far longer than all else.

The folder is removed at the end.
"""

from __future__ import annotations

import csv
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import chain
from pathlib import Path

from indicators import ledger_sqlite
from indicators.entry import COLUMNS

SEED = 20250422
OPENS = date(2015, 1, 1)
INDICATORS, STATES = 40, ("none", "modest", "marked", "plain")
GRADES = ("A1", "B2", "B3", "C2", "C3", "D4", "")
BATCH = 1_000


def study(name: str) -> str:
    """A study of state indicators, every second of which keeps its state for a while."""
    lines = [f"study: {name}", f"opens: {OPENS}", "horizon: 2026-12-31", "scenarios:"]
    lines += ["  - {id: up, prior: 0.5}", "  - {id: down, prior: 0.5}", "indicators:"]
    for number in range(INDICATORS):
        lines += [f"  - id: i{number}", "    kind: state", f"    states: [{', '.join(STATES)}]"]
        lines += ["    persistence: 90 d"] if number % 2 else []
        lines += ["    likelihoods:", "      up: [0.25, 0.25, 0.25, 0.25]", "      down: [0.24, 0.26, 0.24, 0.26]"]
    return "\n".join(lines) + "\n"


def write_reports(file: Path, rows: int) -> None:
    """A CSV of reports, no two alike, one in two with a ref."""
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["indicator", "observed", "state", "source", "grade", "url", "note", "ref"])
        for n in range(rows):
            day = OPENS + timedelta(days=n * 3_900 // rows)
            own = (f"i{n * 7 % INDICATORS}", day, STATES[n * 11 % 4], f"Wire {n % 50}", GRADES[n * 5 % 7])
            ref = f"R-{n:07}" if n % 2 else ""
            writer.writerow(
                [*own, f"https://example.org/{day}/{n}", f"Report {n} of a long series, in a few words", ref]
            )


def run(folder: Path, *arguments: str) -> tuple[float, float, float, str]:
    """One command in a process of its own: seconds, those of the processor, peak memory in MB, its last line."""
    start = time.perf_counter()
    code = "from forecast.cli.main import main; main()"
    command = [sys.executable, "-c", code, *arguments]
    child = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)  # noqa: S603
    assert child.stdout is not None
    printed = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    assert status == 0, (arguments, printed)
    used = usage.ru_utime + usage.ru_stime
    return time.perf_counter() - start, used, usage.ru_maxrss / 1000, printed.strip().rpartition("\n")[2]


def chunks_of(ledger: Path) -> Iterator[list[tuple[object, ...]]]:
    """The rows of a ledger's table, in order."""
    connection = sqlite3.connect(ledger)
    rows = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM entry ORDER BY seq")  # noqa: S608
    while chunk := rows.fetchmany(BATCH):
        yield chunk
    connection.close()


def raw_inserts(ledger: Path, target: Path, *, triggers: bool) -> tuple[float, float]:
    """Seconds that raw batched inserts of a ledger's rows take, and those of the processor."""
    connection = sqlite3.connect(target, isolation_level=None)
    for pragma in ledger_sqlite._PRAGMAS:
        connection.execute(pragma)
    for statement in ledger_sqlite.SCHEMA_STEPS[0]:
        if triggers or "TRIGGER" not in statement:
            connection.execute(statement)
    connection.execute("BEGIN IMMEDIATE")
    seconds = used = 0.0
    for chunk in chain(chunks_of(ledger), [None]):
        start, start_used = time.perf_counter(), time.process_time()
        if chunk is None:
            connection.execute("COMMIT")
        else:
            connection.executemany(ledger_sqlite._INSERT, chunk)
        seconds += time.perf_counter() - start
        used += time.process_time() - start_used
    connection.close()
    return seconds, used


def main(rows: int, *, with_status: bool) -> None:
    """Run everything and print one line each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for name in ("long", "small"):
            (folder / f"{name}.yaml").write_text(study(name), encoding="utf-8")
        write_reports(folder / "long.csv", rows)
        size = (folder / "long.csv").stat().st_size / 1e6
        print(f"{rows} reports, {size:.0f} MB of CSV, SQLite {sqlite3.sqlite_version}")
        run(folder, "study", "add", "long.yaml")
        took = {}
        for what, arguments in {
            "import --dry-run": ("import", "long.csv", "--dry-run"),
            "import": ("import", "long.csv"),
            "import again": ("import", "long.csv"),
        }.items():
            seconds, used, memory, printed = run(folder, *arguments)
            took[what] = (seconds, used)
            rate = f"{rows / seconds:9.0f} rows/s"
            print(f"{what:34} {seconds:7.1f} s {used:7.1f} s CPU {rate} {memory:7.0f} MB   {printed}", flush=True)
        for what, triggers in {
            "raw inserts, the ledger's own table": True,
            "raw inserts, without triggers": False,
        }.items():
            seconds, used = raw_inserts(folder / "forecast.db", folder / f"raw-{triggers}.db", triggers=triggers)
            rate = f"{rows / seconds:9.0f} rows/s"
            share = f"{seconds / took['import'][0]:.2f} of it, {used / took['import'][1]:.2f} by CPU"
            print(f"{what:34} {seconds:7.1f} s {used:7.1f} s CPU {rate}   import at {share}", flush=True)
        run(folder, "study", "add", "small.yaml")
        run(folder, "log", "i0", "--state", "none", "--on", "2020-01-01", "--study", "small")
        statuses = [("status", "--study", name) for name in (("small", "long") if with_status else ("small",))]
        for arguments in [("verify",), *statuses]:
            seconds, used, memory, _ = run(folder, *arguments)
            print(f"{' '.join(arguments):34} {seconds:7.1f} s {used:7.1f} s CPU {memory:7.0f} MB", flush=True)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    given = [argument for argument in sys.argv[1:] if argument != "--status"]
    main(int(given[0]) if given else 1_000_000, with_status="--status" in sys.argv)
