"""The one look of all charts: colours, dashes, type, and the layers that every chart is made of.

Colour and dash run in cycles of seven and five, so that each of twenty lines has its own pair and neighbours differ in
both: grey print and colour-blind readers lose nothing. The fonts are those that the renderer carries within itself; any
other one would draw no text, silently.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, TypeAlias

__all__ = ["COLOURS", "DASHES", "Plain"]

Plain: TypeAlias = dict[str, Any]

# Okabe and Ito's colours, the light ones deepened until they carry a thin line on white; their yellow is left out.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#B4588F", "#D48C00", "#3C9BD6", "#3D3D3D")
DASHES: tuple[tuple[int, ...], ...] = ((), (7, 3), (2, 2), (9, 3, 2, 3), (14, 4))

INK, PALE, GRID, DARK = "#222222", "#6B6B6B", "#E4E4E4", "#4A4A4A"

# In pixels: the plot and the room for names to its right, the same in every chart.
WIDTH, MARGIN = 530, 320
LINE = 14

FONT = "Liberation Sans, Arial, sans-serif"


def look(count: int) -> dict[str, Plain]:
    """Colour and dash of each of so many scenarios, by place in the file: the same in every chart and on every day."""
    by_scenario = {"field": "scenario", "type": "nominal", "legend": None}
    colours = [COLOURS[k % len(COLOURS)] for k in range(count)]
    dashes = [list(DASHES[k % len(DASHES)]) for k in range(count)]
    return {
        "color": {**by_scenario, "scale": {"domain": [*range(count)], "range": colours}},
        "strokeDash": {**by_scenario, "scale": {"domain": [*range(count)], "range": dashes}},
    }


def layer(mark: Plain, **encoding: Plain) -> Plain:
    """One layer without data of its own."""
    return {"mark": mark, "encoding": encoding}


def over(values: list[Plain], layers: Sequence[Plain]) -> list[Plain]:
    """Layers that share their data; none where there is no data."""
    return [{"data": {"values": values}, **item} for item in layers] if values else []


def pixel(field: str) -> Plain:
    """A place in pixels from the plot's upper left corner, outside it too."""
    return {"field": field, "type": "quantitative", "scale": None, "axis": None}


def column(field: str, x: float, *, align: str = "left", **mark: object) -> Plain:
    """The texts of a field below each other, at heights `y`."""
    text = {"type": "text", "align": align, "baseline": "middle", "fontSize": 12.5, **mark}
    return layer(text, x={"value": x}, y=pixel("y"), text={"field": field})


def heights(field: str, domain: tuple[float, float]) -> Plain:
    """A value on the vertical scale of a plot."""
    return {"field": field, "type": "quantitative", "title": None, "scale": {"domain": list(domain), "nice": False}}


def value_axis(**axis: object) -> Plain:
    """The axis of that scale: lines across, and nothing else but numbers."""
    return {"gridColor": GRID, "domain": False, "ticks": False, "labelPadding": 8, **axis}


def note(text: str | list[str], *, x: float, y: float, **mark: object) -> Plain:
    """A text of ours at a place, pale and small."""
    look = {"type": "text", "align": "left", "baseline": "middle", "color": PALE, "fontSize": 12, "lineHeight": LINE}
    return {"data": {"values": [{}]}, "mark": {**look, "x": x, "y": y, "text": text, **mark}}


def day_text(day: date) -> str:
    """A day as readers write it: `7 Jun 2026`."""
    return f"{day.day} {day:%b} {day.year}"
