"""The one place where the clock is read. "Today" is today in UTC, for everybody."""

from __future__ import annotations

from datetime import UTC, date, datetime

__all__ = ["today", "utc_now"]


def utc_now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """The present day in UTC."""
    return utc_now().date()
