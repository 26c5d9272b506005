"""The reports that moved the probabilities most: numbers on top of a chart, and the lines below that tell of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np

from forecast.charts.lettering import name_and, names_in_lines
from forecast.charts.placing import spread
from forecast.charts.style import DARK, MARGIN, WIDTH, Plain, column, day_text, layer, note, over, pixel
from forecast.display import account, most_changed, points, shortened
from forecast.events import Live
from forecast.outlook import Outlook
from forecast.probability import Floats, log_or_minus_infinity, normalised

__all__ = ["Told", "badges", "log_weights_on", "moves_when_logged", "told", "told_lines"]

_EFFECT = 556
_SAYS, _SCENARIO = _EFFECT - 124, WIDTH + MARGIN - _EFFECT - 44
_NUMBERED = 8
# A move that is not shown as less than a tenth of a point.
_LEAST_MOVE = 0.001


class Told(NamedTuple):
    """A report with a number, and what it did to each probability on the day it came, shape (K,)."""

    number: int
    live: Live
    move: Floats


def told(outlook: Outlook) -> list[Told]:
    """The reports that made the lines jump most, in order of time."""
    moves = moves_when_logged(outlook)
    strength = abs(moves).max(axis=1, initial=0.0)
    strongest = (-strength).argsort(kind="stable")[:_NUMBERED].tolist()
    chosen = sorted(r for r in strongest if strength[r] >= _LEAST_MOVE)
    return [Told(n, outlook.report_contributions[r].live, moves[r]) for n, r in enumerate(chosen, 1)]


def log_weights_on(outlook: Outlook, since: date | None) -> Floats:
    """Log probabilities at the end of a day, shape (K,); the priors' where none is given, or the day before the first.

    It is what the rows of `Outlook.rows_since` start from.
    """
    if since is None or since < outlook.study.opens:
        return np.log(outlook.study.prior)
    return outlook.chain.log_filtered[outlook.study.day_index(since)]


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


def badges(reports: Sequence[Told], place: Callable[[date], float], height: float) -> list[Plain]:
    """A number above the day of each, moved aside where they crowd, and a thin line down from its day."""
    days = [place(item.live.report.dated) for item in reports]
    places = spread(days, 19, low=0, high=WIDTH)
    values = [{"number": reports[i].number, "day": days[i], "at": places[i]} for i in range(len(reports))]
    dotted = {"type": "rule", "color": "#B9B9B9", "strokeDash": [1, 2]}
    joint = {"type": "rule", "color": "#9A9A9A"}
    layers = [
        layer(dotted, x=pixel("day"), y={"value": -4}, y2={"value": height}),
        layer(joint, x=pixel("at"), x2={"field": "day"}, y={"value": -12}, y2={"value": -4}),
        *_numbers(x=pixel("at"), y={"value": -18}),
    ]
    return over(values, layers)


def told_lines(outlook: Outlook, reports: Sequence[Told], *, top: float) -> list[Plain]:
    """One line a number: the day, the indicator, what was reported, and the probability that it moved most."""
    if not reports:
        return []
    columns = [
        *_numbers(x={"value": 8}, y=pixel("y")),
        column("day", 24, limit=82),
        column("says", 110, limit=_EFFECT - 116),
        column("points", _EFFECT + 32, align="right", fontWeight="bold"),
        column("scenario", _EFFECT + 40, limit=WIDTH + MARGIN - _EFFECT - 40),
    ]
    rows = [_row(outlook, item, top) for item in reports]
    heads = ((0, "The reports that moved it most"), (_EFFECT, "Move on that day, in points"))
    return [*(note(text, x=x, y=top) for x, text in heads), *over(rows, columns)]


def _row(outlook: Outlook, item: Told, top: float) -> Plain:
    study, report = outlook.study, item.live.report
    k = most_changed(item.move)[0]
    finding = shortened(account(study, report), 46)
    names = [indicator.label for indicator in study.indicators]
    scenarios = names_in_lines([scenario.label for scenario in study.scenarios], _SCENARIO, size=12.5)
    return {
        "number": item.number,
        "y": top + 4 + 19 * item.number,
        "day": day_text(report.dated),
        "says": name_and(names, list(study.by_id).index(report.indicator), finding, _SAYS, size=12.5),
        "points": points(float(item.move[k])),
        "scenario": "".join(scenarios[k]),
    }


def _numbers(**place: Plain) -> list[Plain]:
    """White numbers on dark dots."""
    dot = {"type": "circle", "size": 220, "opacity": 1, "color": DARK}
    number = {"type": "text", "align": "center", "baseline": "middle", "fontSize": 11, "fontWeight": "bold"}
    return [layer(dot, **place), layer({**number, "color": "white"}, **place, text={"field": "number"})]
