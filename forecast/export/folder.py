"""Everything at once: every format, every list and every chart of one outlook, by the name of its file.

A name is made of the study's id, the as-of day and what the file holds; no text of the study is in it. Nothing is
written here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from forecast.charts import (
    Chart,
    board_chart,
    matrix_chart,
    series_chart,
    timeline_chart,
    watch_chart,
    waterfall_chart,
)
from forecast.export import FORMATS, content_of
from forecast.export.calendar_export import calendar_text
from forecast.release import Released

__all__ = ["folder_of"]

_CHARTS: Mapping[str, Callable[[Released], Chart]] = {
    "timeline": timeline_chart,
    "matrix": matrix_chart,
    "waterfall": waterfall_chart,
    "board": board_chart,
    "watch": watch_chart,
}


def folder_of(released: Released) -> Iterator[tuple[str, bytes]]:
    """The files of an outlook: name and content, each worked out when it is taken.

    Parameters
    ----------
    released : Released
        What the gate lets out.

    Yields
    ------
    (str, bytes)
        Formats first, then the calendar of due looks, then charts as SVG; measures are numbered in file order.
    """
    start = f"{released.outlook.study.study}-{released.outlook.as_of}"
    for form in FORMATS.values():
        if form.tables:
            for table in form.tables:
                yield f"{start}-{table}{form.suffix}", content_of(form.write(released, table=table))
        else:
            yield f"{start}{form.suffix}", content_of(form.write(released))
    yield f"{start}.ics", calendar_text(released).encode()
    for name, chart in _charts(released):
        yield f"{start}-chart-{name}.svg", chart.svg().encode()


def _charts(released: Released) -> Iterator[tuple[str, Chart]]:
    for name, draw in _CHARTS.items():
        yield name, draw(released)
    measures = [indicator for indicator in released.outlook.study.indicators if indicator.kind == "measure"]
    for number, indicator in enumerate(measures, start=1):
        yield f"series-{number}", series_chart(released, indicator.id)
