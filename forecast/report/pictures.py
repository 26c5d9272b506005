"""The charts of a report, each with its caption; their drawing belongs to the room of charts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from forecast.charts import Chart, board_chart, matrix_chart, timeline_chart, waterfall_chart
from forecast.charts.reliability import record_chart
from forecast.release import Released
from forecast.released_record import StudyRecord

__all__ = ["Picture", "pictures", "record_picture"]


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


def record_picture(record: StudyRecord | None) -> Picture | None:
    """The calibration of all resolved studies; None where there is no other than this, or nothing of them is scored."""
    if record is None or record.house is None or not record.house.record.studies:
        return None
    caption = "Calibration: how often what was given a probability came true"
    chart = record_chart(record.house)
    return Picture("calibration", caption, str(chart.get("description", caption)), chart)
