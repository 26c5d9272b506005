"""The board: where every indicator stands, when it was last seen, and when a look is due."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from forecast.boards import NEXT_DAYS, Board
from forecast.charts.chart import Chart
from forecast.charts.frame import framed
from forecast.charts.lettering import fits, names_in_lines, text_width
from forecast.charts.shades import shade, shade_ink
from forecast.charts.style import COLOURS, INK, MARGIN, PALE, WIDTH, Plain, column, day_text, layer, note, over, pixel
from forecast.display import number, one_line, percent, shortened
from forecast.outlook import Outlook
from forecast.release import Released
from indicators.indicator import MilestoneIndicator

__all__ = ["board_chart"]

_LEFT, _RIGHT = 254, 584
_REPORTS, _LAST, _DUE = 640, 738, 752
_ROW, _BAR = 26, 18
_MOST = 40
_LETTERS = 11
_OVERDUE = COLOURS[1]
# Shades of states stay off the ends, so that the first is seen on white and the last can be told from black.
_LIGHTEST, _DARKEST = 0.1, 0.9


def board_chart(released: Released, *, title: str | None = None) -> Chart:
    """Where every indicator stands: its states as a stacked bar, or what is expected of its next number, with a band.

    States run from light to dark in the order of the file, and those with room have their name and percentage in their
    part of the bar. A number has a dot where it is expected and a line over the range it lies in with 90 % probability,
    on a scale of its own. A milestone has the chance that it happens by the next look.

    Parameters
    ----------
    released : Released
    title : str, optional
        Left out, the study's.

    Returns
    -------
    Chart
    """
    outlook = released.outlook
    boards = [board for board in outlook.indicator_boards if not board.indicator.retired]
    shown = boards[:_MOST]
    names = names_in_lines([board.indicator.label for board in shown], _LEFT - 12, size=12.5)
    rows = [_row(board, n, outlook, "".join(names[n])) for n, board in enumerate(shown)]
    parts = [part for n, board in enumerate(shown) for part in _parts(board, n)]
    spans = [span for n, board in enumerate(shown) for span in _span(board, n)]
    overdue = sum(board.overdue for board in boards)
    late = "No look is overdue." if not overdue else f"{overdue} look{'s are' if overdue > 1 else ' is'} overdue."
    layers = [*(_heads() if rows else []), *_bars(parts), *_spans(spans), *over(rows, _columns())]
    said_last = (
        f"and {len(boards) - _MOST} more" if len(boards) > _MOST else "" if boards else "No indicator is watched."
    )
    if said_last:
        layers.append(note(said_last, x=0, y=_y(len(rows))))
    return framed(
        layers,
        title=title or outlook.study.label,
        subtitle=[
            f"Where every indicator stands as of {day_text(outlook.as_of)}. {late}",
            *(["Of a number to come, the dot is what is expected and the line its 90 % range."] if spans else []),
        ],
        description=" ".join(f"{row['name']}: {row['told']}." for row in rows) or "No indicator is watched.",
        said=released.said,
        width=WIDTH + MARGIN,
        height=_y(len(rows) - 1 + bool(said_last)) + _ROW / 2,
    )


def _y(n: float) -> float:
    return _ROW * (n + 0.5) + 2


def _row(board: Board, n: int, outlook: Outlook, name: str) -> Plain:
    late = (outlook.as_of - board.due).days if board.due and board.overdue else 0
    return {
        "y": _y(n),
        "name": name or board.indicator.id,
        "reports": f"{board.reports:,}" if board.reports else "none",
        "last": day_text(board.last_look) if board.last_look else "never",
        "due": f"overdue {late:,} d" if late else day_text(board.due) if board.due else "",
        "overdue": board.overdue,
        "told": _told(board),
    }


def _told(board: Board) -> str:
    if board.states:
        return ", ".join(f"{one_line(state)} {percent(p)}" for state, p in board.states.items())
    return _expected(board)


def _expected(board: Board) -> str:
    """What is expected, in a few words."""
    if board.expectation is None:
        return ""
    expected, low, high = board.expectation.expected, board.expectation.low, board.expectation.high
    every = board.indicator.check_every or f"{NEXT_DAYS:g} d"
    if isinstance(board.indicator, MilestoneIndicator):
        return (
            f"happened, weight {board.occurred:.2f}" if board.occurred else f"{percent(expected)} in the next {every}"
        )
    unit = shortened(getattr(board.indicator, "unit", None) or "", 20)
    span = f"{number(expected)} ({number(low)} to {number(high)})"
    return f"{span} {unit}".rstrip() + ("" if board.indicator.kind == "measure" else f" in {every}")


# States and chances: parts of a bar


def _parts(board: Board, n: int) -> list[Plain]:
    """The parts of a stacked bar; none for what is expected as a number."""
    if isinstance(board.indicator, MilestoneIndicator) and board.expectation is not None:
        happened = board.occurred or board.expectation.expected
        shares = [("", happened, 0.9), (_expected(board), 1.0 - happened, 0.0)]
        return _stacked(shares if happened < 0.5 else [(_expected(board), happened, 0.9), ("", 1.0 - happened, 0.0)], n)
    last = max(len(board.states) - 1, 1)
    return _stacked(
        [
            (_label(state, p), p, _LIGHTEST + (_DARKEST - _LIGHTEST) * place / last)
            for place, (state, p) in enumerate(board.states.items())
        ],
        n,
    )


def _label(state: str, p: float) -> str:
    return f"{one_line(state)} {100 * p:.0f} %"


def _stacked(shares: Sequence[tuple[str, float, float]], n: int) -> list[Plain]:
    """Text, share and shade of each part, side by side; a text that has no room in its part is cut or left out."""
    ends = [0.0, *accumulate(share for _, share, _ in shares)]
    return [
        {
            "x": _place(low),
            "x2": _place(high),
            "y": _y(n) - _BAR / 2,
            "y2": _y(n) + _BAR / 2,
            "middle": (_place(low) + _place(high)) / 2,
            "centre": _y(n),
            "text": _fitting(text, _place(high) - _place(low) - 6),
            "fill": shade(strength),
            "ink": shade_ink(strength),
        }
        for (low, high), (text, _, strength) in zip(pairwise(ends), shares, strict=True)
    ]


def _place(share: float) -> float:
    return _LEFT + (_RIGHT - _LEFT) * share


def _fitting(text: str, width: float) -> str:
    """The text where it has room, else a beginning of it, or its percentage alone, or nothing."""
    if fits(text, width, _LETTERS):
        return text
    name, _, end = text.rpartition(" ")
    name, _, share = name.rpartition(" ")
    letters = int((width - text_width(f"… {share} {end}", _LETTERS)) / (0.56 * _LETTERS))
    if name and letters >= 6:
        return f"{shortened(name, letters)} {share} {end}"
    short = f"{share} {end}"
    return short if fits(short, width, _LETTERS) and name else ""


def _bars(parts: list[Plain]) -> list[Plain]:
    as_given = {"type": "nominal", "scale": None, "legend": None}
    edges = {"x": pixel("x"), "x2": {"field": "x2"}, "y": pixel("y"), "y2": {"field": "y2"}}
    text = {"type": "text", "align": "center", "baseline": "middle", "fontSize": _LETTERS, "limit": _RIGHT - _LEFT}
    middle = {"x": pixel("middle"), "y": pixel("centre")}
    rect = {"type": "rect", "opacity": 1, "stroke": "white", "strokeWidth": 1}
    return over(
        parts,
        [
            layer(rect, **edges, color={"field": "fill", **as_given}),
            layer(text, **middle, text={"field": "text"}, color={"field": "ink", **as_given}),
        ],
    )


# Numbers: a dot in a range


def _span(board: Board, n: int) -> list[Plain]:
    """The range of a number to come, from 0 where it may be near, and its text beside it."""
    if board.states or board.expectation is None or isinstance(board.indicator, MilestoneIndicator):
        return []
    expected, low, high = board.expectation.expected, board.expectation.low, board.expectation.high
    pad = 0.15 * (high - low) or abs(high) or 1.0
    first = 0.0 if 0.0 <= low <= high - low else low - pad
    text = _expected(board)
    room = (_RIGHT - _LEFT) - min(text_width(text, _LETTERS) + 14, 0.62 * (_RIGHT - _LEFT))
    scale = room / (high + pad - first)
    return [
        {
            "start": _LEFT,
            "from": _LEFT + (low - first) * scale,
            "to": _LEFT + (high - first) * scale,
            "dot": _LEFT + (expected - first) * scale,
            "end": _LEFT + room,
            "beside": _LEFT + room + 8,
            "y": _y(n),
            "text": text,
        }
    ]


def _spans(spans: list[Plain]) -> list[Plain]:
    at = {"y": pixel("y")}
    ground = {"type": "rule", "strokeWidth": _BAR, "color": shade(0.0)}
    text = {
        "type": "text",
        "align": "left",
        "baseline": "middle",
        "fontSize": _LETTERS,
        "limit": 0.62 * (_RIGHT - _LEFT),
    }
    return over(
        spans,
        [
            layer(ground, x=pixel("start"), x2={"field": "end"}, **at),
            layer({"type": "rule", "strokeWidth": 4, "color": shade(0.4)}, x=pixel("from"), x2={"field": "to"}, **at),
            layer({"type": "circle", "size": 60, "opacity": 1, "color": shade(0.9)}, x=pixel("dot"), **at),
            layer({**text, "color": INK}, x=pixel("beside"), **at, text={"field": "text"}),
        ],
    )


def _columns() -> list[Plain]:
    late = {"condition": {"test": "datum.overdue", "value": _OVERDUE}, "value": INK}
    due = column("due", _DUE, limit=WIDTH + MARGIN - _DUE, fontWeight={"expr": "datum.overdue ? 'bold' : 'normal'"})
    return [
        column("name", 0, limit=_LEFT - 12),
        column("reports", _REPORTS, align="right", color=PALE),
        column("last", _LAST, align="right"),
        {**due, "encoding": {**due["encoding"], "color": late}},
    ]


def _heads() -> list[Plain]:
    heads = (
        ("Now", _LEFT, "left"),
        ("Reports", _REPORTS, "right"),
        ("Last look", _LAST, "right"),
        ("Due", _DUE, "left"),
    )
    return [note(text, x=x, y=-8, align=align) for text, x, align in heads]
