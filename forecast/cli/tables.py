"""What people see in a terminal: the tables of status, explain and evidence. Values in, lines printed.

On a terminal a table fits its width; in a pipe it is as wide as it needs to be and has no colours.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from forecast.assessment import confidence, paragraph, words_with_range
from forecast.assessment import flags as all_flags
from forecast.display import (
    account,
    bar,
    board_text,
    counted,
    largest_rows,
    most_changed,
    most_moving,
    percent,
    points,
    shortened,
    sparkline,
)
from forecast.flip import flips
from indicators.coverage import Coverage
from indicators.markings import TLP_LEVELS, mark_text

if TYPE_CHECKING:
    from datetime import date

    from forecast.boards import Board
    from forecast.events import Live
    from forecast.outlook import Outlook, Row
    from forecast.reading import Reading
    from forecast.release import Released
    from indicators.replay import Logged

__all__ = ["print_evidence", "print_explanation", "print_flags", "print_status", "print_table"]

_PIPE_WIDTH = 140
_BAR, _SPARK = 16, 20
# Below this many columns the pictures give way to the numbers.
_WIDE = 110


def console(*, to_stderr: bool = False) -> Console:
    """Standard output (or error), at the terminal's width or wide enough for a pipe."""
    stream = sys.stderr if to_stderr else sys.stdout
    return Console(width=None if stream.isatty() else _PIPE_WIDTH, highlight=False, stderr=to_stderr)


def _table(*columns: str, right: Sequence[str] = (), wrap: Sequence[str] = ()) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for name in columns:
        table.add_column(
            name,
            justify="right" if name in right else "left",
            no_wrap=name not in wrap,
            overflow="fold" if name in wrap else "ellipsis",
        )
    return table


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[str | Text]], *, right: Sequence[str] = (), wrap: Sequence[str] = ()
) -> None:
    """A plain table of texts; the columns of numbers are named in `right`, those that may fold in `wrap`."""
    table = _table(*columns, right=right, wrap=wrap)
    for row in rows:
        table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row))
    console().print(table)


def print_status(released: Released) -> None:
    """Where every scenario and indicator stands, and the three reports that moved most."""
    out = console()
    outlook, provenance, study = released.outlook, released.provenance, released.outlook.study
    out.print(Text(study.label, style="bold"))
    if study.question:
        out.print(Text(study.question))
    reports = counted(len(outlook.report_contributions), "report")
    out.print(
        Text(
            f"as of {outlook.as_of}, {reports}; open {study.opens} to {study.horizon}; "
            f"ledger {provenance.head.entries}:{provenance.head.hash[:12]}",
            style="dim",
        )
    )
    if released.tlp != TLP_LEVELS[0]:
        out.print(Text(released.mark, style="bold"))
    print_left_out(out, provenance.without)
    out.print()
    _print_scenarios(out, outlook)
    out.print(Text(f"confidence {(sure := confidence(outlook)).level}: {sure.why}"))
    out.print()
    _print_boards(out, outlook)
    _print_moved(out, outlook)
    print_flags(out, released)


def print_left_out(out: Console, without: Sequence[str]) -> None:
    """A line for everything that was left out on request."""
    for left_out in without:
        out.print(Text(f"without {left_out}", style="yellow"))


def print_flags(out: Console, released: Released) -> None:
    """A line for everything that a reader must know beside the numbers."""
    for flag in all_flags(released.outlook, known=released.flags):
        out.print(Text(f"flag: {flag}", style="yellow"))


def _print_scenarios(out: Console, outlook: Outlook) -> None:
    wide = out.width >= _WIDE
    numbers = ("now", "5 - 95 %", "7 d", "30 d", "90 d")
    pictures = ("", "course") if wide else ()
    table = _table(
        "scenario", *pictures[:1], *numbers, "in words", *pictures[1:], right=numbers, wrap=("scenario", "in words")
    )
    changes = {days: outlook.change_over(days) for days in (7, 30, 90)}
    words = words_with_range(outlook)
    for k, scenario in enumerate(outlook.study.scenarios):
        p = float(outlook.final[k])
        low, high = (percent(float(edge[-1, k])).removesuffix(" %") for edge in (outlook.bands.low, outlook.bands.high))
        course = sparkline(_thinned(outlook.course[:, k].tolist(), _SPARK), within=(0.0, 1.0))
        cells = [
            Text(percent(p), style="bold"),
            Text(f"{low} - {high}", style="dim"),
            *(Text("") if c is None else _signed(points(float(c[k])), float(c[k])) for c in changes.values()),
            Text(words[k]),
        ]
        if wide:
            cells = [Text(bar(p, _BAR), style="cyan"), *cells, Text(course, style="cyan")]
        table.add_row(Text(scenario.label), *cells)
    out.print(table)
    out.print()


def _signed(text: str, change: float) -> Text:
    if abs(change) < 0.0005:
        return Text(text, style="dim")
    return Text(text, style="green" if change > 0 else "red")


def _thinned(values: Sequence[float], count: int) -> list[float]:
    """As many values as there is room for, evenly spaced, the last one always among them."""
    if len(values) <= count:
        return list(values)
    return [values[round(i * (len(values) - 1) / (count - 1))] for i in range(count)]


def _print_boards(out: Console, outlook: Outlook) -> None:
    more = ("kind", "reports") if out.width >= _WIDE else ()
    table = _table("indicator", *more, "now", "last seen", "due", right=("reports",), wrap=("indicator", "now"))
    for board in outlook.indicator_boards:
        about = [Text(board.indicator.kind), Text(str(board.reports))] if more else []
        table.add_row(
            Text(board.indicator.label),
            *about,
            Text(board_text(board)),
            Text(board.last_observed.isoformat() if board.last_observed else "never"),
            _due(board, outlook),
        )
    out.print(table)
    out.print()


def _due(board: Board, outlook: Outlook) -> Text:
    if board.indicator.retired:
        return Text("retired", style="dim")
    if board.due is None:
        return Text("")
    if board.overdue:
        return Text(f"overdue {(outlook.as_of - board.due).days} d", style="bold red")
    return Text(board.due.isoformat())


def _print_moved(out: Console, outlook: Outlook) -> None:
    moved = most_moving(outlook, 3)
    if not moved:
        return
    out.print(Text("moved most", style="bold"))
    table = _table("entry", "day", "report", "effect", wrap=("report", "effect"))
    for contribution in moved:
        k = most_changed(contribution.change)[0]
        change = float(contribution.change[k])
        live = contribution.live
        table.add_row(
            Text(live.entry),
            Text(live.report.dated.isoformat()),
            Text(_told(outlook, live)),
            Text(f"{outlook.study.scenarios[k].label} ").append_text(_signed(f"{points(change)} points", change)),
        )
    out.print(table)
    out.print()


def _told(outlook: Outlook, live: Live) -> str:
    """A report on one line: the indicator and what was said of it."""
    return f"{outlook.study.by_id[live.report.indicator].label}: {account(outlook.study, live.report)}"


def print_explanation(
    released: Released,
    rows: Sequence[Row],
    scenario: int,
    *,
    start: float,
    most: int | None,
    since: date | None = None,
) -> None:
    """What moved one scenario's log odds, in decibans, line by line down to the sum.

    Parameters
    ----------
    scenario : int
        Position of the scenario.
    start : float
        Its probability before the first line.
    most : int or None
        How many reports to show one by one, those that moved most; None shows all.
    since : date, optional
        The day after which the lines begin; the paragraph above them tells of the same time.
    """
    from forecast.probability import DECIBAN

    out, outlook = console(), released.outlook
    end = float(outlook.final[scenario])
    label = outlook.study.scenarios[scenario].label
    out.print(Text(f"{label}: {percent(start)} -> {percent(end)} by {outlook.as_of}", style="bold"))
    print_left_out(out, released.provenance.without)
    out.print(Text(paragraph(outlook, since=since)))
    out.print()
    out.print(Text("decibans for it against all the others; +10 multiplies the odds by ten", style="dim"))
    out.print()
    table = _table("day", "entry", "what", "decibans", right=("decibans",), wrap=("what",))
    shown, rest = largest_rows(rows, scenario, most)
    for row in shown:
        table.add_row(*_row_cells(row, outlook), _decibans(float(row.log_odds[scenario]) / DECIBAN))
    if rest:
        together = sum(float(row.log_odds[scenario]) for row in rest)
        table.add_row("", "", Text(f"{len(rest)} smaller reports"), _decibans(together / DECIBAN))
    table.add_section()
    total = sum(float(row.log_odds[scenario]) for row in rows) / DECIBAN
    table.add_row("", "", Text("sum", style="bold"), _decibans(total))
    out.print(table)
    _print_flips(out, outlook)
    print_flags(out, released)


def _print_flips(out: Console, outlook: Outlook) -> None:
    """Which indicators hold the leader up: how far their rows may be moved to their mean before another leads."""
    found = sorted((share, name) for name, share in flips(outlook).items() if share is not None)
    out.print()
    if not found:
        out.print(Text("no indicator alone could turn it: if any one of them told nothing, the same would lead"))
    for share, name in found:
        label = outlook.study.by_id[name].label
        out.print(
            Text(f"another would lead if the rows of {label} were moved {percent(share)} of the way to their mean")
        )


def _row_cells(row: Row, outlook: Outlook) -> list[Text]:
    if row.live is not None:
        told = f"{_told(outlook, row.live)}, weight {row.live.rho:.2f}"
        return [Text(row.live.report.dated.isoformat()), Text(row.live.entry), Text(told)]
    if row.what == "silence":
        return [Text(""), Text(""), Text(f"silence of {outlook.study.by_id[row.indicator].label}", style="italic")]
    return [Text(""), Text(""), Text("drift: what was learnt grows old", style="italic")]


def _decibans(value: float) -> Text:
    return Text(f"{value:+.2f}", style="green" if value > 0.005 else "red" if value < -0.005 else "dim")


def print_evidence(reading: Reading, rows: Sequence[Logged]) -> None:
    """Logged reports and coverage, one a line, with what became of them."""
    study = reading.study
    texts = ("what", "event or origin", "note")
    table = _table("entry", "day", "indicator", *texts, "", wrap=texts)
    for logged in rows:
        record = logged.record
        marks = ["retracted" if logged.retracted else "amended" if logged.corrections else ""]
        if isinstance(record, Coverage):
            cells = [str(record.to), record.indicator, f"looked from {record.from_}, detect {record.detect:g}", ""]
        else:
            cells = [str(record.dated), record.indicator, account(study, record), record.event or record.origin or ""]
            mark = reading.mark_of(logged)
            marks.append(mark_text(mark) if mark != study.tlp else "")
        note = shortened(record.note or "", 90)
        table.add_row(Text(logged.entry.id), *map(Text, cells), Text(note), Text(" ".join(filter(None, marks))))
    console().print(table)
