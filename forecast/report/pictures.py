"""The charts of a report, each with its caption; their drawing belongs to the room of charts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from forecast.charts import Chart, board_chart, matrix_chart, timeline_chart, waterfall_chart
from forecast.release import Released

__all__ = ["Picture", "pictures"]


@dataclass(frozen=True)
class Picture:
    """A chart in a report.

    Attributes
    ----------
    name : str
        As of its file.
    caption : str
    alt : str
        What it says, for those who cannot see it.
    chart : Chart
    """

    name: str
    caption: str
    alt: str
    chart: Chart


def pictures(released: Released, *, since: date | None) -> list[Picture]:
    """The charts of a report: the first is for the page that everybody reads, the others for its annex."""
    drawn = {
        "timeline": ("Probabilities over time, and what moved them", timeline_chart(released)),
        "waterfall": ("What moved the leading scenario, step by step", waterfall_chart(released, since=since)),
        "matrix": ("Weight of evidence by indicator and scenario", matrix_chart(released)),
        "board": ("Where every indicator stands", board_chart(released)),
    }
    return [
        Picture(name, caption, str(chart.get("description", caption)), chart)
        for name, (caption, chart) in drawn.items()
    ]
