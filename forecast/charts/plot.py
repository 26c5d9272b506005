"""What charts of scenarios over time share: lines, the leader's ribbon, and bars side by side, on one vertical scale.

Ribbons of all scenarios laid over each other are mud, so the leader alone has one; the others have bars.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from forecast.charts.style import INK, Plain, heights, layer, look, over, pixel
from forecast.charts.time_axis import TimeAxis
from forecast.probability import Floats

__all__ = ["Plot"]

_MOST_BARS = 7
_BAR = 5
_AS_LISTED: Plain = {"value": None}


@dataclass(frozen=True)
class Plot:
    """Where days and values stand, and how each scenario looks.

    Attributes
    ----------
    time : TimeAxis
    final : float array, shape (K,)
        Probabilities on the as-of day: the likeliest scenario is the leader, in bold, and bars are in this order.
    domain : pair of float
        The values at the lower and the upper edge.
    height : float
        In pixels.
    """

    time: TimeAxis
    final: Floats
    domain: tuple[float, float]
    height: float

    @property
    def leader(self) -> int:
        """The scenario that leads; -1 where several do."""
        leaders = np.flatnonzero(self.final >= self.final.max() - 1e-9)
        return int(leaders[0]) if len(leaders) == 1 else -1

    @property
    def bands(self) -> str:
        """What ribbon and bars mean, in a sentence."""
        return f"{'The bars' if self.leader < 0 else 'The ribbon of the leading scenario and the bars'} span 5 to 95 %."

    @property
    def barred(self) -> list[int]:
        """The scenarios that have bars, the likeliest first."""
        likeliest: list[int] = np.argsort(-self.final, kind="stable").tolist()
        return likeliest[:_MOST_BARS]

    @property
    def bars_width(self) -> int:
        """How wide they are together, in pixels."""
        return 2 + _BAR * (len(self.barred) + 1)

    def y(self, value: float) -> float:
        """Pixels from the top at which a value stands."""
        low, high = self.domain
        return self.height * (high - value) / (high - low)

    def lines(
        self, field: str, days: Sequence[date], course: Floats, *, faint: bool = False, axis: Plain | None = None
    ) -> list[Plain]:
        """One line a scenario, the leader's wider, through the values (n, K) of n days, which may come twice.

        Thinner and paler where they are `faint`; an `axis` has to come with the first lines of a chart.
        """
        values = [
            {**self._place(day), "scenario": k, field: self._rounded(course[t, k])}
            for k in range(len(self.final))
            for t, day in enumerate(days)
        ]
        widths = (2.2, 1.4) if faint else (3.0, 1.8)
        width = {"condition": {"test": f"datum.scenario === {self.leader}", "value": widths[0]}, "value": widths[1]}
        y = {**heights(field, self.domain), **({"axis": axis} if axis else {})}
        mark = {"type": "line", "strokeJoin": "round", "opacity": 0.5 if faint else 1}
        place = {"x": self.time.encoding, "y": y, "order": _AS_LISTED}
        return over(values, [layer(mark, strokeWidth=width, **place, **look(len(self.final)))])

    def ribbon(self, days: Sequence[date], low: Floats, high: Floats) -> list[Plain]:
        """From low (n, K) to high (n, K) of the leader on n days."""
        if self.leader < 0:
            return []
        values = [
            {
                **self._place(day),
                "scenario": self.leader,
                "low": self._rounded(low[t, self.leader]),
                "high": self._rounded(high[t, self.leader]),
            }
            for t, day in enumerate(days)
        ]
        ends = {"y": heights("low", self.domain), "y2": {"field": "high"}}
        place = {"x": self.time.encoding, "order": _AS_LISTED}
        return over(values, [layer({"type": "area", "opacity": 0.14}, **place, **ends, color=self._colour)])

    def bars(self, beside: float, *, low: Floats, middle: Floats, high: Floats) -> list[Plain]:
        """A dot and a bar of each scenario (K,), to the right of a place in pixels."""
        values = [
            {
                "scenario": k,
                "bar": beside + 2 + _BAR * n,
                "from": float(low[k]),
                "middle": float(middle[k]),
                "to": float(high[k]),
            }
            for n, k in enumerate(self.barred, 1)
        ]
        return over(values, self._bar_layers(color=self._colour))

    def single_bar(self, at: float, *, low: float, middle: float, high: float, name: str) -> list[Plain]:
        """A dark dot and bar at a place in pixels, with its name above it."""
        values = [{"bar": at, "from": low, "middle": middle, "to": high, "name": name}]
        text = {"type": "text", "baseline": "bottom", "align": "left", "dy": -3, "dx": -3, "fontSize": 12}
        over_it = layer(text, x=pixel("bar"), y=heights("to", self.domain), text={"field": "name"})
        return over(values, [*self._bar_layers(color={"value": INK}), over_it])

    def _bar_layers(self, **colour: Plain) -> list[Plain]:
        ends = {"y": heights("from", self.domain), "y2": {"field": "to"}}
        dot = {"x": pixel("bar"), "y": heights("middle", self.domain)}
        return [
            layer({"type": "rule", "strokeWidth": 1.6, "opacity": 0.9}, x=pixel("bar"), **ends, **colour),
            layer({"type": "circle", "size": 26, "opacity": 1}, **dot, **colour),
        ]

    def _place(self, day: date) -> Plain:
        return {"day": day.isoformat(), "x": round(self.time(day), 2)}

    def _rounded(self, value: float) -> float:
        """To a part of the height that nobody sees."""
        low, high = self.domain
        return round(float(value), 5 - math.floor(math.log10(high - low)))

    @property
    def _colour(self) -> Plain:
        colour: Plain = look(len(self.final))["color"]
        return colour
