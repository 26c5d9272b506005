"""The frame of every chart: its head with title, question and handling mark, and the settings that all share."""

from __future__ import annotations

from collections.abc import Sequence

from forecast.charts.chart import Chart
from forecast.charts.lettering import in_lines
from forecast.charts.style import FONT, GRID, INK, MARGIN, PALE, WIDTH, Plain

__all__ = ["framed"]

_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_TITLE, _SUBTITLE = 18, 13
_ROOM = WIDTH + MARGIN


def framed(
    layers: list[Plain],
    *,
    title: str,
    subtitle: Sequence[str],
    description: str,
    said: str,
    height: float,
    width: float = WIDTH,
) -> Chart:
    """A chart of layers, with its head above everything in them.

    Parameters
    ----------
    layers : list of dict
    title : str
        Broken into at most three lines, which hold 200 characters.
    subtitle : sequence of str
        Sentences below it, each on a line of its own, or on as many as it needs up to four.
    description : str
        What the picture says, for those who cannot see it.
    said : str
        Its handling mark, and what was left out for it; the last line of the head.
    height, width : float
        Of the plot, in pixels.
    """
    below = [line for text in (*subtitle, said) for line in in_lines(text, _ROOM, size=_SUBTITLE, lines=4)]
    return Chart(
        {
            "$schema": _SCHEMA,
            "description": f"{description} {said}",
            "title": {
                "text": in_lines(title, _ROOM, size=_TITLE, lines=3, bold=True),
                "subtitle": below,
                "anchor": "start",
                "frame": "group",
                "offset": 16,
                "limit": _ROOM + 12,
                "font": FONT,
                "fontSize": _TITLE,
                "lineHeight": 22,
                "color": INK,
                "subtitleFont": FONT,
                "subtitleFontSize": _SUBTITLE,
                "subtitleColor": PALE,
                "subtitleLineHeight": 17,
                "subtitlePadding": 5,
            },
            "width": width,
            "height": height,
            "padding": {"left": 8, "right": 12, "top": 10, "bottom": 10},
            "background": "white",
            "layer": layers,
            "config": {
                "font": FONT,
                "view": {"stroke": None},
                "axis": {"labelColor": PALE, "labelFontSize": 12, "domainColor": GRID, "tickColor": GRID},
                "text": {"font": FONT, "fontSize": 13, "color": INK},
            },
        }
    )
