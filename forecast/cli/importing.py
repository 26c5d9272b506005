"""The command that takes in files of reports: import, with its progress on a terminal."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecast.cli.options import asked_for, author_or_user, json_option, open_the_ledger, writing_options
from indicators.clock import today

if TYPE_CHECKING:
    from forecast.bulk import Imported, Tried
    from indicators.intake import Handed

__all__ = ["import_"]

_SHOWN = (
    *("indicator", "observed", "from", "to", "state", "count", "value"),
    *("source", "grade", "origin", "event", "tlp", "ref"),
)
"""The columns of a dry run: all that counts, without the long texts."""

SLOW_FROM = 500_000
"""Bytes from which on a person would wonder whether anything happens."""


@click.command(name="import", epilog="Example: forecast import reports.csv more.jsonl --dry-run")
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False))
@click.option("--sheet", metavar="NAME", help="The sheet of an XLSX file; its first when left out.")
@click.option("--dry-run", is_flag=True, help="Say what would be written and skipped, or every fault; write nothing.")
@json_option
@writing_options
def import_(
    files: tuple[str, ...],
    sheet: str | None,
    dry_run: bool,
    as_json: bool,
    ledger: str | None,
    study: str | None,
    author: str | None,
) -> None:
    """Log all reports of CSV, JSONL or XLSX files, or of STIX bundles (.json), or none.

    Columns or keys are those of a report: indicator, observed, state, count, value, from, to, source, grade, url,
    origin, event, tlp, note, author, ref. Rows that are in the study already, by their ref or by their whole content,
    are skipped. One bad row and nothing is written; every bad row is named. Files are read row by row and may be longer
    than memory.
    """
    from forecast.bulk import import_reports, tried_import
    from forecast.reading import chosen_study

    who = author_or_user(author)
    book = open_the_ledger(ledger)
    study_id = chosen_study(book, asked_for("study", study))
    if dry_run:
        with _handed(files, sheet) as handed:
            tried = tried_import(book, study_id, handed, today=today())
        _show_tried(tried, as_json=as_json)
        return
    with _handed(files, sheet) as handed:
        done = import_reports(book, study_id, handed, author=who, today=today())
    _show_done(done, as_json=as_json)


def _show_done(done: Imported, *, as_json: bool) -> None:
    written = len(done.positions)
    if as_json:
        click.echo(json.dumps({"written": written, "skipped": done.skipped, "entries": done.entries}))
        return
    from forecast.display import counted

    span = f" (e{done.positions[0]} to e{done.positions[-1]})" if written else ""
    click.echo(f"{counted(written, 'report')} written{span}, {done.skipped:,} skipped as already there")


def _show_tried(tried: Tried, *, as_json: bool) -> None:
    would_write = len(tried.positions)
    if as_json:
        facts = {"written": 0, "would_write": would_write, "skipped": tried.skipped, "entries": []}
        click.echo(json.dumps({**facts, "first": tried.first}, ensure_ascii=False))
        return
    from forecast.display import counted

    if tried.first:
        _print_first(tried)
    told = f"{counted(would_write, 'report')} would be written, {tried.skipped:,} skipped as already there"
    click.echo(f"{told}; nothing was written")


def _print_first(tried: Tried) -> None:
    from forecast.cli.tables import print_table

    columns = [name for name in _SHOWN if any(name in content for content in tried.first)]
    print_table(columns, [[str(content.get(name, "")) for name in columns] for content in tried.first])
    left = len(tried.positions) - len(tried.first)
    if left:
        click.echo(f"... and {left} more")


@contextmanager
def _handed(files: Sequence[str], sheet: str | None) -> Iterator[list[Handed]]:
    """The files to be read; on a terminal a bar shows how far they are, where that takes a while."""
    from indicators.evidence import FIELDS
    from indicators.intake import Handed

    sizes = [Path(file).stat().st_size for file in files]
    openers: list[Callable[[], Any]] = [partial(Path(file).open, "rb") for file in files]
    if sum(sizes) < SLOW_FROM or not sys.stderr.isatty():
        yield [Handed(file, opened, FIELDS, sheet) for file, opened in zip(files, openers, strict=True)]
        return
    with _bar(sum(sizes)) as show:
        watched = [
            Handed(file, partial(_Watched, file, sum(sizes[:number]), show), FIELDS, sheet)
            for number, file in enumerate(files)
        ]
        yield watched


@contextmanager
def _bar(total: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error; what it gives is told how many bytes are done."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    clocks = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    with Progress(*columns, *clocks, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("importing", total=total)
        yield lambda done: progress.update(task, completed=done)


class _Watched(io.BufferedReader):
    """A file that tells how far it was read."""

    def __init__(self, file: str, before: int, show: Callable[[int], None]) -> None:
        super().__init__(io.FileIO(file))
        self._before, self._show, self._furthest = before, show, 0

    def read(self, size: int | None = -1, /) -> bytes:
        content = super().read(size)
        if self.tell() > self._furthest:
            self._furthest = self.tell()
            self._show(self._before + self._furthest)
        return content
