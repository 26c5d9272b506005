"""What a study can find out: how often and by when the truth leads, and what is taken for what."""

from __future__ import annotations

from forecast.charts.chart import Chart
from forecast.charts.frame import framed
from forecast.charts.lettering import names_in_lines
from forecast.charts.shades import shade, shade_ink
from forecast.charts.style import (
    COLOURS,
    GRID,
    LINE,
    MARGIN,
    PALE,
    WIDTH,
    Plain,
    column,
    day_text,
    layer,
    note,
    over,
    pixel,
)
from forecast.display import counted
from forecast.power import LEADS, Power
from forecast.release import ReleasedPower

__all__ = ["power_chart"]

_NAMES, _BARS, _LENGTH = 26, 250, 150
_FOUND, _BY, _MISLED, _MATRIX = 446, 456, 582, 602
_ROOM_FOR_NUMBERS = 22
_RIGHT, _WRONG, _NEITHER = COLOURS[0], COLOURS[1], GRID


def power_chart(released: ReleasedPower, *, title: str | None = None) -> Chart:
    """How often and by when the truth leads under each scenario, and where the probability goes, as a small matrix.

    A bar is the runs in which the scenario of its row was true: on the left those that end with it at 80 % or more, on
    the right those that end with a wrong one there. A cell of the matrix is the mean probability, at the horizon, of
    the scenario of its column.

    Parameters
    ----------
    released : ReleasedPower
        What the gate lets out; the chart says its mark.
    title : str, optional
        Left out, the study's.

    Returns
    -------
    Chart
        A Vega-Lite 6 specification with its data, about 880 pixels wide.
    """
    power = released.power
    K = len(power.study.scenarios)
    cell = min(40.0, (WIDTH + MARGIN - _MATRIX) / K)
    row = min(30.0, max(cell, 19.0))
    names = names_in_lines([scenario.label for scenario in power.study.scenarios], _BARS - _NAMES - 10, size=12.5)
    rows = [_row(power, k, row, "".join(names[k])) for k in range(K)]
    cells = [_cell(power, k, j, row, cell) for k in range(K) for j in range(K)]
    says = f"{counted(power.runs, 'simulated run')} under each scenario. {power.verdict}"
    return framed(
        [*_heads(K, cell), *over(rows, _bars(row)), *_cells(cells)],
        title=title or power.study.label,
        subtitle=[says],
        description=says,
        said=released.mark,
        width=WIDTH + MARGIN,
        height=K * row,
    )


def _row(power: Power, k: int, row: float, name: str) -> Plain:
    found, misled, by = float(power.found[k]), float(power.misled[k]), power.found_by[k]
    return {
        "y": (k + 0.5) * row,
        "letter": _letter(k),
        "name": name or power.study.scenarios[k].id,
        "right": _BARS + _LENGTH * found,
        "wrong": _BARS + _LENGTH * (1.0 - misled),
        "found": _share(found),
        "by": day_text(by) if by else "never",
        "misled": _share(misled),
    }


def _share(share: float) -> str:
    """A share of runs in whole percent, none and all only where it is none and all."""
    return "<1 %" if 0 < share < 0.005 else ">99 %" if 0.995 < share < 1 else f"{100 * share:.0f} %"


def _letter(k: int) -> str:
    return chr(ord("A") + k)


def _cell(power: Power, k: int, j: int, row: float, cell: float) -> Plain:
    p = float(power.confusion[k, j])
    return {
        "x": _MATRIX + j * cell + 0.5,
        "x2": _MATRIX + (j + 1) * cell - 0.5,
        "y": k * row + 0.5,
        "y2": (k + 1) * row - 0.5,
        "middle": _MATRIX + (j + 0.5) * cell,
        "centre": (k + 0.5) * row,
        "p": round(p, 4),
        "text": f"{100 * p:.0f}" if cell >= _ROOM_FOR_NUMBERS else "",
        "fill": shade(p),
        "ink": shade_ink(p),
    }


def _bars(row: float) -> list[Plain]:
    bar = {"type": "rule", "strokeWidth": min(13.0, 0.6 * row)}
    start, end, at = {"value": _BARS}, {"value": _BARS + _LENGTH}, {"y": pixel("y")}
    return [
        layer({**bar, "color": _NEITHER}, x=start, x2=end, **at),
        layer({**bar, "color": _RIGHT}, x=pixel("right"), x2=start, **at),
        layer({**bar, "color": _WRONG}, x=pixel("wrong"), x2=end, **at),
        column("letter", 6, align="center", fontWeight="bold"),
        column("name", _NAMES, limit=_BARS - _NAMES - 10),
        column("found", _FOUND, align="right", fontWeight="bold"),
        column("by", _BY, color=PALE),
        column("misled", _MISLED, align="right"),
    ]


def _cells(cells: list[Plain]) -> list[Plain]:
    as_given = {"type": "nominal", "scale": None, "legend": None}
    edges = {"x": pixel("x"), "x2": {"field": "x2"}, "y": pixel("y"), "y2": {"field": "y2"}}
    text = {"type": "text", "align": "center", "baseline": "middle", "fontSize": 11}
    middle = {"x": pixel("middle"), "y": pixel("centre")}
    layers = [
        layer({"type": "rect"}, **edges, color={"field": "fill", **as_given}),
        layer(text, **middle, text={"field": "text"}, color={"field": "ink", **as_given}),
    ]
    return over(cells, layers)


def _heads(count: int, cell: float) -> list[Plain]:
    letters = [{"x": _MATRIX + (j + 0.5) * cell, "letter": _letter(j)} for j in range(count)]
    letter = {"type": "text", "align": "center", "baseline": "middle", "fontSize": 11, "fontWeight": "bold"}
    of = "Mean probability of" if cell < _ROOM_FOR_NUMBERS else "Mean probability, in percent, of"
    return [
        note("If this is true", x=0, y=-9, fontSize=11),
        note(f"truth at {100 * LEADS:.0f} %", x=_BARS, y=-9, color=_RIGHT, fontSize=11),
        note("a wrong one", x=_BARS + _LENGTH, y=-9, align="right", color=_WRONG, fontSize=11),
        note("found", x=_FOUND, y=-9, align="right", fontSize=11),
        note(["half of these", "by"], x=_BY, y=-9 - LINE, fontSize=11),
        note("misled", x=_MISLED, y=-9, align="right", fontSize=11),
        note(of, x=_MATRIX, y=-9 - LINE, fontSize=11),
        *over(letters, [layer({**letter, "color": PALE}, x=pixel("x"), y={"value": -8}, text={"field": "letter"})]),
    ]
