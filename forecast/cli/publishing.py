"""Commands that put the outlook on record: publish, publications."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import click

from forecast.cli.options import (
    as_of_day,
    author_or_user,
    json_option,
    open_reading,
    reading_place_options,
    writing_options,
)
from indicators.clock import utc_now
from indicators.errors import Fault, FaultsError

if TYPE_CHECKING:
    from forecast.publication import Publication

__all__ = ["publications", "publish"]

_COLUMNS = ("no.", "entry", "as of", "published", "by", "TLP", "scenario", "probability", "low to high", "opinion")
_NUMBER = re.compile(r"[0-9]{0,2}\.?[0-9]{1,30}")


@click.command(epilog="Example: forecast publish --opinion settled=0.7 --opinion strike=0.3 --note 'before the vote'")
@click.option("--as-of", metavar="DAY", help="The day to speak of; today when left out.")
@click.option(
    "--opinion",
    multiple=True,
    metavar="SCENARIO=P",
    help="Your own probability, one for every scenario; they sum to 1.",
)
@click.option("--note", metavar="TEXT", help="In your words, kept with it.")
@click.option(
    "--draws", type=click.IntRange(100, 100_000), default=1000, show_default=True, metavar="N", help="Behind the bands."
)
@json_option
@writing_options
def publish(
    as_of: str | None,
    opinion: tuple[str, ...],
    note: str | None,
    draws: int,
    as_json: bool,
    ledger: str | None,
    study: str | None,
    author: str | None,
) -> None:
    """Put the outlook on record: write its numbers into the ledger, where they are never changed and later scored.

    Every scenario needs its resolves_if. A publication speaks of the day of the last one or a later day, and comes
    before the question is settled. Keep the head that is printed: `forecast verify --head` shows by it that the ledger
    still holds what was published. The numbers come back with `forecast status --published N`.
    """
    from forecast.settling import publish as publish_in

    book, reading = open_reading(ledger, study)
    done = publish_in(
        book,
        reading.study_id,
        as_of=as_of_day(reading, as_of),
        opinion=_opinion(opinion),
        note=note,
        draws=draws,
        author=author_or_user(author),
        today=utc_now().date(),
    )
    if as_json:
        click.echo(json.dumps(_as_json(done, reading.study_id), ensure_ascii=False))
    else:
        _tell(done, reading.study_id)
    if done.days_late > 0:
        told = f"it speaks of {done.as_of}, {done.days_late} days ago; a score counts it from today"
        click.echo(f"note: {told}", err=True)


def _opinion(given: tuple[str, ...]) -> dict[str, float] | None:
    """The probabilities by scenario; None where none is given. What they are worth is checked with the study."""
    found: dict[str, float] = {}
    faults = []
    for text in given:
        name, _, number = (part.strip() for part in text.rpartition("="))
        if not name or not _NUMBER.fullmatch(number):
            what = f'"{text[:60]}" is not a scenario and its probability'
            faults.append(Fault("--opinion", 0, 0, what, "write it like network=0.6"))
        elif name in found:
            faults.append(Fault("--opinion", 0, 0, f"{name[:60]} has two probabilities", "give it one"))
        else:
            found[name] = float(number)
    if faults:
        raise FaultsError(faults)
    return found or None


def _tell(done: Publication, study_id: str) -> None:
    from forecast.display import percent

    click.echo(f"{done.entry}  {study_id} as of {done.as_of} is published, TLP:{done.tlp.upper()}")
    width = max(len(said.scenario) for said in done.scenarios)
    for said in done.scenarios:
        own = "" if said.opinion is None else f"  opinion {percent(said.opinion)}"
        band = f"{percent(said.low)} to {percent(said.high)}"
        click.echo(f"  {said.scenario:<{width}}  {percent(said.probability):>8}  ({band}){own}")
    click.echo(f"head {done.head.entries}:{done.head.hash}")


@click.command(epilog="Example: forecast publications --json")
@json_option
@reading_place_options
def publications(as_json: bool, ledger: str | None, study: str | None) -> None:
    """List what was published, with the numbers as they were said; `--published N` elsewhere shows the Nth again."""
    _, reading = open_reading(ledger, study)
    if as_json:
        told = [_as_json(found, reading.study_id) for found in reading.publications]
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    if not reading.publications:
        click.echo("nothing was published yet; publish with `forecast publish`")
        return
    from forecast.cli.tables import print_table

    rows = [row for found in reading.publications for row in _rows(found)]
    print_table(_COLUMNS, rows, right=("no.", "probability", "opinion"))


def _rows(found: Publication) -> list[list[str]]:
    """A row for each scenario; what they share stands in the first alone."""
    from forecast.display import percent

    late = f" ({found.days_late} d later)" if found.days_late > 0 else ""
    about = [str(found.number), found.entry, str(found.as_of), f"{found.recorded_at[:10]}{late}", found.author]
    shared = [*about, found.tlp]
    rows = []
    for said in found.scenarios:
        own = "" if said.opinion is None else percent(said.opinion)
        band = f"{percent(said.low)} to {percent(said.high)}"
        rows.append([*shared, said.scenario, percent(said.probability), band, own])
        shared = [""] * len(shared)
    return rows


def _as_json(done: Publication, study_id: str) -> dict[str, object]:
    return {
        "number": done.number,
        "entry": done.entry,
        "study": study_id,
        "as_of": done.as_of.isoformat(),
        "published_at": done.recorded_at,
        "days_late": done.days_late,
        "author": done.author,
        "engine": done.engine,
        "revision": done.revision,
        "tlp": done.tlp,
        "scenarios": [
            {"id": said.scenario, "probability": said.probability, "low": said.low, "high": said.high}
            for said in done.scenarios
        ],
        "opinion": done.opinion,
        "note": done.note or None,
        "rests_on": {"entries": done.before.entries, "head": done.before.hash},
        "ledger": {"entries": done.head.entries, "head": done.head.hash},
    }
