"""Charts for a page in dark colours: every colour of the house has one that does there what it does on white."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forecast.charts.shades import AGAINST, FOR, ON_ORANGE, blend, shade
from forecast.charts.style import COLOURS, DARK, GRID, INK, PALE

__all__ = ["GROUND", "at_night"]

GROUND = "#16181D"

_BLUE, _ORANGE = "#63B4E8", "#F0914E"
_LINES = ("#4FA9E0", "#F08A4B", "#2FC79B", "#DB8EBE", "#EBB13D", "#9AD1F5", "#D9D9D9")
_TENTHS = [n / 10 for n in range(11)]
_STRENGTHS = (0.18, 0.32, 0.45, 0.76, 1.0)
_COLOURS: Mapping[str, str] = {
    **dict(zip(COLOURS, _LINES, strict=True)),
    **{by_day: blend(GROUND, _BLUE, share) for by_day, share in zip(FOR, _STRENGTHS, strict=True)},
    **{by_day: blend(GROUND, _ORANGE, share) for by_day, share in zip(AGAINST, _STRENGTHS, strict=True)},
    **{shade(share): blend("#22262D", _BLUE, share**1.4) for share in _TENTHS},
    "white": GROUND,
    "#FFFFFF": GROUND,
    ON_ORANGE: GROUND,
    "#F5F5F5": "#22262D",
    INK: "#ECECEC",
    PALE: "#A6ABB2",
    GRID: "#30343B",
    DARK: "#D0D3D8",
    "#B9B9B9": "#555B64",
    "#9A9A9A": "#7A8089",
    "#8A8A8A": "#8A9099",
    "#E6E6E6": "#2A2E35",
}
# Where colours stand; a user's text that looks like one stands elsewhere.
_PLACES = frozenset(
    (
        *("background", "color", "colour", "fill", "stroke", "value", "range", "ink"),
        *("labelColor", "domainColor", "tickColor", "gridColor", "subtitleColor"),
    )
)


def at_night(chart: Mapping[str, Any]) -> dict[str, Any]:
    """The chart with every colour changed for the one that takes its place on a dark ground."""
    return {key: _changed(key, value) for key, value in chart.items()}


def _changed(key: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return at_night(value)
    if isinstance(value, list):
        return [_changed(key, item) for item in value]
    return _COLOURS.get(value, value) if key in _PLACES and isinstance(value, str) else value
