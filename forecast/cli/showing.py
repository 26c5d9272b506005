"""Commands that read: evidence, status, explain."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import click

from forecast.cli.attaching import attachments_option, known_folder
from forecast.cli.options import (
    Asked,
    as_of_day,
    complete_entry,
    complete_indicator,
    complete_scenario,
    json_option,
    parsed,
    reading_options,
)
from indicators.days import parse_day
from indicators.errors import WatchfloorError, nearest

if TYPE_CHECKING:
    from forecast.outlook import Row
    from forecast.reading import Reading
    from forecast.release import Released
    from indicators.attachment_folder import AttachmentFolder
    from indicators.replay import Logged

__all__ = ["evidence", "explain", "status"]

_MOST = 12


class UnknownSourceError(WatchfloorError):
    """A source that no logged report names."""

    def __init__(self, source: str, known: list[str]) -> None:
        super().__init__(f'no source "{source}" in the study', where="--source", mend=nearest(source, known))


class EmptySpanError(WatchfloorError):
    """A span of days that ends before it starts."""

    def __init__(self, first: date, last: date) -> None:
        super().__init__(f"the list ends on {last}, before it starts on {first}", where="--to", mend="give a later day")


@click.command(epilog="Example: forecast status --as-of 2026-06-07 --without source:Sankei")
@json_option
@reading_options
def status(
    as_json: bool,
    asked: Asked,
) -> None:
    """Show where every scenario and indicator stands, and what moved them most."""
    released = asked.released()
    if as_json:
        click.echo(json.dumps(_status(released), ensure_ascii=False))
        return
    from forecast.cli.tables import print_status

    print_status(released)


def _status(released: Released) -> dict[str, object]:
    """The parts of the outlook that the table shows, as its JSON export has them."""
    from forecast.display import most_moving
    from forecast.export.json_export import outlook_json

    whole = outlook_json(released)
    moved = [contribution.live.entry for contribution in most_moving(released.outlook, 3)]
    by_entry = {item["entry"]: item for item in whole["contributions"]}
    parts = ("engine", "study", "tlp", "as_of", "known_at", "ledger", "without", "scenarios", "indicators", "flags")
    return {name: whole[name] for name in parts if name in whole} | {"moved": [by_entry[name] for name in moved]}


@click.command(epilog="Example: forecast explain --since 2026-01-01 --scenario network")
@click.option("--since", metavar="DAY", help="What moved after that day; from the priors on when left out.")
@click.option(
    "--scenario",
    metavar="ID",
    shell_complete=complete_scenario,
    help="The scenario to explain; the leading one when left out.",
)
@click.option("--all", "everything", is_flag=True, help="Every report on a line of its own.")
@json_option
@reading_options
def explain(
    since: str | None,
    scenario: str | None,
    everything: bool,
    as_json: bool,
    asked: Asked,
) -> None:
    """Show what moved the probabilities, line by line; the lines add up to the whole move."""
    released = asked.released()
    outlook = released.outlook
    chosen = outlook.study.scenario_position(scenario) if scenario is not None else int(outlook.final.argmax())
    day = None if since is None else parsed("--since", since, parse_day)
    rows = outlook.rows_since(day)
    if as_json:
        click.echo(json.dumps(_explanation(released, rows, day), ensure_ascii=False))
        return
    from forecast.cli.tables import print_explanation

    start = float(outlook.before(day)[chosen])
    most = None if everything else _MOST
    print_explanation(released, rows, chosen, start=start, most=most, since=day)


def _explanation(released: Released, rows: list[Row], since: date | None) -> dict[str, object]:
    from forecast.assessment import flags, frequencies, paragraph
    from forecast.flip import flips
    from forecast.probability import DECIBAN

    outlook, ids = released.outlook, released.outlook.study.scenario_ids
    return {
        "study": outlook.study.study,
        "since": since.isoformat() if since else None,
        "as_of": outlook.as_of.isoformat(),
        "without": list(released.provenance.without),
        "paragraph": paragraph(outlook, since=since),
        "frequencies": dict(zip(ids, frequencies(outlook.final), strict=True)),
        "flip": flips(outlook),
        "from": dict(zip(ids, outlook.before(since).tolist(), strict=True)),
        "to": dict(zip(ids, outlook.final.tolist(), strict=True)),
        "rows": [
            {
                "what": row.what,
                "indicator": row.indicator or None,
                "entry": row.live.entry if row.live else None,
                "date": row.live.report.dated.isoformat() if row.live else None,
                "log_odds": dict(zip(ids, row.log_odds.tolist(), strict=True)),
                "decibans": dict(zip(ids, (row.log_odds / DECIBAN).tolist(), strict=True)),
            }
            for row in rows
        ],
        "flags": flags(outlook, known=released.flags),
    }


@click.command(epilog="Example: forecast evidence --indicator new-agreements --from 2026-01-01 --corrected")
@click.option("--indicator", metavar="ID", shell_complete=complete_indicator, help="Only on this indicator.")
@click.option("--source", metavar="NAME", help="Only from this source.")
@click.option("--from", "first", metavar="DAY", help="Only dated that day or later.")
@click.option("--to", "last", metavar="DAY", help="Only dated that day or earlier.")
@click.option("--live", "only", flag_value="live", help="Only what stands.")
@click.option("--corrected", "only", flag_value="corrected", help="Only what was amended or retracted.")
@click.option("--show", metavar="ENTRY", shell_complete=complete_entry, help="One entry whole, with its attachments.")
@attachments_option
@json_option
@reading_options
def evidence(
    indicator: str | None,
    source: str | None,
    first: str | None,
    last: str | None,
    only: str | None,
    show: str | None,
    attachments: str | None,
    as_json: bool,
    asked: Asked,
) -> None:
    """List logged reports and coverage, retracted ones included, with their corrections.

    `--show e12` prints that entry whole: every field, what became of it, and where its attachments lie.
    """
    from forecast.listing import Wanted
    from forecast.study import UnknownIndicatorError

    reading = asked.reading()
    if show is not None:
        if any((indicator, source, first, last, only)):
            raise click.UsageError("--show takes none of --indicator, --source, --from, --to, --live, --corrected")
        _show(reading, show, asked, attachments, as_json=as_json)
        return
    if indicator is not None and indicator not in reading.study.by_id:
        raise UnknownIndicatorError(indicator, list(reading.study.by_id), where="--indicator")
    last_days = [] if last is None else [parsed("--to", last, parse_day)]
    last_days += [] if asked.as_of is None else [as_of_day(reading, asked.as_of)]
    span = (None if first is None else parsed("--from", first, parse_day), min(last_days, default=None))
    _refuse_empty(reading, source, span, asked)
    wanted = Wanted(indicator=indicator, source=source, first=span[0], last=span[1], standing=only)
    rows = reading.listed(
        lambda logged: wanted.takes(logged, reading),
        max_tlp=asked.max_tlp,
        without_above=asked.without_above,
        without=asked.without,
    )
    if as_json:
        click.echo(json.dumps([_logged(logged, reading) for logged in rows], ensure_ascii=False))
        return
    from forecast.cli.tables import print_evidence

    print_evidence(reading, rows)
    click.echo("1 entry" if len(rows) == 1 else f"{len(rows)} entries", err=True)


def _refuse_empty(reading: Reading, source: str | None, span: tuple[date | None, date | None], asked: Asked) -> None:
    """Refuse a source that no report names, which is a slip, and a span that holds no day."""
    told = {getattr(logged.record, "source", None) for logged in reading.known.logged.values()}
    if source is not None and source not in told:
        # Names of what is withheld are no hints.
        shown = {getattr(item.record, "source", None) for item in reading.within(asked.max_tlp).known.logged.values()}
        raise UnknownSourceError(source, sorted(filter(None, shown)))
    first, last = span
    if first and last and last < first:
        raise EmptySpanError(first, last)


def _show(reading: Reading, entry: str, asked: Asked, attachments: str | None, *, as_json: bool) -> None:
    """One entry whole. For an audience its attachments are only named: where they lie is the house's own affair."""
    from forecast.cli.entry_page import entry_lines

    reading.known.named(entry)  # refuses what is not there
    rows = reading.listed(
        lambda logged: logged.entry.id == entry, max_tlp=asked.max_tlp, without_above=asked.without_above
    )
    folder = known_folder(asked.ledger, attachments) if asked.max_tlp is None else None
    for logged in rows:
        told = _logged(logged, reading) | {"tlp": reading.mark_of(logged)}
        told["as_logged"] = _first(logged)
        told["attachments"] = _attachments(logged, folder, is_named_only=asked.max_tlp is not None)
        if as_json:
            click.echo(json.dumps(told, ensure_ascii=False))
        else:
            for line in entry_lines(told):
                click.echo(line)
    if not rows:
        click.echo(f"{entry} is marked above --max-tlp and left out", err=True)


def _first(logged: Logged) -> dict[str, object]:
    """The fields that were logged with another value than they have now; None for one that was not there."""
    from indicators.replay import amended

    was, now = amended(logged.first, {}), amended(logged.record, {})
    return {name: was.get(name) for name in {**was, **now} if was.get(name) != now.get(name)}


def _attachments(logged: Logged, folder: AttachmentFolder | None, *, is_named_only: bool) -> list[dict[str, object]]:
    """A report's files: names alone, or with hash and size, and with path and status where their folder is known."""
    from indicators.attachment import attachment_list

    files = getattr(logged.record, "attachments", ())
    if is_named_only:
        return [{"name": file.name} for file in files]
    told = attachment_list(files)
    if folder is not None:
        for item, file in zip(told, files, strict=True):
            item |= {"path": str(folder.path_of(file)), "status": folder.status(file)}
    return told


def _logged(logged: Logged, reading: Reading) -> dict[str, object]:
    from forecast.reading import live_report
    from indicators.coverage import Coverage, coverage_content
    from indicators.evidence import report_content

    entry = logged.entry
    told: dict[str, object] = {"entry": entry.id, "kind": entry.kind}
    told |= {"recorded_at": entry.recorded_at, "recorded_by": entry.author}
    if isinstance(logged.record, Coverage):
        told |= coverage_content(logged.record)
    else:
        told |= report_content(logged.record)
        told["weight"] = live_report(reading.study, entry.id, entry.seq, logged.record).rho
        if logged.record.attachments:
            told["attachments"] = [item.name for item in logged.record.attachments]
    told["retracted"] = logged.retracted
    told["corrections"] = [
        {
            "entry": correction.id,
            "kind": correction.kind,
            "recorded_at": correction.recorded_at,
            "recorded_by": correction.author,
            "set": correction.payload.get("set"),
            "why": correction.payload.get("why"),
        }
        for correction in logged.corrections
    ]
    return told
