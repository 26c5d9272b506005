"""The command that settles a study, and the one way back: resolve."""

from __future__ import annotations

import click

from forecast.cli.options import author_or_user, open_reading, parsed, writing_options
from indicators.clock import utc_now
from indicators.days import parse_day

__all__ = ["resolve"]


@click.command(epilog="Example: forecast resolve settled --on 2024-05-01 --why 'signed in Geneva'")
@click.argument("scenario", required=False)
@click.option("--on", metavar="DAY", help="The day on which it was settled.")
@click.option("--void", is_flag=True, help="No scenario can be said to have come true; with --why.")
@click.option("--undo", is_flag=True, help="Take the resolution back, so that the study is open again; with --why.")
@click.option("--why", metavar="TEXT", help="The reason, kept with it.")
@writing_options
def resolve(
    scenario: str | None,
    on: str | None,
    void: bool,
    undo: bool,
    why: str | None,
    ledger: str | None,
    study: str | None,
    author: str | None,
) -> None:
    """Record which SCENARIO came true and on which day, as its resolves_if says; the study is closed with that.

    A closed study takes no reports, corrections, revisions or publications, and `forecast score` scores what was
    published of it. A resolution is never changed; it is undone by another entry, and both stay on record.
    """
    from forecast import settling

    _refuse_mixture(scenario, on, void=void, undo=undo, why=why)
    book, reading = open_reading(ledger, study)
    own, by = reading.study_id, author_or_user(author)
    if undo:
        entry = settling.undo_resolution(book, own, why=why or "", author=by)
        click.echo(f"{entry.id}  {own} is open again; {entry.payload['undo']} is undone")
    elif void:
        found = settling.resolve_void(book, own, why=why or "", author=by)
        click.echo(f"{found.entry}  {own} is void and closed")
    else:
        assert scenario is not None and on is not None
        day = parsed("--on", on, parse_day)
        found = settling.resolve(book, own, scenario, on=day, why=why, author=by, today=utc_now().date())
        click.echo(f"{found.entry}  {own} is resolved: {found.told}; score it with `forecast score`")


def _refuse_mixture(scenario: str | None, on: str | None, *, void: bool, undo: bool, why: str | None) -> None:
    """One of the three: a scenario with its day, void, or undo; the last two with a reason."""
    if (scenario is not None) + void + undo != 1:
        raise click.UsageError("name the SCENARIO that came true, or give --void, or --undo")
    if scenario is not None and on is None:
        raise click.UsageError("--on says on which day it was settled")
    if scenario is None and on is not None:
        raise click.UsageError("--on goes with a SCENARIO")
    if scenario is None and why is None:
        raise click.UsageError("--void and --undo need --why")
