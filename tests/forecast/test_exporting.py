"""The commands that hand on: export in every format, to files, folders and pipes; calendar; verify of publications."""

import csv
import io
import json
import sys
from pathlib import Path

import icalendar
import openpyxl
import pyarrow.parquet as pq
import pytest

from forecast.cli.main import run
from forecast.export import FORMATS
from forecast.export.tables import TABLES
from indicators.clock import utc_now
from indicators.entry import Draft
from indicators.ledger_sqlite import open_ledger
from tests.commands import Commands
from tests.forecast.test_publication import TESTED

DAY = ("--as-of", "2024-06-01")
SUFFIXES = [form.suffix for form in FORMATS.values()]


@pytest.fixture
def port(commands: Commands) -> Commands:
    """The command, in a folder with the small study, its scenarios with a test: e2 and e3 mood, e4 wait."""
    Path("port.yaml").write_text(TESTED)
    for arguments in (
        ["study", "add", "port.yaml"],
        ["log", "mood", "--state", "calm", "--on", "2024-02-01", "--source", "=Wire", "--note", "'=1+1 été"],
        ["log", "mood", "--state", "hostile", "--on", "2024-03-01", "--grade", "C3"],
        ["log", "wait", "--value", "22.5", "--on", "2024-05-01", "--note", "-5 at noon"],
    ):
        commands.done(*arguments)
    return commands


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_name_of_the_file_says_the_format(port: Commands, suffix: str) -> None:
    said = port.done("export", f"out{suffix}", *DAY)
    written, *beside = said.err.splitlines()
    assert (said.out, written) == ("", f"out{suffix} written")
    # The other formats have a place for them.
    is_list = suffix in (".csv", ".parquet")
    assert [line.split()[0] for line in beside] == (["flag:"] * (len(beside) - 1) + ["ledger"] if is_list else [])
    content = Path(f"out{suffix}").read_bytes()
    starts = {
        ".xlsx": b"PK",
        ".parquet": b"PAR1",
        ".csv": b"date,scenario",
        ".md": b"# The port",
        ".json": b'{"format"',
    }
    assert content.startswith(starts.get(suffix, b'{"type": "bundle"'))


def test_a_format_that_is_named_counts_more_than_the_name(port: Commands) -> None:
    port.done("export", "out.csv", "--format", "stix", *DAY)
    assert json.loads(Path("out.csv").read_text())["type"] == "bundle"


def test_output_and_the_dash_are_the_same_as_file_and_nothing(port: Commands) -> None:
    port.done("export", "--output", "a.md", *DAY)
    port.done("export", "b.md", *DAY)
    known = r"known at .*"
    assert Path("a.md").read_text().partition(known)[0][:500] == Path("b.md").read_text().partition(known)[0][:500]
    tables = ["--format", "csv", "--table", "scenarios", *DAY]
    assert port.done("export", "-", *tables).out == port.done("export", *tables).out
    assert port.done("export", "-o", "-", *tables).out == port.done("export", *tables).out


@pytest.mark.parametrize("table", TABLES)
def test_csv_and_parquet_write_each_list(port: Commands, table: str) -> None:
    port.done("export", "t.csv", "--table", table, *DAY)
    port.done("export", "t.parquet", "--table", table, *DAY)
    with Path("t.csv").open(newline="") as stream:
        header, *rows = csv.reader(stream)
    read = pq.read_table("t.parquet")
    assert (read.column_names, read.num_rows) == (header, len(rows))


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def test_what_is_no_text_goes_into_a_pipe(port: Commands) -> None:
    content = io.BytesIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", io.TextIOWrapper(content))
        assert run(["export", "--format", "xlsx", *DAY]) == 0
        sys.stdout.flush()
        assert openpyxl.load_workbook(content).sheetnames[0] == "about"


@pytest.mark.parametrize("form", ["xlsx", "parquet"])
def test_what_is_no_text_is_not_for_a_terminal(port: Commands, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    screen = io.BytesIO()
    capsys.readouterr()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", Terminal(screen))
        assert run(["export", "--format", form, *DAY]) == 2
        sys.stdout.flush()
        assert screen.getvalue() == b""
    assert "is no text for a terminal; name a file, or pipe it on" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "phrase"),
    [
        (["a.json", "-o", "b.json"], "FILE is named twice"),
        (["--table", "scenarios"], "--table goes with --format csv or parquet"),
        (["a.xlsx", "--table", "scenarios"], "--table goes with --format csv or parquet"),
        (["--format", "csv", "--table", "scenario"], 'an outlook has no table "scenario"; did you mean "scenarios"?'),
        (["--all", "out", "--format", "csv"], "--all writes every format and list"),
        (["--all", "out", "a.json"], "--all writes every format and list"),
        (["a.json", "--force"], "--force goes with --all"),
        (["--format", "xls"], "'xls' is not one of 'json', 'csv', 'xlsx'"),
        (["--published", "1"], "there is no publication 1; nothing was published yet"),
        (["--published", "1", "--as-of", "2024-06-01"], "leave --as-of and --known-at out"),
        (["--published", "0"], "0 is not in the range"),
    ],
)
def test_what_makes_no_sense_is_refused(port: Commands, arguments: list[str], phrase: str) -> None:
    port("export", *arguments).is_refused(phrase)
    assert not Path("a.json").exists() and not Path("a.xlsx").exists() and not Path("out").exists()


def test_a_refused_export_leaves_the_file_that_was_there(port: Commands) -> None:
    Path("out.xlsx").write_bytes(b"before")
    port("export", "out.xlsx", "--as-of", "2023-01-01").is_refused("lies outside the study")
    assert Path("out.xlsx").read_bytes() == b"before"
    port("export", "forecast.db", *DAY).is_refused("this is the ledger itself")
    assert not [path for path in Path().iterdir() if ".part-" in path.name]


def test_a_folder_that_is_not_there_is_told_by_the_name_given(port: Commands) -> None:
    port("export", "nowhere/out.xlsx", *DAY).is_refused("nowhere/out.xlsx: No such file or directory")


def test_all_writes_every_format_list_and_chart(port: Commands) -> None:
    said = port.done("export", "--all", "deep/out", *DAY)
    names = sorted(path.name for path in Path("deep/out").iterdir())
    assert said.err == f"{len(names)} files written to deep/out\n"
    assert all(name.startswith("port-2024-06-01") for name in names)
    assert {name.removeprefix("port-2024-06-01") for name in names} >= {
        *(".json", ".xlsx", ".md", ".stix.json", ".ics", "-chart-timeline.svg", "-chart-series-1.svg"),
        *(f"-{table}{suffix}" for table in TABLES for suffix in (".csv", ".parquet")),
    }


def test_all_writes_over_nothing_unless_told_to(port: Commands) -> None:
    Path("out").mkdir()
    kept = Path("out") / "port-2024-06-01.json"
    kept.write_text("before")
    port("export", "--all", "out", *DAY).is_refused("port-2024-06-01.json is there already; nothing was written")
    assert [path.name for path in Path("out").iterdir()] == [kept.name]
    port.done("export", "--all", "out", "--force", *DAY)
    assert json.loads(kept.read_text())["study"]["id"] == "port"


def test_exported_evidence_comes_back_to_the_letter_in_another_ledger(port: Commands) -> None:
    told = ["--live", "--json"]
    fields = ("indicator", "observed", "state", "value", "source", "grade", "note")
    wanted = [{name: row.get(name) for name in fields} for row in port.done("evidence", *told).json]
    port.done("export", "e.csv", "--table", "evidence", *DAY)
    assert "'=Wire" in Path("e.csv").read_text() and "''=1+1 été" in Path("e.csv").read_text()
    port.done("export", "e.xlsx", *DAY)
    port.done("export", "e.stix.json", *DAY)
    for file, more in (("e.csv", []), ("e.xlsx", ["--sheet", "evidence"]), ("e.stix.json", [])):
        ledger = ["--ledger", f"{file}.db"]
        port.done("study", "add", "port.yaml", *ledger)
        port.done("import", file, *more, *ledger)
        found = port.done("evidence", *told, *ledger).json
        assert [{name: row.get(name) for name in fields} for row in found] == wanted, file
    before = port.head("forecast.db")
    port.done("import", "e.csv")
    assert port.head("forecast.db") == before, "what a ledger holds uncorrected is skipped"


def test_in_a_table_that_is_not_ours_a_quote_is_a_quote(port: Commands) -> None:
    Path("own.csv").write_text("indicator,observed,state,note\nmood,2024-04-01,calm,'=1\n")
    port.done("import", "own.csv")
    assert port.done("evidence", "--from", "2024-04-01", "--to", "2024-04-01", "--json").json[0]["note"] == "'=1"
    Path("bad.csv").write_text("indicator,observed,state,entry\nmood,2024-04-02,calm,e9\n")
    port("import", "bad.csv").is_refused('no field "entry" (column 4)')


# Calendar


def test_the_calendar_opens_in_a_program_for_calendars(port: Commands) -> None:
    assert port.done("calendar", "-o", "looks.ics", *DAY).err == "looks.ics written\n"
    book = icalendar.Calendar.from_ical(Path("looks.ics").read_bytes())
    assert [str(event["summary"]) for event in book.walk("VEVENT")] == ["OVERDUE since 2024-03-31: mood"]
    assert Path("looks.ics").read_bytes().endswith(b"END:VCALENDAR\r\n")
    assert "UID:port/mood@watchfloor" in port.done("calendar", *DAY).out
    port("calendar", "-o", "forecast.db", *DAY).is_refused("this is the ledger itself")


# Verify


def test_verify_sees_a_publication_that_rests_on_another_ledger(port: Commands) -> None:
    port.done("publish", *DAY)
    port.done("verify")
    with open_ledger(Path("forecast.db"), clock=utc_now) as ledger:
        last = [*ledger.entries()][-1]
        ledger.append(lambda _: [Draft(author="eve", study="port", kind="publish", payload=last.payload)])
    said = port("verify")
    assert (said.code, said.err) == (1, "")
    assert said.out.startswith("entry e6: its publish payload cannot be read (it rests on another ledger")
    assert port("verify", "--json").json["ok"] is False
