"""Commands that write evidence: log, cover, amend, retract."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from forecast.cli.attaching import attachment_folder, attachments_option
from forecast.cli.options import (
    author_or_user,
    complete_entry,
    complete_indicator,
    file_content,
    json_option,
    open_reading,
    parsed,
    writing_options,
)
from indicators.attachment import attachment_list
from indicators.clock import today

if TYPE_CHECKING:
    import numpy as np

    from forecast.outlook import Outlook
    from forecast.reading import Reading
    from indicators.attachment_folder import Staged

__all__ = ["amend", "cover", "log", "retract"]

F = TypeVar("F", bound=Callable[..., Any])

_FIELD_OPTIONS = (
    ("state", "STATE", "For a state indicator: what was reported."),
    ("count", "N", "For a count or milestone; 1 when left out."),
    ("value", "X", "For a measure: the reading."),
    ("on", "DAY", "The day the thing was so, not the day it is typed."),
    ("from", "DAY", "First day of a span that a count covers."),
    ("to", "DAY", "Last day of the span, included."),
    ("source", "NAME", "Who said it."),
    ("grade", "GRADE", "Admiralty grade such as B2; else the source's usual one, else F6."),
    ("url", "URL", "Where it can be read; kept as text, never fetched."),
    ("origin", "KEY", "Where it ultimately comes from; reports that share it are one testimony."),
    ("event", "KEY", "The happening it is about; reports that share it are one event."),
    ("tlp", "LEVEL", "clear, green, amber, amber+strict or red; the study's when left out."),
    ("note", "TEXT", "What it says, in your words."),
    ("ref", "KEY", "Your own key for it."),
)
_OPTION_OF = {"observed": "--on"}


def _place(field: str) -> str:
    return "INDICATOR" if field == "indicator" else _OPTION_OF.get(field, f"--{field}")


def _field_options(command: F) -> F:
    for name, metavar, about in reversed(_FIELD_OPTIONS):
        command = click.option(f"--{name}", f"field_{name}", metavar=metavar, help=about)(command)
    return command


def _fields(options: dict[str, Any]) -> dict[str, object]:
    given = {name.removeprefix("field_"): value for name, value in options.items() if value is not None}
    return {("observed" if name == "on" else name): value for name, value in given.items()}


@click.command(
    epilog="Example: forecast log sar-effect --state modest --on 2026-06-01 --source Kyodo --grade B2 --attach page.pdf"
)
@click.argument("indicator", shell_complete=complete_indicator)
@_field_options
@click.option(
    "--attach",
    multiple=True,
    metavar="FILE",
    type=click.Path(),
    help="Keep a copy of FILE with the report, under its SHA-256; may be repeated.",
)
@attachments_option
@json_option
@writing_options
def log(
    indicator: str,
    attach: tuple[str, ...],
    attachments: str | None,
    as_json: bool,
    ledger: str | None,
    study: str | None,
    author: str | None,
    **options: str | None,
) -> None:
    """Log one report on INDICATOR and see what it does.

    Prints the entry's id, the weight it carries and the probabilities before and after. What is printed is durable, and
    so are the copies of attached files, which are written first.
    """
    from forecast.reading import live_report
    from forecast.workflow import log_report
    from indicators.evidence import read_kept_report, report_content

    day = today()
    raw = {"indicator": indicator, **_fields(options)}
    book, reading = open_reading(ledger, study)
    who, folder = author_or_user(author), attachment_folder(ledger, attachments) if attach else None
    none: AbstractContextManager[list[Staged]] = nullcontext([])
    staged = folder.staged([Path(file) for file in attach]) if folder else none
    with staged as copies:
        entry = log_report(book, reading.study_id, raw, author=who, today=day, place=_place, attached=copies)
    report, _ = read_kept_report(entry.payload)
    assert report is not None
    live = live_report(reading.study, entry.id, entry.seq, report)
    before = reading.outlook(reading.default_as_of(day))
    after = before.with_report(live)
    grade = reading.study.grade_of(report.grade, report.source)
    if as_json:
        told = _as_json(entry.id, entry.hash, grade, live.rho, before, after)
        told["attachments"] = attachment_list(report.attachments)
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    click.echo(f"{entry.id}  {report.indicator} on {report.dated}  grade {grade}, weight {live.rho:.2f}")
    for item in report.attachments:
        click.echo(f"  attached {item.name} ({item.bytes:,} bytes), {item.sha256}")
    _print_effect(before, after)
    twin = reading.known.twin_of(report_content(report))
    if twin:
        click.echo(f"note: {twin} has the same content; if this is the same report, retract one of them", err=True)
    elif not after.counts(live.entry):
        click.echo("note: a report of the same origin and at least this weight is in already; it counts once", err=True)


def _print_effect(before: Outlook, after: Outlook) -> None:
    """The probabilities before and after something was written."""
    from forecast.display import percent, points

    for scenario, p, q in zip(before.study.scenarios, before.final, after.final, strict=True):
        click.echo(f"  {scenario.label:<40} {percent(p):>7} -> {percent(q):>7}  {points(q - p):>7}")


def _print_effect_on(before: Reading) -> None:
    """The same, where all that was known before is in a reading."""
    from forecast.reading import read_study

    day = before.default_as_of(today())
    _print_effect(before.outlook(day), read_study(before.ledger, before.study_id).outlook(day))


def _as_json(entry: str, head: str, grade: str, rho: float, before: Outlook, after: Outlook) -> dict[str, object]:
    ids = before.study.scenario_ids

    def named(values: np.ndarray[Any, Any]) -> dict[str, float]:
        return dict(zip(ids, values.tolist(), strict=True))

    return {
        "entry": entry,
        "hash": head,
        "grade": grade,
        "weight": rho,
        "before": named(before.final),
        "after": named(after.final),
    }


@click.command(epilog="Example: forecast cover new-agreements --from 2026-01-01 --to 2026-03-31 --detect 0.9")
@click.argument("indicator", required=False, shell_complete=complete_indicator)
@click.option("--from", "field_from", metavar="DAY", help="First day of the span.")
@click.option("--to", "field_to", metavar="DAY", help="Last day, included.")
@click.option("--detect", "field_detect", metavar="P", help="Chance of seeing an event; 1 when left out.")
@click.option("--note", "field_note", metavar="TEXT", help="Who looked, and where.")
@click.option("--file", type=click.Path(dir_okay=False), help="A CSV of spans: indicator,from,to,detect,note.")
@json_option
@writing_options
def cover(
    indicator: str | None,
    file: str | None,
    as_json: bool,
    ledger: str | None,
    study: str | None,
    author: str | None,
    **options: str | None,
) -> None:
    """Record that somebody was looking at INDICATOR, so that silence says something.

    For a count or milestone quiet days then count; for any kind the next look falls due later.
    """
    import forecast.bulk as bulk
    import forecast.workflow as workflow
    from indicators.coverage import FIELDS
    from indicators.intake import read_rows

    raw = _fields(options)
    if file:
        if indicator or raw:
            raise click.UsageError("--file takes neither an indicator nor --from, --to, --detect, --note")
        rows, faults = read_rows(file_content(file), file=file, fields=FIELDS)
        book, reading = open_reading(ledger, study)
        who = author_or_user(author)
        done = bulk.cover_many(book, reading.study_id, file, rows, faults, author=who, today=today())
        entries, skipped = done.entries, done.skipped
    else:
        book, reading = open_reading(ledger, study)
        raw |= {"indicator": indicator} if indicator else {}
        who = author_or_user(author)
        entries, skipped = [workflow.cover(book, reading.study_id, raw, author=who, today=today(), place=_place).id], 0
    if as_json:
        click.echo(json.dumps({"entries": entries, "skipped": skipped}))
    else:
        shown = entries[0] if len(entries) == 1 else f"{len(entries)} spans"
        click.echo(f"{shown} recorded" + (f", {skipped} skipped as already there" if skipped else ""))
        if entries:
            _print_effect_on(reading)


@click.command(epilog="Example: forecast amend e12 --grade C3 --why 'the paper has withdrawn it'")
@click.argument("entry", shell_complete=complete_entry)
@click.option("--indicator", "field_indicator", metavar="ID", help="The indicator it is about.")
@_field_options
@click.option("--detect", "field_detect", metavar="P", help="For coverage: the chance of seeing an event.")
@click.option("--why", metavar="TEXT", help="The reason, kept with the correction.")
@writing_options
def amend(
    entry: str,
    why: str | None,
    ledger: str | None,
    study: str | None,
    author: str | None,
    **options: str | None,
) -> None:
    """Correct ENTRY, a logged report or coverage; an empty text takes a field out.

    The entry itself stays in the ledger; the correction is a new entry that names it.
    """
    import forecast.workflow as workflow

    book, reading = open_reading(ledger, study)
    changes = _fields(options)
    done = workflow.amend(
        book,
        reading.study_id,
        entry,
        changes,
        why=_reason(why) if why else None,
        author=author_or_user(author),
        today=today(),
        place=_place,
    )
    changed = ", ".join(
        f"{name} {'taken out' if value is None else value}" for name, value in done.payload["set"].items()
    )
    click.echo(f"{done.id}  amends {entry}: {changed}")
    _print_effect_on(reading)


def _reason(why: str) -> str:
    from indicators.evidence import read_text

    return parsed("--why", why, read_text)


@click.command(epilog="Example: forecast retract e12 --why 'logged twice'")
@click.argument("entry", shell_complete=complete_entry)
@click.option("--why", required=True, metavar="TEXT", help="The reason, kept with the retraction.")
@writing_options
def retract(entry: str, why: str, ledger: str | None, study: str | None, author: str | None) -> None:
    """Withdraw ENTRY, a logged report or coverage; it stays in the ledger and no longer counts."""
    import forecast.workflow as workflow

    book, reading = open_reading(ledger, study)
    done = workflow.retract(book, reading.study_id, entry, why=_reason(why), author=author_or_user(author))
    click.echo(f"{done.id}  retracts {entry}")
    _print_effect_on(reading)
