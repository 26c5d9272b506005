"""Charts as Vega-Lite specifications: plain dicts that a notebook, a web page and a renderer all take; no file is read.

Where a chart needs things beside each other that want the same place (the names at the ends of lines, the numbers of
reports of one week), `spread` moves them apart by as little as will do. Colour and dash run in cycles of seven and
three, so that each of twenty lines has its own pair and neighbours differ in both: grey print and colour-blind readers
lose nothing. Fonts are those that the renderer carries within itself; any other one would draw no text, silently.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from forecast.display import account, largest_change, most_moving, percent, points, shortened
from forecast.outlook import Contribution, Outlook

__all__ = ["COLOURS", "DASHES", "png", "spread", "svg", "timeline_chart"]

Plain = dict[str, Any]

# Okabe and Ito's colours, the light ones deepened until they carry a thin line on white; their yellow is left out.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#B4588F", "#D48C00", "#3C9BD6", "#3D3D3D")
DASHES: tuple[tuple[int, ...], ...] = ((), (7, 3), (2, 2))

_VEGA_LITE = "6.4"
_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_FONT = "Liberation Sans, Arial, sans-serif"
_INK, _PALE, _GRID = "#222222", "#6B6B6B", "#E4E4E4"

_WIDTH, _HEIGHT = 640, 300
_MARGIN = 285
_EFFECT = 560
_LINE = 13
_ROOM_FOR_TWO_LINES = 9
_NUMBERED = 8
_MOST_DAYS = 400


def timeline_chart(outlook: Outlook, *, title: str | None = None) -> Plain:
    """The probability of each scenario over time, with the reports that moved it most.

    Lines are named at their right end, with the probability on the as-of day. The (at most eight) reports that changed
    a final probability most stand as numbers on top, in order of time, and are told in the lines below.

    Parameters
    ----------
    outlook : Outlook
    title : str, optional
        Left out, the study's.

    Returns
    -------
    dict
        A Vega-Lite 6 specification with its data, about 860 pixels wide. Texts in it are as the user wrote them.
    """
    told = sorted(most_moving(outlook, _NUMBERED), key=lambda item: item.live.order)
    return {
        "$schema": _SCHEMA,
        "description": _description(outlook),
        "title": _title(outlook, title),
        "width": _WIDTH,
        "height": _HEIGHT,
        "padding": {"left": 8, "right": 12, "top": 10, "bottom": 10},
        "background": "white",
        "layer": [*_lines(outlook), *_line_ends(outlook), *_numbers(outlook, told), *_legend(outlook, told)],
        "config": {
            "font": _FONT,
            "view": {"stroke": None},
            "axis": {"labelColor": _PALE, "labelFontSize": 11, "domainColor": _GRID, "tickColor": _GRID},
            "text": {"font": _FONT, "fontSize": 12, "color": _INK},
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
    >>> spread([0.5, 0.5, 0.9], 0.1, low=0, high=1)
    [0.45, 0.55, 0.9]
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


def _title(outlook: Outlook, title: str | None) -> Plain:
    study = outlook.study
    reports = len(outlook.report_contributions)
    about = f"As of {_day(outlook.as_of)}, from {reports} report{'' if reports == 1 else 's'}"
    return {
        "text": shortened(title or study.label, 90),
        "subtitle": [*_wrapped(study.question, 125, lines=2), about],
        "anchor": "start",
        "frame": "group",
        "offset": 34 if reports else 14,
        "limit": _WIDTH + _MARGIN,
        "font": _FONT,
        "fontSize": 18,
        "color": _INK,
        "subtitleFont": _FONT,
        "subtitleFontSize": 12,
        "subtitleColor": _PALE,
        "subtitleLineHeight": 16,
        "subtitlePadding": 5,
    }


def _description(outlook: Outlook) -> str:
    """What the picture says, for those who cannot see it."""
    stands = ", ".join(
        f"{scenario.label} {percent(float(p))}"
        for scenario, p in zip(outlook.study.scenarios, outlook.final, strict=True)
    )
    return f"Probability of each scenario from {outlook.study.opens} to {outlook.as_of}. On the last day: {stands}."


# Lines and their ends


def _lines(outlook: Outlook) -> list[Plain]:
    shown = _shown_days(outlook)
    values = [
        {"day": outlook.days[t].isoformat(), "scenario": k, "p": round(p, 5)}
        for k, course in enumerate(outlook.course.T)
        for t, p in zip(shown, course[shown].tolist(), strict=True)
    ]
    leader = int(outlook.final.argmax())
    return [
        {
            "data": {"values": values, "format": {"parse": {"day": "utc:'%Y-%m-%d'"}}},
            "mark": {"type": "line", "strokeCap": "butt", "strokeJoin": "round", "clip": False},
            "encoding": {
                "x": {
                    "field": "day",
                    "type": "temporal",
                    "title": None,
                    "scale": _time_scale(outlook),
                    "axis": _time_axis(outlook),
                },
                "y": {**_probability("p"), "axis": _PROBABILITY_AXIS},
                **_look(outlook),
                "strokeWidth": {"condition": {"test": f"datum.scenario === {leader}", "value": 3}, "value": 1.8},
            },
        }
    ]


def _shown_days(outlook: Outlook) -> list[int]:
    """Days enough to draw the same line: some hundred evenly spaced, and both sides of every report."""
    last = len(outlook.days) - 1
    jumps = {outlook.study.day_index(item.live.report.dated) for item in outlook.report_contributions}
    evenly = range(0, last + 1, max(1, last // _MOST_DAYS))
    return sorted({*evenly, last, *jumps, *(max(day - 1, 0) for day in jumps)})


def _line_ends(outlook: Outlook) -> list[Plain]:
    """A dot on each line's last day, and its name beside it with the final probability."""
    final, scenarios = outlook.final.tolist(), outlook.study.scenarios
    lines = 2 if len(scenarios) <= _ROOM_FOR_TWO_LINES else 1
    names = [_wrapped(scenario.label, 30, lines=lines) for scenario in scenarios]
    gap = (max(map(len, names)) * _LINE + 3) / _HEIGHT
    ends = [
        {
            "scenario": k,
            "p": p,
            "at": at,
            "percent": percent(p),
            "name": "\n".join(name),
            "rise": (1 - len(name)) * _LINE / 2,
        }
        for k, (p, at, name) in enumerate(zip(final, spread(final, gap, low=-0.01, high=1.01), names, strict=True))
    ]
    leader = max(range(len(final)), key=lambda k: final[k])
    weight = {"expr": f"datum.scenario === {leader} ? 'bold' : 'normal'"}
    colour = {"color": _look(outlook)["color"]}
    layers: list[Plain] = [
        {"mark": {"type": "circle", "size": 34, "opacity": 1}, "encoding": {"x": {"value": _WIDTH}, "y": _probability("p"), **colour}},
        {
            "mark": {"type": "rule", "strokeWidth": 1},
            "encoding": {"x": {"value": _WIDTH + 5}, "x2": {"value": _WIDTH + 16}, "y": _probability("p"), "y2": {"field": "at"}, **colour},
        },
        {
            "mark": {"type": "rule", "strokeWidth": 2.2},
            "encoding": {"x": {"value": _WIDTH + 16}, "x2": {"value": _WIDTH + 38}, "y": _probability("at"), **_look(outlook)},
        },
        {
            "mark": {"type": "text", "align": "right", "baseline": "middle", "fontWeight": "bold"},
            "encoding": {"x": {"value": _WIDTH + 89}, "y": _probability("at"), "text": {"field": "percent"}},
        },
        {
            "mark": {
                "type": "text", "align": "left", "baseline": "middle", "limit": _MARGIN - 98, "lineBreak": "\n",
                "lineHeight": _LINE, "dy": {"expr": "datum.rise"}, "fontWeight": weight,
            },
            "encoding": {"x": {"value": _WIDTH + 96}, "y": _probability("at"), "text": {"field": "name"}},
        },
    ]  # fmt: skip
    return [{"data": {"values": ends}, **layer} for layer in layers]


def _probability(field: str) -> Plain:
    return {"field": field, "type": "quantitative", "title": None, "scale": {"domain": [0, 1]}}


def _look(outlook: Outlook) -> Plain:
    """Colour and dash of each scenario, by its place in the file: the same on every day."""
    K = len(outlook.study.scenarios)
    dashes = [list(DASHES[k % len(DASHES)]) or [1, 0] for k in range(K)]
    colours = [COLOURS[k % len(COLOURS)] for k in range(K)]
    return {
        channel: {
            "field": "scenario",
            "type": "nominal",
            "legend": None,
            "scale": {"domain": [*range(K)], "range": looks},
        }
        for channel, looks in (("color", colours), ("strokeDash", dashes))
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


def _numbers(outlook: Outlook, told: Sequence[Contribution]) -> list[Plain]:
    """A number above the day of each, moved aside where they crowd, and a thin line down from its day."""
    span = max((outlook.as_of - outlook.study.opens).days, 1)
    days = [_WIDTH * (1 - (outlook.as_of - item.live.report.dated).days / span) for item in told]
    values = [
        {"number": n, "day": day, "at": at}
        for n, (day, at) in enumerate(zip(days, spread(days, 18, low=0, high=_WIDTH), strict=True), 1)
    ]
    layers: list[Plain] = [
        {
            "mark": {"type": "rule", "color": "#B9B9B9", "strokeDash": [1, 2]},
            "encoding": {"x": _pixel("day"), "y": {"value": -4}, "y2": {"value": _HEIGHT}},
        },
        {
            "mark": {"type": "rule", "color": "#9A9A9A"},
            "encoding": {"x": _pixel("at"), "x2": {"field": "day"}, "y": {"value": -12}, "y2": {"value": -4}},
        },
        *_badges({"x": _pixel("at"), "y": {"value": -18}}),
    ]
    return [{"data": {"values": values}, **layer} for layer in layers]


def _legend(outlook: Outlook, told: Sequence[Contribution]) -> list[Plain]:
    """One line a number: the day, the indicator, what was reported, and the final probability it moved most."""
    if not told:
        return []
    top = _HEIGHT + 60
    study = outlook.study
    rows = []
    for n, item in enumerate(told, 1):
        report, k = item.live.report, largest_change(item)
        rows.append(
            {
                "number": n,
                "y": top + 4 + 18 * n,
                "day": _day(report.dated),
                "says": shortened(f"{study.indicator(report.indicator).label}: {account(study, report)}", 120),
                "points": points(float(item.change[k])),
                "scenario": study.scenarios[k].label,
            }
        )
    heading = {"type": "text", "align": "left", "baseline": "middle", "color": _PALE, "fontSize": 11, "y": top}
    headings = [
        {"data": {"values": [{}]}, "mark": {**heading, "x": x, "text": text}}
        for x, text in ((0, "Reports that moved it most"), (_EFFECT, "Effect on the final probability, in points"))
    ]
    columns: list[Plain] = [
        *_badges({"x": {"value": 8}, "y": _pixel("y")}),
        _column("day", 24, limit=80),
        _column("says", 108, limit=_EFFECT - 120),
        _column("points", _EFFECT + 32, align="right", fontWeight="bold"),
        _column("scenario", _EFFECT + 40, limit=_WIDTH + _MARGIN - _EFFECT - 40),
    ]
    return [*headings, *({"data": {"values": rows}, **column} for column in columns)]


def _badges(place: Plain) -> list[Plain]:
    """White numbers on dark dots."""
    number = {"type": "text", "align": "center", "baseline": "middle", "fontSize": 10, "fontWeight": "bold"}
    return [
        {"mark": {"type": "circle", "size": 200, "opacity": 1, "color": "#4A4A4A"}, "encoding": place},
        {"mark": {**number, "color": "white"}, "encoding": {**place, "text": {"field": "number"}}},
    ]


def _column(field: str, x: int, *, align: str = "left", **mark: object) -> Plain:
    return {
        "mark": {"type": "text", "align": align, "baseline": "middle", "fontSize": 11.5, **mark},
        "encoding": {"x": {"value": x}, "y": _pixel("y"), "text": {"field": field}},
    }


def _pixel(field: str) -> Plain:
    """A place in pixels from the plot's upper left corner, outside it too."""
    return {"field": field, "type": "quantitative", "scale": None, "axis": None}


def _day(day: date) -> str:
    return f"{day.day} {day:%b} {day.year}"


def _wrapped(text: str, columns: int, *, lines: int) -> list[str]:
    """The text in at most some lines, cut with an ellipsis where they do not hold it; none for no text."""
    return textwrap.wrap(text, columns, max_lines=lines, placeholder="…")
