"""Ledgers copied, dumped and loaded from the command line: every entry to the letter, or one refusal and nothing."""

from __future__ import annotations

import io
import os
import sqlite3
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from indicators.address import address_of
from indicators.clock import utc_now
from indicators.opening import open_ledger
from tests.commands import REPORT, Commands
from tests.postgres import by_hand

DUMP = "all.jsonl"


@pytest.fixture(params=["file to file", "file to database", "database to file"])
def ends(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """The names of a ledger to move and of one to move it to; neither is there yet."""
    names = {"file": str(tmp_path / "one.db")}
    if "database" in request.param:
        names["database"] = request.getfixturevalue("database")
    source, target = request.param.split(" to ")
    return names[source], names[target] if source != target else str(tmp_path / "two.db")


def rows(name: str) -> list[tuple[object, ...]]:
    """The very rows of a ledger's table."""
    query = "SELECT seq, id, recorded_at, author, study, kind, payload, prev, hash FROM entry ORDER BY seq"
    if name.startswith("postgresql:"):
        return by_hand(name, query)
    with closing(sqlite3.connect(name)) as connection:
        return connection.execute(query).fetchall()


def cut_in_the_middle(name: str) -> None:
    """Take an entry out behind the ledger's back."""
    if name.startswith("postgresql:"):
        by_hand(name, "ALTER TABLE entry DISABLE TRIGGER USER", "DELETE FROM entry WHERE seq = 4")
        return
    with closing(sqlite3.connect(name, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER entry_is_never_deleted")
        connection.execute("DELETE FROM entry WHERE seq = 4")


# Copy


def test_a_copy_has_every_hash_and_says_the_same(commands: Commands, ends: tuple[str, str]) -> None:
    source, target = ends
    head = commands.seven_entries(source)
    assert commands.done("copy", source, target).out == f"7 entries copied, head {head}\n"
    assert rows(target) == rows(source)
    assert commands.head(target) == head
    for reading in (["evidence", "--json"], ["study", "history", "--json"]):
        assert commands.done(*reading, "--ledger", source).out == commands.done(*reading, "--ledger", target).out
    exported = [commands.done("export", "--as-of", "2024-07-01", "--ledger", name).json for name in ends]
    for outlook in exported:
        del outlook["known_at"]
    assert exported[0] == exported[1]


def test_a_copy_there_and_back_goes_on_where_it_ended(commands: Commands, ends: tuple[str, str]) -> None:
    source, target = ends
    commands.seven_entries(source)
    commands.done("copy", source, target)
    commands.done(*REPORT, "--ledger", target)
    assert commands.done("copy", target, source).out.startswith("1 entries copied, 7 were there already, head 8:")
    assert commands.done("copy", source, target, "--json").json["written"] == 0
    assert rows(source) == rows(target)


def test_a_ledger_that_holds_something_else_is_not_copied_to(commands: Commands, ends: tuple[str, str]) -> None:
    source, target = ends
    for name in ends:
        commands.seven_entries(name)
    before = rows(target)
    commands("copy", source, target).is_refused("is another one: its entry 7 is not the one that comes", "nothing was")
    assert rows(target) == before


def test_a_ledger_that_does_not_hold_is_not_copied_and_nothing_is_made(
    commands: Commands, ends: tuple[str, str]
) -> None:
    source, target = ends
    commands.seven_entries(source)
    cut_in_the_middle(source)
    commands("copy", source, target).is_refused("entry 4: position 5 stands where 4 should", "forecast verify")
    commands("verify", "--ledger", target).is_refused("there is no ledger")


def test_a_target_that_does_not_hold_is_not_written_to(commands: Commands, ends: tuple[str, str]) -> None:
    source, target = ends
    commands.seven_entries(source)
    commands.done("copy", source, target)
    cut_in_the_middle(target)
    before = rows(target)
    commands("copy", source, target).is_refused("entry 4: position 5 stands where 4 should")
    assert rows(target) == before


def test_what_cannot_be_copied_is_told_of_its_end(commands: Commands, tmp_path: Path) -> None:
    commands.seven_entries("one.db")
    (tmp_path / "notes.txt").write_text("a text that is no ledger\n" * 50)
    commands("copy", "none.db", "two.db").is_refused("none.db: there is no ledger here")
    commands("copy", "notes.txt", "two.db").is_refused("notes.txt: this is not a ledger")
    commands("copy", "one.db", "notes.txt").is_refused("notes.txt: this is not a ledger")
    commands("copy", "one.db", "mysql://db/x").is_refused("TO: ", '"mysql://" is no kind of ledger')
    commands("copy", "postgresql://ana:KANARIA@127.0.0.1:1/x", "two.db").is_refused("postgresql://ana@127.0.0.1:1/x")
    assert not (tmp_path / "two.db").exists()


# Dump and load


def test_a_dump_loaded_again_has_every_hash(commands: Commands, ends: tuple[str, str]) -> None:
    source, target = ends
    head = commands.seven_entries(source)
    assert commands.done("dump", DUMP, "--ledger", source).err == f"7 entries dumped, head {head}\n"
    assert commands.done("load", DUMP, "--head", head, "--ledger", target).out == f"7 entries loaded, head {head}\n"
    assert rows(target) == rows(source)
    assert commands.head(target) == head


def test_a_dump_to_standard_output_is_that_to_a_file(commands: Commands, tmp_path: Path) -> None:
    commands.seven_entries("one.db")
    commands.done("dump", DUMP, "--ledger", "one.db")
    content = (tmp_path / DUMP).read_text("utf-8")
    assert commands.done("dump", "--ledger", "one.db").out == content
    assert len(content.splitlines()) == 7
    assert sorted(found.name for found in tmp_path.iterdir()) == [DUMP, "one.db", "port.yaml"]


def test_a_dump_comes_in_through_standard_input(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = commands.seven_entries("one.db")
    content = commands.done("dump", "--ledger", "one.db").out.encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert commands.done("load", "-", "--ledger", "two.db").out == f"7 entries loaded, head {head}\n"


def test_loading_again_brings_only_what_is_new(commands: Commands) -> None:
    commands.seven_entries("one.db")
    commands.done("dump", DUMP, "--ledger", "one.db")
    commands.done("load", DUMP, "--ledger", "two.db")
    assert "0 entries loaded, 7 were there already" in commands.done("load", DUMP, "--ledger", "two.db").out
    commands.done(*REPORT, "--ledger", "one.db")
    commands.done("dump", DUMP, "--ledger", "one.db")
    assert commands.done("load", DUMP, "--ledger", "two.db", "--json").json["written"] == 1
    assert rows("two.db") == rows("one.db")


TAMPERED: dict[str, tuple[Callable[[list[str]], Sequence[str]], str]] = {
    "edited": (
        lambda lines: [line.replace('"hostile"}', '"calm"}') for line in lines],
        ":3: its content does not fit its",
    ),
    "left out": (lambda lines: lines[:2] + lines[3:], ":3: position 4 stands where 3 should"),
    "twice": (lambda lines: lines[:3] + lines[2:], ":4: position 3 stands where 4 should"),
    "in another order": (lambda lines: [lines[1], lines[0], *lines[2:]], ":1: position 2 stands where 1 should"),
    "spoilt": (lambda lines: [*lines[:4], lines[4][:-20] + "\n", *lines[5:]], ":5: the line is not JSON in UTF-8"),
    "cut in a line": (lambda lines: [*lines[:6], lines[6][:50]], ":7: the line is not JSON in UTF-8"),
    "emptied": (lambda _: [], "the file has no entry"),
}


@pytest.mark.parametrize("is_there", [False, True])
@pytest.mark.parametrize("name", TAMPERED)
def test_a_file_that_was_changed_is_refused_and_nothing_is_written(
    commands: Commands, tmp_path: Path, name: str, is_there: bool
) -> None:
    change, phrase = TAMPERED[name]
    commands.seven_entries("one.db")
    commands.done("dump", DUMP, "--ledger", "one.db")
    lines = (tmp_path / DUMP).read_text("utf-8").splitlines(keepends=True)
    if is_there:
        (tmp_path / "begun.jsonl").write_text("".join(lines[:2]), "utf-8")
        commands.done("load", "begun.jsonl", "--ledger", "two.db")
    (tmp_path / DUMP).write_text("".join(change(lines)), "utf-8")
    commands("load", DUMP, "--ledger", "two.db").is_refused(
        DUMP, phrase, "go back to the file that forecast dump wrote"
    )
    assert (tmp_path / "two.db").exists() is is_there
    if is_there:
        assert commands.head("two.db").startswith("2:")


def test_a_file_that_was_cut_or_made_anew_is_refused_by_the_head(commands: Commands, tmp_path: Path) -> None:
    head = commands.seven_entries("one.db")
    commands.seven_entries("other.db")
    commands.done("dump", DUMP, "--ledger", "one.db")
    commands.done("dump", "other.jsonl", "--ledger", "other.db")
    lines = (tmp_path / DUMP).read_text("utf-8").splitlines(keepends=True)
    (tmp_path / DUMP).write_text("".join(lines[:5]), "utf-8")
    for file, start in ((DUMP, "5:"), ("other.jsonl", "7:")):
        for asked in (head, head.removeprefix("7:")):
            result = commands("load", file, "--head", asked, "--ledger", "two.db")
            result.is_refused(f"{file}: the file ends in {start}", "nothing was written")
    assert not (tmp_path / "two.db").exists()
    assert commands.done("load", DUMP, "--ledger", "two.db").out.startswith("5 entries loaded")


def test_an_occupied_ledger_is_not_loaded_into(commands: Commands, ends: tuple[str, str]) -> None:
    source, target = ends
    for name in ends:
        commands.seven_entries(name)
    commands.done("dump", DUMP, "--ledger", source)
    before = rows(target)
    commands("load", DUMP, "--ledger", target).is_refused("is another one: its entry 7 is not", "nothing was written")
    assert rows(target) == before


def test_a_broken_ledger_makes_no_dump_and_an_older_one_stays(commands: Commands, tmp_path: Path) -> None:
    commands.seven_entries("one.db")
    commands.done("dump", DUMP, "--ledger", "one.db")
    before = (tmp_path / DUMP).read_bytes()
    cut_in_the_middle("one.db")
    commands("dump", DUMP, "--ledger", "one.db").is_refused("entry 4: position 5 stands where 4 should")
    commands("dump", "new.jsonl", "--ledger", "one.db").is_refused("entry 4")
    assert (tmp_path / DUMP).read_bytes() == before
    assert sorted(found.name for found in tmp_path.iterdir()) == [DUMP, "one.db", "port.yaml"]


def test_the_ledger_is_not_dumped_over_itself(commands: Commands, tmp_path: Path) -> None:
    commands.seven_entries("one.db")
    before = (tmp_path / "one.db").read_bytes()
    commands("dump", "one.db", "--ledger", "one.db").is_refused("one.db: this is the ledger itself")
    assert (tmp_path / "one.db").read_bytes() == before


def test_a_disk_without_room_gets_no_dump(commands: Commands, tmp_path: Path) -> None:
    commands.seven_entries("one.db")
    commands("dump", "/dev/full", "--ledger", "one.db").is_refused("No space left on device")
    commands("dump", "no folder/all.jsonl", "--ledger", "one.db").is_refused("No such file or directory")


def test_a_load_goes_through_a_pipe_that_is_a_file(commands: Commands, tmp_path: Path) -> None:
    commands.seven_entries("one.db")
    content = commands.done("dump", "--ledger", "one.db").out.encode()
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    try:
        commands.done("load", f"/dev/fd/{reading}", "--ledger", "two.db")
    finally:
        os.close(reading)
    with open_ledger(address_of("two.db"), clock=utc_now) as ledger:
        assert ledger.head().entries == 7
