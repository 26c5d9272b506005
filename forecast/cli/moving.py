"""Commands that move whole ledgers: copy, dump, load."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from forecast.cli.attaching import carry_attachments, tell_of_attachments
from forecast.cli.options import (
    asked_for,
    json_option,
    ledger_address,
    ledger_option,
    open_the_ledger,
    parsed,
    refuse_over_ledger,
)
from forecast.cli.writing import whole_file
from indicators.address import address_of
from indicators.clock import utc_now
from indicators.errors import WatchfloorError
from indicators.ledger import Head

if TYPE_CHECKING:
    from indicators.transfer import Moved

__all__ = ["copy", "dump", "load"]

MANY = 5_000


class WrongHeadError(WatchfloorError):
    """A dump that does not end in the head that it should."""

    def __init__(self, file: str, found: Head, asked: str) -> None:
        what = f"the file ends in {found.entries}:{found.hash}, not in {asked}; nothing was written"
        super().__init__(what, where=file, mend="get the whole file, or the head that was printed with it")


@click.command(epilog="Example: forecast copy forecast.db postgresql://ana@db.example.org/watchfloor")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@json_option
def copy(source: str, target: str, as_json: bool) -> None:
    """Copy the ledger FROM into TO, every entry to the letter: ids, times and hashes too.

    Each is a file or a postgresql:// URL. TO is made when there is none; it must be empty or hold the beginning of
    FROM, and then takes the rest, all or nothing. FROM is verified before, TO afterwards. Attached files are copied
    too where the folders of both are known.
    """
    from indicators.opening import create_ledger, open_ledger
    from indicators.transfer import BrokenLedgerError, copied

    here, there = (parsed(name, text, address_of) for name, text in (("FROM", source), ("TO", target)))
    with open_ledger(here, clock=utc_now) as book, _progress("copying", book.head().entries):
        fault = book.verify()
        if fault:
            raise BrokenLedgerError(str(here), fault)
        with create_ledger(there, clock=utc_now) as other:
            carry_attachments(book.entries(), here, there)
            moved = copied(book.entries(), other, where=str(there))
    _tell("copied", moved, as_json)


@click.command(epilog="Example: forecast dump ledger.jsonl")
@click.argument("file", default="-", type=click.Path(dir_okay=False, allow_dash=True))
@ledger_option
def dump(file: str, ledger: str | None) -> None:
    """Write every entry of the ledger to FILE, or to standard output, a line of JSON each.

    The dump holds everything, whatever its handling mark. Keep the head that is printed beside it: with it, `forecast
    load --head` shows that the file was not cut.
    """
    from indicators.transfer import Dump

    if file != "-":
        refuse_over_ledger(file, ledger)
    book = open_the_ledger(ledger)
    lines = Dump(book, where=str(ledger_address(asked_for("ledger", ledger))))
    with _progress("dumping", book.head().entries):
        if file == "-":
            sys.stdout.writelines(lines)
        else:
            with whole_file(file) as stream:
                stream.writelines(line.encode() for line in lines)
    end = lines.end
    click.echo(f"{end.entries} entries dumped, head {end.entries}:{end.hash}", err=True)
    tell_of_attachments(book.entries())


@click.command(epilog="Example: forecast load ledger.jsonl --ledger postgresql://ana@db.example.org/watchfloor")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True))
@click.option("--head", metavar="HASH", help="The head that dump printed; a file that was cut is refused by it.")
@json_option
@ledger_option
def load(file: str, head: str | None, as_json: bool, ledger: str | None) -> None:
    """Put the entries of FILE, as `forecast dump` wrote it, into the ledger, to the letter.

    The ledger is made when there is none; it must be empty or hold the beginning of FILE, and then takes the rest. The
    whole chain is checked before anything is written, and again afterwards.
    """
    from indicators.opening import create_ledger
    from indicators.transfer import copied, dump_head, dumped_entries

    address = ledger_address(asked_for("ledger", ledger))
    name = "standard input" if file == "-" else file
    with _rewindable(file) as stream, _progress("loading", MANY + 1):
        end = dump_head(stream, file=name)
        if head is not None and not _is_head(end, head):
            raise WrongHeadError(name, end, head)
        stream.seek(0)
        with create_ledger(address, clock=utc_now) as book:
            moved = copied(dumped_entries(stream, file=name), book, where=str(address))
            tell_of_attachments(book.entries())
    _tell("loaded", moved, as_json)


def _is_head(end: Head, asked: str) -> bool:
    count, _, digits = asked.rpartition(":")
    return count in ("", str(end.entries)) and digits == end.hash


def _tell(done: str, moved: Moved, as_json: bool) -> None:
    head, written = moved.head, moved.head.entries - moved.before
    if as_json:
        told: dict[str, Any] = {"written": written, "there_already": moved.before}
        click.echo(json.dumps(told | {"entries": head.entries, "head": head.hash}))
        return
    already = f", {moved.before} were there already" if moved.before else ""
    click.echo(f"{written} entries {done}{already}, head {head.entries}:{head.hash}")


def _progress(doing: str, entries: int) -> AbstractContextManager[object]:
    if entries <= MANY or not sys.stderr.isatty():
        return nullcontext()
    from rich.console import Console

    return Console(stderr=True).status(f"{doing} the ledger")


@contextmanager
def _rewindable(file: str) -> Iterator[IO[bytes]]:
    """The file's bytes, to be read twice; what comes through a pipe is kept in a temporary file meanwhile."""
    if file != "-" and Path(file).is_file():
        with Path(file).open("rb") as stream:
            yield stream
        return
    with tempfile.TemporaryFile() as kept:
        if file == "-":
            shutil.copyfileobj(sys.stdin.buffer, kept)
        else:
            with Path(file).open("rb") as stream:
                shutil.copyfileobj(stream, kept)
        kept.seek(0)
        yield kept
