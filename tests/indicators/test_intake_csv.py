"""CSV beyond the commas: other signs between columns, files without end; and round trips through the ledger.

The table of bad CSV and JSONL rows is in `test_intake`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import date
from typing import Any, BinaryIO, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import forecast.bulk as bulk
import indicators.utf8 as utf8
from indicators.errors import Fault, FaultsError
from indicators.evidence import FIELDS
from indicators.intake import read_rows
from indicators.intake_csv import csv_rows
from indicators.ledger import Ledger
from indicators.raw import Raw
from tests.bad_files import Bad, check_refused, faults_of
from tests.small import SOUND, handed, head, import_files, new_ledger, steady
from tests.strategies import Case, cases, to_yaml

SIGNS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
NAMES = ("indicator", "observed", "state", "value", "note")
ROW = ("mood", "2024-02-01", "calm", "", "a, b; c\td|e")
UNSURE = "so that what stands between columns is not certain; start the file with a header row, and put the same sign"


def table(sign: str, *rows: tuple[str, ...]) -> bytes:
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=sign).writerows(rows)
    return stream.getvalue().encode()


BAD: dict[str, Bad] = {
    "two signs": (b"indicator;observed,state\n", [(":1", f"the header has commas and semicolons, {UNSURE}")]),
    "three signs": (
        b"indicator;observed,state|note\n",
        [(":1", f"the header has commas, semicolons and pipes, {UNSURE}")],
    ),
    "a sign in a name": (b'"indicator,x";observed\n', [(":1", 'no field "indicator,x" (column 1)')]),
    "no header, and a comma in a text": (
        b"mood;2024-02-01;one, two\n",
        [(":1", "the header has commas and semicolons")],
    ),
    "a hint for one spreadsheet": (
        b"sep=;\nindicator;observed\n",
        [(":1", 'the first line is "sep=;", which only one spreadsheet understands; take it out')],
    ),
    "semicolons, mistyped": (
        b"indicator;obsrved;state\n",
        [(":1", 'no field "obsrved" (column 2); did you mean "observed"?')],
    ),
    "semicolons, and a row of commas": (
        b"indicator;observed;state\nmood,2024-02-01,calm\n",
        [(":2", "the row has 1 cells, the header 3; quote cells that have a semicolon in them")],
    ),
    "semicolons and a decimal comma": (
        b"indicator;observed;value\nwait;2024-02-01;0,6\nwait;2024-02-02;0.6\n",
        [(":2", 'value: "0,6" is not a number; give a number with a decimal point, like 54.5')],
    ),
    "a comma for thousands": (
        b"indicator;observed;value\nwait;2024-02-01;1,234.5\n",
        [(":2", 'value: "1,234.5" is not a number; give a number with a decimal point')],
    ),
    "tabs and a long row": (
        b"indicator\tobserved\tstate\nmood\t2024-02-01\tcalm\t\n",
        [(":2", "the row has 4 cells, the header 3; quote cells that have a tab in them")],
    ),
    "a hundred and one columns": (
        b";".join([b"note"] * 101),
        [(":1", "the header has 101 columns; keep to: indicator")],
    ),
    "Windows-1252": (
        "indicator,note\nmood,caf\xe9\n".encode("cp1252"),
        [
            (
                ":2",
                'byte 0xe9 is not UTF-8, but "é" in Windows-1252 or Latin-1; save the file as UTF-8 (in Excel',
            )
        ],
    ),
    "quotes of Windows-1252": (
        "indicator,note\nmood,\u201cx\u201d\n".encode("cp1252"),
        [(":2", 'byte 0x93 is not UTF-8, but "“" in Windows-1252; save the file as UTF-8')],
    ),
    "Shift-JIS": ("indicator,note\nmood,日本\n".encode("shift-jis"), [(":2", "byte 0x93 is not UTF-8; save the file")]),
    "UTF-16 LE": ("\ufeffindicator\n".encode("utf-16-le"), [(":1", "the file is UTF-16 LE, not UTF-8; save the file")]),
    "UTF-16 BE": ("\ufeffindicator\n".encode("utf-16-be"), [(":1", "the file is UTF-16 BE, not UTF-8")]),
    "UTF-16 LE without a mark": ("indicator\n".encode("utf-16-le"), [(":1", "the file is UTF-16 LE, not UTF-8")]),
    "UTF-16 BE without a mark": ("indicator\n".encode("utf-16-be"), [(":1", "the file is UTF-16 BE, not UTF-8")]),
    "UTF-32 LE": ("\ufeffindicator\n".encode("utf-32-le"), [(":1", "the file is UTF-32 LE, not UTF-8")]),
    "UTF-32 BE": ("\ufeffindicator\n".encode("utf-32-be"), [(":1", "the file is UTF-32 BE, not UTF-8")]),
    "a workbook under another name": (b"PK\x03\x04\x14\x00\x06\x00", [(":1", "the text has a NUL character")]),
    "rows before the first bad byte are looked at": (
        b"indicator,observed,state\nmood,2024-02-30,calm\nmood,x\xff,calm\n",
        [(":2", 'observed: "2024-02-30" is not a day'), (":3", "byte 0xff is not UTF-8")],
    ),
    "full-width digits": (
        "indicator,observed,count\ntalks,２０２４-０２-０１,１\n".encode(),
        [(":2", 'count: "１" is not a count'), (":2", 'observed: "２０２４-０２-０１" is not a day')],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_every_bad_row_is_named_and_nothing_written(name: str) -> None:
    content, expected = BAD[name]
    check_refused("bad.csv", content, expected)


@pytest.mark.parametrize("sign", SIGNS.values(), ids=SIGNS)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a mark"])
@pytest.mark.parametrize("file", ["a.csv", "a.tsv"])
def test_the_sign_between_columns_is_read_off_the_header(sign: str, mark: bytes, file: str) -> None:
    rows, faults = read_rows(mark + table(sign, NAMES, ROW, ROW), file=file, fields=FIELDS)
    assert not faults
    assert [(raw.line, raw.values) for raw in rows] == [(n, dict(zip(NAMES, ROW, strict=True))) for n in (2, 3)]


def test_quoted_names_are_names() -> None:
    rows, faults = read_rows(b'"indicator";"note"\nmood;"a;b"\n', file="a.csv", fields=FIELDS)
    assert (faults, rows) == ([], [Raw(2, {"indicator": "mood", "note": "a;b"})])


def test_a_single_column_needs_no_sign() -> None:
    rows, faults = read_rows(b"indicator\nmood\n", file="a.csv", fields=FIELDS)
    assert (faults, rows) == ([], [Raw(2, {"indicator": "mood"})])


def test_text_in_any_direction_is_taken_to_the_letter() -> None:
    ledger = new_ledger()
    text = "\u202egnitirw \u2066isolated\u2069 \u200f مرحبا"
    import_files(ledger, ("a.csv", table(",", ("indicator", "observed", "state", "note"), (*ROW[:3], text))))
    assert [entry.payload["note"] for entry in ledger.entries(after=1)] == [text]


# Files that are longer than memory


class Endless:
    """A file that never ends, and counts how much of it was asked for."""

    def __init__(self, start: bytes, again: bytes) -> None:
        self._left, self._again, self.given = start, again, 0

    def read(self, size: int) -> bytes:
        while len(self._left) < size:
            self._left += self._again * max(size // len(self._again), 1)
        block, self._left = self._left[:size], self._left[size:]
        self.given += size
        return block


def reading(source: Endless) -> Iterator[Raw | Fault]:
    return csv_rows(cast("BinaryIO", source), file="a.csv", fields=FIELDS)


def test_rows_are_given_as_they_are_read() -> None:
    source = Endless(b"indicator,note\n", b"mood,x\n")
    rows = reading(source)
    assert [next(rows) for _ in range(1000)] == [Raw(n, {"indicator": "mood", "note": "x"}) for n in range(2, 1002)]
    assert source.given == utf8._BLOCK


ENDLESS = {
    "a line": (b"indicator,note\nmood,", b"x", "2: the line has more than 4000000 characters; end every record"),
    "a header": (b"", b"x", "1: the line has more than 4000000 characters"),
    "a quote": (b'indicator,note\nmood,"', b"x\n", "2: not CSV from here on (field larger than field limit"),
    "quoted cells": (b"indicator,note\nmood,", b'"x\n",', "800001: the row has more than 4000000 characters; close"),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_what_never_ends_is_refused_in_time(name: str) -> None:
    start, again, told = ENDLESS[name]
    source = Endless(start, again)
    [fault] = reading(source)
    assert str(fault).startswith(f"a.csv:{told}")
    assert source.given < 12_000_000


def test_of_very_many_faults_the_first_are_told_and_the_rest_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "MOST_FAULTS", 5)
    ledger = new_ledger()
    before = head(ledger)
    with pytest.raises(FaultsError) as caught:
        import_files(ledger, ("a.csv", b"indicator\n" + b"x\n" * 100), ("b.csv", b"\xff"))
    told = [str(fault) for fault in caught.value.faults]
    assert [line.split(": ")[0] for line in told] == [f"a.csv:{n}" for n in range(2, 7)]
    assert caught.value.more == 96
    assert str(caught.value).splitlines()[5:] == ["and 96 more faults like these; mend those told first"]
    assert head(ledger) == before


def test_any_size_of_block_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    content = '\ufeffindicator;note\r\nmood;été 日本\r\n\rmood;"a\r\nb"\nmood;👩‍👩‍👧‍👦'.encode()
    whole = read_rows(content, file="a.csv", fields=FIELDS)
    assert [raw.line for raw in whole[0]] == [2, 4, 6]
    for size in range(4, 40):
        monkeypatch.setattr(utf8, "_BLOCK", size)
        assert read_rows(content, file="a.csv", fields=FIELDS) == whole


# Round trips


def as_lines(ledger: Ledger) -> bytes:
    reports = (entry.payload for entry in ledger.entries() if entry.kind == "evidence")
    return "".join(json.dumps(report) + "\n" for report in reports).encode()


def as_table(ledger: Ledger, sign: str) -> bytes:
    reports = [entry.payload for entry in ledger.entries() if entry.kind == "evidence"]
    return table(sign, FIELDS, *[tuple(str(report.get(name, "")) for name in FIELDS) for report in reports])


def contents(ledger: Ledger) -> list[Any]:
    return [(entry.kind, entry.payload) for entry in ledger.entries() if entry.kind == "evidence"]


AWKWARD = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]) | st.sampled_from('\t\r\n,;|"=')
).filter(lambda text: text == text.strip())


@settings(steady, max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(list(SOUND)), AWKWARD, AWKWARD, st.floats(-1e15, 1e15)), max_size=6),
    st.sampled_from(list(SIGNS.values())),
)
def test_a_log_handed_on_as_json_lines_or_csv_comes_in_the_same(
    drawn: list[tuple[str, str, str, float]], sign: str
) -> None:
    log = new_ledger()
    reports = [{**SOUND[kind], "note": note, "source": source, "event": "one"} for kind, note, source, _ in drawn]
    reports = [r | ({"value": value} if "value" in r else {}) for r, (*_, value) in zip(reports, drawn, strict=True)]
    import_files(log, ("a.jsonl", "".join(json.dumps(report) + "\n" for report in reports).encode()))
    for file, content in (("a.jsonl", as_lines(log)), ("a.csv", as_table(log, sign))):
        other = new_ledger()
        assert import_files(other, (file, content)).skipped == 0
        assert contents(other) == contents(log)


@settings(steady, max_examples=30)
@given(cases(n_reports=8))
def test_reports_of_any_study_make_the_round_trip(case: Case) -> None:
    study, reports, _, _ = case

    def imported(file: str, content: bytes) -> Ledger:
        ledger = new_ledger(to_yaml(study))
        files = handed((file, content))
        done = bulk.import_reports(ledger, study["study"], files, author="ana", today=date(2026, 12, 31))
        assert len(done.positions) + done.skipped == content.count(b"\n") - file.endswith(".csv")
        return ledger

    log = imported("a.jsonl", "".join(json.dumps(report) + "\n" for report in reports).encode())
    assert contents(imported("b.jsonl", as_lines(log))) == contents(log)
    assert contents(imported("b.csv", as_table(log, ";"))) == contents(log)


# Whatever comes


PIECES = [
    b"indicator",
    b"note",
    b"mood",
    b",",
    b";",
    b"\t",
    b"|",
    b"\n",
    b"\r",
    b'"',
    b"\0",
    b"\xff",
    b"\xe9",
    b"\xef\xbb\xbf",
]


@settings(steady, max_examples=150)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map(b"".join) | st.binary(max_size=60))
def test_any_bytes_give_rows_or_faults(content: bytes) -> None:
    for item in csv_rows(io.BytesIO(content), file="a.csv", fields=FIELDS):
        assert isinstance(item, Raw) or (item.line >= 1 and item.what and item.mend)
    assert isinstance(faults_of("a.csv", content), list)
