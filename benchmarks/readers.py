"""How long the board takes while four hundred people read it and two analysts log, at ten thousand reports.

`python -m benchmarks.readers [SECONDS]` makes the medium study in a temporary folder, serves it with `forecast serve`
in a process of its own, and signs in 400 browsers of 20 readers and two of analysts, over HTTP as browsers do. For so
many seconds (60 if not said) every reader looks at the board once in five seconds, with its picture, and each analyst
logs a report once in ten and looks at the board then. Looks are spread evenly; a late answer makes no later look late.

It prints how long the answers took, counts what was not answered as it should be, and goes through the ledger for
every report that an analyst was told is in it. One look before the clock starts lets the server work out its first
board, which is told too. The machine does all of it at once: server, engine, readers.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.studies import OPENS, SIZES, drawn
from forecast import bulk, workflow
from forecast.study_file import study_json
from indicators.clock import utc_now
from indicators.evidence import FIELDS
from indicators.intake import Handed
from indicators.opening import create_ledger, open_accounts, open_ledger

READERS, ACCOUNTS, ANALYSTS = 400, 20, 2
EVERY, LOGS_EVERY = 5.0, 10.0
AT_ONCE = 4
PASSWORD = "so many readers at once"  # noqa: S105 - of accounts that last a minute
_PICTURE = re.compile(rb'<img src="([^"]+)"')


@dataclass
class Seen:
    """What the browsers met with: seconds by what was asked for, and what went wrong."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    wrong: Counter[str] = field(default_factory=Counter)
    logged: list[str] = field(default_factory=list)
    waiting: int = 0
    used: float = 0.0

    def line(self, what: str) -> str:
        """The answers of a kind on one line."""
        times = sorted(self.seconds.get(what, []))
        if not times:
            return f"{what:24} none"
        p50, p99 = statistics.median(times), times[min(len(times) - 1, int(0.99 * len(times)))]
        return f"{what:24} {len(times):6} p50 {p50:6.3f} s   p99 {p99:6.3f} s   max {times[-1]:6.3f} s"


class Browser:
    """One browser: a connection that stays open, and a session."""

    def __init__(self, port: int, seen: Seen) -> None:
        self._port, self._seen = port, seen
        self._cookie = ""
        self._line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def sign_in(self, name: str) -> None:
        """Come in with a name and its password."""
        status, headers, _ = await self.ask("POST", "/sign-in", {"name": name, "password": PASSWORD})
        assert status == 303, status
        self._cookie = headers["set-cookie"].partition(";")[0]
        self.leave()

    def leave(self) -> None:
        """Close the connection, as a browser does that was idle for long."""
        if self._line is not None:
            self._line[1].close()
        self._line = None

    async def timed(self, what: str, method: str, path: str, form: dict[str, str] | None = None) -> bytes:
        """The body of an answer; how long it took is noted, and what is not as it should be."""
        start = time.perf_counter()
        try:
            status, _, body = await self.ask(method, path, form)
        except (OSError, asyncio.IncompleteReadError) as error:
            self._seen.wrong[f"{what}: {type(error).__name__}"] += 1
            self._line = None
            return b""
        self._seen.seconds.setdefault(what, []).append(time.perf_counter() - start)
        if status != (303 if method == "POST" else 200):
            self._seen.wrong[f"{what}: {status}"] += 1
            return b""
        return body or b"-"

    async def ask(
        self, method: str, path: str, form: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of an answer."""
        if self._line is None:
            self._line = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._line
        host, body = f"127.0.0.1:{self._port}", urlencode(form or {}).encode()
        head = [f"{method} {path} HTTP/1.1", f"host: {host}", f"origin: http://{host}", "sec-fetch-site: same-origin"]
        head += [f"cookie: {self._cookie}"] if self._cookie else []
        if form:
            head += ["content-type: application/x-www-form-urlencoded", f"content-length: {len(body)}"]
        writer.write("\r\n".join([*head, "", ""]).encode() + body)
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        # Of cookies the first is the session's.
        parts = (line.partition(":") for line in reversed(lines))
        headers = {name.lower(): value.strip() for name, _, value in parts}
        content = await reader.readexactly(int(headers.get("content-length", "0")))
        return int(first.split()[1]), headers, content


async def reads(browser: Browser, seen: Seen, delay: float, until: float) -> None:
    """Look at the board and its picture, again and again."""
    at = time.perf_counter() + delay
    while at < until:
        await asyncio.sleep(at - time.perf_counter())
        page = await browser.timed("board", "GET", "/s/medium/board")
        seen.waiting += b"being worked in" in page
        if picture := _PICTURE.search(page):
            await browser.timed("its picture", "GET", picture[1].decode().replace("&amp;", "&"))
        at = max(at + EVERY, time.perf_counter())


async def logs(browser: Browser, seen: Seen, number: int, until: float) -> None:
    """Log a report, and look at what it did, again and again."""
    at, count = time.perf_counter() + number * LOGS_EVERY / ANALYSTS, 0
    while at < until:
        await asyncio.sleep(at - time.perf_counter())
        count += 1
        ref = f"A{number}-{count}"
        day = OPENS + timedelta(days=990 + count % 9)
        form = {"indicator": f"i{(7 * count + number) % 40}", "state": f"s{count % 4}", "observed": f"{day}"}
        if await browser.timed("log a report", "POST", "/s/medium/log", {**form, "source": "Wire 1", "ref": ref}):
            seen.logged.append(ref)
        await browser.timed("board of who logged", "GET", "/s/medium/board")
        at = max(at + LOGS_EVERY, time.perf_counter())


def used(process: int) -> float:
    """Seconds of a processor that a process itself has used, without those that it began."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def looked_at(port: int, seconds: float, of_server: Callable[[], float]) -> Seen:
    """What 400 readers and two analysts meet with."""
    seen = Seen()
    browsers = [Browser(port, seen) for _ in range(READERS + ANALYSTS)]
    start = time.perf_counter()
    for first in range(0, len(browsers), AT_ONCE):  # passwords are slow to check, so that they are slow to guess
        names = [
            f"analyst {number}" if number < ANALYSTS else f"reader {number % ACCOUNTS}"
            for number in range(first, min(first + AT_ONCE, len(browsers)))
        ]
        await asyncio.gather(*(browser.sign_in(name) for browser, name in zip(browsers[first:], names, strict=False)))
    print(f"{len(browsers)} browsers signed in within {time.perf_counter() - start:.0f} s", flush=True)
    start = time.perf_counter()
    await browsers[0].timed("the first board", "GET", "/s/medium/board")
    print(f"the first board took {time.perf_counter() - start:.1f} s", flush=True)
    before, until = of_server(), time.perf_counter() + seconds
    writers = [logs(browser, seen, number, until) for number, browser in enumerate(browsers[:ANALYSTS])]
    readers = [
        reads(browser, seen, EVERY * number / READERS, until) for number, browser in enumerate(browsers[ANALYSTS:])
    ]
    await asyncio.gather(*writers, *readers)
    seen.used = of_server() - before
    return seen


def made(folder: Path) -> Path:
    """A ledger with the medium study, its 10,000 reports and the accounts."""
    case, path = drawn(SIZES["medium"]), folder / "forecast.db"
    content = study_json(case.study)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("indicator", "observed", "state", "grade", "source", "note", "ref"))
    columns = (case.reports[name].tolist() for name in ("indicator", "day", "state", "grade"))
    for n, (j, day, state, grade) in enumerate(zip(*columns, strict=True)):
        own = (f"i{j}", OPENS + timedelta(days=day), f"s{state}", grade)
        writer.writerow((*own, f"Wire {n % 50}", f"Report {n} of a long series, in a few words", f"R-{n}"))
    reports = text.getvalue().encode()
    with closing(create_ledger(path, clock=utc_now)) as ledger:
        workflow.record_study(
            ledger, case.study, content=content, text=json.dumps(content), file="medium.yaml", author="ana"
        )
        handed = Handed("reports.csv", lambda: io.BytesIO(reports), fields=FIELDS)
        bulk.import_reports(ledger, "medium", [handed], author="ana", today=utc_now().date())
    with open_accounts(path, clock=utc_now) as accounts:
        for number in range(ACCOUNTS):
            accounts.add(f"reader {number}", "reader", PASSWORD)
        for number in range(ANALYSTS):
            accounts.add(f"analyst {number}", "analyst", PASSWORD)
    return path


def missing(path: Path, seen: Seen) -> list[str]:
    """What an analyst was told is in the ledger, and is not there once."""
    with closing(open_ledger(path, clock=utc_now)) as ledger:
        there = Counter(entry.payload.get("ref") for entry in ledger.entries(study="medium"))
        assert ledger.verify() is None
    return [ref for ref in seen.logged if there[ref] != 1]


def main(seconds: float) -> int:
    """Serve, read, log, and tell."""
    with tempfile.TemporaryDirectory() as name:
        path = made(Path(name))
        code = "from forecast.cli.main import main; main()"
        command = [sys.executable, "-c", code, "serve", "--port", "0", "--ledger", str(path)]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
        try:
            assert server.stdout is not None
            port = int(server.stdout.readline().strip().strip("/").rpartition(":")[2])
            seen = asyncio.run(looked_at(port, seconds, lambda: used(server.pid)))
        finally:
            server.terminate()
            server.wait()
        for what in ("board", "its picture", "log a report", "board of who logged"):
            print(seen.line(what))
        print(f"boards with newer entries being worked in: {seen.waiting}")
        print(f"the server itself, without what works out boards: {seen.used:.1f} s of a processor")
        lost = missing(path, seen)
        print(
            f"errors: {sum(seen.wrong.values())} {dict(seen.wrong)}; logged {len(seen.logged)}, lost {len(lost)} {lost}"
        )
        print(f"load of the machine at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    return 1 if seen.wrong or lost else 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0))
