"""Commands that hand on and check: export, verify."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forecast.cli.options import (
    Asked,
    json_option,
    open_the_ledger,
    reading_options,
    reading_place_options,
    refuse_over_ledger,
)
from indicators.entry import FIRST_PREV

if TYPE_CHECKING:
    from indicators.ledger import Ledger

__all__ = ["export", "verify"]

_SHORTEST_HEAD = 12


@click.command(epilog="Example: forecast export --format csv --table contributions moved.csv")
@click.argument("file", default="-", type=click.Path(dir_okay=False, allow_dash=True))
@click.option(
    "--format", "form", type=click.Choice(["json", "csv", "markdown"]), default="json", show_default=True, help="What."
)
@click.option(
    "--table", metavar="NAME", help="For CSV: timeline (default), scenarios, contributions, indicators or evidence."
)
@reading_options
def export(
    file: str,
    form: str,
    table: str | None,
    asked: Asked,
) -> None:
    """Write the outlook to FILE, or to standard output.

    JSON holds all of it in full precision; CSV one list of it; Markdown what a reader needs on a page.
    """
    from forecast.export import FORMATS

    if table is not None and form != "csv":
        raise click.UsageError("--table goes with --format csv")
    reading, outlook = asked.outlook()
    provenance = asked.provenance(reading)
    options = {} if table is None else {"table": table}
    text = FORMATS[form].write(outlook, provenance, flags=reading.flags, **options)
    if file == "-":
        sys.stdout.write(text)
    else:
        refuse_over_ledger(file, asked.ledger)
        Path(file).write_text(text, encoding="utf-8", newline="")
        click.echo(f"{file} written", err=True)


@click.command(epilog="Example: forecast verify --head 5f0c1d...")
@click.option("--head", metavar="HASH", help="A head printed earlier; it has to be one of this ledger's entries.")
@json_option
@reading_place_options
def verify(head: str | None, as_json: bool, ledger: str | None, study: str | None) -> None:
    """Check every link of the ledger, its schema and its pages.

    Leaves with 0 when all hold and 1 when one does not; the first that does not is named. A chain alone does not show
    a cut tail or an older copy: give a head printed by an earlier outlook or export to see those too.
    """
    book = open_the_ledger(ledger)
    fault = book.verify()
    end = None if fault else book.head()
    why = str(fault) if fault else None
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


def _position(book: Ledger, head: str) -> int | None:
    """Where a head printed earlier stands, in full or cut to twelve digits as in a table; None when it does not."""
    count, _, digits = head.rpartition(":")
    if count == "0" and digits == FIRST_PREV:
        return 0
    entries = book.entries() if len(digits) >= _SHORTEST_HEAD else iter(())
    found = next((entry.seq for entry in entries if entry.hash.startswith(digits)), None)
    return found if count in ("", str(found)) else None
