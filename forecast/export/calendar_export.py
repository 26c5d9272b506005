"""The looks that are due as a calendar (RFC 5545): one event of a whole day for each indicator's next look.

An overdue look stands on the as-of day and says since when. An event keeps its name from one calendar to the next, so
that a program which takes in both moves it; the order of calendars is that of the ledger. Users' texts are folded onto
one line and escaped, and nothing in them starts another line.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from forecast.boards import Board
from forecast.display import number, one_line
from forecast.information import Look, looks
from forecast.release import Released

__all__ = ["FORMAT", "calendar_text"]

FORMAT = "watchfloor.calendar/1"
"""Name and version of the properties that stand in an event, and of how it is named."""

_LONGEST_LINE = 75
_LINE_END = "\r\n"


def calendar_text(released: Released) -> str:
    """The due looks as iCalendar text, by day and then in file order; without any, a calendar of no events.

    Parameters
    ----------
    released : Released
        What the gate lets out. Every event has its mark.
    """
    study, known_at = released.outlook.study, _moment(released)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:-//Watchfloor//{FORMAT}//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_text(f'{study.label} ({released.mark})')}",
    ]
    boards = zip(released.outlook.indicator_boards, looks(released.outlook), strict=True)
    due = [(board, look) for board, look in boards if board.due is not None]
    for board, look in sorted(due, key=lambda item: (_day(item[0], released.outlook.as_of), not item[0].overdue)):
        lines += _event(released, board, look, known_at)
    return "".join(_folded(line) for line in [*lines, "END:VCALENDAR"])


def _day(board: Board, as_of: date) -> date:
    return max(board.due or as_of, as_of)


def _event(released: Released, board: Board, look: Look, known_at: str) -> Iterator[str]:
    outlook, indicator = released.outlook, board.indicator
    day = _day(board, outlook.as_of)
    told = f"OVERDUE since {board.due}" if board.overdue else "Look due"
    yield "BEGIN:VEVENT"
    yield f"UID:{outlook.study.study}/{indicator.id}@watchfloor"
    yield f"DTSTAMP:{known_at}"
    yield f"SEQUENCE:{released.provenance.head.entries}"
    yield f"DTSTART;VALUE=DATE:{day:%Y%m%d}"
    yield f"DTEND;VALUE=DATE:{day + timedelta(days=1):%Y%m%d}"
    yield f"SUMMARY:{_text(f'{told}: {indicator.label}')}"
    yield f"DESCRIPTION:{_description(released, board, look)}"
    yield f"CLASS:{'PUBLIC' if released.tlp == 'clear' else 'CONFIDENTIAL'}"
    yield f"PRIORITY:{1 if board.overdue else 5}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _description(released: Released, board: Board, look: Look) -> str:
    """Several texts with line breaks between them."""
    seen = f"last report {board.last_observed}" if board.last_observed else "no report yet"
    head = released.provenance.head
    told = [
        released.mark,
        *([released.gap] if released.gap else []),
        f"{board.indicator.label} ({board.indicator.id}), {seen}, due {board.due}",
        f"expected to tell {number(look.bits)} bits, {number(look.bits_per_cost)} for its cost",
        f"{released.outlook.study.label}, as of {released.outlook.as_of}, ledger head {head.entries}:{head.hash}",
    ]
    return "\\n".join(map(_text, told))


def _moment(released: Released) -> str:
    return f"{datetime.fromisoformat(released.provenance.known_at):%Y%m%dT%H%M%SZ}"


def _text(text: str) -> str:
    """A text as the value of a property (RFC 5545, 3.3.11)."""
    escaped = one_line(text).replace("\\", "\\\\")
    return escaped.replace(";", "\\;").replace(",", "\\,")


def _folded(line: str) -> str:
    """A content line, broken after at most 75 octets and never inside a character (RFC 5545, 3.1)."""
    pieces, length = [""], 0
    for character in line:
        size = len(character.encode())
        if length + size > _LONGEST_LINE:
            pieces.append(" ")
            length = 1
        pieces[-1] += character
        length += size
    return _LINE_END.join(pieces) + _LINE_END
