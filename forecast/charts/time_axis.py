"""Days across a chart: what has been to the left of the as-of day, what is to come to the right, on one line.

Days are equally wide wherever that leaves both sides room enough to be read. Where one side would be squeezed, as the
past of a study just opened or the future of one about to close, it is given its least share, and the chart says that
the days to come are drawn narrower or wider.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta

from forecast.charts.style import WIDTH, Plain, layer, note, over, pixel

__all__ = ["TimeAxis", "ticks"]

_PER_LABEL = 32


@dataclass(frozen=True)
class TimeAxis:
    """Days from the first to the last, with the as-of day between.

    Attributes
    ----------
    first, as_of, last : date
        In this order; days may coincide.
    least_past, least_future : float
        Share of the width that each side has at least, if it has a day at all.
    """

    first: date
    as_of: date
    last: date
    least_past: float = 0.55
    least_future: float = 0.31

    @property
    def now(self) -> float:
        """Where the as-of day stands, in pixels; the right edge where nothing is to come."""
        past, future = (self.as_of - self.first).days, (self.last - self.as_of).days
        if not future:
            return WIDTH
        if not past:
            return 0.0
        return WIDTH * min(max(past / (past + future), self.least_past), 1.0 - self.least_future)

    def __call__(self, day: date) -> float:
        """Where a day stands, in pixels."""
        if day <= self.as_of:
            past = (self.as_of - self.first).days
            return self.now * (1.0 - (self.as_of - day).days / past) if past else self.now
        return self.now + (WIDTH - self.now) * ((day - self.as_of).days / (self.last - self.as_of).days)

    @property
    def stretch(self) -> float:
        """How wide a day to come is drawn, as a multiple of a day of the past; 1 where one side has none."""
        past, future = (self.as_of - self.first).days, (self.last - self.as_of).days
        return (WIDTH - self.now) / future * past / self.now if past and future else 1.0

    @property
    def _is_even(self) -> bool:
        return abs(self.stretch - 1.0) < 0.01

    @property
    def encoding(self) -> Plain:
        """Of data with a field `x` in pixels; the axis has the labels."""
        labels = self._labels()
        texts = json.dumps({str(round(at)): text for at, text in labels})
        return {
            "field": "x",
            "type": "quantitative",
            "title": None,
            "scale": {"domain": [0, WIDTH], "nice": False},
            "axis": {
                "values": [round(at) for at, _ in labels],
                "labelExpr": f"{texts}[datum.value]",
                "labelLineHeight": 13,
                "labelFlush": False,
                "labelOverlap": False,
                "grid": False,
            },
        }

    def _labels(self) -> list[tuple[float, str | list[str]]]:
        if self._is_even:
            return self._texts(self.first, self.last)
        past = self._texts(self.first, self.as_of)
        future = [item for item in self._texts(self.as_of, self.last) if item[0] >= self.now + _PER_LABEL / 2]
        return past + [item for item in future if not past or item[0] - past[-1][0] >= _PER_LABEL - 1]

    def _texts(self, first: date, last: date) -> list[tuple[float, str | list[str]]]:
        """Places and texts between two days, with the year below the first and below each January."""
        days, form = ticks(first, last, most=int((self(last) - self(first)) / _PER_LABEL) + 1)
        texts = []
        for n, day in enumerate(days):
            text = f"{day:{form}}".lstrip("0")
            with_year = form != "%Y" and (n == 0 or (day.month, day.day) == (1, 1))
            texts.append((self(day), [text, f"{day:%Y}"] if with_year else text))
        return texts

    def zone(self, height: float, text: str) -> list[Plain]:
        """What is to come: a pale ground, a line on the as-of day, and a text in the upper corner."""
        if self.last == self.as_of:
            return []
        narrower = "narrower" if self.stretch < 1 else "wider"
        lines = [text] if self._is_even else [text, f"(days drawn {narrower})"]
        values = [{"now": self.now, "end": WIDTH}]
        ground = {"type": "rect", "color": "#E6E6E6", "opacity": 0.5}
        line = {"type": "rule", "color": "#8A8A8A", "strokeWidth": 1}
        layers = [
            layer(ground, x=pixel("now"), x2={"field": "end"}, y={"value": 0}, y2={"value": height}),
            layer(line, x=pixel("now"), y={"value": -4}, y2={"value": height}),
        ]
        return [*over(values, layers), note(lines, x=WIDTH - 6, y=12, align="right", fontStyle="italic")]


def ticks(first: date, last: date, *, most: int = 15) -> tuple[list[date], str]:
    """Days to mark between two, some `most` at the most, and the form of their labels."""
    span = (last - first).days
    if span <= 70:
        step = next((step for step in (1, 2, 7, 14) if span / step <= min(most * 0.8, 10)), 28)
        return [first + timedelta(days=n) for n in range(0, span + 1, step)], "%d %b"
    months = span / 30.4
    step = next((step for step in (1, 2, 3, 6, 12, 24, 60, 120) if months / step <= most), 240)
    starts = [
        date(year, month, 1)
        for year in range(first.year, last.year + 1)
        for month in range(1, 13, step)
        if (step <= 12 or year % (step // 12) == 0)
    ]
    days = [day for day in starts if first <= day <= last]
    return days, "%b" if step < 12 else "%Y"
