"""Calibration: how often what was given a probability came true, and how often each probability was given.

Takes plain arrays; what is scored, and how the fit and its band are made, is told elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecast.charts.chart import Chart
from forecast.charts.frame import framed
from forecast.charts.lettering import in_lines
from forecast.charts.style import COLOURS, GRID, INK, LINE, MARGIN, PALE, WIDTH, Plain, layer, note, over, pixel
from forecast.display import counted
from forecast.probability import Floats
from indicators.errors import WatchfloorError

__all__ = ["CalibrationError", "calibration_chart"]

_SIDE = 330.0
_LEFT = 50.0
_GAP, _BARS = 34.0, 54.0
_ASIDE = _LEFT + _SIDE + 44
_BINS = 20
_MOST_POINTS = 500
_QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)
_FIT = COLOURS[0]
_BAND = "#E6E6E6"


class CalibrationError(WatchfloorError):
    """Arrays that are no calibration: of different lengths, or with what is not a probability."""


def calibration_chart(
    forecasts: Floats,
    fit: Floats,
    *,
    low: Floats,
    high: Floats,
    times: Floats | None = None,
    title: str = "Calibration",
    subtitle: Sequence[str] = (),
    notes: Sequence[str] = (),
    said: str = "",
) -> Chart:
    """A reliability diagram: the frequency fitted to each forecast probability, with the band that chance allows.

    On the diagonal what was said came true as often as it was said. The band is where the fit of a forecaster whose
    probabilities are right would lie; below is how many forecasts there were at each probability.

    Parameters
    ----------
    forecasts : float array, shape (n,)
        Probabilities as given, in any order; of none the chart says that there are none.
    fit : float array, shape (n,)
        The frequency fitted to each, such as the isotonic regression of CORP.
    low, high : float array, shape (n,)
        The consistency band at each.
    times : float array, shape (n,), optional
        How often each was given, where equal ones are handed in together; once each, where left out.
    title : str, optional
    subtitle : sequence of str, optional
        Sentences for the head: whose forecasts, of what.
    notes : sequence of str, optional
        Lines beside the diagram, such as scores.
    said : str, optional
        The handling mark; empty for numbers of one's own that carry none.

    Raises
    ------
    CalibrationError
        The arrays differ in length, or hold something that is not a probability.
    """
    arrays = [np.asarray(array, dtype=np.float64) for array in (forecasts, fit, low, high)]
    given = np.ones_like(arrays[0]) if times is None else np.asarray(times, dtype=np.float64)
    _check_shapes([*arrays, given])
    _check_values(arrays)
    order = np.argsort(arrays[0], kind="stable")
    sorted_forecasts, *fitted = (array[order] for array in arrays)
    n = int(given.sum())
    layers = [
        *_frame(),
        *_curve(sorted_forecasts, *fitted),
        *_histogram(sorted_forecasts, given[order]),
        *_beside([f"{counted(n, 'forecast')}.", *notes] if n else ["There are no forecasts yet.", *notes]),
    ]
    return framed(
        layers,
        title=title,
        subtitle=list(subtitle),
        description=_description(n, sorted_forecasts, fitted[0]),
        said=said,
        width=WIDTH + MARGIN,
        height=_SIDE + _GAP + _BARS,
    )


def _check_shapes(arrays: Sequence[Floats]) -> None:
    if len({array.shape for array in arrays}) > 1 or arrays[0].ndim != 1:
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise CalibrationError(f"forecasts, fit and band differ in shape: {shapes}", mend="give one value a forecast")


def _check_values(arrays: Sequence[Floats]) -> None:
    for name, array in zip(("forecasts", "fit", "low", "high"), arrays, strict=True):
        if not ((array >= 0.0) & (array <= 1.0)).all():
            raise CalibrationError(f"not every value of {name} lies from 0 to 1", mend="give probabilities")


def _x(p: float) -> float:
    return _LEFT + _SIDE * p


def _y(p: float) -> float:
    return _SIDE * (1.0 - p)


def _frame() -> list[Plain]:
    """Grid and the texts of both axes."""
    grid = [{"at": _x(p), "up": _y(p), "text": f"{100 * p:.0f} %"} for p in _QUARTERS]
    line = {"type": "rule", "color": GRID}
    text = {"type": "text", "fontSize": 12, "color": PALE, "baseline": "middle"}
    across = layer(line, x={"value": _x(0)}, x2={"value": _x(1)}, y=pixel("up"))
    upwards = layer(line, x=pixel("at"), y={"value": _y(0)}, y2={"value": _y(1)})
    left = layer({**text, "align": "right"}, x={"value": _LEFT - 8}, y=pixel("up"), text={"field": "text"})
    below = layer({**text, "align": "center"}, x=pixel("at"), y={"value": _SIDE + 13}, text={"field": "text"})
    return [
        *over(grid, [across, upwards, left, below]),
        note("How often it came true", x=_LEFT - 42, y=-20),
        note("Probability given", x=_LEFT + _SIDE + 28, y=_SIDE + 13),
    ]


def _curve(forecasts: Floats, fit: Floats, low: Floats, high: Floats) -> list[Plain]:
    """The band, the diagonal and the fit, one point for each probability that was given, or for every so many."""
    _, first = np.unique(forecasts, return_index=True)
    if len(first) > _MOST_POINTS:
        first = first[np.linspace(0, len(first) - 1, _MOST_POINTS).astype(np.intp)]
    values = [
        {
            "x": round(_x(float(forecasts[i])), 2),
            "y": round(_y(float(fit[i])), 2),
            "low": round(_y(float(low[i])), 2),
            "high": round(_y(float(high[i])), 2),
        }
        for i in first.tolist()
    ]
    diagonal = [{"x": _x(0), "y": _y(0), "x2": _x(1), "y2": _y(1)}]
    dashed = {"type": "rule", "color": PALE, "strokeDash": [4, 3]}
    ends = {"x": pixel("x"), "x2": {"field": "x2"}, "y": pixel("y"), "y2": {"field": "y2"}}
    band = {"type": "area", "color": _BAND, "opacity": 0.9}
    line = {"type": "line", "color": _FIT, "strokeWidth": 2.4, "strokeJoin": "round"}
    dot = {"type": "circle", "color": _FIT, "size": 12, "opacity": 1}
    as_listed = {"order": {"value": None}}
    return [
        *over(values, [layer(band, x=pixel("x"), y=pixel("low"), y2={"field": "high"}, **as_listed)]),
        *over(diagonal, [layer(dashed, **ends)]),
        *over(values, [layer(line, x=pixel("x"), y=pixel("y"), **as_listed), layer(dot, x=pixel("x"), y=pixel("y"))]),
    ]


def _histogram(forecasts: Floats, times: Floats) -> list[Plain]:
    """How many forecasts there were in each twentieth."""
    if not len(forecasts):
        return []
    sums, edges = np.histogram(forecasts, bins=_BINS, range=(0.0, 1.0), weights=times)
    counts = np.rint(sums).astype(np.int64)
    bottom, most = _SIDE + _GAP + _BARS, int(counts.max())
    values = [
        {
            "x": _x(float(edges[n])) + 0.75,
            "x2": _x(float(edges[n + 1])) - 0.75,
            "y": bottom - max(_BARS * count / most, 1.0),
            "count": count,
        }
        for n, count in enumerate(counts.tolist())
        if count
    ]
    edges_of = {"x": pixel("x"), "x2": {"field": "x2"}, "y": pixel("y"), "y2": {"value": bottom}}
    return [
        *over(values, [layer({"type": "rect", "color": PALE, "opacity": 1}, **edges_of)]),
        note(f"{most:,}", x=_LEFT - 8, y=bottom - _BARS + 5, align="right"),
        note("0", x=_LEFT - 8, y=bottom - 5, align="right"),
        note("Forecasts", x=_LEFT + _SIDE + 8, y=bottom - 5),
    ]


def _beside(texts: Sequence[str]) -> list[Plain]:
    """The key, and what else there is to say."""
    room, y = WIDTH + MARGIN - _ASIDE, 8.0
    key = [
        {"y": y, "colour": _FIT, "width": 2.4, "text": "how often it came true"},
        {
            "y": y + 22,
            "colour": _BAND,
            "width": 12,
            "text": "where that lies by chance, if the probabilities are right",
        },
    ]
    as_given = {"scale": None, "legend": None}
    swatch = layer(
        {"type": "rule"},
        x={"value": _ASIDE},
        x2={"value": _ASIDE + 26},
        y=pixel("y"),
        color={"field": "colour", "type": "nominal", **as_given},
        strokeWidth={"field": "width", "type": "quantitative", **as_given},
    )
    text = {"type": "text", "align": "left", "baseline": "middle", "fontSize": 12.5}
    lines = [line for told in texts for line in in_lines(told, room, size=13, lines=4)]
    return [
        *over(key, [swatch, layer(text, x={"value": _ASIDE + 34}, y=pixel("y"), text={"field": "text"})]),
        *([note(lines, x=_ASIDE, y=y + 60, color=INK, fontSize=13, lineHeight=LINE + 5)] if lines else []),
    ]


def _description(n: int, forecasts: Floats, fit: Floats) -> str:
    """What the picture says, for those who cannot see it."""
    if not len(forecasts):
        return "There are no forecasts yet."
    picks = np.unique(np.linspace(0, len(forecasts) - 1, 5).astype(int))
    told = ", ".join(f"{100 * forecasts[i]:.0f} % came true {100 * fit[i]:.0f} %" for i in picks.tolist())
    return f"Of {counted(n, 'forecast')}: {told}."
