"""A history is read or refused; refused, every bad row is named by file, line, column and mend."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.history import SIZE_LIMIT, Row, history_text, read_history, series_faults
from tests.small import steady

EVENTS = "date,what\n2020-05-01,one\n2019-01-31,two\n2020-05-01,three\n"
SERIES = "what,date,value\nx,2020-05-01,54.5\n,2019-01-31,-3e2\n"


def told(text: str, *, with_values: bool) -> list[str]:
    return [str(fault) for fault in read_history(text, file="h.csv", with_values=with_values)[1]]


def test_events_in_order_of_their_days() -> None:
    """Other columns are free, order is free, and two events may share a day."""
    rows, faults = read_history(EVENTS, file="h.csv", with_values=False)
    assert faults == []
    assert rows == [Row(3, date(2019, 1, 31), 1.0), Row(2, date(2020, 5, 1), 1.0), Row(4, date(2020, 5, 1), 1.0)]


def test_a_series_in_order_of_its_days() -> None:
    rows, faults = read_history(SERIES, file="h.csv", with_values=True)
    assert faults == []
    assert rows == [Row(3, date(2019, 1, 31), -300.0), Row(2, date(2020, 5, 1), 54.5)]


def test_no_events_at_all_are_a_history_too() -> None:
    assert read_history("date\n", file="h.csv", with_values=False) == ([], [])


def test_cells_over_several_lines_are_counted() -> None:
    text = 'date,what\n2020-05-01,"two\nlines"\n2020-13-01,x\n'
    (fault,) = told(text, with_values=False)
    assert fault == 'h.csv:4: date: "2020-13-01" is not a day; write it as YYYY-MM-DD, like 2025-04-22'


REFUSED = [
    ("empty", "", "h.csv:1: the file is empty; start it with a header row of: date, value"),
    ("no header", "2020-01-01,value\n", "h.csv:1: there is no column date; name it date in the first row"),
    ("capitals", "Date,value\n", 'h.csv:1: there is no column date; write "Date" as date'),
    ("no value", "date,level\n", "h.csv:1: there is no column value; name it value in the first row"),
    ("twice", "date,value,value\n", "h.csv:1: the column value stands twice; take one of them out"),
    ("other day", "date,value\n01.05.2020,5\n", 'h.csv:2: date: "01.05.2020" is not a day; write it as YYYY-MM-DD'),
    ("no such day", "date,value\n2021-02-29,5\n", 'h.csv:2: date: "2021-02-29" is not a day'),
    ("mad year", "date,value\n0020-02-01,5\n", "h.csv:2: date: 0020-02-01 lies outside 1900 to 2200; correct the year"),
    ("comma", 'date,value\n2020-01-01,"5,5"\n', 'h.csv:2: value: "5,5" is not a number; write a number with a decimal'),
    ("percent", "date,value\n2020-01-01,55%\n", 'h.csv:2: value: "55%" is not a number'),
    ("nothing", "date,value\n2020-01-01,\n", 'h.csv:2: value: "" is not a number'),
    ("not a number", "date,value\n2020-01-01,nan\n", 'h.csv:2: value: "nan" is not a number'),
    ("underscore", "date,value\n2020-01-01,1_0\n", 'h.csv:2: value: "1_0" is not a number'),
    ("other digits", "date,value\n2020-01-01,٣\n", 'h.csv:2: value: "٣" is not a number'),
    ("infinite", "date,value\n2020-01-01,1e400\n", 'h.csv:2: value: "1e400" is not within 1e+15 of zero'),
    ("too large", "date,value\n2020-01-01,-1e16\n", 'h.csv:2: value: "-1e16" is not within 1e+15 of zero'),
    ("cells", "date,value\n2020-01-01,5,6\n", "h.csv:2: the row has 3 cells, the header 2; quote cells"),
    ("quotes", 'date,value\n2020-01-01,"5\n', "h.csv:2: not CSV from here on"),
    (
        "day twice",
        "date,value\n2020-01-01,5\n2020-02-01,5\n2020-01-01,5\n",
        "h.csv:4: date: 2020-01-01 again, first on line 2; keep one reading a day, such as their mean",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "phrase"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_refused(text: str, phrase: str) -> None:
    (fault,) = told(text, with_values=True)
    assert fault.startswith(phrase)


def test_every_bad_cell_is_named() -> None:
    text = "date,value\n2020-1-1,x\n\n2020-01-02,5\n2020-01-03\n"
    assert [fault.split(";")[0] for fault in told(text, with_values=True)] == [
        'h.csv:2: date: "2020-1-1" is not a day',
        'h.csv:2: value: "x" is not a number',
        "h.csv:5: the row has 1 cells, the header 2",
    ]


@pytest.mark.parametrize(
    ("content", "text", "fault"),
    [
        (b"\xef\xbb\xbfdate\n", "date\n", None),
        (b"date\n\xff", "", "h.csv:2: byte 0xff is not UTF-8; save the file as UTF-8"),
        (b"date\n\n\0", "", "h.csv:3: the text has a NUL character; save the file as plain UTF-8 text"),
        (b"x" * (SIZE_LIMIT + 1), "", "h.csv: the file has more than 2 MB; leave out the columns that nobody needs"),
    ],
)
def test_bytes(content: bytes, text: str, fault: str | None) -> None:
    assert history_text(content, file="h.csv")[0] == text
    assert [str(found) for found in history_text(content, file="h.csv")[1]] == ([fault] if fault else [])


def rows_of(*values: float) -> list[Row]:
    return [Row(n + 2, date(2019, 1, 1 + n), value) for n, value in enumerate(values)]


class TestSeries:
    def test_sound(self) -> None:
        assert series_faults(rows_of(1, 1, 1, 1, 1, 1, 1, 2), file="h.csv", opens=date(2019, 1, 9)) == []
        assert series_faults(rows_of(1, 1, 1, 1, 1, 1, 1, 2), file="h.csv", opens=None) == []

    def test_too_short(self) -> None:
        (fault,) = series_faults(rows_of(1, 2, 3, 4, 5, 6, 7), file="h.csv", opens=None)
        assert str(fault) == (
            "h.csv: it has 7 readings, too few to learn a course from; give at least 8, "
            'or state "values" in place of the baseline'
        )

    def test_constant(self) -> None:
        (fault,) = series_faults(rows_of(*[50.5] * 9), file="h.csv", opens=None)
        mend = 'state "values" in place of the baseline'
        assert str(fault) == f"h.csv: every reading is 50.5, which shows no course; {mend}"

    def test_reaching_into_the_study(self) -> None:
        faults = series_faults(rows_of(*range(9)), file="h.csv", opens=date(2019, 1, 8))
        assert [str(fault) for fault in faults] == [
            f"h.csv:{line}: date: 2019-01-0{line - 1} is not before the study opens on 2019-01-08; "
            "take the row out; readings from the opening day on are logged as reports"
            for line in (9, 10)
        ]


@steady
@given(st.text(alphabet='date,value\n-."2019 x'), st.booleans())
def test_whatever_the_text(text: str, with_values: bool) -> None:
    """Rows or faults with a mend, each on one line; a row for each line that has none."""
    rows, faults = read_history(text, file="h.csv", with_values=with_values)
    assert all(fault.what and fault.mend and str(fault).isprintable() for fault in faults)
    assert rows == sorted(rows, key=lambda row: (row.day, row.line))
