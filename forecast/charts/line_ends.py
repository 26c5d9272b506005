"""The names of lines, beside their right ends: each with its numbers, apart from each other, joined by a thin line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from forecast.charts.lettering import names_in_lines
from forecast.charts.placing import spread
from forecast.charts.style import INK, LINE, MARGIN, PALE, WIDTH, Plain, layer, look, note, over, pixel
from forecast.study import Scenario

__all__ = ["LineEnd", "line_ends"]

_ROOM_FOR_TWO_LINES = 9
# Beside the plot, in pixels: where thin lines and swatches end, and how wide a column of numbers is.
_JOINT, _SWATCH, _NUMBER = 17, 39, 54
_FIRST, _NAME = 44, 8


class LineEnd(NamedTuple):
    """The right end of a scenario's line.

    Attributes
    ----------
    y : float
        Its height, in pixels from the top of the plot.
    aside : str
        A pale number that comes first; empty, of all lines, for none.
    says : str
        The number that counts.
    range : str
        A small one below it, left out where names have one line.
    """

    y: float
    aside: str
    says: str
    range: str


def line_ends(
    scenarios: Sequence[Scenario],
    ends: Sequence[LineEnd],
    *,
    heads: Sequence[date],
    leader: int,
    height: float,
    clear: float = 0.0,
) -> list[Plain]:
    """Names and numbers of all lines, in file order.

    Parameters
    ----------
    heads : sequence of date
        The day of each column of numbers, the last of them that of the numbers that count.
    leader : int
        Whose name is in bold; -1 for none.
    height : float
        Of the plot.
    clear : float
        Room to leave free beside the plot, for bars; where there is none, each line ends in a dot.
    """
    appearance = look(len(scenarios))
    colour = {"color": appearance["color"]}
    joint, swatch = clear + _JOINT, clear + _SWATCH
    first = swatch + _FIRST
    says = first + _NUMBER if len(heads) > 1 else first + 11
    middle = {"type": "text", "baseline": "middle"}
    right = {**middle, "align": "right"}
    bold = {"expr": f"datum.scenario === {leader} ? 'bold' : 'normal'"}
    room = MARGIN - says - _NAME
    name = {**middle, "limit": room, "lineBreak": "\n", "lineHeight": LINE, "fontWeight": bold}
    at, thin = {"y": pixel("at")}, {"type": "rule", "strokeWidth": 0.8}
    layers = [
        layer(thin, x=_at(clear + 4), x2=_at(joint), y=pixel("y"), y2={"field": "at"}, **colour),
        layer({"type": "rule", "strokeWidth": 2.2}, x=_at(joint), x2=_at(swatch), **at, **appearance),
        layer({**right, "color": PALE, "fontSize": 12}, x=_at(first), **at, text={"field": "aside"}),
        layer({**right, "fontWeight": "bold"}, x=_at(says), **at, text={"field": "says"}),
        layer({**right, "color": PALE, "fontSize": 11, "dy": LINE}, x=_at(says), **at, text={"field": "range"}),
        layer({**name, "align": "left"}, x=_at(says + _NAME), **at, text={"field": "name"}),
    ]
    columns = zip((first, says)[-len(heads) :], heads, (PALE, INK)[-len(heads) :], strict=True)
    if not clear:
        layers.append(layer({"type": "circle", "size": 14, "opacity": 1}, x=_at(0), y=pixel("y"), **colour))
    return [
        *(_head(day, x, color) for x, day, color in columns),
        *over(_values(scenarios, ends, height=height, room=room), layers),
    ]


def _head(day: date, x: float, color: str) -> Plain:
    lines = [f"{day.day} {day:%b}", f"{day.year}"]
    return note(lines, x=WIDTH + x, y=-17 - LINE, align="right", fontSize=11, color=color)


def _values(scenarios: Sequence[Scenario], ends: Sequence[LineEnd], *, height: float, room: float) -> list[Plain]:
    lines = 2 if len(scenarios) <= _ROOM_FOR_TWO_LINES else 1
    names = names_in_lines([scenario.label for scenario in scenarios], room, size=13, lines=lines, bold=True)
    # Of equal ones the first in the file stands highest.
    places = spread([end.y for end in ends], lines * LINE + 1 + lines, low=-4, high=height + 4 - (lines - 1) * LINE)
    return [
        {
            "scenario": k,
            "y": end.y,
            "at": places[k],
            "aside": end.aside,
            "says": end.says,
            "range": end.range if lines == 2 else "",
            "name": "\n".join(names[k]) or scenarios[k].id,
        }
        for k, end in enumerate(ends)
    ]


def _at(beyond: float) -> Plain:
    """A place in pixels to the right of the plot."""
    return {"value": WIDTH + beyond}
