"""Charts as Vega-Lite specifications: plain dicts that a notebook, a web page and a renderer all take; no file is read.

Where a chart needs things beside each other that want the same place (the names at the ends of lines, the numbers of
reports of one week), `spread` moves them apart by as little as will do. Colour and dash run in cycles of seven and
five, so that each of twenty lines has its own pair and neighbours differ in both: grey print and colour-blind readers
lose nothing. Fonts are those that the renderer carries within itself; any other one would draw no text, silently.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np

from forecast.display import account, most_changed, one_line, percent, points, shortened
from forecast.events import Live
from forecast.outlook import Outlook
from forecast.probability import Floats, log_or_minus_infinity, normalised

__all__ = ["COLOURS", "DASHES", "moves_when_logged", "png", "spread", "svg", "timeline_chart"]

Plain = dict[str, Any]

# Okabe and Ito's colours, the light ones deepened until they carry a thin line on white; their yellow is left out.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#B4588F", "#D48C00", "#3C9BD6", "#3D3D3D")
DASHES: tuple[tuple[int, ...], ...] = ((), (7, 3), (2, 2), (9, 3, 2, 3), (14, 4))

_VEGA_LITE = "6.4"
_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_FONT = "Liberation Sans, Arial, sans-serif"
_INK, _PALE, _GRID = "#222222", "#6B6B6B", "#E4E4E4"

# In pixels: the plot, the room for names to its right, where the last column below it starts, and heights of text.
_WIDTH, _HEIGHT = 540, 300
_MARGIN = 290
_EFFECT = 556
_LINE = 14
_STRIP = 12
_LEGEND_TOP = _HEIGHT + 60
_ROOM_FOR_TWO_LINES = 9
_NUMBERED = 8
# A move that is not shown as less than a tenth of a point.
_LEAST_MOVE = 0.001
_MOST_DAYS = 400


def timeline_chart(outlook: Outlook, *, title: str | None = None) -> Plain:
    """The probability of each scenario over time, with the reports that moved it most.

    Lines are named at their right end, with the probability on the as-of day. The reports that moved a probability
    most on their day, at most eight, stand as numbers on top, in order of time, and are told in the lines below.

    Parameters
    ----------
    outlook : Outlook
    title : str, optional
        Left out, the study's.

    Returns
    -------
    dict
        A Vega-Lite 6 specification with its data, about 880 pixels wide. Users' texts in it are not escaped for any
        other format: a page that holds the specification has to.
    """
    told = _told(outlook)
    return {
        "$schema": _SCHEMA,
        "description": _description(outlook),
        "title": _title(outlook, title, above=_STRIP if told else 0),
        "width": _WIDTH,
        "height": _HEIGHT,
        "padding": {"left": 8, "right": 12, "top": 10, "bottom": 10},
        "background": "white",
        "layer": [*_numbers(outlook, told), *_lines(outlook), *_line_ends(outlook), *_legend(outlook, told)],
        "config": {
            "font": _FONT,
            "view": {"stroke": None},
            "axis": {"labelColor": _PALE, "labelFontSize": 12, "domainColor": _GRID, "tickColor": _GRID},
            "text": {"font": _FONT, "fontSize": 13, "color": _INK},
        },
    }


def png(chart: Plain, *, scale: float = 2) -> bytes:
    """The chart as a PNG picture, `scale` times its size in pixels."""
    import vl_convert

    return vl_convert.vegalite_to_png(chart, vl_version=_VEGA_LITE, scale=scale, allowed_base_urls=[])


def svg(chart: Plain) -> str:
    """The chart as an SVG document whose texts are texts."""
    import vl_convert

    return vl_convert.vegalite_to_svg(chart, vl_version=_VEGA_LITE, allowed_base_urls=[])


def spread(positions: Sequence[float], gap: float, *, low: float, high: float) -> list[float]:
    """The positions nearest to some given ones (least squares) that keep their order, a gap, and a range.

    Parameters
    ----------
    positions : sequence of float
        Where each would like to be, in any order; of equal ones the first stays the lowest.
    gap : float
        The least distance between neighbours; smaller where the range has no room for it.
    low, high : float
        The range.

    Returns
    -------
    list of float
        In the order given.

    Examples
    --------
    >>> spread([1.0, 9.0, 1.0], 2.0, low=0, high=10)
    [0.0, 9.0, 2.0]
    """
    n = len(positions)
    if n == 0:
        return []
    gap = min(gap, (high - low) / (n - 1)) if n > 1 else 0.0
    order = sorted(range(n), key=lambda i: positions[i])
    # Less i gaps, what must be kept apart need only be kept in order: isotonic regression, by pooling neighbours.
    pools: list[tuple[float, int]] = []
    for place, i in enumerate(order):
        mean, size = positions[i] - place * gap, 1
        while pools and pools[-1][0] > mean:
            before, members = pools.pop()
            mean, size = (before * members + mean * size) / (members + size), members + size
        pools.append((mean, size))
    means = [mean for mean, size in pools for _ in range(size)]
    placed = [0.0] * n
    for place, i in enumerate(order):
        placed[i] = min(max(means[place], low), high - (n - 1) * gap) + place * gap
    return placed


def _title(outlook: Outlook, title: str | None, *, above: int) -> Plain:
    study = outlook.study
    reports = len(outlook.report_contributions)
    about = f"As of {_day(outlook.as_of)}, from {reports} report{'' if reports == 1 else 's'}"
    return {
        "text": shortened(title or study.label, 80),
        "subtitle": [*_wrapped(study.question, 115, lines=2), about],
        "anchor": "start",
        "frame": "group",
        "offset": 14 + above,
        "limit": _WIDTH + _MARGIN,
        "font": _FONT,
        "fontSize": 18,
        "color": _INK,
        "subtitleFont": _FONT,
        "subtitleFontSize": 13,
        "subtitleColor": _PALE,
        "subtitleLineHeight": 17,
        "subtitlePadding": 5,
    }


def _description(outlook: Outlook) -> str:
    """What the picture says, for those who cannot see it."""
    stands = ", ".join(
        f"{one_line(scenario.label)} {percent(float(p))}"
        for scenario, p in zip(outlook.study.scenarios, outlook.final, strict=True)
    )
    return f"Probability of each scenario from {outlook.study.opens} to {outlook.as_of}. On the last day: {stands}."


# Lines and their ends


def _lines(outlook: Outlook) -> list[Plain]:
    values = [
        {"day": outlook.days[x].isoformat(), "scenario": k, "p": round(float(outlook.course[t, k]), 5)}
        for k in range(len(outlook.study.scenarios))
        for x, t in _corners(outlook)
    ]
    x = {"field": "day", "type": "temporal", "scale": _time_scale(outlook), "axis": _time_axis(outlook)}
    y = {**_probability("p"), "axis": _PROBABILITY_AXIS}
    width = {"condition": {"test": f"datum.scenario === {_leader(outlook)}", "value": 3}, "value": 1.8}
    as_listed = {"value": None}
    mark = {"type": "line", "strokeJoin": "round"}
    line = _layer(mark, x=x, y=y, order=as_listed, strokeWidth=width, **_look(outlook))
    return [{"data": {"values": values, "format": {"parse": {"day": "utc:'%Y-%m-%d'"}}}, **line}]


def _corners(outlook: Outlook) -> list[tuple[int, int]]:
    """The days between which straight lines are drawn, each with the day whose probability is taken.

    Some hundred evenly spaced; a report's day comes twice, with the probability of the day before first, so that what a
    report did is a jump and what time did is a slope.
    """
    last = len(outlook.days) - 1
    jumps = {outlook.study.day_index(item.live.report.dated) for item in outlook.report_contributions} - {0}
    evenly = range(0, last + 1, max(1, last // _MOST_DAYS))
    return sorted([*((t, t) for t in {*evenly, *jumps, last}), *((t, t - 1) for t in jumps)])


def _line_ends(outlook: Outlook) -> list[Plain]:
    """A dot on each line's last day, and its name beside it with the final probability."""
    leader = {"expr": f"datum.scenario === {_leader(outlook)} ? 'bold' : 'normal'"}
    look = _look(outlook)
    colour = {"color": look["color"]}
    p, at = _probability("p"), _probability("at")
    middle = {"type": "text", "baseline": "middle"}
    name = {**middle, "align": "left", "limit": _MARGIN - 103, "fontWeight": leader}
    name |= {"lineBreak": "\n", "lineHeight": _LINE, "dy": {"expr": "datum.rise"}}
    percentage = {**middle, "align": "right", "fontWeight": "bold"}
    layers = [
        _layer({"type": "circle", "size": 34, "opacity": 1}, x=_at(0), y=p, **colour),
        _layer({"type": "rule", "strokeWidth": 0.8}, x=_at(5), x2=_at(20), y=p, y2={"field": "at"}, **colour),
        _layer({"type": "rule", "strokeWidth": 2.2}, x=_at(20), x2=_at(42), y=at, **look),
        _layer(percentage, x=_at(96), y=at, text={"field": "percent"}),
        _layer(name, x=_at(103), y=at, text={"field": "name"}),
    ]
    return [{"data": {"values": _ends(outlook)}, **layer} for layer in layers]


def _ends(outlook: Outlook) -> list[Plain]:
    """For each scenario its final probability, its name in lines, and the height at which that stands."""
    final, scenarios = outlook.final.tolist(), outlook.study.scenarios
    if len(scenarios) <= _ROOM_FOR_TWO_LINES:
        names = [_wrapped(scenario.label, 28, lines=2) or [scenario.id] for scenario in scenarios]
    else:
        names = [[shortened(scenario.label, 50) or scenario.id] for scenario in scenarios]
    gap = (max(map(len, names)) * _LINE + 3) / _HEIGHT
    # From the last to the first, so that of equal ones the first in the file stands highest.
    heights = spread(final[::-1], gap, low=-0.01, high=1.01)[::-1]
    return [
        {
            "scenario": k,
            "p": final[k],
            "at": heights[k],
            "percent": percent(final[k]),
            "name": "\n".join(name),
            "rise": (1 - len(name)) * _LINE / 2,
        }
        for k, name in enumerate(names)
    ]


def _leader(outlook: Outlook) -> int:
    """The scenario that leads; -1 where several do."""
    leaders = np.flatnonzero(outlook.final >= outlook.final.max() - 1e-9)
    return int(leaders[0]) if len(leaders) == 1 else -1


def _at(beyond: int) -> Plain:
    """A place in pixels to the right of the plot."""
    return {"value": _WIDTH + beyond}


def _layer(mark: Plain, **encoding: Plain) -> Plain:
    return {"mark": mark, "encoding": encoding}


def _probability(field: str) -> Plain:
    return {"field": field, "type": "quantitative", "title": None, "scale": {"domain": [0, 1]}}


def _look(outlook: Outlook) -> dict[str, Plain]:
    """Colour and dash of each scenario, by its place in the file: the same on every day."""
    K = len(outlook.study.scenarios)
    colours = [COLOURS[k % len(COLOURS)] for k in range(K)]
    dashes = [list(DASHES[k % len(DASHES)]) for k in range(K)]
    by_scenario = {"field": "scenario", "type": "nominal", "legend": None}
    return {
        "color": {**by_scenario, "scale": {"domain": [*range(K)], "range": colours}},
        "strokeDash": {**by_scenario, "scale": {"domain": [*range(K)], "range": dashes}},
    }


# Axes


_PROBABILITY_AXIS: Plain = {
    "values": [0, 0.25, 0.5, 0.75, 1],
    "labelExpr": "format(100 * datum.value, 'd') + ' %'",
    "gridColor": _GRID,
    "domain": False,
    "ticks": False,
    "labelPadding": 8,
}


def _time_scale(outlook: Outlook) -> Plain:
    first = outlook.study.opens
    if first == outlook.as_of:
        first -= timedelta(days=1)
    return {"type": "utc", "domain": [_milliseconds(first), _milliseconds(outlook.as_of)]}


def _time_axis(outlook: Outlook) -> Plain:
    days, form = _ticks(outlook.study.opens, outlook.as_of)
    new_year = "datum.index === 0 || utcFormat(datum.value, '%j') === '001'"
    label = f"utcFormat(datum.value, '{form}')"
    return {
        "values": [_milliseconds(day) for day in days],
        "labelExpr": label if form == "%Y" else f"{new_year} ? [{label}, utcFormat(datum.value, '%Y')] : {label}",
        "labelLineHeight": 13,
        "labelFlush": False,
        "labelOverlap": False,
        "grid": False,
        "title": None,
    }


def _ticks(first: date, last: date) -> tuple[list[date], str]:
    """Days to mark, at most some fifteen, and the form of their labels."""
    span = (last - first).days
    if span <= 70:
        step = next(step for step in (1, 2, 7) if span / step <= 10)
        return [first + timedelta(days=n) for n in range(0, span + 1, step)], "%-d %b"
    months = span / 30.4
    step = next((step for step in (1, 2, 3, 6) if months / step <= 15), 12)
    starts = [date(year, month, 1) for year in range(first.year, last.year + 1) for month in range(1, 13, step)]
    return [day for day in starts if first <= day <= last], "%b" if step < 12 else "%Y"


def _milliseconds(day: date) -> int:
    """What JavaScript counts: milliseconds since 1970, UTC."""
    return (day - date(1970, 1, 1)).days * 86_400_000


# The reports that moved it most


class _Told(NamedTuple):
    """A report with a number, and what it did to each probability on the day it came, shape (K,)."""

    number: int
    live: Live
    move: Floats


def _told(outlook: Outlook) -> list[_Told]:
    """The reports that made the lines jump most, in order of time."""
    moves = moves_when_logged(outlook)
    strength = abs(moves).max(axis=1, initial=0.0)
    strongest = (-strength).argsort(kind="stable")[:_NUMBERED].tolist()
    chosen = sorted(r for r in strongest if strength[r] >= _LEAST_MOVE)
    return [_Told(n, outlook.report_contributions[r].live, moves[r]) for n, r in enumerate(chosen, 1)]


def moves_when_logged(outlook: Outlook) -> Floats:
    """What each report did to the probabilities of its own day, given the reports before it; shape (R, K).

    In the order of `outlook.report_contributions`. With the day's drift and silence they add up to the steps of the
    course; a report's effect on the last day is another matter, for later ones may say the same again.
    """
    items = outlook.report_contributions
    moves = np.zeros((len(items), len(outlook.study.scenarios)))
    after, day = outlook.final, None
    for r in reversed(range(len(items))):
        if items[r].live.report.dated != day:
            day = items[r].live.report.dated
            after = outlook.course[outlook.study.day_index(day)]
        before = normalised(log_or_minus_infinity(after) - items[r].log_likelihoods)
        moves[r] = after - before
        after = before
    return moves


def _numbers(outlook: Outlook, told: Sequence[_Told]) -> list[Plain]:
    """A number above the day of each, moved aside where they crowd, and a thin line down from its day."""
    span = max((outlook.as_of - outlook.study.opens).days, 1)
    days = [_WIDTH * (1 - (outlook.as_of - item.live.report.dated).days / span) for item in told]
    places = spread(days, 19, low=0, high=_WIDTH)
    values = [{"number": told[i].number, "day": days[i], "at": places[i]} for i in range(len(told))]
    dotted = {"type": "rule", "color": "#B9B9B9", "strokeDash": [1, 2]}
    joint = {"type": "rule", "color": "#9A9A9A"}
    layers = [
        _layer(dotted, x=_pixel("day"), y={"value": -4}, y2={"value": _HEIGHT}),
        _layer(joint, x=_pixel("at"), x2={"field": "day"}, y={"value": -12}, y2={"value": -4}),
        *_badges(x=_pixel("at"), y={"value": -18}),
    ]
    return [{"data": {"values": values}, **layer} for layer in layers]


def _legend(outlook: Outlook, told: Sequence[_Told]) -> list[Plain]:
    """One line a number: the day, the indicator, what was reported, and the probability that it moved most."""
    if not told:
        return []
    heading = {"type": "text", "align": "left", "baseline": "middle", "color": _PALE, "fontSize": 12, "y": _LEGEND_TOP}
    headings = [
        {"data": {"values": [{}]}, "mark": {**heading, "x": x, "text": text}}
        for x, text in ((0, "The reports that moved it most"), (_EFFECT, "Move on that day, in points"))
    ]
    columns = [
        *_badges(x={"value": 8}, y=_pixel("y")),
        _column("day", 24, limit=82),
        _column("says", 110, limit=_EFFECT - 116),
        _column("points", _EFFECT + 32, align="right", fontWeight="bold"),
        _column("scenario", _EFFECT + 40, limit=_WIDTH + _MARGIN - _EFFECT - 40),
    ]
    rows = [_row(outlook, item) for item in told]
    return [*headings, *({"data": {"values": rows}, **column} for column in columns)]


def _row(outlook: Outlook, item: _Told) -> Plain:
    study, report = outlook.study, item.live.report
    k = most_changed(item.move)[0]
    finding = shortened(account(study, report), 46)
    name = shortened(study.indicator(report.indicator).label, 74 - len(finding))
    return {
        "number": item.number,
        "y": _LEGEND_TOP + 4 + 19 * item.number,
        "day": _day(report.dated),
        "says": f"{name}: {finding}",
        "points": points(float(item.move[k])),
        "scenario": shortened(study.scenarios[k].label, 60),
    }


def _badges(**place: Plain) -> list[Plain]:
    """White numbers on dark dots."""
    dot = {"type": "circle", "size": 220, "opacity": 1, "color": "#4A4A4A"}
    number = {"type": "text", "align": "center", "baseline": "middle", "fontSize": 11, "fontWeight": "bold"}
    return [_layer(dot, **place), _layer({**number, "color": "white"}, **place, text={"field": "number"})]


def _column(field: str, x: int, *, align: str = "left", **mark: object) -> Plain:
    text = {"type": "text", "align": align, "baseline": "middle", "fontSize": 12.5, **mark}
    return _layer(text, x={"value": x}, y=_pixel("y"), text={"field": field})


def _pixel(field: str) -> Plain:
    """A place in pixels from the plot's upper left corner, outside it too."""
    return {"field": field, "type": "quantitative", "scale": None, "axis": None}


def _day(day: date) -> str:
    return f"{day.day} {day:%b} {day.year}"


def _wrapped(text: str, columns: int, *, lines: int) -> list[str]:
    """The text in at most some lines, cut with an ellipsis where they do not hold it; none for no text."""
    return textwrap.wrap(one_line(text), columns, max_lines=lines, placeholder="…")
