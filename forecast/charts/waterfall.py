"""What moved one scenario since a day: steps from where it stood to where it stands, on a scale on which they add up.

That scale is log odds, marked with the probabilities: a step is as long wherever it is taken, and the order of steps
changes none of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from forecast.charts.chart import Chart
from forecast.charts.frame import framed
from forecast.charts.lettering import name_and
from forecast.charts.moves import log_weights_on
from forecast.charts.shades import AGAINST, FOR
from forecast.charts.style import (
    GRID,
    INK,
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
from forecast.display import account, one_line, percent, shortened
from forecast.outlook import Outlook, Row
from forecast.probability import DECIBAN, log_odds
from forecast.release import Released

__all__ = ["waterfall_chart"]

_DAY, _SAYS, _LEFT, _RIGHT, _STEP, _THEN = 0, 86, 448, 700, 768, WIDTH + MARGIN
_ROW = 23
# Decibans below which a step is one of the rest.
_SMALL = 0.1
_ROOM = _LEFT - _SAYS - 20
_MOST = 14
_BAR = 13
_FOR, _AGAINST = FOR[3], AGAINST[4]
# Probabilities that may be marked, and how near to each other.
_MARKS = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999)
_APART = 34
_WIDEST_LEAST = 1.0


class _Step(NamedTuple):
    """One step: its day where it has one, what it was, and how far it went, in natural log odds."""

    day: str
    says: str
    log_odds: float


def waterfall_chart(
    released: Released, *, since: date | None = None, scenario: str | None = None, title: str | None = None
) -> Chart:
    """What moved one scenario, step by step: time passing, silence, and reports; the steps add up to the whole move.

    Reports stand in order of time. The fourteen largest steps have a row each, the smaller ones and
    those below a tenth of a deciban one together.

    Parameters
    ----------
    released : Released
    since : date, optional
        What moved it after that day; from the priors on where left out.
    scenario : str, optional
        Its id, and any other text raises UnknownScenarioError; the leading one where left out.
    title : str, optional
        Left out, the scenario's name.

    Returns
    -------
    Chart
    """
    outlook = released.outlook
    k = int(outlook.final.argmax()) if scenario is None else outlook.study.scenario_position(scenario)
    rows = outlook.rows_since(since)
    logs = [log_weights_on(outlook, day) for day in (since, outlook.as_of)]
    stood, stands = (percent(math.exp(log[k])) for log in logs)
    steps = _gathered([_step(outlook, row, k) for row in rows])
    levels = [float(log_odds(logs[0])[k])]
    for step in steps:
        levels.append(levels[-1] + step.log_odds)
    scale = _Scale(min(levels), max(levels))
    first, last = day_text(since) if since else "the priors", day_text(outlook.as_of)
    height = _ROW * (len(steps) + 2)
    says = f"What moved it from {first} to {last}: from {stood} to {stands}."
    if not steps:
        says = f"Nothing moved it from {first} to {last}."
    began = _text(first if since else "", "Where it stood" if since else "The priors", stood)
    texts = [began, *_texts(steps, levels), _text(last, "Where it stands", stands)]
    return framed(
        [
            *_grid(scale, height),
            *over(_bars(steps, levels, scale), _bar_marks()),
            *over([{**text, "y": _y(n)} for n, text in enumerate(texts)], _columns()),
            *over(_ends(levels, scale), _end_marks()),
            *_heads(),
        ],
        title=title or one_line(outlook.study.scenarios[k].label) or outlook.study.scenario_ids[k],
        subtitle=[outlook.study.label, f"{says} 10 decibans make the odds ten times as high."],
        description=f"{says} {_description(steps)}",
        said=released.said,
        width=WIDTH + MARGIN,
        height=height,
    )


def _probability(odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-odds)) if odds > -700 else 0.0


def _step(outlook: Outlook, row: Row, k: int) -> _Step:
    move = float(row.log_odds[k])
    if row.what == "drift":
        return _Step("", "Time passing (drift)", move)
    name = outlook.study.indicator(row.indicator).label
    if row.live is None:
        return _Step("", f"Silence on {shortened(name, 60)}", move)
    finding = shortened(account(outlook.study, row.live.report), 40)
    names = [indicator.label for indicator in outlook.study.indicators]
    says = name_and(names, list(outlook.study.by_id).index(row.indicator), finding, _ROOM, size=12.5)
    return _Step(day_text(row.live.report.dated), says, move)


def _gathered(steps: Sequence[_Step]) -> list[_Step]:
    """The largest steps in the order given, and the others, of which there are several, as one."""
    order = sorted(range(len(steps)), key=lambda n: -abs(steps[n].log_odds))
    rest = [n for place, n in enumerate(order) if place >= _MOST or abs(steps[n].log_odds) < _SMALL * DECIBAN]
    if len(rest) < 2:
        return list(steps)
    gathered = _Step("", f"The rest, {len(rest):,} smaller steps", math.fsum(steps[n].log_odds for n in rest))
    return [*(step for n, step in enumerate(steps) if n not in rest), gathered]


class _Scale:
    """From log odds to pixels."""

    def __init__(self, low: float, high: float) -> None:
        middle, reach = (low + high) / 2, max((high - low) / 2 * 1.06, _WIDEST_LEAST)
        self.low, self.high = middle - reach, middle + reach

    def __call__(self, odds: float) -> float:
        """Where log odds stand."""
        return _LEFT + (_RIGHT - _LEFT) * (odds - self.low) / (self.high - self.low)

    def marks(self) -> list[tuple[float, str]]:
        """Places and texts of the probabilities to mark, apart from each other, the rounder ones first."""
        found: list[tuple[float, str]] = []
        for p in sorted(_MARKS, key=lambda p: (p not in (0.5, 0.1, 0.9, 0.01, 0.99), abs(p - 0.5))):
            odds = math.log(p) - math.log1p(-p)
            place = self(odds)
            if self.low <= odds <= self.high and all(abs(place - other) >= _APART for other, _ in found):
                found.append((place, f"{100 * p:g} %"))
        return sorted(found)


def _y(n: float) -> float:
    return _ROW * (n + 0.5)


def _bars(steps: Sequence[_Step], levels: Sequence[float], scale: _Scale) -> list[Plain]:
    return [
        {
            "from": scale(levels[n]),
            # A step that is too short to be seen is a hair's breadth.
            "to": scale(levels[n + 1]) + (math.copysign(0.8, step.log_odds) if step.log_odds else 0),
            "at": scale(levels[n + 1]),
            "y": _y(n + 1) - _BAR / 2,
            "y2": _y(n + 1) + _BAR / 2,
            "below": _y(n + 2) - _BAR / 2,
            "fill": _FOR if step.log_odds > 0 else _AGAINST,
        }
        for n, step in enumerate(steps)
    ]


def _bar_marks() -> list[Plain]:
    as_given = {"type": "nominal", "scale": None, "legend": None}
    edges = {"x": pixel("from"), "x2": {"field": "to"}, "y": pixel("y"), "y2": {"field": "y2"}}
    joint = {"type": "rule", "color": PALE, "strokeWidth": 0.8}
    return [
        layer(joint, x=pixel("at"), y=pixel("y2"), y2={"field": "below"}),
        layer({"type": "rect", "opacity": 1}, **edges, color={"field": "fill", **as_given}),
    ]


def _ends(levels: Sequence[float], scale: _Scale) -> list[Plain]:
    """Where it stood and where it stands."""
    last = len(levels)
    return [
        {"x": scale(levels[0]), "y": _y(0) - 8, "y2": _y(1) - _BAR / 2 if last > 1 else _y(0) + 8},
        {"x": scale(levels[-1]), "y": _y(last) - 8, "y2": _y(last) + 8},
    ]


def _end_marks() -> list[Plain]:
    return [layer({"type": "rule", "color": INK, "strokeWidth": 2.4}, x=pixel("x"), y=pixel("y"), y2={"field": "y2"})]


def _text(day: str, says: str, then: str) -> Plain:
    """The first or the last row."""
    return {"day": day, "says": says, "step": "", "then": then, "strong": True}


def _texts(steps: Sequence[_Step], levels: Sequence[float]) -> list[Plain]:
    """The rows between."""
    return [
        {
            "day": step.day,
            "says": step.says,
            "step": _decibans(step.log_odds),
            "then": percent(_probability(level)),
            "strong": False,
        }
        for step, level in zip(steps, levels[1:], strict=True)
    ]


def _decibans(odds: float) -> str:
    """With sign and one decimal; what that would show as nothing with `<`."""
    decibans = odds / DECIBAN
    if abs(decibans) < 0.05:
        return "0.0" if not odds else f"{'+' if odds > 0 else '-'}<0.1"
    return f"{decibans:+,.1f}"


def _columns() -> list[Plain]:
    strong = {"expr": "datum.strong ? 'bold' : 'normal'"}
    return [
        column("day", _DAY, limit=_SAYS - 4, fontWeight=strong),
        column("says", _SAYS, limit=_LEFT - _SAYS - 14, fontWeight=strong),
        column("step", _STEP, align="right"),
        column("then", _THEN, align="right", fontWeight=strong),
    ]


def _grid(scale: _Scale, height: float) -> list[Plain]:
    values = [{"x": place, "text": text} for place, text in scale.marks()]
    text = {"type": "text", "align": "center", "baseline": "middle", "fontSize": 12, "color": PALE}
    lines = layer({"type": "rule", "color": GRID}, x=pixel("x"), y={"value": 0}, y2={"value": height})
    texts = layer(text, x=pixel("x"), y={"value": height + 11}, text={"field": "text"})
    return [*over(values, [lines, texts]), note("Probability", x=_LEFT - 22, y=height + 11, align="right")]


def _heads() -> list[Plain]:
    return [
        note("Decibans", x=_STEP, y=-9, align="right"),
        note("Then", x=_THEN, y=-9, align="right"),
    ]


def _description(steps: Sequence[_Step]) -> str:
    """What the picture says, for those who cannot see it."""
    told = [f"{step.day + ' ' if step.day else ''}{step.says} {_decibans(step.log_odds)}" for step in steps]
    return f"Steps in decibans: {'; '.join(told) or 'none'}."
