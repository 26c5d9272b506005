"""The command score: how good it was, of what this ledger published and of anybody's table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forecast.cli.options import (
    asked_for,
    json_option,
    known_moment,
    max_tlp_option,
    open_the_ledger,
    reading_place_options,
    refuse_over_ledger,
)
from forecast.cli.table_columns import columns_option, named_columns

if TYPE_CHECKING:
    from forecast.charts import Chart
    from forecast.crowd import Crowd
    from forecast.release import ReleasedTrack

__all__ = ["score"]

_ENDINGS = (".png", ".svg", ".pdf")
_FILE = click.Path(exists=True, dir_okay=False)


@click.command(epilog="Example: forecast score forecasts.csv --column probability=prob_win --chart calibration.svg")
@click.argument("table", required=False, metavar="[TABLE.csv]", type=_FILE)
@columns_option("TABLE.csv")
@click.option("--crowd", metavar="FILE", type=_FILE, help="A table of a crowd's numbers for the studies of the ledger.")
@click.option("--known-at", metavar="TIME", help="What the ledger held then: a UTC time, or the end of a day.")
@click.option("--chart", "picture", metavar="FILE", help="Draw the calibration to a .png, .svg or .pdf too.")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV on standard output.")
@json_option
@max_tlp_option
@click.option("--without-above", is_flag=True, help="Leave out studies above --max-tlp, and say so.")
@reading_place_options
def score(
    table: str | None,
    columns: tuple[str, ...],
    crowd: str | None,
    known_at: str | None,
    picture: str | None,
    as_csv: bool,
    as_json: bool,
    max_tlp: str | None,
    without_above: bool,
    ledger: str | None,
    study: str | None,
) -> None:
    """Score what was published of every resolved study, or the forecasts in TABLE.csv.

    Of the ledger: Brier, log and ranked score, for each day by what had been published by then, against the prior,
    equal chances, the first publication and a crowd's numbers; the engine's numbers and your own opinion apart.

    TABLE.csv has the columns question, forecaster, date, outcome, probability, resolution (and resolved_on, the day);
    or only probability and outcome, which is 1 or 0. Rows of one question, forecaster and date are one forecast.
    Tables of any length can be scored.
    """
    if as_csv and as_json:
        raise click.UsageError("--csv or --json, not both")
    if picture is not None and Path(picture).suffix.lower() not in _ENDINGS:
        raise click.UsageError(f"{picture} ends in none of {', '.join(_ENDINGS)}")
    if table is not None:
        given = {"--crowd": crowd, "--known-at": known_at, "--max-tlp": max_tlp, "--study": study, "--ledger": ledger}
        unfit = [name for name, value in given.items() if value is not None]
        if unfit:
            raise click.UsageError(f"{unfit[0]} is for the studies of a ledger, not for a table")
        _score_table(table, columns, picture, as_csv=as_csv, as_json=as_json)
        return
    if columns and crowd is None:
        raise click.UsageError("--column is for a table")
    if without_above and max_tlp is None:
        raise click.UsageError("--without-above goes with --max-tlp")
    if picture is not None:
        refuse_over_ledger(picture, ledger)
    released, told = _record(
        ledger, study, known_at, max_tlp=max_tlp, without_above=without_above, crowd=crowd, columns=columns
    )
    _tell_record(released, told, as_csv=as_csv, as_json=as_json)
    if picture is not None:
        from forecast.charts.reliability import record_chart

        _draw(record_chart(released), picture)


def _score_table(table: str, columns: tuple[str, ...], picture: str | None, *, as_csv: bool, as_json: bool) -> None:
    from forecast.forecast_table import ForecastTable
    from forecast.table_scores import table_scores

    found = table_scores(ForecastTable(table, named_columns(columns)))
    if as_json or as_csv:
        from forecast.scorecard import table_csv, table_json

        text = table_csv(found) if as_csv else _json(table_json(found))
        click.echo(text, nl=False)
    else:
        from forecast.cli.score_tables import print_table_scores

        print_table_scores(found)
    if picture is not None:
        from forecast.charts.reliability import table_chart

        _draw(table_chart(found), picture)


def _record(
    ledger: str | None,
    study: str | None,
    known_at: str | None,
    *,
    max_tlp: str | None,
    without_above: bool,
    crowd: str | None,
    columns: tuple[str, ...],
) -> tuple[ReleasedTrack, Crowd | None]:
    """The track record of the study asked for, or of all."""
    from forecast.forecast_table import ForecastTable
    from forecast.reading import chosen_study
    from forecast.settled import released_record

    moment = known_moment(known_at)
    book = open_the_ledger(ledger)
    asked = asked_for("study", study)
    studies = book.studies(until=moment) if asked is None else [chosen_study(book, asked, known_at=moment)]
    numbers = None if crowd is None else ForecastTable(crowd, named_columns(columns), resolved=False)
    return released_record(book, studies, known_at=moment, max_tlp=max_tlp, without_above=without_above, crowd=numbers)


def _tell_record(released: ReleasedTrack, crowd: Crowd | None, *, as_csv: bool, as_json: bool) -> None:
    if released.gap:
        click.echo(f"note: {released.gap}", err=True)
    if as_json or as_csv:
        from forecast.scorecard import record_csv, record_json

        click.echo(record_csv(released) if as_csv else _json(record_json(released, crowd)), nl=False)
    else:
        from forecast.cli.score_tables import print_record

        print_record(released, crowd)


def _json(told: object) -> str:
    return json.dumps(told, ensure_ascii=False, allow_nan=False) + "\n"


def _draw(drawn: Chart, file: str) -> None:
    from forecast.cli.writing import write_content

    ending = Path(file).suffix.lower()
    write_content(file, drawn.png() if ending == ".png" else drawn.pdf() if ending == ".pdf" else drawn.svg())
    click.echo(f"{file} written", err=True)
