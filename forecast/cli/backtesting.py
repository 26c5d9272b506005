"""The command backtest: what the engine would have said on past days, as a table that `score` reads."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import IO, TYPE_CHECKING, Any, Literal, TypeVar, cast

import click

from forecast.cli.options import Asked, max_tlp_option, parsed, reading_place_options, refuse_over_ledger
from forecast.cli.powering import progress_shown
from forecast.cli.recording import asked_past
from forecast.cli.writing import whole_file
from indicators.clock import utc_now
from indicators.days import duration_days, parse_day
from indicators.errors import WatchfloorError
from indicators.markings import mark_text

if TYPE_CHECKING:
    from forecast.past import ReleasedPast

__all__ = ["backtest"]

F = TypeVar("F", bound=Callable[..., Any])


class EveryError(WatchfloorError):
    """Steps of a replay that are no whole days."""

    def __init__(self, text: str) -> None:
        super().__init__(f'"{text}" is not a number of whole days', where="--every", mend="write 1d, 7d or 2w")


def _setting_options(command: F) -> F:
    """The settings of the engine that are to be compared."""
    options = [
        click.option("--drift", multiple=True, metavar="H", help="Compare with a half-life, like 1y, or none."),
        click.option(
            "--persistence", multiple=True, metavar="[ID=]H", help="Compare with a persistence: mood=60d, 60d or none."
        ),
        click.option("--grades", multiple=True, metavar="G=X,..", help="Compare with other worths: B=0.9,2=0.8."),
    ]
    decorated: Callable[..., Any] = command
    for option in reversed(options):
        decorated = option(decorated)
    return cast("F", decorated)


@click.command(epilog="Example: forecast backtest --every 7d --drift 1y -o replay.csv && forecast score replay.csv")
@click.option("--from", "first", metavar="DAY", help="The first day; when left out, the first there is.")
@click.option("--to", "last", metavar="DAY", help="The last; when left out, the day before it was settled, or today.")
@click.option("--every", default="1d", show_default=True, metavar="N", help="From one day to the next: 1d, 7d, 2w.")
@click.option(
    "--by",
    type=click.Choice(["known-at", "as-of"]),
    default="known-at",
    show_default=True,
    help="What the ledger held on each day; or all it holds now, by the days of observation, which is hindsight.",
)
@_setting_options
@click.option("-o", "--output", default="-", metavar="FILE", help="Where to write the CSV; standard output (-).")
@click.option("--without", multiple=True, metavar="KIND:X", help="Leave out source:X, origin:X, indicator:X, entry:X.")
@max_tlp_option
@click.option("--without-above", is_flag=True, help="Leave out what is above --max-tlp, in place of refusing.")
@reading_place_options
def backtest(
    first: str | None,
    last: str | None,
    every: str,
    by: Literal["known-at", "as-of"],
    drift: tuple[str, ...],
    persistence: tuple[str, ...],
    grades: tuple[str, ...],
    output: str,
    without: tuple[str, ...],
    max_tlp: str | None,
    without_above: bool,
    ledger: str | None,
    study: str | None,
) -> None:
    """Write what the engine would have said, day by day, had it been asked: a table for `forecast score TABLE.csv`.

    It is a replay, and every line says so: nobody said these numbers then. Each day is what `status --known-at DAY`
    tells. Every --drift, --persistence and --grades makes one more forecaster, with that alone changed, to be compared
    with the study as it stands; a setting that is chosen by this table has been fitted to it.
    """
    from forecast.backtest import COLUMNS, backtest_rows, replay_days, settings_of

    # Nothing is drawn here; the rest is what the other reading commands take.
    asked = Asked(ledger, study, None, None, without, max_tlp, without_above, draws=100, published=None)
    released, today = asked.released(), utc_now().date()
    past = asked_past(asked, released, date.max)
    settings = settings_of(released.outlook.study, drift=drift, persistence=persistence, grades=grades)
    days = replay_days(
        past.known,
        released.outlook.study,
        first=parsed("--from", first, parse_day) if first else None,
        last=parsed("--to", last, parse_day) if last else None,
        every=_whole_days(every),
        today=today,
        by=by,
    )
    if output != "-":
        refuse_over_ledger(output, ledger)
    _tell(by, past)
    with progress_shown("replaying") as progress, _table(output) as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(COLUMNS)
        silenced = released.outlook.log.silenced
        table.writerows(backtest_rows(past.known, days, settings, by=by, silenced=silenced, progress=progress))
    if output != "-":
        click.echo(f"{output} written", err=True)


def _whole_days(text: str) -> int:
    days = parsed("--every", text, duration_days)
    if not days.is_integer():
        raise EveryError(text)
    return int(days)


def _tell(by: str, past: ReleasedPast) -> None:
    """What the table is, on standard error; loudly where it is hindsight."""
    from forecast.past import changes

    click.echo(f"note: a replay, not a record: nobody said these numbers then; {mark_text(past.tlp)}", err=True)
    if by == "as-of":
        last = changes(past.known)[-1].recorded_at[:10]
        click.echo(
            f"warning: by as-of every day knows what was logged about it up to {last}, and the rows that stand now: "
            "this is hindsight, and its score says nothing of what would have been foretold",
            err=True,
        )


@contextmanager
def _table(file: str) -> Iterator[IO[str]]:
    """A text stream into a file, which gets its name when all is written, or to standard output."""
    if file == "-":
        yield sys.stdout
        return
    with whole_file(file) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
        yield text
        text.flush()
        text.detach()
