"""Days and durations: strict reading of both, and the two lengths of a year and a month that the mathematics uses.

A day is a calendar day without a time zone; a moment is an aware UTC time. Text that only looks like a day (a week, a
two-digit year, a spreadsheet's day number) is refused, never guessed at.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

from indicators.errors import WatchfloorError

__all__ = [
    "DAYS_PER_MONTH",
    "DAYS_PER_YEAR",
    "FIRST_YEAR",
    "LAST_YEAR",
    "DayError",
    "DurationError",
    "MomentError",
    "day_range",
    "duration_days",
    "moment_text",
    "parse_day",
    "parse_moment",
]

DAYS_PER_YEAR = 365.25
DAYS_PER_MONTH = 30.4375
FIRST_YEAR, LAST_YEAR = 1900, 2200
"""A study or a history that reaches further is a typing error."""

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([dwmy])")
_UNIT_DAYS = {"d": 1.0, "w": 7.0, "m": DAYS_PER_MONTH, "y": DAYS_PER_YEAR}
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-5][0-9])"
)


class DayError(WatchfloorError):
    """Text that is not a day."""

    def __init__(self, text: object) -> None:
        super().__init__(f'"{text}" is not a day', mend="write it as YYYY-MM-DD, like 2025-04-22")


class DurationError(WatchfloorError):
    """Text that is not a duration."""

    def __init__(self, text: object) -> None:
        super().__init__(f'"{text}" is not a duration above zero', mend="write a number and d, w, m or y, like 90 d")


class MomentError(WatchfloorError):
    """Text that is not a moment."""

    def __init__(self, text: object) -> None:
        super().__init__(
            f'"{text}" is not a moment', mend="write 2025-04-22T13:30:00Z, or a day for the end of that day in UTC"
        )


def parse_day(text: str) -> date:
    """The day written as YYYY-MM-DD; anything else raises `DayError`.

    Examples
    --------
    >>> parse_day("2025-04-22")
    datetime.date(2025, 4, 22)
    """
    if not _DAY.fullmatch(text):
        raise DayError(text)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise DayError(text) from None


def duration_days(text: str) -> float:
    """Length in days of a duration such as `30 d`, `6 w`, `3 m` (30.4375 days each) or `2 y` (365.25 days each).

    Examples
    --------
    >>> duration_days("3 m")
    91.3125
    """
    match = _DURATION.fullmatch(text)
    days = float(match[1]) * _UNIT_DAYS[match[2]] if match else 0.0
    if not 0.0 < days < 1e7:
        raise DurationError(text)
    return days


def parse_moment(text: str) -> datetime:
    """The UTC moment written with its zone, or the last microsecond of a day in UTC."""
    if _DAY.fullmatch(text):
        return datetime.combine(parse_day(text), time.max, UTC)
    if not _MOMENT.fullmatch(text):
        raise MomentError(text)
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise MomentError(text) from None


def moment_text(moment: datetime) -> str:
    """A UTC moment as fixed-width text, so that the order of texts is the order of moments."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def day_range(first: date, last: date) -> list[date]:
    """Every day from `first` to `last`, both included; empty when `last` is earlier."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
