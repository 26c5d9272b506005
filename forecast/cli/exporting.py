"""Commands that hand on and check: export, calendar, verify."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from forecast.cli.attaching import attachments_option, known_folder, named_in
from forecast.cli.options import (
    Asked,
    json_option,
    open_the_ledger,
    reading_options,
    reading_place_options,
    refuse_over_ledger,
)
from forecast.cli.writing import refuse_terminal, write_content, write_folder
from indicators.entry import FIRST_PREV

if TYPE_CHECKING:
    from forecast.release import Released
    from indicators.ledger import Ledger

__all__ = ["calendar", "export", "verify"]

_SHORTEST_HEAD = 12


_FORMATS = ("json", "csv", "xlsx", "parquet", "markdown", "stix")
_SUFFIXES = {
    ".json": "json", ".csv": "csv", ".xlsx": "xlsx", ".parquet": "parquet", ".md": "markdown", ".stix.json": "stix"
}  # fmt: skip

_WITHOUT_FLAGS = ("csv", "parquet")


@click.command(epilog="Example: forecast export --format markdown --max-tlp green --without-above outlook.md")
@click.argument("file", required=False, type=click.Path(dir_okay=False, allow_dash=True))
@click.option("-o", "--output", metavar="FILE", type=click.Path(dir_okay=False, allow_dash=True), help="FILE, as well.")
@click.option("--format", "form", type=click.Choice(_FORMATS), help="By the name of FILE where left out, else json.")
@click.option(
    "--table",
    metavar="NAME",
    help="For csv and parquet: timeline (default), scenarios, contributions, indicators, next, projection, "
    "surprise or evidence.",
)
@click.option("--all", "folder", metavar="DIR", type=click.Path(file_okay=False), help="Every format, list and chart.")
@click.option("--force", is_flag=True, help="With --all: write over files that are there.")
@reading_options
def export(
    file: str | None,
    output: str | None,
    form: str | None,
    table: str | None,
    folder: str | None,
    force: bool,
    asked: Asked,
) -> None:
    """Write the outlook to FILE, or to standard output (-).

    JSON holds all of it in full precision; XLSX every list on a sheet of its own; CSV and Parquet one list; STIX 2.1
    the study, its scenarios and the evidence; Markdown what a reader needs on a page.

    For an audience, `--max-tlp amber` refuses an outlook that rests on anything stricter; with `--without-above` it is
    worked out without.
    """
    named = _one_name(file, output)
    if folder is not None:
        if named or form or table:
            raise click.UsageError("--all writes every format and list; leave FILE, --format and --table out")
        _export_all(folder, asked, force=force)
        return
    if force:
        raise click.UsageError("--force goes with --all; a FILE is written over without it")
    chosen = form or _format_by_name(named)
    if table is not None and chosen not in ("csv", "parquet"):
        raise click.UsageError("--table goes with --format csv or parquet")
    _export_one(named or "-", chosen, table, asked)


def _one_name(file: str | None, output: str | None) -> str | None:
    if file is not None and output is not None:
        raise click.UsageError("FILE is named twice; give it once, with --output or without")
    return file if file is not None else output


def _format_by_name(file: str | None) -> str:
    """The format that the end of a file's name stands for; JSON where it stands for none."""
    endings = [ending for ending in _SUFFIXES if (file or "").lower().endswith(ending)]
    return _SUFFIXES[max(endings, key=len)] if endings else "json"


def _export_one(file: str, form: str, table: str | None, asked: Asked) -> None:
    if form in ("xlsx", "parquet"):
        refuse_terminal(file, {"xlsx": "a workbook", "parquet": "a Parquet file"}[form])
    from forecast.export import FORMATS

    released = asked.released()
    options = {} if table is None else {"table": table}
    _write(file, FORMATS[form].write(released, **options), asked)
    if form in _WITHOUT_FLAGS:
        _tell_flags(released)
        head = released.provenance.head
        click.echo(f"ledger {head.entries}:{head.hash}", err=True)


def _tell_flags(released: Released) -> None:
    """Say beside a list, which has no place for it, what its reader must know."""
    from forecast.assessment import flags

    for flag in flags(released.outlook, known=released.flags):
        click.echo(f"flag: {flag}", err=True)


def _write(file: str, content: str | bytes, asked: Asked) -> None:
    if file != "-":
        refuse_over_ledger(file, asked.ledger)
    write_content(file, content)
    if file != "-":
        click.echo(f"{file} written", err=True)


def _export_all(folder: str, asked: Asked, *, force: bool) -> None:
    from forecast.export.folder import folder_of

    files = dict(folder_of(asked.released()))
    for name in files:
        refuse_over_ledger(f"{folder}/{name}", asked.ledger)
    write_folder(folder, files, force=force)
    click.echo(f"{len(files)} files written to {folder}", err=True)


@click.command(epilog="Example: forecast calendar -o looks.ics")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    default="-",
    type=click.Path(dir_okay=False, allow_dash=True),
    help="Else printed.",
)
@reading_options
def calendar(output: str, asked: Asked) -> None:
    """Write the looks that are due as a calendar (.ics), one event of a whole day for each indicator.

    What is overdue stands on the as-of day. Taken in again later, an event moves to its new day.
    """
    from forecast.export.calendar_export import calendar_text

    _write(output, calendar_text(asked.released()), asked)


@click.command(epilog="Example: forecast verify --head 5f0c1d...")
@click.option("--head", metavar="HASH", help="A head printed earlier; it has to be one of this ledger's entries.")
@attachments_option
@json_option
@reading_place_options
def verify(head: str | None, attachments: str | None, as_json: bool, ledger: str | None, study: str | None) -> None:
    """Check every link of the ledger, its schema and its pages, and that every publication rests on what is before it.

    Every attached file has to be there with the content that its entry names.

    Leaves with 0 when all hold and 1 when one does not; the first that does not is named. A chain alone does not show
    a cut tail or an older copy: give a head printed by an earlier outlook or export to see those too.
    """
    book = open_the_ledger(ledger)
    fault = book.verify()
    why = str(fault) if fault else _unsound_publication(book) or _unsound_attachment(book, ledger, attachments)
    end = None if why else book.head()
    found = None
    if end and head is not None:
        found = _position(book, head)
        why = f"no entry has the head {head}; this ledger was cut, replaced or written anew" if found is None else None
    if as_json:
        told = {"ok": why is None, "fault": why, "head_found_at": found}
        click.echo(json.dumps(told | ({"entries": end.entries, "head": end.hash} if end else {})))
    elif why is not None or end is None:
        click.echo(why)
    else:
        where = f"; the head given is entry {found}" if found else ""
        click.echo(f"ok: {end.entries} entries, head {end.entries}:{end.hash}{where}")
    if why is not None:
        raise click.exceptions.Exit(1)


def _unsound_publication(book: Ledger) -> str | None:
    """What is wrong with a publication that cannot be read, or rests on another ledger; None where all are sound."""
    published = [entry for entry in book.entries() if entry.kind == "publish"]
    if not published:
        return None
    from forecast.publication import publications_of
    from indicators.replay import UnreadableEntryError

    try:
        publications_of(published)
    except UnreadableEntryError as error:
        return f"{error.where}: {error.what}"
    return None


def _unsound_attachment(book: Ledger, ledger: str | None, asked: str | None) -> str | None:
    """The first attached file that is missing or changed, and how many more are; None where all are as named."""
    folder = known_folder(ledger, asked)
    if folder is None:
        count = len(named_in(book.entries()))
        if count:
            mend = "name their folder with --attachments DIR"
            click.echo(f"note: attached files were not checked ({count}); {mend}", err=True)
        return None
    flaws = list(folder.flaws(book.entries()))
    more = f", and {len(flaws) - 1} more like it" if len(flaws) > 1 else ""
    return f"{flaws[0]}{more}" if flaws else None


def _position(book: Ledger, head: str) -> int | None:
    """Where a head printed earlier stands, in full or cut to twelve digits as in a table; None when it does not."""
    count, _, digits = head.rpartition(":")
    if count == "0" and digits == FIRST_PREV:
        return 0
    entries = book.entries() if len(digits) >= _SHORTEST_HEAD else iter(())
    found = next((entry.seq for entry in entries if entry.hash.startswith(digits)), None)
    return found if count in ("", str(found)) else None
