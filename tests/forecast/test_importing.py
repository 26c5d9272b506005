"""The import command around the reading: the dry run, the bar on a terminal, very many faults.

What a file may hold is tested beside its reader, and every bad file through the command in `test_bad_input`.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from forecast import bulk
from forecast.cli.main import run
from tests.small import STUDY

HEADER = "indicator,observed,state,note\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a ledger that holds the small study."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORECAST_AUTHOR", "ana")
    monkeypatch.delenv("FORECAST_LEDGER", raising=False)
    (tmp_path / "port.yaml").write_text(STUDY)
    assert run(["study", "add", "port.yaml"]) == 0
    return tmp_path


def rows(count: int, state: str = "calm") -> str:
    return HEADER + "".join(f"mood,2024-02-01,{state},note {number} {'x' * 50}\n" for number in range(count))


def test_a_dry_run_says_what_the_import_then_does_and_writes_nothing(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "a.csv").write_text(rows(3))
    assert run(["import", "a.csv"]) == 0
    (home / "a.csv").write_text(rows(5))
    before = (home / "forecast.db").read_bytes()
    capsys.readouterr()
    assert run(["import", "a.csv", "--dry-run"]) == 0
    table = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert table[0] == ["indicator", "observed", "state"]
    assert table[2:4] == [["mood", "2024-02-01", "calm"]] * 2
    assert " ".join(table[-1]) == "2 reports would be written, 3 skipped as already there; nothing was written"
    assert run(["import", "a.csv", "--dry-run", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [report["note"][:6] for report in told.pop("first")] == ["note 3", "note 4"]
    assert told == {"written": 0, "would_write": 2, "skipped": 3, "entries": []}
    assert (home / "forecast.db").read_bytes() == before
    assert run(["import", "a.csv"]) == 0
    assert capsys.readouterr().out == "2 reports written (e5 to e6), 3 skipped as already there\n"


def test_a_dry_run_shows_the_first_reports_and_counts_the_rest(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "a.csv").write_text(rows(bulk.MOST_SHOWN + 5))
    capsys.readouterr()
    assert run(["import", "a.csv", "--dry-run"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("mood") for line in told) == bulk.MOST_SHOWN
    assert told[-2:] == [
        "... and 5 more",
        "25 reports would be written, 0 skipped as already there; nothing was written",
    ]


def test_a_dry_run_of_a_bad_file_tells_what_the_import_would(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "a.csv").write_text(rows(3, "clam"))
    capsys.readouterr()
    told = []
    for arguments in (["import", "a.csv"], ["import", "a.csv", "--dry-run"]):
        assert run(arguments) == 2
        told.append(capsys.readouterr())
    assert told[0] == told[1]
    assert len(told[0].err.splitlines()) == 3


def test_of_very_many_faults_the_first_are_told_and_the_rest_counted(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "a.csv").write_text(rows(bulk.MOST_FAULTS + 50, "clam"))
    (home / "b.csv").write_bytes(b"\xff")
    capsys.readouterr()
    assert run(["import", "a.csv", "b.csv"]) == 2
    told = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[1] for line in told[:-1]] == [f"a.csv:{n}" for n in range(2, bulk.MOST_FAULTS + 2)]
    assert told[-1] == "error: and 51 more faults like these; mend those told first"


class Terminal(io.StringIO):
    """A standard error that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("on_terminal", [True, False])
def test_a_bar_is_shown_on_a_terminal_alone(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], on_terminal: bool
) -> None:
    monkeypatch.setattr("forecast.cli.importing.SLOW_FROM", 10_000)
    monkeypatch.setenv("TERM", "xterm")
    (home / "a.csv").write_text(rows(1_000))
    shown = Terminal() if on_terminal else io.StringIO()
    capsys.readouterr()
    monkeypatch.setattr(sys, "stderr", shown)
    assert run(["import", "a.csv"]) == 0
    assert capsys.readouterr().out == "1,000 reports written (e2 to e1001), 0 skipped as already there\n"
    assert ("importing" in shown.getvalue(), "100%" in shown.getvalue()) == (on_terminal, on_terminal)


def test_a_small_file_on_a_terminal_needs_no_bar(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "a.csv").write_text(rows(3))
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    assert run(["import", "a.csv"]) == 0
    assert shown.getvalue() == ""


def test_a_table_beyond_the_size_of_a_workbook_is_no_reason_to_refuse(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for room in ("workbook.LARGEST_FILE", "workbook.LARGEST_UNPACKED", "intake_stix.LARGEST_BUNDLE"):
        monkeypatch.setattr(f"indicators.{room}", 1_000)
    (home / "a.csv").write_text(rows(100))
    (home / "b.jsonl").write_text('{"indicator": "mood", "observed": "2024-02-02", "state": "calm"}\n' * 100)
    capsys.readouterr()
    assert run(["import", "a.csv", "b.jsonl"]) == 0
    assert capsys.readouterr().out == "101 reports written (e2 to e102), 99 skipped as already there\n"
