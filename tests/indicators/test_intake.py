"""Files of reports: what is lawful comes in to the letter, what is not is named by line and field, and all at once.

The table of bad files goes through the whole import, since that is where a user meets it: every bad row is named with
its own words, no sound row is, and the ledger is as it was.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators.errors import FaultsError
from indicators.evidence import FIELDS
from indicators.intake import Raw, UnknownFormatError, read_rows
from tests.small import cover, csv_of, head, import_files, log, new_ledger, steady
from tests.strategies import awkward_text

HEADER = "indicator,observed,state,count,value,from,to,source,grade,url,origin,event,tlp,note,author,ref"
SHORT = "indicator,observed,state"
NUMBERS = "indicator,observed,count,value,from,to"
GOOD = "mood,2024-02-01,calm"

Faults = list[tuple[int, str]]
"""Line, and what must stand after the place."""

CSV: dict[str, tuple[str | bytes, Faults]] = {
    # The file as a whole
    "empty": ("", [(1, "the file is empty; start it with a header row of: indicator, observed")]),
    "only a byte order mark": (b"\xef\xbb\xbf", [(1, "the file is empty")]),
    "not UTF-8": (SHORT.encode() + b"\nmood,2024-02-01,calm\nmood,2024-02-01,\xe9\n", [(3, "byte 0xe9 is not UTF-8")]),
    "UTF-16": (
        f"{SHORT}\n{GOOD}\n".encode("utf-16"),
        [(1, "the file is UTF-16 LE, not UTF-8; save the file as UTF-8")],
    ),
    "half a character": (f"{SHORT}\n{GOOD}".encode() + b"\xe6\x97", [(2, "byte 0xe6 is not UTF-8")]),
    "surrogates in UTF-8": (SHORT.encode() + b"\nmood,2024-02-01,\xed\xa0\x80\n", [(2, "byte 0xed is not UTF-8")]),
    "NUL": (f"{SHORT}\n{GOOD}\nmood,2024-02-01,ca\0lm\n", [(3, "the text has a NUL character")]),
    # The header
    "no header": (
        f"{GOOD}\n",
        [(1, 'no field "mood" (column 1)'), (1, 'no field "2024-02-01"'), (1, 'no field "calm"')],
    ),
    "header mistyped": (
        "indicator,obsrved,state\n",
        [(1, 'no field "obsrved" (column 2); did you mean "observed"?')],
    ),
    "header in capitals": ("Indicator,observed,state\n", [(1, 'no field "Indicator" (column 1); did you mean "indic')]),
    "header with a blank": ("indicator, observed,state\n", [(1, 'no field " observed" (column 2)')]),
    "header with an empty name": ("indicator,observed,\n", [(1, 'no field "" (column 3)')]),
    "header twice": ("indicator,state,state\n", [(1, 'the column "state" stands twice; take one of them out')]),
    "header without indicator": ("observed,state\n", [(1, "there is no column indicator")]),
    "semicolons and commas": (
        "indicator;observed,state\n",
        [(1, "the header has commas and semicolons, so that what stands between columns is not certain; start")],
    ),
    "tabs in the rows alone": (f"{SHORT}\nmood\t2024-02-01\tcalm\n", [(2, "the row has 1 cells, the header 3; quote")]),
    "blank first line": (f"\n{SHORT}\n{GOOD}\n", [(1, "there is no column indicator")]),
    "the ledger's own columns": (
        "indicator,recorded_at,hash\n",
        [(1, 'no field "recorded_at" (column 2)'), (1, 'no field "hash" (column 3)')],
    ),
    # Rows
    "short row": (f"{SHORT}\nmood,2024-02-01\n", [(2, "the row has 2 cells, the header 3")]),
    "long row": (
        f"{SHORT}\n{GOOD},x\n{GOOD}\n",
        [(2, "the row has 4 cells, the header 3; quote cells that have a comma")],
    ),
    "comma in a note": ("indicator,note\nmood,one, two\n", [(2, "the row has 3 cells, the header 2")]),
    "open quote": (f'{SHORT}\n{GOOD}\nmood,"2024-02-01,calm\nmood,x,y\n', [(3, "not CSV from here on")]),
    "text after a quote": (f'{SHORT}\nmood,"2024-02-01"x,calm\n', [(2, "not CSV from here on")]),
    "a row of nothing but commas": (f"{SHORT}\n,,\n", [(2, "indicator: no indicator is named")]),
    "two short rows and a bad one": (
        f"{SHORT}\nmood\n{GOOD}\nmood,x,calm\nmood\n",
        [(2, "the row has 1 cells"), (4, 'observed: "x" is not a day'), (5, "the row has 1 cells")],
    ),
    "line counted over a quoted line break": (
        'indicator,note,observed,state\nmood,"one\ntwo\r\nthree",2024-02-01,calm\n\nmood,n,2024-02-30,calm\n',
        [(6, 'observed: "2024-02-30" is not a day')],
    ),
    "line counted in a file of an old Mac": (
        f"{SHORT}\r{GOOD}\rmood,x,calm\r",
        [(3, 'observed: "x" is not a day')],
    ),
    # Indicators
    "indicator missing": (
        f"{SHORT}\n,2024-02-01,calm\n",
        [(2, "indicator: no indicator is named; give the id of one")],
    ),
    "indicator mistyped": (
        f"{SHORT}\nmoood,2024-02-01,calm\n",
        [(2, 'indicator: no indicator "moood" in the study; did you mean "mood"?')],
    ),
    "indicator unknown": (
        f"{SHORT}\nxyz,2024-02-01,calm\n",
        [(2, 'indicator: no indicator "xyz" in the study; one of: mood, press')],
    ),
    "indicator unknown beside another fault": (
        f"{SHORT}\nxyz,2024-02-30,calm\n",
        [(2, 'indicator: no indicator "xyz" in the study; one of: mood, press'), (2, 'observed: "2024-02-30" is not')],
    ),
    "indicator retired": (f"{SHORT}\ngone,2024-02-01,no\n", [(2, 'indicator: indicator "gone" is retired')]),
    # Days
    "day missing": (f"{SHORT}\nmood,,calm\n", [(2, "observed: the day is missing; give the day")]),
    "day of two digits": (
        f"{SHORT}\nmood,24-02-01,calm\n",
        [(2, 'observed: "24-02-01" is not a day; write it as YYYY-MM-DD')],
    ),
    "day of Europe": (f"{SHORT}\nmood,01.02.2024,calm\n", [(2, 'observed: "01.02.2024" is not a day')]),
    "day of America": (f"{SHORT}\nmood,2/1/2024,calm\n", [(2, 'observed: "2/1/2024" is not a day')]),
    "day of a spreadsheet": (f"{SHORT}\nmood,45323,calm\n", [(2, 'observed: "45323" is not a day')]),
    "day that never was": (f"{SHORT}\nmood,2023-02-29,calm\n", [(2, 'observed: "2023-02-29" is not a day')]),
    "week": (f"{SHORT}\nmood,2024-W05,calm\n", [(2, 'observed: "2024-W05" is not a day')]),
    "moment": (f"{SHORT}\nmood,2024-02-01T10:00,calm\n", [(2, 'observed: "2024-02-01T10:00" is not a day')]),
    "future": (
        f"{SHORT}\nmood,2024-07-02,calm\n",
        [(2, "observed: 2024-07-02 lies in the future (today is 2024-07-01, UTC)")],
    ),
    "before the study": (
        f"{SHORT}\nmood,2023-12-31,calm\n",
        [(2, "observed: 2023-12-31 lies before the study opens on 2024-01-01")],
    ),
    "impossible days in a span": (
        f"{NUMBERS}\ntalks,,1,,2024-02-31,2024-13-01\n",
        [(2, 'from: "2024-02-31" is not a day'), (2, 'to: "2024-13-01" is not a day')],
    ),
    "span backwards": (
        f"{NUMBERS}\ntalks,,1,,2024-03-01,2024-02-01\n",
        [(2, "to: the span ends on 2024-02-01, before it")],
    ),
    "span without an end": (f"{NUMBERS}\ntalks,,1,,2024-03-01,\n", [(2, "to: half of the span is missing")]),
    "day and span": (
        f"{NUMBERS}\ntalks,2024-02-01,1,,2024-03-01,2024-03-02\n",
        [(2, "observed: both a day and a span")],
    ),
    "span on a state": (
        "indicator,state,from,to\nmood,calm,2024-03-01,2024-03-02\n",
        [(2, 'from: "mood" is a state indicator and takes no span')],
    ),
    "span on a milestone": (
        f"{NUMBERS}\ntreaty,,,,2024-03-01,2024-03-02\n",
        [(2, 'from: "treaty" is a milestone indicator')],
    ),
    "span where silence always counts": (
        f"{NUMBERS}\nraids,,1,,2024-03-01,2024-03-02\n",
        [(2, 'from: every quiet day of "raids" counts already')],
    ),
    "span over coverage": (
        f"{NUMBERS}\ntalks,,1,,2024-05-01,2024-05-31\n",
        [(2, "from: the span overlaps the coverage e3 of 2024-05-20")],
    ),
    "span over a row above": (
        f"{NUMBERS}\ntalks,,1,,2024-03-01,2024-03-31\ntalks,,1,,2024-03-31,2024-04-02\n",
        [(3, "from: the span overlaps that of bad.csv:2, 2024-03-01 to 2024-03-31")],
    ),
    # What was seen
    "state missing": (
        f"{SHORT}\nmood,2024-02-01,\n",
        [(2, 'state: a report on "mood" needs a state; give state, one of: calm')],
    ),
    "state mistyped": (
        f"{SHORT}\nmood,2024-02-01,clam\n",
        [(2, 'state: "mood" has no state "clam"; did you mean "calm"?')],
    ),
    "state of another": (
        f"{SHORT}\nmood,2024-02-01,loud\n",
        [(2, 'state: "mood" has no state "loud"; one of: calm, tense')],
    ),
    "state on a count": (
        f"{SHORT}\ntalks,2024-02-01,calm\n",
        [(2, 'state: "talks" is a count indicator and takes no state')],
    ),
    "count on a state": (
        "indicator,observed,state,count\nmood,2024-02-01,calm,1\n",
        [(2, 'count: "mood" is a state indicator')],
    ),
    "value on a count": (
        f"{NUMBERS}\ntalks,2024-02-01,,3.5,,\n",
        [(2, 'value: "talks" is a count indicator and takes no value')],
    ),
    "value missing": (
        f"{NUMBERS}\nwait,2024-02-01,,,,\n",
        [(2, 'value: a report on "wait" needs a value; give value, a number')],
    ),
    "count with a point": (
        f"{NUMBERS}\ntalks,2024-02-01,1.0,,,\n",
        [(2, 'count: "1.0" is not a count; give a whole number')],
    ),
    "count below zero": (f"{NUMBERS}\ntalks,2024-02-01,-1,,,\n", [(2, 'count: "-1" is not a count')]),
    "count of five thousand digits": (f"{NUMBERS}\ntalks,2024-02-01,{'9' * 5000},,,\n", [(2, 'count: "9999')]),
    "count in Arabic digits": (f"{NUMBERS}\ntalks,2024-02-01,٣,,,\n", [(2, 'count: "٣" is not a count')]),
    "two of a milestone": (
        f"{NUMBERS}\ntreaty,2024-02-01,2,,,\n",
        [(2, 'count: "treaty" is a milestone, which happens once')],
    ),
    "value with a comma": (
        f'{NUMBERS}\nwait,2024-02-01,,"0,6",,\n',
        [(2, 'value: "0,6" is not a number; give a number with a decimal')],
    ),
    "value in percent": (f"{NUMBERS}\nwait,2024-02-01,,60%,,\n", [(2, 'value: "60%" is not a number')]),
    "value in Arabic digits": (f"{NUMBERS}\nwait,2024-02-01,,٠.٦,,\n", [(2, 'value: "٠.٦" is not a number')]),
    "value with a minus of typesetters": (
        f"{NUMBERS}\nwait,2024-02-01,,−0.5,,\n",
        [(2, 'value: "−0.5" is not a number')],
    ),
    "value NaN": (f"{NUMBERS}\nwait,2024-02-01,,NaN,,\n", [(2, 'value: "NaN" is not a number')]),
    "value infinite": (f"{NUMBERS}\nwait,2024-02-01,,Infinity,,\n", [(2, 'value: "Infinity" is not a number')]),
    "value too large": (
        f"{NUMBERS}\nwait,2024-02-01,,1e400,,\n",
        [(2, 'value: "1e400" is not a number within 1e+15 of zero')],
    ),
    "value with an underscore": (f"{NUMBERS}\nwait,2024-02-01,,0_6,,\n", [(2, 'value: "0_6" is not a number')]),
    # Texts
    "grade mistyped": (
        "indicator,observed,state,grade\nmood,2024-02-01,calm,b2\n",
        [(2, 'grade: "b2" is not a grade; write a letter A-F')],
    ),
    "grade unknown": ("indicator,observed,state,grade\nmood,2024-02-01,calm,G7\n", [(2, 'grade: "G7" is not a grade')]),
    "TLP mistyped": (
        "indicator,observed,state,tlp\nmood,2024-02-01,calm,ambre\n",
        [(2, 'tlp: "ambre" is not a TLP level; did you mean "amber"?')],
    ),
    "escape in a note": (
        "indicator,observed,state,note\nmood,2024-02-01,calm,\x1b[31mred\n",
        [(2, "note: the text has the control character U+001B")],
    ),
    "bell in a source": (
        "indicator,observed,state,source\nmood,2024-02-01,calm,W\x07\n",
        [(2, "source: the text has the control character U+0007")],
    ),
    "note too long": (
        f"indicator,observed,state,note\nmood,2024-02-01,calm,{'x' * 10_001}\n",
        [(2, "note: the text has 10001 characters; keep it within 10000")],
    ),
    "cell of a megabyte": (
        f"indicator,note\nmood,{'x' * 1_000_001}\n",
        [(2, "not CSV from here on (field larger than field limit")],
    ),
    # Against each other and the log
    "second milestone": (
        f"{NUMBERS}\nballot,2024-02-02,,,,\n",
        [(2, 'event: the milestone "ballot" has happened already, by e2 on 2024-02-01')],
    ),
    "second milestone in one file": (
        f"{NUMBERS}\ntreaty,2024-02-01,,,,\ntreaty,2024-02-02,,,,\n",
        [(3, 'event: the milestone "treaty" has happened already, by bad.csv:2 on 2024-02-01')],
    ),
    "a bad milestone is no first one": (
        f"{NUMBERS}\ntreaty,,,,,\ntreaty,2024-08-01,,,,\ntreaty,2024-02-02,,,,\n",
        [(2, "observed: the day is missing"), (3, "observed: 2024-08-01 lies in the future")],
    ),
    "one ref, two contents": (
        "indicator,observed,state,ref\nmood,2024-02-01,calm,A\nmood,2024-02-02,calm,A\n",
        [(3, 'ref: the ref "A" stands on an earlier row with another content')],
    ),
    "one ref, two contents, the first bad": (
        "indicator,observed,state,ref\nmood,2024-02-01,clam,A\nmood,2024-02-02,calm,A\n",
        [(2, 'state: "mood" has no state "clam"'), (3, 'ref: the ref "A" stands on an earlier row')],
    ),
    "a bad row twice is bad twice": (
        f"{SHORT}\nmood,2024-08-01,calm\nmood,2024-08-01,calm\n",
        [(2, "observed: 2024-08-01 lies in the future"), (3, "observed: 2024-08-01 lies in the future")],
    ),
    "everything wrong with one row": (
        f"{HEADER}\nmood,x,clam,x,x,x,x,,x,,,,x,,,\n",
        [(2, f'{name}: "x" is not') for name in ("observed", "count", "value", "from", "to", "grade", "tlp")],
    ),
    "one bad row among a hundred": (
        f"{SHORT}\n" + "".join(f"mood,2024-03-{day:02},calm\n" for day in range(1, 32)) + "mood,2024-03-32,calm\n",
        [(33, 'observed: "2024-03-32" is not a day')],
    ),
}

DAY = '"observed": "2024-02-01"'
JSONL: dict[str, tuple[str | bytes, Faults]] = {
    "not JSON": ('{"indicator": "mood"\n', [(1, "not JSON (Expecting ',' delimiter); write one JSON object a line")]),
    "nothing but a word": ("mood\n", [(1, "not JSON (Expecting value)")]),
    "single quotes": ("{'indicator': 'mood'}\n", [(1, "not JSON")]),
    "trailing comma": ('{"indicator": "mood",}\n', [(1, "not JSON")]),
    "comment": ("// reports\n", [(1, "not JSON")]),
    "two objects on a line": ('{"indicator": "mood"} {"indicator": "mood"}\n', [(1, "not JSON (Extra data)")]),
    "pretty printed": ('{\n  "indicator": "mood"\n}\n', [(1, "not JSON"), (2, "not JSON"), (3, "not JSON")]),
    "an array of reports": ('[{"indicator": "mood"}]\n', [(1, "the line is not a JSON object")]),
    "a number": ("5\n", [(1, "the line is not a JSON object")]),
    "null": ("null\n", [(1, "the line is not a JSON object")]),
    "key twice": ('{"indicator": "mood", "note": "a", "note": "b"}\n', [(1, 'the key "note" stands twice')]),
    "key twice further down": ('{"note": {"a": 1, "a": 2}}\n', [(1, 'the key "a" stands twice')]),
    "NaN": (f'{{"indicator": "wait", {DAY}, "value": NaN}}\n', [(1, "NaN is not a number; give a finite number")]),
    "minus infinity": (f'{{"indicator": "wait", {DAY}, "value": -Infinity}}\n', [(1, "-Infinity is not a number")]),
    "number beyond all": (
        f'{{"indicator": "wait", {DAY}, "value": 1e400}}\n',
        [(1, "1e400 is larger than any number here")],
    ),
    "number of five thousand digits": (
        f'{{"value": {"9" * 5000}}}\n',
        [(1, "the number 99999999999999999999... has 5000 digits")],
    ),
    "nested too deeply": ("[" * 100_000 + "\n", [(1, "the value is nested too deeply; write one flat JSON object")]),
    "not UTF-8": (b'{"note": "\xff"}\n', [(1, "byte 0xff is not UTF-8")]),
    "NUL": (b'{"note": "a"}\n\0\n', [(1, "indicator: no indicator is named"), (2, "the text has a NUL character")]),
    "raw control character": ('{"note": "a\x01b"}\n', [(1, "not JSON (Invalid control character at)")]),
    "escaped control character": (
        f'{{"indicator": "mood", {DAY}, "state": "calm", "note": "\\u001b"}}\n',
        [(1, "note: the text has the control character U+001B")],
    ),
    "escaped NUL": (
        f'{{"indicator": "mood", {DAY}, "state": "calm", "note": "a\\u0000b"}}\n',
        [(1, "note: the text has the control character U+0000")],
    ),
    "half surrogate": (
        f'{{"indicator": "mood", {DAY}, "state": "calm", "note": "\\ud800"}}\n',
        [(1, "note: the text has the control character U+D800")],
    ),
    "half surrogate in a key": (f'{{"indicator": "mood", {DAY}, "state": "calm", "\\ud800": 1}}\n', [(1, "no field")]),
    "unknown key": (
        f'{{"indicator": "mood", {DAY}, "state": "calm", "obsrved": "x"}}\n',
        [(1, 'obsrved: no field "obsrved"; did you mean "observed"?')],
    ),
    "the ledger's own key": (
        f'{{"indicator": "mood", {DAY}, "state": "calm", "recorded_at": "x"}}\n',
        [(1, 'recorded_at: no field "recorded_at"')],
    ),
    "empty object": ("{}\n", [(1, "indicator: no indicator is named")]),
    "indicator a number": ('{"indicator": 5}\n', [(1, "indicator: 5 is not a text")]),
    "day a number": (
        '{"indicator": "mood", "observed": 20240201, "state": "calm"}\n',
        [(1, "observed: 20240201 is not a text")],
    ),
    "state a list": (f'{{"indicator": "mood", {DAY}, "state": ["calm"]}}\n', [(1, "state: ['calm'] is not a text")]),
    "state true": (f'{{"indicator": "mood", {DAY}, "state": true}}\n', [(1, "state: True is not a text")]),
    "count true": (f'{{"indicator": "talks", {DAY}, "count": true}}\n', [(1, "count: True is not a count")]),
    "count with a point": (f'{{"indicator": "talks", {DAY}, "count": 1.0}}\n', [(1, "count: 1.0 is not a count")]),
    "count below zero": (f'{{"indicator": "talks", {DAY}, "count": -1}}\n', [(1, "count: -1 is not a count")]),
    "count of a trillion and one": (
        f'{{"indicator": "talks", {DAY}, "count": 1000000000001}}\n',
        [(1, "count: 1000000000001 is not a count")],
    ),
    "value a word": (f'{{"indicator": "wait", {DAY}, "value": "high"}}\n', [(1, 'value: "high" is not a number')]),
    "value an object": (
        f'{{"indicator": "wait", {DAY}, "value": {{"mean": 3}}}}\n',
        [(1, "value: {'mean': 3} is not a number")],
    ),
    "value too large": (
        f'{{"indicator": "wait", {DAY}, "value": 1e16}}\n',
        [(1, "value: 1e+16 is not a number within 1e+15 of zero")],
    ),
    "blank lines are counted": (
        '\n\n  \n{"indicator": "mood"}\n',
        [(4, "observed: the day is missing"), (4, "state: a report on")],
    ),
    "lines of Windows are counted": (
        '{}\r\n\r\n{"indicator": "xyz"}\r\n',
        [(1, "indicator: no indicator is named"), (3, 'indicator: no indicator "xyz"')],
    ),
    "a bad milestone is no first one": (
        f'{{"indicator": "treaty", "event": "x"}}\n{{"indicator": "treaty", {DAY}}}\n',
        [(1, "observed: the day is missing")],
    ),
}

BAD = [
    *(pytest.param("bad.csv", *case, id=f"csv, {name}") for name, case in CSV.items()),
    *(pytest.param("bad.jsonl", *case, id=f"jsonl, {name}") for name, case in JSONL.items()),
]


def as_bytes(content: str | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.encode()


def test_the_table_is_long_enough() -> None:
    assert len(BAD) >= 100


@pytest.mark.parametrize(("file", "content", "expected"), BAD)
def test_every_bad_row_is_named_and_nothing_written(file: str, content: str | bytes, expected: Faults) -> None:
    ledger = new_ledger()
    log(ledger, {"indicator": "ballot", "observed": "2024-02-01"})
    cover(ledger, "talks", "2024-05-20", "2024-06-10")
    before = head(ledger)
    sound = csv_of([{"indicator": "mood", "observed": "2024-02-01", "state": "tense"}])
    with pytest.raises(FaultsError) as caught:
        import_files(ledger, (file, as_bytes(content)), ("sound.csv", sound))
    told = [str(fault) for fault in caught.value.faults]
    for line, words in expected:
        places = (f"{file}:{line}: {words}", f"{file}:{line}:")
        assert any(t.startswith(places[0]) or (t.startswith(places[1]) and f": {words}" in t) for t in told), told
    assert len(told) == len(expected), told
    assert all("; " in t for t in told), told
    assert head(ledger) == before


def test_faults_come_in_the_order_of_their_lines_over_all_files() -> None:
    ledger = new_ledger()
    files = [(f"{name}.csv", f"{SHORT}\nmood,x,calm\nmood,y,clam\nmood\n".encode()) for name in "ab"]
    with pytest.raises(FaultsError) as caught:
        import_files(ledger, *files)
    assert [(fault.file, fault.line) for fault in caught.value.faults] == [
        (name, line) for name in ("a.csv", "b.csv") for line in (2, 3, 4)
    ]


@pytest.mark.parametrize(
    "file", ["reports", "reports.yaml", "reports.csv.gz", "csv", ".jsonl ", "reports.xls", "reports.xlsm", ""]
)
def test_another_ending_is_refused(file: str) -> None:
    with pytest.raises(UnknownFormatError, match=r"give a \.csv, \.tsv, \.jsonl or \.xlsx file"):
        read_rows(b"", file=file, fields=FIELDS)


# What is lawful


def rows_of(content: str | bytes, file: str = "good.csv") -> list[Raw]:
    """The rows of a file that has no fault."""
    rows, faults = read_rows(as_bytes(content), file=file, fields=FIELDS)
    assert not faults
    return rows


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_a_byte_order_mark_make_no_difference(end: str, last: bool, mark: str) -> None:
    text = mark + end.join([SHORT, GOOD, "", GOOD]) + (end if last else "")
    values: dict[str, object] = {"indicator": "mood", "observed": "2024-02-01", "state": "calm"}
    assert rows_of(text) == [Raw(2, values), Raw(4, values)]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_json_lines(end: str) -> None:
    text = "\ufeff" + end.join(['{"indicator": "wait", "value": 1.5, "count": 3, "note": "a\u2028b"}', "", "{}"]) + end
    assert rows_of(text, "good.jsonl") == [
        Raw(1, {"indicator": "wait", "value": 1.5, "count": 3, "note": "a\u2028b"}),
        Raw(3, {}),
    ]


def test_an_empty_file_of_json_lines_has_no_rows() -> None:
    assert rows_of("", "good.jsonl") == rows_of("\n \n", "good.jsonl") == []


def test_a_header_alone_has_no_rows() -> None:
    assert rows_of(HEADER) == []


def test_the_columns_may_stand_in_any_order_and_most_may_be_left_out() -> None:
    assert rows_of("state,indicator\ncalm,mood\n") == [Raw(2, {"state": "calm", "indicator": "mood"})]


def test_the_ending_may_be_in_capitals() -> None:
    assert len(rows_of(f"{SHORT}\n{GOOD}\n", "REPORTS.CSV")) == 1


def test_a_row_has_the_line_on_which_it_starts() -> None:
    text = 'indicator,note\nmood,"a\nb"\nmood,"c\n\n\nd"\nmood,e\n'
    assert [(row.line, row.values["note"]) for row in rows_of(text)] == [(2, "a\nb"), (4, "c\n\n\nd"), (8, "e")]


@steady
@given(st.lists(st.tuples(awkward_text(), awkward_text()), max_size=4))
def test_texts_come_out_of_csv_to_the_letter(pairs: list[tuple[str, str]]) -> None:
    pairs = [(a, b) for a, b in pairs if "\0" not in a + b]
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
    writer.writerows([("indicator", "note"), *pairs])
    rows, faults = read_rows(stream.getvalue().encode(), file="a.csv", fields=FIELDS)
    assert not faults
    assert [(row.values["indicator"], row.values["note"]) for row in rows] == pairs


@steady
@given(
    st.lists(st.dictionaries(awkward_text(), st.none() | st.integers(-(10**15), 10**15) | awkward_text()), max_size=4)
)
def test_values_come_out_of_json_lines_to_the_letter(records: list[dict[str, object]]) -> None:
    text = "".join(json.dumps(record) + "\n" for record in records)
    rows, faults = read_rows(text.encode(), file="a.jsonl", fields=FIELDS)
    assert not faults
    assert [row.values for row in rows] == records


# Whatever comes


def pieces() -> Iterator[bytes]:
    yield from (
        HEADER.encode(),
        SHORT.encode(),
        GOOD.encode(),
        b"\n",
        b"\r",
        b"\r\n",
        b'"',
        b",",
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
    )
    yield from (
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b"NaN",
        b"1e999",
        b"-",
        b'"indicator"',
        b'"\\ud800"',
        b"\xe2\x80\xa8",
        b"\x1b",
        b"x",
    )


@steady
@given(
    st.binary() | st.lists(st.sampled_from(list(pieces())), max_size=30).map(b"".join),
    st.sampled_from(["csv", "jsonl"]),
)
def test_any_bytes_give_rows_and_faults_and_never_anything_else(content: bytes, ending: str) -> None:
    rows, faults = read_rows(content, file=f"a.{ending}", fields=FIELDS)
    lines = content.count(b"\n") + content.count(b"\r") + 1
    assert all(1 <= row.line <= lines for row in rows)
    assert all(1 <= fault.line <= lines and fault.what and fault.mend for fault in faults)


@steady
@given(st.lists(st.sampled_from(list(pieces())), max_size=30).map(b"".join), st.sampled_from(["csv", "jsonl"]))
def test_any_file_is_imported_whole_or_refused(content: bytes, ending: str) -> None:
    ledger = new_ledger()
    before = head(ledger)
    try:
        done = import_files(ledger, (f"a.{ending}", content))
    except FaultsError:
        assert head(ledger) == before
    else:
        assert head(ledger).entries == before.entries + len(done.entries)
