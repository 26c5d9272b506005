"""Attached files through the commands: logged, kept through corrections, shown, verified, carried along."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path

import pytest

from forecast.cli import attaching
from forecast.workflow import log_report
from indicators.address import DatabaseAddress
from indicators.attachment_folder import AttachmentFolder
from indicators.clock import utc_now
from indicators.entry import Draft, Entry
from indicators.errors import FaultsError
from indicators.ledger import Decide, LedgerError, MemoryLedger
from indicators.ledger_sqlite import open_ledger
from tests.commands import REPORT, Commands
from tests.small import STUDY, TODAY, amend, log, new_ledger, record, ticking_clock

HASH = hashlib.sha256(b"a page").hexdigest()
STORE = Path("forecast.db.attachments")


@pytest.fixture
def book(commands: Commands) -> Commands:
    """A ledger with a study in the present folder, and a file to attach."""
    Path("port.yaml").write_text(STUDY)
    Path("page.txt").write_bytes(b"a page")
    commands.done("study", "add", "port.yaml")
    return commands


def test_what_is_logged_says_what_is_attached(book: Commands) -> None:
    result = book.done(*REPORT, "--attach", "page.txt")
    assert f"attached page.txt (6 bytes), {HASH}" in result.out
    assert (STORE / HASH).read_bytes() == b"a page"
    told = book.done(*REPORT, "--attach", "page.txt", "--json").json
    assert told["attachments"] == [{"sha256": HASH, "name": "page.txt", "bytes": 6}]
    assert book.done(*REPORT, "--json").json["attachments"] == []


def test_an_attached_file_is_one_of_its_entry_to_the_letter(book: Commands) -> None:
    book.done(*REPORT, "--attach", "page.txt")
    book.done("dump", "all.jsonl")
    entry = json.loads(Path("all.jsonl").read_text().splitlines()[-1])
    payload = entry["payload"] if isinstance(entry["payload"], dict) else json.loads(entry["payload"])
    assert payload["attachments"] == [{"bytes": 6, "name": "page.txt", "sha256": HASH}]


def test_a_refused_report_leaves_no_file_and_a_refused_file_no_report(book: Commands) -> None:
    head = book.head("forecast.db")
    book("log", "mood", "--state", "clam", "--on", "2024-06-01", "--attach", "page.txt").is_refused('no state "clam"')
    assert list(STORE.iterdir()) == []
    Path("link").symlink_to("page.txt")
    book(*REPORT, "--attach", "page.txt", "--attach", "link").is_refused("--attach", "it is a link")
    book(*REPORT, "--attach", ".").is_refused("--attach", "no plain file")
    assert list(STORE.iterdir()) == []
    assert book.head("forecast.db") == head


def test_a_correction_keeps_what_is_attached(book: Commands) -> None:
    book.done(*REPORT, "--attach", "page.txt")
    book.done("amend", "e2", "--grade", "B2", "--why", "known to us")
    told = book.done("evidence", "--show", "e2", "--json").json
    assert told["attachments"] == [
        {"sha256": HASH, "name": "page.txt", "bytes": 6, "path": str(Path.cwd() / STORE / HASH), "status": "sound"}
    ]
    assert told["as_logged"] == {"grade": None}
    assert told["corrections"][0]["set"] == {"grade": "B2"}


def test_an_entry_is_shown_whole(book: Commands) -> None:
    book.done(*REPORT, "--attach", "page.txt", "--note", "first line\nsecond \x1b".replace("\x1b", ""), "--grade", "C3")
    book.done("amend", "e2", "--grade", "B2", "--why", "known to us")
    book.done("retract", "e2", "--why", "logged twice")
    lines = book.done("evidence", "--show", "e2").out.splitlines()
    assert lines[0].startswith("e2 evidence, recorded 20")
    assert lines[0].endswith("by ana; retracted")
    assert "  note        first line second" in lines
    assert f"  attached    page.txt (6 bytes), sound: {Path.cwd() / STORE / HASH}" in lines
    assert lines[lines.index("as it was logged") + 1] == "  grade       C3"
    assert "  why         logged twice" in lines


def test_an_entry_that_cannot_be_shown_is_named(book: Commands) -> None:
    book.done(*REPORT)
    book.done("amend", "e2", "--grade", "B2")
    book("evidence", "--show", "e9").is_refused("e9", "no such report or coverage")
    book("evidence", "--show", "e3").is_refused("it is itself a correction of e2")
    book("evidence", "--show", "e2", "--source", "Wire").is_refused("--show takes none of")


def test_for_an_audience_an_attachment_is_only_named(book: Commands) -> None:
    book.done(*REPORT, "--attach", "page.txt")
    shown = book.done("evidence", "--show", "e2", "--json", "--max-tlp", "clear")
    assert shown.json["attachments"] == [{"name": "page.txt"}]
    assert HASH not in shown.out
    document = book.done("export").json
    assert document["evidence"][0]["attachments"] == ["page.txt"]
    table = book.done("export", "--format", "csv", "--table", "evidence").out
    assert table.splitlines()[0].endswith(",attachments")
    assert table.splitlines()[1].endswith(",page.txt")
    assert HASH not in json.dumps(document) + table


def test_verify_names_the_entry_whose_file_is_not_as_it_was(book: Commands) -> None:
    book.done(*REPORT, "--attach", "page.txt")
    assert book.done("verify").out.startswith("ok: 2 entries")
    (STORE / HASH).write_bytes(b"b page")
    result = book("verify")
    assert (result.code, result.out) == (1, 'entry e2: its attachment "page.txt" is changed\n')
    assert book("evidence", "--show", "e2", "--json").json["attachments"][0]["status"] == "changed"
    (STORE / HASH).unlink()
    told = book("verify", "--json")
    assert (told.code, told.json["ok"]) == (1, False)
    assert told.json["fault"] == 'entry e2: its attachment "page.txt" is missing'


def test_the_folder_may_be_another_one(book: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    book.done(*REPORT, "--attach", "page.txt", "--attachments", "elsewhere")
    assert (Path("elsewhere") / HASH).exists()
    assert book("verify").code == 1
    assert book("verify", "--attachments", "elsewhere").code == 0
    monkeypatch.setenv("FORECAST_ATTACHMENTS", "elsewhere")
    assert book("verify").code == 0


def test_rows_of_a_file_cannot_name_attachments(book: Commands) -> None:
    row = {"indicator": "mood", "state": "calm", "observed": "2024-06-01", "attachments": []}
    Path("rows.jsonl").write_text(json.dumps(row) + "\n")
    book("import", "rows.jsonl").is_refused('no field "attachments"')


def test_a_row_is_there_already_where_it_was_logged_with_a_file(book: Commands) -> None:
    book.done(*REPORT, "--attach", "page.txt")
    Path("rows.csv").write_text("indicator,state,observed\nmood,calm,2024-06-01\n")
    head = book.head("forecast.db")
    book.done("import", "rows.csv")
    assert book.head("forecast.db") == head


def test_a_copy_of_a_ledger_has_the_files_with_it(book: Commands) -> None:
    book.done(*REPORT, "--attach", "page.txt")
    result = book.done("copy", "forecast.db", "other.db")
    assert "1 attached file is in other.db.attachments" in result.err
    assert (Path("other.db.attachments") / HASH).read_bytes() == b"a page"
    assert book("verify", "--ledger", "other.db").code == 0
    (STORE / HASH).unlink()
    result = book.done("copy", "forecast.db", "third.db")
    assert "note: 1 attached file is missing or changed in forecast.db.attachments, and not copied" in result.err


def test_a_dump_says_that_the_files_are_not_in_it(book: Commands) -> None:
    book.done(*REPORT, "--attach", "page.txt")
    note = "note: 1 attached file is named in it and not part of it; move their folder too"
    assert note in book.done("dump", "all.jsonl").err
    assert note in book.done("load", "all.jsonl", "--ledger", "other.db").err


class AskedTwice(MemoryLedger):
    """A ledger whose first attempt its server makes void, and whose every attempt fails when it is told to."""

    fails = False

    def append(self, decide: Decide) -> list[Entry]:
        list(decide(self))
        if self.fails:
            raise LedgerError("the disk is full")
        return super().append(decide)


def test_a_file_has_its_place_whatever_becomes_of_the_attempts(tmp_path: Path) -> None:
    ledger, folder = AskedTwice(ticking_clock()), AttachmentFolder(tmp_path / "store")
    record(ledger)
    (tmp_path / "page.txt").write_bytes(b"a page")
    raw = {"indicator": "mood", "state": "calm", "observed": "2024-02-01"}
    for fails in (False, True):
        ledger.fails = fails
        with suppress(LedgerError), folder.staged([tmp_path / "page.txt"]) as copies:
            log_report(ledger, "port", raw, author="ana", today=TODAY, place=str, attached=copies)
        assert [path.name for path in folder.path.iterdir()] == [HASH]
        assert [entry.id for entry in ledger.entries()] == ["e1", "e2"]
        assert list(folder.flaws(ledger.entries())) == []


def test_an_amendment_cannot_touch_what_is_attached() -> None:
    ledger = new_ledger()
    log(ledger, {"indicator": "mood", "state": "calm", "observed": "2024-02-01"})
    with pytest.raises(FaultsError, match="the attachments of a report stay as they were logged"):
        amend(ledger, "e2", attachments=[{"sha256": HASH, "name": "x", "bytes": 1}])


def test_a_ledger_in_a_database_needs_to_be_told_of_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORECAST_ATTACHMENTS", raising=False)
    there = DatabaseAddress("postgresql://ana@db/watch")
    assert attaching.folder_of(there) is None
    folder = attaching.folder_of(there, "shared")
    assert folder is not None
    assert folder.path == Path("shared")


def test_what_is_said_of_files_by_another_program_is_a_fault(book: Commands) -> None:
    payload = {"indicator": "mood", "state": "calm", "observed": "2024-06-01", "attachments": [{"name": "../x"}]}
    with open_ledger(Path("forecast.db"), clock=utc_now) as ledger:
        ledger.append(lambda _: [Draft(author="x", study="port", kind="evidence", payload=payload)])
    assert book("verify").out == "entry e2: what it says of its attachments cannot be read\n"
    book("status").is_refused("entry e2: its evidence payload cannot be read (the field attachments)")
