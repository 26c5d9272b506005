"""Days, durations and moments: known values, and the refusal of everything that only looks like one."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators.days import (
    DAYS_PER_MONTH,
    DAYS_PER_YEAR,
    DayError,
    DurationError,
    MomentError,
    day_range,
    duration_days,
    moment_text,
    parse_day,
    parse_moment,
)
from tests.strategies import AWKWARD

NOT_DAYS = [
    "2025-02-30",
    "2025-02-29",
    "2025-13-01",
    "2025-00-10",
    "2025-01-00",
    "0000-01-01",
    "25-04-22",
    "2025-4-22",
    "2025-W17",
    "2025-W17-2",
    "2025-112",
    "20250422",
    "45770",
    "2025-04",
    "2025",
    "22.04.2025",
    "04/22/2025",
    "2025/04/22",
    "2025-04-22T00:00:00Z",
    "2025-04-22 ",
    " 2025-04-22",
    "2025-04-22\n",
    "+2025-04-22",
    "-2025-04-22",
    "12025-04-22",
    "２０２５-０４-２２",
    "٢٠٢٥-٠٤-٢٢",
    "2025‐04‐22",
    "today",
]
NOT_DURATIONS = [
    "90 days",
    "0 d",
    "0.0 y",
    "-3 d",
    "+3 d",
    "1e9 y",
    "1e2 d",
    "9999999999 d",
    "30000 y",
    "90",
    "d",
    "90  d",
    "90 d ",
    " 90 d",
    "90 d\n",
    "90 D",
    "90 M",
    "90 h",
    "1 y 6 m",
    ".5 y",
    "1. y",
    "1,5 y",
    "1_0 d",
    "９０ d",
    "٩٠ d",
    "inf d",
    "nan d",
    "P90D",
]
NOT_MOMENTS = [
    "2025-04-22T13:30:00+02:99",
    "2025-04-22T13:30:00+25:00",
    "2025-04-22T13:30:00+24:00",
    "2025-04-22T13:30:00",
    "2025-04-22T13:30",
    "2025-04-22T24:00:00Z",
    "2025-04-22T13:60:00Z",
    "2025-04-22T13:30:60Z",
    "2025-04-22T13Z",
    "2025-04-22T13:30:00z",
    "2025-04-22t13:30:00Z",
    "2025-04-22T13:30:00,5Z",
    "2025-04-22T13:30:00.1234567Z",
    "2025-04-22T13:30:00+0200",
    "2025-04-22T13:30:00+02",
    "2025-04-22T13:30:00 Z",
    "2025-04-22T13:30:00Z\n",
    "2025-04-22T13:30:00 UTC",
    "20250422T133000Z",
    "2025-02-30T13:30:00Z",
    "2025-W17-2T13:30:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "２０２５-04-22T13:30:00Z",
    "1745328600",
    "now",
]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2025-04-22", date(2025, 4, 22)),
        ("2024-02-29", date(2024, 2, 29)),
        ("0001-01-01", date.min),
        ("9999-12-31", date.max),
    ],
)
def test_a_day_is_read(text: str, day: date) -> None:
    assert parse_day(text) == day


@given(st.dates())
def test_every_day_is_read_as_it_is_written(day: date) -> None:
    assert parse_day(day.isoformat()) == day


@pytest.mark.parametrize("text", NOT_DAYS)
def test_what_only_looks_like_a_day_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(DayError) as caught:
        parse_day(text)
    assert str(caught.value) == f'"{text}" is not a day; write it as YYYY-MM-DD, like 2025-04-22'


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("90 d", 90.0),
        ("90d", 90.0),
        ("6 w", 42.0),
        ("3 m", 91.3125),
        ("2 y", 730.5),
        ("0.5 y", 182.625),
        ("1.5 w", 10.5),
        ("007 d", 7.0),
        ("0.0001 d", 0.0001),
        ("9999999 d", 9_999_999.0),
    ],
)
def test_a_duration_has_this_many_days(text: str, days: float) -> None:
    assert duration_days(text) == days


def test_twelve_months_are_a_year() -> None:
    assert 12 * DAYS_PER_MONTH == DAYS_PER_YEAR == duration_days("12 m") == duration_days("1 y")


@pytest.mark.parametrize("text", NOT_DURATIONS)
def test_what_only_looks_like_a_duration_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(DurationError) as caught:
        duration_days(text)
    assert str(caught.value) == f'"{text}" is not a duration above zero; write a number and d, w, m or y, like 90 d'


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-04-22T13:30:00Z", datetime(2025, 4, 22, 13, 30, tzinfo=UTC)),
        ("2025-04-22 13:30Z", datetime(2025, 4, 22, 13, 30, tzinfo=UTC)),
        ("2025-04-22T13:30:00.25Z", datetime(2025, 4, 22, 13, 30, 0, 250_000, tzinfo=UTC)),
        ("2025-04-22T13:30:00+02:00", datetime(2025, 4, 22, 11, 30, tzinfo=UTC)),
        ("2025-04-22T23:30:00-05:45", datetime(2025, 4, 23, 5, 15, tzinfo=UTC)),
        ("2025-04-22T13:30:00-00:00", datetime(2025, 4, 22, 13, 30, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_into_utc(text: str, moment: datetime) -> None:
    assert parse_moment(text) == moment
    assert parse_moment(text).tzinfo is UTC


def test_a_day_as_a_moment_is_its_last_microsecond() -> None:
    assert parse_moment("2025-04-22") == datetime(2025, 4, 22, 23, 59, 59, 999_999, tzinfo=UTC)


@pytest.mark.parametrize("text", NOT_MOMENTS)
def test_what_only_looks_like_a_moment_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(MomentError) as caught:
        parse_moment(text)
    assert str(caught.value).startswith(f'"{text}" is not a moment; write 2025-04-22T13:30:00Z, or a day')


@pytest.mark.parametrize("text", [*AWKWARD, "9" * 5000 + " d", "9" * 400 + " y"], ids=lambda text: repr(text[:20]))
def test_awkward_text_is_neither_day_nor_duration_nor_moment(text: str) -> None:
    with pytest.raises(DayError, match="is not a day"):
        parse_day(text)
    with pytest.raises(DurationError, match="is not a duration above zero"):
        duration_days(text)
    with pytest.raises((MomentError, DayError), match=r"is not a (moment|day)"):
        parse_moment(text)


@pytest.mark.parametrize("text", ["2025-02-30", "2025-02-29"])
def test_a_moment_on_a_day_that_is_none_is_refused_as_a_day(text: str) -> None:
    with pytest.raises(DayError, match="is not a day"):
        parse_moment(text)


def test_the_text_of_a_moment_is_utc_and_of_one_width() -> None:
    assert moment_text(datetime(2025, 4, 22, 13, 30, tzinfo=UTC)) == "2025-04-22T13:30:00.000000Z"
    tokyo = timezone(timedelta(hours=9))
    assert moment_text(datetime(2025, 4, 22, 1, 2, 3, 4, tzinfo=tokyo)) == "2025-04-21T16:02:03.000004Z"


@given(st.lists(st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)), max_size=8))
def test_texts_of_moments_have_the_order_of_the_moments(moments: list[datetime]) -> None:
    assert [moment_text(moment) for moment in sorted(moments)] == sorted(map(moment_text, moments))
    assert [parse_moment(moment_text(moment)) for moment in moments] == moments


def test_a_range_of_days_has_both_ends() -> None:
    assert day_range(date(2024, 2, 28), date(2024, 3, 1)) == [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1)]
    assert day_range(date(2024, 2, 28), date(2024, 2, 28)) == [date(2024, 2, 28)]
    assert day_range(date(2024, 2, 28), date(2024, 2, 27)) == []
