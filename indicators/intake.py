"""From CSV and JSONL bytes to raw records with their line, and the faults of form on the way.

Strict on purpose: UTF-8 only, header names exact, every row as long as the header, no key twice, JSON's idea of a
number. It does not know what the fields mean; that is the record's own reading.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from indicators.errors import Fault, WatchfloorError, nearest

__all__ = ["Raw", "UnknownFormatError", "read_rows"]


class UnknownFormatError(WatchfloorError):
    """A file whose ending names no format of reports."""

    def __init__(self, file: str) -> None:
        super().__init__("the ending names no format of reports", where=file, mend="give a .csv or a .jsonl file")


@dataclass(frozen=True, slots=True)
class Raw:
    """One record as it stands in a file.

    Attributes
    ----------
    line : int
        Where it starts, from 1.
    values : dict of str to object
        By field; texts from CSV, JSON values from JSONL.
    """

    line: int
    values: dict[str, object]


def read_rows(content: bytes, *, file: str, fields: Sequence[str]) -> tuple[list[Raw], list[Fault]]:
    """The records of a file, and everything that is wrong with its form.

    Parameters
    ----------
    content : bytes
        The whole file.
    file : str
        Its name as the user gave it; the ending picks the format.
    fields : sequence of str
        The names that may occur.

    Raises
    ------
    UnknownFormatError
        The name ends in neither .csv nor .jsonl.
    """
    _, dot, ending = file.lower().rpartition(".")
    if not dot or ending not in ("csv", "jsonl"):
        raise UnknownFormatError(file)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        what = f"byte {content[error.start]:#04x} is not UTF-8"
        return [], [Fault(file, line, 0, what, "save the file as UTF-8")]
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        return [], [Fault(file, line, 0, "the text has a NUL character", "save the file as plain UTF-8 text")]
    reader = _csv_rows if ending == "csv" else _jsonl_rows
    rows: list[Raw] = []
    faults: list[Fault] = []
    for item in reader(text, file, fields):
        if isinstance(item, Raw):
            rows.append(item)
        else:
            faults.append(item)
    return rows, faults


def _csv_rows(text: str, file: str, fields: Sequence[str]) -> Iterator[Raw | Fault]:
    csv.field_size_limit(1_000_000)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    line = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield Fault(
                file,
                line,
                0,
                f"not CSV from here on ({error})",
                "close the quotes of this row, and double those inside a cell",
            )
            return
        if cells is None:
            break
        if header is None:
            header = cells
            faults = list(_header_faults(cells, file, fields))
            yield from faults
            if faults:
                return
        elif len(cells) not in (0, len(header)):
            what = f"the row has {len(cells)} cells, the header {len(header)}"
            yield Fault(file, line, 0, what, "quote cells that have a comma in them")
        elif cells:
            yield Raw(line, dict(zip(header, cells, strict=True)))
        line = reader.line_num + 1
    if header is None:
        yield Fault(file, 1, 0, "the file is empty", f"start it with a header row of: {', '.join(fields)}")


def _header_faults(header: Sequence[str], file: str, fields: Sequence[str]) -> Iterator[Fault]:
    for position, name in enumerate(header):
        if name not in fields:
            yield Fault(file, 1, 0, f'no field "{name}" (column {position + 1})', nearest(name, fields))
        elif name in header[:position]:
            yield Fault(file, 1, 0, f'the column "{name}" stands twice', "take one of them out")
    if not set(header) - set(fields) and "indicator" not in header:
        yield Fault(file, 1, 0, "there is no column indicator", "name each row's indicator in it")


class _NotJsonError(WatchfloorError):
    """JSON that says something twice, or a number that is none."""


def _jsonl_rows(text: str, file: str, fields: Sequence[str]) -> Iterator[Raw | Fault]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(
                line, object_pairs_hook=_object, parse_constant=_no_constant, parse_int=_whole, parse_float=_decimal
            )
        except json.JSONDecodeError as error:
            yield Fault(file, number, error.colno, f"not JSON ({error.msg})", "write one JSON object a line")
        except _NotJsonError as error:
            yield Fault(file, number, 0, error.what, error.mend)
        except RecursionError:
            yield Fault(file, number, 0, "the value is nested too deeply", "write one flat JSON object a line")
        else:
            if isinstance(value, dict):
                yield Raw(number, value)
            else:
                yield Fault(file, number, 0, "the line is not a JSON object", "write one JSON object a line")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for position, (name, _) in enumerate(pairs) if name in [n for n, _ in pairs[:position]])
        raise _NotJsonError(f'the key "{twice}" stands twice', mend="take one of them out")
    return found


def _no_constant(name: str) -> None:
    raise _NotJsonError(f"{name} is not a number", mend="give a finite number, or leave the field out")


def _whole(text: str) -> int:
    if len(text) > min(20, sys.get_int_max_str_digits() or 20):
        raise _NotJsonError(f"the number {text[:20]}... has {len(text)} digits", mend="give a number within 1e15")
    return int(text)


def _decimal(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise _NotJsonError(f"{text} is larger than any number here", mend="give a number within 1e15")
    return value
