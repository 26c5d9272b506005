"""The command chart: one picture of the outlook, or of what a study can find out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forecast.cli.options import (
    Asked,
    complete_indicator,
    complete_scenario,
    parsed,
    reading_options,
    refuse_over_ledger,
)
from forecast.cli.writing import write_content
from indicators.days import parse_day

if TYPE_CHECKING:
    from forecast.charts import Chart
    from forecast.release import Released

__all__ = ["chart"]

_NAMES = ("timeline", "matrix", "waterfall", "board", "watch", "series", "power")
_ENDINGS = (".png", ".svg", ".pdf", ".json")
_GO_WITH: Mapping[str, tuple[str, ...]] = {
    "since": ("matrix", "waterfall"),
    "scenario": ("waterfall",),
    "indicator": ("series",),
    "runs": ("power",),
}
_RUNS = 200


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
    night: bool,
    scale: float,
    asked: Asked,
) -> None:
    """Draw a chart to FILE, whose ending says what it becomes: .png, .svg, .pdf, or .json for Vega-Lite.

    timeline: the probabilities over time, and what moved them. matrix: indicators by scenarios, by weight of evidence.
    waterfall: what moved one scenario, step by step. board: where the indicators stand. watch: where to look next.
    series: the readings of a measure. power: whether the study can find the truth.
    """
    _refuse_unfit(name, {"since": since, "scenario": scenario, "indicator": indicator, "runs": runs})
    ending = Path(file).suffix.lower()
    if ending not in _ENDINGS:
        raise click.UsageError(f"{file} ends in none of {', '.join(_ENDINGS)}")
    refuse_over_ledger(file, asked.ledger)
    if name == "power":
        drawn = _power(asked, runs or _RUNS)
    else:
        day = None if since is None else parsed("--since", since, parse_day)
        drawn = _drawn(name, asked.released(), since=day, scenario=scenario, indicator=indicator)
    write_content(file, _content(drawn.at_night() if night else drawn, ending, scale))
    click.echo(f"{file} written", err=True)


def _refuse_unfit(name: str, given: Mapping[str, object]) -> None:
    for option, value in given.items():
        if value is not None and name not in _GO_WITH[option]:
            raise click.UsageError(f"--{option} goes with {' and '.join(_GO_WITH[option])}")


def _drawn(name: str, released: Released, *, since: date | None, scenario: str | None, indicator: str | None) -> Chart:
    from forecast import charts

    if name == "matrix":
        return charts.matrix_chart(released, since=since)
    if name == "waterfall":
        return charts.waterfall_chart(released, since=since, scenario=scenario)
    if name == "series":
        study = released.outlook.study
        measure = indicator or _only_measure(released)
        return charts.series_chart(released, measure, history=study.baselines.readings_of(study.indicator(measure)))
    plain = {"timeline": charts.timeline_chart, "board": charts.board_chart, "watch": charts.watch_chart}
    return plain[name](released)


def _only_measure(released: Released) -> str:
    measures = [indicator.id for indicator in released.outlook.study.indicators if indicator.kind == "measure"]
    if len(measures) != 1:
        there = f"the study has {len(measures)}: {', '.join(measures)}" if measures else "the study has none"
        raise click.UsageError(f"--indicator names the measure to draw; {there}")
    return measures[0]


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


def _content(drawn: Chart, ending: str, scale: float) -> bytes:
    if ending == ".png":
        return drawn.png(scale=scale)
    if ending == ".pdf":
        return drawn.pdf()
    text = drawn.svg() if ending == ".svg" else json.dumps(drawn, ensure_ascii=False, allow_nan=False)
    return text.encode()
