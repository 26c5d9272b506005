"""The command report: what a reader who decides needs, as a page, a document or a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forecast.cli.options import Asked, file_content, parsed, reading_options, refuse_over_ledger
from forecast.cli.powering import progress_shown
from forecast.cli.writing import refuse_terminal, write_content
from forecast.report.formats import report_writer
from indicators.days import parse_day

if TYPE_CHECKING:
    from forecast.release import Released
    from forecast.released_record import StudyRecord

__all__ = ["report"]

_FORMATS: Mapping[str, str] = {".html": "html", ".pdf": "pdf", ".docx": "docx", ".md": "markdown", ".ipynb": "ipynb"}
_BINARY: Mapping[str, str] = {"pdf": "a PDF", "docx": "a Word document"}


@click.command(epilog="Example: forecast report -o japan.pdf --since 2026-05-01 --max-tlp green")
@click.option(
    "-o",
    "--output",
    "file",
    required=True,
    metavar="FILE",
    type=click.Path(dir_okay=False, allow_dash=True),
    help="Where to; - with --format for standard output.",
)
@click.option("--format", "form", type=click.Choice([*_FORMATS.values()]), help="By the name of FILE where left out.")
@click.option("--since", metavar="DAY", help="What changed after that day; since the last publication when left out.")
@click.option(
    "--template",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="For .docx: your house's own, with the fields of docs/report-template.md.",
)
@reading_options
def report(file: str, form: str | None, since: str | None, template: str | None, asked: Asked) -> None:
    """Write a report to FILE, whose ending says what it becomes: .html, .pdf, .docx, .md or .ipynb.

    First what a reader needs on one page: the judgement, what changed and why, what would change it, what was not
    looked at. Then an annex with scenarios, rows, track record, evidence, method and where it comes from.

    The .ipynb is a notebook that works the report out again, with its outputs; it needs the extra `notebook`.
    """
    chosen = form or _FORMATS.get(Path(file).suffix.lower())
    if chosen is None:
        ends = "name --format" if file == "-" else f"{file} ends in none of {', '.join(_FORMATS)}"
        raise click.UsageError(ends)
    if template is not None and chosen != "docx":
        raise click.UsageError("--template goes with .docx")
    if file != "-":
        refuse_over_ledger(file, asked.ledger)
    if chosen in _BINARY:
        refuse_terminal(file, _BINARY[chosen])
    day = None if since is None else parsed("--since", since, parse_day)
    write_content(file, _content(chosen, asked, day, template))
    if file != "-":
        click.echo(f"{file} written", err=True)


def _content(form: str, asked: Asked, since: date | None, template: str | None) -> str | bytes:
    house = None if template is None else file_content(template)
    released = asked.released()
    if form == "ipynb":
        from forecast.cli.notebooks import executed_notebook

        return executed_notebook(released, asked, since=since)
    last = None if since else asked.reading().last_published(released.outlook.as_of, max_tlp=asked.max_tlp)
    record = _record(asked, released)
    house_own = {"template": house, "name": template or ""} if form == "docx" else {}
    return report_writer(form)(released, since=since, last=last, record=record, **house_own)


def _record(asked: Asked, released: Released) -> StudyRecord:
    from forecast.released_record import study_record

    with progress_shown("going through the ledger") as progress:
        return study_record(asked.reading(), released, max_tlp=asked.max_tlp, progress=progress)
