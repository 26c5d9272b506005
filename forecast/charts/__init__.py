"""Charts, one look for all: each a Vega-Lite specification that a notebook, a page, a PNG, SVG and PDF all take.

`timeline` has the probabilities over time, `matrix` the indicators by scenarios, `waterfall` what moved since a day,
`board` where the indicators stand, `watch` where to look next, `series` the readings of a measure, `power` what a study
can find out, `calibration` how far probabilities came true. What they take has passed the handling gate.

Below them: `plot`, `line_ends` and `moves`, what charts over time are made of; `time_axis`, `placing`, `lettering`,
`shades` and `style`; `frame`, the head of each; `chart`, what they return; `picture`, from it to bytes; `night`, the
same in dark colours. Above them: `by_name`, the charts of an outlook as commands and addresses name them.
"""

from forecast.charts.board import board_chart
from forecast.charts.calibration import CalibrationError, calibration_chart
from forecast.charts.chart import Chart
from forecast.charts.matrix import matrix_chart
from forecast.charts.moves import moves_when_logged
from forecast.charts.picture import pdf, png, svg
from forecast.charts.placing import spread
from forecast.charts.power import power_chart
from forecast.charts.series import NotAMeasureError, series_chart
from forecast.charts.style import COLOURS, DASHES
from forecast.charts.timeline import timeline_chart
from forecast.charts.watch import watch_chart
from forecast.charts.waterfall import waterfall_chart

__all__ = [
    "COLOURS",
    "DASHES",
    "CalibrationError",
    "Chart",
    "NotAMeasureError",
    "board_chart",
    "calibration_chart",
    "matrix_chart",
    "moves_when_logged",
    "pdf",
    "png",
    "power_chart",
    "series_chart",
    "spread",
    "svg",
    "timeline_chart",
    "watch_chart",
    "waterfall_chart",
]
