"""Charts as Vega-Lite specifications: plain dicts that a notebook, a web page and a renderer all take; no file is read.

`timeline` has the probabilities over time, `series` the readings of a measure, `watch` where to look next, `power` what
a study can find out. Below them: `plot`, `line_ends` and `moves`, what these are made of; `time_axis`, `placing` and
`style`; and `picture`, from a specification to PNG and SVG.
"""

from forecast.charts.moves import moves_when_logged
from forecast.charts.picture import png, svg
from forecast.charts.placing import spread
from forecast.charts.power import power_chart
from forecast.charts.series import NotAMeasureError, series_chart
from forecast.charts.style import COLOURS, DASHES
from forecast.charts.timeline import timeline_chart
from forecast.charts.watch import watch_chart

__all__ = [
    "COLOURS",
    "DASHES",
    "NotAMeasureError",
    "moves_when_logged",
    "png",
    "power_chart",
    "series_chart",
    "spread",
    "svg",
    "timeline_chart",
    "watch_chart",
]
