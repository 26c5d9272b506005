"""Commands on a disk with less and less room; printed is what each left behind, a line of JSON each."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from forecast.cli.main import run
from tests.small import STUDY

__all__ = ["ROOMS"]

ROOMS = (0, 4, 8, 12, 16, 24, 40, 80, 160)
"""KB that are left."""

LOG = ["log", "mood", "--state", "calm", "--on", "2024-06-01", "--note", "x" * 5000]
ROWS = "indicator,observed,count,ref\n" + "".join(f"talks,2024-02-01,1,r{n}\n" for n in range(1000))


def said(*arguments: str) -> tuple[int, str, str]:
    """A command's exit code and what it said."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(list(arguments))
    return code, out.getvalue(), err.getvalue()


def entries() -> int:
    """How many there are, read by another program."""
    with closing(sqlite3.connect("file:forecast.db?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM entry").fetchone()[0])


def fill(kilobytes: int) -> None:
    """Leave so much room on the disk."""
    disk = os.statvfs(".")
    with Path("filler").open("wb") as file:
        file.write(b"\0" * (disk.f_bavail * disk.f_frsize - kilobytes * 1024))


def main() -> None:
    """Try it with room of every size."""
    os.chdir(sys.argv[1])
    os.environ |= {"FORECAST_AUTHOR": "ana", "FORECAST_LEDGER": "forecast.db"}
    Path("port.yaml").write_text(STUDY)
    Path("rows.csv").write_text(ROWS)
    assert said("study", "add", "port.yaml")[0] == 0
    for room in ROOMS:
        for name, command in (("log", LOG), ("import", ["import", "rows.csv"])):
            before = entries()
            fill(room)
            code, out, err = said(*command)
            files = sorted(found.name for found in Path().iterdir())
            full = {"room": room, "command": name, "code": code, "out": out, "err": err, "files": files}
            full["written"] = entries() - before
            full["verify"], _, _ = said("verify")
            Path("filler").unlink()
            full["afterwards"] = [said(*LOG)[0], entries() - before - int(str(full["written"])), said("verify")[0]]
            sys.stdout.write(json.dumps(full) + "\n")


if __name__ == "__main__":
    main()
