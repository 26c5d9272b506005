"""The command chart: one picture of the outlook, of what a study can find out, or of how forecasts came out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forecast.cli.options import (
    Asked,
    asked_for,
    complete_indicator,
    complete_scenario,
    known_moment,
    open_the_ledger,
    parsed,
    reading_options,
    refuse_over_ledger,
)
from forecast.cli.table_columns import columns_option, named_columns
from forecast.cli.writing import write_content
from indicators.days import parse_day
from indicators.errors import WatchfloorError

if TYPE_CHECKING:
    from forecast.charts import Chart

__all__ = ["chart"]

_TRACKS = ("engine", "opinion")
_NAMES = ("timeline", "matrix", "waterfall", "board", "watch", "series", "power", "calibration")
_ENDINGS = (".png", ".svg", ".pdf", ".json")
_GO_WITH: Mapping[str, tuple[str, ...]] = {
    "since": ("matrix", "waterfall"),
    "scenario": ("waterfall",),
    "indicator": ("series",),
    "runs": ("power",),
    "track": ("calibration",),
    "table": ("calibration",),
    "column": ("calibration",),
}
_RUNS = 200


class NothingToCalibrateError(WatchfloorError):
    """A record of which nothing is scored yet, on the track asked for."""

    def __init__(self, track: str) -> None:
        said = "no opinion of a settled study" if track == "opinion" else "nothing of a settled study"
        mend = "publish with `forecast publish`, resolve with `forecast resolve`, or draw a table with --table"
        super().__init__(f"{said} was published in time, so there is no curve yet", where="the ledger", mend=mend)


@click.command(epilog="Example: forecast chart waterfall --since 2026-05-01 -o moved.pdf")
@click.argument("name", metavar="NAME", type=click.Choice(_NAMES))
@click.option(
    "-o", "--output", "file", required=True, metavar="FILE", type=click.Path(dir_okay=False), help="Where to."
)
@click.option("--since", metavar="DAY", help="For matrix and waterfall: only what came after that day.")
@click.option(
    "--scenario", metavar="ID", shell_complete=complete_scenario, help="For waterfall; the leading one when left out."
)
@click.option(
    "--indicator",
    metavar="ID",
    shell_complete=complete_indicator,
    help="For series: the measure; needed only when the study has several.",
)
@click.option(
    "--runs",
    type=click.IntRange(1, 100_000),
    help=f"For power: how often to simulate each scenario; {_RUNS} times when left out.",
)
@click.option(
    "--track",
    type=click.Choice(_TRACKS),
    help="For calibration: the engine's numbers, when left out, or own opinions.",
)
@click.option(
    "--table",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="For calibration: the forecasts in a CSV, as for `score`, in place of what was published.",
)
@columns_option("--table")
@click.option("--night", is_flag=True, help="In dark colours.")
@click.option(
    "--scale", type=click.FloatRange(0.25, 8), default=2, show_default=True, help="For .png: times 880 pixels across."
)
@reading_options
def chart(
    name: str,
    file: str,
    since: str | None,
    scenario: str | None,
    indicator: str | None,
    runs: int | None,
    track: str | None,
    table: str | None,
    columns: tuple[str, ...],
    night: bool,
    scale: float,
    asked: Asked,
) -> None:
    """Draw a chart to FILE, whose ending says what it becomes: .png, .svg, .pdf, or .json for Vega-Lite.

    timeline: the probabilities over time, and what moved them. matrix: indicators by scenarios, by weight of evidence.
    waterfall: what moved one scenario, step by step. board: where the indicators stand. watch: where to look next.
    series: the readings of a measure. power: whether the study can find the truth. calibration: how often what was
    published of all resolved studies, or of --study, came true; or the forecasts in --table.
    """
    given = {"since": since, "scenario": scenario, "indicator": indicator, "runs": runs}
    _refuse_unfit(name, {**given, "track": track, "table": table, "column": columns or None})
    ending = Path(file).suffix.lower()
    if ending not in _ENDINGS:
        raise click.UsageError(f"{file} ends in none of {', '.join(_ENDINGS)}")
    refuse_over_ledger(file, asked.ledger)
    if name == "power":
        drawn = _power(asked, runs or _RUNS)
    elif name == "calibration":
        drawn = _of_record(asked, track, columns) if table is None else _of_table(asked, table, track, columns)
    else:
        from forecast.charts.by_name import chart_named

        day = None if since is None else parsed("--since", since, parse_day)
        drawn = chart_named(name, asked.released(), since=day, scenario=scenario, indicator=indicator)
    write_content(file, _content(drawn.at_night() if night else drawn, ending, scale))
    click.echo(f"{file} written", err=True)


def _refuse_unfit(name: str, given: Mapping[str, object]) -> None:
    for option, value in given.items():
        if value is not None and name not in _GO_WITH[option]:
            raise click.UsageError(f"--{option} goes with {' and '.join(_GO_WITH[option])}")


def _power(asked: Asked, runs: int) -> Chart:
    import numpy as np

    from forecast.charts import power_chart
    from forecast.cli.powering import progress_shown
    from forecast.power import power
    from forecast.release import release_power

    reading = asked.reading().within(asked.max_tlp)
    left_out = reading.log(asked.without).silenced
    with progress_shown("simulating") as progress:
        rng = np.random.default_rng(reading.seed)
        found = power(reading.study, runs=runs, rng=rng, left_out=left_out, progress=progress)
    return power_chart(release_power(found, max_tlp=asked.max_tlp, at_least=reading.study_mark))


def _of_record(asked: Asked, track: str | None, columns: tuple[str, ...]) -> Chart:
    """The curve of all that was published of the resolved studies of the ledger, or of the one asked for."""
    from forecast.charts.reliability import record_chart
    from forecast.reading import chosen_study
    from forecast.settled import released_record

    _refuse_given({"--column": columns}, "goes with --table")
    _refuse_given(_of_an_outlook(asked), "is for charts of an outlook; a calibration takes --known-at")
    if asked.without_above and asked.max_tlp is None:
        raise click.UsageError("--without-above goes with --max-tlp")
    moment, book = known_moment(asked.known_at), open_the_ledger(asked.ledger)
    study, shown = asked_for("study", asked.study), track or _TRACKS[0]
    studies = book.studies(until=moment) if study is None else [chosen_study(book, study, known_at=moment)]
    released, _ = released_record(
        book, studies, known_at=moment, max_tlp=asked.max_tlp, without_above=asked.without_above
    )
    if released.gap:
        click.echo(f"note: {released.gap}", err=True)
    if not any(score.track == shown for score in released.record.studies):
        raise NothingToCalibrateError(shown)
    return record_chart(released, track=shown)


def _of_table(asked: Asked, table: str, track: str | None, columns: tuple[str, ...]) -> Chart:
    from forecast.charts.reliability import table_chart
    from forecast.forecast_table import ForecastTable
    from forecast.table_scores import table_scores

    of_a_ledger = {
        "--track": track,
        "--known-at": asked.known_at,
        "--max-tlp": asked.max_tlp,
        "--without-above": asked.without_above,
        "--study": asked.study,
        "--ledger": asked.ledger,
    }
    _refuse_given(of_a_ledger | _of_an_outlook(asked), "is for the studies of a ledger, not for a table")
    return table_chart(table_scores(ForecastTable(table, named_columns(columns))))


def _of_an_outlook(asked: Asked) -> dict[str, object]:
    """What was published stands as it was said: there is no day to it, and nothing to be left out or drawn anew."""
    return {"--as-of": asked.as_of, "--without": asked.without, "--published": asked.published}


def _refuse_given(options: Mapping[str, object], why: str) -> None:
    for option, value in options.items():
        if value:
            raise click.UsageError(f"{option} {why}")


def _content(drawn: Chart, ending: str, scale: float) -> bytes:
    if ending == ".png":
        return drawn.png(scale=scale)
    if ending == ".pdf":
        return drawn.pdf()
    text = drawn.svg() if ending == ".svg" else json.dumps(drawn, ensure_ascii=False, allow_nan=False)
    return text.encode()
