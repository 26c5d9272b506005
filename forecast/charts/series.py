"""A measure over time: what was read, and what each scenario expects of the readings to come.

Whatever likelihood can say what it expects of a day can be drawn: measures with stated values and with a baseline.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol, runtime_checkable

import numpy as np

from forecast.boards import Expectation, board
from forecast.charts.chart import Chart
from forecast.charts.frame import framed
from forecast.charts.line_ends import LineEnd, line_ends
from forecast.charts.plot import Plot
from forecast.charts.style import (
    INK,
    PALE,
    WIDTH,
    Plain,
    day_text,
    heights,
    layer,
    note,
    over,
    pixel,
    value_axis,
)
from forecast.charts.time_axis import TimeAxis
from forecast.display import counted, shortened
from forecast.events import Live, Sequenced
from forecast.outlook import Outlook
from forecast.probability import Floats
from forecast.release import Released
from indicators.days import day_range
from indicators.errors import WatchfloorError
from indicators.indicator import MeasureIndicator

__all__ = ["Expecting", "NotAMeasureError", "series_chart"]

_HEIGHT = 280
_KEY = _HEIGHT + 58
_POINTS = 60
_MOST_GRADES = 8
_MOST_DIGITS, _LARGE = 6, 1e7
_Z95 = 1.6448536269514722
"""The 95th percentile of the standard normal distribution."""
_RING: Plain = {"type": "point", "filled": True, "fill": "white", "stroke": PALE, "size": 30, "opacity": 1}


class NotAMeasureError(WatchfloorError):
    """Only a measure has readings that can be drawn as a series."""


@runtime_checkable
class Expecting(Protocol):
    """A likelihood of readings that says what it expects of one more."""

    @property
    def reports(self) -> Sequenced: ...

    def expected_on(self, day: int) -> tuple[Floats, Floats]:
        """Mean and variance of a reading on a day (counted from the first) under each scenario, shapes (K,)."""
        ...


def series_chart(released: Released, indicator_id: str, *, history: Sequence[tuple[date, float]] = ()) -> Chart:
    """The readings of a measure, and what each scenario expects of it from the as-of day to the horizon.

    A dot's size is the weight of its grade. Right of the as-of day a line shows the expected reading under each
    scenario, named at its end with the 5th to 95th percentile; the leading scenario has a ribbon, the others a bar at
    the horizon. A dark bar is the next reading as the scenarios together expect it.

    Parameters
    ----------
    released : Released
        What the gate lets out; the chart says its mark, and what was left out.
    indicator_id : str
        Of a measure; any other raises NotAMeasureError.
    history : sequence of (day, reading), optional
        Readings from before the study, drawn as rings.

    Returns
    -------
    Chart
        A Vega-Lite 6 specification with its data, about 880 pixels wide.
    """
    outlook = released.outlook
    indicator, likelihood = _measure(outlook, indicator_id)
    study, readings = outlook.study, likelihood.reports.live
    to_come = _expected(outlook, likelihood)
    due, then = _next_reading(outlook, indicator)
    shown = [*(value for _, value in history), *map(_value, readings), then.low, then.high, *to_come.extremes]
    ticks = _ticks(min(shown), max(shown))
    first = min([study.opens, *(day for day, _ in history)])
    time = TimeAxis(first, outlook.as_of, study.horizon, least_future=0.35)
    plot = Plot(time, outlook.final, domain=(ticks[0], ticks[-1]), height=_HEIGHT)
    in_digits = _in_digits(ticks[1] - ticks[0])
    numbers = [in_digits(value) for value in (then.expected, then.low, then.high)]
    about = f"As of {day_text(outlook.as_of)}, from {counted(len(readings), 'reading')}."
    says = [f"{about} {_sentence(due, numbers, indicator.unit)}", plot.bands]
    layers = [
        *time.zone(_HEIGHT, "as each scenario expects"),
        *plot.ribbon(to_come.days, to_come.low, to_come.high),
        *plot.lines("expected", to_come.days, to_come.means, axis=value_axis(values=ticks, format=",~f")),
        *_history(plot, history),
        *_readings(plot, outlook, readings),
        *plot.single_bar(_beside_now(time, due), low=then.low, middle=then.expected, high=then.high, name="next"),
        *plot.bars(WIDTH, low=to_come.low[-1], middle=to_come.means[-1], high=to_come.high[-1]),
        *_names(outlook, plot, to_come, in_digits),
        *_key(outlook, readings, with_history=bool(history)),
    ]
    title = f"{indicator.label}, {indicator.unit}" if indicator.unit else indicator.label
    return framed(layers, title=title, subtitle=says, description=" ".join(says), said=released.said, height=_HEIGHT)


def _measure(outlook: Outlook, indicator_id: str) -> tuple[MeasureIndicator, Expecting]:
    indicator = outlook.study.indicator(indicator_id)
    likelihood = outlook.likelihoods[indicator_id]
    if isinstance(indicator, MeasureIndicator) and isinstance(likelihood, Expecting):
        return indicator, likelihood
    measures = [item.id for item in outlook.study.indicators if isinstance(item, MeasureIndicator)]
    raise NotAMeasureError(
        f"{indicator_id} is a {indicator.kind}, and only a measure has a series of readings",
        mend=f"take one of {', '.join(measures)}" if measures else "this study has no measure",
    )


# What is expected


@dataclass(frozen=True)
class _ToCome:
    """What each scenario expects of a reading: n days, and means and standard deviations, shapes (n, K)."""

    days: list[date]
    means: Floats
    deviations: Floats

    @property
    def low(self) -> Floats:
        return self.means - _Z95 * self.deviations

    @property
    def high(self) -> Floats:
        return self.means + _Z95 * self.deviations

    @property
    def extremes(self) -> list[float]:
        """What a scale has to hold."""
        return [float(self.low.min()), float(self.high.max())]


def _expected(outlook: Outlook, likelihood: Expecting) -> _ToCome:
    """On some days from the as-of day to the horizon, both included."""
    days = day_range(outlook.as_of, outlook.study.horizon)
    days = [*days[: -1 : max(1, len(days) // _POINTS)], days[-1]]
    told = [likelihood.expected_on(outlook.study.day_index(day)) for day in days]
    return _ToCome(days, np.array([means for means, _ in told]), np.sqrt([variances for _, variances in told]))


def _names(outlook: Outlook, plot: Plot, to_come: _ToCome, in_digits: Callable[[float], str]) -> list[Plain]:
    """Each scenario's name at the end of its line, with what it expects at the horizon."""
    study = outlook.study
    at_end = (part[-1].tolist() for part in (to_come.means, to_come.low, to_come.high))
    ends = [
        LineEnd(plot.y(mean), "", in_digits(mean), f"{in_digits(low)} to {in_digits(high)}")
        for mean, low, high in zip(*at_end, strict=True)
    ]
    heads, clear = [study.horizon], plot.bars_width
    return line_ends(study.scenarios, ends, heads=heads, leader=plot.leader, height=_HEIGHT, clear=clear)


def _next_reading(outlook: Outlook, indicator: MeasureIndicator) -> tuple[date, Expectation]:
    """The day of the next reading, and what is expected of it: where it is due within the study, else as-of."""
    stands = next(item for item in outlook.indicator_boards if item.indicator.id == indicator.id)
    day = stands.due if stands.due and outlook.as_of < stands.due <= outlook.study.horizon else outlook.as_of
    then = board(
        indicator,
        outlook.likelihoods[indicator.id],
        coverage=(),
        final=outlook.final,
        opens=outlook.study.opens,
        as_of=day,
    )
    assert then.expectation
    return day, then.expectation


def _beside_now(time: TimeAxis, day: date) -> float:
    """Where the bar of a day stands; beside the line of the as-of day, not on it."""
    if day > time.as_of:
        return time(day)
    return time.now + (5 if time.last > time.as_of else -7)


def _sentence(day: date, numbers: Sequence[str], unit: str | None) -> str:
    """What is expected of a reading, from the numbers of its expectation, low and high."""
    expected, low, high = numbers
    at = f"{expected} {shortened(unit, 24)}" if unit else expected
    return f"A reading on {day_text(day)} is expected at {at}, with 90 % probability between {low} and {high}."


# What was read


def _value(live: Live) -> float:
    value = live.report.value
    assert value is not None
    return value


def _readings(plot: Plot, outlook: Outlook, readings: Sequence[Live]) -> list[Plain]:
    values = [
        {
            "x": plot.time(live.report.dated),
            "day": live.report.dated.isoformat(),
            "value": _value(live),
            "grade": outlook.study.grade_of(live.report.grade, live.report.source),
            **_weighed(live.rho),
        }
        for live in readings
    ]
    return over(values, [_dots(x=pixel("x"), y=heights("value", plot.domain))])


def _history(plot: Plot, history: Sequence[tuple[date, float]]) -> list[Plain]:
    values = [{"x": plot.time(day), "day": day.isoformat(), "before": value} for day, value in sorted(history)]
    place = {"x": pixel("x"), "y": heights("before", plot.domain)}
    return over(values, [layer({"type": "line", "color": "#B9B9B9", "strokeWidth": 1}, **place), layer(_RING, **place)])


def _weighed(rho: float) -> Plain:
    return {"size": round(16 + 74 * rho, 1), "opacity": round(0.35 + 0.6 * rho, 3)}


def _dots(**place: Plain) -> Plain:
    """Dots as large and as dark as their weight."""
    as_given = {"type": "quantitative", "scale": None, "legend": None}
    weight = {"size": {"field": "size", **as_given}, "opacity": {"field": "opacity", **as_given}}
    return layer({"type": "circle", "color": INK}, **place, **weight)


def _key(outlook: Outlook, readings: Sequence[Live], *, with_history: bool) -> list[Plain]:
    """What the dots mean, below the chart: the grades that occur, the weightiest first."""
    weights = {outlook.study.grade_of(live.report.grade, live.report.source): live.rho for live in readings}
    grades = sorted(weights, key=lambda grade: (-weights[grade], grade))[:_MOST_GRADES]
    values = [{"x": 112 + 48 * n, "text": grade, **_weighed(weights[grade])} for n, grade in enumerate(grades)]
    at = {"y": {"value": _KEY}, "x": pixel("x")}
    beside = {"type": "text", "align": "left", "baseline": "middle", "dx": 9, "fontSize": 12}
    text = layer(beside, **at, text={"field": "text"})
    ring = [{"x": 124 + 48 * len(grades) if grades else 6, "text": "before the study"}] if with_history else []
    heading = [note("Grade of reading", x=0, y=_KEY)] if grades else []
    return [*heading, *over(values, [_dots(**at), text]), *over(ring, [layer(_RING, **at), text])]


# Numbers


def _ticks(low: float, high: float) -> list[float]:
    """Round values from below the low to above the high, some five of them."""
    span = max(high - low, 1e-9 * max(abs(low), abs(high))) or 1.0
    power = 10.0 ** math.floor(math.log10(span / 5))
    step = next(power * nice for nice in (1, 2, 2.5, 5, 10) if power * nice >= span / 5.5)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [float(f"{n * step:.12g}") for n in range(first, max(last, first + 1) + 1)]


def _in_digits(step: float) -> Callable[[float], str]:
    """How to write values whose ticks are so far apart: with one digit more than those need; in powers where long."""
    digits = max(1 - math.floor(math.log10(step)), 0)
    return lambda value: f"{value:,.{digits}f}" if digits <= _MOST_DIGITS and abs(value) < _LARGE else f"{value:.4g}"
