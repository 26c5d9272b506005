"""Indicators by scenarios: the weight of evidence that each has brought to each, the most telling one on top.

What analysts do on a board with pluses and minuses (competing hypotheses against evidence), in numbers that add up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np

from forecast.charts.chart import Chart
from forecast.charts.frame import framed
from forecast.charts.lettering import in_lines, names_in_lines
from forecast.charts.moves import log_weights_on
from forecast.charts.shades import AGAINST, FOR, STEPS, cell_look
from forecast.charts.style import INK, MARGIN, PALE, WIDTH, Plain, column, day_text, layer, look, note, over, pixel
from forecast.display import one_line, shortened
from forecast.outlook import Outlook
from forecast.probability import DECIBAN, Floats
from forecast.release import Released

__all__ = ["matrix_chart"]

_NAMES, _NUMBERS = 214.0, 88.0
_WIDEST, _ROW, _GAP = 92.0, 23, 9
_MOST = 28
_UPRIGHT_FROM = 62.0
_ROOM_FOR_TENTHS = 46.0
_HEAD = 130


def matrix_chart(released: Released, *, since: date | None = None, title: str | None = None) -> Chart:
    """The weight of evidence of each indicator for each scenario, in decibans, as a matrix of shaded cells.

    A cell is what an indicator's reports and its silence did to the log odds of a scenario against all the others. A
    column adds up, with what time did, from where the scenario began to where it stands. Indicators stand in order of
    how far they set the scenarios apart; those that have said nothing are named below.

    Parameters
    ----------
    released : Released
    since : date, optional
        Only what came after that day; from the priors on where left out.
    title : str, optional

    Returns
    -------
    Chart
    """
    outlook = released.outlook
    table = _Table.of(outlook, since)
    grid = _Grid.of(len(outlook.study.scenarios))
    lines = _lines(outlook, table, since, fine=grid.cell >= _ROOM_FOR_TENTHS, room=grid.left - _NUMBERS)
    rows = [line.row for line in lines]
    cells = [item for line in lines for item in line.cells(grid)]
    bottom = lines[-1].y + _ROW / 2
    says = "What each indicator has done to the odds of each scenario, in decibans: +10 makes them ten times as high."
    first = day_text(since) if since else "the priors"
    return framed(
        [
            *_heads(outlook, grid),
            *over(rows, _texts(grid)),
            *_cells(cells, grid),
            *_key(bottom + 26),
            *_silent(table.silent, bottom + 64),
        ],
        title=title or outlook.study.label,
        subtitle=[says, f"From {first} to {day_text(outlook.as_of)}. The most telling indicator comes first."],
        description=_description(outlook, table),
        said=released.said,
        width=WIDTH + MARGIN,
        height=bottom + (84 if table.silent else 44),
    )


class _Grid(NamedTuple):
    """Where the cells begin and how wide each is; on their left are names and numbers."""

    left: float
    cell: float

    @classmethod
    def of(cls, columns: int) -> _Grid:
        cell = min(_WIDEST, (WIDTH + MARGIN - _NAMES - _NUMBERS) / columns)
        return cls(WIDTH + MARGIN - columns * cell, cell)

    def x(self, column: float) -> float:
        """Where a column begins."""
        return self.left + column * self.cell

    @property
    def apart(self) -> float:
        """The right edge of the numbers beside the cells."""
        return self.left - 12

    @property
    def reports(self) -> float:
        return self.left - 56


@dataclass(frozen=True)
class _Table:
    """Decibans of each indicator that said something (n, K), the most telling first; of time (K,); the silent ones."""

    names: list[str]
    reports: list[int]
    weights: Floats
    drift: Floats
    silent: list[str]

    @classmethod
    def of(cls, outlook: Outlook, since: date | None) -> _Table:
        ids, K = list(outlook.study.by_id), len(outlook.study.scenarios)
        weights, drift = np.zeros((len(ids), K)), np.zeros(K)
        for row in outlook.rows_since(since):
            if not row.indicator:
                drift += row.log_odds / DECIBAN
                continue
            weights[ids.index(row.indicator)] += row.log_odds / DECIBAN
        dated = [(c.live.report.indicator, c.live.report.dated) for c in outlook.report_contributions]
        reports = Counter(name for name, day in dated if since is None or day > since)
        apart = np.ptp(weights, axis=1)
        order = [int(j) for j in np.argsort(-apart, kind="stable") if weights[j].any()]
        names = [one_line(indicator.label) or indicator.id for indicator in outlook.study.indicators]
        silent = [names[j] for j in range(len(ids)) if j not in order]
        kept = cls([names[j] for j in order], [reports[ids[j]] for j in order], weights[order], drift, silent)
        return kept if len(order) <= _MOST else kept._gathered()

    def _gathered(self) -> _Table:
        """The same with what there is no room for as one row."""
        keep = _MOST - 1
        rest = f"the other {len(self.names) - keep} indicators together"
        return _Table(
            [*self.names[:keep], rest],
            [*self.reports[:keep], sum(self.reports[keep:])],
            np.vstack([self.weights[:keep], self.weights[keep:].sum(axis=0)]),
            self.drift,
            self.silent,
        )

    @property
    def whole(self) -> Floats:
        """What all of it did, time included, shape (K,)."""
        return self.weights.sum(axis=0) + self.drift


@dataclass(frozen=True)
class _Line:
    """One line of the matrix: an indicator, or one of those that say where a scenario began and stands."""

    y: float
    name: str
    texts: Sequence[str]
    weights: Floats | None = None
    reports: int = 0
    strong: bool = False

    @property
    def row(self) -> Plain:
        counts = self.weights is not None and not self.strong and self.reports
        return {
            "y": self.y,
            "name": self.name,
            "reports": f"{self.reports:,}" if counts else "",
            "apart": f"{np.ptp(self.weights):.1f}" if self.weights is not None and not self.strong else "",
            "strong": self.strong,
        }

    def cells(self, grid: _Grid) -> list[Plain]:
        """Ground, ink and text of each cell; no ground where the line has no weights."""
        looks = [("", INK)] * len(self.texts) if self.weights is None else [*map(cell_look, self.weights.tolist())]
        return [
            {
                "x": grid.x(k) + 0.75,
                "x2": grid.x(k + 1) - 0.75,
                "y": self.y - _ROW / 2 + 0.75,
                "y2": self.y + _ROW / 2 - 0.75,
                "middle": grid.x(k + 0.5),
                "centre": self.y,
                "scenario": k,
                "text": text,
                "fill": fill or "white",
                "ink": ink,
                "strong": self.strong,
            }
            for k, (text, (fill, ink)) in enumerate(zip(self.texts, looks, strict=True))
        ]


def _lines(outlook: Outlook, table: _Table, since: date | None, *, fine: bool, room: float) -> list[_Line]:
    """The lines from top to bottom: the indicators, then time, all of it, and the probabilities."""
    before = np.exp(log_weights_on(outlook, since))
    names = names_in_lines(table.names, room, size=12.5)
    lines = [
        _Line(_ROW * (n + 0.5), "".join(names[n]), _signed(table.weights[n], fine), table.weights[n], table.reports[n])
        for n in range(len(table.names))
    ]
    y = _ROW * (len(lines) + 0.5) + _GAP
    below: list[tuple[str, Sequence[str], Floats | None]] = []
    if table.drift.any():
        below.append(("Time passing (drift)", _signed(table.drift, fine), None))
    below.append(("All of it", _signed(table.whole, fine), table.whole))
    first = "Prior, in percent" if since is None else f"On {day_text(since)}, in percent"
    below.append((first, _percents(before, fine), None))
    below.append((f"On {day_text(outlook.as_of)}, in percent", _percents(outlook.final, fine), None))
    return lines + [
        _Line(y + n * _ROW, name, texts, weights, strong=True) for n, (name, texts, weights) in enumerate(below)
    ]


def _signed(weights: Floats, fine: bool) -> list[str]:
    """Decibans with their sign, whole where cells are narrow; `0` for none to show."""
    texts = []
    for x in weights.tolist():
        shown = round(x, 1) if fine and abs(x) < 99.95 else round(x)
        wide = f"{shown:+,.1f}" if fine and abs(x) < 99.95 else f"{shown:+,.0f}"
        texts.append("0" if not shown else wide if abs(x) < 1000 else f"{'+' if x > 0 else '-'}>999")
    return texts


def _percents(probabilities: Floats, fine: bool) -> list[str]:
    """Probabilities in percent, never as 0 or 100."""
    low, high, digits = (0.001, 0.999, 1) if fine else (0.01, 0.99, 0)
    least, most = ("<0.1", ">99.9") if fine else ("<1", ">99")
    return [least if p < low else most if p > high else f"{100 * p:.{digits}f}" for p in probabilities.tolist()]


# Marks


def _texts(grid: _Grid) -> list[Plain]:
    strong = {"expr": "datum.strong ? 'bold' : 'normal'"}
    return [
        column("name", 0, limit=grid.left - _NUMBERS + 6, fontWeight=strong),
        column("reports", grid.reports, align="right", color=PALE),
        column("apart", grid.apart, align="right", color=PALE),
    ]


def _cells(cells: list[Plain], grid: _Grid) -> list[Plain]:
    as_given = {"type": "nominal", "scale": None, "legend": None}
    edges = {"x": pixel("x"), "x2": {"field": "x2"}, "y": pixel("y"), "y2": {"field": "y2"}}
    size = 12 if grid.cell >= _ROOM_FOR_TENTHS else 10.5
    strong = {"expr": "datum.strong ? 'bold' : 'normal'"}
    text = {"type": "text", "align": "center", "baseline": "middle", "fontSize": size, "fontWeight": strong}
    middle = {"x": pixel("middle"), "y": pixel("centre")}
    layers = [
        layer({"type": "rect", "opacity": 1}, **edges, color={"field": "fill", **as_given}),
        layer(text, **middle, text={"field": "text"}, color={"field": "ink", **as_given}),
    ]
    return over(cells, layers)


def _heads(outlook: Outlook, grid: _Grid) -> list[Plain]:
    """The names of the scenarios above their columns, each with its line as other charts draw it."""
    scenarios, cell = outlook.study.scenarios, grid.cell
    upright = cell < _UPRIGHT_FROM
    size = 11.0 if upright else 11.5
    width, lines = (_HEAD, 2 if cell >= 2 * 12 else 1) if upright else (cell - 8, 4)
    names = names_in_lines([scenario.label for scenario in scenarios], width, size=size, lines=lines, bold=True)
    values = []
    for k, scenario in enumerate(scenarios):
        told = names[k] or [scenario.id]
        middle = grid.x(k + 0.5)
        wide = min(0.5 * cell, 24)
        values.append(
            {
                "scenario": k,
                "middle": middle,
                "from": middle - wide / 2,
                "to": middle + wide / 2,
                # Lines of upright names stand side by side, about the middle of the column.
                "at": middle - 6 * (len(told) - 1) if upright else middle,
                "top": -16 if upright else -17 - 12 * (len(told) - 1),
                "name": "\n".join(told),
                "leads": bool((np.delete(outlook.final, k) < outlook.final[k] - 1e-9).all()),
            }
        )
    bold = {"expr": "datum.leads ? 'bold' : 'normal'"}
    text = {"type": "text", "fontSize": size, "lineBreak": "\n", "lineHeight": 12, "fontWeight": bold}
    turned = (
        {"align": "left", "baseline": "middle", "angle": 270} if upright else {"align": "center", "baseline": "bottom"}
    )
    appearance = look(len(scenarios))
    swatch = {"type": "rule", "strokeWidth": 2.4}
    layers = [
        layer(swatch, x=pixel("from"), x2={"field": "to"}, y={"value": -8}, **appearance),
        layer({**text, **turned}, x=pixel("at"), y=pixel("top"), text={"field": "name"}),
    ]
    own = [
        note("Indicator", x=0, y=-16, fontSize=11.5),
        note("Reports", x=grid.reports, y=-16, align="right", fontSize=11.5),
        note("Spread", x=grid.apart, y=-16, align="right", fontSize=11.5),
    ]
    return [*own, *over(values, layers)]


def _key(y: float) -> list[Plain]:
    """What the shades mean."""
    bounds = [f"{bound:g}" for bound in STEPS]
    against = [(colour, f"-{bound}") for colour, bound in zip(reversed(AGAINST), reversed(bounds), strict=True)]
    shown = [*against, ("", ""), *((colour, f"+{bound}") for colour, bound in zip(FOR, bounds, strict=True))]
    values = [
        {"x": 90 + 36 * n, "x2": 90 + 36 * n + 34, "middle": 90 + 36 * n + 17, "fill": fill, "text": text}
        for n, (fill, text) in enumerate(shown)
        if fill
    ]
    as_given = {"type": "nominal", "scale": None, "legend": None}
    edges = {"x": pixel("x"), "x2": {"field": "x2"}, "y": {"value": y - 6}, "y2": {"value": y + 6}}
    text = {"type": "text", "align": "center", "baseline": "top", "fontSize": 11, "color": PALE}
    return [
        note("speaks against", x=82, y=y, align="right", fontSize=11.5),
        note("speaks for", x=90 + 36 * len(shown) + 6, y=y, fontSize=11.5),
        *over(
            values,
            [
                layer({"type": "rect", "opacity": 1}, **edges, color={"field": "fill", **as_given}),
                layer(text, x=pixel("middle"), y={"value": y + 9}, text={"field": "text"}),
            ],
        ),
    ]


def _silent(names: Sequence[str], y: float) -> list[Plain]:
    if not names:
        return []
    told = f"Nothing moved through: {', '.join(names)}."
    lines = in_lines(told, WIDTH + MARGIN, size=12, lines=2)
    return [note(lines, x=0, y=y, lineBreak="\n")]


def _description(outlook: Outlook, table: _Table) -> str:
    """What the picture says, for those who cannot see it."""
    scenarios = outlook.study.scenarios
    told = []
    for name, weights in zip(table.names, table.weights, strict=True):
        best, worst = int(weights.argmax()), int(weights.argmin())
        told.append(
            f"{shortened(name, 60)}: {weights[best]:+.1f} for {shortened(scenarios[best].label, 60)}, "
            f"{weights[worst]:+.1f} for {shortened(scenarios[worst].label, 60)}"
        )
    return f"Weight of evidence in decibans. {'; '.join(told) or 'Nothing has moved anything'}."
