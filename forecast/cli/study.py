"""Commands about studies: check a file, record it, list and show what is recorded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from forecast.cli.options import (
    asked_for,
    author_or_user,
    file_content,
    json_option,
    ledger_address,
    max_tlp_option,
    open_reading,
    open_the_ledger,
    reading_place_options,
    writing_options,
)
from forecast.cli.suggesting import SuggestingGroup
from indicators.clock import utc_now

if TYPE_CHECKING:
    from forecast.reading import Reading

__all__ = ["study"]


@click.group(cls=SuggestingGroup, epilog="Example: forecast study check my.yaml && forecast study add my.yaml")
def study() -> None:
    """Check, record, list and show studies."""


@study.command(
    short_help="Check a study FILE and name every fault.", epilog="Example: forecast study check my-study.yaml"
)
@click.argument("file", type=click.Path(dir_okay=False))
@json_option
def check(file: str, as_json: bool) -> None:
    """Check a study FILE and the histories it names, and print every fault with its place.

    Leaves with 0 when it is sound and 1 when it has faults.
    """
    from forecast.study_folder import read_study_files
    from indicators.errors import Fault, FaultsError

    faults: list[Fault] = []
    try:
        read_study_files(file, file_content(file))
    except FaultsError as error:
        faults = list(error.faults)
    if as_json:
        shown = [{"file": f.file, "line": f.line, "column": f.column, "what": f.what, "mend": f.mend} for f in faults]
        click.echo(json.dumps({"faults": shown}, ensure_ascii=False))
    else:
        for fault in faults:
            click.echo(str(fault))
        if not faults:
            click.echo(f"{file}: sound")
    if faults:
        raise click.exceptions.Exit(1)


@study.command(epilog="Example: forecast study add my-study.yaml")
@click.argument("file", type=click.Path(dir_okay=False))
@writing_options
def add(file: str, ledger: str | None, study: str | None, author: str | None) -> None:
    """Record the study in FILE, or the next revision of it.

    Makes the ledger when there is none yet. The histories that the study names are recorded with it, and the models of
    its measures are fitted to them. A file that is recorded already changes nothing.
    """
    from forecast.study_file import study_json
    from forecast.study_folder import read_study_files
    from forecast.workflow import record_study
    from indicators.opening import open_or_create_ledger

    files = read_study_files(file, file_content(file))
    found = files.study
    if asked_for("study", study) not in (None, found.study):
        raise click.UsageError(f'{file} is the study "{found.study}", not "{asked_for("study", study)}"')
    address = ledger_address(asked_for("ledger", ledger))
    book, is_made = open_or_create_ledger(address, clock=utc_now)
    click.get_current_context().call_on_close(book.close)
    if is_made:
        click.echo(f"made the ledger {address}", err=True)
    who = author_or_user(author)
    done = record_study(book, found, content=study_json(found), text=files.text, file=file, author=who)
    told = f"{done.entry.id}  {found.study} revision {done.number}"
    click.echo(told if done.is_new else f"{told} is this file already; nothing was written")


@study.command(name="list", epilog="Example: forecast study list")
@json_option
@reading_place_options
def list_(as_json: bool, ledger: str | None, study: str | None) -> None:
    """List the studies of the ledger, and whether each is open, resolved or void."""
    from forecast.reading import chosen_study, read_study

    book = open_the_ledger(ledger)
    asked = asked_for("study", study)
    rows = []
    for study_id in book.studies() if asked is None else [chosen_study(book, asked)]:
        reading = read_study(book, study_id)
        rows.append(
            {
                "study": study_id,
                "title": reading.study.label,
                "opens": reading.study.opens.isoformat(),
                "horizon": reading.study.horizon.isoformat(),
                "revisions": len(reading.known.revisions),
                "reports": sum(1 for _ in reading.known.reports()),
                **_status(reading),
            }
        )
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    if not rows:
        click.echo("no studies yet; record one with `forecast study add FILE`")
        return
    from forecast.cli.tables import print_table

    columns = ["study", "title", "opens", "horizon", "revisions", "reports", "status"]
    lines = [[str(row[name]) for name in columns[:-1]] + [_status_text(row)] for row in rows]
    print_table(columns, lines, right=["revisions", "reports"], wrap=["title"])


def _status(reading: Reading) -> dict[str, str | None]:
    """Whether the study is open, resolved or void; and what came true on which day."""
    found = reading.resolution
    if found is None or found.on is None:
        return {"status": "open" if found is None else "void", "outcome": None, "resolved_on": None}
    return {"status": "resolved", "outcome": found.scenario, "resolved_on": found.on.isoformat()}


def _status_text(row: dict[str, Any]) -> str:
    return f"{row['outcome']} on {row['resolved_on']}" if row["status"] == "resolved" else str(row["status"])


@study.command(epilog="Example: forecast study show japan-sar")
@click.argument("study_id", metavar="[STUDY]", required=False)
@click.option("--file", "as_file", is_flag=True, help="Print the recorded file to the letter.")
@click.option("--known-at", metavar="TIME", help="The revision in force then.")
@max_tlp_option
@json_option
@reading_place_options
def show(
    study_id: str | None,
    as_file: bool,
    known_at: str | None,
    max_tlp: str | None,
    as_json: bool,
    ledger: str | None,
    study: str | None,
) -> None:
    """Show STUDY as recorded: scenarios, priors, indicators and their rows."""
    from forecast.cli.study_tables import print_study

    reading = open_reading(ledger, study if study_id is None else study_id, known_at)[1].within(max_tlp)
    payload = reading.known.revisions[-1].payload
    if as_file:
        click.echo(payload["file"], nl=False)
    elif as_json:
        click.echo(json.dumps(payload["study"], ensure_ascii=False))
    else:
        print_study(reading)


@study.command(epilog="Example: forecast study history japan-sar")
@click.argument("study_id", metavar="[STUDY]", required=False)
@json_option
@reading_place_options
def history(study_id: str | None, as_json: bool, ledger: str | None, study: str | None) -> None:
    """Show every revision of STUDY: when, by whom, and what it changed."""
    from forecast.revision import changes, study_of

    _, reading = open_reading(ledger, study if study_id is None else study_id)
    rows: list[dict[str, Any]] = []
    previous = None
    for number, entry in enumerate(reading.known.revisions, start=1):
        revision = study_of(entry)
        rows.append(
            {
                "revision": number,
                "entry": entry.id,
                "recorded_at": entry.recorded_at,
                "author": entry.author,
                "changes": changes(previous, revision),
            }
        )
        previous = revision
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        click.echo(f"revision {row['revision']}  {row['entry']}  {row['recorded_at'][:19]}Z  {row['author']}")
        for line in row["changes"]:
            click.echo(f"  {line}")
