"""The charts of an outlook by their names, as a command or an address asks for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from forecast.charts.board import board_chart
from forecast.charts.chart import Chart
from forecast.charts.matrix import matrix_chart
from forecast.charts.series import series_chart
from forecast.charts.timeline import timeline_chart
from forecast.charts.watch import watch_chart
from forecast.charts.waterfall import waterfall_chart
from forecast.release import Released
from indicators.errors import WatchfloorError

__all__ = ["NAMES", "WhichMeasureError", "chart_named"]

_PLAIN: Mapping[str, Callable[[Released], Chart]] = {
    "timeline": timeline_chart,
    "board": board_chart,
    "watch": watch_chart,
}
NAMES = (*_PLAIN, "matrix", "waterfall", "series")
"""Of the charts that an outlook is enough for."""


class WhichMeasureError(WatchfloorError):
    """A series asked for without saying of what, where the study has several measures, or none."""

    def __init__(self, measures: list[str]) -> None:
        there = f"the study has {len(measures)}: {', '.join(measures)}" if measures else "the study has none"
        super().__init__(f"names the measure to draw; {there}", where="--indicator")


def chart_named(
    name: str,
    released: Released,
    *,
    since: date | None = None,
    scenario: str | None = None,
    indicator: str | None = None,
) -> Chart:
    """The chart of that name, one of `NAMES`.

    Parameters
    ----------
    since : date, optional
        For matrix and waterfall: only what came after that day.
    scenario : str, optional
        For waterfall; the leading one where left out.
    indicator : str, optional
        For series: the measure; the only one where left out.

    Raises
    ------
    WhichMeasureError
        No measure is given for a series, and the study has not just one.
    """
    if name == "matrix":
        return matrix_chart(released, since=since)
    if name == "waterfall":
        return waterfall_chart(released, since=since, scenario=scenario)
    if name == "series":
        study = released.outlook.study
        measure = study.indicator(indicator or _only_measure(released))
        return series_chart(released, measure.id, history=study.baselines.readings_of(measure))
    return _PLAIN[name](released)


def _only_measure(released: Released) -> str:
    measures = [indicator.id for indicator in released.outlook.study.indicators if indicator.kind == "measure"]
    if len(measures) != 1:
        raise WhichMeasureError(measures)
    return measures[0]
