"""How numbers and single reports are shown to people, the same on a terminal, in a document and in a chart.

A probability is never shown as 0 % or 100 % and a change never as none when there was one: what rounding would hide is
shown with `<` or `>`. Data for machines is written in full precision elsewhere.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from datetime import date

from forecast.boards import NEXT_DAYS, Board
from forecast.outlook import Contribution, Outlook, Row
from forecast.probability import Floats
from forecast.study import Study
from indicators.evidence import Report
from indicators.indicator import CountIndicator, Indicator, MeasureIndicator, MilestoneIndicator

__all__ = [
    "account",
    "aligned",
    "bar",
    "bits_text",
    "board_text",
    "counted",
    "largest_rows",
    "most_changed",
    "most_moving",
    "number",
    "one_line",
    "percent",
    "points",
    "shortened",
    "sparkline",
]

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_LEVELS = "▁▂▃▄▅▆▇█"
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
# What a double leaves over where two equal probabilities are subtracted; no report moves so little.
_NOISE = 1e-12


def percent(p: float) -> str:
    """A probability as percent with one decimal; `<0.1 %` and `>99.9 %` beyond, also for 0 and 1.

    The engine's probabilities are never 0 or 1 but by underflow, so neither is ever claimed.

    Parameters
    ----------
    p : float
        From 0 to 1; anything else, not-a-number included, raises ValueError.

    Examples
    --------
    >>> percent(0.6247), percent(1e-9), percent(0.9995)
    ('62.5 %', '<0.1 %', '>99.9 %')
    """
    if not -_NOISE <= p <= 1.0 + _NOISE:
        raise ValueError(f"{p} is not a probability")
    return f"{_tenths(p)} %"


def points(dp: float) -> str:
    """A change of a probability in percentage points, with its sign and one decimal; `0.0` for none.

    Parameters
    ----------
    dp : float
        From -1 to 1; anything else raises ValueError. Below 1e-12 counts as none.

    Examples
    --------
    >>> points(0.031), points(-0.0004), points(0.0)
    ('+3.1', '-<0.1', '0.0')
    """
    if not abs(dp) <= 1.0 + _NOISE:
        raise ValueError(f"{dp} is not a change of a probability")
    if abs(dp) < _NOISE:
        return "0.0"
    return ("+" if dp > 0 else "-") + _tenths(abs(dp))


def _tenths(p: float) -> str:
    """100 p with one decimal, never rounded to 0 or 100."""
    if p < 0.001:
        return "<0.1"
    return ">99.9" if p > 0.999 else f"{100 * p:.1f}"


def number(x: float) -> str:
    """A quantity with three digits, two below one and one decimal from 100 on; without decimals from 1,000 on.

    Examples
    --------
    >>> number(0.0697), number(58.94), number(12345.6)
    ('0.07', '58.9', '12,346')
    """
    if not math.isfinite(x):
        raise ValueError(f"{x} is not a finite number")
    if abs(x) >= 999.95:
        return f"{x:,.0f}" if abs(x) < 1e15 else f"{x:.3g}"
    if abs(x) >= 99.95:
        return f"{x:.1f}"
    return f"{x:.3g}" if abs(x) >= 1 else f"{x:.2g}"


def aligned(texts: Sequence[str]) -> list[str]:
    """The numbers among some texts with the decimals of the one that has most; as they are where one has an exponent.

    Examples
    --------
    >>> aligned(["0.6", "0.33", "likely", "2"])
    ['0.60', '0.33', 'likely', '2.00']
    """
    numbers = [text for text in texts if text[-1:].isdigit()]
    places = max((len(text.partition(".")[2]) for text in numbers), default=0)
    if not places or any("e" in text for text in numbers):
        return list(texts)
    return [_with_decimals(text, places) if text[-1:].isdigit() else text for text in texts]


def _with_decimals(text: str, places: int) -> str:
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.ljust(places, '0')}"


def counted(n: int, noun: str) -> str:
    """A number of things, in the singular for one.

    Examples
    --------
    >>> counted(1, "report"), counted(2, "report")
    ('1 report', '2 reports')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def bits_text(bits: float) -> str:
    """Bits with four decimals; what they would show as nothing with `<`.

    Examples
    --------
    >>> bits_text(0.01234), bits_text(2e-6), bits_text(0.0)
    ('0.0123', '<0.0001', '0.0000')
    """
    return f"{bits:.4f}" if bits >= 0.0001 or bits == 0.0 else "<0.0001"


def bar(p: float, width: int) -> str:
    """A bar of block characters, `width` characters long with its blanks, in steps of an eighth.

    A probability above 0 has at least one eighth; only 1 fills the bar.
    """
    if not -_NOISE <= p <= 1.0 + _NOISE:
        raise ValueError(f"{p} is not a probability")
    eighths = round(p * width * 8)
    if 0.0 < p < 1.0:
        eighths = min(max(eighths, 1), width * 8 - 1)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


def sparkline(values: Iterable[float], *, within: tuple[float, float] | None = None) -> str:
    """One character a value, in eight heights; empty for no values.

    Parameters
    ----------
    values : iterable of float
        Finite; ValueError otherwise.
    within : pair of float, optional
        What the lowest and the highest level stand for; left out, the smallest and the largest of the values. Give it
        where lines are compared, or small changes will look like large ones.
    """
    series = [float(value) for value in values]
    if not all(math.isfinite(value) for value in series):
        raise ValueError("a value is not a finite number")
    if not series:
        return ""
    low, high = within or (min(series), max(series))
    if high - low < _NOISE:
        return _LEVELS[3] * len(series)
    places = [round((value - low) / (high - low) * (len(_LEVELS) - 1)) for value in series]
    return "".join(_LEVELS[min(max(place, 0), len(_LEVELS) - 1)] for place in places)


def one_line(text: str) -> str:
    """The text on one line: white space folded, and without characters that are obeyed and not seen.

    Those are control characters, the ones that turn the direction in which the rest of the line is read, and the two
    that no XML may hold.
    """
    return " ".join(_UNSEEN.sub(" ", text).split())


def shortened(text: str, length: int) -> str:
    """The text on `one_line`, cut to at most `length` characters with an ellipsis, at a space where one is near.

    Examples
    --------
    >>> shortened("Collective security without an amendment", 24)
    'Collective security…'
    """
    text = one_line(text)
    if len(text) <= length:
        return text
    cut = text[: length - 1]
    space = cut.rfind(" ")
    return (cut[:space] if space > length // 2 else cut).rstrip(" ,;:") + "…"


def account(study: Study, report: Report) -> str:
    """What a report said, in one line: its finding, then in parentheses its grade and its source where it names one.

    Examples of it: `modest (B2, Kyodo)`, `2 × agreement, 2025-05-01 to 2025-06-30 (A1, MOFA)`, `54.5 percent (F6)`.
    """
    says = _finding(report, study.indicator(report.indicator))
    if report.from_ and report.to:
        says += f", {report.from_} to {report.to}"
    grade = study.grade_of(report.grade, report.source)
    return one_line(f"{says} ({grade}{', ' + report.source if report.source else ''})")


def _finding(report: Report, indicator: Indicator) -> str:
    if report.state is not None:
        return report.state
    unit = indicator.unit if isinstance(indicator, CountIndicator | MeasureIndicator) else None
    if report.value is not None:
        return f"{report.value:.12g} {unit or ''}".rstrip()
    if indicator.kind == "milestone":
        return "happened"
    count = 1 if report.count is None else report.count
    return f"{count} × {unit or 'event'}"


def board_text(board: Board) -> str:
    """Where an indicator stands, in a few words."""
    if board.states:
        best = sorted(board.states.items(), key=lambda item: -item[1])[:3]
        return ", ".join(f"{state} {percent(p)}" for state, p in best)
    if board.expectation is None:
        return ""
    expected, low, high = board.expectation.expected, board.expectation.low, board.expectation.high
    every = board.indicator.check_every or f"{NEXT_DAYS:g} d"
    if board.occurred:
        return f"happened, weight {board.occurred:.2f}"
    if isinstance(board.indicator, MilestoneIndicator):
        return f"{percent(expected)} in the next {every}"
    span = f"{number(expected)} ({number(low)} to {number(high)})"
    if isinstance(board.indicator, CountIndicator):
        return f"{span} in the next {every}"
    unit = f" {board.indicator.unit}" if isinstance(board.indicator, MeasureIndicator) and board.indicator.unit else ""
    return f"next {span}{unit}"


def most_changed(change: Floats) -> list[int]:
    """Positions of the scenarios by the size of their change, the largest first; file order on a tie."""
    return (-abs(change)).round(9).argsort(kind="stable").tolist()


def most_moving(outlook: Outlook, top: int, *, since: date | None = None) -> list[Contribution]:
    """The reports without which some final probability would differ most, the strongest first, the earlier on a tie.

    At most `top`; fewer where fewer changed anything. Of those dated after `since` alone, where that is given.
    """
    dated = (c for c in outlook.report_contributions if since is None or c.live.report.dated > since)
    moved = [c for c in dated if abs(c.change).max() >= _NOISE]
    return sorted(moved, key=lambda c: -abs(c.change).max())[:top]


def largest_rows(rows: Sequence[Row], scenario: int, most: int | None) -> tuple[list[Row], list[Row]]:
    """The rows of an explanation to show one by one, and the reports to tell of together; both in the order given.

    Parameters
    ----------
    rows : sequence of Row
    scenario : int
        Position of the scenario whose log odds say which reports moved most.
    most : int or None
        How many reports to show; None shows all. Time passing and silence are always shown.
    """
    reports = [row for row in rows if row.what == "report"]
    if most is None or len(reports) <= most:
        return list(rows), []
    kept = sorted(reports, key=lambda row: -abs(float(row.log_odds[scenario])))[:most]
    chosen = {id(row) for row in kept}
    return [r for r in rows if r.what != "report" or id(r) in chosen], [r for r in reports if id(r) not in chosen]
