"""From files to raw records with their place, and the faults of form on the way: the table of formats.

Each format has a room of its own, `indicators.intake_*`, with one function that reads a stream strictly, record by
record. None of them knows what the fields mean; that is the record's own reading. No file is opened here.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, Protocol

from indicators.errors import Fault, WatchfloorError
from indicators.intake_csv import csv_rows
from indicators.intake_jsonl import jsonl_rows
from indicators.intake_stix import stix_rows
from indicators.intake_xlsx import xlsx_rows
from indicators.raw import Raw, Read

__all__ = ["FORMATS", "Handed", "NoSheetError", "Raw", "UnknownFormatError", "read_rows"]


class Reader(Protocol):
    """What reads one format: the records of a stream in order, and faults in place of what is none."""

    def __call__(self, stream: BinaryIO, *, file: str, fields: Sequence[str]) -> Iterator[Read]: ...


class NoSheetError(WatchfloorError):
    """A sheet that is named of a file that has none."""

    def __init__(self, file: str) -> None:
        super().__init__("only an XLSX file has sheets", where=file, mend="leave --sheet out, or import it by itself")


FORMATS: dict[str, Reader] = {
    "csv": csv_rows,
    "tsv": csv_rows,
    "jsonl": jsonl_rows,
    "xlsx": xlsx_rows,
    "json": stix_rows,
}
"""By the ending of the file's name, in small letters."""


class UnknownFormatError(WatchfloorError):
    """A file whose ending names no format of reports."""

    def __init__(self, file: str) -> None:
        mend = "give a .csv, .tsv, .jsonl or .xlsx file, or a STIX bundle as .json"
        super().__init__("the ending names no format of reports", where=file, mend=mend)


@dataclass(frozen=True)
class Handed:
    """A file of records that somebody hands in; going through it reads it, each time from its start.

    Attributes
    ----------
    file : str
        Its name as the user gave it; the ending picks the format.
    opened : callable
        Its bytes, from the start; closed after reading.
    fields : sequence of str
        The names that may occur.
    sheet : str, optional
        Of an XLSX file; its first that is not hidden when left out.

    Raises
    ------
    UnknownFormatError
        At once, where the name's ending is none of `FORMATS`.
    NoSheetError
        At once, where a sheet is named and the file is no XLSX.
    """

    file: str
    opened: Callable[[], BinaryIO]
    fields: Sequence[str]
    sheet: str | None = None

    def __post_init__(self) -> None:
        reader = _reader(self.file)
        if self.sheet is not None and reader is not xlsx_rows:
            raise NoSheetError(self.file)

    def __iter__(self) -> Iterator[Read]:
        reader = _reader(self.file)
        if self.sheet is not None:
            reader = partial(xlsx_rows, sheet=self.sheet)
        with self.opened() as stream:
            yield from reader(stream, file=self.file, fields=self.fields)


def _reader(file: str) -> Reader:
    _, dot, ending = file.lower().rpartition(".")
    if not dot or ending not in FORMATS:
        raise UnknownFormatError(file)
    return FORMATS[ending]


def read_rows(content: bytes, *, file: str, fields: Sequence[str]) -> tuple[list[Raw], list[Fault]]:
    """The records of a file that is in memory, and everything that is wrong with its form.

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
        The name's ending is none of `FORMATS`.
    """
    rows: list[Raw] = []
    faults: list[Fault] = []
    for item in Handed(file, lambda: io.BytesIO(content), fields):
        if isinstance(item, Raw):
            rows.append(item)
        else:
            faults.append(item)
    return rows, faults
